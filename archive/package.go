package archive

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/sha256" // the second digest of every archived file, beside SM3
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
)

// PackageSchema names the manifest of a record package, SupplementSchema that of receipts which came after its deposit.
const (
	PackageSchema    = "yinxin.package/1"
	SupplementSchema = "yinxin.supplement/1"
)

// The two files that every package has at its top; docs/formats/package.md describes both.
const (
	ManifestName  = "manifest.json"
	SignatureName = "manifest.p7s"
)

// Bounds of a package, so that a hostile one costs little.
const (
	maxManifest = 8 << 20
	maxFiles    = 10_000
	maxFileSize = 2 << 30
)

// Role says what a file is to the record.
type Role string

// The roles of files in a package.
const (
	RoleDocument    Role = "document"    // the sealed OFD, the record itself
	RoleCopy        Role = "copy"        // the same document as PDF
	RoleAttachment  Role = "attachment"  // an attachment of the document
	RoleMetadata    Role = "metadata"    // what the document says of itself, JSON
	RoleEvidence    Role = "evidence"    // a receipt
	RoleCertificate Role = "certificate" // a certificate that the above need
	RoleEnvelope    Role = "envelope"    // the signed manifest under which the document came
)

// File is one file to be put in a package. Open is called once.
type File struct {
	// Path is relative, with forward slashes, and unique without regard to case.
	Path string
	Role Role
	Open func() (io.ReadCloser, error)
}

// BytesFile makes a File of bytes at hand.
func BytesFile(name string, role Role, data []byte) File {
	return File{Path: name, Role: role, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// FileEntry is what the manifest says of a file.
type FileEntry struct {
	Path   string `json:"path"`
	Role   Role   `json:"role"`
	Size   int64  `json:"size"`
	SM3    string `json:"sm3"`
	SHA256 string `json:"sha256"`
}

// Manifest is the signed list of a package's content.
type Manifest struct {
	Schema string      `json:"schema"`
	Record Record      `json:"record"`
	Files  []FileEntry `json:"files"`
}

// WriteOptions name the archive's signer.
type WriteOptions struct {
	Signer      crypto.Signer
	Certificate *cert.Certificate
	Chain       []*cert.Certificate
	Rand        io.Reader
}

// WriteZip writes a package: every file, then the manifest, then the GB/T 35275 signature over the manifest's bytes.
// The same input gives the same bytes but for the signature.
func WriteZip(w io.Writer, r Record, files []File, o WriteOptions) error {
	return writeSigned(w, PackageSchema, r, r.DepositedAt, files, o)
}

// WriteSupplement writes receipts that came after the deposit of a record, as a package without the document; at is the
// archive's time.
func WriteSupplement(w io.Writer, r Record, at time.Time, files []File, o WriteOptions) error {
	return writeSigned(w, SupplementSchema, r, at, files, o)
}

func writeSigned(w io.Writer, schema string, r Record, at time.Time, files []File, o WriteOptions) error {
	z := zip.NewWriter(w)
	entries, err := copyFiles(z, files, at)
	if err != nil {
		return err
	}
	manifest, err := listText(Manifest{Schema: schema, Record: r, Files: entries})
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	sig, err := cms.SignDetached(gm.SM3(manifest), cms.SignOptions{
		Signer: o.Signer, Certificate: o.Certificate, Chain: o.Chain, Time: at, Rand: o.Rand,
	})
	if err != nil {
		return fmt.Errorf("sign manifest: %w", err)
	}
	if _, err := copyFile(z, BytesFile(ManifestName, "", manifest), at); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if _, err := copyFile(z, BytesFile(SignatureName, "", sig), at); err != nil {
		return fmt.Errorf("write manifest signature: %w", err)
	}
	return z.Close()
}

// copyFiles writes files into a zip and lists them with their digests.
func copyFiles(z *zip.Writer, files []File, at time.Time) ([]FileEntry, error) {
	if err := checkPaths(files); err != nil {
		return nil, err
	}
	// Documents are compressed in themselves, and nothing in a package may look like a bomb: no file becomes smaller in it.
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.NoCompression) })
	entries := make([]FileEntry, 0, len(files))
	for _, f := range files {
		e, err := copyFile(z, f, at)
		if err != nil {
			return nil, fmt.Errorf("write package file %s: %w", f.Path, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func checkPaths(files []File) error {
	seen := map[string]bool{ManifestName: true, SignatureName: true, BundleName: true}
	for _, f := range files {
		folded := strings.ToLower(f.Path)
		if !fs.ValidPath(f.Path) || strings.ContainsAny(f.Path, "\\:\x00") || seen[folded] {
			return fmt.Errorf("package path %q is not allowed or stands twice", f.Path)
		}
		seen[folded] = true
	}
	if len(files) > maxFiles {
		return fmt.Errorf("package of %d files: at most %d", len(files), maxFiles)
	}
	return nil
}

func copyFile(z *zip.Writer, f File, at time.Time) (FileEntry, error) {
	src, err := f.Open()
	if err != nil {
		return FileEntry{}, err
	}
	dst, err := z.CreateHeader(&zip.FileHeader{Name: f.Path, Method: zip.Deflate, Modified: at.UTC()})
	if err != nil {
		return FileEntry{}, errors.Join(err, src.Close())
	}
	d := newDigester()
	n, err := io.Copy(io.MultiWriter(dst, d), src)
	if err := errors.Join(err, src.Close()); err != nil {
		return FileEntry{}, err
	}
	e := d.entry()
	e.Path, e.Role, e.Size = f.Path, f.Role, n
	return e, nil
}

// digester computes both digests of a file in one pass.
type digester struct{ sm3, sha hash.Hash }

func newDigester() digester { return digester{gm.NewSM3(), sha256.New()} }

func (d digester) Write(p []byte) (int, error) {
	d.sm3.Write(p)
	return d.sha.Write(p)
}

func (d digester) entry() FileEntry {
	return FileEntry{SM3: hex.EncodeToString(d.sm3.Sum(nil)), SHA256: hex.EncodeToString(d.sha.Sum(nil))}
}

// ParseManifest reads a manifest strictly: known fields alone, nothing after the end, valid paths, no path twice.
func ParseManifest(data []byte) (*Manifest, error) {
	m := new(Manifest)
	if err := decodeStrict(data, m); err != nil {
		return nil, fmt.Errorf("parse manifest: %w", err)
	}
	if again, err := listText(m); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("parse manifest: not in the one spelling of this format")
	}
	want := PackageSchema
	if m.Schema == SupplementSchema {
		want = SupplementSchema
	}
	if err := checkList(m.Schema, want, m.Files); err != nil {
		return nil, fmt.Errorf("parse manifest: %w", err)
	}
	if !m.Record.DisposedAt.IsZero() {
		return nil, errors.New("parse manifest: of a record that was disposed of")
	}
	return m, nil
}

// listText is the one spelling of a list: a key that stands twice or in another case, which readers take differently, has no
// room in it.
func listText(list any) ([]byte, error) { return json.MarshalIndent(list, "", " ") }

// decodeStrict reads one JSON value of known fields.
func decodeStrict(data []byte, into any) error {
	if len(data) > maxManifest {
		return fmt.Errorf("%d bytes, at most %d", len(data), maxManifest)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("data after the end")
	}
	return nil
}

// checkList holds a list of files against its schema and the bounds.
func checkList(schema, want string, entries []FileEntry) error {
	if schema != want {
		return fmt.Errorf("schema %q is not %s", schema, want)
	}
	files := make([]File, len(entries))
	for i, e := range entries {
		files[i].Path = e.Path
		if e.Size < 0 || e.Size > maxFileSize {
			return fmt.Errorf("%s has size %d", e.Path, e.Size)
		}
	}
	return checkPaths(files)
}

// IsPackage reports whether the folder or zip looks like a record package.
func IsPackage(content fs.FS) bool {
	st, err := fs.Stat(content, ManifestName)
	return err == nil && st.Mode().IsRegular()
}

// readBounded reads a whole small file.
func readBounded(content fs.FS, name string, limit int64) ([]byte, error) {
	f, err := openPlain(content, name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, limit)
	}
	return data, nil
}

// strayFiles lists what lies in the package and neither in its list nor among the list's own files. Anything but plain files and folders is stray.
func strayFiles(content fs.FS, entries []FileEntry, own ...string) ([]string, error) {
	var stray []string
	listed := make(map[string]bool, len(entries)+len(own))
	for _, e := range entries {
		listed[e.Path] = true
	}
	for _, p := range own {
		listed[p] = true
	}
	err := fs.WalkDir(content, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && (!listed[p] || !d.Type().IsRegular()) {
			stray = append(stray, path.Clean(p))
		}
		return nil
	})
	return stray, err
}
