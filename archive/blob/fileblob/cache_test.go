package fileblob

import (
	"crypto/sha256"
	"testing"

	"yinxin/archive/blob"
)

// TestPieceCacheIsBounded fills the cache past its bound: the oldest goes, the newest stays, the count is right.
func TestPieceCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newPieceCache(10)
	of := func(pieces int) *digests { return &digests{pieces: make([][sha256.Size]byte, pieces)} }
	for i := range 3 {
		c.put(blob.Ref{byte(i)}, of(2)) // counts three
	}
	if c.get(blob.Ref{0}) == nil { // and is the most recent from now on
		t.Error("evicted too early")
	}
	for i := 3; i < 5; i++ {
		c.put(blob.Ref{byte(i)}, of(2))
	}
	for i, want := range []bool{true, false, false, true, true} {
		if got := c.get(blob.Ref{byte(i)}) != nil; got != want {
			t.Errorf("blob %d cached: %t, want %t", i, got, want)
		}
	}
	if c.pieces > c.max || c.pieces != 3*len(c.byRef) || c.order.Len() != len(c.byRef) {
		t.Errorf("%d pieces of %d blobs", c.pieces, len(c.byRef))
	}
	c.put(blob.Ref{9}, of(100)) // larger than the whole cache: alone in it
	if c.get(blob.Ref{9}) == nil || len(c.byRef) != 1 || c.pieces != 101 {
		t.Errorf("%d blobs, %d pieces after a large one", len(c.byRef), c.pieces)
	}
	c.forget(blob.Ref{9})
	c.put(blob.Ref{1}, of(0))
	c.put(blob.Ref{1}, of(1))
	if len(c.byRef) != 1 || c.pieces != 2 {
		t.Errorf("%d blobs, %d pieces after replacing", len(c.byRef), c.pieces)
	}
}
