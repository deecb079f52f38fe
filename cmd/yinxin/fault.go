package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/document"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/keys/keyfile"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/picture"
	"yinxin/transport/api"
	"yinxin/transport/envelope"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// Exit codes, as the README lists them.
const (
	exitDone          = 0
	exitFailed        = 1
	exitUsage         = 2
	exitIndeterminate = 3
	exitNotFound      = 4
	exitRefused       = 5
	exitUnreachable   = 6
	exitInternal      = 70
)

// exitStatus ends a command with a code and nothing more to say: its report is on stdout already.
type exitStatus int //nolint:errname // an end, not a fault

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError is a wrong call.
type usageError struct{ text string }

func (u *usageError) Error() string { return u.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// refusal is a command that was understood and not done.
type refusal struct {
	code string // a problem code of exchange and seals, for instance classified_content
	exit int
	err  error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func refuse(code string, exit int, format string, args ...any) error {
	return &refusal{code: code, exit: exit, err: fmt.Errorf(format, args...)}
}

// faultOf maps an error to its exit code and problem code; one table for every command.
func faultOf(err error) (exit int, code string) {
	var (
		status    exitStatus
		wrong     *usageError
		refused   *refusal
		problem   *api.Problem
		container *verdict.ContainerError
		invalid   *document.InvalidError
		insecure  *filekeys.InsecureError
		netErr    net.Error
	)
	switch {
	case err == nil:
		return exitDone, ""
	case errors.As(err, &status):
		return int(status), ""
	case errors.As(err, &wrong):
		return exitUsage, "usage"
	case errors.As(err, &refused):
		return refused.exit, refused.code
	case errors.Is(err, document.ErrClassified):
		return exitRefused, "classified_content"
	case errors.As(err, &invalid):
		return exitFailed, "validation"
	case errors.As(err, &container):
		return exitFailed, string(container.Reason)
	case errors.As(err, &problem):
		return problemExit(problem), string(problem.Code)
	case errors.As(err, &insecure):
		return exitRefused, "insecure"
	}
	for _, row := range faultTable() {
		if errors.Is(err, row.err) {
			return row.exit, row.code
		}
	}
	if reason, ok := tlog.ReasonOf(err); ok {
		return exitFailed, string(reason)
	}
	switch {
	case errors.Is(err, keys.ErrNotFound), errors.Is(err, archive.ErrNotFound), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return exitNotFound, "not_found"
	case errors.Is(err, keys.ErrDenied), errors.Is(err, keys.ErrConflict), errors.Is(err, fs.ErrExist):
		return exitRefused, "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr):
		return exitUnreachable, "unreachable"
	}
	return exitInternal, "internal"
}

// faultRow maps one sentinel.
type faultRow struct {
	err  error
	exit int
	code string
}

// faultTable maps the sentinels of the packages that the offline commands use; the first that fits counts, so the closer
// cause stands before what wraps it.
func faultTable() []faultRow {
	return []faultRow{
		{gm.ErrPassphrase, exitRefused, "wrong_passphrase"},
		{filekeys.ErrPassphrase, exitRefused, "wrong_passphrase"},
		{gm.ErrKeyFile, exitNotFound, "malformed"},
		{keyfile.ErrTooLarge, exitRefused, "too_large"},
		{filekeys.ErrNoStore, exitNotFound, "not_found"},
		{filekeys.ErrDamaged, exitNotFound, "damaged"},
		{filekeys.ErrLocked, exitUnreachable, "locked"},
		{filekeys.ErrRolledBack, exitRefused, "rolled_back"},
		{filekeys.ErrExists, exitRefused, "not_empty"},
		{cert.ErrKeyMismatch, exitRefused, "key_mismatch"},
		{seal.ErrKeyMismatch, exitRefused, "key_mismatch"},
		{seal.ErrNotListed, exitRefused, string(verdict.SignerNotAuthorised)},
		{cert.ErrKeyUsage, exitRefused, string(verdict.KeyUsage)},
		{seal.ErrMake, exitRefused, "seal_invalid"},
		{ofdseal.ErrLocked, exitRefused, "locked"},
		{ofdseal.ErrBroken, exitFailed, "seal_invalid"},
		{pdfseal.ErrBroken, exitFailed, "seal_invalid"},
		{ofdseal.ErrLeftover, exitFailed, string(verdict.OrphanEntry)},
		{ofdseal.ErrIncomplete, exitFailed, string(verdict.MissingEntry)},
		{ofdseal.ErrManyDocuments, exitFailed, "unsupported_format"},
		{ofdseal.ErrStamp, exitUsage, string(verdict.Placement)},
		{pdfseal.ErrStamp, exitUsage, string(verdict.Placement)},
		{ofdseal.ErrNotInForce, exitRefused, "not_in_force"},
		{pdfseal.ErrSigner, exitRefused, "not_in_force"},
		{pdfseal.ErrPicture, exitRefused, "unsupported_format"},
		{picture.ErrPicture, exitNotFound, "malformed"},
		{picture.ErrTooLong, exitUsage, "usage"},
		{picture.ErrGlyph, exitUsage, "usage"},
		{picture.ErrSize, exitUsage, "usage"},
		{office.ErrSeal, exitFailed, "seal_invalid"},
		{envelope.ErrNotAddressed, exitRefused, "not_addressed"},
		{envelope.ErrOptions, exitUsage, "usage"},
		{cert.ErrNotSM2, exitNotFound, "unsupported_format"},
		{cert.ErrMalformed, exitNotFound, "malformed"},
		{archive.ErrNotEmpty, exitRefused, "not_empty"},
		{keys.ErrInvalid, exitFailed, "validation"},
		{keys.ErrSealed, exitRefused, "sealed"},
		{keys.ErrUnavailable, exitUnreachable, "unreachable"},
	}
}

// problemExit maps an answer of the hub.
func problemExit(p *api.Problem) int {
	switch {
	case p.Status == 404:
		return exitNotFound
	case p.Status == 429 || p.Status >= 500 && p.Retryable:
		return exitUnreachable
	case p.Status >= 500:
		return exitInternal
	case p.Code == api.Validation || p.Code == api.Malformed || p.Code == api.SealInvalid || p.Code == api.UnsupportedFormat:
		return exitFailed
	}
	return exitRefused
}

// report prints the fault of a command, if any, and returns its exit code.
func (e *env) report(err error, asJSON bool) int {
	exit, code := faultOf(err)
	var status exitStatus
	if err == nil || errors.As(err, &status) {
		return exit
	}
	if !asJSON {
		e.printFault(err, code)
		return exit
	}
	if out, err := json.Marshal(problemOf(err, exit, code)); err == nil {
		fmt.Fprintf(e.stderr, "%s\n", out)
	}
	return exit
}

// printFault prints a fault for people; every fault of a draft gets a line of its own.
func (e *env) printFault(err error, code string) {
	text := err.Error()
	if invalid, ok := errors.AsType[*document.InvalidError](err); ok {
		for _, f := range invalid.Faults {
			fmt.Fprintf(e.stderr, "  %s: %s (%s)\n", f.Field, f.Detail, f.Code)
		}
		text = strings.Replace(text, invalid.Error(), fmt.Sprintf("document has %d fault(s), listed above", len(invalid.Faults)), 1)
	}
	fmt.Fprintf(e.stderr, "yinxin: %s [%s]\n", text, code)
	e.explain(err)
}

// problemOf is the fault as a problem object (RFC 9457); what a hub answered is handed on as it came.
func problemOf(err error, exit int, code string) *api.Problem {
	if had, ok := errors.AsType[*api.Problem](err); ok {
		return had
	}
	p := &api.Problem{Type: "/problems/" + code, Title: strings.ReplaceAll(code, "_", " "), Code: api.Code(code)}
	if m := api.MeaningOf(p.Code); m.Code == p.Code {
		p.Title, p.Status = m.Title, m.Status
	}
	p.Detail, p.Retryable = err.Error(), exit == exitUnreachable
	if invalid, ok := errors.AsType[*document.InvalidError](err); ok {
		for _, f := range invalid.Faults {
			p.Errors = append(p.Errors, api.Fault{Pointer: f.Field, Detail: f.Detail})
		}
	}
	return p
}

// explain adds a line where it helps a person go on.
func (e *env) explain(err error) {
	if _, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintln(e.stderr, "Run 'yinxin --help', or 'yinxin COMMAND --help', for what it takes.")
	}
}
