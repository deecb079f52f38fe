package envelope

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/stream"
	"yinxin/transport"
	"yinxin/verdict"
)

// ErrNotAddressed: the envelope has no part for this key or code: "not for me". Every header is the one that its manifest
// names; whether the manifests are genuine, it does not say.
var ErrNotAddressed = errors.New("envelope: not addressed to this recipient")

// OpenOptions say with which key an envelope is opened, and when its files may appear.
type OpenOptions struct {
	// Key is the handle of the recipient's decryption key (purpose decrypt). Certificate is the encryption certificate
	// that belongs to it; without one, the part is found by the public key.
	Key         crypto.Decrypter
	Certificate *cert.Certificate
	// Policy, At and Now judge the sender's certificate, as in VerifyOptions.
	Policy cert.Policy
	At     time.Time
	Now    time.Time
	// Exchange and Sender, where set, are what the envelope must state; any other is failed with recipient_binding.
	Exchange string
	Sender   string
	// Sink receives the files.
	Sink Sink
	// AcceptIndeterminate releases the files also where the verdict on the manifest is indeterminate, as without a root
	// certificate; never where it failed.
	AcceptIndeterminate bool
}

// OpenedFile is a file with its name.
type OpenedFile struct {
	Name string
	File
}

// Opened is what opening gave. Files is empty unless they were released.
type Opened struct {
	Report   verdict.File
	Manifest Manifest
	Files    []OpenedFile
	// Document is the place of the official document in Files; -1 where there is none.
	Document int
	// Signer is the certificate that the envelope names as the sender's; Report says whether it is.
	Signer *cert.Certificate
}

// CopyOf is the name under which the PDF copy of an official document lies beside it.
func CopyOf(document string) string {
	return strings.TrimSuffix(document, path.Ext(document)) + ".pdf"
}

// IsAttachment reports whether a judged file of an envelope only goes with its official document: it is neither that nor a
// sealed copy of it. Without an official document there are no attachments.
func IsAttachment(document string, f verdict.File) bool {
	return document != "" && f.File != document && (f.File != CopyOf(document) || len(f.Signatures) == 0)
}

// Released reports whether the files have appeared.
func (o *Opened) Released() bool { return len(o.Files) > 0 }

// Open parses an envelope and opens it; see [Envelope.Open].
func Open(r io.ReaderAt, size int64, o OpenOptions) (*Opened, error) {
	e, err := Parse(r, size)
	if err != nil {
		return nil, err
	}
	return e.Open(o)
}

// Open decrypts the envelope for one recipient. Files are written aside while they are decrypted and get their names only
// after all of this holds: the sender's signature over the recipient's manifest, its binding to the header, the root over
// the chunk tags and the digest of the payload, and the digests of every file. If anything does not hold, Report says what
// and no file appears; the error is then nil. Errors: [ErrNotAddressed]; and what kept Open from looking, such as a key
// service that is away or a full disk.
func (e *Envelope) Open(o OpenOptions) (*Opened, error) {
	pub, ok := o.Key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("open envelope: %w", cert.ErrNotSM2)
	}
	p, err := e.find(pub, o.Certificate)
	if err != nil {
		return nil, err
	}
	out := &Opened{Manifest: p.manifest, Document: -1, Signer: p.signed.SignerCertificate(0)}
	f := &out.Report
	f.Type = "envelope"
	f.Add(verdict.Pass(verdict.CheckContainer))
	f.Signatures = append(f.Signatures, p.judge(VerifyOptions{Policy: o.Policy, At: o.At, Now: o.Now}))
	f.Add(p.judgeExpected(o))
	f.Judge(o.Policy.Setting())
	if f.Verdict != verdict.Passed && (f.Verdict != verdict.Indeterminate || !o.AcceptIndeterminate) {
		return out, nil
	}
	d := &opening{part: p, pub: pub, payload: e.PayloadReader(), sink: o.Sink}
	defer d.abort()
	check, err := d.run(e, o)
	if err != nil {
		return nil, fmt.Errorf("open envelope %s: %w", p.manifest.Exchange, err)
	}
	f.Add(check)
	f.Judge(o.Policy.Setting())
	if check.Status != verdict.Passed {
		return out, nil
	}
	if err := d.commit(); err != nil {
		return nil, fmt.Errorf("open envelope %s: %w", p.manifest.Exchange, err)
	}
	for i, name := range d.names {
		file := p.manifest.Files[i]
		out.Files = append(out.Files, OpenedFile{name, file})
		if (p.manifest.Document == Digests{file.SM3, file.SHA256}) && out.Document < 0 {
			out.Document = i
		}
	}
	return out, nil
}

// Addressed tells whether one of the parts names the key, so that whoever holds several finds the one that opens the envelope.
func (e *Envelope) Addressed(pub *ecdsa.PublicKey) bool {
	key := keyDigest(pub)
	for _, p := range e.parts {
		if p.header.Key == key {
			return true
		}
	}
	return false
}

// find returns the part for the key. Where there is none but one whose header is not what was signed, that one is returned, to
// be judged: its damage may lie in what names the key, and then nobody can tell for whom it was.
func (e *Envelope) find(pub *ecdsa.PublicKey, c *cert.Certificate) (part, error) {
	if c != nil {
		if err := c.MatchesKey(pub); err != nil {
			return part{}, fmt.Errorf("open envelope: %w", err)
		}
	}
	for _, p := range e.parts {
		if p.header.Key == keyDigest(pub) && (c == nil || p.header.Certificate == c.SM3()) {
			return p, nil
		}
	}
	for _, p := range e.parts {
		if p.judgeBinding().Status != verdict.Passed {
			return p, nil
		}
	}
	return part{}, ErrNotAddressed
}

func (p part) judgeExpected(o OpenOptions) verdict.Check {
	const check = verdict.CheckManifest
	if o.Exchange != "" && o.Exchange != p.manifest.Exchange {
		return verdict.Fail(check, verdict.RecipientBinding, "it is of exchange %s, not %s", p.manifest.Exchange, o.Exchange)
	}
	if o.Sender != "" && o.Sender != p.manifest.Sender {
		return verdict.Fail(check, verdict.RecipientBinding, "it is from %s, not %s", p.manifest.Sender, o.Sender)
	}
	return verdict.Pass(check)
}

// opening is one decryption under way.
type opening struct {
	part
	pub     *ecdsa.PublicKey // of the key that opens
	payload *io.SectionReader
	sink    Sink
	names   []string
	pending []Pending
	// plain and root are what was found inside, once all is read.
	plain int64
	root  transport.Digest
}

func (d *opening) abort() {
	for _, p := range d.pending {
		p.Abort()
	}
}

func (d *opening) commit() error {
	for _, p := range d.pending {
		if err := p.Commit(); err != nil {
			return err
		}
	}
	d.pending = nil
	return nil
}

// run decrypts and, on the same way through the payload, takes its digest from outside. Where decrypting fails, the check
// from outside is made on its own, for it names the damage better.
func (d *opening) run(e *Envelope, o OpenOptions) (verdict.Check, error) {
	fileKey, err := d.unwrap(o)
	if errors.Is(err, cms.ErrDecrypt) || errors.Is(err, cms.ErrNotRecipient) {
		return invalid("the wrapped key does not open"), nil
	}
	if err != nil {
		return verdict.Check{}, err
	}
	defer clear(fileKey)
	want := d.manifest.Payload // what was signed for this recipient, whatever the other parts say
	if check := e.judgePayloadSize(want); check.Status != verdict.Passed {
		return check, nil
	}
	outer := newAsync(sha256.New())
	inner, innerErr := d.decrypt(io.TeeReader(d.payload, outer), fileKey)
	sum := outer.sum()
	if innerErr == nil && inner.Status == verdict.Passed {
		return judgeOutside(PayloadInfo{e.size, d.plain, d.root, sum}, want), nil
	}
	check, err := e.judgePayload(want)
	if err != nil || check.Status != verdict.Passed {
		return check, err
	}
	return inner, innerErr
}

func (d *opening) unwrap(o OpenOptions) ([]byte, error) {
	wrapped, err := cms.ParseEnveloped(d.header.WrappedKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", cms.ErrDecrypt, err)
	}
	ids := wrapped.Recipients()
	if len(ids) != 1 {
		return nil, cms.ErrDecrypt
	}
	c := o.Certificate
	if c == nil { // the header has told that the part is for this key; the name only picks the recipient info
		c = &cert.Certificate{RawIssuer: ids[0].RawIssuer, Serial: ids[0].Serial, PublicKey: d.pub}
	}
	return wrapped.Open(c, o.Key)
}

func invalid(format string, args ...any) verdict.Check {
	return verdict.Fail(verdict.CheckDigests, verdict.EnvelopeInvalid, format, args...)
}

// decrypt writes the files aside. Plaintext comes only from chunks whose tag was checked.
func (d *opening) decrypt(payload io.Reader, fileKey []byte) (verdict.Check, error) {
	s, err := stream.NewReader(payload, fileKey)
	if err != nil {
		return d.streamCheck(err)
	}
	if check, err := d.readIndex(s); err != nil || check.Status != verdict.Passed {
		return check, err
	}
	for i, f := range d.manifest.Files {
		p, err := d.sink.Create(d.names[i], f.Size)
		if err != nil {
			return verdict.Check{}, err
		}
		d.pending = append(d.pending, p)
		w := &sinkWriter{w: p}
		n, sums, err := pump(w, s, f.Size)
		switch {
		case w.err != nil:
			return verdict.Check{}, fmt.Errorf("write %s: %w", d.names[i], w.err)
		case err != nil:
			return d.streamCheck(err)
		case n != f.Size:
			return verdict.Fail(verdict.CheckDigests, verdict.Truncated, "file %d ends after %d of %d bytes", i, n, f.Size), nil
		case sums.SM3 != f.SM3 || sums.SHA256 != f.SHA256:
			return verdict.Fail(verdict.CheckDigests, verdict.DigestMismatch, "file %d is not the one that was signed", i), nil
		}
	}
	var rest [1]byte
	if n, err := io.ReadFull(s, rest[:]); n > 0 {
		return verdict.Fail(verdict.CheckDigests, verdict.Manifest, "the payload holds more than the manifest lists"), nil
	} else if !errors.Is(err, io.EOF) {
		return d.streamCheck(err)
	}
	d.plain, d.root = s.Size(), s.Root()
	return verdict.Pass(verdict.CheckDigests), nil
}

func (d *opening) streamCheck(err error) (verdict.Check, error) {
	reason, ok := streamReason(err)
	if !ok {
		return verdict.Check{}, err
	}
	return verdict.Fail(verdict.CheckDigests, reason, "payload: %v", err), nil
}

// readIndex reads the list of names that begins the plaintext.
func (d *opening) readIndex(r io.Reader) (verdict.Check, error) {
	var b [4]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return d.indexError(err)
	}
	n := binary.BigEndian.Uint32(b[:])
	if n > maxIndex-4 {
		return verdict.Fail(verdict.CheckDigests, verdict.Limit, "list of names of %d bytes", n), nil
	}
	names := make([]byte, n)
	if _, err := io.ReadFull(r, names); err != nil {
		return d.indexError(err)
	}
	if gm.SM3(names) != [32]byte(d.manifest.Index) {
		return verdict.Fail(verdict.CheckDigests, verdict.DigestMismatch, "the list of names is not the one that was signed"), nil
	}
	var err error
	if d.names, err = parseIndex(names); err != nil {
		return verdict.Fail(verdict.CheckDigests, verdict.Malformed, "list of names: %v", err), nil
	}
	if len(d.names) != len(d.manifest.Files) {
		return verdict.Fail(verdict.CheckDigests, verdict.Manifest, "%d names for %d files", len(d.names), len(d.manifest.Files)), nil
	}
	return verdict.Pass(verdict.CheckDigests), nil
}

func (d *opening) indexError(err error) (verdict.Check, error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return verdict.Fail(verdict.CheckDigests, verdict.Truncated, "the list of names is cut"), nil
	}
	return d.streamCheck(err)
}

// sinkWriter remembers that writing failed, so that it is not taken for a fault of the envelope.
type sinkWriter struct {
	w   io.Writer
	err error
}

func (s *sinkWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// DocumentDigest gives the SM3 of the official document that an opened envelope claims to hold.
func (o *Opened) DocumentDigest() transport.Digest { return o.Manifest.Document.SM3 }
