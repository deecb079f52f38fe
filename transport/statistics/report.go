package statistics

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Schema names the shape of a Report in JSON.
const Schema = "yinxin.statistics/1"

// Report is the figures of a period, of each office and of all.
type Report struct {
	Schema string `json:"schema"`
	// Log is the origin of the log, Size how many of its entries were counted, Root the SM3 root over them.
	Log  string `json:"log"`
	Size uint64 `json:"size"`
	Root string `json:"root"`
	// From and Until bound the period; AsOf is the moment up to which limits count as passed.
	From  *time.Time `json:"from"`
	Until *time.Time `json:"until"`
	AsOf  time.Time  `json:"as_of"`
	// Interconnection (互联互通率): offices with at least one document signed for, as sender or recipient, out of the offices of the
	// directory. The directory is not in the log: the denominator is what the caller says, else the offices that the log names.
	Interconnection Ratio     `json:"interconnection"`
	Total           Figures   `json:"total"`
	Offices         []Figures `json:"offices"`
	Findings        []Finding `json:"findings"`
	// MoreFindings counts those beyond MaxFindings.
	MoreFindings int `json:"more_findings"`
}

// Sound reports whether nothing was found that the hub must not write. A mark that is missing is not counted as such: a hub
// that stood still could not write it.
func (r Report) Sound() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind != LimitUnmarked })
}

// Figures of one office. Sent, Refused, Withdrawn and CheckedInTime are what it did as a sender; all others are about what came to it.
type Figures struct {
	Office    string `json:"office"`
	Sent      int    `json:"sent"`      // submissions accepted
	Refused   int    `json:"refused"`   // submissions refused
	Withdrawn int    `json:"withdrawn"` // deliveries withdrawn
	Delivered int    `json:"delivered"` // documents that came into its box
	SignedFor int    `json:"signed_for"`
	Returned  int    `json:"returned"`
	Failed    int    `json:"failed"` // deliveries to it that failed or were refused
	Reminders int    `json:"reminders"`
	Marked    int    `json:"marked"`    // marks of a limit that passed
	Escalated int    `json:"escalated"` // marks that the supervisor was told
	// OverdueNow is how many limits have passed as of the report with nothing done since, whenever they passed.
	OverdueNow int `json:"overdue_now"`
	// Connected: it took part in a document that was signed for in the period.
	Connected bool `json:"connected"`
	// ReturnReasons counts returns by their codes.
	ReturnReasons map[string]int `json:"return_reasons"`
	// InTime (签收及时率): signed for within the limit, out of the limits that fell in the period. What was returned or withdrawn
	// before its limit is in neither.
	InTime Ratio `json:"in_time"`
	// CheckedInTime (24小时核查率): the sender looked in time whether everybody has its document, out of the documents of which
	// somebody did not have it.
	CheckedInTime Ratio `json:"checked_in_time"`
	// ReturnRate (退回率): returned, out of delivered.
	ReturnRate Ratio `json:"return_rate"`
	// RemindersEach (催办): reminders, out of delivered documents.
	RemindersEach Ratio `json:"reminders_each"`
	// ToSign is the time from delivery to sign-for, of what was signed for in the period.
	ToSign Spread `json:"to_sign"`
}

// Ratio is two counts; its value is null where the denominator is 0.
type Ratio struct {
	Numerator   int      `json:"numerator"`
	Denominator int      `json:"denominator"`
	Value       *float64 `json:"value"`
}

func ratio(n, d int) Ratio {
	r := Ratio{Numerator: n, Denominator: d}
	if d > 0 {
		v := float64(n) / float64(d)
		r.Value = &v
	}
	return r
}

// Spread is the median and the 95th percentile (nearest rank) of Count durations, in seconds; both null where there are none.
type Spread struct {
	Count        int      `json:"count"`
	Median       *float64 `json:"median_seconds"`
	Percentile95 *float64 `json:"p95_seconds"`
}

func spread(all []time.Duration) Spread {
	s := Spread{Count: len(all)}
	if len(all) == 0 {
		return s
	}
	slices.Sort(all)
	s.Median, s.Percentile95 = rank(all, 50), rank(all, 95)
	return s
}

// rank gives the nearest-rank percentile of a sorted list, in seconds.
func rank(sorted []time.Duration, percent int) *float64 {
	i := (len(sorted)*percent + 99) / 100
	v := sorted[max(i, 1)-1].Seconds()
	return &v
}

// office is what a tally gathers about one office.
type office struct {
	Figures
	due, inTime          int
	checks, checksInTime int
	toSign               []time.Duration
}

// Options of a report.
type Options struct {
	// Log, Size and Root say which log was counted.
	Log  string
	Size uint64
	Root string
	// AsOf is the moment up to which limits count as passed.
	AsOf time.Time
	// Offices is how many offices the directory has; 0: as many as the log names.
	Offices int
}

// Report closes the tally. The tally must not be used afterwards.
func (t *Tally) Report(o Options) Report {
	t.limits(o.AsOf)
	r := Report{
		Schema: Schema, Log: o.Log, Size: o.Size, Root: o.Root, From: when(t.period.From), Until: when(t.period.Until), AsOf: o.AsOf.UTC(),
		Offices: []Figures{}, Findings: t.findings, MoreFindings: t.more,
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	total, connected := &office{Figures: Figures{ReturnReasons: map[string]int{}}}, 0
	for _, code := range slices.Sorted(maps.Keys(t.offices)) {
		of := t.offices[code]
		total.add(of)
		connected += one(of.Connected)
		r.Offices = append(r.Offices, of.figures())
	}
	r.Total = total.figures()
	r.Interconnection = ratio(connected, cmp.Or(o.Offices, len(t.offices)))
	return r
}

// MarkGrace is how long after a limit the hub's mark may be missing without being found to be missing.
const MarkGrace = 5 * time.Minute

// limits books the limits that have passed.
func (t *Tally) limits(asOf time.Time) {
	var unmarked []Finding
	for k, d := range t.deliveries {
		if d.due.IsZero() || d.due.After(asOf) {
			continue
		}
		signed := !d.signedFor.IsZero()
		if !signed && !d.ended.IsZero() && !d.ended.After(d.due) {
			continue // returned or withdrawn before its limit
		}
		o := t.office(k.recipient)
		if t.period.Holds(d.due) {
			o.due++
			o.inTime += one(signed && !d.signedFor.After(d.due))
		}
		o.OverdueNow += one(d.ended.IsZero())
		if d.unmarked(asOf) {
			unmarked = append(unmarked, Finding{
				Index: max(t.next, 1) - 1, Kind: LimitUnmarked, Exchange: k.exchange, Sender: k.sender, Recipient: k.recipient,
				Detail: "the limit " + d.due.UTC().Format(time.RFC3339) + " passed without its mark",
			})
		}
	}
	slices.SortFunc(unmarked, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Sender, b.Sender), cmp.Compare(a.Exchange, b.Exchange), cmp.Compare(a.Recipient, b.Recipient))
	})
	for _, f := range unmarked {
		t.book(f)
	}
}

// unmarked reports whether the hub owes the mark that the limit passed.
func (d *delivery) unmarked(asOf time.Time) bool {
	until := asOf
	if !d.ended.IsZero() {
		until = d.ended
	}
	return d.marked.IsZero() && until.After(d.due.Add(MarkGrace))
}

// add sums another office's counts up.
func (o *office) add(b *office) {
	o.Sent += b.Sent
	o.Refused += b.Refused
	o.Withdrawn += b.Withdrawn
	o.Delivered += b.Delivered
	o.SignedFor += b.SignedFor
	o.Returned += b.Returned
	o.Failed += b.Failed
	o.Reminders += b.Reminders
	o.Marked += b.Marked
	o.Escalated += b.Escalated
	o.OverdueNow += b.OverdueNow
	o.Connected = o.Connected || b.Connected
	for reason, n := range b.ReturnReasons {
		o.ReturnReasons[reason] += n
	}
	o.due += b.due
	o.inTime += b.inTime
	o.checks += b.checks
	o.checksInTime += b.checksInTime
	o.toSign = append(o.toSign, b.toSign...)
}

// figures computes the ratios.
func (o *office) figures() Figures {
	f := o.Figures
	f.InTime = ratio(o.inTime, o.due)
	f.CheckedInTime = ratio(o.checksInTime, o.checks)
	f.ReturnRate = ratio(o.Returned, o.Delivered)
	f.RemindersEach = ratio(o.Reminders, o.Delivered)
	f.ToSign = spread(o.toSign)
	return f
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	u := t.UTC()
	return &u
}
