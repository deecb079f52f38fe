package gmwire

import (
	"errors"
	"fmt"
	"strings"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// The codes of error classes. CodeDecrypt is keys.ErrInvalid of a ciphertext that does not open.
const (
	CodeSealed      = "sealed"
	CodeDenied      = "denied"
	CodeNotFound    = "not_found"
	CodeConflict    = "conflict"
	CodeInvalid     = "invalid"
	CodeDecrypt     = "decrypt"
	CodeUnavailable = "unavailable"
)

// class is an error class with its code and status.
type class struct {
	code   string
	err    error
	status int
}

func classes() []class {
	return []class{
		{CodeDecrypt, gm.ErrDecrypt, 400},
		{CodeDenied, keys.ErrDenied, 403},
		{CodeNotFound, keys.ErrNotFound, 400},
		{CodeConflict, keys.ErrConflict, 409},
		{CodeInvalid, keys.ErrInvalid, 400},
		{CodeSealed, keys.ErrSealed, 503},
		{CodeUnavailable, keys.ErrUnavailable, 503},
	}
}

// CodeOf gives the code and the HTTP status of an error; one outside the set of package keys is CodeUnavailable.
func CodeOf(err error) (code string, status int) {
	for _, c := range classes() {
		if errors.Is(err, c.err) {
			return c.code, c.status
		}
	}
	return CodeUnavailable, 500
}

// mark stands between code and text of an error that travels as one string.
const mark = ": "

// codePrefix stands before the code, so that no text of Vault's own is taken for ours.
const codePrefix = "gm "

// Text is the one string that an error travels as: code and text.
func Text(err error) string {
	code, _ := CodeOf(err)
	return codePrefix + code + mark + err.Error()
}

// ParseText reads what Text wrote; false if the text is not of the engine.
func ParseText(text string) (error, bool) { //nolint:revive // the error is the result here, not the outcome
	rest, ok := strings.CutPrefix(text, codePrefix)
	if !ok {
		return nil, false
	}
	code, message, ok := strings.Cut(rest, mark)
	if !ok {
		return nil, false
	}
	err := Error(code, message)
	return err, err != nil
}

// Error makes an error of the class that a code names, nil for an unknown code.
func Error(code, message string) error {
	switch code {
	case CodeDecrypt: // one text for every failure
		return fmt.Errorf("%w: %w", keys.ErrInvalid, gm.ErrDecrypt)
	case CodeUnavailable:
		return &keys.UnavailableError{Err: errors.New(strings.TrimPrefix(message, keys.ErrUnavailable.Error()+mark))}
	}
	for _, c := range classes() {
		if c.code == code {
			return &remoteError{class: c.err, text: message}
		}
	}
	return nil
}

// remoteError is an error that was made on the other side: its text is there already with the class in it.
type remoteError struct {
	class error
	text  string
}

// Error implements error.
func (e *remoteError) Error() string { return e.text }

// Unwrap gives the class.
func (e *remoteError) Unwrap() error { return e.class }
