package cert_test

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/testvectors/boundtest"
)

// TestRegister follows one certificate from its issue to its revocation, through the file's form each time.
func TestRegister(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	pki := certtest.New(t, "Root", now)
	a, b := pki.Party("A"), pki.Party("B")
	r := cert.NewRegister(pki.Certificate)
	again := func() {
		t.Helper()
		text, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if r, err = cert.ParseRegister(text); err != nil {
			t.Fatal(err)
		}
		if twice, err := r.Marshal(); err != nil || !bytes.Equal(text, twice) {
			t.Fatalf("%v: written again it differs:\n%s%s", err, text, twice)
		}
	}
	for _, c := range []*cert.Certificate{a.SigningCert, a.EncryptionCert, b.SigningCert} {
		if err := r.Add(c, "sign"); err != nil {
			t.Fatal(err)
		}
	}
	again()
	if err := r.Check(pki.Certificate); err != nil {
		t.Error(err)
	}
	if err := r.Check(certtest.New(t, "Root", now).Certificate); !errors.Is(err, cert.ErrOtherAuthority) {
		t.Errorf("another CA of the same name: %v", err)
	}
	same, err := pki.IssueEncryption(cert.Subject("A", ""), a.SignKey.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Add(same, "encrypt"); !errors.Is(err, cert.ErrSameKey) {
		t.Errorf("one key for both halves: %v", err)
	}
	hold := cert.Revoked{Serial: a.SigningCert.Serial, At: now, Reason: cert.ReasonCertificateHold}
	lost := cert.Revoked{Serial: a.SigningCert.Serial, At: now, Reason: cert.ReasonKeyCompromise, InvalidFrom: now.Add(-time.Hour)}
	for _, v := range []cert.Revoked{hold, lost} {
		if _, err := r.Revoke(v); err != nil {
			t.Fatal(err)
		}
		again()
	}
	if _, err := r.Revoke(hold); !errors.Is(err, cert.ErrRevoked) {
		t.Errorf("a revocation made milder: %v", err)
	}
	if _, err := r.Revoke(cert.Revoked{Serial: big.NewInt(7), At: now}); !errors.Is(err, cert.ErrNotIssued) {
		t.Errorf("a certificate of nobody: %v", err)
	}
	listed := r.Revoked(now)
	if len(listed) != 1 || listed[0].Reason != cert.ReasonKeyCompromise || !listed[0].InvalidFrom.Equal(lost.InvalidFrom) {
		t.Errorf("revoked: %+v", listed)
	}
	if got := r.Revoked(now.AddDate(10, 0, 0)); len(got) != 0 {
		t.Errorf("an expired certificate is still listed: %+v", got)
	}
	if s := r.State(a.SigningCert.Serial); !s.Known || s.Revoked == nil {
		t.Errorf("revoked: %+v", s)
	}
	if s := r.State(b.SigningCert.Serial); !s.Known || s.Revoked != nil {
		t.Errorf("good: %+v", s)
	}
	if s := r.State(big.NewInt(7)); s.Known {
		t.Errorf("of nobody: %+v", s)
	}
}

func TestParseRegisterRefuses(t *testing.T) {
	pki := certtest.New(t, "Root", time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	r := cert.NewRegister(pki.Certificate)
	if err := r.Add(pki.Party("A").SigningCert, "sign"); err != nil {
		t.Fatal(err)
	}
	good, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cert.ParseRegister(good); err != nil {
		t.Fatal(err)
	}
	swap := func(old, with string) string { return strings.Replace(string(good), old, with, 1) }
	entry := string(good[bytes.Index(good, []byte("  {")) : bytes.LastIndex(good, []byte("}\n ]"))+1])
	for name, text := range map[string]string{
		"nothing":           "",
		"another schema":    swap("yinxin.ca/1", "yinxin.ca/2"),
		"unknown member":    swap(`"crl_number"`, `"x":1,"crl_number"`),
		"a second document": string(good) + "{}",
		"negative number":   swap(`"crl_number": 0`, `"crl_number": -1`),
		"short digest":      swap(`"authority_sm3": "`, `"authority_sm3": "00`),
		"serial in capital": swap(`"serial": "`, `"serial": "00`),
		"cut":               string(good[:len(good)/2]),
		"twice":             strings.Replace(string(good), entry, entry+","+entry, 1),
	} {
		if _, err := cert.ParseRegister([]byte(text)); !errors.Is(err, cert.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
}

// FuzzParseRegister: what is read is written again as it stood.
func FuzzParseRegister(f *testing.F) {
	f.Add([]byte(`{"schema":"yinxin.ca/1","authority_sm3":"","crl_number":0,"issued":[]}`))
	r := &cert.Register{Number: 3, Issued: []cert.Issued{{Serial: big.NewInt(77), Use: "sign", Revoked: &cert.Revoked{Serial: big.NewInt(77), Reason: 1}}}}
	text, err := r.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, text []byte) {
		r, err := cert.ParseRegister(text)
		if err != nil {
			return
		}
		out, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cert.ParseRegister(out); err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
	}))
}
