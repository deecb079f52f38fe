package filekeys

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"yinxin/crypto/gm"
)

const (
	sealedMagic = "YXKEYS1\n"
	sealedNonce = 12
	sealedTag   = 16
	sealedHead  = len(sealedMagic) + 8 + sealedNonce
	// maxEntry bounds one entry in bytes; engine entries are far smaller.
	maxEntry = 1 << 20
)

// MaxHead bounds the plain head in bytes: about 100,000 entries, or 40,000 keys of one version.
const MaxHead = 16 << 20

// ErrDamaged: a file of the store is not what the store wrote there: cut, altered, exchanged, missing, or put back from
// an earlier time.
var ErrDamaged = errors.New("key store is damaged")

func damagedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// InsecureError: a file or directory of the store can be reached by others, or is not of the kind it should be.
type InsecureError struct {
	Path string
	Mode fs.FileMode
}

// Error implements error.
func (e *InsecureError) Error() string {
	return fmt.Sprintf("%s has mode %s: it must be a regular file of 0600, or a directory of 0700", e.Path, e.Mode)
}

// sealer encrypts the files of one store.
type sealer struct {
	store   []byte // store id
	entries cipher.AEAD
	head    cipher.AEAD
}

// newSealer derives the keys of a store from its master key.
func newSealer(store, master []byte) (*sealer, error) {
	s := &sealer{store: store}
	for _, use := range []struct {
		info string
		to   *cipher.AEAD
	}{{"yinxin filekeys entry v1", &s.entries}, {"yinxin filekeys head v1", &s.head}} {
		key, err := gm.HKDF(master, store, use.info, gm.KeySize)
		if err != nil {
			return nil, err
		}
		*use.to, err = gm.NewSM4GCM(key)
		clear(key)
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// aad binds a file to store, path and generation. Paths hold no zero byte.
func (s *sealer) aad(path string, generation uint64) []byte {
	b := append([]byte("yinxin filekeys v1\x00"), s.store...)
	b = append(append(b, path...), 0)
	return binary.BigEndian.AppendUint64(b, generation)
}

// seal gives the bytes of a sealed file.
func (s *sealer) seal(aead cipher.AEAD, rand io.Reader, path string, generation uint64, plain []byte) ([]byte, error) {
	out := make([]byte, 0, sealedHead+len(plain)+sealedTag)
	out = binary.BigEndian.AppendUint64(append(out, sealedMagic...), generation)
	out = out[:sealedHead]
	nonce := out[sealedHead-sealedNonce:]
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil, fmt.Errorf("seal %s: %w", path, err)
	}
	return aead.Seal(out, nonce, plain, s.aad(path, generation)), nil
}

// open gives the plaintext of a sealed file and its generation, which the caller compares with what it expects.
func (s *sealer) open(aead cipher.AEAD, path string, data []byte) ([]byte, uint64, error) {
	if len(data) < sealedHead+sealedTag || string(data[:len(sealedMagic)]) != sealedMagic {
		return nil, 0, damagedf("%s is too short or no file of a key store", path)
	}
	generation := binary.BigEndian.Uint64(data[len(sealedMagic):])
	nonce := data[sealedHead-sealedNonce : sealedHead]
	plain, err := aead.Open(nil, nonce, data[sealedHead:], s.aad(path, generation))
	if err != nil {
		return nil, 0, damagedf("%s does not authenticate", path)
	}
	return plain, generation, nil
}

// checkPrivate refuses what others may reach, and symbolic links.
func checkPrivate(path string, mode fs.FileMode, dir bool) error {
	if mode.Perm()&0o077 != 0 || mode.IsDir() != dir || (!dir && !mode.IsRegular()) {
		return &InsecureError{Path: path, Mode: mode}
	}
	return nil
}

// checkDir refuses a directory that others may reach.
func checkDir(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return checkPrivate(path, info.Mode(), true)
}

// readPrivate reads a file of mode 0600, not through a symbolic link, of at most limit bytes.
func readPrivate(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, &InsecureError{Path: path, Mode: fs.ModeSymlink}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(path, info.Mode(), false); err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, damagedf("%s has %d bytes, at most %d", path, info.Size(), limit)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, damagedf("%s: %s", path, err)
	}
	return data, nil
}
