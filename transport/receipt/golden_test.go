package receipt_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/testvectors"
	"yinxin/transport"
	"yinxin/transport/partytest"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// TestGoldenReceipts reads two receipts as docs/formats/receipt.md describes them, written once and committed: a change of
// the format cannot pass unseen. UPDATE_GOLDEN=1 writes them anew, with keys that are thrown away.
func TestGoldenReceipts(t *testing.T) {
	if os.Getenv("UPDATE_GOLDEN") != "" {
		writeGoldenReceipts(t)
	}
	read := func(name string) []byte {
		b, err := testvectors.Read("receipt/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	roots, err := cert.ParsePEM(read("root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := tlog.ParseVerifier(string(read("log.vkey")))
	if err != nil {
		t.Fatal(err)
	}
	o := receipt.VerifyOptions{
		Logs: []*tlog.Verifier{log}, Policy: cert.Policy{Roots: roots}, Now: partytest.Clock().Add(time.Hour),
	}
	for name, event := range map[string]transport.Event{
		"accepted.yxr": transport.SubmissionAcceptance, "signed-for.yxr": transport.ConsignmentAcceptance,
	} {
		data := read(name)
		wantVerdict(t, receipt.VerifyBytes(data, o), verdict.Passed, "")
		r, err := receipt.Parse(data)
		if err != nil || r.Entry.Event != event || r.Entry.DocumentSM3 != digest(1) {
			t.Fatalf("%s: %+v, %v", name, r, err)
		}
		if again := mustMarshal(t, r); string(again) != string(data) {
			t.Fatalf("%s does not read back byte for byte", name)
		}
		r.Entry.DocumentSM3 = digest(2)
		wantVerdict(t, r.Verify(o), verdict.Failed, verdict.Proof)
	}
}

func writeGoldenReceipts(t *testing.T) {
	t.Helper()
	w := newWorld(t)
	e, der := w.signedFor(t, w.recipient)
	signed := mustMarshal(t, w.compose(t, e, der))
	second := newWorld(t)
	second.signer, second.log = w.signer, w.log
	var err error
	if second.seq, err = tlog.Open(t.Context(), tlog.Config{Queue: second.queue, Tiles: tiles{}, Signer: w.signer}); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"accepted.yxr":   mustMarshal(t, second.compose(t, accepted(), nil)),
		"signed-for.yxr": signed,
		"root.pem":       w.ca.CA.Certificate.PEM(),
		"log.vkey":       []byte(w.log.String() + "\n"),
	} {
		dir := filepath.Join("..", "..", "testvectors", "receipt")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("written; run again without UPDATE_GOLDEN")
}
