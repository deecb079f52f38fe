package tsp

import (
	"slices"

	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// JudgeSigned is cms.SignedData.Judge with the time-stamps beside each signature: every token is judged over the value of
// the signature that it lies beside, and the earliest that proves its time is the signer's moment, unless the caller has
// one of its own (o.At), at which the tokens too are known to have existed. A token that does not hold is a check of its
// own and decides like any other, while the rest of the verdict is as if it were not there; a token from before the time at which
// the signer claims to have signed does not hold, for one of the two clocks lies; one whose authority has expired since is a warning, and the time stays the signer's
// claim. Tokens are judged with the policy of o; certificates and evidence of the message may help them too.
func JudgeSigned(s *cms.SignedData, sum [32]byte, detached bool, o cms.JudgeOptions) []verdict.Signature {
	out := make([]verdict.Signature, s.Signers())
	for i := range out {
		out[i] = judgeSigner(s, i, sum, detached, o)
	}
	return out
}

func judgeSigner(s *cms.SignedData, i int, sum [32]byte, detached bool, o cms.JudgeOptions) verdict.Signature {
	var tokens []Judgement
	given := !o.At.IsZero()
	o.Policy = o.Policy.Bounded()
	value := gm.SM3(s.SignatureValue(i))
	trust := JudgeOptions{
		Policy:       o.Policy.With(s.Certificates()...).WithEvidence(s.Evidence()),
		Certificates: slices.Concat(o.Certificates, s.Certificates()), Seen: o.At, Now: o.Now,
	}
	trust.NotBefore, _ = s.SigningTime(i)
	for _, token := range s.Timestamps(i) {
		j := JudgeToken(token, value, trust)
		tokens = append(tokens, j)
		if j.Proven() && !given && (o.At.IsZero() || j.Time.Before(o.At)) {
			o.At, o.TimeSource = j.Time, verdict.TimeFromTimestamp
		}
	}
	v := s.JudgeSigner(i, sum, detached, o)
	for _, j := range tokens {
		j.AddTo(&v, "")
	}
	v.Judge(o.Policy.Setting())
	return v
}
