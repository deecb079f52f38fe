package directory

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"yinxin/crypto/gm"
)

// Parameters of the login hash: small, since a hub answers many logins and a
// generated secret has 160 bits anyway.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32
)

// MinSecretLength is the shortest login secret that a person may choose, in bytes.
const MinSecretLength = 12

// MaxSecretLength bounds the work of a hostile login.
const MaxSecretLength = 256

const (
	tokenBytes  = 32
	secretBytes = 20
)

// hashSecret gives the encoded Argon2id hash with a fresh salt.
func hashSecret(rand io.Reader, secret string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("read salt: %w", err)
	}
	return encodeHash(salt, argon2.IDKey([]byte(secret), salt, argonTime, argonMemory, argonThreads, argonKey)), nil
}

func encodeHash(salt, key []byte) string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		enc.EncodeToString(salt), enc.EncodeToString(key))
}

// hashOfNothing has the form of a hash and is none of any secret that somebody knows: comparing with it takes the same work.
func hashOfNothing(rand io.Reader) (string, error) {
	drawn := make([]byte, argonSalt+argonKey)
	if _, err := io.ReadFull(rand, drawn); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return encodeHash(drawn[:argonSalt], drawn[argonSalt:]), nil
}

var errHashFormat = errors.New("stored login hash is malformed")

// checkSecret compares in constant time. Only the parameters of this package are
// accepted, so that a stored hash cannot ask for endless work.
func checkSecret(encoded, secret string) (bool, error) {
	parts := strings.Split(encoded, "$")
	want := "m=" + strconv.Itoa(argonMemory) + ",t=" + strconv.Itoa(argonTime) + ",p=" + strconv.Itoa(argonThreads)
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) || parts[3] != want {
		return false, errHashFormat
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) != argonSalt {
		return false, errHashFormat
	}
	key, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(key) != argonKey {
		return false, errHashFormat
	}
	got := argon2.IDKey([]byte(secret), salt, argonTime, argonMemory, argonThreads, argonKey)
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}

// randomText gives n random bytes in URL-safe base64.
func randomText(rand io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// hashToken names a session by the SM3 of its token. The token has 256 random
// bits, so that a plain digest is enough.
func hashToken(token string) string {
	sum := gm.SM3([]byte(token))
	return hex.EncodeToString(sum[:])
}
