package docs

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/seal"
)

// TestUseOfASeal holds the statement that docs/formats/receipt.md shows, and its digest, to the code.
func TestUseOfASeal(t *testing.T) {
	text, err := os.ReadFile("formats/receipt.md")
	if err != nil {
		t.Fatal(err)
	}
	use := seal.Use{
		ID: "not in it", SealID: "3301020012345", Document: [32]byte(bytes.Repeat([]byte{1}, 32)), Sealed: [32]byte(bytes.Repeat([]byte{2}, 32)),
		ToBeSigned: [32]byte(bytes.Repeat([]byte{3}, 32)), Stamps: []seal.Stamp{{Page: 0, X: 104.5, Y: 187, W: 42, H: 42}},
		Operator: "yxzf-clerk", Approver: "yxzf-approver", ApprovalID: "D1", At: time.Date(2026, 11, 21, 16, 0, 0, 0, time.FixedZone("", 8*3600)),
	}
	statement, err := use.Statement()
	if err != nil {
		t.Fatal(err)
	}
	sum := gm.SM3(statement)
	for _, want := range []string{"```json\n" + string(statement) + "\n```", "`" + hex.EncodeToString(sum[:]) + "`"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/formats/receipt.md lacks:\n%s", want)
		}
	}
}
