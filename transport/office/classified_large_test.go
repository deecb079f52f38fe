package office_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/transport/office"
)

// A large text is looked at to its last line, in whatever encoding it is and wherever it lies; its twin passes.
func TestLargeTexts(t *testing.T) {
	t.Parallel()
	ascii := strings.Repeat("2026-11-29,done\n", office.MaxText/16+1)
	chinese := strings.Repeat("各单位要认真组织实施，按期完成。\n", office.MaxText/48+1)
	gbk := func(s string) string {
		out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	wide := func(s string) string {
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tt := range []struct {
		name  string
		build func(mark string) string
	}{
		{"UTF-8", func(m string) string { return chinese + m + "\n" }},
		{"GB 18030", func(m string) string { return gbk(chinese + chinese + m) }},
		{"UTF-16", func(m string) string { return wide(chinese + chinese + m) }},
		{"ASCII, then GB 18030", func(m string) string { return ascii + gbk(m) }},
		{"UTF-8 with a wrong byte", func(m string) string { return chinese + "\xff\n" + m }},
	} {
		for mark, want := range map[string]bool{"机密★10年": true, "机要★10年": false} {
			text := tt.build(mark)
			whole := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
			err := office.CheckLargeUnclassified("data.txt", []byte(text[:office.MaxText]), whole)
			if errors.Is(err, document.ErrClassified) != want || !want && err != nil {
				t.Errorf("%s, %s: %v", tt.name, mark, err)
			}
		}
	}
	pkg, err := ofd.Open(plain(t))
	if err != nil {
		t.Fatal(err)
	}
	for mark, want := range map[string]bool{"机密★10年": true, "机要★10年": false} {
		f, err := os.Create(filepath.Join(t.TempDir(), "large.ofd"))
		if err != nil {
			t.Fatal(err)
		}
		if err := pkg.WriteWith(f, ofd.File{Name: "Doc_0/Attachs/data.csv", Data: []byte(chinese + mark)}); err != nil {
			t.Fatal(err)
		}
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		large, err := ofd.OpenReader(f, st.Size())
		if err != nil {
			t.Fatal(err)
		}
		if err := office.CheckPackageUnclassified("large.ofd", large); errors.Is(err, document.ErrClassified) != want || !want && err != nil {
			t.Errorf("attachment, %s: %v", mark, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// One wrong byte does not make UTF-8 another encoding, and hide what it says.
func TestAWrongByteHidesNothing(t *testing.T) {
	t.Parallel()
	for mark, want := range map[string]bool{"机密★10年": true, "机要★10年": false} {
		text := append([]byte("通知\n\xff\n"+mark+"\n"), bytes.Repeat([]byte("正文"), 10)...)
		if err := office.CheckUnclassified("a.txt", text); errors.Is(err, document.ErrClassified) != want {
			t.Errorf("%s: %v", mark, err)
		}
	}
}

// A stream that cannot be read is no text without a mark.
func TestBrokenStream(t *testing.T) {
	t.Parallel()
	head := []byte("text\n")
	if err := office.CheckLargeUnclassified("a.txt", head, func() (io.ReadCloser, error) { return nil, io.ErrClosedPipe }); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}

// TestScanIsBounded: what is held beside the file does not grow with it, whether it is noise in any encoding or a format
// whose values are many. Held whole these took 60 to 130 MB; what is allocated while the collector looks counts, too.
func TestScanIsBounded(t *testing.T) {
	const bound = 64 << 20
	noise := make([]byte, 6<<20)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"noise.csv": noise,
		"many.json": []byte("[" + strings.Repeat("[],", 4<<20/3) + "[]]"),
		"many.rtf":  []byte(`{\rtf` + strings.Repeat(`\'b0\'b1`, 4<<20/8)),
	} {
		before := heap()
		done, peak := make(chan error), before
		go func() { done <- office.CheckUnclassified(name, data) }()
		for running := true; running; {
			select {
			case err := <-done:
				running = false
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			case <-time.After(50 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
		t.Logf("%s: %d MiB held", name, (peak-before)>>20)
		if grown := peak - before; grown > bound {
			t.Errorf("%s: %d MiB beside the file, bound %d", name, grown>>20, bound>>20)
		}
		runtime.KeepAlive(data)
		runtime.GC()
	}
}

// heap is what the last collection found to be held, whatever has become garbage since.
func heap() uint64 {
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}

// Format and table are read to the end of a text, across the windows through which it is looked at.
func TestMarksAtTheWindows(t *testing.T) {
	t.Parallel()
	row := "甲,乙,无\n"
	for _, size := range []int{1<<20 - 64, 1<<20 + 64} {
		rows := strings.Repeat(row, size/len(row))
		for name, tt := range map[string]struct {
			text string
			want bool
		}{
			"a.csv":  {"姓名,单位,密级\n" + rows + "甲,乙,机密\n", true},
			"b.csv":  {"姓名,单位,密级\n" + rows, false},
			"c.html": {"<p>" + rows + "机<b>密</b>★10年</p>", true},
			"d.json": {`{"a":"` + strings.Repeat("甲", size/3) + `","密级":"机密"}`, true},
			"e.json": {`{"a":[` + strings.Repeat(`{"密级":"无"},`, size/20) + `{"密级":""}]}`, false},
			"f.json": {`{"a":[` + strings.Repeat(`{"密级":"无"},`, size/20) + `{"x":[{"保密期限":{"n":1}}]}]}`, true},
		} {
			if err := office.CheckUnclassified(name, []byte(tt.text)); errors.Is(err, document.ErrClassified) != tt.want {
				t.Errorf("%s of %d bytes: %v, want %t", name, len(tt.text), err, tt.want)
			}
		}
	}
}
