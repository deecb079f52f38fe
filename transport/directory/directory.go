// Package directory knows the offices of an exchange and the people who act for
// them.
//
// It promises that no account holds both seal use and seal approval, that system,
// security and audit administration are three persons, that a login secret is
// stored only as an Argon2id hash and a session token only as its SM3, that an
// answer to a wrong login does not show whether the account exists, that no two
// offices have codes that differ in case alone, and that no two that take part have
// one name.
//
// It is pure code over the Store that it declares. It does not judge certificates
// (the hub does, against its roots) and keeps no private key.
package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yinxin/transport"
)

// Errors that a caller decides on.
var (
	// ErrNotFound: no such organisation, account or session.
	ErrNotFound = errors.New("directory entry not found")
	// ErrUnauthenticated: the login or the token is not good. It never says why.
	ErrUnauthenticated = errors.New("login or token is not valid")
	// ErrRateLimited: too many failed logins; try again later.
	ErrRateLimited = errors.New("too many failed logins")
	// ErrConflict: the entry exists already.
	ErrConflict = errors.New("directory entry exists already")
)

// Status says whether an organisation or an account takes part.
type Status string

// The two states of an entry. A closed entry stays readable, because old evidence
// names it.
const (
	Active Status = "active"
	Closed Status = "closed"
)

// Limits of directory entries.
const (
	MaxNameRunes    = 200
	MaxAliases      = 50
	MaxCertificates = 64 << 10 // bytes of PEM for one certificate with its chain
)

// Organisation is an office.
type Organisation struct {
	// Code is the organisation code: the nine-character body of the 统一社会信用代码,
	// or a local code. It never changes.
	Code string
	// Name is the full name; Aliases are abbreviations and former names, which stay
	// resolvable.
	Name    string
	Aliases []string
	// Parent is the code of the superior office, empty at the top of the tree.
	Parent string
	// SigningCert and EncryptionCert are the two SM2 certificates (PEM, the office's
	// own first, issuers after it). Empty until they are issued.
	SigningCert    []byte
	EncryptionCert []byte
	// Archive marks the office that keeps the records of this hub.
	Archive bool
	Status  Status
	// Changed is when the entry was last saved.
	Changed time.Time
}

// Role is what an account may do.
type Role string

// The roles. Admin, Security and Auditor are the three administrators (三员) that
// must be three persons.
const (
	Admin      Role = "admin"       // 系统管理员: offices, accounts
	Security   Role = "security"    // 安全管理员: rights
	Auditor    Role = "auditor"     // 审计管理员: reads the audit
	Clerk      Role = "clerk"       // 办文人员: sends, receives, signs for
	SealKeeper Role = "seal_keeper" // 印章保管: uses seals
	Approver   Role = "approver"    // 签发人: approves the use of a seal
	Archivist  Role = "archivist"   // 档案员
	Custodian  Role = "custodian"   // 密钥管理员
	Supervisor Role = "supervisor"  // 督查
)

// Roles lists every role.
func Roles() []Role {
	return []Role{Admin, Security, Auditor, Clerk, SealKeeper, Approver, Archivist, Custodian, Supervisor}
}

// exclusive lists the pairs that one account never holds together.
func exclusive() [][2]Role {
	return [][2]Role{
		{SealKeeper, Approver},
		{Admin, Security},
		{Admin, Auditor},
		{Security, Auditor},
	}
}

// Account is one person (or program) that acts for an office.
type Account struct {
	ID     string
	Org    string
	Name   string
	Roles  []Role
	Status Status
	// Secret is the encoded Argon2id hash of the login secret.
	Secret string
	// Epoch grows with each change of secret, roles or status. A session of an older
	// epoch is no longer good.
	Epoch int
}

// Has reports whether the account holds one of the roles.
func (a Account) Has(any ...Role) bool {
	for _, r := range any {
		if slices.Contains(a.Roles, r) {
			return true
		}
	}
	return false
}

// Store keeps the directory. Each method is one transaction and durable on return.
// Get methods return ErrNotFound where there is nothing.
type Store interface {
	Organisation(ctx context.Context, code string) (Organisation, error)
	// Organisations lists by code, those after the given one first.
	Organisations(ctx context.Context, after string, limit int) ([]Organisation, error)
	// Namesakes are the offices that have this code, in large or small letters, or this name, by code.
	Namesakes(ctx context.Context, code, name string) ([]Organisation, error)
	// SaveOrganisation inserts or replaces. A code that another office has in other letters is ErrConflict.
	SaveOrganisation(ctx context.Context, o Organisation) error
	Account(ctx context.Context, id string) (Account, error)
	Accounts(ctx context.Context, org, after string, limit int) ([]Account, error)
	// SaveAccount inserts or replaces, and drops the account's sessions of older epochs.
	SaveAccount(ctx context.Context, a Account) error
	Session(ctx context.Context, tokenHash string) (Session, error)
	SaveSession(ctx context.Context, s Session) error
	DeleteSession(ctx context.Context, tokenHash string) error
	// Sessions lists those of an account, newest first.
	Sessions(ctx context.Context, account string) ([]Session, error)
}

// FieldError is one fault of an entry.
type FieldError struct {
	Field string // JSON name of the field
	Text  string
}

// InvalidError reports every fault of an entry at once.
type InvalidError struct{ Faults []FieldError }

// Error lists the faults.
func (e *InvalidError) Error() string {
	parts := make([]string, 0, len(e.Faults))
	for _, f := range e.Faults {
		parts = append(parts, f.Field+": "+f.Text)
	}
	return "directory entry is not valid: " + strings.Join(parts, "; ")
}

func (e *InvalidError) add(field, format string, args ...any) {
	e.Faults = append(e.Faults, FieldError{Field: field, Text: fmt.Sprintf(format, args...)})
}

func (e *InvalidError) orNil() error {
	if len(e.Faults) == 0 {
		return nil
	}
	return e
}

// Validate reports all faults of the entry at once, as *InvalidError.
func (o Organisation) Validate() error {
	var bad InvalidError
	if !transport.ValidCode(o.Code) {
		bad.add("code", "is not 1 to 64 letters, digits, dots, hyphens")
	}
	checkName(&bad, "name", o.Name)
	if len(o.Aliases) > MaxAliases {
		bad.add("aliases", "are more than %d", MaxAliases)
	}
	for _, a := range o.Aliases {
		checkName(&bad, "aliases", a)
	}
	if o.Parent != "" && (!transport.ValidCode(o.Parent) || o.Parent == o.Code) {
		bad.add("parent", "is not the code of another office")
	}
	if len(o.SigningCert) > MaxCertificates {
		bad.add("signing_cert", "is longer than %d bytes", MaxCertificates)
	}
	if len(o.EncryptionCert) > MaxCertificates {
		bad.add("encryption_cert", "is longer than %d bytes", MaxCertificates)
	}
	if o.Status != Active && o.Status != Closed {
		bad.add("status", "is neither active nor closed")
	}
	return bad.orNil()
}

// Validate reports all faults of the account at once, as *InvalidError.
func (a Account) Validate() error {
	var bad InvalidError
	if !transport.ValidCode(a.ID) {
		bad.add("id", "is not 1 to 64 letters, digits, dots, hyphens")
	}
	if !transport.ValidCode(a.Org) {
		bad.add("org", "is not the code of an office")
	}
	checkName(&bad, "name", a.Name)
	if len(a.Roles) == 0 {
		bad.add("roles", "are empty")
	}
	for _, r := range a.Roles {
		if !slices.Contains(Roles(), r) {
			bad.add("roles", "name an unknown role %q", r)
		}
	}
	for _, pair := range exclusive() {
		if a.Has(pair[0]) && a.Has(pair[1]) {
			bad.add("roles", "%s and %s must not be one person", pair[0], pair[1])
		}
	}
	if a.Status != Active && a.Status != Closed {
		bad.add("status", "is neither active nor closed")
	}
	return bad.orNil()
}

func checkName(bad *InvalidError, field, name string) {
	switch {
	case strings.TrimSpace(name) != name || name == "":
		bad.add(field, "is empty or has space around it")
	case !utf8.ValidString(name) || utf8.RuneCountInString(name) > MaxNameRunes:
		bad.add(field, "is not UTF-8 of at most %d characters", MaxNameRunes)
	case strings.ContainsFunc(name, hidden):
		bad.add(field, "holds control or direction characters")
	}
}

// hidden finds characters that would let one name pass for another on a page or
// forge a line in a log: controls, bidirectional overrides, zero-width signs.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError
}
