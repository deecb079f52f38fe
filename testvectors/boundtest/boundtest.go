// Package boundtest holds a parser to its promise of bounded work: how much it may allocate and how long it may take for an
// input of a given size. Fuzz targets call it around every parse.
package boundtest

import (
	"runtime/metrics"
	"testing"
	"time"
)

// Time is the longest that one input may take. It is far above what any parser needs, so that a busy machine fails
// nothing; work that grows faster than the input passes it all the same.
const Time = 2 * time.Second

// slack is what the machinery around the call may allocate meanwhile, in bytes.
const slack = 1 << 20

// Parse runs f over an input of n bytes and fails the test if it takes longer than Time, or allocates more than perByte
// times n beyond a fixed slack.
func Parse(tb testing.TB, n, perByte int, f func()) {
	tb.Helper()
	before, begin := allocated(), time.Now()
	f()
	took, used := time.Since(begin), allocated()-before
	if took > Time {
		tb.Errorf("%d bytes took %s, at most %s", n, took, Time)
	}
	if most := uint64(slack + perByte*n); used > most {
		tb.Errorf("%d bytes made it allocate %d, at most %d", n, used, most)
	}
}

// allocated is what the process has allocated since it began, in bytes.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// Fuzz wraps the function of a fuzz target that takes one run of bytes, so that each input is held to the bounds.
func Fuzz(perByte int, f func(*testing.T, []byte)) func(*testing.T, []byte) {
	return func(t *testing.T, in []byte) {
		Parse(t, len(in), perByte, func() { f(t, in) })
	}
}
