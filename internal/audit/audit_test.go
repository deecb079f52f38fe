package audit

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/transport"
)

func rows(t *testing.T, c Chain, n int) []Row {
	t.Helper()
	var head [32]byte
	var out []Row
	for i := range n {
		r := transport.AuditRecord{
			At: time.UnixMilli(int64(1000 + i)), Account: "a1", Org: "OFFICE", Action: "exchange.submit",
			Object: strings.Repeat("x", i), Outcome: transport.Allowed,
		}
		head = c.Next(head, uint64(i+1), r)
		out = append(out, Row{N: uint64(i + 1), Record: r, Hash: head})
	}
	return out
}

func seq(rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestChainFindsTheFirstBadRow(t *testing.T) {
	plain, err := NewChain(nil)
	if err != nil {
		t.Fatal(err)
	}
	keyed, err := NewChain([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewChain([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
	tests := []struct {
		name  string
		write Chain
		read  Chain
		edit  func([]Row) []Row
		want  uint64 // first bad row, 0 for none
	}{
		{"untouched", plain, plain, nil, 0},
		{"untouched, keyed", keyed, keyed, nil, 0},
		{"rebuilt without the key", plain, keyed, nil, 1},
		{"changed", plain, plain, func(r []Row) []Row { r[3].Record.Org = "OTHER"; return r }, 4},
		{"border moved", plain, plain, func(r []Row) []Row { r[3].Record.Account, r[3].Record.Org = "a1O", "FFICE"; return r }, 4},
		{"time changed", plain, plain, func(r []Row) []Row { r[3].Record.At = r[3].Record.At.Add(time.Hour); return r }, 4},
		{"deleted", plain, plain, func(r []Row) []Row { return slices.Delete(r, 5, 6) }, 6},
		{"deleted and renumbered", plain, plain, func(r []Row) []Row {
			r = slices.Delete(r, 5, 6)
			for i := range r {
				r[i].N = uint64(i + 1)
			}
			return r
		}, 6},
		{"swapped", plain, plain, func(r []Row) []Row { r[1], r[2] = r[2], r[1]; return r }, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := rows(t, tt.write, 10)
			if tt.edit != nil {
				all = tt.edit(all)
			}
			_, _, err := tt.read.Verify(Start(0), seq(all))
			if broken, ok := errors.AsType[*BrokenError](err); ok {
				if broken.N != tt.want {
					t.Errorf("bad row %d, want %d", broken.N, tt.want)
				}
				return
			}
			if err != nil || tt.want != 0 {
				t.Errorf("error %v, want bad row %d", err, tt.want)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) AppendAudit(context.Context, transport.AuditRecord) error { return f.err }

func TestRecordRefuses(t *testing.T) {
	clock := func() time.Time { return time.UnixMilli(5) }
	good := transport.AuditRecord{Action: "session.open", Outcome: transport.Allowed}
	full := errors.New("disk is full")
	if err := New(failing{full}, clock).Record(t.Context(), good); !errors.Is(err, full) {
		t.Errorf("error %v, want that of the store", err)
	}
	l := New(failing{}, clock)
	if err := l.Record(t.Context(), good); err != nil {
		t.Errorf("good record: %v", err)
	}
	for name, bad := range map[string]transport.AuditRecord{
		"no action":  {Outcome: transport.Allowed},
		"no outcome": {Action: "x"},
		"newline":    {Action: "x", Outcome: "y", Object: "a\nb"},
		"too long":   {Action: "x", Outcome: "y", Object: strings.Repeat("a", MaxField+1)},
		"not UTF-8":  {Action: "x", Outcome: "y", Object: "\xff"},
	} {
		if err := l.Record(t.Context(), bad); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if got := Clean("a\x1b[31m\r\nb" + strings.Repeat("印", 200)); Check(transport.AuditRecord{
		At: clock(), Action: "x", Outcome: "y", Object: got,
	}) != nil {
		t.Errorf("cleaned text %q is not fit", got)
	}
}
