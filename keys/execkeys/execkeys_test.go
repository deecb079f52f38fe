package execkeys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/execkeys"
	"yinxin/verdict"
)

// deviceMode makes the test binary the program that holds the key: the soft device, or one that misbehaves.
const deviceMode = "YINXIN_TEST_DEVICE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(deviceMode); mode != "" {
		os.Exit(device(mode))
	}
	os.Exit(m.Run())
}

// device is the program: mode "soft:FILE" serves the PKCS#8 keys in a folder, the others are faults.
func device(mode string) int {
	name, rest, _ := strings.Cut(mode, ":")
	switch name {
	case "soft":
		if err := execkeys.Serve(os.Stdin, os.Stdout, "soft device", softKeys(rest)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	case "silent":
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	case "deaf":
		time.Sleep(time.Hour)
	case "ends":
		return 3
	case "endless":
		for {
			if _, err := os.Stdout.WriteString(strings.Repeat("x", 1<<16)); err != nil {
				return 1
			}
		}
	case "says": // the lines given, one for each request
		in := json.NewDecoder(os.Stdin)
		for line := range strings.SplitSeq(rest, "\n") {
			var request any
			if in.Decode(&request) != nil {
				return 1
			}
			fmt.Fprintln(os.Stdout, line)
		}
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	return 0
}

// softKeys finds PURPOSE-NAME.pem in a folder.
func softKeys(dir string) func(string) (execkeys.DeviceKey, error) {
	return func(name string) (execkeys.DeviceKey, error) {
		found, _ := filepath.Glob(filepath.Join(dir, "*-"+name+".pem"))
		if len(found) != 1 {
			return execkeys.DeviceKey{}, fmt.Errorf("%w: %q", keys.ErrNotFound, name)
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			return execkeys.DeviceKey{}, err
		}
		k, err := gm.ParsePKCS8PEM(text, nil)
		if err != nil {
			return execkeys.DeviceKey{}, err
		}
		purpose, _, _ := strings.Cut(filepath.Base(found[0]), "-")
		d := execkeys.DeviceKey{Signer: k, Decrypter: k, Purpose: keys.Purpose(purpose)}
		if der, err := os.ReadFile(strings.TrimSuffix(found[0], ".pem") + ".der"); err == nil {
			d.Certificates = [][]byte{der}
		}
		return d, nil
	}
}

// open opens a key of the device in the given mode.
func open(t *testing.T, mode, key string, purpose keys.Purpose) (*execkeys.Key, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	k, err := execkeys.Open(context.WithoutCancel(t.Context()), execkeys.Options{
		Program: self, Env: []string{deviceMode + "=" + mode}, Key: key, Purpose: purpose, Timeout: 10 * time.Second, Stderr: t.Output(),
	})
	if err == nil {
		t.Cleanup(func() {
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return k, err
}

func mustOpen(t *testing.T, mode, key string, purpose keys.Purpose) *execkeys.Key {
	t.Helper()
	k, err := open(t, mode, key, purpose)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// soft is the mode of a soft device with a party's keys: one signs, one decrypts.
func soft(t *testing.T, a *certtest.Party) string {
	t.Helper()
	dir := t.TempDir()
	for name, k := range map[string]*gm.PrivateKey{"sign-clerk": a.SignKey, "decrypt-inbox": a.EncryptKey} {
		text, err := gm.MarshalPKCS8PEM(k, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".pem"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "sign-clerk.der"), a.SigningCert.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return "soft:" + dir
}

func TestSoftDevice(t *testing.T) {
	now := time.Now()
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	mode := soft(t, a)
	signer := mustOpen(t, mode, "clerk", keys.PurposeSign)
	info := signer.KeyInfo()
	if !info.Public.Equal(a.SignKey.PublicKey()) || info.Purpose != keys.PurposeSign || len(info.Certificates) != 1 ||
		!bytes.Equal(info.Certificates[0], a.SigningCert.Raw) {
		t.Errorf("%+v", info)
	}
	// The handle serves everything that signs: messages, requests, revocation lists.
	der, err := cms.Sign([]byte("content"), cms.SignOptions{Signer: signer, Certificate: a.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.ParseSigned(der)
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Judge(s.Sum(), false, cms.JudgeOptions{Policy: pki.Policy(), Now: now})[0]; v.Verdict != verdict.Passed {
		t.Errorf("%s %s", v.Verdict, v.Reason)
	}
	if request, err := cert.CreateRequest(signer, cert.Subject("a", ""), nil); err != nil {
		t.Error(err)
	} else if _, err := cert.ParseRequest(request); err != nil {
		t.Error(err)
	}
	if _, err := signer.Decrypt(nil, []byte{0x30}, nil); !errors.Is(err, keys.ErrDenied) {
		t.Errorf("a signer decrypts: %v", err)
	}
	if _, err := signer.Sign(nil, []byte("neither"), nil); !errors.Is(err, keys.ErrInvalid) {
		t.Errorf("neither message nor digest: %v", err)
	}

	inbox := mustOpen(t, mode, "inbox", keys.PurposeDecrypt)
	envelope, err := cms.Encrypt([]byte("for the office"), []*cert.Certificate{a.EncryptionCert}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cms.Decrypt(envelope, a.EncryptionCert, inbox); err != nil || string(got) != "for the office" {
		t.Errorf("%q, %v", got, err)
	}
	ct, err := gm.Encrypt(nil, a.EncryptKey.PublicKey(), []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	ct[len(ct)-1] ^= 1
	for name, bad := range map[string][]byte{"spoilt": ct, "empty": nil, "raw point": {4, 1}, "too long": append([]byte{0x30}, make([]byte, gm.MaxCiphertext)...)} {
		if _, err := inbox.Decrypt(nil, bad, nil); err != gm.ErrDecrypt { //nolint:errorlint // the one error, unwrapped, is the promise
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := inbox.Sign(nil, make([]byte, 32), gm.SignDigest); !errors.Is(err, keys.ErrDenied) {
		t.Errorf("a decrypter signs: %v", err)
	}
}

func TestSoftDeviceRefuses(t *testing.T) {
	mode := soft(t, certtest.New(t, "root", time.Now()).Party("office"))
	tests := []struct {
		key     string
		purpose keys.Purpose
		want    error
	}{
		{"clerk", keys.PurposeSeal, keys.ErrDenied},
		{"inbox", keys.PurposeSign, keys.ErrDenied},
		{"nobody", keys.PurposeSign, keys.ErrNotFound},
		{"clerk", keys.PurposeMAC, keys.ErrInvalid},
	}
	for _, tt := range tests {
		if _, err := open(t, mode, tt.key, tt.purpose); !errors.Is(err, tt.want) {
			t.Errorf("%s for %s: %v, want %v", tt.key, tt.purpose, err, tt.want)
		}
	}
}

// TestManyAtOnce: requests of several goroutines do not get each other's answers.
func TestManyAtOnce(t *testing.T) {
	a := certtest.New(t, "root", time.Now()).Party("office")
	k := mustOpen(t, soft(t, a), "clerk", keys.PurposeSign)
	done := make(chan error)
	for i := range 16 {
		go func() {
			msg := fmt.Appendf(nil, "message %d", i)
			sig, err := gm.Sign(nil, k, msg)
			if err == nil && !gm.Verify(a.SignKey.PublicKey(), msg, sig) {
				err = errors.New("another's signature")
			}
			done <- err
		}()
	}
	for range 16 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestBadDevices: programs that hang, end, talk without end, or lie.
func TestBadDevices(t *testing.T) {
	key := certtest.Key(t)
	point := fmt.Sprintf("%x", gm.MarshalPublicKey(key.PublicKey()))
	hello := `{"ok":true,"protocol":"` + execkeys.Protocol + `"}`
	describe := `{"ok":true,"public":"` + point + `"}`
	says := func(lines ...string) string { return "says:" + strings.Join(lines, "\n") }
	wrong, err := gm.Sign(nil, certtest.Key(t), []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, mode string
		want       error
	}{
		{"the twin opens, and then ends", says(hello, describe), nil},
		{"silent", "silent", keys.ErrUnavailable},
		{"deaf", "deaf", keys.ErrUnavailable},
		{"ends", "ends", keys.ErrUnavailable},
		{"a line without end", "endless", keys.ErrUnavailable},
		{"another protocol", says(`{"ok":true,"protocol":"other/1"}`), keys.ErrInvalid},
		{"no JSON", says("hello"), keys.ErrUnavailable},
		{"locked", says(hello, `{"ok":false,"error":"locked","detail":"PIN\u001b[2J"}`), keys.ErrSealed},
		{"denied", says(hello, `{"ok":false,"error":"denied"}`), keys.ErrDenied},
		{"a code of its own", says(hello, `{"ok":false,"error":"on_fire"}`), keys.ErrUnavailable},
		{"no public key", says(hello, `{"ok":true}`), keys.ErrInvalid},
		{"a point off the curve", says(hello, `{"ok":true,"public":"04`+strings.Repeat("01", 64)+`"}`), keys.ErrInvalid},
		{"another purpose", says(hello, `{"ok":true,"public":"`+point+`","purpose":"seal"}`), keys.ErrDenied},
		{"certificates that are none", says(hello, `{"ok":true,"public":"`+point+`","certificates":["%"]}`), keys.ErrInvalid},
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	openShort := func(mode string) (*execkeys.Key, error) {
		return execkeys.Open(t.Context(), execkeys.Options{
			Program: self, Env: []string{deviceMode + "=" + mode}, Purpose: keys.PurposeSign, Timeout: time.Second,
		})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := openShort(tt.mode)
			if !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "\x1b") {
				t.Error("the program writes on the terminal")
			}
			if err == nil {
				k.Close()
			}
		})
	}
	t.Run("a signature by another key", func(t *testing.T) {
		k, err := openShort(says(hello, describe, fmt.Sprintf(`{"ok":true,"signature":"%x"}`, wrong), `{"ok":true}`))
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		if sig, err := gm.Sign(nil, k, []byte("m")); !errors.Is(err, keys.ErrInvalid) || sig != nil {
			t.Errorf("%x, %v", sig, err)
		}
	})
	t.Run("no answer, and none after that", func(t *testing.T) {
		k, err := openShort(says(hello, describe))
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		for range 2 {
			if _, err := gm.Sign(nil, k, []byte("m")); !errors.Is(err, keys.ErrUnavailable) {
				t.Error(err)
			}
		}
	})
	if _, err := execkeys.Open(t.Context(), execkeys.Options{Program: filepath.Join(t.TempDir(), "none"), Purpose: keys.PurposeSign}); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("no such program: %v", err)
	}
}

func FuzzServe(f *testing.F) {
	key, err := gm.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"op":"hello"}` + "\n" + `{"op":"describe","key":"k"}` + "\n" + `{"op":"sign","digest":"00"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		find := func(string) (execkeys.DeviceKey, error) { return execkeys.DeviceKey{Signer: key, Decrypter: key}, nil }
		if err := execkeys.Serve(bytes.NewReader(in), &out, "d", find); err != nil {
			return
		}
		for line := range bytes.Lines(out.Bytes()) {
			var a execkeys.Answer
			if err := json.Unmarshal(line, &a); err != nil || a.OK == (a.Error != "") {
				t.Errorf("answer %q: %v", line, err)
			}
		}
	})
}
