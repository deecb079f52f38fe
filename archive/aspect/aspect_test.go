package aspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"yinxin/archive"
	"yinxin/archive/aspect"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

var now = time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)

const ofd = "PK\x03\x04 a document"

// pack is a package as a test spoils it, with all means at hand.
type pack struct {
	aspect.Input
	m     archive.Manifest
	files fstest.MapFS
}

// scanner finds the test string of EICAR, in parts so that no scanner finds it here.
type scanner struct{}

func (scanner) Version(context.Context) (string, error) { return "test 1.0", nil }
func (scanner) Scan(_ context.Context, r io.Reader) (string, error) {
	data, err := io.ReadAll(r)
	if bytes.Contains(data, []byte("EICAR-STANDARD-")) {
		return "Eicar-Test-Signature", err
	}
	return "", err
}

func sound() *pack {
	p := &pack{files: fstest.MapFS{}}
	p.m = archive.Manifest{Schema: archive.PackageSchema, Record: archive.Record{
		ID: "r1", ArchivalCode: "Z109-WS·2026·D30-0002", Retention: "D30", Exchange: "x1", Issuer: "A", IssuerName: "某办公室", Kind: "通知",
		Number: "某办发〔2026〕7号", Title: "关于会议的通知", IssuedOn: "2026-05-08", DocumentSM3: fmt.Sprintf("%x", gm.SM3([]byte(ofd))), Pages: 2,
		Parties: []string{"A"}, DepositedAt: now.Add(-time.Hour),
	}}
	p.add("document/document.ofd", archive.RoleDocument, ofd)
	p.add("metadata/document.json", archive.RoleMetadata, `{"issuer":{},"kind":"通知","title":"关于会议的通知","number":"某办发〔2026〕7号",`+
		`"issued_on":"2026-05-08","to":[],"language":"zh-CN","classification":"无","body_format":"OFD"}`)
	p.add("metadata/envelope.p7s", archive.RoleEnvelope, "0")
	p.add("evidence/01.yxr", archive.RoleEvidence, "receipt")
	p.Input = aspect.Input{
		Name: "p", Stage: aspect.Transfer, Now: now, Scanner: scanner{}, Scope: []string{"通知"}, Register: &archive.Register{Records: 2, Bytes: 77}, Bytes: 77,
		Pages: func(string, []byte) (int, error) { return 2, nil }, Indexed: func(string) error { return nil },
		Peers: []archive.Record{{ID: "r0", ArchivalCode: "Z109-WS·2026·D30-0001"}, p.m.Record},
		Verdict: verdict.File{Verdict: verdict.Passed, Checks: []verdict.Check{
			verdict.Pass(verdict.CheckContainer), verdict.Pass(verdict.CheckManifest), verdict.Pass(verdict.CheckDigests), verdict.Pass(verdict.CheckCoverage), verdict.Pass(verdict.CheckReceiptBinding),
		}},
	}
	return p
}

func (p *pack) add(name string, role archive.Role, text string) {
	p.files[name] = &fstest.MapFile{Data: []byte(text)}
	p.m.Files = append(p.m.Files, archive.FileEntry{Path: name, Role: role, Size: int64(len(text)), SM3: fmt.Sprintf("%x", gm.SM3([]byte(text)))})
}

func (p *pack) check(t *testing.T) *aspect.Report {
	t.Helper()
	raw, err := json.MarshalIndent(p.m, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	p.files[archive.ManifestName] = &fstest.MapFile{Data: raw}
	p.Content = p.files
	r, err := aspect.Check(t.Context(), p.Input)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func statusOf(t *testing.T, r *aspect.Report, code string) aspect.Result {
	t.Helper()
	for _, it := range r.Items {
		if it.Code == code {
			return it
		}
	}
	t.Fatalf("no item %s", code)
	return aspect.Result{}
}

// manual are the items that no program answers.
var manual = []string{"1-9", "2-8", "3-5", "3-6", "3-7", "4-4", "4-5", "4-6", "4-7"}

// TestSoundPackage: with all means every automatic item passes; the whole stays open until a person has signed for each
// manual one, and no manual item passes by itself.
func TestSoundPackage(t *testing.T) {
	t.Parallel()
	p := sound()
	r := p.check(t)
	if r.Status != aspect.Open {
		t.Errorf("status %s", r.Status)
	}
	byHand := strings.Join(manual, " ") + " "
	for _, it := range r.Items {
		want := aspect.Passed
		if strings.Contains(byHand, it.Code+" ") {
			want = aspect.Manual
		}
		if it.Status != want {
			t.Errorf("%s %s: %s %s, want %s", it.Code, it.Name, it.Status, it.Detail, want)
		}
	}
	for i, code := range manual {
		p.Attested = append(p.Attested, aspect.Attestation{Code: code, Person: "王某", At: now, Passed: true})
		want := aspect.Open
		if i == len(manual)-1 {
			want = aspect.Passed
		}
		if r := p.check(t); r.Status != want {
			t.Errorf("after %s: %s", code, r.Status)
		}
	}
	p.Attested[0].Passed = false
	if r := p.check(t); r.Status != aspect.Failed || !strings.Contains(statusOf(t, r, "1-9").Note, "王某") {
		t.Errorf("a person's no: %+v", r)
	}
}

// TestEachItemFails: one broken package for each automatic item.
func TestEachItemFails(t *testing.T) {
	t.Parallel()
	fail := func(name verdict.CheckName) func(*pack) {
		return func(p *pack) {
			for i := range p.Verdict.Checks {
				if p.Verdict.Checks[i].Name == name {
					p.Verdict.Checks[i] = verdict.Fail(name, verdict.DigestMismatch, "x")
				}
			}
		}
	}
	for code, spoil := range map[string]func(*pack){
		"1-1": func(p *pack) { p.Verdict.Verdict = verdict.Failed },
		"1-2": func(p *pack) { p.m.Record.Title = strings.Repeat("长", 501) },
		"1-3": func(p *pack) { p.m.Record.IssuedOn = "2026年5月" },
		"1-4": func(p *pack) { p.m.Record.Retention = "D20" },
		"1-5": func(p *pack) { p.m.Record.DepositedAt = now.Add(time.Hour) },
		"1-6": func(p *pack) { p.m.Record.Title += "\u202e" },
		"1-7": func(p *pack) { p.m.Record.ArchivalCode = "Z9-2026-1" },
		"1-8": func(p *pack) { p.Peers[0].ArchivalCode = p.m.Record.ArchivalCode },
		"1-10": func(p *pack) {
			p.files["document/document.ofd"] = &fstest.MapFile{Data: []byte("%PDF-1.7 longer than before")}
		},
		"1-11": func(p *pack) { p.m.Record.Title = "关于别的通知" },
		"1-12": fail(verdict.CheckContainer),
		"1-13": func(p *pack) { p.add("evidence/copy.pdf", archive.RoleCopy, "%PDF-") },
		"1-14": fail(verdict.CheckReceiptBinding),
		"2-1":  func(p *pack) { p.Register.Records = 3 },
		"2-2":  func(p *pack) { p.Register.Bytes++ },
		"2-3":  func(p *pack) { p.files["metadata/document.json"].Data = []byte(`{"title":"x"}`) },
		"2-4":  func(p *pack) { p.m.Record.IssuerName = " " },
		"2-5":  func(p *pack) { p.m.Files = append(p.m.Files[:2:2], p.m.Files[3]) },
		"2-6": func(p *pack) {
			p.Peers = append(p.Peers, archive.Record{ID: "r9", ArchivalCode: "Z109-WS·2026·D30-0004"})
		},
		"2-7":  fail(verdict.CheckDigests),
		"2-9":  func(p *pack) { p.Scope = []string{"批复"} },
		"2-10": fail(verdict.CheckManifest),
		"2-11": fail(verdict.CheckCoverage),
		"3-1":  func(p *pack) { p.files["metadata/document.json"].Data = []byte(`{`) },
		"3-2":  func(p *pack) { p.Indexed = func(string) error { return fs.ErrNotExist } },
		"3-3":  func(p *pack) { p.add("document/attachments/x.exe", archive.RoleAttachment, "MZ") },
		"3-4":  func(p *pack) { p.Pages = func(string, []byte) (int, error) { return 1, nil } },
		"3-8":  func(p *pack) { p.add("document/attachments/x.txt", archive.RoleAttachment, "\x1f\x8b packed") },
		"4-1":  func(p *pack) { p.Scanner = aspect.Clamd{Network: "tcp", Address: "127.0.0.1:1"} },
		"4-2": func(p *pack) {
			p.add("document/attachments/x.txt", archive.RoleAttachment, "EICAR-STANDARD-ANTIVIRUS-TEST-FILE")
		},
		"4-3": fail(verdict.CheckCoverage),
	} {
		p := sound()
		spoil(p)
		r := p.check(t)
		if it := statusOf(t, r, code); it.Status != aspect.Failed || it.Detail == "" || r.Status != aspect.Failed {
			t.Errorf("%s %s: %s %q, the whole %s", code, it.Name, it.Status, it.Detail, r.Status)
		}
	}
}

// TestWithoutMeansIsManual: what was not given is never passed in silence.
func TestWithoutMeansIsManual(t *testing.T) {
	t.Parallel()
	p := sound()
	p.Peers, p.Register, p.Scope, p.Indexed, p.Scanner, p.Pages = nil, nil, nil, nil, nil, nil
	p.Verdict.Verdict = verdict.Indeterminate
	r := p.check(t)
	for _, code := range []string{"1-1", "1-8", "2-1", "2-2", "2-6", "2-9", "3-2", "3-4", "4-1", "4-2"} {
		if it := statusOf(t, r, code); it.Status != aspect.Manual {
			t.Errorf("%s: %s", code, it.Status)
		}
	}
	p.Verdict.Checks = nil // a check that was not made is no pass
	if it := statusOf(t, p.check(t), "2-7"); it.Status != aspect.Failed {
		t.Errorf("2-7: %s", it.Status)
	}
}

func TestAttestationsAreBound(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]aspect.Attestation{
		"an automatic item": {Code: "1-1", Person: "王某", At: now, Passed: true},
		"no such item":      {Code: "9-9", Person: "王某", At: now, Passed: true},
		"nobody":            {Code: "4-5", Person: " ", At: now, Passed: true},
		"no time":           {Code: "4-5", Person: "王某", Passed: true},
	} {
		p := sound()
		p.check(t)
		p.Attested = []aspect.Attestation{a}
		if _, err := aspect.Check(t.Context(), p.Input); !errors.Is(err, aspect.ErrAttestation) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReportForms(t *testing.T) {
	t.Parallel()
	p := sound()
	p.m.Record.Retention = "D20"
	r := p.check(t)
	var b bytes.Buffer
	if err := r.WriteXML(&b); err != nil {
		t.Fatal(err)
	}
	var back aspect.Report
	if err := xml.Unmarshal(b.Bytes(), &back); err != nil || len(back.Items) != len(r.Items) || back.Status != aspect.Failed {
		t.Errorf("%d items, %s, %v", len(back.Items), back.Status, err)
	}
	for _, want := range []string{"检测结果：不通过", "真实性", "[x] 1-4 ", "[?] 4-5 ", "[ ] 1-1 "} {
		if !strings.Contains(r.Text(), want) {
			t.Errorf("%q is not in the text:\n%s", want, r.Text())
		}
	}
}
