package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"yinxin/archive"
	"yinxin/archive/aspect"
	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/document"
	"yinxin/document/docx"
	"yinxin/document/ofd"
	"yinxin/internal/durable"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/keys/keyfile"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/picture"
	"yinxin/transport/api"
	"yinxin/transport/client"
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
	exitInterrupted   = 130 // as a shell counts SIGINT; for SIGTERM too
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

// partial is what some of the files of a command could not give, while the others have their result on stdout already: their
// exit code counts where it is a failed verdict.
type partial struct {
	exit int
	err  error
}

func (p *partial) Error() string { return p.err.Error() }
func (p *partial) Unwrap() error { return p.err }

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
		some      *partial
	)
	switch {
	case err == nil:
		return exitDone, ""
	case errors.As(err, &some):
		if exit, code = faultOf(some.err); some.exit == exitFailed {
			exit = exitFailed
		}
		return exit, code
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
	return systemFault(err)
}

// systemFault maps what the world around a command did to it.
func systemFault(err error) (exit int, code string) {
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted, "interrupted"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return exitRefused, "storage_full"
	case errors.Is(err, keys.ErrNotFound), errors.Is(err, archive.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitNotFound, "not_found"
	case errors.Is(err, keys.ErrDenied), errors.Is(err, keys.ErrConflict), errors.Is(err, fs.ErrExist), writing(err):
		return exitRefused, "refused"
	case reading(err):
		return exitNotFound, "unreadable"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, client.ErrUnreachable), errors.As(err, &netErr):
		return exitUnreachable, "unreachable"
	}
	return exitInternal, "internal"
}

// writing reports whether the system refused to write, make, rename or remove a file; that it refused to open one which this
// program makes under a passing name counts too.
func writing(err error) bool {
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link != nil
	}
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return false
	}
	switch path.Op {
	case "write", "mkdir", "mkdirat", "createtemp", "mkdirtemp", "remove", "unlinkat", "sync", "truncate", "chmod", "fchmod", "fchmodat":
		return true
	}
	return errors.Is(err, syscall.EROFS) || strings.HasPrefix(filepath.Base(path.Path), durable.TempPrefix)
}

// reading reports whether the system refused to open or read a file.
func reading(err error) bool {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return errors.Is(err, fs.ErrPermission)
	}
	_, ok = errors.AsType[syscall.Errno](path)
	return ok
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
		{errOutput, exitRefused, "output"},
		{gm.ErrPassphrase, exitRefused, "wrong_passphrase"},
		{filekeys.ErrPassphrase, exitRefused, "wrong_passphrase"},
		{gm.ErrKeyFile, exitNotFound, "malformed"},
		{keyfile.ErrTooLarge, exitRefused, "too_large"},
		{filekeys.ErrNoStore, exitNotFound, "not_found"},
		{filekeys.ErrDamaged, exitNotFound, "damaged"},
		{filekeys.ErrLocked, exitUnreachable, "locked"},
		{filekeys.ErrRolledBack, exitRefused, "rolled_back"},
		{filekeys.ErrAnchor, exitRefused, "anchor"},
		{filekeys.ErrExists, exitRefused, "not_empty"},
		{cert.ErrKeyMismatch, exitRefused, "key_mismatch"},
		{seal.ErrKeyMismatch, exitRefused, "key_mismatch"},
		{seal.ErrNotListed, exitRefused, string(verdict.SignerNotAuthorised)},
		{cert.ErrKeyUsage, exitRefused, string(verdict.KeyUsage)},
		{seal.ErrMake, exitRefused, "seal_invalid"},
		{seal.ErrNotInForce, exitRefused, "not_in_force"},
		{ofdseal.ErrSelfCheck, exitFailed, "seal_invalid"},
		{pdfseal.ErrSelfCheck, exitFailed, "seal_invalid"},
		{pdfseal.ErrTooLarge, exitRefused, "too_large"},
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
		{cert.ErrOtherAuthority, exitRefused, "register_of_another_ca"},
		{cert.ErrNotIssued, exitNotFound, "not_found"},
		{cert.ErrRevoked, exitRefused, "already_revoked"},
		{cert.ErrSameKey, exitRefused, string(verdict.WeakKey)},
		{gm.ErrWeakKey, exitRefused, string(verdict.WeakKey)},
		{cert.ErrName, exitRefused, "validation"},
		{durable.ErrLocked, exitUnreachable, "locked"},
		{durable.ErrNotFile, exitUsage, "usage"},
		{cert.ErrNotSM2, exitNotFound, "unsupported_format"},
		{cert.ErrMalformed, exitNotFound, "malformed"},
		{tlog.ErrUnreachable, exitUnreachable, "unreachable"},
		{aspect.ErrAttestation, exitUsage, "attestation"},
		{archive.ErrNotEmpty, exitRefused, "not_empty"},
		{document.ErrMalformed, exitNotFound, "malformed"},
		{docx.ErrUnreadable, exitNotFound, "malformed"},
		{ofd.ErrNotArchival, exitFailed, "validation"},
		{document.ErrNotDraft, exitNotFound, "malformed"},
		{ofdseal.ErrTimeStamp, exitRefused, "unsupported_version"},
		{tsp.ErrUnavailable, exitUnreachable, string(verdict.TimestampUnavailable)},
		{keys.ErrInvalid, exitFailed, "validation"},
		{keys.ErrSealed, exitUnreachable, "sealed"},
		{keys.ErrUnavailable, exitUnreachable, "unreachable"},
	}
}

// problemExit maps an answer of the hub.
func problemExit(p *api.Problem) int {
	switch {
	case p.Status == 404:
		return exitNotFound
	case p.Status == 500: // the hub itself failed, whatever it says of another try
		return exitInternal
	case p.Status == 429 || p.Status >= 500 && p.Retryable:
		return exitUnreachable
	case p.Status >= 500:
		return exitInternal
	case p.Code == api.Validation || p.Code == api.Malformed || p.Code == api.EnvelopeInvalid || p.Code == api.SealInvalid ||
		p.Code == api.UnsupportedFormat:
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
		for _, one := range parts(err) {
			_, code := faultOf(one)
			e.printFault(one, code)
		}
		e.explain(err)
		return exit
	}
	if out, err := json.Marshal(problemOf(err, exit, code)); err == nil {
		fmt.Fprintf(e.stderr, "%s\n", out)
	}
	return exit
}

// parts are the faults of several files that were joined into one error.
func parts(err error) []error {
	if some, ok := err.(*partial); ok { //nolint:errorlint // what wraps it has more to say
		return parts(some.err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var texts []string
	var all []error
	for _, one := range joined.Unwrap() {
		texts = append(texts, one.Error())
		all = append(all, parts(one)...)
	}
	if strings.Join(texts, "\n") != err.Error() { // one error of several kinds
		return []error{err}
	}
	return all
}

// printFault prints a fault for people; every fault of a draft, or of a request that a hub did not take, gets a line of its
// own.
func (e *env) printFault(err error, code string) {
	text := err.Error()
	if invalid, ok := errors.AsType[*document.InvalidError](err); ok {
		for _, f := range invalid.Faults {
			printLine(e.stderr, "  %s: %s (%s)\n", f.Field, f.Detail, f.Code)
		}
		text = strings.Replace(text, invalid.Error(), fmt.Sprintf("document has %d fault(s), listed above", len(invalid.Faults)), 1)
	}
	if problem, ok := errors.AsType[*api.Problem](err); ok {
		for _, f := range problem.Errors {
			printLine(e.stderr, "  %s: %s\n", f.Pointer, f.Detail)
		}
		if n := len(problem.Errors); n > 0 {
			text += fmt.Sprintf(", %d fault(s), listed above", n)
		}
	}
	fmt.Fprintf(e.stderr, "yinxin: %s [%s]\n", escape(text, "\n"), code)
}

// problemOf is the fault as a problem object (RFC 9457); what a hub answered is handed on as it came.
func problemOf(err error, exit int, code string) *api.Problem {
	if had, ok := errors.AsType[*api.Problem](err); ok {
		return had
	}
	title, status := meaningHere(exit, code)
	p := &api.Problem{
		Type: "/problems/" + code, Title: title, Status: status, Detail: err.Error(), Code: api.Code(code), Retryable: exit == exitUnreachable,
	}
	for _, one := range parts(err) {
		if invalid, ok := errors.AsType[*document.InvalidError](one); ok {
			for _, f := range invalid.Faults {
				p.Errors = append(p.Errors, api.Fault{Pointer: f.Field, Detail: f.Detail})
			}
		}
	}
	return p
}

// meaningHere gives a fault that no hub had a part in its title, and the HTTP status that comes nearest.
func meaningHere(exit int, code string) (title string, status int) {
	title, status = titlesHere()[code], statusOfExit(exit)
	if m := api.MeaningOf(api.Code(code)); string(m.Code) == code {
		status = m.Status
		title = cmp.Or(title, m.Title)
	}
	return cmp.Or(title, verdict.Reason(code).English(), strings.ReplaceAll(code, "_", " ")), status
}

// titlesHere are the titles of faults of this program and its files; a code that is not here has that of the interface or of
// the verdict.
func titlesHere() map[string]string {
	return map[string]string{ //nolint:gosec // titles of faults, no credentials
		"usage":               "The command was not called as it wants to be",
		"malformed":           "The file cannot be read as what it should be",
		"unreadable":          "The file cannot be read",
		"damaged":             "The file is damaged",
		"not_found":           "There is no such thing",
		"not_empty":           "The folder is not empty",
		"exists":              "It exists already",
		"conflict":            "It is not clear which one is meant",
		"refused":             "It is not permitted",
		"insecure":            "It would not be safe",
		"too_large":           "Too large",
		"storage_full":        "There is no room to write",
		"key_mismatch":        "Key and certificate do not belong together",
		"wrong_passphrase":    "The passphrase is wrong",
		"passphrase_mismatch": "The two passphrases differ",
		"not_in_force":        "It is not in force",
		"not_addressed":       "The envelope is for others",
		"locked":              "Another process, or a lock, holds it",
		"sealed":              "The key store is sealed",
		"output":              "The result could not be written",
		"unreachable":         "No answer came",
		"receipt_pending":     "The receipt is not built yet",
		"interrupted":         "The command was interrupted",
		"internal":            "The command failed",
	}
}

// statusOfExit is the HTTP status that an exit code comes nearest to.
func statusOfExit(exit int) int {
	switch exit {
	case exitUsage:
		return http.StatusBadRequest
	case exitNotFound:
		return http.StatusNotFound
	case exitRefused:
		return http.StatusForbidden
	case exitUnreachable, exitInterrupted:
		return http.StatusServiceUnavailable
	case exitInternal:
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity
}

// explain adds a line where it helps a person go on.
func (e *env) explain(err error) {
	if _, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintln(e.stderr, "Run 'yinxin --help', or 'yinxin COMMAND --help', for what it takes.")
	}
}
