package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/hub"
	"yinxin/transport/office"
	"yinxin/transport/receipt"
)

// Keeper joins the archive, which knows records and their retention, with the hub, which keeps decisions and their evidence:
// the keeping of records as the HTTP edge sees it.
type Keeper struct{ s *System }

// Keeper is the keeping of this system's records.
func (s *System) Keeper() Keeper { return Keeper{s} }

// Record is a record as an archivist of the keeping office sees it, what was disposed of too.
func (k Keeper) Record(ctx context.Context, idOrCode string) (archive.Record, error) {
	e, err := k.s.Database.Record(ctx, idOrCode)
	return e.Record, err
}

// Due lists records whose retention period has ended at a moment.
func (k Keeper) Due(ctx context.Context, at time.Time) ([]archive.Record, error) {
	return k.s.Archive.Due(ctx, at)
}

// Decisions are the holds and disposals of a record.
func (k Keeper) Decisions(ctx context.Context, c hub.Caller, r archive.Record) ([]hub.Keeping, error) {
	return k.s.Hub.Keepings(ctx, c, r.Exchange)
}

// List lists decisions about all records.
func (k Keeper) List(ctx context.Context, c hub.Caller, f hub.KeepingFilter) ([]hub.Keeping, error) {
	return k.s.Hub.ListKeepings(ctx, c, f)
}

// Hold places a legal hold on a record.
func (k Keeper) Hold(ctx context.Context, c hub.Caller, r archive.Record, basis string) (hub.Keeping, error) {
	return k.s.Hub.PlaceHold(ctx, c, r.Exchange, basis, k.s.stating(archive.ActHold))
}

// Release ends a hold.
func (k Keeper) Release(ctx context.Context, c hub.Caller, id, why string) (hub.Keeping, error) {
	return k.s.Hub.ReleaseHold(ctx, c, id, why, k.s.stating(archive.ActRelease))
}

// Propose asks for the disposal of a record whose retention period has ended.
func (k Keeper) Propose(ctx context.Context, c hub.Caller, r archive.Record, basis, backupsUntil string) (hub.Keeping, error) {
	if !r.DisposedAt.IsZero() {
		return hub.Keeping{}, &hub.Refusal{Code: api.Disposed, Detail: "the record was disposed of"}
	}
	if !r.MayBeDisposed(k.s.config.Clock()) {
		detail := "the record is kept for ever"
		if day, forEver := r.KeepUntil(); !forEver {
			detail = "its retention period ends with the day before " + day.Format(time.DateOnly)
		}
		return hub.Keeping{}, &hub.Refusal{Code: api.InvalidTransition, Detail: detail}
	}
	return k.s.Hub.ProposeDisposal(ctx, c, r.Exchange, basis, backupsUntil)
}

// Decide approves or declines a disposal.
func (k Keeper) Decide(ctx context.Context, c hub.Caller, id, why string, approve bool) (hub.Keeping, error) {
	return k.s.Hub.DecideDisposal(ctx, c, id, why, approve)
}

// Supplements names what the archive keeps of a record beside its package, oldest first.
func (k Keeper) Supplements(ctx context.Context, r archive.Record) ([]blob.Ref, error) {
	return k.s.supplements(ctx, r.Exchange)
}

// OpenSupplement opens the n-th supplement of a record, from 1.
func (k Keeper) OpenSupplement(ctx context.Context, r archive.Record, n int) (io.ReadCloser, error) {
	if !r.DisposedAt.IsZero() {
		return nil, archive.ErrDisposed
	}
	all, err := k.s.supplements(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	if n < 1 || n > len(all) {
		return nil, archive.ErrNotFound
	}
	return k.s.Blobs.Open(ctx, all[n-1])
}

// supplements are the blobs that the entries about an exchange name.
func (s *System) supplements(ctx context.Context, exchange string) (refs []blob.Ref, err error) {
	err = s.Database.View(ctx, func(r hub.Reader) error {
		all, err := r.ExchangeEvidence(exchange)
		for _, ev := range all {
			if ev.Event != transport.Supplement {
				continue
			}
			e, err := receipt.ParseEntry(ev.Leaf)
			if err != nil {
				return err
			}
			refs = append(refs, blob.Ref(e.Object))
		}
		return err
	})
	return refs, err
}

// stating signs decisions in the archive's name.
func (s *System) stating(act archive.KeepingAct) hub.Stating {
	return func(ctx context.Context, k hub.Keeping) ([]byte, error) {
		if err := s.archiveSigner(ctx); err != nil {
			return nil, err
		}
		found, err := s.Database.FindRecords(ctx, archive.Query{Exchange: k.Exchange, Limit: 1})
		if err == nil && len(found) == 0 {
			err = archive.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		return s.Archive.State(statement(act, found[0], k))
	}
}

func statement(act archive.KeepingAct, e archive.Entry, k hub.Keeping) archive.KeepingStatement {
	s := archive.KeepingStatement{
		Act: act, ID: k.ID, Record: e.Record.ID, ArchivalCode: e.Record.ArchivalCode, Retention: e.Record.Retention,
		Exchange: k.Exchange, DocumentSM3: e.Record.DocumentSM3, PackageSM3: e.Package.String(), Basis: k.Basis,
		BackupsUntil: k.BackupsUntil,
	}
	first, second := "placed", "released"
	if k.Kind == hub.Disposal {
		first, second = "proposed", "approved"
	}
	s.Decisions = []archive.Decision{{Act: first, Account: k.By, At: k.At}}
	if k.DecidedBy != "" {
		s.Decisions = append(s.Decisions, archive.Decision{Act: second, Account: k.DecidedBy, At: k.DecidedAt, Words: k.Why})
	}
	return s
}

// Destroy implements hub.Archiver: the package, its supplements, the description in the index, and what the office service
// of the sender still holds of the draft and the packed envelope. The statement is signed first, so that nothing is
// destroyed without one.
func (d *depositor) Destroy(ctx context.Context, k hub.Keeping) ([]byte, error) {
	proof, err := d.s.stating(archive.ActDisposal)(ctx, k)
	if err != nil {
		return nil, err
	}
	found, err := d.s.Database.FindRecords(ctx, archive.Query{Exchange: k.Exchange, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, errors.Join(err, archive.ErrNotFound)
	}
	more, err := d.s.supplements(ctx, k.Exchange)
	if err != nil {
		return nil, err
	}
	if err := d.forgetDispatch(ctx, found[0].Record); err != nil {
		return nil, err
	}
	return proof, d.s.Archive.Destroy(ctx, found[0].Record.ID, more...)
}

// forgetDispatch removes the blobs of the sender's dispatch, where this hub hosts it.
func (d *depositor) forgetDispatch(ctx context.Context, r archive.Record) error {
	p, err := d.s.Database.DispatchOf(ctx, r.Issuer, r.Exchange)
	if errors.Is(err, office.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range []string{p.Draft, p.Envelope} {
		if name == "" {
			continue
		}
		ref, err := blob.ParseRef(name)
		if err != nil {
			return fmt.Errorf("dispatch %s: %w", p.ID, err)
		}
		if err := d.s.Blobs.Remove(ctx, ref); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("dispatch %s: %w", p.ID, err)
		}
	}
	return d.s.Database.ForgetDispatch(ctx, p)
}
