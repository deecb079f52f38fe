package ofd

import (
	"cmp"
	"errors"
	"hash"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"yinxin/crypto/gm"
)

// alone is up to how many unpacked bytes a package is scanned without helpers.
const alone = 1 << 20

// Check unpacks every file as a stream and refuses a package that holds one which is not as it declares. A package that
// lies in memory was checked when it was opened.
func (p *Package) Check() error {
	if p.checked {
		return nil
	}
	return p.scan(false)
}

// Digest is Check that takes the SM3 of every file on the way, on all cores; Sum gives them afterwards. Memory does not
// grow with the size of the files.
func (p *Package) Digest() error { return p.scan(true) }

// Sum is the SM3 of the content of a file. It is false for a file that the package lacks, and for one that cannot be
// unpacked, as Check and Digest say.
func (p *Package) Sum(name string) ([32]byte, bool) {
	i, ok := p.index[strings.TrimPrefix(name, "/")]
	if !ok {
		return [32]byte{}, false
	}
	p.mu.Lock()
	sum, ok := p.sums[i]
	p.mu.Unlock()
	if ok {
		return sum, true
	}
	if err := p.scanEntry(i, true); err != nil {
		return [32]byte{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sums[i], true
}

// scan goes through all files. Of several faults it gives that of the first entry, whoever finds which one first.
func (p *Package) scan(digest bool) error {
	var todo []int
	total := int64(0)
	p.mu.Lock()
	for _, i := range p.index {
		if _, done := p.sums[i]; !done {
			todo = append(todo, i)
			total += int64(p.entries[i].size)
		}
	}
	p.mu.Unlock()
	if total <= alone {
		slices.Sort(todo)
		for _, i := range todo {
			if err := p.scanEntry(i, digest); err != nil {
				return err
			}
		}
		return nil
	}
	// The largest first, so that the cores end together.
	slices.SortFunc(todo, func(a, b int) int { return cmp.Compare(p.entries[b].size, p.entries[a].size) })
	faults := make([]error, len(p.entries))
	var next, worst atomic.Int64
	worst.Store(math.MaxInt64)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		wg.Go(func() {
			for {
				k := next.Add(1) - 1
				if k >= int64(len(todo)) {
					return
				}
				i := todo[k]
				if int64(i) > worst.Load() {
					continue // an earlier one is at fault
				}
				if faults[i] = p.scanEntry(i, digest); faults[i] != nil {
					lower(&worst, int64(i))
				}
			}
		})
	}
	wg.Wait()
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// lower makes v at most n.
func lower(v *atomic.Int64, n int64) {
	for {
		old := v.Load()
		if old <= n || v.CompareAndSwap(old, n) {
			return
		}
	}
}

// scanEntry unpacks one file, and takes its digest.
func (p *Package) scanEntry(i int, digest bool) error {
	e := &p.entries[i]
	var sum [32]byte
	if e.size <= maxHeldEntry {
		data, err := p.read(i)
		if err != nil || !digest {
			return err
		}
		sum = gm.SM3(data)
	} else {
		h := gm.NewSM3()
		if err := p.stream(e, h, digest); err != nil || !digest {
			return err
		}
		h.Sum(sum[:0])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sums[i] = sum
	return nil
}

// stream unpacks a large file and, where its digest is wanted, leaves the hashing to another core.
func (p *Package) stream(e *entry, h hash.Hash, digest bool) error {
	c, err := p.src.open(e)
	if err != nil {
		return err
	}
	if !digest {
		defer c.close()
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, c, make([]byte, chunk))
		return err
	}
	return readAhead(c, c.close, func(b []byte) error {
		_, err := h.Write(b)
		return err
	})
}

// readAhead reads r to its end on another core than the one that uses what was read, calls done when it reads no more,
// and returns after that.
func readAhead(r io.Reader, done func(), use func([]byte) error) error {
	const ahead = 4
	free, full := make(chan []byte, ahead), make(chan []byte, ahead)
	for range ahead {
		free <- make([]byte, chunk)
	}
	var fault error // of reading; read after full was closed
	go func() {
		defer close(full)
		defer done()
		for b := range free {
			n, err := io.ReadFull(r, b[:chunk])
			full <- b[:n]
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					fault = err
				}
				return
			}
		}
	}()
	var stop error
	for b := range full {
		if stop == nil {
			if stop = use(b); stop != nil {
				close(free)
			}
		}
		if stop == nil {
			free <- b
		}
	}
	return cmp.Or(stop, fault)
}
