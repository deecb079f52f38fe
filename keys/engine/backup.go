package engine

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// BackupFormat names the form of a sealed backup.
const BackupFormat = "yinxin-key-backup/1"

// MaxBackup bounds a sealed backup, in bytes.
const MaxBackup = 256 << 10

// sealedBackup is a backup as it travels: its content under a session key, that key encrypted to one recipient.
type sealedBackup struct {
	Format  string    `json:"format"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	// Recipient is the public point of the key that opens it: the recovery key, or a store's wrapping key once forwarded.
	Recipient []byte `json:"recipient"`
	// Key is the session key (SM4) as SM2Cipher for Recipient.
	Key []byte `json:"key"`
	// Nonce and Sealed are SM4-GCM over the content, bound to format, name and time.
	Nonce  []byte `json:"nonce"`
	Sealed []byte `json:"sealed"`
}

// backupContent are the entries of a key.
type backupContent struct {
	Policy   []byte         `json:"policy"`
	Versions map[int][]byte `json:"versions"`
	Chains   map[int][]byte `json:"chains"`
}

func (b *sealedBackup) aad() []byte {
	return []byte(b.Format + "\x00" + b.Name + "\x00" + b.Created.UTC().Format(time.RFC3339))
}

// Backup implements keys.Keeper.
func (e *Engine) Backup(ctx context.Context, name string) ([]byte, error) {
	data, err := e.backup(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("back up key %s: %w", name, err)
	}
	return data, nil
}

func (e *Engine) backup(ctx context.Context, name string) ([]byte, error) {
	recovery, err := e.RecoveryKey(ctx)
	if errors.Is(err, keys.ErrNotFound) {
		return nil, errNoRecovery()
	}
	if err != nil {
		return nil, err
	}
	consent, err := e.backupConsent(ctx, gm.MarshalPublicKey(recovery))
	if err != nil {
		return nil, err
	}
	plain, err := e.content(ctx, name, consent)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	session := make([]byte, gm.KeySize)
	defer clear(session)
	b := sealedBackup{
		Format: BackupFormat, Name: name, Created: e.now().UTC().Truncate(time.Second), Recipient: gm.MarshalPublicKey(recovery),
	}
	if _, err := io.ReadFull(e.rand, session); err != nil {
		return nil, classify(err)
	}
	aead, err := gm.NewSM4GCM(session)
	if err != nil {
		return nil, err
	}
	b.Nonce = make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(e.rand, b.Nonce); err != nil {
		return nil, classify(err)
	}
	b.Sealed = aead.Seal(nil, b.Nonce, plain, b.aad())
	if b.Key, err = gm.Encrypt(e.rand, recovery, session); err != nil {
		return nil, err
	}
	data, err := json.Marshal(b)
	if err == nil && len(data) > MaxBackup {
		return nil, fmt.Errorf("%w: the backup has %d bytes, at most %d: trim the key", keys.ErrConflict, len(data), MaxBackup)
	}
	return data, err
}

// content collects the entries of a key, unchanged meanwhile, if that may be done with the key as it is.
func (e *Engine) content(ctx context.Context, name string, may func(*policy) error) ([]byte, error) {
	if err := keys.CheckName(name); err != nil {
		return nil, err
	}
	defer e.lock(name)()
	k, err := e.loadLocked(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := may(k.policy); err != nil {
		return nil, err
	}
	c := backupContent{Versions: map[int][]byte{}, Chains: map[int][]byte{}}
	defer func() {
		for _, secret := range c.Versions {
			clear(secret)
		}
	}()
	if c.Policy, err = k.policy.marshal(); err != nil {
		return nil, err
	}
	for i, v := range k.policy.Versions {
		n := i + 1
		if v.State != keys.StateDestroyed {
			if c.Versions[n], err = e.storage.Get(ctx, versionPath(name, n)); err != nil {
				return nil, fmt.Errorf("version %d: %w", n, classify(err))
			}
		}
		if v.Certified {
			if c.Chains[n], err = e.storage.Get(ctx, certPath(name, n)); err != nil {
				return nil, fmt.Errorf("certificate of version %d: %w", n, classify(err))
			}
		}
	}
	return json.Marshal(c)
}

// parseBackup reads the outside of a backup.
func parseBackup(data []byte) (*sealedBackup, error) {
	var b sealedBackup
	if len(data) > MaxBackup || decodeStrict(data, &b) != nil || b.Format != BackupFormat || keys.CheckName(b.Name) != nil {
		return nil, fmt.Errorf("%w: that is no sealed backup of a key", keys.ErrInvalid)
	}
	return &b, nil
}

// BackupName tells which key a sealed backup holds.
func BackupName(data []byte) (string, error) {
	b, err := parseBackup(data)
	if err != nil {
		return "", err
	}
	return b.Name, nil
}

// SealedTo tells whether a backup is sealed to a key.
func SealedTo(data []byte, pub *ecdsa.PublicKey) bool {
	b, err := parseBackup(data)
	return err == nil && bytes.Equal(b.Recipient, gm.MarshalPublicKey(pub))
}

// Forward re-encrypts the session key of a backup from its recipient, whose private key opener uses, to the wrapping key
// of the store that will restore it. The content stays sealed: whoever forwards does not see it.
func Forward(random io.Reader, data []byte, opener crypto.Decrypter, to *ecdsa.PublicKey) ([]byte, error) {
	b, err := parseBackup(data)
	if err != nil {
		return nil, err
	}
	own, ok := opener.Public().(*ecdsa.PublicKey)
	if !ok || !bytes.Equal(gm.MarshalPublicKey(own), b.Recipient) {
		return nil, fmt.Errorf("%w: the backup is sealed to another recovery key", keys.ErrDenied)
	}
	session, err := opener.Decrypt(nil, b.Key, nil)
	if err != nil {
		return nil, fmt.Errorf("forward the backup: %w", err)
	}
	defer clear(session)
	if b.Key, err = gm.Encrypt(random, to, session); err != nil {
		return nil, fmt.Errorf("%w: forward the backup: %w", keys.ErrInvalid, err)
	}
	b.Recipient = gm.MarshalPublicKey(to)
	return json.Marshal(b)
}

// Restore implements keys.Keeper.
func (e *Engine) Restore(ctx context.Context, backup []byte) (keys.PublicInfo, error) {
	return e.restore(ctx, backup, nil)
}

func (e *Engine) restore(ctx context.Context, backup []byte, d *decision) (keys.PublicInfo, error) {
	if err := e.singleHanded(ctx, keys.VerbRestore, d != nil); err != nil {
		return keys.PublicInfo{}, err
	}
	b, err := parseBackup(backup)
	if err != nil {
		return keys.PublicInfo{}, err
	}
	content, err := e.openBackup(ctx, b)
	if err != nil {
		return keys.PublicInfo{}, fmt.Errorf("restore key %s: %w", b.Name, err)
	}
	defer e.lock(b.Name)()
	if _, err := e.loadLocked(ctx, b.Name); !errors.Is(err, keys.ErrNotFound) {
		if err != nil {
			return keys.PublicInfo{}, err
		}
		return keys.PublicInfo{}, fmt.Errorf("%w: key %s exists: a restore replaces nothing", keys.ErrConflict, b.Name)
	}
	k, before, err := content.check(b.Name)
	if err != nil {
		return keys.PublicInfo{}, fmt.Errorf("restore key %s: %w", b.Name, err)
	}
	if k, err = e.save(ctx, nil, k.policy, before, d.writes()); err != nil {
		return keys.PublicInfo{}, err
	}
	return k.publicInfo(k.policy.current()), nil
}

func (e *Engine) openBackup(ctx context.Context, b *sealedBackup) (*backupContent, error) {
	own, err := e.wrappingKey(ctx)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(gm.MarshalPublicKey(own.PublicKey()), b.Recipient) {
		return nil, fmt.Errorf("%w: the backup is not sealed to this store's wrapping key: forward it first", keys.ErrInvalid)
	}
	session, err := own.Decrypt(nil, b.Key, nil)
	if err != nil {
		return nil, errOpen()
	}
	defer clear(session)
	aead, err := gm.NewSM4GCM(session)
	if err != nil || len(b.Nonce) != aead.NonceSize() {
		return nil, errOpen()
	}
	plain, err := aead.Open(nil, b.Nonce, b.Sealed, b.aad())
	if err != nil {
		return nil, errOpen()
	}
	defer clear(plain)
	var c backupContent
	if err := decodeStrict(plain, &c); err != nil {
		return nil, errOpen()
	}
	return &c, nil
}

// check holds every entry of a backup to what the engine would have written, and gives what is written before the policy.
func (c *backupContent) check(name string) (*key, []Write, error) {
	wrong := func(what string, n int) error { return fmt.Errorf("%w: %s %d of the backup", keys.ErrInvalid, what, n) }
	p, err := parsePolicy(c.Policy, name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: policy of the backup", keys.ErrInvalid)
	}
	k, err := newKey(p, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: public keys of the backup", keys.ErrInvalid)
	}
	var writes []Write
	for i, v := range p.Versions {
		n := i + 1
		if v.State != keys.StateDestroyed {
			if _, err := k.parseVersion(bytes.Clone(c.Versions[n]), n); err != nil {
				return nil, nil, wrong("version", n)
			}
			writes = append(writes, Write{Path: versionPath(name, n), Value: c.Versions[n]})
		}
		if v.Certified {
			if k.checkChain(c.Chains[n], n) != nil {
				return nil, nil, wrong("certificate", n)
			}
			writes = append(writes, Write{Path: certPath(name, n), Value: c.Chains[n]})
		}
	}
	return k, writes, nil
}

// checkChain holds a chain that comes from outside to what ImportCertificate would have stored.
func (k *key) checkChain(data []byte, n int) error {
	p := k.policy
	var entry chainEntry
	if err := decodeStrict(data, &entry); err != nil {
		return err
	}
	if entry.Schema != schema || entry.Name != p.Name || entry.Version != n {
		return errDamaged
	}
	leaf, err := parseChain(entry.Chain)
	if err != nil {
		return err
	}
	if use := certificateUse(p.Purpose); use != 0 {
		if err := leaf.CheckUse(use); err != nil {
			return err
		}
	}
	if k.public[n-1] == nil || !k.public[n-1].Equal(leaf.PublicKey) {
		return errDamaged
	}
	return nil
}
