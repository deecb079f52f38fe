package statistics_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/receipt"
	"yinxin/transport/statistics"
)

var (
	newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first   = statistics.Period{From: newYear, Until: newYear.AddDate(0, 6, 0)}
)

// log writes entries as a hub does: each names the one before it of its exchange.
type log struct {
	leaves [][]byte
	last   map[string]transport.Digest
}

func (l *log) write(tb interface{ Fatal(...any) }, e receipt.Entry) {
	if l.last == nil {
		l.last = map[string]transport.Digest{}
	}
	e.ID, e.Hub = fmt.Sprintf("ev-%d", len(l.leaves)), "HUB"
	name := e.Sender + "/" + e.Exchange
	e.Previous = l.last[name]
	if by, needed := receipt.StatementBy(e.Event); needed && by != receipt.NoParty {
		e.Statement = transport.Digest{1}
	}
	leaf, err := e.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	l.last[name] = gm.SM3(leaf)
	l.leaves = append(l.leaves, leaf)
}

func (l *log) report(tb interface{ Fatal(...any) }, p statistics.Period, asOf time.Time) statistics.Report {
	t := statistics.New(p)
	for _, leaf := range l.leaves {
		if err := t.Add(leaf); err != nil {
			tb.Fatal(err)
		}
	}
	return t.Report(statistics.Options{Log: "log", Size: uint64(len(l.leaves)), AsOf: asOf})
}

// story is one delivery as it went; zero times did not happen.
type story struct {
	sender, recipient, exchange         string
	sent, delivered, due, marked, ended time.Time
	end                                 transport.Event // how it ended
	reason                              string
	reminders                           int
	// checks is what came of the duty of the sender to look, in order.
	checks []transport.Event
}

// write puts the story into the log.
func (s story) write(tb interface{ Fatal(...any) }, l *log) {
	e := receipt.Entry{Exchange: s.exchange, Sender: s.sender}
	at := func(event transport.Event, when time.Time, change func(*receipt.Entry)) {
		f := e
		f.Event, f.Time = event, when
		if event != transport.SubmissionAcceptance {
			f.Recipient = s.recipient
		}
		if change != nil {
			change(&f)
		}
		l.write(tb, f)
	}
	at(transport.SubmissionAcceptance, s.sent, nil)
	at(transport.RelayAcceptance, s.sent, nil)
	at(transport.ContentConsignment, s.delivered, func(f *receipt.Entry) { f.Due = s.due })
	for range s.reminders {
		at(transport.NotificationForAcceptance, s.delivered, nil)
	}
	for _, event := range s.checks {
		at(event, s.delivered, func(f *receipt.Entry) {
			f.Recipient = ""
			if event == transport.SenderCheckExpiry {
				f.Reason = receipt.DeadlinePassed
			}
		})
	}
	if !s.marked.IsZero() {
		at(transport.AcceptanceRejectionExpiry, s.marked, func(f *receipt.Entry) { f.Reason = receipt.DeadlinePassed })
	}
	if !s.ended.IsZero() {
		at(s.end, s.ended, func(f *receipt.Entry) { f.Reason = s.reason })
	}
}

// draw makes a story somewhere in a year.
func draw(r *rapid.T, n int) story {
	codes := []string{"A", "B", "C", "D"}
	from := rapid.IntRange(0, 3).Draw(r, "sender")
	minutes := func(name string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(r, name)) * time.Minute
	}
	s := story{sender: codes[from], recipient: codes[(from+rapid.IntRange(1, 3).Draw(r, "recipient"))%4], exchange: fmt.Sprintf("x-%d", n)}
	s.sent = newYear.Add(minutes("sent", 360*24*60))
	s.delivered = s.sent.Add(minutes("delivered", 10))
	s.due = s.delivered.Add(time.Hour + minutes("due", 72*60))
	s.reminders = rapid.IntRange(0, 2).Draw(r, "reminders")
	s.checks = rapid.SampledFrom([][]transport.Event{
		nil, {transport.SenderCheck}, {transport.SenderCheckExpiry}, {transport.SenderCheckExpiry, transport.SenderCheck},
	}).Draw(r, "checks")
	how := rapid.SampledFrom([]transport.Event{"", transport.ConsignmentAcceptance, transport.ConsignmentRejection, transport.Withdrawal}).Draw(r, "end")
	if s.end = how; how != "" {
		s.ended = s.delivered.Add(minutes("ended", 200*60))
	}
	if how == transport.ConsignmentRejection {
		s.reason = rapid.SampledFrom([]string{"01", "04"}).Draw(r, "reason")
	}
	if s.ended.IsZero() || s.ended.After(s.due.Add(time.Minute)) {
		s.marked = s.due.Add(30 * time.Second)
	}
	return s
}

// expect counts an office's figures from the stories, without the log.
func expect(all []story, office string, p statistics.Period) statistics.Figures {
	f := statistics.Figures{Office: office, ReturnReasons: map[string]int{}}
	var took []float64
	for _, s := range all {
		signed := s.end == transport.ConsignmentAcceptance
		if s.sender == office {
			f.Sent += count(p.Holds(s.sent))
			if len(s.checks) > 0 && p.Holds(s.delivered) {
				f.CheckedInTime.Denominator++
				f.CheckedInTime.Numerator += count(s.checks[0] == transport.SenderCheck)
			}
			f.Withdrawn += count(s.end == transport.Withdrawal && p.Holds(s.ended))
		}
		if signed && p.Holds(s.ended) && (s.sender == office || s.recipient == office) {
			f.Connected = true
		}
		if s.recipient != office {
			continue
		}
		f.Delivered += count(p.Holds(s.delivered))
		f.Reminders += s.reminders * count(p.Holds(s.delivered))
		f.Marked += count(!s.marked.IsZero() && p.Holds(s.marked))
		if signed && p.Holds(s.ended) {
			f.SignedFor++
			took = append(took, s.ended.Sub(s.delivered).Seconds())
		}
		if s.end == transport.ConsignmentRejection && p.Holds(s.ended) {
			f.Returned++
			f.ReturnReasons[s.reason]++
		}
		f.OverdueNow += count(s.ended.IsZero())
		excused := s.end != "" && !signed && !s.ended.After(s.due)
		if p.Holds(s.due) && !excused {
			f.InTime.Denominator++
			f.InTime.Numerator += count(signed && !s.ended.After(s.due))
		}
	}
	f.ReturnRate = statistics.Ratio{Numerator: f.Returned, Denominator: f.Delivered}
	f.RemindersEach = statistics.Ratio{Numerator: f.Reminders, Denominator: f.Delivered}
	for _, r := range []*statistics.Ratio{&f.InTime, &f.CheckedInTime, &f.ReturnRate, &f.RemindersEach} {
		if r.Denominator > 0 {
			v := float64(r.Numerator) / float64(r.Denominator)
			r.Value = &v
		}
	}
	slices.Sort(took)
	if f.ToSign.Count = len(took); len(took) > 0 {
		f.ToSign.Median = &took[int(math.Ceil(0.5*float64(len(took))))-1]
		f.ToSign.Percentile95 = &took[int(math.Ceil(0.95*float64(len(took))))-1]
	}
	return f
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestYearOfTraffic: what the log gives is what happened, for the half year and for all time.
func TestYearOfTraffic(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var all []story
		for i := range rapid.IntRange(0, 40).Draw(r, "documents") {
			all = append(all, draw(r, i))
		}
		var l log
		for _, s := range all {
			s.write(r, &l)
		}
		for _, p := range []statistics.Period{first, {}} {
			got := l.report(r, p, newYear.AddDate(2, 0, 0))
			if len(got.Findings) != 0 || !got.Sound() {
				r.Fatalf("findings in sound traffic: %+v", got.Findings)
			}
			for _, f := range got.Offices {
				if d := cmp.Diff(expect(all, f.Office, p), f); d != "" {
					r.Fatalf("office %s (-happened +counted):\n%s", f.Office, d)
				}
			}
		}
	})
}

func TestTotalsAndInterconnection(t *testing.T) {
	var l log
	at := newYear.Add(time.Hour)
	story{sender: "A", recipient: "B", exchange: "1", sent: at, delivered: at, due: at.Add(time.Hour), ended: at.Add(time.Minute), end: transport.ConsignmentAcceptance}.write(t, &l)
	story{sender: "A", recipient: "C", exchange: "2", sent: at, delivered: at, due: at.Add(time.Hour), ended: at.Add(time.Minute), end: transport.ConsignmentRejection, reason: "01"}.write(t, &l)
	got := l.report(t, first, at.Add(2*time.Hour))
	if got.Total.Sent != 2 || got.Total.Delivered != 2 || got.Total.SignedFor != 1 || got.Total.Returned != 1 || got.Total.InTime.Denominator != 1 {
		t.Errorf("total %+v", got.Total)
	}
	if got.Interconnection.Numerator != 2 || got.Interconnection.Denominator != 3 {
		t.Errorf("interconnection %+v, want 2 of the 3 offices that the log names", got.Interconnection)
	}
}

// TestFindings: each thing that a hub must not write is found, with the entry at which it shows.
func TestFindings(t *testing.T) {
	at := newYear.Add(time.Hour)
	good := story{
		sender: "A", recipient: "B", exchange: "1", sent: at, delivered: at, due: at.Add(time.Hour),
		ended: at.Add(3 * time.Hour), end: transport.ConsignmentAcceptance, marked: at.Add(time.Hour),
	}
	again := func(l *log, event transport.Event, when time.Time) {
		l.write(t, receipt.Entry{Event: event, Exchange: "1", Sender: "A", Recipient: "B", Time: when})
	}
	for _, tt := range []struct {
		name  string
		story func(s *story)
		after func(l *log)
		sound bool
		want  statistics.FindingKind
	}{
		{"nothing", nil, nil, true, ""},
		{"a mark that was left out", func(s *story) { s.marked = time.Time{} }, nil, true, statistics.LimitUnmarked},
		{"a mark before the limit", func(s *story) { s.marked = at.Add(time.Minute) }, nil, false, statistics.MarkedEarly},
		{"a second delivery", nil, func(l *log) { again(l, transport.ContentConsignment, good.ended) }, false, statistics.Misplaced},
		{"a second sign-for", nil, func(l *log) { again(l, transport.ConsignmentAcceptance, good.ended) }, false, statistics.Misplaced},
		{"a sign-for of what never came", nil, func(l *log) {
			l.write(t, receipt.Entry{Event: transport.ConsignmentAcceptance, Exchange: "1", Sender: "A", Recipient: "C", Time: good.ended})
		}, false, statistics.Misplaced},
		{"an entry that was taken out", nil, func(l *log) { l.leaves = slices.Delete(l.leaves, 1, 2) }, false, statistics.ChainBroken},
		{"time that runs backwards", nil, func(l *log) { again(l, transport.NotificationForAcceptance, at) }, false, statistics.ChainBroken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := good
			if tt.story != nil {
				tt.story(&s)
			}
			var l log
			s.write(t, &l)
			if tt.after != nil {
				tt.after(&l)
			}
			got := l.report(t, first, at.Add(24*time.Hour))
			if got.Sound() != tt.sound {
				t.Errorf("sound = %v with %+v", got.Sound(), got.Findings)
			}
			if tt.want == "" && len(got.Findings) == 0 {
				return
			}
			if len(got.Findings) != 1 || got.Findings[0].Kind != tt.want {
				t.Errorf("findings %+v, want one %q", got.Findings, tt.want)
			}
		})
	}
}

func TestOnlyEntriesAreCounted(t *testing.T) {
	if err := statistics.New(first).Add([]byte(`{"v":1}`)); err == nil {
		t.Error("counted what is no entry")
	}
}
