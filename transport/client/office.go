package client

import (
	"context"
	"net/http"
	"net/url"

	"yinxin/transport/api"
)

// AskForSeal composes a draft at the hosted office and asks for its seal. It is not repeated by itself: a second call
// would be a second dispatch.
func (c *Client) AskForSeal(ctx context.Context, r api.DispatchRequest) (api.Dispatch, error) {
	return callJSON[api.Dispatch](ctx, c, http.MethodPost, "/office/dispatches", "", r, nil)
}

// Dispatches lists the office's dispatches, newest first; an empty state means all.
func (c *Client) Dispatches(ctx context.Context, state string, p Page) (api.List[api.Dispatch], error) {
	q := url.Values{}
	if state != "" {
		q.Set("state", state)
	}
	return callJSON[api.List[api.Dispatch]](ctx, c, http.MethodGet, "/office/dispatches"+p.query(q), "", nil, nil)
}

// Dispatch shows one of the office's dispatches.
func (c *Client) Dispatch(ctx context.Context, id string) (api.Dispatch, error) {
	return callJSON[api.Dispatch](ctx, c, http.MethodGet, "/office/dispatches/"+url.PathEscape(id), "", nil, nil)
}

// Preview returns the unsealed files of a dispatch.
func (c *Client) Preview(ctx context.Context, id string) ([]api.NamedFile, error) {
	return callJSON[[]api.NamedFile](ctx, c, http.MethodGet, "/office/dispatches/"+url.PathEscape(id)+"/preview", "", nil, nil)
}

// Decide approves or declines a dispatch. A repeat of a decision that was taken answers invalid_transition.
func (c *Client) Decide(ctx context.Context, id string, d api.Decision) (api.Dispatch, error) {
	return callJSON[api.Dispatch](ctx, c, http.MethodPost, "/office/dispatches/"+url.PathEscape(id)+"/decision", "", d, nil)
}

// OpenDocument has the hosted office open a delivery with its own key; the files come with the verdict on them.
func (c *Client) OpenDocument(ctx context.Context, delivery string) (api.OpenedDocument, error) {
	return callJSON[api.OpenedDocument](ctx, c, http.MethodPost, "/office/deliveries/"+url.PathEscape(delivery)+"/open", "", nil, nil)
}

// SignFor has the hosted office sign for a delivery with its own key.
func (c *Client) SignFor(ctx context.Context, delivery string, s api.SignFor) (api.Delivery, error) {
	return callJSON[api.Delivery](ctx, c, http.MethodPost, "/office/deliveries/"+url.PathEscape(delivery)+"/sign-for", "", s, nil)
}

// GiveBack has the hosted office return a delivery.
func (c *Client) GiveBack(ctx context.Context, delivery string, g api.GiveBack) (api.Delivery, error) {
	return callJSON[api.Delivery](ctx, c, http.MethodPost, "/office/deliveries/"+url.PathEscape(delivery)+"/return", "", g, nil)
}

// WithdrawFrom has the hosted office take a document back from one recipient.
func (c *Client) WithdrawFrom(ctx context.Context, exchange string, a api.SenderAct) (api.Delivery, error) {
	return callJSON[api.Delivery](ctx, c, http.MethodPost, "/office/exchanges/"+url.PathEscape(exchange)+"/withdraw", "", a, nil)
}

// AskBack has the hosted office ask a recipient to give back what was handed over.
func (c *Client) AskBack(ctx context.Context, exchange string, a api.SenderAct) (api.Delivery, error) {
	return callJSON[api.Delivery](ctx, c, http.MethodPost, "/office/exchanges/"+url.PathEscape(exchange)+"/request-withdrawal", "", a, nil)
}

// Reissue has the hosted office send what it sent before to more recipients. The same key gives the same dispatch.
func (c *Client) Reissue(ctx context.Context, key, exchange string, r api.Reissuing) (api.Dispatch, error) {
	return callJSON[api.Dispatch](ctx, c, http.MethodPost, "/office/exchanges/"+url.PathEscape(exchange)+"/reissue", key, r, nil)
}

// ReturnSeen has the hosted office acknowledge that a recipient sent the document back.
func (c *Client) ReturnSeen(ctx context.Context, exchange string, a api.SenderAct) (api.Delivery, error) {
	return callJSON[api.Delivery](ctx, c, http.MethodPost, "/office/exchanges/"+url.PathEscape(exchange)+"/acknowledge-return", "", a, nil)
}

// ReportRefused has a refusal recorded that was made before anything was sent.
func (c *Client) ReportRefused(ctx context.Context, r api.Refused) error {
	_, err := callJSON[struct{}](ctx, c, http.MethodPost, "/office/refusals", "", r, nil)
	return err
}

// Establish registers an office whose keys the hub keeps.
func (c *Client) Establish(ctx context.Context, o api.Organisation) (api.Organisation, error) {
	return callJSON[api.Organisation](ctx, c, http.MethodPost, "/office/organisations", "", o, nil)
}

// Certify registers an office that keeps its own keys; the answer holds its two certificates.
func (c *Client) Certify(ctx context.Context, r api.CertifyRequest) (api.Organisation, error) {
	return callJSON[api.Organisation](ctx, c, http.MethodPost, "/office/certificates", "", r, nil)
}
