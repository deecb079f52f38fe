package ofd

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// File is a file to be put into a package.
type File struct {
	Name string
	Data []byte
}

// ErrHasSignatures means that the document already names a list of signatures.
var ErrHasSignatures = errors.New("ofd: the document already names a list of signatures")

// Replace returns the package with the given files put in, as WriteWith writes it.
func (p *Package) Replace(files ...File) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(p.roomFor(files))
	if err := p.WriteWith(&out, files...); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// WriteWith writes the package with the given files put in: those that exist are replaced in their place, new ones
// follow in the order given. All other files keep their bytes, which are copied as they are packed; folder entries are
// left out. The result depends on nothing but its input, and every size stands in the local headers, as readers of local
// headers need.
func (p *Package) WriteWith(w io.Writer, files ...File) error {
	changed := make(map[string][]byte, len(files))
	for _, f := range files {
		if _, twice := changed[f.Name]; twice {
			return fmt.Errorf("replace %s: given twice", f.Name)
		}
		changed[f.Name] = f.Data
	}
	z := zip.NewWriter(w)
	c, err := newCompressor()
	if err != nil {
		return err
	}
	defer c.rest()
	for i := range p.entries {
		e := &p.entries[i]
		if e.dir {
			continue
		}
		if data, ok := changed[e.name]; ok {
			err = c.writePacked(z, e.name, data)
		} else {
			err = p.copyRaw(z, e)
		}
		if err != nil {
			return err
		}
	}
	for _, f := range files {
		if p.Has(f.Name) {
			continue
		}
		if err := c.writePacked(z, f.Name, f.Data); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("close package: %w", err)
	}
	return nil
}

// copyRaw copies an entry as it is packed.
func (p *Package) copyRaw(z *zip.Writer, e *entry) error {
	w, err := createRaw(z, e.name, e.method, e.crc, e.size, int64(e.packed))
	if err == nil && p.src.mem != nil {
		_, err = w.Write(p.src.mem[e.start : e.start+int64(e.packed)])
	} else if err == nil {
		err = copyPacked(w, io.NewSectionReader(p.src.r, e.start, int64(e.packed)))
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", e.name, err)
	}
	return nil
}

// copyPacked copies a section, a large one on two cores.
func copyPacked(w io.Writer, from *io.SectionReader) error {
	if from.Size() <= alone {
		_, err := io.CopyBuffer(w, from, make([]byte, min(chunk, from.Size()+1)))
		return err
	}
	return readAhead(from, func() {}, func(b []byte) error {
		_, err := w.Write(b)
		return err
	})
}

// roomFor is about how large the package will be, so that a large one is not copied while it grows.
func (p *Package) roomFor(files []File) int {
	const headers = 256
	n := 0
	for i := range p.entries {
		n += int(p.entries[i].packed) + 2*len(p.entries[i].name) + headers
	}
	for _, f := range files {
		n += len(f.Data) + 2*len(f.Name) + headers
	}
	return n
}

// compressor is one compressor for all files of a package: making one costs as much as compressing a small file. Speed
// counts, for what is put in is small, or holds pictures that do not compress.
type compressor struct {
	flate  *flate.Writer
	packed bytes.Buffer
}

// maxKept bounds what a compressor at rest holds.
const maxKept = 1 << 20

// compressors are those that are not at work.
var compressors sync.Pool

func newCompressor() (*compressor, error) {
	if c, ok := compressors.Get().(*compressor); ok {
		return c, nil
	}
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("make a compressor: %w", err)
	}
	return &compressor{flate: w}, nil
}

// rest gives the compressor back.
func (c *compressor) rest() {
	if c.packed.Cap() <= maxKept {
		compressors.Put(c)
	}
}

// writePacked compresses data and writes it with its sizes in the local header.
func (c *compressor) writePacked(z *zip.Writer, name string, data []byte) error {
	packed := &c.packed
	packed.Reset()
	c.flate.Reset(packed)
	_, err := c.flate.Write(data)
	if err == nil {
		err = c.flate.Close()
	}
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	if len(data) == 0 || int64(len(data)) > ratioFloor && int64(len(data)) > MaxRatio*int64(packed.Len()) {
		// Too good a compression would be taken for a bomb by a strict reader.
		return writeRaw(z, name, methodStore, crc32.ChecksumIEEE(data), uint32(len(data)), data)
	}
	return writeRaw(z, name, methodDeflate, crc32.ChecksumIEEE(data), uint32(len(data)), packed.Bytes())
}

func writeRaw(z *zip.Writer, name string, method uint16, crc, size uint32, packed []byte) error {
	w, err := createRaw(z, name, method, crc, size, int64(len(packed)))
	if err == nil {
		_, err = w.Write(packed)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// createRaw writes the header of an entry whose packed bytes will follow.
func createRaw(z *zip.Writer, name string, method uint16, crc, size uint32, packed int64) (io.Writer, error) {
	const firstDay = 1<<5 | 1 // 1980-01-01 in the calendar of ZIP: no clock enters the file
	h := &zip.FileHeader{
		Name: name, Method: method, CRC32: crc,
		ModifiedDate:       firstDay, //nolint:staticcheck // CreateRaw writes this field as it is and ignores Modified
		UncompressedSize64: uint64(size), CompressedSize64: uint64(packed),
	}
	if !isASCII(name) {
		h.Flags = flagUTF8
	}
	return z.CreateRaw(h)
}

// NameSignatures returns the bytes of OFD.xml with the list of signatures named for document body (from 0), everything
// else unchanged. It does not change the package.
func (p *Package) NameSignatures(body int, list string) ([]byte, error) {
	if body < 0 || body >= len(p.bodies) {
		return nil, fmt.Errorf("name signatures: no document %d", body)
	}
	b := p.bodies[body]
	if b.Signatures != "" {
		return nil, ErrHasSignatures
	}
	data, _ := p.Entry(rootEntry)
	tag := b.prefix + "Signatures"
	out := make([]byte, 0, len(data)+2*len(tag)+len(list)+8)
	out = append(out, data[:b.insertAt]...)
	var loc bytes.Buffer
	if err := xml.EscapeText(&loc, []byte(list)); err != nil {
		return nil, fmt.Errorf("name signatures: %w", err)
	}
	out = append(out, "<"+tag+">/"+loc.String()+"</"+tag+">"...)
	return append(out, data[b.insertAt:]...), nil
}
