package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/internal/audit"
	"yinxin/internal/sqlite"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/envelope"
	"yinxin/transport/hub"
	"yinxin/transport/hub/hubtest"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

func open(tb testing.TB, path string, o sqlite.Options) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(context.Background(), path, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func start(tb testing.TB, edit func(*hub.Config, *hub.Parts)) (*hubtest.World, *hubtest.Running) {
	tb.Helper()
	w := hubtest.New(tb)
	folder := tb.TempDir()
	if strings.HasPrefix(tb.Name(), onPostgres) {
		return w, w.Run(openPostgres(tb), folder, edit)
	}
	return w, w.Run(open(tb, filepath.Join(folder, "hub.db"), sqlite.Options{}), folder, edit)
}

func submit(t *testing.T, r *hubtest.Running, key, office string, body []byte) hub.Submission {
	t.Helper()
	sub, err := r.Submit(t.Context(), hubtest.Caller(office), key, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// wantRefusal checks the code of a refusal.
func wantRefusal(t *testing.T, err error, code api.Code) *hub.Refusal {
	t.Helper()
	var r *hub.Refusal
	if !errors.As(err, &r) || r.Code != code {
		t.Fatalf("error %v, want a refusal with %s", err, code)
	}
	return r
}

func settle(t *testing.T, r *hubtest.Running) {
	t.Helper()
	if err := r.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// box returns the newest delivery in an office's box.
func box(t *testing.T, r *hubtest.Running, office string) hub.Received {
	t.Helper()
	got, err := r.Inbox(t.Context(), hubtest.Caller(office), hub.InboxFilter{Page: hub.Page{Limit: 10}})
	if err != nil || len(got) == 0 {
		t.Fatalf("inbox of %s: %d deliveries, error %v", office, len(got), err)
	}
	return got[0]
}

func TestWholePath(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	document := []byte("a sealed document")
	body := w.Pack(w.ID(), "A", document, nil, "C", "D")
	sub := submit(t, r, "k1", "A", body)
	if _, err := r.Receipt(ctx, hubtest.Caller("A"), sub.Exchange.Entry); !errors.Is(err, hub.ErrPending) {
		t.Fatalf("receipt before the log: error %v, want pending", err)
	}
	settle(t, r)
	verify(t, r, "A", sub.Exchange.Entry, transport.SubmissionAcceptance)

	sign(t, r, "C")
	settle(t, r)
	got, err := r.Track(ctx, hubtest.Caller("A"), sub.Exchange.ID)
	if err != nil || got.Exchange.Deposited != "" || got.Deliveries[0].State != transport.Acknowledged {
		t.Fatalf("deposited before D has ended: %+v, %v", got.Exchange, err)
	}
	sign(t, r, "D")
	settle(t, r)
	if got, err = r.Track(ctx, hubtest.Caller("A"), sub.Exchange.ID); err != nil {
		t.Fatal(err)
	}
	for _, d := range got.Deliveries {
		if d.State != transport.Archived {
			t.Errorf("delivery to %s is %s", d.Recipient, d.State)
		}
	}
	if got.Exchange.Deposited == "" {
		t.Error("the record was not deposited")
	}
	checkChain(t, r, got)
	for _, e := range got.Evidence {
		verify(t, r, "A", e.ID, e.Event)
	}
	w.Clock.Move(2 * hub.JobLease)
	if n, err := r.Work(ctx); n != 0 || err != nil {
		t.Errorf("%d jobs were done and not finished (%v)", n, err)
	}
	if n, _, err := r.Store.(interface {
		VerifyAudit(context.Context) (uint64, [32]byte, error)
	}).VerifyAudit(ctx); err != nil || n == 0 {
		t.Errorf("audit of %d rows: %v", n, err)
	}
}

// sign takes the newest delivery of an office through opening and sign-for.
func sign(t *testing.T, r *hubtest.Running, office string) {
	t.Helper()
	ctx := t.Context()
	in := box(t, r, office)
	c := hubtest.Caller(office)
	var out bytes.Buffer
	wantRefusal(t, r.Envelope(ctx, c, in.Delivery.ID, &out), api.InvalidTransition)
	m, err := r.Open(ctx, c, "open-"+office, in.Delivery.ID, r.World.Statement(office, transport.ContentHandover, in.Exchange, office, nil))
	if err != nil {
		t.Fatal(err)
	}
	if m.Delivery.State != transport.Opened {
		t.Fatalf("state %s after opening", m.Delivery.State)
	}
	if err := r.Envelope(ctx, c, in.Delivery.ID, &out); err != nil {
		t.Fatal(err)
	}
	e, err := envelope.Parse(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Recipients(); len(got) != 1 || got[0] != office {
		t.Errorf("the envelope for %s has parts of %v", office, got)
	}
	number := func(s *receipt.Statement) { s.Number, s.Verdict = office+"-7", verdict.Passed }
	m, err = r.Acknowledge(ctx, c, "ack-"+office, in.Delivery.ID,
		r.World.Statement(office, transport.ConsignmentAcceptance, in.Exchange, office, number))
	if err != nil {
		t.Fatal(err)
	}
	if m.Delivery.State != transport.Acknowledged || m.Delivery.SignNumber != office+"-7" {
		t.Fatalf("delivery %+v after sign-for", m.Delivery)
	}
}

func verify(t *testing.T, r *hubtest.Running, office, entry string, event transport.Event) {
	t.Helper()
	body, err := r.Receipt(t.Context(), hubtest.Caller(office), entry)
	if err != nil {
		t.Fatal(err)
	}
	got, err := receipt.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	if got.Entry.Event != event {
		t.Errorf("receipt of %s, want %s", got.Entry.Event, event)
	}
	f := got.Verify(receipt.VerifyOptions{Logs: []*tlog.Verifier{r.Key}, Policy: r.World.Policy(), Now: r.World.Clock.Now()})
	if f.Verdict != verdict.Passed {
		t.Errorf("receipt of %s: %s %s %+v", event, f.Verdict, f.Reason, f.Checks)
	}
}

// checkChain checks that each entry of an exchange names the one before it and that
// time never falls.
func checkChain(t *testing.T, r *hubtest.Running, got hub.Track) {
	t.Helper()
	var before transport.Digest
	var last time.Time
	for i, e := range got.Evidence {
		entry, err := receipt.ParseEntry(e.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		if (entry.Event == transport.ContentConsignment) == entry.Due.IsZero() {
			t.Errorf("entry %d (%s) with the limit %s", i, e.Event, entry.Due)
		}
		if entry.Previous != before {
			t.Errorf("entry %d (%s) does not follow the one before it", i, e.Event)
		}
		if entry.Time.Before(last) {
			t.Errorf("entry %d (%s) is older than the one before it", i, e.Event)
		}
		before, last = e.Digest, entry.Time
	}
	if got.Exchange.LastEntry != before {
		t.Error("the exchange does not name its newest entry")
	}
}

func TestSubmitAgain(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	id := w.ID()
	body := w.Pack(id, "A", []byte("one"), nil, "C")
	other := w.Pack(id, "A", []byte("two"), nil, "C")
	fresh := w.Pack(w.ID(), "A", []byte("three"), nil, "C")
	first := submit(t, r, "k1", "A", body)
	settle(t, r)
	bytes1, err := r.Receipt(ctx, hubtest.Caller("A"), first.Exchange.Entry)
	if err != nil {
		t.Fatal(err)
	}
	entries := countEntries(t, r)

	for name, key := range map[string]string{"same key": "k1", "another key": "k2", "that key again": "k2"} {
		again := submit(t, r, key, "A", body)
		if !again.Repeated || again.Exchange.Entry != first.Exchange.Entry || len(again.Deliveries) != 1 {
			t.Errorf("%s: got %+v", name, again)
		}
		bytes2, err := r.Receipt(ctx, hubtest.Caller("A"), again.Exchange.Entry)
		if err != nil || !bytes.Equal(bytes1, bytes2) {
			t.Errorf("%s: another receipt, error %v", name, err)
		}
	}
	settle(t, r)
	if n := countEntries(t, r); n != entries {
		t.Errorf("repeats left %d entries", n-entries)
	}

	if _, err := r.Submit(ctx, hubtest.Caller("A"), "k3", bytes.NewReader(other)); !wantRefusal(t, err, api.DuplicateConflict).Conflict409 {
		t.Error("other bytes under the exchange id: want status 409")
	}
	for _, key := range []string{"k1", "k2"} {
		_, err := r.Submit(ctx, hubtest.Caller("A"), key, bytes.NewReader(fresh))
		if wantRefusal(t, err, api.DuplicateConflict).Conflict409 {
			t.Error("other bytes under the key: want status 422")
		}
	}
	// Another office may use the same key, and cannot take the exchange id.
	submit(t, r, "k1", "B", w.Pack(w.ID(), "B", []byte("four"), nil, "C"))
	_, err = r.Submit(ctx, hubtest.Caller("B"), "k9", bytes.NewReader(w.Pack(id, "B", []byte("one"), nil, "C")))
	wantRefusal(t, err, api.DuplicateConflict)
	// A refused key is free for the good submission that follows.
	submit(t, r, "k3", "A", fresh)
}

func countEntries(t *testing.T, r *hubtest.Running) int {
	t.Helper()
	leaves, err := r.Store.Published(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int(leaves.Size)
}

func TestSubmitManyAtOnce(t *testing.T) {
	w, r := start(t, nil)
	body := w.Pack(w.ID(), "A", []byte("one"), nil, "C")
	const n = 200
	var wg sync.WaitGroup
	entries := make([]string, n)
	for i := range n {
		wg.Go(func() {
			sub, err := r.Submit(t.Context(), hubtest.Caller("A"), "k"+strconv.Itoa(i%3), bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			entries[i] = sub.Exchange.Entry
		})
	}
	wg.Wait()
	for _, e := range entries {
		if e != entries[0] {
			t.Fatal("the same submission became two exchanges")
		}
	}
	if err := r.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := countEntries(t, r); got != 1 {
		t.Errorf("%d log entries, want 1", got)
	}
}

func TestSubmitRefusals(t *testing.T) {
	w, r := start(t, func(c *hub.Config, _ *hub.Parts) { c.MaxEnvelope = 200 << 10 })
	ctx := t.Context()
	closed := w.Add("CLOSED")
	if err := r.Directory.SaveOrganisation(ctx, directory.Organisation{
		Code: "CLOSED", Name: "closed", Status: directory.Closed, SigningCert: closed.SigningCert.PEM(), EncryptionCert: closed.EncryptionCert.PEM(),
	}); err != nil {
		t.Fatal(err)
	}
	w.Add("STRANGER")
	good := func(edit func(*envelope.PackOptions), to ...string) []byte {
		return w.Pack(w.ID(), "A", []byte("document"), edit, to...)
	}
	finding := func(f ...envelope.Finding) func(*envelope.PackOptions) {
		return func(o *envelope.PackOptions) { o.Report.Findings = f }
	}
	clean := envelope.Finding{Check: envelope.FindingClassification, Verdict: verdict.Passed}
	classified := finding(envelope.Finding{Check: envelope.FindingClassification, Verdict: verdict.Failed})
	other := hubtest.New(t) // the same codes under another root
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	flip := func(b []byte, at int) []byte { b[at] ^= 1; return b }
	tests := []struct {
		name string
		body []byte
		want api.Code
	}{
		{"empty", nil, api.Malformed},
		{"not an envelope", []byte("hello"), api.Malformed},
		{"truncated", cut(good(nil, "C"), 40), api.Malformed},
		{"trailing byte", append(good(nil, "C"), 0), api.Malformed},
		{"another version", append([]byte("yinxin envelope 9\n"), good(nil, "C")[18:]...), api.UnsupportedVersion},
		{"payload changed", func() []byte {
			b := good(nil, "C")
			e, err := envelope.Parse(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			return flip(b, int(e.Payload().Offset)+40)
		}(), api.EnvelopeInvalid},
		{"of another office", w.Pack(w.ID(), "B", []byte("x"), nil, "C"), api.SenderMismatch},
		{"signed under another root", other.Pack(w.ID(), "A", []byte("x"), nil, "C"), api.SenderMismatch},
		{"unknown addressee", good(nil, "C", "STRANGER"), api.InvalidAddressee},
		{"closed addressee", good(nil, "CLOSED"), api.InvalidAddressee},
		{"wrong certificate", good(func(o *envelope.PackOptions) {
			o.Recipients[0].Certificate = other.Office("C").EncryptionCert
		}, "C"), api.InvalidAddressee},
		{"nobody but the archive", good(nil), api.Validation},
		{"without the archive", good(func(o *envelope.PackOptions) { o.Recipients = o.Recipients[:1] }, "C"), api.Validation},
		{"without the own copy", good(func(o *envelope.PackOptions) { o.Own = nil }, "C"), api.Validation},
		{"the archive as an ordinary recipient", good(func(o *envelope.PackOptions) { o.Recipients[1].Role = transport.To }, "C"), api.InvalidAddressee},
		{"another archive", good(func(o *envelope.PackOptions) { o.Recipients[0].Role = transport.ForArchive }, "C", "D"), api.InvalidAddressee},
		{"id is no UUID", w.Pack("my-exchange", "A", []byte("x"), nil, "C"), api.Validation},
		{"no document", good(func(o *envelope.PackOptions) { o.Document = -1 }, "C"), api.UnsupportedFormat},
		{"no report", good(finding(), "C"), api.Validation},
		{"classified", good(classified, "C"), api.ClassifiedContent},
		{"classification not known", good(finding(envelope.Finding{Check: "classification", Verdict: verdict.Indeterminate}), "C"), api.Validation},
		{"seal failed", good(finding(clean, envelope.Finding{Check: "seals", Verdict: verdict.Failed}), "C"), api.SealInvalid},
		{"seal not known", good(finding(clean, envelope.Finding{Check: "seals", Verdict: verdict.Indeterminate}), "C"), api.SealIndeterminate},
		{"too large", w.Pack(w.ID(), "A", make([]byte, 300<<10), nil, "C"), api.TooLarge},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.Submit(ctx, hubtest.Caller("A"), "r"+strconv.Itoa(i), bytes.NewReader(tt.body))
			refusal := wantRefusal(t, err, tt.want)
			if len(tt.body) == 0 || tt.want == api.TooLarge {
				return
			}
			_, err = r.Submit(ctx, hubtest.Caller("A"), "again"+strconv.Itoa(i), bytes.NewReader(tt.body))
			if again := wantRefusal(t, err, tt.want); again.Entry != refusal.Entry || refusal.Entry == "" {
				t.Errorf("recorded as %q and %q, want one entry", refusal.Entry, again.Entry)
			}
			if err := r.Publish(ctx); err != nil {
				t.Fatal(err)
			}
			verify(t, r, "A", refusal.Entry, transport.SubmissionRejection)
			_, err = r.Receipt(ctx, hubtest.Caller("B"), refusal.Entry)
			wantRefusal(t, err, api.NotFound)
		})
	}
	submit(t, r, "good", "A", good(nil, "C"))
	submit(t, r, "without-seals", "A", good(finding(clean, envelope.Finding{Check: "seals", Verdict: verdict.Unsigned}), "C"))
}

func TestSubmitCutOffOrLarge(t *testing.T) {
	w, r := start(t, nil)
	large := w.Pack(w.ID(), "A", bytes.Repeat([]byte("page "), 60_000), nil, "C")
	for _, n := range []int{10, 70_000, len(large) - 1} {
		body := io.MultiReader(bytes.NewReader(large[:n]), broken{})
		_, err := r.Submit(t.Context(), hubtest.Caller("A"), "cut", body)
		if r := wantRefusal(t, err, api.Malformed); r.Entry != "" {
			t.Error("an upload that was not read to its end left evidence of its bytes")
		}
	}
	sub := submit(t, r, "cut", "A", large)
	settle(t, r)
	c := hubtest.Caller("A")
	var out bytes.Buffer
	if err := r.OwnEnvelope(t.Context(), c, sub.Exchange.ID, &out); err != nil {
		t.Fatal(err)
	}
	opened, err := envelope.Open(bytes.NewReader(out.Bytes()), int64(out.Len()), envelope.OpenOptions{
		Key: w.Office("A").EncryptionKey, Certificate: w.Office("A").EncryptionCert, Policy: w.Policy(), Now: w.Clock.Now(),
		Sink: &envelope.Memory{Limit: 1 << 20},
	})
	if err != nil || !opened.Released() {
		t.Fatalf("open own copy: %v", err)
	}
}

// broken is the end of an upload that was cut off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestWithdrawAgainstOpen(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	outcomes := map[transport.State]int{}
	for i := range 20 {
		sub := submit(t, r, "k"+strconv.Itoa(i), "A", w.Pack(w.ID(), "A", []byte{byte(i)}, nil, "C"))
		settle(t, r)
		in := box(t, r, "C")
		hand := w.Statement("C", transport.ContentHandover, in.Exchange, "C", nil)
		wd := w.Statement("A", transport.Withdrawal, in.Exchange, "C", nil)
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() { _, errs[0] = r.Open(ctx, hubtest.Caller("C"), "o"+strconv.Itoa(i), in.Delivery.ID, hand) })
		wg.Go(func() {
			_, errs[1] = r.Withdraw(ctx, hubtest.Caller("A"), "w"+strconv.Itoa(i), sub.Exchange.ID, "C", wd)
		})
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("opening: %v, withdrawal: %v; want exactly one", errs[0], errs[1])
		}
		wantRefusal(t, errors.Join(errs...), api.InvalidTransition)
		got, err := r.Track(ctx, hubtest.Caller("A"), sub.Exchange.ID)
		if err != nil {
			t.Fatal(err)
		}
		state := got.Deliveries[0].State
		outcomes[state]++
		want := transport.Opened
		if errs[1] == nil {
			want = transport.Withdrawn
			wantRefusal(t, r.Envelope(ctx, hubtest.Caller("C"), in.Delivery.ID, io.Discard), api.NotFound)
		}
		if state != want {
			t.Errorf("state %s, want %s", state, want)
		}
		if n := len(got.Evidence); n != 4 { // accepted, routed, consigned, and the winner
			t.Errorf("%d entries, want 4", n)
		}
		checkChain(t, r, got)
	}
	t.Logf("outcomes: %v", outcomes)
}

func TestReturnAndItsAcknowledgement(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	sub := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), nil, "C"))
	settle(t, r)
	in := box(t, r, "C")
	back := w.Statement("C", transport.ConsignmentRejection, in.Exchange, "C", nil)
	m, err := r.Return(ctx, hubtest.Caller("C"), "b", in.Delivery.ID, back)
	if err != nil || m.Delivery.Reason != "01" || m.Delivery.Comment != "not ours" {
		t.Fatalf("return: %+v, %v", m.Delivery, err)
	}
	again, err := r.Return(ctx, hubtest.Caller("C"), "b", in.Delivery.ID, back)
	if err != nil || !again.Repeated || again.Evidence.ID != m.Evidence.ID {
		t.Errorf("the same return again: %+v, %v", again.Evidence, err)
	}
	_, err = r.Return(ctx, hubtest.Caller("C"), "b2", in.Delivery.ID, back)
	wantRefusal(t, err, api.InvalidTransition)
	seen := w.Statement("A", transport.ReturnAcknowledgement, in.Exchange, "C", nil)
	m, err = r.AcknowledgeReturn(ctx, hubtest.Caller("A"), "s", sub.Exchange.ID, "C", seen)
	if err != nil || m.Delivery.State != transport.ReturnAcknowledged || m.Delivery.Reason != "01" {
		t.Fatalf("acknowledge return: %+v, %v", m.Delivery, err)
	}
	settle(t, r)
	got, err := r.Track(ctx, hubtest.Caller("A"), sub.Exchange.ID)
	if err != nil || got.Exchange.Deposited == "" || got.Deliveries[0].State != transport.ReturnAcknowledged {
		t.Errorf("after the deposit: %+v, %v", got.Deliveries, err)
	}
}

func TestStatementsOfOthers(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	submit(t, r, "k0", "A", w.Pack(w.ID(), "A", []byte("other"), nil, "C"))
	settle(t, r)
	wrong := box(t, r, "C").Exchange
	submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), nil, "C", "D"))
	settle(t, r)
	in := box(t, r, "C")
	open := func(edit func(*receipt.Statement)) []byte {
		return w.Statement("C", transport.ContentHandover, in.Exchange, "C", edit)
	}
	forged := hubtest.New(t)
	tests := []struct {
		name      string
		statement []byte
		want      api.Code
	}{
		{"none", nil, api.Malformed},
		{"not a message", []byte("yes, we have it"), api.Malformed},
		{"of another event", w.Statement("C", transport.ConsignmentAcceptance, in.Exchange, "C", nil), api.Validation},
		{"of another exchange", w.Statement("C", transport.ContentHandover, wrong, "C", nil), api.Validation},
		{"of another recipient", w.Statement("D", transport.ContentHandover, in.Exchange, "D", nil), api.Validation},
		{"of another document", open(func(s *receipt.Statement) { s.DocumentSM3[0] ^= 1 }), api.Validation},
		{"with a key of another root", forged.Statement("C", transport.ContentHandover, in.Exchange, "C", nil), api.SenderMismatch},
		{"changed after signing", func() []byte {
			b := bytes.Clone(open(nil))
			b[len(b)-1] ^= 1 // inside the signature value
			return b
		}(), api.SignatureInvalid},
	}
	before := countEntries(t, r)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := r.Open(ctx, hubtest.Caller("C"), "o", in.Delivery.ID, tt.statement)
			wantRefusal(t, err, tt.want)
		})
	}
	settle(t, r)
	if n := countEntries(t, r); n != before {
		t.Errorf("refused statements left %d entries", n-before)
	}
	if _, err := r.Open(ctx, hubtest.Caller("C"), "o", in.Delivery.ID, open(nil)); err != nil {
		t.Error(err)
	}
}

func TestOfficesDoNotSeeEachOther(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	sub := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), nil, "C", "D"))
	settle(t, r)
	in := box(t, r, "C")
	mine, err := r.Delivery(ctx, hubtest.Caller("C"), in.Delivery.ID)
	if err != nil || len(mine.Evidence) != 2 {
		t.Fatalf("own delivery: %d entries, %v", len(mine.Evidence), err)
	}
	for _, office := range []string{"B", "D", ""} {
		c := hubtest.Caller(office)
		_, err := r.Track(ctx, c, sub.Exchange.ID)
		wantRefusal(t, err, api.NotFound)
		_, err = r.Delivery(ctx, c, in.Delivery.ID)
		wantRefusal(t, err, api.NotFound)
		_, err = r.Open(ctx, c, "o", in.Delivery.ID, nil)
		wantRefusal(t, err, api.NotFound)
		_, err = r.Remind(ctx, c, "m", sub.Exchange.ID, "C")
		wantRefusal(t, err, api.NotFound)
		wantRefusal(t, r.Envelope(ctx, c, in.Delivery.ID, io.Discard), api.NotFound)
		wantRefusal(t, r.OwnEnvelope(ctx, c, sub.Exchange.ID, io.Discard), api.NotFound)
		for _, e := range mine.Evidence {
			_, err = r.Receipt(ctx, c, e.ID)
			wantRefusal(t, err, api.NotFound)
		}
	}
	// A recipient sees the receipts of its own delivery and not the sender's acceptance.
	_, err = r.Receipt(ctx, hubtest.Caller("C"), sub.Exchange.Entry)
	wantRefusal(t, err, api.NotFound)
	verify(t, r, "C", mine.Evidence[0].ID, transport.RelayAcceptance)
}

func TestOverdueIsAMark(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), func(o *envelope.PackOptions) { o.Urgency = transport.ExtraUrgent }, "C"))
	settle(t, r)
	if in := box(t, r, "C"); in.Delivery.Overdue || !in.Delivery.Due.Equal(w.Clock.Now().Add(4*time.Hour)) {
		t.Fatalf("due %s, overdue %v", in.Delivery.Due, in.Delivery.Overdue)
	}
	if _, err := r.Remind(ctx, hubtest.Caller("A"), "m", box(t, r, "C").Exchange.ID, "C"); err != nil {
		t.Fatal(err)
	}
	w.Clock.Move(4 * time.Hour)
	settle(t, r)
	in := box(t, r, "C")
	if !in.Delivery.Overdue || in.Delivery.State != transport.Available || in.Delivery.Reminders != 2 { // the sender's and the hub's own
		t.Fatalf("after the limit: %+v", in.Delivery)
	}
	sign(t, r, "C") // late is allowed
	if d := box(t, r, "C").Delivery; !d.Overdue || d.State != transport.Acknowledged {
		t.Errorf("after a late sign-for: %+v", d)
	}
}

func TestDeliveryIsGivenUp(t *testing.T) {
	down := &line{err: errors.New("no route")}
	w, r := start(t, func(c *hub.Config, p *hub.Parts) { p.Carrier, c.Tries, c.Backoff = down, 3, time.Second })
	ctx := t.Context()
	sub := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), nil, "C"))
	for range 5 {
		settle(t, r)
		w.Clock.Move(10 * time.Second)
	}
	got, err := r.Track(ctx, hubtest.Caller("A"), sub.Exchange.ID)
	if err != nil || got.Deliveries[0].State != transport.Failed || got.Deliveries[0].Reason != receipt.Unreachable {
		t.Fatalf("delivery %+v, %v", got.Deliveries, err)
	}
	if down.tried != 3 {
		t.Errorf("tried %d times, want 3", down.tried)
	}
	for _, e := range got.Evidence {
		if e.Event == transport.ContentConsignment {
			t.Error("a failed delivery has positive evidence")
		}
	}
	down.err = nil
	sub = submit(t, r, "k2", "A", w.Pack(w.ID(), "A", []byte("y"), nil, "C"))
	settle(t, r)
	if got, err := r.Track(ctx, hubtest.Caller("A"), sub.Exchange.ID); err != nil || got.Deliveries[0].State != transport.Available {
		t.Errorf("with the line up: %+v, %v", got.Deliveries, err)
	}
}

type line struct {
	err   error
	tried int
}

func (l *line) Carry(context.Context, transport.Delivery) error { l.tried++; return l.err }

func TestAddresseeClosesBeforeRouting(t *testing.T) {
	w, r := start(t, nil)
	ctx := t.Context()
	sub := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), nil, "C", "D"))
	c, err := r.Directory.Organisation(ctx, "C")
	if err != nil {
		t.Fatal(err)
	}
	c.Status = directory.Closed
	if err := r.Directory.SaveOrganisation(ctx, c); err != nil {
		t.Fatal(err)
	}
	settle(t, r)
	got, err := r.Track(ctx, hubtest.Caller("A"), sub.Exchange.ID)
	if err != nil || got.Deliveries[0].State != transport.Rejected || got.Deliveries[1].State != transport.Available {
		t.Fatalf("deliveries %+v, %v", got.Deliveries, err)
	}
	// The same submission again is still the same exchange, though C is closed now.
	body := w.Pack(w.ID(), "A", []byte("x"), nil, "C")
	_, err = r.Submit(ctx, hubtest.Caller("A"), "new", bytes.NewReader(body))
	wantRefusal(t, err, api.InvalidAddressee)
}

func TestRepeatOutlivesTheDirectory(t *testing.T) {
	w, r := start(t, nil)
	body := w.Pack(w.ID(), "A", []byte("x"), nil, "C")
	first := submit(t, r, "k", "A", body)
	c, err := r.Directory.Organisation(t.Context(), "C")
	if err != nil {
		t.Fatal(err)
	}
	c.Status = directory.Closed
	if err := r.Directory.SaveOrganisation(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k", "k2"} {
		if again := submit(t, r, key, "A", body); again.Exchange.Entry != first.Exchange.Entry {
			t.Errorf("key %s: another exchange", key)
		}
	}
}

func TestQueueBound(t *testing.T) {
	w, r := start(t, func(c *hub.Config, _ *hub.Parts) { c.QueueBound = 2 })
	for i := range 2 {
		submit(t, r, "k"+strconv.Itoa(i), "A", w.Pack(w.ID(), "A", []byte{byte(i)}, nil, "C"))
		w.Clock.Move(time.Second)
	}
	body := w.Pack(w.ID(), "A", []byte("more"), nil, "C")
	_, err := r.Submit(t.Context(), hubtest.Caller("A"), "more", bytes.NewReader(body))
	wantRefusal(t, err, api.Dependency)
	if err := r.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Clock.Move(time.Second)
	submit(t, r, "more", "A", body)
}

func TestNoAuditNoAct(t *testing.T) {
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Auditor = deaf{} })
	ctx := t.Context()
	sub := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), nil, "C"))
	settle(t, r)
	if err := r.OwnEnvelope(ctx, hubtest.Caller("A"), sub.Exchange.ID, io.Discard); !errors.Is(err, errDeaf) {
		t.Errorf("content was given without an audit record: %v", err)
	}
	_, err := r.Open(ctx, hubtest.Caller("C"), "o", box(t, r, "C").Delivery.ID, nil)
	if !errors.Is(err, errDeaf) {
		t.Errorf("a refusal went unrecorded: %v", err)
	}
	bad := hubtest.Caller("A")
	bad.Request = "two\nlines" // a record that the audit does not take
	if _, err := r.Submit(ctx, bad, "k2", bytes.NewReader(w.Pack(w.ID(), "A", []byte("y"), nil, "C"))); err == nil {
		t.Error("a submission was accepted without its audit record")
	}
	if got, err := r.Outbox(ctx, hubtest.Caller("A"), hub.Page{Limit: 10}); err != nil || len(got) != 1 {
		t.Errorf("%d exchanges, want 1 (%v)", len(got), err)
	}
}

var errDeaf = errors.New("audit disk is full")

type deaf struct{}

func (deaf) Record(context.Context, transport.AuditRecord) error { return errDeaf }

func TestRevokedSenderIsRefused(t *testing.T) {
	policy := cert.Policy{}
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Policy = func() cert.Policy { return policy } })
	body := w.Pack(w.ID(), "A", []byte("x"), nil, "C")
	_, err := r.Submit(t.Context(), hubtest.Caller("A"), "k", bytes.NewReader(body))
	wantRefusal(t, err, api.SenderMismatch) // no root: the chain is not known to be good
	policy = w.Policy()
	submit(t, r, "k", "A", body)
}

// refusing is an archive that refuses every record for good.
type refusing struct {
	hubtest.Shelf
	asked atomic.Int64
}

func (f *refusing) Deposit(context.Context, hub.Record) (transport.Digest, error) {
	f.asked.Add(1)
	return transport.Digest{}, fmt.Errorf("%w: %w", hub.ErrNotDeposited, &hub.Refusal{Code: api.ClassifiedContent})
}

// TestRefusedRecordIsParked: what the archive refuses is not tried on and on, and the audit says so.
func TestRefusedRecordIsParked(t *testing.T) {
	archive := &refusing{}
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Archiver = archive })
	sub := submit(t, r, "k1", "A", w.Pack(w.ID(), "A", []byte("a sealed document"), nil, "C"))
	settle(t, r)
	sign(t, r, "C")
	settle(t, r)
	for range 10 {
		w.Clock.Move(2 * time.Hour)
		if _, err := r.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := archive.asked.Load(); n != 1 {
		t.Errorf("the archive was asked %d times within a day, want 1", n)
	}
	rows, err := r.Store.(*sqlite.DB).AuditRows(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(rows, func(a audit.Row) bool {
		return a.Record.Action == "exchange.deposit" && a.Record.Object == sub.Exchange.ID && a.Record.Outcome == string(api.ClassifiedContent)
	}) {
		t.Errorf("the audit does not say that the record was refused: %+v", rows)
	}
	w.Clock.Move(7 * 24 * time.Hour) // and is looked at again when somebody may have put it right
	if _, err := r.Work(t.Context()); err != nil || archive.asked.Load() != 2 {
		t.Errorf("asked %d times after a week, %v", archive.asked.Load(), err)
	}
}
