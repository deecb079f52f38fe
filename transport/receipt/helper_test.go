package receipt_test

import (
	"testing"

	"yinxin/crypto/cms"
	"yinxin/transport/partytest"
	"yinxin/transport/receipt"
)

// signRaw signs any content, as foreign software might.
func signRaw(t testing.TB, content []byte, by *partytest.Party) []byte {
	t.Helper()
	der, err := cms.Sign(content, by.Sign())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func judgeOptions(o receipt.VerifyOptions) cms.JudgeOptions {
	return cms.JudgeOptions{Policy: o.Policy, Now: o.Now}
}
