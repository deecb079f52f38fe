package tlog_test

import (
	"errors"
	"strings"
	"testing"

	"yinxin/archive/tlog"
)

// TestStatement: what a log's key states verifies under that key and kind alone, and is never a checkpoint.
func TestStatement(t *testing.T) {
	t.Parallel()
	signer, key := newKey(t, "statement.example/log")
	_, stranger := newKey(t, "other.example/log")
	signed, err := tlog.SignStatement("yinxin.test/1", "said\nand done", signer)
	if err != nil {
		t.Fatal(err)
	}
	if text, by, err := tlog.OpenStatement(signed, "yinxin.test/1", stranger, key); err != nil || text != "said\nand done\n" || by != key {
		t.Errorf("%q, %v, %v", text, by, err)
	}
	if _, err := tlog.OpenCheckpoint(signed, key); err == nil {
		t.Error("it is taken for a checkpoint")
	}
	changed := []byte(strings.Replace(string(signed), "done", "gone", 1))
	for name, tt := range map[string]struct {
		signed []byte
		kind   string
		key    *tlog.Verifier
		want   error
	}{
		"changed":      {changed, "yinxin.test/1", key, tlog.ErrSignature},
		"another kind": {signed, "yinxin.gap/1", key, tlog.ErrMalformed},
		"another key":  {signed, "yinxin.test/1", stranger, tlog.ErrWrongLog},
		"no note":      {[]byte("said"), "yinxin.test/1", key, tlog.ErrMalformed},
	} {
		if _, _, err := tlog.OpenStatement(tt.signed, tt.kind, tt.key); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	root := strings.Repeat("A", 43) + "="
	for name, tt := range map[string]struct{ kind, text string }{
		"a checkpoint":     {"statement.example/log", "5\n" + root + "\nsha256 " + root},
		"like one":         {"any/kind", "5\n" + root + "\nsha256 " + root},
		"no kind":          {"", "x"},
		"a kind of blanks": {"a b/1", "x"},
		"too long":         {"yinxin.test/1", strings.Repeat("x", tlog.MaxStatement)},
	} {
		if _, err := tlog.SignStatement(tt.kind, tt.text, signer); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("%s is signed: %v", name, err)
		}
	}
}

func FuzzOpenStatement(f *testing.F) {
	signer, key := newKey(f, "statement.example/log")
	signed, err := tlog.SignStatement("yinxin.test/1", "said", signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte("yinxin.test/1\nsaid\n\n— x y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if text, _, err := tlog.OpenStatement(data, "yinxin.test/1", key); err == nil && text != "said\n" {
			t.Errorf("it says %q", text)
		}
	})
}

// TestGap: a statement of a gap counts only with a checkpoint of the same log that says more than what was kept.
func TestGap(t *testing.T) {
	t.Parallel()
	signer, key := newKey(t, "gap.example/log")
	stranger, _ := newKey(t, "gap.example/log")
	lost := func(signer tlog.Signer, size uint64) string {
		c := tlog.EmptyTree("gap.example/log")
		c.Size = size
		signed, err := tlog.SignCheckpoint(c, signer)
		if err != nil {
			t.Fatal(err)
		}
		return string(signed)
	}
	good := tlog.Gap{Origin: "gap.example/log", Hub: "HUB", KeptSize: 5, LostSize: 9, LostCheckpoint: lost(signer, 9), Reason: "disk", By: "wang"}
	for name, tt := range map[string]struct {
		change func(g *tlog.Gap)
		want   error
	}{
		"good":                      {func(*tlog.Gap) {}, nil},
		"nothing lost":              {func(g *tlog.Gap) { g.KeptSize = 9 }, tlog.ErrMalformed},
		"another size":              {func(g *tlog.Gap) { g.LostSize = 8 }, tlog.ErrMalformed},
		"another origin":            {func(g *tlog.Gap) { g.Origin = "other" }, tlog.ErrMalformed},
		"a stranger's checkpoint":   {func(g *tlog.Gap) { g.LostCheckpoint = lost(stranger, 9) }, tlog.ErrWrongLog},
		"no checkpoint of the lost": {func(g *tlog.Gap) { g.LostCheckpoint = "" }, tlog.ErrMalformed},
	} {
		g := good
		tt.change(&g)
		signed, err := g.Sign(signer)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tlog.OpenGap(signed, key)
		if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if err == nil && (!got.Covers(5) || !got.Covers(8) || got.Covers(4) || got.Covers(9)) {
			t.Errorf("%s covers the wrong entries", name)
		}
	}
	for path, want := range map[string]bool{"gaps/5": true, "gaps/05": false, "gaps/": false, "gaps/x": false, "gaps/5/6": false, "gap/5": false} {
		if tlog.IsGapPath(path) != want {
			t.Errorf("IsGapPath(%s) is not %v", path, want)
		}
	}
}

func FuzzGap(f *testing.F) {
	signer, key := newKey(f, "gap.example/log")
	signed, err := tlog.Gap{Origin: "gap.example/log", KeptSize: 5, LostSize: 9}.Sign(signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte("yinxin.gap/1\n{}\n\n— x y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if g, err := tlog.OpenGap(data, key); err == nil && g.LostSize <= g.KeptSize {
			t.Errorf("a gap of nothing: %+v", g)
		}
	})
}
