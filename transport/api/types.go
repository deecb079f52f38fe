package api

import "time"

// Prefix stands before every path of the interface.
const Prefix = "/api/v1"

// Media types of the interface.
const (
	TypeJSON     = "application/json"
	TypeProblem  = "application/problem+json"
	TypeEnvelope = "application/vnd.yinxin.envelope"
	TypePiece    = "application/offset+octet-stream" // bytes of an upload, tus 1.0
	TypeReceipt  = "application/vnd.yinxin.receipt"
	TypeEvents   = "text/event-stream"
)

// Header fields of our own and of drafts.
const (
	HeaderIdempotencyKey = "Idempotency-Key"
	HeaderUploadLength   = "Upload-Length" // tus 1.0, as all that begin so
	HeaderUploadOffset   = "Upload-Offset"
	HeaderUploadExpires  = "Upload-Expires"
	HeaderUploadChecksum = "Upload-Checksum"
	HeaderTus            = "Tus-Resumable"
	HeaderRequestID      = "X-Request-Id"
)

// Limits of the interface.
const (
	// MaxIdempotencyKey is the longest key, in bytes. A key is visible ASCII.
	MaxIdempotencyKey = 128
	// MaxJSON bounds a JSON request, in bytes.
	MaxJSON = 1 << 20
	// MaxStatement bounds a signed statement, in bytes.
	MaxStatement = 64 << 10
	// MaxLimit is the most that one page of a list holds; DefaultLimit where none is asked.
	MaxLimit     = 200
	DefaultLimit = 50
)

// Login asks for a session.
type Login struct {
	Account string `json:"account"`
	Secret  string `json:"secret"`
}

// Session is an opened login. The token goes into "Authorization: Bearer …".
type Session struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
	Account Account   `json:"account"`
}

// OpenLogin is one open session, as its owner sees it.
type OpenLogin struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Source  string    `json:"source"`
	Agent   string    `json:"agent"`
	// Current marks the session that asks.
	Current bool `json:"current"`
}

// Account is a person or program that acts for an office.
type Account struct {
	ID     string   `json:"id"`
	Org    string   `json:"org"`
	Name   string   `json:"name"`
	Roles  []string `json:"roles"`
	Status string   `json:"status"`
	// Secret is present in the answer to the creation alone.
	Secret string `json:"secret,omitempty"`
}

// Organisation is an office with its two certificates (PEM).
type Organisation struct {
	Code           string   `json:"code"`
	Name           string   `json:"name"`
	Aliases        []string `json:"aliases,omitempty"`
	Parent         string   `json:"parent,omitempty"`
	SigningCert    string   `json:"signing_cert,omitempty"`
	EncryptionCert string   `json:"encryption_cert,omitempty"`
	Archive        bool     `json:"archive,omitempty"`
	Status         string   `json:"status"`
}

// List is one page of a list. Next is the cursor of the page after it, empty at the end.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// LogGap is what a hub's log lost when it was put back to an older state: entries from KeptSize to LostSize. Statement is
// the note that the log's key has signed; the rest repeats it.
type LogGap struct {
	KeptSize  uint64    `json:"kept_size"`
	LostSize  uint64    `json:"lost_size"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Statement string    `json:"statement"`
}

// Exchange is what a sender sees of one submission.
type Exchange struct {
	ID             string    `json:"id"`
	Sender         string    `json:"sender"`
	Status         string    `json:"status"` // open, ended, archived
	DocumentSM3    string    `json:"document_sm3"`
	DocumentSHA256 string    `json:"document_sha256"`
	EnvelopeSM3    string    `json:"envelope_sm3"`
	Size           int64     `json:"size"`
	Urgency        string    `json:"urgency"`
	AcceptedAt     time.Time `json:"accepted_at"`
	// Entry is the evidence entry of the acceptance.
	Entry string `json:"entry"`
	// Package is the SM3 of the archived package, once there is one.
	Package string `json:"package,omitempty"`
	// Refers is the earlier exchange that this one reissues, corrects or annuls; Superseded the later one that corrected
	// or annulled this one.
	Refers     *Reference `json:"refers,omitempty"`
	Superseded *Reference `json:"superseded,omitempty"`
	// CheckedAt is when the sender first looked; Unchecked marks that it did not look in time.
	CheckedAt  *time.Time `json:"checked_at,omitempty"`
	Unchecked  bool       `json:"unchecked,omitempty"`
	Deliveries []Delivery `json:"deliveries,omitempty"`
	Evidence   []Evidence `json:"evidence,omitempty"`
}

// Reference names another exchange of the same sender; Kind is reissue, correction or annulment.
type Reference struct {
	Kind     string `json:"kind"`
	Exchange string `json:"exchange"`
}

// Copy is a numbered copy that the recipient took for printing.
type Copy struct {
	Number  int       `json:"number"`
	Kind    string    `json:"kind"` // official, reference
	Voided  bool      `json:"voided"`
	Account string    `json:"account,omitempty"`
	At      time.Time `json:"at"`
}

// Printed answers the taking or voiding of a copy.
type Printed struct {
	Delivery Delivery `json:"delivery"`
	Copy     Copy     `json:"copy"`
	Entry    Evidence `json:"entry"`
}

// The status of an exchange.
const (
	StatusOpen     = "open"
	StatusEnded    = "ended"
	StatusArchived = "archived"
)

// Submission answers a submission: 201 with the receipt, or 202 while it is being
// built. A repeat with the same bytes answers the same.
type Submission struct {
	Exchange Exchange `json:"exchange"`
	// Receipt holds the bytes of the .yxr file; absent in a 202.
	Receipt []byte `json:"receipt,omitempty"`
	// Repeated is true when the exchange existed already.
	Repeated bool `json:"repeated"`
}

// Delivery is one recipient's part, seen by the sender or by that recipient.
type Delivery struct {
	ID             string     `json:"id"`
	Exchange       string     `json:"exchange"`
	Sender         string     `json:"sender"`
	Recipient      string     `json:"recipient"`
	Role           string     `json:"role"`
	State          string     `json:"state"`
	Urgency        string     `json:"urgency,omitempty"`
	DocumentSM3    string     `json:"document_sm3,omitempty"`
	DocumentSHA256 string     `json:"document_sha256,omitempty"`
	Due            *time.Time `json:"due,omitempty"`
	Overdue        bool       `json:"overdue"`
	Reminders      int        `json:"reminders"`
	Reason         string     `json:"reason,omitempty"`
	Comment        string     `json:"comment,omitempty"`
	SignNumber     string     `json:"sign_number,omitempty"`
	// Copies is how many official copies the recipient may print.
	Copies              int        `json:"copies,omitempty"`
	WithdrawalRequested bool       `json:"withdrawal_requested,omitempty"`
	Escalated           bool       `json:"escalated,omitempty"`
	Refers              *Reference `json:"refers,omitempty"`
	Superseded          *Reference `json:"superseded,omitempty"`
	ChangedAt           time.Time  `json:"changed_at"`
	Evidence            []Evidence `json:"evidence,omitempty"`
}

// Evidence names one entry; its receipt is at receipts/{id}.
type Evidence struct {
	ID        string    `json:"id"`
	Event     string    `json:"event"`
	Time      time.Time `json:"time"`
	Recipient string    `json:"recipient,omitempty"`
	SM3       string    `json:"sm3"`
	// Ready is true when the receipt is built.
	Ready bool `json:"ready"`
}

// Statement carries a party's own signed statement (CMS, DER) about an act. What
// is said, reason and comment included, stands inside it.
type Statement struct {
	// Recipient names the delivery where a sender acts; absent in a recipient's.
	Recipient string `json:"recipient,omitempty"`
	Statement []byte `json:"statement,omitempty"`
}

// Moved answers an act: the delivery as it is now and the entry that the act left.
type Moved struct {
	Delivery Delivery `json:"delivery"`
	Entry    Evidence `json:"entry"`
}

// ArchiveRecord is one record of the archive.
type ArchiveRecord struct {
	ID           string    `json:"id"`
	ArchivalCode string    `json:"archival_code"`
	Exchange     string    `json:"exchange"`
	Issuer       string    `json:"issuer"`
	IssuerName   string    `json:"issuer_name"`
	Kind         string    `json:"kind"`
	Retention    string    `json:"retention"`
	Number       string    `json:"number"`
	Title        string    `json:"title"`
	IssuedOn     string    `json:"issued_on"`
	DocumentSM3  string    `json:"document_sm3"`
	DepositedAt  time.Time `json:"deposited_at"`
	// DisposedAt is when the record was destroyed; then ids, 档号 and digests are all that is left of it.
	DisposedAt *time.Time `json:"disposed_at,omitempty"`
}

// Change is the data of an event "change": a sent exchange or a delivery of the own office is new. Where it names neither,
// everything has to be looked at.
type Change struct {
	Exchange string `json:"exchange,omitempty"`
	Delivery string `json:"delivery,omitempty"`
}

// Health is what /readyz says.
type Health struct {
	Ready    bool     `json:"ready"`
	Degraded []string `json:"degraded,omitempty"`
}
