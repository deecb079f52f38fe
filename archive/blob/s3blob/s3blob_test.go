package s3blob_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"yinxin/archive/blob"
	"yinxin/archive/blob/blobtest"
	"yinxin/archive/blob/s3blob"
	"yinxin/archive/blob/s3blob/s3test"
)

func open(t *testing.T, c s3blob.Config) *s3blob.Store {
	t.Helper()
	s, err := s3blob.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStore: the same suite that files pass, on a real server.
func TestStore(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	blobtest.Run(t, func(t *testing.T) blobtest.Target {
		c := server.Bucket(t)
		object := func(ref blob.Ref) string { return filepath.Join(server.Buckets, c.Bucket, c.Prefix, ref.String()) }
		return blobtest.Target{
			Store: open(t, c),
			Alter: func(t *testing.T, ref blob.Ref, change func([]byte) []byte) {
				t.Helper()
				data, err := os.ReadFile(object(ref))
				if err != nil {
					t.Fatal(err)
				}
				if data = change(data); data == nil {
					err = os.Remove(object(ref))
				} else {
					err = os.WriteFile(object(ref), data, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			Unfinished: func(t *testing.T) int {
				t.Helper()
				left, err := filepath.Glob(filepath.Join(c.Dir, "copies-*", ".tmp-*"))
				if err != nil {
					t.Fatal(err)
				}
				return len(left)
			},
		}
	})
}

// TestWrittenOnce: a second Put of the same bytes writes nothing, and every first write says that it must be the first.
func TestWrittenOnce(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	c := server.Bucket(t)
	behind, err := url.Parse(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	var conditional, plain, parts atomic.Int64
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Host = r.In.Host // it is signed
	}}
	front := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Query().Has("partNumber"):
			parts.Add(1)
		case r.Method == http.MethodPut, r.Method == http.MethodPost && r.URL.Query().Has("uploadId"):
			if r.Header.Get("If-None-Match") == "*" {
				conditional.Add(1)
			} else {
				plain.Add(1)
			}
		}
		proxy.ServeHTTP(w, r)
	})
	c.Endpoint = front
	s := open(t, c)
	small, large := blobtest.Content(1000, 1), blobtest.Content(13<<20, 2)
	for range 2 {
		blobtest.Put(t, s, small)
		ref := blobtest.Put(t, s, large)
		got, err := blob.ReadAll(t.Context(), s, ref, 1<<30)
		if err != nil || !bytes.Equal(got, large) {
			t.Fatalf("read back %d bytes: %v", len(got), err)
		}
	}
	if plain.Load() != 0 || conditional.Load() != 2 || parts.Load() != 3 {
		t.Errorf("%d conditional and %d plain writes, %d parts", conditional.Load(), plain.Load(), parts.Load())
	}
}

// TestCopiesAreBounded: copies that were read least recently go, open readers go on, and dead processes leave nothing.
func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	c := s3test.Start(t).Bucket(t)
	c.Copies = 250_000
	stale := filepath.Join(c.Dir, "copies-dead")
	if err := os.MkdirAll(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, c)
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead process's copies: %v", err)
	}
	var readers []blob.Reader
	for i := range 6 {
		ref := blobtest.Put(t, s, blobtest.Content(100_000, byte(i)))
		r, err := s.Open(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, r)
	}
	kept, err := filepath.Glob(filepath.Join(c.Dir, "copies-*", "blobs", "??", "*"))
	if err != nil || len(kept) != 2 {
		t.Errorf("%d copies are kept, %v", len(kept), err)
	}
	for i, r := range readers {
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, blobtest.Content(100_000, byte(i))) {
			t.Errorf("reader %d: %d bytes, %v", i, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	open(t, c) // another process on the same folder
	if _, err := os.Stat(filepath.Dir(filepath.Dir(filepath.Dir(kept[0])))); err != nil {
		t.Errorf("it took the copies of a living one: %v", err)
	}
	runtime.KeepAlive(s) // its lock ends with it
}

// TestRefusedAndAway: a wrong secret, no bucket and no server are told apart, and no secret stands in an error.
func TestRefusedAndAway(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	good := server.Bucket(t)
	for name, change := range map[string]func(*s3blob.Config){
		"wrong secret": func(c *s3blob.Config) { c.SecretKey = "a canary that nobody may see" },
		"no bucket":    func(c *s3blob.Config) { c.Bucket = "no-such-bucket" },
		"no server":    func(c *s3blob.Config) { c.Endpoint = "http://127.0.0.1:1" },
		"no URL":       func(c *s3blob.Config) { c.Endpoint = "127.0.0.1:9000" },
		"no CA":        func(c *s3blob.Config) { c.CA = []byte("nonsense") },
	} {
		c := good
		change(&c)
		_, err := s3blob.Open(t.Context(), c)
		if err == nil {
			t.Errorf("%s: opened", name)
		} else if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), good.SecretKey) {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
		if errors.Is(err, blob.ErrNotFound) != (name == "no bucket") || errors.Is(err, s3blob.ErrDenied) != (name == "wrong secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// newServer serves until the test ends.
func newServer(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
