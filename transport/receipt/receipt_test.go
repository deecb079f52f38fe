package receipt_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
	"yinxin/transport"
	"yinxin/transport/partytest"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

const origin = "hub.example/log"

// world is a log with offices.
type world struct {
	ca                     *partytest.Authority
	sender, recipient, hub *partytest.Party
	signer                 tlog.Signer
	log                    *tlog.Verifier
	queue                  *tlogtest.Memory
	seq                    *tlog.Sequencer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{ca: partytest.NewAuthority(t), queue: tlogtest.NewMemory()}
	w.sender, w.recipient, w.hub = w.ca.Party(t, "office-a"), w.ca.Party(t, "office-b"), w.ca.Party(t, "hub-1")
	w.signer, w.log = newLogKey(t, origin)
	var err error
	w.seq, err = tlog.Open(context.Background(), tlog.Config{Queue: w.queue, Tiles: tiles{}, Signer: w.signer})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newLogKey(t testing.TB, name string) (tlog.Signer, *tlog.Verifier) {
	t.Helper()
	key := partytest.NewKey(t)
	s, err := tlog.NewSigner(name, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v, err := tlog.NewVerifier(name, key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// tiles forgets everything: these tests need proofs of one batch only.
type tiles struct{}

func (tiles) Fetch(_ context.Context, path string) ([]byte, error) {
	return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}
func (tiles) Put(context.Context, []tlog.File) error      { return nil }
func (tiles) SetCheckpoint(context.Context, []byte) error { return nil }

func digest(b byte) transport.Digest { return transport.Digest{b, 1} }

// accepted is an entry in which the hub alone speaks.
func accepted() receipt.Entry {
	return receipt.Entry{
		ID: "ev-1", Event: transport.SubmissionAcceptance, Time: partytest.Clock().Add(time.Second),
		Exchange: "ex-1", DocumentSM3: digest(1), DocumentSHA256: digest(2), Object: digest(3), Sender: "office-a", Hub: "hub-1",
	}
}

// signedFor is an entry with the recipient's statement.
func (w *world) signedFor(t testing.TB, by *partytest.Party) (receipt.Entry, []byte) {
	t.Helper()
	s := signFor()
	der, err := s.Sign(by.Sign())
	if err != nil {
		t.Fatal(err)
	}
	return entryOf(t, s, der), der
}

func signFor() receipt.Statement {
	return receipt.Statement{
		Event: transport.ConsignmentAcceptance, Time: partytest.Clock(), Exchange: "ex-1",
		DocumentSM3: digest(1), DocumentSHA256: digest(2), Sender: "office-a", Recipient: "office-b",
		Number: "签收〔2026〕7号", Text: `已收 "原件" \ 2 份`, Verdict: verdict.Passed,
	}
}

func entryOf(t testing.TB, s receipt.Statement, der []byte) receipt.Entry {
	t.Helper()
	signed, err := receipt.ParseStatement(der)
	if err != nil {
		t.Fatal(err)
	}
	return receipt.Entry{
		ID: "ev-2", Event: s.Event, Time: partytest.Clock().Add(2 * time.Second), Exchange: s.Exchange,
		DocumentSM3: s.DocumentSM3, DocumentSHA256: s.DocumentSHA256, Sender: s.Sender, Recipient: s.Recipient,
		Reason: s.Reason, Hub: "hub-1", Previous: digest(9), Statement: signed.Digest(),
	}
}

// compose logs the entry between others and builds its receipt.
func (w *world) compose(t testing.TB, e receipt.Entry, statement []byte) *receipt.Receipt {
	t.Helper()
	ctx := context.Background()
	leaf, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range [][]byte{[]byte("before"), leaf, []byte("after")} {
		if err := w.queue.Add(ctx, l); err != nil {
			t.Fatal(err)
		}
	}
	p, err := w.seq.Integrate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r, err := receipt.Compose(leaf, p.Leaves[1], p.Head.Note, statement, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *world) options() receipt.VerifyOptions {
	return receipt.VerifyOptions{
		Logs: []*tlog.Verifier{w.log}, Policy: w.ca.Policy(), Now: partytest.Clock().Add(time.Hour),
	}
}

func mustMarshal(t testing.TB, r *receipt.Receipt) []byte {
	t.Helper()
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantVerdict(t testing.TB, f verdict.File, status verdict.Status, reason verdict.Reason) {
	t.Helper()
	if f.Verdict != status || f.Reason != reason {
		b, _ := json.Marshal(f)
		t.Fatalf("verdict %s (%s), want %s (%s): %s", f.Verdict, f.Reason, status, reason, b)
	}
}

func TestReceiptsOfBothKindsPass(t *testing.T) {
	w := newWorld(t)
	r := w.compose(t, accepted(), nil)
	wantVerdict(t, receipt.VerifyBytes(mustMarshal(t, r), w.options()), verdict.Passed, "")

	w = newWorld(t)
	e, der := w.signedFor(t, w.recipient)
	r = w.compose(t, e, der)
	f := receipt.VerifyBytes(mustMarshal(t, r), w.options())
	wantVerdict(t, f, verdict.Passed, "")
	if len(f.Signatures) != 1 || f.Signatures[0].TimeSource != verdict.TimeFromLog || !f.Signatures[0].Time.Equal(e.Time) {
		t.Fatalf("signature = %+v", f.Signatures)
	}
	again, err := receipt.Parse(mustMarshal(t, r))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustMarshal(t, again), mustMarshal(t, r)) {
		t.Fatal("a receipt does not read back byte for byte")
	}
}

func TestCorruptionsHaveTheirReasons(t *testing.T) {
	w := newWorld(t)
	e, der := w.signedFor(t, w.recipient)
	good := mustMarshal(t, w.compose(t, e, der))
	otherSigner, otherLog := newLogKey(t, "other.example/log")
	_, sameName := newLogKey(t, origin)
	stranger := partytest.NewAuthority(t)
	fresh := func() *receipt.Receipt {
		r, err := receipt.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	resigned := func(r *receipt.Receipt, s tlog.Signer) {
		c, err := tlog.ParseCheckpoint(r.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		c.Origin = s.Name()
		if r.Checkpoint, err = tlog.SignCheckpoint(c, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []struct {
		name   string
		change func(r *receipt.Receipt, o *receipt.VerifyOptions)
		status verdict.Status
		reason verdict.Reason
	}{
		{"as it is", func(*receipt.Receipt, *receipt.VerifyOptions) {}, verdict.Passed, ""},
		{"another document", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Entry.DocumentSM3 = digest(7) }, verdict.Failed, verdict.Proof},
		{"another office", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Entry.Recipient = "office-c" }, verdict.Failed, verdict.Proof},
		{"another time", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Entry.Time = r.Entry.Time.Add(time.Hour) }, verdict.Failed, verdict.Proof},
		{"another event", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Entry.Event = transport.ContentHandover }, verdict.Failed, verdict.Proof},
		{"another exchange", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Entry.Exchange = "ex-2" }, verdict.Failed, verdict.Proof},
		{"another index", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Index = 2 }, verdict.Failed, verdict.Proof},
		{"a missing hash", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Proof = r.Proof[1:] }, verdict.Failed, verdict.Proof},
		{"a flipped hash", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Proof[0][0] ^= 1 }, verdict.Failed, verdict.Proof},
		{"a receipt of another log", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Logs = []*tlog.Verifier{otherLog} }, verdict.Failed, verdict.WrongLog},
		{"a log of the same name with another key", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Logs = []*tlog.Verifier{sameName} }, verdict.Failed, verdict.WrongLog},
		{"a second log under the same root", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { resigned(r, otherSigner) }, verdict.Failed, verdict.WrongLog},
		{"no log key", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Logs = nil }, verdict.Indeterminate, verdict.NoLogKey},
		{"a forged checkpoint", func(r *receipt.Receipt, _ *receipt.VerifyOptions) {
			r.Checkpoint = bytes.Replace(r.Checkpoint, []byte("\n3\n"), []byte("\n4\n"), 1)
		}, verdict.Failed, verdict.CheckpointSignature},
		{"no checkpoint", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Checkpoint = []byte("none") }, verdict.Failed, verdict.Malformed},
		{"no statement", func(r *receipt.Receipt, _ *receipt.VerifyOptions) { r.Statement = nil }, verdict.Failed, verdict.ReceiptSigner},
		{"another statement of the recipient", func(r *receipt.Receipt, _ *receipt.VerifyOptions) {
			s := signFor()
			s.Exchange = "ex-9"
			var err error
			if r.Statement, err = s.Sign(w.recipient.Sign()); err != nil {
				t.Fatal(err)
			}
		}, verdict.Failed, verdict.ReceiptBinding},
		{"no root", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Policy = cert.Policy{} }, verdict.Indeterminate, verdict.NoTrustAnchor},
		{"another root", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Policy = stranger.Policy() }, verdict.Failed, verdict.CertificateChain},
		{"held beside another document", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Expect.DocumentSM3 = digest(8) }, verdict.Failed, verdict.ReceiptBinding},
		{"held for another office", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Expect.Recipient = "office-c" }, verdict.Failed, verdict.ReceiptBinding},
		{"held for another exchange", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Expect.Exchange = "ex-2" }, verdict.Failed, verdict.ReceiptBinding},
		{"held as another event", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Expect.Event = transport.ConsignmentRejection }, verdict.Failed, verdict.ReceiptBinding},
		{"held beside its own document", func(_ *receipt.Receipt, o *receipt.VerifyOptions) { o.Expect.DocumentSM3 = digest(1) }, verdict.Passed, ""},
	} {
		t.Run(m.name, func(t *testing.T) {
			r, o := fresh(), w.options()
			m.change(r, &o)
			wantVerdict(t, r.Verify(o), m.status, m.reason)
		})
	}
}

// the hub signs for the recipient. Package receipt does not let it; a hub with other software meets the verifier.
func TestOnlyThePartyItselfCanStateItsAct(t *testing.T) {
	w := newWorld(t)
	if _, err := signFor().Sign(w.hub.Sign()); err == nil {
		t.Fatal("the hub signed the recipient's statement")
	}
	s := signFor()
	s.Recipient = w.hub.Code // signs as itself
	der, err := s.Sign(w.hub.Sign())
	if err != nil {
		t.Fatal(err)
	}
	e := entryOf(t, s, der)
	forged := e
	forged.Recipient = "office-b"
	r := w.compose(t, e, der)
	r.Entry = forged
	wantVerdict(t, r.Verify(w.options()), verdict.Failed, verdict.Proof)

	// The content of the recipient's statement under the hub's signature.
	content, err := signFor().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	der = signRaw(t, content, w.hub)
	w2 := newWorld(t)
	o := w2.options()
	o.Policy = w.ca.Policy()
	f := w2.compose(t, entryOf(t, signFor(), der), der).Verify(o)
	wantVerdict(t, f, verdict.Failed, verdict.ReceiptSigner)

	// The recipient's own statement, which does not name the recipient's certificate by digest.
	office := w.ca.Party(t, "office-b")
	bound := forge.OpenSigned(signRaw(t, content, office), hand.Tools(office.SignKey.ExportScalar()))
	bound.Drop(0, 1, 2, 840, 113549, 1, 9, 16, 2, 47)
	bound.Resign(0)
	unbound, err := receipt.ParseStatement(bound.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if v := unbound.Judge(cms.JudgeOptions{Policy: w.ca.Policy(), Now: partytest.Clock().Add(time.Hour)}); v.Verdict != verdict.Failed || v.Reason != verdict.SignedAttrsIncomplete {
		t.Errorf("%s (%s), want signed_attrs_incomplete", v.Verdict, v.Reason)
	}

	// A certificate that names no office decides nothing.
	nobody := w.ca.Party(t, "")
	der = signRaw(t, content, nobody)
	w3 := newWorld(t)
	o = w3.options()
	o.Policy = w.ca.Policy()
	wantVerdict(t, w3.compose(t, entryOf(t, signFor(), der), der).Verify(o), verdict.Indeterminate, verdict.ReceiptSigner)
}

func TestBytesAreCanonical(t *testing.T) {
	w := newWorld(t)
	e, der := w.signedFor(t, w.recipient)
	good := string(mustMarshal(t, w.compose(t, e, der)))
	if _, err := receipt.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"white space":        strings.Replace(good, `"index":`, `"index": `, 1),
		"no newline":         strings.TrimSuffix(good, "\n"),
		"two newlines":       good + "\n",
		"trailing bytes":     good + "x",
		"unknown field":      strings.Replace(good, `"index":`, `"more":1,"index":`, 1),
		"field twice":        strings.Replace(good, `"index":`, `"index":1,"index":`, 1),
		"other order":        strings.Replace(good, `"v":1,"id":"ev-2"`, `"id":"ev-2","v":1`, 1),
		"escaped letter":     strings.Replace(good, `"ev-2"`, `"\u0065v-2"`, 1),
		"name in other case": strings.Replace(good, `"exchange"`, `"Exchange"`, 1),
		"other schema":       strings.Replace(good, "yinxin.receipt/1", "yinxin.receipt/2", 1),
		"other version":      strings.Replace(good, `"v":1`, `"v":2`, 1),
		"upper-case digest":  strings.Replace(good, digest(1).String(), strings.ToUpper(digest(1).String()[:4])+digest(1).String()[4:]+" ", 1),
		"time with zone":     strings.Replace(good, `:02.000Z"`, `:02.000+00:00"`, 1),
		"empty":              "",
		"cut":                good[:len(good)/2],
		"too large":          good + strings.Repeat(" ", receipt.MaxReceipt),
	} {
		if bad == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := receipt.Parse([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if f := receipt.VerifyBytes([]byte(bad), w.options()); f.Verdict != verdict.Rejected {
			t.Errorf("%s: verdict %s", name, f.Verdict)
		}
	}
}

func TestEntriesThatNobodyMayWrite(t *testing.T) {
	for name, change := range map[string]func(e *receipt.Entry){
		"unknown event":                 func(e *receipt.Entry) { e.Event = "Delivered" },
		"no id":                         func(e *receipt.Entry) { e.ID = "" },
		"a name for a code":             func(e *receipt.Entry) { e.Sender = "市教育局" },
		"an oversized code":             func(e *receipt.Entry) { e.Hub = strings.Repeat("h", 65) },
		"no exchange":                   func(e *receipt.Entry) { e.Exchange = "" },
		"one digest":                    func(e *receipt.Entry) { e.DocumentSHA256 = transport.Digest{} },
		"a reason without a negative":   func(e *receipt.Entry) { e.Reason = "01" },
		"a negative without a reason":   func(e *receipt.Entry) { e.Event = transport.SubmissionRejection },
		"a reason of another event":     func(e *receipt.Entry) { e.Event, e.Reason = transport.SubmissionRejection, "01" },
		"a statement by nobody":         func(e *receipt.Entry) { e.Statement = digest(1) },
		"no recipient for one delivery": func(e *receipt.Entry) { e.Event = transport.ContentConsignment },
		"an act without its statement": func(e *receipt.Entry) {
			e.Event, e.Recipient = transport.ConsignmentAcceptance, "office-b"
		},
		"no time":                              func(e *receipt.Entry) { e.Time = time.Time{} },
		"far in future":                        func(e *receipt.Entry) { e.Time = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"path as a code":                       func(e *receipt.Entry) { e.Exchange = "../x" },
		"a limit to sign for of an acceptance": func(e *receipt.Entry) { e.Due = e.Time.Add(time.Hour) },
		"a limit out of the calendar": func(e *receipt.Entry) {
			e.Event, e.Recipient, e.Due = transport.ContentConsignment, "office-b", time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
		},
	} {
		e := accepted()
		change(&e)
		if b, err := e.Marshal(); err == nil {
			t.Errorf("%s: written as %s", name, b)
		}
	}
	e := accepted()
	e.Event, e.Reason, e.Exchange = transport.SubmissionRejection, receipt.ClassifiedContent, ""
	e.DocumentSM3, e.DocumentSHA256 = transport.Digest{}, transport.Digest{}
	if _, err := e.Marshal(); err != nil {
		t.Errorf("the refusal of a classified document cannot be written: %v", err)
	}
}

func TestEveryEventOfTheMachineCanBeWritten(t *testing.T) {
	for _, r := range transport.Rules() {
		e := accepted()
		e.Event = r.Event
		if !r.Whole {
			e.Recipient = "office-b"
		}
		by, required := receipt.StatementBy(r.Event)
		if required != r.Statement || required != (by != receipt.NoParty) {
			t.Errorf("%s: statement by %q, required %v; the machine says %v", r.Event, by, required, r.Statement)
		}
		if required {
			e.Statement = digest(5)
		}
		codes := receipt.Reasons(r.Event)
		if r.Reason && len(codes) == 0 {
			t.Errorf("%s: the machine asks for a reason and there is none", r.Event)
		}
		if r.Reason {
			e.Reason = codes[0]
		}
		if r.Act == transport.Print || r.Act == transport.VoidCopy {
			if _, err := e.Marshal(); err == nil {
				t.Errorf("%s without the number of a copy", r.Event)
			}
			e.Copy = 1
		}
		if _, err := e.Marshal(); err != nil {
			t.Errorf("%s: %v", r.Event, err)
		}
	}
}

func TestStatementsAreWholeAndPlain(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(s *receipt.Statement){
		"event of the hub":  func(s *receipt.Statement) { s.Event = transport.SubmissionAcceptance },
		"no document":       func(s *receipt.Statement) { s.DocumentSM3 = transport.Digest{} },
		"line break":        func(s *receipt.Statement) { s.Text = "a\nb" },
		"line separator":    func(s *receipt.Statement) { s.Text = "a\u2028b" },
		"broken UTF-8":      func(s *receipt.Statement) { s.Text = "a\xffb" },
		"long text":         func(s *receipt.Statement) { s.Text = strings.Repeat("字", receipt.MaxText+1) },
		"long number":       func(s *receipt.Statement) { s.Number = strings.Repeat("1", receipt.MaxNumber+1) },
		"verdict":           func(s *receipt.Statement) { s.Verdict = "good" },
		"reason":            func(s *receipt.Statement) { s.Reason = "01" },
		"return, no reason": func(s *receipt.Statement) { s.Event = transport.ConsignmentRejection },
	} {
		s := signFor()
		change(&s)
		if _, err := s.Sign(w.recipient.Sign()); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	_, der := w.signedFor(t, w.recipient)
	for name, bad := range map[string][]byte{
		"cut": der[:len(der)-1], "trailing": append(bytes.Clone(der), 0), "empty": nil, "other content": signRaw(t, []byte("{}"), w.recipient),
	} {
		if _, err := receipt.ParseStatement(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestComposeRefusesWhatDoesNotHold(t *testing.T) {
	w := newWorld(t)
	e, der := w.signedFor(t, w.recipient)
	r := w.compose(t, e, der)
	leaf, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	placed := tlog.Placed{Index: r.Index, Proof: r.Proof}
	if _, err := receipt.Compose(leaf, placed, r.Checkpoint, nil, nil); err == nil {
		t.Error("without its statement")
	}
	if _, err := receipt.Compose(leaf, tlog.Placed{Index: 0, Proof: r.Proof}, r.Checkpoint, der, nil); err == nil {
		t.Error("with a proof of another place")
	}
	if _, err := receipt.Compose(leaf[1:], placed, r.Checkpoint, der, nil); err == nil {
		t.Error("with a damaged entry")
	}
	if _, err := receipt.Compose(leaf, placed, []byte("x"), der, nil); err == nil {
		t.Error("without a checkpoint")
	}
}

// What is written reads back, for any entry.
func TestEntriesReadBack(t *testing.T) {
	codes := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`)
	events := []transport.Event{transport.SubmissionAcceptance, transport.RelayAcceptance, transport.ContentConsignment, transport.Deposit}
	rapid.Check(t, func(r *rapid.T) {
		e := accepted()
		e.Event = rapid.SampledFrom(events).Draw(r, "event")
		e.ID, e.Exchange, e.Sender = codes.Draw(r, "id"), codes.Draw(r, "exchange"), codes.Draw(r, "sender")
		e.Recipient, e.Hub = codes.Draw(r, "recipient"), codes.Draw(r, "hub")
		e.Time = time.UnixMilli(rapid.Int64Range(946684800000, 4102444800000).Draw(r, "time")).UTC()
		if e.Event == transport.ContentConsignment && rapid.Bool().Draw(r, "limited") {
			e.Due = e.Time.Add(time.Duration(rapid.Int64Range(0, 1000).Draw(r, "hours")) * time.Hour)
		}
		e.Previous = transport.Digest(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "previous"))
		b, err := e.Marshal()
		if err != nil {
			r.Fatal(err)
		}
		got, err := receipt.ParseEntry(b)
		if err != nil {
			r.Fatal(err)
		}
		if d := cmp.Diff(e, got); d != "" {
			r.Fatal(d)
		}
	})
}

func FuzzParseReceipt(f *testing.F) {
	w := newWorld(f)
	f.Add(mustMarshal(f, w.compose(f, accepted(), nil)))
	o := w.options()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := receipt.Parse(data)
		if err != nil {
			return
		}
		if b := mustMarshal(t, r); !bytes.Equal(b, data) {
			t.Fatalf("%q reads back as %q", data, b)
		}
		if file := r.Verify(o); file.Verdict == verdict.Passed && !bytes.Contains(data, []byte(origin)) {
			t.Fatal("passed without the log")
		}
	})
}

func FuzzParseEntry(f *testing.F) {
	b, err := accepted().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := receipt.ParseEntry(data)
		if err != nil {
			return
		}
		if again, err := e.Marshal(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%q reads back as %q, %v", data, again, err)
		}
	})
}

func FuzzParseStatement(f *testing.F) {
	w := newWorld(f)
	_, der := w.signedFor(f, w.recipient)
	f.Add(der)
	o := w.options()
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := receipt.ParseStatement(data)
		if err != nil {
			return
		}
		_ = s.Judge(judgeOptions(o))
	})
}
