package tsp_test

import (
	"bytes"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/testvectors/boundtest"
)

// perByte is how much reading may allocate for each byte of input.
const perByte = 200

func FuzzRequest(f *testing.F) {
	o := newOffice(f, nil)
	sum := gm.SM3([]byte("a seal"))
	f.Add(newRequest(f, sum, nil).Raw)
	f.Add(newRequest(f, sum, tsp.PilotPolicy).Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		boundtest.Parse(t, len(der), perByte, func() {
			r, err := tsp.ParseRequest(der)
			if err == nil && !bytes.Equal(r.Raw, der) {
				t.Error("a request is not what was read")
			}
		})
		answer, err := o.Respond(der)
		if answer == nil {
			t.Fatalf("no answer at all: %v", err)
		}
		if _, err := tsp.ParseResponse(answer); err != nil {
			t.Errorf("the answer does not parse: %v", err)
		}
	})
}

func FuzzResponse(f *testing.F) {
	o := newOffice(f, nil)
	for _, request := range [][]byte{newRequest(f, gm.SM3([]byte("a seal")), nil).Raw, []byte("garbage")} {
		answer, _ := o.Respond(request)
		f.Add(answer)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		boundtest.Parse(t, len(der), perByte, func() {
			r, err := tsp.ParseResponse(der)
			if err == nil && (r.Token != nil) != (r.Status <= tsp.GrantedWithMods) {
				t.Error("status and token contradict one another")
			}
		})
	})
}

func FuzzToken(f *testing.F) {
	o := newOffice(f, nil)
	token := o.stamp(f, "a seal")
	sum, trust := gm.SM3([]byte("a seal")), o.trust()
	f.Add(token.Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		boundtest.Parse(t, len(der), perByte, func() {
			if tsp.JudgeToken(der, sum, trust).Proven() && !bytes.Equal(der, token.Raw) {
				t.Error("another token than the authority's proves its time")
			}
		})
	})
}
