package web

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/transport"
	"yinxin/verdict"
)

// functions are what templates may call, in one language.
func (s *Server) functions(l language, texts catalogue) template.FuncMap {
	w := words{texts: texts, lang: l, zone: s.c.Zone, now: s.c.Clock}
	return template.FuncMap{
		"t":         texts.text,
		"word":      func(prefix string, code any) string { return texts.word(prefix+"."+fmt.Sprint(code), fmt.Sprint(code)) },
		"day":       w.day,
		"moment":    w.moment,
		"stamp":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"left":      w.left,
		"past":      func(t time.Time) bool { return !t.IsZero() && t.Before(s.c.Clock()) },
		"soon":      func(t time.Time) bool { return !t.IsZero() && t.Sub(s.c.Clock()) < 24*time.Hour },
		"bytes":     size,
		"digest":    digest,
		"short":     short,
		"reason":    func(r verdict.Reason) string { return r.Text(l.verdict()) },
		"cause":     func(of any) string { return causeOf(of, l.verdict()) },
		"detail":    func(text string) string { return verdict.DetailText(text, l.verdict()) },
		"check":     func(n verdict.CheckName) string { return n.Text(l.verdict()) },
		"status":    func(st verdict.Status) string { return st.Text(l.verdict()) },
		"source":    func(source string) string { return verdict.TimeSourceText(source, l.verdict()) },
		"asset":     s.assetPath,
		"languages": func() []language { return []language{chinese, english} },
		"join":      func(list []string) string { return strings.Join(list, w.texts.text("list.separator")) },
		"has":       slices.Contains[[]string],
		"add":       func(a, b int) int { return a + b },
		"mm":        func(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) },
		"dict":      dict,
		"hex":       func(b [32]byte) string { return transport.Digest(b).String() },
	}
}

// causeOf is the sentence for the reason of a verdict or a check; empty for none.
func causeOf(of any, l verdict.Language) string {
	switch v := of.(type) {
	case verdict.Check:
		return v.ReasonText(l)
	case verdict.Signature:
		return v.ReasonText(l)
	case verdict.File:
		return v.ReasonText(l)
	case *verdict.File:
		return v.ReasonText(l)
	}
	return ""
}

// dict makes a map of pairs, for a part that needs more than one value.
func dict(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %v is no text", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// words prints what templates show, in one language and zone.
type words struct {
	texts catalogue
	lang  language
	zone  *time.Location
	now   func() time.Time
}

// day prints a date, in Chinese as 2026年11月21日.
func (w words) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if w.lang == english {
		return t.In(w.zone).Format("2 Jan 2006")
	}
	return t.In(w.zone).Format("2006年1月2日")
}

// moment prints a date with its time.
func (w words) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.day(t) + " " + t.In(w.zone).Format("15:04")
}

// left says how much time there is until a deadline, or how long it has passed.
func (w words) left(due time.Time) string {
	if due.IsZero() {
		return ""
	}
	d := due.Sub(w.now())
	if d < 0 {
		return w.texts.text("time.over", w.span(-d))
	}
	return w.texts.text("time.left", w.span(d))
}

// span prints a length of time in its two largest units.
func (w words) span(d time.Duration) string {
	minutes := int(d / time.Minute)
	days, hours := minutes/(24*60), minutes/60%24
	switch {
	case days > 0 && hours > 0:
		return w.texts.text("time.days_hours", days, hours)
	case days > 0:
		return w.texts.text("time.days", days)
	case hours > 0 && minutes%60 > 0:
		return w.texts.text("time.hours_minutes", hours, minutes%60)
	case hours > 0:
		return w.texts.text("time.hours", hours)
	}
	return w.texts.text("time.minutes", minutes)
}

// size prints a number of bytes.
func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// digest cuts a digest in groups of eight, which an eye can compare.
func digest(v any) []string {
	text := fmt.Sprint(v)
	var out []string
	for len(text) > 8 {
		out = append(out, text[:8])
		text = text[8:]
	}
	return append(out, text)
}

// short is the beginning of a digest or an id.
func short(v any) string {
	text := fmt.Sprint(v)
	if len(text) > 12 {
		return text[:12] + "…"
	}
	return text
}
