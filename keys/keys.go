// Package keys is the only place where private keys live, and the handles by which the rest of yinxin uses them.
//
// # What it promises
//
// A caller never holds a private key. It holds a Provider (a store of keys: an encrypted directory, a Vault, a device),
// names a key by Ref, and asks for an operation and says for which Purpose. The provider refuses a purpose that is not
// the key's own, so that a key made to sign manifests cannot seal, and a key made to issue certificates signs no
// document. This holds for every private key of the system: those of the CA (PurposeIssue), of the seal maker
// (PurposeMake), of the evidence log (PurposeCheckpoint) and of the archive too. There is no operation that exports a
// private key, and no code for one.
//
// Public keys of all versions, retired and destroyed ones included, stay readable for ever: old signatures must remain
// verifiable.
//
// Signer and Decrypter make standard crypto.Signer and crypto.Decrypter handles with key, version, purpose and SM2
// signer ID fixed; they serve crypto/cms, crypto/cert and everything else that signs.
//
// # What it does not promise
//
// What the store behind a Provider protects is that store's matter. With keys/filekeys private keys are in the memory of
// the process that uses them; with the Vault engine they are not.
package keys

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"log/slog"
	"time"

	"yinxin/crypto/gm"
)

// Purpose says what a key is for. A key has one purpose for its whole life.
type Purpose string

// The purposes, spelled as in commands, files and the Vault engine.
const (
	PurposeSeal       Purpose = "seal"       // 签章: signs electronic seals (GB/T 38540)
	PurposeSign       Purpose = "sign"       // signs manifests, receipts' statements, any GB/T 35275 message
	PurposeDecrypt    Purpose = "decrypt"    // opens what was encrypted to an encryption certificate
	PurposeWrap       Purpose = "wrap"       // wraps data keys (SM4)
	PurposeCheckpoint Purpose = "checkpoint" // signs checkpoints of the evidence log
	PurposeTimestamp  Purpose = "timestamp"  // signs time-stamp tokens
	PurposeIssue      Purpose = "issue"      // CA: signs certificates and revocation lists
	PurposeMake       Purpose = "make"       // 制章: signs seals as their maker
	PurposeMAC        Purpose = "mac"        // HMAC-SM3
)

// Purposes lists all purposes in the order of the documentation.
func Purposes() []Purpose {
	return []Purpose{
		PurposeSeal, PurposeSign, PurposeDecrypt, PurposeWrap, PurposeCheckpoint, PurposeTimestamp,
		PurposeIssue, PurposeMake, PurposeMAC,
	}
}

// Type is the kind of key material.
type Type string

// The types.
const (
	TypeSM2     Type = "sm2"
	TypeSM4     Type = "sm4"
	TypeHMACSM3 Type = "hmac-sm3"
)

// Type tells the only type of key that can serve the purpose, or "" for an unknown purpose.
func (p Purpose) Type() Type {
	switch p {
	case PurposeSeal, PurposeSign, PurposeDecrypt, PurposeCheckpoint, PurposeTimestamp, PurposeIssue, PurposeMake:
		return TypeSM2
	case PurposeWrap:
		return TypeSM4
	case PurposeMAC:
		return TypeHMACSM3
	}
	return ""
}

// Signs reports whether keys of this purpose make signatures.
func (p Purpose) Signs() bool { return p.Type() == TypeSM2 && p != PurposeDecrypt }

// State is the state of a key or of one version.
type State string

// The states. A version is usable only while both it and its key are enabled. Destroyed is final: the private part is
// gone, the public part stays.
const (
	StateEnabled  State = "enabled"
	StateDisabled State = "disabled"
	// StatePending is disabled, and destroyed when KeyInfo.DestroyAfter has passed. Disabling calls it off.
	StatePending   State = "pending_deletion"
	StateDestroyed State = "destroyed"
)

// Ref names a key and one of its versions. Versions count from 1; version 0 means the current one (see
// PublicInfo.Ref).
type Ref struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

// String prints name or name:vN.
func (r Ref) String() string {
	if r.Version == 0 {
		return r.Name
	}
	return fmt.Sprintf("%s:v%d", r.Name, r.Version)
}

// PublicInfo is the public part of one version. For a version it never changes, but for its state and certificates.
type PublicInfo struct {
	// Ref has the version resolved. For a request of version 0 it is the current version: of a key that has
	// certificates the newest enabled version with one, else the newest enabled version; where no version is enabled,
	// the newest.
	Ref     Ref
	Type    Type
	Purpose Purpose
	// State is the state of the version, or disabled if the whole key is.
	State State
	// UID is the SM2 signer ID that goes into Z; for SM2 keys only.
	UID string
	// Public is the SM2 public key, nil for symmetric keys.
	Public  *ecdsa.PublicKey
	Created time.Time
	// Certificates is the chain imported for this version as DER, leaf first; empty before import.
	Certificates [][]byte
	// ApprovalRequired: it signs one digest at a time, with another person's approval (see CreateOptions, ApprovedSigner).
	ApprovalRequired bool
}

// SignItem is one thing to sign: exactly one of Message and Digest.
type SignItem struct {
	// Message is signed whole: the provider computes Z with the key's UID and e = SM3(Z‖Message).
	Message gm.Message
	// Digest is e, computed by the caller with the public key of the version that signs. It is taken only where the key
	// allows digests.
	Digest []byte
	// Approval is the ID of another person's approval of Digest, for keys that require one.
	Approval string
	// Reference is handed back with the result, for the caller's own use.
	Reference string
}

// SignResult is the outcome of one SignItem.
type SignResult struct {
	// Signature is DER SEQUENCE{r, s}.
	Signature []byte
	// Version is the version that signed.
	Version   int
	Reference string
	// Err is why this item was not signed. It never touches the other items.
	Err error
}

// Ciphertext is something encrypted to a version of a key.
type Ciphertext struct {
	// Version of the key; 0 means the current one. Results carry the true one.
	Version int
	// Data is SM2Cipher in ASN.1 (GB/T 35276) for PurposeDecrypt, and the engine's own wrapping for PurposeWrap.
	Data []byte
	// AAD is the associated data that a wrapped data key is bound to, such as a document id; nil for PurposeDecrypt.
	AAD []byte
}

// PlainResult is the outcome of one Ciphertext.
type PlainResult struct {
	Plain []byte
	// Version is the version that decrypted.
	Version int
	// Err is ErrInvalid with one text for every cryptographic failure, so that it tells an attacker nothing.
	Err error
}

// LogValue keeps the plaintext out of logs.
func (PlainResult) LogValue() slog.Value { return slog.StringValue("redacted") }

// DataKeySize is the length of a data key: one SM4 key, in bytes.
const DataKeySize = 16

// DataKey is a fresh random SM4 key and its wrapped form, which can be unwrapped only with the same AAD.
type DataKey struct {
	Plain   []byte
	Wrapped Ciphertext
	// Err is why this one was not made. It never touches the others.
	Err error
}

// LogValue keeps the key out of logs.
func (DataKey) LogValue() slog.Value { return slog.StringValue("redacted") }

// String keeps the key out of texts.
func (DataKey) String() string { return "redacted data key" }

// RewrapResult is the outcome of rewrapping one Ciphertext.
type RewrapResult struct {
	// Wrapped is the data key under the current version, empty beside an error.
	Wrapped Ciphertext
	// Err is why this item was not moved. It never touches the other items.
	Err error
}

// TagResult is the outcome of one input of HMAC.
type TagResult struct {
	Tag []byte
	// Version is the version that computed it.
	Version int
	// Err is why this input was not tagged. It never touches the others.
	Err error
}

// MaxBatch is the largest number of items in one call. More is ErrInvalid; callers split.
const MaxBatch = 256

// MaxMessage bounds the bytes of one message or input given to a provider. Documents are hashed by the caller.
const MaxMessage = 1 << 20

// MaxCiphertext bounds the bytes of one ciphertext, and those of one AAD.
const MaxCiphertext = 512 << 10

// Provider is a store of keys seen by those who use keys. All methods are safe for concurrent use, return one of the
// errors of this package, and take whole batches: the error of the call concerns the key or the store, the Err of an
// item concerns that item.
type Provider interface {
	// Public gives the public part of a version.
	Public(ctx context.Context, ref Ref) (PublicInfo, error)
	// Sign signs each item with the version of ref for the purpose, which must be the key's own. A seal key signs only
	// with a version that has a certificate.
	Sign(ctx context.Context, ref Ref, purpose Purpose, items []SignItem) ([]SignResult, error)
	// Decrypt opens each item with a key of PurposeDecrypt or unwraps data keys with one of PurposeWrap.
	Decrypt(ctx context.Context, name string, purpose Purpose, items []Ciphertext) ([]PlainResult, error)
	// DataKey makes one data key for each AAD, wrapped by the current version of a PurposeWrap key, or by ref.Version.
	DataKey(ctx context.Context, ref Ref, aad [][]byte) ([]DataKey, error)
	// Rewrap wraps data keys anew under the current version without showing them. Items that are there already come
	// back unchanged.
	Rewrap(ctx context.Context, name string, items []Ciphertext) ([]RewrapResult, error)
	// HMAC computes HMAC-SM3 of each input with a key of PurposeMAC.
	HMAC(ctx context.Context, ref Ref, inputs [][]byte) ([]TagResult, error)
	// Health says how the store is. It never fails.
	Health(ctx context.Context) Health
}

// HealthStatus is how a store of keys is.
type HealthStatus string

// The conditions of a store.
const (
	HealthOK          HealthStatus = "ok"
	HealthSealed      HealthStatus = "sealed"
	HealthNoLeader    HealthStatus = "no_leader"
	HealthDenied      HealthStatus = "denied"
	HealthUnreachable HealthStatus = "unreachable"
)

// Health is the condition of a store and what its operator should know.
type Health struct {
	Status HealthStatus `json:"status"`
	Detail string       `json:"detail,omitempty"`
	// Warnings are things that work but should not stay so, such as WarnNoAnchor, each a code and a sentence.
	Warnings []Warning `json:"warnings,omitempty"`
}

// Warning is a code for programs and a sentence for people.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// WarnNoQuorum is the code of the warning that one custodian alone can destroy, loosen and restore.
const WarnNoQuorum = "no_quorum"

// WarnNoAnchor is the code of the warning that a store cannot notice being rolled back as a whole.
const WarnNoAnchor = "no_anchor"
