package seal

import (
	"strconv"
	"strings"
	"time"

	"yinxin/verdict"
)

// zonesApart is the largest distance of two clocks that show the same moment, the one in UTC or in China's zone and the other
// anywhere. Times beside signatures often name no zone, or a wrong one.
const zonesApart = 14 * time.Hour

// maxShownTime is how much of a time is quoted.
const maxShownTime = 40

// WarnTime warns where beside a signature stands another time (PDF /M, OFD SignatureDateTime) than the one that the signer
// signed. Nothing is judged by such a time, and readers show it. No signed time, or no text, says nothing. where names what
// holds the text.
func WarnTime(sig *verdict.Signature, where, text string, signed time.Time) {
	text = strings.TrimSpace(text)
	if text == "" || signed.IsZero() {
		return
	}
	shown := []rune(text)
	shown = shown[:min(len(shown), maxShownTime)]
	from, to, ok := readTime(text)
	switch {
	case !ok:
		sig.Warn(verdict.TimeDiffers, "%s states the time %q, which nobody can hold against the signed time %s", where, string(shown), stamp(signed))
	case signed.Before(from.Add(-zonesApart)) || signed.After(to.Add(zonesApart)):
		sig.Warn(verdict.TimeDiffers, "%s states the time %q, and %s was signed", where, string(shown), stamp(signed))
	}
}

// chinaTime is the zone of a time that names none.
const chinaTime = 8 * time.Hour

// readTime reads a date, or a date and a time of day, as programs write them: digits, with or without separators, and perhaps a
// zone behind them. It gives the first and the last moment that the text can mean.
func readTime(text string) (from, to time.Time, ok bool) {
	rest := strings.TrimPrefix(text, "D:")
	var n [6]int // year to second
	count := 0
	for i, width := range [6]int{4, 2, 2, 2, 2, 2} {
		if n[i], rest, ok = readNumber(rest, width, i > 0); !ok {
			break
		}
		count++
	}
	const date = 3
	if count < date {
		return from, to, false
	}
	from = time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	if from.Month() != time.Month(n[1]) || from.Day() != n[2] || from.Hour() != n[3] || from.Minute() != n[4] {
		return from, to, false
	}
	offset, ok := readZone(rest)
	if !ok {
		return from, to, false
	}
	from = from.Add(-offset)
	to = from
	if count == date {
		to = from.AddDate(0, 0, 1)
	}
	return from, to, true
}

// readNumber reads up to width digits, after separators where those may stand.
func readNumber(text string, width int, separated bool) (n int, rest string, ok bool) {
	if separated {
		text = strings.TrimLeft(text, "-/.:T 年月日时分")
	}
	end := 0
	for end < len(text) && end < width && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(text[:end])
	return n, text[end:], err == nil
}

// readZone reads the zone behind a time: Z, or hours and minutes with a sign. What is no zone counts as none; one that lies farther
// away than clocks do is refused, for it would explain any time.
func readZone(text string) (offset time.Duration, ok bool) {
	text = strings.TrimLeft(text, ".0123456789 ") // a fraction of a second
	if text == "" {
		return chinaTime, true
	}
	h, rest, ok := readNumber(text[1:], 2, false)
	if !ok {
		h = 0
	}
	m, _, _ := readNumber(strings.TrimLeft(rest, "':"), 2, false)
	offset = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	switch text[0] {
	case '+':
		return offset, offset <= zonesApart
	case '-':
		return -offset, offset <= zonesApart
	case 'Z', 'z':
		return 0, true
	}
	return chinaTime, true
}
