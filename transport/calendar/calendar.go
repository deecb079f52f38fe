// Package calendar counts working time: office hours on working days, by a calendar of public holidays (法定节假日) and of
// the weekend days that are worked instead (调休).
//
// It promises that a limit never falls where nobody works: Add ends inside office hours, and a limit that is not urgent
// does not run at night, at weekends or on holidays. It does not know holidays by itself: each year's list is published
// (国务院办公厅关于部分节假日安排的通知) and has to be imported; Covers says whether a year was.
package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// MaxDays bounds the holidays and the worked weekend days of a calendar, MaxFile its file in bytes.
const (
	MaxDays = 2000
	MaxFile = 1 << 20
)

// maxSearch is how many days Add looks ahead; a calendar without working days within it is refused by New.
const maxSearch = 400

// dayLayout is a civil date.
const dayLayout = "2006-01-02"

// Span is a part of a working day, in minutes after midnight.
type Span struct{ From, To int }

// Calendar is a working-day calendar. The zero value counts every hour of every day.
type Calendar struct {
	zone     *time.Location
	hours    []Span
	holidays map[string]bool
	worked   map[string]bool
	years    map[int]bool
}

// File is the form of a calendar on disk; docs/operations.md and examples/calendar-2026.yaml show it.
type File struct {
	// Zone is the time zone of the offices, as in the tz database or as "+08:00".
	Zone string `yaml:"zone"`
	// Hours are the office hours of a working day, such as "08:30-12:00".
	Hours []string `yaml:"hours"`
	// Years are those whose holidays are complete in this file.
	Years []int `yaml:"years"`
	// Holidays are free days, Worked weekend days that are worked instead; single days or "2026-02-15..2026-02-23".
	Holidays []string `yaml:"holidays"`
	Worked   []string `yaml:"worked"`
}

// ErrFile is wrapped by every refusal of a calendar.
var ErrFile = errors.New("calendar is not valid")

// Parse reads a calendar strictly: unknown keys are refused.
func Parse(r io.Reader) (Calendar, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return Calendar{}, fmt.Errorf("read calendar: %w", err)
	}
	if len(data) > MaxFile {
		return Calendar{}, fmt.Errorf("%w: it is larger than %d bytes", ErrFile, MaxFile)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var f File
	if err := dec.Decode(&f); err != nil {
		return Calendar{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return New(f)
}

// New makes a calendar of its file form.
func New(f File) (Calendar, error) {
	c := Calendar{holidays: map[string]bool{}, worked: map[string]bool{}, years: map[int]bool{}}
	var err error
	if c.zone, err = zone(f.Zone); err != nil {
		return Calendar{}, err
	}
	for _, h := range f.Hours {
		s, err := parseSpan(h)
		if err != nil {
			return Calendar{}, err
		}
		c.hours = append(c.hours, s)
	}
	slices.SortFunc(c.hours, func(a, b Span) int { return a.From - b.From })
	for i := 1; i < len(c.hours); i++ {
		if c.hours[i].From < c.hours[i-1].To {
			return Calendar{}, fmt.Errorf("%w: office hours overlap", ErrFile)
		}
	}
	if len(c.hours) == 0 {
		return Calendar{}, fmt.Errorf("%w: no office hours", ErrFile)
	}
	for _, y := range f.Years {
		c.years[y] = true
	}
	if err := addDays(c.holidays, f.Holidays); err != nil {
		return Calendar{}, err
	}
	if err := addDays(c.worked, f.Worked); err != nil {
		return Calendar{}, err
	}
	for day := range c.worked {
		if c.holidays[day] {
			return Calendar{}, fmt.Errorf("%w: %s is both free and worked", ErrFile, day)
		}
	}
	return c, nil
}

func zone(name string) (*time.Location, error) {
	if name == "" {
		name = "+08:00"
	}
	if t, err := time.Parse("-07:00", name); err == nil {
		_, offset := t.Zone()
		return time.FixedZone(name, offset), nil
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%w: zone %.40q", ErrFile, name)
	}
	return z, nil
}

func parseSpan(text string) (Span, error) {
	var h1, m1, h2, m2 int
	if n, err := fmt.Sscanf(text, "%2d:%2d-%2d:%2d", &h1, &m1, &h2, &m2); n != 4 || err != nil ||
		fmt.Sprintf("%02d:%02d-%02d:%02d", h1, m1, h2, m2) != text {
		return Span{}, fmt.Errorf("%w: office hours %.40q are not like 08:30-12:00", ErrFile, text)
	}
	s := Span{h1*60 + m1, h2*60 + m2}
	if m1 > 59 || m2 > 59 || s.To > 24*60 || s.From >= s.To {
		return Span{}, fmt.Errorf("%w: office hours %.40q", ErrFile, text)
	}
	return s, nil
}

// addDays enters days and ranges of days.
func addDays(into map[string]bool, days []string) error {
	for _, text := range days {
		from, to := text, text
		if len(text) == 2*len(dayLayout)+2 && text[len(dayLayout):len(dayLayout)+2] == ".." {
			from, to = text[:len(dayLayout)], text[len(dayLayout)+2:]
		}
		a, err := time.Parse(dayLayout, from)
		b, err2 := time.Parse(dayLayout, to)
		if err != nil || err2 != nil || b.Before(a) {
			return fmt.Errorf("%w: day %.40q", ErrFile, text)
		}
		for d := a; !d.After(b); d = d.AddDate(0, 0, 1) {
			if into[d.Format(dayLayout)] = true; len(into) > MaxDays {
				return fmt.Errorf("%w: more than %d days", ErrFile, MaxDays)
			}
		}
	}
	return nil
}

// IsZero reports whether the calendar counts every hour.
func (c Calendar) IsZero() bool { return c.zone == nil }

// Covers reports whether the holidays of the year of t are complete.
func (c Calendar) Covers(t time.Time) bool {
	return !c.IsZero() && c.years[t.In(c.zone).Year()]
}

// Working reports whether the day of t is a working day.
func (c Calendar) Working(t time.Time) bool {
	if c.IsZero() {
		return true
	}
	t = t.In(c.zone)
	day := t.Format(dayLayout)
	if c.worked[day] {
		return true
	}
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && !c.holidays[day]
}

// Add gives the moment at which d of working time has passed since t. It lies inside office hours, or at their end.
func (c Calendar) Add(t time.Time, d time.Duration) time.Time {
	if c.IsZero() {
		return t.Add(d)
	}
	day := midnight(t.In(c.zone))
	for range maxSearch {
		if c.Working(day) {
			for _, s := range c.hours {
				from, to := at(day, s.From), at(day, s.To)
				if from.Before(t) {
					from = t
				}
				have := to.Sub(from)
				if have < 0 || have == 0 && d > 0 {
					continue
				}
				if d <= have {
					return from.Add(d).UTC()
				}
				d -= have
			}
		}
		day = midnight(day.AddDate(0, 0, 1))
	}
	return t.Add(d) // nothing is worked for more than a year: an hour is an hour
}

// Between gives the working time from a to b; negative time is none.
func (c Calendar) Between(a, b time.Time) time.Duration {
	if c.IsZero() || !a.Before(b) {
		return max(0, b.Sub(a))
	}
	var sum time.Duration
	for day := midnight(a.In(c.zone)); day.Before(b); day = midnight(day.AddDate(0, 0, 1)) {
		if !c.Working(day) {
			continue
		}
		for _, s := range c.hours {
			from, to := at(day, s.From), at(day, s.To)
			if from.Before(a) {
				from = a
			}
			if to.After(b) {
				to = b
			}
			sum += max(0, to.Sub(from))
		}
	}
	return sum
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

func at(day time.Time, minutes int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, minutes, 0, 0, day.Location())
}
