package hub

import (
	"context"
	"errors"
	"io"
	"time"

	"yinxin/archive/blob"
	"yinxin/transport"
	"yinxin/transport/directory"
)

// Errors of a Store.
var (
	// ErrNotFound: no such row, or one that the caller may not see.
	ErrNotFound = errors.New("not found")
	// ErrStale: the row is no longer in the state that the caller expected.
	ErrStale = errors.New("state changed meanwhile")
	// ErrExists: the row exists already.
	ErrExists = errors.New("exists already")
)

// Store keeps exchanges, deliveries, evidence and jobs.
type Store interface {
	// View runs fn over one consistent snapshot. It changes nothing.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn in one transaction. Everything that fn did is durable when Update
	// returns nil, and nothing of it has happened when Update returns an error, save
	// an error that wraps ErrUnknownOutcome. Several updates may share one commit. fn
	// must touch the database through its Tx alone and must not call a key service,
	// the network or a file. fn runs once. Its writes may travel together: a write that
	// fails may say so only through the error of Update.
	Update(ctx context.Context, fn func(Tx) error) error
}

// ErrUnknownOutcome is wrapped where the commit was asked for and its result was
// not seen: the change may have happened or not. The same request may be sent again.
var ErrUnknownOutcome = errors.New("outcome of the commit is not known")

// Page selects a part of a list. After is the id of the last item of the page
// before; an empty one starts at the newest.
type Page struct {
	After string
	Limit int
}

// InboxFilter selects deliveries of one recipient.
type InboxFilter struct {
	// States limits the list; empty means all that ever came into the box.
	States []transport.State
	Page   Page
}

// Reader reads. Every method returns ErrNotFound where there is nothing; lists are
// newest first and are empty instead.
type Reader interface {
	Exchange(id string) (transport.Exchange, error)
	// Outbox lists the exchanges of a sender.
	Outbox(sender string, p Page) ([]transport.Exchange, error)
	Delivery(id string) (transport.Delivery, error)
	// Deliveries lists those of an exchange in the order of the submission.
	Deliveries(exchange string) ([]transport.Delivery, error)
	Inbox(recipient string, f InboxFilter) ([]transport.Delivery, error)
	// Referring lists the exchanges that refer to one, oldest first.
	Referring(exchange string) ([]transport.Exchange, error)
	// Copies lists the printed copies of a delivery by number.
	Copies(delivery string) ([]transport.Copy, error)
	Evidence(entry string) (Evidence, error)
	// ExchangeEvidence lists the entries of an exchange in the order in which they were written.
	ExchangeEvidence(exchange string) ([]Evidence, error)
	// Receipt returns the bytes that were stored for an entry, or ErrNotFound while
	// they are not built.
	Receipt(entry string) ([]byte, error)
	// Ready returns those of the given entries whose receipts are stored.
	Ready(entries []string) ([]string, error)
	// Envelope returns where the envelope of an exchange lies.
	Envelope(exchange string) (Envelope, error)
	// Idempotent returns what an idempotency key of an office was used for.
	Idempotent(org, key string) (Idempotent, error)
	// Rejection returns an earlier rejection of the same bytes with the same code.
	Rejection(sender string, body transport.Digest, code string) (Rejection, error)
	// Waiting counts entries whose receipts are not built yet.
	Waiting() (int64, error)
	// JobsDue reports whether a job could be claimed at that time.
	JobsDue(now time.Time) (bool, error)
	// Keeping returns a decision, Keepings those about the record of an exchange, oldest first, ListKeepings those of all.
	Keeping(id string) (Keeping, error)
	Keepings(exchange string) ([]Keeping, error)
	ListKeepings(f KeepingFilter) ([]Keeping, error)
	// Proven lists entries, oldest first, that a published checkpoint covers and whose
	// receipts are not built yet.
	Proven(limit int) ([]Proven, error)
}

// Tx reads and writes inside one transaction. What it has read of an exchange or a delivery
// stays as it is until the transaction ends: where many hubs share a database, reading locks
// the exchange.
type Tx interface {
	Reader
	// Audit writes who does what. Its failure must refuse the act.
	Audit(r transport.AuditRecord) error
	// InsertExchange stores a new exchange with its deliveries and its envelope. ErrExists:
	// the id is taken.
	InsertExchange(x transport.Exchange, e Envelope, ds []transport.Delivery) error
	// SaveExchange writes the head of the evidence chain, the deposit and the marks (superseded, checked, unchecked);
	// nothing else of an exchange ever changes, and no mark is taken away.
	SaveExchange(x transport.Exchange) error
	// MoveDelivery writes a delivery that was in state from. ErrStale: it is not any more.
	MoveDelivery(d transport.Delivery, from transport.State) error
	// InsertCopy adds a numbered copy. ErrExists: the number is used. It refuses more official copies than are allowed.
	InsertCopy(c transport.Copy) error
	// VoidCopy voids a copy once. ErrStale: there is none that could be voided.
	VoidCopy(delivery string, number int) error
	// InsertKeeping adds a decision in its first state. It refuses a second disposal of one exchange that was not declined,
	// and a hold on what is being disposed of.
	InsertKeeping(k Keeping) error
	// MoveKeeping writes a decision that was in state from. ErrStale: it is not any more. It refuses to approve the disposal
	// of what is held.
	MoveKeeping(k Keeping, from KeepingState) error
	// DisposeExchange marks an exchange with the entry of its disposal, once, and takes an envelope out of its row.
	DisposeExchange(exchange, entry string) error
	// AppendEntry adds an evidence entry; it can never be changed.
	AppendEntry(e Evidence) error
	InsertRejection(r Rejection) error
	// InsertSealUse enters a use of a seal into its log. It is refused with the errors of the register: the seal is unknown,
	// not in force at the time of the use, or the approval was used before.
	InsertSealUse(u RegisteredUse) error
	// SaveIdempotent binds an idempotency key. ErrExists: it is bound already.
	SaveIdempotent(i Idempotent) error
	// Enqueue adds a job to the outbox.
	Enqueue(j Job) error
	// ClaimJobs takes up to limit due jobs and leases them until the given time, so that
	// no other worker takes them; a lease ends early when its worker is known to be dead.
	ClaimJobs(now, lease time.Time, limit int) ([]Job, error)
	// FinishJob removes a job.
	FinishJob(id int64) error
	// RetryJob puts a job off.
	RetryJob(id int64, at time.Time, why string) error
	// SaveReceipt stores a receipt once. A second call with other bytes is ErrExists,
	// with the same bytes nothing.
	SaveReceipt(entry string, data []byte) error
}

// Evidence is one entry as it is stored: Leaf are the canonical bytes that the log
// hashes, Digest their SM3.
type Evidence struct {
	ID string
	// Exchange is empty for a refused submission, which belongs to no exchange here
	// whatever its header claims.
	Exchange string
	Sender   string
	// Delivery is empty for an entry about the whole exchange.
	Delivery  string
	Recipient string
	Event     transport.Event
	Time      time.Time
	Leaf      []byte
	Digest    transport.Digest
	// Statement is the signed statement (CMS, DER) of the party whose act it is, if any.
	Statement []byte
	// Ready is true once the receipt is stored. Set by readers alone.
	Ready bool
}

// Envelope says where an envelope lies: inline in the database when it is small,
// else in the blob store under its SM3.
type Envelope struct {
	SM3    transport.Digest
	Size   int64
	Inline []byte
}

// Idempotent is one use of an idempotency key.
type Idempotent struct {
	Org string
	Key string
	// Request is the SM3 of what was asked, body and target.
	Request transport.Digest
	// Entry is the evidence entry that the request left.
	Entry string
	At    time.Time
}

// Proven is an entry with what its receipt needs beside certificates: its place in
// the log, and the proof for the checkpoint of its own batch.
type Proven struct {
	Evidence   Evidence
	Index      uint64
	Proof      [][32]byte
	Checkpoint []byte // signed note
}

// Logged is an entry that has a place in the log, with its receipt once that is built: what a check reads.
type Logged struct {
	Evidence Evidence
	Index    uint64
	Receipt  []byte
}

// Rejection is a refused submission, kept without its content.
type Rejection struct {
	Entry    string
	Sender   string
	Exchange string // as the header said; empty where it could not be read
	Body     transport.Digest
	Code     string
	At       time.Time
}

// JobKind names the work of a job.
type JobKind string

// The kinds of jobs.
const (
	JobRoute    JobKind = "route"    // an exchange
	JobDeliver  JobKind = "deliver"  // a delivery
	JobOverdue  JobKind = "overdue"  // a delivery, at its limit
	JobDeposit  JobKind = "deposit"  // an exchange whose recipients have all ended
	JobUrge     JobKind = "urge"     // a delivery, before, at and after its limit
	JobEscalate JobKind = "escalate" // a delivery, some time after its limit
	JobCheck    JobKind = "check"    // an exchange, when its sender should have looked

	JobSupplement JobKind = "supplement" // an exchange that was deposited, when evidence came after it
	JobDispose    JobKind = "dispose"    // a disposal that was approved
)

// Job is work that a committed change calls for.
type Job struct {
	ID       int64
	Kind     JobKind
	Target   string // exchange or delivery id
	RunAt    time.Time
	Attempts int
	Why      string // of the last failure
}

// Directory tells about offices.
type Directory interface {
	Organisation(ctx context.Context, code string) (directory.Organisation, error)
}

// Auditor writes who does what outside of a transaction: refusals, and acts that
// are not a change in the Store. Record is durable on return.
type Auditor interface {
	Record(ctx context.Context, r transport.AuditRecord) error
}

// Blobs keeps large envelopes, write-once, under the SM3 of their content. Any
// blob.Store will do.
type Blobs interface {
	// Put stores all of r and is durable on return. The same content again is no error.
	Put(ctx context.Context, r io.Reader) (blob.Info, error)
	// Open gives the content; blob.ErrNotFound where there is none. Reads that find
	// other bytes than were put fail.
	Open(ctx context.Context, ref blob.Ref) (blob.Reader, error)
	// Submissions are staged while they are checked, and uploads while they are not complete.
	blob.Stager
	// Remove takes a blob away, durably; blob.ErrNotFound where there is none.
	Remove(ctx context.Context, ref blob.Ref) error
}

// ErrNotDeposited is wrapped by an Archiver where the archive refuses a record for good, as one whose document bears a
// classification or a seal that fails.
var ErrNotDeposited = errors.New("hub: the archive refuses the record")

// Archiver keeps the record of an exchange whose recipients have all ended.
type Archiver interface {
	// Deposit opens the envelope as the archive's own recipient, checks the document
	// again and keeps the record. It is idempotent by exchange: a second call gives
	// the same digest. It returns the SM3 of the kept package. What the archive refuses whatever is tried wraps
	// ErrNotDeposited: it is noted in the audit, and put away for an operator.
	Deposit(ctx context.Context, r Record) (transport.Digest, error)
	// Supplement keeps the receipts of a record that came after its deposit and returns the SM3 of what it keeps.
	Supplement(ctx context.Context, r Record) (transport.Digest, error)
	// Destroy destroys what the archive has of a record, as two persons decided, and returns the signed statement of it,
	// the tombstone. It may be called again for what a try before has destroyed in part.
	Destroy(ctx context.Context, k Keeping) ([]byte, error)
}

// Record is what the hub hands to the archive.
type Record struct {
	Exchange   transport.Exchange
	Deliveries []transport.Delivery
	// KnownSince is when this hub first accepted the very document.
	KnownSince time.Time
	// Evidence and Receipts run in parallel: every entry of the exchange so far, or those of a supplement; First is the
	// number of the first of them in the exchange, from 1.
	Evidence []Evidence
	Receipts [][]byte
	First    int
	// Envelope writes the envelope as the archive gets it, with its own header alone.
	Envelope func(ctx context.Context, w io.Writer) error
}

// Clock gives the present time. It is the only source of time in evidence.
type Clock func() time.Time
