package embedded_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/document/fonts"
	"yinxin/seal"
	"yinxin/seal/picture"
	"yinxin/seal/ses"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/directory"
	"yinxin/transport/office"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// code is the problem code of an error of the client.
func code(err error) api.Code {
	if p, ok := errors.AsType[*api.Problem](err); ok {
		return p.Code
	}
	return ""
}

// TestLifeOfASealOverHTTP: an office asks, the custodian makes and registers, each step by who may take it and in its order;
// the log of use and the history show what happened.
func TestLifeOfASealOverHTTP(t *testing.T) {
	w := serve(t)
	ctx := t.Context()
	clerk, other, custodian := w.login("yxzf-clerk"), w.login("yxcz-clerk"), w.login("custodian")
	wish := api.SealRequest{Name: "云溪市人民政府办公室", BottomLine: "合同专用章", Rank: "prefecture", Keeper: "yxzf-clerk", Reason: "合同用印"}
	for name, change := range map[string]func(*api.SealRequest){
		"no name":                 func(q *api.SealRequest) { q.Name = "" },
		"another office's keeper": func(q *api.SealRequest) { q.Keeper = "yxcz-clerk" },
		"no such rank":            func(q *api.SealRequest) { q.Rank = "village" },
		"two sizes":               func(q *api.SealRequest) { q.Diameter = 40 },
		"a size beyond bounds":    func(q *api.SealRequest) { q.Rank, q.Diameter = "", 4000 },
		"a key of its own":        func(q *api.SealRequest) { q.SigningRequest = []byte{1} },
		"a control character":     func(q *api.SealRequest) { q.Reason = "a\x1b[2J" },
	} {
		bad := wish
		change(&bad)
		if _, err := clerk.RequestSeal(ctx, bad); code(err) != api.Validation {
			t.Errorf("%s: %v, want validation", name, err)
		}
	}
	if _, err := w.login("yxzf-approver").RequestSeal(ctx, wish); code(err) != api.Forbidden {
		t.Errorf("an approver asks for a seal: %v", err)
	}
	for _, name := range []string{"云溪市教育局", "云溪市人民政府办公室 ", "云溪市人民政府"} {
		foreign := wish
		foreign.Name = name
		if _, err := clerk.RequestSeal(ctx, foreign); code(err) != api.Forbidden {
			t.Errorf("a seal in the name %q: %v, want forbidden", name, err)
		}
	}
	q, err := clerk.RequestSeal(ctx, wish)
	if err != nil || q.State != "requested" || q.Diameter != 45 || q.Office != "YXZF" {
		t.Fatalf("request: %+v, %v", q, err)
	}
	if _, err := other.SealRequest(ctx, q.ID); code(err) != api.NotFound {
		t.Errorf("another office sees the request: %v", err)
	}
	if got, err := other.SealRequests(ctx, "YXZF", client.Page{}); err != nil || len(got.Items) != 0 {
		t.Errorf("another office lists it: %+v, %v", got, err)
	}
	if got, err := custodian.SealRequests(ctx, "", client.Page{}); err != nil || len(got.Items) != 1 || got.Items[0].ID != q.ID {
		t.Errorf("the custodian's list: %+v, %v", got, err)
	}
	if _, err := clerk.MakeRequested(ctx, q.ID, api.SealTerm{}); code(err) != api.Forbidden {
		t.Errorf("a clerk makes a seal: %v", err)
	}
	if _, err := custodian.RegisterRequested(ctx, q.ID); code(err) != api.InvalidTransition {
		t.Errorf("registered before it was made: %v", err)
	}
	made, err := custodian.MakeRequested(ctx, q.ID, api.SealTerm{})
	if err != nil || made.State != "made" || made.Seal == "" {
		t.Fatalf("make: %+v, %v", made, err)
	}
	s, err := ses.ParseSeal(made.ESL)
	if err != nil || s.Info.Property.Name != wish.Name || s.Info.Picture.Width != 45 {
		t.Errorf("the seal: %+v, %v", s, err)
	}
	if _, err := clerk.AskForSeal(ctx, api.DispatchRequest{Draft: w.noticeText(), Seal: made.Seal, To: []string{"YXJY"}}); code(err) != api.NotFound {
		t.Errorf("a seal that is not registered was asked for: %v", err)
	}
	if _, err := custodian.MakeRequested(ctx, q.ID, api.SealTerm{}); code(err) != api.InvalidTransition {
		t.Errorf("made twice: %v", err)
	}
	registered, err := custodian.RegisterRequested(ctx, q.ID)
	if err != nil || registered.ID != made.Seal || registered.Status != "active" {
		t.Fatalf("register: %+v, %v", registered, err)
	}
	if _, err := custodian.DeclineRequest(ctx, q.ID, "late"); code(err) != api.InvalidTransition {
		t.Errorf("declined after it was registered: %v", err)
	}
	shown, err := clerk.Seal(ctx, registered.ID)
	if err != nil || !bytes.Equal(shown.ESL, made.ESL) || len(shown.History) != 1 {
		t.Errorf("show: %+v, %v", shown, err)
	}
	if _, err := other.Seal(ctx, registered.ID); code(err) != api.NotFound {
		t.Errorf("another office sees the seal: %v", err)
	}
	d, err := clerk.AskForSeal(ctx, api.DispatchRequest{Draft: w.noticeText(), Seal: registered.ID, To: []string{"YXJY"}})
	if err != nil {
		t.Fatal(err)
	}
	head := w.login("yxzf-approver")
	if _, err := head.Decide(ctx, d.ID, api.Decision{Digest: d.Digest, Approve: true}); code(err) != api.Validation {
		t.Errorf("an approval that does not name the unsealed file: %v", err)
	}
	if _, err := head.Decide(ctx, d.ID, api.Decision{Unsealed: d.Unsealed, Digest: d.Digest, Approve: true}); err != nil {
		t.Fatal(err)
	}
	uses, err := w.login("auditor").SealUses(ctx, registered.ID, client.Page{})
	if err != nil || len(uses.Items) != 1 {
		t.Fatalf("uses: %+v, %v", uses, err)
	}
	u := uses.Items[0]
	if u.Operator != "yxzf-clerk" || u.Approver != "yxzf-approver" || u.Approval != d.ID || u.Document != d.Unsealed || u.ToBeSigned != d.Digest || len(u.Places) == 0 {
		t.Errorf("use: %+v", u)
	}
	body, err := clerk.WaitReceipt(ctx, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := receipt.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	entry := proof.Entry
	if entry.Event != transport.SealApplied || entry.Sender != "YXZF" || entry.Exchange != "" || entry.Object != gm.SM3([]byte(u.Statement)) ||
		hex.EncodeToString(entry.DocumentSM3[:]) != u.Sealed || entry.DocumentSHA256.IsZero() {
		t.Errorf("the evidence of the use: %+v", entry)
	}
	if !strings.Contains(u.Statement, `"operator":"yxzf-clerk","approver":"yxzf-approver","approval":"`+d.ID+`"`) {
		t.Errorf("its statement: %s", u.Statement)
	}
	if _, err := other.WaitReceipt(ctx, u.ID); code(err) != api.NotFound {
		t.Errorf("another office gets the receipt: %v", err)
	}
	if _, err := other.SealUses(ctx, registered.ID, client.Page{}); code(err) != api.NotFound {
		t.Errorf("another office sees what the seal was used for: %v", err)
	}
	nobody, err := client.New(w.url, client.Options{Tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	standing, err := nobody.SealStanding(ctx, registered.ID)
	if err != nil || standing.Status != "active" || len(standing.History) != 1 || standing.History[0].By != "" {
		t.Errorf("its standing: %+v, %v", standing, err)
	}
	if _, err := nobody.SealStanding(ctx, "none"); code(err) != api.NotFound {
		t.Errorf("the standing of no seal: %v", err)
	}
}

// TestRequestIsDeclined: with a reason, by somebody else, and for good.
func TestRequestIsDeclined(t *testing.T) {
	w := serve(t)
	ctx := t.Context()
	clerk, custodian := w.login("yxzf-clerk"), w.login("custodian")
	q, err := clerk.RequestSeal(ctx, api.SealRequest{Name: "云溪市人民政府办公室", Keeper: "yxzf-clerk"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := custodian.DeclineRequest(ctx, q.ID, " "); code(err) != api.Validation {
		t.Errorf("without a reason: %v", err)
	}
	declined, err := custodian.DeclineRequest(ctx, q.ID, "已有一枚")
	if err != nil || declined.State != "declined" || declined.Comment != "已有一枚" || declined.DecidedBy != "custodian" {
		t.Fatalf("%+v, %v", declined, err)
	}
	if _, err := custodian.MakeRequested(ctx, q.ID, api.SealTerm{}); code(err) != api.InvalidTransition {
		t.Errorf("made after it was declined: %v", err)
	}
	if _, err := w.Directory.AddAccount(ctx, directory.Account{
		ID: "both", Org: "YXZF", Name: "both", Roles: []directory.Role{directory.Clerk, directory.Custodian},
	}, ""); err != nil {
		t.Fatal(err)
	}
	both := w.login("both")
	own, err := both.RequestSeal(ctx, api.SealRequest{Name: "云溪市人民政府", Keeper: "yxzf-clerk"}) // a custodian may, and decides nothing about it
	if err != nil {
		t.Fatal(err)
	}
	if _, err := both.MakeRequested(ctx, own.ID, api.SealTerm{}); code(err) != api.Forbidden {
		t.Errorf("the person who asked makes the seal: %v", err)
	}
}

// TestSealIsRenewedAfterTheKeyWasRotated: the renewed seal serves the new key; what was sealed, and accepted by the hub
// before, stays genuine for its recipients; other seals of the key go on with its old version.
func TestSealIsRenewedAfterTheKeyWasRotated(t *testing.T) {
	w := serve(t)
	ctx := t.Context()
	first := w.seal("YXZF")
	custodian := w.login("custodian")
	second, err := custodian.MakeSeal(ctx, api.SealMaking{
		Office: "YXZF", Name: "云溪市人民政府办公室", Keeper: "yxzf-clerk", From: time.Now().UTC().Truncate(time.Second), To: time.Now().AddDate(1, 0, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(id string) (office.Dispatch, error) {
		q := office.SealAsk{Draft: w.draft(), Seal: id, Recipients: []office.Recipient{{Code: "YXJY", Role: "to"}}, Urgency: "normal"}
		d, err := w.Office.Ask(ctx, drafter, q)
		if err != nil {
			return d, err
		}
		return w.Office.Decide(ctx, approver, d.ID, approving(d))
	}
	if _, err := ask(first); err != nil {
		t.Fatal(err)
	}
	in := w.delivery(recipient)
	if _, err := w.login("yxzf-clerk").RenewSeal(ctx, first, api.SealTerm{Rotate: true}); code(err) != api.Forbidden {
		t.Errorf("a clerk renews: %v", err)
	}
	if _, err := custodian.RenewSeal(ctx, first, api.SealTerm{To: time.Now().AddDate(0, 1, 0)}); code(err) != api.Validation {
		t.Errorf("renewed with neither another key nor a longer life: %v", err)
	}
	renewed, err := custodian.RenewSeal(ctx, first, api.SealTerm{Rotate: true})
	if err != nil || renewed.ID == first || renewed.Status != "active" {
		t.Fatalf("renew: %+v, %v", renewed, err)
	}
	old, err := custodian.Seal(ctx, first)
	if err != nil || old.Status != "voided" {
		t.Errorf("the old seal: %+v, %v", old, err)
	}
	if _, err := custodian.RenewSeal(ctx, first, api.SealTerm{Rotate: true}); code(err) != api.InvalidTransition {
		t.Errorf("renewed twice: %v", err)
	}
	if _, err := ask(first); !errors.Is(err, seal.ErrNotInForce) {
		t.Errorf("sealed with the old seal: %v", err)
	}
	for name, id := range map[string]string{"the renewed seal": renewed.ID, "the other seal of the old version": second.ID} {
		if d, err := ask(id); err != nil || d.State != office.Sent {
			t.Errorf("%s: %s, %v", name, d.State, err)
		}
	}
	opened, err := w.Office.Open(ctx, recipient, in, filepath.Join(t.TempDir(), "in"))
	if err != nil {
		t.Fatal(err)
	}
	if opened.Verdict() != verdict.Passed || opened.Verdicts[0].Signatures[0].TimeSource != verdict.TimeFromLog {
		t.Errorf("what was sealed with the old seal: %s, %+v", opened.Verdict(), opened.Verdicts)
	}
}

// TestInboxAsksTheRegister: a seal that the registry does not let pass does not pass for the recipient, and what the sender
// stated of the seals is held against the document.
func TestInboxAsksTheRegister(t *testing.T) {
	x := start(t)
	ctx := t.Context()
	d := x.send()
	id := x.delivery(recipient)
	r, err := x.Database.Seal(ctx, d.Seal)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := x.Office.Open(ctx, recipient, id, filepath.Join(t.TempDir(), "in"))
	if err != nil || opened.Verdict() != verdict.Passed {
		t.Fatalf("%+v, %v", opened, err)
	}
	// The registry learns that the seal was suspended when it was used.
	if err := x.Database.ChangeSeal(ctx, d.Seal, seal.Change{To: seal.Suspended, At: r.History[0].At, By: "custodian"}); err != nil {
		t.Fatal(err)
	}
	opened, err = x.Office.Reopen(ctx, recipient, id, filepath.Join(t.TempDir(), "again"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range opened.Verdicts {
		if f.Verdict != verdict.Failed || f.Reason != verdict.SealValidity {
			t.Errorf("%s with a suspended seal: %s (%s)", f.File, f.Verdict, f.Reason)
		}
	}
	if _, err := x.Office.SignFor(ctx, recipient, opened, "1", ""); !errors.Is(err, office.ErrSeal) {
		t.Errorf("signed for all the same: %v", err)
	}
}

// TestSealMadeElsewhereIsRegistered: by the hub's own rules for makers and signers.
func TestSealMadeElsewhereIsRegistered(t *testing.T) {
	x := start(t)
	ctx := t.Context()
	custodian := office.Person{Account: "custodian", Office: "HUB"}
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	type issuer = func(pkix.Name, *ecdsa.PublicKey, cert.IssueOptions) (*cert.Certificate, error)
	issue := func(by issuer, number string) *cert.Certificate {
		subject := cert.Subject("云溪市教育局", "")
		subject.SerialNumber = number
		c, err := by(subject, key.PublicKey(), cert.IssueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	strangers, err := cert.NewRoot(cert.Station{Signer: key}, cert.Subject("stranger", ""), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	made := func(change func(*seal.MakeOptions)) []byte {
		o := seal.MakeOptions{
			Maker: x.Registrar.Maker, MakerCert: x.Registrar.MakerCert, Signers: []*cert.Certificate{issue(x.Registrar.CA.IssueSigning, "YXJY")},
			Name: "云溪市教育局", Picture: ses.Picture{Type: "png", Data: drawn(t), Width: 42, Height: 42},
			From: time.Now().Add(-time.Hour), To: time.Now().Add(24 * time.Hour), Rand: rand.Reader,
		}
		if change != nil {
			change(&o)
		}
		s, err := seal.Make(o)
		if err != nil {
			t.Fatal(err)
		}
		return s.Raw
	}
	good := made(nil)
	broken := slices.Clone(good)
	broken[len(broken)-1] ^= 1
	for name, tt := range map[string]struct {
		file office.SealFile
		want api.Code
	}{
		"no seal":             {office.SealFile{Office: "YXJY", Keeper: "yxjy-clerk", ESL: []byte("x")}, api.UnsupportedFormat},
		"a spoilt seal":       {office.SealFile{Office: "YXJY", Keeper: "yxjy-clerk", ESL: broken}, api.Validation},
		"no such office":      {office.SealFile{Office: "NONE", Keeper: "yxjy-clerk", ESL: good}, api.NotFound},
		"another office":      {office.SealFile{Office: "YXCZ", Keeper: "yxcz-clerk", ESL: good}, api.Validation},
		"another's keeper":    {office.SealFile{Office: "YXJY", Keeper: "yxcz-clerk", ESL: good}, api.Validation},
		"signer of strangers": {office.SealFile{Office: "YXJY", Keeper: "yxjy-clerk", ESL: made(func(o *seal.MakeOptions) { o.Signers = []*cert.Certificate{issue(strangers.IssueSigning, "YXJY")} })}, api.Validation},
		"maker of strangers":  {office.SealFile{Office: "YXJY", Keeper: "yxjy-clerk", ESL: made(func(o *seal.MakeOptions) { o.Maker, o.MakerCert = key, issue(strangers.IssueMaker, "") })}, api.Validation},
		"digests alone":       {office.SealFile{Office: "YXJY", Keeper: "yxjy-clerk", ESL: made(func(o *seal.MakeOptions) { o.DigestList = true })}, api.Validation},
		"ended": {office.SealFile{Office: "YXJY", Keeper: "yxjy-clerk", ESL: made(func(o *seal.MakeOptions) {
			o.From, o.To = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		})}, api.Validation},
	} {
		if _, err := x.Registrar.RegisterSeal(ctx, custodian, tt.file); office.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	f := office.SealFile{Office: "YXJY", Keeper: "yxjy-clerk", Key: "a card", ESL: good}
	r, err := x.Registrar.RegisterSeal(ctx, custodian, f)
	if err != nil || r.InForce(time.Now()) != nil || r.Office != "YXJY" {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := x.Registrar.RegisterSeal(ctx, custodian, f); !errors.Is(err, directory.ErrConflict) {
		t.Errorf("registered twice: %v", err)
	}
}

// drawn is the picture of a seal.
func drawn(t *testing.T) []byte {
	t.Helper()
	p, err := picture.Draw(picture.Organisation{Name: "云溪市教育局"}, fonts.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	png, err := p.PNG(picture.DefaultDPI)
	if err != nil {
		t.Fatal(err)
	}
	return png
}

// beyondItsCertificates: a seal is in force only while its certificates are valid, whichever way it is made.
func beyondItsCertificates(t *testing.T, r *office.Registrar, custodian office.Person, request string) {
	t.Helper()
	ctx := t.Context()
	have, err := r.MakeSeal(ctx, custodian, office.SealRequest{Office: "YXJY", Name: "云溪市教育局", BottomLine: "合同专用章", Keeper: "yxjy-clerk"})
	if err != nil || have.To.Before(time.Now().AddDate(1, 11, 0)) {
		t.Fatalf("made with no term: to %s, %v", have.To, err)
	}
	for name, term := range map[string]seal.Term{"longer": {To: time.Now().AddDate(30, 0, 0)}, "earlier": {From: time.Now().AddDate(-1, 0, 0)}} {
		if _, err := r.MakeRequested(ctx, custodian, request, term); office.CodeOf(err) != api.Validation || !errors.Is(err, seal.ErrMake) {
			t.Errorf("%s, for a request: %v", name, err)
		}
		_, err := r.MakeSeal(ctx, custodian, office.SealRequest{Office: "YXJY", Name: "云溪市教育局", Keeper: "yxjy-clerk", Term: term})
		if !errors.Is(err, seal.ErrMake) {
			t.Errorf("%s, without a request: %v", name, err)
		}
		if _, err := r.RenewSeal(ctx, custodian, have.ID, office.Renewal{Term: term}); !errors.Is(err, seal.ErrMake) {
			t.Errorf("%s, renewed: %v", name, err)
		}
	}
	if now, err := r.Seals.Seal(ctx, have.ID); err != nil || now.InForce(time.Now()) != nil {
		t.Errorf("the seal that was not renewed: %v, %v", now.History, err)
	}
}

// TestSealForAnOfficeWithItsOwnKeys: it sends the request of its sealing key, and gets the seal and the certificate.
func TestSealForAnOfficeWithItsOwnKeys(t *testing.T) {
	x := start(t)
	ctx := t.Context()
	if err := x.Directory.SaveOrganisation(ctx, directory.Organisation{Code: "OWN", Name: "云溪市统计局", Status: directory.Active}); err != nil {
		t.Fatal(err)
	}
	for id, roles := range map[string][]directory.Role{"own-clerk": {directory.Clerk}} {
		if _, err := x.Directory.AddAccount(ctx, directory.Account{ID: id, Org: "OWN", Name: id, Roles: roles}, ""); err != nil {
			t.Fatal(err)
		}
	}
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := cert.CreateRequest(key, cert.Subject("云溪市统计局", ""), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	who := clerk("OWN", "own-clerk")
	wish := office.SealWish{Name: "云溪市统计局", Keeper: "own-clerk"}
	if _, err := x.Registrar.RequestSeal(ctx, who, wish); !errors.Is(err, office.ErrNotHosted) {
		t.Errorf("without the request of its key: %v", err)
	}
	wish.SigningRequest = csr[1:]
	if _, err := x.Registrar.RequestSeal(ctx, who, wish); !errors.Is(err, office.ErrRequest) {
		t.Errorf("with a spoilt one: %v", err)
	}
	wish.SigningRequest = csr
	q, err := x.Registrar.RequestSeal(ctx, who, wish)
	if err != nil {
		t.Fatal(err)
	}
	custodian := office.Person{Account: "custodian", Office: "HUB"}
	beyondItsCertificates(t, x.Registrar, custodian, q.ID)
	if q, err = x.Registrar.MakeRequested(ctx, custodian, q.ID, seal.Term{}); err != nil {
		t.Fatal(err)
	}
	certs, err := cert.ParsePEM(q.Certificate)
	if err != nil || certs[0].Subject.SerialNumber != "OWN" {
		t.Fatalf("certificate: %v, %v", certs, err)
	}
	s, err := ses.ParseSeal(q.ESL)
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.CheckSigner(s, key, certs[0]); err != nil {
		t.Errorf("the key cannot use its seal: %v", err)
	}
	if r, err := x.Registrar.RegisterRequested(ctx, custodian, q.ID); err != nil || r.Office != "OWN" {
		t.Errorf("register: %+v, %v", r, err)
	}
}
