package cert_test

import (
	"errors"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
)

// TestCheckPair is the row C-21 for dual certificates.
func TestCheckPair(t *testing.T) {
	pki, other := certtest.New(t, "root", now), certtest.New(t, "another root", now)
	a, b, foreign := pki.Party("a"), pki.Party("b"), other.Party("a")
	same, err := pki.IssueEncryption(a.SigningCert.Subject, a.SignKey.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name          string
		sign, encrypt *cert.Certificate
		want          error
	}{
		{"a pair", a.SigningCert, a.EncryptionCert, nil},
		{"the wrong way round", a.EncryptionCert, a.SigningCert, cert.ErrKeyUsage},
		{"twice the same", a.SigningCert, a.SigningCert, cert.ErrKeyUsage},
		{"one key for both", a.SigningCert, same, cert.ErrPair},
		{"of two parties", a.SigningCert, b.EncryptionCert, cert.ErrPair},
		{"of two issuers", a.SigningCert, foreign.EncryptionCert, cert.ErrPair},
	}
	for _, tt := range tests {
		if err := cert.CheckPair(tt.sign, tt.encrypt); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}
