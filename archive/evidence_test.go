package archive_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"yinxin/archive"
)

// The attacks on a whole bundle, with real receipts and a real log, stand in cmd/yinxin/testdata/dev-path.txtar.

func TestParseBundle(t *testing.T) {
	text, err := json.MarshalIndent(archive.Bundle{Schema: archive.BundleSchema, Record: "r", Exchange: "x", Files: []archive.FileEntry{}}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	if _, err := archive.ParseBundle([]byte(good)); err != nil {
		t.Fatal(err)
	}
	file := "\"files\": [\n  {\n   \"path\": \"PATH\",\n   \"role\": \"report\",\n   \"size\": 1,\n   \"sm3\": \"\",\n   \"sha256\": \"\"\n  }\n ]"
	if _, err := archive.ParseBundle([]byte(strings.Replace(good, `"files": []`, strings.Replace(file, "PATH", "a", 1), 1))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"another schema":   strings.Replace(good, "evidence/1", "evidence/2", 1),
		"unknown key":      strings.Replace(good, `"record"`, `"colour":1,"record"`, 1),
		"twice":            good + good,
		"a key twice":      strings.Replace(good, `"record": "r"`, `"record": "q", "record": "r"`, 1),
		"another case":     strings.Replace(good, `"record"`, `"Record"`, 1),
		"a path outside":   strings.Replace(good, `"files": []`, strings.Replace(file, "PATH", "../x", 1), 1),
		"the list itself":  strings.Replace(good, `"files": []`, strings.Replace(file, "PATH", "bundle.json", 1), 1),
		"a file too large": strings.Replace(good, `"files": []`, strings.Replace(file, `"size": 1`, `"size": 3000000000`, 1), 1),
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
