package tsp

import (
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// JudgeSigned is cms.SignedData.Judge with the time-stamps beside each signature: every token is judged over the value of
// the signature that it lies beside, and the earliest that proves its time is the signer's moment, unless the caller has
// one of its own (o.At). A token that does not hold is a check of its own and decides like any other. Tokens are judged
// with the policy of o.
func JudgeSigned(s *cms.SignedData, sum [32]byte, detached bool, o cms.JudgeOptions) []verdict.Signature {
	out := make([]verdict.Signature, s.Signers())
	for i := range out {
		out[i] = judgeSigner(s, i, sum, detached, o)
	}
	return out
}

func judgeSigner(s *cms.SignedData, i int, sum [32]byte, detached bool, o cms.JudgeOptions) verdict.Signature {
	var checks []verdict.Check
	var notes []Judgement
	given := !o.At.IsZero()
	o.Policy = o.Policy.Bounded()
	value := gm.SM3(s.SignatureValue(i))
	for _, token := range s.Timestamps(i) {
		j := JudgeToken(token, value, JudgeOptions{Policy: o.Policy, Certificates: o.Certificates, Now: o.Now})
		checks = append(checks, j.Check)
		notes = append(notes, j)
		if j.Proven() && !given && (o.At.IsZero() || j.Time.Before(o.At)) {
			o.At, o.TimeSource = j.Time, verdict.TimeFromTimestamp
		}
	}
	v := s.JudgeSigner(i, sum, detached, o)
	v.Add(checks...)
	for _, j := range notes {
		for k, w := range j.Warnings {
			v.Warn(w, "%s", j.WarningDetails[k])
		}
	}
	v.Judge(o.Policy.Setting())
	return v
}
