package office

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"yinxin/document"
	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
)

func TestDecide(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	digest := transport.Digest{1}
	pending := Dispatch{ID: "d", Requester: "clerk", State: Pending, Digest: digest}
	approver := Person{Account: "approver", Approver: true}
	tests := []struct {
		name    string
		from    State
		who     Person
		digest  transport.Digest
		file    transport.Digest
		approve bool
		want    State
		err     error
	}{
		{name: "approved", who: approver, digest: digest, approve: true, want: Approved},
		{name: "declined, whatever the digest", who: approver, want: Declined},
		{name: "not an approver", who: Person{Account: "x"}, digest: digest, approve: true, err: ErrForbidden},
		{name: "the one who asked", who: Person{Account: "clerk", Approver: true}, digest: digest, approve: true, err: ErrSelfApproval},
		{name: "another digest", who: approver, digest: transport.Digest{2}, approve: true, err: ErrDigestChanged},
		{name: "another unsealed file", who: approver, digest: digest, file: transport.Digest{9}, approve: true, err: ErrDigestChanged},
		{name: "no digest", who: approver, approve: true, err: ErrDigestChanged},
		{name: "approved before", from: Approved, who: approver, digest: digest, approve: true, err: ErrState},
		{name: "sent before", from: Sent, who: approver, digest: digest, approve: true, err: ErrState},
		{name: "declined before", from: Declined, who: approver, err: ErrState},
	}
	for _, tt := range tests {
		d := pending
		if tt.from != "" {
			d.State = tt.from
		}
		got, err := d.decide(tt.who, Decision{Unsealed: tt.file, Digest: tt.digest, Approve: tt.approve, Comment: "because"}, now)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
			continue
		}
		if err == nil && (got.State != tt.want || got.Approver != "approver" || !got.DecidedAt.Equal(now) || got.Comment != "because") {
			t.Errorf("%s: %+v, want state %s", tt.name, got, tt.want)
		}
		if err != nil && got.State != d.State {
			t.Errorf("%s: a refused decision moved it to %s", tt.name, got.State)
		}
	}
}

func TestCodeOfRefusals(t *testing.T) {
	tests := []struct {
		err  error
		want api.Code
	}{
		{&document.ClassifiedError{Where: "body", Kind: document.ClassifiedMark}, api.ClassifiedContent},
		{fmt.Errorf("wrapped: %w", ErrNotFound), api.NotFound},
		{seal.ErrUnknownSeal, api.NotFound}, // another office's seal does not exist
		{ErrSelfApproval, api.Forbidden},
		{ErrDigestChanged, api.PreconditionFailed},
		{seal.ErrNotInForce, api.InvalidTransition},
		{ErrAddressee, api.InvalidAddressee},
		{&document.InvalidError{}, api.Validation},
		{directory.ErrConflict, api.Conflict},
		{errors.New("disk"), api.Internal},
	}
	for _, tt := range tests {
		if got := CodeOf(tt.err); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}

// TestApprovalsWhereTheKeyTakesNone: what an approver hands on is never left aside.
func TestApprovalsWhereTheKeyTakesNone(t *testing.T) {
	if err := (prepared{}).checkKeyUse(Dispatch{}); err != nil {
		t.Errorf("none: %v", err)
	}
	err := prepared{}.checkKeyUse(Dispatch{KeyApprovals: []string{"0123456789abcdef0123456789abcdef"}})
	if !errors.Is(err, ErrNoKeyApproval) || CodeOf(err) != api.Validation {
		t.Errorf("one: %v", err)
	}
}
