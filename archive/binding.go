package archive

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"time"

	"yinxin/verdict"
)

// Bound is what a receipt speaks of, as far as a package must know it.
type Bound struct {
	ID, Event, Exchange, DocumentSM3, Sender, Recipient string
	// Object is the digest of what else the event is about: of the package for a deposit; empty where there is nothing.
	Object string
	// Checkpoint is the signed note that the receipt was built against.
	Checkpoint []byte
	// Time is that of the event.
	Time time.Time
	// proven says that the receipt passed.
	proven bool
	// Digest is the digest of the entry itself; Previous that of the entry before it in this exchange, both hex.
	Digest, Previous string
}

// Entrusted is what the sender signed for the archive: which document of which exchange it sent to whom, and every file of
// the envelope. Archive is empty where the manifest is that of a recipient who is no archive.
type Entrusted struct {
	Exchange, DocumentSM3, Sender, Archive string
	Files                                  []FileDigests
}

// FileDigests tell a file without its name: size in bytes, digests in hex.
type FileDigests struct {
	Size        int64
	SM3, SHA256 string
}

// Events that every complete record of an exchange holds at least.
const eventAccepted = "SubmissionAcceptance"

// eventSupplement is the event whose receipt binds a supplement to the log.
const eventSupplement = "Supplement"

// contents are the files of a package that say something of each other.
type contents struct {
	record Record
	// signers are the codes of those who signed the package.
	signers   []string
	documents []described
	bounds    []Bound
	entrusted []Entrusted
	// sent are the files that came in the envelope, metadata the files of that role, foreign those of roles that a package
	// does not have.
	sent     []FileDigests
	metadata [][]byte
	foreign  []string
}

// described is a document of the package with what it says of itself.
type described struct {
	path, sm3 string
	says      Record
	metadata  []byte
}

// bind holds the record against what the package has: the document, what the sender signed for the archive, the receipts;
// and the signers of the package against the archive that the sender named.
func (c *contents) bind(r Record) []verdict.Check {
	bad := slices.Concat(c.bindDocument(r), c.bindMetadata(), c.bindEnvelope(r), c.bindEvidence(r))
	if len(bad) > 0 {
		return bad
	}
	return []verdict.Check{verdict.Pass(verdict.CheckReceiptBinding)}
}

// bindDocument: there is one document, and the record describes it as it describes itself.
func (c *contents) bindDocument(r Record) (bad []verdict.Check) {
	fail := func(check verdict.CheckName, format string, args ...any) {
		bad = append(bad, verdict.Fail(check, verdict.Manifest, format, args...))
	}
	if len(c.documents) != 1 {
		fail(verdict.CheckManifest, "%d documents in the package, want 1", len(c.documents))
	}
	for _, d := range c.documents {
		if d.sm3 != r.DocumentSM3 {
			fail(verdict.CheckReceiptBinding, "%s is not the document of the record", d.path)
		}
		for _, e := range []struct{ element, record, document string }{
			{"issuer_name", r.IssuerName, d.says.IssuerName},
			{"kind", r.Kind, d.says.Kind},
			{"number", r.Number, d.says.Number},
			{"title", r.Title, d.says.Title},
			{"issued_on", r.IssuedOn, d.says.IssuedOn},
		} {
			if e.record != e.document {
				fail(verdict.CheckManifest, "the record states another %s than the document", e.element)
			}
		}
		if r.Pages != d.says.Pages {
			fail(verdict.CheckManifest, "the record states %d pages, the document has %d", r.Pages, d.says.Pages)
		}
	}
	return bad
}

// bindMetadata: what the package says of the document is what the document says, to the byte; and it holds nothing else.
func (c *contents) bindMetadata() (bad []verdict.Check) {
	for _, p := range c.foreign {
		bad = append(bad, verdict.Fail(verdict.CheckManifest, verdict.Manifest, "%s has a role that no package has", p))
	}
	for _, d := range c.documents {
		for _, m := range c.metadata {
			if d.metadata != nil && !bytes.Equal(d.metadata, m) {
				bad = append(bad, verdict.Fail(verdict.CheckManifest, verdict.Manifest, "the metadata are not those of %s", d.path))
			}
		}
	}
	if len(c.metadata) != 1 {
		bad = append(bad, verdict.Fail(verdict.CheckManifest, verdict.Manifest, "%d files of metadata in the package, want 1", len(c.metadata)))
	}
	return bad
}

// bindEnvelope: the sender signed that it sent this document to an archive, and that archive alone signed the package.
// Without it, anybody who has a certificate under the same root could make a record of what others sent.
func (c *contents) bindEnvelope(r Record) (bad []verdict.Check) {
	if len(c.entrusted) != 1 {
		return []verdict.Check{verdict.Fail(verdict.CheckManifest, verdict.EvidenceMissing, "%d manifests of the sender, want 1", len(c.entrusted))}
	}
	e := c.entrusted[0]
	if e.Exchange != r.Exchange || e.DocumentSM3 != r.DocumentSM3 || e.Sender != r.Issuer {
		bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, verdict.RecipientBinding, "the sender's manifest is of another exchange, document or office"))
	}
	if !sameFiles(c.sent, e.Files) {
		bad = append(bad, verdict.Fail(verdict.CheckManifest, verdict.Manifest, "document, copy and attachments are not the files that the sender signed for"))
	}
	if e.Archive == "" {
		return append(bad, verdict.Fail(verdict.CheckManifest, verdict.RecipientBinding, "the sender's manifest was not made for an archive"))
	}
	for _, signer := range c.signers {
		if signer != e.Archive {
			bad = append(bad, verdict.Fail(verdict.CheckManifest, verdict.SignerCert, "the package is signed by %q, the sender sent the document to the archive %s", signer, e.Archive))
		}
	}
	return bad
}

// bindEvidence: the receipts are this record's and form one unbroken chain from the acceptance on.
func (c *contents) bindEvidence(r Record) (bad []verdict.Check) {
	fail := func(reason verdict.Reason, format string, args ...any) {
		bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, reason, format, args...))
	}
	known := map[string]bool{}
	for _, b := range c.bounds {
		known[b.Digest] = true
		if b.Exchange != r.Exchange || b.DocumentSM3 != r.DocumentSM3 || b.Sender != r.Issuer {
			fail(verdict.ReceiptBinding, "receipt %s is of another exchange, document or sender", path.Base(b.ID))
		}
	}
	accepted := false
	for _, b := range c.bounds {
		accepted = accepted || b.Event == eventAccepted
		if b.Previous != "" && !known[b.Previous] {
			fail(verdict.EvidenceMissing, "the entry before receipt %s is not in the package", b.ID)
		}
	}
	if !accepted {
		fail(verdict.EvidenceMissing, "no receipt of the acceptance")
	}
	return bad
}

// bindSupplement: there is nothing but receipts, they are this record's, and each follows the one before it; the first is that
// of the deposit or of the supplement before. Their own verdicts say whether they are genuine.
func (c *contents) bindSupplement(m *Manifest) (bad []verdict.Check) {
	for _, e := range m.Files {
		if e.Role != RoleEvidence {
			bad = append(bad, verdict.Fail(verdict.CheckManifest, verdict.Manifest, "%s has a role that no supplement has", e.Path))
		}
	}
	for i, b := range c.bounds {
		if b.Exchange != m.Record.Exchange || b.DocumentSM3 != m.Record.DocumentSM3 || b.Sender != m.Record.Issuer {
			bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, verdict.ReceiptBinding, "receipt %s is of another exchange, document or sender", path.Base(b.ID)))
		}
		if i > 0 && b.Previous != c.bounds[i-1].Digest {
			bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, verdict.EvidenceMissing, "the entry before receipt %s is not in the supplement", b.ID))
		}
	}
	if len(c.bounds) == 0 || c.bounds[0].Event != eventDeposit && c.bounds[0].Event != eventSupplement {
		bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, verdict.EvidenceMissing, "a supplement begins with the receipt of the deposit or of the supplement before it"))
	}
	if len(bad) > 0 {
		return bad
	}
	return []verdict.Check{verdict.Pass(verdict.CheckReceiptBinding)}
}

// sameFiles compares two lists without regard to order.
func sameFiles(a, b []FileDigests) bool {
	order := func(x, y FileDigests) int {
		return cmp.Or(cmp.Compare(x.SM3, y.SM3), cmp.Compare(x.SHA256, y.SHA256), cmp.Compare(x.Size, y.Size))
	}
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}
