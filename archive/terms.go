package archive

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"yinxin/crypto/gm"
)

// Content is what a record is found by beside its description.
type Content struct {
	// Elements are metadata by their names (主送, 抄送, 签发人, …); each value can be asked for and is part of the full text.
	Elements map[string][]string
	// Text is the text of the document.
	Text string
}

// MaxTerms is how much of a text can be found by phrase: PostgreSQL counts positions to 16383.
const MaxTerms = 16_000

// Terms is a record as an index keeps it. Chinese has no spaces, and an index of words or of three characters finds no
// 通知: so a run of Chinese characters is kept as its overlapping pairs (会议通知: 会议 议通 通知 知) and as its single
// characters. Every term is made of letters and digits alone, in compatibility form and lower case.
type Terms struct {
	Title, Text []string // in order: a phrase is terms that follow each other
	Singles     []string // each Chinese character once
	Facets      []string // values that are asked for as a whole
}

// TermsOf makes the terms of a record.
func TermsOf(r Record, c Content) Terms {
	var t Terms
	t.Title = split(r.Title, true)
	texts := []string{r.Number, r.IssuerName, r.Kind, r.ArchivalCode}
	t.Facets = []string{
		facet("issuer", r.Issuer), facet("kind", r.Kind), facet("retention", r.Retention), facet("document", r.DocumentSM3),
		facet("exchange", r.Exchange), facet("number", r.Number), facet("code", r.ArchivalCode), facet("year", yearOf(r.IssuedOn)),
	}
	for _, office := range append([]string{r.Issuer}, r.Parties...) {
		t.Facets = append(t.Facets, facet("party", office))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Elements)) {
		for _, value := range c.Elements[name] {
			texts = append(texts, value)
			t.Facets = append(t.Facets, facet("element", name+"="+norm.NFKC.String(value)))
		}
	}
	t.Text = slices.Clone(t.Title)
	for _, text := range append(texts, c.Text) {
		if t.Text = append(t.Text, split(text, true)...); len(t.Text) >= MaxTerms {
			t.Text = t.Text[:MaxTerms]
			break
		}
	}
	t.Singles = singles(t.Text)
	slices.Sort(t.Facets)
	t.Facets = slices.Compact(t.Facets)
	return t
}

// singles gives every Chinese character of a stream of terms once.
func singles(terms []string) []string {
	seen := map[rune]bool{}
	var all []string
	for _, t := range terms {
		for _, r := range t {
			if ideograph(r) && !seen[r] {
				seen[r] = true
				all = append(all, string(r))
			}
		}
	}
	return all
}

// facet gives a value one term of fixed length, whatever stands in it.
func facet(name, value string) string {
	d := gm.SM3([]byte(name), []byte{0}, []byte(value))
	return "f" + hex.EncodeToString(d[:8])
}

func yearOf(date string) string { return date[:min(4, len(date))] }

// TermQuery is a query as an index understands it: all of it must hold.
type TermQuery struct {
	Title, Text [][]string // phrases
	Singles     []string
	Facets      [][]string // of each group, one
}

// Empty reports whether the query asks for nothing that terms can answer.
func (q TermQuery) Empty() bool {
	return len(q.Title)+len(q.Text)+len(q.Singles)+len(q.Facets) == 0
}

// maxYears bounds a range of dates that is narrowed by its years.
const maxYears = 50

// Terms gives the part of a query that terms answer. Words of Text and Title that are separated by spaces must all occur; a
// word without any letter or digit asks for nothing.
func (q Query) Terms() TermQuery {
	var t TermQuery
	add := func(phrases *[][]string, text string) {
		for word := range strings.FieldsSeq(text) {
			terms := split(word, false)
			if r := []rune(strings.Join(terms, "")); len(r) == 1 && ideograph(r[0]) {
				t.Singles = append(t.Singles, string(r))
			} else if len(terms) > 0 {
				*phrases = append(*phrases, terms)
			}
		}
	}
	add(&t.Text, q.Text)
	add(&t.Title, q.Title)
	for _, f := range [...]struct{ name, value string }{
		{"issuer", q.Issuer},
		{"kind", q.Kind},
		{"retention", q.Retention},
		{"document", q.DocumentSM3},
		{"exchange", q.Exchange},
		{"number", q.Number},
		{"code", q.Code},
		{"party", q.Office},
	} {
		if f.value != "" {
			t.Facets = append(t.Facets, []string{facet(f.name, f.value)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.Elements)) {
		t.Facets = append(t.Facets, []string{facet("element", name+"="+norm.NFKC.String(q.Elements[name]))})
	}
	if years := q.years(); len(years) > 0 {
		t.Facets = append(t.Facets, years)
	}
	return t
}

// years are those of the range of dates, where both ends are given and not far apart.
func (q Query) years() []string {
	from, err1 := strconv.Atoi(yearOf(q.From))
	to, err2 := strconv.Atoi(yearOf(q.To))
	if err1 != nil || err2 != nil || to-from > maxYears {
		return nil
	}
	var all []string
	for y := from; y <= to; y++ {
		all = append(all, facet("year", fmt.Sprintf("%04d", y)))
	}
	return all
}

// ideograph reports whether a letter is written without spaces around its words.
func ideograph(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r == '〇'
}

// split makes the terms of a text. Every run of Chinese characters gives its pairs; stored, or where something follows it,
// also its last character, so that a run of a longer text is found by each of its parts.
func split(text string, stored bool) []string {
	var terms []string
	var run, word []rune
	endRun := func(last bool) {
		for i := range run {
			switch {
			case i+1 < len(run):
				terms = append(terms, string(run[i:i+2]))
			case last || len(run) == 1:
				terms = append(terms, string(run[i:]))
			}
		}
		run = run[:0]
	}
	endWord := func() {
		if len(word) > 0 {
			terms = append(terms, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	for _, r := range norm.NFKC.String(text) {
		switch {
		case ideograph(r):
			endWord()
			run = append(run, r)
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			endRun(true)
			word = append(word, r)
		default:
			endRun(true)
			endWord()
		}
	}
	endRun(stored)
	endWord()
	return terms
}
