package tlog_test

import (
	"bytes"
	"strings"
	"testing"

	"yinxin/archive/tlog"
)

// FuzzParseCheckpoint: what is accepted is bounded and reads back from its own text.
func FuzzParseCheckpoint(f *testing.F) {
	signer, v := newKey(f, origin)
	signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: origin, Size: 3, Extensions: []string{"more"}}, signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte("origin\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nsha256 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— origin AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := tlog.ParseCheckpoint(data)
		if err != nil {
			return
		}
		if len(data) > tlog.MaxCheckpoint || !bytes.HasPrefix(data, []byte(c.Text()+"\n")) {
			t.Fatalf("accepted %q as %+v", data, c)
		}
		_, _ = tlog.OpenCheckpoint(data, v) // must not panic, whatever the lines
	})
}

// FuzzParseTile: a path that is accepted has one spelling and stays inside its folder.
func FuzzParseTile(f *testing.F) {
	for _, s := range []string{"tile/0/000", "tile/entries/x001/000.p/3", "sha256/tile/7/x999/999.p/255", "tile/0/../1/000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := tlog.ParseTile(path)
		if err != nil {
			return
		}
		if tile.Path() != path || tile.Width < 1 || tile.Width > tlog.TileWidth || strings.Contains(path, "..") {
			t.Fatalf("accepted %q as %+v", path, tile)
		}
	})
}

// FuzzParseBundle: what is accepted adds up to the input.
func FuzzParseBundle(f *testing.F) {
	f.Add([]byte{0, 1, 'a', 0, 0}, 2)
	f.Fuzz(func(t *testing.T, data []byte, width int) {
		entries, err := tlog.ParseBundle(data, width)
		if err != nil {
			return
		}
		total := 0
		for _, e := range entries {
			total += 2 + len(e)
		}
		if len(entries) != width || total != len(data) {
			t.Fatalf("%d entries of %d bytes out of %d", len(entries), total, len(data))
		}
	})
}

// FuzzParseVerifier: what is accepted reads back.
func FuzzParseVerifier(f *testing.F) {
	_, v := newKey(f, origin)
	f.Add(v.String())
	f.Fuzz(func(t *testing.T, text string) {
		v, err := tlog.ParseVerifier(text)
		if err != nil {
			return
		}
		if again, err := tlog.ParseVerifier(v.String()); err != nil || again.KeyHash() != v.KeyHash() {
			t.Fatalf("%q does not read back: %v", v, err)
		}
	})
}
