package httpapi

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"yinxin/seal"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/office"
)

// sealRoutes are the routes of the life of a seal. An office asks for its seals and uses them, the custodian makes,
// registers, suspends, voids and renews them, an auditor reads what they were used for.
func (o OfficeService) sealRoutes() []Route {
	const p = api.Prefix + "/office"
	custodian := []directory.Role{directory.Custodian}
	keepers := []directory.Role{directory.Clerk, directory.SealKeeper}
	readers := []directory.Role{directory.Clerk, directory.Approver, directory.SealKeeper, directory.Custodian}
	uses := append(slices.Clone(readers), directory.Auditor)
	const request = p + "/seal-requests/{id:" + id + "}"
	const one = p + "/seals/{id:" + id + "}"
	return []Route{
		{Method: http.MethodGet, Path: p + "/seals", Access: ByRole, Roles: readers, Handle: o.listSeals()},
		{Method: http.MethodPost, Path: p + "/seals", Access: ByRole, Roles: custodian, Handle: o.makeSeal()},
		{Method: http.MethodGet, Path: one, Access: ByRole, Roles: readers, Handle: o.showSeal()},
		{Method: http.MethodGet, Path: one + "/uses", Access: ByRole, Roles: uses, Handle: o.listUses()},
		{Method: http.MethodPost, Path: one + "/status", Access: ByRole, Roles: custodian, Handle: o.changeSeal()},
		{Method: http.MethodPost, Path: one + "/renew", Access: ByRole, Roles: custodian, Handle: o.renewSeal()},
		{Method: http.MethodPost, Path: p + "/seal-requests", Access: ByRole, Roles: keepers, Handle: o.requestSeal()},
		{Method: http.MethodGet, Path: p + "/seal-requests", Access: ByRole, Roles: readers, Handle: o.listSealRequests()},
		{Method: http.MethodGet, Path: request, Access: ByRole, Roles: readers, Handle: o.showSealRequest()},
		{Method: http.MethodPost, Path: request + "/make", Access: ByRole, Roles: custodian, Handle: o.makeRequested()},
		{Method: http.MethodPost, Path: request + "/decline", Access: ByRole, Roles: custodian, Handle: o.declineRequest()},
		{Method: http.MethodPost, Path: request + "/register", Access: ByRole, Roles: custodian, Handle: o.registerRequested()},
		{Method: http.MethodPost, Path: p + "/seal-registrations", Access: ByRole, Roles: custodian, Handle: o.registerSeal()},
		// Who has a document has the identity of its seal; what the registry says of it decides whether the seal holds.
		{Method: http.MethodGet, Path: api.Prefix + "/seals/{id:" + id + "}", Access: Public, Handle: o.sealStanding()},
	}
}

// onlySeal is the seal of an office that has one in force and no other.
func (o OfficeService) onlySeal(ctx context.Context, code string) (string, error) {
	all, err := o.Seals.SealsOf(ctx, code)
	if err != nil {
		return "", err
	}
	var found []string
	for _, r := range all {
		if r.InForce(o.Office.Clock()) == nil {
			found = append(found, r.ID)
		}
	}
	if len(found) != 1 {
		return "", api.NewProblem(api.Validation, fmt.Sprintf("the office has %d seals in force", len(found)),
			api.Fault{Pointer: "/seal", Detail: "name one seal"})
	}
	return found[0], nil
}

// officeOf is whose seals are asked for: the caller's, or the one that a custodian names, or (empty) every office's for a
// custodian who names none.
func officeOf(c *Call) string {
	if !c.Account.Has(directory.Custodian) {
		return c.Account.Org
	}
	return c.URL.Query().Get("office")
}

// noCursor refuses to go on after what is not in the list.
func noCursor() error {
	return api.NewProblem(api.Validation, "", api.Fault{Pointer: "cursor", Detail: "is not a cursor of this list"})
}

// pageThrough cuts a page out of a list that is held whole.
func pageThrough[T any](c *Call, items []T, id func(T) string) (api.List[T], error) {
	p, err := pageOf(c)
	if err != nil {
		return api.List[T]{}, err
	}
	if p.After != "" {
		i := slices.IndexFunc(items, func(v T) bool { return id(v) == p.After })
		if i < 0 {
			return api.List[T]{}, noCursor()
		}
		items = items[i+1:]
	}
	return list(items, p.Limit, id), nil
}

func (o OfficeService) listSeals() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Seal], error) {
		got, err := o.Seals.SealsOf(ctx, officeOf(c))
		if err != nil {
			return api.List[api.Seal]{}, err
		}
		items := make([]api.Seal, 0, len(got))
		for _, r := range got {
			items = append(items, o.wireSeal(r))
		}
		return pageThrough(c, items, func(s api.Seal) string { return s.ID })
	})
}

// visibleSeal is a seal of the caller's own office, or any for those who see all. Another office's does not exist.
func (o OfficeService) visibleSeal(ctx context.Context, c *Call, all ...directory.Role) (seal.Record, error) {
	r, err := o.Seals.Seal(ctx, c.Var("id"))
	if err == nil && r.Office != c.Account.Org && !c.Account.Has(all...) {
		err = seal.ErrUnknownSeal
	}
	return r, refused(err)
}

func (o OfficeService) showSeal() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.Seal, error) {
		r, err := o.visibleSeal(ctx, c, directory.Custodian)
		out := o.wireSeal(r)
		out.ESL = r.ESL
		return out, err
	})
}

func (o OfficeService) listUses() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.SealUse], error) {
		r, err := o.visibleSeal(ctx, c, directory.Custodian, directory.Auditor)
		if err != nil {
			return api.List[api.SealUse]{}, err
		}
		got, err := o.Seals.Uses(ctx, r.ID)
		if err != nil {
			return api.List[api.SealUse]{}, err
		}
		items := make([]api.SealUse, 0, len(got))
		for _, u := range slices.Backward(got) {
			item, err := wireUse(u)
			if err != nil {
				return api.List[api.SealUse]{}, err
			}
			items = append(items, item)
		}
		return pageThrough(c, items, func(u api.SealUse) string { return u.ID })
	})
}

func wireUse(u seal.Use) (api.SealUse, error) {
	statement, err := u.Statement()
	if err != nil {
		return api.SealUse{}, err
	}
	out := api.SealUse{
		ID: u.ID, Seal: u.SealID, At: u.At, Document: hex.EncodeToString(u.Document[:]), Sealed: hex.EncodeToString(u.Sealed[:]),
		ToBeSigned: hex.EncodeToString(u.ToBeSigned[:]), Places: []api.SealPlace{}, Operator: u.Operator, Approver: u.Approver,
		Approval: u.ApprovalID, Statement: string(statement),
	}
	if u.Copy != [32]byte{} {
		out.Copy = hex.EncodeToString(u.Copy[:])
	}
	for _, st := range u.Stamps {
		out.Places = append(out.Places, api.SealPlace{Page: st.Page + 1, X: st.X, Y: st.Y, W: st.W, H: st.H})
	}
	return out, nil
}

func (o OfficeService) wireSeal(r seal.Record) api.Seal {
	status, _ := r.StatusAt(o.Office.Clock())
	out := api.Seal{
		ID: r.ID, Name: r.Name, Office: r.Office, Keeper: r.Keeper, Status: string(status), From: r.From, To: r.To,
		SM3: fmt.Sprintf("%x", r.SM3), History: []api.SealChange{},
	}
	for _, ch := range r.History {
		out.History = append(out.History, api.SealChange{To: string(ch.To), Reason: ch.Reason, By: ch.By, At: ch.At})
	}
	return out
}

// sealStanding tells anybody when a seal was in force, and nothing of the people who decided so.
func (o OfficeService) sealStanding() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.SealStanding, error) {
		r, err := o.Seals.Seal(ctx, c.Var("id"))
		if err != nil {
			return api.SealStanding{}, refused(err)
		}
		s := o.wireSeal(r)
		for i := range s.History {
			s.History[i].By, s.History[i].Reason = "", ""
		}
		return api.SealStanding{
			ID: s.ID, Name: s.Name, Office: s.Office, SM3: s.SM3, From: s.From, To: s.To, Status: s.Status, History: s.History,
		}, nil
	})
}

func (o OfficeService) makeSeal() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.SealMaking) (api.Seal, error) {
		r, err := o.Registrar.MakeSeal(ctx, office.PersonOf(c.Account), office.SealRequest{
			Office: in.Office, Name: in.Name, BottomLine: in.BottomLine, Diameter: in.Diameter, Keeper: in.Keeper,
			Term: seal.Term{From: in.From, To: in.To},
		})
		return o.wireSeal(r), refused(err)
	})
}

func (o OfficeService) changeSeal() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.SealChange) (api.Seal, error) {
		r, err := o.Registrar.ChangeSeal(ctx, office.PersonOf(c.Account), c.Var("id"), seal.Status(in.To), in.Reason)
		return o.wireSeal(r), refused(err)
	})
}

func (o OfficeService) renewSeal() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.SealTerm) (api.Seal, error) {
		r, err := o.Registrar.RenewSeal(ctx, office.PersonOf(c.Account), c.Var("id"), office.Renewal{Term: termOf(in), Rotate: in.Rotate})
		return o.wireSeal(r), refused(err)
	})
}

func termOf(t api.SealTerm) seal.Term { return seal.Term{From: t.From, To: t.To} }

func (o OfficeService) registerSeal() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.SealRegistration) (api.Seal, error) {
		r, err := o.Registrar.RegisterSeal(ctx, office.PersonOf(c.Account), office.SealFile{
			Office: in.Office, Keeper: in.Keeper, Key: in.Key, ESL: in.ESL,
		})
		return o.wireSeal(r), refused(err)
	})
}

func (o OfficeService) requestSeal() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.SealRequest) (api.SealRequest, error) {
		q, err := o.Registrar.RequestSeal(ctx, office.PersonOf(c.Account), office.SealWish{
			Name: in.Name, BottomLine: in.BottomLine, Number: in.Number, Diameter: in.Diameter, Rank: in.Rank, Keeper: in.Keeper,
			Reason: in.Reason, SigningRequest: in.SigningRequest,
		})
		return wireSealRequest(q), refused(err)
	})
}

func wireSealRequest(q seal.Request) api.SealRequest {
	return api.SealRequest{
		Name: q.Name, BottomLine: q.BottomLine, Number: q.Number, Diameter: q.Diameter, Keeper: q.Keeper, Reason: q.Reason,
		SigningRequest: q.SigningRequest, ID: q.ID, Office: q.Office, Requester: q.Requester, State: string(q.State), CreatedAt: q.CreatedAt,
		DecidedBy: q.DecidedBy, DecidedAt: q.DecidedAt, Comment: q.Comment, Seal: q.SealID, ESL: q.ESL, Certificate: string(q.Certificate),
	}
}

// listSealRequests lists without the seals themselves.
func (o OfficeService) listSealRequests() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.SealRequest], error) {
		p, err := pageOf(c)
		if err != nil {
			return api.List[api.SealRequest]{}, err
		}
		if p.After != "" {
			q, err := o.Seals.SealRequest(ctx, p.After)
			if of := officeOf(c); errors.Is(err, seal.ErrUnknownRequest) || err == nil && of != "" && q.Office != of {
				return api.List[api.SealRequest]{}, noCursor()
			}
			if err != nil {
				return api.List[api.SealRequest]{}, err
			}
		}
		got, err := o.Seals.SealRequests(ctx, officeOf(c), p.After, p.Limit+1)
		if err != nil {
			return api.List[api.SealRequest]{}, err
		}
		items := make([]api.SealRequest, 0, len(got))
		for _, q := range got {
			one := wireSealRequest(q)
			one.ESL, one.Certificate, one.SigningRequest = nil, "", nil
			items = append(items, one)
		}
		return list(items, p.Limit, func(q api.SealRequest) string { return q.ID }), nil
	})
}

func (o OfficeService) showSealRequest() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.SealRequest, error) {
		q, err := o.Seals.SealRequest(ctx, c.Var("id"))
		if err == nil && q.Office != c.Account.Org && !c.Account.Has(directory.Custodian) {
			err = seal.ErrUnknownRequest
		}
		if err != nil {
			return api.SealRequest{}, refused(err)
		}
		return wireSealRequest(q), nil
	})
}

func (o OfficeService) makeRequested() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.SealTerm) (api.SealRequest, error) {
		q, err := o.Registrar.MakeRequested(ctx, office.PersonOf(c.Account), c.Var("id"), termOf(in))
		return wireSealRequest(q), refused(err)
	})
}

func (o OfficeService) declineRequest() Handler {
	return serveJSON(func(ctx context.Context, c *Call, in api.SealChange) (api.SealRequest, error) {
		q, err := o.Registrar.DeclineRequest(ctx, office.PersonOf(c.Account), c.Var("id"), in.Reason)
		return wireSealRequest(q), refused(err)
	})
}

func (o OfficeService) registerRequested() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, _ struct{}) (api.Seal, error) {
		r, err := o.Registrar.RegisterRequested(ctx, office.PersonOf(c.Account), c.Var("id"))
		return o.wireSeal(r), refused(err)
	})
}
