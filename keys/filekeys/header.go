package filekeys

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"golang.org/x/crypto/argon2"

	"yinxin/crypto/gm"
	"yinxin/internal/durable"
)

const (
	headerName   = "store.json"
	headerFormat = "yinxin.filekeys/1"
	masterSize   = 32 // bytes
	saltSize     = 16
	idSize       = 16
	maxHeader    = 16 << 10
)

// KDF are the parameters of Argon2id (RFC 9106), kept in the header.
type KDF struct {
	// MemoryKiB is the memory in KiB.
	MemoryKiB uint32 `json:"memory_kib"`
	// Time is the number of passes.
	Time uint32 `json:"time"`
	// Threads is the parallelism.
	Threads uint8 `json:"threads"`
}

// Bounds of KDF, checked when a store is made and when a header is read: whoever writes the header must not make the
// reader allocate or compute without end, nor make guessing cheap unnoticed.
const (
	MinMemoryKiB = 8 << 10
	MaxMemoryKiB = 1 << 20
	MaxTime      = 16
	MaxThreads   = 16
)

// DefaultKDF opens a store in well below 100 ms on a small machine: 64 MiB, one pass, four lanes.
func DefaultKDF() KDF { return KDF{MemoryKiB: 64 << 10, Time: 1, Threads: 4} }

// check refuses parameters out of bounds.
func (k KDF) check() error {
	if k.MemoryKiB < MinMemoryKiB || k.MemoryKiB > MaxMemoryKiB || k.Time < 1 || k.Time > MaxTime ||
		k.Threads < 1 || k.Threads > MaxThreads {
		return fmt.Errorf("argon2id parameters out of bounds: %d KiB, %d passes, %d threads", k.MemoryKiB, k.Time, k.Threads)
	}
	return nil
}

// header is store.json.
type header struct {
	Format  string    `json:"format"`
	Store   string    `json:"store"` // hexadecimal, 16 bytes
	Created time.Time `json:"created"`
	KDF     KDF       `json:"argon2id"`
	Salt    []byte    `json:"salt"`
	Master  []byte    `json:"master"` // nonce ‖ SM4-GCM(KEK, master key)
	// Checksum is the SM3 of the header with an empty checksum: it tells damage from a wrong passphrase, and is no
	// protection against an attacker, who is met by the encryption.
	Checksum string `json:"checksum"`
}

// sum computes the checksum.
func (h header) sum() (string, error) {
	h.Checksum = ""
	data, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	sum := gm.SM3(data)
	return hex.EncodeToString(sum[:]), nil
}

// kek makes the cipher that encrypts the master key, and its associated data.
func (h header) kek(passphrase []byte) (cipher.AEAD, []byte, error) {
	key := argon2.IDKey(passphrase, h.Salt, h.KDF.Time, h.KDF.MemoryKiB, h.KDF.Threads, gm.KeySize)
	defer clear(key)
	aead, err := gm.NewSM4GCM(key)
	if err != nil {
		return nil, nil, err
	}
	aad := fmt.Sprintf("yinxin filekeys master v1\x00%s\x00%d %d %d", h.Store, h.KDF.MemoryKiB, h.KDF.Time, h.KDF.Threads)
	return aead, []byte(aad), nil
}

// wrapMaster gives the header with salt, encrypted master key and checksum filled in.
func (h header) wrapMaster(rand io.Reader, passphrase, master []byte) (header, error) {
	h.Salt = make([]byte, saltSize)
	if _, err := io.ReadFull(rand, h.Salt); err != nil {
		return h, err
	}
	aead, aad, err := h.kek(passphrase)
	if err != nil {
		return h, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return h, err
	}
	h.Master = aead.Seal(nonce, nonce, master, aad)
	h.Checksum, err = h.sum()
	return h, err
}

// openMaster gives the master key, or ErrPassphrase.
func (h header) openMaster(passphrase []byte) ([]byte, error) {
	aead, aad, err := h.kek(passphrase)
	if err != nil {
		return nil, err
	}
	master, err := aead.Open(nil, h.Master[:aead.NonceSize()], h.Master[aead.NonceSize():], aad)
	if err != nil {
		return nil, ErrPassphrase
	}
	return master, nil
}

// parseHeader reads store.json and bounds all that the key derivation will be told.
func parseHeader(data []byte) (header, error) {
	var h header
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return h, damagedf("%s: %s", headerName, err)
	}
	if d.More() {
		return h, damagedf("%s: trailing data", headerName)
	}
	if h.Format != headerFormat {
		return h, damagedf("%s: format %q is not %q", headerName, h.Format, headerFormat)
	}
	sum, err := h.sum()
	if err != nil || sum != h.Checksum {
		return h, damagedf("%s: its checksum does not fit", headerName)
	}
	if err := h.KDF.check(); err != nil {
		return h, damagedf("%s: %s", headerName, err)
	}
	id, err := hex.DecodeString(h.Store)
	if err != nil || len(id) != idSize || len(h.Salt) != saltSize || len(h.Master) != masterSize+sealedNonce+sealedTag {
		return h, damagedf("%s: a field has the wrong length", headerName)
	}
	return h, nil
}

// readHeader reads DIR/store.json; ErrNoStore where there is none.
func readHeader(dir string) (header, error) {
	data, err := readPrivate(filepath.Join(dir, headerName), maxHeader)
	if err != nil {
		return header{}, err
	}
	return parseHeader(data)
}

// write stores the header: exclusively when the store is made, replacing when the passphrase changes.
func (h header) write(disk durable.Disk, dir string, exclusive bool) error {
	data, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, headerName)
	if exclusive {
		return disk.CreateExclusive(path, append(data, '\n'), 0o600)
	}
	return disk.WriteFile(path, append(data, '\n'), 0o600)
}

// ErrPassphrase: the passphrase does not open the store.
var ErrPassphrase = errors.New("wrong passphrase")
