package envelope

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/verdict"
)

// Magic begins every envelope; its digit is the version.
const Magic = "yinxin envelope 1\n"

// magicOfAll begins envelopes of every version.
const magicOfAll = "yinxin envelope "

// endMagic ends every envelope, after the payload's length.
const endMagic = "end of envelope\n"

// MaxTrailer bounds the signed manifests of one envelope together, in bytes.
const MaxTrailer = 32 << 20

const footerSize = 8 + len(endMagic)

// Part is what belongs to one recipient alone. A hub stores it beside the payload and puts both together again with
// [Assemble].
type Part struct {
	Recipient string
	Role      transport.Role
	// Header and Manifest are kept byte for byte; Manifest is the signed message.
	Header   []byte
	Manifest []byte
}

// Payload says where in the envelope the encrypted payload lies, and what it is by the first manifest: a claim until
// [Envelope.Verify] has passed.
type Payload struct {
	Offset int64
	PayloadInfo
}

// part is a Part, taken apart.
type part struct {
	Part
	header   Header
	manifest Manifest
	signed   *cms.SignedData
}

// Envelope is a parsed envelope. Parsing bounds and spells it; nothing is verified before [Envelope.Verify] or
// [Envelope.Open].
type Envelope struct {
	r      io.ReaderAt
	parts  []part
	offset int64 // of the payload
	size   int64
}

// Parse reads the outside of an envelope of size bytes. It reads headers and manifests but not the payload, whose size
// does not matter. What is refused gives a *verdict.ContainerError: truncated, malformed, limit, unsupported_version, or
// the reason for which a manifest is no signed message.
func Parse(r io.ReaderAt, size int64) (*Envelope, error) {
	e := &Envelope{r: r}
	in := &section{r: r, end: size}
	if err := in.magic(); err != nil {
		return nil, err
	}
	headers, err := in.blobs(MaxHeader, int64(MaxParts)*(MaxHeader+4))
	if err != nil {
		return nil, err
	}
	e.offset = in.at
	end := section{r: r, at: size - int64(footerSize), end: size}
	if end.at < e.offset {
		return nil, verdict.Refuse(verdict.Truncated, "no footer")
	}
	footer, err := end.take(footerSize)
	if err != nil {
		return nil, err
	}
	if string(footer[8:]) != endMagic {
		return nil, verdict.Refuse(verdict.Truncated, "the envelope does not end with its footer")
	}
	length := binary.BigEndian.Uint64(footer)
	if length > uint64(size-int64(footerSize)-e.offset) {
		return nil, verdict.Refuse(verdict.Malformed, "payload of %d bytes in an envelope of %d", length, size)
	}
	e.size = int64(length)
	in = &section{r: r, at: e.offset + e.size, end: size - int64(footerSize)}
	manifests, err := in.blobs(MaxManifest, MaxTrailer)
	if err != nil {
		return nil, err
	}
	if in.at != in.end {
		return nil, verdict.Refuse(verdict.TrailingData, "%d bytes between the manifests and the footer", in.end-in.at)
	}
	if len(headers) != len(manifests) {
		return nil, verdict.Refuse(verdict.Malformed, "%d headers and %d manifests", len(headers), len(manifests))
	}
	return e, e.takeApart(headers, manifests)
}

func (e *Envelope) takeApart(headers, manifests [][]byte) error {
	seen := make(map[string]bool, len(headers))
	for i := range headers {
		p, err := parsePart(headers[i], manifests[i])
		if err != nil {
			return err
		}
		if seen[p.Recipient] {
			return verdict.Refuse(verdict.DuplicateEntry, "recipient %s has two parts", p.Recipient)
		}
		seen[p.Recipient] = true
		e.parts = append(e.parts, p)
	}
	return nil
}

func parsePart(header, manifest []byte) (part, error) {
	h, err := ParseHeader(header)
	if err != nil {
		return part{}, refuse("header", err)
	}
	signed, err := cms.ParseSigned(manifest)
	if err != nil {
		return part{}, refuse("manifest of "+h.Recipient, err)
	}
	if signed.Detached() || signed.Signers() != 1 {
		return part{}, verdict.Refuse(verdict.Malformed, "manifest of %s has %d signers", h.Recipient, signed.Signers())
	}
	m, err := ParseManifest(signed.Content())
	if err != nil {
		return part{}, refuse("manifest of "+h.Recipient, err)
	}
	return part{Part{h.Recipient, m.Role, header, manifest}, h, m, signed}, nil
}

// refuse makes a ContainerError of what a reader refused, keeping a reason that it has already.
func refuse(what string, err error) error {
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		return verdict.Refuse(refused.Reason, "%s: %s", what, refused.Detail)
	}
	return verdict.Refuse(verdict.Malformed, "%s: %v", what, err)
}

// section reads forward through a part of the file without trusting any length in it.
type section struct {
	r       io.ReaderAt
	at, end int64
}

func (s *section) take(n int) ([]byte, error) {
	if int64(n) > s.end-s.at {
		return nil, verdict.Refuse(verdict.Truncated, "%d bytes wanted at offset %d of %d", n, s.at, s.end)
	}
	b := make([]byte, n)
	if got, err := s.r.ReadAt(b, s.at); got < n {
		if err == nil || errors.Is(err, io.EOF) {
			return nil, verdict.Refuse(verdict.Truncated, "the file is shorter than its stated size")
		}
		return nil, fmt.Errorf("read envelope: %w", err)
	}
	s.at += int64(n)
	return b, nil
}

func (s *section) magic() error {
	b, err := s.take(len(Magic))
	if err != nil {
		return err
	}
	if string(b) == Magic {
		return nil
	}
	if IsEnvelope(b) {
		return verdict.Refuse(verdict.UnsupportedVersion, "envelope version %q", b[len(magicOfAll):])
	}
	return verdict.Refuse(verdict.Malformed, "not an envelope")
}

// blobs reads a 16-bit count and that many byte strings, each with a 32-bit length.
func (s *section) blobs(each int, total int64) ([][]byte, error) {
	b, err := s.take(2)
	if err != nil {
		return nil, err
	}
	count := int(binary.BigEndian.Uint16(b))
	if count == 0 || count > MaxParts {
		return nil, verdict.Refuse(verdict.Limit, "%d parts", count)
	}
	all := make([][]byte, 0, count)
	for range count {
		if b, err = s.take(4); err != nil {
			return nil, err
		}
		n := binary.BigEndian.Uint32(b)
		if n > uint32(each) || int64(n) > total {
			return nil, verdict.Refuse(verdict.Limit, "a header or manifest of %d bytes", n)
		}
		total -= int64(n)
		if b, err = s.take(int(n)); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

func appendBlobs(b []byte, blobs ...[]byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(blobs)))
	for _, x := range blobs {
		b = binary.BigEndian.AppendUint32(b, uint32(len(x)))
		b = append(b, x...)
	}
	return b
}

// trailer is what follows the payload.
func trailer(payload int64, manifests ...[]byte) []byte {
	b := appendBlobs(nil, manifests...)
	b = binary.BigEndian.AppendUint64(b, uint64(payload))
	return append(b, endMagic...)
}

// Assemble writes the envelope of one recipient from its stored part and the payload, and returns the bytes written. The
// payload is copied as it is.
func Assemble(w io.Writer, p Part, payload io.Reader) (int64, error) {
	front := appendBlobs([]byte(Magic), p.Header)
	n, err := w.Write(front)
	total := int64(n)
	if err != nil {
		return total, fmt.Errorf("assemble envelope for %s: %w", p.Recipient, err)
	}
	size, err := io.Copy(w, payload)
	total += size
	if err != nil {
		return total, fmt.Errorf("assemble envelope for %s: %w", p.Recipient, err)
	}
	n, err = w.Write(trailer(size, p.Manifest))
	total += int64(n)
	if err != nil {
		return total, fmt.Errorf("assemble envelope for %s: %w", p.Recipient, err)
	}
	return total, nil
}

// AssembledSize is the number of bytes that [Assemble] writes for a payload of this size.
func AssembledSize(p Part, payload int64) int64 {
	return int64(len(Magic)+2+4+len(p.Header)) + payload + int64(2+4+len(p.Manifest)+footerSize)
}

// Extract writes the envelope for one recipient alone: its own header and manifest and the payload.
func (e *Envelope) Extract(w io.Writer, recipient string) error {
	one, err := e.For(recipient)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, io.NewSectionReader(one, 0, one.Size())); err != nil {
		return fmt.Errorf("extract for %s: %w", recipient, err)
	}
	return nil
}

// Single is the envelope for one recipient alone, readable in any order. It lives as long as the envelope's reader.
type Single struct {
	front, back []byte
	payload     *io.SectionReader
}

// For gives the envelope for one recipient, which Extract writes. A recipient that has no part is ErrNotAddressed.
func (e *Envelope) For(recipient string) (*Single, error) {
	p, ok := e.part(recipient)
	if !ok {
		return nil, fmt.Errorf("extract for %s: %w", recipient, ErrNotAddressed)
	}
	return &Single{
		front: appendBlobs([]byte(Magic), p.Header), payload: e.PayloadReader(), back: trailer(e.size, p.Manifest),
	}, nil
}

// Size is the length in bytes.
func (s *Single) Size() int64 {
	return int64(len(s.front)) + s.payload.Size() + int64(len(s.back))
}

// Tag is the SM3 of everything but the payload. The manifest in it binds the payload, so that of one sender's envelopes no
// two different ones have the same tag.
func (s *Single) Tag() transport.Digest {
	h := gm.NewSM3()
	h.Write(s.front)
	h.Write(s.back)
	return transport.Digest(h.Sum(nil))
}

// ReadAt implements io.ReaderAt.
func (s *Single) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read envelope at %d: negative offset", off)
	}
	for _, part := range []interface {
		io.ReaderAt
		Size() int64
	}{bytes.NewReader(s.front), s.payload, bytes.NewReader(s.back)} {
		if size := part.Size(); off >= size {
			off -= size
			continue
		}
		got, err := part.ReadAt(b[n:min(int64(len(b)), int64(n)+part.Size()-off)], off)
		if n += got; err != nil && !errors.Is(err, io.EOF) || n == len(b) {
			return n, err
		}
		off = 0
	}
	return n, io.EOF
}

func (e *Envelope) part(recipient string) (part, bool) {
	for _, p := range e.parts {
		if p.Recipient == recipient {
			return p, true
		}
	}
	return part{}, false
}

// Parts returns every part, in the order of the envelope.
func (e *Envelope) Parts() []Part {
	all := make([]Part, len(e.parts))
	for i, p := range e.parts {
		all[i] = p.Part
	}
	return all
}

// Recipients returns the codes of all parts, the sender's own copy included, in the order of the envelope.
func (e *Envelope) Recipients() []string {
	all := make([]string, len(e.parts))
	for i, p := range e.parts {
		all[i] = p.Recipient
	}
	return all
}

// Header returns the header of a recipient.
func (e *Envelope) Header(recipient string) (Header, bool) {
	p, ok := e.part(recipient)
	return p.header, ok
}

// Manifest returns the manifest of a recipient: claims until [Envelope.Verify] has passed.
func (e *Envelope) Manifest(recipient string) (Manifest, bool) {
	p, ok := e.part(recipient)
	return p.manifest, ok
}

// First returns the manifest of the first part, which stands for all in what they have in common; every envelope has one.
func (e *Envelope) First() Manifest { return e.parts[0].manifest }

// Exchange is the exchange id, by the first manifest.
func (e *Envelope) Exchange() string { return e.First().Exchange }

// Sender is the sender's code, by the first manifest.
func (e *Envelope) Sender() string { return e.First().Sender }

// Payload says where the payload lies and what it is, by the first manifest.
func (e *Envelope) Payload() Payload {
	info := e.First().Payload
	info.Size = e.size
	return Payload{Offset: e.offset, PayloadInfo: info}
}

// PayloadReader reads the encrypted payload.
func (e *Envelope) PayloadReader() *io.SectionReader {
	return io.NewSectionReader(e.r, e.offset, e.size)
}

// IsEnvelope reports whether data begins as an envelope of any version does.
func IsEnvelope(data []byte) bool { return bytes.HasPrefix(data, []byte(magicOfAll)) }

// digestOf is the SM3 of bytes.
func digestOf(b []byte) transport.Digest { return gm.SM3(b) }
