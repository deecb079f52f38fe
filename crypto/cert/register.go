package cert

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"yinxin/crypto/gm"
)

// Bounds of a register, in bytes and certificates.
const (
	MaxRegisterSize  = 64 << 20
	MaxRegisterCount = 100_000
)

const (
	// registerSchema names the form of a register in a file.
	registerSchema = "yinxin.ca/1"
	// halfEncrypt is the use of every encryption certificate.
	halfEncrypt = "encrypt"
)

// Errors of a register.
var (
	// ErrOtherAuthority: the register is that of another CA.
	ErrOtherAuthority = errors.New("cert: the register belongs to another CA")
	// ErrNotIssued: the register knows no such certificate.
	ErrNotIssued = errors.New("cert: the CA has issued no such certificate")
	// ErrRevoked: the certificate is revoked already.
	ErrRevoked = errors.New("cert: already revoked")
	// ErrSameKey: one key for signing and for encryption.
	ErrSameKey = errors.New("cert: this key is certified for the other half of a dual certificate")
)

// Register is what a small CA remembers: what it issued, what of that is revoked, and the number of its last revocation
// list. It holds no secret. Keeping it, and keeping two writers apart, is its owner's matter.
type Register struct {
	// Authority is the SM3 of the CA's certificate.
	Authority [32]byte
	// Number is that of the last revocation list, 0 if there was none.
	Number int64
	// Issued are the certificates, oldest first.
	Issued []Issued
}

// Issued is one certificate that a CA has issued.
type Issued struct {
	Serial *big.Int
	// Subject is the name in words, Use what it was issued for.
	Subject, Use        string
	SM3, Key            [32]byte // of the certificate and of its public key
	NotBefore, NotAfter time.Time
	// Revoked is its revocation, nil if it is good.
	Revoked *Revoked
}

// NewRegister begins the register of a CA.
func NewRegister(authority *Certificate) *Register { return &Register{Authority: authority.SM3()} }

// Check returns ErrOtherAuthority unless the register is that of the CA.
func (r *Register) Check(authority *Certificate) error {
	if r.Authority != authority.SM3() {
		return fmt.Errorf("%w, not to %s", ErrOtherAuthority, authority.SubjectText())
	}
	return nil
}

// Add remembers a certificate. It refuses a key that is certified for the other half of a dual certificate.
func (r *Register) Add(c *Certificate, use string) error {
	if len(r.Issued) == MaxRegisterCount {
		return fmt.Errorf("%w: register of %d certificates", ErrMalformed, MaxRegisterCount)
	}
	key := gm.SM3(gm.MarshalPublicKey(c.PublicKey))
	encrypts := c.CheckUse(UseEncrypt) == nil
	for _, i := range r.Issued {
		if i.Key == key && (i.Use == halfEncrypt) != encrypts {
			return fmt.Errorf("%w: serial %x", ErrSameKey, i.Serial)
		}
	}
	if encrypts {
		use = halfEncrypt
	}
	r.Issued = append(r.Issued, Issued{
		Serial: c.Serial, Subject: c.SubjectText(), Use: use, SM3: c.SM3(), Key: key, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
	})
	return nil
}

// Revoke marks a certificate as revoked. A revocation is for good, but for a hold, which may become one.
func (r *Register) Revoke(v Revoked) (Issued, error) {
	for i := range r.Issued {
		e := &r.Issued[i]
		if e.Serial.Cmp(v.Serial) != 0 {
			continue
		}
		if e.Revoked != nil && e.Revoked.Reason != ReasonCertificateHold {
			return *e, fmt.Errorf("%w: serial %x", ErrRevoked, v.Serial)
		}
		e.Revoked = &v
		return *e, nil
	}
	return Issued{}, fmt.Errorf("%w: serial %x", ErrNotIssued, v.Serial)
}

// Revoked lists the revoked certificates that are still within their validity: what a revocation list names.
func (r *Register) Revoked(now time.Time) []Revoked {
	var out []Revoked
	for _, e := range r.Issued {
		if e.Revoked != nil && !now.After(e.NotAfter) {
			out = append(out, *e.Revoked)
		}
	}
	return out
}

// State is what the register knows of a serial number, for a Responder.
func (r *Register) State(serial *big.Int) OCSPState {
	i := slices.IndexFunc(r.Issued, func(e Issued) bool { return e.Serial.Cmp(serial) == 0 })
	if i < 0 {
		return OCSPState{}
	}
	return OCSPState{Known: true, Revoked: r.Issued[i].Revoked}
}

// The register as JSON.
type (
	wireRegister struct {
		Schema    string       `json:"schema"`
		Authority string       `json:"authority_sm3"`
		Number    int64        `json:"crl_number"`
		Issued    []wireIssued `json:"issued"`
	}
	wireIssued struct {
		Serial    string       `json:"serial"`
		Subject   string       `json:"subject"`
		Use       string       `json:"use"`
		SM3       string       `json:"sm3"`
		Key       string       `json:"key_sm3"`
		NotBefore time.Time    `json:"not_before"`
		NotAfter  time.Time    `json:"not_after"`
		Revoked   *wireRevoked `json:"revoked,omitempty"`
	}
	wireRevoked struct {
		At          time.Time  `json:"at"`
		Reason      int        `json:"reason"`
		InvalidFrom *time.Time `json:"invalid_from,omitempty"`
	}
)

// Marshal writes the register as JSON.
func (r *Register) Marshal() ([]byte, error) {
	w := wireRegister{Schema: registerSchema, Authority: hex.EncodeToString(r.Authority[:]), Number: r.Number, Issued: []wireIssued{}}
	for _, e := range r.Issued {
		x := wireIssued{
			Serial: e.Serial.Text(16), Subject: e.Subject, Use: e.Use, SM3: hex.EncodeToString(e.SM3[:]), Key: hex.EncodeToString(e.Key[:]),
			NotBefore: e.NotBefore.UTC(), NotAfter: e.NotAfter.UTC(),
		}
		if v := e.Revoked; v != nil {
			x.Revoked = &wireRevoked{At: v.At.UTC(), Reason: v.Reason}
			if !v.InvalidFrom.IsZero() {
				from := v.InvalidFrom.UTC()
				x.Revoked.InvalidFrom = &from
			}
		}
		w.Issued = append(w.Issued, x)
	}
	text, err := json.MarshalIndent(w, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write register: %w", err)
	}
	return append(text, '\n'), nil
}

// ParseRegister reads a register: known members only, nothing after it, every serial number once.
func ParseRegister(text []byte) (*Register, error) {
	if len(text) > MaxRegisterSize {
		return nil, fmt.Errorf("%w: register of %d bytes", ErrMalformed, len(text))
	}
	var w wireRegister
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil {
		return nil, fmt.Errorf("%w: register: %w", ErrMalformed, err)
	}
	if dec.More() || w.Schema != registerSchema || w.Number < 0 || len(w.Issued) > MaxRegisterCount {
		return nil, fmt.Errorf("%w: register", ErrMalformed)
	}
	r := &Register{Number: w.Number}
	if err := unhex(&r.Authority, w.Authority); err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(w.Issued))
	for _, x := range w.Issued {
		e, err := x.parse()
		if err != nil {
			return nil, err
		}
		if seen[x.Serial] {
			return nil, fmt.Errorf("%w: register names serial %.80s twice", ErrMalformed, x.Serial)
		}
		seen[x.Serial] = true
		r.Issued = append(r.Issued, e)
	}
	return r, nil
}

func (x wireIssued) parse() (Issued, error) {
	e := Issued{Subject: x.Subject, Use: x.Use, NotBefore: x.NotBefore.UTC(), NotAfter: x.NotAfter.UTC()}
	serial, ok := new(big.Int).SetString(x.Serial, 16)
	if !ok || serial.Sign() <= 0 || serial.Text(16) != x.Serial {
		return e, fmt.Errorf("%w: register: serial %.80q", ErrMalformed, x.Serial)
	}
	e.Serial = serial
	if err := errors.Join(unhex(&e.SM3, x.SM3), unhex(&e.Key, x.Key)); err != nil {
		return e, err
	}
	if v := x.Revoked; v != nil {
		e.Revoked = &Revoked{Serial: serial, At: v.At.UTC(), Reason: v.Reason}
		if v.InvalidFrom != nil {
			e.Revoked.InvalidFrom = v.InvalidFrom.UTC()
		}
	}
	return e, nil
}

func unhex(to *[32]byte, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(to) {
		return fmt.Errorf("%w: register: %.80q is no SM3", ErrMalformed, text)
	}
	copy(to[:], b)
	return nil
}
