package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/archive/witness"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// serveLog serves a log's files as any web server would.
func serveLog(t *testing.T, l *tlogtest.Log) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := l.Files.Fetch(r.Context(), strings.TrimPrefix(r.URL.Path, "/log/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		if _, err := w.Write(data); err != nil {
			t.Log(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/log"
}

// witnessKeys is a key store with one witness's key.
func witnessKeys(t *testing.T) (dir, passphrase string) {
	t.Helper()
	dir, passphrase = filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(passphrase, []byte("only for this test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := filekeys.Create(t.Context(), dir, []byte("only for this test"), filekeys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Create(t.Context(), keys.CreateOptions{Name: "witness", Purpose: keys.PurposeCheckpoint},
		keys.CreateOptions{Name: "clerk", Purpose: keys.PurposeSign})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	return dir, passphrase
}

// startWitness runs yinxind witness until the returned function is called.
func startWitness(t *testing.T, stderr io.Writer, args ...string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	e := &env{stdout: in, stderr: stderr, now: time.Now, rand: rand.Reader}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"witness", "--listen", "127.0.0.1:0", "--interval", "20ms"}, args...), e)
		in.Close()
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("it says nothing and ends with %d", <-ended)
	}
	url, found := strings.CutPrefix(lines.Text(), "ready ")
	if !found {
		t.Fatalf("it says %q", lines.Text())
	}
	return url, func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("it ends with %d", code)
		}
	}
}

// TestWitness: the command follows a log over HTTP, goes on after a restart, and refuses the log's other history.
func TestWitness(t *testing.T) {
	l := tlogtest.NewLog(t, "hub.example/log")
	l.Grow(t, "entry", 300)
	keyDir, passphrase := witnessKeys(t)
	dir := t.TempDir()
	vkey := filepath.Join(dir, "log.vkey")
	if err := os.WriteFile(vkey, []byte(l.Key.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "witness")
	args := func(follow string) []string {
		return []string{
			"--dir", state, "--name", "w.example", "--keys", "files:" + keyDir, "--password-file", passphrase, "--log", vkey, "--follow", follow,
		}
	}
	url, stop := startWitness(t, t.Output(), args(serveLog(t, l))...)
	text, err := os.ReadFile(filepath.Join(state, "witness.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := tlog.ParseCosignatory(string(text))
	if err != nil {
		t.Fatal(err)
	}
	client := &witness.Client{URL: url, HTTP: http.DefaultClient}
	waitFor(t, client, key, 300)
	l.Grow(t, "entry", 5)
	waitFor(t, client, key, 305)
	stop()

	fork := l.Twin(t)
	fork.Grow(t, "other", 400)
	var said lockedBuffer
	url, stop = startWitness(t, &said, args(serveLog(t, fork))...)
	client.URL = url
	deadline := time.Now().Add(10 * time.Second)
	for !strings.Contains(said.String(), "CONTRADICTS ITSELF") {
		if time.Now().After(deadline) {
			t.Fatalf("no alarm: %s", said.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	waitFor(t, client, key, 305)                                            // it stays at what it signed
	notes, err := filepath.Glob(filepath.Join(state, "evidence", "*.note")) // it may just write one once more
	if err != nil || len(notes) != 2 {
		t.Errorf("evidence %v, %v", notes, err)
	}
	stop()
}

func waitFor(t *testing.T, client *witness.Client, key *tlog.Cosignatory, size uint64) {
	t.Helper()
	var last error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		note, err := client.Checkpoint(t.Context(), "hub.example/log")
		if last = err; err != nil {
			continue
		}
		c, err := tlog.ParseCheckpoint(note)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := tlog.Cosignatures(note, key)
		if err != nil || len(lines) != 1 {
			t.Fatalf("%v, %v", lines, err)
		}
		if c.Size == size {
			return
		}
	}
	t.Fatalf("size %d was not cosigned: %v", size, last)
}

func TestWitnessRefusesToStart(t *testing.T) {
	l := tlogtest.NewLog(t, "hub.example/log")
	keyDir, passphrase := witnessKeys(t)
	dir := t.TempDir()
	vkey := filepath.Join(dir, "log.vkey")
	if err := os.WriteFile(vkey, []byte(l.Key.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	good := func(more ...string) []string {
		return append([]string{
			"witness", "--dir", filepath.Join(dir, "w"), "--name", "w.example", "--keys", "files:" + keyDir,
			"--password-file", passphrase, "--log", vkey, "--listen", "127.0.0.1:0",
		}, more...)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", []string{"witness"}, 2, "--name"},
		{"open to the world", good("--listen", "0.0.0.0:0"), 2, "loopback"},
		{"a name that is none", good("--name", "two words"), 2, "name"},
		{"a key for signing", good("--key", "clerk"), 5, "purpose"},
		{"a log that is no address", good("--follow", "ftp://x"), 2, "--follow"},
		{"no such log key", good("--log", filepath.Join(dir, "none")), 4, "none"},
		{"a log key that is none", good("--log", passphrase), 4, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stderr strings.Builder
			e := &env{stdout: io.Discard, stderr: &stderr, now: time.Now, rand: rand.Reader}
			if code := run(t.Context(), tt.args, e); code != tt.code || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("exit %d, %q; want %d and %q", code, stderr.String(), tt.code, tt.want)
			}
		})
	}
}
