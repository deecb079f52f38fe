package keys

import (
	"context"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// MaxName is the longest name of a key in bytes.
const MaxName = 128

// CreateOptions describe a new key.
type CreateOptions struct {
	// Name is lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit, at most MaxName bytes.
	Name    string
	Purpose Purpose
	// UID is the SM2 signer ID; empty means gm.DefaultID.
	UID string
	// MessageOnly refuses ready digests: the engine then sees every message that it signs. Handles need digests and do
	// not work with such a key.
	MessageOnly bool
	// Destroyable permits StateDestroyed. It is fixed at creation.
	Destroyable bool
	// ApprovalRequired makes a seal key sign one digest at a time, each only with another person's approval of that digest
	// (Approver), which is used up by it. It is fixed at creation. The store must know who
	// calls, or have a quorum whose members sign for themselves.
	ApprovalRequired bool
	// RotateEvery adds a version by itself whenever the newest is that old; for wrap and mac keys only, at least MinRotate.
	// It needs a store that runs all the time (the Vault engine); 0 is never.
	RotateEvery time.Duration
	// Labels are the owner's notes, such as the office; at most MaxLabels, of MaxLabel bytes each.
	Labels map[string]string
}

// MinRotate is the shortest period of automatic rotation.
const MinRotate = time.Hour

// DeletionDelay is how long a key stays in StatePending.
const DeletionDelay = 30 * 24 * time.Hour

// Bounds of labels.
const (
	MaxLabels = 32
	MaxLabel  = 256
)

// VersionInfo is one version in a KeyInfo.
type VersionInfo struct {
	Version int       `json:"version"`
	State   State     `json:"state"`
	Created time.Time `json:"created"`
	// Public is the uncompressed SM2 point, empty for symmetric keys.
	Public []byte `json:"public,omitempty"`
	// Certified tells that a certificate has been imported.
	Certified bool `json:"certified"`
}

// KeyInfo is all that is public about a key.
type KeyInfo struct {
	Name    string  `json:"name"`
	Type    Type    `json:"type"`
	Purpose Purpose `json:"purpose"`
	UID     string  `json:"uid,omitempty"`
	State   State   `json:"state"`
	// Latest is the newest version, Current the one that version 0 means.
	Latest  int `json:"latest"`
	Current int `json:"current"`
	// MinUse is the lowest version that still signs and wraps, MinDecrypt the lowest that still decrypts and unwraps.
	MinUse           int  `json:"min_use"`
	MinDecrypt       int  `json:"min_decrypt"`
	MessageOnly      bool `json:"message_only"`
	Destroyable      bool `json:"destroyable"`
	ApprovalRequired bool `json:"approval_required,omitempty"`
	// Voided tells that a seal key never seals again.
	Voided bool `json:"voided,omitempty"`
	// DestroyAfter is when a key in StatePending goes.
	DestroyAfter time.Time `json:"destroy_after,omitzero"`
	// RotateEvery is the period of automatic rotation in seconds, 0 for none.
	RotateEvery int64             `json:"rotate_every,omitempty"`
	Created     time.Time         `json:"created"`
	Labels      map[string]string `json:"labels,omitempty"`
	Versions    []VersionInfo     `json:"versions"`
}

// Change alters settings of a key; nil fields stay.
type Change struct {
	// MinUse and MinDecrypt lie in 1..Latest, MinDecrypt not above MinUse.
	MinUse, MinDecrypt *int
	// Labels replace all labels.
	Labels map[string]string
}

// Admin is a store of keys seen by its custodians. Whoever holds it alone decides; quorum is the matter of the store.
type Admin interface {
	// Create makes keys with their first versions, all or (where the store writes atomically) none, durable on return.
	// An existing name, a destroyed key's included, is ErrConflict.
	Create(ctx context.Context, keys ...CreateOptions) ([]PublicInfo, error)
	// Rotate adds a version. It takes place only if the newest version is expectLatest (0: whatever it is), else
	// ErrConflict. For a key with certificates the old version stays current until the new one is certified.
	Rotate(ctx context.Context, name string, expectLatest int) (PublicInfo, error)
	// SetState enables or disables a key (version 0) or a version, or destroys a version that is disabled in a key that
	// is destroyable, or such a key with all versions, at once or, with StatePending, after DeletionDelay. Destroying is
	// final. Where the store has a Quorum, enabling and destroying are ErrDenied here and proposed there.
	SetState(ctx context.Context, ref Ref, state State) error
	// Configure alters settings. Lowering a minimum is ErrDenied where the store has a Quorum.
	Configure(ctx context.Context, name string, change Change) (KeyInfo, error)
	// Describe gives all that is public about a key.
	Describe(ctx context.Context, name string) (KeyInfo, error)
	// List gives the keys in the order of their names, those after the given name, at most limit (0: all).
	List(ctx context.Context, after string, limit int) ([]KeyInfo, error)
	// Request makes a PKCS#10 request for a version, signed by that version, as DER. Of version 0 it takes the newest
	// version, since that is the one without a certificate.
	Request(ctx context.Context, ref Ref, subject pkix.Name) ([]byte, error)
	// ImportCertificate stores the certificate chain of a version as DER, leaf first, replacing one that was there. The
	// leaf must carry the key of the version (else ErrInvalid); of version 0 it takes the version whose key matches.
	// Whether the chain is trusted is judged where signatures are verified.
	ImportCertificate(ctx context.Context, ref Ref, chain [][]byte) (Ref, error)
	// Certificates gives the chain of a version as DER, leaf first; ErrNotFound where none was imported.
	Certificates(ctx context.Context, ref Ref) ([][]byte, error)
}

// Approver is a store that takes approvals: Approve consents, as the caller, to one signature over a digest by a key that
// was created with ApprovalRequired. Callers without an identity of their own are ErrDenied.
type Approver interface {
	Approve(ctx context.Context, name string, digest []byte) (Approval, error)
}

// approvalSize is the length of an approval's ID before hex, in bytes.
const approvalSize = 16

// CheckApproval refuses what cannot be an approval's ID: 32 lower-case hex digits.
func CheckApproval(id string) error {
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != approvalSize || strings.ToLower(id) != id {
		return fmt.Errorf("%w: that is no approval's ID", ErrInvalid)
	}
	return nil
}

// Approval is the consent of one person to one signature by another.
type Approval struct {
	// ID goes into SignItem.Approval.
	ID string `json:"approval"`
	// Expires is when it can no longer be used.
	Expires time.Time `json:"expires"`
}

// CheckName refuses names that no store takes.
func CheckName(name string) error {
	if len(name) == 0 || len(name) > MaxName {
		return fmt.Errorf("%w: key name of %d bytes, not 1 to %d", ErrInvalid, len(name), MaxName)
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case (c == '-' || c == '_') && i > 0:
		case c == '.' && i > 0 && i < len(name)-1 && name[i-1] != '.':
		default:
			return fmt.Errorf("%w: key name %q: lower-case letters, digits, '-', '_' and single '.' inside are allowed",
				ErrInvalid, name)
		}
	}
	return nil
}
