package tsp_test

import (
	"math/big"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/testvectors/forge"
	"yinxin/verdict"
)

// TestJudgeSigned is T-04, T-05 and T-06 with tokens: what a proven time changes, and what a bad token does.
func TestJudgeSigned(t *testing.T) {
	o := newOffice(t, nil)
	party := o.pki.PartyWith("Office A", cert.IssueOptions{NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0)})
	content := []byte("content")
	sign := func(claimed time.Time) []byte {
		der, err := cms.Sign(content, cms.SignOptions{Signer: party.SignKey, Certificate: party.SigningCert, Time: claimed})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	// stamped adds a token of the given moment; about stands in for the signature's value where it is set.
	stamped := func(der []byte, at time.Time, about string) []byte {
		s, err := cms.ParseSigned(der)
		if err != nil {
			t.Fatal(err)
		}
		if about == "" {
			about = string(s.SignatureValue(0))
		}
		*o.clock = at
		authority, err := tsp.NewAuthority(tsp.AuthorityOptions{Signer: o.key, Certificate: o.cert, Now: func() time.Time { return at }})
		if err != nil {
			t.Fatal(err)
		}
		o.Authority = authority
		out, err := cms.AddTimestamp(der, 0, o.stamp(t, about).Raw)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	later := now.AddDate(0, 2, 0) // beyond the signer's certificate
	good := sign(now)
	revoked, err := o.pki.IssueCRL(big.NewInt(1), now.AddDate(1, 0, 0), []cert.Revoked{
		{Serial: party.SigningCert.Serial, At: now.Add(time.Hour), Reason: cert.ReasonSuperseded},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		der    []byte
		judge  time.Time
		crls   []*cert.RevocationList
		status verdict.Status
		reason verdict.Reason
		source string
	}{
		{"valid, no token", good, now, nil, verdict.Passed, "", verdict.TimeFromSigner},
		{"expired since, no token", good, later, nil, verdict.Indeterminate, verdict.NoProofOfExistence, verdict.TimeFromSigner},
		{"expired since, proven before", stamped(good, now, ""), later, nil, verdict.Passed, "", verdict.TimeFromTimestamp},
		{"expired since, proven twice", stamped(stamped(good, now.AddDate(0, 0, 20), ""), now, ""), later, nil, verdict.Passed, "", verdict.TimeFromTimestamp},
		{"back-dated, proven after the end", stamped(good, later, ""), later, nil, verdict.Failed, verdict.CertExpired, verdict.TimeFromTimestamp},
		{"revoked since, no token", good, now.Add(2 * time.Hour), []*cert.RevocationList{revoked}, verdict.Indeterminate, verdict.NoProofOfExistence, verdict.TimeFromSigner},
		{"revoked since, proven before", stamped(good, now, ""), now.Add(2 * time.Hour), []*cert.RevocationList{revoked}, verdict.Passed, "", verdict.TimeFromTimestamp},
		{"revoked, proven after", stamped(good, now.Add(90*time.Minute), ""), now.Add(2 * time.Hour), []*cert.RevocationList{revoked}, verdict.Failed, verdict.Revoked, verdict.TimeFromTimestamp},
		{"token of another signature", stamped(good, now, "another"), now, nil, verdict.Failed, verdict.TimestampImprint, verdict.TimeFromSigner},
		{"stamped within the skew of the clocks", stamped(sign(now.Add(4*time.Minute)), now, ""), now.Add(time.Hour), nil, verdict.Passed, "", verdict.TimeFromTimestamp},
		{"stamped before it says that it was signed", stamped(sign(now.Add(time.Hour)), now, ""), now.Add(2 * time.Hour), nil, verdict.Failed, verdict.TimestampTime, verdict.TimeFromSigner},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := cms.ParseSigned(tt.der)
			if err != nil {
				t.Fatal(err)
			}
			p := o.pki.Policy()
			p.CRLs = tt.crls
			v := tsp.JudgeSigned(s, gm.SM3(content), false, cms.JudgeOptions{Policy: p, Now: tt.judge})[0]
			if v.Verdict != tt.status || v.Reason != tt.reason || v.TimeSource != tt.source {
				t.Errorf("%s %s, time by %s; want %s %s, %s: %+v", v.Verdict, v.Reason, v.TimeSource, tt.status, tt.reason, tt.source, v.Checks)
			}
			for _, k := range v.Checks { // T-11: a token that does not hold is one failed check, and takes no other with it
				if v.TimeSource == verdict.TimeFromSigner && v.Verdict == verdict.Failed && (k.Status == verdict.Failed) != (k.Name == verdict.CheckTimestamp) {
					t.Errorf("check %s: %s", k.Name, k.Status)
				}
			}
			if claimed := v.TimeSource == verdict.TimeFromSigner; v.Warned(verdict.TimeClaimed) != claimed {
				t.Errorf("time_claimed: %v, want %v", !claimed, claimed)
			}
		})
	}
	t.Run("the caller's own time goes before", func(t *testing.T) {
		s, err := cms.ParseSigned(stamped(good, now, ""))
		if err != nil {
			t.Fatal(err)
		}
		v := tsp.JudgeSigned(s, gm.SM3(content), false, cms.JudgeOptions{
			Policy: o.pki.Policy(), Now: later, At: now.AddDate(0, 0, 5), TimeSource: verdict.TimeFromLog,
		})[0]
		if v.TimeSource != verdict.TimeFromLog || v.Verdict != verdict.Passed {
			t.Errorf("%s, time by %s", v.Verdict, v.TimeSource)
		}
	})
}

// TestManyTokens is T-08 for time-stamps: whatever number of tokens somebody puts beside a signature, one verdict checks no
// more signatures than its budget has, and says so. Few bad ones fail for what is wrong with them.
func TestManyTokens(t *testing.T) {
	o, rogue := newOffice(t, nil), newOffice(t, nil) // their roots bear one name
	party := o.pki.Party("Office A")
	sum := gm.SM3([]byte("content"))
	good, err := cms.SignDetached(sum, cms.SignOptions{Signer: party.SignKey, Certificate: party.SigningCert, Time: now})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.ParseSigned(good)
	if err != nil {
		t.Fatal(err)
	}
	token := forge.Must(rogue.stamp(t, string(s.SignatureValue(0))).Raw)
	with := func(tokens int) []byte {
		m := forge.OpenSigned(good, o.tools())
		unsigned := &forge.Node{Tag: 0xa1}
		for ; tokens > 0; tokens -= 32 {
			values := forge.SetOf()
			for range min(tokens, 32) {
				values.Kids = append(values.Kids, token)
			}
			unsigned.Kids = append(unsigned.Kids, forge.Seq(forge.OID(1, 2, 840, 113549, 1, 9, 16, 2, 14), values))
		}
		unsigned.Sort()
		m.Signer(0).Kids = append(m.Signer(0).Kids, unsigned)
		return m.Bytes()
	}
	for tokens, limited := range map[int]bool{3: false, 120: true} {
		s, err := cms.ParseSigned(with(tokens))
		if err != nil {
			t.Fatal(err)
		}
		v := tsp.JudgeSigned(s, sum, true, cms.JudgeOptions{Policy: o.pki.Policy(), Now: now})[0]
		over, chain := 0, 0
		for _, c := range v.Checks {
			switch c.Reason {
			case verdict.Limit:
				over++
			case verdict.TimestampChain:
				chain++
			}
		}
		if v.Verdict != verdict.Failed || (over > 0) != limited || chain == 0 || chain > cert.MaxSignatureChecks {
			t.Errorf("%d tokens: %s %s, %d beyond the limit, %d with a bad chain", tokens, v.Verdict, v.Reason, over, chain)
		}
	}
}
