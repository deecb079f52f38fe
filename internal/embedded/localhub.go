package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"yinxin/crypto/gm"
	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/envelope"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// localHub lets the office service speak to a hub in the same process, with the same rights as over the network.
type localHub struct{ hub *hub.Hub }

var _ office.Hub = localHub{}

func caller(who office.Person) hub.Caller { return hub.Caller{Account: who.Account, Org: who.Office} }

// Submit implements office.Hub.
func (l localHub) Submit(ctx context.Context, who office.Person, key string, envelope io.Reader) (office.Submission, error) {
	a, err := l.hub.Submit(ctx, caller(who), key, envelope)
	if refusal, ok := errors.AsType[*hub.Refusal](err); ok && !api.MeaningOf(refusal.Code).Retryable {
		return office.Submission{}, fmt.Errorf("%w: %w", office.ErrRefused, err)
	}
	if err != nil {
		return office.Submission{}, err
	}
	return office.Submission{Exchange: a.Exchange.ID, Entry: a.Exchange.Entry}, nil
}

// Delivery implements office.Hub.
func (l localHub) Delivery(ctx context.Context, who office.Person, id string) (office.Received, error) {
	got, err := l.hub.Delivery(ctx, caller(who), id)
	if err != nil {
		return office.Received{}, err
	}
	return office.Received{
		Delivery: got.Delivery, DocumentSM3: got.Exchange.DocumentSM3, DocumentSHA256: got.Exchange.DocumentSHA256,
		KnownSince: got.KnownSince,
	}, nil
}

// Envelope implements office.Hub.
func (l localHub) Envelope(ctx context.Context, who office.Person, delivery string, w io.Writer) error {
	return l.hub.Envelope(ctx, caller(who), delivery, w)
}

// Sent implements office.Hub.
func (l localHub) Sent(ctx context.Context, who office.Person, exchange, recipient string) (office.Received, error) {
	t, err := l.hub.Track(ctx, caller(who), exchange)
	if err != nil {
		return office.Received{}, err
	}
	for _, d := range t.Deliveries {
		if d.Recipient == recipient {
			return office.Received{
				Delivery: d, DocumentSM3: t.Exchange.DocumentSM3, DocumentSHA256: t.Exchange.DocumentSHA256,
			}, nil
		}
	}
	return office.Received{}, fmt.Errorf("recipient %s of exchange %s: %w", recipient, exchange, office.ErrNotFound)
}

// Owns implements office.Hub.
func (l localHub) Owns(ctx context.Context, who office.Person, exchange string) (time.Time, error) {
	t, err := l.hub.Track(ctx, caller(who), exchange)
	return t.KnownSince, err
}

// Holders implements office.Hub.
func (l localHub) Holders(ctx context.Context, who office.Person, exchange string) ([]office.Recipient, error) {
	has, err := l.hub.Holders(ctx, caller(who), exchange)
	to := make([]office.Recipient, 0, len(has))
	for _, d := range has {
		to = append(to, office.Recipient{Code: d.Recipient, Role: d.Role})
	}
	return to, err
}

// OwnEnvelope implements office.Hub.
func (l localHub) OwnEnvelope(ctx context.Context, who office.Person, exchange string, w io.Writer) error {
	return l.hub.OwnEnvelope(ctx, caller(who), exchange, w)
}

// ApplySeal implements office.Hub.
func (l localHub) ApplySeal(ctx context.Context, who office.Person, use seal.Use, sealed envelope.Digests) error {
	statement, err := use.Statement()
	if err != nil {
		return err
	}
	_, err = l.hub.ApplySeal(ctx, caller(who), hub.SealUse{
		Seal: use.SealID, Approval: use.ApprovalID, At: use.At, SM3: sealed.SM3, SHA256: sealed.SHA256, Statement: gm.SM3(statement),
		Record: func(entry string) (string, error) {
			use.ID = entry
			text, err := json.Marshal(use)
			return string(text), err
		},
	})
	return err
}

// SenderAct implements office.Hub.
func (l localHub) SenderAct(
	ctx context.Context, who office.Person, act transport.Act, key, exchange, recipient string, statement []byte,
) (transport.Delivery, error) {
	var moved hub.Moved
	var err error
	switch act {
	case transport.Withdraw:
		moved, err = l.hub.Withdraw(ctx, caller(who), key, exchange, recipient, statement)
	case transport.AcknowledgeReturn:
		moved, err = l.hub.AcknowledgeReturn(ctx, caller(who), key, exchange, recipient, statement)
	case transport.RequestWithdrawal:
		moved, err = l.hub.RequestWithdrawal(ctx, caller(who), key, exchange, recipient, statement)
	default:
		return transport.Delivery{}, fmt.Errorf("act %s is not one of a sender", act)
	}
	return moved.Delivery, err
}

// Act implements office.Hub.
func (l localHub) Act(
	ctx context.Context, who office.Person, act transport.Act, key, delivery string, statement []byte,
) (transport.Delivery, error) {
	var moved hub.Moved
	var err error
	switch act {
	case transport.Open:
		moved, err = l.hub.Open(ctx, caller(who), key, delivery, statement)
	case transport.Acknowledge:
		moved, err = l.hub.Acknowledge(ctx, caller(who), key, delivery, statement)
	case transport.Return:
		moved, err = l.hub.Return(ctx, caller(who), key, delivery, statement)
	default:
		return transport.Delivery{}, fmt.Errorf("act %s is not one of a recipient", act)
	}
	return moved.Delivery, err
}
