package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// BundleSchema names the list of a bundle of evidence.
const BundleSchema = "yinxin.evidence/1"

// BundleName is the list, at the top of every bundle; docs/formats/evidence.md describes it.
const BundleName = "bundle.json"

// The roles of files in a bundle of evidence, beside RoleEvidence.
const (
	RolePackage     Role = "package"     // the record package, byte for byte as it was deposited
	RoleCheckpoint  Role = "checkpoint"  // the log's newest signed note, with the lines of witnesses
	RoleConsistency Role = "consistency" // proofs that the newest tree extends those of the receipts
	RoleRevocation  Role = "revocation"  // a revocation list or an OCSP response
	RoleTrust       Role = "trust"       // roots and keys, for information: trust comes from outside
	RoleReport      Role = "report"      // what the maker of the bundle found, for information
)

// Bundle is the list of everything that bears on one record in a dispute. It is not signed: whoever puts it together is
// believed in nothing, since each part proves itself.
type Bundle struct {
	Schema string `json:"schema"`
	// Record and Exchange are ids; DocumentSM3 and EnvelopeSM3 the digests (hex) of the sealed document and of the
	// envelope in which it was submitted.
	Record      string `json:"record"`
	Exchange    string `json:"exchange"`
	DocumentSM3 string `json:"document_sm3"`
	EnvelopeSM3 string `json:"envelope_sm3"`
	// MadeAt is the maker's clock, UTC.
	MadeAt time.Time   `json:"made_at"`
	Files  []FileEntry `json:"files"`
}

// Consistency proves that the tree of the bundle's checkpoint begins with the tree of Size entries.
type Consistency struct {
	Size   uint64   `json:"size"`
	Hashes []string `json:"hashes"`
}

// WriteBundle writes a bundle as a zip file: every file, then the list. The same input gives the same bytes.
func WriteBundle(w io.Writer, b Bundle, files []File) error {
	z := zip.NewWriter(w)
	var err error
	if b.Files, err = copyFiles(z, files, b.MadeAt); err != nil {
		return err
	}
	b.Schema = BundleSchema
	list, err := listText(b)
	if err != nil {
		return fmt.Errorf("write list of the bundle: %w", err)
	}
	if _, err := copyFile(z, BytesFile(BundleName, "", list), b.MadeAt); err != nil {
		return fmt.Errorf("write list of the bundle: %w", err)
	}
	return z.Close()
}

// ParseBundle reads the list of a bundle strictly, as [ParseManifest] reads a manifest.
func ParseBundle(data []byte) (*Bundle, error) {
	b := new(Bundle)
	if err := decodeStrict(data, b); err != nil {
		return nil, fmt.Errorf("parse list of the bundle: %w", err)
	}
	if again, err := listText(b); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("parse list of the bundle: not in the one spelling of this format")
	}
	if err := checkList(b.Schema, BundleSchema, b.Files); err != nil {
		return nil, fmt.Errorf("parse list of the bundle: %w", err)
	}
	return b, nil
}

// IsBundle reports whether the folder or zip looks like a bundle of evidence.
func IsBundle(content fs.FS) bool {
	st, err := fs.Stat(content, BundleName)
	return err == nil && st.Mode().IsRegular()
}
