package tsp

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/verdict"
)

// Token is a parsed time-stamp token. Nothing in it is to be believed before Judge has said so.
type Token struct {
	// Raw is the whole token.
	Raw []byte
	// Time is the time that the authority states, in UTC, and Accuracy how far off it may be; zero: not stated.
	Time     time.Time
	Accuracy time.Duration
	Policy   asn1.ObjectIdentifier
	Serial   *big.Int
	// Nonce is the request's, nil if there was none.
	Nonce *big.Int

	signed  *cms.SignedData
	imprint imprint
	// tsa is the authority's name in DER where the token bears one as a directory name.
	tsa []byte
}

// ParseToken reads a token: signed data with one signer and a TSTInfo inside. What is refused gives a
// *verdict.ContainerError with the reason timestamp_invalid.
func ParseToken(der []byte) (*Token, error) {
	if len(der) > MaxResponse {
		return nil, refuse("the token is too large")
	}
	s, err := cms.ParseSigned(der)
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		return nil, verdict.Refuse(verdict.TimestampInvalid, "%s: %s", refused.Reason, refused.Detail)
	}
	switch {
	case err != nil:
		return nil, err
	case s.Detached() || !s.ContentType().Equal(oidTSTInfo):
		return nil, refuse("the content is not a TSTInfo")
	case s.Version() != 3:
		return nil, refuse("version of the signed data")
	case s.Signers() != 1:
		return nil, refuse("a token has one signer")
	}
	t := &Token{Raw: s.Raw, signed: s}
	if err := cms.CheckDER(s.Content(), MaxResponse); err != nil {
		return nil, verdict.Refuse(verdict.TimestampInvalid, "TSTInfo: %v", err)
	}
	return t, t.parseInfo(s.Content())
}

// parseInfo reads TSTInfo (RFC 3161 2.4.2).
func (t *Token) parseInfo(der []byte) error {
	in := cryptobyte.String(der)
	var body, when cryptobyte.String
	var version int64
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version != 1 {
		return refuse("version of the TSTInfo")
	}
	if !body.ReadASN1ObjectIdentifier(&t.Policy) {
		return refuse("policy of the TSTInfo")
	}
	var ok bool
	if t.imprint, ok = readImprint(&body); !ok {
		return refuse("imprint of the TSTInfo")
	}
	if t.Serial, ok = readNumber(&body); !ok {
		return refuse("serial number of the TSTInfo")
	}
	if !body.ReadASN1(&when, cbasn1.GeneralizedTime) {
		return refuse("time of the TSTInfo")
	}
	if t.Time, ok = parseGenTime(string(when)); !ok {
		return refuse("time of the TSTInfo")
	}
	return t.parseOptional(body)
}

// parseOptional reads what may follow the time.
func (t *Token) parseOptional(body cryptobyte.String) error {
	var ok bool
	if body.PeekASN1Tag(cbasn1.SEQUENCE) {
		var accuracy cryptobyte.String
		body.ReadASN1(&accuracy, cbasn1.SEQUENCE)
		if t.Accuracy, ok = readAccuracy(accuracy); !ok {
			return refuse("accuracy of the TSTInfo")
		}
	}
	if _, ok = readFlag(&body); !ok {
		return refuse("ordering of the TSTInfo")
	}
	if body.PeekASN1Tag(cbasn1.INTEGER) {
		if t.Nonce, ok = readNumber(&body); !ok {
			return refuse("nonce of the TSTInfo")
		}
	}
	if body.PeekASN1Tag(tag0Cons) {
		var name, dir cryptobyte.String
		var tag cbasn1.Tag
		if !body.ReadASN1(&name, tag0Cons) || !name.ReadAnyASN1(&dir, &tag) || !name.Empty() {
			return refuse("name of the authority")
		}
		if tag == dirName {
			t.tsa = dir
		}
	}
	if body.PeekASN1Tag(tag1Cons) && !passable(&body) {
		return refuse("extensions of the TSTInfo")
	}
	if !body.Empty() {
		return refuse("data after the TSTInfo")
	}
	return nil
}

// passable skips extensions and reports whether they are in due form and none of them is critical: this package knows none.
func passable(body *cryptobyte.String) bool {
	var list cryptobyte.String
	if !body.ReadASN1(&list, tag1Cons) || list.Empty() {
		return false
	}
	for !list.Empty() {
		var ext, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !list.ReadASN1(&ext, cbasn1.SEQUENCE) || !ext.ReadASN1ObjectIdentifier(&oid) || // a BOOLEAN may only say that it is critical
			!ext.ReadASN1(&value, cbasn1.OCTET_STRING) || !ext.Empty() {
			return false
		}
	}
	return true
}

// ImprintAlgorithm is the algorithm by which the token says that it hashes.
func (t *Token) ImprintAlgorithm() asn1.ObjectIdentifier { return t.imprint.algorithm }

// Certificates are those in the token; the archive keeps them as evidence.
func (t *Token) Certificates() []*cert.Certificate { return t.signed.Certificates() }

// Signer is the authority's certificate in the token, nil if it is not there.
func (t *Token) Signer() *cert.Certificate { return t.signed.SignerCertificate(0) }

// JudgeOptions steer the verdict on a token.
type JudgeOptions struct {
	// Policy is whom the caller trusts to state the time.
	Policy cert.Policy
	// Certificates may hold the authority's where the token does not.
	Certificates []*cert.Certificate
	// Policies are the time-stamp policies that the caller accepts; nil accepts any.
	Policies []asn1.ObjectIdentifier
	// Imprint is the algorithm of the digest; nil means SM3. Another one of 32 bytes is for evidence that began elsewhere.
	Imprint asn1.ObjectIdentifier
	// Nonce, if set, is the one that was sent.
	Nonce *big.Int
	// NotBefore, if set, is when what was stamped came into being, by a clock that the caller relies on or by its own word.
	NotBefore time.Time
	// Seen, if set, is when the token is known to have existed, by a log or another time-stamp around it. Else nothing
	// vouches for its own chain, which must then be good Now.
	Seen time.Time
	// Now is the time of judging.
	Now time.Time
	// Skew is how far the clocks may differ; zero means DefaultSkew.
	Skew time.Duration
	// MaxAccuracy is the widest accuracy that is of use to the caller; zero means DefaultMaxAccuracy.
	MaxAccuracy time.Duration
}

// Defaults of JudgeOptions.
const (
	DefaultSkew        = 5 * time.Minute
	DefaultMaxAccuracy = time.Minute
)

func (o JudgeOptions) skew() time.Duration {
	if o.Skew == 0 {
		return DefaultSkew
	}
	return o.Skew
}

func (o JudgeOptions) maxAccuracy() time.Duration {
	if o.MaxAccuracy == 0 {
		return DefaultMaxAccuracy
	}
	return o.MaxAccuracy
}

func (o JudgeOptions) imprint() asn1.ObjectIdentifier {
	if o.Imprint == nil {
		return gm.OIDSM3
	}
	return o.Imprint
}

// algorithmName is how people call the algorithm that a token should have.
func algorithmName(oid asn1.ObjectIdentifier) string {
	if oid.Equal(gm.OIDSM3) {
		return "SM3"
	}
	return oid.String()
}

// Judgement is the answer about a token. Check has the name timestamp; only if it passed is Time proven.
type Judgement struct {
	Check verdict.Check
	// Time is the stated time and Authority the subject of the certificate, as far as they could be read.
	Time      time.Time
	Authority string
	verdict.Notes
}

// Proven reports whether the token proves its time.
func (j Judgement) Proven() bool { return j.Check.Status == verdict.Passed }

// Lapsed reports whether nothing is wrong with the token but that a certificate of its chain has expired: it was good, and
// proves nothing any more unless something saw it before.
func (j Judgement) Lapsed() bool { return j.Check.Reason == verdict.NoProofOfExistence }

// AddTo adds the check and the warnings to the verdict on a signature; what begins the details, where it is set. A token
// that has lapsed does not decide: it is as if it were not there, with a warning.
func (j Judgement) AddTo(v *verdict.Signature, what string) {
	check := j.Check
	if check.Detail != "" && what != "" {
		check.Detail = what + ": " + check.Detail
	}
	if j.Lapsed() {
		v.Warn(check.Reason, "the time-stamp proves its time no more: %s", check.Detail)
		return
	}
	v.Add(check)
	for i, w := range j.Warnings {
		v.Warn(w, "%s", j.WarningDetails[i])
	}
}

// JudgeToken parses and judges a token over the SM3 digest; what cannot be read fails as timestamp_invalid.
func JudgeToken(der []byte, sum [32]byte, o JudgeOptions) Judgement {
	t, err := ParseToken(der)
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		return Judgement{Check: verdict.Fail(verdict.CheckTimestamp, refused.Reason, "%s", refused.Detail)}
	}
	if err != nil {
		return Judgement{Check: verdict.Fail(verdict.CheckTimestamp, verdict.TimestampInvalid, "%v", err)}
	}
	return t.Judge(sum, o)
}

// Judge judges whether the token proves that data with this SM3 digest existed at its time. Reasons of failure:
// timestamp_algorithm, timestamp_imprint, timestamp_nonce, timestamp_policy, timestamp_signer, timestamp_signature,
// timestamp_time, timestamp_chain, revoked. Indeterminate: no_trust_anchor, no_proof_of_existence (a certificate of its
// chain has expired since, see Lapsed), revocation_unknown (and no_revocation_source under verdict.RevocationRequire).
func (t *Token) Judge(sum [32]byte, o JudgeOptions) Judgement {
	j := Judgement{Time: t.Time}
	if c := t.signerOf(o); c != nil {
		j.Authority = c.SubjectText()
	}
	for _, step := range []func() verdict.Check{
		func() verdict.Check { return t.judgeAnswer(sum, o) },
		func() verdict.Check { return t.judgeTime(o) },
		func() verdict.Check { return t.judgeSignature(o, &j.Notes) },
	} {
		if j.Check = step(); j.Check.Status != verdict.Passed {
			return j
		}
	}
	return j
}

func (t *Token) signerOf(o JudgeOptions) *cert.Certificate {
	if c := t.Signer(); c != nil {
		return c
	}
	return t.signed.SignerAmong(0, o.Certificates)
}

func fail(r verdict.Reason, format string, args ...any) verdict.Check {
	return verdict.Fail(verdict.CheckTimestamp, r, format, args...)
}

// judgeAnswer compares what the token says with what was asked.
func (t *Token) judgeAnswer(sum [32]byte, o JudgeOptions) verdict.Check {
	switch {
	case !t.imprint.by(o.imprint()):
		return fail(verdict.TimestampAlgorithm, "the imprint is by %s, not by %s", t.imprint.algorithm, algorithmName(o.imprint()))
	case [32]byte(t.imprint.digest) != sum:
		return fail(verdict.TimestampImprint, "the token of %s is about other data", t.Time.Format(time.RFC3339))
	case o.Nonce != nil && (t.Nonce == nil || t.Nonce.Cmp(o.Nonce) != 0):
		return fail(verdict.TimestampNonce, "the nonce is not the one that was sent")
	case o.Policies != nil && !hasOID(o.Policies, t.Policy):
		return fail(verdict.TimestampPolicy, "policy %s is not accepted", t.Policy)
	}
	return verdict.Pass(verdict.CheckTimestamp)
}

func (t *Token) judgeTime(o JudgeOptions) verdict.Check {
	stated := t.Time.Format(time.RFC3339)
	switch {
	case t.Time.After(o.Now.Add(o.skew())):
		return fail(verdict.TimestampTime, "the time %s lies in the future", stated)
	case !o.NotBefore.IsZero() && t.Time.Add(t.Accuracy).Before(o.NotBefore.Add(-o.skew())):
		return fail(verdict.TimestampTime, "the time %s lies before the data came into being at %s", stated, o.NotBefore.UTC().Format(time.RFC3339))
	case t.Accuracy > o.maxAccuracy():
		return fail(verdict.TimestampTime, "an accuracy of %s is of no use", t.Accuracy)
	}
	return verdict.Pass(verdict.CheckTimestamp)
}

// judgeSignature judges the signed data around the TSTInfo and its certificate, and gives every failure of theirs its
// name here. For the authority's own chain the stated time is a claim like any signer's: a token cannot vouch for the
// keys that made it.
func (t *Token) judgeSignature(o JudgeOptions, notes *verdict.Notes) verdict.Check {
	c := t.signerOf(o)
	if c == nil {
		return fail(verdict.TimestampSigner, "the authority's certificate is not at hand")
	}
	if t.tsa != nil && !bytes.Equal(t.tsa, c.RawSubject) {
		return fail(verdict.TimestampSigner, "the token names another authority than its certificate")
	}
	v := t.signed.Judge(gm.SM3(t.signed.Content()), false, cms.JudgeOptions{
		Policy: o.Policy, Claim: t.Time, Seen: o.Seen, Now: later(o.Now, t.Time), Certificates: o.Certificates,
		ContentType: oidTSTInfo, Use: cert.UseTimestamp, RequireBinding: true,
	})[0]
	for i, w := range v.Warnings {
		if w == verdict.TimeClaimed {
			continue
		}
		notes.Warn(w, "time-stamp authority: %s", v.WarningDetails[i])
	}
	if v.Verdict == verdict.Passed {
		return verdict.Pass(verdict.CheckTimestamp)
	}
	for _, k := range v.Checks {
		if k.Status == v.Verdict && k.Reason == v.Reason {
			return renamed(k)
		}
	}
	return fail(verdict.TimestampInvalid, "%s", v.Reason)
}

// renamed gives a check of the signed data its name as part of a time-stamp.
func renamed(k verdict.Check) verdict.Check {
	if k.Status == verdict.Indeterminate {
		return verdict.Unknown(verdict.CheckTimestamp, k.Reason, "%s", k.Detail)
	}
	reason := verdict.TimestampInvalid
	switch k.Name {
	case verdict.CheckCertificateChain:
		reason = verdict.TimestampChain
	case verdict.CheckRevocation:
		reason = verdict.Revoked
	case verdict.CheckKeyUsage:
		reason = verdict.TimestampSigner
	case verdict.CheckSignature, verdict.CheckDataHash:
		reason = verdict.TimestampSignature
	case verdict.CheckSignedAttributes:
		if k.Reason == verdict.SignerCert {
			reason = verdict.TimestampSigner
		}
	}
	switch k.Reason {
	case verdict.AlgMismatch:
		reason = verdict.TimestampAlgorithm
	case verdict.Limit:
		reason = verdict.Limit
	}
	if k.Reason == verdict.SignerCert || k.Reason == verdict.SignerDuplicate {
		reason = verdict.TimestampSigner
	}
	return fail(reason, "%s", k.Detail)
}

// later keeps a stated time that is ahead of our clock, but within the skew, from being judged as a time in the future.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Sum is the SM3 digest of what the token says that it stamps; false if it hashes by another algorithm.
func (t *Token) Sum() ([32]byte, bool) {
	if !t.imprint.bySM3() {
		return [32]byte{}, false
	}
	return [32]byte(t.imprint.digest), true
}
