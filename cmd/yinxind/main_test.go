package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFaultsSayWhatIsWrong: every wrong start has its exit code and a sentence, and leaves no folder behind.
func TestFaultsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("offices: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hub := filepath.Join(dir, "hub")
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown command", []string{"frob"}, exitUsage, `unknown command "frob"`},
		{"unknown flag", []string{"dev", "--frob"}, exitUsage, "--frob"},
		{"unknown flag of the root", []string{"--frob"}, exitUsage, "--frob"},
		{"an argument", []string{"dev", "here"}, exitUsage, "takes no arguments"},
		{"help of nothing", []string{"help", "frob"}, exitUsage, `unknown command "frob"`},
		{"open to the world", []string{"dev", "--dir", hub, "--listen", "0.0.0.0:0"}, exitUsage, "loopback"},
		{"no setup", []string{"dev", "--dir", hub, "--setup", filepath.Join(dir, "none.yaml")}, exitNotFound, "none.yaml"},
		{"a setup that is none", []string{"dev", "--dir", hub, "--setup", bad}, exitNotFound, "bad.yaml"},
		{"a folder that is a file", []string{"dev", "--dir", bad, "--listen", "127.0.0.1:0"}, exitRefused, "bad.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, form := range [][]string{nil, {"--json"}} {
				var stderr strings.Builder
				e := &env{stdout: io.Discard, stderr: &stderr, now: time.Now, rand: rand.Reader}
				code := run(t.Context(), append(tt.args, form...), e)
				text := stderr.String()
				if len(form) > 0 {
					var p struct{ Code, Detail string }
					if err := json.Unmarshal([]byte(text), &p); err != nil || p.Code == "" {
						t.Errorf("%q is no problem object: %v", text, err)
					}
					text = p.Detail
				}
				if code != tt.code || !strings.Contains(text, tt.want) {
					t.Errorf("exit %d, %q; want %d and %q", code, stderr.String(), tt.code, tt.want)
				}
				if _, err := os.Stat(hub); err == nil {
					t.Error("it left a folder")
				}
			}
		})
	}
}

// TestDevIsOneOnly: a second hub on the folder or on the port is refused with a reason, and the first goes on; --json says
// where it is; and it ends with 0.
func TestDevIsOneOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hub")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		e := &env{stdout: in, stderr: io.Discard, now: time.Now, rand: rand.Reader}
		ended <- run(ctx, []string{"dev", "--dir", dir, "--listen", "127.0.0.1:0", "--json"}, e)
		in.Close()
	}()
	var hello struct {
		Address  string
		Accounts []struct{ Account, Secret string }
	}
	if err := json.NewDecoder(out).Decode(&hello); err != nil {
		t.Fatal(err)
	}
	address, found := strings.CutPrefix(hello.Address, "http://127.0.0.1:")
	if !found || len(hello.Accounts) == 0 || hello.Accounts[0].Secret == "" {
		t.Fatalf("it says %+v", hello)
	}
	for name, args := range map[string][]string{
		"--dir":    {"dev", "--dir", dir, "--listen", "127.0.0.1:0"},
		"--listen": {"dev", "--dir", filepath.Join(t.TempDir(), "other"), "--listen", "127.0.0.1:" + address},
	} {
		var stderr bytes.Buffer
		e := &env{stdout: io.Discard, stderr: &stderr, now: time.Now, rand: rand.Reader}
		if code := run(t.Context(), args, e); code != exitRefused || !strings.Contains(stderr.String(), "in use by another process") ||
			!strings.Contains(stderr.String(), name) {
			t.Errorf("%s: exit %d, %q", name, code, stderr.String())
		}
	}
	if c, err := net.DialTimeout("tcp", "127.0.0.1:"+address, time.Second); err != nil {
		t.Errorf("the first is gone: %v", err)
	} else {
		c.Close()
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("it ends with %d", code)
	}
}

// TestDevStopsAtAnyTime: whenever the signal comes, before, during or after the start, the code is 0, and the next start
// finds a folder that it can go on with.
func TestDevStopsAtAnyTime(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "hub")
	for _, after := range []time.Duration{0, time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 2 * time.Second} {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(after, cancel)
		var stderr lockedBuffer
		e := &env{stdout: io.Discard, stderr: &stderr, now: time.Now, rand: rand.Reader}
		if code := run(ctx, []string{"dev", "--dir", dir, "--listen", "127.0.0.1:0"}, e); code != 0 {
			t.Errorf("stopped after %s: exit %d, %s", after, code, stderr.String())
		}
		if strings.Contains(stderr.String(), "yinxind: ") {
			t.Errorf("stopped after %s it complains: %s", after, stderr.String())
		}
		timer.Stop()
		cancel()
	}
}

// lockedBuffer is written to by the parts of a hub at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
