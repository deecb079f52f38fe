package embedded_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// TestNoOfficeTakesAnothersKeys: keys are named after the code in small letters, so codes that differ in case alone are one,
// on every way into the directory; and a key that is there already is certified for nobody else.
func TestNoOfficeTakesAnothersKeys(t *testing.T) {
	x := start(t)
	ctx := t.Context()
	before, err := x.keys.Public(ctx, keys.Ref{Name: "office.yxcz.sign"})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []directory.Organisation{
		{Code: "yxcz", Name: "冒名局"},
		{Code: "Archive", Name: "冒名馆"},
		{Code: "aRCHIVE", Name: "冒名馆"},
		{Code: "hub", Name: "冒名中心"},
		{Code: "NEW", Name: "云溪市财政局"},
	} {
		if _, err := x.Registrar.Establish(ctx, office.Person{}, o); !errors.Is(err, directory.ErrConflict) {
			t.Errorf("establish %s %s: %v, want ErrConflict", o.Code, o.Name, err)
		}
		if _, err := x.Registrar.Certify(ctx, office.Person{}, o, request(t, newKey(t), ""), newKey(t).PublicKey()); !errors.Is(err, directory.ErrConflict) {
			t.Errorf("certify %s %s: %v, want ErrConflict", o.Code, o.Name, err)
		}
		if _, err := x.Directory.Organisation(ctx, o.Code); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s stands in the directory: %v", o.Code, err)
		}
	}
	if after, err := x.keys.Public(ctx, keys.Ref{Name: "office.yxcz.sign"}); err != nil || string(after.Certificates[0]) != string(before.Certificates[0]) {
		t.Errorf("the key of YXCZ has another certificate than before: %v", err)
	}
	// A key that somebody made beforehand is not the office's.
	if _, err := x.keys.Create(ctx, keys.CreateOptions{Name: "office.later.sign", Purpose: keys.PurposeSign}); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Registrar.Establish(ctx, office.Person{}, directory.Organisation{Code: "LATER", Name: "后来局"}); !errors.Is(err, directory.ErrConflict) {
		t.Errorf("an office over a key that is nobody's: %v, want ErrConflict", err)
	}
}

// TestRequestNamesItsOffice: a request for another code is not granted, and no key serves two offices.
func TestRequestNamesItsOffice(t *testing.T) {
	x := start(t)
	ctx := t.Context()
	signing, encryption := newKey(t), newKey(t)
	own := directory.Organisation{Code: "OWN", Name: "自持局"}
	for name, tt := range map[string]struct {
		csr  []byte
		enc  *gm.PrivateKey
		want api.Code
	}{
		"another's code":    {request(t, signing, "YXCZ"), encryption, api.Validation},
		"one key for both":  {request(t, signing, "OWN"), signing, api.Validation},
		"a code's likeness": {request(t, signing, "own"), encryption, api.Validation},
	} {
		if _, err := x.Registrar.Certify(ctx, office.Person{}, own, tt.csr, tt.enc.PublicKey()); office.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if _, err := x.Registrar.Certify(ctx, office.Person{}, own, request(t, signing, "OWN"), encryption.PublicKey()); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ sign, enc *gm.PrivateKey }{
		"the signing key again":       {signing, newKey(t)},
		"the encryption key again":    {newKey(t), encryption},
		"the encryption key, signing": {encryption, newKey(t)},
	} {
		other := directory.Organisation{Code: "OTHER", Name: "另一局"}
		if _, err := x.Registrar.Certify(ctx, office.Person{}, other, request(t, tt.sign, ""), tt.enc.PublicKey()); !errors.Is(err, directory.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", name, err)
		}
	}
}

func newKey(t *testing.T) *gm.PrivateKey {
	t.Helper()
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// request asks for a certificate; an empty code names no office.
func request(t *testing.T, key *gm.PrivateKey, code string) []byte {
	t.Helper()
	subject := cert.Subject("某局", "")
	subject.SerialNumber = code
	der, err := cert.CreateRequest(key, subject, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// forgetful is a register that does not know a seal.
type forgetful struct {
	seal.Registry
	id string
}

func (f forgetful) Seal(ctx context.Context, id string) (seal.Record, error) {
	if id == f.id {
		return seal.Record{}, seal.ErrUnknownSeal
	}
	return f.Registry.Seal(ctx, id)
}

// TestUnregisteredSealDoesNotPass: in the hosted office a seal counts that stands in the register, whoever made it.
func TestUnregisteredSealDoesNotPass(t *testing.T) {
	x := start(t)
	ctx := t.Context()
	d := x.send()
	id := x.delivery(recipient)
	x.Office.Seals = forgetful{x.Database, d.Seal}
	opened, err := x.Office.Open(ctx, recipient, id, filepath.Join(t.TempDir(), "in"))
	if err != nil {
		t.Fatal(err)
	}
	if len(opened.Verdicts) != 2 {
		t.Fatalf("%d verdicts", len(opened.Verdicts))
	}
	for _, f := range opened.Verdicts {
		if f.Verdict != verdict.Failed || f.Reason != verdict.SealValidity {
			t.Errorf("%s: %s (%s), want failed (seal_validity)", f.File, f.Verdict, f.Reason)
		}
	}
	if _, err := x.Office.SignFor(ctx, recipient, opened, "1", ""); !errors.Is(err, office.ErrSeal) {
		t.Errorf("signed for all the same: %v", err)
	}
	x.Office.Seals = x.Database
}
