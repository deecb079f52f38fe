package seal

import (
	"errors"
	"slices"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// VerifyOptions say by whom and when a document is judged.
type VerifyOptions struct {
	// Policy is whom the caller trusts and how revocation counts.
	Policy cert.Policy
	// Now is the time of judging. At, if not zero, replaces it: the document is judged as if it were At.
	At, Now time.Time
	// Makers, if not nil, are the only ones whose seals count. By default any maker whose certificate leads to a root may
	// make seals, unless its extended key usage says that it is for other things (cert.UseMake): no standard marks the
	// certificates of makers, so one without such a usage cannot be told from others.
	Makers []*cert.Certificate
	// Proven, if not nil, is a time at which the document as it lies here was seen by somebody else, such as the log.
	Proven *ProvenTime
	// Records, if not nil, looks a seal up in a registry by its identity. An error that is [ErrUnknownSeal] says that the
	// registry does not know it: that is no fault of the seal, for a registry speaks of its own seals alone, and leaves the
	// verdict open; with [ErrPartialRegister] too, the report says that only a part of it was consulted. One that is
	// [ErrNoRegister] says that there is none to ask after all: the seal is judged without.
	Records func(id string) (Record, error)
	// Registered says that the registry knows every seal that may count, as a hub's does of the offices that its CA certified:
	// a seal that Records does not know fails.
	Registered bool
	// Sealed, if not nil, are the identities of the seals that the record of the exchange says the document bears, in their
	// order: the log, or the report that the sender signed. A file cannot show that its last seal was removed; they can.
	Sealed []string
}

// ProvenTime is a time that does not rest on the signer's word.
type ProvenTime struct {
	At time.Time
	// Source is verdict.TimeFromTimestamp or verdict.TimeFromLog.
	Source string
}

// Moment is the time that certificates are judged at, for a signature whose signer claims the given time, and the
// source of that time for the report.
func (o VerifyOptions) Moment(claimed time.Time) (cert.Moment, string) {
	m := cert.Moment{At: claimed, Now: o.Now}
	if !o.At.IsZero() {
		m.Now = o.At
	}
	if o.Proven == nil {
		return m, verdict.TimeFromSigner
	}
	m.At, m.Proven = o.Proven.At, true
	return m, o.Proven.Source
}

// JudgeSeal is VerifyOptions.JudgeSeal of a seal by itself, with no registry, where any maker may make seals.
func JudgeSeal(sig *verdict.Signature, s *ses.Seal, m cert.Moment) *cert.Certificate {
	return VerifyOptions{}.JudgeSeal(sig, s, m, m.At)
}

// JudgeSeal adds the checks of the seal itself: the maker's signature and its right to make seals (seal_maker), and
// whether the seal was valid at the moment and, where there is a registry, in force (seal_validity). claimed is the sealing
// time that the signer states. It returns the maker's certificate, nil if it cannot be read; the caller judges it.
func (o VerifyOptions) JudgeSeal(sig *verdict.Signature, s *ses.Seal, m cert.Moment, claimed time.Time) *cert.Certificate {
	maker, check := judgeMaker(s)
	if check.Status == verdict.Passed {
		check = o.mayMake(maker)
	}
	sig.Add(check, judgeValidity(s, m))
	if e := ses.Unknown(s.Info.Extensions); e != nil {
		sig.Add(verdict.Fail(verdict.CheckSealValidity, verdict.SealVersion, "seal %s has the critical extension %s, which is not known here", s.Info.SealID, e.ID))
	}
	if o.Records != nil {
		if c, registered := o.judgeRecord(s, m, claimed); registered {
			sig.Add(c)
		}
	}
	if maker != nil {
		sig.Maker = maker.SubjectText()
	}
	return maker
}

// mayMake judges the maker's right to make seals: by its certificate, and by the list of makers where there is one.
func (o VerifyOptions) mayMake(maker *cert.Certificate) verdict.Check {
	const name = verdict.CheckSealMaker
	if err := maker.CheckUse(cert.UseMake); err != nil {
		return verdict.Fail(name, verdict.SealValidity, "the certificate of %s is not one for making seals", maker.SubjectText())
	}
	if o.Makers != nil && !slices.ContainsFunc(o.Makers, maker.Equal) {
		return verdict.Fail(name, verdict.SealValidity, "%s is not among those who may make seals", maker.SubjectText())
	}
	return verdict.Pass(name)
}

func judgeMaker(s *ses.Seal) (*cert.Certificate, verdict.Check) {
	const name = verdict.CheckSealMaker
	maker, err := cert.Parse(s.MakerCert)
	if err != nil {
		return nil, verdict.Fail(name, verdict.SignerCert, "the seal maker's certificate cannot be read: %v", err)
	}
	if !s.Algorithm.Equal(gm.OIDSM2WithSM3) {
		return maker, verdict.Fail(name, verdict.AlgMismatch, "the seal names the signature algorithm %s", s.Algorithm)
	}
	if madeAs(s, s.Version, maker) {
		return maker, verdict.Pass(name)
	}
	for _, other := range []int{ses.Version1, ses.Version4} {
		if other != min(s.Version, ses.Version4) && madeAs(s, other, maker) {
			return maker, verdict.Fail(name, verdict.SealMakerSignature,
				"%s signed seal %s in the manner of version %d, which a seal of version %d is not (version 1 signs the "+
					"certificate and the algorithm too)", maker.SubjectText(), s.Info.SealID, other, s.Version)
		}
	}
	return maker, verdict.Fail(name, verdict.SealMakerSignature, "the signature of %s over seal %s does not verify: "+
		"the seal was changed after it was made, or made by somebody else", maker.SubjectText(), s.Info.SealID)
}

// madeAs reports whether the maker signed the seal in the manner of a version. Another version than the seal's own serves
// to name the cause, never to accept.
func madeAs(s *ses.Seal, version int, maker *cert.Certificate) bool {
	input, err := ses.MakerInput(version, s.RawInfo, s.MakerCert, s.Algorithm)
	return err == nil && gm.Verify(maker.PublicKey, input, s.Value)
}

func judgeValidity(s *ses.Seal, m cert.Moment) verdict.Check {
	p := s.Info.Property
	at := m.At
	if at.IsZero() {
		at = m.Now
	}
	if at.Before(p.From) || at.After(p.To) {
		return verdict.Fail(verdict.CheckSealValidity, verdict.SealValidity,
			"seal %s is valid from %s to %s, sealing time %s", s.Info.SealID, stamp(p.From), stamp(p.To), stamp(at))
	}
	return verdict.Pass(verdict.CheckSealValidity)
}

// judgeRecord asks the registry; false if there is none. A seal that was not in force at the time that the
// signer claims fails. A proven time says that the document was there by then: if the seal was in force until then the
// document was sealed in time. What has happened to the seal before that, or since a time that is only claimed, leaves the
// verdict open, as with certificates.
func (o VerifyOptions) judgeRecord(s *ses.Seal, m cert.Moment, claimed time.Time) (verdict.Check, bool) {
	const name = verdict.CheckSealValidity
	r, err := o.Records(s.Info.SealID)
	if errors.Is(err, ErrNoRegister) {
		return verdict.Check{}, false
	}
	if errors.Is(err, ErrUnknownSeal) {
		return o.unregistered(s, err), true
	}
	if err != nil {
		return verdict.Unknown(name, verdict.RevocationUnknown, "the registry could not be asked about seal %s: %v", s.Info.SealID, err), true
	}
	if gm.SM3(s.Raw) != r.SM3 {
		return verdict.Fail(name, verdict.SealMismatch, "seal %s is registered with other bytes than these", s.Info.SealID), true
	}
	if claimed.IsZero() {
		claimed = m.Now
	}
	if why := r.notInForce(claimed); why != "" {
		return verdict.Fail(name, verdict.SealValidity, "the registry: %s", why), true
	}
	until, what := m.Now, "the sealing time is not proven"
	if m.Proven {
		until, what = m.At, "it is proven only from "+stamp(m.At)+" on"
	}
	if last, ok := r.lastChange(until); !ok || last.To != Active {
		return verdict.Unknown(name, verdict.NoProofOfExistence, "seal %s has been %s since %s, and %s", s.Info.SealID, last.To, stamp(last.At), what), true
	}
	return verdict.Pass(name), true
}

// unregistered judges a seal that the registry does not hold.
func (o VerifyOptions) unregistered(s *ses.Seal, err error) verdict.Check {
	const name = verdict.CheckSealValidity
	switch id, called := s.Info.SealID, s.Info.Property.Name; {
	case o.Registered:
		return verdict.Fail(name, verdict.SealValidity, "seal %s of the name %s is not in the register", id, called)
	case errors.Is(err, ErrPartialRegister):
		return verdict.Unknown(name, verdict.SealUnregistered, "seal %s of the name %s is not in the part of the register that was consulted", id, called)
	default:
		return verdict.Unknown(name, verdict.SealUnregistered, "seal %s of the name %s is not in the register that was consulted", id, called)
	}
}

// JudgeSealed holds the seals of a file against those that the log names, where it does, and adds the check.
func (o VerifyOptions) JudgeSealed(f *verdict.File) {
	if o.Sealed == nil {
		return
	}
	var found []string
	for _, s := range f.Signatures {
		if s.Kind == "seal" && s.Seal != nil {
			found = append(found, s.Seal.ID)
		}
	}
	if !slices.Equal(found, o.Sealed) {
		f.Add(verdict.Fail(verdict.CheckCoverage, verdict.DiffersFromLog,
			"by the record of the exchange the document bears the seals %v, the file bears %v", o.Sealed, found))
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
