package witness_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/archive/witness"
	"yinxin/crypto/gm"
)

const origin = "hub.example/log"

var now = time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)

// config makes a witness's configuration with a new key.
func config(t testing.TB, logs ...*tlog.Verifier) witness.Config {
	t.Helper()
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tlog.NewCosigner("witness.example", key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return witness.Config{Dir: t.TempDir(), Key: signer, Logs: logs, Clock: func() time.Time { return now }}
}

func open(t testing.TB, c witness.Config) *witness.Witness {
	t.Helper()
	w, err := witness.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

// TestFollows: a witness cosigns a log as it grows, and each cosignature verifies with its time.
func TestFollows(t *testing.T) {
	t.Parallel()
	l := tlogtest.NewLog(t, origin)
	c := config(t, l.Key)
	w := open(t, c)
	for _, n := range []int{1, 255, 300} {
		l.Grow(t, "entry", n)
		signed, err := w.Look(t.Context(), l.Files)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tlog.OpenCheckpoint(signed, l.Key); err != nil {
			t.Fatal(err)
		}
		got, err := tlog.Cosignatures(signed, w.Key())
		if err != nil || len(got) != 1 || !got[0].Time.Equal(now) || got[0].Witness != "witness.example" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	// Again: nothing new, a fresh time.
	if _, err := w.Look(t.Context(), l.Files); err != nil {
		t.Fatal(err)
	}
	if names, err := w.Evidence(); err != nil || len(names) != 0 {
		t.Errorf("evidence %v, %v", names, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSplitView (L-01, L-03): of a log with two histories a witness signs one, keeps both notes, and does so after a restart.
func TestSplitView(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		grow []int // the other history
		want error
	}{
		{"one size, two roots", []int{300}, tlog.ErrFork},
		{"a longer history that does not extend", []int{300, 50}, tlog.ErrFork},
		{"a shorter one", []int{20}, tlog.ErrStale},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := tlogtest.NewLog(t, origin)
			l.Grow(t, "entry", 300)
			c := config(t, l.Key)
			w := open(t, c)
			first, err := w.Look(t.Context(), l.Files)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w = open(t, c)
			other := l.Twin(t)
			other.Grow(t, "other", tt.grow...)
			for range 2 { // seen twice, it is kept once
				_, err = w.Look(t.Context(), other.Files)
				wantError(t, err, tt.want)
			}
			names, err := w.Evidence()
			if err != nil || len(names) != 2 {
				t.Fatalf("evidence %v, %v", names, err)
			}
			for _, name := range names {
				note, err := w.EvidenceNote(name)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tlog.OpenCheckpoint(note, l.Key); err != nil {
					t.Errorf("%s is no evidence: %v", name, err)
				}
			}
			if last, err := w.Last(origin); err != nil || !bytes.Equal(last, first) {
				t.Errorf("it moved on, %v", err)
			}
		})
	}
}

// TestRefusals: what is not proven is not signed, and changes nothing.
func TestRefusals(t *testing.T) {
	t.Parallel()
	l, stranger := tlogtest.NewLog(t, origin), tlogtest.NewLog(t, "other.example/log")
	l.Grow(t, "entry", 100, 100)
	stranger.Grow(t, "entry", 5)
	c := config(t, l.Key)
	w := open(t, c)
	opened := func(note []byte) tlog.Checkpoint {
		cp, err := tlog.ParseCheckpoint(note)
		if err != nil {
			t.Fatal(err)
		}
		return cp
	}
	if _, err := w.Add(t.Context(), 0, tlog.Extension{}, l.Notes[100]); err != nil {
		t.Fatal(err)
	}
	x, err := tlog.ProveExtension(t.Context(), l.Files, 100, opened(l.Notes[200]))
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Replace(l.Notes[200], []byte("\n200\n"), []byte("\n201\n"), 1)
	flipped := tlog.Extension{SM3: append([]tlog.Hash{}, x.SM3...), SHA256: x.SHA256}
	flipped.SM3[0][0] ^= 1
	for _, tt := range []struct {
		name string
		old  uint64
		x    tlog.Extension
		note []byte
		want error
	}{
		{"another log", 0, tlog.Extension{}, stranger.Notes[5], witness.ErrUnknownLog},
		{"a forged size", 100, x, forged, tlog.ErrSignature},
		{"no note", 100, x, []byte("x"), tlog.ErrMalformed},
		{"a flipped proof", 100, flipped, l.Notes[200], tlog.ErrProof},
		{"a missing hash", 100, tlog.Extension{SM3: x.SM3[1:], SHA256: x.SHA256}, l.Notes[200], tlog.ErrProof},
		{"an extra hash", 100, tlog.Extension{SM3: append(slices.Clip(x.SM3), x.SM3[0]), SHA256: x.SHA256}, l.Notes[200], tlog.ErrProof},
		{"one tree alone", 100, tlog.Extension{SM3: x.SM3}, l.Notes[200], tlog.ErrProof},
		{"a proof of the other hash", 100, tlog.Extension{SM3: x.SHA256, SHA256: x.SM3}, l.Notes[200], tlog.ErrProof},
	} {
		_, err := w.Add(t.Context(), tt.old, tt.x, tt.note)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	var old *witness.OldSizeError
	if _, err := w.Add(t.Context(), 0, tlog.Extension{}, l.Notes[200]); !errors.As(err, &old) || old.Known != 100 {
		t.Errorf("old size: %v", err)
	}
	if last, err := w.Last(origin); err != nil || opened(last).Size != 100 {
		t.Errorf("it moved on: %v", err)
	}
	if _, err := w.Add(t.Context(), 100, x, l.Notes[200]); err != nil {
		t.Errorf("the sound twin: %v", err)
	}
}

// TestStateIsTrusted: a witness does not start over a state that it did not sign, nor beside another process.
func TestStateIsTrusted(t *testing.T) {
	t.Parallel()
	l := tlogtest.NewLog(t, origin)
	l.Grow(t, "entry", 10)
	c := config(t, l.Key)
	w := open(t, c)
	if _, err := w.Look(t.Context(), l.Files); err != nil {
		t.Fatal(err)
	}
	if second, err := witness.Open(t.Context(), c); err == nil {
		t.Errorf("two witnesses in one folder: %v", second)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	other := config(t, l.Key)
	other.Dir = c.Dir
	_, err := witness.Open(t.Context(), other)
	wantError(t, err, tlog.ErrMalformed)
}

// TestOverHTTP: the hub feeds its witness, which says where the proof must begin; a fork comes back with both notes at hand.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	l := tlogtest.NewLog(t, origin)
	w := open(t, config(t, l.Key))
	server := httptest.NewServer(w.Handler(nil))
	t.Cleanup(server.Close)
	client := &witness.Client{URL: server.URL, HTTP: server.Client()}
	_, err := client.Checkpoint(t.Context(), origin)
	wantError(t, err, fs.ErrNotExist)
	l.Grow(t, "entry", 100, 500)
	for _, size := range []uint64{100, 600} {
		cosigned, err := client.Feed(t.Context(), l.Files, l.Notes[size], 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tlog.Cosignatures(cosigned, w.Key()); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	}
	fork := l.Twin(t)
	fork.Grow(t, "other", 600)
	_, err = client.Feed(t.Context(), fork.Files, fork.Notes[600], 600)
	wantError(t, err, tlog.ErrFork)
	if p, ok := errors.AsType[*witness.RefusalError](err); !ok {
		t.Errorf("%v is no refusal", err)
	} else {
		if _, err := tlog.OpenCheckpoint([]byte(p.Known), l.Key); err != nil {
			t.Errorf("the note that it contradicts: %v", err)
		}
	}
	for path, want := range map[string]string{"/key": w.Key().String(), "/logs": origin, "/evidence": "-after.note"} {
		if body := get(t, server, path); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
	for path, want := range map[string]int{"/evidence/none.note": 404, "/checkpoint?origin=none": 404, "/evidence/..%2Flock": 404} {
		resp, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

func get(t *testing.T, server *httptest.Server, path string) string {
	t.Helper()
	resp, err := server.Client().Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestKeysOfTwoKinds: a log's key is no witness's, and a cosignature is no log's signature.
func TestKeysOfTwoKinds(t *testing.T) {
	t.Parallel()
	l := tlogtest.NewLog(t, origin)
	l.Grow(t, "entry", 3)
	c := config(t, l.Key)
	if _, err := tlog.ParseCosignatory(l.Key.String()); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("a log's key as a witness's: %v", err)
	}
	if _, err := tlog.ParseVerifier(c.Key.String()); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("a witness's key as a log's: %v", err)
	}
	back, err := tlog.ParseCosignatory(c.Key.String() + "\n")
	if err != nil || back.String() != c.Key.String() {
		t.Errorf("%v, %v", back, err)
	}
	cp, err := tlog.ParseCheckpoint(l.Notes[3])
	if err != nil {
		t.Fatal(err)
	}
	line, err := c.Key.Cosign(cp, now)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := tlog.WithLines(l.Notes[3], line)
	if err != nil {
		t.Fatal(err)
	}
	// L-08: a flipped line of a known witness fails; of an unknown one it is ignored.
	at := len(signed) - 12
	signed[at] ^= 1
	if _, err := tlog.Cosignatures(signed, c.Key.Cosignatory); !errors.Is(err, tlog.ErrSignature) {
		t.Errorf("a flipped line: %v", err)
	}
	if got, err := tlog.Cosignatures(signed, config(t).Key.Cosignatory); err != nil || len(got) != 0 {
		t.Errorf("another witness: %v, %v", got, err)
	}
	if _, err := tlog.OpenCheckpoint(signed, l.Key); err != nil {
		t.Errorf("the log's own line: %v", err)
	}
}

func FuzzParseRequest(f *testing.F) {
	l := tlogtest.NewLog(f, origin)
	l.Grow(f, "entry", 3, 4)
	cp, err := tlog.ParseCheckpoint(l.Notes[7])
	if err != nil {
		f.Fatal(err)
	}
	x, err := tlog.ProveExtension(f.Context(), l.Files, 3, cp)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(witness.MarshalRequest(3, x, l.Notes[7]))
	f.Add([]byte("old 0\n\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		old, x, signed, err := witness.ParseRequest(data)
		if err == nil && !bytes.Equal(witness.MarshalRequest(old, x, signed), data) {
			t.Errorf("%q has a second spelling", data)
		}
	})
}
