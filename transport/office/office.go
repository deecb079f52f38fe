// Package office does what an office does with its own keys: it composes documents, has them sealed after another
// person's approval, packs and submits them; it opens what it receives, checks it again and signs for it.
//
// It promises that a seal is used only under an approval by another person that names the digest which the seal key is
// going to sign; that a document with a classification mark goes no further than this package, whatever the settings;
// that drafts rest encrypted; that every act is written to the audit before it is done; and that a dispatch that was
// interrupted at any step goes on from there, under the same exchange id and with the same envelope.
//
// It does not know the hub: it speaks to it through [Hub], as an office with keys of its own does over the network. It
// works for one office at a time and never with another's keys; which person may act for which office is the directory's
// business. [Registrar] is the other half: what an administrator does to bring an office, its keys and its seals into
// being.
package office

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"yinxin/archive/blob"
	"yinxin/crypto/cert"
	"yinxin/document/fonts"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/envelope"
)

// Person is a signed-in member of an office, as the directory knows it.
type Person struct {
	Account string
	Office  string
	// Clerk may draft, send, open and sign for; Approver may approve the use of a seal; Custodian makes seals, of any name.
	Clerk, Approver, Custodian bool
}

// PersonOf says what an account may do in its office.
func PersonOf(a directory.Account) Person {
	return Person{
		Account: a.ID, Office: a.Org,
		Clerk: a.Has(directory.Clerk, directory.SealKeeper), Approver: a.Has(directory.Approver),
		Custodian: a.Has(directory.Custodian),
	}
}

// Directory finds offices.
type Directory interface {
	// Organisation returns an office by code; directory.ErrNotFound when there is none.
	Organisation(ctx context.Context, code string) (directory.Organisation, error)
}

// Auditor records an act before it is done; when it fails, the act is not done.
type Auditor interface {
	Record(ctx context.Context, r transport.AuditRecord) error
}

// Submission is what the hub answers to a dispatch.
type Submission struct {
	Exchange string
	// Entry is the evidence entry of the acceptance; its receipt may still be on its way.
	Entry string
}

// Hub is what an office asks of its hub. An implementation checks that the office is a party of what it asks for.
type Hub interface {
	// Submit hands in a packed envelope. The same key with the same bytes is answered the same. A refusal that will not
	// change wraps ErrRefused.
	Submit(ctx context.Context, who Person, key string, envelope io.Reader) (Submission, error)
	// Delivery returns one delivery addressed to the office.
	Delivery(ctx context.Context, who Person, id string) (Received, error)
	// Envelope writes the envelope of a delivery, cut for the recipient.
	Envelope(ctx context.Context, who Person, delivery string, w io.Writer) error
	// Act carries the office's signed statement about a delivery: opened, signed for, returned. The key makes a repeat
	// harmless.
	Act(ctx context.Context, who Person, act transport.Act, key, delivery string, statement []byte) (transport.Delivery, error)
	// Sent returns the part of one recipient of an exchange that the office sent.
	Sent(ctx context.Context, who Person, exchange, recipient string) (Received, error)
	// Owns tells when the hub first accepted the document of an exchange that the office sent; ErrNotFound where it sent none.
	Owns(ctx context.Context, who Person, exchange string) (time.Time, error)
	// Holders are the offices that have the document of an exchange that the office sent, reissued or not, or may take it;
	// ErrNotFound where it sent none.
	Holders(ctx context.Context, who Person, exchange string) ([]Recipient, error)
	// OwnEnvelope writes the sender's own copy of what the office sent.
	OwnEnvelope(ctx context.Context, who Person, exchange string, w io.Writer) error
	// ApplySeal records a use of a seal of the office in the seal's log and in the evidence log, both or neither, and gives it
	// the entry's id. sealed are the digests of the sealed document.
	ApplySeal(ctx context.Context, who Person, use seal.Use, sealed envelope.Digests) error
	// SenderAct carries the sending office's signed statement about one recipient's part: withdrawn, return acknowledged.
	SenderAct(ctx context.Context, who Person, act transport.Act, key, exchange, recipient string, statement []byte) (transport.Delivery, error)
}

// Service is the office service for the offices whose keys it reaches.
type Service struct {
	Keys       keys.Provider
	Directory  Directory
	Seals      seal.Registry
	Dispatches Dispatches
	Hub        Hub
	Audit      Auditor
	// Drafts keeps encrypted drafts and packed envelopes.
	Drafts blob.Store
	Faces  *fonts.Set
	// Scanner, where there is one, looks for malware before a document is sealed and packed; while it is away nothing is.
	Scanner Scanner
	// Measure measures documents before they are sealed and before they are packed.
	Measure Measure
	// Policy is whom this service trusts when it checks seals, before packing and after opening.
	Policy cert.Policy
	// Archive is the code of the archive that receives a copy of every envelope; empty for none.
	Archive string
	Clock   func() time.Time
	Rand    io.Reader
	NewID   func() string
	// Nameless: the store of keys cannot tell this service from others, so it can use no approval there; what a key that wants
	// approvals would seal is refused from the start ([ErrNameless]).
	Nameless bool
	// TempDir is where envelopes are packed and opened; empty means the system's.
	TempDir string

	// underway holds the ids of dispatches that this process is sealing, packing or submitting.
	underway sync.Map
}

// Key names of an office, in whatever store keeps them.
func keyName(office, use string) string { return "office." + strings.ToLower(office) + "." + use }

// Uses of an office's keys, the last part of their names.
const (
	useSign    = "sign"
	useDecrypt = "decrypt"
	useSeal    = "seal"
	useDrafts  = "drafts"
)

// ErrRefused is wrapped by a Hub where the answer is no for good, so that asking again is of no use.
var ErrRefused = errors.New("office: the hub refused the submission")

// ErrNotHosted says that this service does not keep the office's keys: the office acts with its own (`--key`).
var ErrNotHosted = errors.New("office: its keys are not kept here, it acts with its own")

// identity is an office's key with the certificate chain that goes with it.
type identity struct {
	signer crypto.Signer
	cert   *cert.Certificate
	chain  []*cert.Certificate
}

// signerOf opens the office's key of a purpose that signs with the chain of its current version.
func (s *Service) signerOf(ctx context.Context, office, use string, purpose keys.Purpose) (identity, error) {
	name := keyName(office, use)
	info, err := s.Keys.Public(ctx, keys.Ref{Name: name})
	if errors.Is(err, keys.ErrNotFound) {
		return identity{}, fmt.Errorf("key %s: %w", name, ErrNotHosted)
	}
	if err != nil {
		return identity{}, fmt.Errorf("key %s: %w", name, err)
	}
	id, err := identityOf(info)
	if err != nil {
		return identity{}, fmt.Errorf("key %s: %w", name, err)
	}
	if id.signer, err = keys.Signer(ctx, s.Keys, info.Ref, purpose); err != nil {
		return identity{}, fmt.Errorf("key %s: %w", name, err)
	}
	return id, nil
}

// decrypterFor opens the version of the office's decrypt key that an envelope is addressed to: letters to the certificate before a
// rotation still arrive after it.
func (s *Service) decrypterFor(ctx context.Context, office string, env *envelope.Envelope) (crypto.Decrypter, error) {
	name := keyName(office, useDecrypt)
	key, err := keys.DecrypterFor(ctx, s.Keys, keys.Ref{Name: name}, env.Addressed)
	if errors.Is(err, keys.ErrNotFound) {
		return nil, fmt.Errorf("key %s: %w", name, ErrNotHosted)
	}
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	return key, nil
}

// sealSigner opens the version of the office's seal key that the seal lists: after a rotation the newest one serves the
// renewed seals alone. Where the seal lists none, it is the current one, which sealing then refuses.
func (s *Service) sealSigner(ctx context.Context, office string, made *ses.Seal) (identity, error) {
	current, err := s.signerOf(ctx, office, useSeal, keys.PurposeSeal)
	if err != nil || made.Lists(current.cert.Raw) {
		return current, err
	}
	name := keyName(office, useSeal)
	info, err := s.Keys.Public(ctx, keys.Ref{Name: name})
	if err != nil {
		return current, fmt.Errorf("key %s: %w", name, err)
	}
	for v := info.Ref.Version - 1; v > 0; v-- {
		older, err := s.Keys.Public(ctx, keys.Ref{Name: name, Version: v})
		if err != nil {
			return current, fmt.Errorf("key %s: %w", name, err)
		}
		id, err := identityOf(older)
		if err != nil || older.State != keys.StateEnabled || !made.Lists(id.cert.Raw) {
			continue
		}
		id.signer, err = keys.Signer(ctx, s.Keys, older.Ref, keys.PurposeSeal)
		return id, err
	}
	return current, nil
}

func identityOf(info keys.PublicInfo) (identity, error) {
	var id identity
	for i, der := range info.Certificates {
		c, err := cert.Parse(der)
		if err != nil {
			return id, err
		}
		if i == 0 {
			id.cert = c
			continue
		}
		id.chain = append(id.chain, c)
	}
	if id.cert == nil {
		return id, errors.New("no certificate yet")
	}
	return id, nil
}

// note writes an act to the audit.
func (s *Service) note(ctx context.Context, who Person, action, object string) error {
	return record(ctx, s.Audit, who, s.Clock(), action, object)
}
