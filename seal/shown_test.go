package seal

import (
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
