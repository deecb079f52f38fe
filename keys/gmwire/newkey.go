package gmwire

import (
	"time"

	"yinxin/keys"
)

// NewKey is keys.CreateOptions.
type NewKey struct {
	Name             string       `json:"name"`
	Purpose          keys.Purpose `json:"purpose"`
	UID              string       `json:"uid,omitempty"`
	MessageOnly      bool         `json:"message_only,omitempty"`
	Destroyable      bool         `json:"destroyable,omitempty"`
	ApprovalRequired bool         `json:"approval_required,omitempty"`
	// RotateEvery is in seconds.
	RotateEvery int64             `json:"rotate_every,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

// KeyOf turns options into their form on the wire.
func KeyOf(o keys.CreateOptions) NewKey {
	return NewKey{
		Name: o.Name, Purpose: o.Purpose, UID: o.UID, MessageOnly: o.MessageOnly, Destroyable: o.Destroyable,
		ApprovalRequired: o.ApprovalRequired, RotateEvery: int64(o.RotateEvery / time.Second), Labels: o.Labels,
	}
}

// Options turns it back.
func (k NewKey) Options() keys.CreateOptions {
	return keys.CreateOptions{
		Name: k.Name, Purpose: k.Purpose, UID: k.UID, MessageOnly: k.MessageOnly, Destroyable: k.Destroyable,
		ApprovalRequired: k.ApprovalRequired, RotateEvery: time.Duration(k.RotateEvery) * time.Second, Labels: k.Labels,
	}
}
