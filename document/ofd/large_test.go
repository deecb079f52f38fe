package ofd

import (
	"archive/zip"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Bounds for the structure of a document of 100 MB: half a thousand pages, each with a picture.
const (
	largePages     = 500
	largePicture   = 200_000
	largeStructure = 200 * time.Millisecond
	largeMemory    = 64 << 20
)

// mustLarge writes such a document into a file.
func mustLarge(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "large.ofd"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	z := zip.NewWriter(f)
	put := func(name string, method uint16, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const ns = ` xmlns:ofd="http://www.ofdspec.org/2016"`
	put("OFD.xml", zip.Deflate, []byte(testRoot))
	var pages, media strings.Builder
	for i := range largePages {
		fmt.Fprintf(&pages, `<ofd:Page ID="%d" BaseLoc="Pages/Page_%d/Content.xml"/>`, i+1, i)
		fmt.Fprintf(&media, `<ofd:MultiMedia ID="%d" Type="Image"><ofd:MediaFile>%d.png</ofd:MediaFile></ofd:MultiMedia>`, largePages+i+1, i)
	}
	put("Doc_0/Document.xml", zip.Deflate, []byte(`<ofd:Document`+ns+`><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea><ofd:DocumentRes>Res.xml</ofd:DocumentRes></ofd:CommonData><ofd:Pages>`+pages.String()+`</ofd:Pages></ofd:Document>`))
	put("Doc_0/Res.xml", zip.Deflate, []byte(`<ofd:Res`+ns+` BaseLoc="Res"><ofd:MultiMedias>`+media.String()+`</ofd:MultiMedias></ofd:Res>`))
	line := `<ofd:TextObject ID="3" Boundary="28 37 156 6" Font="4" Size="5.5"><ofd:TextCode X="0" Y="4" DeltaX="g 27 5.5714">为规范公文传输秩序，减少纸质公文往返，提高办文效率，经市</ofd:TextCode></ofd:TextObject>`
	page := []byte(`<ofd:Page` + ns + `><ofd:Content><ofd:Layer ID="2">` + strings.Repeat(line, 22) + `</ofd:Layer></ofd:Content></ofd:Page>`)
	picture := make([]byte, largePicture)
	for i := range largePages {
		put(fmt.Sprintf("Doc_0/Pages/Page_%d/Content.xml", i), zip.Deflate, page)
		_, _ = rand.Read(picture)
		put(fmt.Sprintf("Doc_0/Res/%d.png", i), zip.Deflate, picture)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

func mustOpenLarge(t testing.TB, f *os.File) *Package {
	t.Helper()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p, err := OpenReader(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Pages()) != largePages {
		t.Fatalf("%d pages", len(p.Pages()))
	}
	return p
}

// TestLargeStructure: what stays in memory of a large document is its structure and a bounded part of its files.
func TestLargeStructure(t *testing.T) {
	f := mustLarge(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p := mustOpenLarge(t, f)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := int64(after.HeapAlloc) - int64(before.HeapAlloc); n > largeMemory {
		t.Errorf("the structure holds %d MiB", n>>20)
	}
	if data, ok := p.Entry("Doc_0/Res/7.png"); !ok || len(data) != largePicture {
		t.Error("a picture is not there")
	}
}

// BenchmarkStructure reads the structure of a document of 100 MB in 500 pages; the limit is 200 ms of the processor, so that
// what else runs on the machine does not count.
func BenchmarkStructure(b *testing.B) {
	f := mustLarge(b)
	fastest := time.Hour
	for b.Loop() {
		start := processor(b)
		mustOpenLarge(b, f)
		fastest = min(fastest, processor(b)-start)
	}
	b.ReportMetric(float64(fastest.Microseconds())/1000, "cpu-ms")
	if fastest > largeStructure {
		b.Errorf("%v, at most %v", fastest, largeStructure)
	}
}

// processor is the time that this process has had the processor for.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
