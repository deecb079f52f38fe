package faults

import (
	"strings"
	"testing"

	"yinxin/transport"
)

// TestTheAuditorFindsLoss: what was acknowledged and is not in the log, stands there otherwise, or was never sent.
func TestTheAuditorFindsLoss(t *testing.T) {
	one, two := transport.Digest{1}, transport.Digest{2}
	j := func() *Journal {
		return &Journal{
			Acknowledged: []Acknowledged{{Exchange: "x-1", Body: one}, {Exchange: "x-2", Body: two}},
			Bodies:       map[string]transport.Digest{"x-1": one, "x-2": two},
		}
	}
	for _, tt := range []struct {
		name     string
		accepted map[string]transport.Digest
		want     string
	}{
		{"all there", map[string]transport.Digest{"x-1": one, "x-2": two}, ""},
		{"one lost", map[string]transport.Digest{"x-1": one}, "1 of 2 acknowledged exchanges are lost"},
		{"one exchanged", map[string]transport.Digest{"x-1": one, "x-2": one}, "another envelope"},
		{"one invented", map[string]transport.Digest{"x-1": one, "x-2": two, "x-3": one}, "never sent"},
	} {
		var f Findings
		f.journal(tt.accepted, j())
		if tt.want == "" && len(f) > 0 || tt.want != "" && !strings.Contains(strings.Join(f, "\n"), tt.want) {
			t.Errorf("%s: found %q, want %q", tt.name, f, tt.want)
		}
	}
}
