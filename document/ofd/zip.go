package ofd

import (
	"bytes"
	"encoding/binary"
	"io"

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

	// maxCentral bounds the central directory in bytes; strayWindow is how far foreign bytes are looked for at either end,
	// so that the refusal can say what is wrong.
	maxCentral  = 16 << 20
	strayWindow = 66 << 10

	extraZip64       = 0x0001
	extraUnicodePath = 0x7075
)

// entry is one file of the package: where its bytes lie and what the two directories say of it.
type entry struct {
	name   string
	flags  uint16
	method uint16
	crc    uint32
	packed uint32 // compressed size
	size   uint32 // uncompressed size
	offset uint32 // of the local header
	start  int64  // of the compressed bytes
	dir    bool
}

// readZip reads the structure of a package whose bytes are accounted for one by one: local headers, data and descriptors
// follow each other from the first byte to the central directory, which runs to the end record, which ends the file.
// Whatever two readers could take differently is refused. The contents are not unpacked here.
func readZip(src source) ([]entry, error) {
	return documentLimits.read(src)
}

// ZipLimits bound a ZIP file, in bytes.
type ZipLimits struct {
	// File is the largest file, Total the largest sum of what its entries expand to.
	File, Total int64
	// Floor is the size up to which an entry may expand more than MaxRatio times.
	Floor int64
}

var documentLimits = ZipLimits{File: MaxFile, Total: MaxTotal, Floor: ratioFloor}

// CheckZip refuses, with a *[verdict.ContainerError], a ZIP file in which two readers could find different things: it is held to
// the same structure as the ZIP of an OFD, from its first byte to its last, under limits of the caller's. Any other
// error is one of reading.
func CheckZip(r io.ReaderAt, size int64, l ZipLimits) error {
	_, err := l.read(source{r: r, size: size})
	return err
}

func (l ZipLimits) read(src source) ([]entry, error) {
	if src.size > l.File {
		return nil, verdict.Refuse(verdict.Limit, "the package has %d bytes, more than %d", src.size, l.File)
	}
	central, count, err := findCentral(src)
	if err != nil {
		return nil, err
	}
	records := src.size - endRecordLen - central
	if records > maxCentral {
		return nil, verdict.Refuse(verdict.Limit, "a central directory of %d bytes", records)
	}
	b, err := src.bytes(central, records)
	if err != nil {
		return nil, err
	}
	entries, err := readCentral(b, count)
	if err != nil {
		return nil, err
	}
	if err := checkNames(entries); err != nil {
		return nil, err
	}
	if err := readLocals(source{r: src.r, mem: src.mem, size: central}, entries); err != nil {
		return nil, err
	}
	return entries, l.checkSizes(entries)
}

// checkSizes holds the declared sizes against the limits and against each other.
func (l ZipLimits) checkSizes(entries []entry) error {
	total := int64(0)
	for i := range entries {
		e := &entries[i]
		total += int64(e.size)
		if int64(e.size) > l.Floor && int64(e.size) > MaxRatio*int64(e.packed) {
			return verdict.Refuse(verdict.Bomb, "%q expands more than %d times", e.name, MaxRatio)
		}
		if e.method == methodStore && e.size != e.packed {
			return verdict.Refuse(verdict.SizeLie, "%q is stored and gives two sizes", e.name)
		}
	}
	if total > l.Total {
		return verdict.Refuse(verdict.Bomb, "the entries expand to %d bytes, more than %d", total, l.Total)
	}
	return nil
}

// findCentral reads the end record and returns the offset of the central directory and the number of its records.
func findCentral(src source) (offset int64, count int, err error) {
	layout := func(format string, args ...any) (int64, int, error) {
		return 0, 0, verdict.Refuse(verdict.ZipLayout, format, args...)
	}
	first, err := src.bytes(0, min(src.size, endRecordLen))
	if err != nil {
		return 0, 0, err
	}
	if len(first) < endRecordLen || binary.LittleEndian.Uint32(first) != localSig {
		return 0, 0, strayBefore(src)
	}
	end, err := src.bytes(src.size-endRecordLen, endRecordLen)
	if err != nil {
		return 0, 0, err
	}
	if binary.LittleEndian.Uint32(end) != endSig {
		return 0, 0, strayAfter(src)
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
	case at+size != src.size-endRecordLen:
		return layout("the central directory does not end at the end record")
	}
	return at, count, nil
}

// strayBefore says why a file does not begin with an entry.
func strayBefore(src source) error {
	first, err := src.bytes(0, min(src.size, strayWindow))
	if err != nil {
		return err
	}
	if i := bytes.Index(first, []byte("PK\x03\x04")); i > 0 {
		return verdict.Refuse(verdict.ZipLayout, "%d bytes before the first entry; repack the file without them", i)
	}
	return verdict.Refuse(verdict.ZipLayout, "not a ZIP package")
}

// strayAfter says why a file does not close with an end record.
func strayAfter(src source) error {
	n := min(src.size, strayWindow)
	last, err := src.bytes(src.size-n, n)
	if err != nil {
		return err
	}
	if bytes.LastIndex(last, []byte("PK\x05\x06")) >= 0 {
		return verdict.Refuse(verdict.ZipLayout,
			"bytes after the end record (a comment or foreign data); repack the file without them")
	}
	return verdict.Refuse(verdict.ZipLayout, "no end record: the file is cut off")
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
