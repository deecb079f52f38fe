package envelope_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/testvectors"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// TestGoldenEnvelope opens an envelope as docs/formats/envelope.md describes it, written once and committed with the key
// of one recipient: a change of the format cannot pass unseen. UPDATE_GOLDEN=1 writes it anew.
func TestGoldenEnvelope(t *testing.T) {
	if os.Getenv("UPDATE_GOLDEN") != "" {
		writeGoldenEnvelope(t)
	}
	read := func(name string) []byte {
		b, err := testvectors.Read("envelope/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	roots, err := cert.ParsePEM(read("root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := gm.ParsePKCS8PEM(read("office-b.test-key.pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	policy, data := cert.Policy{Roots: roots}, read("two-recipients.yxe")
	f := envelope.VerifyOutside("x", bytes.NewReader(data), int64(len(data)), envelope.VerifyOptions{Policy: policy, Now: now()})
	wantVerdict(t, f, verdict.Passed, "")
	m := &envelope.Memory{Limit: 1 << 20}
	o, err := envelope.Open(bytes.NewReader(data), int64(len(data)), envelope.OpenOptions{Key: key, Policy: policy, Now: now(), Sink: m})
	if err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, o.Report, verdict.Passed, "")
	if got, _ := m.Get("document.ofd"); !bytes.Equal(got, document[:100]) || len(m.Files) != 3 {
		t.Fatalf("%d files, document %q", len(m.Files), got)
	}
	data[len(data)/2] ^= 1
	f = envelope.VerifyOutside("x", bytes.NewReader(data), int64(len(data)), envelope.VerifyOptions{Policy: policy, Now: now()})
	if f.Verdict != verdict.Failed && f.Verdict != verdict.Rejected {
		t.Fatalf("a changed envelope is %s", f.Verdict)
	}
}

func writeGoldenEnvelope(t *testing.T) {
	t.Helper()
	w := newWorld(t)
	o := w.packOptions()
	o.Files[0].Content = bytes.NewReader(document[:100])
	var out bytes.Buffer
	if _, err := envelope.Pack(&out, o); err != nil {
		t.Fatal(err)
	}
	key, err := gm.MarshalPKCS8PEM(w.b.DecryptKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"two-recipients.yxe":    out.Bytes(),
		"root.pem":              w.ca.CA.Certificate.PEM(),
		"office-b.test-key.pem": key,
	} {
		dir := filepath.Join("..", "..", "testvectors", "envelope")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("written; run again without UPDATE_GOLDEN")
}
