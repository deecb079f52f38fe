package attack

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// entry is one file of a package; the fields after data make it lie.
type entry struct {
	name string
	data []byte

	local       string // another name in the local header
	stored      bool
	flags       uint16
	method      uint16 // another method in both headers
	localMethod uint16 // another method in the local header alone
	size        uint32 // another uncompressed size in both
	localSize   uint32
	crc         uint32
	descriptor  bool
	external    uint32 // attributes, with a Unix host
	extra       []byte
	comment     string
	// inside is the stored entry in whose data this one lies, at its beginning.
	inside string

	// base and packed are the bytes in the base, plain and compressed, so that what no case changes is compressed once.
	base, packed []byte
}

// pack is a package taken apart.
type pack struct {
	entries []*entry
	// err is the first edit that found nothing.
	err error
}

// unpack reads a sound package.
func unpack(data []byte) (*pack, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("the base is no package: %w", err)
	}
	p := &pack{}
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("the base is no package: %w", err)
		}
		b, err := io.ReadAll(rc)
		if err != nil {
			return nil, fmt.Errorf("the base is no package: %w", err)
		}
		p.entries = append(p.entries, &entry{name: f.Name, data: b, base: b, packed: deflate(b)})
	}
	return p, nil
}

func (p *pack) get(name string) *entry {
	for _, e := range p.entries {
		if e.name == name {
			return e
		}
	}
	if p.err == nil {
		p.err = fmt.Errorf("%w: no entry %s", ErrNothingChanged, name)
	}
	return &entry{}
}

func (p *pack) put(name, data string) {
	p.entries = append(p.entries, &entry{name: name, data: []byte(data)})
}

func (p *pack) remove(name string) {
	for i, e := range p.entries {
		if e.name == name {
			p.entries = append(p.entries[:i:i], p.entries[i+1:]...)
			return
		}
	}
	p.err = fmt.Errorf("%w: no entry %s", ErrNothingChanged, name)
}

// edit replaces the first old by with.
func (p *pack) edit(name, old, with string) {
	e := p.get(name)
	if !bytes.Contains(e.data, []byte(old)) {
		if p.err == nil {
			p.err = fmt.Errorf("%w: %s does not hold %q", ErrNothingChanged, name, old)
		}
		return
	}
	e.data = bytes.Replace(e.data, []byte(old), []byte(with), 1)
}

// names of the entries that end in a suffix.
func (p *pack) names(suffix string) []string {
	var out []string
	for _, e := range p.entries {
		if strings.HasSuffix(e.name, suffix) {
			out = append(out, e.name)
		}
	}
	return out
}

const (
	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	hostUnix       = 3 << 8
)

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// pack writes the package, lies and all.
func (p *pack) pack() []byte {
	var out, central bytes.Buffer
	offsets := map[string]int{}
	for _, e := range p.entries {
		at := out.Len()
		offsets[e.name] = at
		packed, method := e.data, uint16(0)
		if !e.stored {
			packed, method = e.deflated(), 8
		}
		if e.method != 0 {
			method = e.method
		}
		size, crc, flags := uint32(len(e.data)), crc32.ChecksumIEEE(e.data), e.flags
		if e.size != 0 {
			size = e.size
		}
		if e.crc != 0 {
			crc = e.crc
		}
		if !isASCII(e.name) && e.flags == 0 {
			flags |= flagUTF8
		}
		local, localMethod, localSize := e.name, method, size
		if e.local != "" {
			local = e.local
		}
		if e.localMethod != 0 {
			localMethod = e.localMethod
		}
		if e.localSize != 0 {
			localSize = e.localSize
		}
		if e.descriptor {
			flags |= flagDescriptor
		}
		if e.inside == "" {
			header(&out, "PK\x03\x04", []uint16{20, flags, localMethod, 0, 0x21}, []uint32{crc, uint32(len(packed)), localSize},
				[]uint16{uint16(len(local)), uint16(len(e.extra))})
			out.WriteString(local)
			out.Write(e.extra)
			out.Write(packed)
		} else {
			const fixed = 30 // octets of a local header
			at = offsets[e.inside] + fixed + len(e.inside)
		}
		if e.descriptor {
			header(&out, "PK\x07\x08", nil, []uint32{crc, uint32(len(packed)), size}, nil)
		}
		header(&central, "PK\x01\x02", []uint16{20 | hostUnix, 20, flags, method, 0, 0x21}, []uint32{crc, uint32(len(packed)), size},
			[]uint16{uint16(len(e.name)), uint16(len(e.extra)), uint16(len(e.comment)), 0, 0})
		header(&central, "", nil, []uint32{e.external, uint32(at)}, nil)
		central.WriteString(e.name)
		central.Write(e.extra)
		central.WriteString(e.comment)
	}
	at, n := out.Len(), uint16(len(p.entries))
	out.Write(central.Bytes())
	header(&out, "PK\x05\x06", []uint16{0, 0, n, n}, []uint32{uint32(central.Len()), uint32(at)}, []uint16{0})
	return out.Bytes()
}

func header(out *bytes.Buffer, magic string, shorts []uint16, longs []uint32, more []uint16) {
	out.WriteString(magic)
	for _, v := range shorts {
		out.Write(binary.LittleEndian.AppendUint16(nil, v))
	}
	for _, v := range longs {
		out.Write(binary.LittleEndian.AppendUint32(nil, v))
	}
	for _, v := range more {
		out.Write(binary.LittleEndian.AppendUint16(nil, v))
	}
}

// deflated is the compressed content, that of the base where it is unchanged.
func (e *entry) deflated() []byte {
	if e.base != nil && bytes.Equal(e.data, e.base) {
		return e.packed
	}
	return deflate(e.data)
}

// clone copies the package for one case to change. Cases replace contents and never write into them.
func (p *pack) clone() *pack {
	c := &pack{entries: make([]*entry, len(p.entries))}
	for i, e := range p.entries {
		other := *e
		c.entries[i] = &other
	}
	return c
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil // the level is a constant that exists
	}
	_, _ = w.Write(data) // a bytes.Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}
