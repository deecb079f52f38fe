package cert_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/testvectors/boundtest"
	"yinxin/testvectors/forge"
	"yinxin/verdict"
)

func TestParse(t *testing.T) {
	a := certtest.New(t, "root", now).Party("office").SigningCert
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: now}
	foreign, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &p256.PublicKey, p256)
	if err != nil {
		t.Fatal(err)
	}
	sm2Key := certtest.Key(t)
	foreignIssuer, err := smx509.CreateCertificate(rand.Reader, &smx509.Certificate{SerialNumber: big.NewInt(1), NotAfter: now},
		&smx509.Certificate{Subject: pkix.Name{CommonName: "P-256 CA"}}, sm2Key.PublicKey(), p256)
	if err != nil {
		t.Fatal(err)
	}
	version := func(edit func(tbs *forge.Node)) []byte {
		n := forge.Must(a.Raw)
		edit(n.At(0))
		return n.Bytes()
	}
	tests := []struct {
		name string
		der  []byte
		want error
	}{
		{"good", a.Raw, nil},
		{"version 1 with extensions", version(func(n *forge.Node) { n.Remove(0) }), cert.ErrMalformed},
		{"version 1 in so many words", version(func(n *forge.Node) { n.At(0, 0).Value[0] = 0 }), cert.ErrMalformed},
		{"version 2 with extensions", version(func(n *forge.Node) { n.At(0, 0).Value[0] = 1 }), cert.ErrMalformed},
		{"version 4", version(func(n *forge.Node) { n.At(0, 0).Value[0] = 3 }), cert.ErrMalformed},
		{"trailing byte", append(bytes.Clone(a.Raw), 0), cert.ErrMalformed},
		{"cut off", a.Raw[:len(a.Raw)-1], cert.ErrMalformed},
		{"empty", nil, cert.ErrMalformed},
		{"PEM where DER is wanted", a.PEM(), cert.ErrMalformed},
		{"too large", append(bytes.Clone(a.Raw), make([]byte, cert.MaxSize)...), cert.ErrMalformed},
		{"P-256 key", foreign, cert.ErrNotSM2},
		{"SM2 key signed by P-256", foreignIssuer, cert.ErrNotSM2},
		{
			"key with another curve in its parameters", bytes.Replace(bytes.Clone(a.Raw),
				[]byte{0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42}, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42}, 1),
			cert.ErrNotSM2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := cert.Parse(tt.der)
			if !errors.Is(err, tt.want) || tt.want != nil && err == nil {
				t.Fatalf("parse: %v, want %v", err, tt.want)
			}
			if err == nil && !c.Equal(a) {
				t.Error("another certificate came back")
			}
		})
	}
}

func TestPEM(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	text := append(append([]byte("comment\n"), a.SigningCert.PEM()...), pki.Certificate.PEM()...)
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "OTHER", Bytes: []byte{1}})...)
	list, err := cert.ParseAny(text)
	if err != nil || len(list) != 2 || !list[0].Equal(a.SigningCert) || !list[1].Equal(pki.Certificate) {
		t.Fatalf("PEM: %d certificates, %v", len(list), err)
	}
	if list, err = cert.ParseAny(a.SigningCert.Raw); err != nil || len(list) != 1 {
		t.Fatalf("DER: %d certificates, %v", len(list), err)
	}
	for name, bad := range map[string][]byte{
		"none": []byte("text"), "empty": nil, "spoilt": bytes.Replace(text, []byte("MII"), []byte("MIX"), 1),
		"too many": bytes.Repeat(a.SigningCert.PEM(), cert.MaxPEMCount+1), "too large": make([]byte, cert.MaxPEMSize+1),
	} {
		if _, err := cert.ParsePEM(bad); !errors.Is(err, cert.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSubjectText(t *testing.T) {
	h := custom(t, nil, "x", func(tmpl *smx509.Certificate) {
		tmpl.Subject = pkix.Name{CommonName: "办公厅\x1b[31m\n\u202egro", Organization: []string{"测试局"}, Country: []string{"CN"}}
	})
	got := h.c.SubjectText()
	if strings.ContainsAny(got, "\x1b\n\u202e") || !strings.HasPrefix(got, "CN=办公厅") || !strings.Contains(got, "O=测试局") {
		t.Errorf("subject %q", got)
	}
	if h.c.IssuerText() != got {
		t.Errorf("issuer %q", h.c.IssuerText())
	}
}

func eku(uses ...smx509.ExtKeyUsage) func(*smx509.Certificate) {
	return func(t *smx509.Certificate) { t.ExtKeyUsage = uses }
}

func usage(u smx509.KeyUsage) func(*smx509.Certificate) {
	return func(t *smx509.Certificate) { t.KeyUsage = u }
}

func TestCheckUse(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	inter, err := pki.IssueIntermediate(cert.Subject("sub", ""), certtest.Key(t).PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tsa, err := pki.IssueTimestamp(cert.Subject("tsa", ""), certtest.Key(t).PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	maker, err := pki.IssueMaker(cert.Subject("maker", ""), certtest.Key(t).PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	leaf := func(shape func(*smx509.Certificate)) *cert.Certificate { return custom(t, nil, "leaf", shape).c }
	const (
		ds  = smx509.KeyUsageDigitalSignature
		nr  = smx509.KeyUsageContentCommitment
		ke  = smx509.KeyUsageKeyEncipherment
		ka  = smx509.KeyUsageKeyAgreement
		kcs = smx509.KeyUsageCertSign
	)
	tests := []struct {
		name string
		c    *cert.Certificate
		use  cert.Use
		want verdict.Reason
	}{
		{"signing certificate signs", a.SigningCert, cert.UseSign, ""},
		{"signing certificate does not encrypt", a.SigningCert, cert.UseEncrypt, verdict.KeyUsage},
		{"signing certificate does not issue", a.SigningCert, cert.UseIssue, verdict.KeyUsage},
		{"signing certificate does not stamp time", a.SigningCert, cert.UseTimestamp, verdict.EKU},
		{"encryption certificate encrypts", a.EncryptionCert, cert.UseEncrypt, ""},
		{"encryption certificate does not sign", a.EncryptionCert, cert.UseSign, verdict.KeyUsage},
		{"root issues", pki.Certificate, cert.UseIssue, ""},
		{"root does not sign", pki.Certificate, cert.UseSign, verdict.KeyUsage},
		{"root does not encrypt", pki.Certificate, cert.UseEncrypt, verdict.KeyUsage},
		{"intermediate issues", inter, cert.UseIssue, ""},
		{"TSA stamps time", tsa, cert.UseTimestamp, ""},
		{"TSA does not sign documents", tsa, cert.UseSign, verdict.EKU},
		{"TSA does not encrypt", tsa, cert.UseEncrypt, verdict.KeyUsage},
		{"digitalSignature alone", leaf(usage(ds)), cert.UseSign, ""},
		{"nonRepudiation alone", leaf(usage(nr)), cert.UseSign, ""},
		{"no key usage at all", leaf(usage(0)), cert.UseSign, verdict.KeyUsage},
		{"both halves in one, signing", leaf(usage(ds | ke)), cert.UseSign, verdict.KeyUsage},
		{"both halves in one, encrypting", leaf(usage(ds | ke)), cert.UseEncrypt, verdict.KeyUsage},
		{"key agreement alone", leaf(usage(ka)), cert.UseEncrypt, ""},
		{"signing leaf that may issue", leaf(usage(ds | kcs)), cert.UseSign, verdict.KeyUsage},
		{"CA by usage, not by constraint", leaf(usage(kcs)), cert.UseIssue, verdict.KeyUsage},
		{"CA by constraint, not by usage", leaf(both(asCA, usage(ds))), cert.UseIssue, verdict.KeyUsage},
		{"TLS server", leaf(eku(smx509.ExtKeyUsageServerAuth)), cert.UseSign, verdict.EKU},
		{"code signing", leaf(eku(smx509.ExtKeyUsageCodeSigning)), cert.UseSign, verdict.EKU},
		{"mail", leaf(eku(smx509.ExtKeyUsageEmailProtection, smx509.ExtKeyUsageServerAuth)), cert.UseSign, ""},
		{"any", leaf(eku(smx509.ExtKeyUsageAny)), cert.UseSign, ""},
		{"logging in", leaf(eku(smx509.ExtKeyUsageClientAuth)), cert.UseSign, ""},
		{"an empty list", leaf(func(t *smx509.Certificate) {
			t.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 37}, Value: forge.Seq().Bytes()}}
		}), cert.UseSign, verdict.EKU},
		{"document signing", leaf(func(t *smx509.Certificate) {
			t.UnknownExtKeyUsage = append(t.UnknownExtKeyUsage, []int{1, 3, 6, 1, 5, 5, 7, 3, 36})
		}), cert.UseSign, ""},
		{"any, making seals", leaf(eku(smx509.ExtKeyUsageAny)), cert.UseMake, ""},
		{"no extended usage, making seals", leaf(func(*smx509.Certificate) {}), cert.UseMake, ""},
		{"mail, making seals", leaf(eku(smx509.ExtKeyUsageEmailProtection)), cert.UseMake, verdict.EKU},
		{"an office makes no seals", a.SigningCert, cert.UseMake, verdict.EKU},
		{"a maker makes seals", maker, cert.UseMake, ""},
		{"and signs no documents", maker, cert.UseSign, verdict.EKU},
		{"nor encrypts", a.EncryptionCert, cert.UseMake, verdict.KeyUsage},
		{"time-stamping, not critical", leaf(eku(smx509.ExtKeyUsageTimeStamping)), cert.UseTimestamp, verdict.EKU},
		{"no such use", a.SigningCert, cert.Use(0), verdict.KeyUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.c.CheckUse(tt.use)
			if (err != nil) != (tt.want != "") || err != nil && !errors.Is(err, cert.ErrKeyUsage) {
				t.Errorf("CheckUse: %v", err)
			}
			status := verdict.Passed
			if tt.want != "" {
				status = verdict.Failed
			}
			checks := cert.Policy{}.Judge(tt.c, tt.use, cert.Moment{Now: now})
			expect(t, checks, verdict.CheckKeyUsage, status, tt.want)
		})
	}
}

func TestAuthority(t *testing.T) {
	key := certtest.Key(t)
	clock := func() time.Time { return now }
	st := cert.Station{Signer: key, Now: clock}
	root, err := cert.NewRoot(st, cert.Subject("根", "测试"), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := cert.OpenAuthority(st, root.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	subKey := certtest.Key(t)
	sub, err := again.IssueIntermediate(cert.Subject("中级", "测试"), subKey.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	subCA, err := cert.OpenAuthority(cert.Station{Signer: subKey, Now: clock}, sub)
	if err != nil {
		t.Fatal(err)
	}
	maker, err := subCA.IssueMaker(cert.Subject("制章者", "测试"), certtest.Key(t).PublicKey(),
		cert.IssueOptions{CRLs: []string{"http://example.test/crl"}, OCSP: []string{"http://example.test/ocsp"}})
	if err != nil {
		t.Fatal(err)
	}
	p := cert.Policy{Roots: []*cert.Certificate{root.Certificate}, Intermediates: []*cert.Certificate{sub}}
	checks := p.Judge(maker, cert.UseMake, cert.Moment{Now: maker.NotBefore})
	expect(t, checks, verdict.CheckCertificateChain, verdict.Passed, "")
	expect(t, checks, verdict.CheckKeyUsage, verdict.Passed, "")
	if got := maker.RevocationSources(); len(got) != 2 {
		t.Errorf("revocation sources %v", got)
	}
	if got := root.Certificate.RevocationSources(); len(got) != 0 {
		t.Errorf("the root names %v", got)
	}
	if maker.Serial.BitLen() < 120 || maker.Serial.Sign() <= 0 || len(maker.SubjectKeyID()) != 20 {
		t.Errorf("serial %s, key identifier %x", maker.SerialText(), maker.SubjectKeyID())
	}
	if sub.NotAfter.After(root.Certificate.NotAfter) {
		t.Error("an intermediate outlives its issuer")
	}
	if _, err := cert.OpenAuthority(cert.Station{Signer: subKey, Now: clock}, root.Certificate); !errors.Is(err, cert.ErrKeyMismatch) {
		t.Errorf("authority with another key: %v", err)
	}
	if _, err := cert.OpenAuthority(cert.Station{Signer: subKey, Now: clock}, maker); !errors.Is(err, cert.ErrKeyUsage) {
		t.Errorf("authority over a leaf: %v", err)
	}
	if _, err := cert.NewRoot(cert.Station{Now: clock}, cert.Subject("x", ""), cert.IssueOptions{}); err == nil {
		t.Error("a root without a signer")
	}
	if _, err := cert.OpenAuthority(cert.Station{Now: clock}, root.Certificate); err == nil {
		t.Error("an authority without a signer")
	}
	if _, err := root.IssueSigning(cert.Subject("x", ""), nil, cert.IssueOptions{}); err == nil {
		t.Error("a certificate for no key")
	}
	if _, err := root.IssueSigning(cert.Subject("x", ""), key.PublicKey(), cert.IssueOptions{NotBefore: now, NotAfter: now.AddDate(0, 0, -1)}); err == nil {
		t.Error("a validity that ends before it begins")
	}
}

// TestNamesToCertify: the CA certifies no name that says nothing, hides something, or is its own.
func TestNamesToCertify(t *testing.T) {
	pki := certtest.New(t, "root", now)
	pub := certtest.Key(t).PublicKey()
	for name, bad := range map[string]pkix.Name{
		"empty": {}, "NUL": cert.Subject("a\x00b", "Test"), "escape": cert.Subject("a\x1b[31m", "Test"), "turned": cert.Subject("a\u202eb", ""),
		"hidden": cert.Subject("a\u200bb", ""), "no UTF-8": cert.Subject("a\xff", ""), "in the organisation": cert.Subject("a", "x\ny"), "the CA's own": cert.Subject("root", "Test"),
	} {
		if _, err := pki.IssueSigning(bad, pub, cert.IssueOptions{}); !errors.Is(err, cert.ErrName) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := pki.IssueSigning(cert.Subject("市政府 (Test)", "市政府办公室"), pub, cert.IssueOptions{}); err != nil {
		t.Error(err)
	}
}

func TestRequest(t *testing.T) {
	key := certtest.Key(t)
	der, err := cert.CreateRequest(key, cert.Subject("办公厅", "测试"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"DER": der, "PEM": cert.RequestPEM(der)} {
		r, err := cert.ParseRequest(data)
		if err != nil || r.Subject.CommonName != "办公厅" || !r.PublicKey.Equal(key.PublicKey()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	flipped := bytes.Clone(der)
	flipped[bytes.Index(der, []byte("办公厅"))] ^= 1
	other := bytes.Replace(bytes.Clone(der), []byte("办公厅"), []byte("财政厅"), 1)
	for name, data := range map[string][]byte{
		"changed name": other, "not UTF-8": flipped, "cut off": der[:len(der)-1], "trailing": append(bytes.Clone(der), 0),
		"empty": nil, "large": make([]byte, cert.MaxSize+1),
	} {
		if _, err := cert.ParseRequest(data); !errors.Is(err, cert.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	pki := certtest.New(f, "root", now)
	f.Add(pki.Certificate.Raw)
	f.Add(pki.Party("office").EncryptionCert.Raw)
	root := pki.Policy()
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, der []byte) {
		c, err := cert.Parse(der)
		if err != nil {
			return
		}
		_ = c.SubjectText()
		root.Judge(c, cert.UseSign, cert.Moment{Now: now})
	}))
}

func FuzzParseCRL(f *testing.F) {
	pki := certtest.New(f, "root", now)
	a := pki.Party("office").SigningCert
	crl, err := pki.IssueCRL(big.NewInt(1), now.AddDate(0, 1, 0), []cert.Revoked{{Serial: a.Serial, At: now, Reason: cert.ReasonKeyCompromise, InvalidFrom: now}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(crl.Raw)
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, der []byte) {
		l, err := cert.ParseCRL(der)
		if err != nil {
			return
		}
		p := pki.Policy()
		p.CRLs = []*cert.RevocationList{l}
		p.Judge(a, cert.UseSign, cert.Moment{Now: now})
	}))
}

func FuzzParseRequest(f *testing.F) {
	der, err := cert.CreateRequest(certtest.Key(f), cert.Subject("a", "b"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, der []byte) {
		if r, err := cert.ParseRequest(der); err == nil && r.PublicKey == nil {
			t.Fatal("a request without a key")
		}
	}))
}
