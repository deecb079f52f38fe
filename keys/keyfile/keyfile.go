// Package keyfile uses one SM2 key that lies in a PKCS#8 PEM file, encrypted or not, as a handle like those of package
// keys. It is for people who have a key file and no store: the only other place, beside the stores, where a private key
// exists.
//
// It promises that the purpose is fixed by the caller when the file is opened and cannot be changed: a handle that was
// opened to sign opens nothing, and one that was opened to decrypt signs nothing. The key never leaves the handle, and
// the handle prints itself without it.
//
// It does not promise what a store does: nobody else decides what the file's key is for, the same file can be opened for
// another purpose, there are no versions, no states and no second person. An unencrypted file is as safe as its
// permissions; Exposed says when others can read it.
package keyfile

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// MaxSize bounds a key file, in bytes.
const MaxSize = 64 << 10

// ErrTooLarge: the file is larger than MaxSize and was not read.
var ErrTooLarge = errors.New("key file is too large")

// Key is an open key file: a crypto.Signer and a crypto.Decrypter, of which the purpose allows one.
type Key struct {
	info    keys.PublicInfo
	key     *gm.PrivateKey
	exposed bool
}

var (
	_ crypto.Signer    = (*Key)(nil)
	_ crypto.Decrypter = (*Key)(nil)
	_ keys.Describer   = (*Key)(nil)
)

// Open reads the key file at path for one purpose, which must be one of an SM2 key. passphrase is called once, and only if
// the file is encrypted; it may be nil, then an encrypted file is gm.ErrPassphrase. Errors: those of reading the file,
// ErrTooLarge, gm.ErrKeyFile, gm.ErrPassphrase, gm.ErrWeakKey, keys.ErrInvalid for a purpose that no SM2 key has, and
// whatever passphrase returns.
func Open(path string, purpose keys.Purpose, passphrase func() ([]byte, error)) (*Key, error) {
	text, mode, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("open key file %s: %w", path, err)
	}
	k, err := Parse(text, purpose, passphrase)
	if err != nil {
		return nil, fmt.Errorf("open key file %s: %w", path, err)
	}
	k.info.Ref.Name = filepath.Base(path)
	k.exposed = mode.Perm()&0o077 != 0 && !gm.IsEncryptedPEM(text)
	return k, nil
}

// Parse is Open for text at hand.
func Parse(text []byte, purpose keys.Purpose, passphrase func() ([]byte, error)) (*Key, error) {
	if purpose.Type() != keys.TypeSM2 {
		return nil, fmt.Errorf("%w: no SM2 key has the purpose %q", keys.ErrInvalid, purpose)
	}
	if len(text) > MaxSize {
		return nil, ErrTooLarge
	}
	var secret []byte
	if gm.IsEncryptedPEM(text) {
		if passphrase == nil {
			return nil, gm.ErrPassphrase
		}
		var err error
		if secret, err = passphrase(); err != nil {
			return nil, err
		}
	}
	key, err := gm.ParsePKCS8PEM(text, secret)
	if err != nil {
		return nil, err
	}
	return &Key{key: key, info: keys.PublicInfo{
		Ref: keys.Ref{Name: "key file", Version: 1}, Type: keys.TypeSM2, Purpose: purpose, State: keys.StateEnabled,
		UID: gm.DefaultID, Public: key.PublicKey(),
	}}, nil
}

// read reads a regular file of bounded size.
func read(path string) (text []byte, mode fs.FileMode, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	text, err = io.ReadAll(io.LimitReader(f, MaxSize+1))
	return text, st.Mode(), err
}

// KeyInfo implements keys.Describer. The name is the file's, the version 1.
func (k *Key) KeyInfo() keys.PublicInfo { return k.info }

// Exposed reports whether the file is not encrypted and others than its owner may read or write it.
func (k *Key) Exposed() bool { return k.exposed }

// Public implements crypto.Signer and crypto.Decrypter; the type is *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.info.Public }

// Sign implements crypto.Signer as keys.Signer does: data is a message or a digest, as opts says. A purpose that does not
// sign is keys.ErrDenied.
func (k *Key) Sign(random io.Reader, data []byte, opts crypto.SignerOpts) ([]byte, error) {
	if !k.info.Purpose.Signs() {
		return nil, fmt.Errorf("sign with %s: %w: it was opened to %s", k.info.Ref.Name, keys.ErrDenied, k.info.Purpose)
	}
	signature, err := k.key.Sign(random, data, opts)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", k.info.Ref.Name, err)
	}
	return signature, nil
}

// Decrypt implements crypto.Decrypter for keys.PurposeDecrypt; every other purpose is keys.ErrDenied. What does not open
// is gm.ErrDecrypt.
func (k *Key) Decrypt(random io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	if k.info.Purpose != keys.PurposeDecrypt {
		return nil, fmt.Errorf("decrypt with %s: %w: it was opened to %s", k.info.Ref.Name, keys.ErrDenied, k.info.Purpose)
	}
	plain, err := k.key.Decrypt(random, ciphertext, opts)
	if err != nil {
		return nil, fmt.Errorf("decrypt with %s: %w", k.info.Ref.Name, err)
	}
	return plain, nil
}

// String names the file and the purpose.
func (k *Key) String() string {
	return fmt.Sprintf("key file %s (%s)", k.info.Ref.Name, k.info.Purpose)
}

// Format is String for every verb, so that no reflection prints the key.
func (k *Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }
