package cert_test

import (
	"go/parser"
	"go/token"
	"math/big"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/verdict"
)

// TestNothingFetches is T-10: no package that judges can reach a network, whatever addresses a certificate names.
func TestNothingFetches(t *testing.T) {
	for _, dir := range []string{".", "../cms", "../gm", "../stream", "../../verdict"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := dir + "/" + e.Name()
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range f.Imports {
				if path := strings.Trim(i.Path.Value, `"`); path == "net" || strings.HasPrefix(path, "net/") || path == "os/exec" {
					t.Errorf("%s imports %s", name, path)
				}
			}
		}
	}
	pki := certtest.New(t, "root", now)
	c := pki.PartyWith("office", cert.IssueOptions{
		CRLs: []string{"http://169.254.169.254/crl", "file:///etc/passwd"}, OCSP: []string{"http://127.0.0.1:1/"},
	}).SigningCert
	expect(t, pki.Policy().Judge(c, cert.UseSign, cert.Moment{Now: now}), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
}

// TestClockJumps is T-14: certificates across the ends of UTCTime and of 32-bit seconds, judged at clocks that jump.
func TestClockJumps(t *testing.T) {
	start := time.Date(2037, 12, 31, 23, 59, 59, 0, time.UTC)
	end := time.Date(2050, 1, 1, 0, 0, 1, 0, time.UTC)
	pki := certtest.New(t, "root", start)
	c := pki.PartyWith("office", cert.IssueOptions{NotBefore: start, NotAfter: end}).SigningCert
	if !c.NotBefore.Equal(start) || !c.NotAfter.Equal(end) {
		t.Fatalf("validity %s to %s", c.NotBefore, c.NotAfter)
	}
	shanghai := time.FixedZone("UTC+8", 8*3600)
	tests := []struct {
		name   string
		now    time.Time
		status verdict.Status
		reason verdict.Reason
	}{
		{"the first second", start, verdict.Passed, ""},
		{"the same in another zone", start.In(shanghai), verdict.Passed, ""},
		{"the second before", start.Add(-time.Second), verdict.Failed, verdict.CertNotYetValid},
		{"ten years before", start.AddDate(-10, 0, 0), verdict.Failed, verdict.CertNotYetValid},
		{"beyond 32-bit seconds", time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), verdict.Passed, ""},
		{"the last second", end, verdict.Passed, ""},
		{"the second after", end.Add(time.Second), verdict.Indeterminate, verdict.NoProofOfExistence},
		{"ten years after", end.AddDate(10, 0, 0), verdict.Indeterminate, verdict.NoProofOfExistence},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, pki.Policy().Judge(c, cert.UseSign, cert.Moment{Now: tt.now}), verdict.CheckCertificateChain, tt.status, tt.reason)
			proven := cert.Moment{At: tt.now, Proven: true, Now: tt.now.AddDate(20, 0, 0)}
			want := verdict.Passed
			if !c.ValidAt(tt.now) {
				want = verdict.Failed
			}
			if k := find(t, pki.Policy().Judge(c, cert.UseSign, proven), verdict.CheckCertificateChain); k.Status != want {
				t.Errorf("with a proven time: %s %s", k.Status, k.Reason)
			}
		})
	}
}

// TestLargeList is T-07: a list beyond its bound is refused without being read, one within it answers.
func TestLargeList(t *testing.T) {
	if _, err := cert.ParseCRL(make([]byte, 2*cert.MaxCRLSize+1)); err == nil {
		t.Error("a list beyond the bound is read")
	}
	pki := certtest.New(t, "root", now)
	c := pki.Party("office").SigningCert
	revoked := make([]cert.Revoked, 20_000)
	for i := range revoked {
		revoked[i] = cert.Revoked{Serial: big.NewInt(int64(i + 1)), At: now}
	}
	list, err := pki.IssueCRL(big.NewInt(1), now.Add(time.Hour), revoked)
	if err != nil {
		t.Fatal(err)
	}
	// Reading costs the bytes of the list and an index, no tree of its entries.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if list, err = cert.ParseCRL(list.Raw); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4*uint64(len(list.Raw)) {
		t.Errorf("reading a list of %d bytes allocates %d", len(list.Raw), got)
	}
	p := pki.Policy()
	p.CRLs = lists(list)
	expect(t, p.Judge(c, cert.UseSign, cert.Moment{Now: now}), verdict.CheckRevocation, verdict.Passed, "")
	// However often it says the same, little is read of it.
	for i := range revoked {
		revoked[i].Serial = big.NewInt(5)
	}
	for n, good := range map[int]bool{16: true, 17: false, len(revoked): false} {
		list, err := pki.IssueCRL(big.NewInt(2), now.Add(time.Hour), append([]cert.Revoked{{Serial: big.NewInt(6), At: now}}, revoked[:n]...))
		if (err == nil) != good || good && list.Len() != n+1 {
			t.Errorf("%d entries about one certificate: %v", n, err)
		}
	}
}
