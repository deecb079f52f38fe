package hub_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/calendar"
	"yinxin/transport/envelope"
	"yinxin/transport/hub"
	"yinxin/transport/hub/hubtest"
	"yinxin/transport/receipt"
)

func referring(kind transport.ReferenceKind, exchange string) func(*envelope.PackOptions) {
	return func(o *envelope.PackOptions) { o.Refers = transport.Reference{Kind: kind, Exchange: exchange} }
}

func events(t *testing.T, r *hubtest.Running, office, exchange string) []transport.Event {
	t.Helper()
	got, err := r.Track(t.Context(), hubtest.Caller(office), exchange)
	if err != nil {
		t.Fatal(err)
	}
	checkChain(t, r, got)
	var out []transport.Event
	for _, e := range got.Evidence {
		out = append(out, e.Event)
	}
	return out
}

// TestReissueCorrectAnnul: what a later exchange does to an earlier one, and everything that it may not.
func TestReissueCorrectAnnul(t *testing.T) {
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Archiver = nil })
	w.Add("E")
	w.Register(t.Context(), r.Directory)
	first := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("one"), nil, "C")).Exchange.ID
	foreign := submit(t, r, "f", "B", w.Pack(w.ID(), "B", []byte("one"), nil, "C")).Exchange.ID
	settle(t, r)
	n := 0
	refused := func(name string, kind transport.ReferenceKind, earlier, document string, to ...string) {
		t.Helper()
		n++
		before := events(t, r, "A", first)
		_, err := r.Submit(t.Context(), hubtest.Caller("A"), fmt.Sprintf("r%d", n),
			bytes.NewReader(w.Pack(w.ID(), "A", []byte(document), referring(kind, earlier), to...)))
		refusal := wantRefusal(t, err, api.Validation)
		if refusal != nil && refusal.Entry == "" {
			t.Errorf("%s: the refusal left no evidence", name)
		}
		if after := events(t, r, "A", first); !slices.Equal(before, after) {
			t.Errorf("%s: the refusal changed the earlier exchange: %v", name, after)
		}
	}
	refused("a reissue of another document", transport.Reissues, first, "two", "D")
	refused("a reissue to who has it", transport.Reissues, first, "one", "C", "D")
	refused("a correction with the same document", transport.Corrects, first, "one", "C")
	refused("a correction that leaves somebody out", transport.Corrects, first, "two", "D")
	refused("another office's exchange", transport.Reissues, foreign, "one", "D")
	refused("no exchange at all", transport.Reissues, w.ID(), "one", "D")

	again := submit(t, r, "re", "A", w.Pack(w.ID(), "A", []byte("one"), referring(transport.Reissues, first), "D")).Exchange
	settle(t, r)
	if d := box(t, r, "D"); d.Exchange.ID != again.ID || d.Delivery.State != transport.Available {
		t.Fatalf("the new recipient has %+v", d)
	}
	if last := events(t, r, "A", first); last[len(last)-1] != transport.Reissue {
		t.Errorf("the first exchange says %v", last)
	}
	refused("a reissue of a reissue", transport.Reissues, again.ID, "one", "E")
	refused("a second reissue to the same office", transport.Reissues, first, "one", "D")
	refused("a correction that forgets whom it was reissued to", transport.Corrects, first, "two", "C")

	fixed := submit(t, r, "co", "A", w.Pack(w.ID(), "A", []byte("two"), referring(transport.Corrects, first), "C", "D")).Exchange
	settle(t, r)
	refused("a second correction of the same document", transport.Annuls, first, "three", "C", "D")
	for _, old := range []string{first, again.ID} { // the first recipient, and the one of the reissue, learn of it
		office := map[string]string{first: "C", again.ID: "D"}[old]
		in, err := r.Inbox(t.Context(), hubtest.Caller(office), hub.InboxFilter{Page: hub.Page{Limit: 9}})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range in {
			got, err := r.Delivery(t.Context(), hubtest.Caller(office), d.Delivery.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := transport.Reference{}
			if d.Exchange.ID == old {
				want = transport.Reference{Kind: transport.Corrects, Exchange: fixed.ID}
			}
			if got.Exchange.Superseded != want {
				t.Errorf("office %s sees of exchange %s: superseded by %+v, want %+v", office, d.Exchange.ID, got.Exchange.Superseded, want)
			}
		}
	}
	verify(t, r, "A", lastEntry(t, r, "A", first), transport.Correction)
	gone := submit(t, r, "an", "A", w.Pack(w.ID(), "A", []byte("three"), referring(transport.Annuls, fixed.ID), "C", "D")).Exchange
	settle(t, r)
	got, err := r.Track(t.Context(), hubtest.Caller("A"), fixed.ID)
	if err != nil || got.Exchange.Superseded != (transport.Reference{Kind: transport.Annuls, Exchange: gone.ID}) {
		t.Errorf("the annulled exchange: %+v, %v", got.Exchange.Superseded, err)
	}
}

func lastEntry(t *testing.T, r *hubtest.Running, office, exchange string) string {
	t.Helper()
	got, err := r.Track(t.Context(), hubtest.Caller(office), exchange)
	if err != nil {
		t.Fatal(err)
	}
	return got.Evidence[len(got.Evidence)-1].ID
}

// TestRandomReferences plays submissions, reissues, corrections and annulments in any order over the real store and holds
// the hub to three rules: nobody gets the same document twice in force, everybody who can read a document gets its
// correction, and a document is settled once.
func TestRandomReferences(t *testing.T) {
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Archiver = nil })
	w.Add("E")
	w.Register(t.Context(), r.Directory)
	n := 0
	type doc struct {
		text    string
		holders map[string]bool
		settled bool
	}
	rapid.Check(t, func(rt *rapid.T) {
		docs, order := map[string]*doc{}, []string{}
		for range rapid.IntRange(2, 6).Draw(rt, "steps") {
			n++
			kind := rapid.SampledFrom([]transport.ReferenceKind{"", transport.Reissues, transport.Corrects, transport.Annuls}).Draw(rt, "kind")
			to := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"C", "D", "E"}), 1, 3, rapid.ID).Draw(rt, "to")
			text, edit, allowed := fmt.Sprintf("document %d", n), (func(*envelope.PackOptions))(nil), true
			var old *doc
			if kind != "" && len(order) > 0 {
				id := rapid.SampledFrom(order).Draw(rt, "earlier")
				old, edit = docs[id], referring(kind, id)
				allowed = !old.settled
				for _, office := range []string{"C", "D", "E"} {
					addressed := slices.Contains(to, office)
					if kind == transport.Reissues && addressed && old.holders[office] || kind != transport.Reissues && !addressed && old.holders[office] {
						allowed = false
					}
				}
				if kind == transport.Reissues {
					text = old.text
				}
			}
			sub, err := r.Submit(t.Context(), hubtest.Caller("A"), fmt.Sprintf("x%d", n), bytes.NewReader(w.Pack(w.ID(), "A", []byte(text), edit, to...)))
			if (err == nil) != allowed {
				rt.Fatalf("%s to %v: %v, allowed %v", kind, to, err, allowed)
			}
			if err != nil {
				continue
			}
			holders := map[string]bool{}
			for _, office := range to {
				holders[office] = true
			}
			switch {
			case old == nil || kind != transport.Reissues:
				docs[sub.Exchange.ID] = &doc{text: text, holders: holders}
				order = append(order, sub.Exchange.ID)
				if old != nil {
					old.settled = true
				}
			default:
				for office := range holders {
					old.holders[office] = true
				}
			}
		}
	})
	settle(t, r)
}

// TestCopies: the hub counts before anybody prints, beyond the allowance and after a correction there are reference copies
// alone, and a repeat takes no second copy.
func TestCopies(t *testing.T) {
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Archiver = nil })
	ctx, c := t.Context(), hubtest.Caller("C")
	first := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), func(o *envelope.PackOptions) { o.Recipients[0].Copies = 2 }, "C", "D")).Exchange
	settle(t, r)
	id := box(t, r, "C").Delivery.ID
	_, err := r.Print(ctx, c, "early", id)
	wantRefusal(t, err, api.InvalidTransition)
	sign(t, r, "C")
	take := func(key string, want transport.CopyKind, number int) {
		t.Helper()
		p, err := r.Print(ctx, c, key, id)
		if err != nil || p.Copy.Kind != want || p.Copy.Number != number {
			t.Errorf("%s: copy %+v, %v; want %s %d", key, p.Copy, err, want, number)
		}
	}
	take("p1", transport.OfficialCopy, 1)
	take("p1", transport.OfficialCopy, 1)
	take("p2", transport.OfficialCopy, 2)
	take("p3", transport.ReferenceCopy, 3)
	if _, err := r.VoidCopy(ctx, c, "v", id, 2); err != nil {
		t.Fatal(err)
	}
	_, err = r.VoidCopy(ctx, c, "v2", id, 2)
	wantRefusal(t, err, api.InvalidTransition)
	_, err = r.VoidCopy(ctx, c, "v3", id, 9)
	wantRefusal(t, err, api.NotFound)
	take("p4", transport.OfficialCopy, 4)
	take("p5", transport.ReferenceCopy, 5)
	_, err = r.Print(ctx, hubtest.Caller("D"), "d", id)
	wantRefusal(t, err, api.NotFound)
	_, err = r.Copies(ctx, hubtest.Caller("A"), id)
	wantRefusal(t, err, api.NotFound)
	submit(t, r, "fix", "A", w.Pack(w.ID(), "A", []byte("y"), referring(transport.Corrects, first.ID), "C", "D"))
	if _, err := r.VoidCopy(ctx, c, "v4", id, 4); err != nil {
		t.Fatal(err)
	}
	take("p6", transport.ReferenceCopy, 6)
	have, err := r.Copies(ctx, c, id)
	if err != nil || len(have) != 6 || !have[1].Voided || have[2].Voided {
		t.Errorf("copies %+v, %v", have, err)
	}
	settle(t, r)
	entries := events(t, r, "A", first.ID)
	if i := slices.Index(entries, transport.CopyPrinted); i < 0 {
		t.Errorf("evidence %v", entries)
	}
}

// TestRequestAfterHandOver: after the hand-over the document is asked back and not taken; the words of the sign-for stay.
func TestRequestAfterHandOver(t *testing.T) {
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Archiver = nil })
	ctx := t.Context()
	x := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), nil, "C")).Exchange
	settle(t, r)
	ask := w.Statement("A", transport.WithdrawalRequest, x, "C", nil)
	_, err := r.RequestWithdrawal(ctx, hubtest.Caller("A"), "early", x.ID, "C", ask)
	wantRefusal(t, err, api.InvalidTransition)
	sign(t, r, "C")
	_, err = r.Withdraw(ctx, hubtest.Caller("A"), "w", x.ID, "C", w.Statement("A", transport.Withdrawal, x, "C", nil))
	wantRefusal(t, err, api.InvalidTransition)
	_, err = r.RequestWithdrawal(ctx, hubtest.Caller("B"), "b", x.ID, "C", ask)
	wantRefusal(t, err, api.NotFound)
	before := box(t, r, "C").Delivery
	m, err := r.RequestWithdrawal(ctx, hubtest.Caller("A"), "a", x.ID, "C", ask)
	if err != nil {
		t.Fatal(err)
	}
	after := box(t, r, "C").Delivery
	if !after.WithdrawalRequested || after.State != transport.Acknowledged || after.Statement != before.Statement || after.SignNumber != before.SignNumber {
		t.Errorf("after the request: %+v", after)
	}
	_, err = r.RequestWithdrawal(ctx, hubtest.Caller("A"), "twice", x.ID, "C", w.Statement("A", transport.WithdrawalRequest, x, "C", nil))
	wantRefusal(t, err, api.InvalidTransition)
	settle(t, r)
	verify(t, r, "A", m.Evidence.ID, transport.WithdrawalRequest)
	verify(t, r, "C", m.Evidence.ID, transport.WithdrawalRequest) // the recipient has the request in its hand
}

// TestLimitsAndReminders walks an urgent document through a weekend: the limit, the hub's reminders and the escalation fall
// into office hours, and end with the sign-for.
func TestLimitsAndReminders(t *testing.T) {
	days, err := calendar.New(calendar.File{Hours: []string{"09:00-17:00"}})
	if err != nil {
		t.Fatal(err)
	}
	w, r := start(t, func(c *hub.Config, p *hub.Parts) {
		c.Calendar, p.Archiver = days, nil
		c.Reminders = hub.Reminders{Before: 2 * time.Hour, Every: 4 * time.Hour, Most: 2, Escalate: 12 * time.Hour}
	})
	friday := time.Date(2026, 11, 27, 7, 0, 0, 0, time.UTC)           // 15:00 in Beijing
	w.Clock.Move(friday.Add(364 * 24 * time.Hour).Sub(w.Clock.Now())) // a Friday of the next year, after the certificates begin
	begin := w.Clock.Now()
	urgent := func(o *envelope.PackOptions) { o.Urgency = transport.Urgent }
	x := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), urgent, "C")).Exchange
	settle(t, r)
	d := box(t, r, "C").Delivery
	if want := days.Add(begin, 8*time.Hour); !d.Due.Equal(want) || d.Due.Weekday() != time.Monday {
		t.Fatalf("due %s, want %s, a Monday", d.Due, want)
	}
	reasons := func() (out []string) {
		got, err := r.Track(t.Context(), hubtest.Caller("A"), x.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range got.Evidence {
			e, err := receipt.ParseEntry(ev.Leaf)
			if err != nil {
				t.Fatal(err)
			}
			switch e.Event {
			case transport.NotificationForAcceptance, transport.AcceptanceRejectionExpiry, transport.Escalation, transport.SenderCheckExpiry:
				out = append(out, string(e.Event)+" "+e.Reason)
			}
		}
		return out
	}
	w.Clock.Move(2 * 24 * time.Hour) // the weekend: nothing but the sender's own 24 hours
	settle(t, r)
	if got := reasons(); !slices.Equal(got, []string{"SenderCheckExpiry deadline_passed"}) {
		t.Errorf("over the weekend: %v", got)
	}
	for range 14 * 24 {
		w.Clock.Move(time.Hour)
		settle(t, r)
	}
	want := []string{
		"SenderCheckExpiry deadline_passed", "NotificationForAcceptance before_limit", "AcceptanceRejectionExpiry deadline_passed",
		"NotificationForAcceptance at_limit", "NotificationForAcceptance after_limit", "NotificationForAcceptance after_limit",
		"Escalation deadline_passed",
	}
	got := reasons()
	slices.Sort(got[2:4]) // the limit and the reminder at it are of one moment
	slices.Sort(want[2:4])
	if !slices.Equal(got, want) {
		t.Errorf("evidence %v\nwant %v", got, want)
	}
	if d := box(t, r, "C").Delivery; !d.Overdue || !d.Escalated || d.Reminders != 4 || d.State != transport.Available {
		t.Errorf("delivery %+v", d)
	}
	sign(t, r, "C")
	w.Clock.Move(7 * 24 * time.Hour)
	settle(t, r)
	if again := reasons(); len(again) != len(want) {
		t.Errorf("reminders after the sign-for: %v", again)
	}
}

// TestSenderLooks: one look is written once; without one the exchange is marked, unless everybody has the document.
func TestSenderLooks(t *testing.T) {
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Archiver = nil })
	ctx := t.Context()
	looked := submit(t, r, "1", "A", w.Pack(w.ID(), "A", []byte("1"), nil, "C")).Exchange.ID
	forgotten := submit(t, r, "2", "A", w.Pack(w.ID(), "A", []byte("2"), nil, "C")).Exchange.ID
	settle(t, r)
	had := submit(t, r, "3", "A", w.Pack(w.ID(), "A", []byte("3"), nil, "D")).Exchange.ID
	settle(t, r)
	sign(t, r, "D")
	if _, err := r.Check(ctx, hubtest.Caller("B"), looked); err == nil {
		t.Error("another office looked after it")
	}
	for range 2 {
		x, err := r.Check(ctx, hubtest.Caller("A"), looked)
		if err != nil || x.Checked.IsZero() {
			t.Fatalf("check: %+v, %v", x, err)
		}
	}
	w.Clock.Move(25 * time.Hour)
	settle(t, r)
	for id, want := range map[string]transport.Event{looked: transport.SenderCheck, forgotten: transport.SenderCheckExpiry, had: ""} {
		var got []transport.Event
		for _, e := range events(t, r, "A", id) {
			if e == transport.SenderCheck || e == transport.SenderCheckExpiry {
				got = append(got, e)
			}
		}
		if want == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("exchange %s: %v, want %q", id, got, want)
		}
	}
}
