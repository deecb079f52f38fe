package web

import (
	"context"
	"fmt"
	"io/fs"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/internal/audit"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/picture"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// Accounts knows people and offices, and who is signed in.
type Accounts interface {
	LogIn(ctx context.Context, try directory.Attempt) (token string, s directory.Session, err error)
	Authenticate(ctx context.Context, token string) (directory.Account, error)
	Logout(ctx context.Context, token string) error
	Account(ctx context.Context, id string) (directory.Account, error)
	Accounts(ctx context.Context, org, after string, limit int) ([]directory.Account, error)
	AddAccount(ctx context.Context, a directory.Account, secret string) (string, error)
	SetAccount(ctx context.Context, id, name string, roles []directory.Role, status directory.Status) error
	SetSecret(ctx context.Context, id, secret string) (string, error)
	Organisation(ctx context.Context, code string) (directory.Organisation, error)
	Organisations(ctx context.Context, after string, limit int) ([]directory.Organisation, error)
}

// Exchange is the hub as a party sees it.
type Exchange interface {
	Inbox(ctx context.Context, c hub.Caller, f hub.InboxFilter) ([]hub.Received, error)
	Delivery(ctx context.Context, c hub.Caller, id string) (hub.Received, error)
	Outbox(ctx context.Context, c hub.Caller, p hub.Page) ([]hub.Track, error)
	Track(ctx context.Context, c hub.Caller, exchange string) (hub.Track, error)
	Remind(ctx context.Context, c hub.Caller, key, exchange, recipient string) (hub.Moved, error)
	Receipt(ctx context.Context, c hub.Caller, entry string) ([]byte, error)
}

// Office does what an office does with its own keys.
type Office interface {
	Ask(ctx context.Context, who office.Person, ask office.SealAsk) (office.Dispatch, error)
	NoteRefused(ctx context.Context, who office.Person, cause error) error
	List(ctx context.Context, who office.Person, state office.State, limit int) ([]office.Dispatch, error)
	Dispatch(ctx context.Context, who office.Person, id string) (office.Dispatch, error)
	Preview(ctx context.Context, who office.Person, id string) (ofdFile, pdfFile []byte, err error)
	Decide(ctx context.Context, who office.Person, id string, in office.Decision) (office.Dispatch, error)
	Open(ctx context.Context, who office.Person, delivery, dir string) (*office.Opened, error)
	Reopen(ctx context.Context, who office.Person, delivery, dir string) (*office.Opened, error)
	SignFor(ctx context.Context, who office.Person, o *office.Opened, number, comment string) (transport.Delivery, error)
	Return(ctx context.Context, who office.Person, delivery, reason, text string) (transport.Delivery, error)
	Withdraw(ctx context.Context, who office.Person, exchange, recipient, text string) (transport.Delivery, error)
	AcknowledgeReturn(ctx context.Context, who office.Person, exchange, recipient string) (transport.Delivery, error)
	Sealed(ctx context.Context, who office.Person, id, dir string) (*office.Opened, error)
}

// Registrar brings offices and seals into being.
type Registrar interface {
	Establish(ctx context.Context, who office.Person, o directory.Organisation) (directory.Organisation, error)
	MakeSeal(ctx context.Context, who office.Person, q office.SealRequest) (seal.Record, error)
	ChangeSeal(ctx context.Context, who office.Person, id string, to seal.Status, reason string) (seal.Record, error)
	RenewSeal(ctx context.Context, who office.Person, id string, how office.Renewal) (seal.Record, error)
	// SealRanks are the sizes by rank that requests may name.
	SealRanks() picture.Ranks
	RequestSeal(ctx context.Context, who office.Person, wish office.SealWish) (seal.Request, error)
	MakeRequested(ctx context.Context, who office.Person, id string, term seal.Term) (seal.Request, error)
	DeclineRequest(ctx context.Context, who office.Person, id, reason string) (seal.Request, error)
	RegisterRequested(ctx context.Context, who office.Person, id string) (seal.Record, error)
}

// Seals are the requests for seals, the registered seals and what they were used for.
type Seals interface {
	Seal(ctx context.Context, id string) (seal.Record, error)
	SealsOf(ctx context.Context, office string) ([]seal.Record, error)
	Uses(ctx context.Context, sealID string) ([]seal.Use, error)
	SealRequest(ctx context.Context, id string) (seal.Request, error)
	SealRequests(ctx context.Context, office, after string, limit int) ([]seal.Request, error)
}

// Archive finds and hands out records. An empty office means an archivist, who sees all.
type Archive interface {
	Find(ctx context.Context, q archive.Query) ([]archive.Record, error)
	Retrieve(ctx context.Context, idOrCode, office string) (archive.Record, blob.Reader, error)
}

// Auditor records an act before it is done; when it fails, the act is not done.
type Auditor interface {
	Record(ctx context.Context, r transport.AuditRecord) error
}

// Trail is the audit as an auditor reads it.
type Trail interface {
	AuditRows(ctx context.Context, after uint64, limit int) ([]audit.Row, error)
	VerifyAudit(ctx context.Context) (rows uint64, head [32]byte, err error)
}

// Keys lists keys for their custodian; no private part is behind it.
type Keys interface {
	List(ctx context.Context, after string, limit int) ([]keys.KeyInfo, error)
	Certificates(ctx context.Context, ref keys.Ref) ([][]byte, error)
	Health(ctx context.Context) keys.Health
}

// ErrCompiling says that the verifier for browsers is not there yet. It is a fs.ErrNotExist.
var ErrCompiling = fmt.Errorf("web: the verifier for browsers is being compiled: %w", fs.ErrNotExist)

// Verifier is internal/verify compiled for browsers, which /verify lets judge files without sending them anywhere.
type Verifier interface {
	// Program gives the verifier compiled for browsers, gzip-compressed; fs.ErrNotExist where it was not built in, and
	// ErrCompiling while it is being compiled.
	Program() ([]byte, error)
	// Loader gives the JavaScript that starts it.
	Loader() ([]byte, error)
}
