package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/verdict"
)

// Bound is what a receipt speaks of, as far as a package must know it.
type Bound struct {
	ID, Event, Exchange, DocumentSM3, Recipient string
	// Digest is the digest of the entry itself; Previous that of the entry before it in this exchange, both hex.
	Digest, Previous string
}

// Judge gives the verdict on files that this package keeps but does not understand. internal/verify fills it.
type Judge interface {
	// Document judges a sealed document by its content.
	Document(name string, data []byte) verdict.File
	// Receipt judges a receipt and says what it speaks of.
	Receipt(name string, data []byte) (verdict.File, Bound)
}

// VerifyOptions steer [Verify].
type VerifyOptions struct {
	Policy cert.Policy
	Now    time.Time
	// At, when set, is the moment at which certificates are judged.
	At    time.Time
	Judge Judge
}

// Events that every complete record of an exchange holds at least.
const eventAccepted = "SubmissionAcceptance"

// Verify judges a package given as a folder or an opened zip: the manifest and its signature, both digests of every
// file, stray files, the document itself, every receipt, and that the receipts speak of this document and exchange in
// an unbroken chain. The error is for what could not be read at all.
func Verify(content fs.FS, name string, o VerifyOptions) (verdict.File, error) {
	f := verdict.File{File: name, Type: "package"}
	raw, err := readBounded(content, ManifestName, maxManifest)
	if damaged(err) {
		f.Reject(verdict.ZipLayout, "%s: %v", ManifestName, err)
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("verify package %s: %w", name, err)
	}
	m, err := ParseManifest(raw)
	if err != nil {
		f.Reject(verdict.Malformed, "%v", err)
		return f, nil
	}
	f.Add(verdict.Pass(verdict.CheckContainer))
	if err := verifySignature(&f, content, raw, o); err != nil {
		return f, fmt.Errorf("verify package %s: %w", name, err)
	}
	if err := verifyFiles(&f, content, m); err != nil {
		return f, fmt.Errorf("verify package %s: %w", name, err)
	}
	if err := verifyParts(&f, content, m, o); err != nil {
		return f, fmt.Errorf("verify package %s: %w", name, err)
	}
	f.Judge(o.Policy.Revocation)
	return f, nil
}

func verifySignature(f *verdict.File, content fs.FS, manifest []byte, o VerifyOptions) error {
	der, err := readBounded(content, SignatureName, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		f.Add(verdict.Fail(verdict.CheckManifest, verdict.SigMissing, "%s is missing", SignatureName))
		return nil
	}
	if err != nil {
		return err
	}
	signed, err := cms.ParseSigned(der)
	if err != nil {
		f.Add(verdict.Fail(verdict.CheckManifest, verdict.Malformed, "%s: %v", SignatureName, err))
		return nil
	}
	f.Signatures = append(f.Signatures, tsp.JudgeSigned(signed, gm.SM3(manifest), true, cms.JudgeOptions{Policy: o.Policy, At: o.At, Now: o.Now})...)
	if len(f.Signatures) == 0 {
		f.Add(verdict.Fail(verdict.CheckManifest, verdict.NoSigner, "%s", SignatureName))
		return nil
	}
	f.Add(verdict.Pass(verdict.CheckManifest))
	return nil
}

// verifyFiles compares every file with both of its digests and finds strays.
func verifyFiles(f *verdict.File, content fs.FS, m *Manifest) error {
	bad := 0
	for _, e := range m.Files {
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
	stray, err := strayFiles(content, m)
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

// verifyParts judges the document and the receipts, and what binds them together.
func verifyParts(f *verdict.File, content fs.FS, m *Manifest, o VerifyOptions) error {
	var bounds []Bound
	documents := 0
	for _, e := range m.Files {
		if e.Role != RoleDocument && e.Role != RoleCopy && e.Role != RoleEvidence {
			continue
		}
		data, err := readBounded(content, e.Path, maxFileSize)
		if errors.Is(err, fs.ErrNotExist) || damaged(err) {
			continue // reported among the digests
		}
		if err != nil {
			return err
		}
		if e.Role == RoleEvidence {
			part, b := o.Judge.Receipt(e.Path, data)
			f.Parts = append(f.Parts, part)
			bounds = append(bounds, b)
			continue
		}
		f.Parts = append(f.Parts, o.Judge.Document(e.Path, data))
		if e.Role == RoleDocument {
			documents++
			if e.SM3 != m.Record.DocumentSM3 {
				f.Add(verdict.Fail(verdict.CheckReceiptBinding, verdict.Manifest, "%s is not the document of the record", e.Path))
			}
		}
	}
	if documents != 1 {
		f.Add(verdict.Fail(verdict.CheckManifest, verdict.Manifest, "%d documents in the package, want 1", documents))
	}
	f.Add(bindEvidence(m.Record, bounds)...)
	return nil
}

// bindEvidence checks that the receipts are this record's and form one unbroken chain from the acceptance on.
func bindEvidence(r Record, bounds []Bound) []verdict.Check {
	var bad []verdict.Check
	known := map[string]bool{}
	for _, b := range bounds {
		known[b.Digest] = true
		if b.Exchange != r.Exchange || b.DocumentSM3 != r.DocumentSM3 {
			bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, verdict.ReceiptBinding, "receipt %s is of another exchange or document", path.Base(b.ID)))
		}
	}
	accepted := false
	for _, b := range bounds {
		accepted = accepted || b.Event == eventAccepted
		if b.Previous != "" && !known[b.Previous] {
			bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, verdict.EvidenceMissing, "the entry before receipt %s is not in the package", b.ID))
		}
	}
	if !accepted {
		bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, verdict.EvidenceMissing, "no receipt of the acceptance"))
	}
	if len(bad) > 0 {
		return bad
	}
	return []verdict.Check{verdict.Pass(verdict.CheckReceiptBinding)}
}
