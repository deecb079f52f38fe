package main

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/internal/verify"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// TestFindDate: the place that is read off the finished pages is the one that the composer left for the seal.
func TestFindDate(t *testing.T) {
	t.Parallel()
	faces := fonts.Embedded()
	dir := filepath.Join(repository(t), "examples")
	for _, name := range []string{"notice.yaml", "letter.yaml", "report.yaml", "request.yaml", "circular.yaml"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := document.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		draft, err := office.Compose(doc, faces, filesBeside(filepath.Join(dir, name)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := findDate(draft.OFD)
		if draft.Spot == nil {
			continue // an unsealed document bears its date all the same
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := draft.Spot
		if got.page != want.Page || math.Abs(got.x-want.X) > 0.05 || math.Abs(got.y-want.Y) > 0.05 {
			t.Errorf("%s: %+v, want %+v", name, got, *want)
		}
	}
}

func TestFindDateWithoutADate(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(repository(t), "testvectors", "ofd", "u1.ofd"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = findDate(data)
	if exit, code := faultOf(err); exit != exitUsage || code != "placement" {
		t.Errorf("%v: exit %d %s", err, exit, code)
	}
	var refused *verdict.ContainerError
	if _, err := findDate([]byte("no package")); !errors.As(err, &refused) {
		t.Errorf("of no package: %v", err)
	}
}

// TestCheckUnclassified: what is no document passes, what should be one and is not gives its reader's refusal.
func TestCheckUnclassified(t *testing.T) {
	t.Parallel()
	for _, kind := range []verify.Kind{verify.KindUnknown, verify.KindCMS, verify.KindReceipt} {
		if err := checkUnclassified(kind, "in", []byte("x")); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	var refused *verdict.ContainerError
	for _, kind := range []verify.Kind{verify.KindOFD, verify.KindPDF} {
		if err := checkUnclassified(kind, "in", []byte("x")); !errors.As(err, &refused) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
