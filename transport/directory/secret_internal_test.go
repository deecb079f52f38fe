package directory

import (
	"crypto/rand"
	"testing"
)

// TestHashOfNothingIsComparedLikeAny: it is of the form that is read, so that an unknown account costs the same work.
func TestHashOfNothingIsComparedLikeAny(t *testing.T) {
	h, err := hashOfNothing(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := checkSecret(h, "any secret"); err != nil || same {
		t.Errorf("compared with a hash of nothing: %v, %v", same, err)
	}
	again, err := hashOfNothing(rand.Reader)
	if err != nil || again == h {
		t.Errorf("drawn twice the same, %v", err)
	}
}
