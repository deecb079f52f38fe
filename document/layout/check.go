package layout

import (
	"fmt"
	"math"
	"slices"

	"yinxin/document"
	"yinxin/verdict"
)

// Measurement is one element of the page, measured.
type Measurement struct {
	// Page counts from 1.
	Page    int     `json:"page"`
	Element Element `json:"element"`
	// Measure is what was measured, such as below_red_head.
	Measure string `json:"measure"`
	// Clause is that of GB/T 9704-2012 unless it names another standard.
	Clause string `json:"clause"`
	// Measured and Expected are in mm; a few measures are counts or shares, as their rule says. Most is the upper end
	// where the standard gives a range; left out where it has none.
	Measured float64  `json:"measured"`
	Expected float64  `json:"expected"`
	Most     *float64 `json:"most,omitempty"`
	// AtLeast says that Expected is a lower bound with no upper one.
	AtLeast   bool    `json:"at_least,omitempty"`
	Deviation float64 `json:"deviation"`
	Tolerance float64 `json:"tolerance"`
	// Verdict is passed or failed.
	Verdict verdict.Status `json:"verdict"`
	// Detail quotes the text that was measured, or says what is missing.
	Detail string `json:"detail,omitempty"`
}

// Report is what Check found on the pages of one document.
type Report struct {
	Form  document.Form `json:"form"`
	Pages int           `json:"pages"`
	// Verdict is failed when any measurement is.
	Verdict      verdict.Status `json:"verdict"`
	Measurements []Measurement  `json:"measurements"`
	// Warnings do not lower the verdict: face_substituted, unsealed, sideways_text, sight_unknown, and what the drawing of the
	// pages told.
	Warnings []Warning `json:"warnings"`
}

// Faults are the measurements that failed.
func (r *Report) Faults() []Measurement {
	var out []Measurement
	for _, m := range r.Measurements {
		if m.Verdict == verdict.Failed {
			out = append(out, m)
		}
	}
	return out
}

// Check measures laid-out pages against GB/T 9704-2012. It works from positions, sizes, colours and characters alone: the
// Element of runs and rules is not looked at, so a file without it gives the same report. seals are those that the pages
// bear, upright and whole; slices of a cross-page seal are not among them.
func Check(pages []Page, seals []Spot) Report {
	c := newChecker(pages, seals)
	c.recognise()
	c.report.Form = c.form
	for _, step := range []func(){
		c.paper, c.labels, c.redHead, c.number, c.redRules, c.title, c.addressees, c.bodyText, c.typeArea,
		c.attachments, c.attendance, c.signature, c.sealPlaces, c.note, c.annexes, c.imprint, c.pageNumbers, c.typefaces, c.inTables, c.sight,
	} {
		step()
	}
	c.report.Verdict = verdict.Passed
	if len(c.report.Faults()) > 0 {
		c.report.Verdict = verdict.Failed
	}
	return c.report
}

func newChecker(pages []Page, seals []Spot) *checker {
	c := &checker{rules: expectations(), pages: pages, seals: seals}
	c.report = Report{Pages: len(pages), Measurements: []Measurement{}, Warnings: []Warning{}}
	for i := range pages {
		marks := marksOf(&pages[i])
		sheet, pieces := withoutTables(pages[i], piecesIn(i, marks))
		c.marks = append(c.marks, marks)
		c.sheets, c.pieces = append(c.sheets, sheet), append(c.pieces, pieces)
		c.tables = append(c.tables, append(tablesOf(&pages[i]), picturesOf(&pages[i])...))
	}
	return c
}

// checker measures one document.
type checker struct {
	rules  map[string]expectation
	pages  []Page    // as they are
	sheets []Page    // without what lies in tables
	pieces [][]piece // by page
	marks  [][]mark  // by page, those in tables too
	tables [][]band  // and pictures, by page
	seals  []Spot
	report Report
	recognised
}

// measure judges one value by the rule named element.measure. page counts from 0.
func (c *checker) measure(page int, el Element, name string, value float64, detail string) {
	rule, ok := c.rules[string(el)+"."+name]
	if !ok { // a test walks through every measure
		c.report.Warnings = append(c.report.Warnings, Warning{Code: "rule_missing", Detail: string(el) + "." + name})
		return
	}
	m := Measurement{
		Page: page + 1, Element: el, Measure: name, Clause: rule.clause, Measured: round(value), Expected: rule.least,
		Tolerance: rule.tolerance, Verdict: verdict.Passed, Detail: shorten(detail),
	}
	if rule.most != rule.least && rule.most != anything {
		m.Most = &rule.most
	}
	m.AtLeast = rule.most == anything
	switch {
	case value < rule.least:
		m.Deviation = round(value - rule.least)
	case value > rule.most:
		m.Deviation = round(value - rule.most)
	}
	if math.Abs(m.Deviation) > rule.tolerance {
		m.Verdict = verdict.Failed
	}
	c.report.Measurements = append(c.report.Measurements, m)
}

// missing reports an element that a page must have and does not.
func (c *checker) missing(page int, el Element, clause, detail string) {
	c.report.Measurements = append(c.report.Measurements, Measurement{
		Page: page + 1, Element: el, Measure: "present", Clause: clause, Expected: 1, Deviation: -1, Verdict: verdict.Failed, Detail: detail,
	})
}

// wording reports a text that is not written as the standard asks; one that is reports nothing.
func (c *checker) wording(ok bool, page int, el Element, name, clause, detail string) {
	status := verdict.Passed
	value := 1.0
	if !ok {
		status, value = verdict.Failed, 0
	}
	c.report.Measurements = append(c.report.Measurements, Measurement{
		Page: page + 1, Element: el, Measure: name, Clause: clause, Measured: value, Expected: 1, Deviation: value - 1,
		Verdict: status, Detail: shorten(detail),
	})
}

func (c *checker) warn(code, format string, args ...any) {
	w := Warning{Code: code, Detail: fmt.Sprintf(format, args...)}
	if !slices.Contains(c.report.Warnings, w) {
		c.report.Warnings = append(c.report.Warnings, w)
	}
}

// round keeps a hundredth of a millimetre.
func round(v float64) float64 { return math.Round(v*100) / 100 }

func shorten(s string) string {
	const most = 24
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
