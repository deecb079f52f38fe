package archive_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"yinxin/archive"
	"yinxin/crypto/cms"
)

// TestRetention: counted in whole years from the year after the date of issue, to the day, in the time of the archive.
func TestRetention(t *testing.T) {
	for _, tt := range []struct {
		retention, issued, until string
	}{
		{"D10", "2026-01-01", "2037-01-01"},
		{"D10", "2026-12-31", "2037-01-01"},
		{"D30", "2026-05-08", "2057-01-01"},
		{"Y", "1949-10-01", ""},
		{"D5", "2000-01-01", ""}, // unknown: never disposed of
		{"D10", "", ""},
		{"D10", "2026-13-01", ""},
	} {
		r := archive.Record{Retention: tt.retention, IssuedOn: tt.issued}
		day, forEver := r.KeepUntil()
		if got := day.Format(time.DateOnly); forEver != (tt.until == "") || !forEver && got != tt.until {
			t.Errorf("%s of %s: kept until %s, for ever %t; want %q", tt.retention, tt.issued, got, forEver, tt.until)
		}
		if forEver {
			if r.MayBeDisposed(time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("%s of %q may be disposed of", tt.retention, tt.issued)
			}
			continue
		}
		midnight := day.Add(-8 * time.Hour) // of that day in Beijing
		if r.MayBeDisposed(midnight.Add(-time.Second)) || !r.MayBeDisposed(midnight) {
			t.Errorf("%s of %s: not to be disposed of from the first second of the day on", tt.retention, tt.issued)
		}
	}
}

// TestKeepingStatements: written and read; every byte that is another, and every other spelling, is refused or read as what it
// is not signed for.
func TestKeepingStatements(t *testing.T) {
	w := newWorld(t)
	a := &archive.Archive{
		Signer: w.archive.SignKey, Certificate: w.archive.SigningCert, Clock: func() time.Time { return w.now }, Rand: rand.Reader,
	}
	der, err := a.State(archive.KeepingStatement{
		Act: archive.ActDisposal, ID: "d1", Record: "r1", ArchivalCode: "Z1-1", Retention: "D10", Exchange: "x", Basis: "保管期满",
		Decisions: []archive.Decision{{Act: "proposed", Account: "a", At: w.now}, {Act: "approved", Account: "b", At: w.now}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, signer, err := archive.ParseKeepingStatement(der)
	if err != nil || s.Act != archive.ActDisposal || len(s.Decisions) != 2 || !bytes.Equal(signer.Raw, w.archive.SigningCert.Raw) || s.Schema != archive.KeepingSchema {
		t.Errorf("read %+v, %v", s, err)
	}
	o := cms.SignOptions{Signer: w.archive.SignKey, Certificate: w.archive.SigningCert, Time: w.now, Rand: rand.Reader}
	for name, text := range map[string]string{
		"compact":       `{"schema":"yinxin.keeping/1"}`,
		"another shape": "{\n \"schema\": \"yinxin.package/1\"\n}",
		"unknown field": `{"schema":"yinxin.keeping/1","more":1}`,
		"no JSON":       "hello",
	} {
		other, err := cms.Sign([]byte(text), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := archive.ParseKeepingStatement(other); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	for _, bad := range [][]byte{nil, der[:len(der)-1], {0x30, 0}} {
		if _, _, err := archive.ParseKeepingStatement(bad); err == nil {
			t.Errorf("%d bytes: read", len(bad))
		}
	}
}

func FuzzParseKeepingStatement(f *testing.F) {
	f.Add([]byte{0x30, 0x03, 0x02, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, der []byte) {
		if s, _, err := archive.ParseKeepingStatement(der); err == nil && s.Schema != archive.KeepingSchema {
			t.Errorf("schema %q was read", s.Schema)
		}
	})
}
