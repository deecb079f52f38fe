package ofd

import (
	"bytes"
	"crypto/rand"
	"testing"
)

// noise is content that does not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// Digests are taken over where the packed bytes are the same, wherever in the file they lie, and never where a single one
// differs: neither in a small file nor at any end of what a core compares of a large one.
func TestTakeSums(t *testing.T) {
	const small, large = "Doc_0/Res/small.bin", "Doc_0/Res/large.bin"
	sample := mustOpenSample(t, "u2.ofd")
	first, err := sample.Replace(File{Name: small, Data: noise(5000)}, File{Name: large, Data: noise(3*alone + 17)})
	if err != nil {
		t.Fatal(err)
	}
	from := mustRead(t, first)
	if err := from.Digest(); err != nil {
		t.Fatal(err)
	}
	root, _ := from.Entry(rootEntry)
	moved, err := from.Replace(File{Name: rootEntry, Data: append(bytes.Clone(root), bytes.Repeat([]byte("\n"), 99)...)})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{small, large} {
		to := mustRead(t, moved)
		e := to.entries[to.index[name]]
		half := (int(e.packed) + 1) / 2
		for _, at := range []int{-1, 0, chunk - 1, chunk, half - 1, half, int(e.packed) - 1} {
			if at >= int(e.packed) {
				continue
			}
			altered := bytes.Clone(moved)
			if at >= 0 {
				altered[int(e.start)+at] ^= 1
			}
			for _, to := range []*Package{mustRead(t, altered), mustReadBytes(t, altered)} {
				if err := to.TakeSums(from, name, "Doc_0/Res/nowhere"); err != nil {
					t.Fatal(err)
				}
				if _, taken := to.sums[to.index[name]]; taken != (at < 0) {
					t.Errorf("%s altered at %d: taken over %v", name, at, taken)
				}
			}
		}
	}
}

// A digest that was taken over is that of the content.
func TestTakenSumIsRight(t *testing.T) {
	from := mustOpenSample(t, "u2.ofd")
	data, err := from.Replace()
	if err != nil {
		t.Fatal(err)
	}
	taken, own := mustRead(t, data), mustRead(t, data)
	if err := taken.TakeSums(from, from.Names()...); err != nil {
		t.Fatal(err)
	}
	if len(taken.sums) != len(from.Names()) {
		t.Errorf("%d of %d taken over", len(taken.sums), len(from.Names()))
	}
	for _, name := range from.Names() {
		a, _ := taken.Sum(name)
		if b, ok := own.Sum(name); !ok || a != b {
			t.Errorf("%s: %x, taken over %x", name, b, a)
		}
	}
}

func mustRead(t testing.TB, data []byte) *Package {
	t.Helper()
	p, err := OpenReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustReadBytes(t testing.TB, data []byte) *Package {
	t.Helper()
	p, err := OpenBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
