package gm_test

import (
	"testing"

	"yinxin/crypto/gm"
)

func TestSelfTest(t *testing.T) {
	if err := gm.SelfTest(); err != nil {
		t.Fatal(err)
	}
}
