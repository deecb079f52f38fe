package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yinxin/archive/blob"
	"yinxin/document"
	"yinxin/internal/durable"
	"yinxin/internal/verify"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// Walk is one document's whole path through a system, step by step, as people of different offices would take it.
type Walk struct {
	System *System
	Setup  *Setup
	// Draft is the YAML of the document, Attachments its files.
	Draft       []byte
	Attachments office.Attachments
	// Out is the folder that receives what the path leaves behind.
	Out string
	// Step is told of every step that was done and how long it took.
	Step func(name string, took time.Duration)

	dispatch  office.Dispatch
	exchange  string
	record    string
	delivered map[string]string
	receipts  []string
}

// Summary is what a walk did.
type Summary struct {
	Title     string          `json:"title"`
	Number    string          `json:"number"`
	Exchange  string          `json:"exchange"`
	Record    string          `json:"record"`
	Receipts  int             `json:"receipts"`
	Verdict   verdict.Status  `json:"verdict"`
	Files     []string        `json:"files"`
	Report    *verdict.Report `json:"-"`
	Took      string          `json:"took"`
	Warnings  []string        `json:"warnings"`
	Signed    []string        `json:"signed_for_by"`
	LogSize   uint64          `json:"log_size"`
	LogOrigin string          `json:"log_origin"`
}

// Run takes all steps. It fails at the first that does not verify. System.Run must be running beside it.
func (w *Walk) Run(ctx context.Context) (*Summary, error) {
	w.delivered = map[string]string{}
	sum := new(Summary)
	start := time.Now()
	draft := new(office.Draft)
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"机关、密钥、印章 offices, keys, seals", w.establish},
		{"拟稿 compose", func(context.Context) (err error) { draft, err = w.compose(); return err }},
		{"申请用印 ask for the seal", func(ctx context.Context) error { return w.ask(ctx, draft) }},
		{"审批、用印、加密、签名、发送 approve, seal, encrypt, sign, submit", w.approve},
		{"受理 accepted: the sender's receipt verifies", w.accepted},
		{"投递 delivered", w.deliver},
		{"读取、验章、签收 opened, seal verified, signed for", w.signFor},
		{"归档 deposited", w.deposit},
		{"调阅 retrieved", w.retrieve},
		{"回执 receipts collected", w.collect},
		{"验证 everything verified offline", func(context.Context) (err error) { sum.Report, err = w.verify(); return err }},
	}
	for _, s := range steps {
		began := time.Now()
		if err := s.do(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		w.Step(s.name, time.Since(began))
	}
	sum.Title, sum.Number, sum.Warnings = draft.Metadata.Title, draft.Metadata.Number.String(), draft.Warnings
	sum.Exchange, sum.Record, sum.Receipts = w.exchange, w.record, len(w.receipts)
	sum.Verdict, sum.Signed = sum.Report.Verdict, w.recipients()
	sum.LogOrigin, sum.LogSize = w.System.LogKey.Name(), w.System.sequencer.Size()
	sum.Took = time.Since(start).Round(time.Millisecond).String()
	for _, f := range sum.Report.Files {
		sum.Files = append(sum.Files, filepath.Join(w.Out, f.File))
	}
	return sum, nil
}

// establish brings offices, people and seals into being, through the same code that an administrator uses.
func (w *Walk) establish(ctx context.Context) error {
	_, err := w.System.Apply(ctx, w.Setup)
	return err
}

func (w *Walk) compose() (*office.Draft, error) {
	doc, err := document.Parse(w.Draft)
	if err != nil {
		return nil, err
	}
	return office.Compose(doc, w.System.Office.Faces, w.Attachments)
}

// person finds an account of an office that holds a role, and returns it as the office service knows it.
func (w *Walk) person(ctx context.Context, code string, role directory.Role) (office.Person, error) {
	for _, o := range w.Setup.Offices {
		if o.Code != code {
			continue
		}
		for _, of := range o.Accounts {
			a, err := w.System.Directory.Account(ctx, of.ID)
			if err != nil {
				return office.Person{}, err
			}
			if a.Has(role) {
				return PersonOf(a), nil
			}
		}
	}
	return office.Person{}, fmt.Errorf("office %s has no %s", code, role)
}

// PersonOf says what an account of the directory may do in its office.
func PersonOf(a directory.Account) office.Person {
	return office.Person{
		Account: a.ID, Office: a.Org,
		Clerk: a.Has(directory.Clerk, directory.SealKeeper), Approver: a.Has(directory.Approver),
	}
}

func (w *Walk) recipients() []string {
	return append(append([]string{}, w.Setup.Demo.To...), w.Setup.Demo.CC...)
}

func (w *Walk) ask(ctx context.Context, draft *office.Draft) error {
	clerk, err := w.person(ctx, w.Setup.Demo.Sender, directory.Clerk)
	if err != nil {
		return err
	}
	seals, err := w.System.Database.SealsOf(ctx, clerk.Office)
	if err != nil {
		return err
	}
	if len(seals) == 0 {
		return fmt.Errorf("office %s has no seal", clerk.Office)
	}
	var to []office.Recipient
	for _, c := range w.Setup.Demo.To {
		to = append(to, office.Recipient{Code: c, Role: transport.To})
	}
	for _, c := range w.Setup.Demo.CC {
		to = append(to, office.Recipient{Code: c, Role: transport.CC})
	}
	w.dispatch, err = w.System.Office.Ask(ctx, clerk, office.SealAsk{
		Draft: draft, Seal: seals[0].ID, Recipients: to, Urgency: office.UrgencyOf(draft.Metadata.Urgency),
	})
	return err
}

func (w *Walk) approve(ctx context.Context) error {
	approver, err := w.person(ctx, w.Setup.Demo.Sender, directory.Approver)
	if err != nil {
		return err
	}
	w.dispatch, err = w.System.Office.Decide(ctx, approver, w.dispatch.ID, office.Decision{
		Unsealed: w.dispatch.Unsealed, Digest: w.dispatch.Digest, Approve: true,
	})
	w.exchange = w.dispatch.Exchange
	return err
}

// patience is how long a step of the demonstration waits for the hub's own work.
const patience = 20 * time.Second

// until asks again and again, until done or until patience ends.
func until(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, err := done(ctx)
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (w *Walk) accepted(ctx context.Context) error {
	sender := hub.Caller{Account: w.dispatch.Requester, Org: w.dispatch.Office}
	t, err := w.System.Hub.Track(ctx, sender, w.exchange)
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := w.System.Hub.WaitReceipt(waiting, sender, t.Exchange.Entry)
	if err != nil {
		return err
	}
	f, err := verify.One(verify.Input{Name: "receipt", Data: body}, w.System.VerifyOptions())
	if err != nil {
		return err
	}
	if f.Verdict != verdict.Passed {
		return fmt.Errorf("the receipt is %s (%s)", f.Verdict, f.Reason)
	}
	return nil
}

// VerifyOptions trust this system: its root and its log.
func (s *System) VerifyOptions() verify.Options {
	o := verify.Options{Policy: s.policy(), Now: s.config.Clock()}
	o.Logs = append(o.Logs, s.LogKey)
	return o
}

func (w *Walk) deliver(ctx context.Context) error {
	for _, code := range w.recipients() {
		err := until(ctx, "delivery to "+code, func(ctx context.Context) (bool, error) {
			in, err := w.System.Hub.Inbox(ctx, hub.Caller{Org: code}, hub.InboxFilter{Page: hub.Page{Limit: 10}})
			if err != nil || len(in) == 0 {
				return false, err
			}
			w.delivered[code] = in[0].Delivery.ID
			return in[0].Delivery.State == transport.Available, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Walk) signFor(ctx context.Context) error {
	for i, code := range w.recipients() {
		clerk, err := w.person(ctx, code, directory.Clerk)
		if err != nil {
			return err
		}
		if err := w.signForOne(ctx, clerk, w.delivered[code], fmt.Sprintf("%s-%04d", code, i+1)); err != nil {
			return fmt.Errorf("%s: %w", code, err)
		}
	}
	return nil
}

func (w *Walk) signForOne(ctx context.Context, clerk office.Person, delivery, number string) (err error) {
	dir, err := os.MkdirTemp(w.System.tempDir(), "inbox-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	opened, err := w.System.Office.Open(ctx, clerk, delivery, dir)
	if err != nil {
		return err
	}
	if _, err := w.System.Office.SignFor(ctx, clerk, opened, number, ""); err != nil {
		return err
	}
	for _, name := range opened.Files {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := durable.WriteFile(filepath.Join(w.Out, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (w *Walk) deposit(ctx context.Context) error {
	sender := hub.Caller{Account: w.dispatch.Requester, Org: w.dispatch.Office}
	return until(ctx, "deposit", func(ctx context.Context) (bool, error) {
		t, err := w.System.Hub.Track(ctx, sender, w.exchange)
		return err == nil && t.Exchange.Deposited != "", err
	})
}

// retrieve finds the record by its number, as an archivist would, and unpacks its package.
func (w *Walk) retrieve(ctx context.Context) error {
	doc, err := document.Parse(w.Draft)
	if err != nil {
		return err
	}
	records, err := w.System.FindRecords(ctx, "", doc.Number.String(), "")
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Exchange == w.exchange {
			w.record = r.ArchivalCode
			return w.System.UnpackRecord(ctx, r.ID, "", filepath.Join(w.Out, "archive"))
		}
	}
	return errors.New("the record is not found by its number")
}

// collect saves envelope, receipts, root and log key beside the documents.
func (w *Walk) collect(ctx context.Context) error {
	sender := hub.Caller{Account: w.dispatch.Requester, Org: w.dispatch.Office}
	t, err := w.System.Hub.Track(ctx, sender, w.exchange)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(filepath.Join(w.Out, "receipts"), 0o755); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for i, e := range t.Evidence {
		body, err := w.System.Hub.WaitReceipt(waiting, sender, e.ID)
		if err != nil {
			return fmt.Errorf("receipt of %s: %w", e.Event, err)
		}
		name := fmt.Sprintf("%02d-%s", i+1, e.Event)
		if e.Recipient != "" {
			name += "-" + strings.ToLower(e.Recipient)
		}
		w.receipts = append(w.receipts, filepath.Join("receipts", name+".yxr"))
		if err := durable.WriteFile(filepath.Join(w.Out, w.receipts[i]), body, 0o644); err != nil {
			return err
		}
	}
	if err := w.saveEnvelope(ctx); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(w.Out, "root.pem"), w.System.Root.PEM(), 0o644); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(w.Out, "log.vkey"), []byte(w.System.LogKey.String()+"\n"), 0o644)
}

func (w *Walk) saveEnvelope(ctx context.Context) error {
	ref, err := blob.ParseRef(w.dispatch.Envelope)
	if err != nil {
		return err
	}
	r, err := w.System.Blobs.Open(ctx, ref)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(w.Out, "exchange.yxe"), data, 0o644)
}

// verify judges everything that was left behind, from its bytes alone.
func (w *Walk) verify() (*verdict.Report, error) {
	names := append([]string{office.DocumentName, office.CopyName, "exchange.yxe"}, w.receipts...)
	var inputs []verify.Input
	for _, n := range names {
		data, err := os.ReadFile(filepath.Join(w.Out, n))
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, verify.Input{Name: n, Data: data})
	}
	inputs = append(inputs, verify.Input{Name: "archive", Content: os.DirFS(filepath.Join(w.Out, "archive"))})
	report, err := verify.Files(inputs, w.System.VerifyOptions())
	if err != nil {
		return nil, err
	}
	for _, f := range report.Files {
		if f.Verdict != verdict.Passed {
			return report, fmt.Errorf("%s is %s (%s)", f.File, f.Verdict, f.Reason)
		}
	}
	return report, nil
}
