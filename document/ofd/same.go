package ofd

import (
	"bytes"
	"runtime"
	"sync"
)

// TakeSums takes over the digests of those of the named files that lie here in the very bytes, packed, in which the other
// package holds them: they need be neither unpacked nor digested again. The error is one of reading.
func (p *Package) TakeSums(from *Package, names ...string) error {
	c := &comparison{a: p.src, b: from.src}
	for _, name := range names {
		same, err := p.sameFile(from, name, c)
		if err != nil {
			return err
		}
		if !same {
			continue
		}
		if sum, ok := from.Sum(name); ok {
			p.mu.Lock()
			p.sums[p.index[name]] = sum
			p.mu.Unlock()
		}
	}
	return nil
}

// sameFile compares how a file is packed in two packages, a large one on all cores.
func (p *Package) sameFile(other *Package, name string, c *comparison) (bool, error) {
	i, in := p.index[name]
	k, inOther := other.index[name]
	if !in || !inOther {
		return false, nil
	}
	a, b := &p.entries[i], &other.entries[k]
	if a.method != b.method || a.crc != b.crc || a.size != b.size || a.packed != b.packed {
		return false, nil
	}
	if a.packed <= alone {
		return c.same(a.start, b.start, int64(a.packed))
	}
	cores := runtime.GOMAXPROCS(0)
	share := (int64(a.packed) + int64(cores) - 1) / int64(cores)
	same, faults := make([]bool, cores), make([]error, cores)
	var wg sync.WaitGroup
	for core := range cores {
		wg.Go(func() {
			from := int64(core) * share
			mine := &comparison{a: c.a, b: c.b}
			same[core], faults[core] = mine.same(a.start+from, b.start+from, min(share, int64(a.packed)-from))
		})
	}
	wg.Wait()
	for core := range cores {
		if faults[core] != nil || !same[core] {
			return false, faults[core]
		}
	}
	return true, nil
}

// comparison compares parts of two sources, and keeps the room that it reads them into.
type comparison struct {
	a, b         source
	roomA, roomB []byte
}

// same compares n bytes.
func (c *comparison) same(atA, atB, n int64) (bool, error) {
	if room := min(chunk, int(n)); len(c.roomA) < room {
		c.roomA, c.roomB = make([]byte, room), make([]byte, room)
	}
	for done := int64(0); done < n; {
		part := min(int64(len(c.roomA)), n-done)
		x, err := c.a.into(c.roomA[:part], atA+done)
		if err != nil {
			return false, err
		}
		y, err := c.b.into(c.roomB[:part], atB+done)
		if err != nil || !bytes.Equal(x, y) {
			return false, err
		}
		done += part
	}
	return true, nil
}
