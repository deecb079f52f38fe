package office

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yinxin/crypto/cms"
	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/transport"
	"yinxin/transport/envelope"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// Received is a delivery with what its header says of the document.
type Received struct {
	Delivery                    transport.Delivery
	DocumentSM3, DocumentSHA256 transport.Digest
	// KnownSince is when the hub first accepted the document, by its log: sealed it was by then. Zero where nobody says.
	KnownSince time.Time
}

// Opened is a received document after opening: its files lie in Dir, and every OFD and PDF among them has its verdict.
type Opened struct {
	Received Received
	Files    []string
	// Document is the name of the official document among the files, empty where there is none.
	Document string
	Manifest envelope.Manifest
	Metadata document.Metadata
	Verdicts []verdict.File
}

// Verdict is that of the official document and of its sealed copy. Attachments have verdicts of their own, which decide
// nothing here: most are not signed at all. Where there is no official document, the worst file decides.
func (o *Opened) Verdict() verdict.Status {
	decisive := slices.DeleteFunc(slices.Clone(o.Verdicts), func(f verdict.File) bool { return f.Attachment })
	return verdict.NewReport(verdict.RevocationAuto, decisive...).Verdict
}

// Decides reports whether a file is the official document or a sealed copy of it.
func (o *Opened) Decides(name string) bool {
	return slices.ContainsFunc(o.Verdicts, func(f verdict.File) bool { return f.File == name && !f.Attachment })
}

// ErrNotOpened says that the delivery was not opened yet: what nobody looked at is not signed for.
var ErrNotOpened = errors.New("office: the delivery was not opened yet")

// ErrReason says that a return needs a reason code of the list and a sentence.
var ErrReason = errors.New("office: a return needs a reason code and a text")

// ErrSeal says that a document's seal did not pass, so that it cannot be signed for as genuine.
var ErrSeal = errors.New("office: the seal of the document does not pass")

// Open takes over a delivery: the office states that it read the document (which fixes the receiving time), fetches its
// envelope, opens it with its own key into dir and judges every seal. Opening again what was opened before is allowed and
// leaves no further evidence.
func (s *Service) Open(ctx context.Context, who Person, delivery, dir string) (*Opened, error) {
	return s.open(ctx, who, delivery, dir, true)
}

// Reopen is Open of what was opened before; else it is ErrNotOpened.
func (s *Service) Reopen(ctx context.Context, who Person, delivery, dir string) (*Opened, error) {
	return s.open(ctx, who, delivery, dir, false)
}

func (s *Service) open(ctx context.Context, who Person, delivery, dir string, opening bool) (*Opened, error) {
	if !who.Clerk {
		return nil, fmt.Errorf("open delivery: %w", ErrForbidden)
	}
	got, err := s.Hub.Delivery(ctx, who, delivery)
	if err != nil {
		return nil, fmt.Errorf("open delivery %s: %w", delivery, err)
	}
	if err := s.note(ctx, who, "delivery.open", delivery); err != nil {
		return nil, err
	}
	if got.Delivery.State == transport.Available && !opening {
		return nil, fmt.Errorf("delivery %s: %w", delivery, ErrNotOpened)
	}
	if got.Delivery.State == transport.Available {
		stated, err := s.state(ctx, who.Office, got, receipt.Statement{Event: transport.ContentHandover})
		if err != nil {
			return nil, fmt.Errorf("open delivery %s: %w", delivery, err)
		}
		if got.Delivery, err = s.Hub.Act(ctx, who, transport.Open, s.NewID(), delivery, stated); err != nil {
			return nil, fmt.Errorf("open delivery %s: %w", delivery, err)
		}
	}
	o, err := s.unpack(ctx, who, got, dir)
	if err != nil {
		return nil, fmt.Errorf("open delivery %s: %w", delivery, err)
	}
	return o, nil
}

// unpack fetches, opens and judges.
func (s *Service) unpack(ctx context.Context, who Person, got Received, dir string) (_ *Opened, err error) {
	f, err := os.CreateTemp(s.TempDir, "envelope-*.yxe")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := s.Hub.Envelope(ctx, who, got.Delivery.ID, f); err != nil {
		return nil, err
	}
	size, err := f.Seek(0, 2)
	if err != nil {
		return nil, err
	}
	o, err := s.OpenEnvelope(ctx, who.Office, f, size, got.KnownSince, dir)
	if err != nil {
		return nil, err
	}
	if o.Manifest.Exchange != got.Delivery.Exchange || o.Manifest.Document.SM3 != got.DocumentSM3 {
		return nil, verdict.Refuse(verdict.RecipientBinding, "the envelope is not the one of this delivery")
	}
	o.Received = got
	return o, nil
}

// judging is how this office judges seals: by its own rules and by the registry of its hub, where every seal of the offices
// of this hub stands: one that it does not know is nobody's, whoever made it. known is when the hub first accepted the
// document, where it did.
func (s *Service) judging(ctx context.Context, known time.Time) seal.VerifyOptions {
	o := seal.VerifyOptions{
		Policy: s.Policy, Now: s.Clock(), Records: func(id string) (seal.Record, error) { return s.Seals.Seal(ctx, id) },
		Registered: true,
	}
	if !known.IsZero() {
		o.Proven = &seal.ProvenTime{At: known, Source: verdict.TimeFromLog}
	}
	return o
}

// sealedIn are the seals that the sender's signed report says a file bears; nil where it says nothing of the file.
func sealedIn(r envelope.Report, file int) []string {
	var ids []string
	for _, u := range r.Seals {
		if u.File == file {
			ids = append(ids, u.Seal)
		}
	}
	return ids
}

// judge gives the verdict on every OFD and PDF among the files, and reads the metadata of the document. A classified
// file of any kind that slipped through is refused here.
func (s *Service) judge(ctx context.Context, o *Opened, known time.Time, dir string) error {
	for i, name := range o.Files {
		options := s.judging(ctx, known)
		options.Sealed = sealedIn(o.Manifest.Report, i)
		if err := CheckOpened(filepath.Join(dir, name)); err != nil {
			return err
		}
		lower := strings.ToLower(name)
		if !strings.HasSuffix(lower, ".ofd") && !strings.HasSuffix(lower, ".pdf") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		f, err := o.judgeOne(name, data, options)
		if err != nil {
			return err
		}
		f.File = name
		f.Attachment = envelope.IsAttachment(o.Document, f)
		o.Verdicts = append(o.Verdicts, f)
	}
	return nil
}

// judgeOne gives the verdict on an OFD or a PDF. The official document must be one that opens and has a page; of anything
// else the verdict says what is wrong with it.
func (o *Opened) judgeOne(name string, data []byte, options seal.VerifyOptions) (verdict.File, error) {
	switch {
	case strings.HasSuffix(strings.ToLower(name), ".pdf"):
		return pdfseal.Verify(data, options), nil
	case name != o.Document:
		return ofdseal.VerifyReader(bytes.NewReader(data), int64(len(data)), options)
	}
	pkg, err := checkUnclassified(data)
	if err != nil {
		return verdict.File{}, err
	}
	m, err := pkg.Metadata()
	if err != nil && !errors.Is(err, ofd.ErrNoMetadata) {
		return verdict.File{}, err
	}
	o.Metadata = m
	return ofdseal.Verify(pkg, options), nil
}

// SignFor states, with the office's own signature, that the office counted, checked and accepts the document (签收). It
// wants the document to have been opened and its seal to have passed; number is the office's own 签收编号.
func (s *Service) SignFor(ctx context.Context, who Person, o *Opened, number, comment string) (transport.Delivery, error) {
	if !who.Clerk {
		return transport.Delivery{}, fmt.Errorf("sign for delivery: %w", ErrForbidden)
	}
	if v := o.Verdict(); v != verdict.Passed {
		return transport.Delivery{}, fmt.Errorf("sign for delivery %s: %w (%s)", o.Received.Delivery.ID, ErrSeal, v)
	}
	return s.answer(ctx, who, transport.Acknowledge, o.Received, receipt.Statement{
		Event: transport.ConsignmentAcceptance, Number: number, Text: comment, Verdict: o.Verdict(),
	})
}

// Return sends a delivery back with a reason code of transport.ReturnReasons and a sentence (退回).
func (s *Service) Return(ctx context.Context, who Person, delivery, reason, text string) (transport.Delivery, error) {
	if !who.Clerk {
		return transport.Delivery{}, fmt.Errorf("return delivery: %w", ErrForbidden)
	}
	if _, known := transport.ReturnReasons()[reason]; !known || strings.TrimSpace(text) == "" {
		return transport.Delivery{}, fmt.Errorf("return delivery %s: %w", delivery, ErrReason)
	}
	got, err := s.Hub.Delivery(ctx, who, delivery)
	if err != nil {
		return transport.Delivery{}, fmt.Errorf("return delivery %s: %w", delivery, err)
	}
	return s.answer(ctx, who, transport.Return, got, receipt.Statement{
		Event: transport.ConsignmentRejection, Reason: reason, Text: text,
	})
}

// answer audits, signs the statement and hands it in.
func (s *Service) answer(ctx context.Context, who Person, act transport.Act, got Received, st receipt.Statement) (transport.Delivery, error) {
	id := got.Delivery.ID
	if err := s.note(ctx, who, "delivery."+string(act), id); err != nil {
		return transport.Delivery{}, err
	}
	stated, err := s.state(ctx, who.Office, got, st)
	if err != nil {
		return transport.Delivery{}, fmt.Errorf("%s delivery %s: %w", act, id, err)
	}
	d, err := s.Hub.Act(ctx, who, act, s.NewID(), id, stated)
	if err != nil {
		return transport.Delivery{}, fmt.Errorf("%s delivery %s: %w", act, id, err)
	}
	return d, nil
}

// state completes a statement about a delivery and signs it with the office's signing key.
func (s *Service) state(ctx context.Context, office string, got Received, st receipt.Statement) ([]byte, error) {
	st.Time, st.Exchange = s.Clock().UTC(), got.Delivery.Exchange
	st.Sender, st.Recipient = got.Delivery.Sender, got.Delivery.Recipient
	st.DocumentSM3, st.DocumentSHA256 = got.DocumentSM3, got.DocumentSHA256
	id, err := s.signerOf(ctx, office, useSign, keys.PurposeSign)
	if err != nil {
		return nil, err
	}
	return st.Sign(cms.SignOptions{Signer: id.signer, Certificate: id.cert, Chain: id.chain, Time: st.Time, Rand: s.Rand})
}

// Withdraw takes a document back from one recipient, as long as it was not signed for (撤回).
func (s *Service) Withdraw(ctx context.Context, who Person, exchange, recipient, text string) (transport.Delivery, error) {
	return s.bySender(ctx, who, transport.Withdraw, exchange, recipient, receipt.Statement{Event: transport.Withdrawal, Text: text})
}

// RequestWithdrawal asks a recipient to give back a document that was handed over (请求退还). It is recorded with the office's
// signature and forces nothing.
func (s *Service) RequestWithdrawal(ctx context.Context, who Person, exchange, recipient, text string) (transport.Delivery, error) {
	return s.bySender(ctx, who, transport.RequestWithdrawal, exchange, recipient, receipt.Statement{Event: transport.WithdrawalRequest, Text: text})
}

// AcknowledgeReturn states that the sending office saw that a recipient sent the document back (退回确认); with it that
// recipient's part ends.
func (s *Service) AcknowledgeReturn(ctx context.Context, who Person, exchange, recipient string) (transport.Delivery, error) {
	return s.bySender(ctx, who, transport.AcknowledgeReturn, exchange, recipient, receipt.Statement{Event: transport.ReturnAcknowledgement})
}

func (s *Service) bySender(
	ctx context.Context, who Person, act transport.Act, exchange, recipient string, st receipt.Statement,
) (transport.Delivery, error) {
	if !who.Clerk {
		return transport.Delivery{}, fmt.Errorf("%s: %w", act, ErrForbidden)
	}
	got, err := s.Hub.Sent(ctx, who, exchange, recipient)
	if err != nil {
		return transport.Delivery{}, fmt.Errorf("%s exchange %s: %w", act, exchange, err)
	}
	if err := s.note(ctx, who, "exchange."+string(act), exchange); err != nil {
		return transport.Delivery{}, err
	}
	stated, err := s.state(ctx, who.Office, got, st)
	if err != nil {
		return transport.Delivery{}, fmt.Errorf("%s exchange %s: %w", act, exchange, err)
	}
	d, err := s.Hub.SenderAct(ctx, who, act, s.NewID(), exchange, recipient, stated)
	if err != nil {
		return transport.Delivery{}, fmt.Errorf("%s exchange %s: %w", act, exchange, err)
	}
	return d, nil
}
