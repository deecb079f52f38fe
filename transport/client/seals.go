package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"yinxin/transport/api"
)

// Seals lists a page of the seals of the own office; where the account is a custodian's, of the office named or (empty) of all.
func (c *Client) Seals(ctx context.Context, office string, p Page) (api.List[api.Seal], error) {
	return callJSON[api.List[api.Seal]](ctx, c, http.MethodGet, "/office/seals"+p.query(ofOffice(office)), "", nil, nil)
}

// AllSeals is [Client.Seals] with every page: a register.
func (c *Client) AllSeals(ctx context.Context, office string) (api.List[api.Seal], error) {
	all := api.List[api.Seal]{Items: []api.Seal{}}
	p := Page{Limit: api.MaxLimit}
	for {
		got, err := c.Seals(ctx, office, p)
		if err != nil {
			return all, err
		}
		all.Items = append(all.Items, got.Items...)
		if got.Next == "" {
			return all, nil
		}
		if got.Next == p.Cursor || len(got.Items) == 0 {
			return all, fmt.Errorf("the hub's list of seals does not go on after %.60q", got.Next)
		}
		p.Cursor = got.Next
	}
}

func ofOffice(office string) url.Values {
	q := url.Values{}
	if office != "" {
		q.Set("office", office)
	}
	return q
}

// Seal shows one seal with its history and its file.
func (c *Client) Seal(ctx context.Context, id string) (api.Seal, error) {
	return callJSON[api.Seal](ctx, c, http.MethodGet, "/office/seals/"+url.PathEscape(id), "", nil, nil)
}

// SealUses lists what a seal was used for, newest first.
func (c *Client) SealUses(ctx context.Context, id string, p Page) (api.List[api.SealUse], error) {
	return callJSON[api.List[api.SealUse]](ctx, c, http.MethodGet, "/office/seals/"+url.PathEscape(id)+"/uses"+p.query(url.Values{}), "", nil, nil)
}

// SealStanding is what the registry says of a seal of any office, for whoever has a document that bears it.
func (c *Client) SealStanding(ctx context.Context, id string) (api.SealStanding, error) {
	return callJSON[api.SealStanding](ctx, c, http.MethodGet, "/seals/"+url.PathEscape(id), "", nil, nil)
}

// MakeSeal has a seal made and registered.
func (c *Client) MakeSeal(ctx context.Context, m api.SealMaking) (api.Seal, error) {
	return callJSON[api.Seal](ctx, c, http.MethodPost, "/office/seals", "", m, nil)
}

// ChangeSeal suspends, resumes or voids a seal.
func (c *Client) ChangeSeal(ctx context.Context, id string, ch api.SealChange) (api.Seal, error) {
	return callJSON[api.Seal](ctx, c, http.MethodPost, "/office/seals/"+url.PathEscape(id)+"/status", "", ch, nil)
}

// RenewSeal has a seal made anew for the newest sealing key; the old one is voided. The answer is the new one.
func (c *Client) RenewSeal(ctx context.Context, id string, t api.SealTerm) (api.Seal, error) {
	return callJSON[api.Seal](ctx, c, http.MethodPost, "/office/seals/"+url.PathEscape(id)+"/renew", "", t, nil)
}

// RequestSeal asks for a new seal of the own office.
func (c *Client) RequestSeal(ctx context.Context, r api.SealRequest) (api.SealRequest, error) {
	return callJSON[api.SealRequest](ctx, c, http.MethodPost, "/office/seal-requests", "", r, nil)
}

// SealRequests lists requests for seals, newest first: of the own office, of another or (empty) of all for a custodian.
func (c *Client) SealRequests(ctx context.Context, office string, p Page) (api.List[api.SealRequest], error) {
	return callJSON[api.List[api.SealRequest]](ctx, c, http.MethodGet, "/office/seal-requests"+p.query(ofOffice(office)), "", nil, nil)
}

// SealRequest shows one request.
func (c *Client) SealRequest(ctx context.Context, id string) (api.SealRequest, error) {
	return callJSON[api.SealRequest](ctx, c, http.MethodGet, "/office/seal-requests/"+url.PathEscape(id), "", nil, nil)
}

// MakeRequested has the seal made that a request asks for.
func (c *Client) MakeRequested(ctx context.Context, id string, t api.SealTerm) (api.SealRequest, error) {
	return callJSON[api.SealRequest](ctx, c, http.MethodPost, "/office/seal-requests/"+url.PathEscape(id)+"/make", "", t, nil)
}

// DeclineRequest refuses a request, with a reason.
func (c *Client) DeclineRequest(ctx context.Context, id, reason string) (api.SealRequest, error) {
	return callJSON[api.SealRequest](ctx, c, http.MethodPost, "/office/seal-requests/"+url.PathEscape(id)+"/decline", "",
		api.SealChange{Reason: reason}, nil)
}

// RegisterRequested enters the seal that was made for a request in the registry.
func (c *Client) RegisterRequested(ctx context.Context, id string) (api.Seal, error) {
	return callJSON[api.Seal](ctx, c, http.MethodPost, "/office/seal-requests/"+url.PathEscape(id)+"/register", "", nil, nil)
}

// RegisterSeal enters a seal that was made elsewhere in the registry.
func (c *Client) RegisterSeal(ctx context.Context, r api.SealRegistration) (api.Seal, error) {
	return callJSON[api.Seal](ctx, c, http.MethodPost, "/office/seal-registrations", "", r, nil)
}
