package main

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/ofd"
	"yinxin/internal/verify"
	"yinxin/seal"
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
		if draft.Spot == nil {
			continue // an unsealed document bears its date all the same
		}
		pkg, err := ofd.Open(draft.OFD)
		if err != nil {
			t.Fatal(err)
		}
		const w, h = 42, 38
		got, err := (&places{onDate: true}).onOFD(pkg, seal.Size{W: w, H: h})
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v %v", name, got, err)
			continue
		}
		want, s := draft.Spot, got[0]
		if s.Page != want.Page || math.Abs(s.X+w/2-want.X) > 0.05 || math.Abs(s.Y+h/2-want.Y) > 0.3 {
			t.Errorf("%s: %+v, want %+v", name, s, *want)
		}
	}
}

func TestOnDateWithoutADate(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(repository(t), "testvectors", "ofd", "u1.ofd"))
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := ofd.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []places{{onDate: true}, {onText: "no such words"}, {across: "right", group: 99, pairs: true}} {
		_, err = p.onOFD(pkg, seal.Size{W: 42, H: 42})
		if exit, code := faultOf(err); exit != exitUsage || code != "placement" {
			t.Errorf("%+v: %v: exit %d %s", p, err, exit, code)
		}
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
