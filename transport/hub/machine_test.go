package hub_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yinxin/internal/sqlite"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/envelope"
	"yinxin/transport/hub"
	"yinxin/transport/hub/hubtest"
	"yinxin/transport/receipt"
)

// TestRandomActs plays acts in any order, allowed or not, by the right office or a
// wrong one, over the real store, and compares state and evidence with the machine:
// an allowed act moves the delivery and leaves exactly one entry, any other leaves
// everything as it was.
func TestRandomActs(t *testing.T) {
	w, r := start(t, func(_ *hub.Config, p *hub.Parts) { p.Archiver = nil })
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		sub, err := r.Submit(t.Context(), hubtest.Caller("A"), fmt.Sprintf("s%d", n),
			bytes.NewReader(w.Pack(w.ID(), "A", []byte{byte(n)}, func(o *envelope.PackOptions) {
				o.Recipients[0].Copies = rapid.IntRange(1, 2).Draw(rt, "copies")
			}, "C", "D")))
		if err != nil {
			rt.Fatal(err)
		}
		p := &player{
			t: t, rt: rt, r: r, x: sub.Exchange, states: map[string]transport.State{}, asked: map[string]bool{},
			printed: map[string]int{}, void: map[string]int{},
		}
		for _, d := range sub.Deliveries {
			p.states[d.Recipient] = transport.Accepted
			p.ids = append(p.ids, d)
		}
		for step := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			p.play(fmt.Sprintf("%d-%d", n, step))
		}
	})
}

type player struct {
	t      *testing.T
	rt     *rapid.T
	r      *hubtest.Running
	x      transport.Exchange
	ids    []transport.Delivery
	states map[string]transport.State
	// asked, printed and void are the marks, by recipient.
	asked         map[string]bool
	printed, void map[string]int
}

func (p *player) play(key string) {
	act := rapid.SampledFrom([]transport.Act{
		transport.Route, transport.Open, transport.Acknowledge, transport.Return, transport.AcknowledgeReturn, transport.Withdraw,
		transport.Remind, transport.RequestWithdrawal, transport.Print, transport.VoidCopy,
	}).Draw(p.rt, "act")
	d := rapid.SampledFrom(p.ids).Draw(p.rt, "delivery")
	if act == transport.Route { // the hub does what it has to: route and deliver
		if err := p.r.Settle(p.t.Context()); err != nil {
			p.rt.Fatal(err)
		}
		for office, s := range p.states {
			if s == transport.Accepted {
				p.states[office] = transport.Available
			}
		}
		p.compare(-1)
		return
	}
	rule, _ := transport.RuleFor(act)
	office := p.x.Sender
	if rule.Actor == transport.ActorRecipient {
		office = d.Recipient
	}
	if rapid.IntRange(0, 9).Draw(p.rt, "stranger") == 0 {
		office = "B"
	}
	before := p.entries()
	_, to, err := transport.Step(p.states[d.Recipient], act)
	switch {
	case act == transport.RequestWithdrawal && p.asked[d.Recipient]:
		err = transport.ErrTransition // asked once
	case act == transport.VoidCopy && err == nil && p.void[d.Recipient] >= p.printed[d.Recipient]:
		err = transport.ErrTransition // there is no copy left to void
	}
	got := p.do(act, rule, key, office, d)
	unseen := rule.Actor == transport.ActorRecipient && p.states[d.Recipient] == transport.Accepted
	switch {
	case office == "B" || unseen:
		p.wantCode(act, got, api.NotFound)
	case err != nil && act == transport.VoidCopy && rule.Allows(p.states[d.Recipient]):
		p.wantCode(act, got, api.NotFound) // no such copy
	case err != nil:
		p.wantCode(act, got, api.InvalidTransition)
	case got != nil:
		p.rt.Fatalf("%s in %s: %v", act, p.states[d.Recipient], got)
	default:
		p.states[d.Recipient] = to
		before++
		switch act {
		case transport.RequestWithdrawal:
			p.asked[d.Recipient] = true
		case transport.Print:
			p.printed[d.Recipient]++
		case transport.VoidCopy:
			p.void[d.Recipient]++
		}
		p.addUp(d)
	}
	p.compare(before)
}

func (p *player) wantCode(act transport.Act, err error, code api.Code) {
	var refusal *hub.Refusal
	if !errors.As(err, &refusal) || refusal.Code != code {
		p.rt.Fatalf("%s: error %v, want %s", act, err, code)
	}
}

func (p *player) do(act transport.Act, rule transport.Rule, key, office string, d transport.Delivery) error {
	ctx, c := p.t.Context(), hubtest.Caller(office)
	var statement []byte
	if rule.Statement {
		signer := p.x.Sender
		if rule.Actor == transport.ActorRecipient {
			signer = d.Recipient
		}
		statement = p.r.World.Statement(signer, rule.Event, p.x, d.Recipient, nil)
	}
	var err error
	switch act {
	case transport.Open:
		_, err = p.r.Open(ctx, c, key, d.ID, statement)
	case transport.Acknowledge:
		_, err = p.r.Acknowledge(ctx, c, key, d.ID, statement)
	case transport.Return:
		_, err = p.r.Return(ctx, c, key, d.ID, statement)
	case transport.AcknowledgeReturn:
		_, err = p.r.AcknowledgeReturn(ctx, c, key, p.x.ID, d.Recipient, statement)
	case transport.Withdraw:
		_, err = p.r.Withdraw(ctx, c, key, p.x.ID, d.Recipient, statement)
	case transport.Remind:
		_, err = p.r.Remind(ctx, c, key, p.x.ID, d.Recipient)
	case transport.RequestWithdrawal:
		_, err = p.r.RequestWithdrawal(ctx, c, key, p.x.ID, d.Recipient, statement)
	case transport.Print:
		_, err = p.r.Print(ctx, c, key, d.ID)
	case transport.VoidCopy: // the oldest that is not void
		_, err = p.r.VoidCopy(ctx, c, key, d.ID, p.void[d.Recipient]+1)
	}
	return err
}

// addUp holds the copies of a delivery against the allowance, from the evidence alone: official copies less those that
// were voided are never more than the consignment allows, and no number comes twice.
func (p *player) addUp(d transport.Delivery) {
	allowed, official, kinds := 0, 0, map[int]string{}
	for _, ev := range p.track().Evidence {
		e, err := receipt.ParseEntry(ev.Leaf)
		if err != nil {
			p.rt.Fatal(err)
		}
		if ev.Delivery != d.ID {
			continue
		}
		switch e.Event {
		case transport.ContentConsignment:
			allowed = e.Copy
		case transport.CopyPrinted:
			if _, twice := kinds[e.Copy]; twice {
				p.rt.Fatalf("copy %d was taken twice", e.Copy)
			}
			if kinds[e.Copy] = e.Reason; e.Reason == string(transport.OfficialCopy) {
				official++
			}
		case transport.CopyVoided:
			if kinds[e.Copy] == string(transport.OfficialCopy) {
				official--
			}
			kinds[e.Copy] = "void"
		}
		if official > allowed {
			p.rt.Fatalf("%d official copies, %d allowed", official, allowed)
		}
	}
}

func (p *player) track() hub.Track {
	got, err := p.r.Track(p.t.Context(), hubtest.Caller(p.x.Sender), p.x.ID)
	if err != nil {
		p.rt.Fatal(err)
	}
	return got
}

func (p *player) entries() int { return len(p.track().Evidence) }

func (p *player) compare(entries int) {
	got := p.track()
	for _, d := range got.Deliveries {
		if d.State != p.states[d.Recipient] {
			p.rt.Fatalf("delivery to %s is %s, the machine says %s", d.Recipient, d.State, p.states[d.Recipient])
		}
	}
	if entries >= 0 && len(got.Evidence) != entries {
		p.rt.Fatalf("%d entries, want %d", len(got.Evidence), entries)
	}
	checkChain(p.t, p.r, got)
}

// TestHubDiesBetweenCommitAndReply: the commit is done, the caller learns nothing, the
// process goes. After the restart the same request gives the same exchange and the
// same receipt, and the work goes on.
func TestHubDiesBetweenCommitAndReply(t *testing.T) {
	w := hubtest.New(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "hub.db")
	dying := false
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Fault: func(at sqlite.Point) error {
		if dying && at == sqlite.AfterCommit {
			return errors.New("killed")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := w.Run(db, folder, nil)
	id := w.ID()
	body := w.Pack(id, "A", []byte("document"), nil, "C")
	dying = true
	_, err = r.Submit(t.Context(), hubtest.Caller("A"), "k", bytes.NewReader(body))
	if !errors.Is(err, hub.ErrUnknownOutcome) {
		t.Fatalf("error %v, want an unknown outcome", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	r = w.Run(open(t, path, sqlite.Options{}), folder, nil)
	again := submit(t, r, "k", "A", body)
	if !again.Repeated || again.Exchange.ID != id {
		t.Fatalf("the retry is %+v", again)
	}
	settle(t, r)
	one, err := r.Receipt(t.Context(), hubtest.Caller("A"), again.Exchange.Entry)
	if err != nil {
		t.Fatal(err)
	}
	submit(t, r, "k", "A", body)
	settle(t, r)
	two, err := r.Receipt(t.Context(), hubtest.Caller("A"), again.Exchange.Entry)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("the receipt changed, %v", err)
	}
	got, err := r.Track(t.Context(), hubtest.Caller("A"), id)
	if err != nil || len(got.Evidence) != 3 {
		t.Errorf("%d entries after the retry, want 3 (%v)", len(got.Evidence), err)
	}
	sign(t, r, "C")
	out, err := r.Outbox(t.Context(), hubtest.Caller("A"), hub.Page{Limit: 9})
	if err != nil || len(out) != 1 {
		t.Errorf("%d exchanges, want 1 (%v)", len(out), err)
	}
}

// TestCrashesWhileWorking: the hub dies after any commit of routing, delivery, log and
// deposit; started again it comes to the same end, with no entry twice.
func TestCrashesWhileWorking(t *testing.T) {
	for _, fate := range []sqlite.Point{sqlite.BeforeCommit, sqlite.AfterCommit} {
		t.Run(string(fate), func(t *testing.T) {
			for survive := 0; ; survive++ {
				if done := crashAfter(t, fate, survive); done {
					t.Logf("%d crash points", survive)
					return
				}
			}
		})
	}
}

// crashAfter lets a number of commits pass before every further one fails, until the
// hub is started again. It reports whether no commit failed at all.
func crashAfter(t *testing.T, fate sqlite.Point, survive int) bool {
	t.Helper()
	w := hubtest.New(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "hub.db")
	armed, commits, crashed := false, 0, false
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Fault: func(at sqlite.Point) error {
		if !armed || at != fate {
			return nil
		}
		if commits++; commits <= survive {
			return nil
		}
		crashed = true
		return errors.New("killed")
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := w.Run(db, folder, nil)
	sub := submit(t, r, "k", "A", w.Pack(w.ID(), "A", []byte("x"), nil, "C"))
	armed = true
	for range 6 { // a worker that fails is called again; it must not do damage
		_ = r.Settle(t.Context())
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r = w.Run(open(t, path, sqlite.Options{}), folder, nil)
	w.Clock.Move(time.Second) // what was put off is due
	settle(t, r)
	sign(t, r, "C")
	settle(t, r)
	got, err := r.Track(t.Context(), hubtest.Caller("A"), sub.Exchange.ID)
	if err != nil {
		t.Fatal(err)
	}
	// accepted, routed, consigned, opened, signed for, deposited: each once
	if len(got.Evidence) != 6 || got.Deliveries[0].State != transport.Archived {
		t.Fatalf("after %d commits: %d entries, delivery %s", survive, len(got.Evidence), got.Deliveries[0].State)
	}
	checkChain(t, r, got)
	for _, e := range got.Evidence {
		verify(t, r, "A", e.ID, e.Event)
	}
	return !crashed
}
