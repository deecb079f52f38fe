package stream_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yinxin/crypto/gm"
	"yinxin/crypto/stream"
	"yinxin/testvectors/boundtest"
)

const (
	chunk  = stream.ChunkSize
	sealed = stream.ChunkSize + stream.TagSize
	head   = stream.HeaderSize
)

// edges are the sizes at which chunk logic goes wrong.
var edges = []int{0, 1, 15, 16, 17, chunk - 1, chunk, chunk + 1, 2*chunk - 1, 2 * chunk, 2*chunk + 1, 3*chunk + 7}

func fileKey() []byte { return []byte("a 16-byte secret") }

func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i>>16) ^ byte(i>>8) ^ byte(i)
	}
	return p
}

func mustSeal(t testing.TB, plain []byte) ([]byte, [32]byte) {
	t.Helper()
	var out bytes.Buffer
	w, err := stream.NewWriter(&out, fileKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Size() != int64(len(plain)) {
		t.Fatalf("size %d, wrote %d", w.Size(), len(plain))
	}
	return out.Bytes(), w.Root()
}

func open(ct, key []byte) ([]byte, [32]byte, error) {
	r, err := stream.NewReader(bytes.NewReader(ct), key)
	if err != nil {
		return nil, [32]byte{}, err
	}
	plain, err := io.ReadAll(r)
	return plain, r.Root(), err
}

func TestRoundTrip(t *testing.T) {
	for _, n := range edges {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			plain := pattern(n)
			ct, root := mustSeal(t, plain)
			if got := stream.EncryptedSize(int64(n)); got != int64(len(ct)) {
				t.Errorf("EncryptedSize %d, is %d", got, len(ct))
			}
			if got, err := stream.PlainSize(int64(len(ct))); err != nil || got != int64(n) {
				t.Errorf("PlainSize %d, %v", got, err)
			}
			got, readRoot, err := open(ct, fileKey())
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%d bytes back, %v", len(got), err)
			}
			keyless, size, err := stream.RootOf(iotest.OneByteReader(bytes.NewReader(ct)))
			if err != nil || size != int64(n) {
				t.Fatalf("RootOf: size %d, %v", size, err)
			}
			if root != readRoot || root != keyless || root == [32]byte{} {
				t.Errorf("roots differ: writer %x, reader %x, without key %x", root, readRoot, keyless)
			}
		})
	}
}

// TestWritesInPieces: the same bytes in whatever pieces give the same stream.
func TestWritesInPieces(t *testing.T) {
	plain := pattern(2*chunk + 100)
	salt := bytes.Repeat([]byte{9}, stream.SaltSize)
	var want []byte
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		w, err := stream.NewWriter(&out, fileKey(), bytes.NewReader(salt))
		if err != nil {
			t.Fatal(err)
		}
		for rest := plain; len(rest) > 0; {
			n := min(len(rest), rapid.SampledFrom([]int{1, 100, chunk - 1, chunk, chunk + 1, 3 * chunk}).Draw(t, "n"))
			if n == 1 && len(rest) > chunk {
				n = 5000 // single bytes only at the end, for the sake of time
			}
			if got, err := w.Write(rest[:n]); got != n || err != nil {
				t.Fatalf("wrote %d of %d, %v", got, n, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = bytes.Clone(out.Bytes())
		}
		if !bytes.Equal(want, out.Bytes()) {
			t.Fatal("stream depends on the pieces")
		}
	})
}

// TestLayout holds the code to the package comment: key derivation, nonces and root, computed here by hand.
func TestLayout(t *testing.T) {
	plain := pattern(chunk + 5)
	ct, root := mustSeal(t, plain)
	key, err := gm.HKDF(fileKey(), ct[:16], "payload", 16)
	if err != nil {
		t.Fatal(err)
	}
	check, err := gm.HKDF(fileKey(), ct[:16], "key check", 32)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := gm.NewSM4GCM(key)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, 12)
	want := append(bytes.Clone(ct[:16]), check...)
	want = aead.Seal(want, nonce, plain[:chunk], nil)
	tag0 := bytes.Clone(want[len(want)-16:])
	nonce[10], nonce[11] = 1, 1
	want = aead.Seal(want, nonce, plain[chunk:], nil)
	if !bytes.Equal(want, ct) {
		t.Error("stream is not laid out as documented")
	}
	sum := gm.SM3([]byte("yinxin stream 1\n"), ct[:48], tag0, ct[len(ct)-16:], []byte{0, 0, 0, 0, 0, 1, 0, 5})
	if sum != root {
		t.Error("root is not computed as documented")
	}
}

// corruption is one way to spoil the stream of three chunks (the last short) that TestCorruptions makes.
type corruption struct {
	name  string
	spoil func(ct []byte) []byte
	want  error
	// layout: RootOf sees it too, since the sizes alone are wrong.
	layout bool
}

func corruptions() []corruption {
	cut := func(n int) func([]byte) []byte { return func(ct []byte) []byte { return ct[:n] } }
	flip := func(i int) func([]byte) []byte {
		return func(ct []byte) []byte {
			if i < 0 {
				i += len(ct)
			}
			ct[i] ^= 1
			return ct
		}
	}
	return []corruption{
		{"nothing", func(ct []byte) []byte { return ct }, nil, false},
		{"empty", cut(0), stream.ErrTruncated, true},
		{"inside the salt", cut(7), stream.ErrTruncated, true},
		{"inside the header", cut(head - 1), stream.ErrTruncated, true},
		{"after the header", cut(head), stream.ErrTruncated, true},
		{"inside the first tag", cut(head + 15), stream.ErrTruncated, true},
		{"inside the first chunk", cut(head + 1000), stream.ErrAuthentication, false},
		{"after the first chunk", cut(head + sealed), stream.ErrTruncated, false},
		{"after the second chunk", cut(head + 2*sealed), stream.ErrTruncated, false},
		{"inside the last tag, less than a tag left", cut(head + 2*sealed + 9), stream.ErrTruncated, true},
		{"last chunk cut to an empty one", cut(head + 2*sealed + 16), stream.ErrEmptyChunk, true},
		{"last byte cut off", func(ct []byte) []byte { return ct[:len(ct)-1] }, stream.ErrAuthentication, false},
		{"byte appended", func(ct []byte) []byte { return append(ct, 0) }, stream.ErrAuthentication, false},
		{"chunk appended", func(ct []byte) []byte { return append(ct, make([]byte, sealed)...) }, stream.ErrAuthentication, false},
		{"stream appended", func(ct []byte) []byte { return append(ct, ct...) }, stream.ErrAuthentication, false},
		{"salt changed", flip(0), stream.ErrWrongKey, false},
		{"key check changed", flip(20), stream.ErrWrongKey, false},
		{"first chunk changed", flip(head), stream.ErrAuthentication, false},
		{"first tag changed", flip(head + sealed - 1), stream.ErrAuthentication, false},
		{"last tag changed", flip(-1), stream.ErrAuthentication, false},
		{"chunks exchanged", func(ct []byte) []byte {
			a := bytes.Clone(ct[head : head+sealed])
			copy(ct[head:], ct[head+sealed:head+2*sealed])
			copy(ct[head+sealed:], a)
			return ct
		}, stream.ErrReordered, false},
		{"chunk dropped", func(ct []byte) []byte { return append(ct[:head], ct[head+sealed:]...) }, stream.ErrReordered, false},
		{"chunk doubled", func(ct []byte) []byte {
			return append(bytes.Clone(ct[:head+sealed]), ct[head:]...)
		}, stream.ErrReordered, false},
	}
}

func TestCorruptions(t *testing.T) {
	plain := pattern(2*chunk + 100)
	good, root := mustSeal(t, plain)
	for _, tt := range corruptions() {
		t.Run(tt.name, func(t *testing.T) {
			ct := tt.spoil(bytes.Clone(good))
			got, _, err := open(ct, fileKey())
			if !errors.Is(err, tt.want) {
				t.Errorf("read: %v, want %v", err, tt.want)
			}
			if errors.Is(err, stream.ErrReordered) && !errors.Is(err, stream.ErrAuthentication) {
				t.Errorf("read: %v is not told as a chunk that is not authentic", err)
			}
			if !bytes.HasPrefix(plain, got) {
				t.Error("plaintext that is not authentic has left")
			}
			spoiltRoot, _, err := stream.RootOf(bytes.NewReader(ct))
			if tt.layout != (err != nil) || err != nil && !errors.Is(err, tt.want) {
				t.Errorf("RootOf: %v", err)
			}
			changesNoTag := tt.want == nil || tt.name == "first chunk changed"
			if !tt.layout && (spoiltRoot == root) != changesNoTag {
				t.Errorf("root tells the change: %v", spoiltRoot != root)
			}
			if _, err := readAllAt(ct); !errors.Is(err, tt.want) {
				t.Errorf("random access: %v, want %v", err, tt.want)
			}
		})
	}
}

func readAllAt(ct []byte) ([]byte, error) {
	r, err := stream.OpenAt(bytes.NewReader(ct), int64(len(ct)), fileKey())
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
}

// TestTrailingChunk: after a last chunk that fills a whole chunk, more data is named as what it is.
func TestTrailingChunk(t *testing.T) {
	ct, _ := mustSeal(t, pattern(chunk))
	for _, extra := range []int{1, 16, 1000, sealed} {
		if _, _, err := open(append(bytes.Clone(ct), make([]byte, extra)...), fileKey()); !errors.Is(err, stream.ErrTrailingData) {
			t.Errorf("%d bytes after the last chunk: %v", extra, err)
		}
		if _, err := readAllAt(append(bytes.Clone(ct), make([]byte, extra)...)); !errors.Is(err, stream.ErrTrailingData) {
			t.Errorf("%d bytes after the last chunk, random access: %v", extra, err)
		}
	}
	if got, _, err := open(ct, fileKey()); err != nil || len(got) != chunk {
		t.Errorf("without them: %d bytes, %v", len(got), err)
	}
}

func TestWrongKey(t *testing.T) {
	ct, _ := mustSeal(t, pattern(10))
	for _, tt := range []struct {
		key  []byte
		want error
	}{{fileKey(), nil}, {make([]byte, 16), stream.ErrWrongKey}, {fileKey()[:15], stream.ErrKeySize}, {nil, stream.ErrKeySize}} {
		if _, _, err := open(ct, tt.key); !errors.Is(err, tt.want) {
			t.Errorf("read with key %x: %v, want %v", tt.key, err, tt.want)
		}
		if _, err := stream.OpenAt(bytes.NewReader(ct), int64(len(ct)), tt.key); !errors.Is(err, tt.want) {
			t.Errorf("random access with key %x: %v, want %v", tt.key, err, tt.want)
		}
	}
	if _, err := stream.NewWriter(io.Discard, make([]byte, 32), nil); !errors.Is(err, stream.ErrKeySize) {
		t.Errorf("write with 32 bytes: %v", err)
	}
}

func TestReadAt(t *testing.T) {
	plain := pattern(3*chunk + 7)
	ct, _ := mustSeal(t, plain)
	r, err := stream.OpenAt(bytes.NewReader(ct), int64(len(ct)), fileKey())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		off := rapid.Int64Range(0, int64(len(plain))+10).Draw(t, "off")
		p := make([]byte, rapid.IntRange(0, 2*chunk).Draw(t, "n"))
		n, err := r.ReadAt(p, off)
		want := plain[min(off, int64(len(plain))):]
		want = want[:min(len(want), len(p))]
		if diff := cmp.Diff(len(want), n); diff != "" || !bytes.Equal(p[:n], want) {
			t.Fatalf("at %d: %s", off, diff)
		}
		if short := n < len(p); short != errors.Is(err, io.EOF) || !short && err != nil {
			t.Fatalf("at %d, %d of %d: %v", off, n, len(p), err)
		}
	})
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("negative offset")
	}
}

// TestReadAtTogether reads one stream from several goroutines.
func TestReadAtTogether(t *testing.T) {
	plain := pattern(4*chunk + 3)
	ct, _ := mustSeal(t, plain)
	r, err := stream.OpenAt(bytes.NewReader(ct), int64(len(ct)), fileKey())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for off := i * 1000; off < len(plain); off += chunk / 2 {
				p := make([]byte, min(100, len(plain)-off))
				if _, err := r.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, plain[off:off+len(p)]) {
					t.Errorf("at %d: %v", off, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestReadAtChecks: a chunk in the middle is authenticated when it is read.
func TestReadAtChecks(t *testing.T) {
	ct, _ := mustSeal(t, pattern(3*chunk))
	ct[head+sealed+5] ^= 1
	r, err := stream.OpenAt(bytes.NewReader(ct), int64(len(ct)), fileKey())
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	if _, err := r.ReadAt(p, chunk+100); !errors.Is(err, stream.ErrAuthentication) {
		t.Errorf("spoilt chunk: %v", err)
	}
	if n, err := r.ReadAt(p, 2*chunk); n != 10 || err != nil {
		t.Errorf("good chunk afterwards: %d, %v", n, err)
	}
}

func TestPlainSizeRefuses(t *testing.T) {
	for n, want := range map[int64]error{
		0: stream.ErrTruncated, head: stream.ErrTruncated, head + 15: stream.ErrTruncated, head + 16: nil, head + 17: nil,
		head + sealed: nil, head + sealed + 1: stream.ErrTruncated, head + sealed + 16: stream.ErrEmptyChunk, head + sealed + 17: nil,
		1 << 62: stream.ErrTooLarge, -1: stream.ErrTruncated,
	} {
		if _, err := stream.PlainSize(n); !errors.Is(err, want) {
			t.Errorf("PlainSize(%d): %v, want %v", n, err, want)
		}
	}
}

// TestWriterErrors: a failing writer, a failing random source and use after Close are errors that stay.
func TestWriterErrors(t *testing.T) {
	full := errors.New("disk full")
	if _, err := stream.NewWriter(failAfter(0, full), fileKey(), nil); !errors.Is(err, full) {
		t.Errorf("header: %v", err)
	}
	if _, err := stream.NewWriter(io.Discard, fileKey(), iotest.ErrReader(full)); !errors.Is(err, full) {
		t.Errorf("salt: %v", err)
	}
	w, err := stream.NewWriter(failAfter(1, full), fileKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(pattern(2 * chunk)); !errors.Is(err, full) {
		t.Errorf("chunk: %v", err)
	}
	if err := w.Close(); !errors.Is(err, full) || w.Root() != [32]byte{} {
		t.Errorf("close after a failed write: %v, root %x", err, w.Root())
	}
	w, err = stream.NewWriter(io.Discard, fileKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.Root() != [32]byte{} {
		t.Error("a root before Close")
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := w.Write([]byte{1}); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// failAfter lets n writes through.
func failAfter(n int, err error) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		if n--; n < 0 {
			return 0, err
		}
		return len(p), nil
	})
}

// TestReadError: an error underneath is handed on, not taken for the end.
func TestReadError(t *testing.T) {
	ct, _ := mustSeal(t, pattern(chunk+1))
	broken := errors.New("connection reset")
	for _, n := range []int{10, head, head + 100, head + sealed} {
		src := io.MultiReader(bytes.NewReader(ct[:n]), iotest.ErrReader(broken))
		r, err := stream.NewReader(src, fileKey())
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.Is(err, broken) {
			t.Errorf("error after %d bytes: %v", n, err)
		}
	}
}

// TestReadIntoLargeBuffer: chunks that are opened straight into the caller's bytes are the same bytes, and of one that is not
// authentic the caller's bytes hold nothing.
func TestReadIntoLargeBuffer(t *testing.T) {
	plain := pattern(3*chunk + 7)
	ct, root := mustSeal(t, plain)
	for _, size := range []int{chunk, chunk + 1, 2*chunk + 5, 4 * chunk} {
		r, err := stream.NewReader(bytes.NewReader(ct), fileKey())
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 11) // so that what follows is not in step with the chunks
		if _, err := io.ReadFull(r, first); err != nil {
			t.Fatal(err)
		}
		got, buf := first, make([]byte, size)
		for err == nil {
			var n int
			n, err = r.Read(buf)
			got = append(got, buf[:n]...)
		}
		if !errors.Is(err, io.EOF) || !bytes.Equal(got, plain) || r.Root() != root {
			t.Errorf("buffer of %d: %d bytes, %v", size, len(got), err)
		}
	}
	spoilt := bytes.Clone(ct)
	spoilt[head+sealed+5] ^= 1 // in the second chunk
	r, err := stream.NewReader(bytes.NewReader(spoilt), fileKey())
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, chunk)
	if n, err := r.Read(buf); n != chunk || err != nil {
		t.Fatalf("first chunk: %d, %v", n, err)
	}
	if n, err := r.Read(buf); n != 0 || !errors.Is(err, stream.ErrAuthentication) || !bytes.Equal(buf, make([]byte, chunk)) {
		t.Errorf("second chunk: %d, %v, or its plaintext is in the buffer", n, err)
	}
}

// FuzzReader: whatever the bytes, nothing panics, and what comes out whole also has the root that is computed without
// the key, the size, and the same bytes by random access.
func FuzzReader(f *testing.F) {
	for _, n := range []int{0, 1, 100} {
		ct, _ := mustSeal(f, pattern(n))
		f.Add(ct)
	}
	f.Fuzz(boundtest.Fuzz(100, func(t *testing.T, ct []byte) {
		plain, root, err := open(ct, fileKey())
		keyless, size, rootErr := stream.RootOf(bytes.NewReader(ct))
		at, atErr := readAllAt(ct)
		if err != nil {
			if atErr == nil {
				t.Fatalf("random access takes what the reader refuses: %v", err)
			}
			return
		}
		if rootErr != nil || root != keyless || size != int64(len(plain)) || atErr != nil || !bytes.Equal(at, plain) {
			t.Fatalf("disagree: %v, %v, size %d of %d", rootErr, atErr, size, len(plain))
		}
	}))
}

// The benchmarks run raw SM4-GCM beside the stream, so that the ratio is of the same run and machine.

func BenchmarkGCMSeal(b *testing.B) {
	aead, err := gm.NewSM4GCM(fileKey())
	if err != nil {
		b.Fatal(err)
	}
	plain, out := pattern(1<<20), make([]byte, 0, 1<<20+16)
	nonce := make([]byte, 12)
	b.SetBytes(1 << 20)
	for b.Loop() {
		out = aead.Seal(out[:0], nonce, plain, nil)
	}
}

// against runs act and then raw SM4-GCM over as many bytes, in turn, and reports both rates.
func against(b *testing.B, size int, act func()) {
	b.Helper()
	aead, err := gm.NewSM4GCM(fileKey())
	if err != nil {
		b.Fatal(err)
	}
	plain, out, nonce := pattern(1<<20), make([]byte, 0, 1<<20+16), make([]byte, 12)
	var acting, probing time.Duration
	for b.Loop() {
		start := time.Now()
		act()
		middle := time.Now()
		for range size >> 20 {
			out = aead.Seal(out[:0], nonce, plain, nil)
		}
		acting += middle.Sub(start)
		probing += time.Since(middle)
	}
	rate := func(d time.Duration) float64 { return float64(size) * float64(b.N) / 1e6 / d.Seconds() }
	b.ReportMetric(rate(acting), "MB/s")
	b.ReportMetric(rate(probing), "probe-MB/s")
}

// BenchmarkWriter encrypts; the probe is SM4-GCM in calls of 1 MiB.
func BenchmarkWriter(b *testing.B) {
	plain := pattern(16 << 20)
	w, err := stream.NewWriter(io.Discard, fileKey(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	against(b, len(plain), func() {
		if _, err := w.Write(plain); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkReader decrypts; the probe is SM4-GCM in calls of 1 MiB.
func BenchmarkReader(b *testing.B) {
	ct, _ := mustSeal(b, pattern(16<<20))
	buf := make([]byte, 256<<10)
	against(b, 16<<20, func() {
		r, err := stream.NewReader(bytes.NewReader(ct), fileKey())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(io.Discard, r, buf); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkRootOf(b *testing.B) {
	ct, _ := mustSeal(b, pattern(16<<20))
	b.SetBytes(16 << 20)
	for b.Loop() {
		if _, _, err := stream.RootOf(bytes.NewReader(ct)); err != nil {
			b.Fatal(err)
		}
	}
}
