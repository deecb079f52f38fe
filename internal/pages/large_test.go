package pages_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"yinxin/internal/pages"
)

// Bounds of what stays in memory of a document of 100 MB while it is measured and drawn.
const (
	largePages  = 10
	largeSide   = 920      // pixels: 3.4 MB a picture, which noise keeps from being packed
	largeFile   = 80 << 20 // of an attachment
	largeMemory = 64 << 20 // pictures of some pages are kept
)

// mustLarge writes a document of scanned pages, each with a picture of noise, into a file.
func mustLarge(t *testing.T) (*os.File, int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "large.ofd"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.NoCompression) })
	put := func(name string, data []byte) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const ns = ` xmlns:ofd="http://www.ofdspec.org/2016"`
	put("OFD.xml", []byte(`<ofd:OFD`+ns+` Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocInfo><ofd:DocID>0123456789abcdef0123456789abcdef</ofd:DocID></ofd:DocInfo><ofd:DocRoot>D/d.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`))
	var list, media strings.Builder
	for i := range largePages {
		fmt.Fprintf(&list, `<ofd:Page ID="%d" BaseLoc="%d.xml"/>`, i+1, i)
		fmt.Fprintf(&media, `<ofd:MultiMedia ID="%d" Type="Image"><ofd:MediaFile>%d.png</ofd:MediaFile></ofd:MultiMedia>`, 100+i, i)
		put(fmt.Sprintf("D/%d.xml", i), []byte(fmt.Sprintf(`<ofd:Page`+ns+`><ofd:Content><ofd:Layer ID="%d"><ofd:ImageObject ID="%d" Boundary="0 0 210 297" CTM="210 0 0 297 0 0" ResourceID="%d"/></ofd:Layer></ofd:Content></ofd:Page>`, 200+i, 300+i, 100+i)))
		put(fmt.Sprintf("D/%d.png", i), noise(t, uint32(i)+1))
	}
	scan := noise(t, 77)
	put("D/scan.dat", bytes.Repeat(scan, largeFile/len(scan)))
	put("D/a.xml", []byte(`<ofd:Attachments`+ns+`><ofd:Attachment ID="998" Name="scan.dat"><ofd:FileLoc>scan.dat</ofd:FileLoc></ofd:Attachment></ofd:Attachments>`))
	put("D/Res.xml", []byte(`<ofd:Res`+ns+` BaseLoc="."><ofd:MultiMedias>`+media.String()+`</ofd:MultiMedias></ofd:Res>`))
	put("D/d.xml", []byte(`<ofd:Document`+ns+`><ofd:CommonData><ofd:MaxUnitID>999</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea><ofd:DocumentRes>Res.xml</ofd:DocumentRes></ofd:CommonData><ofd:Pages>`+list.String()+`</ofd:Pages><ofd:Attachments>a.xml</ofd:Attachments></ofd:Document>`))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return f, st.Size()
}

// noise is a picture that does not compress.
func noise(t *testing.T, x uint32) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, largeSide, largeSide))
	for i := range img.Pix {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		if img.Pix[i] = uint8(x); i%4 == 3 {
			img.Pix[i] = 0xFF
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestLargeDocument: what memory holds while a document is measured and drawn does not grow with it.
func TestLargeDocument(t *testing.T) {
	f, size := mustLarge(t)
	if size < 95<<20 {
		t.Fatalf("the document has %d bytes", size)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	d, err := pages.OpenReader(f, size, faces())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Measure(); err != nil {
		t.Fatal(err)
	}
	if err := d.SVG(io.Discard, 3); err != nil {
		t.Fatal(err)
	}
	if n := int64(heap()) - int64(before); n > largeMemory {
		t.Errorf("%d MiB are held, at most %d", n>>20, largeMemory>>20)
	}
	runtime.KeepAlive(d)
}
