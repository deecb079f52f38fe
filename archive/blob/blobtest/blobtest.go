// Package blobtest is what every blob.Store must pass. Only tests import it.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
)

// Target is a store under test, and a way to reach behind it.
type Target struct {
	Store blob.Store
	// Alter changes the stored bytes of a blob, as rot or an intruder would; a nil result removes them.
	Alter func(t *testing.T, ref blob.Ref, change func([]byte) []byte)
	// Unfinished counts what unfinished Puts have left in the store.
	Unfinished func(t *testing.T) int
}

// Run holds a store to the promises of package blob. open gives a fresh, empty store each time.
func Run(t *testing.T, open func(t *testing.T) Target) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s Target)
	}{
		{"RoundTrip", testRoundTrip},
		{"SameBytesOnce", testSameBytesOnce},
		{"PutAs", testPutAs},
		{"ReaderFails", testReaderFails},
		{"Cancelled", testCancelled},
		{"NotFound", testNotFound},
		{"List", testList},
		{"Remove", testRemove},
		{"Damage", testDamage},
		{"DamageWhileOpen", testDamageWhileOpen},
		{"PutHeals", testPutHeals},
		{"Concurrent", testConcurrent},
		{"ReadAll", testReadAll},
		{"Stage", testStage},
		{"StageUnnamed", testStageUnnamed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

// Content is n bytes that differ with seed and from piece to piece.
func Content(n int, seed byte) []byte {
	p := make([]byte, n)
	x := uint32(seed) + 1
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

// Put stores bytes.
func Put(t testing.TB, s blob.Store, data []byte) blob.Ref {
	t.Helper()
	info, err := s.Put(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if info.Ref != blob.Ref(gm.SM3(data)) || info.Size != int64(len(data)) {
		t.Fatalf("put %d bytes: %+v", len(data), info)
	}
	return info.Ref
}

func wants(t *testing.T, what string, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%s: error %v, want %v", what, err, class)
	}
}

// sizes lie on both sides of every boundary that a store may have.
func sizes() []int {
	var all []int
	for _, n := range []int{0, 1, 64 << 10, 128 << 10, 256 << 10, 1 << 20} {
		for _, d := range []int{-1, 0, 1} {
			if n+d >= 0 {
				all = append(all, n+d)
			}
		}
	}
	return append(all, 9<<20+12345)
}

func testRoundTrip(t *testing.T, s Target) {
	for _, n := range sizes() {
		data := Content(n, 1)
		ref := Put(t, s.Store, data)
		for range 2 { // the second time from what the first has learnt
			r, err := s.Store.Open(t.Context(), ref)
			if err != nil {
				t.Fatalf("open %d bytes: %v", n, err)
			}
			if r.Size() != int64(n) {
				t.Errorf("size %d, want %d", r.Size(), n)
			}
			if n < 1<<20 {
				if err := iotest.TestReader(r, data); err != nil {
					t.Errorf("reader of %d bytes: %v", n, err)
				}
			} else if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
				t.Errorf("read %d bytes: %d, %v", n, len(got), err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if info, err := s.Store.Verify(t.Context(), ref); err != nil || info.Size != int64(n) {
			t.Errorf("verify %d bytes: %+v, %v", n, info, err)
		}
		if info, err := s.Store.Stat(t.Context(), ref); err != nil || info != (blob.Info{Ref: ref, Size: int64(n)}) {
			t.Errorf("stat %d bytes: %+v, %v", n, info, err)
		}
	}
	if n := s.Unfinished(t); n != 0 {
		t.Errorf("%d unfinished blobs", n)
	}
}

func testSameBytesOnce(t *testing.T, s Target) {
	one, two := Put(t, s.Store, Content(1000, 1)), Put(t, s.Store, Content(1000, 1))
	other := Put(t, s.Store, Content(1000, 2))
	if one != two || one == other {
		t.Errorf("names %s %s %s", one, two, other)
	}
	infos, err := s.Store.List(t.Context(), blob.Ref{}, 10)
	if err != nil || len(infos) != 2 {
		t.Errorf("%d blobs, %v", len(infos), err)
	}
}

func testPutAs(t *testing.T, s Target) {
	data := Content(300<<10, 1)
	ref := blob.Ref(gm.SM3(data))
	_, err := s.Store.PutAs(t.Context(), ref, bytes.NewReader(data[:len(data)-1]))
	wants(t, "a byte less", err, blob.ErrMismatch)
	_, err = s.Store.PutAs(t.Context(), ref, strings.NewReader("x"))
	wants(t, "other bytes", err, blob.ErrMismatch)
	if infos, err := s.Store.List(t.Context(), blob.Ref{}, 10); err != nil || len(infos) != 0 {
		t.Errorf("%d blobs after mismatches, %v", len(infos), err)
	}
	if n := s.Unfinished(t); n != 0 {
		t.Errorf("%d unfinished blobs", n)
	}
	if info, err := s.Store.PutAs(t.Context(), ref, bytes.NewReader(data)); err != nil || info.Ref != ref {
		t.Errorf("the right bytes: %+v, %v", info, err)
	}
}

// testReaderFails cuts the source at several places: a cut upload must not become a shorter blob.
func testReaderFails(t *testing.T, s Target) {
	for _, n := range []int{0, 10, 256 << 10, 3 << 20} {
		for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("connection reset"), fmt.Errorf("wrapped: %w", io.EOF)} {
			_, err := s.Store.Put(t.Context(), io.MultiReader(bytes.NewReader(Content(n, 1)), iotest.ErrReader(cause)))
			wants(t, fmt.Sprintf("source that fails after %d bytes", n), err, cause)
		}
	}
	_, err := s.Store.Put(t.Context(), idle{})
	wants(t, "source that gives nothing", err, io.ErrNoProgress)
	if infos, err := s.Store.List(t.Context(), blob.Ref{}, 10); err != nil || len(infos) != 0 {
		t.Errorf("%d blobs, %v", len(infos), err)
	}
	if n := s.Unfinished(t); n != 0 {
		t.Errorf("%d unfinished blobs", n)
	}
	data := Content(700<<10, 1)
	for name, r := range map[string]io.Reader{
		"data with EOF": iotest.DataErrReader(bytes.NewReader(data)), "halves": iotest.HalfReader(bytes.NewReader(data)),
	} {
		info, err := s.Store.Put(t.Context(), r)
		if err != nil || info.Ref != blob.Ref(gm.SM3(data)) {
			t.Errorf("source of %s: %+v, %v", name, info, err)
		}
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func testCancelled(t *testing.T, s Target) {
	ref := Put(t, s.Store, Content(1<<20, 1))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Store.Put(ctx, io.MultiReader(bytes.NewReader(Content(1<<20, 2)), cancels{cancel}, bytes.NewReader(Content(1<<20, 3))))
	wants(t, "put", err, context.Canceled)
	_, err = s.Store.Verify(ctx, ref)
	wants(t, "verify", err, context.Canceled)
	if n := s.Unfinished(t); n != 0 {
		t.Errorf("%d unfinished blobs", n)
	}
}

// cancels ends a context in the middle of a source.
type cancels struct{ cancel func() }

func (c cancels) Read([]byte) (int, error) { c.cancel(); return 0, io.EOF }

func testNotFound(t *testing.T, s Target) {
	ctx := t.Context()
	ref := blob.Ref{1}
	_, err := s.Store.Open(ctx, ref)
	wants(t, "open", err, blob.ErrNotFound)
	_, err = s.Store.Stat(ctx, ref)
	wants(t, "stat", err, blob.ErrNotFound)
	_, err = s.Store.Verify(ctx, ref)
	wants(t, "verify", err, blob.ErrNotFound)
	wants(t, "remove", s.Store.Remove(ctx, ref), blob.ErrNotFound)
}

func testList(t *testing.T, s Target) {
	ctx := t.Context()
	if infos, err := s.Store.List(ctx, blob.Ref{}, 5); err != nil || len(infos) != 0 {
		t.Errorf("empty store: %v, %v", infos, err)
	}
	want := map[blob.Ref]int64{}
	for i := range 60 {
		want[Put(t, s.Store, Content(i, byte(i)))] = int64(i)
	}
	got := map[blob.Ref]int64{}
	var after blob.Ref
	for {
		infos, err := s.Store.List(ctx, after, 7)
		if err != nil || len(infos) > 7 {
			t.Fatalf("%d blobs, %v", len(infos), err)
		}
		for _, info := range infos {
			if info.Ref.String() <= after.String() {
				t.Fatalf("%s after %s", info.Ref, after)
			}
			after = info.Ref
			got[info.Ref] = info.Size
		}
		if len(infos) == 0 {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-put +listed):\n%s", diff)
	}
}

func testRemove(t *testing.T, s Target) {
	ctx := t.Context()
	data := Content(300<<10, 1)
	ref, kept := Put(t, s.Store, data), Put(t, s.Store, Content(5, 2))
	r, err := s.Store.Open(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Store.Remove(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("reader opened before: %d bytes, %v", len(got), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	_, err = s.Store.Open(ctx, ref)
	wants(t, "open after remove", err, blob.ErrNotFound)
	wants(t, "remove again", s.Store.Remove(ctx, ref), blob.ErrNotFound)
	if _, err := s.Store.Open(ctx, kept); err != nil {
		t.Errorf("another blob: %v", err)
	}
	if got := Put(t, s.Store, data); got != ref {
		t.Errorf("put again as %s", got)
	}
}

// testDamage flips, cuts and lengthens stored bytes: every one is found, and no byte is given out.
func testDamage(t *testing.T, s Target) {
	ctx := t.Context()
	for i, n := range []int{1, 100, 64 << 10, 200 << 10} {
		data := Content(n, byte(i))
		for name, change := range map[string]func([]byte) []byte{
			"first bit":  func(b []byte) []byte { b[0] ^= 1; return b },
			"middle bit": func(b []byte) []byte { b[len(b)/2] ^= 0x80; return b },
			"last bit":   func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
			"cut":        func(b []byte) []byte { return b[:len(b)-1] },
			"emptied":    func([]byte) []byte { return []byte{} },
			"lengthened": func(b []byte) []byte { return append(b, 0) },
			"exchanged":  func([]byte) []byte { return Content(n, 99) },
		} {
			ref := Put(t, s.Store, data)
			s.Alter(t, ref, change)
			if r, err := s.Store.Open(ctx, ref); !errors.Is(err, blob.ErrCorrupt) {
				t.Errorf("%s of %d bytes: opened with %v", name, n, err)
				if r != nil {
					_ = r.Close()
				}
			}
			_, err := s.Store.Verify(ctx, ref)
			wants(t, fmt.Sprintf("verify %s of %d bytes", name, n), err, blob.ErrCorrupt)
		}
	}
}

// testDamageWhileOpen alters a blob after it has been opened, and after it has been read once: no wrong byte comes out.
func testDamageWhileOpen(t *testing.T, s Target) {
	ctx := t.Context()
	data := Content(1<<20, 1)
	for _, at := range []int{0, 100 << 10, len(data) - 1} {
		ref := Put(t, s.Store, data)
		open, err := s.Store.Open(ctx, ref)
		if err != nil {
			t.Fatal(err)
		}
		s.Alter(t, ref, func(b []byte) []byte { b[at] ^= 1; return b })
		got, err := io.ReadAll(open)
		if err != nil || !bytes.Equal(got, data) { // a store may have taken a copy that it has checked
			wants(t, "read of an open blob", err, blob.ErrCorrupt)
		}
		if !bytes.HasPrefix(data, got) {
			t.Error("an open reader gave a wrong byte")
		}
		_ = open.Close()
		again, err := s.Store.Open(ctx, ref)
		if err != nil {
			wants(t, "open again", err, blob.ErrCorrupt)
			continue
		}
		one := make([]byte, 1)
		if _, err = again.ReadAt(one, int64(at)); err != nil {
			wants(t, "read of the damaged byte", err, blob.ErrCorrupt)
		} else if one[0] != data[at] {
			t.Error("a reader gave a wrong byte")
		}
		_ = again.Close()
	}
}

func testPutHeals(t *testing.T, s Target) {
	data := Content(100<<10, 1)
	ref := Put(t, s.Store, data)
	s.Alter(t, ref, func(b []byte) []byte { b[5] ^= 1; return b })
	if _, err := s.Store.Verify(t.Context(), ref); !errors.Is(err, blob.ErrCorrupt) {
		t.Fatalf("damaged: %v", err)
	}
	Put(t, s.Store, data)
	if _, err := s.Store.Verify(t.Context(), ref); err != nil {
		t.Errorf("put again: %v", err)
	}
}

func testConcurrent(t *testing.T, s Target) {
	ctx := t.Context()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			data := Content(400<<10+i%3, byte(i%3)) // several put the same
			for range 3 {
				info, err := s.Store.Put(ctx, bytes.NewReader(data))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := blob.ReadAll(ctx, s.Store, info.Ref, 1<<20)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("read back %d bytes, %v", len(got), err)
				}
			}
		})
	}
	wait.Wait()
	ref := Put(t, s.Store, Content(500<<10, 7))
	r, err := s.Store.Open(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		wait.Go(func() {
			got := make([]byte, 1000)
			off := int64(i) * 120 << 10
			if _, err := r.ReadAt(got, off); err != nil || !bytes.Equal(got, Content(500<<10, 7)[off:off+1000]) {
				t.Errorf("ReadAt %d: %v, or other bytes", off, err)
			}
		})
	}
	wait.Wait()
	_ = r.Close()
}

func testReadAll(t *testing.T, s Target) {
	ctx := t.Context()
	data := Content(1000, 1)
	ref := Put(t, s.Store, data)
	if got, err := blob.ReadAll(ctx, s.Store, ref, 1000); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := blob.ReadAll(ctx, s.Store, ref, 999); err == nil {
		t.Error("more than the limit was read")
	}
	_, err := blob.ReadAll(ctx, s.Store, blob.Ref{}, 1)
	wants(t, "read what is missing", err, blob.ErrNotFound)
}
