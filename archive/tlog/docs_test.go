package tlog_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/archive/tlog"
)

// TestDocument holds docs/formats/log.md to the code.
func TestDocument(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats", "log.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	for _, want := range []string{
		"1234067 is `" + strings.TrimPrefix(tlog.Tile{Index: 1234067, Width: tlog.TileWidth}.Path(), "tile/0/") + "`",
		fmt.Sprintf("1 to %d of them", tlog.MaxEntry),
		fmt.Sprintf("Size limit: %d bytes", tlog.MaxCheckpoint),
		fmt.Sprintf("A proof has at most %d hashes", tlog.MaxProof),
		fmt.Sprintf("L is one digit, 0 to %d", tlog.MaxLevel),
		fmt.Sprintf("A key name is 1 to %d bytes", tlog.MaxName),
		fmt.Sprintf("up to %d hashes of one level", tlog.TileWidth),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("docs/formats/log.md lacks: %s", want)
		}
	}
	// The key text is laid out as the page says.
	_, v := newKey(t, origin)
	key, err := base64.StdEncoding.DecodeString(v.String()[len(origin)+1+8+1:])
	if err != nil {
		t.Fatal(err)
	}
	front := "\xffyinxin.sm2-sm3.v1\x00"
	if !strings.HasPrefix(string(key), front) || len(key) != len(front)+65 || !strings.Contains(doc, `0xff ‖ "yinxin.sm2-sm3.v1" ‖ 0x00 ‖ 65-byte`) {
		t.Errorf("key text %x", key)
	}
}
