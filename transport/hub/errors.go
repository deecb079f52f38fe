package hub

import (
	"errors"
	"fmt"

	"yinxin/transport/api"
)

// Failures of the storage beneath a Store.
var (
	// ErrStorage: the storage could not be read or written.
	ErrStorage = errors.New("storage failed")
	// ErrStorageFull: there is no room.
	ErrStorageFull = errors.New("storage is full")
)

// ErrPending says that the receipt is not built yet; ask again.
var ErrPending = errors.New("receipt is not built yet")

// Refusal says that the hub will not do what was asked, with the code that both
// sides know.
type Refusal struct { //nolint:errname // a refusal is an outcome that the hub decides, not a failure
	Code   api.Code
	Detail string
	Faults []api.Fault
	// Conflict409 selects the status 409 of duplicate_conflict, for the exchange id.
	Conflict409 bool
	// Entry is the evidence of the refusal, where there is one.
	Entry string
}

// Error gives code and detail.
func (r *Refusal) Error() string {
	if r.Detail == "" && len(r.Faults) > 0 {
		return fmt.Sprintf("refused: %s: %s: %s", r.Code, r.Faults[0].Pointer, r.Faults[0].Detail)
	}
	if r.Detail == "" {
		return "refused: " + string(r.Code)
	}
	return fmt.Sprintf("refused: %s: %s", r.Code, r.Detail)
}

func refuse(code api.Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// notFound is the one answer for what does not exist and for what belongs to
// another office.
func notFound() error { return &Refusal{Code: api.NotFound} }
