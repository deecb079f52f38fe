package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/emmansun/gmsm/pkcs"
	"github.com/emmansun/gmsm/pkcs7"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/testvectors/boundtest"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
	"yinxin/verdict"
)

// nilReader is crypto/rand under a name that fits where any reader will do.
type nilReader struct{}

func (nilReader) Read(p []byte) (int, error) { return rand.Read(p) }

// faulty signs a digest with one bit flipped in the result, as a fault attack would.
type faulty struct{ *gm.PrivateKey }

func (f faulty) Sign(r io.Reader, data []byte, o crypto.SignerOpts) ([]byte, error) {
	sig, err := f.PrivateKey.Sign(r, data, o)
	if err == nil {
		sig[len(sig)-1] ^= 1
	}
	return sig, err
}

func TestEnvelope(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a, b, c := pki.Party("a"), pki.Party("b"), pki.Party("c")
	for _, p := range []cms.Profile{cms.ProfileGBT, cms.ProfileRFC} {
		for _, n := range []int{0, 1, 15, 16, 17, 5000} {
			plain := bytes.Repeat([]byte{7}, n)
			der, err := cms.EncryptAs(p, plain, []*cert.Certificate{a.EncryptionCert, b.EncryptionCert}, nil)
			if err != nil {
				t.Fatal(err)
			}
			e, err := cms.ParseEnveloped(der)
			if err != nil {
				t.Fatal(err)
			}
			if e.Profile != p || len(e.Recipients()) != 2 || !e.AddressedTo(b.EncryptionCert) || e.AddressedTo(c.EncryptionCert) || e.AddressedTo(a.SigningCert) {
				t.Errorf("profile %s, recipients %v", e.Profile, e.Recipients())
			}
			for _, y := range []*certtest.Party{a, b} {
				got, err := cms.Decrypt(der, y.EncryptionCert, y.EncryptKey)
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%s opens %d bytes: %v", y.Name, len(got), err)
				}
			}
			if _, err := e.Open(c.EncryptionCert, c.EncryptKey); !errors.Is(err, cms.ErrNotRecipient) {
				t.Errorf("a stranger: %v", err)
			}
			if _, err := e.Open(a.EncryptionCert, b.EncryptKey); !errors.Is(err, cert.ErrKeyMismatch) {
				t.Errorf("another's key: %v", err)
			}
		}
	}
}

func TestEncryptRefuses(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("a")
	to := func(list ...*cert.Certificate) []*cert.Certificate { return list }
	broken := errors.New("no entropy")
	tests := []struct {
		name string
		to   []*cert.Certificate
		n    int
		rand io.Reader
		want error
	}{
		{"good", to(a.EncryptionCert), 10, nil, nil},
		{"signing certificate", to(a.SigningCert), 10, nil, cert.ErrKeyUsage},
		{"one of two is a signing certificate", to(a.EncryptionCert, a.SigningCert), 10, nil, cert.ErrKeyUsage},
		{"CA certificate", to(pki.Certificate), 10, nil, cert.ErrKeyUsage},
		{"nobody", nil, 10, nil, cms.ErrOptions},
		{"twice the same", to(a.EncryptionCert, a.EncryptionCert), 10, nil, cms.ErrOptions},
		{"too many", make([]*cert.Certificate, cms.MaxRecipients+1), 10, nil, cms.ErrOptions},
		{"too large", to(a.EncryptionCert), cms.MaxSize, nil, cms.ErrOptions},
		{"no randomness", to(a.EncryptionCert), 10, iotest.ErrReader(broken), broken},
		{"randomness for the key alone", to(a.EncryptionCert), 10, io.MultiReader(bytes.NewReader(make([]byte, 32)), iotest.ErrReader(broken)), broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			der, err := cms.Encrypt(make([]byte, tt.n), tt.to, tt.rand)
			if !errors.Is(err, tt.want) || tt.want != nil && der != nil {
				t.Errorf("encrypt: %v, want %v", err, tt.want)
			}
		})
	}
}

// wholeEnvelope is a good envelope to a party, written without the code under test.
func wholeEnvelope(a *certtest.Party) *forge.Envelope {
	key, iv := []byte("0123456789abcdef"), bytes.Repeat([]byte{1}, 16)
	return forge.NewEnvelope(a.EncryptionCert.Raw, hand.Wrap(a.EncryptionCert.PublicKey, key), iv, hand.CBC(key, iv, content))
}

// TestEnvelopeCorruptions: what is structure is refused with its reason; what is cipher gives the one error.
func TestEnvelopeCorruptions(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a, b := pki.Party("a"), pki.Party("b")
	wrap := func(key []byte) []byte { return hand.Wrap(a.EncryptionCert.PublicKey, key) }
	plainForm := hand.Raw(wrap([]byte("0123456789abcdef")))
	tests := []struct {
		name  string
		spoil func(*forge.Envelope)
		want  error // nil: see reason
		why   verdict.Reason
	}{
		{"nothing spoilt", func(*forge.Envelope) {}, nil, ""},
		{"wrapped for another", func(e *forge.Envelope) { e.Key = hand.Wrap(b.EncryptionCert.PublicKey, []byte("0123456789abcdef")) }, cms.ErrDecrypt, ""},
		{"wrapped key changed", func(e *forge.Envelope) { e.Key[len(e.Key)-1] ^= 1 }, cms.ErrDecrypt, ""},
		{"wrapped key with a byte after it", func(e *forge.Envelope) { e.Key = append(e.Key, 0) }, cms.ErrDecrypt, ""},
		{"wrapped key as a raw point", func(e *forge.Envelope) { e.Key = plainForm }, cms.ErrDecrypt, ""},
		{"wrapped key empty", func(e *forge.Envelope) { e.Key = nil }, cms.ErrDecrypt, ""},
		{"key of 15 bytes", func(e *forge.Envelope) { e.Key = wrap(make([]byte, 15)) }, cms.ErrDecrypt, ""},
		{"key of zeros (C-21)", func(e *forge.Envelope) {
			zeros := make([]byte, 16)
			e.Key, e.Ciphertext = wrap(zeros), hand.CBC(zeros, e.IV, content)
		}, cms.ErrDecrypt, ""},
		{"key of 32 bytes", func(e *forge.Envelope) { e.Key = wrap(make([]byte, 32)) }, cms.ErrDecrypt, ""},
		{"another content key", func(e *forge.Envelope) { e.Key = wrap([]byte("fedcba9876543210")) }, cms.ErrDecrypt, ""},
		{"padding spoilt", func(e *forge.Envelope) { e.Ciphertext[len(e.Ciphertext)-17] ^= 0x80 }, cms.ErrDecrypt, ""},
		{"ciphertext cut inside a block", func(e *forge.Envelope) { e.Ciphertext = e.Ciphertext[:len(e.Ciphertext)-1] }, cms.ErrDecrypt, ""},
		{"ciphertext empty", func(e *forge.Envelope) { e.Ciphertext = nil }, cms.ErrDecrypt, ""},
		{"addressed to another", func(e *forge.Envelope) { e.To = b.EncryptionCert.Raw }, cms.ErrNotRecipient, ""},
		{"IV of 12 bytes", func(e *forge.Envelope) { e.IV = e.IV[:12] }, nil, verdict.Malformed},
		{"no recipient", func(e *forge.Envelope) { e.Recipient = -1 }, nil, verdict.Malformed},
		{"recipient by key identifier", func(e *forge.Envelope) { e.Recipient = 2 }, nil, verdict.Malformed},
		{"content is not data", func(e *forge.Envelope) { e.Inner = forge.OIDGBTSigned }, nil, verdict.Malformed},
		{"not an envelope", func(e *forge.Envelope) { e.Outer = forge.OIDGBTSigned }, nil, verdict.Malformed},
		{"version 9", func(e *forge.Envelope) { e.Version = 9 }, nil, verdict.Malformed},
		{"key encryption by another algorithm", func(e *forge.Envelope) { e.KeyAlg = gm.OIDSM2Signature }, nil, verdict.AlgMismatch},
		{"content encryption by SM4-GCM", func(e *forge.Envelope) { e.Alg = gm.OIDSM4GCM }, nil, verdict.AlgMismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := wholeEnvelope(a)
			tt.spoil(e)
			got, err := cms.Decrypt(e.Bytes(), a.EncryptionCert, a.EncryptKey)
			var refused *verdict.ContainerError
			switch {
			case tt.why != "":
				if !errors.As(err, &refused) || refused.Reason != tt.why {
					t.Errorf("decrypt: %v, want %s", err, tt.why)
				}
			case tt.want != nil:
				if err != tt.want || got != nil { //nolint:errorlint // the one error, unwrapped, is the promise
					t.Errorf("decrypt: %x, %v, want %v", got, err, tt.want)
				}
			case err != nil || !bytes.Equal(got, content):
				t.Errorf("decrypt: %x, %v", got, err)
			}
		})
	}
	good := wholeEnvelope(a).Bytes()
	for name, bad := range map[verdict.Reason][]byte{verdict.TrailingData: append(bytes.Clone(good), 0), verdict.NotDER: good[:len(good)-1], verdict.Limit: make([]byte, cms.MaxSize+1)} {
		var refused *verdict.ContainerError
		if _, err := cms.ParseEnveloped(bad); !errors.As(err, &refused) || refused.Reason != name {
			t.Errorf("parse: %v, want %s", err, name)
		}
	}
}

// away is the handle of a key whose service does not answer.
type away struct {
	*gm.PrivateKey
	err error
}

func (a away) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) { return nil, a.err }

// TestKeyAway: a key that cannot be used now is told apart from a ciphertext that does not open.
func TestKeyAway(t *testing.T) {
	a := certtest.New(t, "root", now).Party("a")
	der := wholeEnvelope(a).Bytes()
	sealed := errors.New("key service is sealed")
	if _, err := cms.Decrypt(der, a.EncryptionCert, away{a.EncryptKey, sealed}); !errors.Is(err, sealed) || errors.Is(err, cms.ErrDecrypt) {
		t.Errorf("sealed: %v", err)
	}
	if _, err := cms.Decrypt(der, a.EncryptionCert, away{a.EncryptKey, gm.ErrDecrypt}); !errors.Is(err, cms.ErrDecrypt) {
		t.Errorf("does not open: %v", err)
	}
}

// TestEnvelopeLibraryAgrees: gmsm opens our envelopes, and we open its own.
func TestEnvelopeLibraryAgrees(t *testing.T) {
	a := certtest.New(t, "root", now).Party("a")
	c, err := smx509.ParseCertificate(a.EncryptionCert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	libraryKey, err := sm2.ParseRawPrivateKey(a.EncryptKey.ExportScalar())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []cms.Profile{cms.ProfileGBT, cms.ProfileRFC} {
		ours, err := cms.EncryptAs(p, content, []*cert.Certificate{a.EncryptionCert}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p7, err := pkcs7.Parse(ours)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p7.Decrypt(c, libraryKey); err != nil || !bytes.Equal(got, content) {
			t.Errorf("the library on ours, %s: %v", p, err)
		}
	}
	theirs, err := pkcs7.EncryptSM(pkcs.SM4CBC, content, []*smx509.Certificate{c})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cms.Decrypt(theirs, a.EncryptionCert, a.EncryptKey); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the library's: %v", err)
	}
}

func FuzzEnveloped(f *testing.F) {
	a := certtest.New(f, "root", now).Party("a")
	f.Add(wholeEnvelope(a).Bytes())
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, der []byte) {
		e, err := cms.ParseEnveloped(der)
		if err != nil {
			if _, ok := errors.AsType[*verdict.ContainerError](err); !ok {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		if _, err := e.Open(a.EncryptionCert, a.EncryptKey); err != nil && !errors.Is(err, cms.ErrDecrypt) && !errors.Is(err, cms.ErrNotRecipient) {
			t.Fatalf("open: %v", err)
		}
	}))
}
