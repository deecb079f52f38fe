package office

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"yinxin/archive/blob"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/seal/pdfseal"
	"yinxin/transport"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// The names under which a document travels.
const (
	DocumentName = "document.ofd"
	CopyName     = "document.pdf"
)

// sealAndPack seals what was approved, packs it for every recipient, the archive and the sender itself, and keeps the
// envelope: from here on the same bytes are submitted, however often it takes.
func (s *Service) sealAndPack(ctx context.Context, d Dispatch) (Dispatch, error) {
	if err := s.scanAgain(ctx, d); err != nil {
		return d, err
	}
	files, err := s.applySeal(ctx, d)
	if err != nil {
		return d, err
	}
	report, err := s.check(ctx, files.ofd, time.Time{}, SealUseOf(d))
	if err == nil {
		err = unpassed(pdfseal.Verify(files.pdf, s.judging(ctx, time.Time{})))
	}
	if err != nil {
		return d, err
	}
	ref, err := s.pack(ctx, d, files, report)
	if err != nil {
		return d, err
	}
	d.Envelope, d.State = ref, Packed
	return d, s.Dispatches.SaveDispatch(ctx, d, Approved)
}

// SealUseOf says in the sender's report which seal was used on whose approval.
func SealUseOf(d Dispatch) []envelope.SealUse {
	return []envelope.SealUse{{File: 0, Seal: d.Seal, Approval: d.Digest}}
}

// pack writes the envelope into the drafts store and returns its name there.
func (s *Service) pack(ctx context.Context, d Dispatch, files sealed, report envelope.Report) (string, error) {
	o, err := s.packOptions(ctx, d)
	if err != nil {
		return "", err
	}
	o.Report, o.Document = report, 0
	o.Files = []envelope.Source{
		{Name: DocumentName, Content: bytes.NewReader(files.ofd)}, {Name: CopyName, Content: bytes.NewReader(files.pdf)},
	}
	return s.keepEnvelope(ctx, o)
}

// packOptions says for whom a dispatch is packed and who signs; the files are the caller's.
func (s *Service) packOptions(ctx context.Context, d Dispatch) (envelope.PackOptions, error) {
	sign, err := s.signerOf(ctx, d.Office, useSign, keys.PurposeSign)
	if err != nil {
		return envelope.PackOptions{}, err
	}
	own, err := s.partyOf(ctx, d.Office)
	if err != nil {
		return envelope.PackOptions{}, err
	}
	to, err := s.recipients(ctx, d)
	if err != nil {
		return envelope.PackOptions{}, err
	}
	return envelope.PackOptions{
		Exchange: d.Exchange, Sender: d.Office, Own: own, Recipients: to, Urgency: d.Urgency, Refers: d.Refers, Document: -1,
		Sign: cms.SignOptions{Signer: sign.signer, Certificate: sign.cert, Chain: sign.chain, Time: s.Clock().UTC(), Rand: s.Rand},
		Rand: s.Rand,
	}, nil
}

func (s *Service) keepEnvelope(ctx context.Context, o envelope.PackOptions) (_ string, err error) {
	f, err := os.CreateTemp(s.TempDir, "pack-*.yxe")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := envelope.Pack(f, o); err != nil {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	info, err := s.Drafts.Put(ctx, f)
	return info.Ref.String(), err
}

// recipients reads the encryption certificates of all who receive a part: the addressees and the archive.
func (s *Service) recipients(ctx context.Context, d Dispatch) ([]envelope.Recipient, error) {
	all := d.Recipients
	if s.Archive != "" {
		all = append(slices.Clip(all), Recipient{Code: s.Archive, Role: transport.ForArchive})
	}
	to := make([]envelope.Recipient, 0, len(all))
	for _, r := range all {
		c, err := s.partyOf(ctx, r.Code)
		if err != nil {
			return nil, err
		}
		if err := c.CheckUse(cert.UseEncrypt); err != nil {
			return nil, fmt.Errorf("recipient %s: %w", r.Code, err)
		}
		to = append(to, envelope.Recipient{Code: r.Code, Role: r.Role, Certificate: c, Copies: r.Copies})
	}
	return to, nil
}

// submit hands the packed envelope in; the dispatch's id is the idempotency key, so that doing it again is harmless.
func (s *Service) submit(ctx context.Context, d Dispatch) (Dispatch, error) {
	ref, err := blob.ParseRef(d.Envelope)
	if err != nil {
		return d, err
	}
	r, err := s.Drafts.Open(ctx, ref)
	if err != nil {
		return d, err
	}
	who := Person{Account: d.Requester, Office: d.Office, Clerk: true}
	_, err = s.Hub.Submit(ctx, who, d.ID, r)
	err = errors.Join(err, r.Close())
	switch {
	case errors.Is(err, ErrRefused):
		d.State = Refused
	case err != nil: // it stays packed and is submitted again
		return d, err
	default:
		d.State = Sent
	}
	return d, errors.Join(err, s.Dispatches.SaveDispatch(ctx, d, Packed))
}

// Sealed returns the sealed document and its PDF copy of a dispatch that was packed, reopened with the office's own part
// of the envelope.
func (s *Service) Sealed(ctx context.Context, who Person, id, dir string) (*Opened, error) {
	d, err := s.Dispatches.Dispatch(ctx, who.Office, id)
	if err != nil {
		return nil, fmt.Errorf("reopen dispatch %s: %w", id, err)
	}
	if d.Envelope == "" {
		return nil, fmt.Errorf("reopen dispatch %s in state %s: %w", id, d.State, ErrState)
	}
	if err := s.note(ctx, who, "dispatch.reopen", id); err != nil {
		return nil, err
	}
	ref, err := blob.ParseRef(d.Envelope)
	if err != nil {
		return nil, err
	}
	r, err := s.Drafts.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	var known time.Time
	if d.State == Sent {
		known, err = s.Hub.Owns(ctx, who, d.Exchange)
	}
	var o *Opened
	if err == nil {
		o, err = s.OpenEnvelope(ctx, who.Office, r, r.Size(), known, dir)
	}
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("reopen dispatch %s: %w", id, err)
	}
	return o, nil
}

// OpenEnvelope opens an envelope with the office's own key, the version that it is addressed to, into dir and judges what it holds. known is when the hub first
// accepted the document; zero where it is not known.
func (s *Service) OpenEnvelope(ctx context.Context, office string, r io.ReaderAt, size int64, known time.Time, dir string) (*Opened, error) {
	env, err := envelope.Parse(r, size)
	if err != nil {
		return nil, err
	}
	key, err := s.decrypterFor(ctx, office, env)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	got, err := env.Open(envelope.OpenOptions{Key: key, Policy: s.Policy, Now: s.Clock(), Sink: envelope.Dir(dir)})
	if err != nil {
		return nil, err
	}
	if !got.Released() {
		return nil, &EnvelopeError{Report: got.Report}
	}
	o := &Opened{Manifest: got.Manifest}
	for _, f := range got.Files {
		o.Files = append(o.Files, f.Name)
	}
	if got.Document >= 0 {
		o.Document = got.Files[got.Document].Name
	}
	if err := s.judge(ctx, o, known, dir); err != nil {
		return nil, err
	}
	return o, s.noteSender(ctx, o)
}

// noteSender warns where another office sends what the document's 发文机关 issued: that is how a document is forwarded, and
// how one is passed off.
func (s *Service) noteSender(ctx context.Context, o *Opened) error {
	if o.Metadata.Issuer.Name == "" {
		return nil
	}
	sender, err := s.Directory.Organisation(ctx, o.Manifest.Sender)
	if err != nil {
		return err
	}
	for i := range o.Verdicts {
		if o.Verdicts[i].File == o.Document && !named(sender, o.Metadata.Issuer.Name) {
			o.Verdicts[i].Warn(verdict.SenderMismatch, "%s sends a document of %s", sender.Name, o.Metadata.Issuer.Name)
		}
	}
	return nil
}

// EnvelopeError says that an envelope was not opened because its outside or its content did not pass; Report says why.
type EnvelopeError struct{ Report verdict.File }

// Error gives verdict and reason.
func (e *EnvelopeError) Error() string {
	return fmt.Sprintf("office: the envelope does not pass: %s (%s)", e.Report.Verdict, e.Report.Reason)
}

// DigestOf is the SM3 of bytes, as approvals and evidence name them.
func DigestOf(data []byte) transport.Digest { return gm.SM3(data) }
