package archive_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"yinxin/archive"
	"yinxin/archive/blob/fileblob"
	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// stubJudge passes what begins with "good" and reads a receipt's binding and the sender's manifest from their fields; seals,
// receipts and manifests have their own tests.
type stubJudge struct{}

// accepted is when every stub of a receipt says that it happened.
var accepted = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// said is what every document says of itself.
var said = archive.Record{IssuerName: "甲市人民政府办公室", Kind: "通知", Title: "关于测试的通知", Number: "某办〔2026〕1号", IssuedOn: "2026-11-21", Pages: 2}

func (stubJudge) Described([]byte) (archive.Record, []byte) { return said, []byte("{}") }

func (stubJudge) Envelope(name string, data []byte, seen time.Time) (verdict.File, archive.Entrusted) {
	var e archive.Entrusted
	f := verdict.File{File: name, Type: "cms"}
	words := strings.Fields(string(data))
	if len(words) < 4 {
		f.Reject(verdict.Malformed, "%d words", len(words))
		return f, e
	}
	e.Exchange, e.DocumentSM3, e.Sender, e.Archive = words[0], words[1], words[2], words[3]
	for _, content := range words[4:] {
		e.Files = append(e.Files, digests(strings.ReplaceAll(content, "_", " ")))
	}
	f.Signatures = []verdict.Signature{sighted(seen)}
	if e.Archive == "-" {
		e.Archive = ""
	}
	f.Add(verdict.Pass(verdict.CheckSignerListed))
	f.Judge(verdict.RevocationAuto)
	return f, e
}

func (stubJudge) Code(c *cert.Certificate) string { return c.Subject.CommonName }

// sighted is a signature that says when it was seen.
func sighted(seen time.Time) verdict.Signature {
	s := verdict.Signature{ID: "1"}
	s.Add(verdict.Pass(verdict.CheckSignature))
	if !seen.IsZero() {
		s.Time = &seen
	}
	return s
}

// digests tell a file of the envelope.
func digests(content string) archive.FileDigests {
	sha := sha256.Sum256([]byte(content))
	return archive.FileDigests{Size: int64(len(content)), SM3: fmt.Sprintf("%x", gm.SM3([]byte(content))), SHA256: hex.EncodeToString(sha[:])}
}

func (stubJudge) Document(name string, data []byte, seen time.Time) verdict.File {
	f := verdict.File{File: name, Type: "ofd", Signatures: []verdict.Signature{sighted(seen)}}
	if bytes.HasPrefix(data, []byte("good")) {
		f.Add(verdict.Pass(verdict.CheckReferences))
	} else {
		f.Add(verdict.Fail(verdict.CheckReferences, verdict.ReferenceDigest, "%s", name))
	}
	f.Judge(verdict.RevocationAuto)
	return f
}

func (stubJudge) Receipt(name string, data []byte) (verdict.File, archive.Bound) {
	b := archive.Bound{Time: accepted}
	_, err := fmt.Sscan(string(data), &b.Event, &b.Exchange, &b.DocumentSM3, &b.Sender, &b.Digest, &b.Previous)
	f := verdict.File{File: name, Type: "receipt"}
	if err != nil {
		f.Reject(verdict.Malformed, "%v", err)
		return f, b
	}
	if b.Previous == "-" {
		b.Previous = ""
	}
	f.Add(verdict.Pass(verdict.CheckInclusion))
	f.Judge(verdict.RevocationAuto)
	return f, b
}

type world struct {
	pki     *certtest.PKI
	archive *certtest.Party
	now     time.Time
}

func newWorld(t *testing.T) world {
	t.Helper()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	pki := certtest.New(t, "Root", now)
	return world{pki: pki, archive: pki.Party("Archive"), now: now}
}

const document = "good document"

func documentSM3() string { return fmt.Sprintf("%x", gm.SM3([]byte(document))) }

func receiptText(event, exchange, sm3, digest, previous string) []byte {
	return receiptOf("A", event, exchange, sm3, digest, previous)
}

func receiptOf(sender, event, exchange, sm3, digest, previous string) []byte {
	return []byte(strings.Join([]string{event, exchange, sm3, sender, digest, previous}, " "))
}

// entrusted is the sender's manifest; without contents, of an envelope that holds the document alone.
func entrusted(exchange, sm3, sender, to string, contents ...string) archive.File {
	if contents == nil {
		contents = []string{document}
	}
	words := []string{exchange, sm3, sender, to}
	for _, c := range contents {
		words = append(words, strings.ReplaceAll(c, " ", "_"))
	}
	return archive.BytesFile("metadata/envelope.p7s", archive.RoleEnvelope, []byte(strings.Join(words, " ")))
}

func (w world) record() archive.Record {
	return archive.Record{
		ID: "r1", ArchivalCode: "Z001-WS·2026·D30-0001", Retention: "D30", Exchange: "x1", Issuer: "A", IssuerName: said.IssuerName,
		Kind: said.Kind, Title: said.Title, Number: said.Number, IssuedOn: said.IssuedOn, Pages: said.Pages,
		DocumentSM3: documentSM3(), Parties: []string{"A", "B"}, DepositedAt: w.now,
	}
}

func goodFiles() []archive.File {
	return []archive.File{
		archive.BytesFile("document/document.ofd", archive.RoleDocument, []byte(document)),
		archive.BytesFile("metadata/document.json", archive.RoleMetadata, []byte("{}")),
		archive.BytesFile("evidence/01.yxr", archive.RoleEvidence, receiptText("SubmissionAcceptance", "x1", documentSM3(), "d1", "-")),
		archive.BytesFile("evidence/02.yxr", archive.RoleEvidence, receiptText("ContentConsignment", "x1", documentSM3(), "d2", "d1")),
		entrusted("x1", documentSM3(), "A", "Archive"),
	}
}

// pack writes a package and returns it as a map that a test can spoil.
func (w world) pack(t *testing.T, r archive.Record, files []archive.File) fstest.MapFS {
	t.Helper()
	var out bytes.Buffer
	err := archive.WriteZip(&out, r, files, archive.WriteOptions{
		Signer: w.archive.SignKey, Certificate: w.archive.SigningCert, Rand: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	content := fstest.MapFS{}
	for _, f := range z.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(rc)
		if err := errors.Join(err, rc.Close()); err != nil {
			t.Fatal(err)
		}
		content[f.Name] = &fstest.MapFile{Data: data}
	}
	return content
}

func (w world) verify(t *testing.T, content fs.FS) verdict.File {
	t.Helper()
	f, err := archive.Verify(content, "package", archive.VerifyOptions{Policy: w.pki.Policy(), Now: w.now, Judge: stubJudge{}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestVerifyFindsEachWayToBeWrong(t *testing.T) {
	w := newWorld(t)
	other := certtest.New(t, "Root", w.now) // the same name, another key
	bad := fmt.Sprintf("%x", gm.SM3([]byte("bad")))
	replace := func(i int, f archive.File) []archive.File {
		files := goodFiles()
		files[i] = f
		return files
	}
	tests := []struct {
		name   string
		files  []archive.File
		record func(*archive.Record)
		spoil  func(fstest.MapFS)
		want   verdict.Status
		reason verdict.Reason
	}{
		{name: "whole", want: verdict.Passed},
		{name: "file changed", spoil: func(m fstest.MapFS) { m["metadata/document.json"].Data = []byte("{ }") }, want: verdict.Failed, reason: verdict.DigestMismatch},
		{name: "file removed", spoil: func(m fstest.MapFS) { delete(m, "metadata/document.json") }, want: verdict.Failed, reason: verdict.MissingEntry},
		{name: "file added", spoil: func(m fstest.MapFS) { m["evidence/99.yxr"] = &fstest.MapFile{Data: []byte("x")} }, want: verdict.Failed, reason: verdict.Uncovered},
		{name: "manifest changed", spoil: func(m fstest.MapFS) {
			m[archive.ManifestName].Data = bytes.Replace(m[archive.ManifestName].Data, []byte("D30-0001"), []byte("D30-0002"), 1)
		}, want: verdict.Failed, reason: verdict.DataHash},
		{name: "manifest with an unknown key", spoil: func(m fstest.MapFS) {
			m[archive.ManifestName].Data = bytes.Replace(m[archive.ManifestName].Data, []byte(`"schema"`), []byte(`"x": 1, "schema"`), 1)
		}, want: verdict.Rejected, reason: verdict.Malformed},
		{name: "signature removed", spoil: func(m fstest.MapFS) { delete(m, archive.SignatureName) }, want: verdict.Failed, reason: verdict.SigMissing},
		{name: "signature is no message", spoil: func(m fstest.MapFS) { m[archive.SignatureName].Data = []byte("0") }, want: verdict.Failed, reason: verdict.Malformed},
		{name: "receipt of another exchange", files: replace(3, archive.BytesFile("evidence/02.yxr", archive.RoleEvidence,
			receiptText("ContentConsignment", "x2", documentSM3(), "d2", "d1"))), want: verdict.Failed, reason: verdict.ReceiptBinding},
		{name: "receipt of another document", files: replace(3, archive.BytesFile("evidence/02.yxr", archive.RoleEvidence,
			receiptText("ContentConsignment", "x1", "00", "d2", "d1"))), want: verdict.Failed, reason: verdict.ReceiptBinding},
		{name: "gap in the evidence", files: replace(3, archive.BytesFile("evidence/02.yxr", archive.RoleEvidence,
			receiptText("ContentConsignment", "x1", documentSM3(), "d3", "d2"))), want: verdict.Failed, reason: verdict.EvidenceMissing},
		{name: "receipt of another sender", files: replace(3, archive.BytesFile("evidence/02.yxr", archive.RoleEvidence,
			receiptOf("B", "ContentConsignment", "x1", documentSM3(), "d2", "d1"))), want: verdict.Failed, reason: verdict.ReceiptBinding},
		{name: "no manifest of the sender", files: goodFiles()[:4], want: verdict.Failed, reason: verdict.EvidenceMissing},
		{name: "two manifests of the sender", files: append(goodFiles(), archive.BytesFile("metadata/2.p7s", archive.RoleEnvelope,
			[]byte("x1 "+documentSM3()+" A Archive"))), want: verdict.Failed, reason: verdict.EvidenceMissing},
		{name: "manifest of another exchange", files: replace(4, entrusted("x2", documentSM3(), "A", "Archive")), want: verdict.Failed, reason: verdict.RecipientBinding},
		{name: "manifest of another document", files: replace(4, entrusted("x1", "00", "A", "Archive")), want: verdict.Failed, reason: verdict.RecipientBinding},
		{name: "manifest of another sender", files: replace(4, entrusted("x1", documentSM3(), "B", "Archive")), want: verdict.Failed, reason: verdict.RecipientBinding},
		{name: "manifest for a recipient", files: replace(4, entrusted("x1", documentSM3(), "A", "-")), want: verdict.Failed, reason: verdict.RecipientBinding},
		{name: "signed by another than the archive", files: replace(4, entrusted("x1", documentSM3(), "A", "Other")), want: verdict.Failed, reason: verdict.SignerCert},
		{name: "another title", record: func(r *archive.Record) { r.Title = "关于考试的通知" }, want: verdict.Failed, reason: verdict.Manifest},
		{name: "another number", record: func(r *archive.Record) { r.Number = "某办〔2026〕2号" }, want: verdict.Failed, reason: verdict.Manifest},
		{name: "another issuer", record: func(r *archive.Record) { r.IssuerName = "乙市人民政府办公室" }, want: verdict.Failed, reason: verdict.Manifest},
		{name: "another kind", record: func(r *archive.Record) { r.Kind = "决定" }, want: verdict.Failed, reason: verdict.Manifest},
		{name: "another date", record: func(r *archive.Record) { r.IssuedOn = "2026-11-20" }, want: verdict.Failed, reason: verdict.Manifest},
		{name: "another number of pages", record: func(r *archive.Record) { r.Pages = 3 }, want: verdict.Failed, reason: verdict.Manifest},
		{
			name: "a copy that was not sent", files: append(goodFiles(), archive.BytesFile("document/document.pdf", archive.RoleCopy, []byte("good copy"))),
			want: verdict.Failed, reason: verdict.Manifest,
		},
		{
			name: "an attachment that was not sent", files: append(goodFiles(), archive.BytesFile("document/attachments/a", archive.RoleAttachment, []byte("a"))),
			want: verdict.Failed, reason: verdict.Manifest,
		},
		{name: "an attachment that was sent", files: append(replace(4, entrusted("x1", documentSM3(), "A", "Archive", document, "a")),
			archive.BytesFile("document/attachments/a", archive.RoleAttachment, []byte("a"))), want: verdict.Passed},
		{
			name: "an attachment that is missing", files: replace(4, entrusted("x1", documentSM3(), "A", "Archive", document, "a")),
			want: verdict.Failed, reason: verdict.Manifest,
		},
		{
			name: "other metadata", files: replace(1, archive.BytesFile("metadata/document.json", archive.RoleMetadata, []byte("{ }"))),
			want: verdict.Failed, reason: verdict.Manifest,
		},
		{
			name: "metadata twice", files: append(goodFiles(), archive.BytesFile("metadata/2.json", archive.RoleMetadata, []byte("{}"))),
			want: verdict.Failed, reason: verdict.Manifest,
		},
		{name: "a role of no package", files: append(goodFiles(), archive.BytesFile("x", "colour", []byte("x"))), want: verdict.Failed, reason: verdict.Manifest},
		{name: "manifest with a key twice", spoil: func(m fstest.MapFS) {
			m[archive.ManifestName].Data = bytes.Replace(m[archive.ManifestName].Data, []byte(`"retention"`), []byte(`"RETENTION": "Y", "retention"`), 1)
		}, want: verdict.Rejected, reason: verdict.Malformed},
		{name: "a pipe for a file", spoil: func(m fstest.MapFS) { m["document/document.ofd"].Mode = fs.ModeNamedPipe }, want: verdict.Failed, reason: verdict.DigestMismatch},
		{name: "no acceptance", files: append(goodFiles()[:2], goodFiles()[4]), want: verdict.Failed, reason: verdict.EvidenceMissing},
		{name: "another document than the record's", record: func(r *archive.Record) { r.DocumentSM3 = "00" }, want: verdict.Failed, reason: verdict.Manifest},
		{
			name: "the document's own verdict counts", files: []archive.File{
				archive.BytesFile("document/document.ofd", archive.RoleDocument, []byte("bad")), entrusted("x1", bad, "A", "Archive", "bad"),
				archive.BytesFile("metadata/document.json", archive.RoleMetadata, []byte("{}")),
				archive.BytesFile("evidence/01.yxr", archive.RoleEvidence, receiptText("SubmissionAcceptance", "x1", bad, "d1", "-")),
			},
			record: func(r *archive.Record) { r.DocumentSM3 = bad }, want: verdict.Failed, reason: verdict.ReferenceDigest,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := w.record()
			if tt.record != nil {
				tt.record(&r)
			}
			files := tt.files
			if files == nil {
				files = goodFiles()
			}
			content := w.pack(t, r, files)
			if tt.spoil != nil {
				tt.spoil(content)
			}
			f := w.verify(t, content)
			if f.Verdict != tt.want || f.Reason != tt.reason {
				t.Errorf("got %s (%s), want %s (%s)\n%+v", f.Verdict, f.Reason, tt.want, tt.reason, f.Checks)
			}
		})
	}
	t.Run("signed under another root", func(t *testing.T) {
		content := w.pack(t, w.record(), goodFiles())
		f, err := archive.Verify(content, "p", archive.VerifyOptions{Policy: other.Policy(), Now: w.now, Judge: stubJudge{}})
		if err != nil || f.Verdict != verdict.Failed || f.Reason != verdict.CertificateChain {
			t.Errorf("got %s (%s), %v", f.Verdict, f.Reason, err)
		}
	})
}

func TestWriteRefusesUnsafePaths(t *testing.T) {
	w := newWorld(t)
	for _, bad := range []string{"../x", "/x", "a\\b", "C:x", "manifest.json", "MANIFEST.JSON", "a//b", ""} {
		files := append(goodFiles(), archive.BytesFile(bad, archive.RoleAttachment, nil))
		err := archive.WriteZip(io.Discard, w.record(), files, archive.WriteOptions{Signer: w.archive.SignKey, Certificate: w.archive.SigningCert, Rand: rand.Reader})
		if err == nil {
			t.Errorf("path %q was taken", bad)
		}
	}
}

// hidden puts a file before the directory of a zip, which a reader that goes through the entries finds and others do not.
func hidden(t *testing.T, good []byte) []byte {
	t.Helper()
	var other bytes.Buffer
	z := zip.NewWriter(&other)
	if _, err := z.Create("document/document.ofd"); err != nil {
		t.Fatal(err)
	}
	if err := z.Flush(); err != nil {
		t.Fatal(err)
	}
	end := bytes.LastIndex(good, []byte("PK\x05\x06"))
	at := int(binary.LittleEndian.Uint32(good[end+16:]))
	out := slices.Concat(good[:at], other.Bytes(), good[at:])
	binary.LittleEndian.PutUint32(out[end+other.Len()+16:], uint32(at+other.Len()))
	return out
}

// TestSeenAt: what the log proves is the time at which a document is judged.
func TestSeenAt(t *testing.T) {
	w := newWorld(t)
	at := w.now
	f, err := archive.Verify(w.pack(t, w.record(), goodFiles()), "p", archive.VerifyOptions{Policy: w.pki.Policy(), Now: w.now.Add(time.Hour), Seen: at, Judge: stubJudge{}})
	if err != nil || f.Verdict != verdict.Passed {
		t.Fatalf("%s (%s), %v", f.Verdict, f.Reason, err)
	}
	for _, p := range f.Parts {
		for _, s := range p.Signatures {
			want := at
			if p.Type == "ofd" {
				want = accepted
			}
			if s.Time == nil || !s.Time.Equal(want) {
				t.Errorf("%s was seen at %v, want %s", p.File, s.Time, want)
			}
		}
	}
}

func TestOpenZipIsStrict(t *testing.T) {
	w := newWorld(t)
	zipped := func(spoil func(z *zip.Writer)) []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for name, f := range w.pack(t, w.record(), goodFiles()) {
			dst, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = dst.Write(f.Data)
		}
		if spoil != nil {
			spoil(z)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	add := func(name string) func(*zip.Writer) {
		return func(z *zip.Writer) {
			if _, err := z.Create(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	good := zipped(nil)
	tests := []struct {
		name string
		data []byte
		want verdict.Reason
	}{
		{"whole", good, ""},
		{"second manifest", zipped(add("manifest.json")), verdict.DuplicateEntry},
		{"second manifest in capitals", zipped(add("MANIFEST.json")), verdict.DuplicateEntry},
		{"path that leads out", zipped(add("../x")), verdict.Path},
		{"backslash", zipped(add("a\\b")), verdict.Path},
		{"symbolic link", zipped(func(z *zip.Writer) {
			h := &zip.FileHeader{Name: "link"}
			h.SetMode(fs.ModeSymlink | 0o777)
			if _, err := z.CreateHeader(h); err != nil {
				t.Fatal(err)
			}
		}), verdict.EntryType},
		{"bytes behind", append(bytes.Clone(good), 'x'), verdict.ZipLayout},
		{"bytes before", append([]byte("x"), good...), verdict.ZipLayout},
		{"an entry that no directory lists", hidden(t, good), verdict.ZipLayout},
		{"a bomb", zipped(func(z *zip.Writer) {
			dst, err := z.Create("bomb")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = dst.Write(make([]byte, 17<<20))
		}), verdict.Bomb},
		{"cut", good[:len(good)/2], verdict.ZipLayout},
		{"nothing", nil, verdict.ZipLayout},
	}
	for _, tt := range tests {
		content, err := archive.OpenZip(bytes.NewReader(tt.data), int64(len(tt.data)))
		if tt.want == "" {
			if err != nil || w.verify(t, content).Verdict != verdict.Passed {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		var refused *verdict.ContainerError
		if !errors.As(err, &refused) || refused.Reason != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

func FuzzOpenZip(f *testing.F) {
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(_ *testing.T, data []byte) {
		content, err := archive.OpenZip(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		_, _ = archive.Verify(content, "x", archive.VerifyOptions{Judge: stubJudge{}})
	})
}

func TestUnpackKeepsInside(t *testing.T) {
	var evil bytes.Buffer
	z := zip.NewWriter(&evil)
	f, err := z.Create("../evil")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("x"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := archive.Unpack(bytes.NewReader(evil.Bytes()), int64(evil.Len()), filepath.Join(dir, "in")); err == nil {
		t.Error("a path that leads out was unpacked")
	}
	if _, err := os.Stat(filepath.Join(dir, "evil")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was written outside of the folder")
	}
}

// memoryIndex is an archive.Index for one test; internal/storetest is the suite for real ones.
type memoryIndex struct {
	entries []archive.Entry
	items   map[string]int
}

func (m *memoryIndex) NextItem(_ context.Context, fonds, class string) (int, error) {
	m.items[fonds+class]++
	return m.items[fonds+class], nil
}

func (m *memoryIndex) AddRecord(_ context.Context, e archive.Entry, _ archive.Content) error {
	m.entries = append(m.entries, e)
	return nil
}

func (m *memoryIndex) FindRecords(_ context.Context, q archive.Query) ([]archive.Entry, error) {
	var out []archive.Entry
	for _, e := range m.entries {
		if q.Exchange == "" || q.Exchange == e.Record.Exchange {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *memoryIndex) Record(_ context.Context, id string) (archive.Entry, error) {
	for _, e := range m.entries {
		if e.Record.ID == id || e.Record.ArchivalCode == id {
			return e, nil
		}
	}
	return archive.Entry{}, archive.ErrNotFound
}

func (m *memoryIndex) ForgetRecord(_ context.Context, id string, at time.Time) error {
	for i, e := range m.entries {
		if e.Record.ID == id {
			m.entries[i].Record = e.Record.Forgotten(at)
			return nil
		}
	}
	return archive.ErrNotFound
}

func TestDepositOnceAndRetrieve(t *testing.T) {
	w := newWorld(t)
	blobs, err := fileblob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	a := &archive.Archive{
		Fonds: "Z001", Blobs: blobs, Index: &memoryIndex{items: map[string]int{}}, Signer: w.archive.SignKey,
		Certificate: w.archive.SigningCert, Clock: func() time.Time { return w.now }, Rand: rand.Reader, TempDir: t.TempDir(),
		NewID: func() string { ids++; return fmt.Sprintf("id%d", ids) },
	}
	sub := archive.Submission{Record: w.record(), Files: goodFiles()}
	first, err := a.Deposit(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Deposit(t.Context(), archive.Submission{Record: w.record(), Files: goodFiles()})
	if err != nil || again.Record.ID != first.Record.ID || again.Package != first.Package {
		t.Errorf("a second deposit of one exchange: %v, %v; want the first, %v", again.Record.ID, err, first.Record.ID)
	}
	if first.Record.ArchivalCode != "Z001-WS·2026·D30-0001" {
		t.Errorf("archival code %s", first.Record.ArchivalCode)
	}
	_, rc, err := a.Retrieve(t.Context(), first.Record.ArchivalCode, "B")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rc.Close() }()
	dir := filepath.Join(t.TempDir(), "record")
	if err := archive.Unpack(rc, rc.Size(), dir); err != nil {
		t.Fatal(err)
	}
	if f := w.verify(t, os.DirFS(dir)); f.Verdict != verdict.Passed {
		t.Errorf("the retrieved package is %s (%s)", f.Verdict, f.Reason)
	}
	if err := archive.Unpack(rc, rc.Size(), dir); !errors.Is(err, archive.ErrNotEmpty) {
		t.Errorf("unpacking over files: %v, want ErrNotEmpty", err)
	}
	if _, _, err := a.Retrieve(t.Context(), first.Record.ID, "C"); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("another office's record: %v, want ErrNotFound", err)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"schema":"yinxin.package/1","record":{},"files":[{"path":"a","role":"document","size":1,"sm3":"","sha256":""}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := archive.ParseManifest(data)
		if err != nil {
			return
		}
		for _, e := range m.Files {
			if !fs.ValidPath(e.Path) {
				t.Errorf("path %q was taken", e.Path)
			}
		}
	})
}
