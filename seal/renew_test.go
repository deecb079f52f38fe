package seal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// memory is a registry for tests. fail, if not nil, is what the next change answers.
type memory struct {
	seals map[string]Record
	fail  error
}

func (m *memory) AddSeal(_ context.Context, r Record) error { m.seals[r.ID] = r; return nil }

func (m *memory) Seal(_ context.Context, id string) (Record, error) {
	r, ok := m.seals[id]
	if !ok {
		return r, fmt.Errorf("seal %s: %w", id, ErrUnknownSeal)
	}
	return r, nil
}

func (m *memory) ChangeSeal(_ context.Context, id string, c Change) error {
	if err := m.fail; err != nil {
		m.fail = nil
		return err
	}
	r, err := m.seals[id].Append(c)
	if err == nil {
		m.seals[id] = r
	}
	return err
}

func (m *memory) Uses(context.Context, string) ([]Use, error) { return nil, nil }

func mustMake(t testing.TB, o MakeOptions) *ses.Seal {
	t.Helper()
	s, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func recordOf(s *ses.Seal) Record {
	return Record{
		ID: s.Info.SealID, Name: s.Info.Property.Name, Office: "A", Keeper: "keeper", Key: "store:a", ESL: s.Raw, SM3: gm.SM3(s.Raw),
		From: s.Info.Property.From, To: s.Info.Property.To, History: []Change{{To: Active, At: noon}},
	}
}

// TestRenewAfterKeyRotation: the renewed seal looks the same, lists the new key alone, and the registry knows both.
func TestRenewAfterKeyRotation(t *testing.T) {
	_, maker, signer, _ := mustParties(t)
	_, _, rotated, _ := mustParties(t)
	old := mustMake(t, makeOptions(maker, signer))
	options := RenewOptions{
		Maker: maker.key, MakerCert: maker.cert, Signers: []*cert.Certificate{rotated.cert},
		From: noon.Add(time.Hour), To: noon.AddDate(1, 0, 0), Rand: rand.Reader,
	}
	made, err := Renew(old, options)
	if err != nil {
		t.Fatal(err)
	}
	if made.Info.SealID == old.Info.SealID || made.Info.Property.Name != old.Info.Property.Name ||
		string(made.Info.Picture.Data) != string(old.Info.Picture.Data) || made.Lists(signer.cert.Raw) || !made.Lists(rotated.cert.Raw) {
		t.Errorf("%+v", made.Info.Property)
	}
	options.Signers = []*cert.Certificate{signer.cert}
	if _, err := Renew(old, options); !errors.Is(err, ErrMake) {
		t.Errorf("nothing new: %v, want ErrMake", err)
	}

	ctx := t.Context()
	reg := &memory{seals: map[string]Record{}, fail: errors.New("disk full")}
	if err := reg.AddSeal(ctx, recordOf(old)); err != nil {
		t.Fatal(err)
	}
	r := Replacement{Old: old.Info.SealID, Seal: made, By: "admin", At: noon.Add(time.Hour)}
	if _, err := Replace(ctx, reg, r); err == nil {
		t.Error("a change that fails goes unnoticed")
	}
	rec, err := Replace(ctx, reg, r) // the second try finds the renewed seal and voids the old one
	if err != nil {
		t.Fatal(err)
	}
	if rec.Keeper != "keeper" || rec.Key != "store:a" || rec.InForce(noon.Add(2*time.Hour)) != nil {
		t.Errorf("%+v", rec)
	}
	was := reg.seals[old.Info.SealID]
	if err := was.InForce(noon.Add(2 * time.Hour)); !errors.Is(err, ErrNotInForce) {
		t.Errorf("the old seal afterwards: %v", err)
	}
	if err := was.InForce(noon.Add(time.Minute)); err != nil {
		t.Errorf("the old seal before: %v", err)
	}
	if _, err := Replace(ctx, reg, r); !errors.Is(err, ErrTransition) {
		t.Errorf("a third time: %v, want ErrTransition", err)
	}
	r.Old = "unknown"
	if _, err := Replace(ctx, reg, r); !errors.Is(err, ErrUnknownSeal) {
		t.Errorf("unknown: %v, want ErrUnknownSeal", err)
	}
}

// TestTheRegistryIsConsulted: what the registry says of a seal decides, where it knows the seal.
func TestTheRegistryIsConsulted(t *testing.T) {
	_, maker, signer, _ := mustParties(t)
	s := mustMake(t, makeOptions(maker, signer))
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	with := func(changes ...Change) func(string) (Record, error) {
		r := recordOf(s)
		r.History = append(r.History, changes...)
		return func(string) (Record, error) { return r, nil }
	}
	other := recordOf(s)
	other.SM3[0]++
	fails := func(err error) func(string) (Record, error) {
		return func(string) (Record, error) { return Record{}, err }
	}
	tests := []struct {
		name    string
		records func(string) (Record, error)
		proven  time.Time
		want    verdict.Status
		reason  verdict.Reason
	}{
		{"no registry", nil, time.Time{}, verdict.Passed, ""},
		{"active", with(), time.Time{}, verdict.Passed, ""},
		{"unknown to the registry", fails(ErrUnknownSeal), time.Time{}, verdict.Indeterminate, verdict.SealUnregistered},
		{"unknown to a part of it", fails(fmt.Errorf("%w: %w", ErrUnknownSeal, ErrPartialRegister)), time.Time{}, verdict.Indeterminate, verdict.SealUnregistered},
		{"no registry after all", fails(ErrNoRegister), time.Time{}, verdict.Passed, ""},
		{"suspended before", with(Change{To: Suspended, At: hour(1)}), time.Time{}, verdict.Failed, verdict.SealValidity},
		{"suspended and resumed", with(Change{To: Suspended, At: hour(1)}, Change{To: Active, At: hour(2)}), time.Time{}, verdict.Passed, ""},
		{"voided before", with(Change{To: Voided, At: hour(1)}), hour(3), verdict.Failed, verdict.SealValidity},
		{"voided since, claimed time", with(Change{To: Voided, At: hour(4)}), time.Time{}, verdict.Indeterminate, verdict.NoProofOfExistence},
		{"voided since, proven time", with(Change{To: Voided, At: hour(4)}), hour(3), verdict.Passed, ""},
		{"voided since, proven later", with(Change{To: Voided, At: hour(4)}), hour(5), verdict.Indeterminate, verdict.NoProofOfExistence},
		{"suspended since, claimed time", with(Change{To: Suspended, At: hour(4)}), time.Time{}, verdict.Indeterminate, verdict.NoProofOfExistence},
		{"registered with other bytes", func(string) (Record, error) { return other, nil }, time.Time{}, verdict.Failed, verdict.SealMismatch},
		{"registry away", fails(errors.New("away")), time.Time{}, verdict.Indeterminate, verdict.RevocationUnknown},
	}
	for _, tt := range tests {
		var sig verdict.Signature
		m := cert.Moment{At: hour(3), Now: hour(6)}
		if !tt.proven.IsZero() {
			m.At, m.Proven = tt.proven, true
		}
		VerifyOptions{Records: tt.records}.JudgeSeal(&sig, s, m, hour(3))
		if sig.Judge(verdict.RevocationAuto); sig.Verdict != tt.want || sig.Reason != tt.reason {
			t.Errorf("%s: got %s (%s), want %s (%s)", tt.name, sig.Verdict, sig.Reason, tt.want, tt.reason)
		}
		for _, c := range sig.Checks {
			if since := "since " + stamp(hour(4)); strings.Contains(tt.name, "since, claimed") && strings.Contains(c.Detail, "has been") && !strings.Contains(c.Detail, since) {
				t.Errorf("%s: %q, want %q", tt.name, c.Detail, since)
			}
		}
	}
	var sig verdict.Signature
	unknown := func(string) (Record, error) { return Record{}, ErrUnknownSeal }
	VerifyOptions{Records: unknown, Registered: true}.JudgeSeal(&sig, s, cert.Moment{At: hour(3), Now: hour(6)}, hour(3))
	if sig.Judge(verdict.RevocationAuto); sig.Verdict != verdict.Failed || sig.Reason != verdict.SealValidity {
		t.Errorf("unknown to a register of all: got %s (%s), want failed (seal_validity)", sig.Verdict, sig.Reason)
	}
}
