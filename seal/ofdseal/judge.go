package ofdseal

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/document/ofd"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// judgeSeal judges a signature of type Seal.
func (v *verifier) judgeSeal(sig *verdict.Signature, s *signed, value []byte) {
	parsed, err := ses.ParseSignature(value)
	if err != nil {
		sig.Add(sealFault(s, value, err))
		v.judgeDocument(sig, s)
		return
	}
	tbs := parsed.ToBeSigned
	sig.Version = tbs.Version
	switch tbs.Version {
	case ses.Version5:
		sig.Standard = "GM/T 0031-2025"
	case ses.Version1:
		sig.Standard = "GM/T 0031-2014"
	}
	sig.Seal = &verdict.SealRef{ID: tbs.Seal.Info.SealID, Name: tbs.Seal.Info.Property.Name}
	tokens := v.judgeTimestamps(parsed)
	options := v.options
	options.Proven = tokens.proven
	moment, source := options.Moment(tbs.Time)
	if !moment.At.IsZero() {
		sig.At(moment.At, source)
	}
	if tbs.ZoneAssumed {
		sig.Warn(verdict.TimeClaimed, "the sealing time stands in the signature without a zone and is read as that of China (UTC+8)")
	}

	seal.WarnTime(sig, "/"+s.d.name, s.d.time, tbs.Time)

	s.picture = tbs.Seal.Info.Picture.Data
	sig.Add(v.checkSealMatch(s, tbs.Seal)...)
	v.judgeDocument(sig, s)
	sig.Add(checkDataHash(s, tbs)...)
	if e := ses.Unknown(tbs.Extensions); e != nil {
		sig.Add(verdict.Fail(verdict.CheckSignature, verdict.SealVersion, "the signature in /%s has the critical extension %s, which is not known here", s.d.value, e.ID))
	}
	signer, err := cert.Parse(parsed.Cert)
	if err != nil {
		sig.Add(verdict.Fail(verdict.CheckSignature, verdict.SignerCert, "the signer's certificate cannot be read: %v", err))
	} else {
		sig.Signer = signer.SubjectText()
	}
	sig.Add(checkListed(tbs.Seal, parsed.Cert, sig.Signer))
	if signer != nil {
		sig.Add(checkSignature(s, parsed, signer))
	}
	maker := options.JudgeSeal(sig, tbs.Seal, moment, tbs.Time)
	v.judgeChains(sig, signer, maker, moment)
	tokens.addTo(sig)
	sig.Add(v.checkPlacement(sig, s, tbs.Seal)...)
}

// sealFault explains a signature value that is no readable seal signature.
func sealFault(s *signed, value []byte, err error) verdict.Check {
	var refused *verdict.ContainerError
	if !errors.As(err, &refused) {
		return verdict.Fail(verdict.CheckSignature, verdict.Malformed, "%s: %v", s.d.value, err)
	}
	if refused.Reason == verdict.SealVersion && !ses.LooksLikeSignature(value) {
		return verdict.Fail(verdict.CheckSignature, verdict.SignatureType,
			"signature %s is listed as a seal, and %s holds no seal", s.id, s.d.value)
	}
	return verdict.Fail(verdict.CheckSignature, refused.Reason, "%s: %s", s.d.value, refused.Detail)
}

// checkSealMatch compares the seal file, where there is one, with the seal inside the signature, byte by byte.
func (v *verifier) checkSealMatch(s *signed, inside *ses.Seal) []verdict.Check {
	const name = verdict.CheckSealMatch
	if s.d.seal == "" {
		return nil
	}
	file, ok := v.pkg.Entry(s.d.seal)
	if !ok {
		return []verdict.Check{verdict.Fail(name, verdict.MissingEntry, "/%s is not in the package", s.d.seal)}
	}
	if !bytes.Equal(file, inside.Raw) {
		return []verdict.Check{verdict.Fail(name, verdict.SealMismatch,
			"/%s is not the seal that was signed with", s.d.seal)}
	}
	return []verdict.Check{verdict.Pass(name)}
}

// checkDataHash asks whether the signature is about this description, at this place.
func checkDataHash(s *signed, tbs ses.ToBeSigned) []verdict.Check {
	const name = verdict.CheckDataHash
	var checks []verdict.Check
	if sum := gm.SM3(s.d.data); !bytes.Equal(tbs.DataHash, sum[:]) {
		checks = append(checks, verdict.Fail(name, verdict.SigValue,
			"/%s is not what was signed: a stamp, a digest or the list of files in it was changed, "+
				"or the signature belongs to another document", s.d.name))
	}
	if isPath(tbs.PropertyInfo) && strings.TrimPrefix(tbs.PropertyInfo, "/") != s.d.name {
		checks = append(checks, verdict.Fail(name, verdict.PropertyInfo,
			"the signature was made for %s and stands in /%s", tbs.PropertyInfo, s.d.name))
	}
	if checks == nil {
		checks = append(checks, verdict.Pass(name))
	}
	return checks
}

func checkListed(s *ses.Seal, signerCert []byte, signer string) verdict.Check {
	if !s.Lists(signerCert) {
		return verdict.Fail(verdict.CheckSignerListed, verdict.SignerNotAuthorised,
			"%s is not in the list of seal %s", signer, s.Info.SealID)
	}
	return verdict.Pass(verdict.CheckSignerListed)
}

func checkSignature(s *signed, parsed *ses.Signature, signer *cert.Certificate) verdict.Check {
	const name = verdict.CheckSignature
	if !parsed.Algorithm.Equal(gm.OIDSM2WithSM3) {
		return verdict.Fail(name, verdict.AlgMismatch, "the signature names the algorithm %s", parsed.Algorithm)
	}
	if !isSM2Method(s.d.method) {
		return verdict.Fail(name, verdict.AlgMismatch, "/%s names the signature method %q", s.d.name, s.d.method)
	}
	if !gm.Verify(signer.PublicKey, parsed.RawToSign, parsed.Value) {
		return verdict.Fail(name, verdict.SigValue, "the signature of %s in /%s does not verify", signer.SubjectText(), s.d.value)
	}
	return verdict.Pass(name)
}

// sealTokens are the judged time-stamps of a sealed signature: over the signature, over the seal in it, and the check of a time
// that is neither. A token over the signature that holds in every respect proves its time.
type sealTokens struct {
	signature, seal *tsp.Judgement
	unread          []verdict.Check
	proven          *seal.ProvenTime
}

// judgeTimestamps judges the time-stamps of the signature and of the seal, each over the signature value beside it
// (RFC 3161). What proves the time of the signature has seen the seal in it, token included.
func (v *verifier) judgeTimestamps(parsed *ses.Signature) sealTokens {
	out := sealTokens{proven: v.options.Proven}
	inside := parsed.ToBeSigned.Seal
	if token := parsed.TimeStamp; token != nil {
		j := v.judgeToken(token, parsed.Value, parsed.ToBeSigned.Time, out.proven)
		out.signature = &j
		if j.Proven() && out.proven == nil {
			out.proven = &seal.ProvenTime{At: j.Time, Source: verdict.TimeFromTimestamp}
		}
	}
	if token := inside.TimeStamp; token != nil {
		j := v.judgeToken(token, inside.Value, inside.Info.Property.Created, out.proven)
		out.seal = &j
	}
	if parsed.ToBeSigned.TimeToken != nil {
		out.unread = append(out.unread, verdict.Unknown(verdict.CheckTimestamp, verdict.TimestampUnsupported,
			"the time in this signature of version 1 is neither of the known texts nor a time, and is not judged"))
	}
	return out
}

func (s sealTokens) addTo(sig *verdict.Signature) {
	if s.signature != nil {
		s.signature.AddTo(sig, "time-stamp token of the signature")
	}
	if s.seal != nil {
		s.seal.AddTo(sig, "time-stamp token of the seal")
	}
	sig.Add(s.unread...)
}

// judgeToken judges a token that was seen when the document was, if that is proven. What it stamps cannot have come into
// being, by its own word, after the token did.
func (v *verifier) judgeToken(token, value []byte, made time.Time, seen *seal.ProvenTime) tsp.Judgement {
	o := tsp.JudgeOptions{Policy: v.options.Policy, NotBefore: made, Now: v.options.Now}
	if !v.options.At.IsZero() {
		o.Now = v.options.At
	}
	if seen != nil {
		o.Seen = seen.At
	}
	return tsp.JudgeToken(token, gm.SM3(value), o)
}

// checkPlacement asks whether every stamp shows on a page of the document, and whether cross-page seals are whole.
func (v *verifier) checkPlacement(sig *verdict.Signature, s *signed, inside *ses.Seal) []verdict.Check {
	faults := findings{name: verdict.CheckPlacement}
	pages := v.pkg.Bodies()[s.body].Pages
	byID := pagesByID(pages)
	w, h := float64(inside.Info.Picture.Width), float64(inside.Info.Picture.Height)
	for _, st := range s.d.stamps {
		i, ok := byID[st.page]
		if !ok {
			faults.add(verdict.Placement, "stamp %s lies on page %q, which the document does not have", st.id, st.page)
			continue
		}
		if !touches(st, pages[i].Size) {
			faults.add(verdict.Placement, "stamp %s lies outside of its page", st.id)
		}
		if differs(st.boundary.W, w) || differs(st.boundary.H, h) {
			sig.Warn(verdict.Placement, "stamp %s is %g × %g mm, its seal %g × %g mm", st.id, st.boundary.W, st.boundary.H, w, h)
		}
	}
	judgeSeams(&faults, s.d.stamps, pages, byID)
	if len(faults.checks) > 0 {
		return faults.done()
	}
	if len(s.d.stamps) == 0 {
		return nil
	}
	return []verdict.Check{verdict.Pass(verdict.CheckPlacement)}
}

// touches reports whether the visible part of the stamp meets the page.
func touches(st stampAnnot, page ofd.Box) bool {
	b := st.boundary
	if c := st.clip; c != nil {
		b = ofd.Box{X: b.X + c.X, Y: b.Y + c.Y, W: min(c.W, b.W-c.X), H: min(c.H, b.H-c.Y)}
	}
	return b.W > 0 && b.H > 0 && b.X < page.W && b.Y < page.H && b.X+b.W > 0 && b.Y+b.H > 0
}
