package envelope_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
	"yinxin/transport"
	"yinxin/transport/envelope"
	"yinxin/transport/partytest"
	"yinxin/verdict"
)

// world is a sender and two recipients under one root.
type world struct {
	ca       *partytest.Authority
	a, b, c  *partytest.Party // sender, 主送, 抄送
	stranger *partytest.Party
}

func newWorld(t testing.TB) *world {
	t.Helper()
	ca := partytest.NewAuthority(t)
	return &world{
		ca: ca, a: ca.Party(t, "office-a"), b: ca.Party(t, "office-b"), c: ca.Party(t, "office-c"),
		stranger: ca.Party(t, "office-x"),
	}
}

var document = bytes.Repeat([]byte("official document "), 9000) // three chunks

func (w *world) packOptions() envelope.PackOptions {
	return envelope.PackOptions{
		Exchange: "ex-1", Sender: w.a.Code, Own: w.a.DecryptCert, Sign: w.a.Sign(),
		Recipients: []envelope.Recipient{
			{Code: w.b.Code, Role: transport.To, Certificate: w.b.DecryptCert},
			{Code: w.c.Code, Role: transport.CC, Certificate: w.c.DecryptCert},
		},
		Files: []envelope.Source{
			{Name: "document.ofd", Content: bytes.NewReader(document)},
			{Name: "附件1.pdf", Content: strings.NewReader("attachment")},
			{Name: "empty.txt", Content: strings.NewReader("")},
		},
		Urgency: transport.Urgent,
		Report: envelope.Report{
			Tool:     "yinxin-0.1",
			Findings: []envelope.Finding{{Check: envelope.FindingClassification, Verdict: verdict.Passed}},
			Seals:    []envelope.SealUse{{File: 0, Seal: "ES-1", Signer: transport.Digest{1}, Approval: transport.Digest{2}}},
		},
	}
}

func (w *world) pack(t testing.TB) ([]byte, *envelope.Packed) {
	t.Helper()
	var out bytes.Buffer
	p, err := envelope.Pack(&out, w.packOptions())
	if err != nil {
		t.Fatal(err)
	}
	if p.Size != int64(out.Len()) {
		t.Fatalf("Pack says %d bytes, wrote %d", p.Size, out.Len())
	}
	return out.Bytes(), p
}

func now() time.Time { return partytest.Clock().Add(time.Hour) }

func (w *world) verify(data []byte) verdict.File {
	return envelope.VerifyOutside("x.yxe", bytes.NewReader(data), int64(len(data)),
		envelope.VerifyOptions{Policy: w.ca.Policy(), Now: now()})
}

func (w *world) openOptions(p *partytest.Party, sink envelope.Sink) envelope.OpenOptions {
	return envelope.OpenOptions{Key: p.DecryptKey, Certificate: p.DecryptCert, Policy: w.ca.Policy(), Now: now(), Sink: sink}
}

func (w *world) open(p *partytest.Party, data []byte) (*envelope.Opened, *envelope.Memory, error) {
	m := &envelope.Memory{Limit: 1 << 20}
	o, err := envelope.Open(bytes.NewReader(data), int64(len(data)), w.openOptions(p, m))
	return o, m, err
}

func wantVerdict(t testing.TB, f verdict.File, status verdict.Status, reason verdict.Reason) {
	t.Helper()
	if f.Verdict != status || f.Reason != reason {
		b, _ := json.Marshal(f)
		t.Fatalf("verdict %s (%s), want %s (%s): %s", f.Verdict, f.Reason, status, reason, b)
	}
}

func wantOpens(t testing.TB, w *world, p *partytest.Party, data []byte) {
	t.Helper()
	o, m, err := w.open(p, data)
	if err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, o.Report, verdict.Passed, "")
	var names []string
	for _, f := range o.Files {
		names = append(names, f.Name)
	}
	if d := cmp.Diff([]string{"document.ofd", "附件1.pdf", "empty.txt"}, names); d != "" || o.Document != 0 {
		t.Fatalf("%s; document %d", d, o.Document)
	}
	if got, _ := m.Get("document.ofd"); !bytes.Equal(got, document) {
		t.Fatal("the document differs")
	}
	if got, _ := m.Get("附件1.pdf"); string(got) != "attachment" {
		t.Fatal("the attachment differs")
	}
}

func mustParse(t testing.TB, data []byte) *envelope.Envelope {
	t.Helper()
	e, err := envelope.Parse(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustExtract(t testing.TB, data []byte, code string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := mustParse(t, data).Extract(&out, code); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEveryPartyOpensAndTheOutsideHolds(t *testing.T) {
	w := newWorld(t)
	data, p := w.pack(t)
	wantVerdict(t, w.verify(data), verdict.Passed, "")
	for _, party := range []*partytest.Party{w.a, w.b, w.c} {
		wantOpens(t, w, party, data)
		one := mustExtract(t, data, party.Code)
		wantVerdict(t, w.verify(one), verdict.Passed, "")
		wantOpens(t, w, party, one)
	}
	e := mustParse(t, data)
	if d := cmp.Diff([]string{"office-b", "office-c", "office-a"}, e.Recipients()); d != "" {
		t.Fatal(d)
	}
	if d := cmp.Diff(p.Parts, e.Parts()); d != "" {
		t.Fatal(d)
	}
	if d := cmp.Diff(p.Payload, e.Payload()); d != "" {
		t.Fatal(d)
	}
	own, _ := e.Manifest("office-a")
	if d := cmp.Diff([]envelope.Addressee{{Code: "office-b", Role: transport.To}, {Code: "office-c", Role: transport.CC}}, own.Recipients); d != "" {
		t.Fatal(d)
	}
	m, _ := e.Manifest("office-b")
	if m.Document.SM3 != gm.SM3(document) || m.Urgency != transport.Urgent || !m.Sent.Equal(partytest.Clock()) || m.Report.Seals[0].Seal != "ES-1" {
		t.Fatalf("manifest = %+v", m)
	}
}

// What a recipient gets says nothing of the others, and nobody outside sees a name or content.
func TestARecipientSeesNoOther(t *testing.T) {
	w := newWorld(t)
	data, _ := w.pack(t)
	one := mustExtract(t, data, w.b.Code)
	for _, secret := range []string{"office-c", "附件", "document.ofd", "official document"} {
		if bytes.Contains(one, []byte(secret)) {
			t.Errorf("the part of office-b holds %q", secret)
		}
	}
	if bytes.Contains(data, []byte("附件")) || bytes.Contains(data, document[:40]) {
		t.Error("the envelope shows a name or content")
	}
	if !bytes.Contains(data, []byte("office-c")) {
		t.Error("the whole envelope does not name office-c")
	}
}

// A hub keeps the payload once and each part separately.
func TestAssembleFromStoredParts(t *testing.T) {
	w := newWorld(t)
	data, p := w.pack(t)
	payload := data[p.Payload.Offset : p.Payload.Offset+p.Payload.Size]
	if sha256.Sum256(payload) != [32]byte(p.Payload.SHA256) {
		t.Fatal("the payload is not where Pack says")
	}
	for i, part := range p.Parts {
		var out bytes.Buffer
		n, err := envelope.Assemble(&out, part, bytes.NewReader(payload))
		if err != nil || n != int64(out.Len()) || n != envelope.AssembledSize(part, p.Payload.Size) {
			t.Fatalf("Assemble = %d, %v; wrote %d", n, err, out.Len())
		}
		if !bytes.Equal(out.Bytes(), mustExtract(t, data, part.Recipient)) {
			t.Fatal("assembled and extracted envelopes differ")
		}
		wantOpens(t, w, []*partytest.Party{w.b, w.c, w.a}[i], out.Bytes())
	}
	if err := mustParse(t, data).Extract(io.Discard, "office-x"); !errors.Is(err, envelope.ErrNotAddressed) {
		t.Fatalf("extracting for a stranger: %v", err)
	}
}

func TestNotForMe(t *testing.T) {
	w := newWorld(t)
	data, _ := w.pack(t)
	for name, d := range map[string][]byte{"whole": data, "part of another": mustExtract(t, data, w.c.Code)} {
		if _, _, err := w.open(w.stranger, d); !errors.Is(err, envelope.ErrNotAddressed) {
			t.Errorf("%s: %v, want ErrNotAddressed", name, err)
		}
	}
	if _, _, err := w.open(w.b, mustExtract(t, data, w.c.Code)); !errors.Is(err, envelope.ErrNotAddressed) {
		t.Errorf("another recipient: %v", err)
	}
	// The key alone finds the part; a certificate of another key is refused.
	o := w.openOptions(w.b, envelope.Discard{})
	o.Certificate = nil
	opened, err := envelope.Open(bytes.NewReader(data), int64(len(data)), o)
	if err != nil || !opened.Released() {
		t.Fatalf("opening without a certificate: %v", err)
	}
	o.Certificate = w.c.DecryptCert
	if _, err := envelope.Open(bytes.NewReader(data), int64(len(data)), o); !errors.Is(err, cert.ErrKeyMismatch) {
		t.Fatalf("certificate of another key: %v", err)
	}
}

// TestDamagedAddress: a header damaged where it says whose part it is must not pass for an envelope to somebody else.
func TestDamagedAddress(t *testing.T) {
	w := newWorld(t)
	data, _ := w.pack(t)
	for _, member := range []string{`"exchange":"`, `"recipient":"`, `"certificate_sm3":"`, `"key_sm3":"`} {
		bad := bytes.Clone(data) // the first header is that of b
		at := bytes.Index(bad, []byte(member)) + len(member)
		bad[at] = '0' // a digit of a digest, a character of a code
		if data[at] == '0' {
			bad[at] = '1'
		}
		for _, p := range []*partytest.Party{w.b, w.stranger} { // nobody can tell for whom it was
			got, _, err := w.open(p, bad)
			if err != nil || got.Released() {
				t.Errorf("%s for %s: %v, %v", member, p.Code, err, got)
				continue
			}
			wantVerdict(t, got.Report, verdict.Failed, verdict.RecipientBinding)
		}
		wantOpens(t, w, w.c, mustExtract(t, data, w.c.Code))
	}
}

// swap replaces the only occurrence of a byte string.
func swap(t testing.TB, data, from, to []byte) []byte {
	t.Helper()
	if bytes.Count(data, from) != 1 {
		t.Fatalf("%d occurrences", bytes.Count(data, from))
	}
	return bytes.Replace(data, from, to, 1)
}

// assemble builds an envelope from any parts, as a forger would.
func assemble(parts []envelope.Part, payload []byte) []byte {
	b := []byte(envelope.Magic)
	blobs := func(get func(envelope.Part) []byte) {
		b = binary.BigEndian.AppendUint16(b, uint16(len(parts)))
		for _, p := range parts {
			b = binary.BigEndian.AppendUint32(b, uint32(len(get(p))))
			b = append(b, get(p)...)
		}
	}
	blobs(func(p envelope.Part) []byte { return p.Header })
	b = append(b, payload...)
	blobs(func(p envelope.Part) []byte { return p.Manifest })
	b = binary.BigEndian.AppendUint64(b, uint64(len(payload)))
	return append(b, "end of envelope\n"...)
}

func TestForgeriesHaveTheirReasons(t *testing.T) {
	w := newWorld(t)
	data, p := w.pack(t)
	payload := data[p.Payload.Offset : p.Payload.Offset+p.Payload.Size]
	b, c, own := p.Parts[0], p.Parts[1], p.Parts[2]
	second, err := packAs(w, w.a, "ex-2", w.b)
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := packAs(w, w.b, "ex-1", w.c) // office-b packs as itself …
	if err != nil {
		t.Fatal(err)
	}
	disagree, err := packAs(w, w.a, "ex-1", w.c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(assemble(p.Parts, payload), data) {
		t.Fatal("the forger's tool does not make the same bytes from the same parts")
	}
	flip := func(at int) []byte {
		x := bytes.Clone(payload)
		x[(at+len(x))%len(x)] ^= 1
		return x
	}
	part := func(header, manifest envelope.Part) envelope.Part {
		return envelope.Part{Recipient: header.Recipient, Header: header.Header, Manifest: manifest.Manifest}
	}
	const chunk = 64<<10 + 16
	reorder := bytes.Clone(payload)
	copy(reorder[48:], payload[48+chunk:48+2*chunk])
	copy(reorder[48+chunk:], payload[48:48+chunk])
	for _, m := range []struct {
		name   string
		data   []byte
		status verdict.Status
		reason verdict.Reason
	}{
		{"as it is", data, verdict.Passed, ""},
		{"changed chunk", assemble([]envelope.Part{b}, flip(100)), verdict.Failed, verdict.EnvelopeInvalid},
		{"changed tag", assemble([]envelope.Part{b}, flip(-1)), verdict.Failed, verdict.EnvelopeInvalid},
		{"changed salt", assemble([]envelope.Part{b}, flip(0)), verdict.Failed, verdict.EnvelopeInvalid},
		{"reordered chunks", assemble([]envelope.Part{b}, reorder), verdict.Failed, verdict.EnvelopeInvalid},
		{"payload cut at a chunk", assemble([]envelope.Part{b}, payload[:48+chunk]), verdict.Failed, verdict.Truncated},
		{"payload cut by a byte", assemble([]envelope.Part{b}, payload[:len(payload)-1]), verdict.Failed, verdict.Truncated},
		{"longer payload", assemble([]envelope.Part{b}, append(bytes.Clone(payload), 0)), verdict.Failed, verdict.EnvelopeInvalid},
		{"payload of another exchange", assemble([]envelope.Part{b}, second.payload), verdict.Failed, verdict.Truncated},
		{"another recipient's header", assemble([]envelope.Part{part(c, b)}, payload), verdict.Failed, verdict.RecipientBinding},
		{"swapped headers", assemble([]envelope.Part{part(c, b), part(b, c), own}, payload), verdict.Failed, verdict.RecipientBinding},
		{"header of another exchange", assemble([]envelope.Part{part(second.parts[0], b)}, payload), verdict.Failed, verdict.RecipientBinding},
		{"changed manifest", assemble([]envelope.Part{{Header: b.Header, Manifest: swap(t, b.Manifest, []byte(`"urgent"`), []byte(`"normal"`))}}, payload), verdict.Failed, verdict.DataHash},
		{"changed signature", assemble([]envelope.Part{{Header: b.Header, Manifest: flipSignature(t, b.Manifest)}}, payload), verdict.Failed, verdict.SigValue},
		{"manifest by another office", assemble([]envelope.Part{{Header: b.Header, Manifest: resign(t, b.Manifest, w.stranger)}}, payload), verdict.Failed, verdict.SignerCert},
		{"manifest by an office without a code", assemble([]envelope.Part{{Header: b.Header, Manifest: resign(t, b.Manifest, w.ca.Party(t, ""))}}, payload), verdict.Indeterminate, verdict.SignerCert},
		{"manifest under another root", assemble([]envelope.Part{{Header: b.Header, Manifest: resign(t, b.Manifest, partytest.NewAuthority(t).Party(t, "office-a"))}}, payload), verdict.Failed, verdict.CertificateChain},
		{"manifest that does not name its signer by digest", assemble([]envelope.Part{{Header: b.Header, Manifest: unbind(b.Manifest, w.a)}}, payload), verdict.Failed, verdict.SignedAttrsIncomplete},
		{"part that another office packed", assemble([]envelope.Part{{Header: b.Header, Manifest: b.Manifest}, stolen.parts[0]}, payload), verdict.Failed, verdict.Manifest},
		{"manifests that disagree", assemble([]envelope.Part{b, disagree.parts[0]}, payload), verdict.Failed, verdict.Manifest},
		{"a recipient left out", assemble([]envelope.Part{b, own}, payload), verdict.Failed, verdict.Manifest},
		{"a recipient twice", assemble([]envelope.Part{b, b}, payload), verdict.Rejected, verdict.DuplicateEntry},
		{"truncated by a byte", data[:len(data)-1], verdict.Rejected, verdict.Truncated},
		{"truncated in the payload", data[:len(data)/2], verdict.Rejected, verdict.Truncated},
		{"truncated in the headers", data[:100], verdict.Rejected, verdict.Truncated},
		{"empty", nil, verdict.Rejected, verdict.Truncated},
		{"trailing byte", append(bytes.Clone(data), 'x'), verdict.Rejected, verdict.Truncated},
		{"another version", append([]byte("yinxin envelope 2\n"), data[18:]...), verdict.Rejected, verdict.UnsupportedVersion},
		{"another format", append([]byte("something else....."), data[18:]...), verdict.Rejected, verdict.Malformed},
		{"no part", assemble(nil, payload), verdict.Rejected, verdict.Limit},
		{"oversized header", assemble([]envelope.Part{{Header: make([]byte, envelope.MaxHeader+1), Manifest: b.Manifest}}, payload), verdict.Rejected, verdict.Limit},
		{"oversized manifest", assemble([]envelope.Part{{Header: b.Header, Manifest: make([]byte, envelope.MaxManifest+1)}}, payload), verdict.Rejected, verdict.Limit},
		{"header with white space", assemble([]envelope.Part{{Header: append(bytes.Clone(b.Header), ' '), Manifest: b.Manifest}}, payload), verdict.Rejected, verdict.Malformed},
		{"manifest that is no message", assemble([]envelope.Part{{Header: b.Header, Manifest: b.Manifest[:50]}}, payload), verdict.Rejected, verdict.NotDER},
		{"manifest with other content", assemble([]envelope.Part{{Header: b.Header, Manifest: signRaw(t, []byte(`{}`), w.a)}}, payload), verdict.Rejected, verdict.UnsupportedVersion},
	} {
		t.Run(m.name, func(t *testing.T) {
			wantVerdict(t, w.verify(m.data), m.status, m.reason)
			opened, mem, err := w.open(w.b, m.data)
			if m.status == verdict.Passed {
				if err != nil || !opened.Released() {
					t.Fatalf("does not open: %v", err)
				}
				return
			}
			if len(mem.Files) > 0 && m.reason != verdict.Manifest { // what only the whole envelope shows, one part cannot
				t.Fatalf("a forged envelope gave %d files", len(mem.Files))
			}
			if err == nil && opened.Released() && m.reason != verdict.Manifest {
				t.Fatal("a forged envelope was released")
			}
		})
	}
}

// unbind signs a manifest anew without signingCertificateV2.
func unbind(manifest []byte, by *partytest.Party) []byte {
	s := forge.OpenSigned(manifest, hand.Tools(by.SignKey.ExportScalar()))
	s.Drop(0, 1, 2, 840, 113549, 1, 9, 16, 2, 47)
	s.Resign(0)
	return s.Bytes()
}

// C-19: a recipient wraps the key it has to somebody else and passes the sender's manifest on.
func TestSurreptitiousForwarding(t *testing.T) {
	w := newWorld(t)
	data, p := w.pack(t)
	payload := data[p.Payload.Offset : p.Payload.Offset+p.Payload.Size]
	h, err := envelope.ParseHeader(p.Parts[0].Header)
	if err != nil {
		t.Fatal(err)
	}
	fileKey, err := cms.Decrypt(h.WrappedKey, w.b.DecryptCert, w.b.DecryptKey)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := cms.Encrypt(fileKey, []*cert.Certificate{w.stranger.DecryptCert}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h.Key, h.Certificate, h.WrappedKey = gm.SM3(gm.MarshalPublicKey(w.stranger.DecryptCert.PublicKey)), w.stranger.DecryptCert.SM3(), wrapped
	for _, recipient := range []string{"office-b", "office-x"} {
		header := fmt.Appendf(nil, `{"v":1,"exchange":"ex-1","recipient":%q,"certificate_sm3":"%s","key_sm3":"%s","wrapped_key":%s}`,
			recipient, h.Certificate, h.Key, mustJSON(t, h.WrappedKey))
		forged := assemble([]envelope.Part{{Header: header, Manifest: p.Parts[0].Manifest}}, payload)
		wantVerdict(t, w.verify(forged), verdict.Failed, verdict.RecipientBinding)
		opened, mem, err := w.open(w.stranger, forged)
		if err != nil {
			t.Fatal(err)
		}
		wantVerdict(t, opened.Report, verdict.Failed, verdict.RecipientBinding)
		if len(mem.Files) > 0 || opened.Released() {
			t.Fatal("files were released")
		}
	}
}

func TestOpenExpectsAndWaitsForItsVerdict(t *testing.T) {
	w := newWorld(t)
	data, _ := w.pack(t)
	for _, m := range []struct {
		name     string
		change   func(o *envelope.OpenOptions)
		status   verdict.Status
		reason   verdict.Reason
		released bool
	}{
		{"as expected", func(o *envelope.OpenOptions) { o.Exchange, o.Sender = "ex-1", "office-a" }, verdict.Passed, "", true},
		{"another exchange", func(o *envelope.OpenOptions) { o.Exchange = "ex-2" }, verdict.Failed, verdict.RecipientBinding, false},
		{"another sender", func(o *envelope.OpenOptions) { o.Sender = "office-c" }, verdict.Failed, verdict.RecipientBinding, false},
		{"no root", func(o *envelope.OpenOptions) { o.Policy = cert.Policy{} }, verdict.Indeterminate, verdict.NoTrustAnchor, false},
		{"no root, accepted", func(o *envelope.OpenOptions) { o.Policy, o.AcceptIndeterminate = cert.Policy{}, true }, verdict.Indeterminate, verdict.NoTrustAnchor, true},
		{"failed, accepted all the same", func(o *envelope.OpenOptions) { o.Exchange, o.AcceptIndeterminate = "ex-2", true }, verdict.Failed, verdict.RecipientBinding, false},
	} {
		t.Run(m.name, func(t *testing.T) {
			o := w.openOptions(w.b, &envelope.Memory{Limit: 1 << 20})
			m.change(&o)
			opened, err := envelope.Open(bytes.NewReader(data), int64(len(data)), o)
			if err != nil {
				t.Fatal(err)
			}
			wantVerdict(t, opened.Report, m.status, m.reason)
			if opened.Released() != m.released {
				t.Fatalf("released = %v", opened.Released())
			}
		})
	}
}

// Files appear in a folder only after everything holds, never over an existing file, and nothing stays behind.
func TestFolderHoldsNothingUntilItAllHolds(t *testing.T) {
	w := newWorld(t)
	data, p := w.pack(t)
	payload := bytes.Clone(data[p.Payload.Offset : p.Payload.Offset+p.Payload.Size])
	good := t.TempDir()
	open := func(dir string, data []byte) (*envelope.Opened, error) {
		return envelope.Open(bytes.NewReader(data), int64(len(data)), w.openOptions(w.b, envelope.Dir(dir)))
	}
	if o, err := open(good, data); err != nil || !o.Released() {
		t.Fatalf("%v", err)
	}
	wantFolder(t, good, "document.ofd", "empty.txt", "附件1.pdf")
	if got, err := os.ReadFile(filepath.Join(good, "document.ofd")); err != nil || !bytes.Equal(got, document) {
		t.Fatalf("document: %v", err)
	}
	if _, err := open(good, data); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("opening over existing files: %v", err)
	}
	wantFolder(t, good, "document.ofd", "empty.txt", "附件1.pdf")

	payload[len(payload)-1] ^= 1 // the last tag: everything before it was decrypted already
	bad := t.TempDir()
	o, err := open(bad, assemble(p.Parts[:1], payload))
	if err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, o.Report, verdict.Failed, verdict.EnvelopeInvalid)
	wantFolder(t, bad)
}

func wantFolder(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

// A sender who lies about its own files is found out by the key holder, and nothing appears.
func TestLyingManifests(t *testing.T) {
	w := newWorld(t)
	data, p := w.pack(t)
	payload := data[p.Payload.Offset : p.Payload.Offset+p.Payload.Size]
	for name, change := range map[string]func(m *envelope.Manifest){
		"SM3":           func(m *envelope.Manifest) { m.Files[1].SM3[0] ^= 1 },
		"SHA-256":       func(m *envelope.Manifest) { m.Files[1].SHA256[0] ^= 1 },
		"sizes shifted": func(m *envelope.Manifest) { m.Files[0].Size, m.Files[1].Size = m.Files[0].Size-1, m.Files[1].Size+1 },
		"list of names": func(m *envelope.Manifest) { m.Index[0] ^= 1 },
		"a file less":   func(m *envelope.Manifest) { m.Files = m.Files[:2] },
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := mustParse(t, data).Manifest("office-b")
			m.Files = append([]envelope.File(nil), m.Files...)
			change(&m)
			content, err := m.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			forged := assemble([]envelope.Part{{Header: p.Parts[0].Header, Manifest: signRaw(t, content, w.a)}}, payload)
			wantVerdict(t, w.verify(forged), verdict.Passed, "") // the outside cannot know
			opened, mem, err := w.open(w.b, forged)
			if err != nil {
				t.Fatal(err)
			}
			if opened.Report.Verdict != verdict.Failed || opened.Released() || len(mem.Files) > 0 {
				t.Fatalf("verdict %s, released %v", opened.Report.Verdict, opened.Released())
			}
		})
	}
}

func TestWhatPackRefuses(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(o *envelope.PackOptions){
		"no recipient":        func(o *envelope.PackOptions) { o.Recipients = nil },
		"recipient twice":     func(o *envelope.PackOptions) { o.Recipients[1].Code = "office-b" },
		"sender as recipient": func(o *envelope.PackOptions) { o.Recipients[1].Code = "office-a" },
		"role":                func(o *envelope.PackOptions) { o.Recipients[1].Role = "bcc" },
		"own copy's role":     func(o *envelope.PackOptions) { o.Recipients[1].Role = envelope.OwnCopy },
		"no certificate":      func(o *envelope.PackOptions) { o.Recipients[1].Certificate = nil },
		"signing certificate": func(o *envelope.PackOptions) { o.Recipients[1].Certificate = w.c.SignCert },
		"exchange":            func(o *envelope.PackOptions) { o.Exchange = "a/b" },
		"no files":            func(o *envelope.PackOptions) { o.Files = nil },
		"document":            func(o *envelope.PackOptions) { o.Document = 3 },
		"name twice":          func(o *envelope.PackOptions) { o.Files[1].Name = "Document.OFD" },
		"path as name":        func(o *envelope.PackOptions) { o.Files[1].Name = "../x" },
		"no key":              func(o *envelope.PackOptions) { o.Sign.Signer = nil },
		"another's key":       func(o *envelope.PackOptions) { o.Sign.Signer = w.b.SignKey },
		"urgency":             func(o *envelope.PackOptions) { o.Urgency = "soon" },
		"finding":             func(o *envelope.PackOptions) { o.Report.Findings[0].Verdict = "good" },
		"seal of no file":     func(o *envelope.PackOptions) { o.Report.Seals[0].File = 9 },
		"unreadable file":     func(o *envelope.PackOptions) { o.Files[0].Content = failing{} },
		"file that was cut":   func(o *envelope.PackOptions) { o.Files[0].Content = cut("half of it") },
		"no randomness":       func(o *envelope.PackOptions) { o.Rand = failing{} },
	} {
		o := w.packOptions()
		change(&o)
		if _, err := envelope.Pack(io.Discard, o); err == nil {
			t.Errorf("%s: packed", name)
		}
	}
	if _, err := envelope.Pack(full{}, w.packOptions()); err == nil {
		t.Error("packed onto a full disk")
	}
}

// cut is a source that ends before its end, as a body over HTTP does.
func cut(text string) io.Reader {
	return io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrUnexpectedEOF))
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken") }

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestSafeNames(t *testing.T) {
	for _, good := range []string{"document.ofd", "关于印发办法的通知.ofd", "a b.txt", "x", "COMMON.txt", "a.b.c"} {
		if !envelope.SafeName(good) {
			t.Errorf("%q was refused", good)
		}
	}
	for _, bad := range []string{
		"", ".", "..", "../x", "a/b", `a\b`, "/etc/passwd", "c:x", ".tmp-1", "x.", "x ", " x", "a\x00b", "a\nb", "CON", "nul.txt",
		"com1", "LPT9.doc", "a\u202egnp.exe", "a\u200bb", "\xff", "a*b", "a|b", strings.Repeat("n", 256),
	} {
		if envelope.SafeName(bad) {
			t.Errorf("%q was accepted", bad)
		}
	}
}
