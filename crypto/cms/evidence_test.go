package cms_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/testvectors/forge"
	"yinxin/verdict"
)

// TestStaple: a message that carries its revocation evidence needs none beside it; what was not signed by the issuer, or
// does not speak for the time, changes nothing.
func TestStaple(t *testing.T) {
	pki, rogue := certtest.New(t, "root", now), certtest.New(t, "root", now)
	sourced := pki.PartyWith("office", cert.IssueOptions{CRLs: []string{"http://crl.invalid"}})
	plain := pki.Party("office without a source")
	list := func(p *certtest.PKI, next time.Time, revoked ...cert.Revoked) *cert.RevocationList {
		l, err := p.IssueCRL(big.NewInt(1), next, revoked)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	answer := func(p *certtest.PKI, state cert.OCSPState) *cert.OCSPResponse {
		q, err := cert.NewOCSPRequest(sourced.SigningCert, p.Certificate, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		r := cert.Responder{
			Station: cert.Station{Signer: p.Key, Now: func() time.Time { return now }}, Issuer: p.Certificate, Certificate: p.Certificate,
			State: func(*big.Int) cert.OCSPState { return state },
		}
		der, err := r.Respond(q.Raw)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cert.ParseOCSP(der)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	lists := func(l ...*cert.RevocationList) []*cert.RevocationList { return l }
	answers := func(r ...*cert.OCSPResponse) []*cert.OCSPResponse { return r }
	day := now.AddDate(0, 0, 1)
	before := cert.Revoked{Serial: sourced.SigningCert.Serial, At: now.Add(-time.Hour), Reason: cert.ReasonSuperseded}
	tests := []struct {
		name   string
		by     *certtest.Party
		crls   []*cert.RevocationList
		ocsp   []*cert.OCSPResponse
		want   verdict.Status
		reason verdict.Reason
	}{
		{"nothing", sourced, nil, nil, verdict.Indeterminate, verdict.RevocationUnknown},
		{"a list", sourced, lists(list(pki, day)), nil, verdict.Passed, ""},
		{"an answer", sourced, nil, answers(answer(pki, cert.OCSPState{Known: true})), verdict.Passed, ""},
		{"both", sourced, lists(list(pki, day)), answers(answer(pki, cert.OCSPState{Known: true})), verdict.Passed, ""},
		{"a list that names it", sourced, lists(list(pki, day, before)), nil, verdict.Failed, verdict.Revoked},
		{"an answer that it is revoked", sourced, nil, answers(answer(pki, cert.OCSPState{Known: true, Revoked: &before})), verdict.Failed, verdict.Revoked},
		{"a rogue list", sourced, lists(list(rogue, day)), nil, verdict.Indeterminate, verdict.RevocationUnknown},
		{"a rogue answer", sourced, nil, answers(answer(rogue, cert.OCSPState{Known: true})), verdict.Indeterminate, verdict.RevocationUnknown},
		{"a rogue list that names it", sourced, lists(list(rogue, day, before), list(pki, day)), nil, verdict.Passed, ""},
		{"a list that has run out", sourced, lists(list(pki, now)), nil, verdict.Indeterminate, verdict.RevocationUnknown},
		// Whoever passes a message on can add to it: that must not spoil what passed.
		{"without a source, nothing", plain, nil, nil, verdict.Passed, ""},
		{"without a source, a rogue list", plain, lists(list(rogue, day)), nil, verdict.Passed, ""},
		{"without a source, a list that has run out", plain, lists(list(pki, now)), nil, verdict.Passed, ""},
		{"without a source, an answer about another", plain, nil, answers(answer(pki, cert.OCSPState{Known: true})), verdict.Passed, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			der, err := cms.Sign(content, cms.SignOptions{Signer: tt.by.SignKey, Certificate: tt.by.SigningCert, Time: now})
			if err != nil {
				t.Fatal(err)
			}
			stapled, err := cms.Staple(der, tt.crls, tt.ocsp)
			if err != nil {
				t.Fatal(err)
			}
			s, err := cms.ParseSigned(stapled)
			if err != nil {
				t.Fatal(err)
			}
			if crls, ocsp := s.Evidence(); len(crls) != len(tt.crls) || len(ocsp) != len(tt.ocsp) {
				t.Errorf("it carries %d lists and %d answers", len(crls), len(ocsp))
			}
			o := cms.JudgeOptions{Policy: pki.Policy(), Now: now.Add(time.Minute)}
			if v := s.Judge(gm.SM3(content), false, o)[0]; v.Verdict != tt.want || tt.reason != "" && v.Reason != tt.reason {
				t.Errorf("%s (%s), want %s (%s): %+v", v.Verdict, v.Reason, tt.want, tt.reason, v.Checks)
			}
			if again, err := cms.Staple(stapled, nil, nil); err != nil || !bytes.Equal(again, der) {
				t.Errorf("taken out again, it is not what it was: %v", err)
			}
		})
	}
}

func TestEvidenceRefused(t *testing.T) {
	a := certtest.New(t, "root", now).Party("office")
	der, err := cms.Sign(content, cms.SignOptions{Signer: a.SignKey, Certificate: a.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	with := func(kids ...*forge.Node) []byte {
		s := forge.OpenSigned(der, forge.Tools{})
		s.Body().Insert(4, &forge.Node{Tag: 0xa1, Kids: kids})
		return s.Bytes()
	}
	many := make([]*forge.Node, cms.MaxEvidence+1)
	for i := range many {
		many[i] = forge.Seq(forge.Int(int64(i)))
	}
	foreign := &forge.Node{Tag: 0xa1, Kids: []*forge.Node{forge.OID(1, 2, 3), forge.Null()}}
	tests := []struct {
		name   string
		der    []byte
		reason verdict.Reason // empty: read, and nothing in it
	}{
		{"a sequence that is no list", with(forge.Seq(forge.Int(1))), ""},
		{"information of an unknown kind", with(foreign), ""},
		{"an integer", with(forge.Int(1)), verdict.Malformed},
		{"information without a kind", with(&forge.Node{Tag: 0xa1, Kids: []*forge.Node{forge.Null()}}), verdict.Malformed},
		{"a kind without information", with(&forge.Node{Tag: 0xa1, Kids: []*forge.Node{forge.OID(1, 2, 3)}}), verdict.Malformed},
		{"too many", with(many...), verdict.Limit},
	}
	for _, tt := range tests {
		s, err := cms.ParseSigned(tt.der)
		if tt.reason != "" {
			wantRefused(t, tt.name, err, tt.reason)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if crls, ocsp := s.Evidence(); len(crls)+len(ocsp) != 0 {
			t.Errorf("%s: %d lists, %d answers", tt.name, len(crls), len(ocsp))
		}
	}
}

func wantRefused(t *testing.T, name string, err error, reason verdict.Reason) {
	t.Helper()
	if refused, ok := errors.AsType[*verdict.ContainerError](err); !ok || refused.Reason != reason {
		t.Errorf("%s: %v, want %s", name, err, reason)
	}
}
