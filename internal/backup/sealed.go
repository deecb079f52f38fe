package backup

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"yinxin/crypto/gm"
	"yinxin/crypto/stream"
)

// sealedMagic begins every encrypted file; the file format is docs/formats/backup.md.
const sealedMagic = "yinxin.sealed/1\n"

// Bounds of what is read.
const (
	maxSealedHead = 64 << 10
	maxReaders    = 16
)

// ErrNotForKey: the file is encrypted to other keys.
var ErrNotForKey = errors.New("it is encrypted to other keys")

// sealedHead is the second line of a file: for each who may read it the wrapped file key.
type sealedHead struct {
	To []wrapped `json:"to"`
}

type wrapped struct {
	// Key is the SM3 of the reader's public point, Wrapped the file key as SM2 ciphertext (GB/T 35276, DER).
	Key     string `json:"key"`
	Wrapped []byte `json:"wrapped"`
}

func nameOf(pub *ecdsa.PublicKey) string {
	sum := gm.SM3(gm.MarshalPublicKey(pub))
	return hex.EncodeToString(sum[:])
}

// newSealing encrypts what is written to it.
func newSealing(w io.Writer, to []*ecdsa.PublicKey, rand io.Reader) (io.WriteCloser, error) {
	if len(to) == 0 || len(to) > maxReaders {
		return nil, fmt.Errorf("%d readers, not 1 to %d", len(to), maxReaders)
	}
	key := make([]byte, stream.KeySize)
	defer clear(key)
	if _, err := io.ReadFull(rand, key); err != nil {
		return nil, err
	}
	var head sealedHead
	for _, pub := range to {
		sealed, err := gm.Encrypt(rand, pub, key)
		if err != nil {
			return nil, err
		}
		head.To = append(head.To, wrapped{nameOf(pub), sealed})
	}
	line, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(append([]byte(sealedMagic), append(line, '\n')...)); err != nil {
		return nil, err
	}
	return stream.NewWriter(w, key, rand)
}

// openSealed decrypts a file with the key of one who may read it.
func openSealed(r io.Reader, key crypto.Decrypter) (io.Reader, error) {
	in := bufio.NewReaderSize(r, maxSealedHead)
	magic := make([]byte, len(sealedMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != sealedMagic {
		return nil, fmt.Errorf("%w: it is no encrypted file of a backup", ErrDamaged)
	}
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("%w: its head does not end", ErrDamaged)
	}
	var head sealedHead
	if err := json.Unmarshal(line, &head); err != nil || len(head.To) > maxReaders {
		return nil, fmt.Errorf("%w: its head cannot be read", ErrDamaged)
	}
	pub, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is no SM2 key")
	}
	name := nameOf(pub)
	for _, w := range head.To {
		if w.Key != name {
			continue
		}
		fileKey, err := key.Decrypt(nil, w.Wrapped, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: its key does not open: %w", ErrDamaged, err)
		}
		defer clear(fileKey)
		return stream.NewReader(in, fileKey)
	}
	return nil, ErrNotForKey
}
