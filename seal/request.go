package seal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// RequestState says how far the request for a new seal has come.
type RequestState string

// The states of a request. Requested and Made have a next step; the others are ends.
const (
	// Requested (申请): an office asked; the custodian makes the seal or declines.
	Requested RequestState = "requested"
	// Made (已制章): the maker signed the seal; nobody can use it before it is registered.
	Made RequestState = "made"
	// Registered (已备案): the seal stands in the registry and may be used. An end.
	Registered RequestState = "registered"
	// Declined (不予制章): it was refused, with a reason. An end.
	Declined RequestState = "declined"
)

// Errors of requests.
var (
	// ErrUnknownRequest means that there is no such request, or that it belongs to another office.
	ErrUnknownRequest = errors.New("seal: request not found")
	// ErrOwnRequest means that the person who asked for a seal decides about it too.
	ErrOwnRequest = errors.New("seal: nobody decides about a request of their own")
)

// Request is an office's request for a new seal, and what became of it.
type Request struct {
	ID     string `json:"id"`
	Office string `json:"office"`
	// Requester asked, on CreatedAt, because of Reason.
	Requester string    `json:"requester"`
	CreatedAt time.Time `json:"created_at"`
	Reason    string    `json:"reason,omitempty"`
	// Name stands on the arc and is the seal's name; BottomLine stands below the star, Number along the inside.
	Name       string `json:"name"`
	BottomLine string `json:"bottom_line,omitempty"`
	Number     string `json:"number,omitempty"`
	// Diameter in mm.
	Diameter float64 `json:"diameter"`
	// Keeper will keep the seal.
	Keeper string       `json:"keeper"`
	State  RequestState `json:"state"`
	// DecidedBy took the last step at DecidedAt; Comment is the reason of a refusal.
	DecidedBy string    `json:"decided_by,omitempty"`
	DecidedAt time.Time `json:"decided_at,omitzero"`
	Comment   string    `json:"comment,omitempty"`
	// SigningRequest is the PKCS#10 request of the sealing key where the office keeps its own; Certificate answers it (PEM,
	// with the issuers).
	SigningRequest []byte `json:"signing_request,omitempty"`
	Certificate    []byte `json:"certificate,omitempty"`
	// SealID and ESL are the seal, from Made on; Key names the key that signs with it.
	SealID string `json:"seal_id,omitempty"`
	ESL    []byte `json:"esl,omitempty"`
	Key    string `json:"key,omitempty"`
}

// Advance returns the request in its next state, as decided by somebody at a time. Allowed are: requested to made or
// declined, made to registered or declined. It refuses another step with ErrTransition, and a decision by the person who
// asked with ErrOwnRequest.
func (r Request) Advance(to RequestState, by string, at time.Time) (Request, error) {
	if by == "" || by == r.Requester {
		return r, fmt.Errorf("request %s: %w", r.ID, ErrOwnRequest)
	}
	allowed := map[RequestState][]RequestState{Requested: {Made, Declined}, Made: {Registered, Declined}}
	if !slices.Contains(allowed[r.State], to) {
		return r, fmt.Errorf("%w: request %s from %q to %q", ErrTransition, r.ID, r.State, to)
	}
	r.State, r.DecidedBy, r.DecidedAt = to, by, at
	return r, nil
}

// Requests keeps requests for seals. Every method is one transaction and durable on return.
type Requests interface {
	AddSealRequest(ctx context.Context, r Request) error
	// SaveSealRequest replaces the request if it is still in the state it was in; else the error wraps ErrTransition.
	SaveSealRequest(ctx context.Context, r Request, was RequestState) error
	// SealRequest returns one request; of an unknown one the error wraps ErrUnknownRequest.
	SealRequest(ctx context.Context, id string) (Request, error)
	// SealRequests lists an office's requests, or all for an empty office, newest first, those that are older than the
	// one named after (empty: from the newest).
	SealRequests(ctx context.Context, office, after string, limit int) ([]Request, error)
}
