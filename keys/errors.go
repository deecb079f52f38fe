package keys

import (
	"errors"
	"fmt"
	"time"
)

// The closed set of errors of every provider; test with errors.Is. An error outside the set is a fault of the provider.
var (
	// ErrSealed: the store is closed or sealed; nothing works until its custodians open it.
	ErrSealed = errors.New("key store is sealed")
	// ErrDenied: the caller, the purpose or the state of the key forbids it. Trying again does not help.
	ErrDenied = errors.New("key use denied")
	// ErrNotFound: no such key, version or certificate.
	ErrNotFound = errors.New("key not found")
	// ErrConflict: the state is not the one that the caller expected; read again and decide.
	ErrConflict = errors.New("key state conflict")
	// ErrInvalid: the input is wrong: a name, a digest of another length, a ciphertext that does not open.
	ErrInvalid = errors.New("key request invalid")
	// ErrUnavailable: the store cannot be reached or cannot write; trying again later may help. It is always carried by
	// an *UnavailableError.
	ErrUnavailable = errors.New("key store unavailable")
)

// UnavailableError is ErrUnavailable with a hint when to try again.
type UnavailableError struct {
	// RetryAfter is the wait that the store suggests, 0 if it suggests none.
	RetryAfter time.Duration
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *UnavailableError) Error() string { return fmt.Sprintf("%s: %s", ErrUnavailable, e.Err) }

// Unwrap gives the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrUnavailable) true.
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// Classified reports whether err belongs to the closed set.
func Classified(err error) bool {
	for _, class := range []error{ErrSealed, ErrDenied, ErrNotFound, ErrConflict, ErrInvalid, ErrUnavailable} {
		if errors.Is(err, class) {
			return true
		}
	}
	return false
}
