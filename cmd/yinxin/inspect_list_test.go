package main

import (
	"math/big"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
)

// TestLongListIsCutShort: of a long revocation list the number of its entries is shown, and the first of them.
func TestLongListIsCutShort(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	revoked := make([]cert.Revoked, maxRevoked+5)
	for i := range revoked {
		revoked[i] = cert.Revoked{Serial: big.NewInt(int64(i + 1)), At: now}
	}
	list, err := certtest.New(t, "root", now).IssueCRL(big.NewInt(1), now.Add(time.Hour), revoked)
	if err != nil {
		t.Fatal(err)
	}
	v := viewCRL(list)
	if v.Entries != len(revoked) || len(v.Revoked) != maxRevoked || v.Revoked[0].Serial != "1" {
		t.Errorf("%d entries, %d shown", v.Entries, len(v.Revoked))
	}
}
