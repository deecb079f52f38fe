package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// certifiedStore makes a file store whose keys have certificates that end after so many days, and gives its folder.
func certifiedStore(t *testing.T, now time.Time, days map[string]float64) string {
	t.Helper()
	ctx, dir := t.Context(), filepath.Join(t.TempDir(), "keys")
	o := filekeys.Options{KDF: filekeys.KDF{MemoryKiB: filekeys.MinMemoryKiB, Time: 1, Threads: 1}}
	s, err := filekeys.Create(ctx, dir, []byte("a passphrase"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Create(ctx, keys.CreateOptions{Name: "root", Purpose: keys.PurposeIssue}); err != nil {
		t.Fatal(err)
	}
	signer, err := keys.Signer(ctx, s, keys.Ref{Name: "root"}, keys.PurposeIssue)
	if err != nil {
		t.Fatal(err)
	}
	station := cert.Station{Signer: signer, Now: func() time.Time { return now.AddDate(-1, 0, 0) }, Rand: rand.Reader}
	ca, err := cert.NewRoot(station, cert.Subject("Root", "Tests"), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, left := range days {
		infos, err := s.Create(ctx, keys.CreateOptions{Name: name, Purpose: keys.PurposeSign})
		if err != nil {
			t.Fatal(err)
		}
		end := now.Add(time.Duration(left * 24 * float64(time.Hour)))
		c, err := ca.IssueSigning(cert.Subject(name, "Tests"), infos[0].Public, cert.IssueOptions{NotAfter: end})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ImportCertificate(ctx, infos[0].Ref, [][]byte{c.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestExpiring: certificates are listed at 90, 30 and 7 days, each at its level from the very day on, and the timer's form exits
// with 1 where a current one has 7 days or less.
func TestExpiring(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	dir := certifiedStore(t, now, map[string]float64{
		"gone": -0.5, "day-7": 7.5, "day-8": 8.2, "day-30": 30.5, "day-31": 31.5, "day-90": 90.5, "day-91": 91.5, "far": 300,
	})
	passphrase := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(passphrase, []byte("a passphrase\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(at time.Time, args ...string) (int, string) {
		var out, errs bytes.Buffer
		home := t.TempDir()
		set := map[string]string{"YINXIN_HOME": home, "YINXIN_PASSWORD_FILE": passphrase}
		e := &env{
			stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(name string) string { return set[name] },
			now: func() time.Time { return at }, rand: rand.Reader, home: home,
		}
		code := run(t.Context(), append([]string{"keys", "expiring", "--keys", "files:" + dir, "--json"}, args...), e)
		return code, out.String()
	}
	levels := func(at time.Time, args ...string) string {
		t.Helper()
		code, text := ask(at, args...)
		var list []expiry
		if err := json.Unmarshal([]byte(text), &list); err != nil || code != exitDone {
			t.Fatalf("exit %d: %s", code, text)
		}
		var words []string
		for _, x := range list {
			words = append(words, fmt.Sprintf("%s=%s", x.Name, x.Level))
		}
		return strings.Join(words, " ")
	}
	for _, c := range []struct {
		at   time.Time
		args []string
		want string
	}{
		{now, nil, "gone=expired day-7=7 day-8=30 day-30=30 day-31=90 day-90=90"},
		{now, []string{"--within", "30"}, "gone=expired day-7=7 day-8=30 day-30=30"},
		{now.AddDate(0, 0, 1), nil, "gone=expired day-7=7 day-8=7 day-30=30 day-31=30 day-90=90 day-91=90"},
		{now.AddDate(-1, 0, 2), nil, ""},
	} {
		if got := levels(c.at, c.args...); got != c.want {
			t.Errorf("at %s %v: %q, want %q", c.at.Format(time.DateOnly), c.args, got, c.want)
		}
	}
	if code, text := ask(now, "--check"); code != exitFailed {
		t.Errorf("--check with one at 7 days: exit %d\n%s", code, text)
	}
	if code, _ := ask(now.AddDate(0, 0, -30), "--check"); code != exitDone {
		t.Errorf("--check with none at 7 days: exit %d", code)
	}
}
