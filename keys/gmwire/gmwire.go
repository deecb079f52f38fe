// Package gmwire is how keys look on the way between the Vault engine (keys/gmplugin) and its client (keys/vaultkeys):
// items of batches, results, ciphertexts with their version, error codes. Both sides use this one package, so they cannot
// drift apart.
//
// Spelling follows Vault's transit engine where it has the same thing: batch_input, batch_results, key_version,
// reference, and "vault:vN:" before signatures, ciphertexts and tags. Bytes are base64 (RFC 4648, padded).
//
// It promises nothing about secrecy: what passes here is protected by Vault's listener alone.
package gmwire

import (
	"crypto/ecdsa"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// Item is one element of batch_input; which fields count depends on the verb.
type Item struct {
	// Input is a message, or what is to be tagged.
	Input *[]byte `json:"input,omitempty"`
	// InputParts are the pieces of an input that is longer than MaxString, in place of Input: Vault bounds each string.
	InputParts [][]byte `json:"input_parts,omitempty"`
	// Digest is e, of 32 bytes, computed by the caller.
	Digest *[]byte `json:"digest,omitempty"`
	// Ciphertext is "vault:vN:" and base64; without the prefix the current version is meant.
	Ciphertext     string `json:"ciphertext,omitempty"`
	AssociatedData []byte `json:"associated_data,omitempty"`
	Signature      string `json:"signature,omitempty"`
	HMAC           string `json:"hmac,omitempty"`
	// Approval is the ID of an approval of the digest.
	Approval string `json:"approval,omitempty"`
	// Reference comes back with the result.
	Reference string `json:"reference,omitempty"`
}

// MaxVersion is the highest version that is read.
const MaxVersion = 1 << 31

// MaxString is the most bytes that travel as one base64 string.
const MaxString = 512 << 10

// SetInput puts an input into an item, in pieces if it is long.
func (i *Item) SetInput(data []byte) {
	if len(data) <= MaxString {
		i.Input = &data
		return
	}
	i.InputParts = slices.Collect(slices.Chunk(data, MaxString))
}

// TakeInput gives the input that SetInput put, nil if there is none.
func (i *Item) TakeInput() (*[]byte, error) {
	if len(i.InputParts) == 0 {
		return i.Input, nil
	}
	if i.Input != nil {
		return nil, fmt.Errorf("%w: an item has either input or input_parts", keys.ErrInvalid)
	}
	whole := slices.Concat(i.InputParts...)
	return &whole, nil
}

// Result is one element of batch_results.
type Result struct {
	Signature  string  `json:"signature,omitempty"`
	Plaintext  *[]byte `json:"plaintext,omitempty"`
	Ciphertext string  `json:"ciphertext,omitempty"`
	HMAC       string  `json:"hmac,omitempty"`
	Valid      *bool   `json:"valid,omitempty"`
	KeyVersion int     `json:"key_version,omitempty"`
	Reference  string  `json:"reference,omitempty"`
	// Error is what went wrong with this item alone, Code its class.
	Error string `json:"error,omitempty"`
	Code  string `json:"code,omitempty"`
}

// Public is keys.PublicInfo.
type Public struct {
	Name    string       `json:"name"`
	Version int          `json:"version"`
	Type    keys.Type    `json:"type"`
	Purpose keys.Purpose `json:"purpose"`
	State   keys.State   `json:"state"`
	UID     string       `json:"uid,omitempty"`
	// Point is the uncompressed public point, PublicKey the same as PEM.
	Point        []byte    `json:"public,omitempty"`
	PublicKey    string    `json:"public_key,omitempty"`
	Created      time.Time `json:"created"`
	Certificates [][]byte  `json:"certificates,omitempty"`
	// ApprovalRequired: a seal key that signs one digest at a time, each with another person's approval.
	ApprovalRequired bool `json:"approval_required,omitempty"`
}

// Point is a public SM2 key alone.
type Point struct {
	// Point is the uncompressed public point, PublicKey the same as PEM.
	Point     []byte `json:"public"`
	PublicKey string `json:"public_key,omitempty"`
}

// NewPoint turns a public key into its form on the wire.
func NewPoint(pub *ecdsa.PublicKey) Point {
	return Point{Point: gm.MarshalPublicKey(pub), PublicKey: keys.PublicPEM(pub)}
}

// Key turns it back.
func (p Point) Key() (*ecdsa.PublicKey, error) {
	pub, err := gm.ParsePublicKey(p.Point)
	if err != nil {
		return nil, fmt.Errorf("%w: public key: %w", keys.ErrInvalid, err)
	}
	return pub, nil
}

// NewPublic turns a public part into its form on the wire.
func NewPublic(info keys.PublicInfo) Public {
	p := Public{
		Name: info.Ref.Name, Version: info.Ref.Version, Type: info.Type, Purpose: info.Purpose, State: info.State, UID: info.UID,
		Created: info.Created, Certificates: info.Certificates, ApprovalRequired: info.ApprovalRequired,
	}
	if info.Public != nil {
		p.Point, p.PublicKey = gm.MarshalPublicKey(info.Public), keys.PublicPEM(info.Public)
	}
	return p
}

// Info turns it back, refusing what is no public part of a key.
func (p Public) Info() (keys.PublicInfo, error) {
	info := keys.PublicInfo{
		Ref: keys.Ref{Name: p.Name, Version: p.Version}, Type: p.Type, Purpose: p.Purpose, State: p.State, UID: p.UID,
		Created: p.Created, Certificates: p.Certificates, ApprovalRequired: p.ApprovalRequired,
	}
	if p.Version < 1 || p.Type == "" || p.Type != p.Purpose.Type() || (len(p.Point) > 0) != (p.Type == keys.TypeSM2) {
		return keys.PublicInfo{}, fmt.Errorf("public part of key %q is malformed", p.Name)
	}
	if p.Type == keys.TypeSM2 {
		pub, err := gm.ParsePublicKey(p.Point)
		if err != nil {
			return keys.PublicInfo{}, fmt.Errorf("public part of key %q: %w", p.Name, err)
		}
		info.Public = pub
	}
	return info, nil
}

// prefix stands before the version of a value.
const prefix = "vault:v"

// Versioned writes "vault:vN:" and base64; for version 0 the base64 alone.
func Versioned(n int, data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	if n == 0 {
		return text
	}
	return prefix + strconv.Itoa(n) + ":" + text
}

// ParseVersioned reads what Versioned writes.
func ParseVersioned(text string) (int, []byte, error) {
	n := 0
	if rest, ok := strings.CutPrefix(text, prefix); ok {
		number, data, found := strings.Cut(rest, ":")
		v, err := strconv.Atoi(number)
		if !found || err != nil || v < 1 || strconv.Itoa(v) != number {
			return 0, nil, fmt.Errorf("%w: no version after %s", keys.ErrInvalid, prefix)
		}
		n, text = v, data
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: no base64", keys.ErrInvalid)
	}
	return n, data, nil
}
