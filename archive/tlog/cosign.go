package tlog

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yinxin/crypto/gm"
)

// A cosignature is a witness's signature line under a checkpoint: it says that at a stated time this was the newest tree
// that the witness had seen of the log, and that it extends every tree it had signed before. It is shaped after the
// timestamped signatures of C2SP tlog-cosignature, with SM2 in place of Ed25519, and has a key type of its own so that a
// log's key never stands for a witness's. docs/formats/log.md has the bytes.
const (
	cosignatureIdentifier = "yinxin.sm2-sm3.cosignature.v1\x00"
	cosignatureHeader     = "cosignature/v1\n"
	timeSize              = 8
)

// Cosigner is the key of a witness that signs.
type Cosigner struct {
	*Cosignatory
	handle crypto.Signer
	rand   io.Reader
}

// Cosignatory is the public key of a witness.
type Cosignatory struct {
	name string
	hash uint32
	pub  *ecdsa.PublicKey
	key  []byte
}

// NewCosigner makes a witness's key from a handle whose public key is an SM2 one.
func NewCosigner(name string, handle crypto.Signer, rand io.Reader) (*Cosigner, error) {
	pub, ok := handle.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: witness key is not an SM2 key", ErrMalformed)
	}
	c, err := NewCosignatory(name, pub)
	if err != nil {
		return nil, err
	}
	return &Cosigner{Cosignatory: c, handle: handle, rand: rand}, nil
}

// NewCosignatory makes the public key of the witness of that name.
func NewCosignatory(name string, pub *ecdsa.PublicKey) (*Cosignatory, error) {
	if !validName(name) {
		return nil, fmt.Errorf("%w: witness name", ErrMalformed)
	}
	point := gm.MarshalPublicKey(pub)
	if len(point) != pointSize {
		return nil, fmt.Errorf("%w: public key is not an SM2 point", ErrMalformed)
	}
	key := append([]byte{signatureType}, cosignatureIdentifier...)
	key = append(key, point...)
	return &Cosignatory{name: name, hash: keyHash(name, key), pub: pub, key: key}, nil
}

// ParseCosignatory reads the text form of a witness's key, which [Cosignatory.String] writes. A log's key is refused.
func ParseCosignatory(vkey string) (*Cosignatory, error) {
	vkey = strings.TrimSpace(vkey)
	parts := strings.SplitN(vkey, "+", 3)
	if len(vkey) > MaxKeyText || len(parts) != 3 {
		return nil, fmt.Errorf("%w: witness key", ErrMalformed)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(key) == 0 || key[0] != signatureType || !strings.HasPrefix(string(key[1:]), cosignatureIdentifier) {
		return nil, fmt.Errorf("%w: witness key is not of type %s", ErrMalformed, strings.TrimRight(cosignatureIdentifier, "\x00"))
	}
	pub, err := gm.ParsePublicKey(key[1+len(cosignatureIdentifier):])
	if err != nil {
		return nil, fmt.Errorf("%w: witness key: %w", ErrMalformed, err)
	}
	c, err := NewCosignatory(parts[0], pub)
	if err != nil {
		return nil, err
	}
	if c.String() != vkey {
		return nil, fmt.Errorf("%w: witness key does not fit its hash", ErrMalformed)
	}
	return c, nil
}

// String is the text form of the key.
func (c *Cosignatory) String() string {
	return fmt.Sprintf("%s+%08x+%s", c.name, c.hash, base64.StdEncoding.EncodeToString(c.key))
}

// Name is the witness's name.
func (c *Cosignatory) Name() string { return c.name }

// cosigned is what a witness signs: a header, its time, the checkpoint's text.
func cosigned(at int64, text string) []byte {
	return []byte(cosignatureHeader + "time " + strconv.FormatInt(at, 10) + "\n" + text)
}

// Cosign gives the witness's signature line, with its newline, for a checkpoint at a time of whole seconds. Whether the
// checkpoint may be cosigned is the caller's to know.
func (c *Cosigner) Cosign(checkpoint Checkpoint, at time.Time) ([]byte, error) {
	if at.Unix() <= 0 {
		return nil, fmt.Errorf("%w: time of a cosignature", ErrMalformed)
	}
	sig, err := gm.Sign(c.rand, c.handle, gm.Message(cosigned(at.Unix(), checkpoint.Text())))
	if err != nil {
		return nil, fmt.Errorf("cosign size %d: %w", checkpoint.Size, err)
	}
	raw := binary.BigEndian.AppendUint32(nil, c.hash)
	raw = binary.BigEndian.AppendUint64(raw, uint64(at.Unix()))
	raw = append(raw, sig...)
	return []byte("— " + c.name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"), nil
}

// Cosignature is a witness's signature that was verified.
type Cosignature struct {
	Witness string
	Time    time.Time
}

// Cosignatures verifies the lines of known witnesses under a signed checkpoint and returns them. Lines of unknown keys are
// ignored; a known witness's line that does not verify, or stands twice, is [ErrSignature] or [ErrMalformed]. The log's own
// signature is [OpenCheckpoint]'s business.
func Cosignatures(signed []byte, known ...*Cosignatory) ([]Cosignature, error) {
	c, sigs, err := parseSigned(signed)
	if err != nil {
		return nil, err
	}
	var found []Cosignature
	for _, w := range known {
		n := 0
		for _, s := range sigs {
			if s.Name != w.name || s.Hash != w.hash {
				continue
			}
			if n++; n > 1 {
				return nil, fmt.Errorf("%w: two lines of witness %s", ErrMalformed, w.name)
			}
			at, err := w.verify(c, s)
			if err != nil {
				return nil, err
			}
			found = append(found, Cosignature{Witness: w.name, Time: at})
		}
	}
	return found, nil
}

func (c *Cosignatory) verify(checkpoint Checkpoint, s note.Signature) (time.Time, error) {
	bad := fmt.Errorf("%w: witness %s", ErrSignature, c.name)
	raw, err := base64.StdEncoding.DecodeString(s.Base64)
	if err != nil || len(raw) < 4+timeSize {
		return time.Time{}, bad
	}
	at := int64(binary.BigEndian.Uint64(raw[4:]))
	if at <= 0 || !gm.Verify(c.pub, gm.Message(cosigned(at, checkpoint.Text())), raw[4+timeSize:]) {
		return time.Time{}, bad
	}
	return time.Unix(at, 0).UTC(), nil
}

// WithLines appends signature lines to a signed checkpoint; a line that stands there is not repeated.
func WithLines(signed []byte, lines ...[]byte) ([]byte, error) {
	out := bytes.Clone(signed)
	for _, l := range lines {
		if !bytes.Contains(out, append([]byte("\n"), l...)) {
			out = append(out, l...)
		}
	}
	if _, _, err := parseSigned(out); err != nil {
		return nil, err
	}
	return out, nil
}
