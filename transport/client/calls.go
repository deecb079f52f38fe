package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"yinxin/transport/api"
)

// Login opens a session and uses it from then on. It is not to be called while other
// calls run.
func (c *Client) Login(ctx context.Context, account, secret string) (api.Session, error) {
	s, err := callJSON[api.Session](ctx, c, http.MethodPost, "/sessions", "", api.Login{Account: account, Secret: secret}, nil)
	if err == nil {
		c.o.Token = s.Token
	}
	return s, err
}

// Logout ends the session.
func (c *Client) Logout(ctx context.Context) error {
	_, err := callJSON[struct{}](ctx, c, http.MethodDelete, "/sessions/current", "", nil, nil)
	if err == nil {
		c.o.Token = ""
	}
	return err
}

// Whoami returns the account of the session.
func (c *Client) Whoami(ctx context.Context) (api.Account, error) {
	return callJSON[api.Account](ctx, c, http.MethodGet, "/sessions/current", "", nil, nil)
}

// Sessions lists the open logins of the own account.
func (c *Client) Sessions(ctx context.Context) (api.List[api.OpenLogin], error) {
	return callJSON[api.List[api.OpenLogin]](ctx, c, http.MethodGet, "/sessions", "", nil, nil)
}

// RevokeSession ends one of them.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	_, err := callJSON[struct{}](ctx, c, http.MethodDelete, "/sessions/"+url.PathEscape(id), "", nil, nil)
	return err
}

// RevokeAccount ends every login of an account.
func (c *Client) RevokeAccount(ctx context.Context, account string) error {
	_, err := callJSON[struct{}](ctx, c, http.MethodDelete, "/accounts/"+url.PathEscape(account)+"/sessions", "", nil, nil)
	return err
}

// Page selects a part of a list. The zero value is its beginning.
type Page struct {
	Cursor string
	Limit  int // 0: the hub's default
}

func (p Page) query(q url.Values) string {
	if p.Cursor != "" {
		q.Set("cursor", p.Cursor)
	}
	if p.Limit > 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Organisations lists offices by code.
func (c *Client) Organisations(ctx context.Context, p Page) (api.List[api.Organisation], error) {
	return callJSON[api.List[api.Organisation]](ctx, c, http.MethodGet, "/organisations"+p.query(url.Values{}), "", nil, nil)
}

// Organisation returns an office.
func (c *Client) Organisation(ctx context.Context, code string) (api.Organisation, error) {
	return callJSON[api.Organisation](ctx, c, http.MethodGet, "/organisations/"+url.PathEscape(code), "", nil, nil)
}

// OrganisationTag returns an office with the tag that a change of it must name.
func (c *Client) OrganisationTag(ctx context.Context, code string) (o api.Organisation, tag string, err error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: api.Prefix + "/organisations/" + url.PathEscape(code), twice: true})
	if err != nil {
		return o, "", err
	}
	return o, resp.Header.Get("ETag"), decode(resp, &o)
}

// SaveOrganisation changes an office whose tag the caller has seen; with an empty tag
// it makes a new one.
func (c *Client) SaveOrganisation(ctx context.Context, o api.Organisation, tag string) (api.Organisation, error) {
	header := http.Header{"If-Match": {tag}}
	if tag == "" {
		header = http.Header{"If-None-Match": {"*"}}
	}
	return callJSON[api.Organisation](ctx, c, http.MethodPut, "/organisations/"+url.PathEscape(o.Code), "", o, header)
}

// Accounts lists the accounts of an office, of all for an empty code.
func (c *Client) Accounts(ctx context.Context, org string, p Page) (api.List[api.Account], error) {
	q := url.Values{}
	if org != "" {
		q.Set("org", org)
	}
	return callJSON[api.List[api.Account]](ctx, c, http.MethodGet, "/accounts"+p.query(q), "", nil, nil)
}

// AddAccount makes an account. With an empty secret the hub makes one and returns it,
// this once.
func (c *Client) AddAccount(ctx context.Context, a api.Account) (api.Account, error) {
	return callJSON[api.Account](ctx, c, http.MethodPost, "/accounts", "", a, nil)
}

// Opener gives the bytes of an envelope anew for each try.
type Opener func() (io.ReadCloser, error)

// Submit hands in an envelope of size bytes. The answer has no Receipt while it is
// being built; Receipt fetches it later. Sending the same bytes under the same key
// again, from another process too, gives the same exchange and receipt.
func (c *Client) Submit(ctx context.Context, key string, size int64, envelope Opener) (api.Submission, error) {
	var out api.Submission
	resp, err := c.send(ctx, request{
		method: http.MethodPost, path: api.Prefix + "/exchanges", key: key, size: size, body: envelope,
		header: http.Header{"Content-Type": {api.TypeEnvelope}},
	})
	if err != nil {
		return out, err
	}
	return out, decode(resp, &out)
}

// SubmitBytes is Submit of an envelope in memory.
func (c *Client) SubmitBytes(ctx context.Context, key string, envelope []byte) (api.Submission, error) {
	return c.Submit(ctx, key, int64(len(envelope)), func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(envelope)), nil
	})
}

// Exchanges lists what the own office sent, newest first.
func (c *Client) Exchanges(ctx context.Context, p Page) (api.List[api.Exchange], error) {
	return callJSON[api.List[api.Exchange]](ctx, c, http.MethodGet, "/exchanges"+p.query(url.Values{}), "", nil, nil)
}

// Track shows one exchange with every recipient's state and all evidence.
func (c *Client) Track(ctx context.Context, exchange string) (api.Exchange, error) {
	return callJSON[api.Exchange](ctx, c, http.MethodGet, "/exchanges/"+url.PathEscape(exchange), "", nil, nil)
}

func (c *Client) senderAct(ctx context.Context, verb, key, exchange, recipient string, statement []byte) (api.Moved, error) {
	return callJSON[api.Moved](ctx, c, http.MethodPost, "/exchanges/"+url.PathEscape(exchange)+"/"+verb, key,
		api.Statement{Recipient: recipient, Statement: statement}, nil)
}

// Withdraw takes a delivery back, with the sender's signed statement.
func (c *Client) Withdraw(ctx context.Context, key, exchange, recipient string, statement []byte) (api.Moved, error) {
	return c.senderAct(ctx, "withdraw", key, exchange, recipient, statement)
}

// AcknowledgeReturn says that the sender saw a return, with its signed statement.
func (c *Client) AcknowledgeReturn(ctx context.Context, key, exchange, recipient string, statement []byte) (api.Moved, error) {
	return c.senderAct(ctx, "acknowledge-return", key, exchange, recipient, statement)
}

// RequestWithdrawal asks for a document back after the hand-over, with the sender's signed statement.
func (c *Client) RequestWithdrawal(ctx context.Context, key, exchange, recipient string, statement []byte) (api.Moved, error) {
	return c.senderAct(ctx, "request-withdrawal", key, exchange, recipient, statement)
}

// Check says that the sender looked whether its recipients have the document. It is written once.
func (c *Client) Check(ctx context.Context, exchange string) (api.Exchange, error) {
	key, err := c.NewKey()
	if err != nil {
		return api.Exchange{}, err
	}
	return callJSON[api.Exchange](ctx, c, http.MethodPost, "/exchanges/"+url.PathEscape(exchange)+"/check", key, nil, nil)
}

// Copies lists the numbered copies of a delivery.
func (c *Client) Copies(ctx context.Context, delivery string) (api.List[api.Copy], error) {
	return callJSON[api.List[api.Copy]](ctx, c, http.MethodGet, "/deliveries/"+url.PathEscape(delivery)+"/copies", "", nil, nil)
}

// Print takes the next numbered copy of a delivery, before it is rendered.
func (c *Client) Print(ctx context.Context, key, delivery string) (api.Printed, error) {
	return callJSON[api.Printed](ctx, c, http.MethodPost, "/deliveries/"+url.PathEscape(delivery)+"/copies", key, nil, nil)
}

// VoidCopy says that a copy was spoilt.
func (c *Client) VoidCopy(ctx context.Context, key, delivery string, number int) (api.Printed, error) {
	return callJSON[api.Printed](ctx, c, http.MethodPost,
		"/deliveries/"+url.PathEscape(delivery)+"/copies/"+strconv.Itoa(number)+"/void", key, nil, nil)
}

// Remind urges a recipient.
func (c *Client) Remind(ctx context.Context, key, exchange, recipient string) (api.Moved, error) {
	return c.senderAct(ctx, "remind", key, exchange, recipient, nil)
}

// Inbox lists the deliveries to the own office, newest first; states limit it.
func (c *Client) Inbox(ctx context.Context, p Page, states ...string) (api.List[api.Delivery], error) {
	q := url.Values{}
	if len(states) > 0 {
		q.Set("state", strings.Join(states, ","))
	}
	return callJSON[api.List[api.Delivery]](ctx, c, http.MethodGet, "/inbox"+p.query(q), "", nil, nil)
}

// Delivery shows one delivery to the own office.
func (c *Client) Delivery(ctx context.Context, id string) (api.Delivery, error) {
	return callJSON[api.Delivery](ctx, c, http.MethodGet, "/deliveries/"+url.PathEscape(id), "", nil, nil)
}

func (c *Client) recipientAct(ctx context.Context, verb, key, delivery string, statement []byte) (api.Moved, error) {
	return callJSON[api.Moved](ctx, c, http.MethodPost, "/deliveries/"+url.PathEscape(delivery)+"/"+verb, key,
		api.Statement{Statement: statement}, nil)
}

// Open takes the content over, with the recipient's signed statement. Envelope
// downloads it afterwards.
func (c *Client) Open(ctx context.Context, key, delivery string, statement []byte) (api.Moved, error) {
	return c.recipientAct(ctx, "open", key, delivery, statement)
}

// Acknowledge signs for a delivery, with the recipient's signed statement.
func (c *Client) Acknowledge(ctx context.Context, key, delivery string, statement []byte) (api.Moved, error) {
	return c.recipientAct(ctx, "acknowledge", key, delivery, statement)
}

// Return sends a delivery back, with the recipient's signed statement, which holds the reason.
func (c *Client) Return(ctx context.Context, key, delivery string, statement []byte) (api.Moved, error) {
	return c.recipientAct(ctx, "return", key, delivery, statement)
}

// Envelope writes the envelope of an opened delivery to w. After an error w holds a
// part of it and must be thrown away.
func (c *Client) Envelope(ctx context.Context, delivery string, w io.Writer) error {
	return c.download(ctx, "/deliveries/"+url.PathEscape(delivery)+"/envelope", w)
}

// OwnEnvelope writes the sender's own copy of an exchange to w.
func (c *Client) OwnEnvelope(ctx context.Context, exchange string, w io.Writer) error {
	return c.download(ctx, "/exchanges/"+url.PathEscape(exchange)+"/envelope", w)
}

// download writes a file to w. One that is cut off goes on where it ended, as long as each try brings something or tries are
// left; a file that has changed meanwhile is an error.
func (c *Client) download(ctx context.Context, path string, w io.Writer) error {
	r := request{method: http.MethodGet, path: api.Prefix + path, twice: true, stream: true}
	var had int64
	var tag string
	for try := 1; ; try++ {
		if had > 0 {
			r.header = http.Header{"Range": {"bytes=" + strconv.FormatInt(had, 10) + "-"}, "If-Range": {tag}}
		}
		resp, err := c.send(ctx, r)
		if err != nil {
			return err
		}
		if had > 0 && resp.StatusCode != http.StatusPartialContent {
			drain(resp.Body)
			return fmt.Errorf("download %s: %w: it has changed while it came", path, ErrUnreachable)
		}
		tag = resp.Header.Get("ETag")
		n, err := io.Copy(w, &answered{Reader: resp.Body})
		drain(resp.Body)
		if err == nil {
			return nil
		}
		var cut *cutError
		if had += n; n > 0 {
			try = 0
		}
		if !errors.As(err, &cut) || tag == "" || ctx.Err() != nil || try == c.o.Tries {
			return fmt.Errorf("download %s: %w: %w", path, ErrUnreachable, err)
		}
		if err := c.rest(ctx, try); err != nil {
			return err
		}
	}
}

// rest waits before the next try.
func (c *Client) rest(ctx context.Context, try int) error {
	timer := time.NewTimer(c.o.Pause << max(0, try-1))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// answered tells failures of reading an answer from those of writing it down.
type answered struct{ io.Reader }

type cutError struct{ err error }

// Error gives the reason.
func (e *cutError) Error() string { return e.err.Error() }

// Unwrap gives the reason.
func (e *cutError) Unwrap() error { return e.err }

// Read implements io.Reader.
func (a *answered) Read(b []byte) (int, error) {
	n, err := a.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = &cutError{err}
	}
	return n, err
}

// Receipt returns the receipt of an evidence entry, or ErrPending while it is not
// built.
func (c *Client) Receipt(ctx context.Context, entry string) ([]byte, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: api.Prefix + "/receipts/" + url.PathEscape(entry), twice: true})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusAccepted {
		return nil, ErrPending
	}
	return io.ReadAll(resp.Body)
}

// receiptPause is the wait between two questions for a pending receipt.
const receiptPause = 100 * time.Millisecond

// WaitReceipt asks for a receipt until it is built or ctx ends.
func (c *Client) WaitReceipt(ctx context.Context, entry string) ([]byte, error) {
	for {
		body, err := c.Receipt(ctx, entry)
		if !errors.Is(err, ErrPending) {
			return body, err
		}
		timer := time.NewTimer(receiptPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ErrPending
		case <-timer.C:
		}
	}
}

// ArchiveQuery selects records; empty fields select all.
type ArchiveQuery struct {
	// Text and Title are words; the others are asked for as a whole.
	Text, Title, Number, Exchange, Code, Issuer, Kind, Retention, DocumentSM3 string
	// From and To bound the 成文日期, yyyy-mm-dd.
	From, To string
	// Elements are metadata, NAME=VALUE.
	Elements []string
	Page     Page
}

// SearchArchive finds records that the own office may see, newest first.
func (c *Client) SearchArchive(ctx context.Context, a ArchiveQuery) (api.List[api.ArchiveRecord], error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"q": a.Text, "number": a.Number, "title": a.Title, "exchange": a.Exchange, "code": a.Code, "issuer": a.Issuer, "kind": a.Kind,
		"retention": a.Retention, "document_sm3": a.DocumentSM3, "from": a.From, "to": a.To,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, e := range a.Elements {
		q.Add("element", e)
	}
	return callJSON[api.List[api.ArchiveRecord]](ctx, c, http.MethodGet, "/archive"+a.Page.query(q), "", nil, nil)
}

// ArchivePackage writes a record package (zip) to w, by id or 档号. After an error w
// holds a part of it.
func (c *Client) ArchivePackage(ctx context.Context, idOrCode string, w io.Writer) error {
	return c.download(ctx, "/archive/"+url.PathEscape(idOrCode), w)
}

// RecordEvidence lists the entries of the log about a record's exchange, in their order.
func (c *Client) RecordEvidence(ctx context.Context, idOrCode string) (api.List[api.Evidence], error) {
	return callJSON[api.List[api.Evidence]](ctx, c, http.MethodGet, "/archive/"+url.PathEscape(idOrCode)+"/evidence", "", nil, nil)
}

// LogKey returns the verifier key (vkey) of the hub's evidence log, and Roots its
// trust anchors (PEM). Both are claims of the hub: compare them with what you have
// from elsewhere before you trust them.
func (c *Client) LogKey(ctx context.Context) ([]byte, error) {
	return c.small(ctx, api.Prefix+"/log/key")
}

// Roots returns the hub's trust anchors; see LogKey.
func (c *Client) Roots(ctx context.Context) ([]byte, error) { return c.small(ctx, api.Prefix+"/roots") }

// Fetch returns a file of the evidence log: "checkpoint" or "tile/…". With it a
// Client is a tlog.Fetcher. A missing file is an *api.Problem with not_found that
// wraps fs.ErrNotExist.
func (c *Client) Fetch(ctx context.Context, path string) ([]byte, error) {
	body, err := c.small(ctx, "/log/"+path)
	var p *api.Problem
	if errors.As(err, &p) && p.Code == api.NotFound {
		return nil, missing{p}
	}
	return body, err
}

func (c *Client) small(ctx context.Context, path string) ([]byte, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: path, twice: true})
	if err != nil {
		return nil, err
	}
	return io.ReadAll(resp.Body)
}
