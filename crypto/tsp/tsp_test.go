package tsp_test

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
	"yinxin/verdict"
)

var (
	now     = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	ess     = []int{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	content = []int{1, 2, 840, 113549, 1, 9, 3}
	other   = asn1.ObjectIdentifier{2, 999, 3161, 2}
)

// office is a time-stamp authority with its PKI.
type office struct {
	*tsp.Authority
	pki   *certtest.PKI
	key   *gm.PrivateKey
	cert  *cert.Certificate
	clock *time.Time
}

func newOffice(t testing.TB, shape func(*tsp.AuthorityOptions)) *office {
	t.Helper()
	pki := certtest.New(t, "Root", now)
	key := certtest.Key(t)
	c, err := pki.IssueTimestamp(cert.Subject("TSA", "Test"), key.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	clock := now
	o := tsp.AuthorityOptions{Signer: key, Certificate: c, Now: func() time.Time { return clock }}
	if shape != nil {
		shape(&o)
	}
	a, err := tsp.NewAuthority(o)
	if err != nil {
		t.Fatal(err)
	}
	return &office{a, pki, key, c, &clock}
}

func (o *office) trust() tsp.JudgeOptions {
	return tsp.JudgeOptions{Policy: o.pki.Policy(), Now: *o.clock}
}

func newRequest(t testing.TB, sum [32]byte, policy asn1.ObjectIdentifier) *tsp.Request {
	t.Helper()
	r, err := tsp.NewRequest(sum, policy, rand{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stamp gets a token over data.
func (o *office) stamp(t testing.TB, data string) *tsp.Token {
	t.Helper()
	return o.answer(t, newRequest(t, gm.SM3([]byte(data)), nil).Raw)
}

func (o *office) answer(t testing.TB, request []byte) *tsp.Token {
	t.Helper()
	der, err := o.Respond(request)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(r.Token)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// tools are those of whoever has the authority's key.
func (o *office) tools() forge.Tools { return hand.Tools(o.key.ExportScalar()) }

func expect(t *testing.T, j tsp.Judgement, status verdict.Status, reason verdict.Reason) {
	t.Helper()
	if j.Check.Status != status || j.Check.Reason != reason || j.Check.Name != verdict.CheckTimestamp {
		t.Errorf("%s %s (%s), want %s %s", j.Check.Status, j.Check.Reason, j.Check.Detail, status, reason)
	}
}

func TestStampAndJudge(t *testing.T) {
	o := newOffice(t, func(a *tsp.AuthorityOptions) { a.Accuracy = 1500 * time.Millisecond })
	sum := gm.SM3([]byte("a seal"))
	req := newRequest(t, sum, tsp.PilotPolicy)
	token := o.answer(t, req.Raw)
	trust := o.trust()
	trust.Nonce, trust.Policies, trust.NotBefore = req.Nonce, []asn1.ObjectIdentifier{other, tsp.PilotPolicy}, now
	j := token.Judge(sum, trust)
	expect(t, j, verdict.Passed, "")
	if !j.Proven() || !j.Time.Equal(now) || j.Authority != o.cert.SubjectText() || token.Accuracy != 1500*time.Millisecond || len(token.Certificates()) != 1 {
		t.Errorf("judgement %+v, token %+v", j, token)
	}
	again := o.answer(t, req.Raw)
	if again.Serial.Cmp(token.Serial) == 0 {
		t.Error("two tokens with one serial number")
	}
	// A token without its certificate is judged with one from elsewhere.
	bare := forge.Must(req.Raw)
	bare.Remove(len(bare.Kids) - 1)
	lean := o.answer(t, bare.Bytes())
	if len(lean.Certificates()) != 0 {
		t.Error("certificates were not asked for")
	}
	expect(t, lean.Judge(sum, o.trust()), verdict.Failed, verdict.TimestampSigner)
	withCert := o.trust()
	withCert.Certificates = []*cert.Certificate{o.cert}
	expect(t, lean.Judge(sum, withCert), verdict.Passed, "")
	expect(t, tsp.JudgeToken(lean.Raw, sum, withCert), verdict.Passed, "")
}

// TestForgedTokens is T-11: whatever is wrong with a token, even one that its authority has really signed, fails with its
// reason. The twin of every case is the same token without the change.
func TestForgedTokens(t *testing.T) {
	o := newOffice(t, nil)
	sum := gm.SM3([]byte("a seal"))
	good := o.stamp(t, "a seal")
	// info alters the TSTInfo and has the authority sign it.
	info := func(edit func(n *forge.Node)) func(s *forge.Signed) {
		return func(s *forge.Signed) {
			n := forge.Must(s.Content().Value)
			edit(n)
			s.Content().Value = n.Bytes()
			s.Rehash(0)
			s.Resign(0)
		}
	}
	stranger := o.pki.Party("Stranger")
	tests := []struct {
		name string
		edit func(s *forge.Signed)
		want verdict.Reason
	}{
		{"the twin", func(*forge.Signed) {}, ""},
		{"the twin, signed anew", info(func(*forge.Node) {}), ""},
		{"imprint of other data", info(func(n *forge.Node) { n.At(2, 1).Value[0] ^= 1 }), verdict.TimestampImprint},
		{"imprint by SHA-256", info(func(n *forge.Node) { n.At(2, 0, 0).Set(forge.OID(2, 16, 840, 1, 101, 3, 4, 2, 1)) }), verdict.TimestampAlgorithm},
		{"imprint with parameters", info(func(n *forge.Node) { n.At(2, 0, 1).Set(forge.Int(1)) }), verdict.TimestampAlgorithm},
		{"imprint too short", info(func(n *forge.Node) { n.At(2, 1).Value = n.At(2, 1).Value[1:] }), verdict.TimestampAlgorithm},
		{"imprint without parameters", info(func(n *forge.Node) { n.At(2, 0).Remove(1) }), ""},
		{"version 2", info(func(n *forge.Node) { n.At(0).Set(forge.Int(2)) }), verdict.TimestampInvalid},
		{"another policy", info(func(n *forge.Node) { n.At(1).Set(forge.OID(2, 999, 3161, 2)) }), verdict.TimestampPolicy},
		{"negative serial number", info(func(n *forge.Node) { n.At(3).Set(forge.Int(-1)) }), verdict.TimestampInvalid},
		{"huge serial number", info(func(n *forge.Node) { n.At(3).Value = bytes.Repeat([]byte{1}, 33) }), verdict.TimestampInvalid},
		{"nonce missing", info(func(n *forge.Node) { n.Remove(5) }), verdict.TimestampNonce},
		{"nonce changed", info(func(n *forge.Node) { n.At(5).Value[1] ^= 1 }), verdict.TimestampNonce},
		{"time in the future", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261121081000Z")) }), verdict.TimestampTime},
		{"time just ahead, within the skew", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261121080300Z")) }), ""},
		{"time before the data", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261121075000Z")) }), verdict.TimestampTime},
		{"time with a fraction", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261121080000.25Z")) }), ""},
		{"fraction with a trailing zero", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261121080000.20Z")) }), verdict.TimestampInvalid},
		{"fraction without digits", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261121080000.Z")) }), verdict.TimestampInvalid},
		{"local time", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261121080000")) }), verdict.TimestampInvalid},
		{"the year 1", info(func(n *forge.Node) { n.At(4).Set(forge.Time("00010101000000Z")) }), verdict.TimestampInvalid},
		{"31 November", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261131080000Z")) }), verdict.TimestampInvalid},
		{"a leap second", info(func(n *forge.Node) { n.At(4).Set(forge.Time("20261121075960Z")) }), verdict.TimestampInvalid},
		{"accuracy of a day", info(func(n *forge.Node) { n.Insert(5, forge.Seq(forge.Int(86400))) }), verdict.TimestampTime},
		{"accuracy of a second", info(func(n *forge.Node) { n.Insert(5, forge.Seq(forge.Int(1))) }), ""},
		{"accuracy of 1000 ms", info(func(n *forge.Node) { n.Insert(5, forge.Seq(&forge.Node{Tag: 0x80, Value: []byte{3, 0xe8}})) }), verdict.TimestampInvalid},
		{"negative accuracy", info(func(n *forge.Node) { n.Insert(5, forge.Seq(forge.Int(-1))) }), verdict.TimestampInvalid},
		{"ordering", info(func(n *forge.Node) { n.Insert(5, &forge.Node{Tag: 1, Value: []byte{0xff}}) }), ""},
		{"ordering written although default", info(func(n *forge.Node) { n.Insert(5, &forge.Node{Tag: 1, Value: []byte{0}}) }), verdict.TimestampInvalid},
		{"critical extension", info(func(n *forge.Node) {
			n.Insert(6, &forge.Node{Tag: 0xa1, Kids: []*forge.Node{forge.Seq(forge.OID(1, 2, 3), &forge.Node{Tag: 1, Value: []byte{0xff}}, forge.Octets(nil))}})
		}), verdict.TimestampInvalid},
		{"another extension", info(func(n *forge.Node) {
			n.Insert(6, &forge.Node{Tag: 0xa1, Kids: []*forge.Node{forge.Seq(forge.OID(1, 2, 3), forge.Octets(nil))}})
		}), ""},
		{"no extensions in their list", info(func(n *forge.Node) { n.Insert(6, &forge.Node{Tag: 0xa1}) }), verdict.TimestampInvalid},
		{"an extension of no form", info(func(n *forge.Node) {
			n.Insert(6, &forge.Node{Tag: 0xa1, Kids: []*forge.Node{forge.Seq(forge.OID(1, 2, 3), forge.Null(), forge.Null())}})
		}), verdict.TimestampInvalid},
		{"its own name", info(func(n *forge.Node) { n.Insert(6, named(o.cert)) }), ""},
		{"another's name", info(func(n *forge.Node) { n.Insert(6, named(stranger.SigningCert)) }), verdict.TimestampSigner},
		{"data after the TSTInfo", info(func(n *forge.Node) { n.Insert(6, forge.Null()) }), verdict.TimestampInvalid},
		{"content not the signed one", func(s *forge.Signed) {
			n := forge.Must(s.Content().Value)
			n.At(3).Set(forge.Int(7))
			s.Content().Value = n.Bytes()
		}, verdict.TimestampSignature},
		{"signature value", func(s *forge.Signed) { v := s.Value(0).Value; v[len(v)-1] ^= 1 }, verdict.TimestampSignature},
		{"no signingCertificateV2", func(s *forge.Signed) { s.Drop(0, ess...); s.Resign(0) }, verdict.TimestampInvalid},
		{"signingCertificateV2 of another", func(s *forge.Signed) { s.Attribute(0, ess...).At(1, 0, 0, 0, 1).Value[0] ^= 1; s.Resign(0) }, verdict.TimestampSigner},
		{"contentType of data", func(s *forge.Signed) {
			s.Attribute(0, content...).At(1, 0).Set(forge.OID(1, 2, 840, 113549, 1, 7, 1))
			s.Resign(0)
		}, verdict.TimestampInvalid},
		{"no signed attributes", func(s *forge.Signed) { s.Signer(0).Remove(3); s.Resign(0) }, verdict.TimestampInvalid},
		{"content type of data", func(s *forge.Signed) { s.Body().At(2, 0).Set(forge.OID(1, 2, 840, 113549, 1, 7, 1)) }, verdict.TimestampInvalid},
		{"no certificate", func(s *forge.Signed) { s.Body().Remove(3) }, verdict.TimestampSigner},
		{"another certificate", func(s *forge.Signed) { s.Bag().Kids[0].Set(forge.Must(stranger.SigningCert.Raw)) }, verdict.TimestampSigner},
		{"an extra signer", func(s *forge.Signed) {
			two := s.Signer(0).Clone()
			two.At(1, 1).Value[0] ^= 1
			s.Signers().Insert(0, two)
			s.Signers().Sort()
		}, verdict.TimestampInvalid},
		{"no signer", func(s *forge.Signed) { s.Signers().Remove(0) }, verdict.TimestampInvalid},
	}
	trust := o.trust()
	trust.Nonce, trust.NotBefore, trust.Policies = good.Nonce, now, []asn1.ObjectIdentifier{tsp.PilotPolicy}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := forge.OpenSigned(good.Raw, o.tools())
			tt.edit(s)
			status := verdict.Failed
			if tt.want == "" {
				status = verdict.Passed
			}
			expect(t, tsp.JudgeToken(s.Bytes(), sum, trust), status, tt.want)
		})
	}
	t.Run("bytes after the token", func(t *testing.T) {
		expect(t, tsp.JudgeToken(append(bytes.Clone(good.Raw), 0), sum, trust), verdict.Failed, verdict.TimestampInvalid)
	})
}

func named(c *cert.Certificate) *forge.Node {
	return &forge.Node{Tag: 0xa0, Kids: []*forge.Node{{Tag: 0xa4, Kids: []*forge.Node{forge.Must(c.RawSubject)}}}}
}

// TestEveryByte flips each bit position of a token in turn: none of the results proves the time.
func TestEveryByte(t *testing.T) {
	o := newOffice(t, nil)
	good := o.stamp(t, "a seal")
	sum := gm.SM3([]byte("a seal"))
	expect(t, good.Judge(sum, o.trust()), verdict.Passed, "")
	for i := range good.Raw {
		bad := bytes.Clone(good.Raw)
		bad[i] ^= 1 << (i % 8)
		if j := tsp.JudgeToken(bad, sum, o.trust()); j.Proven() {
			t.Errorf("byte %d: a spoilt token proves its time", i)
		}
	}
}

// TestCopiedToken is T-12.
func TestCopiedToken(t *testing.T) {
	o := newOffice(t, nil)
	token := o.stamp(t, "one document")
	expect(t, token.Judge(gm.SM3([]byte("one document")), o.trust()), verdict.Passed, "")
	expect(t, token.Judge(gm.SM3([]byte("another document")), o.trust()), verdict.Failed, verdict.TimestampImprint)
}

// TestTokenTrust: who the authority is, and at which time its certificate is judged.
func TestTokenTrust(t *testing.T) {
	sum := gm.SM3([]byte("a seal"))
	t.Run("no root", func(t *testing.T) {
		o := newOffice(t, nil)
		expect(t, o.stamp(t, "a seal").Judge(sum, tsp.JudgeOptions{Now: now}), verdict.Indeterminate, verdict.NoTrustAnchor)
	})
	t.Run("another root", func(t *testing.T) {
		o := newOffice(t, nil)
		trust := tsp.JudgeOptions{Policy: certtest.New(t, "Root", now).Policy(), Now: now}
		expect(t, o.stamp(t, "a seal").Judge(sum, trust), verdict.Failed, verdict.TimestampChain)
	})
	t.Run("certificate expired since", func(t *testing.T) {
		o := newOffice(t, nil)
		token := o.stamp(t, "a seal")
		*o.clock = now.AddDate(5, 0, 0)
		lapsed := token.Judge(sum, o.trust())
		expect(t, lapsed, verdict.Indeterminate, verdict.NoProofOfExistence)
		if !lapsed.Lapsed() || lapsed.Proven() {
			t.Error("not lapsed")
		}
		trust := o.trust()
		trust.Seen = now.AddDate(1, 0, 0)
		expect(t, token.Judge(sum, trust), verdict.Passed, "")
		trust.Seen = now.AddDate(4, 0, 0) // the certificate ended before
		expect(t, token.Judge(sum, trust), verdict.Indeterminate, verdict.NoProofOfExistence)
	})
	t.Run("time outside the certificate", func(t *testing.T) {
		o := newOffice(t, nil)
		s := forge.OpenSigned(o.stamp(t, "a seal").Raw, o.tools())
		n := forge.Must(s.Content().Value)
		n.At(4).Set(forge.Time("20200101000000Z"))
		s.Content().Value = n.Bytes()
		s.Rehash(0)
		s.Resign(0)
		expect(t, tsp.JudgeToken(s.Bytes(), sum, o.trust()), verdict.Failed, verdict.TimestampChain)
	})
	t.Run("a document signer's certificate", func(t *testing.T) {
		o := newOffice(t, nil)
		party := o.pki.Party("Signer")
		s := forge.OpenSigned(o.stamp(t, "a seal").Raw, hand.Tools(party.SignKey.ExportScalar()))
		swapSigner(s, party.SigningCert)
		expect(t, tsp.JudgeToken(s.Bytes(), sum, o.trust()), verdict.Failed, verdict.TimestampSigner)
	})
}

// swapSigner makes c the signer of a message.
func swapSigner(s *forge.Signed, c *cert.Certificate) {
	s.Bag().Kids[0].Set(forge.Must(c.Raw))
	s.Signer(0).At(1, 0).Set(forge.Must(c.RawIssuer))
	s.Signer(0).At(1, 1).Value = c.Serial.Bytes()
	digest := c.SM3()
	s.Attribute(0, ess...).At(1, 0, 0, 0, 1).Value = digest[:]
	s.Resign(0)
}

// TestRevokedAuthority: most reasons of revocation leave older tokens standing, a lost key leaves none (RFC 3161 4).
func TestRevokedAuthority(t *testing.T) {
	tests := []struct {
		name   string
		at     time.Duration
		reason int
		want   verdict.Reason
	}{
		{"superseded later", time.Hour, cert.ReasonSuperseded, ""},
		{"superseded before", -time.Hour, cert.ReasonSuperseded, verdict.Revoked},
		{"key lost later", time.Hour, cert.ReasonKeyCompromise, verdict.Revoked},
		{"no reason, later", time.Hour, cert.ReasonUnspecified, verdict.Revoked},
		{"another certificate", 0, -1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, nil)
			token := o.stamp(t, "a seal")
			*o.clock = now.Add(2 * time.Hour)
			serial := o.cert.Serial
			if tt.reason < 0 {
				serial, tt.reason = big.NewInt(4711), cert.ReasonKeyCompromise
			}
			later, err := cert.OpenAuthority(cert.Station{Signer: o.pki.Key, Now: func() time.Time { return *o.clock }}, o.pki.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			list, err := later.IssueCRL(big.NewInt(1), now.Add(24*time.Hour), []cert.Revoked{{Serial: serial, At: now.Add(tt.at), Reason: tt.reason}})
			if err != nil {
				t.Fatal(err)
			}
			trust := o.trust()
			trust.Policy.CRLs = []*cert.RevocationList{list}
			status := verdict.Passed
			if tt.want != "" {
				status = verdict.Failed
			}
			expect(t, token.Judge(gm.SM3([]byte("a seal")), trust), status, tt.want)
		})
	}
}

// TestAuthorityRefuses: requests that are not answered with a token, and clocks that are not to be relied on.
func TestAuthorityRefuses(t *testing.T) {
	sum := gm.SM3([]byte("a seal"))
	good := newRequest(t, sum, nil).Raw
	edited := func(edit func(n *forge.Node)) []byte {
		n := forge.Must(good)
		edit(n)
		return n.Bytes()
	}
	tests := []struct {
		name    string
		request []byte
		want    tsp.Failure
	}{
		{"the twin", good, tsp.NoFailure},
		{"garbage", []byte("garbage"), tsp.BadDataFormat},
		{"empty", nil, tsp.BadDataFormat},
		{"too large", forge.TLV(0x30, make([]byte, tsp.MaxRequest)), tsp.BadDataFormat},
		{"trailing byte", append(bytes.Clone(good), 0), tsp.BadDataFormat},
		{"version 2", edited(func(n *forge.Node) { n.At(0).Set(forge.Int(2)) }), tsp.BadDataFormat},
		{"SHA-256", edited(func(n *forge.Node) { n.At(1, 0, 0).Set(forge.OID(2, 16, 840, 1, 101, 3, 4, 2, 1)) }), tsp.BadAlgorithm},
		{"another policy", edited(func(n *forge.Node) { n.Insert(2, forge.OID(2, 999, 3161, 2)) }), tsp.UnacceptedPolicy},
		{"its policy", edited(func(n *forge.Node) { n.Insert(2, forge.OID(2, 999, 3161, 1)) }), tsp.NoFailure},
		{"extension", edited(func(n *forge.Node) {
			n.Insert(4, &forge.Node{Tag: 0xa0, Kids: []*forge.Node{forge.Seq(forge.OID(1, 2, 3), forge.Octets(nil))}})
		}), tsp.UnacceptedExtension},
		{"data after it", edited(func(n *forge.Node) { n.Insert(4, forge.Null()) }), tsp.BadDataFormat},
		{"negative nonce", edited(func(n *forge.Node) { n.At(2).Set(forge.Int(-5)) }), tsp.BadDataFormat},
	}
	o := newOffice(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			der, err := o.Respond(tt.request)
			if (err == nil) != (tt.want == tsp.NoFailure) {
				t.Errorf("error %v", err)
			}
			r, err := tsp.ParseResponse(der)
			if err != nil {
				t.Fatal(err)
			}
			if granted := r.Status == tsp.Granted && r.Token != nil; r.Failure != tt.want || granted != (tt.want == tsp.NoFailure) {
				t.Errorf("status %d, failure %s, text %q", r.Status, r.Failure, r.Text)
			}
		})
	}
}

// TestAuthorityClock is T-14 for the authority.
func TestAuthorityClock(t *testing.T) {
	distrust := errors.New("drift of 3 s")
	var trusted error
	o := newOffice(t, func(a *tsp.AuthorityOptions) { a.Trusted = func() error { return trusted } })
	request := newRequest(t, gm.SM3([]byte("a seal")), nil).Raw
	try := func(at time.Time, want tsp.Failure) {
		t.Helper()
		*o.clock = at
		der, _ := o.Respond(request)
		r, err := tsp.ParseResponse(der)
		if err != nil || r.Failure != want {
			t.Errorf("at %s: %v, %v, want %s", at, r, err, want)
		}
	}
	try(now, tsp.NoFailure)
	try(now.Add(time.Minute), tsp.NoFailure)
	try(now, tsp.TimeNotAvailable) // backwards
	trusted = distrust
	try(now.Add(2*time.Minute), tsp.TimeNotAvailable)
	trusted = nil
	try(now.Add(3*time.Minute), tsp.NoFailure)
	try(now.AddDate(10, 0, 0), tsp.TimeNotAvailable) // beyond the certificate, and not remembered as the last time
	try(now.Add(4*time.Minute), tsp.NoFailure)
}

func TestNewAuthorityRefuses(t *testing.T) {
	pki := certtest.New(t, "Root", now)
	key := certtest.Key(t)
	good, err := pki.IssueTimestamp(cert.Subject("TSA", ""), key.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	clock := func(at time.Time) func() time.Time { return func() time.Time { return at } }
	tests := []struct {
		name string
		o    tsp.AuthorityOptions
		want error
	}{
		{"the twin", tsp.AuthorityOptions{Signer: key, Certificate: good, Now: clock(now)}, nil},
		{"no key", tsp.AuthorityOptions{Certificate: good, Now: clock(now)}, tsp.ErrOptions},
		{"signing certificate", tsp.AuthorityOptions{Signer: key, Certificate: pki.Party("P").SigningCert, Now: clock(now)}, cert.ErrKeyUsage},
		{"another key", tsp.AuthorityOptions{Signer: certtest.Key(t), Certificate: good, Now: clock(now)}, cert.ErrKeyMismatch},
		{"expired", tsp.AuthorityOptions{Signer: key, Certificate: good, Now: clock(now.AddDate(9, 0, 0))}, tsp.ErrOptions},
		{"accuracy of microseconds", tsp.AuthorityOptions{Signer: key, Certificate: good, Now: clock(now), Accuracy: time.Microsecond}, tsp.ErrOptions},
	}
	for _, tt := range tests {
		if _, err := tsp.NewAuthority(tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestTokenBesideSignature: a token travels as an unsigned attribute and proves the time of the signature it is about.
func TestTokenBesideSignature(t *testing.T) {
	o := newOffice(t, nil)
	party := o.pki.Party("Office A")
	der, err := cms.Sign([]byte("content"), cms.SignOptions{Signer: party.SignKey, Certificate: party.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.ParseSigned(der)
	if err != nil {
		t.Fatal(err)
	}
	token := o.stamp(t, string(s.SignatureValue(0)))
	stamped, err := cms.AddTimestamp(der, 0, token.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if stamped, err = cms.AddTimestamp(stamped, 0, o.stamp(t, "another signature").Raw); err != nil {
		t.Fatal(err)
	}
	back, err := cms.ParseSigned(stamped)
	if err != nil {
		t.Fatal(err)
	}
	if v := back.Judge(gm.SM3([]byte("content")), false, cms.JudgeOptions{Policy: o.pki.Policy(), Now: now})[0]; v.Verdict != verdict.Passed {
		t.Errorf("the message with tokens: %s %s", v.Verdict, v.Reason)
	}
	proven := 0
	for _, raw := range back.Timestamps(0) {
		if tsp.JudgeToken(raw, gm.SM3(back.SignatureValue(0)), o.trust()).Proven() {
			proven++
		}
	}
	if tokens := back.Timestamps(0); len(tokens) != 2 || proven != 1 {
		t.Errorf("%d tokens, %d of them about this signature; want 2 and 1", len(tokens), proven)
	}
	if _, err := cms.AddTimestamp(der, 1, token.Raw); !errors.Is(err, cms.ErrOptions) {
		t.Errorf("second signer of one: %v", err)
	}
	if _, err := cms.AddTimestamp(der, 0, []byte("garbage")); err == nil {
		t.Error("a token that is not DER goes in")
	}
}

func TestParseResponse(t *testing.T) {
	o := newOffice(t, nil)
	der, err := o.Respond(newRequest(t, gm.SM3([]byte("a seal")), nil).Raw)
	if err != nil {
		t.Fatal(err)
	}
	edited := func(edit func(n *forge.Node)) []byte {
		n := forge.Must(der)
		edit(n)
		return n.Bytes()
	}
	tests := []struct {
		name string
		der  []byte
		good bool
	}{
		{"the twin", der, true},
		{"granted with modifications", edited(func(n *forge.Node) { n.At(0, 0).Set(forge.Int(1)) }), true},
		{"granted without a token", edited(func(n *forge.Node) { n.Remove(1) }), false},
		{"rejection with a token", edited(func(n *forge.Node) { n.At(0, 0).Set(forge.Int(2)) }), false},
		{"rejection", edited(func(n *forge.Node) { n.At(0, 0).Set(forge.Int(2)); n.Remove(1) }), true},
		{"status 9", edited(func(n *forge.Node) { n.At(0, 0).Set(forge.Int(9)); n.Remove(1) }), false},
		{"text that is no text", edited(func(n *forge.Node) { n.At(0).Insert(1, forge.Seq(forge.Int(1))) }), false},
		{"data after it", append(bytes.Clone(der), 0), false},
		{"empty", nil, false},
	}
	for _, tt := range tests {
		if _, err := tsp.ParseResponse(tt.der); (err == nil) != tt.good || err != nil && !errors.Is(err, tsp.ErrMalformed) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	r, err := tsp.ParseResponse(forge.Seq(forge.Seq(forge.Int(2), forge.Seq(&forge.Node{Tag: 0x0c, Value: []byte("no\x1b[31m")}),
		&forge.Node{Tag: 0x03, Value: []byte{1, 0, 2}})).Bytes())
	if err != nil || r.Text != "no\ufffd[31m" || r.Failure != tsp.TimeNotAvailable {
		t.Errorf("%+v, %v", r, err)
	}
}
