package filekeys

import (
	"encoding/json"
	"testing"
)

// HeaderChecksum gives the checksum that a header should have.
func HeaderChecksum(t testing.TB, data []byte) string {
	t.Helper()
	var h header
	if err := json.Unmarshal(data, &h); err != nil {
		t.Fatal(err)
	}
	sum, err := h.sum()
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
