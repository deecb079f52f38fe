package ofd

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sort"

	"yinxin/verdict"
)

// Sizes and signatures of the ZIP records that a package may hold (PKWARE APPNOTE 4.3).
const (
	localHeaderLen   = 30
	centralHeaderLen = 46
	endRecordLen     = 22
	localSig         = 0x04034b50
	centralSig       = 0x02014b50
	endSig           = 0x06054b50
	descriptorSig    = 0x08074b50

	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	flagLevel      = 3 << 1 // how hard the compressor tried; says nothing about the format

	methodStore   = 0
	methodDeflate = 8

	extraZip64       = 0x0001
	extraUnicodePath = 0x7075
)

// entry is one file of the package: where its bytes lie and what the two directories say of it.
type entry struct {
	name       string
	flags      uint16
	method     uint16
	crc        uint32
	packed     uint32 // compressed size
	size       uint32 // uncompressed size
	offset     uint32 // of the local header
	dir        bool
	packedData []byte // compressed bytes, in place
	data       []byte // uncompressed bytes
}

// readZip reads a package whose bytes are accounted for one by one: local headers, data and descriptors follow each
// other from the first byte to the central directory, which runs to the end record, which ends the file. Whatever two
// readers could take differently is refused.
func readZip(data []byte) ([]entry, error) {
	if len(data) > MaxFile {
		return nil, verdict.Refuse(verdict.Limit, "the package has %d bytes, more than %d", len(data), MaxFile)
	}
	central, count, err := findCentral(data)
	if err != nil {
		return nil, err
	}
	entries, err := readCentral(data[central:len(data)-endRecordLen], count)
	if err != nil {
		return nil, err
	}
	if err := checkNames(entries); err != nil {
		return nil, err
	}
	if err := readLocals(data[:central], entries); err != nil {
		return nil, err
	}
	return entries, inflateAll(entries)
}

// findCentral reads the end record and returns the offset of the central directory and the number of its records.
func findCentral(data []byte) (offset, count int, err error) {
	layout := func(format string, args ...any) (int, int, error) {
		return 0, 0, verdict.Refuse(verdict.ZipLayout, format, args...)
	}
	if len(data) < endRecordLen || binary.LittleEndian.Uint32(data) != localSig {
		if i := bytes.Index(data, []byte("PK\x03\x04")); i > 0 {
			return layout("%d bytes before the first entry; repack the file without them", i)
		}
		return layout("not a ZIP package")
	}
	end := data[len(data)-endRecordLen:]
	if binary.LittleEndian.Uint32(end) != endSig {
		if bytes.LastIndex(data, []byte("PK\x05\x06")) >= 0 {
			return layout("bytes after the end record (a comment or foreign data); repack the file without them")
		}
		return layout("no end record: the file is cut off")
	}
	count = int(binary.LittleEndian.Uint16(end[10:]))
	size := int64(binary.LittleEndian.Uint32(end[12:]))
	at := int64(binary.LittleEndian.Uint32(end[16:]))
	switch {
	case binary.LittleEndian.Uint32(end[4:]) != 0:
		return 0, 0, verdict.Refuse(verdict.ZipFeature, "the package spans several disks")
	case binary.LittleEndian.Uint16(end[8:]) != uint16(count):
		return layout("the end record gives two numbers of entries")
	case binary.LittleEndian.Uint16(end[20:]) != 0:
		return layout("the end record promises a comment that is not there")
	case count == 0xffff || at == 0xffffffff || size == 0xffffffff:
		return 0, 0, verdict.Refuse(verdict.ZipFeature, "ZIP64 is not used for documents")
	case count > MaxEntries:
		return 0, 0, verdict.Refuse(verdict.Bomb, "%d entries, more than %d", count, MaxEntries)
	case at+size != int64(len(data)-endRecordLen):
		return layout("the central directory does not end at the end record")
	}
	return int(at), count, nil
}

// readCentral reads count records that fill b exactly.
func readCentral(b []byte, count int) ([]entry, error) {
	if count*centralHeaderLen > len(b) {
		return nil, verdict.Refuse(verdict.ZipLayout, "%d entries do not fit the central directory", count)
	}
	entries := make([]entry, 0, count)
	for range count {
		if len(b) < centralHeaderLen || binary.LittleEndian.Uint32(b) != centralSig {
			return nil, verdict.Refuse(verdict.ZipLayout, "the central directory is damaged")
		}
		nameLen, extraLen := int(binary.LittleEndian.Uint16(b[28:])), int(binary.LittleEndian.Uint16(b[30:]))
		commentLen := int(binary.LittleEndian.Uint16(b[32:]))
		total := centralHeaderLen + nameLen + extraLen + commentLen
		if len(b) < total {
			return nil, verdict.Refuse(verdict.ZipLayout, "the central directory is damaged")
		}
		e := entry{
			name:   string(b[centralHeaderLen : centralHeaderLen+nameLen]),
			flags:  binary.LittleEndian.Uint16(b[8:]),
			method: binary.LittleEndian.Uint16(b[10:]),
			crc:    binary.LittleEndian.Uint32(b[16:]),
			packed: binary.LittleEndian.Uint32(b[20:]),
			size:   binary.LittleEndian.Uint32(b[24:]),
			offset: binary.LittleEndian.Uint32(b[42:]),
		}
		if err := e.checkFeatures(b[4:6], binary.LittleEndian.Uint32(b[38:])); err != nil {
			return nil, err
		}
		if err := checkExtra(e.name, b[centralHeaderLen+nameLen:centralHeaderLen+nameLen+extraLen]); err != nil {
			return nil, err
		}
		if commentLen != 0 || binary.LittleEndian.Uint16(b[34:]) != 0 {
			return nil, verdict.Refuse(verdict.ZipFeature, "%q has a comment or lies on another disk", e.name)
		}
		entries = append(entries, e)
		b = b[total:]
	}
	if len(b) != 0 {
		return nil, verdict.Refuse(verdict.ZipLayout, "%d bytes between the central directory and the end record", len(b))
	}
	return entries, nil
}

// checkFeatures refuses what documents do not need: encryption, other methods, special files, sizes unknown in advance.
func (e *entry) checkFeatures(madeBy []byte, external uint32) error {
	feature := func(what string) error { return verdict.Refuse(verdict.ZipFeature, "%q %s", e.name, what) }
	e.dir = len(e.name) > 0 && e.name[len(e.name)-1] == '/'
	if e.flags&^(flagDescriptor|flagUTF8|flagLevel) != 0 {
		return feature("is encrypted or uses an unknown feature")
	}
	if e.method != methodStore && e.method != methodDeflate {
		return feature("uses an unknown compression method")
	}
	if e.method == methodStore && e.flags&flagDescriptor != 0 {
		return feature("is stored, with its size only after its data")
	}
	const unix, fileType, regular, folder = 3, 0o170000, 0o100000, 0o040000
	if mode := external >> 16; madeBy[1] == unix && mode&fileType != 0 {
		if kind := mode & fileType; kind != regular && (kind != folder || !e.dir) {
			return verdict.Refuse(verdict.EntryType, "%q is not a plain file (mode %o)", e.name, mode)
		}
	}
	if e.dir && e.size != 0 {
		return verdict.Refuse(verdict.EntryType, "folder %q holds data", e.name)
	}
	return nil
}

// checkExtra refuses extra fields that change the name or the sizes for readers that honour them.
func checkExtra(name string, b []byte) error {
	for len(b) >= 4 {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if id == extraZip64 || id == extraUnicodePath {
			return verdict.Refuse(verdict.ZipFeature, "%q has the extra field %#04x, a second name or size", name, id)
		}
		if 4+n > len(b) {
			return verdict.Refuse(verdict.ZipLayout, "%q has a damaged extra field", name)
		}
		b = b[4+n:]
	}
	return nil
}

// readLocals checks every local header against its central record, and that headers, data and descriptors fill b from
// its first to its last byte, without gap or overlap.
func readLocals(b []byte, entries []entry) error {
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
		next := int64(len(b))
		if k+1 < len(order) {
			next = int64(entries[order[k+1]].offset)
		}
		end, err := e.readLocal(b, next)
		if err != nil {
			return err
		}
		pos = end
	}
	if pos != int64(len(b)) {
		return verdict.Refuse(verdict.ZipLayout, "%d foreign bytes before the central directory", int64(len(b))-pos)
	}
	return nil
}

// readLocal reads the local header at e.offset and returns where the entry ends; next is where the next one begins.
func (e *entry) readLocal(b []byte, next int64) (int64, error) {
	mismatch := func(what string) (int64, error) {
		return 0, verdict.Refuse(verdict.HeaderMismatch, "%q: the two directories disagree on the %s", e.name, what)
	}
	at := int64(e.offset)
	if at+localHeaderLen > int64(len(b)) || binary.LittleEndian.Uint32(b[at:]) != localSig {
		return 0, verdict.Refuse(verdict.ZipLayout, "%q has no local header", e.name)
	}
	h := b[at : at+localHeaderLen]
	nameLen, extraLen := int64(binary.LittleEndian.Uint16(h[26:])), int64(binary.LittleEndian.Uint16(h[28:]))
	start := at + localHeaderLen + nameLen + extraLen
	if start+int64(e.packed) > int64(len(b)) {
		return 0, verdict.Refuse(verdict.ZipLayout, "%q runs past the central directory", e.name)
	}
	extra := b[at+localHeaderLen+nameLen : start]
	described := e.flags&flagDescriptor != 0
	same := func(off int, want uint32) bool {
		got := binary.LittleEndian.Uint32(h[off:])
		return got == want || described && got == 0
	}
	switch {
	case string(b[at+localHeaderLen:at+localHeaderLen+nameLen]) != e.name:
		return mismatch("name")
	case binary.LittleEndian.Uint16(h[6:]) != e.flags:
		return mismatch("flags")
	case binary.LittleEndian.Uint16(h[8:]) != e.method:
		return mismatch("method")
	case !same(14, e.crc) || !same(18, e.packed) || !same(22, e.size):
		return mismatch("size or checksum")
	}
	if err := checkExtra(e.name, extra); err != nil {
		return 0, err
	}
	end := start + int64(e.packed)
	e.packedData = b[start:end]
	if !described {
		return end, nil
	}
	return e.readDescriptor(b, end, next)
}

// readDescriptor reads the data descriptor at pos, with or without its signature, up to next.
func (e *entry) readDescriptor(b []byte, pos, next int64) (int64, error) {
	d := b[pos:]
	switch n := next - pos; {
	case n == 16 && len(d) >= 16 && binary.LittleEndian.Uint32(d) == descriptorSig:
		d = d[4:16]
	case n == 12 && len(d) >= 12:
		d = d[:12]
	default:
		return 0, verdict.Refuse(verdict.ZipLayout, "%q is not followed by exactly its data descriptor", e.name)
	}
	if binary.LittleEndian.Uint32(d) != e.crc || binary.LittleEndian.Uint32(d[4:]) != e.packed ||
		binary.LittleEndian.Uint32(d[8:]) != e.size {
		return 0, verdict.Refuse(verdict.HeaderMismatch, "%q: its data descriptor and the directory disagree", e.name)
	}
	return next, nil
}

// inflateAll unpacks every entry after the declared sizes have been held against the limits.
func inflateAll(entries []entry) error {
	total := int64(0)
	for i := range entries {
		e := &entries[i]
		total += int64(e.size)
		if int64(e.size) > ratioFloor && int64(e.size) > MaxRatio*int64(e.packed) {
			return verdict.Refuse(verdict.Bomb, "%q expands more than %d times", e.name, MaxRatio)
		}
	}
	if total > MaxTotal {
		return verdict.Refuse(verdict.Bomb, "the entries expand to %d bytes, more than %d", total, int64(MaxTotal))
	}
	var d decompressor
	for i := range entries {
		if err := entries[i].inflate(&d); err != nil {
			return err
		}
	}
	return nil
}

// decompressor is one decompressor for all entries of a package: making one costs more than unpacking a small entry.
type decompressor struct{ r io.Reader }

// over starts anew over packed data.
func (d *decompressor) over(src io.Reader) (io.Reader, error) {
	if again, ok := d.r.(flate.Resetter); ok {
		return d.r, again.Reset(src, nil)
	}
	d.r = flate.NewReader(src)
	return d.r, nil
}

// inflate unpacks e and checks its length, its checksum and that nothing is left over.
func (e *entry) inflate(d *decompressor) error {
	if e.method == methodStore {
		if e.size != e.packed {
			return verdict.Refuse(verdict.SizeLie, "%q is stored and gives two sizes", e.name)
		}
		e.data = e.packedData
	} else {
		src := bytes.NewReader(e.packedData)
		r, err := d.over(src)
		if err != nil {
			return verdict.Refuse(verdict.SizeLie, "%q cannot be unpacked: %v", e.name, err)
		}
		e.data = make([]byte, e.size)
		if _, err := io.ReadFull(r, e.data); err != nil {
			return verdict.Refuse(verdict.SizeLie, "%q is damaged or shorter than the %d bytes it declares", e.name, e.size)
		}
		if n, err := io.CopyN(io.Discard, r, 1); n != 0 || !errors.Is(err, io.EOF) {
			return verdict.Refuse(verdict.SizeLie, "%q is longer than the %d bytes it declares", e.name, e.size)
		}
		if src.Len() != 0 {
			return verdict.Refuse(verdict.SizeLie, "%q holds %d bytes after its compressed data", e.name, src.Len())
		}
	}
	if crc32.ChecksumIEEE(e.data) != e.crc {
		return verdict.Refuse(verdict.ZipLayout, "%q does not match its checksum", e.name)
	}
	return nil
}
