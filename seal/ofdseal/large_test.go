package ofdseal_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"yinxin/document/ofd"
	"yinxin/seal/ofdseal"
	"yinxin/verdict"
)

// largeSize is how much the attachment of a large document holds, and maxGrowth by how much the process may grow, both in
// bytes.
const (
	largeSize = 100_000_000
	maxGrowth = 64 << 20
)

// mustLarge is an OFD with attachments that do not compress.
func mustLarge(t testing.TB) *os.File {
	t.Helper()
	pkg, err := ofd.Open(mustRead(t, "u2.ofd"))
	if err != nil {
		t.Fatal(err)
	}
	f := mustTemp(t)
	noise := make([]byte, largeSize)
	_, _ = rand.Read(noise)
	if err := pkg.WriteWith(f, ofd.File{Name: "Doc_0/Res/data.csv", Data: noise}); err != nil {
		t.Fatal(err)
	}
	return f
}

// mustTemp is a new file, closed with the test.
func mustTemp(t testing.TB) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "*.ofd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close(); _ = os.Remove(f.Name()) })
	return f
}

func mustOpenFile(t testing.TB, f *os.File) *ofd.Package {
	t.Helper()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := ofd.OpenReader(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

func (w *world) mustSealFile(t testing.TB, in *os.File) *os.File {
	t.Helper()
	p, err := ofdseal.PreparePackage(mustOpenFile(t, in), w.prepareOptions())
	if err != nil {
		t.Fatal(err)
	}
	out := mustTemp(t)
	if err := p.SignInto(out, rand.Reader, w.signer.key); err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *world) mustVerifyFile(t testing.TB, f *os.File) {
	t.Helper()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ofdseal.VerifyReader(f, st.Size(), w.options())
	if err != nil || got.Verdict != verdict.Passed {
		t.Fatalf("%s %s, %v", got.Verdict, got.Reason, err)
	}
}

// memory reads a line of /proc/self/status, in bytes.
func memory(t *testing.T, line string) int64 {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash("/proc/self/status"))
	if err != nil {
		t.Skip("needs /proc")
	}
	_, rest, _ := strings.Cut(string(data), line+":")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// grows runs do and gives by how much the process was larger at its largest than before.
func grows(t *testing.T, do func()) int64 {
	t.Helper()
	debug.FreeOSMemory()
	before := memory(t, "VmRSS")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600); err != nil { // the largest size counts anew
		t.Skip("needs /proc/self/clear_refs")
	}
	do()
	return memory(t, "VmHWM") - before
}

// A large document is sealed and judged without lying in memory; an altered byte of it is found all the same.
func TestLargeDocumentIsStreamed(t *testing.T) {
	w, in := mustWorld(t), mustLarge(t)
	if n := grows(t, func() { mustOpenFile(t, in) }); n > maxGrowth {
		t.Errorf("reading the structure took %d MiB", n>>20)
	}
	var sealed *os.File
	if n := grows(t, func() { sealed = w.mustSealFile(t, in) }); n > maxGrowth {
		t.Errorf("sealing took %d MiB", n>>20)
	}
	if n := grows(t, func() { w.mustVerifyFile(t, sealed) }); n > maxGrowth {
		t.Errorf("judging took %d MiB", n>>20)
	}
	st, err := sealed.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	at := st.Size() / 2
	if _, err := sealed.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := sealed.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	got, err := ofdseal.VerifyReader(sealed, st.Size(), w.options())
	if err != nil || got.Verdict != verdict.Rejected || got.Reason != verdict.ZipLayout {
		t.Errorf("altered: %s %s, %v; want rejected zip_layout (the checksum)", got.Verdict, got.Reason, err)
	}
}

// A file that cannot be read is no verdict.
func TestUnreadableFileIsNoVerdict(t *testing.T) {
	sealed := mustWorld(t).mustApply(t, mustRead(t, "u2.ofd"))
	_, err := ofdseal.VerifyReader(brokenDisk{}, int64(len(sealed)), mustWorld(t).options())
	if err == nil {
		t.Error("a verdict on a file that cannot be read")
	}
}

type brokenDisk struct{}

func (brokenDisk) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }
