package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		path string
		ref  keys.Ref
		// program and device are those of exec:
		program, device string
		want            string // a part of the refusal
	}{
		{text: "file:a.key", path: "a.key"},
		{text: "file:/a/b?c:d", path: "/a/b?c:d"},
		{text: "store:office.seal", ref: keys.Ref{Name: "office.seal"}},
		{text: "store:office.seal?version=2", ref: keys.Ref{Name: "office.seal", Version: 2}},
		{text: "a.key", want: "want file:PATH, store:NAME"},
		{text: "file:", want: "path is missing"},
		{text: "store:", want: "key name"},
		{text: "store:../up", want: "key name"},
		{text: "store:a?version=0", want: "from 1"},
		{text: "store:a?version=x", want: "from 1"},
		{text: "store:a?v=1", want: "want NAME?version=N"},
		{text: "store:a?version=1&version=2", want: "want NAME?version=N"},
		{text: "store:a?", want: "want NAME?version=N"},
		{text: "vault:office.seal?version=2", ref: keys.Ref{Name: "office.seal", Version: 2}},
		{text: "vault:A", want: "key name"},
		{text: "exec:/bin/sign", program: "/bin/sign"},
		{text: "exec:sdf?key=clerk", program: "sdf", device: "clerk"},
		{text: "exec:", want: "program is missing"},
		{text: "exec:sdf?pin=1234", want: "want exec:PROGRAM?key=NAME"},
		{text: "pkcs11:a", want: "is not known"},
		{text: "", want: "want file:PATH"},
	} {
		k, err := parseKey(tt.text)
		if tt.want == "" {
			if err != nil || k.path != tt.path || k.ref != tt.ref || k.program != tt.program || k.device != tt.device {
				t.Errorf("%q: %+v, %v", tt.text, k, err)
			}
			continue
		}
		var wrong *usageError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want a usage error with %q", tt.text, err, tt.want)
		}
	}
}

func TestStoreDir(t *testing.T) {
	t.Parallel()
	e := &env{home: "/srv/x"}
	for _, tt := range []struct{ flag, want, wrong string }{
		{"", "/srv/x/keys", ""},
		{"files:/a/b", "/a/b", ""},
		{"files:", "", "want files:DIR"},
		{"/a/b", "", "want files:DIR"},
		{"vault:http://v/gm", "", "want files:DIR"},
		{"hub", "", "name that here"},
	} {
		got, err := (&keyFlags{store: tt.flag}).storeDir(e)
		if got != tt.want || (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%q: %q, %v", tt.flag, got, err)
		}
	}
}

// TestPublicKeyFile: what is written is read back; other keys and other files are not taken.
func TestPublicKeyFile(t *testing.T) {
	t.Parallel()
	key, err := gm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "public.pem")
	text := publicPEM(key.PublicKey())
	for _, tt := range []struct {
		name string
		text string
		good bool
	}{
		{"as written", string(text), true},
		{"no PEM", "x", false},
		{"another block", strings.ReplaceAll(string(text), publicBlock, "CERTIFICATE"), false},
		{"an Ed25519 key", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n", false},
		{"a P-256 key", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEa/fxN0hs2Yg0nKuvMWBx+/4nRYGE\n0x4AP8T5Ad+2bQUbzYlfA5Ld/XJGy/pHRKRIMbwRzCvRuf9kn6ZZlPgpwQ==\n-----END PUBLIC KEY-----\n", false},
	} {
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		pub, err := readPublicKey(path)
		if tt.good && (err != nil || !pub.Equal(key.PublicKey())) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if !tt.good && err == nil {
			t.Errorf("%s was taken", tt.name)
		}
	}
}
