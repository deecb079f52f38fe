package ofd

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"yinxin/verdict"
)

const (
	// maxHeldEntry and maxHeld bound, in bytes, which unpacked files a package keeps, and how much of them: its XML is
	// read more than once, its pictures and attachments seldom.
	maxHeldEntry = 1 << 20
	maxHeld      = 16 << 20
	// chunk is how much of a large file is unpacked at a time.
	chunk = 256 << 10
)

// content unpacks one entry and checks its length, its checksum and that nothing is left over. What it finds is a
// *verdict.ContainerError; other errors are those of reading.
type content struct {
	e      *entry
	in     flate.Reader // a byte reader, so that the decompressor takes nothing that follows its data
	unused func() int64 // how much of the packed bytes nobody read
	out    io.Reader
	unflat decompressor // to be given back
	n      int64
	crc    uint32
}

// decompressor is what [flate.NewReader] gives.
type decompressor interface {
	io.Reader
	flate.Resetter
}

// decompressors are those that are not at work: making one costs more than unpacking a small entry.
var decompressors sync.Pool

func (s source) open(e *entry) (*content, error) {
	c := &content{e: e}
	if s.mem != nil {
		r := bytes.NewReader(s.mem[e.start : e.start+int64(e.packed)])
		c.in, c.unused = r, func() int64 { return int64(r.Len()) }
	} else {
		left := &io.LimitedReader{R: io.NewSectionReader(s.r, e.start, int64(e.packed)), N: int64(e.packed)}
		r := bufio.NewReaderSize(left, min(chunk, int(e.packed)+1))
		c.in, c.unused = r, func() int64 { return left.N + int64(r.Buffered()) }
	}
	if e.method == methodStore {
		c.out = c.in
		return c, nil
	}
	if again, ok := decompressors.Get().(decompressor); ok {
		if err := again.Reset(c.in, nil); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", e.name, err)
		}
		c.unflat, c.out = again, again
		return c, nil
	}
	c.out = flate.NewReader(c.in)
	c.unflat, _ = c.out.(decompressor)
	return c, nil
}

// Close ends the reading.
func (c *content) Close() error {
	c.close()
	return nil
}

func (c *content) close() {
	if c.unflat != nil {
		decompressors.Put(c.unflat)
		c.unflat = nil
	}
}

// Read gives io.EOF only after everything was found as declared.
func (c *content) Read(b []byte) (int, error) {
	n, err := c.out.Read(b)
	c.n += int64(n)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, b[:n])
	if c.n > int64(c.e.size) {
		return 0, verdict.Refuse(verdict.SizeLie, "%q is longer than the %d bytes it declares", c.e.name, c.e.size)
	}
	if err == nil {
		return n, nil
	}
	return n, c.finish(err)
}

// finish judges the end of the content.
func (c *content) finish(err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) && c.n < int64(c.e.size) {
		return verdict.Refuse(verdict.SizeLie, "%q is damaged or shorter than the %d bytes it declares", c.e.name, c.e.size)
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("unpack %s: %w", c.e.name, err)
	}
	if n := c.unused(); n != 0 {
		return verdict.Refuse(verdict.SizeLie, "%q holds %d bytes after its compressed data", c.e.name, n)
	}
	if c.crc != c.e.crc {
		return verdict.Refuse(verdict.ZipLayout, "%q does not match its checksum", c.e.name)
	}
	return io.EOF
}

// read gives the whole content of entry i.
func (p *Package) read(i int) ([]byte, error) {
	e := &p.entries[i]
	if p.checked && p.src.mem != nil && e.method == methodStore {
		return p.src.bytes(e.start, int64(e.packed))
	}
	p.mu.Lock()
	data, ok := p.held[i]
	p.mu.Unlock()
	if ok {
		return data, nil
	}
	data, err := p.unpackAll(e)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(data) <= maxHeldEntry && p.heldBytes+len(data) <= maxHeld {
		if first, ok := p.held[i]; ok {
			return first, nil
		}
		p.held[i] = data
		p.heldBytes += len(data)
	}
	return data, nil
}

// unpackAll unpacks an entry into memory; the declared size was held against the limits.
func (p *Package) unpackAll(e *entry) ([]byte, error) {
	c, err := p.src.open(e)
	if err != nil {
		return nil, err
	}
	defer c.close()
	data := make([]byte, e.size)
	if _, err := io.ReadFull(c, data); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); !errors.Is(err, io.EOF) { // the end, which Read judges
		return nil, err
	}
	return data, nil
}

// head gives the first bytes of an entry, at most n. Less than the whole is not checked.
func (p *Package) head(i int, n int64) ([]byte, error) {
	e := &p.entries[i]
	if int64(e.size) <= n {
		return p.read(i)
	}
	c, err := p.src.open(e)
	if err != nil {
		return nil, err
	}
	defer c.close()
	data := make([]byte, n)
	_, err = io.ReadFull(c, data)
	return data, err
}
