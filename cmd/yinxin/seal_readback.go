package main

import (
	"io"
	"slices"

	"yinxin/crypto/cert"
	"yinxin/internal/verify"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// checkMade refuses a seal that was changed after it was made, or that its maker did not make: no document gets it.
func checkMade(path string, s *ses.Seal, moment cert.Moment) error {
	var sig verdict.Signature
	seal.JudgeSeal(&sig, s, moment)
	for _, c := range sig.Checks {
		if c.Name == verdict.CheckSealMaker && c.Status != verdict.Passed {
			return refuse(string(c.Reason), exitFailed, "%s is no seal that holds: %s: %s", path, c.Name, c.Detail)
		}
	}
	return nil
}

// readBack judges what was sealed as anybody will who trusts the roots that were given, before it is released. Where none
// were given only the sealing's own check looks, which asks for no trust.
func (s *sealing) readBack(e *env, r io.ReaderAt, size int64) error {
	t := s.flags.stamp.trust
	if len(t.roots) == 0 {
		return nil
	}
	policy, err := t.policy()
	if err != nil {
		return err
	}
	f, err := verify.One(verify.Input{Name: "sealed", Reader: r, Size: size}, verify.Options{Policy: policy, Now: e.now()})
	if err != nil {
		return err
	}
	if len(f.Signatures) == 0 {
		return refuse("seal_invalid", exitFailed, "the sealed document was read back as %s (%s)", f.Verdict, f.Reason)
	}
	made := f.Signatures[len(f.Signatures)-1] // the others were there before, and are their makers' business
	s.result.Judged = made.Verdict == verdict.Passed
	if s.result.Judged {
		return nil
	}
	exit := exitFailed
	if made.Verdict == verdict.Indeterminate {
		exit = exitIndeterminate
	}
	i := slices.IndexFunc(made.Checks, func(c verdict.Check) bool { return c.Status != verdict.Passed && c.Reason == made.Reason })
	if i < 0 {
		return refuse(string(made.Reason), exit, "the sealed document, read back, does not pass: %s", made.Verdict)
	}
	c := made.Checks[i]
	return refuse(string(c.Reason), exit, "the sealed document, read back, does not pass: %s: %s: %s", made.Verdict, c.Name, c.Detail)
}

// checkTrust wants roots where there is something to judge by them.
func (f *applyFlags) checkTrust() error {
	t := f.stamp.trust
	if len(t.roots) == 0 && len(t.crls)+len(t.ocsp)+len(t.chain) > 0 {
		return usage("--crl, --ocsp and --chain are judged by --root: the seal that is made is read back by it")
	}
	return nil
}
