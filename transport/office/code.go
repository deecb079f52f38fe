package office

import (
	"errors"
	"time"

	"yinxin/document"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/verdict"
)

// RetryAfter is after how many seconds it is worth while to ask again for what needed a key: what the store of keys suggests,
// at least one. It is for api.Dependency.
func RetryAfter(err error) int {
	away, ok := errors.AsType[*keys.UnavailableError](err)
	if !ok {
		return 1
	}
	return max(1, int((away.RetryAfter+time.Second-1)/time.Second))
}

// CodeOf gives the problem code of a refusal of this package; api.Internal for anything that is no refusal.
func CodeOf(err error) api.Code {
	var invalid *document.InvalidError
	var container *verdict.ContainerError
	var directoryInvalid *directory.InvalidError
	table := []struct {
		is   bool
		code api.Code
	}{
		{errors.Is(err, document.ErrClassified), api.ClassifiedContent},
		{errors.Is(err, ErrMalware), api.Malware},
		{errors.Is(err, ErrScanner), api.Dependency},
		{errors.As(err, &invalid), api.Validation},
		{errors.Is(err, document.ErrMalformed), api.Malformed},
		{errors.As(err, &directoryInvalid), api.Validation},
		{errors.As(err, &container), api.UnsupportedFormat},
		{errors.Is(err, ErrNotFound), api.NotFound},
		{errors.Is(err, directory.ErrNotFound), api.NotFound},
		{errors.Is(err, directory.ErrConflict), api.Conflict},
		{errors.Is(err, seal.ErrUnknownSeal) || errors.Is(err, seal.ErrUnknownRequest), api.NotFound},
		{errors.Is(err, seal.ErrOwnRequest), api.Forbidden},
		{errors.Is(err, seal.ErrApproval), api.PreconditionFailed},
		{errors.Is(err, ErrForbidden), api.Forbidden},
		{errors.Is(err, ErrNotHosted), api.Forbidden},
		{errors.Is(err, keys.ErrSealed) || errors.Is(err, keys.ErrUnavailable), api.Dependency},
		{errors.Is(err, ErrSelfApproval), api.Forbidden},
		{errors.Is(err, ErrState), api.InvalidTransition},
		{errors.Is(err, ErrNotOpened), api.InvalidTransition},
		{errors.Is(err, ErrDigestChanged), api.PreconditionFailed},
		{errors.Is(err, ErrKeyApproval), api.PreconditionRequired},
		{errors.Is(err, ErrNoKeyApproval), api.Validation},
		{errors.Is(err, ErrNameless), api.Forbidden},
		{errors.Is(err, ErrAddressee), api.InvalidAddressee},
		{errors.Is(err, ErrSender), api.SenderMismatch},
		{errors.Is(err, ErrNoPlace), api.Validation},
		{errors.Is(err, ErrReason) || errors.Is(err, ErrNoReason), api.Validation},
		{errors.Is(err, ErrRequest), api.Validation},
		{errors.Is(err, ErrReference) || errors.Is(err, ErrHolders), api.Validation},
		{errors.Is(err, ErrSeal), api.SealInvalid},
		{errors.Is(err, seal.ErrNotInForce) || errors.Is(err, ofdseal.ErrNotInForce), api.InvalidTransition},
		{errors.Is(err, seal.ErrTransition), api.InvalidTransition},
		{errors.Is(err, seal.ErrMake), api.Validation},
		{errors.Is(err, keys.ErrDenied), api.PreconditionFailed}, // the key is disabled, or an approval in its store is none
	}
	for _, row := range table {
		if row.is {
			return row.code
		}
	}
	return api.Internal
}
