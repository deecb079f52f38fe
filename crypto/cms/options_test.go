package cms_test

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/testvectors/forge"
	"yinxin/verdict"
)

// perByte is how much reading and judging may allocate for each byte of input.
const perByte = 200

func mustSign(t testing.TB, a *certtest.Party, content []byte) []byte {
	t.Helper()
	der, err := cms.Sign(content, cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// judged parses and judges; a refusal of the form counts as failed with its reason.
func judged(t *testing.T, der []byte, o cms.JudgeOptions) (verdict.Status, verdict.Reason) {
	t.Helper()
	s, err := cms.ParseSigned(der)
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		return verdict.Failed, refused.Reason
	}
	if err != nil {
		t.Fatal(err)
	}
	v := s.Judge(s.Sum(), s.Detached(), o)[0]
	return v.Verdict, v.Reason
}

// TestBareDigest is the exception of C-01 for OFD: without the option such a message never passes, and with it only a
// content of exactly 32 bytes does.
func TestBareDigest(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a, b := pki.Party("office"), pki.Party("other")
	sum := gm.SM3([]byte("Signature.xml"))
	bare := func(content []byte, key *gm.PrivateKey, edit func(s *forge.Signed)) []byte {
		s := forge.OpenSigned(mustSign(t, a, content), forger(key))
		s.Signer(0).Remove(3)
		s.Resign(0)
		if edit != nil {
			edit(s)
		}
		return s.Bytes()
	}
	allowed := options(pki)
	allowed.BareDigest = true
	tests := []struct {
		name string
		der  []byte
		o    cms.JudgeOptions
		want verdict.Reason
	}{
		{"32 bytes, allowed", bare(sum[:], a.SignKey, nil), allowed, ""},
		{"32 bytes, not allowed", bare(sum[:], a.SignKey, nil), options(pki), verdict.SignedAttrsRequired},
		{"31 bytes", bare(sum[:31], a.SignKey, nil), allowed, verdict.SignedAttrsRequired},
		{"33 bytes", bare(append(sum[:], 0), a.SignKey, nil), allowed, verdict.SignedAttrsRequired},
		{"by another key", bare(sum[:], b.SignKey, nil), allowed, verdict.SigValue},
		{"content changed", bare(sum[:], a.SignKey, func(s *forge.Signed) { s.Content().Value[0] ^= 1 }), allowed, verdict.SigValue},
		{"another digest algorithm", bare(sum[:], a.SignKey, func(s *forge.Signed) { s.Signer(0).At(2, 0).Set(forge.OID(2, 16, 840, 1, 101, 3, 4, 2, 1)) }), allowed, verdict.AlgMismatch},
		{"with signed attributes all the same", mustSign(t, a, sum[:]), allowed, ""},
		{"attributes as content", func() []byte {
			s := forge.OpenSigned(mustSign(t, a, sum[:]), forger(a.SignKey))
			set := forge.SetOf(s.Attributes(0).Kids...)
			s.Content().Value = set.Bytes()
			s.Signer(0).Remove(3)
			return s.Bytes()
		}(), allowed, verdict.SignedAttrsRequired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, reason := judged(t, tt.der, tt.o)
			if reason != tt.want || (status == verdict.Passed) != (tt.want == "") {
				t.Errorf("%s %s, want %q", status, reason, tt.want)
			}
		})
	}
	s, err := cms.ParseSigned(bare(sum[:], a.SignKey, nil))
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Judge(gm.SM3([]byte("x")), false, allowed)[0]; v.Reason != verdict.ContentAmbiguous {
		t.Errorf("another content than the caller's: %s", v.Reason)
	}
	if v := s.Judge(s.Sum(), true, allowed)[0]; v.Reason != verdict.ContentAmbiguous {
		t.Errorf("beside a file: %s", v.Reason)
	}
}

// TestSwappedCertificate is C-10: the issuer and serial number of another certificate of the same key, with another name. Only
// signingCertificateV2 tells; a signature without it is warned of.
func TestSwappedCertificate(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("Clerk")
	mayor, err := pki.IssueSigning(cert.Subject("Mayor", "Test"), a.SignKey.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bound := range []bool{true, false} {
		s := forge.OpenSigned(mustSign(t, a, content), forger(a.SignKey))
		if !bound {
			s.Drop(0, 1, 2, 840, 113549, 1, 9, 16, 2, 47)
			s.Resign(0)
		}
		s.Signer(0).At(1, 1).Value = mayor.Serial.Bytes()
		s.Bag().Set(&forge.Node{Tag: 0xa0, Kids: []*forge.Node{forge.Must(mayor.Raw)}})
		m, err := cms.ParseSigned(s.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		v := m.Judge(m.Sum(), false, options(pki))[0]
		if bound && (v.Verdict != verdict.Failed || v.Reason != verdict.SignerCert) || !bound && !v.Warned(verdict.SignerUnbound) {
			t.Errorf("bound %v: %s %s, warnings %v", bound, v.Verdict, v.Reason, v.Warnings)
		}
	}
}

// TestBinding: signingCertificateV2 can be required, is reported, and its issuer and serial number are compared too.
func TestBinding(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a, b := pki.Party("office"), pki.Party("other")
	strict := options(pki)
	strict.RequireBinding = true
	ess := []int{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	der := mustSign(t, a, content)
	edited := func(edit func(s *forge.Signed)) []byte {
		s := forge.OpenSigned(der, forger(a.SignKey))
		edit(s)
		s.Resign(0)
		return s.Bytes()
	}
	without := edited(func(s *forge.Signed) { s.Drop(0, ess...) })
	issuerSerial := func(c *cert.Certificate) func(s *forge.Signed) {
		return func(s *forge.Signed) {
			id := s.Attribute(0, ess...).At(1, 0, 0, 0)
			id.Insert(2, forge.Seq(forge.Seq(&forge.Node{Tag: 0xa4, Kids: []*forge.Node{forge.Must(c.RawIssuer)}}), forge.Must(mustMarshal(t, c.Serial))))
		}
	}
	tests := []struct {
		name string
		der  []byte
		o    cms.JudgeOptions
		want verdict.Reason
	}{
		{"bound, required", der, strict, ""},
		{"not bound, not required", without, options(pki), ""},
		{"not bound, required", without, strict, verdict.SignedAttrsIncomplete},
		{"with issuer and serial number", edited(issuerSerial(a.SigningCert)), strict, ""},
		{"with another serial number", edited(issuerSerial(b.SigningCert)), strict, verdict.SignerCert},
		{"with policies behind the list", edited(func(s *forge.Signed) { s.Attribute(0, ess...).At(1, 0).Insert(1, forge.Seq()) }), strict, ""},
		{"with something else behind the list", edited(func(s *forge.Signed) { s.Attribute(0, ess...).At(1, 0).Insert(1, forge.Int(1)) }), strict, verdict.SignedAttrsIncomplete},
		{"with something else behind the digest", edited(func(s *forge.Signed) { s.Attribute(0, ess...).At(1, 0, 0, 0).Insert(2, forge.Null()) }), strict, verdict.SignedAttrsIncomplete},
	}
	for _, tt := range tests {
		if _, reason := judged(t, tt.der, tt.o); reason != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, reason, tt.want)
		}
	}
	for _, bound := range []bool{true, false} {
		s, err := cms.ParseSigned(map[bool][]byte{true: der, false: without}[bound])
		if err != nil {
			t.Fatal(err)
		}
		if s.BindsCertificate(0) != bound {
			t.Errorf("bound: %v, want %v", !bound, bound)
		}
		if v := s.Judge(s.Sum(), false, options(pki))[0]; v.Verdict != verdict.Passed || v.Warned(verdict.SignerUnbound) == bound {
			t.Errorf("bound: %v: %s, warnings %v", bound, v.Verdict, v.Warnings)
		}
	}
}

func mustMarshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCounterSignatures is C-23: a counter-signature that is about this signature changes nothing, one that was moved here
// spoils the verdict.
func TestCounterSignatures(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a, b := pki.Party("office"), pki.Party("witness")
	counterSignature := forge.OID(1, 2, 840, 113549, 1, 9, 6)
	// counter makes b's SignerInfo about a signature value.
	counter := func(value []byte, edit func(attrs *forge.Node)) *forge.Node {
		s := forge.OpenSigned(mustSign(t, b, value), forger(b.SignKey))
		s.Drop(0, 1, 2, 840, 113549, 1, 9, 3)
		if edit != nil {
			edit(s.Attributes(0))
		}
		s.Resign(0)
		return s.Signer(0)
	}
	with := func(make func(value []byte) *forge.Node) []byte {
		s := forge.OpenSigned(mustSign(t, a, content), forger(a.SignKey))
		s.Bag().Insert(0, forge.Must(b.SigningCert.Raw))
		s.Bag().Sort()
		s.Signer(0).Insert(len(s.Signer(0).Kids), &forge.Node{Tag: 0xa1, Kids: []*forge.Node{
			forge.Seq(counterSignature, forge.SetOf(make(s.Value(0).Value))),
		}})
		return s.Bytes()
	}
	tests := []struct {
		name string
		der  []byte
		want verdict.Reason
	}{
		{"about this signature", with(func(v []byte) *forge.Node { return counter(v, nil) }), ""},
		{"about another", with(func([]byte) *forge.Node { return counter([]byte("another signature"), nil) }), verdict.CounterSignature},
		{"with a contentType", with(func(v []byte) *forge.Node {
			return counter(v, func(attrs *forge.Node) {
				attrs.Insert(0, forge.Seq(forge.OID(1, 2, 840, 113549, 1, 9, 3), forge.SetOf(forge.OID(1, 2, 840, 113549, 1, 7, 1))))
			})
		}), verdict.CounterSignature},
		{"value spoilt", with(func(v []byte) *forge.Node {
			n := counter(v, nil)
			n.At(-1).Value[len(n.At(-1).Value)-1] ^= 1
			return n
		}), verdict.CounterSignature},
		{"no signer at all", with(func([]byte) *forge.Node { return forge.Null() }), verdict.CounterSignature},
		{"of somebody unknown", with(func(v []byte) *forge.Node {
			n := counter(v, nil)
			n.At(1, 1).Set(forge.Int(5))
			return n
		}), verdict.CounterSignature},
	}
	for _, tt := range tests {
		status, reason := judged(t, tt.der, options(pki))
		if reason != tt.want || (status == verdict.Passed) != (tt.want == "") {
			t.Errorf("%s: %s %q, want %q", tt.name, status, reason, tt.want)
		}
	}
}

// TestRecipientByKeyIdentifier: envelopes of version 2 name a recipient by its key identifier (C-10: a hint, no proof).
func TestRecipientByKeyIdentifier(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a, b := pki.Party("a"), pki.Party("b")
	byKey := func(id []byte, alg asn1.ObjectIdentifier) []byte {
		der, err := cms.Encrypt(content, []*cert.Certificate{a.EncryptionCert}, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := forge.Must(der)
		r := n.At(1, 0, 1, 0)
		r.At(0).Set(forge.Int(2))
		r.At(1).Set(&forge.Node{Tag: 0x80, Value: id})
		r.At(2, 0).Set(forge.OID(alg...))
		return n.Bytes()
	}
	id := a.EncryptionCert.SubjectKeyID()
	got, err := cms.Decrypt(byKey(id, gm.OIDSM2Encryption), a.EncryptionCert, a.EncryptKey)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%q, %v", got, err)
	}
	e, err := cms.ParseEnveloped(byKey(id, gm.OIDSM2Encryption))
	if err != nil || !bytes.Equal(e.Recipients()[0].KeyID, id) || e.Recipients()[0].Serial != nil {
		t.Errorf("%+v, %v", e.Recipients(), err)
	}
	if _, err := cms.Decrypt(byKey(id, gm.OIDSM2Encryption), b.EncryptionCert, b.EncryptKey); !errors.Is(err, cms.ErrNotRecipient) {
		t.Errorf("another recipient: %v", err)
	}
	for name, bad := range map[string][]byte{"empty": {}, "too long": make([]byte, 65)} {
		if _, err := cms.ParseEnveloped(byKey(bad, gm.OIDSM2Encryption)); err == nil {
			t.Errorf("%s key identifier parses", name)
		}
	}
	// Somebody else's certificate that bears the same identifier is addressed in name, and opens nothing.
	if _, err := cms.Decrypt(byKey(b.EncryptionCert.SubjectKeyID(), gm.OIDSM2Encryption), b.EncryptionCert, b.EncryptKey); !errors.Is(err, cms.ErrDecrypt) {
		t.Errorf("identifier of another certificate: %v", err)
	}
	// 1.301.2 only where it is asked for by name.
	odd := byKey(id, gm.OIDSM2KeyExchange)
	if _, err := cms.ParseEnveloped(odd); err == nil {
		t.Error("the key exchange OID is read without being asked for")
	}
	e, err = cms.ParseEnvelopedWith(odd, cms.OpenOptions{KeyExchangeOID: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Open(a.EncryptionCert, a.EncryptKey); err != nil || !bytes.Equal(got, content) {
		t.Errorf("with the option: %q, %v", got, err)
	}
	if _, err := cms.ParseEnvelopedWith(byKey(id, gm.OIDSM2Signature), cms.OpenOptions{KeyExchangeOID: true}); err == nil {
		t.Error("the option reads any OID")
	}
}

// TestOtherContent: what is signed as one type of content passes as no other.
func TestOtherContent(t *testing.T) {
	pki := certtest.New(t, "root", now)
	a := pki.Party("office")
	special := asn1.ObjectIdentifier{2, 999, 1}
	der, err := cms.Sign(content, cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now, Profile: cms.ProfileRFC, ContentType: special})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.ParseSigned(der)
	if err != nil || s.Version() != 3 || !s.ContentType().Equal(special) {
		t.Fatalf("version %d, type %s, %v", s.Version(), s.ContentType(), err)
	}
	o := options(pki)
	if _, reason := judged(t, der, o); reason != verdict.SignedAttrsIncomplete {
		t.Errorf("taken for data: %q", reason)
	}
	o.ContentType = special
	if status, reason := judged(t, der, o); status != verdict.Passed {
		t.Errorf("%s %s", status, reason)
	}
	if _, reason := judged(t, mustSign(t, a, content), o); reason != verdict.SignedAttrsIncomplete {
		t.Errorf("data taken for it: %q", reason)
	}
	tsa, err := pki.IssueTimestamp(cert.Subject("tsa", ""), a.SignKey.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cms.Sign(content, cms.SignOptions{Signer: a.SignKey, Certificate: tsa, Time: now}); !errors.Is(err, cert.ErrKeyUsage) {
		t.Errorf("a time-stamp certificate signs data: %v", err)
	}
	o.Use = cert.UseTimestamp
	if _, reason := judged(t, der, o); reason != verdict.EKU {
		t.Errorf("a document signer taken for a time-stamp authority: %q", reason)
	}
}

// TestDERBombs is C-06: hostile encodings are refused in bounded time and memory, by reason.
func TestDERBombs(t *testing.T) {
	nested := bytes.Repeat([]byte{0x30, 0x80}, 100_000)
	deep := []byte{0x05, 0x00}
	for range 100 {
		deep = forge.TLV(0x30, deep)
	}
	tests := []struct {
		name string
		der  []byte
		want verdict.Reason
	}{
		{"indefinite lengths, a hundred thousand", nested, verdict.NotDER},
		{"length of 2 GiB", []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, verdict.NotDER},
		{"length of 2^64", []byte{0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, verdict.NotDER},
		{"a hundred deep", deep, verdict.Limit},
		{"constructed octet string", []byte{0x24, 0x03, 0x04, 0x01, 0x00}, verdict.NotDER},
		{"huge tag", []byte{0x3f, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00}, verdict.NotDER},
		{"OID with leading 0x80", []byte{0x06, 0x03, 0x80, 0x01, 0x01}, verdict.NotDER},
		{"many elements", forge.TLV(0x30, bytes.Repeat([]byte{0x05, 0x00}, 40_000)), verdict.Limit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			allocs := testing.AllocsPerRun(1, func() {
				_, err := cms.ParseSigned(tt.der)
				if refused, ok := errors.AsType[*verdict.ContainerError](err); !ok || refused.Reason != tt.want {
					t.Errorf("%v, want %s", err, tt.want)
				}
			})
			if took := time.Since(begin); took > time.Second || allocs > 100 {
				t.Errorf("took %s and %v allocations", took, allocs)
			}
		})
	}
}
