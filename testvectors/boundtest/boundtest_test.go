package boundtest

import (
	"testing"
)

// recorder notes whether a test would have failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

var sink []byte

func TestParse(t *testing.T) {
	tests := []struct {
		name  string
		alloc int
		want  bool
	}{
		{"within", 100, false},
		{"beyond", 100 << 20, true},
	}
	for _, tt := range tests {
		r := &recorder{}
		Parse(r, 1000, 10, func() { sink = make([]byte, tt.alloc) })
		if r.failed != tt.want {
			t.Errorf("%s: failed %v, want %v", tt.name, r.failed, tt.want)
		}
	}
}
