package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"yinxin/transport/hub"
)

// Codes of the server that a caller can act on. https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	codeUnique        = "23505"
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeLockTimeout   = "55P03"
	codeUndefined     = "42P01"
	codeDiskFull      = "53100"
	codeStale         = "YX001" // raised by must_change_one
	codeOther         = "YX002" // raised by save_receipt
)

func codeOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func isUndefinedTable(err error) bool { return codeOf(err) == codeUndefined }

// storageError names the failures that a caller can act on. What the server did not say itself
// is a failure of the line to it.
func storageError(err error) error {
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if strings.Contains(err.Error(), "closed pool") {
			return ErrClosed
		}
		return fmt.Errorf("%w: %w", hub.ErrStorage, err)
	}
	switch e.Code {
	case codeUnique, codeOther:
		return fmt.Errorf("%w: %w", hub.ErrExists, err)
	case codeStale:
		return fmt.Errorf("%w: %w", hub.ErrStale, err)
	case codeDiskFull:
		return fmt.Errorf("%w: %w", hub.ErrStorageFull, err)
	case codeSerialization, codeDeadlock, codeLockTimeout:
		return fmt.Errorf("%w: %w", hub.ErrStorage, err)
	}
	switch e.Code[:2] {
	// connection, resources, operator (shutdown, crash), system and internal errors
	case "08", "53", "57", "58", "XX":
		return fmt.Errorf("%w: %w", hub.ErrStorage, err)
	}
	return err
}

// undone reports whether an error of a commit says for sure that nothing was kept: the server
// itself refused a statement, and goes on. A session that ends leaves the question open.
func undone(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Severity == "ERROR"
	}
	return pgconn.SafeToRetry(err)
}

// again reports whether the same transaction may simply be tried once more.
func again(err error) bool {
	switch codeOf(err) {
	case codeSerialization, codeDeadlock:
		return true
	}
	return pgconn.SafeToRetry(err)
}
