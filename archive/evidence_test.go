package archive_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"yinxin/archive"
)

// The attacks on a whole bundle, with real receipts and a real log, stand in cmd/yinxin/testdata/dev-path.txtar.

func TestParseBundle(t *testing.T) {
	const good = `{"schema":"yinxin.evidence/1","record":"r","exchange":"x","document_sm3":"","envelope_sm3":"","made_at":"2026-11-29T00:00:00Z","files":[]}`
	if _, err := archive.ParseBundle([]byte(good)); err != nil {
		t.Fatal(err)
	}
	file := `"files":[{"path":"PATH","role":"report","size":1,"sm3":"","sha256":""}]`
	for name, text := range map[string]string{
		"another schema":   strings.Replace(good, "evidence/1", "evidence/2", 1),
		"unknown key":      strings.Replace(good, `"record"`, `"colour":1,"record"`, 1),
		"twice":            good + good,
		"a path outside":   strings.Replace(good, `"files":[]`, strings.Replace(file, "PATH", "../x", 1), 1),
		"the list itself":  strings.Replace(good, `"files":[]`, strings.Replace(file, "PATH", "bundle.json", 1), 1),
		"a file too large": strings.Replace(good, `"files":[]`, strings.Replace(file, `"size":1`, `"size":3000000000`, 1), 1),
		"nothing":          "",
	} {
		if _, err := archive.ParseBundle([]byte(text)); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
}

func FuzzVerifyBundle(f *testing.F) {
	f.Add([]byte(`{"schema":"yinxin.evidence/1","record":"r","files":[{"path":"p","role":"consistency","size":2,"sm3":"","sha256":""}]}`), []byte(`[{"size":1,"hashes":["00"]}]`))
	f.Add([]byte(`{"schema":"yinxin.evidence/1","files":[{"path":"p","role":"checkpoint"}]}`), []byte("o\n1\nAAAA\n\n— o AAAA\n"))
	f.Add([]byte(`{"schema":"yinxin.evidence/1","files":[{"path":"p","role":"package"}]}`), []byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, list, part []byte) {
		content := fstest.MapFS{archive.BundleName: {Data: list}, "p": {Data: part}}
		archive.Stapled(content)
		v, err := archive.VerifyBundle(content, "bundle", archive.VerifyOptions{Now: time.Unix(0, 0), Judge: stubJudge{}})
		if err == nil && v.Verdict == "passed" {
			t.Error("a bundle of nothing passed")
		}
	})
}
