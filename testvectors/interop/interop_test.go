// Package interop holds this module's cryptography to implementations that share no code with it: Bouncy Castle, driven
// through Interop.java, and the openssl command line. Each side makes, the other verifies, and each refuses what the
// other spoilt. A test that misses its partner skips and names the tool; `make test` installs both.
package interop

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/verdict"
)

// jars are where Debian puts Bouncy Castle.
var jars = []string{"/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"}

// castle is a running Interop.java.
type castle struct {
	in  io.Writer
	out *bufio.Scanner
}

// startCastle starts the Java side and logs its name, which `make test` lists.
func startCastle(t *testing.T) *castle {
	t.Helper()
	for _, tool := range []string{"java", "javac"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	for _, jar := range jars {
		if _, err := os.Stat(jar); err != nil {
			t.Skip("needs libbcpkix-java")
		}
	}
	c := exec.Command("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", strings.Join(jars, ":"), "Interop.java")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = t.Output()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	})
	b := &castle{in, bufio.NewScanner(out)}
	t.Logf("independent verifier: %s", b.mustDo(t, "version"))
	return b
}

// ask sends a command and returns its answer and whether it went well.
func (b *castle) ask(t *testing.T, command ...string) (string, bool) {
	t.Helper()
	if _, err := io.WriteString(b.in, strings.Join(command, "\t")+"\n"); err != nil {
		t.Fatal(err)
	}
	if !b.out.Scan() {
		t.Fatalf("Bouncy Castle ended: %v", b.out.Err())
	}
	return strings.CutPrefix(b.out.Text(), "ok ")
}

func (b *castle) mustDo(t *testing.T, command ...string) string {
	t.Helper()
	answer, ok := b.ask(t, command...)
	if !ok {
		t.Fatalf("%v: %s", command, answer)
	}
	return answer
}

// refuses expects the other side to say no.
func (b *castle) refuses(t *testing.T, command ...string) {
	t.Helper()
	if answer, ok := b.ask(t, command...); ok {
		t.Errorf("%s accepts what was spoilt: %s", command[0], answer)
	}
}

// folder writes and reads the files that both sides see.
type folder struct{ dir string }

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) put(t *testing.T, name string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(f.path(name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return f.path(name)
}

func (f folder) get(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(f.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// spoilt flips a bit of the last byte but n.
func spoilt(data []byte, n int) []byte {
	out := bytes.Clone(data)
	out[len(out)-1-n] ^= 1
	return out
}

func parse(t *testing.T, der []byte) *cert.Certificate {
	t.Helper()
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBouncyCastleReads has Bouncy Castle verify what this module makes.
func TestBouncyCastleReads(t *testing.T) {
	b := startCastle(t)
	f := folder{t.TempDir()}
	now := time.Now()
	pki := certtest.New(t, "Root", now)
	a := pki.Party("Office A")
	middleKey := certtest.Key(t)
	middle, err := pki.IssueIntermediate(cert.Subject("Middle", "Test"), middleKey.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	below, err := cert.OpenAuthority(cert.Station{Signer: middleKey}, middle)
	if err != nil {
		t.Fatal(err)
	}
	deep, err := below.IssueSigning(cert.Subject("Deep", "Test"), a.SignKey.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	root := f.put(t, "root.der", pki.Certificate.Raw)
	sign, encrypt := f.put(t, "sign.der", a.SigningCert.Raw), f.put(t, "encrypt.der", a.EncryptionCert.Raw)

	t.Run("certificates", func(t *testing.T) {
		if got, want := b.mustDo(t, "certificate", root, sign), "1.2.156.10197.1.501 110000000 -1"; got != want {
			t.Errorf("signing certificate: %s, want %s", got, want)
		}
		if got, want := b.mustDo(t, "certificate", root, encrypt), "1.2.156.10197.1.501 001110000 -1"; got != want {
			t.Errorf("encryption certificate: %s, want %s", got, want)
		}
		b.refuses(t, "certificate", root, f.put(t, "bad.der", spoilt(a.SigningCert.Raw, 0)))
	})
	t.Run("paths", func(t *testing.T) {
		mid, leaf := f.put(t, "middle.der", middle.Raw), f.put(t, "deep.der", deep.Raw)
		b.mustDo(t, "path", root, leaf, mid)
		b.refuses(t, "path", root, leaf)
	})
	t.Run("revocation lists", func(t *testing.T) {
		list := mustCRL(t, pki, now, a.EncryptionCert)
		file := f.put(t, "list.crl", list.Raw)
		if got := b.mustDo(t, "crl", root, file, a.EncryptionCert.SerialText()); got != "revoked" {
			t.Errorf("revoked certificate: %s", got)
		}
		if got := b.mustDo(t, "crl", root, file, a.SigningCert.SerialText()); got != "good" {
			t.Errorf("good certificate: %s", got)
		}
		b.mustDo(t, "path", root, sign, file)
		b.refuses(t, "path", root, encrypt, file)
		b.refuses(t, "crl", root, f.put(t, "bad.crl", spoilt(list.Raw, 0)), "1")
	})
	t.Run("signed data", func(t *testing.T) {
		content := []byte("made by yinxin")
		o := cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now, Profile: cms.ProfileRFC}
		attached, err := cms.Sign(content, o)
		if err != nil {
			t.Fatal(err)
		}
		detached, err := cms.SignDetached(gm.SM3(content), o)
		if err != nil {
			t.Fatal(err)
		}
		in, out := f.put(t, "attached.p7s", attached), f.put(t, "detached.p7s", detached)
		beside, other := f.put(t, "content", content), f.put(t, "other", []byte("another"))
		b.mustDo(t, "signed", in)
		b.mustDo(t, "signed", out, beside)
		b.refuses(t, "signed", out, other)
		b.refuses(t, "signed", f.put(t, "bad.p7s", spoilt(attached, 0)))
	})
	t.Run("time-stamps", func(t *testing.T) {
		key := certtest.Key(t)
		c, err := pki.IssueTimestamp(cert.Subject("TSA", "Test"), key.PublicKey(), cert.IssueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		tsa, err := tsp.NewAuthority(tsp.AuthorityOptions{Signer: key, Certificate: c, Accuracy: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		data, other := f.put(t, "data", []byte("a seal")), f.put(t, "other", []byte("another"))
		b.mustDo(t, "timestamp-request", data, f.path("theirs.tsq"))
		ours, err := tsp.NewRequest(gm.SM3([]byte("a seal")), tsp.PilotPolicy, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		f.put(t, "ours.tsq", ours.Raw)
		authority := f.put(t, "tsa.der", c.Raw)
		for _, name := range []string{"theirs.tsq", "ours.tsq"} {
			answer, err := tsa.Respond(f.get(t, name))
			if err != nil {
				t.Fatal(err)
			}
			file := f.put(t, "answer.tsr", answer)
			if got := b.mustDo(t, "timestamp", f.path(name), file, authority, data); !strings.HasPrefix(got, "status 0 1") {
				t.Errorf("%s: %s", name, got)
			}
			b.refuses(t, "timestamp", f.path(name), file, authority, other)
			b.refuses(t, "timestamp", f.path(name), file, sign, data)
			b.refuses(t, "timestamp", f.path(name), f.put(t, "bad.tsr", spoilt(answer, 0)), authority, data)
		}
		answer, err := tsa.Respond(ours.Raw)
		if err != nil {
			t.Fatal(err)
		}
		b.refuses(t, "timestamp", f.path("theirs.tsq"), f.put(t, "nonce.tsr", answer), authority, data)
		refusal, err := tsa.Respond([]byte("garbage"))
		if err == nil {
			t.Fatal("garbage is stamped")
		}
		if got := b.mustDo(t, "timestamp", f.path("ours.tsq"), f.put(t, "no.tsr", refusal), authority, data); got != "status 2" {
			t.Errorf("refusal: %s", got)
		}
	})
	t.Run("OCSP", func(t *testing.T) {
		key := certtest.Key(t)
		own, err := pki.IssueOCSPResponder(cert.Subject("OCSP", "Test"), key.PublicKey(), cert.IssueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		responder := cert.Responder{
			Station: cert.Station{Signer: key}, Issuer: pki.Certificate, Certificate: own,
			State: func(serial *big.Int) cert.OCSPState {
				state := cert.OCSPState{Known: true}
				if serial.Cmp(a.EncryptionCert.Serial) == 0 {
					state.Revoked = &cert.Revoked{At: now.Add(-time.Hour), Reason: cert.ReasonKeyCompromise}
				}
				return state
			},
		}
		ownFile := f.put(t, "ocsp.der", own.Raw)
		for file, want := range map[string]string{sign: "good", encrypt: "revoked"} {
			q, err := cert.NewOCSPRequest(parse(t, f.get(t, filepath.Base(file))), pki.Certificate, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := responder.Respond(q.Raw)
			if err != nil {
				t.Fatal(err)
			}
			request, response := f.put(t, "q", q.Raw), f.put(t, "r", answer)
			if got := b.mustDo(t, "ocsp", request, response, root, ownFile, file); got != want {
				t.Errorf("%s: %s, want %s", filepath.Base(file), got, want)
			}
			b.refuses(t, "ocsp", request, response, root, sign, file)
			b.refuses(t, "ocsp", request, response, sign, ownFile, file)
		}
	})
}

func mustCRL(t *testing.T, pki *certtest.PKI, now time.Time, revoked ...*cert.Certificate) *cert.RevocationList {
	t.Helper()
	entries := make([]cert.Revoked, len(revoked))
	for i, c := range revoked {
		entries[i] = cert.Revoked{Serial: c.Serial, At: now.Add(-time.Hour), Reason: cert.ReasonKeyCompromise}
	}
	list, err := pki.IssueCRL(pki.Certificate.Serial, now.Add(24*time.Hour), entries)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestBouncyCastleWrites has this module verify what Bouncy Castle makes.
func TestBouncyCastleWrites(t *testing.T) {
	b := startCastle(t)
	f := folder{t.TempDir()}
	b.mustDo(t, "make", f.dir)
	now := time.Now()
	root, leaf, revoked := parse(t, f.get(t, "ca.der")), parse(t, f.get(t, "leaf.der")), parse(t, f.get(t, "revoked.der"))
	list, err := cert.ParseCRL(f.get(t, "ca.crl"))
	if err != nil {
		t.Fatal(err)
	}
	policy := cert.Policy{Roots: []*cert.Certificate{root}, CRLs: []*cert.RevocationList{list}}

	t.Run("certificates and lists", func(t *testing.T) {
		for _, k := range policy.Judge(leaf, cert.UseSign, cert.Moment{Now: now}) {
			if k.Status != verdict.Passed {
				t.Errorf("good certificate: %+v", k)
			}
		}
		checks := policy.Judge(revoked, cert.UseSign, cert.Moment{Now: now})
		if last := checks[len(checks)-1]; last.Reason != verdict.Revoked {
			t.Errorf("revoked certificate: %+v", last)
		}
		if k := policy.Judge(parse(t, spoilt(leaf.Raw, 0)), cert.UseSign, cert.Moment{Now: now})[0]; k.Reason != verdict.CertificateChain {
			t.Errorf("spoilt certificate: %+v", k)
		}
	})
	t.Run("signed data", func(t *testing.T) {
		o := cms.JudgeOptions{Policy: policy, Now: now.Add(2 * time.Second)}
		sum := gm.SM3(f.get(t, "content"))
		for name, detached := range map[string]bool{"attached.p7s": false, "detached.p7s": true} {
			s, err := cms.ParseSigned(f.get(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if v := s.Judge(sum, detached, o)[0]; v.Verdict != verdict.Passed || v.Signer != leaf.SubjectText() {
				t.Errorf("%s: %s %s %+v", name, v.Verdict, v.Reason, v.Checks)
			}
			if v := s.Judge(gm.SM3([]byte("another")), detached, o)[0]; v.Verdict != verdict.Failed {
				t.Errorf("%s over another content: %s", name, v.Verdict)
			}
		}
	})
	t.Run("time-stamps", func(t *testing.T) {
		sum := gm.SM3([]byte("a seal"))
		req, err := tsp.NewRequest(sum, nil, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		b.mustDo(t, "make-timestamp", f.put(t, "ours.tsq", req.Raw), f.path("theirs.tsr"))
		resp, err := tsp.ParseResponse(f.get(t, "theirs.tsr"))
		if err != nil {
			t.Fatal(err)
		}
		o := tsp.JudgeOptions{Policy: policy, Nonce: req.Nonce, NotBefore: now, Now: time.Now()}
		if j := tsp.JudgeToken(resp.Token, sum, o); !j.Proven() || j.Authority != parse(t, f.get(t, "tsa.der")).SubjectText() {
			t.Errorf("%+v", j)
		}
		if j := tsp.JudgeToken(resp.Token, gm.SM3([]byte("another")), o); j.Check.Reason != verdict.TimestampImprint {
			t.Errorf("over other data: %+v", j.Check)
		}
		if j := tsp.JudgeToken(spoilt(resp.Token, 0), sum, o); j.Proven() {
			t.Error("a spoilt token proves its time")
		}
	})
	t.Run("OCSP", func(t *testing.T) {
		for name, want := range map[string]verdict.Reason{"leaf.der": "", "revoked.der": verdict.Revoked} {
			c := parse(t, f.get(t, name))
			q, err := cert.NewOCSPRequest(c, root, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			b.mustDo(t, "make-ocsp", f.put(t, "q", q.Raw), f.path("r"), revoked.SerialText())
			r, err := cert.ParseOCSP(f.get(t, "r"))
			if err != nil {
				t.Fatal(err)
			}
			if !r.Answers(q) {
				t.Errorf("%s: no answer to the request", name)
			}
			p := cert.Policy{Roots: policy.Roots, OCSP: []*cert.OCSPResponse{r}}
			checks := p.Judge(c, cert.UseSign, cert.Moment{At: now, Now: time.Now()})
			if k := checks[len(checks)-1]; k.Reason != want {
				t.Errorf("%s: %+v, want %q", name, k, want)
			}
		}
	})
}
