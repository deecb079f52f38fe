package ofdseal

import (
	"bytes"
	"encoding/base64"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// judgeSign judges a signature of type Sign: a GB/T 35275 message about Signature.xml. Two forms are known: signed
// attributes whose messageDigest is the SM3 of Signature.xml, and a content of exactly those 32 bytes without attributes. A message with the
// types of PKCS#7 is neither (docs/divergences.md).
func (v *verifier) judgeSign(sig *verdict.Signature, s *signed, value []byte) {
	if ses.LooksLikeSignature(value) {
		sig.Add(verdict.Fail(verdict.CheckSignature, verdict.SignatureType,
			"signature %s is listed as a digital signature, and /%s holds a seal", s.id, s.d.value))
		v.judgeDocument(sig, s)
		return
	}
	v.judgeDocument(sig, s)
	if !isSM2Method(s.d.method) {
		sig.Add(verdict.Fail(verdict.CheckSignature, verdict.AlgMismatch, "/%s names the signature method %q", s.d.name, s.d.method))
	}
	msg, err := cms.ParseSigned(value)
	if err != nil {
		sig.Add(signFault(s, value, err))
		return
	}
	sig.Version = 1
	if !msg.IsGBT() {
		sig.Add(verdict.Fail(verdict.CheckSignature, verdict.SignatureType,
			"the message in /%s has the types of PKCS#7; a digital signature in an OFD is one of GB/T 35275", s.d.value))
	}
	sum := gm.SM3(s.d.data)
	o := cms.JudgeOptions{Policy: v.options.Policy, BareDigest: true}
	moment, _ := v.options.Moment(o.At)
	o.Now = moment.Now
	if moment.Proven {
		o.At, o.TimeSource = moment.At, v.options.Proven.Source
	}
	var parts []verdict.Signature
	if msg.Detached() {
		parts = tsp.JudgeSigned(msg, sum, true, o)
	} else {
		sig.Add(checkContent(s, msg.Content(), sum))
		parts = tsp.JudgeSigned(msg, gm.SM3(msg.Content()), false, o)
	}
	for _, part := range parts {
		adopt(sig, part)
	}
	if claimed, ok := msg.SigningTime(0); ok {
		seal.WarnTime(sig, "/"+s.d.name, s.d.time, claimed)
	}
	if len(s.d.stamps) > 0 || s.d.seal != "" || s.d.image != "" {
		sig.Warn(verdict.Unsealed, "/%s shows a stamp, and signature %s is a digital signature: a picture of a seal there is no electronic seal", s.d.name, s.id)
	}
	sig.Add(v.checkSignStamps(s)...)
}

func signFault(s *signed, value []byte, err error) verdict.Check {
	if isBareSignature(value) {
		return verdict.Fail(verdict.CheckSignature, verdict.SignerCert,
			"/%s is a bare SM2 signature with no certificate: nothing in the file says who signed", s.d.value)
	}
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		return verdict.Fail(verdict.CheckSignature, refused.Reason, "/%s: %s", s.d.value, refused.Detail)
	}
	return verdict.Fail(verdict.CheckSignature, verdict.Malformed, "/%s: %v", s.d.value, err)
}

// isBareSignature reports whether b is SEQUENCE{r INTEGER, s INTEGER}, an older form of digital signatures in OFD.
func isBareSignature(b []byte) bool {
	in := cryptobyte.String(b)
	var body cryptobyte.String
	return in.ReadASN1(&body, cbasn1.SEQUENCE) && in.Empty() &&
		body.SkipASN1(cbasn1.INTEGER) && body.SkipASN1(cbasn1.INTEGER) && body.Empty()
}

// checkContent holds the content of a message against the 32 bytes that it must be.
func checkContent(s *signed, content []byte, sum [32]byte) verdict.Check {
	if string(content) == base64.StdEncoding.EncodeToString(sum[:]) {
		return verdict.Fail(verdict.CheckDataHash, verdict.SigValue,
			"the content of the message in /%s is the Base64 text of the SM3 of /%s, not the 32 bytes: a form of some software "+
				"outside the standard", s.d.value, s.d.name)
	}
	if !bytes.Equal(content, sum[:]) {
		return verdict.Fail(verdict.CheckDataHash, verdict.SigValue,
			"the content of the message in /%s is not the SM3 of /%s", s.d.value, s.d.name)
	}
	return verdict.Pass(verdict.CheckDataHash)
}

// adopt takes one signer's verdict into the signature.
func adopt(sig *verdict.Signature, part verdict.Signature) {
	if sig.Signer != "" {
		sig.Signer += "; "
	}
	sig.Signer += part.Signer
	if sig.Time == nil && part.Time != nil {
		sig.At(*part.Time, part.TimeSource)
	}
	sig.Add(part.Checks...)
	for i, w := range part.Warnings {
		sig.Warn(w, "%s", part.WarningDetails[i])
	}
}

// checkSignStamps checks the pages of stamps that a digital signature shows.
func (v *verifier) checkSignStamps(s *signed) []verdict.Check {
	faults := findings{name: verdict.CheckPlacement}
	byID := pagesByID(v.pkg.Bodies()[s.body].Pages)
	for _, st := range s.d.stamps {
		if _, ok := byID[st.page]; !ok {
			faults.add(verdict.Placement, "stamp %s lies on page %q, which the document does not have", st.id, st.page)
		}
	}
	return faults.done()
}
