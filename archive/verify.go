package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/verdict"
)

// Judge gives the verdict on files that this package keeps but does not understand. internal/verify fills it.
type Judge interface {
	// Document judges a sealed document by its content.
	Document(name string, data []byte) verdict.File
	// Described is what an OFD says of itself: issuer's name, kind, number, title, date and pages, all else empty.
	Described(data []byte) Record
	// Receipt judges a receipt and says what it speaks of.
	Receipt(name string, data []byte) (verdict.File, Bound)
	// Envelope judges the sender's signed manifest and says what was entrusted to whom.
	Envelope(name string, data []byte) (verdict.File, Entrusted)
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
	f.Add(c.bind(m.Record)...)
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
	judge := cms.JudgeOptions{Policy: o.Policy, At: o.At, Now: o.Now, RequireBinding: true}
	f.Signatures = append(f.Signatures, tsp.JudgeSigned(signed, gm.SM3(manifest), true, judge)...)
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
		errors.Is(err, io.ErrUnexpectedEOF)
}

func digestFile(content fs.FS, name string, size int64) (FileEntry, error) {
	src, err := content.Open(name)
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

// verifyParts judges the document, the receipts and the sender's manifest, and keeps what they say of each other.
func (c *contents) verifyParts(f *verdict.File, content fs.FS, m *Manifest, o VerifyOptions) error {
	for _, e := range m.Files {
		if !slices.Contains([]Role{RoleDocument, RoleCopy, RoleEvidence, RoleEnvelope}, e.Role) {
			continue
		}
		data, err := readBounded(content, e.Path, maxFileSize)
		if errors.Is(err, fs.ErrNotExist) || damaged(err) {
			continue // reported among the digests
		}
		if err != nil {
			return err
		}
		f.Parts = append(f.Parts, c.part(e, data, o.Judge))
	}
	return nil
}

func (c *contents) part(e FileEntry, data []byte, j Judge) verdict.File {
	switch e.Role {
	case RoleEvidence:
		part, b := j.Receipt(e.Path, data)
		c.bounds = append(c.bounds, b)
		return part
	case RoleEnvelope:
		part, sent := j.Envelope(e.Path, data)
		c.entrusted = append(c.entrusted, sent)
		return part
	case RoleDocument:
		c.documents = append(c.documents, described{e.Path, e.SM3, j.Described(data)})
	}
	return j.Document(e.Path, data)
}
