//go:build linux

package disk

import (
	"crypto/rand"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func chance(n int) int {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err)
	}
	return int(v.Int64())
}

func mounted(t *testing.T) (*Disk, string) {
	t.Helper()
	dir := t.TempDir()
	d, err := Mount(dir, chance)
	if errors.Is(err, ErrUnavailable) {
		t.Skipf("needs /dev/fuse, and root or fusermount3 (Debian: fuse3): %v", err)
	}
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d, dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write writes a file and syncs it, or its folder, or both.
func write(t *testing.T, path, text string, file, folder bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	must(t, err)
	_, err = f.WriteString(text)
	must(t, err)
	if file {
		must(t, f.Sync())
	}
	must(t, f.Close())
	if folder {
		dir, err := os.Open(filepath.Dir(path))
		must(t, err)
		must(t, dir.Sync())
		must(t, dir.Close())
	}
}

// TestWhatACutLeaves: what was synced is there, and nothing else.
func TestWhatACutLeaves(t *testing.T) {
	d, dir := mounted(t)
	write(t, dir+"/both", "synced", true, false)
	write(t, dir+"/name", "not the bytes", false, true) // syncs the folder, and with it the name of the first
	write(t, dir+"/bytes", "not the name", true, false)
	write(t, dir+"/both", "SYNCED and more", false, false)
	must(t, os.Rename(dir+"/name", dir+"/renamed"))
	if got := read(t, dir+"/both"); got != "SYNCED and more" {
		t.Errorf("before the cut: %q", got)
	}
	lost, err := d.Cut(Dropped)
	must(t, err)
	if lost == 0 {
		t.Error("nothing was lost")
	}
	for path, want := range map[string]string{"both": "synced", "name": "", "bytes": "-", "renamed": "-"} {
		if got := read(t, dir+"/"+path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// read gives what a file holds, or "-".
func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "-"
	}
	must(t, err)
	return string(data)
}

// TestTornPages: what was synced stays in every mode, page by page; of the rest there may be something.
func TestTornPages(t *testing.T) {
	for _, mode := range []Mode{Reordered, Torn} {
		d, dir := mounted(t)
		synced := make([]byte, 4*pageSize)
		write(t, dir+"/file", string(synced), true, true)
		f, err := os.OpenFile(dir+"/file", os.O_RDWR, 0)
		must(t, err)
		for page := 1; page < 40; page++ {
			_, err := f.WriteAt([]byte("new"), int64(page)*pageSize)
			must(t, err)
		}
		must(t, f.Close())
		_, err = d.Cut(mode)
		must(t, err)
		data := read(t, dir+"/file")
		if len(data) < len(synced) || data[:pageSize] != string(synced[:pageSize]) {
			t.Errorf("%s: the page that was not written to is %d bytes and not what it was", mode, len(data))
		}
		kept := 0
		for page := 1; page*pageSize+3 <= len(data); page++ {
			if data[page*pageSize:page*pageSize+3] == "new" {
				kept++
			}
		}
		if kept == 0 || kept == 39 {
			t.Errorf("%s: %d of 39 pages are there", mode, kept)
		}
	}
}

// TestFullAndFailing: a full disk and calls that fail, and both over again.
func TestFullAndFailing(t *testing.T) {
	d, dir := mounted(t)
	d.Fill(3 * pageSize)
	if err := os.WriteFile(dir+"/large", make([]byte, 4*pageSize), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("more than fits: %v", err)
	}
	must(t, os.Remove(dir+"/large"))
	must(t, os.WriteFile(dir+"/small", make([]byte, 2*pageSize), 0o600))
	d.Fill(-1)
	must(t, os.WriteFile(dir+"/large", make([]byte, 4*pageSize), 0o600))
	d.SetFault(func(op Op, _ string) syscall.Errno {
		if op == OpRename {
			return syscall.EIO
		}
		return 0
	})
	if err := os.Rename(dir+"/large", dir+"/small"); !errors.Is(err, syscall.EIO) {
		t.Errorf("a rename that fails: %v", err)
	}
	d.SetFault(nil)
	must(t, os.Rename(dir+"/large", dir+"/small"))
	must(t, os.Link(dir+"/small", dir+"/other"))
	must(t, os.Remove(dir+"/small"))
	if got := len(read(t, dir+"/other")); got != 4*pageSize {
		t.Errorf("%d bytes", got)
	}
}
