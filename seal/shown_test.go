package seal

import (
	"strings"
	"testing"
	"time"

	"yinxin/verdict"
)

// TestWarnTime: the times that programs write beside signatures are read in all their forms; only one that no zone explains is told.
func TestWarnTime(t *testing.T) {
	signed := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for text, warned := range map[string]bool{
		"":                          false,
		"20261121080000Z":           false,
		"20261121080000.763Z":       false,
		"20261121160000":            false,
		"20261121160000Z":           false, // local time that calls itself UTC, as some software writes it
		"2026-11-21 16:00:00":       false,
		"2026-11-21T16:00:00+08:00": false,
		"2026年11月21日":               false,
		"2026-11-21":                false,
		"D:20261121160000+08'00'":   false,
		"D:20261121080000Z":         false,
		"D:20261121":                false,
		"20261123080000Z":           true,
		"20261120080000Z":           true,
		"2020-01-01 00:00:00":       true,
		"2026-11-19":                true,
		"2026-13-21 16:00:00":       true,
		"D:2026":                    true,
		"二〇二六年":                     true,
		"yesterday":                 true,
		"D:20261124110000+74'00'":   true, // a zone that would explain any time
		"20261118210000-74:00":      true,
		"2026-11-21 22:00:00 +1400": false,
	} {
		var sig verdict.Signature
		WarnTime(&sig, "x", text, signed)
		if sig.Warned(verdict.TimeDiffers) != warned {
			t.Errorf("%q: warned %t, want %t", text, !warned, warned)
		}
	}
	var sig verdict.Signature
	if WarnTime(&sig, "x", "20200101000000Z", time.Time{}); len(sig.Warnings) > 0 {
		t.Errorf("without a signed time: %v", sig.WarningDetails)
	}
}

// TestCutTimes: a time that is cut off anywhere is a coarser time, or none.
func TestCutTimes(t *testing.T) {
	for _, text := range []string{"D:20261121160000+08'00'", "2026年11月21日 16时00分00秒", "2026-11-21T16:00:00.763-05:00", "99999999999999Z"} {
		for i := range text {
			from, to, ok := readTime(text[:i])
			if ok && (to.Before(from) || to.Sub(from) > 24*time.Hour) {
				t.Errorf("%q: from %v to %v", text[:i], from, to)
			}
		}
	}
}

// FuzzReadTime: whatever a text is taken for is a moment or a day, one that is not told of names the year that was signed, and what is
// told is short.
func FuzzReadTime(f *testing.F) {
	for _, text := range []string{
		"", "20200723130907.763Z", "20200817111329Z", "20221031141634", "2020-06-20 17:18:49", "D:20261121160000+08'00'", "D:20261121",
		"2026年11月21日 16时00分00秒", "2026-11-21T16:00:00.763-05:00", "99999999999999Z", "00000000", "20261121000000+99'99'", "D:2026112124", "\xff2026",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const day = 24 * time.Hour
		from, to, ok := readTime(text)
		if ok && (to.Before(from) || to.Sub(from) > day) {
			t.Fatalf("%q: from %v to %v, %t", text, from, to, ok)
		}
		signed := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
		var sig verdict.Signature
		WarnTime(&sig, "x", text, signed)
		told := strings.TrimSpace(text) != "" && (!ok || from.Sub(signed) > zonesApart || signed.Sub(to) > zonesApart)
		if sig.Warned(verdict.TimeDiffers) != told {
			t.Fatalf("%q: from %v to %v: warned %t", text, from, to, !told)
		}
		for _, d := range sig.WarningDetails {
			if len(d) > 1<<10 {
				t.Fatalf("%d bytes are told of a time", len(d))
			}
		}
		if ok && !told && !strings.Contains(text, "2026") {
			t.Fatalf("%q is taken for a time of 2026", text)
		}
	})
}
