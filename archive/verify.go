package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/document/ofd"
	"yinxin/verdict"
)

// Judge gives the verdict on files that this package keeps but does not understand. internal/verify fills it.
type Judge interface {
	// Document judges a sealed document, OFD or PDF and nothing else, by its content. It existed at the time seen, by the
	// log's word; zero where nothing proves that it did.
	Document(name string, data []byte, seen time.Time) verdict.File
	// Described is what an OFD says of itself: issuer's name, kind, number, title, date and pages, all else empty; and the text
	// of its metadata, nil where it has none.
	Described(data []byte) (Record, []byte)
	// Receipt judges a receipt and says what it speaks of.
	Receipt(name string, data []byte) (verdict.File, Bound)
	// Envelope judges the sender's signed manifest, which existed at the time seen, and says what was entrusted to whom.
	Envelope(name string, data []byte, seen time.Time) (verdict.File, Entrusted)
	// Code is the code of the office that a certificate is of; empty where it names none.
	Code(c *cert.Certificate) string
}

// VerifyOptions steer [Verify].
type VerifyOptions struct {
	Policy cert.Policy
	Now    time.Time
	// At, when set, is the moment at which certificates are judged.
	At    time.Time
	Judge Judge
	// Seen is when the whole package is known to have existed, by the log's word; zero where nothing proves it. What is in
	// it is then judged at that time, and outlives the certificates of those who signed.
	Seen time.Time
	// Logs are the keys of the expected log, past ones too, and Witnesses those of its witnesses. Bundles of evidence alone
	// are held against them; receipts are the Judge's.
	Logs      []*tlog.Verifier
	Witnesses []*tlog.Cosignatory
}

// Verify judges a package given as a folder or an opened zip: the manifest and its signature, both digests of every
// file, stray files, the document itself, every receipt, and that the receipts speak of this document and exchange in
// an unbroken chain, that the record describes the document as it is, and that the archive which the sender named has
// signed. The error is for what could not be read at all.
func Verify(content fs.FS, name string, o VerifyOptions) (verdict.File, error) {
	f, _, err := verifyPackage(content, name, o)
	return f, err
}

// verifyPackage does what Verify says, and gives what the package holds.
func verifyPackage(content fs.FS, name string, o VerifyOptions) (f verdict.File, c contents, err error) {
	f = verdict.File{File: name, Type: "package"}
	raw, err := readBounded(content, ManifestName, maxManifest)
	if damaged(err) {
		f.Reject(verdict.ZipLayout, "%s: %v", ManifestName, err)
		return f, c, nil
	}
	if err != nil {
		return f, c, fmt.Errorf("verify package %s: %w", name, err)
	}
	m, err := ParseManifest(raw)
	if err != nil {
		f.Reject(verdict.Malformed, "%v", err)
		return f, c, nil
	}
	c.record = m.Record
	f.Add(verdict.Pass(verdict.CheckContainer))
	if c.signers, err = verifySignature(&f, content, raw, o); err != nil {
		return f, c, fmt.Errorf("verify package %s: %w", name, err)
	}
	if err := verifyFiles(&f, content, m.Files, ManifestName, SignatureName); err != nil {
		return f, c, fmt.Errorf("verify package %s: %w", name, err)
	}
	if err := c.verifyParts(&f, content, m, o); err != nil {
		return f, c, fmt.Errorf("verify package %s: %w", name, err)
	}
	if m.Schema == SupplementSchema {
		f.Add(c.bindSupplement(m)...)
	} else {
		f.Add(c.bind(m.Record)...)
	}
	f.Judge(o.Policy.Revocation)
	return f, c, nil
}

// verifySignature judges the archive's signature and returns the codes of those who signed.
func verifySignature(f *verdict.File, content fs.FS, manifest []byte, o VerifyOptions) (signers []string, err error) {
	der, err := readBounded(content, SignatureName, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		f.Add(verdict.Fail(verdict.CheckManifest, verdict.SigMissing, "%s is missing", SignatureName))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	signed, err := cms.ParseSigned(der)
	if err != nil {
		f.Add(verdict.Fail(verdict.CheckManifest, verdict.Malformed, "%s: %v", SignatureName, err))
		return nil, nil
	}
	f.Signatures = append(f.Signatures, tsp.JudgeSigned(signed, gm.SM3(manifest), true, o.signed())...)
	if len(f.Signatures) == 0 {
		f.Add(verdict.Fail(verdict.CheckManifest, verdict.NoSigner, "%s", SignatureName))
		return nil, nil
	}
	f.Add(verdict.Pass(verdict.CheckManifest))
	for i := range f.Signatures {
		code := ""
		if c := signed.SignerCertificate(i); c != nil {
			code = o.Judge.Code(c)
		}
		signers = append(signers, code)
	}
	return signers, nil
}

// verifyFiles compares every file with both of its digests and finds strays.
func verifyFiles(f *verdict.File, content fs.FS, entries []FileEntry, own ...string) error {
	bad := 0
	for _, e := range entries {
		got, err := digestFile(content, e.Path, e.Size)
		if errors.Is(err, fs.ErrNotExist) {
			f.Add(verdict.Fail(verdict.CheckDigests, verdict.MissingEntry, "%s", e.Path))
			bad++
			continue
		}
		if damaged(err) {
			f.Add(verdict.Fail(verdict.CheckDigests, verdict.DigestMismatch, "%s: %v", e.Path, err))
			bad++
			continue
		}
		if err != nil {
			return err
		}
		if got.Size != e.Size || got.SM3 != e.SM3 || got.SHA256 != e.SHA256 {
			f.Add(verdict.Fail(verdict.CheckDigests, verdict.DigestMismatch, "%s", e.Path))
			bad++
		}
	}
	if bad == 0 {
		f.Add(verdict.Pass(verdict.CheckDigests))
	}
	stray, err := strayFiles(content, entries, own...)
	if err != nil {
		return err
	}
	for _, p := range stray {
		f.Add(verdict.Fail(verdict.CheckCoverage, verdict.Uncovered, "%s stands in no manifest", p))
	}
	if len(stray) == 0 {
		f.Add(verdict.Pass(verdict.CheckCoverage))
	}
	return nil
}

// damaged reports whether an entry of a zip cannot be read as it says: that is a finding, not a failure to look.
func damaged(err error) bool {
	return errors.Is(err, zip.ErrChecksum) || errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrAlgorithm) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errNoFile)
}

// errNoFile says that something else stands where a file should: opening a pipe would wait for ever.
var errNoFile = errors.New("not a plain file")

// openPlain opens a file that is one.
func openPlain(content fs.FS, name string) (fs.File, error) {
	st, err := fs.Stat(content, name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, errNoFile)
	}
	return content.Open(name)
}

// readExactly reads a file of the size that its list states; one of another size is damaged.
func readExactly(content fs.FS, e FileEntry) ([]byte, error) {
	f, err := openPlain(content, e.Path)
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err != nil || st.Size() != e.Size {
		return nil, errors.Join(err, f.Close(), io.ErrUnexpectedEOF)
	}
	data := make([]byte, e.Size)
	_, err = io.ReadFull(f, data)
	return data, errors.Join(err, f.Close())
}

func digestFile(content fs.FS, name string, size int64) (FileEntry, error) {
	src, err := openPlain(content, name)
	if err != nil {
		return FileEntry{}, err
	}
	d := newDigester()
	n, err := io.Copy(d, io.LimitReader(src, size+1)) // one byte more tells a longer file without reading it all
	if err := errors.Join(err, src.Close()); err != nil {
		return FileEntry{}, err
	}
	e := d.entry()
	e.Size = n
	return e, nil
}

// signed says how a signature over all of the package is judged.
func (o VerifyOptions) signed() cms.JudgeOptions {
	j := cms.JudgeOptions{Policy: o.Policy, At: o.At, Now: o.Now, RequireBinding: true}
	if o.At.IsZero() && !o.Seen.IsZero() {
		j.At, j.TimeSource = o.Seen, verdict.TimeFromLog
	}
	return j
}

// verifyParts judges the receipts, then the document and the sender's manifest by what the receipts prove, and keeps what
// they all say of each other. The parts stand in the report in the order of the manifest.
func (c *contents) verifyParts(f *verdict.File, content fs.FS, m *Manifest, o VerifyOptions) error {
	parts := make([]*verdict.File, len(m.Files))
	for _, receipts := range []bool{true, false} {
		for i, e := range m.Files {
			if (e.Role == RoleEvidence) != receipts {
				continue
			}
			part, err := c.read(content, e, o)
			if err != nil {
				return err
			}
			parts[i] = part
		}
	}
	for _, part := range parts {
		if part != nil {
			f.Parts = append(f.Parts, *part)
		}
	}
	return nil
}

// most is how much of a file of a role is read, in bytes: larger ones are not judged here.
func most(r Role) int64 {
	switch r {
	case RoleDocument, RoleCopy:
		return ofd.MaxFile
	case RoleMetadata, RoleEnvelope, RoleEvidence:
		return maxManifest
	default:
		return 0 // nothing in it to judge
	}
}

// read judges one file; nil where its role has no verdict.
func (c *contents) read(content fs.FS, e FileEntry, o VerifyOptions) (*verdict.File, error) {
	limit := most(e.Role)
	if limit == 0 {
		c.list(e)
		return nil, nil //nolint:nilnil // there is no verdict, and no fault
	}
	if e.Size > limit {
		part := &verdict.File{File: e.Path}
		part.Reject(verdict.Limit, "%d bytes are too many to be judged inside a package, at most %d", e.Size, limit)
		return part, nil
	}
	data, err := readExactly(content, e)
	if errors.Is(err, fs.ErrNotExist) || damaged(err) {
		return nil, nil //nolint:nilnil // reported among the digests
	}
	if err != nil {
		return nil, err
	}
	return c.part(e, data, o), nil
}

// list keeps what a file is without looking into it.
func (c *contents) list(e FileEntry) {
	switch e.Role {
	case RoleDocument, RoleCopy, RoleAttachment:
		c.sent = append(c.sent, FileDigests{e.Size, e.SM3, e.SHA256})
	case RoleCertificate:
	default:
		c.foreign = append(c.foreign, e.Path)
	}
}

// part judges the content of a file.
func (c *contents) part(e FileEntry, data []byte, o VerifyOptions) *verdict.File {
	var part verdict.File
	switch e.Role {
	case RoleMetadata:
		c.metadata = append(c.metadata, data)
		return nil
	case RoleEvidence:
		var b Bound
		part, b = o.Judge.Receipt(e.Path, data)
		b.proven = part.Verdict == verdict.Passed
		c.bounds = append(c.bounds, b)
	case RoleEnvelope:
		var sent Entrusted
		part, sent = o.Judge.Envelope(e.Path, data, o.Seen)
		c.entrusted = append(c.entrusted, sent)
	case RoleDocument:
		c.list(e)
		says, metadata := o.Judge.Described(data)
		c.documents = append(c.documents, described{e.Path, e.SM3, says, metadata})
		part = o.Judge.Document(e.Path, data, c.seen(e.SM3, o.Seen))
	default:
		c.list(e)
		part = o.Judge.Document(e.Path, data, o.Seen)
	}
	return &part
}

// seen is when a document is first known to have existed: its acceptance, if a receipt of it passed.
func (c *contents) seen(sm3 string, otherwise time.Time) time.Time {
	for _, b := range c.bounds {
		if b.proven && b.Event == eventAccepted && b.DocumentSM3 == sm3 && (otherwise.IsZero() || b.Time.Before(otherwise)) {
			otherwise = b.Time
		}
	}
	return otherwise
}
