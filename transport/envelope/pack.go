package envelope

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/stream"
	"yinxin/transport"
)

// ErrOptions is wrapped by what [Pack] refuses before it writes anything.
var ErrOptions = errors.New("envelope: options")

// Recipient is one to whom an envelope is packed.
type Recipient struct {
	Code string
	Role transport.Role
	// Certificate is the recipient's encryption certificate; a signing certificate is refused.
	Certificate *cert.Certificate
	// Copies is how many official copies the recipient may print; zero leaves it to the hub's rule.
	Copies int
}

// Source is one file to pack.
type Source struct {
	// Name under which it will appear; see [SafeName].
	Name string
	// Content is read once, to its end.
	Content io.Reader
}

// PackOptions say what to pack for whom.
type PackOptions struct {
	Exchange string
	// Sender is the sender's code, Own its encryption certificate: with it the envelope gets a part by which the sender
	// can reopen it and which holds the dispatch list. Nil leaves that part out.
	Sender string
	Own    *cert.Certificate
	// Sign signs the manifests: the sender's signing key and certificate, and the time that the manifests state as sent.
	Sign cms.SignOptions

	Recipients []Recipient
	Files      []Source
	// Document is the place of the official document in Files; negative where there is none.
	Document int
	Urgency  transport.Urgency // empty means normal
	Report   Report
	// Refers names the earlier exchange that this one reissues, corrects or annuls, if any.
	Refers transport.Reference

	// Rand is the source of keys; nil means crypto/rand.
	Rand io.Reader
}

// Packed says what was written.
type Packed struct {
	Size     int64
	Payload  Payload
	Document Digests
	Files    []File
	Parts    []Part
}

// Pack writes an envelope. It streams: the files are read once, and memory does not grow with them. What w holds after an
// error is not an envelope and must be thrown away.
func Pack(w io.Writer, o PackOptions) (*Packed, error) {
	p, err := newPacker(o)
	if err != nil {
		return nil, err
	}
	defer clear(p.fileKey)
	if err := p.pack(w); err != nil {
		return nil, fmt.Errorf("pack envelope %s: %w", o.Exchange, err)
	}
	return &p.packed, nil
}

type packer struct {
	o       PackOptions
	all     []Recipient // with the sender's own copy at the end
	names   []byte
	fileKey []byte
	headers [][]byte
	packed  Packed
}

func newPacker(o PackOptions) (*packer, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Urgency == "" {
		o.Urgency = transport.Normal
	}
	p := &packer{o: o, all: append([]Recipient(nil), o.Recipients...)}
	if o.Own != nil {
		p.all = append(p.all, Recipient{Code: o.Sender, Role: OwnCopy, Certificate: o.Own})
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("pack envelope %s: %w", o.Exchange, err)
	}
	return p, nil
}

func (p *packer) check() error {
	if !transport.ValidCode(p.o.Exchange) || !transport.ValidCode(p.o.Sender) {
		return fmt.Errorf("%w: exchange %.80q, sender %.80q", ErrOptions, p.o.Exchange, p.o.Sender)
	}
	if len(p.o.Recipients) == 0 || len(p.all) > MaxParts {
		return fmt.Errorf("%w: %d recipients", ErrOptions, len(p.o.Recipients))
	}
	seen := make(map[string]bool)
	for i, r := range p.all {
		own := r.Role == OwnCopy
		switch {
		case !transport.ValidCode(r.Code), !validRole(r.Role, i == len(p.o.Recipients)), r.Certificate == nil:
			return fmt.Errorf("%w: recipient %.80q with role %.40q", ErrOptions, r.Code, string(r.Role))
		case seen[r.Code], !own && r.Code == p.o.Sender:
			return fmt.Errorf("%w: recipient %s stands twice or is the sender", ErrOptions, r.Code)
		}
		seen[r.Code] = true
	}
	if p.o.Sign.Signer == nil || p.o.Sign.Certificate == nil {
		return fmt.Errorf("%w: no signing key", ErrOptions)
	}
	if p.o.Document >= len(p.o.Files) {
		return fmt.Errorf("%w: document %d of %d files", ErrOptions, p.o.Document, len(p.o.Files))
	}
	if err := p.o.Refers.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if err := p.o.Report.validate(len(p.o.Files)); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	names := make([]string, len(p.o.Files))
	for i, f := range p.o.Files {
		names[i] = f.Name
	}
	index, err := marshalIndex(names)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	p.names = index
	return nil
}

func (p *packer) pack(w io.Writer) error {
	p.fileKey = make([]byte, stream.KeySize)
	if _, err := io.ReadFull(p.o.Rand, p.fileKey); err != nil {
		return fmt.Errorf("draw file key: %w", err)
	}
	if err := p.wrap(); err != nil {
		return err
	}
	front := appendBlobs([]byte(Magic), p.headers...)
	if _, err := w.Write(front); err != nil {
		return fmt.Errorf("write headers: %w", err)
	}
	p.packed.Payload.Offset = int64(len(front))
	if err := p.encrypt(w); err != nil {
		return err
	}
	manifests, err := p.sign()
	if err != nil {
		return err
	}
	end := trailer(p.packed.Payload.Size, manifests...)
	if _, err := w.Write(end); err != nil {
		return fmt.Errorf("write manifests: %w", err)
	}
	p.packed.Size = int64(len(front)) + p.packed.Payload.Size + int64(len(end))
	return nil
}

// wrap makes the headers.
func (p *packer) wrap() error {
	for _, r := range p.all {
		wrapped, err := cms.Encrypt(p.fileKey, []*cert.Certificate{r.Certificate}, p.o.Rand)
		if err != nil {
			return fmt.Errorf("wrap key for %s: %w", r.Code, err)
		}
		h := Header{
			Exchange: p.o.Exchange, Recipient: r.Code, Certificate: r.Certificate.SM3(), Key: keyDigest(r.Certificate.PublicKey),
			WrappedKey: wrapped,
		}
		b, err := h.marshal()
		if err != nil {
			return fmt.Errorf("header of %s: %w", r.Code, err)
		}
		p.headers = append(p.headers, b)
	}
	return nil
}

func keyDigest(pub *ecdsa.PublicKey) transport.Digest { return gm.SM3(gm.MarshalPublicKey(pub)) }

// encrypt writes the payload: the list of names, then the files one after another, as one stream.
func (p *packer) encrypt(w io.Writer) error {
	outer := &counted{Hash: sha256.New()}
	s, err := stream.NewWriter(io.MultiWriter(w, outer), p.fileKey, p.o.Rand)
	if err != nil {
		return err
	}
	if _, err := s.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(p.names))), p.names...)); err != nil {
		return err
	}
	for _, f := range p.o.Files {
		n, d, err := pump(s, f.Content, -1)
		if err != nil {
			return fmt.Errorf("file %s: %w", f.Name, err)
		}
		p.packed.Files = append(p.packed.Files, File{Size: n, SM3: d.SM3, SHA256: d.SHA256})
	}
	if err := s.Close(); err != nil {
		return err
	}
	p.packed.Payload.PayloadInfo = PayloadInfo{Size: outer.n, PlainSize: s.Size(), Root: s.Root(), SHA256: [32]byte(outer.Sum(nil))}
	return nil
}

// sign makes the signed manifests, one a part.
func (p *packer) sign() ([][]byte, error) {
	if p.o.Document >= 0 {
		f := p.packed.Files[p.o.Document]
		p.packed.Document = Digests{f.SM3, f.SHA256}
	}
	manifests := make([][]byte, 0, len(p.all))
	for i, r := range p.all {
		m := Manifest{
			Exchange: p.o.Exchange, Sender: p.o.Sender, Recipient: r.Code, Role: r.Role, Header: digestOf(p.headers[i]),
			Document: p.packed.Document, Files: p.packed.Files, Index: digestOf(p.names), Payload: p.packed.Payload.PayloadInfo,
			Urgency: p.o.Urgency, Sent: p.o.Sign.Time.UTC().Truncate(time.Millisecond), Report: p.o.Report,
			Refers: p.o.Refers, Copies: r.Copies,
		}
		if r.Role == OwnCopy {
			for _, a := range p.o.Recipients {
				m.Recipients = append(m.Recipients, Addressee{a.Code, a.Role})
			}
		}
		content, err := m.Marshal()
		if err != nil {
			return nil, fmt.Errorf("manifest of %s: %w", r.Code, err)
		}
		signed, err := cms.Sign(content, p.o.Sign)
		if err != nil {
			return nil, fmt.Errorf("sign manifest of %s: %w", r.Code, err)
		}
		if len(signed) > MaxManifest {
			return nil, fmt.Errorf("%w: manifest of %s has %d bytes", ErrOptions, r.Code, len(signed))
		}
		manifests = append(manifests, signed)
		p.packed.Parts = append(p.packed.Parts, Part{r.Code, r.Role, p.headers[i], signed})
	}
	return manifests, nil
}
