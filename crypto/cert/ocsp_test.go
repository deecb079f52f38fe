package cert_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
	"yinxin/testvectors/boundtest"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
	"yinxin/verdict"
)

// clinic is an issuer, a certificate of it and a responder, open to alteration.
type clinic struct {
	pki       *certtest.PKI
	leaf      *cert.Certificate
	responder *cert.Responder
	key       *gm.PrivateKey // the responder's
	state     cert.OCSPState // of the leaf
}

func newClinic(t testing.TB) *clinic {
	t.Helper()
	pki := certtest.New(t, "Root", now)
	c := &clinic{pki: pki, key: certtest.Key(t), state: cert.OCSPState{Known: true}}
	party := pki.PartyWith("Office", cert.IssueOptions{OCSP: []string{"http://ocsp.example"}})
	c.leaf = party.SigningCert
	own, err := pki.IssueOCSPResponder(cert.Subject("OCSP", "Test"), c.key.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.responder = c.with(c.key, own)
	return c
}

func (c *clinic) with(key *gm.PrivateKey, own *cert.Certificate) *cert.Responder {
	return &cert.Responder{
		Station: cert.Station{Signer: key, Now: func() time.Time { return now }}, Issuer: c.pki.Certificate, Certificate: own,
		State: func(serial *big.Int) cert.OCSPState {
			if serial.Cmp(c.leaf.Serial) != 0 {
				return cert.OCSPState{}
			}
			return c.state
		},
	}
}

func (c *clinic) ask(t testing.TB, r *cert.Responder) (*cert.OCSPRequest, *cert.OCSPResponse) {
	t.Helper()
	q, err := cert.NewOCSPRequest(c.leaf, c.pki.Certificate, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := r.Respond(q.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return q, mustOCSP(t, der)
}

func mustOCSP(t testing.TB, der []byte) *cert.OCSPResponse {
	t.Helper()
	r, err := cert.ParseOCSP(der)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (c *clinic) judge(m cert.Moment, crls []*cert.RevocationList, responses ...*cert.OCSPResponse) []verdict.Check {
	p := c.pki.Policy()
	p.OCSP, p.CRLs = responses, crls
	return p.Judge(c.leaf, cert.UseSign, m)
}

// TestOCSP is T-07 for OCSP: a good answer passes, every other one is shown and never passes.
func TestOCSP(t *testing.T) {
	present := cert.Moment{At: now, Now: now.Add(time.Minute)}
	tests := []struct {
		name   string
		shape  func(t *testing.T, c *clinic)
		m      cert.Moment
		status verdict.Status
		reason verdict.Reason
	}{
		{name: "good", m: present, status: verdict.Passed},
		{name: "good, signed by the issuer itself", m: present, status: verdict.Passed, shape: func(_ *testing.T, c *clinic) {
			c.responder = c.with(c.pki.Key, c.pki.Certificate)
		}},
		{name: "revoked", m: present, status: verdict.Failed, reason: verdict.Revoked, shape: func(_ *testing.T, c *clinic) {
			c.state.Revoked = &cert.Revoked{At: now.Add(-time.Hour), Reason: cert.ReasonKeyCompromise}
		}},
		{name: "revoked after a claimed time", m: present, status: verdict.Indeterminate, reason: verdict.NoProofOfExistence, shape: func(_ *testing.T, c *clinic) {
			c.state.Revoked = &cert.Revoked{At: now.Add(time.Second)}
		}},
		{name: "revoked after a proven time", m: cert.Moment{At: now, Proven: true, Now: now.Add(time.Minute)}, status: verdict.Passed, shape: func(_ *testing.T, c *clinic) {
			c.state.Revoked = &cert.Revoked{At: now.Add(time.Second), Reason: cert.ReasonSuperseded}
		}},
		{name: "unknown", m: present, status: verdict.Indeterminate, reason: verdict.RevocationUnknown, shape: func(_ *testing.T, c *clinic) { c.state.Known = false }},
		{name: "stale", m: cert.Moment{At: now, Now: now.Add(2 * time.Hour)}, status: verdict.Indeterminate, reason: verdict.RevocationUnknown},
		{name: "old, but after a proven time", m: cert.Moment{At: now.Add(-time.Hour), Proven: true, Now: now.AddDate(0, 1, 0)}, status: verdict.Passed},
		{name: "from the future", m: cert.Moment{At: now.Add(-2 * time.Hour), Now: now.Add(-time.Hour)}, status: verdict.Indeterminate, reason: verdict.RevocationUnknown},
		{name: "by a party of the issuer", m: present, status: verdict.Indeterminate, reason: verdict.RevocationUnknown, shape: func(_ *testing.T, c *clinic) {
			party := c.pki.Party("Rogue")
			c.responder = c.with(party.SignKey, party.SigningCert)
		}},
		{name: "by a responder of another issuer", m: present, status: verdict.Indeterminate, reason: verdict.RevocationUnknown, shape: func(t *testing.T, c *clinic) {
			own, err := certtest.New(t, "Root", now).IssueOCSPResponder(cert.Subject("OCSP", "Test"), c.key.PublicKey(), cert.IssueOptions{})
			if err != nil {
				t.Fatal(err)
			}
			c.responder = c.with(c.key, own)
		}},
		{name: "by an expired responder", m: present, status: verdict.Indeterminate, reason: verdict.RevocationUnknown, shape: func(t *testing.T, c *clinic) {
			own, err := c.pki.IssueOCSPResponder(cert.Subject("OCSP", "Test"), c.key.PublicKey(),
				cert.IssueOptions{NotBefore: now.AddDate(-2, 0, 0), NotAfter: now.AddDate(-1, 0, 0)})
			if err != nil {
				t.Fatal(err)
			}
			c.responder = c.with(c.key, own)
		}},
		{name: "by a key that is not the certificate's", m: present, status: verdict.Indeterminate, reason: verdict.RevocationUnknown, shape: func(t *testing.T, c *clinic) {
			c.responder = c.with(certtest.Key(t), c.responder.Certificate)
		}},
		{name: "by a CA with the EKU", m: present, status: verdict.Indeterminate, reason: verdict.RevocationUnknown, shape: func(t *testing.T, c *clinic) {
			h := customKey(t, &holder{c.pki.Certificate, c.pki.Key}, "OCSP", c.key, func(x *smx509.Certificate) {
				asCA(x)
				x.KeyUsage |= smx509.KeyUsageDigitalSignature
				x.ExtKeyUsage = []smx509.ExtKeyUsage{smx509.ExtKeyUsageOCSPSigning}
			})
			c.responder = c.with(c.key, h.c)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClinic(t)
			if tt.shape != nil {
				tt.shape(t, c)
			}
			q, r := c.ask(t, c.responder)
			if !r.Answers(q) {
				t.Error("the response does not answer the request")
			}
			expect(t, c.judge(tt.m, nil, r), verdict.CheckRevocation, tt.status, tt.reason)
		})
	}
	t.Run("none", func(t *testing.T) {
		expect(t, newClinic(t).judge(present, nil), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
	})
	t.Run("about another certificate", func(t *testing.T) {
		c, d := newClinic(t), newClinic(t)
		_, r := d.ask(t, d.responder)
		expect(t, c.judge(present, nil, r), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
	})
	t.Run("one that refuses does not hide one that is good", func(t *testing.T) {
		c := newClinic(t)
		_, r := c.ask(t, c.responder)
		refused, err := c.responder.Respond([]byte("garbage"))
		if !errors.Is(err, cert.ErrMalformed) {
			t.Errorf("garbage: %v", err)
		}
		no := mustOCSP(t, refused)
		expect(t, c.judge(present, nil, no), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
		expect(t, c.judge(present, nil, no, r, no), verdict.CheckRevocation, verdict.Passed, "")
	})
	t.Run("a good answer does not hide a list that revokes", func(t *testing.T) {
		c := newClinic(t)
		_, r := c.ask(t, c.responder)
		list, err := c.pki.IssueCRL(big.NewInt(1), now.Add(time.Hour), []cert.Revoked{{Serial: c.leaf.Serial, At: now.Add(-time.Hour)}})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c.judge(present, lists(list), r), verdict.CheckRevocation, verdict.Failed, verdict.Revoked)
	})
	t.Run("an ended responder's key states a time before its end", func(t *testing.T) {
		c := newClinic(t)
		ended := now.AddDate(0, 0, -1)
		own, err := c.pki.IssueOCSPResponder(cert.Subject("OCSP", "Test"), c.key.PublicKey(), cert.IssueOptions{NotBefore: now.AddDate(-1, 0, 0), NotAfter: ended})
		if err != nil {
			t.Fatal(err)
		}
		c.responder = c.with(c.key, own)
		_, r := c.ask(t, c.responder)
		backdated := mustOCSP(t, c.altered(t, r.Raw, func(n *forge.Node) {
			n.At(0, 1).Set(forge.Time(ended.Add(-time.Hour).Format("20060102150405Z")))
			n.At(0, 2, 0, 2).Set(forge.Time(ended.Add(-time.Hour).Format("20060102150405Z")))
			n.At(0, 2, 0, 3, 0).Set(forge.Time(now.AddDate(0, 0, 7).Format("20060102150405Z")))
		}))
		expect(t, c.judge(present, nil, backdated), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
		proven := cert.Moment{At: ended.Add(-2 * time.Hour), Proven: true, Now: now}
		expect(t, c.judge(proven, nil, backdated), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
		// The twin: the same answer while the responder was there.
		proven.Now = ended
		expect(t, c.judge(proven, nil, backdated), verdict.CheckRevocation, verdict.Passed, "")
	})
	t.Run("by a responder that a list revokes, though nobody need look for it", func(t *testing.T) {
		c := newClinic(t)
		own := customKey(t, &holder{c.pki.Certificate, c.pki.Key}, "OCSP", c.key, func(x *smx509.Certificate) {
			x.ExtKeyUsage = []smx509.ExtKeyUsage{smx509.ExtKeyUsageOCSPSigning}
			x.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: asn1.NullBytes}}
		})
		_, r := c.ask(t, c.with(c.key, own.c))
		expect(t, c.judge(present, nil, r), verdict.CheckRevocation, verdict.Passed, "")
		list, err := c.pki.IssueCRL(big.NewInt(1), now.Add(time.Second), []cert.Revoked{{Serial: own.c.Serial, At: now}})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c.judge(present, lists(list), r), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
	})
	t.Run("by a responder that a list revokes", func(t *testing.T) {
		c := newClinic(t)
		_, r := c.ask(t, c.responder)
		p := c.pki.Policy()
		p.OCSP = []*cert.OCSPResponse{r}
		list, err := c.pki.IssueCRL(big.NewInt(1), now.Add(time.Second), []cert.Revoked{{Serial: c.responder.Certificate.Serial, At: now}})
		if err != nil {
			t.Fatal(err)
		}
		p.CRLs = lists(list)
		expect(t, p.Judge(c.leaf, cert.UseSign, present), verdict.CheckRevocation, verdict.Indeterminate, verdict.RevocationUnknown)
	})
}

// basic opens the BasicOCSPResponse of a response for alteration and puts it back, signed anew by the responder's key.
func (c *clinic) altered(t *testing.T, der []byte, edit func(basic *forge.Node)) []byte {
	t.Helper()
	outer := forge.Must(der)
	octets := outer.At(1, 0, 1)
	basic := forge.Must(octets.Value)
	edit(basic)
	sig := hand.Tools(c.key.ExportScalar()).Sign(basic.At(0).Bytes())
	basic.At(2).Value = append([]byte{0}, sig...)
	octets.Value = basic.Bytes()
	return outer.Bytes()
}

// TestOCSPForged: responses that the responder has signed and that still may not be taken for an answer.
func TestOCSPForged(t *testing.T) {
	c := newClinic(t)
	q, good := c.ask(t, c.responder)
	critical := func(tag byte) *forge.Node {
		return &forge.Node{Tag: tag, Kids: []*forge.Node{forge.Seq(forge.Seq(forge.OID(1, 2, 3), &forge.Node{Tag: 1, Value: []byte{0xff}}, forge.Octets(nil)))}}
	}
	entry := func(n *forge.Node) *forge.Node { return n.At(0, 2, 0) } // of ResponseData: name, time, entries, extensions
	tests := []struct {
		name string
		edit func(n *forge.Node)
		want verdict.Status
	}{
		{"the twin, signed anew", func(*forge.Node) {}, verdict.Passed},
		{"good for another serial number", func(n *forge.Node) { v := entry(n).At(0, 3).Value; v[len(v)-1] ^= 1 }, verdict.Indeterminate},
		{"another issuer's key", func(n *forge.Node) { entry(n).At(0, 2).Value[0] ^= 1 }, verdict.Indeterminate},
		{"another issuer's name", func(n *forge.Node) { entry(n).At(0, 1).Value[0] ^= 1 }, verdict.Indeterminate},
		{"hashed by SHA-1", func(n *forge.Node) { entry(n).At(0, 0, 0).Set(forge.OID(1, 3, 14, 3, 2, 26)) }, verdict.Indeterminate},
		{"signed by ECDSA in name", func(n *forge.Node) { n.At(1, 0).Set(forge.OID(1, 2, 840, 10045, 4, 3, 2)) }, verdict.Indeterminate},
		{"a number as parameter of the algorithm", func(n *forge.Node) { n.At(1).Kids = append(n.At(1).Kids[:1:1], forge.Int(3)) }, verdict.Indeterminate},
		{"a critical extension of the answer", func(n *forge.Node) { entry(n).Insert(4, critical(0xa1)) }, verdict.Indeterminate},
		{"a critical extension of the response", func(n *forge.Node) { n.At(0, 3).Set(critical(0xa1)) }, verdict.Indeterminate},
		{"no certificate of the responder", func(n *forge.Node) { n.Remove(3) }, verdict.Indeterminate},
		{"another responder named", func(n *forge.Node) { n.At(0, 0, 0).Set(forge.Must(c.leaf.RawSubject)) }, verdict.Indeterminate},
		{"responder named by its key", func(n *forge.Node) {
			n.At(0, 0).Set(&forge.Node{Tag: 0xa2, Kids: []*forge.Node{forge.Octets(make([]byte, 20))}})
		}, verdict.Passed},
		{"no next update", func(n *forge.Node) { entry(n).Remove(3) }, verdict.Passed},
		{"produced in the future", func(n *forge.Node) { n.At(0, 1).Set(forge.Time("20270101000000Z")) }, verdict.Indeterminate},
		{"produced before the state that it states", func(n *forge.Node) { n.At(0, 1).Set(forge.Time("20261121075959Z")) }, verdict.Indeterminate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustOCSP(t, c.altered(t, good.Raw, tt.edit))
			k := find(t, c.judge(cert.Moment{At: now, Now: now.Add(time.Minute)}, nil, r), verdict.CheckRevocation)
			if k.Status != tt.want {
				t.Errorf("%s %s (%s)", k.Status, k.Reason, k.Detail)
			}
		})
	}
	t.Run("every byte", func(t *testing.T) {
		for i := range good.Raw {
			bad := bytes.Clone(good.Raw)
			bad[i] ^= 1 << (i % 8)
			r, err := cert.ParseOCSP(bad)
			if err != nil {
				continue
			}
			// A byte of the responder's certificate that nobody signs may change; the answer may not.
			if k := find(t, c.judge(cert.Moment{At: now, Now: now.Add(time.Minute)}, nil, r), verdict.CheckRevocation); k.Status == verdict.Failed {
				t.Errorf("byte %d: a spoilt response revokes", i)
			}
		}
	})
	t.Run("nonce", func(t *testing.T) {
		other, _ := c.ask(t, c.responder)
		if good.Answers(other) {
			t.Error("a response to another request is taken for an answer")
		}
		stripped := mustOCSP(t, c.altered(t, good.Raw, func(n *forge.Node) { n.At(0).Remove(3) }))
		if stripped.Answers(q) {
			t.Error("a response without the nonce is taken for an answer")
		}
	})
}

func TestParseOCSPRefuses(t *testing.T) {
	c := newClinic(t)
	q, r := c.ask(t, c.responder)
	edited := func(der []byte, edit func(n *forge.Node)) []byte {
		n := forge.Must(der)
		edit(n)
		return n.Bytes()
	}
	responses := map[string][]byte{
		"empty": nil, "trailing": append(bytes.Clone(r.Raw), 0), "too large": make([]byte, cert.MaxOCSPResponse+1),
		"status 9":           edited(r.Raw, func(n *forge.Node) { n.At(0).Value[0] = 9 }),
		"refusal with bytes": edited(r.Raw, func(n *forge.Node) { n.At(0).Value[0] = 1 }),
		"success without":    edited(r.Raw, func(n *forge.Node) { n.Remove(1) }),
		"another type":       edited(r.Raw, func(n *forge.Node) { n.At(1, 0, 0).Set(forge.OID(1, 2, 3)) }),
		"two nonces": c.altered(t, r.Raw, func(n *forge.Node) {
			list := n.At(0, 3, 0)
			list.Insert(0, list.At(0).Clone())
		}),
		"five certificates": c.altered(t, r.Raw, func(n *forge.Node) {
			for range 4 {
				n.At(3, 0).Insert(0, n.At(3, 0, 0).Clone())
			}
		}),
		"made in the year 1": c.altered(t, r.Raw, func(n *forge.Node) { n.At(0, 1).Set(forge.Time("00010101000000Z")) }),
		"of the year 1":      c.altered(t, r.Raw, func(n *forge.Node) { n.At(0, 2, 0, 2).Set(forge.Time("00010101000000Z")) }),
		"good until the year 1": c.altered(t, r.Raw, func(n *forge.Node) {
			n.At(0, 2, 0, 3, 0).Set(forge.Time("00010101000000Z"))
		}),
		"a time of another zone": c.altered(t, r.Raw, func(n *forge.Node) { n.At(0, 1).Set(forge.Time("20261121160000+0800")) }),
		"status of no kind":      c.altered(t, r.Raw, func(n *forge.Node) { n.At(0, 2, 0, 1).Tag = 0x83 }),
	}
	for name, der := range responses {
		if _, err := cert.ParseOCSP(der); !errors.Is(err, cert.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	requests := map[string][]byte{
		"empty": nil, "trailing": append(bytes.Clone(q.Raw), 0), "too large": make([]byte, cert.MaxOCSPRequest+1),
		"nobody asked about": edited(q.Raw, func(n *forge.Node) { n.At(0, 0).Kids = nil }),
		"signed":             edited(q.Raw, func(n *forge.Node) { n.Insert(1, &forge.Node{Tag: 0xa0, Kids: []*forge.Node{forge.Null()}}) }),
		"nonce too long": edited(q.Raw, func(n *forge.Node) {
			n.At(0, 1, 0, 0, 1).Value = forge.Octets(make([]byte, cert.MaxOCSPNonce+1)).Bytes()
		}),
	}
	for name, der := range requests {
		if _, err := cert.ParseOCSPRequest(der); !errors.Is(err, cert.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOCSPResponse(f *testing.F) {
	c := newClinic(f)
	_, r := c.ask(f, c.responder)
	f.Add(r.Raw)
	f.Add([]byte{0x30, 0x03, 0x0a, 0x01, 0x06})
	f.Fuzz(func(t *testing.T, der []byte) {
		boundtest.Parse(t, len(der), perByte, func() {
			r, err := cert.ParseOCSP(der)
			if err == nil {
				c.judge(cert.Moment{At: now, Now: now}, nil, r)
			}
		})
	})
}

func FuzzOCSPRequest(f *testing.F) {
	c := newClinic(f)
	q, _ := c.ask(f, c.responder)
	f.Add(q.Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		boundtest.Parse(t, len(der), perByte, func() {
			answer, _ := c.responder.Respond(der)
			if _, err := cert.ParseOCSP(answer); err != nil {
				t.Errorf("the answer does not parse: %v", err)
			}
		})
	})
}

// perByte is how much reading may allocate for each byte of input.
const perByte = 400

// TestManyResponses is T-08 for evidence: responses that a message carries cost no more signature checks than one verdict has,
// however wrong they are. What the caller gave is not counted, and few wrong ones are passed over.
func TestManyResponses(t *testing.T) {
	c := newClinic(t)
	_, good := c.ask(t, c.responder)
	n := forge.Must(good.Raw)
	octets := n.At(1, 0, 1)
	basic := forge.Must(octets.Value)
	own := basic.At(3, 0) // the responder's certificate, which is tried as often as it is there
	own.Insert(0, own.At(0), own.At(0), own.At(0))
	basic.At(2).Value[40] ^= 1 // the signature
	octets.Value = basic.Bytes()
	wrong := mustOCSP(t, n.Bytes())
	many := func(n int) []*cert.OCSPResponse { return slices.Repeat([]*cert.OCSPResponse{wrong}, n) }
	m := cert.Moment{At: now, Now: now}
	given := c.pki.Policy()
	given.OCSP = append(many(200), good)
	for _, tt := range []struct {
		name   string
		p      cert.Policy
		status verdict.Status
		reason verdict.Reason
	}{
		{"few wrong ones and a good one", c.pki.Policy().WithEvidence(nil, append(many(3), good)), verdict.Passed, ""},
		{"few wrong ones alone", c.pki.Policy().WithEvidence(nil, many(3)), verdict.Indeterminate, verdict.RevocationUnknown},
		{"many wrong ones and a good one", c.pki.Policy().WithEvidence(nil, append(many(60), good)), verdict.Failed, verdict.Limit},
		{"many that the caller gave", given, verdict.Passed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, tt.p.Judge(c.leaf, cert.UseSign, m), verdict.CheckRevocation, tt.status, tt.reason)
		})
	}
}
