package keystest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
)

// spellings are the forms in which a secret could stand in a text or a file.
func spellings(secret []byte) [][]byte {
	form := [][]byte{
		secret, []byte(hex.EncodeToString(secret)), []byte(strings.ToUpper(hex.EncodeToString(secret))),
		[]byte(strings.TrimRight(base64.StdEncoding.EncodeToString(secret), "=")), []byte(strings.TrimRight(base64.URLEncoding.EncodeToString(secret), "=")),
		[]byte(strings.Trim(fmt.Sprint(secret), "[]")),
	}
	return append(form, fmt.Appendf(nil, "%q", secret))
}

// shows tells whether a secret stands in data in any spelling.
func shows(data, secret []byte) bool {
	for _, form := range spellings(secret) {
		if bytes.Contains(data, form) {
			return true
		}
	}
	return false
}

// TestNoSecretOnDisk: a private key that the test knows (a CA made it, and it was imported), a data key, a plaintext and
// the tokens stand in no file of the server: storage, audit log, log; in no environment or command line of the plugin; and in
// no error. The key is used, rotated, backed up and abused before.
func TestNoSecretOnDisk(t *testing.T) {
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{Durable: true})
	mount := s.Mount(t)
	token := custodian(t, s, mount)
	store := open(t, s, mount, token)
	ctx := t.Context()
	private, err := gm.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	makeKey(t, store, "w", keys.PurposeWrap)
	wrapping, err := store.WrappingKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	enveloped, err := gm.EnvelopeKey(nil, wrapping, private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.ImportEnveloped(ctx, "inbox", keys.Ref{}, enveloped); err != nil {
		t.Fatal(err)
	}
	plain := []byte("canary-in-the-plaintext")
	ct, err := gm.Encrypt(nil, private.PublicKey(), plain)
	if err != nil {
		t.Fatal(err)
	}
	made, err := store.DataKey(ctx, keys.Ref{Name: "w"}, [][]byte{[]byte("doc")})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := store.Decrypt(ctx, "inbox", keys.PurposeDecrypt, []keys.Ciphertext{{Data: ct}, {Data: ct[1:]}})
	if err != nil || !bytes.Equal(opened[0].Plain, plain) || opened[1].Err == nil {
		t.Fatalf("decrypt: %v", err)
	}
	texts := provoke(ctx, store, enveloped, ct)
	texts = append(texts, s.Log(), opened[1].Err.Error())
	for _, id := range s.PluginProcesses(t) {
		for _, file := range []string{"environ", "cmdline"} {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", id, file))
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(data))
		}
	}
	secrets := map[string][]byte{
		"private key": private.ExportScalar(), "plaintext": plain, "data key": made[0].Plain, "token": []byte(token), "root token": []byte(s.Root),
	}
	files := readTree(t, s.Dir)
	for what, secret := range secrets {
		for _, text := range texts {
			if shows([]byte(text), secret) {
				t.Errorf("the %s stands in a text: %.80q", what, text)
			}
		}
		for path, data := range files {
			if shows(data, secret) {
				t.Errorf("the %s stands in %s", what, path)
			}
		}
	}
	if audit := files["audit.log"]; !bytes.Contains(audit, []byte(mount+"/decrypt/inbox")) {
		t.Error("the use does not stand in the audit log")
	}
	if len(files) < 10 {
		t.Errorf("only %d files were looked through", len(files))
	}
}

// provoke does what fails, and gives the texts of the errors.
func provoke(ctx context.Context, store *vaultkeys.Store, enveloped, ct []byte) []string {
	var texts []string
	note := func(_ any, err error) {
		if err != nil {
			texts = append(texts, err.Error())
		}
	}
	note(store.ImportEnveloped(ctx, "inbox", keys.Ref{}, enveloped))
	note(store.ImportEnveloped(ctx, "other", keys.Ref{}, enveloped[:len(enveloped)-1]))
	note(store.Rotate(ctx, "inbox", 7))
	note(store.Sign(ctx, keys.Ref{Name: "inbox"}, keys.PurposeSign, []keys.SignItem{{Message: ct}}))
	note(store.Decrypt(ctx, "inbox", keys.PurposeWrap, []keys.Ciphertext{{Data: ct}}))
	note(nil, store.SetState(ctx, keys.Ref{Name: "inbox"}, keys.StateDestroyed))
	note(store.Backup(ctx, "inbox"))
	note(store.Rotate(ctx, "inbox", 1))
	return texts
}

// readTree reads all files below dir but the programs.
func readTree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "plugins" {
				return fs.SkipDir
			}
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir+"/")] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestNoCoreFile: a plugin that is aborted leaves no core file, which would hold keys, also where its server may write one
// and Go programs are told to. The server itself, aborted in the same way, does leave one where the machine lets it.
func TestNoCoreFile(t *testing.T) {
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{CoreFiles: true})
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	ids := s.PluginProcesses(t)
	if len(ids) == 0 {
		t.Fatal("no plugin runs")
	}
	for _, id := range ids {
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", id))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(limits)) {
			if fields := strings.Fields(line); strings.HasPrefix(line, "Max core file size") && (fields[4] != "0" || fields[5] != "0") {
				t.Errorf("process %d: %s", id, line)
			}
		}
	}
	if n := s.SignalPlugin(t, syscall.SIGABRT); n == 0 {
		t.Error("nothing was aborted")
	}
	eventually(t, "sign after the abort", func() error { return signs(t.Context(), store, info) })
	if found := coreFiles(t, s.Dir); len(found) != 0 {
		t.Errorf("core files %v", found)
	}
	s.Signal(t, syscall.SIGABRT)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && len(coreFiles(t, s.Dir)) == 0; {
		time.Sleep(50 * time.Millisecond)
	}
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(pattern), "core") && len(coreFiles(t, s.Dir)) == 0 {
		t.Error("not even the server leaves a core file: this test shows nothing")
	}
}

func coreFiles(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for _, below := range []string{dir, filepath.Join(dir, "plugins")} {
		files, err := filepath.Glob(filepath.Join(below, "core*"))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, files...)
	}
	return found
}

// TestWrappedSecretServesOnce: a SecretID that came wrapped opens one login; who brings the same wrapping token again is refused,
// at once and without the token in the text.
func TestWrappedSecretServesOnce(t *testing.T) {
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{})
	s.Must(t, "POST", "sys/auth/approle", map[string]any{"type": "approle"})
	mount := s.Mount(t)
	info := makeKey(t, open(t, s, mount, custodian(t, s, mount)), "k", keys.PurposeSign)
	s.Policy(t, "wrapped", allOf(mount))
	s.Must(t, "POST", "auth/approle/role/wrapped", map[string]any{"token_policies": []string{"wrapped"}})
	id, _ := s.Must(t, "GET", "auth/approle/role/wrapped/role-id", nil)["role_id"].(string)
	wrapping := s.MustWrap(t, "POST", "auth/approle/role/wrapped/secret-id", map[string]any{})
	asked := 0
	unwrap := func() (string, error) {
		asked++
		data, err := s.Ask("POST", "sys/wrapping/unwrap", wrapping, map[string]any{})
		if err != nil {
			return "", errors.New("the wrapped SecretID has been read by somebody")
		}
		secret, _ := data["secret_id"].(string)
		return secret, nil
	}
	if err := signs(t.Context(), openWith(t, s, mount, vaultkeys.AppRole("approle", id, unwrap)), info); err != nil {
		t.Fatal(err)
	}
	asked = 0
	err := signs(t.Context(), openWith(t, s, mount, vaultkeys.AppRole("approle", id, unwrap)), info)
	if !errors.Is(err, keys.ErrDenied) || asked != 1 || strings.Contains(err.Error(), wrapping) {
		t.Errorf("the second time: %v after %d tries", err, asked)
	}
}
