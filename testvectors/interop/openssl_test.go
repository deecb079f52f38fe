package interop

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
)

// openssl runs the command line; the default ID has to be given to it, since its own is the empty one.
type openssl struct{ path string }

const distID = "distid:" + gm.DefaultID

func startOpenSSL(t *testing.T) openssl {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("needs openssl")
	}
	o := openssl{path}
	version, err := o.run("version")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("independent verifier: %s", strings.TrimSpace(string(version)))
	return o
}

func (o openssl) run(args ...string) ([]byte, error) {
	c := exec.Command(o.path, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		out = stderr.Bytes()
	}
	return out, err
}

func (o openssl) mustRun(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := o.run(args...)
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", args[0], err, out)
	}
	return out
}

func (o openssl) refuses(t *testing.T, args ...string) {
	t.Helper()
	if _, err := o.run(args...); err == nil {
		t.Errorf("openssl %s accepts what was spoilt", args[0])
	}
}

func pemKey(t *testing.T, k *gm.PrivateKey, passphrase string) []byte {
	t.Helper()
	text, err := gm.MarshalPKCS8PEM(k, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOpenSSLSignatures: raw SM2 signatures in both directions, with the default ID, another one and the empty one.
func TestOpenSSLSignatures(t *testing.T) {
	o := startOpenSSL(t)
	f := folder{t.TempDir()}
	pki := certtest.New(t, "Root", time.Now())
	a := pki.Party("Office A")
	key := f.put(t, "key.pem", pemKey(t, a.SignKey, ""))
	public := f.put(t, "public.pem", o.mustRun(t, "pkey", "-in", key, "-pubout"))
	message := []byte("raw SM2")
	file, other := f.put(t, "message", message), f.put(t, "other", []byte("another"))

	ours, err := gm.Sign(nil, a.SignKey, message)
	if err != nil {
		t.Fatal(err)
	}
	sig := f.put(t, "ours.sig", ours)
	verify := func(sig, file, id string) []string {
		return []string{"pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-digest", "sm3", "-in", file, "-sigfile", sig, "-pkeyopt", id}
	}
	o.mustRun(t, verify(sig, file, distID)...)
	o.refuses(t, verify(sig, other, distID)...)
	o.refuses(t, verify(sig, file, "distid:another")...)
	o.refuses(t, verify(f.put(t, "bad.sig", spoilt(ours, 0)), file, distID)...)

	for _, id := range []string{gm.DefaultID, "another ID"} {
		o.mustRun(t, "pkeyutl", "-sign", "-inkey", key, "-rawin", "-digest", "sm3", "-in", file, "-out", f.path("theirs.sig"),
			"-pkeyopt", "distid:"+id)
		theirs := f.get(t, "theirs.sig")
		if !gm.VerifyID(a.SigningCert.PublicKey, id, message, theirs) {
			t.Errorf("ID %q: the signature of openssl does not verify", id)
		}
		if gm.VerifyID(a.SigningCert.PublicKey, id+"x", message, theirs) || gm.VerifyID(a.SigningCert.PublicKey, id, message[1:], theirs) {
			t.Errorf("ID %q: the signature of openssl verifies for something else", id)
		}
	}
	// Without distid openssl signs under the empty ID, which is another signature than the default ID's.
	o.mustRun(t, "pkeyutl", "-sign", "-inkey", key, "-rawin", "-digest", "sm3", "-in", file, "-out", f.path("empty.sig"))
	if sig := f.get(t, "empty.sig"); !gm.VerifyID(a.SigningCert.PublicKey, "", message, sig) || gm.Verify(a.SigningCert.PublicKey, message, sig) {
		t.Error("a signature of openssl without distid is not one under the empty ID")
	}
}

// TestOpenSSLChains: openssl follows our chain when it is told the ID.
func TestOpenSSLChains(t *testing.T) {
	o := startOpenSSL(t)
	f := folder{t.TempDir()}
	pki := certtest.New(t, "Root", time.Now())
	a, rogue := pki.Party("Office A"), certtest.New(t, "Root", time.Now())
	root, leaf := f.put(t, "root.pem", pki.Certificate.PEM()), f.put(t, "leaf.pem", a.SigningCert.PEM())
	o.mustRun(t, "verify", "-vfyopt", distID, "-CAfile", root, leaf)
	o.refuses(t, "verify", "-vfyopt", distID, "-CAfile", f.put(t, "rogue.pem", rogue.Certificate.PEM()), leaf)
}

// TestOpenSSLKeys: key files in both directions, plain and encrypted.
func TestOpenSSLKeys(t *testing.T) {
	o := startOpenSSL(t)
	f := folder{t.TempDir()}
	k := certtest.Key(t)
	for name, pass := range map[string]string{"plain": "", "encrypted": "a passphrase"} {
		t.Run(name, func(t *testing.T) {
			file := f.put(t, name, pemKey(t, k, pass))
			o.mustRun(t, "pkcs8", "-topk8", "-in", file, "-passin", "pass:"+pass, "-out", f.path("back.pem"),
				"-passout", "pass:other", "-v2", "sm4-cbc", "-v2prf", "hmacWithSHA256")
			back, err := gm.ParsePKCS8PEM(f.get(t, "back.pem"), []byte("other"))
			if err != nil {
				t.Fatal(err)
			}
			if !back.Equal(k) {
				t.Error("another key comes back")
			}
		})
	}
	if _, err := o.run("pkey", "-in", f.path("encrypted"), "-passin", "pass:wrong"); err == nil {
		t.Error("openssl opens the key with a wrong passphrase")
	}
}

// TestOpenSSLDecrypts: raw SM2 ciphertexts in both directions, and our SM4-CBC envelopes.
func TestOpenSSLDecrypts(t *testing.T) {
	o := startOpenSSL(t)
	f := folder{t.TempDir()}
	pki := certtest.New(t, "Root", time.Now())
	a, stranger := pki.Party("Office A"), pki.Party("Office B")
	key := f.put(t, "key.pem", pemKey(t, a.EncryptKey, ""))
	foreign := f.put(t, "foreign.pem", pemKey(t, stranger.EncryptKey, ""))
	secret := []byte("sixteen byte key")

	t.Run("raw", func(t *testing.T) {
		ct, err := gm.Encrypt(nil, a.EncryptKey.PublicKey(), secret)
		if err != nil {
			t.Fatal(err)
		}
		in := f.put(t, "ours.bin", ct)
		if got := o.mustRun(t, "pkeyutl", "-decrypt", "-inkey", key, "-in", in); !bytes.Equal(got, secret) {
			t.Errorf("openssl reads %q", got)
		}
		o.refuses(t, "pkeyutl", "-decrypt", "-inkey", foreign, "-in", in)
		public := f.put(t, "public.pem", o.mustRun(t, "pkey", "-in", key, "-pubout"))
		o.mustRun(t, "pkeyutl", "-encrypt", "-pubin", "-inkey", public, "-in", f.put(t, "secret", secret), "-out", f.path("theirs.bin"))
		got, err := a.EncryptKey.Decrypt(nil, f.get(t, "theirs.bin"), nil)
		if err != nil || !bytes.Equal(got, secret) {
			t.Errorf("we read %q, %v", got, err)
		}
		if _, err := a.EncryptKey.Decrypt(nil, spoilt(f.get(t, "theirs.bin"), 0), nil); err == nil {
			t.Error("a spoilt ciphertext opens")
		}
	})
	t.Run("envelopes", func(t *testing.T) {
		content := bytes.Repeat([]byte("for office A. "), 1000)
		der, err := cms.EncryptAs(cms.ProfileRFC, content, []*cert.Certificate{stranger.EncryptionCert, a.EncryptionCert}, nil)
		if err != nil {
			t.Fatal(err)
		}
		in := f.put(t, "envelope", der)
		mine, theirs := f.put(t, "mine.pem", a.EncryptionCert.PEM()), f.put(t, "theirs.pem", pki.Party("Office C").EncryptionCert.PEM())
		got := o.mustRun(t, "cms", "-decrypt", "-inform", "DER", "-in", in, "-recip", mine, "-inkey", key, "-binary")
		if !bytes.Equal(got, content) {
			t.Errorf("openssl reads %d bytes, want %d", len(got), len(content))
		}
		o.refuses(t, "cms", "-decrypt", "-inform", "DER", "-in", in, "-recip", theirs, "-inkey", key, "-binary")
	})
}
