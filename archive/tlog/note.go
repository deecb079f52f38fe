package tlog

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"yinxin/crypto/gm"
)

// The signature type of our notes. C2SP signed-note keeps the byte 0xff for types without an assigned number and
// recommends a longer identifier behind it; ours names algorithm and version. The key text is
// 0xff ‖ identifier ‖ 0x00 ‖ 65-byte uncompressed SM2 point.
const (
	signatureType       = 0xff
	signatureIdentifier = "yinxin.sm2-sm3.v1\x00"
	pointSize           = 65
)

// MaxName is the length of the longest key name or origin, in bytes.
const MaxName = 255

// MaxKeyText bounds what [ParseVerifier] reads, in bytes.
const MaxKeyText = 1024

// Verifier checks the note signatures of one SM2 key. It is a note.Verifier.
type Verifier struct {
	name string
	hash uint32
	pub  *ecdsa.PublicKey
	key  []byte // type, identifier, point
}

// NewVerifier makes the verifier of the log key pub under the name of the log, which is its origin.
func NewVerifier(name string, pub *ecdsa.PublicKey) (*Verifier, error) {
	if !validName(name) {
		return nil, fmt.Errorf("%w: key name", ErrMalformed)
	}
	point := gm.MarshalPublicKey(pub)
	if len(point) != pointSize {
		return nil, fmt.Errorf("%w: public key is not an SM2 point", ErrMalformed)
	}
	key := append([]byte{signatureType}, signatureIdentifier...)
	key = append(key, point...)
	return &Verifier{name: name, hash: keyHash(name, key), pub: pub, key: key}, nil
}

// ParseVerifier reads the text form of a log key (vkey): name+hash+key, with hash eight lower-case hexadecimal digits and
// key base64. White space around it is ignored, anything else that [Verifier.String] would not write is refused.
func ParseVerifier(vkey string) (*Verifier, error) {
	if len(vkey) > MaxKeyText {
		return nil, fmt.Errorf("%w: log key of %d bytes", ErrMalformed, len(vkey))
	}
	vkey = strings.TrimSpace(vkey)
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: log key has no name, hash and key", ErrMalformed)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return nil, fmt.Errorf("%w: log key is not base64", ErrMalformed)
	}
	if len(key) == 0 || key[0] != signatureType || !strings.HasPrefix(string(key[1:]), signatureIdentifier) {
		return nil, fmt.Errorf("%w: log key is not of type %s", ErrMalformed, strings.TrimRight(signatureIdentifier, "\x00"))
	}
	pub, err := gm.ParsePublicKey(key[1+len(signatureIdentifier):])
	if err != nil {
		return nil, fmt.Errorf("%w: log key: %w", ErrMalformed, err)
	}
	v, err := NewVerifier(parts[0], pub)
	if err != nil {
		return nil, err
	}
	if v.String() != vkey { // the hash does not fit, or another spelling
		return nil, fmt.Errorf("%w: log key does not fit its hash", ErrMalformed)
	}
	return v, nil
}

// String is the text form of the key (vkey), without a newline.
func (v *Verifier) String() string {
	return fmt.Sprintf("%s+%08x+%s", v.name, v.hash, base64.StdEncoding.EncodeToString(v.key))
}

// Name is the key's name, equal to the log's origin.
func (v *Verifier) Name() string { return v.name }

// KeyHash is the key id of signature lines.
func (v *Verifier) KeyHash() uint32 { return v.hash }

// PublicKey is the log's SM2 key.
func (v *Verifier) PublicKey() *ecdsa.PublicKey { return v.pub }

// Verify reports whether sig is an SM2 signature (ASN.1 DER, default user id) over msg, the text of a note.
func (v *Verifier) Verify(msg, sig []byte) bool { return gm.Verify(v.pub, gm.Message(msg), sig) }

// Signer signs checkpoints; see [NewSigner]. It is the signed-note interface under a name of ours, so that packages that
// only hand it on need not know that format.
type Signer = note.Signer

// Keys makes a list that [OpenCheckpoint] and [Config] take.
func Keys(keys ...*Verifier) []note.Verifier {
	all := make([]note.Verifier, len(keys))
	for i, v := range keys {
		all[i] = v
	}
	return all
}

// noteSigner signs notes through a key handle.
type noteSigner struct {
	*Verifier
	handle crypto.Signer
	rand   io.Reader
}

// NewSigner makes a note.Signer from a key handle (purpose checkpoint) whose public key is an SM2 one. The handle may be a
// remote key service: each signature is one call.
func NewSigner(name string, handle crypto.Signer, rand io.Reader) (note.Signer, error) {
	pub, ok := handle.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: log key is not an SM2 key", ErrMalformed)
	}
	v, err := NewVerifier(name, pub)
	if err != nil {
		return nil, err
	}
	return &noteSigner{Verifier: v, handle: handle, rand: rand}, nil
}

// Sign signs the text of a note.
func (s *noteSigner) Sign(msg []byte) ([]byte, error) {
	return gm.Sign(s.rand, s.handle, gm.Message(msg))
}

// keyHash is the key id of C2SP signed-note; the format fixes SHA-256 here.
func keyHash(name string, key []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write(key)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// validName: as C2SP signed-note asks, and short enough to be stored.
func validName(name string) bool {
	return name != "" && len(name) <= MaxName && utf8.ValidString(name) && !strings.Contains(name, "+") &&
		strings.IndexFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) < 0
}

// parseSize reads a tree size: decimal, no sign, no leading zero.
func parseSize(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%w: tree size", ErrMalformed)
	}
	return n, nil
}
