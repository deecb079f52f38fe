package seal

import (
	"crypto"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

type party struct {
	key  *gm.PrivateKey
	cert *cert.Certificate
}

func mustKey(t *testing.T) *gm.PrivateKey {
	t.Helper()
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// mustParties makes a root, a maker, a signer, and an encryption certificate.
func mustParties(t *testing.T) (root *cert.Certificate, maker, signer, encryption party) {
	t.Helper()
	a, err := cert.NewRoot(cert.Station{Signer: mustKey(t), Now: func() time.Time { return noon }}, cert.Subject("Root", ""), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	issue := func(name string, encrypt bool) party {
		key, f := mustKey(t), a.IssueSigning
		switch {
		case encrypt:
			f = a.IssueEncryption
		case name == "Maker":
			f = a.IssueMaker
		}
		c, err := f(cert.Subject(name, ""), key.PublicKey(), cert.IssueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return party{key, c}
	}
	return a.Certificate, issue("Maker", false), issue("Signer", false), issue("Encryption", true)
}

func makeOptions(maker, signer party) MakeOptions {
	return MakeOptions{
		Maker: maker.key, MakerCert: maker.cert, Signers: []*cert.Certificate{signer.cert}, Name: "测试单位",
		Picture: ses.Picture{Type: "PNG", Data: []byte("x"), Width: 42, Height: 42},
		From:    noon, To: noon.AddDate(1, 0, 0), Rand: rand.Reader,
	}
}

func TestMake(t *testing.T) {
	root, maker, signer, _ := mustParties(t)
	for _, digests := range []bool{false, true} {
		o := makeOptions(maker, signer)
		o.DigestList = digests
		s, err := Make(o)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Lists(signer.cert.Raw) || s.Lists(maker.cert.Raw) || len(s.Info.SealID) != 32 || s.Version != ses.Version4 {
			t.Errorf("digest list %v: %+v", digests, s.Info)
		}
		if err := CheckSigner(s, signer.key, signer.cert); err != nil {
			t.Errorf("digest list %v: %v", digests, err)
		}
		v := VerifyOptions{Policy: cert.Policy{Roots: []*cert.Certificate{root}}, Now: noon}
		m, _ := v.Moment(noon)
		var sig verdict.Signature
		v.JudgeSeal(&sig, s, m, noon)
		if sig.Judge(verdict.RevocationAuto); sig.Verdict != verdict.Passed {
			t.Errorf("digest list %v: %+v", digests, sig.Checks)
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	_, maker, signer, encryption := mustParties(t)
	for name, change := range map[string]func(*MakeOptions){
		"no maker":               func(o *MakeOptions) { o.Maker = nil },
		"another maker's key":    func(o *MakeOptions) { o.Maker = signer.key },
		"an office as maker":     func(o *MakeOptions) { o.Maker, o.MakerCert = signer.key, signer.cert },
		"maker that encrypts":    func(o *MakeOptions) { o.Maker, o.MakerCert = encryption.key, encryption.cert },
		"no name":                func(o *MakeOptions) { o.Name = "" },
		"no signer":              func(o *MakeOptions) { o.Signers = nil },
		"signer that encrypts":   func(o *MakeOptions) { o.Signers = append(o.Signers, encryption.cert) },
		"no picture":             func(o *MakeOptions) { o.Picture.Data = nil },
		"picture without a size": func(o *MakeOptions) { o.Picture.Width = 0 },
		"ends before it begins":  func(o *MakeOptions) { o.To = o.From.Add(-time.Second) },
		"nowhere to draw an id":  func(o *MakeOptions) { o.Rand = nil },
	} {
		o := makeOptions(maker, signer)
		change(&o)
		if _, err := Make(o); !errors.Is(err, ErrMake) {
			t.Errorf("%s: got %v, want ErrMake", name, err)
		}
	}
}

func TestCheckSigner(t *testing.T) {
	_, maker, signer, encryption := mustParties(t)
	_, _, other, _ := mustParties(t)
	s, err := Make(makeOptions(maker, signer))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		key  crypto.Signer
		cert *cert.Certificate
		want error
	}{
		{"the signer", signer.key, signer.cert, nil},
		{"another key", maker.key, signer.cert, ErrKeyMismatch},
		{"not listed", other.key, other.cert, ErrNotListed},
		{"maker", maker.key, maker.cert, cert.ErrKeyUsage},
		{"encryption certificate", encryption.key, encryption.cert, cert.ErrKeyUsage},
	}
	for _, tt := range tests {
		if err := CheckSigner(s, tt.key, tt.cert); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestJudgeSealNamesTheCause(t *testing.T) {
	_, maker, signer, _ := mustParties(t)
	good, err := Make(makeOptions(maker, signer))
	if err != nil {
		t.Fatal(err)
	}
	remake := func(sign party, input func(raw []byte) []byte) *ses.Seal {
		value, err := gm.Sign(rand.Reader, sign.key, input(good.RawInfo))
		if err != nil {
			t.Fatal(err)
		}
		s, err := ses.MarshalSeal(good.RawInfo, maker.cert.Raw, value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	same := func(raw []byte) []byte { return raw }
	o := makeOptions(maker, signer)
	o.Version = ses.Version1
	old, err := Make(o)
	if err != nil || old.Version != ses.Version1 {
		t.Fatal(old, err)
	}
	mustOld := func(rawInfo, input []byte) *ses.Seal {
		value, err := gm.Sign(rand.Reader, maker.key, input)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ses.MarshalSeal(rawInfo, maker.cert.Raw, value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	tests := []struct {
		name   string
		seal   *ses.Seal
		at     time.Time
		want   verdict.Status
		reason verdict.Reason
	}{
		{"good", good, noon, verdict.Passed, ""},
		{"signed by another", remake(signer, same), noon, verdict.Failed, verdict.SealMakerSignature},
		{"made by an office", officeMade(t, good, signer), noon, verdict.Failed, verdict.SealValidity},
		{"signed as in version 1", remake(maker, func(raw []byte) []byte {
			input, _ := ses.MakerInput(ses.Version1, raw, maker.cert.Raw, gm.OIDSM2WithSM3)
			return input
		}), noon, verdict.Failed, verdict.SealMakerSignature},
		{"version 1", old, noon, verdict.Passed, ""},
		{"version 1 signed as in version 4", mustOld(old.RawInfo, old.RawInfo), noon, verdict.Failed, verdict.SealMakerSignature},
		{"too early", good, noon.Add(-time.Second), verdict.Failed, verdict.SealValidity},
		{"at the last moment", good, noon.AddDate(1, 0, 0), verdict.Passed, ""},
		{"too late", good, noon.AddDate(1, 0, 0).Add(time.Second), verdict.Failed, verdict.SealValidity},
	}
	for _, tt := range tests {
		var sig verdict.Signature
		JudgeSeal(&sig, tt.seal, cert.Moment{At: tt.at, Now: tt.at})
		if sig.Judge(verdict.RevocationAuto); sig.Verdict != tt.want || sig.Reason != tt.reason {
			t.Errorf("%s: got %s (%s), want %s (%s)", tt.name, sig.Verdict, sig.Reason, tt.want, tt.reason)
		}
	}
}

// officeMade is the seal as an office makes it that has a good certificate under the root, but none for making seals.
func officeMade(t *testing.T, like *ses.Seal, office party) *ses.Seal {
	t.Helper()
	value, err := gm.Sign(rand.Reader, office.key, like.RawInfo)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ses.MarshalSeal(like.RawInfo, office.cert.Raw, value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecordInForce(t *testing.T) {
	r := Record{ID: "s", From: noon, To: noon.AddDate(1, 0, 0), History: []Change{
		{To: Active, At: noon.Add(time.Hour)},
		{To: Suspended, At: noon.Add(2 * time.Hour)},
		{To: Active, At: noon.Add(3 * time.Hour)},
		{To: Voided, At: noon.Add(4 * time.Hour)},
	}}
	tests := []struct {
		at   time.Duration
		want bool
	}{
		{-time.Second, false},
		{0, false},
		{time.Hour - 1, false},
		{time.Hour, true},
		{2*time.Hour - 1, true},
		{2 * time.Hour, false},
		{3 * time.Hour, true},
		{4 * time.Hour, false},
		{5 * time.Hour, false},
		{366 * 24 * time.Hour, false},
	}
	for _, tt := range tests {
		err := r.InForce(noon.Add(tt.at))
		if (err == nil) != tt.want || err != nil && !errors.Is(err, ErrNotInForce) {
			t.Errorf("after %v: %v, want in force: %v", tt.at, err, tt.want)
		}
	}
	if err, since := r.InForce(noon.Add(5*time.Hour)), stamp(noon.Add(4*time.Hour)); err == nil || !strings.HasSuffix(err.Error(), "was voided at "+since) {
		t.Errorf("%v does not say that it was voided at %s", err, since)
	}
}

// TestHistoryProperties: whatever is asked of a record, its history begins with active, never leaves voided, never goes
// back in time, and is never rewritten.
func TestHistoryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Record
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			c := Change{
				To: rapid.SampledFrom([]Status{Active, Suspended, Voided, "other"}).Draw(t, "to"),
				At: noon.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "at")) * time.Minute),
			}
			next, err := r.Append(c)
			if err != nil {
				if !errors.Is(err, ErrTransition) || len(next.History) != len(r.History) {
					t.Fatalf("refused with %v, history %v", err, next.History)
				}
				continue
			}
			for i := range r.History {
				if next.History[i] != r.History[i] {
					t.Fatal("history was rewritten")
				}
			}
			r = next
		}
		for i, c := range r.History {
			switch {
			case i == 0 && c.To != Active:
				t.Fatal("does not begin with active")
			case i > 0 && (r.History[i-1].To == Voided || r.History[i-1].To == c.To || c.At.Before(r.History[i-1].At)):
				t.Fatalf("history %v", r.History)
			}
		}
	})
}

func TestApprovalPermits(t *testing.T) {
	r := Record{ID: "s", From: noon, To: noon.AddDate(1, 0, 0), History: []Change{{To: Active, At: noon}}}
	use := Use{SealID: "s", Document: [32]byte{2}, ToBeSigned: [32]byte{1}, Operator: "clerk"}
	good := Approval{
		ID: "a", SealID: "s", Document: use.Document, ToBeSigned: use.ToBeSigned, Operator: "clerk", Approver: "head",
		At: noon, Until: noon.Add(time.Hour),
	}
	same := func(*Approval, *Use) {}
	tests := []struct {
		name   string
		change func(*Approval, *Use)
		at     time.Time
		want   error
	}{
		{"good", same, noon, nil},
		{"no bound", func(a *Approval, _ *Use) { a.Until = time.Time{} }, noon.AddDate(0, 1, 0), nil},
		{"nobody approved", func(a *Approval, _ *Use) { a.Approver = "" }, noon, ErrApproval},
		{"one person", func(a *Approval, u *Use) { a.Approver = "clerk" }, noon, ErrApproval},
		{"another operator", func(_ *Approval, u *Use) { u.Operator = "other" }, noon, ErrApproval},
		{"given for another seal", func(a *Approval, _ *Use) { a.SealID = "t" }, noon, ErrApproval},
		{"used with another seal", func(_ *Approval, u *Use) { u.SealID = "t" }, noon, ErrApproval},
		{"another document", func(_ *Approval, u *Use) { u.Document[0]++ }, noon, ErrApproval},
		{"other bytes", func(_ *Approval, u *Use) { u.ToBeSigned[0]++ }, noon, ErrApproval},
		{"before it was given", same, noon.Add(-1), ErrApproval},
		{"after it ended", same, noon.Add(time.Hour + 1), ErrApproval},
		{"seal ended", func(a *Approval, _ *Use) { a.Until = noon.AddDate(3, 0, 0) }, noon.AddDate(2, 0, 0), ErrNotInForce},
	}
	for _, tt := range tests {
		a, u := good, use
		tt.change(&a, &u)
		if err := a.Permits(r, u, tt.at); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestRequestAdvances: the steps of a request, and who may take them.
func TestRequestAdvances(t *testing.T) {
	all := []RequestState{Requested, Made, Registered, Declined}
	allowed := map[[2]RequestState]bool{
		{Requested, Made}: true, {Requested, Declined}: true, {Made, Registered}: true, {Made, Declined}: true,
	}
	for _, from := range all {
		for _, to := range all {
			r := Request{ID: "r", Requester: "clerk", State: from}
			got, err := r.Advance(to, "custodian", noon)
			if want := allowed[[2]RequestState{from, to}]; (err == nil) != want || !want && !errors.Is(err, ErrTransition) {
				t.Errorf("%s to %s: %v", from, to, err)
			} else if want && (got.State != to || got.DecidedBy != "custodian" || !got.DecidedAt.Equal(noon)) {
				t.Errorf("%s to %s: %+v", from, to, got)
			}
		}
	}
	for _, by := range []string{"clerk", ""} {
		if _, err := (Request{ID: "r", Requester: "clerk", State: Requested}).Advance(Made, by, noon); !errors.Is(err, ErrOwnRequest) {
			t.Errorf("decided by %q: %v, want ErrOwnRequest", by, err)
		}
	}
}
