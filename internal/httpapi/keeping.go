package httpapi

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
)

// Keeper is the keeping of records: retention, legal holds, disposal, supplements. Whoever asks is of the keeping office.
type Keeper interface {
	Record(ctx context.Context, idOrCode string) (archive.Record, error)
	Due(ctx context.Context, at time.Time) ([]archive.Record, error)
	Decisions(ctx context.Context, c hub.Caller, r archive.Record) ([]hub.Keeping, error)
	List(ctx context.Context, c hub.Caller, f hub.KeepingFilter) ([]hub.Keeping, error)
	Hold(ctx context.Context, c hub.Caller, r archive.Record, basis string) (hub.Keeping, error)
	Release(ctx context.Context, c hub.Caller, id, why string) (hub.Keeping, error)
	Propose(ctx context.Context, c hub.Caller, r archive.Record, basis, backupsUntil string) (hub.Keeping, error)
	Decide(ctx context.Context, c hub.Caller, id, why string, approve bool) (hub.Keeping, error)
	Supplements(ctx context.Context, r archive.Record) ([]blob.Ref, error)
	OpenSupplement(ctx context.Context, r archive.Record, n int) (io.ReadCloser, error)
}

// keepingRoutes: an archivist holds and proposes, an approver of the same office decides; the hub sees to it that they are
// two persons. Either of them releases a hold that the other placed.
func (s *Server) keepingRoutes() []Route {
	const p = api.Prefix
	archivist := []directory.Role{directory.Archivist}
	approver := []directory.Role{directory.Approver}
	either := []directory.Role{directory.Archivist, directory.Approver}
	record := p + "/archive/{id:[^/]{1,128}}"
	decision := p + "/keeping/{id:" + id + "}"
	return []Route{
		{Method: http.MethodGet, Path: record + "/keeping", Access: ByRole, Roles: either, Handle: s.keptRecord()},
		{Method: http.MethodGet, Path: record + "/supplements/{number:[0-9]{1,6}}", Access: ByRole, Roles: either, Handle: s.supplement},
		{Method: http.MethodPost, Path: record + "/holds", Access: ByRole, Roles: archivist, Handle: s.hold()},
		{Method: http.MethodPost, Path: record + "/disposals", Access: ByRole, Roles: archivist, Handle: s.proposeDisposal()},
		{Method: http.MethodPost, Path: decision + "/release", Access: ByRole, Roles: either, Handle: s.releaseHold()},
		{Method: http.MethodPost, Path: decision + "/approve", Access: ByRole, Roles: approver, Handle: s.decideDisposal(true)},
		{Method: http.MethodPost, Path: decision + "/decline", Access: ByRole, Roles: approver, Handle: s.decideDisposal(false)},
		{Method: http.MethodGet, Path: p + "/keeping/due", Access: ByRole, Roles: either, Handle: s.dueRecords()},
		{Method: http.MethodGet, Path: p + "/keeping", Access: ByRole, Roles: either, Handle: s.listKeepings()},
	}
}

// keeper gives the keeping to accounts of the office that keeps the records; for others there is none.
func (s *Server) keeper(c *Call) (Keeper, error) {
	if s.c.Keeper == nil {
		return nil, api.NewProblem(api.NotFound, "this hub keeps no archive")
	}
	o, err := s.c.Directory.Organisation(c.Context(), c.Account.Org)
	if err != nil {
		return nil, err
	}
	if !o.Archive {
		return nil, api.NewProblem(api.NotFound, "")
	}
	return s.c.Keeper, nil
}

// withRecord finds the record of the path.
func (s *Server) withRecord(c *Call) (Keeper, archive.Record, error) {
	k, err := s.keeper(c)
	if err != nil {
		return nil, archive.Record{}, err
	}
	r, err := k.Record(c.Context(), c.Var("id"))
	return k, r, err
}

func (s *Server) keptRecord() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.KeptRecord, error) {
		k, r, err := s.withRecord(c)
		if err != nil {
			return api.KeptRecord{}, err
		}
		out := api.KeptRecord{Record: wireRecord(r), Decisions: []api.Keeping{}, Supplements: []string{}}
		if day, forEver := r.KeepUntil(); !forEver {
			out.KeepUntil = day.Format(time.DateOnly)
		}
		decisions, err := k.Decisions(ctx, c.Caller(), r)
		if err != nil {
			return out, err
		}
		for _, d := range decisions {
			out.Decisions = append(out.Decisions, wireKeeping(d))
		}
		refs, err := k.Supplements(ctx, r)
		for _, ref := range refs {
			out.Supplements = append(out.Supplements, ref.String())
		}
		return out, err
	})
}

func wireKeeping(k hub.Keeping) api.Keeping {
	w := api.Keeping{
		ID: k.ID, Exchange: k.Exchange, Kind: string(k.Kind), State: string(k.State), Basis: k.Basis, By: k.By, At: k.At,
		BackupsUntil: k.BackupsUntil, DecidedBy: k.DecidedBy, Why: k.Why, Entry: k.Entry, Statement: k.Statement,
		EndEntry: k.EndEntry, EndStatement: k.EndStatement,
	}
	if !k.DecidedAt.IsZero() {
		w.DecidedAt = &k.DecidedAt
	}
	return w
}

// supplement hands out receipts that came after the deposit, a zip file.
func (s *Server) supplement(w http.ResponseWriter, c *Call) error {
	k, r, err := s.withRecord(c)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(c.Var("number"))
	if err != nil {
		return api.NewProblem(api.NotFound, "")
	}
	body, err := k.OpenSupplement(c.Context(), r, n)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := s.c.Auditor.Record(c.Context(), c.Audit("archive.retrieve", r.ID, transport.Allowed)); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(r.ID)+"-"+strconv.Itoa(n)+`.zip"`)
	if _, err := io.Copy(w, body); err != nil {
		panic(http.ErrAbortHandler) // a cut file must not look whole
	}
	return nil
}

func (s *Server) hold() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.KeepingBasis) (api.Keeping, error) {
		k, r, err := s.withRecord(c)
		if err != nil {
			return api.Keeping{}, err
		}
		made, err := k.Hold(ctx, c.Caller(), r, in.Basis)
		return wireKeeping(made), err
	})
}

func (s *Server) proposeDisposal() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.DisposalProposal) (api.Keeping, error) {
		k, r, err := s.withRecord(c)
		if err != nil {
			return api.Keeping{}, err
		}
		made, err := k.Propose(ctx, c.Caller(), r, in.Basis, in.BackupsUntil)
		return wireKeeping(made), err
	})
}

func (s *Server) releaseHold() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.KeepingBasis) (api.Keeping, error) {
		k, err := s.keeper(c)
		if err != nil {
			return api.Keeping{}, err
		}
		now, err := k.Release(ctx, c.Caller(), c.Var("id"), in.Basis)
		return wireKeeping(now), err
	})
}

func (s *Server) decideDisposal(approve bool) Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.KeepingBasis) (api.Keeping, error) {
		k, err := s.keeper(c)
		if err != nil {
			return api.Keeping{}, err
		}
		now, err := k.Decide(ctx, c.Caller(), c.Var("id"), in.Basis, approve)
		return wireKeeping(now), err
	})
}

func (s *Server) dueRecords() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.ArchiveRecord], error) {
		out := api.List[api.ArchiveRecord]{Items: []api.ArchiveRecord{}}
		k, err := s.keeper(c)
		if err != nil {
			return out, err
		}
		at := s.c.Clock()
		if text := c.URL.Query().Get("at"); text != "" {
			if at, err = time.Parse(time.DateOnly, text); err != nil {
				return out, api.NewProblem(api.Validation, "at is a date, yyyy-mm-dd")
			}
		}
		due, err := k.Due(ctx, at)
		for _, r := range due {
			out.Items = append(out.Items, wireRecord(r))
		}
		return out, err
	})
}

func (s *Server) listKeepings() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Keeping], error) {
		none := api.List[api.Keeping]{}
		k, err := s.keeper(c)
		if err != nil {
			return none, err
		}
		p, err := pageOf(c)
		if err != nil {
			return none, err
		}
		f := hub.KeepingFilter{
			Kind: hub.KeepingKind(c.URL.Query().Get("kind")), State: hub.KeepingState(c.URL.Query().Get("state")),
			Page: hub.Page{After: p.After, Limit: min(p.Limit+1, api.MaxLimit)},
		}
		if f.Kind != hub.LegalHold && f.Kind != hub.Disposal {
			return none, api.NewProblem(api.Validation, "kind is hold or disposal")
		}
		got, err := k.List(ctx, c.Caller(), f)
		if err != nil {
			return none, err
		}
		items := make([]api.Keeping, 0, len(got))
		for _, d := range got {
			items = append(items, wireKeeping(d))
		}
		return list(items, min(p.Limit, api.MaxLimit-1), func(k api.Keeping) string { return k.ID }), nil
	})
}
