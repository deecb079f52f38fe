package keys

import (
	"context"
	"crypto/ecdsa"
)

// Keeper is a store that takes encryption keys from a CA and outlives its own loss. Nothing of it gives a private key out
// in a form that anybody but the holder of the recovery key could open, and which key that is only a quorum changes.
type Keeper interface {
	// WrappingKey is the public SM2 key of the store that others encrypt keys to. Its private part never leaves.
	WrappingKey(ctx context.Context) (*ecdsa.PublicKey, error)
	// ImportEnveloped takes an encryption pair that a CA made, as SM2EnvelopedKey (GB/T 35276), into the decrypt key of that
	// name: a new one, or a new version of it. It was encrypted to the sign key with, or to WrappingKey if that has no name.
	ImportEnveloped(ctx context.Context, name string, with Ref, enveloped []byte) (PublicInfo, error)
	// RecoveryKey is the public key that backups are sealed to; ErrNotFound where none was set. SetRecoveryKey sets it where the
	// store has no Quorum; where it has one, it is proposed, the first one too.
	RecoveryKey(ctx context.Context) (*ecdsa.PublicKey, error)
	SetRecoveryKey(ctx context.Context, pub *ecdsa.PublicKey) error
	// Backup gives a key with all its versions and certificates, sealed to the recovery key. Where the store has a Quorum it is
	// ErrDenied unless that has consented (VerbBackup).
	Backup(ctx context.Context, name string) ([]byte, error)
	// Restore takes a backup that has been forwarded to this store's WrappingKey. It never replaces a key. Where the store
	// has a Quorum it is proposed.
	Restore(ctx context.Context, backup []byte) (PublicInfo, error)
}
