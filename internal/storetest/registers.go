package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
)

func directories(t *testing.T, p Place) {
	s := p.Open(t, nil)
	ctx := t.Context()
	_, err := s.Organisation(ctx, "A")
	wantIs(t, err, directory.ErrNotFound)
	o := directory.Organisation{
		Code: "A", Name: "市政府办公室", Aliases: []string{"市府办"}, SigningCert: []byte("s"), EncryptionCert: []byte("e"),
		Archive: true, Status: directory.Active, Changed: start,
	}
	must(t, s.SaveOrganisation(ctx, o))
	for range 2 { // from the table, then from memory
		got, err := s.Organisation(ctx, "A")
		if d := cmp.Diff(o, got); err != nil || d != "" {
			t.Fatalf("organisation (-written +read): %v\n%s", err, d)
		}
	}
	o.Name, o.Status = "市人民政府办公室", directory.Closed
	must(t, s.SaveOrganisation(ctx, o))
	if got, err := s.Organisation(ctx, "A"); err != nil || got.Name != o.Name || got.Status != directory.Closed {
		t.Errorf("after a change: %+v, %v", got, err)
	}
	must(t, s.SaveOrganisation(ctx, directory.Organisation{Code: "B", Name: "b", Status: directory.Active, Changed: start}))
	wantIs(t, s.SaveOrganisation(ctx, directory.Organisation{Code: "b", Name: "c", Status: directory.Active, Changed: start}), directory.ErrConflict)
	if got, err := s.Organisation(ctx, "B"); err != nil || got.Name != "b" {
		t.Errorf("after one of the same code in small letters: %+v, %v", got, err)
	}
	for _, q := range [][2]string{{"b", ""}, {"B", "none"}, {"", "b"}} {
		if got, err := s.Namesakes(ctx, q[0], q[1]); err != nil || len(got) != 1 || got[0].Code != "B" {
			t.Errorf("namesakes of %q: %+v, %v", q, got, err)
		}
	}
	if got, err := s.Namesakes(ctx, "C", "c"); err != nil || len(got) != 0 {
		t.Errorf("namesakes of nobody: %+v, %v", got, err)
	}
	if got, err := s.Organisations(ctx, "A", 9); err != nil || len(got) != 1 || got[0].Code != "B" {
		t.Errorf("list after A: %+v, %v", got, err)
	}
	a := directory.Account{
		ID: "u", Org: "A", Name: "王", Roles: []directory.Role{directory.Clerk}, Status: directory.Active, Secret: "$argon2id$x", Epoch: 1,
	}
	must(t, s.SaveAccount(ctx, a))
	got, err := s.Account(ctx, "u")
	if d := cmp.Diff(a, got); err != nil || d != "" {
		t.Errorf("account (-written +read): %v\n%s", err, d)
	}
	both := a
	both.Roles = []directory.Role{directory.SealKeeper, directory.Approver}
	if s.SaveAccount(ctx, both) == nil {
		t.Error("the database took an account with seal use and seal approval")
	}
	homeless := a
	homeless.ID, homeless.Org = "v", "NONE"
	if s.SaveAccount(ctx, homeless) == nil {
		t.Error("the database took an account of no office")
	}
	plain := a
	plain.Secret = "password"
	if s.SaveAccount(ctx, plain) == nil {
		t.Error("the database took a secret that is no hash")
	}
	if got, err := s.Accounts(ctx, "B", "", 9); err != nil || len(got) != 0 {
		t.Errorf("accounts of B: %v, %v", got, err)
	}
	if got, err := s.Accounts(ctx, "", "", 9); err != nil || len(got) != 1 {
		t.Errorf("all accounts: %v, %v", got, err)
	}
	token := fmt.Sprintf("%064d", 1)
	must(t, s.SaveSession(ctx, directory.Session{
		TokenHash: token, Account: "u", Epoch: 1, Expires: start, Created: start.Add(-time.Hour), Source: "192.0.2.1", Agent: "yinxin",
	}))
	if all, err := s.Sessions(ctx, "u"); err != nil || len(all) != 1 || all[0].Source != "192.0.2.1" || all[0].Agent != "yinxin" ||
		!all[0].Created.Equal(start.Add(-time.Hour)) {
		t.Errorf("sessions %+v, %v", all, err)
	}
	if none, err := s.Sessions(ctx, "nobody"); err != nil || len(none) != 0 {
		t.Errorf("sessions of nobody %+v, %v", none, err)
	}
	if got, err := s.Session(ctx, token); err != nil || got.Account != "u" || !got.Expires.Equal(start) {
		t.Errorf("session %+v, %v", got, err)
	}
	a.Epoch = 2
	must(t, s.SaveAccount(ctx, a))
	_, err = s.Session(ctx, token)
	wantIs(t, err, directory.ErrNotFound)
	must(t, s.DeleteSession(ctx, token))
}

func records(t *testing.T, p Place) {
	s := p.Open(t, nil)
	ctx := t.Context()
	for want := 1; want <= 3; want++ {
		if n, err := s.NextItem(ctx, "Z109", "WS·2026·D30"); err != nil || n != want {
			t.Fatalf("item %d, %v; want %d", n, err, want)
		}
	}
	if n, err := s.NextItem(ctx, "Z109", "WS·2026·Y"); err != nil || n != 1 {
		t.Errorf("item of another class %d, %v", n, err)
	}
	e := archive.Entry{
		Record: archive.Record{
			ID: "r1", ArchivalCode: "Z109-1", Exchange: "x1", Issuer: "A", Number: "府发〔2026〕1号", Title: "关于100%的通知",
			Parties: []string{"A", "C"}, DepositedAt: start,
		},
		Package: [32]byte{5},
	}
	must(t, s.AddRecord(ctx, e, archive.Content{}))
	if s.AddRecord(ctx, e, archive.Content{}) == nil {
		t.Error("a second record of one exchange was taken")
	}
	for name, q := range map[string]archive.Query{
		"all": {}, "number": {Number: "府发〔2026〕1号"}, "title": {Title: "100%"}, "text": {Text: "2026"}, "exchange": {Exchange: "x1"},
		"party": {Office: "C"},
	} {
		got, err := s.FindRecords(ctx, q)
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %d records, %v", name, len(got), err)
			continue
		}
		if d := cmp.Diff(e, got[0]); d != "" {
			t.Errorf("%s (-written +read):\n%s", name, d)
		}
	}
	for name, q := range map[string]archive.Query{
		"wildcard": {Title: "100_"}, "part of a number": {Number: "府发"}, "other office": {Office: "D"}, "after": {After: "r1"},
	} {
		if got, err := s.FindRecords(ctx, q); err != nil || len(got) != 0 {
			t.Errorf("%s: %d records, %v", name, len(got), err)
		}
	}
	for _, id := range []string{"r1", "Z109-1"} {
		if _, err := s.Record(ctx, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	_, err := s.Record(ctx, "r2")
	wantIs(t, err, archive.ErrNotFound)
}

// queue makes a Store into what the log's own suite exercises.
type queue struct {
	Store
	place Place
}

// Add commits an entry.
func (q *queue) Add(ctx context.Context, leaf []byte) error {
	id, err := transport.NewID(start, rand.Reader)
	if err != nil {
		return err
	}
	return q.Update(ctx, func(tx hub.Tx) error {
		return tx.AppendEntry(hub.Evidence{
			ID: id, Sender: "A", Event: transport.SealApplied, Time: start, Leaf: leaf, Digest: gm.SM3(leaf),
		})
	})
}

// Placed finds a published entry.
func (q *queue) Placed(ctx context.Context, index uint64) (placed tlog.Placed, ok bool, err error) {
	err = q.View(ctx, func(r hub.Reader) error {
		all, err := r.Proven(1000)
		for _, p := range all {
			if p.Index == index {
				placed, ok = tlog.Placed{Index: index}, true
				for _, h := range p.Proof {
					placed.Proof = append(placed.Proof, h)
				}
			}
		}
		return err
	})
	return placed, ok, err
}
