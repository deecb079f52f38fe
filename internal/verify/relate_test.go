package verify_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"yinxin/internal/verify"
	"yinxin/verdict"
)

// Receipts beside a document are held against it, and against nothing where there is none.
func TestRelate(t *testing.T) {
	t.Parallel()
	own, other := [32]byte{1}, [32]byte{2}
	receipt := func(sm3 [32]byte) verdict.File {
		return verdict.File{Type: "receipt", Receipt: &verdict.Receipt{Exchange: "x", DocumentSM3: hex.EncodeToString(sm3[:])}}
	}
	document := verdict.File{Type: "ofd"}
	for _, tt := range []struct {
		name   string
		files  []verdict.File
		warned []bool
	}{
		{"its own", []verdict.File{document, receipt(own)}, []bool{false, false}},
		{"another's", []verdict.File{receipt(other), document, receipt(own)}, []bool{true, false, false}},
		{"of no document", []verdict.File{document, {Type: "receipt", Receipt: &verdict.Receipt{}}}, []bool{false, false}},
		{"beside a PDF", []verdict.File{{Type: "pdf"}, receipt(other)}, []bool{false, false}},
		{"that cannot be read", []verdict.File{document, {Type: "receipt"}}, []bool{false, false}},
	} {
		if err := verify.Relate(tt.files, func(int) ([32]byte, error) { return own, nil }); err != nil {
			t.Fatal(err)
		}
		var warned []bool
		for _, f := range tt.files {
			warned = append(warned, f.Warned(verdict.OtherDocument))
		}
		if !slices.Equal(warned, tt.warned) {
			t.Errorf("%s: %v, want %v", tt.name, warned, tt.warned)
		}
	}
	gone := errors.New("gone")
	if err := verify.Relate([]verdict.File{document, receipt(own)}, func(int) ([32]byte, error) { return own, gone }); !errors.Is(err, gone) {
		t.Errorf("%v, want %v", err, gone)
	}
}
