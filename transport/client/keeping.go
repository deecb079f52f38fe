package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"yinxin/transport/api"
)

// KeptRecord shows the keeping of a record: until when, decisions, supplements. By id or 档号.
func (c *Client) KeptRecord(ctx context.Context, idOrCode string) (api.KeptRecord, error) {
	return callJSON[api.KeptRecord](ctx, c, http.MethodGet, "/archive/"+url.PathEscape(idOrCode)+"/keeping", "", nil, nil)
}

// Supplement writes the n-th supplement of a record (zip) to w, from 1. After an error w holds a part of it.
func (c *Client) Supplement(ctx context.Context, idOrCode string, n int, w io.Writer) error {
	return c.download(ctx, "/archive/"+url.PathEscape(idOrCode)+"/supplements/"+strconv.Itoa(n), w)
}

// Hold places a legal hold on a record.
func (c *Client) Hold(ctx context.Context, idOrCode, basis string) (api.Keeping, error) {
	return callJSON[api.Keeping](ctx, c, http.MethodPost, "/archive/"+url.PathEscape(idOrCode)+"/holds", "", api.KeepingBasis{Basis: basis}, nil)
}

// ReleaseHold ends a hold by its id.
func (c *Client) ReleaseHold(ctx context.Context, hold, basis string) (api.Keeping, error) {
	return c.decide(ctx, hold, "release", basis)
}

// ProposeDisposal asks for the disposal of a record.
func (c *Client) ProposeDisposal(ctx context.Context, idOrCode string, p api.DisposalProposal) (api.Keeping, error) {
	return callJSON[api.Keeping](ctx, c, http.MethodPost, "/archive/"+url.PathEscape(idOrCode)+"/disposals", "", p, nil)
}

// ApproveDisposal and DeclineDisposal decide on a proposal by its id.
func (c *Client) ApproveDisposal(ctx context.Context, disposal, words string) (api.Keeping, error) {
	return c.decide(ctx, disposal, "approve", words)
}

// DeclineDisposal is the other answer.
func (c *Client) DeclineDisposal(ctx context.Context, disposal, words string) (api.Keeping, error) {
	return c.decide(ctx, disposal, "decline", words)
}

func (c *Client) decide(ctx context.Context, id, what, basis string) (api.Keeping, error) {
	return callJSON[api.Keeping](ctx, c, http.MethodPost, "/keeping/"+url.PathEscape(id)+"/"+what, "", api.KeepingBasis{Basis: basis}, nil)
}

// DueRecords lists records whose retention period has ended on a day (yyyy-mm-dd; empty: today), at most 200 of each 保管期限.
func (c *Client) DueRecords(ctx context.Context, at string) (api.List[api.ArchiveRecord], error) {
	q := url.Values{}
	if at != "" {
		q.Set("at", at)
	}
	return callJSON[api.List[api.ArchiveRecord]](ctx, c, http.MethodGet, "/keeping/due?"+q.Encode(), "", nil, nil)
}

// Keepings lists decisions of a kind (hold, disposal) about all records, newest first; an empty state means all.
func (c *Client) Keepings(ctx context.Context, kind, state string, p Page) (api.List[api.Keeping], error) {
	q := url.Values{"kind": {kind}}
	if state != "" {
		q.Set("state", state)
	}
	return callJSON[api.List[api.Keeping]](ctx, c, http.MethodGet, "/keeping"+p.query(q), "", nil, nil)
}
