package cms_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"testing"
	"testing/iotest"
	"time"

	"github.com/emmansun/gmsm/pkcs7"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/testvectors/boundtest"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
	"yinxin/verdict"
)

var content = []byte("关于召开会议的通知")

func options(pki *certtest.PKI) cms.JudgeOptions {
	return cms.JudgeOptions{Policy: pki.Policy(), Now: now}
}

// expectOnly wants the check to have failed for the reason, and no check before it to have failed.
func expectOnly(t *testing.T, v verdict.Signature, name verdict.CheckName, reason verdict.Reason) {
	t.Helper()
	for _, c := range v.Checks {
		if c.Name == name {
			if c.Status != verdict.Failed || c.Reason != reason {
				t.Errorf("%s: %s %s (%s), want failed %s", name, c.Status, c.Reason, c.Detail, reason)
			}
			if v.Verdict != verdict.Failed {
				t.Errorf("verdict %s", v.Verdict)
			}
			return
		}
		if c.Status == verdict.Failed {
			t.Errorf("%s failed first: %s (%s)", c.Name, c.Reason, c.Detail)
		}
	}
	t.Errorf("no check %s", name)
}

func TestSignAndJudge(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	sum := gm.SM3(content)
	for _, p := range []cms.Profile{cms.ProfileGBT, cms.ProfileRFC} {
		for _, detached := range []bool{false, true} {
			t.Run(p.String(), func(t *testing.T) {
				o := cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Chain: []*cert.Certificate{pki.Certificate, a.SigningCert}, Time: now, Profile: p}
				var msg []byte
				var err error
				if detached {
					msg, err = cms.SignDetached(sum, o)
				} else {
					msg, err = cms.Sign(content, o)
				}
				if err != nil {
					t.Fatal(err)
				}
				s, err := cms.ParseSigned(msg)
				if err != nil {
					t.Fatal(err)
				}
				if s.Detached() != detached || s.Profile != p || s.Signers() != 1 || len(s.Certificates()) != 2 {
					t.Errorf("detached %v, profile %s, %d signers, %d certificates", s.Detached(), s.Profile, s.Signers(), len(s.Certificates()))
				}
				if !detached && !bytes.Equal(s.Content(), content) || detached && s.Content() != nil {
					t.Errorf("content %q", s.Content())
				}
				if c := s.SignerCertificate(0); c == nil || !c.Equal(a.SigningCert) {
					t.Error("signer's certificate")
				}
				if at, ok := s.SigningTime(0); !ok || !at.Equal(now) {
					t.Errorf("signing time %s", at)
				}
				v := s.Judge(sum, detached, options(pki))[0]
				if v.Verdict != verdict.Passed || v.Signer != a.SigningCert.SubjectText() || v.TimeSource != verdict.TimeFromSigner {
					t.Errorf("%s %s by %s: %+v", v.Verdict, v.Reason, v.Signer, v.Checks)
				}
				if len(v.Checks) != 6 || !v.Warned(verdict.TimeClaimed) {
					t.Errorf("%d checks, warnings %v", len(v.Checks), v.Warnings)
				}
				other := gm.SM3([]byte("another content"))
				want := verdict.DataHash
				if !detached {
					want = verdict.ContentAmbiguous
				}
				expectOnly(t, s.Judge(other, detached, options(pki))[0], verdict.CheckDataHash, want)
				expectOnly(t, s.Judge(sum, !detached, options(pki))[0], verdict.CheckDataHash, verdict.ContentAmbiguous)
			})
		}
	}
}

func TestEmptyContent(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	msg, err := cms.Sign(nil, cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.ParseSigned(msg)
	if err != nil || s.Detached() || s.Content() == nil {
		t.Fatalf("empty content is taken for none: %v", err)
	}
	if v := s.Judge(gm.SM3(), false, options(pki))[0]; v.Verdict != verdict.Passed {
		t.Errorf("%s %s", v.Verdict, v.Reason)
	}
}

func TestSignRefuses(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a, b := pki.Party("office"), pki.Party("other")
	good := cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now}
	with := func(f func(*cms.SignOptions)) cms.SignOptions { o := good; f(&o); return o }
	broken := errors.New("no entropy")
	tests := []struct {
		name string
		o    cms.SignOptions
		want error
	}{
		{"good", good, nil},
		{"no time", with(func(o *cms.SignOptions) { o.Time = time.Time{} }), cms.ErrOptions},
		{"no signer", with(func(o *cms.SignOptions) { o.Signer = nil }), cms.ErrOptions},
		{"no certificate", with(func(o *cms.SignOptions) { o.Certificate = nil }), cms.ErrOptions},
		{"encryption certificate", with(func(o *cms.SignOptions) { o.Signer, o.Certificate = a.EncryptKey, a.EncryptionCert }), cert.ErrKeyUsage},
		{"CA certificate", with(func(o *cms.SignOptions) { o.Signer, o.Certificate = pki.Key, pki.Certificate }), cert.ErrKeyUsage},
		{"another's key", with(func(o *cms.SignOptions) { o.Signer = b.SignKey }), cert.ErrKeyMismatch},
		{"too many certificates", with(func(o *cms.SignOptions) { o.Chain = make([]*cert.Certificate, cms.MaxCertificates) }), cms.ErrOptions},
		{"no randomness", with(func(o *cms.SignOptions) { o.Rand = iotest.ErrReader(broken) }), broken},
		{"a signer that errs in its arithmetic", with(func(o *cms.SignOptions) { o.Signer = faulty{a.SignKey} }), cms.ErrSelfCheck},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			msg, err := cms.Sign(content, tt.o)
			if !errors.Is(err, tt.want) || tt.want != nil && msg != nil {
				t.Errorf("sign: %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := cms.Sign(make([]byte, cms.MaxSize), good); !errors.Is(err, cms.ErrOptions) {
		t.Errorf("content too large: %v", err)
	}
}

// forgeries are messages that parse and must be judged failed, each next to the whole message it comes from.
func TestForgeries(t *testing.T) {
	pki, rogue := certtest.New(t, "root", now), certtest.New(t, "root", now)
	a, b, foreign := pki.Party("office"), pki.Party("other"), rogue.Party("office")
	twin := twinOf(t, pki, a.SigningCert)
	expired := pki.PartyWith("office", cert.IssueOptions{NotBefore: now.AddDate(-3, 0, 0), NotAfter: now.AddDate(-2, 0, 0)})
	const (
		attributes = verdict.CheckSignedAttributes
		dataHash   = verdict.CheckDataHash
		signature  = verdict.CheckSignature
	)
	drop := func(i int) func(*forge.Message) {
		return func(m *forge.Message) {
			s := m.Signers[0]
			s.Attrs = append(s.Attrs[:i:i], s.Attrs[i+1:]...)
		}
	}
	replace := func(i int, a []byte) func(*forge.Message) {
		return func(m *forge.Message) { m.Signers[0].Attrs[i] = a }
	}
	add := func(a []byte) func(*forge.Message) {
		return func(m *forge.Message) { m.Signers[0].Attrs = append(m.Signers[0].Attrs, a) }
	}
	tests := []struct {
		name   string
		spoil  func(*forge.Message)
		check  verdict.CheckName // empty: stays good
		reason verdict.Reason
	}{
		{"nothing spoilt", func(*forge.Message) {}, "", ""},
		{"RFC object identifiers", func(m *forge.Message) {
			m.Outer, m.EContentType = forge.OIDRFCSigned, forge.OIDRFCData
			m.Signers[0].Sig, m.Signers[0].SigParam, m.Signers[0].DigestParams = gm.OIDSM2WithSM3, nil, nil
			m.Signers[0].Attrs[0] = forge.Attr(forge.OIDContentType, forge.DER(forge.OIDRFCData))
		}, "", ""},
		{"1.501 with NULL in a GB/T message", func(m *forge.Message) { m.Signers[0].Sig = gm.OIDSM2WithSM3 }, "", ""},
		{"unknown attribute", add(forge.Attr(bareOID, forge.DER("x"))), "", ""},
		{"no signingTime", drop(2), "", ""},
		{"no signingCertificateV2", drop(3), "", ""},
		{"signingCertificateV2 by SHA-256", func(m *forge.Message) {
			sum := sha256.Sum256(a.SigningCert.Raw)
			m.Signers[0].Attrs[3] = forge.Attr(forge.OIDESS, forge.ESS(forge.OIDSHA256, sum[:]))
		}, "", ""},
		{"certificate of the same issuer and serial number beside it", func(m *forge.Message) { m.Certs = append(m.Certs, twin.SigningCert.Raw) }, "", ""},

		{"attributes passed off as content (C-01)", func(m *forge.Message) {
			s := m.Signers[0]
			signed := forge.TLV(0x31, s.Attributes())
			s.Value, s.Attrs, m.Content = s.Sign(signed), nil, signed
		}, attributes, verdict.SignedAttrsRequired},
		{"no signed attributes", func(m *forge.Message) { m.Signers[0].Attrs = nil }, attributes, verdict.SignedAttrsRequired},
		{"empty signed attributes", func(m *forge.Message) { m.Signers[0].Attrs = [][]byte{} }, attributes, verdict.SignedAttrsIncomplete},
		{"no contentType", drop(0), attributes, verdict.SignedAttrsIncomplete},
		{"no messageDigest", drop(1), attributes, verdict.SignedAttrsIncomplete},
		{"contentType of another type", replace(0, forge.Attr(forge.OIDContentType, forge.DER(forge.OIDTSTInfo))), attributes, verdict.SignedAttrsIncomplete},
		{"contentType of the other family", replace(0, forge.Attr(forge.OIDContentType, forge.DER(forge.OIDRFCData))), attributes, verdict.SignedAttrsIncomplete},
		{"content that is a time-stamp", func(m *forge.Message) {
			m.EContentType = forge.OIDTSTInfo
			m.Signers[0].Attrs[0] = forge.Attr(forge.OIDContentType, forge.DER(forge.OIDTSTInfo))
		}, attributes, verdict.SignedAttrsIncomplete},
		{"messageDigest is no OCTET STRING", replace(1, forge.Attr(forge.OIDMessageDigest, forge.DER(5))), attributes, verdict.SignedAttrsIncomplete},
		{"signingTime is no time", replace(2, forge.Attr(forge.OIDSigningTime, forge.DER("yesterday"))), attributes, verdict.SignedAttrsIncomplete},
		{"signingTime of the year 1", replace(2, forge.Attr(forge.OIDSigningTime, forge.Time("00010101000000Z").Bytes())), attributes, verdict.SignedAttrsIncomplete},
		{"signingTime without seconds", replace(2, forge.Attr(forge.OIDSigningTime, forge.TLV(0x17, []byte("2611210800Z")))), attributes, verdict.SignedAttrsIncomplete},
		{"signingCertificateV2 is nonsense", replace(3, forge.Attr(forge.OIDESS, forge.DER(5))), attributes, verdict.SignedAttrsIncomplete},
		{"signingCertificateV2 by an unknown hash", replace(3, forge.Attr(forge.OIDESS, forge.ESS(forge.OIDECDSAWithSHA256, hand.Sum(a.SigningCert.Raw)))), attributes, verdict.SignedAttrsIncomplete},
		{"signingCertificateV2 of another certificate", replace(3, forge.Attr(forge.OIDESS, forge.ESS(gm.OIDSM3, hand.Sum(b.SigningCert.Raw)))), attributes, verdict.SignerCert},
		{"messageDigest twice", add(forge.Attr(forge.OIDMessageDigest, digestOf(content))), attributes, verdict.AttrDuplicate},
		{"unknown attribute twice", func(m *forge.Message) {
			add(forge.Attr(bareOID, forge.DER(1)))(m)
			add(forge.Attr(bareOID, forge.DER(2)))(m)
		}, attributes, verdict.AttrDuplicate},
		{"messageDigest with two values", replace(1, forge.Attr(forge.OIDMessageDigest, forge.DER(make([]byte, 32)), digestOf(content))), attributes, verdict.AttrDuplicate},
		{"attribute without a value", replace(2, forge.Attr(forge.OIDSigningTime)), attributes, verdict.AttrDuplicate},
		{"attributes out of order, signed as sent", func(m *forge.Message) { // ess is longer than contentType
			s := m.Signers[0]
			s.Sorted, s.Attrs = false, [][]byte{s.Attrs[3], s.Attrs[1], s.Attrs[2], s.Attrs[0]}
		}, attributes, verdict.NotDER},

		{"content changed", func(m *forge.Message) {
			m.Signers[0].Value = m.Signers[0].Sign(forge.TLV(0x31, m.Signers[0].Attributes()))
			m.Content = []byte("changed")
		}, dataHash, verdict.DataHash},
		{"digest of another content", replace(1, forge.Attr(forge.OIDMessageDigest, digestOf([]byte("x")))), dataHash, verdict.DataHash},
		{"digest algorithm SHA-256", func(m *forge.Message) { m.Signers[0].Digest = forge.OIDSHA256 }, dataHash, verdict.AlgMismatch},
		{"digest algorithm with parameters", func(m *forge.Message) { m.Signers[0].DigestParams = forge.DER(1) }, dataHash, verdict.AlgMismatch},

		{"signature algorithm ECDSA", func(m *forge.Message) { m.Signers[0].Sig = forge.OIDECDSAWithSHA256 }, signature, verdict.AlgMismatch},
		{"signature algorithm with parameters", func(m *forge.Message) { m.Signers[0].SigParam = forge.DER(1) }, signature, verdict.AlgMismatch},
		{"signature by another key", func(m *forge.Message) { m.Signers[0].Sign = signWith(b.SignKey) }, signature, verdict.SigValue},
		{"attribute changed after signing", func(m *forge.Message) {
			s := m.Signers[0]
			s.Value = s.Sign(forge.TLV(0x31, s.Attributes()))
			s.Attrs[2] = forge.Attr(forge.OIDSigningTime, forge.DER(now.Add(time.Second)))
		}, signature, verdict.SigValue},
		{"signature without Z", func(m *forge.Message) {
			m.Signers[0].Sign = func(b []byte) []byte { return hand.SignDigest(a.SignKey.ExportScalar(), hand.Sum(b)) }
		}, signature, verdict.SigValue},
		{"signature under the empty ID", func(m *forge.Message) {
			m.Signers[0].Sign = func(b []byte) []byte { return hand.SignAs(a.SignKey.ExportScalar(), "", b) }
		}, signature, verdict.SigValue},
		{"signature over the content, not the attributes", func(m *forge.Message) {
			m.Signers[0].Sign = func([]byte) []byte { return signWith(a.SignKey)(content) }
		}, signature, verdict.SigValue},
		{"raw r and s", func(m *forge.Message) { m.Signers[0].Value = make([]byte, 64) }, signature, verdict.SigValue},
		{"empty signature", func(m *forge.Message) { m.Signers[0].Value = []byte{} }, signature, verdict.SigValue},
		{"certificate missing", func(m *forge.Message) { m.Certs = nil }, signature, verdict.SignerCert},
		{"another's certificate alone", func(m *forge.Message) { m.Certs = [][]byte{b.SigningCert.Raw} }, signature, verdict.SignerCert},
		{"certificate replaced by one of the same issuer and serial number", func(m *forge.Message) {
			m.Certs = [][]byte{twin.SigningCert.Raw}
		}, attributes, verdict.SignerCert},
		{"two of one issuer and serial number, nothing to tell them apart", func(m *forge.Message) {
			drop(3)(m)
			m.Certs = append(m.Certs, twin.SigningCert.Raw)
		}, signature, verdict.SignerCert},
		{"the same signer twice", func(m *forge.Message) { m.Signers = append(m.Signers, wholeSigner(a, content)) }, signature, verdict.SignerDuplicate},

		{"encryption certificate signs", func(m *forge.Message) {
			s := wholeSigner(&certtest.Party{SignKey: a.EncryptKey, SigningCert: a.EncryptionCert}, content)
			m.Signers, m.Certs = []*forge.Signer{s}, [][]byte{a.EncryptionCert.Raw}
		}, verdict.CheckKeyUsage, verdict.KeyUsage},
		{"root of the same name, brought along", func(m *forge.Message) {
			m.Signers, m.Certs = []*forge.Signer{wholeSigner(foreign, content)}, [][]byte{foreign.SigningCert.Raw, rogue.Certificate.Raw}
		}, verdict.CheckCertificateChain, verdict.CertificateChain},
		{"certificate expired at the claimed time", func(m *forge.Message) {
			m.Signers, m.Certs = []*forge.Signer{wholeSigner(expired, content)}, [][]byte{expired.SigningCert.Raw}
		}, verdict.CheckCertificateChain, verdict.CertExpired},
	}
	o := cms.JudgeOptions{Policy: pki.Policy(), Now: now.Add(time.Minute)}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := whole(a, content)
			tt.spoil(m)
			s, err := cms.ParseSigned(m.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			v := s.Judge(gm.SM3(s.Content()), false, o)[0]
			if tt.check != "" {
				expectOnly(t, v, tt.check, tt.reason)
				return
			}
			if v.Verdict != verdict.Passed {
				t.Errorf("%s %s: %+v", v.Verdict, v.Reason, v.Checks)
			}
		})
	}
}

// twinOf makes a party whose certificate has the issuer and serial number of another one.
func twinOf(t testing.TB, pki *certtest.PKI, c *cert.Certificate) *certtest.Party {
	t.Helper()
	key := certtest.Key(t)
	issuer, err := smx509.ParseCertificate(pki.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := smx509.CreateCertificate(nilReader{}, &smx509.Certificate{
		SerialNumber: c.Serial, Subject: c.Subject, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		KeyUsage: smx509.KeyUsageDigitalSignature, SignatureAlgorithm: smx509.SM2WithSM3,
	}, issuer, key.PublicKey(), pki.Key)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := cert.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &certtest.Party{SignKey: key, SigningCert: twin}
}

// TestTwoSigners: each signer has its own verdict, and one bad one spoils only itself.
func TestTwoSigners(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a, b := pki.Party("office"), pki.Party("other")
	m := whole(a, content)
	m.Certs = append(m.Certs, b.SigningCert.Raw)
	m.Signers = append(m.Signers, wholeSigner(b, content))
	judge := func() map[string]verdict.Status {
		s, err := cms.ParseSigned(m.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]verdict.Status{}
		for _, v := range s.Judge(gm.SM3(content), false, options(pki)) {
			out[v.Signer] = v.Verdict
		}
		return out
	}
	nameA, nameB := a.SigningCert.SubjectText(), b.SigningCert.SubjectText()
	if got := judge(); got[nameA] != verdict.Passed || got[nameB] != verdict.Passed {
		t.Errorf("both good: %v", got)
	}
	m.Signers[1].Sign = signWith(a.SignKey)
	if got := judge(); got[nameA] != verdict.Passed || got[nameB] != verdict.Failed {
		t.Errorf("second bad: %v", got)
	}
}

// TestMoments: the claimed time, a time the caller vouches for, and none.
func TestMoments(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.PartyWith("office", cert.IssueOptions{NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0)})
	later := now.AddDate(0, 2, 0)
	msg := whole(a, content).Bytes()
	timeless := whole(a, content)
	timeless.Signers[0].Attrs = append(timeless.Signers[0].Attrs[:2:2], timeless.Signers[0].Attrs[3])
	tests := []struct {
		name   string
		msg    []byte
		o      cms.JudgeOptions
		want   verdict.Status
		reason verdict.Reason
		source string
	}{
		{"claimed, valid", msg, cms.JudgeOptions{Now: now}, verdict.Passed, "", verdict.TimeFromSigner},
		{"claimed, expired since", msg, cms.JudgeOptions{Now: later}, verdict.Indeterminate, verdict.NoProofOfExistence, verdict.TimeFromSigner},
		{"vouched for", msg, cms.JudgeOptions{Now: later, At: now, TimeSource: verdict.TimeFromLog}, verdict.Passed, "", verdict.TimeFromLog},
		{"vouched for, without a source", msg, cms.JudgeOptions{Now: later, At: now}, verdict.Passed, "", verdict.TimeFromSigner},
		{"proven to be late", msg, cms.JudgeOptions{Now: later, At: later, TimeSource: verdict.TimeFromTimestamp}, verdict.Failed, verdict.CertExpired, verdict.TimeFromTimestamp},
		{"no time, valid", timeless.Bytes(), cms.JudgeOptions{Now: now}, verdict.Passed, "", ""},
		{"no time, expired", timeless.Bytes(), cms.JudgeOptions{Now: later}, verdict.Indeterminate, verdict.NoProofOfExistence, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := cms.ParseSigned(tt.msg)
			if err != nil {
				t.Fatal(err)
			}
			tt.o.Policy = pki.Policy()
			v := s.Judge(gm.SM3(content), false, tt.o)[0]
			if v.Verdict != tt.want || v.Reason != tt.reason || v.TimeSource != tt.source {
				t.Errorf("%s %s, time by %q", v.Verdict, v.Reason, v.TimeSource)
			}
			if proven := !tt.o.At.IsZero(); v.Warned(verdict.TimeClaimed) != (!proven && tt.source != "") || v.Warned(verdict.NoProofOfExistence) != (!proven && tt.source == "") {
				t.Errorf("warnings %v", v.Warnings)
			}
		})
	}
	s, err := cms.ParseSigned(msg)
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Judge(gm.SM3(content), false, cms.JudgeOptions{Now: now})[0]; v.Verdict != verdict.Indeterminate || v.Reason != verdict.NoTrustAnchor {
		t.Errorf("without a root: %s %s", v.Verdict, v.Reason)
	}
}

// TestCertificateFromOutside: a message without certificates is judged with one that the caller has.
func TestCertificateFromOutside(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	m := whole(a, content)
	m.Certs = nil
	s, err := cms.ParseSigned(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	o := options(pki)
	expectOnly(t, s.Judge(gm.SM3(content), false, o)[0], verdict.CheckSignature, verdict.SignerCert)
	o.Certificates = []*cert.Certificate{a.SigningCert}
	if v := s.Judge(gm.SM3(content), false, o)[0]; v.Verdict != verdict.Passed {
		t.Errorf("%s %s", v.Verdict, v.Reason)
	}
}

// TestUnusableCertificate is C-11: where the certificate that the signer names is there and cannot be used, the reason says why.
func TestUnusableCertificate(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	tools := forger(pki.Key)
	for _, tt := range []struct {
		name string
		edit func(tbs *forge.Node) // version, serial, algorithm, issuer, validity, subject, key, extensions
		want verdict.Reason
	}{
		{"twin", func(*forge.Node) {}, ""},
		{"P-256 in name", func(n *forge.Node) { n.At(6, 0, 1).Set(forge.OID(1, 2, 840, 10045, 3, 1, 7)) }, verdict.AlgMismatch},
		{"spelled-out curve", func(n *forge.Node) { n.At(6, 0, 1).Set(forge.Seq(forge.Int(1))) }, verdict.AlgMismatch},
		{"RSA", func(n *forge.Node) { n.At(6, 0, 0).Set(forge.OID(1, 2, 840, 113549, 1, 1, 1)) }, verdict.AlgMismatch},
		{"signed by ECDSA in name", func(n *forge.Node) { n.At(2, 0).Set(forge.OID(1, 2, 840, 10045, 4, 3, 2)) }, verdict.AlgMismatch},
		{"a number as parameter", func(n *forge.Node) { n.At(2).Kids = []*forge.Node{n.At(2, 0), forge.Int(3)} }, verdict.AlgMismatch},
		{"a point off the curve", func(n *forge.Node) { v := n.At(6, 1).Value; v[len(v)-1] ^= 1 }, verdict.Malformed},
		{"valid to a minute", func(n *forge.Node) { v := n.At(4, 1); v.Value = append(v.Value[:10:10], 'Z') }, verdict.Malformed},
		{"bytes after a key usage", func(n *forge.Node) {
			for _, e := range n.At(7, 0).Kids {
				if e.At(0).IsOID(2, 5, 29, 15) {
					e.At(-1).Value = append(e.At(-1).Value, 0)
				}
			}
		}, verdict.Malformed},
		{"an extension twice", func(n *forge.Node) { e := n.At(7, 0); e.Insert(0, e.At(0).Clone()) }, verdict.Malformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := forge.Must(a.SigningCert.Raw)
			tt.edit(n.At(0))
			n.At(1).Set(n.At(0, 2))
			n.At(2).Value = append([]byte{0}, tools.Sign(n.At(0).Bytes())...)
			m := whole(a, content)
			m.Certs = [][]byte{n.Bytes()}
			if tt.want == "" {
				m = whole(a, content)
			}
			s, err := cms.ParseSigned(m.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			v := s.Judge(gm.SM3(content), false, options(pki))[0]
			if tt.want == "" {
				if v.Verdict != verdict.Passed {
					t.Errorf("the twin: %s %s", v.Verdict, v.Reason)
				}
				return
			}
			expectOnly(t, v, verdict.CheckSignature, tt.want)
		})
	}
}

// TestRefusedForms: messages that are refused before anything is judged.
func TestRefusedForms(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	good := whole(a, content).Bytes()
	if _, err := cms.ParseSigned(good); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	spoilt := func(f func(*forge.Message)) []byte { m := whole(a, content); f(m); return m.Bytes() }
	deep := asn1.NullBytes
	for range 1000 {
		deep = seq(deep)
	}
	many := make([][]byte, cms.MaxAttributes+1)
	for i := range many {
		many[i] = forge.Attr(asn1.ObjectIdentifier{1, 2, 3, i}, forge.DER(i))
	}
	env, err := cms.Encrypt(content, []*cert.Certificate{a.EncryptionCert}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		der  []byte
		want verdict.Reason
	}{
		{"empty", nil, verdict.NotDER},
		{"text", []byte("-----BEGIN PKCS7-----"), verdict.NotDER},
		{"cut off", good[:len(good)-1], verdict.NotDER},
		{"byte after the message", append(bytes.Clone(good), 0), verdict.TrailingData},
		{"message twice", append(bytes.Clone(good), good...), verdict.TrailingData},
		{"value after the signers", spoilt(func(m *forge.Message) { m.Trailing = asn1.NullBytes }), verdict.Malformed},
		{"too large", make([]byte, cms.MaxSize+1), verdict.Limit},
		{"no signer", spoilt(func(m *forge.Message) { m.Signers = nil }), verdict.NoSigner},
		{"too many signers", spoilt(func(m *forge.Message) {
			for range cms.MaxSigners {
				m.Signers = append(m.Signers, wholeSigner(a, content))
			}
		}), verdict.Limit},
		{"too many certificates", spoilt(func(m *forge.Message) {
			for range cms.MaxCertificates {
				m.Certs = append(m.Certs, a.SigningCert.Raw)
			}
		}), verdict.SignerCert},
		{"too many attributes", spoilt(func(m *forge.Message) { m.Signers[0].Attrs = many }), verdict.Limit},
		{"unsigned attributes a thousand deep", spoilt(func(m *forge.Message) { m.Signers[0].Unsigned = forge.TLV(0xa1, deep) }), verdict.Limit},
		{"version 2", spoilt(func(m *forge.Message) { m.Version = 2 }), verdict.Malformed},
		{"signer by key identifier", spoilt(func(m *forge.Message) { m.Signers[0].Version = 3 }), verdict.Malformed},
		{"an envelope", env, verdict.Malformed},
		{"a certificate", a.SigningCert.Raw, verdict.Malformed},
		{"content type data", spoilt(func(m *forge.Message) { m.Outer = forge.OIDGBTData }), verdict.Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := cms.ParseSigned(tt.der)
			var refused *verdict.ContainerError
			if s != nil || !errors.As(err, &refused) || refused.Reason != tt.want {
				t.Errorf("parse: %v, want %s", err, tt.want)
			}
		})
	}
	if s, err := cms.ParseSigned(spoilt(func(m *forge.Message) {
		m.Signers[0].Unsigned = forge.TLV(0xa1, forge.Attr(forge.OIDTSTInfo, asn1.NullBytes))
	})); err != nil ||
		s.Judge(gm.SM3(content), false, options(pki))[0].Verdict != verdict.Passed {
		t.Errorf("an unsigned attribute of ordinary depth: %v", err)
	}
}

// TestEveryByte flips a bit of every byte of a message: none of them is without meaning, so none passes.
func TestEveryByte(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	good := whole(a, content).Bytes()
	for i := range good {
		spoilt := bytes.Clone(good)
		spoilt[i] ^= 0x01
		s, err := cms.ParseSigned(spoilt)
		if err != nil {
			continue
		}
		v := s.Judge(gm.SM3(content), false, options(pki))[0]
		if v.Verdict == verdict.Passed {
			t.Errorf("byte %d of %d flipped: passed", i, len(good))
		}
	}
}

// TestLibraryAgrees: gmsm's own reader takes our messages, and we judge its writer's.
func TestLibraryAgrees(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	ours, err := cms.Sign(content, cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	p7, err := pkcs7.Parse(ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := p7.Verify(); err != nil || !bytes.Equal(p7.Content, content) {
		t.Errorf("the library on ours: %v", err)
	}

	theirs, err := pkcs7.NewSMSignedData(content)
	if err != nil {
		t.Fatal(err)
	}
	c, err := smx509.ParseCertificate(a.SigningCert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.AddSigner(c, a.SignKey, pkcs7.SignerInfoConfig{}); err != nil {
		t.Fatal(err)
	}
	raw, err := theirs.Finish()
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.ParseSigned(raw)
	if err != nil {
		t.Fatal(err)
	}
	o := cms.JudgeOptions{Policy: pki.Policy(), Now: now, At: now} // the library signs at its own time
	if v := s.Judge(gm.SM3(content), false, o)[0]; v.Verdict != verdict.Passed {
		t.Errorf("the library's: %s %s %+v", v.Verdict, v.Reason, v.Checks)
	}
}

func FuzzParseSigned(f *testing.F) {
	pki := certtest.New(f, "root", now)
	a := pki.Party("office")
	m := whole(a, content)
	f.Add(m.Bytes())
	m.Content = nil
	m.Signers[0].Unsigned = forge.TLV(0xa1, forge.Attr(forge.OIDTSTInfo, asn1.NullBytes))
	f.Add(m.Bytes())
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, der []byte) {
		s, err := cms.ParseSigned(der)
		if err != nil {
			if _, ok := errors.AsType[*verdict.ContainerError](err); !ok {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		for _, v := range s.Judge(gm.SM3(s.Content()), s.Detached(), options(pki)) {
			if v.Verdict == verdict.Passed && v.Signer != a.SigningCert.SubjectText() {
				t.Fatalf("passed for %q", v.Signer)
			}
		}
	}))
}

func BenchmarkSign(b *testing.B) {
	pki := certtest.New(b, "root", now)
	a := pki.Party("office")
	body := make([]byte, 10_000)
	for b.Loop() {
		if _, err := cms.Sign(body, cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseAndJudge reads and judges a message of 10 KB with a chain that was seen before; the probe is one bare SM2
// verification, so that the ratio says how many of them a message costs.
func BenchmarkParseAndJudge(b *testing.B) {
	pki := certtest.New(b, "root", now)
	a := pki.Party("office")
	msg, err := cms.Sign(make([]byte, 10_000), cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now})
	if err != nil {
		b.Fatal(err)
	}
	o := options(pki)
	o.Policy.Cache = new(cert.Cache)
	sig, err := gm.Sign(nil, a.SignKey, content)
	if err != nil {
		b.Fatal(err)
	}
	const turn = 100
	var judging, verifying time.Duration
	for b.Loop() {
		start := time.Now()
		for range turn {
			s, err := cms.ParseSigned(msg)
			if err != nil {
				b.Fatal(err)
			}
			if v := s.Judge(s.Sum(), false, o)[0]; v.Verdict != verdict.Passed {
				b.Fatal(v.Reason)
			}
		}
		middle := time.Now()
		for range turn {
			if !gm.Verify(a.SigningCert.PublicKey, content, sig) {
				b.Fatal("does not verify")
			}
		}
		judging += middle.Sub(start)
		verifying += time.Since(middle)
	}
	b.ReportMetric(judging.Seconds()*1e6/turn/float64(b.N), "µs")
	b.ReportMetric(verifying.Seconds()*1e6/turn/float64(b.N), "probe-µs")
}
