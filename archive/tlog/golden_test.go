package tlog_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"yinxin/archive/tlog"
	"yinxin/testvectors"
)

// goldenTiles reads the committed log.
type goldenTiles struct{}

func (goldenTiles) Fetch(_ context.Context, path string) ([]byte, error) {
	return fs.ReadFile(testvectors.FS(), "tlog/"+path)
}

// TestGoldenLog reads a log of five entries as docs/formats/log.md describes it, written once and committed: a change of
// the format cannot pass unseen. UPDATE_GOLDEN=1 writes it anew, with a key that is thrown away.
func TestGoldenLog(t *testing.T) {
	if os.Getenv("UPDATE_GOLDEN") != "" {
		writeGoldenLog(t)
	}
	vkey, err := testvectors.Read("tlog/log.vkey")
	if err != nil {
		t.Fatal(err)
	}
	v, err := tlog.ParseVerifier(string(vkey))
	if err != nil {
		t.Fatal(err)
	}
	c := verifyLog(t, goldenTiles{}, v, 5)
	if c.Origin != "golden.example/log" {
		t.Fatalf("origin %s", c.Origin)
	}
	_, hashes, err := tlog.ProveInclusion(context.Background(), goldenTiles{}, c, 4)
	if err != nil || len(hashes) != 1 {
		t.Fatalf("proof of the last entry: %v, %v", hashes, err)
	}
	changed := c
	changed.Root[0] ^= 1
	wantError(t, tlog.Audit(context.Background(), goldenTiles{}, changed, nil), tlog.ErrTile)
}

func writeGoldenLog(t *testing.T) {
	t.Helper()
	l := newLog(t)
	l.signer, l.verifier = newKey(t, "golden.example/log")
	l.open(t)
	l.grow(t, 5)
	l.tiles.files["log.vkey"] = []byte(l.verifier.String() + "\n")
	for path, data := range l.tiles.files {
		to := filepath.Join("..", "..", "testvectors", "tlog", filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Log("wrote", to)
	}
	t.Fatal("written; run again without UPDATE_GOLDEN")
}
