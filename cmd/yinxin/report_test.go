package main

import (
	"strings"
	"testing"

	"yinxin/verdict"
)

// TestPrintFilesIsCalm: what does not pass is said, what passes is counted, and a note stands once with all parties.
func TestPrintFilesIsCalm(t *testing.T) {
	t.Parallel()
	sound := verdict.File{File: "a.ofd", Verdict: verdict.Passed, Signatures: []verdict.Signature{{
		ID: "1", Kind: "seal", Signer: "CN=A", Verdict: verdict.Passed, Seal: &verdict.SealRef{ID: "7", Name: "印章"},
		Checks: []verdict.Check{verdict.Pass(verdict.CheckSignature), verdict.Unknown(verdict.CheckRevocation, verdict.NoRevocationSource, "CN=A")},
	}}}
	sound.Warn(verdict.NoRevocationSource, "CN=A: no revocation source exists")
	sound.Warn(verdict.NoRevocationSource, "CN=B: no revocation source exists")
	sound.Warn(verdict.TimeClaimed, "the signing time is the signer's claim")
	bad := verdict.File{
		File: "b", Verdict: verdict.Failed, Reason: verdict.DigestMismatch,
		Checks: []verdict.Check{verdict.Fail(verdict.CheckDigests, verdict.DigestMismatch, "c.json")},
		Parts:  []verdict.File{{File: "good.yxr", Verdict: verdict.Passed}, {File: "bad.yxr", Verdict: verdict.Indeterminate, Reason: verdict.NoLogKey}},
	}
	bad.Warn(verdict.NoRevocationSource, "CN=B: no revocation source exists")
	bad.Warn(verdict.NoRevocationSource, "CN=C: no revocation source exists")
	var out strings.Builder
	printFiles(&out, []verdict.File{sound, bad})
	want := `a.ofd: passed
  seal 1: passed, 印章 (7), by CN=A
b: failed (digest_mismatch: a file differs from its recorded digest)
  digests: failed (digest_mismatch: a file differs from its recorded digest) c.json
  bad.yxr: indeterminate (no_log_key: no log key was given to judge the checkpoint by)
  1 file inside it: passed
note no_revocation_source: no revocation source exists for this certificate: CN=A; CN=B; CN=C (in a.ofd, b)
note time_claimed: the signing time is the signer's claim (in a.ofd)
2 files: 1 failed, 1 passed
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
	out.Reset()
	printFiles(&out, []verdict.File{sound})
	if strings.Contains(out.String(), "files:") || strings.Contains(out.String(), "(in ") {
		t.Errorf("of one file:\n%s", out.String())
	}
}
