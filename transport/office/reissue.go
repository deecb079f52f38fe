package office

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yinxin/transport"
	"yinxin/transport/envelope"
)

// ErrReference says that an exchange that is to be reissued, corrected or annulled is none of this office's.
var ErrReference = errors.New("office: it sent no such exchange")

// ErrHolders says that a correction or an annulment does not go to everybody who has the document.
var ErrHolders = errors.New("office: it must go to everybody who has the document")

// checkReference looks, before anybody approves a seal, whether the office sent what it wants to correct, and whether the
// correction goes to everybody who has it; without recipients it is addressed to all of them. The hub looks again.
func (s *Service) checkReference(ctx context.Context, who Person, ask SealAsk) ([]Recipient, error) {
	r, to := ask.Refers, ask.Recipients
	if r == (transport.Reference{}) {
		return to, nil
	}
	if err := r.Validate(); err != nil || r.Kind == transport.Reissues {
		return nil, fmt.Errorf("%w: %q of %q", ErrReference, r.Kind, r.Exchange)
	}
	has, err := s.Hub.Holders(ctx, who, r.Exchange)
	if err != nil {
		return nil, err
	}
	if len(to) == 0 {
		for i := range has {
			has[i].Copies = ask.Copies
		}
		return has, nil
	}
	var missing []string
	for _, h := range has {
		if !slices.ContainsFunc(to, func(t Recipient) bool { return t.Code == h.Code }) {
			missing = append(missing, h.Code)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w, %s too", ErrHolders, strings.Join(missing, ", "))
	}
	return to, nil
}

// Reissue sends a document that the office sent before to more recipients (补发): the files as they were sealed then, under
// the same number, in an envelope of their own. The seal is not used again, so no approval is asked for. The key names the
// dispatch: the same key again goes on with the same one.
func (s *Service) Reissue(ctx context.Context, who Person, key, exchange string, to []Recipient) (Dispatch, error) {
	if !who.Clerk {
		return Dispatch{}, fmt.Errorf("reissue: %w", ErrForbidden)
	}
	id := dispatchID(who.Office, key)
	d, err := s.Dispatches.Dispatch(ctx, who.Office, id)
	if errors.Is(err, ErrNotFound) {
		d, err = s.prepareReissue(ctx, who, id, exchange, to)
	}
	if err != nil {
		return Dispatch{}, fmt.Errorf("reissue %s: %w", exchange, err)
	}
	if d.Refers != (transport.Reference{Kind: transport.Reissues, Exchange: exchange}) {
		return Dispatch{}, fmt.Errorf("reissue %s: the key was used for another dispatch: %w", exchange, ErrState)
	}
	return s.Continue(ctx, d)
}

// dispatchID derives the id of a dispatch from an idempotency key of its office.
func dispatchID(office, key string) string {
	sum := DigestOf([]byte(office + "\n" + key))
	return "re-" + sum.String()[:40]
}

// prepareReissue opens the office's own copy, packs its files anew and keeps the dispatch as packed.
func (s *Service) prepareReissue(ctx context.Context, who Person, id, exchange string, to []Recipient) (_ Dispatch, err error) {
	known, err := s.Hub.Owns(ctx, who, exchange)
	if err != nil {
		return Dispatch{}, err
	}
	if err := s.checkAddressees(ctx, who.Office, to); err != nil {
		return Dispatch{}, err
	}
	if err := s.note(ctx, who, "exchange.reissue", exchange); err != nil {
		return Dispatch{}, err
	}
	dir, err := os.MkdirTemp(s.TempDir, "reissue-")
	if err != nil {
		return Dispatch{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	opened, err := s.openOwn(ctx, who, exchange, known, dir)
	if err != nil {
		return Dispatch{}, err
	}
	d := Dispatch{
		ID: id, Office: who.Office, Requester: who.Account, Exchange: s.NewID(), Recipients: to, Urgency: opened.Manifest.Urgency,
		Refers: transport.Reference{Kind: transport.Reissues, Exchange: exchange}, State: Packed, CreatedAt: s.Clock().UTC(),
	}
	if d.Envelope, err = s.packAgain(ctx, d, opened, known, dir); err != nil {
		return Dispatch{}, err
	}
	return d, s.Dispatches.AddDispatch(ctx, d)
}

// openOwn fetches and opens what the office sent.
func (s *Service) openOwn(ctx context.Context, who Person, exchange string, known time.Time, dir string) (_ *Opened, err error) {
	f, err := os.CreateTemp(s.TempDir, "own-*.yxe")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := s.Hub.OwnEnvelope(ctx, who, exchange, f); err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return s.OpenEnvelope(ctx, who.Office, f, st.Size(), known, filepath.Join(dir, "files"))
}

// packAgain packs the opened files for the recipients of d and keeps the envelope. The sender's report is made anew.
func (s *Service) packAgain(ctx context.Context, d Dispatch, opened *Opened, known time.Time, dir string) (_ string, err error) {
	o, err := s.packOptions(ctx, d)
	if err != nil {
		return "", err
	}
	for i, name := range opened.Files {
		f, err := os.Open(filepath.Join(dir, "files", name))
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
		o.Files = append(o.Files, envelope.Source{Name: name, Content: f})
		if name != opened.Document {
			continue
		}
		o.Document = i
		data, err := os.ReadFile(f.Name())
		if err != nil {
			return "", err
		}
		if o.Report, err = s.check(ctx, data, known, opened.Manifest.Report.Seals); err != nil {
			return "", err
		}
	}
	return s.keepEnvelope(ctx, o)
}
