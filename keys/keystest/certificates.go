package keystest

import (
	"bytes"
	"crypto/x509/pkix"
	"math/big"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/keys"
)

// authority makes a root whose key lies in the backend.
func authority(t *testing.T, b Backend) *cert.Authority {
	t.Helper()
	create(t, b, keys.CreateOptions{Name: "root", Purpose: keys.PurposeIssue})
	s, err := keys.Signer(t.Context(), b, keys.Ref{Name: "root"}, keys.PurposeIssue)
	if err != nil {
		t.Fatal(err)
	}
	return must[*cert.Authority](t)(cert.NewRoot(cert.Station{Signer: s}, cert.Subject("Test Root", "Tests"), cert.IssueOptions{}))
}

func testCertificates(t *testing.T, b Backend) {
	ctx := t.Context()
	ca := authority(t, b)
	first := create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	create(t, b, keys.CreateOptions{Name: "d", Purpose: keys.PurposeDecrypt})
	create(t, b, keys.CreateOptions{Name: "w", Purpose: keys.PurposeWrap})
	subject := cert.Subject("Office A", "Tests")
	der := must[[]byte](t)(b.Request(ctx, keys.Ref{Name: "k"}, subject))
	req := must[*cert.Request](t)(cert.ParseRequest(der))
	if !samePublic(req.PublicKey, first.Public) || req.Subject.CommonName != "Office A" {
		t.Errorf("request for %s", req.Subject)
	}
	encrypted := must[*cert.Request](t)(cert.ParseRequest(must[[]byte](t)(b.Request(ctx, keys.Ref{Name: "d"}, subject))))
	_, err := b.Request(ctx, keys.Ref{Name: "w"}, subject)
	wants(t, "request for a symmetric key", err, keys.ErrInvalid)
	_, err = b.Request(ctx, keys.Ref{Name: "x"}, pkix.Name{})
	wants(t, "request for no key", err, keys.ErrNotFound)

	c := must[*cert.Certificate](t)(ca.IssueSigning(req.Subject, req.PublicKey, cert.IssueOptions{}))
	enc := must[*cert.Certificate](t)(ca.IssueEncryption(encrypted.Subject, encrypted.PublicKey, cert.IssueOptions{}))
	wrongUse := must[*cert.Certificate](t)(ca.IssueEncryption(req.Subject, req.PublicKey, cert.IssueOptions{}))
	for name, bad := range map[string][][]byte{
		"nothing": {}, "garbage": {[]byte("x")}, "another key": {enc.Raw}, "another use": {wrongUse.Raw},
		"garbage above it": {c.Raw, []byte("x")}, "too long a chain": {c.Raw, c.Raw, c.Raw, c.Raw, c.Raw, c.Raw, c.Raw, c.Raw, c.Raw},
	} {
		_, err := b.ImportCertificate(ctx, keys.Ref{Name: "k"}, bad)
		wants(t, "import "+name, err, keys.ErrInvalid)
	}
	_, err = b.Certificates(ctx, keys.Ref{Name: "k"})
	wants(t, "certificate before import", err, keys.ErrNotFound)
	ref := must[keys.Ref](t)(b.ImportCertificate(ctx, keys.Ref{Name: "k"}, [][]byte{c.Raw}))
	if ref != first.Ref {
		t.Errorf("imported for %s", ref)
	}
	must[keys.Ref](t)(b.ImportCertificate(ctx, keys.Ref{Name: "d"}, [][]byte{enc.Raw}))

	second := must[keys.PublicInfo](t)(b.Rotate(ctx, "k", 1))
	if info := must[keys.PublicInfo](t)(b.Public(ctx, keys.Ref{Name: "k"})); info.Ref.Version != 1 || len(info.Certificates) != 1 || !bytes.Equal(info.Certificates[0], c.Raw) {
		t.Errorf("after rotation, before its certificate, version %d is current", info.Ref.Version)
	}
	c2 := must[*cert.Certificate](t)(ca.IssueSigning(subject, second.Public, cert.IssueOptions{}))
	if ref := must[keys.Ref](t)(b.ImportCertificate(ctx, keys.Ref{Name: "k"}, [][]byte{c2.Raw})); ref.Version != 2 {
		t.Errorf("certificate of version 2 went to %s", ref)
	}
	_, err = b.ImportCertificate(ctx, keys.Ref{Name: "k", Version: 1}, [][]byte{c2.Raw})
	wants(t, "certificate for the wrong version", err, keys.ErrInvalid)
	for v, want := range [][]byte{c2.Raw, c.Raw, c2.Raw} { // 0, 1, 2
		if got := must[[][]byte](t)(b.Certificates(ctx, keys.Ref{Name: "k", Version: v})); !bytes.Equal(got[0], want) {
			t.Errorf("version %d has another certificate", v)
		}
	}
	renewed := must[*cert.Certificate](t)(ca.IssueSigning(subject, second.Public, cert.IssueOptions{}))
	must[keys.Ref](t)(b.ImportCertificate(ctx, keys.Ref{Name: "k", Version: 2}, [][]byte{renewed.Raw}))
	if got := must[keys.PublicInfo](t)(b.Public(ctx, keys.Ref{Name: "k"})); !bytes.Equal(got.Certificates[0], renewed.Raw) {
		t.Error("a renewed certificate does not replace the old one")
	}
}

func testSealNeedsCertificate(t *testing.T, b Backend) {
	ctx := t.Context()
	ca := authority(t, b)
	info := create(t, b, keys.CreateOptions{Name: "seal", Purpose: keys.PurposeSeal})
	wants(t, "seal without certificate", canSign(ctx, b, keys.Ref{Name: "seal"}, keys.PurposeSeal), keys.ErrConflict)
	c := must[*cert.Certificate](t)(ca.IssueSigning(cert.Subject("Seal", "Tests"), info.Public, cert.IssueOptions{}))
	must[keys.Ref](t)(b.ImportCertificate(ctx, info.Ref, [][]byte{c.Raw}))
	if err := canSign(ctx, b, keys.Ref{Name: "seal"}, keys.PurposeSeal); err != nil {
		t.Errorf("seal with certificate: %v", err)
	}
	must[keys.PublicInfo](t)(b.Rotate(ctx, "seal", 1))
	if r := signOne(t, b, keys.Ref{Name: "seal"}, keys.PurposeSeal, "m"); r.Version != 1 {
		t.Errorf("version %d seals, without a certificate", r.Version)
	}
	wants(t, "seal with the new version", canSign(ctx, b, keys.Ref{Name: "seal", Version: 2}, keys.PurposeSeal), keys.ErrConflict)
}

// testAuthority shows that certificates and revocation lists can be made with a key that lies in the store.
func testAuthority(t *testing.T, b Backend) {
	ca := authority(t, b)
	info := create(t, b, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	c, err := ca.IssueSigning(cert.Subject("Office A", "Tests"), info.Public, cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MatchesKey(info.Public); err != nil {
		t.Error(err)
	}
	_, err = keys.Signer(t.Context(), b, info.Ref, keys.PurposeIssue)
	wants(t, "issue with a key that signs documents", err, keys.ErrDenied)
	_, err = keys.Signer(t.Context(), b, keys.Ref{Name: "root"}, keys.PurposeSign)
	wants(t, "sign documents with the key of the CA", err, keys.ErrDenied)
	if _, err := ca.IssueCRL(big.NewInt(1), c.NotAfter, []cert.Revoked{}); err != nil {
		t.Errorf("revocation list: %v", err)
	}
	if _, err := b.ImportCertificate(t.Context(), keys.Ref{Name: "root"}, [][]byte{ca.Certificate.Raw}); err != nil {
		t.Errorf("import the root's own certificate: %v", err)
	}
}
