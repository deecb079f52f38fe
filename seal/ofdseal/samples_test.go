package ofdseal_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"yinxin/crypto/cert"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/testvectors"
	"yinxin/verdict"
)

// sampleDay is the day after the samples were sealed.
var sampleDay = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	data, err := testvectors.Read("ofd/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustRoots(t testing.TB) []*cert.Certificate {
	t.Helper()
	roots, err := cert.ParsePEM(mustRead(t, "keys/root-cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

func sampleOptions(t testing.TB) seal.VerifyOptions {
	return seal.VerifyOptions{Policy: cert.Policy{Roots: mustRoots(t)}, Now: sampleDay}
}

// sample is what a verdict on a sample must say. Signatures and warnings are compared whole; alone names the only check
// that may fail.
type sample struct {
	file     string
	verdict  verdict.Status
	reason   verdict.Reason
	check    verdict.CheckName
	detail   string // a part of the detail of the failing check
	count    int
	warnings []verdict.Reason
}

// common are the warnings of every sound sealed sample: its time is the signer's, its certificates name no source.
var common = []verdict.Reason{verdict.NoRevocationSource, verdict.TimeClaimed}

func open(more ...verdict.Reason) []verdict.Reason {
	return append(append([]verdict.Reason{verdict.ListOpen}, common...), more...)
}

func samples() []sample {
	const (
		passed   = verdict.Passed
		failed   = verdict.Failed
		rejected = verdict.Rejected
	)
	page := "Doc_0/Pages/Page_0/Content.xml"
	return []sample{
		{file: "u1.ofd", verdict: verdict.Unsigned},
		{file: "u2.ofd", verdict: verdict.Unsigned},
		{file: "u3.ofd", verdict: verdict.Unsigned},
		{file: "t-unlink.ofd", verdict: verdict.Unsigned, warnings: []verdict.Reason{verdict.LeftoverSignature}},

		{file: "v4-open.ofd", verdict: passed, count: 1, warnings: open()},
		{file: "v4-whole.ofd", verdict: passed, count: 1, warnings: common},
		{file: "v4-two.ofd", verdict: passed, count: 2, warnings: open()},
		{file: "v4-lock.ofd", verdict: passed, count: 2, warnings: append([]verdict.Reason{verdict.NoProofOfExistence}, common...)}, // the closing signature states no time
		{file: "v4-relative.ofd", verdict: passed, count: 2, warnings: open()},
		{file: "v4-ride-right.ofd", verdict: passed, count: 1, warnings: common},
		{file: "v4-ride-clip3.ofd", verdict: passed, count: 1, warnings: common},
		{file: "v4-ride-cut.ofd", verdict: passed, count: 1, warnings: common},
		{file: "v4-ride-top.ofd", verdict: passed, count: 1, warnings: common},
		{file: "v4-multi-stamp.ofd", verdict: passed, count: 1, warnings: open()},
		{file: "v4-digestlist.ofd", verdict: passed, count: 1, warnings: open()},
		{file: "v5-open.ofd", verdict: passed, count: 1, warnings: open()},
		{file: "p7.ofd", verdict: passed, count: 1, warnings: []verdict.Reason{verdict.NoRevocationSource, verdict.NoProofOfExistence}},
		{file: "p7-attrs.ofd", verdict: passed, count: 1, warnings: append([]verdict.Reason{verdict.SignerUnbound}, common...)},
		{file: "t-repack.ofd", verdict: passed, count: 1, warnings: open()},
		{file: "t-two-drop2.ofd", verdict: passed, count: 1, warnings: open()},
		{file: "v4-filter.ofd", verdict: passed, count: 1, warnings: open(verdict.PartialCoverage)},
		{file: "t-orphanfile.ofd", verdict: passed, count: 1, warnings: open(verdict.OrphanEntry)},
		{file: "t-two-unlist1.ofd", verdict: passed, count: 1, warnings: open(verdict.UnlistedSignature)},

		// The seal itself is good: only the time-stamp fails.
		{file: "v4-timestamp.ofd", verdict: failed, reason: verdict.TimestampInvalid, check: verdict.CheckTimestamp, count: 1, detail: "token"},
		{file: "v4-rogue.ofd", verdict: failed, reason: verdict.CertificateChain, check: verdict.CheckCertificateChain, count: 1, detail: "seal maker"},
		{file: "v4-seqtbs.ofd", verdict: failed, reason: verdict.SealMakerSignature, check: verdict.CheckSealMaker, count: 1, detail: "version 1"},
		{file: "v4-notlisted.ofd", verdict: failed, reason: verdict.SignerNotAuthorised, check: verdict.CheckSignerListed, count: 1, detail: "签章人甲"},
		{file: "v4-digest-notlisted.ofd", verdict: failed, reason: verdict.SignerNotAuthorised, check: verdict.CheckSignerListed, count: 1, detail: "签章人甲"},
		{file: "v4-seal-expired.ofd", verdict: failed, reason: verdict.SealValidity, check: verdict.CheckSealValidity, count: 1, detail: "2023-06-01"},
		{file: "v4-seal-future.ofd", verdict: failed, reason: verdict.SealValidity, check: verdict.CheckSealValidity, count: 1, detail: "2047-06-01"},
		{file: "v4-cert-expired.ofd", verdict: failed, reason: verdict.CertExpired, check: verdict.CheckCertificateChain, count: 1, detail: "2022-01-01"},
		{file: "v4-badmaker.ofd", verdict: failed, reason: verdict.SealMakerSignature, check: verdict.CheckSealMaker, count: 1, detail: "制章者"},

		{file: "t-content.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: page},
		{file: "t-space.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: page},
		{file: "t-p7-content.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: page},
		{file: "t-image.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: ".png"},
		{file: "t-attach.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: "data.csv"},
		{file: "t-meta.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: "OFD.xml"},
		{file: "t-appendpage.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: "Doc_0/Document.xml"},
		{file: "t-list.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: "Signatures.xml"},
		{file: "t-delfile.ofd", verdict: failed, reason: verdict.MissingEntry, check: verdict.CheckReferences, count: 1, detail: page},
		{file: "t-two-drop1.ofd", verdict: failed, reason: verdict.MissingEntry, check: verdict.CheckReferences, count: 1, detail: "Sign_0"},
		{file: "t-dropref.ofd", verdict: failed, reason: verdict.Uncovered, check: verdict.CheckCoverage, count: 1, detail: page},
		{file: "t-sealpic.ofd", verdict: failed, reason: verdict.SealMismatch, check: verdict.CheckSealMatch, count: 1, detail: "Seal.esl"},
		{file: "t-sealpic-both.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckSealMaker, count: 1, detail: "changed after it was made"},
		{file: "t-sealswap.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: "Seal.esl"},
		{file: "t-sealswap-deep.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckSignature, count: 1, detail: "does not verify"},
		{file: "t-stamp-moved.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckDataHash, count: 1, detail: "Signature.xml"},
		{file: "t-rehash.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckDataHash, count: 1, detail: "Signature.xml"},
		{file: "t-othersig.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckDataHash, count: 1, detail: "Signature.xml"},
		{file: "t-forge.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckSignature, count: 1, detail: "does not verify"},
		{file: "t-sigvalue.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckSignature, count: 1, detail: "does not verify"},
		{file: "t-time.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckSignature, count: 1, detail: "does not verify"},
		{file: "t-reseal.ofd", verdict: failed, reason: verdict.SignerNotAuthorised, check: verdict.CheckSignerListed, count: 1, detail: "Signer B"},
		{file: "t-lock-drop.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: "Signatures.xml"},
		{file: "t-lock-addsig.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 3, detail: "Signatures.xml"},
		{file: "t-typeswap.ofd", verdict: failed, reason: verdict.SignatureType, check: verdict.CheckSignature, count: 1, detail: "digital signature"},
		{file: "t-checkmethod.ofd", verdict: failed, reason: verdict.WeakDigest, check: verdict.CheckReferences, count: 1, detail: "MD5"},

		{file: "t-dup-last.ofd", verdict: rejected, reason: verdict.DuplicateEntry, check: verdict.CheckContainer, detail: page},
		{file: "t-dup-first.ofd", verdict: rejected, reason: verdict.DuplicateEntry, check: verdict.CheckContainer, detail: page},
		{file: "t-traversal.ofd", verdict: rejected, reason: verdict.Path, check: verdict.CheckContainer, detail: "../evil.xml"},
		{file: "t-truncated.ofd", verdict: rejected, reason: verdict.ZipLayout, check: verdict.CheckContainer, detail: "cut off"},

		// The stamp of these two is smaller than their seal of version 1.
		{file: "v1-open.ofd", verdict: passed, count: 1, warnings: open(verdict.Placement)},
		{file: "v1-v4.ofd", verdict: passed, count: 2, warnings: open(verdict.Placement)},
		{file: "t-v1-forge.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckSignature, count: 1, detail: "does not verify"},
		{file: "t-v1-content.ofd", verdict: failed, reason: verdict.ReferenceDigest, check: verdict.CheckReferences, count: 1, detail: page},

		// Forms outside the standard: the Base64 of the digest as content, a bare signature without a certificate.
		{file: "p7-b64.ofd", verdict: failed, reason: verdict.SigValue, check: verdict.CheckDataHash, count: 1, detail: "Base64"},
		{file: "raw-sm2.ofd", verdict: failed, reason: verdict.SignerCert, check: verdict.CheckSignature, count: 1, detail: "no certificate"},
	}
}

func TestSamples(t *testing.T) {
	o := sampleOptions(t)
	for _, tt := range samples() {
		t.Run(tt.file, func(t *testing.T) {
			f := ofdseal.VerifyFile(mustRead(t, tt.file), o)
			if f.Verdict != tt.verdict || f.Reason != tt.reason || len(f.Signatures) != tt.count {
				t.Errorf("got %s (%s) with %d signatures, want %s (%s) with %d",
					f.Verdict, f.Reason, len(f.Signatures), tt.verdict, tt.reason, tt.count)
			}
			if tt.check != "" && !finds(f, tt.check, tt.verdict, tt.detail) {
				t.Errorf("no check %s that is not passed and says %q: %+v", tt.check, tt.detail, faulty(f))
			}
			if tt.warnings != nil || tt.verdict == verdict.Unsigned {
				if diff := cmp.Diff(unique(tt.warnings), unique(f.Warnings)); diff != "" {
					t.Errorf("warnings (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestSamplesAgreeWithTheManifest holds every verdict against that of those who made the samples, who are independent of
// this verifier. Two of theirs leave a choice: a strict verifier may fail the Base64 form, and may judge a seal of
// version 4 that was signed as in version 1 either way.
func TestSamplesAgreeWithTheManifest(t *testing.T) {
	want := map[string]func(s sample) bool{
		"PASS":           func(s sample) bool { return s.verdict == verdict.Passed },
		"FAIL":           func(s sample) bool { return s.verdict == verdict.Failed || s.verdict == verdict.Rejected },
		"UNSIGNED":       func(s sample) bool { return s.verdict == verdict.Unsigned },
		"PASS-PARTIAL":   func(s sample) bool { return s.verdict == verdict.Passed && s.warned(verdict.PartialCoverage) },
		"PASS-UNCOVERED": func(s sample) bool { return s.verdict == verdict.Passed && s.warned(verdict.OrphanEntry) },
		"PASS-UNLISTED":  func(s sample) bool { return s.verdict == verdict.Passed && s.warned(verdict.UnlistedSignature) },
		"FAIL-TIMESTAMP": func(s sample) bool { return s.verdict == verdict.Failed && s.check == verdict.CheckTimestamp },
		"FAIL-TRUST":     func(s sample) bool { return s.reason == verdict.CertificateChain },
		"PASS-OR-FAIL":   func(s sample) bool { return s.reason == verdict.SealMakerSignature },
	}
	table := map[string]sample{}
	for _, s := range samples() {
		table[s.file] = s
	}
	for line := range bytes.SplitSeq(bytes.TrimSpace(mustRead(t, "manifest.jsonl")), []byte("\n")) {
		var row struct{ File, Verdict string }
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		s, agrees := table[row.File], want[row.Verdict]
		if row.File == "p7-b64.ofd" && s.reason == verdict.SigValue {
			continue
		}
		if agrees == nil || !agrees(s) {
			t.Errorf("%s: the manifest says %s, the table %s (%s)", row.File, row.Verdict, s.verdict, s.reason)
		}
	}
}

func (s sample) warned(code verdict.Reason) bool { return slices.Contains(s.warnings, code) }

// TestSamplesAreAllJudged holds the table against the manifest.
func TestSamplesAreAllJudged(t *testing.T) {
	var listed, judged []string
	for line := range bytes.SplitSeq(bytes.TrimSpace(mustRead(t, "manifest.jsonl")), []byte("\n")) {
		var row struct{ File string }
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		listed = append(listed, row.File)
	}
	for _, s := range samples() {
		judged = append(judged, s.file)
	}
	less := func(a, b string) bool { return a < b }
	if diff := cmp.Diff(listed, judged, cmpopts.SortSlices(less)); diff != "" {
		t.Errorf("samples (-manifest +table):\n%s", diff)
	}
}

// TestTimestampFailsAlone: an unreadable time-stamp leaves the other checks of the seal standing.
func TestTimestampFailsAlone(t *testing.T) {
	f := ofdseal.VerifyFile(mustRead(t, "v4-timestamp.ofd"), sampleOptions(t))
	for _, c := range faulty(f) {
		if c.Name != verdict.CheckTimestamp && c.Reason != verdict.NoRevocationSource {
			t.Errorf("%s: %s %s", c.Name, c.Reason, c.Detail)
		}
	}
}

func TestWithoutRootsNothingPasses(t *testing.T) {
	f := ofdseal.VerifyFile(mustRead(t, "v4-open.ofd"), seal.VerifyOptions{Now: sampleDay})
	if f.Verdict != verdict.Indeterminate || f.Reason != verdict.NoTrustAnchor {
		t.Errorf("got %s (%s), want indeterminate (no_trust_anchor)", f.Verdict, f.Reason)
	}
}

func TestProvenTimeReplacesTheClaim(t *testing.T) {
	o := sampleOptions(t)
	o.Now = time.Date(2049, 6, 1, 0, 0, 0, 0, time.UTC) // the certificates ended in 2048
	f := ofdseal.VerifyFile(mustRead(t, "v4-open.ofd"), o)
	if f.Verdict != verdict.Indeterminate || f.Reason != verdict.NoProofOfExistence {
		t.Errorf("claimed: got %s (%s), want indeterminate (no_proof_of_existence)", f.Verdict, f.Reason)
	}
	o.Proven = &seal.ProvenTime{At: sampleDay, Source: verdict.TimeFromLog}
	f = ofdseal.VerifyFile(mustRead(t, "v4-open.ofd"), o)
	if f.Verdict != verdict.Passed || f.Warned(verdict.TimeClaimed) || f.Signatures[0].TimeSource != verdict.TimeFromLog {
		t.Errorf("proven: got %s (%s), warnings %v", f.Verdict, f.Reason, f.Warnings)
	}
}

func TestReportNamesSealAndParties(t *testing.T) {
	s := ofdseal.VerifyFile(mustRead(t, "v4-open.ofd"), sampleOptions(t)).Signatures[0]
	want := verdict.Signature{
		ID: "1", Kind: "seal", Standard: "GB/T 38540-2020", Version: 4,
		Signer: "CN=签章人甲 dev,O=Dev CA Org,C=CN", Maker: "CN=制章者 dev,O=Dev CA Org,C=CN",
		Seal:    &verdict.SealRef{ID: "0bef915807b64ae0b44be6034b53121a", Name: "重庆测试贸易合同专用章"},
		Verdict: verdict.Passed, TimeSource: verdict.TimeFromSigner,
	}
	ignore := cmpopts.IgnoreFields(verdict.Signature{}, "Time", "Checks", "Notes")
	if diff := cmp.Diff(want, s, ignore); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if at := time.Date(2026, 11, 21, 22, 40, 12, 0, time.UTC); s.Time == nil || !s.Time.Equal(at) {
		t.Errorf("time %v, want %v", s.Time, at)
	}
}

func faulty(f verdict.File) []verdict.Check {
	checks := append([]verdict.Check{}, f.Checks...)
	for _, s := range f.Signatures {
		checks = append(checks, s.Checks...)
	}
	var out []verdict.Check
	for _, c := range checks {
		if c.Status != verdict.Passed {
			out = append(out, c)
		}
	}
	return out
}

// finds reports whether a check of that name did not pass and says the words.
func finds(f verdict.File, name verdict.CheckName, want verdict.Status, words string) bool {
	if want == verdict.Rejected {
		want = verdict.Failed
	}
	for _, c := range faulty(f) {
		if c.Name == name && c.Status == want && strings.Contains(c.Detail, words) {
			return true
		}
	}
	return false
}

func unique(list []verdict.Reason) map[verdict.Reason]bool {
	set := map[verdict.Reason]bool{}
	for _, r := range list {
		set[r] = true
	}
	return set
}
