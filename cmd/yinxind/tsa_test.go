package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// tsaWorld is a store with a certified time-stamp key and one that signs.
func tsaWorld(t *testing.T) (dir, passphrase string, pki *certtest.PKI) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "keys")
	passphrase = filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(passphrase, []byte("only for this test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := filekeys.Create(t.Context(), dir, []byte("only for this test"), filekeys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	infos, err := store.Create(t.Context(), keys.CreateOptions{Name: "tsa", Purpose: keys.PurposeTimestamp},
		keys.CreateOptions{Name: "clerk", Purpose: keys.PurposeSign}, keys.CreateOptions{Name: "bare", Purpose: keys.PurposeTimestamp})
	if err != nil {
		t.Fatal(err)
	}
	pki = certtest.New(t, "Root", time.Now())
	c, err := pki.IssueTimestamp(cert.Subject("TSA", "Test"), infos[0].Public, cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.ImportCertificate(t.Context(), keys.Ref{Name: "tsa"}, [][]byte{c.Raw, pki.Certificate.Raw}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, passphrase, pki
}

func TestTSA(t *testing.T) {
	dir, passphrase, pki := tsaWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	e := &env{stdout: in, stderr: t.Output(), now: time.Now, rand: rand.Reader}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"tsa", "--keys", "files:" + dir, "--password-file", passphrase, "--listen", "127.0.0.1:0"}, e)
		in.Close()
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("it says nothing")
	}
	url, found := strings.CutPrefix(lines.Text(), "ready ")
	if !found {
		t.Fatalf("it says %q", lines.Text())
	}
	client, err := tsp.NewClient(tsp.ClientOptions{URLs: []string{url}, Trust: pki.Policy(), Policy: tsp.PilotPolicy})
	if err != nil {
		t.Fatal(err)
	}
	token, err := client.Stamp(t.Context(), gm.SM3([]byte("a seal")), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if len(token.Certificates()) != 2 || token.Accuracy != time.Second {
		t.Errorf("%d certificates, accuracy %s", len(token.Certificates()), token.Accuracy)
	}
	stranger, err := tsp.NewClient(tsp.ClientOptions{URLs: []string{url}, Trust: certtest.New(t, "Root", time.Now()).Policy()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Stamp(t.Context(), gm.SM3([]byte("a seal")), time.Now()); !errors.Is(err, tsp.ErrUnavailable) {
		t.Errorf("a client that trusts another root: %v", err)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("it ends with %d", code)
	}
}

func TestTSARefusesToStart(t *testing.T) {
	dir, passphrase, _ := tsaWorld(t)
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := func(more ...string) []string {
		return append([]string{"tsa", "--keys", "files:" + dir, "--password-file", passphrase, "--listen", "127.0.0.1:0"}, more...)
	}
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no store", []string{"tsa"}, 2, "want files:DIR"},
		{"no passphrase", []string{"tsa", "--keys", "files:" + dir}, 2, "--password-file"},
		{"a wrong passphrase", good("--password-file", wrong), 5, "passphrase"},
		{"a key for signing", good("--key", "clerk"), 5, "purpose"},
		{"a key without certificate", good("--key", "bare"), 4, "certificate of key bare"},
		{"no such key", good("--key", "none"), 4, "none"},
		{"another's certificate", good("--cert", mustCert(t)), 5, "does not belong"},
		{"open to the world", good("--listen", "0.0.0.0:0"), 2, "loopback"},
		{"a policy that is none", good("--policy", "1.x"), 2, "object identifier"},
		{"a policy of one arc", good("--policy", "1"), 2, "object identifier"},
		{"accuracy below a millisecond", good("--accuracy", "1us"), 70, "accuracy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stderr strings.Builder
			e := &env{stdout: io.Discard, stderr: &stderr, now: time.Now, rand: rand.Reader}
			if code := run(t.Context(), tt.args, e); code != tt.code || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("exit %d, %q; want %d and %q", code, stderr.String(), tt.code, tt.want)
			}
		})
	}
}

// mustCert writes the certificate of somebody else.
func mustCert(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(path, certtest.New(t, "Other", time.Now()).Certificate.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
