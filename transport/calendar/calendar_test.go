package calendar_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yinxin/transport/calendar"
)

func load(tb testing.TB) calendar.Calendar {
	tb.Helper()
	f, err := os.Open("../../examples/calendar-2026.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	c, err := calendar.Parse(f)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func moment(tb testing.TB, text string) time.Time {
	tb.Helper()
	t, err := time.Parse("2006-01-02 15:04 -0700", text+" +0800")
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// TestAdd counts by hand what the calendar of 2026 must give.
func TestAdd(t *testing.T) {
	c := load(t)
	for _, tt := range []struct {
		name, from string
		d          time.Duration
		want       string
	}{
		{"inside a morning", "2026-03-02 09:00", time.Hour, "2026-03-02 10:00"},
		{"over the noon break", "2026-03-02 11:00", 2 * time.Hour, "2026-03-02 15:00"},
		{"to the end of a span exactly", "2026-03-02 09:00", 3 * time.Hour, "2026-03-02 12:00"},
		{"over a night", "2026-03-02 17:00", 2 * time.Hour, "2026-03-03 09:30"},
		{"over a weekend", "2026-03-06 17:00", 2 * time.Hour, "2026-03-09 09:30"},
		{"from the middle of a night", "2026-03-03 02:00", time.Hour, "2026-03-03 09:30"},
		{"over the Spring Festival, with the worked Saturday before it", "2026-02-13 17:00", 8 * time.Hour, "2026-02-14 17:30"},
		{"over the Spring Festival", "2026-02-14 17:00", 2 * time.Hour, "2026-02-24 09:30"},
		{"over National Day", "2026-09-30 17:30", time.Hour, "2026-10-08 09:00"},
		{"a worked Sunday", "2026-09-20 09:00", time.Hour, "2026-09-20 10:00"},
	} {
		if got := c.Add(moment(t, tt.from), tt.d); !got.Equal(moment(t, tt.want)) {
			t.Errorf("%s: %s, want %s", tt.name, got.In(time.FixedZone("", 8*3600)), tt.want)
		}
	}
	if !c.Covers(moment(t, "2026-05-01 00:00")) || c.Covers(moment(t, "2027-01-01 00:00")) {
		t.Error("the calendar is of 2026 and of no other year")
	}
	var zero calendar.Calendar
	if got := zero.Add(moment(t, "2026-10-01 00:00"), time.Hour); !got.Equal(moment(t, "2026-10-01 01:00")) {
		t.Errorf("a calendar of nothing counts %s", got)
	}
}

// TestAddAndBetween: what Add puts on, Between counts; and no limit ends where nobody works.
func TestAddAndBetween(t *testing.T) {
	c := load(t)
	begin := moment(t, "2026-01-01 00:00")
	rapid.Check(t, func(rt *rapid.T) {
		from := begin.Add(time.Duration(rapid.IntRange(0, 360*24*60).Draw(rt, "from")) * time.Minute)
		d := time.Duration(rapid.IntRange(1, 60*60).Draw(rt, "minutes")) * time.Minute
		end := c.Add(from, d)
		if got := c.Between(from, end); got != d {
			rt.Fatalf("%s from %s is %s, and %s between", d, from, end, got)
		}
		if !c.Working(end) || c.Between(end.Add(-time.Minute), end) != time.Minute {
			rt.Fatalf("the limit %s falls where nobody works", end)
		}
	})
}

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no hours":             "years: [2026]",
		"hours backwards":      `hours: ["12:00-08:00"]`,
		"hours overlap":        `hours: ["08:00-12:00", "11:00-13:00"]`,
		"hours not written so": `hours: ["8:00-12:00"]`,
		"an hour too many":     `hours: ["08:00-25:00"]`,
		"no such day":          "hours: [\"08:00-12:00\"]\nholidays: [2026-02-30]",
		"a range backwards":    "hours: [\"08:00-12:00\"]\nholidays: [2026-02-03..2026-02-01]",
		"free and worked":      "hours: [\"08:00-12:00\"]\nholidays: [2026-02-03]\nworked: [2026-02-03]",
		"too many days":        "hours: [\"08:00-12:00\"]\nholidays: [2000-01-01..2030-01-01]",
		"unknown key":          "hours: [\"08:00-12:00\"]\nholliday: []",
		"unknown zone":         "hours: [\"08:00-12:00\"]\nzone: Nowhere",
		"too large":            "#" + strings.Repeat("x", calendar.MaxFile),
	} {
		if _, err := calendar.Parse(strings.NewReader(text)); !errors.Is(err, calendar.ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("hours: [\"08:30-12:00\"]\nholidays: [2026-01-01..2026-01-03]", int64(0))
	f.Fuzz(func(t *testing.T, text string, minutes int64) {
		c, err := calendar.Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		from := time.Unix(1_770_000_000, 0)
		d := time.Duration(minutes%100_000) * time.Minute
		if end := c.Add(from, max(d, 0)); end.Before(from) {
			t.Errorf("%s after %s is %s", d, from, end)
		}
	})
}
