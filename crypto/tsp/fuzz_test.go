package tsp_test

import (
	"bytes"
	"encoding/asn1"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/testvectors/boundtest"
)

// perByte is how much reading may allocate for each byte of input.
const perByte = 200

// fixed is a source of randomness that is none, so that every process that fuzzes has the same seeds and trusts the same
// root; without that the fuzzer chases differences that are not the input's.
type fixed struct{}

func (fixed) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0x5a
	}
	return len(p), nil
}

func mustKey(f *testing.F, fill byte) *gm.PrivateKey {
	f.Helper()
	k, err := gm.ImportScalar(bytes.Repeat([]byte{fill}, gm.ScalarSize))
	if err != nil {
		f.Fatal(err)
	}
	return k
}

// fixedOffice is newOffice with fixed keys, serial numbers and nonces.
func fixedOffice(f *testing.F) *office {
	f.Helper()
	clock := func() time.Time { return now }
	rootKey, key := mustKey(f, 7), mustKey(f, 8)
	authority, err := cert.NewRoot(cert.Station{Signer: rootKey, Now: clock, Rand: fixed{}}, cert.Subject("Root", "Test"), cert.IssueOptions{})
	if err != nil {
		f.Fatal(err)
	}
	own, err := authority.IssueTimestamp(cert.Subject("TSA", "Test"), key.PublicKey(), cert.IssueOptions{})
	if err != nil {
		f.Fatal(err)
	}
	a, err := tsp.NewAuthority(tsp.AuthorityOptions{Signer: key, Certificate: own, Now: clock, Rand: fixed{}})
	if err != nil {
		f.Fatal(err)
	}
	at := now
	return &office{a, &certtest.PKI{Authority: authority, Key: rootKey, Now: now}, key, own, &at}
}

// fixedRequest is newRequest with a fixed nonce.
func fixedRequest(f *testing.F, sum [32]byte, policy asn1.ObjectIdentifier) []byte {
	f.Helper()
	r, err := tsp.NewRequest(sum, policy, fixed{})
	if err != nil {
		f.Fatal(err)
	}
	return r.Raw
}

func FuzzRequest(f *testing.F) {
	o := fixedOffice(f)
	sum := gm.SM3([]byte("a seal"))
	f.Add(fixedRequest(f, sum, nil))
	f.Add(fixedRequest(f, sum, tsp.PilotPolicy))
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
	o := fixedOffice(f)
	for _, request := range [][]byte{fixedRequest(f, gm.SM3([]byte("a seal")), nil), []byte("garbage")} {
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
	o := fixedOffice(f)
	sum, trust := gm.SM3([]byte("a seal")), o.trust()
	token := o.answer(f, fixedRequest(f, sum, nil))
	f.Add(token.Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		boundtest.Parse(t, len(der), perByte, func() {
			if tsp.JudgeToken(der, sum, trust).Proven() && !bytes.Equal(der, token.Raw) {
				t.Error("another token than the authority's proves its time")
			}
		})
	})
}
