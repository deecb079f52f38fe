package faults

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/internal/check"
	"yinxin/internal/postgres/pgserver"
)

// NoDigest hands out a blob without comparing it with its name.
var NoDigest = &Mutant{Name: "no digest check on read", Edits: []Edit{
	{File: "archive/blob/fileblob/reader.go", Old: "	if sum != ref {\n", New: "	if false {\n"},
}}

// flip changes one byte of a file, in the given range of it, and returns how to put it back.
func flip(t *testing.T, path string, from, to int64) (back func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	at := from + int64(upTo(time.Duration(to-from)))
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	must(t, err)
	turn := func(f *os.File, b byte) {
		_, err := f.WriteAt([]byte{b}, at)
		must(t, err)
	}
	turn(f, b[0]^byte(1<<upTo(8)))
	return func() {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		must(t, err)
		turn(f, b[0])
		must(t, f.Close())
	}
}

// files are those under a folder that are not empty and no one's temporary.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err == nil && d.Type().IsRegular() && st.Size() > 0 && !strings.HasPrefix(d.Name(), ".tmp-") && !strings.HasSuffix(d.Name(), ".lock") {
			all = append(all, path)
		}
		return err
	}))
	return all
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	st, err := os.Stat(path)
	must(t, err)
	return st.Size()
}

// TestBitRot is E-12: one bit is turned in each of many blobs, files of the log, pages of the database and files of the key
// store. The check finds every one of them, and what is asked for is refused, and never handed out wrong.
func TestBitRot(t *testing.T) {
	// The short form, on SQLite, is without what asks for many runs of the check.
	x := experiment{hubs: 1, postgres: long, size: 80 << 10, docs: 12, fails: 1, alone: true}
	if long {
		x.docs = 200
	}
	x.after = func(t *testing.T, w *world, _ *Sender) {
		t.Helper()
		time.Sleep(500 * time.Millisecond) // deliveries, and the last publication
		blobs, tiles := files(t, filepath.Join(w.cluster.Stored, "data", "blobs")), files(t, filepath.Join(w.cluster.Stored, "data", "log", "tile"))
		if len(blobs) < x.docs || len(tiles) == 0 {
			t.Fatalf("%d blobs and %d files of the log", len(blobs), len(tiles))
		}
		var back []func()
		for _, path := range append(blobs, tiles...) {
			back = append(back, flip(t, path, 0, size(t, path)))
		}
		w.found(t, map[string]int{"blobs": len(blobs), "log": len(tiles)})
		w.handsOutNothingWrong(t)
		for _, put := range back {
			put()
		}
		if long {
			w.turnedKeys(t)
			w.turnedPages(t)
		}
	}
	hold(t, x, NoDigest)
}

// faultOf is what a check says of a part that was changed.
func faultOf(item string) check.Fault {
	if item == "blobs" {
		return check.BlobDamaged
	}
	return check.LogFile
}

// found expects a check to name so many faults of each item.
func (w *world) found(t *testing.T, want map[string]int) {
	t.Helper()
	out, err := w.cluster.Run(t.Context(), "check", "--json", "--read-data", "100%")
	var r check.Report
	if cut := strings.IndexByte(out, '{'); cut < 0 || json.Unmarshal([]byte(out[cut:]), &r) != nil {
		t.Fatalf("check: %v\n%s", err, out)
	}
	for _, i := range r.Items {
		got := int(i.More)
		for _, f := range i.Findings {
			if f.Fault == faultOf(i.Name) {
				got++
			}
		}
		if got < want[i.Name] {
			w.journal.Break("%d of %d changed %s were not found", want[i.Name]-got, want[i.Name], i.Name)
		}
		if want[i.Name] > 0 {
			t.Logf("%s: %d were changed, %d found", i.Name, want[i.Name], got)
		}
	}
}

// handsOutNothingWrong asks the hub for all envelopes.
func (w *world) handsOutNothingWrong(t *testing.T) {
	t.Helper()
	for _, a := range w.journal.Acknowledged {
		status, body, err := w.cluster.Get(t.Context(), 0, "/api/v1/exchanges/"+a.Exchange+"/envelope")
		if status == http.StatusOK && err == nil && gm.SM3(body) != a.Body {
			w.journal.Break("the hub handed out the envelope of %s with a bit that was turned", a.Exchange)
			return
		}
	}
}

// turnedKeys turns a bit in each file of the key store.
func (w *world) turnedKeys(t *testing.T) {
	t.Helper()
	for _, path := range files(t, filepath.Join(w.cluster.Dir, "keys")) {
		put := flip(t, path, 0, size(t, path))
		if out, err := w.cluster.Run(t.Context(), "check"); err == nil {
			w.journal.Break("a bit was turned in %s of the key store, and the check passes: %s", filepath.Base(path), out)
		}
		put()
	}
}

// page is how the server stores rows.
const page = 8192

// turnedPages turns a bit in a page of a table; the server's checksums tell.
func (w *world) turnedPages(t *testing.T) {
	t.Helper()
	for _, table := range []string{"entries", "audit", "places", "exchanges"} {
		name, err := w.server.File(t.Context(), "hub", table)
		must(t, err)
		must(t, w.server.Stop(pgserver.Fast))
		path := filepath.Join(w.server.Dir(), name)
		at := int64(upTo(time.Duration(size(t, path)/page))) * page
		put := flip(t, path, at, at+page)
		must(t, w.server.Start(t.Context()))
		if out, err := w.cluster.Run(t.Context(), "check"); err == nil {
			w.journal.Break("a bit was turned in a page of %s, and the check passes: %s", table, out)
		}
		must(t, errors.Join(w.server.Stop(pgserver.Fast)))
		put()
		must(t, w.server.Start(t.Context()))
	}
	if out, err := w.cluster.Run(t.Context(), "check"); err != nil {
		w.journal.Break("with all put back: %v\n%s", err, out)
	}
}
