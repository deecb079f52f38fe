package keyfile_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/keyfile"
)

// newFile writes a key file, encrypted if there is a passphrase.
func newFile(t *testing.T, passphrase string, mode fs.FileMode) (string, *gm.PrivateKey) {
	t.Helper()
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := gm.MarshalPKCS8PEM(key, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "office.key")
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
	return path, key
}

func secret(s string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(s), nil }
}

func TestSign(t *testing.T) {
	path, key := newFile(t, "", 0o600)
	k, err := keyfile.Open(path, keys.PurposeSeal, nil)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := gm.Sign(rand.Reader, k, gm.Message("notice"))
	if err != nil {
		t.Fatal(err)
	}
	if !gm.Verify(key.PublicKey(), gm.Message("notice"), sig) {
		t.Error("the signature does not verify")
	}
	if gm.Verify(key.PublicKey(), gm.Message("other"), sig) {
		t.Error("the signature verifies for another message")
	}
	if got := k.KeyInfo(); got.Purpose != keys.PurposeSeal || got.Ref.Name != "office.key" {
		t.Errorf("KeyInfo = %+v", got)
	}
}

func TestDecrypt(t *testing.T) {
	path, key := newFile(t, "", 0o600)
	k, err := keyfile.Open(path, keys.PurposeDecrypt, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := gm.Encrypt(rand.Reader, key.PublicKey(), []byte("file key"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := k.Decrypt(rand.Reader, sealed, nil)
	if err != nil || string(plain) != "file key" {
		t.Fatalf("Decrypt = %q, %v", plain, err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := k.Decrypt(rand.Reader, sealed, nil); !errors.Is(err, gm.ErrDecrypt) {
		t.Errorf("of a changed ciphertext: %v, want gm.ErrDecrypt", err)
	}
}

func TestPurposeIsFixed(t *testing.T) {
	path, key := newFile(t, "", 0o600)
	signs, err := keyfile.Open(path, keys.PurposeSign, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := gm.Encrypt(rand.Reader, key.PublicKey(), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signs.Decrypt(rand.Reader, sealed, nil); !errors.Is(err, keys.ErrDenied) {
		t.Errorf("a signing handle decrypts: %v", err)
	}
	opens, err := keyfile.Open(path, keys.PurposeDecrypt, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gm.Sign(rand.Reader, opens, gm.Message("x")); !errors.Is(err, keys.ErrDenied) {
		t.Errorf("a decrypting handle signs: %v", err)
	}
	for _, p := range []keys.Purpose{keys.PurposeWrap, keys.PurposeMAC, "", "all"} {
		if _, err := keyfile.Open(path, p, nil); !errors.Is(err, keys.ErrInvalid) {
			t.Errorf("purpose %q: %v, want ErrInvalid", p, err)
		}
	}
}

func TestEncrypted(t *testing.T) {
	path, _ := newFile(t, "correct horse", 0o644)
	k, err := keyfile.Open(path, keys.PurposeSign, secret("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if k.Exposed() {
		t.Error("an encrypted file is called exposed")
	}
	if _, err := keyfile.Open(path, keys.PurposeSign, secret("wrong")); !errors.Is(err, gm.ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := keyfile.Open(path, keys.PurposeSign, nil); !errors.Is(err, gm.ErrPassphrase) {
		t.Errorf("no passphrase: %v", err)
	}
	stop := errors.New("nobody at the terminal")
	if _, err := keyfile.Open(path, keys.PurposeSign, func() ([]byte, error) { return nil, stop }); !errors.Is(err, stop) {
		t.Errorf("passphrase that cannot be had: %v", err)
	}
}

func TestPassphraseIsNotAskedForAPlainFile(t *testing.T) {
	path, _ := newFile(t, "", 0o600)
	_, err := keyfile.Open(path, keys.PurposeSign, func() ([]byte, error) {
		t.Error("asked")
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestExposed(t *testing.T) {
	for _, tt := range []struct {
		mode fs.FileMode
		want bool
	}{{0o600, false}, {0o400, false}, {0o640, true}, {0o604, true}, {0o622, true}} {
		path, _ := newFile(t, "", 0o600)
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		k, err := keyfile.Open(path, keys.PurposeSign, nil)
		if err != nil {
			t.Fatal(err)
		}
		if k.Exposed() != tt.want {
			t.Errorf("mode %o: exposed %v, want %v", tt.mode, k.Exposed(), tt.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	if _, err := keyfile.Open(filepath.Join(t.TempDir(), "none"), keys.PurposeSign, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	for _, tt := range []struct {
		name string
		text []byte
		want error
	}{
		{"empty", nil, gm.ErrKeyFile},
		{"certificate", []byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), gm.ErrKeyFile},
		{"large", bytes.Repeat([]byte("x"), keyfile.MaxSize+1), keyfile.ErrTooLarge},
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, tt.text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := keyfile.Open(path, keys.PurposeSign, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestPrintsNoKey(t *testing.T) {
	path, key := newFile(t, "", 0o600)
	k, err := keyfile.Open(path, keys.PurposeSign, nil)
	if err != nil {
		t.Fatal(err)
	}
	hex := fmt.Sprintf("%x", key.ExportScalar())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, k); strings.Contains(got, hex) || got != k.String() {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

// FuzzParse: no text makes Parse panic, and what it takes signs.
func FuzzParse(f *testing.F) {
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	for _, passphrase := range []string{"", "x"} {
		text, err := gm.MarshalPKCS8PEM(key, []byte(passphrase))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := keyfile.Parse(text, keys.PurposeSign, secret("x"))
		if err != nil {
			return
		}
		if _, err := gm.Sign(rand.Reader, k, gm.Message("m")); err != nil {
			t.Error(err)
		}
	})
}
