package embedded_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/document"
	"yinxin/examples"
	"yinxin/internal/check"
	"yinxin/internal/embedded"
	"yinxin/internal/verify"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/hub"
	"yinxin/transport/office"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// depositOld sends a document of long ago, has it signed for and waits for its record.
func (w *web) depositOld() (office.Dispatch, archive.Record) {
	w.t.Helper()
	text := strings.Replace(w.noticeText(), "issued_on: 2026-11-21", "issued_on: 2010-03-01\nretention: D10", 1)
	doc, err := document.Parse([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	ask := w.request()
	if ask.Draft, err = office.Compose(doc, w.Office.Faces, examples.Files.ReadFile); err != nil {
		w.t.Fatal(err)
	}
	d, err := w.Office.Ask(w.t.Context(), drafter, ask)
	if err != nil {
		w.t.Fatal(err)
	}
	if d, err = w.Office.Decide(w.t.Context(), approver, d.ID, approving(d)); err != nil {
		w.t.Fatal(err)
	}
	w.signFor(recipient)
	w.signFor(copied)
	w.until("deposit", func() bool { return w.track(d).Exchange.Deposited != "" })
	found, err := w.Archive.Find(w.t.Context(), archive.Query{Exchange: d.Exchange})
	if err != nil || len(found) != 1 {
		w.t.Fatalf("records: %v, %v", found, err)
	}
	return d, found[0]
}

// wantCode wants a refusal of the hub.
func wantCode(t *testing.T, err error, code api.Code) {
	t.Helper()
	if p, ok := errors.AsType[*api.Problem](err); !ok || p.Code != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// judged verifies bytes as anybody would who trusts the root and the log's key.
func (w *web) judged(name string, data []byte) {
	w.t.Helper()
	f, err := verify.One(verify.Input{Name: name, Data: data}, w.VerifyOptions())
	if err != nil || f.Verdict != verdict.Passed {
		w.t.Errorf("%s: %s (%s), %v", name, f.Verdict, f.Reason, err)
	}
}

// stated fetches the receipt of a statement and holds both against each other.
func (w *web) stated(c *client.Client, entry string, statement []byte, act archive.KeepingAct) *archive.KeepingStatement {
	w.t.Helper()
	body, err := c.WaitReceipt(w.t.Context(), entry)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := receipt.Parse(body)
	if err != nil || r.Entry.Object != gm.SM3(statement) {
		w.t.Errorf("the receipt names %s, %v", r.Entry.Object, err)
	}
	w.judged("receipt", body)
	w.judged("statement", statement)
	s, signer, err := archive.ParseKeepingStatement(statement)
	if err != nil || s.Act != act || transport.CodeOf(signer.Subject) != "ARCHIVE" {
		w.t.Fatalf("statement %+v, %v", s, err)
	}
	return s
}

// TestARecordIsHeldSupplementedAndDisposedOf leads a record from its deposit to its tombstone, over HTTP: what comes after
// the deposit is kept, a hold stops the disposal, no person decides alone, and when it is done nothing of the document is
// left in any store of the hub while its evidence still verifies.
func TestARecordIsHeldSupplementedAndDisposedOf(t *testing.T) {
	w := serve(t)
	ctx := t.Context()
	d, rec := w.depositOld()
	archivist, head, sender := w.login("archivist"), w.login("archive-head"), w.login("yxzf-clerk")

	// a later event of the exchange becomes a supplement
	if _, err := w.Hub.Check(ctx, hub.Caller{Account: "yxzf-clerk", Org: "YXZF"}, d.Exchange); err != nil {
		t.Fatal(err)
	}
	var kept api.KeptRecord
	w.until("supplement", func() bool {
		var err error
		if kept, err = archivist.KeptRecord(ctx, rec.ArchivalCode); err != nil {
			t.Fatal(err)
		}
		return len(kept.Supplements) > 0
	})
	if kept.KeepUntil != "2021-01-01" || len(kept.Decisions) != 0 {
		t.Errorf("kept until %s, %d decisions", kept.KeepUntil, len(kept.Decisions))
	}
	var zipped bytes.Buffer
	if err := archivist.Supplement(ctx, rec.ID, 1, &zipped); err != nil {
		t.Fatal(err)
	}
	w.judged("supplement", zipped.Bytes())
	wantCode(t, archivist.Supplement(ctx, rec.ID, 9, &zipped), api.NotFound)

	due, err := archivist.DueRecords(ctx, "")
	if err != nil || len(due.Items) != 1 || due.Items[0].ID != rec.ID {
		t.Errorf("due: %+v, %v", due, err)
	}
	if due, err = archivist.DueRecords(ctx, "2020-12-31"); err != nil || len(due.Items) != 0 {
		t.Errorf("due a day early: %+v, %v", due, err)
	}

	// a hold, and what it stops
	hold, err := archivist.Hold(ctx, rec.ID, "（2026）云01民初7号")
	if err != nil {
		t.Fatal(err)
	}
	w.stated(archivist, hold.Entry, hold.Statement, archive.ActHold)
	_, err = archivist.ProposeDisposal(ctx, rec.ID, api.DisposalProposal{Basis: "保管期满"})
	wantCode(t, err, api.InvalidTransition)
	_, err = archivist.ReleaseHold(ctx, hold.ID, "结案")
	wantCode(t, err, api.Forbidden)
	_, err = sender.Hold(ctx, rec.ID, "x")
	wantCode(t, err, api.Forbidden)
	hold, err = head.ReleaseHold(ctx, hold.ID, "结案")
	if err != nil {
		t.Fatal(err)
	}
	if s := w.stated(head, hold.EndEntry, hold.EndStatement, archive.ActRelease); len(s.Decisions) != 2 || s.Decisions[1].Account != "archive-head" {
		t.Errorf("released by %+v", s.Decisions)
	}

	// a disposal needs two persons
	_, err = head.ProposeDisposal(ctx, rec.ID, api.DisposalProposal{Basis: "保管期满"})
	wantCode(t, err, api.Forbidden)
	_, err = archivist.ProposeDisposal(ctx, rec.ID, api.DisposalProposal{Basis: "two\nlines"})
	wantCode(t, err, api.Validation)
	_, err = archivist.ProposeDisposal(ctx, rec.ID, api.DisposalProposal{Basis: "x", BackupsUntil: "soon"})
	wantCode(t, err, api.Validation)
	p, err := archivist.ProposeDisposal(ctx, rec.ID, api.DisposalProposal{Basis: "保管期满，鉴定无继续保存价值", BackupsUntil: "2027-12-31"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = archivist.ApproveDisposal(ctx, p.ID, "")
	wantCode(t, err, api.Forbidden)
	if _, err = head.DeclineDisposal(ctx, p.ID, "再看"); err != nil {
		t.Fatal(err)
	}
	_, err = head.ApproveDisposal(ctx, p.ID, "")
	wantCode(t, err, api.InvalidTransition)
	if p, err = archivist.ProposeDisposal(ctx, rec.ID, api.DisposalProposal{Basis: "复核无误", BackupsUntil: "2027-12-31"}); err != nil {
		t.Fatal(err)
	}
	if open, err := head.Keepings(ctx, "disposal", "proposed", client.Page{}); err != nil || len(open.Items) != 1 || open.Items[0].ID != p.ID {
		t.Errorf("open proposals: %+v, %v", open, err)
	}
	w.until("the log", func() bool {
		n, err := w.Hub.EvidenceOf(ctx, hub.Caller{Org: "ARCHIVE"}, d.Exchange)
		return err == nil && n[len(n)-1].Ready
	})
	if _, err = head.ApproveDisposal(ctx, p.ID, "同意"); err != nil {
		t.Fatal(err)
	}
	w.until("destruction", func() bool { return w.track(d).Exchange.Disposed != "" })
	w.isGone(d, rec, archivist, sender)
}

// isGone looks for anything that was left.
func (w *web) isGone(d office.Dispatch, rec archive.Record, archivist, sender *client.Client) {
	t, ctx := w.t, w.t.Context()
	t.Helper()
	var out bytes.Buffer
	wantCode(t, archivist.ArchivePackage(ctx, rec.ID, &out), api.Disposed)
	wantCode(t, sender.OwnEnvelope(ctx, d.Exchange, &out), api.Disposed)
	_, err := archivist.Hold(ctx, rec.ID, "too late")
	wantCode(t, err, api.Disposed)
	if found, err := archivist.SearchArchive(ctx, client.ArchiveQuery{Text: "试点"}); err != nil || len(found.Items) != 0 {
		t.Errorf("it is still found by its text: %+v, %v", found, err)
	}
	kept, err := archivist.KeptRecord(ctx, rec.ArchivalCode)
	if err != nil || kept.Record.Title != "" || kept.Record.DisposedAt == nil || kept.Record.DocumentSM3 != rec.DocumentSM3 {
		t.Fatalf("what is kept of it: %+v, %v", kept.Record, err)
	}
	end := kept.Decisions[len(kept.Decisions)-1]
	s := w.stated(archivist, end.EndEntry, end.EndStatement, archive.ActDisposal)
	if s.DocumentSM3 != rec.DocumentSM3 || s.ArchivalCode != rec.ArchivalCode || s.BackupsUntil != "2027-12-31" || len(s.Decisions) != 2 {
		t.Errorf("tombstone %+v", s)
	}
	evidence, err := archivist.RecordEvidence(ctx, rec.ID)
	if err != nil || len(evidence.Items) == 0 || evidence.Items[len(evidence.Items)-1].Event != string(transport.Disposal) {
		t.Fatalf("evidence: %+v, %v", evidence, err)
	}
	for _, e := range evidence.Items {
		body, err := archivist.WaitReceipt(ctx, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		w.judged(e.Event, body)
	}
	left, err := w.Blobs.List(ctx, blob.Ref{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range left { // a supplement that was overtaken while it was written may lie there, named by nobody: receipts alone
		data, err := blob.ReadAll(ctx, w.Blobs, info.Ref, 1<<20)
		if err != nil || !bytes.Contains(data, []byte(archive.SupplementSchema)) || bytes.Contains(data, []byte("OFD.xml")) {
			t.Errorf("a blob of %d bytes is left, %v", info.Size, err)
		}
	}
	report, err := check.Run(ctx, check.Hub{
		Database: w.Database.(check.Database), Blobs: w.Blobs, Log: w.Log, Keys: w.keys, Needed: embedded.NeededKeys(ctx, w.keys), Archive: "ARCHIVE",
		LogKey: w.LogKey, Root: w.Root,
	}, check.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range report.Items {
		if i.Status == verdict.Failed {
			t.Errorf("check: %+v", i)
		}
	}
}

// TestKeepingIsTheArchivesOwn: other offices learn nothing, and roles are asked for.
func TestKeepingIsTheArchivesOwn(t *testing.T) {
	w := serve(t)
	for _, account := range []string{"yxzf-approver", "yxjy-approver"} {
		_, err := w.login(account).KeptRecord(t.Context(), "any")
		wantCode(t, err, api.NotFound)
		_, err = w.login(account).Keepings(t.Context(), "hold", "", client.Page{})
		wantCode(t, err, api.NotFound)
		_, err = w.login(account).ApproveDisposal(t.Context(), "any", "")
		wantCode(t, err, api.NotFound)
	}
	for _, account := range []string{"admin", "auditor", "yxzf-clerk"} {
		_, err := w.login(account).DueRecords(t.Context(), "")
		wantCode(t, err, api.Forbidden)
	}
	head := w.login("archive-head")
	_, err := head.DueRecords(t.Context(), "someday")
	wantCode(t, err, api.Validation)
	_, err = head.Keepings(t.Context(), "other", "", client.Page{})
	wantCode(t, err, api.Validation)
	if status, _ := w.status(http.MethodPost, "/api/v1/keeping/none/approve", "", `{"basis":""}`); status != http.StatusUnauthorized {
		t.Errorf("without a login: %d", status)
	}
}
