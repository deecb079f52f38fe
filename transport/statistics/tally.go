package statistics

import (
	"fmt"
	"time"

	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/receipt"
)

// Period is the time that figures are about: From is part of it, Until is not. A zero end is open.
type Period struct {
	From  time.Time
	Until time.Time
}

// Holds reports whether t lies in the period.
func (p Period) Holds(t time.Time) bool {
	return !t.Before(p.From) && (p.Until.IsZero() || t.Before(p.Until))
}

// MaxFindings bounds the list of findings; more are only counted.
const MaxFindings = 1000

// Finding is something in the evidence that does not fit.
type Finding struct {
	// Index of the entry in the log; of the last entry read where something is missing.
	Index uint64 `json:"index"`
	// Kind is one of the constants below.
	Kind FindingKind `json:"kind"`
	// Exchange, Sender and Recipient say what it is about.
	Exchange  string `json:"exchange"`
	Sender    string `json:"sender"`
	Recipient string `json:"recipient"`
	Detail    string `json:"detail"`
}

// FindingKind says what does not fit.
type FindingKind string

// The kinds of findings. All but LimitUnmarked say that the hub wrote what it must not write.
const (
	// ChainBroken: an entry does not name the entry before it of its exchange, or is older than that one.
	ChainBroken FindingKind = "chain_broken"
	// Misplaced: the event cannot follow what the log says of this delivery.
	Misplaced FindingKind = "misplaced"
	// LimitUnmarked: a limit passed without a sign-for and without the mark that it passed.
	LimitUnmarked FindingKind = "limit_unmarked"
	// MarkedEarly: a delivery was marked as overdue before its limit.
	MarkedEarly FindingKind = "marked_early"
)

// key names one delivery of the log.
type key struct{ sender, exchange, recipient string }

// delivery is what the log says of one delivery; zero times are events that have not come.
type delivery struct {
	delivered, due, marked, signedFor, ended time.Time
}

// chain is the head of the evidence of one exchange, and whether its sender has looked or let the time for it pass.
type chain struct {
	digest transport.Digest
	time   time.Time
	looked bool
}

// Tally takes in the entries of a log in their order and counts. It needs memory for each delivery, not for each entry.
type Tally struct {
	period     Period
	offices    map[string]*office
	deliveries map[key]*delivery
	chains     map[[2]string]*chain
	findings   []Finding
	more       int
	next       uint64
}

// New makes a tally of a period. It has to be given the log from its beginning, whatever the period is.
func New(p Period) *Tally {
	return &Tally{
		period: p, offices: map[string]*office{}, deliveries: map[key]*delivery{}, chains: map[[2]string]*chain{},
	}
}

// Add takes in the next leaf of the log. The error says that the leaf is no entry.
func (t *Tally) Add(leaf []byte) error {
	e, err := receipt.ParseEntry(leaf)
	if err != nil {
		return fmt.Errorf("entry %d: %w", t.next, err)
	}
	t.chain(e, gm.SM3(leaf))
	t.count(e)
	t.next++
	return nil
}

// chain checks that the entry follows the one before it in its exchange.
func (t *Tally) chain(e receipt.Entry, digest transport.Digest) {
	if e.Exchange == "" || e.Event == transport.SubmissionRejection {
		return // refused submissions make no exchange
	}
	c := t.exchange(e)
	switch {
	case e.Previous != c.digest:
		t.find(e, ChainBroken, "does not name the entry before it")
	case e.Time.Before(c.time):
		t.find(e, ChainBroken, "is older than the entry before it")
	}
	c.digest, c.time = digest, e.Time
}

// exchange returns what is known of the entry's exchange.
func (t *Tally) exchange(e receipt.Entry) *chain {
	name := [2]string{e.Sender, e.Exchange}
	c := t.chains[name]
	if c == nil {
		c = &chain{}
		t.chains[name] = c
	}
	return c
}

// count books the event.
func (t *Tally) count(e receipt.Entry) {
	in := t.period.Holds(e.Time)
	switch e.Event {
	case transport.SubmissionAcceptance:
		t.office(e.Sender).Sent += one(in)
	case transport.SubmissionRejection:
		t.office(e.Sender).Refused += one(in)
	case transport.Withdrawal:
		t.office(e.Sender).Withdrawn += one(in)
		t.end(e)
	case transport.ContentConsignment:
		t.consign(e, in)
	case transport.ConsignmentAcceptance:
		t.signFor(e, in)
	case transport.ConsignmentRejection:
		t.giveBack(e, in)
	case transport.NotificationForAcceptance:
		t.office(e.Recipient).Reminders += one(in)
	case transport.AcceptanceRejectionExpiry:
		t.mark(e, in)
	case transport.Escalation:
		t.office(e.Recipient).Escalated += one(in)
	case transport.SenderCheck, transport.SenderCheckExpiry:
		t.check(e, in)
	case transport.RelayRejection, transport.RelayFailure, transport.ContentConsignmentFailure:
		t.office(e.Recipient).Failed += one(in)
	default: // the other events are no one's figure
	}
}

func (t *Tally) consign(e receipt.Entry, in bool) {
	k := keyOf(e)
	if t.deliveries[k] != nil {
		t.find(e, Misplaced, "comes twice")
		return
	}
	t.deliveries[k] = &delivery{delivered: e.Time, due: e.Due}
	t.office(e.Recipient).Delivered += one(in)
}

func (t *Tally) signFor(e receipt.Entry, in bool) {
	d := t.open(e)
	if d == nil {
		return
	}
	d.signedFor, d.ended = e.Time, e.Time
	o := t.office(e.Recipient)
	o.SignedFor += one(in)
	if in {
		o.toSign = append(o.toSign, e.Time.Sub(d.delivered))
		t.office(e.Sender).Connected, o.Connected = true, true
	}
}

func (t *Tally) giveBack(e receipt.Entry, in bool) {
	d := t.open(e)
	if d == nil {
		return
	}
	d.ended = e.Time
	if o := t.office(e.Recipient); in {
		o.Returned++
		o.ReturnReasons[e.Reason]++
	}
}

func (t *Tally) mark(e receipt.Entry, in bool) {
	d := t.open(e)
	if d == nil {
		return
	}
	if d.due.IsZero() || e.Time.Before(d.due) {
		t.find(e, MarkedEarly, "comes before the limit")
	}
	d.marked = e.Time
	t.office(e.Recipient).Marked += one(in)
}

// check books whether the sender looked in time; a look after the time had passed changes nothing.
func (t *Tally) check(e receipt.Entry, in bool) {
	c := t.exchange(e)
	if c.looked {
		return
	}
	c.looked = true
	o := t.office(e.Sender)
	o.checks += one(in)
	o.checksInTime += one(in && e.Event == transport.SenderCheck)
}

// open returns a delivery that has not ended; else it leaves a finding.
func (t *Tally) open(e receipt.Entry) *delivery {
	d := t.deliveries[keyOf(e)]
	switch {
	case d == nil:
		t.find(e, Misplaced, "of what was never delivered")
		return nil
	case !d.ended.IsZero():
		t.find(e, Misplaced, "of what had ended")
		return nil
	}
	return d
}

// end closes a delivery that was withdrawn; one that had not arrived yet is none of the recipient's figures.
func (t *Tally) end(e receipt.Entry) {
	if d := t.deliveries[keyOf(e)]; d != nil && d.ended.IsZero() {
		d.ended = e.Time
	}
}

func (t *Tally) find(e receipt.Entry, kind FindingKind, detail string) {
	t.book(Finding{
		Index: t.next, Kind: kind, Exchange: e.Exchange, Sender: e.Sender, Recipient: e.Recipient,
		Detail: string(e.Event) + " " + detail,
	})
}

// book keeps a finding while there is room.
func (t *Tally) book(f Finding) {
	if len(t.findings) < MaxFindings {
		t.findings = append(t.findings, f)
		return
	}
	t.more++
}

func (t *Tally) office(code string) *office {
	o := t.offices[code]
	if o == nil {
		o = &office{Figures: Figures{Office: code, ReturnReasons: map[string]int{}}}
		t.offices[code] = o
	}
	return o
}

func keyOf(e receipt.Entry) key { return key{e.Sender, e.Exchange, e.Recipient} }

func one(in bool) int {
	if in {
		return 1
	}
	return 0
}
