package ofd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"

	"yinxin/verdict"
)

// source is where the bytes of a package lie.
type source struct {
	r    io.ReaderAt
	size int64
	mem  []byte // all of it, where it lies in memory
}

// bytes gives n bytes at off. The caller must not change them. Its errors are those of reading, never a verdict.
func (s source) bytes(off, n int64) ([]byte, error) {
	if s.mem != nil {
		return s.mem[off : off+n : off+n], nil
	}
	return s.into(make([]byte, n), off)
}

// into is bytes that fills b where it must.
func (s source) into(b []byte, off int64) ([]byte, error) {
	if s.mem != nil {
		return s.bytes(off, int64(len(b)))
	}
	if got, err := s.r.ReadAt(b, off); err != nil && (got < len(b) || !errors.Is(err, io.EOF)) {
		return nil, fmt.Errorf("read package at %d: %w", off, err)
	}
	return b, nil
}

// readLocals checks every local header against its central record, and that headers, data and descriptors fill src from
// its first to its last byte, without gap or overlap.
func readLocals(src source, entries []entry) error {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(x, y int) bool { return entries[order[x]].offset < entries[order[y]].offset })
	pos := int64(0)
	for k, i := range order {
		e := &entries[i]
		if int64(e.offset) < pos {
			return verdict.Refuse(verdict.Bomb, "%q overlaps another entry", e.name)
		}
		if int64(e.offset) > pos {
			return verdict.Refuse(verdict.ZipLayout, "%d foreign bytes before %q", int64(e.offset)-pos, e.name)
		}
		next := src.size
		if k+1 < len(order) {
			next = int64(entries[order[k+1]].offset)
		}
		end, err := e.readLocal(src, next)
		if err != nil {
			return err
		}
		pos = end
	}
	if pos != src.size {
		return verdict.Refuse(verdict.ZipLayout, "%d foreign bytes before the central directory", src.size-pos)
	}
	return nil
}

// readLocal reads the local header at e.offset and returns where the entry ends; next is where the next one begins.
func (e *entry) readLocal(src source, next int64) (int64, error) {
	mismatch := func(what string) (int64, error) {
		return 0, verdict.Refuse(verdict.HeaderMismatch, "%q: the two directories disagree on the %s", e.name, what)
	}
	at := int64(e.offset)
	if at+localHeaderLen > src.size {
		return 0, verdict.Refuse(verdict.ZipLayout, "%q has no local header", e.name)
	}
	h, err := src.bytes(at, localHeaderLen)
	if err != nil {
		return 0, err
	}
	if binary.LittleEndian.Uint32(h) != localSig {
		return 0, verdict.Refuse(verdict.ZipLayout, "%q has no local header", e.name)
	}
	nameLen, extraLen := int64(binary.LittleEndian.Uint16(h[26:])), int64(binary.LittleEndian.Uint16(h[28:]))
	e.start = at + localHeaderLen + nameLen + extraLen
	end := e.start + int64(e.packed)
	if end > src.size {
		return 0, verdict.Refuse(verdict.ZipLayout, "%q runs past the central directory", e.name)
	}
	variable, err := src.bytes(at+localHeaderLen, nameLen+extraLen)
	if err != nil {
		return 0, err
	}
	described := e.flags&flagDescriptor != 0
	same := func(off int, want uint32) bool {
		got := binary.LittleEndian.Uint32(h[off:])
		return got == want || described && got == 0
	}
	switch {
	case string(variable[:nameLen]) != e.name:
		return mismatch("name")
	case binary.LittleEndian.Uint16(h[6:]) != e.flags:
		return mismatch("flags")
	case binary.LittleEndian.Uint16(h[8:]) != e.method:
		return mismatch("method")
	case !same(14, e.crc) || !same(18, e.packed) || !same(22, e.size):
		return mismatch("size or checksum")
	}
	if err := checkExtra(e.name, variable[nameLen:]); err != nil {
		return 0, err
	}
	if !described {
		return end, nil
	}
	return next, e.readDescriptor(src, end, next)
}

// readDescriptor reads the data descriptor at pos, with or without its signature, up to next.
func (e *entry) readDescriptor(src source, pos, next int64) error {
	const plain, marked = 12, 16
	n := next - pos
	stray := verdict.Refuse(verdict.ZipLayout, "%q is not followed by exactly its data descriptor", e.name)
	if n != plain && n != marked || next > src.size {
		return stray
	}
	d, err := src.bytes(pos, n)
	if err != nil {
		return err
	}
	if n == marked {
		if binary.LittleEndian.Uint32(d) != descriptorSig {
			return stray
		}
		d = d[marked-plain:]
	}
	if binary.LittleEndian.Uint32(d) != e.crc || binary.LittleEndian.Uint32(d[4:]) != e.packed ||
		binary.LittleEndian.Uint32(d[8:]) != e.size {
		return verdict.Refuse(verdict.HeaderMismatch, "%q: its data descriptor and the directory disagree", e.name)
	}
	return nil
}
