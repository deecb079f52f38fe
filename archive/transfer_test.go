package archive_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/archive"
	"yinxin/verdict"
)

func (w world) zipped(t *testing.T, change func(*archive.Record)) *bytes.Reader {
	t.Helper()
	r := w.record()
	change(&r)
	var out bytes.Buffer
	err := archive.WriteZip(&out, r, goodFiles(), archive.WriteOptions{Signer: w.archive.SignKey, Certificate: w.archive.SigningCert, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(out.Bytes())
}

func TestTransfer(t *testing.T) {
	w, dir := newWorld(t), filepath.Join(t.TempDir(), "batch")
	batch, err := archive.NewTransfer(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"Z001-WS·2026·D30-0001", "Z001-WS·2026·D30-0002"} {
		z := w.zipped(t, func(r *archive.Record) { r.ArchivalCode, r.Title = code, "甲<乙>" })
		if _, err := batch.Add(z, z.Size()); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(*archive.Record){
		"the same code":   func(*archive.Record) {},
		"a code outside":  func(r *archive.Record) { r.ArchivalCode = "../x" },
		"a term outside":  func(r *archive.Record) { r.Retention = ".." },
		"no date":         func(r *archive.Record) { r.IssuedOn = "" },
		"a code of paths": func(r *archive.Record) { r.ArchivalCode = "a/b" },
	} {
		z := w.zipped(t, change)
		if _, err := batch.Add(z, z.Size()); err == nil {
			t.Errorf("%s: was added", name)
		}
	}
	reg, err := batch.Close(w.now)
	if err != nil || reg.Records != 2 {
		t.Fatalf("%+v, %v", reg, err)
	}
	index, err := os.ReadFile(filepath.Join(dir, archive.TransferIndex))
	if err != nil || strings.Count(string(index), "<档号>") != 2 || !strings.Contains(string(index), "<题名>甲&lt;乙&gt;</题名>") {
		t.Errorf("index: %v\n%s", err, index)
	}
	var said archive.Register
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(archive.TransferRegister)))
	if err := errors.Join(err, json.Unmarshal(text, &said)); err != nil || said != reg {
		t.Errorf("register: %+v, %v", said, err)
	}
	if f := w.verify(t, os.DirFS(filepath.Join(dir, "电子档案", "2026", "D30", "Z001-WS·2026·D30-0001"))); len(f.Checks) == 0 || f.Reason == verdict.Malformed {
		t.Errorf("the record in the batch: %+v", f)
	}
	if _, err := archive.NewTransfer(dir); !errors.Is(err, archive.ErrNotEmpty) {
		t.Errorf("into a batch: %v", err)
	}
}
