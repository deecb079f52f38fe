package envelope_test

import (
	"io"
	"os"
	"runtime"
	"testing"

	"yinxin/transport"
	"yinxin/transport/envelope"
)

// zeros is a file that is never in memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Memory does not depend on size: packing, checking and opening 40 MiB allocate a small part of it altogether.
func TestMemoryDoesNotGrowWithTheFiles(t *testing.T) {
	const size = 40 << 20
	w := newWorld(t)
	f, err := os.CreateTemp(t.TempDir(), "big")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := envelope.Pack(f, envelope.PackOptions{
		Exchange: "ex-1", Sender: w.a.Code, Sign: w.a.Sign(), Document: -1,
		Recipients: []envelope.Recipient{{Code: w.b.Code, Role: transport.To, Certificate: w.b.DecryptCert}},
		Files:      []envelope.Source{{Name: "big.bin", Content: io.LimitReader(zeros{}, size)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := envelope.Open(f, p.Size, w.openOptions(w.b, envelope.Discard{}))
	if err != nil || !o.Released() || o.Files[0].Size != size {
		t.Fatalf("%+v, %v", o, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Fatalf("packing and opening %d MiB allocated %d MiB", size>>20, used>>20)
	}
}
