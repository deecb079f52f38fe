package execkeys

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// Operations.
const (
	OpHello    = "hello"
	OpDescribe = "describe"
	OpSign     = "sign"
	OpDecrypt  = "decrypt"
)

// Codes of errors.
const (
	CodeLocked      = "locked"
	CodeDenied      = "denied"
	CodeNotFound    = "not_found"
	CodeInvalid     = "invalid"
	CodeUnavailable = "unavailable"
)

// Request is one line to the program.
type Request struct {
	Op string `json:"op"`
	// Protocol stands in hello.
	Protocol string `json:"protocol,omitempty"`
	// Key names the key; empty means the program's only one.
	Key string `json:"key,omitempty"`
	// Purpose and Digest stand in sign: what the signature is for, and e = SM3(Z ‖ M) in hex.
	Purpose string `json:"purpose,omitempty"`
	Digest  string `json:"digest,omitempty"`
	// Ciphertext stands in decrypt: SM2Cipher in Base64.
	Ciphertext string `json:"ciphertext,omitempty"`
}

// Answer is one line from the program.
type Answer struct {
	OK bool `json:"ok"`
	// Error is a code and Detail a text for people, where OK is false.
	Error  string `json:"error,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Protocol answers hello; Device is the program's name for itself.
	Protocol string `json:"protocol,omitempty"`
	Device   string `json:"device,omitempty"`
	// Public, Purpose and Certificates answer describe: the uncompressed point in hex, the key's purpose (empty: any),
	// and the chain in Base64 DER, leaf first.
	Public       string   `json:"public,omitempty"`
	Purpose      string   `json:"purpose,omitempty"`
	Certificates []string `json:"certificates,omitempty"`
	// Signature answers sign: DER in hex.
	Signature string `json:"signature,omitempty"`
	// Plain answers decrypt, in Base64.
	Plain string `json:"plain,omitempty"`
}

// DeviceKey is one key of a program written with Serve.
type DeviceKey struct {
	// Signer signs e (gm.SignDigest); Decrypter opens. Either may be nil.
	Signer       crypto.Signer
	Decrypter    crypto.Decrypter
	Purpose      keys.Purpose
	Certificates [][]byte
}

func (d DeviceKey) public() crypto.PublicKey {
	if d.Signer != nil {
		return d.Signer.Public()
	}
	return d.Decrypter.Public()
}

// Serve is the other side of the protocol, for programs written in Go: it answers requests from in on out until in ends.
// find looks a key up by its name; an error of package keys becomes its code.
func Serve(in io.Reader, out io.Writer, device string, find func(name string) (DeviceKey, error)) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 4<<10), MaxLine)
	for s.Scan() {
		var r Request
		a, err := Answer{}, fmt.Errorf("%w: no JSON object", keys.ErrInvalid)
		if json.Unmarshal(s.Bytes(), &r) == nil {
			a, err = serveOne(r, device, find)
		}
		if err != nil {
			a = Answer{Error: codeOf(err), Detail: err.Error()}
		}
		a.OK = err == nil
		text, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
	return s.Err()
}

func serveOne(r Request, device string, find func(name string) (DeviceKey, error)) (Answer, error) {
	if r.Op == OpHello {
		return Answer{Protocol: Protocol, Device: device}, nil
	}
	k, err := find(r.Key)
	if err != nil {
		return Answer{}, err
	}
	switch r.Op {
	case OpDescribe:
		a := Answer{Purpose: string(k.Purpose)}
		pub, ok := k.public().(*ecdsa.PublicKey)
		if !ok {
			return Answer{}, fmt.Errorf("%w: no SM2 key", keys.ErrInvalid)
		}
		a.Public = hex.EncodeToString(gm.MarshalPublicKey(pub))
		for _, der := range k.Certificates {
			a.Certificates = append(a.Certificates, base64.StdEncoding.EncodeToString(der))
		}
		return a, nil
	case OpSign:
		return serveSign(r, k)
	case OpDecrypt:
		ciphertext, err := base64.StdEncoding.DecodeString(r.Ciphertext)
		if err != nil {
			return Answer{}, fmt.Errorf("%w: ciphertext", keys.ErrInvalid)
		}
		if k.Decrypter == nil {
			return Answer{}, fmt.Errorf("%w: the key does not decrypt", keys.ErrDenied)
		}
		plain, err := k.Decrypter.Decrypt(nil, ciphertext, nil)
		if errors.Is(err, gm.ErrDecrypt) {
			return Answer{}, fmt.Errorf("%w: it does not open", keys.ErrInvalid)
		}
		return Answer{Plain: base64.StdEncoding.EncodeToString(plain)}, err
	}
	return Answer{}, fmt.Errorf("%w: operation %q", keys.ErrInvalid, r.Op)
}

func serveSign(r Request, k DeviceKey) (Answer, error) {
	digest, err := hex.DecodeString(r.Digest)
	if err != nil || len(digest) != len(gm.Digest{}) {
		return Answer{}, fmt.Errorf("%w: digest", keys.ErrInvalid)
	}
	if k.Signer == nil || k.Purpose != "" && r.Purpose != string(k.Purpose) {
		return Answer{}, fmt.Errorf("%w: the key does not sign for %q", keys.ErrDenied, r.Purpose)
	}
	sig, err := k.Signer.Sign(nil, digest, gm.SignDigest)
	return Answer{Signature: hex.EncodeToString(sig)}, err
}

// codeOf is the code of an error.
func codeOf(err error) string {
	for _, c := range []struct {
		err  error
		code string
	}{{keys.ErrSealed, CodeLocked}, {keys.ErrDenied, CodeDenied}, {keys.ErrNotFound, CodeNotFound}, {keys.ErrInvalid, CodeInvalid}} {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return CodeUnavailable
}

// printable keeps a program from writing on the terminal through its texts.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
