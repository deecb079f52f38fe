package embedded_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/archive"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/examples"
	"yinxin/internal/embedded"
	"yinxin/internal/verify"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// exchange is a running system with the example offices.
type exchange struct {
	*embedded.System
	t     *testing.T
	dir   string
	setup *embedded.Setup
	keys  *filekeys.Store
	// wrap gives what the system takes for its key store; nil: the store itself.
	wrap func(*filekeys.Store) embedded.KeyStore
	stop func() error
}

var passphrase = []byte("a passphrase for tests")

func start(t *testing.T) *exchange {
	t.Helper()
	return startWith(t, nil, func(*filekeys.Store) {})
}

// startWith is start over a wrapped key store, in which something is prepared before the offices are set up.
func startWith(t *testing.T, wrap func(*filekeys.Store) embedded.KeyStore, before func(*filekeys.Store)) *exchange {
	t.Helper()
	x := &exchange{t: t, dir: t.TempDir(), wrap: wrap}
	data, err := examples.Files.ReadFile("exchange.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if x.setup, err = embedded.ParseSetup(data); err != nil {
		t.Fatal(err)
	}
	x.open()
	before(x.keys)
	if _, err := x.Apply(t.Context(), x.setup); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.shut() })
	return x
}

// open starts the system on its folder; with the folder of an earlier one it goes on there.
func (x *exchange) open() {
	x.t.Helper()
	o := filekeys.Options{KDF: filekeys.KDF{MemoryKiB: filekeys.MinMemoryKiB, Time: 1, Threads: 1}}
	keysDir := filepath.Join(x.dir, "keys")
	store, err := filekeys.Create(x.t.Context(), keysDir, passphrase, o)
	if filekeys.Exists(keysDir) && errors.Is(err, filekeys.ErrExists) {
		store, err = filekeys.Open(x.t.Context(), keysDir, passphrase, o)
	}
	if err != nil {
		x.t.Fatal(err)
	}
	x.keys = store
	var given embedded.KeyStore = store
	if x.wrap != nil {
		given = x.wrap(store)
	}
	x.System, err = embedded.Open(x.t.Context(), embedded.Config{
		Dir: filepath.Join(x.dir, "hub"), Keys: given, Code: "HUB", Archive: "ARCHIVE", Fonds: "Z001",
		Origin: "test.yinxin/log", Authority: "test root", Clock: time.Now, Rand: rand.Reader, SupplementDelay: 20 * time.Millisecond,
	})
	if err != nil {
		x.t.Fatal(errors.Join(err, store.Close()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	x.stop = func() error {
		cancel()
		return errors.Join(<-done, x.Close(), store.Close())
	}
}

func (x *exchange) shut() {
	x.t.Helper()
	if x.stop == nil {
		return
	}
	stop := x.stop
	x.stop = nil
	if err := stop(); err != nil {
		x.t.Error(err)
	}
}

func (x *exchange) restart() {
	x.t.Helper()
	x.shut()
	x.open()
}

func clerk(code, account string) office.Person {
	return office.Person{Account: account, Office: code, Clerk: true}
}

var (
	drafter   = clerk("YXZF", "yxzf-clerk")
	approver  = office.Person{Account: "yxzf-approver", Office: "YXZF", Approver: true}
	recipient = clerk("YXJY", "yxjy-clerk")
	copied    = clerk("YXCZ", "yxcz-clerk")
)

// noticeText is the example's draft without its attached file.
func (x *exchange) noticeText() string {
	x.t.Helper()
	text, err := examples.Files.ReadFile("notice.yaml")
	if err != nil {
		x.t.Fatal(err)
	}
	return strings.Replace(string(text), "    file: schedule.csv\n", "", 1)
}

func (x *exchange) draft() *office.Draft {
	x.t.Helper()
	doc, err := document.Parse([]byte(x.noticeText()))
	if err != nil {
		x.t.Fatal(err)
	}
	d, err := office.Compose(doc, x.Office.Faces, examples.Files.ReadFile)
	if err != nil {
		x.t.Fatal(err)
	}
	return d
}

func (x *exchange) seal(code string) string {
	x.t.Helper()
	seals, err := x.Database.SealsOf(x.t.Context(), code)
	if err != nil || len(seals) != 1 {
		x.t.Fatalf("seals of %s: %v, %v", code, seals, err)
	}
	return seals[0].ID
}

func (x *exchange) ask() office.Dispatch {
	x.t.Helper()
	d, err := x.Office.Ask(x.t.Context(), drafter, x.request())
	if err != nil {
		x.t.Fatal(err)
	}
	return d
}

func (x *exchange) request() office.SealAsk {
	return office.SealAsk{Draft: x.draft(), Seal: x.seal("YXZF"), Urgency: transport.Normal, Recipients: []office.Recipient{
		{Code: "YXJY", Role: transport.To}, {Code: "YXCZ", Role: transport.CC},
	}}
}

// approving is the approval of what a dispatch shows.
func approving(d office.Dispatch) office.Decision {
	return office.Decision{Unsealed: d.Unsealed, Digest: d.Digest, Approve: true}
}

func (x *exchange) send() office.Dispatch {
	x.t.Helper()
	d := x.ask()
	d, err := x.Office.Decide(x.t.Context(), approver, d.ID, approving(d))
	if err != nil {
		x.t.Fatal(err)
	}
	return d
}

// until waits for the hub's own work.
func (x *exchange) until(what string, done func() bool) {
	x.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if done() {
			return
		}
	}
	x.t.Fatalf("%s: not within 20 s", what)
}

func (x *exchange) delivery(who office.Person) string {
	x.t.Helper()
	var id string
	x.until("delivery to "+who.Office, func() bool {
		in, err := x.Hub.Inbox(x.t.Context(), hub.Caller{Org: who.Office}, hub.InboxFilter{Page: hub.Page{Limit: 10}})
		if err != nil {
			x.t.Fatal(err)
		}
		if len(in) > 0 {
			id = in[0].Delivery.ID
		}
		return len(in) > 0 && in[0].Delivery.State == transport.Available
	})
	return id
}

func (x *exchange) signFor(who office.Person) {
	x.t.Helper()
	opened, err := x.Office.Open(x.t.Context(), who, x.delivery(who), filepath.Join(x.t.TempDir(), "in"))
	if err != nil {
		x.t.Fatal(err)
	}
	if _, err := x.Office.SignFor(x.t.Context(), who, opened, "1", ""); err != nil {
		x.t.Fatal(err)
	}
}

func (x *exchange) track(d office.Dispatch) hub.Track {
	x.t.Helper()
	tr, err := x.Hub.Track(x.t.Context(), hub.Caller{Account: drafter.Account, Org: drafter.Office}, d.Exchange)
	if err != nil {
		x.t.Fatal(err)
	}
	return tr
}

// rotated gives an office's decrypt key a new version with a certificate, which is the current one from then on.
func (x *exchange) rotated(office string) {
	x.t.Helper()
	name := "office." + strings.ToLower(office) + ".decrypt"
	made, err := x.keys.Rotate(x.t.Context(), name, 1)
	if err != nil {
		x.t.Fatal(err)
	}
	c, err := x.Registrar.CA.IssueEncryption(cert.Subject(office, office), made.Public, cert.IssueOptions{})
	if err != nil {
		x.t.Fatal(err)
	}
	if _, err := x.keys.ImportCertificate(x.t.Context(), made.Ref, [][]byte{c.Raw}); err != nil {
		x.t.Fatal(err)
	}
	if now, err := x.keys.Public(x.t.Context(), keys.Ref{Name: name}); err != nil || now.Ref.Version != 2 {
		x.t.Fatalf("current is %s, %v", now.Ref, err)
	}
}

// TestLettersToARotatedKeyOpen: what was encrypted to the certificates before a rotation is received, reopened by its sender and
// archived after it, until the old version may decrypt no more.
func TestLettersToARotatedKeyOpen(t *testing.T) {
	x := start(t)
	ctx := t.Context()
	d := x.send()
	for _, code := range []string{"YXZF", "YXJY", "YXCZ", "ARCHIVE"} {
		x.rotated(code)
	}
	if _, err := x.keys.Configure(ctx, "office.yxcz.decrypt", keys.Change{MinUse: new(2), MinDecrypt: new(2)}); err != nil {
		t.Fatal(err)
	}
	in := x.delivery(copied)
	if _, err := x.Office.Open(ctx, copied, in, filepath.Join(t.TempDir(), "in")); !errors.Is(err, keys.ErrDenied) {
		t.Errorf("opened with a version below min_decrypt: %v, want ErrDenied", err)
	}
	if _, err := x.keys.Configure(ctx, "office.yxcz.decrypt", keys.Change{MinDecrypt: new(1)}); err != nil {
		t.Fatal(err)
	}
	opened, err := x.Office.Reopen(ctx, copied, in, filepath.Join(t.TempDir(), "again"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Office.SignFor(ctx, copied, opened, "1", ""); err != nil {
		t.Fatal(err)
	}
	x.signFor(recipient)
	if _, err := x.Office.Sealed(ctx, drafter, d.ID, filepath.Join(t.TempDir(), "own")); err != nil {
		t.Errorf("the sender reopens: %v", err)
	}
	x.until("deposit", func() bool { return x.track(d).Exchange.Deposited != "" })
}

func TestWholePathSurvivesRestartsAtEveryStep(t *testing.T) {
	x := start(t)
	d := x.ask()
	x.restart()
	d, err := x.Office.Decide(t.Context(), approver, d.ID, approving(d))
	if err != nil {
		t.Fatal(err)
	}
	x.restart()
	x.signFor(recipient)
	x.restart()
	x.signFor(copied)
	x.until("deposit", func() bool { return x.track(d).Exchange.Deposited != "" })
	x.restart()
	records, err := x.FindRecords(t.Context(), "试点", "", "")
	if err != nil || len(records) != 1 {
		t.Fatalf("records: %v, %v", records, err)
	}
	dir := filepath.Join(t.TempDir(), "record")
	if err := x.UnpackRecord(t.Context(), records[0].ID, "YXZF", dir); err != nil {
		t.Fatal(err)
	}
	f, err := verify.One(verify.Input{Name: "record", Content: os.DirFS(dir)}, x.VerifyOptions())
	if err != nil || f.Verdict != verdict.Passed {
		t.Errorf("record: %s (%s), %v", f.Verdict, f.Reason, err)
	}
	for _, other := range []string{"YXJY", "HUB"} { // a recipient, who must not see the others' receipts; no party at all
		if err := x.UnpackRecord(t.Context(), records[0].ID, other, filepath.Join(t.TempDir(), "no")); !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("%s fetches the sender's record: %v, want ErrNotFound", other, err)
		}
	}
	x.forgeRecords(dir)
}

// forgeRecords signs a record anew, changed or by somebody else: none of them may pass.
func (x *exchange) forgeRecords(dir string) {
	x.t.Helper()
	manifest, err := os.ReadFile(filepath.Join(dir, archive.ManifestName))
	if err != nil {
		x.t.Fatal(err)
	}
	retitled := bytes.Replace(manifest, []byte("试点工作的通知"), []byte("试点工作的决定"), 1)
	for _, tt := range []struct {
		name, signer string
		manifest     []byte
		want         verdict.Reason
	}{
		{"as it was, by the archive", "archive", manifest, ""},
		{"as it was, by a recipient", "yxjy", manifest, verdict.SignerCert},
		{"as it was, by the sender", "yxzf", manifest, verdict.SignerCert},
		{"another title, by the archive", "archive", retitled, verdict.Manifest},
	} {
		if err := os.WriteFile(filepath.Join(dir, archive.ManifestName), tt.manifest, 0o600); err != nil {
			x.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, archive.SignatureName), x.signedBy(tt.signer, tt.manifest), 0o600); err != nil {
			x.t.Fatal(err)
		}
		f, err := verify.One(verify.Input{Name: "record", Content: os.DirFS(dir)}, x.VerifyOptions())
		if err != nil || f.Reason != tt.want || (f.Verdict == verdict.Passed) != (tt.want == "") {
			x.t.Errorf("%s: %s (%s), %v; want reason %q", tt.name, f.Verdict, f.Reason, err, tt.want)
		}
	}
}

// signedBy is a detached signature by the signing key of an office.
func (x *exchange) signedBy(office string, content []byte) []byte {
	x.t.Helper()
	info, err := x.keys.Public(x.t.Context(), keys.Ref{Name: "office." + office + ".sign"})
	if err != nil {
		x.t.Fatal(err)
	}
	signer, err := keys.Signer(x.t.Context(), x.keys, info.Ref, keys.PurposeSign)
	if err != nil {
		x.t.Fatal(err)
	}
	var chain []*cert.Certificate
	for _, der := range info.Certificates {
		c, err := cert.Parse(der)
		if err != nil {
			x.t.Fatal(err)
		}
		chain = append(chain, c)
	}
	der, err := cms.SignDetached(gm.SM3(content), cms.SignOptions{
		Signer: signer, Certificate: chain[0], Chain: chain[1:], Rand: rand.Reader, Time: time.Now(),
	})
	if err != nil {
		x.t.Fatal(err)
	}
	return der
}

func TestSealNeedsAnApprovalOfTheDigestByAnotherPerson(t *testing.T) {
	x := start(t)
	d := x.ask()
	both := drafter
	both.Approver = true
	right, otherDigest, otherFile := approving(d), approving(d), approving(d)
	otherDigest.Digest[0] ^= 1
	otherFile.Unsealed[0] ^= 1
	tests := []struct {
		name string
		who  office.Person
		in   office.Decision
		want error
	}{
		{"the person who asked", both, right, office.ErrSelfApproval},
		{"a clerk who may not approve", clerk("YXZF", "somebody"), right, office.ErrForbidden},
		{"another office's approver", office.Person{Account: "yxjy-approver", Office: "YXJY", Approver: true}, right, office.ErrNotFound},
		{"another digest", approver, otherDigest, office.ErrDigestChanged},
		{"another unsealed file", approver, otherFile, office.ErrDigestChanged},
	}
	for _, tt := range tests {
		if _, err := x.Office.Decide(t.Context(), tt.who, d.ID, tt.in); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	uses, err := x.Database.Uses(t.Context(), d.Seal)
	if err != nil || len(uses) != 0 {
		t.Errorf("the seal was used %d times without an approval, %v", len(uses), err)
	}
	if d, err = x.Office.Decide(t.Context(), approver, d.ID, approving(d)); err != nil || d.State != office.Sent {
		t.Fatalf("the right approval: %s, %v", d.State, err)
	}
	uses, err = x.Database.Uses(t.Context(), d.Seal)
	if err != nil || len(uses) != 1 || uses[0].Approver != approver.Account || uses[0].Operator != drafter.Account ||
		uses[0].Document != d.Unsealed || uses[0].ToBeSigned != d.Digest || len(uses[0].Stamps) == 0 {
		t.Errorf("uses of the seal: %+v, %v", uses, err)
	}
	if _, err := x.Office.Decide(t.Context(), approver, d.ID, approving(d)); !errors.Is(err, office.ErrState) {
		t.Errorf("a second approval: %v, want ErrState", err)
	}
}

func TestAskRefuses(t *testing.T) {
	x := start(t)
	base := x.request
	tests := []struct {
		name   string
		change func(*office.SealAsk)
		who    office.Person
		want   error
	}{
		{"unknown recipient", func(a *office.SealAsk) { a.Recipients[0].Code = "NOBODY" }, drafter, office.ErrAddressee},
		{"nobody addressed", func(a *office.SealAsk) { a.Recipients = a.Recipients[1:] }, drafter, office.ErrAddressee},
		{"the sender itself", func(a *office.SealAsk) { a.Recipients[1].Code = "YXZF" }, drafter, office.ErrAddressee},
		{"twice", func(a *office.SealAsk) { a.Recipients[1].Code = "YXJY" }, drafter, office.ErrAddressee},
		{"another office's seal", func(a *office.SealAsk) { a.Seal = x.seal("YXJY") }, drafter, seal.ErrUnknownSeal},
		{"another office's document", func(a *office.SealAsk) {
			a.Seal, a.Recipients = x.seal("YXJY"), a.Recipients[1:]
			a.Recipients[0].Role = transport.To
		}, recipient, office.ErrSender},
		{"an approver who is no clerk", func(*office.SealAsk) {}, approver, office.ErrForbidden},
	}
	for _, tt := range tests {
		a := base()
		tt.change(&a)
		if _, err := x.Office.Ask(t.Context(), tt.who, a); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if got, err := x.Office.List(t.Context(), drafter, "", 10); err != nil || len(got) != 0 {
		t.Errorf("refused requests left %d dispatches, %v", len(got), err)
	}
}

// TestSuspendedSealIsNotApproved: an approval that was answered with a refusal is none. Kept, the document would be sealed
// and sent when the seal is resumed, with nobody asked and no way to decline.
func TestSuspendedSealIsNotApproved(t *testing.T) {
	x := start(t)
	d, other := x.ask(), x.ask()
	late, back := x.ask(), x.ask()
	custodian := office.Person{Account: "custodian", Office: "HUB"}
	time.Sleep(1100 * time.Millisecond) // a change counts from its second on
	if _, err := x.Registrar.ChangeSeal(t.Context(), custodian, d.Seal, seal.Suspended, "lost token"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{d.ID, other.ID} {
		asked, err := x.Office.Dispatch(t.Context(), drafter, id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Office.Decide(t.Context(), approver, id, approving(asked)); !errors.Is(err, seal.ErrNotInForce) {
			t.Errorf("approving under a suspended seal: %v, want ErrNotInForce", err)
		}
	}
	if got, err := x.Office.Decide(t.Context(), approver, other.ID, office.Decision{Comment: "no"}); err != nil || got.State != office.Declined {
		t.Errorf("declining after the refusal: %s, %v", got.State, err)
	}
	x.takenBack(x.approved(back)) // approved now: the hub looks every few seconds, and would have sealed it before
	x.failed(x.approved(late))
	time.Sleep(1100 * time.Millisecond)
	if _, err := x.Registrar.ChangeSeal(t.Context(), custodian, d.Seal, seal.Active, "found"); err != nil {
		t.Fatal(err)
	}
	left, err := x.Database.UnfinishedDispatches(t.Context(), 10)
	if err != nil || len(left) != 0 {
		t.Errorf("%d dispatches would be sealed unasked, %v", len(left), err)
	}
	if d, err = x.Office.Decide(t.Context(), approver, d.ID, approving(d)); err != nil || d.State != office.Sent {
		t.Errorf("approved after the seal is resumed: %s, %v", d.State, err)
	}
}

// approved leaves a dispatch as it is between the approval and the sealing.
func (x *exchange) approved(d office.Dispatch) office.Dispatch {
	x.t.Helper()
	d.State, d.Approver, d.DecidedAt, d.Comment = office.Approved, approver.Account, time.Now().UTC(), "agreed"
	if err := x.Database.SaveDispatch(x.t.Context(), d, office.Pending); err != nil {
		x.t.Fatal(err)
	}
	return d
}

// takenBack: an approval is taken back by an approver, never by the person who asked, and for good.
func (x *exchange) takenBack(d office.Dispatch) {
	x.t.Helper()
	ctx, no := x.t.Context(), office.Decision{Comment: "the seal is suspended"}
	if _, err := x.Office.Decide(ctx, office.Person{Account: d.Requester, Office: d.Office, Approver: true}, d.ID, no); !errors.Is(err, office.ErrSelfApproval) {
		x.t.Errorf("taken back by the person who asked: %v", err)
	}
	if _, err := x.Office.Decide(ctx, approver, d.ID, approving(d)); !errors.Is(err, office.ErrState) {
		x.t.Errorf("approved twice: %v", err)
	}
	if got, err := x.Office.Decide(ctx, approver, d.ID, no); err != nil || got.State != office.Declined || got.Comment != no.Comment {
		x.t.Errorf("taken back: %+v, %v", got, err)
	}
	if _, err := x.Office.Decide(ctx, approver, d.ID, no); !errors.Is(err, office.ErrState) {
		x.t.Errorf("taken back twice: %v", err)
	}
}

// failed: what was approved under a seal that was suspended since ends, and says why.
func (x *exchange) failed(d office.Dispatch) {
	x.t.Helper()
	ctx := x.t.Context()
	if err := x.Office.Resume(ctx, d.Office, d.ID); err != nil && !errors.Is(err, seal.ErrNotInForce) {
		x.t.Fatal(err)
	}
	got, err := x.Office.Dispatch(ctx, drafter, d.ID) // this hub's own look may have come first
	if err != nil || got.State != office.Failed || !strings.HasPrefix(got.Comment, "agreed; ") || !strings.Contains(got.Comment, "suspended") {
		x.t.Errorf("%s %q, %v; want failed, with the reason", got.State, got.Comment, err)
	}
	uses, err := x.Database.Uses(ctx, d.Seal)
	if err != nil || len(uses) != 0 {
		x.t.Errorf("the suspended seal was used %d times, %v", len(uses), err)
	}
}

// TestWhatDoesNotPassIsNotSent: the sealed document is read back by the office's own policy before it is packed; what fails
// ends the dispatch. The seal's key did sign, and its log of use says so.
func TestWhatDoesNotPassIsNotSent(t *testing.T) {
	x := start(t)
	x.Office.Policy.Roots = []*cert.Certificate{x.Registrar.MakerCert} // no root of the signer's
	d := x.ask()
	d, err := x.Office.Decide(t.Context(), approver, d.ID, approving(d))
	if !errors.Is(err, office.ErrSeal) || d.State != office.Failed || d.Envelope != "" || office.CodeOf(err) != api.SealInvalid {
		t.Errorf("%s, %v; want failed", d.State, err)
	}
	if uses, err := x.Database.Uses(t.Context(), d.Seal); err != nil || len(uses) != 1 {
		t.Errorf("%d uses, %v", len(uses), err)
	}
}

func TestRefusedSubmissionEndsTheDispatch(t *testing.T) {
	x := start(t)
	d := x.ask()
	o, err := x.Directory.Organisation(t.Context(), "YXJY")
	if err != nil {
		t.Fatal(err)
	}
	o.Status = directory.Closed // closed after the clerk asked
	if err := x.Directory.SaveOrganisation(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if d, err = x.Office.Decide(t.Context(), approver, d.ID, approving(d)); !errors.Is(err, office.ErrRefused) || d.State != office.Refused {
		t.Errorf("a closed recipient: %s, %v; want refused", d.State, err)
	}
	left, err := x.Database.UnfinishedDispatches(t.Context(), 10)
	if err != nil || len(left) != 0 {
		t.Errorf("%d dispatches would be tried again, %v", len(left), err)
	}
}

func TestReturnedDocumentComesBackWithItsReason(t *testing.T) {
	x := start(t)
	d := x.send()
	id := x.delivery(recipient)
	if _, err := x.Office.Return(t.Context(), recipient, id, "77", "no such code"); !errors.Is(err, office.ErrReason) {
		t.Errorf("an unknown reason: %v, want ErrReason", err)
	}
	if _, err := x.Office.Return(t.Context(), copied, id, "01", "not mine"); office.CodeOf(err) == "" || err == nil {
		t.Errorf("another office returned it: %v", err)
	}
	got, err := x.Office.Return(t.Context(), recipient, id, "02", "附件缺少一份")
	if err != nil || got.State != transport.Returned {
		t.Fatalf("return: %s, %v", got.State, err)
	}
	for _, one := range x.track(d).Deliveries {
		if one.Recipient == "YXJY" && (one.State != transport.Returned || one.Reason != "02" || one.Comment != "附件缺少一份") {
			t.Errorf("the sender sees %+v", one)
		}
	}
	// The record waits for the sender: once it has seen the return and the other recipient has signed, it is deposited.
	x.signFor(copied)
	if _, err := x.Office.AcknowledgeReturn(t.Context(), recipient, d.Exchange, "YXJY"); err == nil {
		t.Error("the recipient acknowledged its own return")
	}
	seen, err := x.Office.AcknowledgeReturn(t.Context(), drafter, d.Exchange, "YXJY")
	if err != nil || seen.State != transport.ReturnAcknowledged {
		t.Fatalf("acknowledge return: %s, %v", seen.State, err)
	}
	x.until("deposit", func() bool { return x.track(d).Exchange.Deposited != "" })
}

func TestWithdrawnBeforeItIsSignedFor(t *testing.T) {
	x := start(t)
	d := x.send()
	x.signFor(recipient)
	id := x.delivery(copied)
	if _, err := x.Office.Withdraw(t.Context(), drafter, d.Exchange, "YXJY", "too late"); err == nil {
		t.Error("a document was withdrawn that had been signed for")
	}
	got, err := x.Office.Withdraw(t.Context(), drafter, d.Exchange, "YXCZ", "附件有误")
	if err != nil || got.State != transport.Withdrawn {
		t.Fatalf("withdraw: %s, %v", got.State, err)
	}
	if _, err := x.Office.RequestWithdrawal(t.Context(), drafter, d.Exchange, "YXCZ", "gone already"); err == nil {
		t.Error("a withdrawn document was asked back")
	}
	asked, err := x.Office.RequestWithdrawal(t.Context(), drafter, d.Exchange, "YXJY", "附件有误")
	if err != nil || !asked.WithdrawalRequested || asked.State != transport.Acknowledged && asked.State != transport.Archived {
		t.Fatalf("ask back: %+v, %v", asked, err)
	}
	if _, err := x.Office.Open(t.Context(), copied, id, filepath.Join(t.TempDir(), "in")); err == nil {
		t.Error("a withdrawn document was opened")
	}
	x.until("deposit", func() bool { return x.track(d).Exchange.Deposited != "" })
}

func TestNobodyOpensAnothersDelivery(t *testing.T) {
	x := start(t)
	x.send()
	id := x.delivery(recipient)
	if _, err := x.Office.Open(t.Context(), copied, id, filepath.Join(t.TempDir(), "in")); err == nil {
		t.Error("another office opened the delivery")
	}
	who := clerk("YXJY", "yxjy-clerk")
	who.Clerk = false
	if _, err := x.Office.Open(t.Context(), who, id, filepath.Join(t.TempDir(), "in")); !errors.Is(err, office.ErrForbidden) {
		t.Errorf("a person who is no clerk: %v, want ErrForbidden", err)
	}
}

func TestClassifiedDocumentGoesNowhere(t *testing.T) {
	x := start(t)
	text, err := examples.Files.ReadFile("notice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, mark := range []string{"classification: 秘密\nkind: 通知", "kind: 通知\nclassified_until: 10年"} {
		_, err := document.Parse([]byte(strings.Replace(string(text), "kind: 通知", mark, 1)))
		if !errors.Is(err, document.ErrClassified) {
			t.Errorf("%q: %v, want ErrClassified", mark, err)
		}
	}
	// An OFD whose draft this program never saw: the mark stands on the page alone.
	ask := x.request()
	pkg, err := ofd.Open(ask.Draft.OFD)
	if err != nil {
		t.Fatal(err)
	}
	page, _ := pkg.Entry(pkg.Pages()[0].Name)
	ask.Draft.OFD, err = pkg.Replace(ofd.File{Name: pkg.Pages()[0].Name, Data: bytes.Replace(page, []byte("云溪市教育局"), []byte("机密★拾年一"), 1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Office.Ask(t.Context(), drafter, ask); !errors.Is(err, document.ErrClassified) || strings.Contains(err.Error(), "拾年") {
		t.Errorf("a marked page: %v, want ErrClassified without content", err)
	}
	if got, err := x.Office.List(t.Context(), drafter, "", 10); err != nil || len(got) != 0 {
		t.Errorf("the refused document left %d dispatches, %v", len(got), err)
	}
}

func TestSetupCanBeRepeated(t *testing.T) {
	x := start(t)
	again, err := x.Apply(t.Context(), x.setup)
	if err != nil || len(again) != 0 {
		t.Errorf("a second setup made %d accounts, %v", len(again), err)
	}
	x.seal("YXZF") // still one
	if _, err := x.Registrar.Establish(t.Context(), office.Person{}, directory.Organisation{Code: "YXZF", Name: "x"}); !errors.Is(err, directory.ErrConflict) {
		t.Errorf("an office that exists: %v, want ErrConflict", err)
	}
}

func TestNothingInTheClearIsLeftOnDisk(t *testing.T) {
	x := start(t)
	d := x.send()
	x.signFor(recipient)
	x.signFor(copied)
	x.until("deposit", func() bool { return x.track(d).Exchange.Deposited != "" })
	dead := filepath.Join(x.dir, "hub", "tmp", "open-dead")
	if err := os.WriteFile(dead, []byte("left by a process that died"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.restart()
	left, err := os.ReadDir(filepath.Join(x.dir, "hub", "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	// The text of the document stands nowhere but in the archive's package, which is kept plain by its rules: neither in
	// drafts, envelopes and database nor in the log. A phrase of the body serves as canary.
	canary := []byte("减少纸质公文往返")
	packages := map[string]bool{}
	records, err := x.Archive.Index.FindRecords(t.Context(), archive.Query{Exchange: d.Exchange, Limit: 1})
	if err != nil || len(records) != 1 {
		t.Fatalf("records: %v, %v", records, err)
	}
	packages[records[0].Package.String()] = true
	err = filepath.WalkDir(x.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || packages[e.Name()] {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, canary) || bytes.Contains(data, []byte("OFD.xml")) && e.Name() != records[0].Package.String() {
			t.Errorf("%s holds the document in the clear", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
