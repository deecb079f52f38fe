package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
)

// testStage: what Sync promised is there for the next one, what it did not promise is gone, and the whole becomes a blob.
func testStage(t *testing.T, s Target) {
	ctx := context.Background()
	want := Content(200_000, 7)
	one := stage(t, s, "an-upload", "", 0)
	write(t, one, want[:120_000])
	mark, err := one.Sync(ctx, 120_000)
	if err != nil {
		t.Fatal(err)
	}
	write(t, one, []byte("never promised"))
	closed(t, one)
	two := stage(t, s, "an-upload", mark, 120_000)
	got := make([]byte, 1000)
	if _, err := two.ReadAt(got, 119_000); err != nil || !bytes.Equal(got, want[119_000:120_000]) {
		t.Errorf("what was promised is not there: %v", err)
	}
	write(t, two, want[120_000:])
	if mark, err = two.Sync(ctx, int64(len(want))); err != nil {
		t.Fatal(err)
	}
	if found, err := s.Store.List(ctx, blob.Ref{}, 10); err != nil || len(found) != 0 {
		t.Errorf("staged content is listed: %v, %v", found, err)
	}
	closed(t, two)
	info := blob.Info{Ref: blob.Ref(gm.SM3(want)), Size: int64(len(want))}
	three := stage(t, s, "an-upload", mark, info.Size)
	if err := three.Keep(ctx, info); err != nil {
		t.Fatal(err)
	}
	closed(t, three)
	if data, err := blob.ReadAll(ctx, s.Store, info.Ref, 1<<20); err != nil || !bytes.Equal(data, want) {
		t.Errorf("the blob is not what was written: %v", err)
	}
	for range 2 {
		if err := s.Store.Unstage(ctx, "an-upload"); err != nil {
			t.Error(err)
		}
	}
	if st, err := s.Store.Stage(ctx, "an-upload", mark, info.Size); err == nil {
		_, err = st.ReadAt(got, 0)
		closed(t, st)
		if !errors.Is(err, blob.ErrCorrupt) && !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("content that was taken away is there: %v", err)
		}
	} else if !errors.Is(err, blob.ErrCorrupt) {
		t.Errorf("content that was taken away: %v", err)
	}
	for _, name := range []string{"../up", "UP", "a/b", "a.b"} {
		if _, err := s.Store.Stage(ctx, name, "", 0); !errors.Is(err, blob.ErrStageName) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
}

// testStageUnnamed: content of one call becomes a blob, or leaves nothing.
func testStageUnnamed(t *testing.T, s Target) {
	ctx := context.Background()
	want := Content(9<<20, 3)
	info := blob.Info{Ref: blob.Ref(gm.SM3(want)), Size: int64(len(want))}
	for _, keep := range []bool{false, true} {
		st := stage(t, s, "", "", 0)
		write(t, st, want)
		got := make([]byte, 100)
		if _, err := st.ReadAt(got, 5<<20); err != nil || !bytes.Equal(got, want[5<<20:5<<20+100]) {
			t.Errorf("what was written cannot be read: %v", err)
		}
		if keep {
			if err := st.Keep(ctx, info); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, st)
		if _, err := s.Store.Verify(ctx, info.Ref); (err == nil) != keep {
			t.Errorf("kept %v: %v", keep, err)
		}
	}
	if n := s.Unfinished(t); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

func stage(t *testing.T, s Target, name, mark string, size int64) blob.Staged {
	t.Helper()
	st, err := s.Store.Stage(context.Background(), name, mark, size)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func write(t *testing.T, w io.Writer, data []byte) {
	t.Helper()
	if n, err := w.Write(data); err != nil || n != len(data) {
		t.Fatalf("wrote %d of %d: %v", n, len(data), err)
	}
}

func closed(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
