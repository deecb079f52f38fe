package verify

import (
	"encoding/hex"
	"slices"

	"yinxin/verdict"
)

// Relate warns (other_document) of every receipt among judged files that speaks of none of the OFDs among them: each may be
// genuine, and still they do not belong together. Without an OFD nothing is compared: a receipt names the OFD, not its PDF
// copy. Sum gives the SM3 of file i; it is asked only where there are both.
func Relate(files []verdict.File, sum func(i int) ([32]byte, error)) error {
	speaks := func(f verdict.File) bool { return f.Receipt != nil && f.Receipt.DocumentSM3 != "" }
	if !slices.ContainsFunc(files, speaks) {
		return nil
	}
	var documents []string
	for i, f := range files {
		if f.Type != string(KindOFD) {
			continue
		}
		s, err := sum(i)
		if err != nil {
			return err
		}
		documents = append(documents, hex.EncodeToString(s[:]))
	}
	for i, f := range files {
		if len(documents) > 0 && speaks(f) && !slices.Contains(documents, f.Receipt.DocumentSM3) {
			files[i].Warn(verdict.OtherDocument, "it speaks of the document with SM3 %s of exchange %s", f.Receipt.DocumentSM3, f.Receipt.Exchange)
		}
	}
	return nil
}
