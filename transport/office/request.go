package office

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"yinxin/transport"
)

// State says where a dispatch stands inside the sending office, before the hub knows of it.
type State string

// The states of a dispatch. None leads back; [State.Next] is the table.
const (
	// Pending (待批): composed, the seal's place and time fixed; an approver acts next.
	Pending State = "pending"
	// Approved (已批准): another person approved the digest; the office seals, packs and submits. Until that is done an
	// approver may take the approval back.
	Approved State = "approved"
	// Packed (已封装): sealed and packed; the same envelope is submitted until the hub has answered.
	Packed State = "packed"
	// Sent (已发送): the hub accepted it. An end.
	Sent State = "sent"
	// Declined (不予批准): an approver refused, or took the approval back before the document was sealed. An end.
	Declined State = "declined"
	// Failed (未能用印): it was approved, and the seal may not be used any more, or what was sealed does not pass. An end.
	Failed State = "failed"
	// Refused (被拒绝): the hub refused the submission. An end.
	Refused State = "refused"
)

// States lists all states of a dispatch.
func States() []State { return []State{Pending, Approved, Packed, Sent, Declined, Failed, Refused} }

// Next lists the states that a dispatch in this one may go to. The databases hold to the same arrows.
func (s State) Next() []State {
	return map[State][]State{
		Pending: {Approved, Declined}, Approved: {Packed, Declined, Failed}, Packed: {Sent, Refused},
		Sent: nil, Declined: nil, Failed: nil, Refused: nil,
	}[s]
}

// Recipient is an addressee of a dispatch.
type Recipient struct {
	Code string         `json:"code"`
	Role transport.Role `json:"role"`
	// Copies is how many official copies it may print; 0 leaves it to the hub.
	Copies int `json:"copies,omitempty"`
}

// Stamp is where a seal stands: page from 1, top left corner and size in mm.
type Stamp struct {
	Page int     `json:"page"`
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	W    float64 `json:"w"`
	H    float64 `json:"h"`
}

// Dispatch is one document on its way out of the office: who asked, what exactly is to be sealed and by whom it was
// approved. The drafts themselves lie encrypted in Draft; here stand digests alone.
type Dispatch struct {
	ID        string `json:"id"`
	Office    string `json:"office"`
	Requester string `json:"requester"`
	// Exchange is the id under which the document will be exchanged, fixed from the start.
	Exchange   string            `json:"exchange"`
	Recipients []Recipient       `json:"recipients"`
	Urgency    transport.Urgency `json:"urgency"`
	// Refers is the earlier exchange that this dispatch reissues, corrects or annuls.
	Refers transport.Reference `json:"refers,omitzero"`
	// Draft is the blob with the unsealed files, DraftKey the wrapped key that opens it.
	Draft    string `json:"draft"`
	DraftKey []byte `json:"draft_key"`
	// Seal is the id of the seal to be used, Stamps its places, SealedAt the sealing time that the approver sees.
	Seal     string    `json:"seal"`
	Stamps   []Stamp   `json:"stamps"`
	SealedAt time.Time `json:"sealed_at"`
	// Unsealed is the SM3 of the unsealed OFD; Digest covers what the seal key will sign. An approval names both.
	Unsealed transport.Digest `json:"unsealed_sm3"`
	Digest   transport.Digest `json:"digest"`
	// KeyUse is what must be approved in the store of keys, too; nil for a sealing key that takes no approvals. KeyApprovals are
	// the IDs of those approvals, which the approver handed on with the decision.
	KeyUse       *KeyUse  `json:"key_use,omitempty"`
	KeyApprovals []string `json:"key_approvals,omitempty"`
	State        State    `json:"state"`
	// Approver decided at DecidedAt, with Comment. Of a failed dispatch the comment ends with the reason.
	Approver  string    `json:"approver,omitempty"`
	DecidedAt time.Time `json:"decided_at,omitzero"`
	Comment   string    `json:"comment,omitempty"`
	// Envelope is the blob of the packed envelope, from Packed on.
	Envelope  string    `json:"envelope,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Errors that callers decide on.
var (
	// ErrNotFound: no such dispatch, or it belongs to another office.
	ErrNotFound = errors.New("office: dispatch not found")
	// ErrForbidden: the person may not do this.
	ErrForbidden = errors.New("office: not allowed for this person")
	// ErrSelfApproval: nobody approves the use of a seal that they asked for.
	ErrSelfApproval = errors.New("office: the person who asked cannot approve")
	// ErrDigestChanged: what would be sealed is not what was approved.
	ErrDigestChanged = errors.New("office: the digest differs from the one that is to be approved")
	// ErrState: the dispatch is in a state that does not allow this.
	ErrState = errors.New("office: the dispatch does not allow this now")
)

// Dispatches keeps dispatches. Every method is one transaction and durable on return.
type Dispatches interface {
	AddDispatch(ctx context.Context, d Dispatch) error
	// SaveDispatch replaces the dispatch if it is still in the state `was`; else ErrState.
	SaveDispatch(ctx context.Context, d Dispatch, was State) error
	// Dispatch returns one of the office's own; another office's is ErrNotFound.
	Dispatch(ctx context.Context, office, id string) (Dispatch, error)
	// ListDispatches returns the office's, newest first; an empty state means all.
	ListDispatches(ctx context.Context, office string, state State, limit int) ([]Dispatch, error)
}

// Decision is what an approver decides about a dispatch. Unsealed and Digest are the dispatch's own, as the approver saw
// them; a refusal needs neither.
type Decision struct {
	Unsealed, Digest transport.Digest
	Approve          bool
	Comment          string
	// KeyApprovals are the IDs of approvals that another person than this service gave in the store of keys, one for each digest of
	// the dispatch's KeyUse, in any order. None for a key that takes none.
	KeyApprovals []string
}

// decide applies a decision of an approver to a pending dispatch, or takes back the approval of one that is not sealed yet. It
// is pure: the caller saves the result.
func (d Dispatch) decide(who Person, in Decision, now time.Time) (Dispatch, error) {
	if !who.Approver {
		return d, fmt.Errorf("decide dispatch %s: %w", d.ID, ErrForbidden)
	}
	if who.Account == d.Requester {
		return d, fmt.Errorf("decide dispatch %s: %w", d.ID, ErrSelfApproval)
	}
	to := Approved
	if !in.Approve {
		to = Declined
	}
	if !slices.Contains(d.State.Next(), to) {
		return d, fmt.Errorf("decide dispatch %s in state %s: %w", d.ID, d.State, ErrState)
	}
	if in.Approve && subtle.ConstantTimeCompare(d.Digest[:], in.Digest[:])&subtle.ConstantTimeCompare(d.Unsealed[:], in.Unsealed[:]) != 1 {
		return d, fmt.Errorf("approve dispatch %s: %w", d.ID, ErrDigestChanged)
	}
	d.State, d.Approver, d.DecidedAt, d.Comment = to, who.Account, now.UTC(), in.Comment
	if in.Approve {
		d.KeyApprovals = in.KeyApprovals
	}
	return d, nil
}

// fail ends an approved dispatch that cannot be sealed any more, for a reason that trying again does not change.
func (d Dispatch) fail(cause error) Dispatch {
	reason := cause.Error()
	if d.Comment != "" {
		reason = d.Comment + "; " + reason
	}
	d.State, d.Comment = Failed, reason
	return d
}
