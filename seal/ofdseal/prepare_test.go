package ofdseal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

func TestSealingPassesTheVerifier(t *testing.T) {
	w := mustWorld(t)
	for _, name := range []string{"u1.ofd", "u2.ofd", "u3.ofd"} {
		f := ofdseal.VerifyFile(w.mustApply(t, mustRead(t, name)), w.options())
		if f.Verdict != verdict.Passed || len(f.Signatures) != 1 || !f.Warned(verdict.ListOpen) || f.Warned(verdict.PartialCoverage) {
			t.Errorf("%s: %s (%s), warnings %v, %+v", name, f.Verdict, f.Reason, f.Warnings, faulty(f))
		}
		s := f.Signatures[0]
		if s.Seal.ID != w.seal.Info.SealID || s.Signer != "CN=Signer,O=Test,C=CN" || !s.Time.Equal(sealingTime) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestSealingWithTheSampleSeal signs with a seal and a key that this project did not make.
func TestSealingWithTheSampleSeal(t *testing.T) {
	key, err := gm.ParsePKCS8PEM(mustRead(t, "keys/userA-key.pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	certs, err := cert.ParsePEM(mustRead(t, "keys/userA-cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"keys/seal-v4-A.esl", "keys/seal-v4-B.esl", "keys/seal-v5-A.esl", "keys/seal-v4-digestlist.esl", "keys/seal-v1-A.esl"} {
		s, err := ses.ParseSeal(mustRead(t, name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := ofdseal.Prepare(mustRead(t, "u2.ofd"), ofdseal.PrepareOptions{
			Seal: s, SignerCert: certs[0], Time: sealingTime, Stamps: []seal.Stamp{{X: 50, Y: 50}},
		})
		if err != nil {
			t.Fatal(name, err)
		}
		out, err := p.Sign(rand.Reader, key)
		if err != nil {
			t.Fatal(name, err)
		}
		if f := ofdseal.VerifyFile(out, sampleOptions(t)); f.Verdict != verdict.Passed {
			t.Errorf("%s: %s (%s) %+v", name, f.Verdict, f.Reason, faulty(f))
		}
	}
}

// TestSealingInVersion1 seals with a seal of version 1, beside one of version 4, and with one that others made.
func TestSealingInVersion1(t *testing.T) {
	w := mustWorld(t)
	make := w.sealOptions(w.signer)
	make.Version = ses.Version1
	old, err := seal.Make(make)
	if err != nil {
		t.Fatal(err)
	}
	useOld := func(o *ofdseal.PrepareOptions) { o.Seal = old }
	f := ofdseal.VerifyFile(w.mustApply(t, w.mustApply(t, mustRead(t, "u2.ofd"), useOld)), w.options())
	if f.Verdict != verdict.Passed || len(f.Signatures) != 2 {
		t.Fatalf("%s (%s) %+v", f.Verdict, f.Reason, faulty(f))
	}
	if s := f.Signatures[0]; s.Version != ses.Version1 || s.Standard != "GM/T 0031-2014" || !s.Time.Equal(sealingTime) {
		t.Errorf("version 1: %+v", s)
	}
	if s := f.Signatures[1]; s.Version != ses.Version4 || s.Standard != "GB/T 38540-2020" {
		t.Errorf("version 4: %+v", s)
	}
}

func TestSecondSealAndLock(t *testing.T) {
	w := mustWorld(t)
	lock := func(o *ofdseal.PrepareOptions) { o.Lock = true }
	once := w.mustApply(t, mustRead(t, "u2.ofd"))
	twice := w.mustApply(t, once)
	if f := ofdseal.VerifyFile(twice, w.options()); f.Verdict != verdict.Passed || len(f.Signatures) != 2 ||
		f.Signatures[0].ID != "1" || f.Signatures[1].ID != "3" {
		t.Errorf("two seals: %s (%s) %+v", f.Verdict, f.Reason, faulty(f))
	}
	// The second covers the first: without it the second fails; without the second the first stands.
	f := mustUnpack(t, twice)
	f.edit(t, listFile, `<ofd:Signature ID="1" Type="Seal" BaseLoc="/Doc_0/Signs/Sign_0/Signature.xml"/>`, "")
	for _, n := range []string{describe0, value0, seal0} {
		f.remove(n)
	}
	if got := ofdseal.VerifyFile(f.mustPack(t), w.options()); got.Verdict != verdict.Failed || got.Reason != verdict.MissingEntry {
		t.Errorf("first seal removed: %s (%s)", got.Verdict, got.Reason)
	}
	locked := w.mustApply(t, twice, lock)
	if got := ofdseal.VerifyFile(locked, w.options()); got.Verdict != verdict.Passed || got.Warned(verdict.ListOpen) {
		t.Errorf("locked: %s (%s), warnings %v", got.Verdict, got.Reason, got.Warnings)
	}
	if _, err := ofdseal.Prepare(locked, w.prepareOptions()); !errors.Is(err, ofdseal.ErrLocked) {
		t.Errorf("sealing a locked document: %v, want ErrLocked", err)
	}
	f = mustUnpack(t, locked)
	f.edit(t, listFile, `<ofd:Signature ID="5"`, `<ofd:Signature ID="4"`)
	if got := ofdseal.VerifyFile(f.mustPack(t), w.options()); got.Verdict != verdict.Failed || got.Reason != verdict.ReferenceDigest {
		t.Errorf("locked list changed: %s (%s)", got.Verdict, got.Reason)
	}
}

// TestSealingContinuesOtherSoftwaresLists adds a seal to files whose lists others wrote, in their style of numbering.
func TestSealingContinuesOtherSoftwaresLists(t *testing.T) {
	w := mustWorld(t)
	for name, id := range map[string]string{"v4-open.ofd": "3", "v4-two.ofd": "5", "v4-relative.ofd": "5"} {
		out := w.mustApply(t, mustRead(t, name))
		o := w.options()
		o.Policy.Roots = append(o.Policy.Roots, mustRoots(t)...)
		o.Now = sampleDay
		f := ofdseal.VerifyFile(out, o)
		if last := f.Signatures[len(f.Signatures)-1]; f.Verdict != verdict.Passed || last.ID != id {
			t.Errorf("%s: %s (%s), last %s %+v", name, f.Verdict, f.Reason, last.ID, faulty(f))
		}
	}
	for _, name := range []string{"v4-whole.ofd", "v4-lock.ofd", "p7.ofd", "v4-ride-cut.ofd"} {
		if _, err := ofdseal.Prepare(mustRead(t, name), w.prepareOptions()); !errors.Is(err, ofdseal.ErrLocked) {
			t.Errorf("%s: %v, want ErrLocked", name, err)
		}
	}
}

// TestClosingSignature closes a sealed document with a digital signature that covers the list: nothing can follow, and
// neither the seal nor the closing signature can go unnoticed.
func TestClosingSignature(t *testing.T) {
	w := mustWorld(t)
	sealed := w.mustApply(t, mustRead(t, "u2.ofd"))
	sign := func(o *ofdseal.PrepareOptions) { o.Seal, o.Stamps = nil, nil }
	closed := w.mustApply(t, sealed, sign, func(o *ofdseal.PrepareOptions) { o.Lock = true })
	f := ofdseal.VerifyFile(closed, w.options())
	if f.Verdict != verdict.Passed || len(f.Signatures) != 2 || f.Warned(verdict.ListOpen) {
		t.Fatalf("%s (%s), warnings %v %+v", f.Verdict, f.Reason, f.Warnings, faulty(f))
	}
	if s := f.Signatures[1]; s.Kind != "sign" || s.Standard != "GB/T 35275-2017" || s.Signer != "CN=Signer,O=Test,C=CN" || !s.Time.Equal(sealingTime) {
		t.Errorf("%+v", s)
	}
	if _, err := ofdseal.Prepare(closed, w.prepareOptions()); !errors.Is(err, ofdseal.ErrLocked) {
		t.Errorf("sealing a closed document: %v, want ErrLocked", err)
	}
	describe1 := strings.Replace(describe0, "Sign_0", "Sign_1", 1)
	for name, change := range map[string]func(f *files){
		"closing signature unlisted": func(f *files) {
			f.edit(t, listFile, `<ofd:Signature ID="3" Type="Sign" BaseLoc="/`+describe1+`"/>`, "")
		},
		"seal unlisted": func(f *files) {
			f.edit(t, listFile, `<ofd:Signature ID="1" Type="Seal" BaseLoc="/`+describe0+`"/>`, "")
		},
		"relabelled as a seal": func(f *files) { f.edit(t, listFile, `Type="Sign"`, `Type="Seal"`) },
		"description changed":  func(f *files) { f.edit(t, describe1, "yinxin", "Yinxin") },
	} {
		f := mustUnpack(t, closed)
		change(f)
		got := ofdseal.VerifyFile(f.mustPack(t), w.options())
		if name == "closing signature unlisted" {
			// The list is open again, and the file says so; the log holds how many signatures there were.
			if got.Verdict != verdict.Passed || !got.Warned(verdict.UnlistedSignature) || !got.Warned(verdict.ListOpen) {
				t.Errorf("%s: %s (%s) %v", name, got.Verdict, got.Reason, got.Warnings)
			}
			continue
		}
		if got.Verdict != verdict.Failed {
			t.Errorf("%s: %s (%s)", name, got.Verdict, got.Reason)
		}
	}
	alone := w.mustApply(t, mustRead(t, "u1.ofd"), sign)
	if f := ofdseal.VerifyFile(alone, w.options()); f.Verdict != verdict.Passed || !f.Warned(verdict.ListOpen) {
		t.Errorf("a signature without a seal: %s (%s) %+v", f.Verdict, f.Reason, faulty(f))
	}
	o := w.prepareOptions()
	o.Seal = nil
	if _, err := ofdseal.Prepare(mustRead(t, "u1.ofd"), o); !errors.Is(err, ofdseal.ErrStamp) {
		t.Errorf("a stamp without a seal: %v, want ErrStamp", err)
	}
	o.Stamps = nil
	p, err := ofdseal.Prepare(mustRead(t, "u1.ofd"), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sign(rand.Reader, mustKey(t)); err == nil {
		t.Error("another key signs")
	}
}

func TestPrepareRefuses(t *testing.T) {
	w := mustWorld(t)
	other := w.mustParty(t, "Other")
	tests := []struct {
		name   string
		file   string
		change func(*ofdseal.PrepareOptions)
		want   error
	}{
		{"no stamp", "u2.ofd", func(o *ofdseal.PrepareOptions) { o.Stamps = nil }, ofdseal.ErrStamp},
		{"page that is not there", "u2.ofd", func(o *ofdseal.PrepareOptions) { o.Stamps[0].Page = 1 }, ofdseal.ErrStamp},
		{"stamp beside the page", "u2.ofd", func(o *ofdseal.PrepareOptions) { o.Stamps[0].X = 300 }, ofdseal.ErrStamp},
		{"half a seam", "u3.ofd", func(o *ofdseal.PrepareOptions) { o.Stamps = seam()[:4] }, ofdseal.ErrStamp},
		{"before the seal begins", "u2.ofd", func(o *ofdseal.PrepareOptions) { o.Time = sealingTime.AddDate(-1, 0, 0) }, ofdseal.ErrNotInForce},
		{"after the seal ended", "u2.ofd", func(o *ofdseal.PrepareOptions) { o.Time = sealingTime.AddDate(2, 0, 0) }, ofdseal.ErrNotInForce},
		{"signer not listed", "u2.ofd", func(o *ofdseal.PrepareOptions) { o.SignerCert = other.cert }, seal.ErrNotListed},
		{"broken document", "t-content.ofd", func(*ofdseal.PrepareOptions) {}, ofdseal.ErrBroken},
		{"leftover signature", "t-unlink.ofd", func(*ofdseal.PrepareOptions) {}, ofdseal.ErrLeftover},
		{"orphan entry", "t-orphanfile.ofd", func(*ofdseal.PrepareOptions) {}, ofdseal.ErrLeftover},
		{"page missing", "t-delfile.ofd", func(*ofdseal.PrepareOptions) {}, ofdseal.ErrBroken},
	}
	for _, tt := range tests {
		o := w.prepareOptions()
		tt.change(&o)
		if _, err := ofdseal.Prepare(mustRead(t, tt.file), o); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	var refused *verdict.ContainerError
	if _, err := ofdseal.Prepare(mustRead(t, "t-traversal.ofd"), w.prepareOptions()); !errors.As(err, &refused) || refused.Reason != verdict.Path {
		t.Errorf("unsafe container: %v", err)
	}
}

func TestSignRefusesAnotherKey(t *testing.T) {
	w := mustWorld(t)
	p, err := ofdseal.Prepare(mustRead(t, "u2.ofd"), w.prepareOptions())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sign(rand.Reader, mustKey(t)); !errors.Is(err, seal.ErrKeyMismatch) {
		t.Errorf("got %v, want ErrKeyMismatch", err)
	}
	if _, err := p.Sign(rand.Reader, w.signer.key); err != nil {
		t.Errorf("the right key: %v", err)
	}
}

// TestDigestNamesTheBytes: the same input prepares the same bytes, and every choice changes them.
func TestDigestNamesTheBytes(t *testing.T) {
	w := mustWorld(t)
	digest := func(file string, change func(*ofdseal.PrepareOptions)) [32]byte {
		o := w.prepareOptions()
		change(&o)
		p, err := ofdseal.Prepare(mustRead(t, file), o)
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest()
	}
	same := func(*ofdseal.PrepareOptions) {}
	want := digest("u2.ofd", same)
	if digest("u2.ofd", same) != want {
		t.Error("the same input gives two digests")
	}
	for name, got := range map[string][32]byte{
		"document": digest("u1.ofd", same),
		"stamp":    digest("u2.ofd", func(o *ofdseal.PrepareOptions) { o.Stamps[0].X++ }),
		"time":     digest("u2.ofd", func(o *ofdseal.PrepareOptions) { o.Time = o.Time.AddDate(0, 0, 1) }),
		"seal":     digest("u2.ofd", func(o *ofdseal.PrepareOptions) { o.Seal = w.mustSeal(t, w.signer) }),
		"lock":     digest("u2.ofd", func(o *ofdseal.PrepareOptions) { o.Lock = true }),
	} {
		if got == want {
			t.Errorf("another %s gives the same digest", name)
		}
	}
}

func TestPrepareLeavesItsInputAlone(t *testing.T) {
	w := mustWorld(t)
	in := mustRead(t, "u2.ofd")
	before := bytes.Clone(in)
	o := w.prepareOptions()
	if _, err := ofdseal.Prepare(in, o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(in, before) || o.Stamps[0].W != 0 {
		t.Error("Prepare changed what it was given")
	}
}
