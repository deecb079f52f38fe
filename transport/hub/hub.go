// Package hub is the exchange centre (交换中心): it accepts submissions, routes and
// delivers them, takes the recipients' sign-for and keeps the evidence of each step.
//
// It promises that a state change, its evidence entry and its next job are one
// transaction; that the same submission sent again is the same exchange with the
// same receipt, byte for byte; that "opened", "signed for", "returned" and
// "withdrawn" rest on a statement signed by the office whose act it is; that an
// office learns nothing of what belongs to another one, not even that it exists;
// and that nothing is done whose audit record cannot be written.
//
// It never sees plaintext: it works on the clear header, on digests and on the
// sender's signed report. It keeps no keys and signs nothing itself; the log does.
//
// Work that a change calls for is a row of an outbox, written in the transaction of
// the change, and done by a small loop (Run). A job queue of its own would be a
// second state machine beside the one in package transport: here a job is only "look
// at this delivery again", it may run twice or late, and the state of the delivery
// decides what there is to do.
package hub

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"yinxin/crypto/cert"
	"yinxin/transport"
	"yinxin/transport/calendar"
)

// Config of a hub. Zero values take the defaults.
type Config struct {
	// Code names this hub in evidence.
	Code string
	// Archive is the code of the office that keeps the records; it is a recipient of
	// each envelope and gets no delivery. Empty: nothing is deposited.
	Archive string
	// MaxEnvelope bounds a submission, in bytes; default 1 GiB.
	MaxEnvelope int64
	// Inline bounds the envelopes that are kept in the database, in bytes; default 64 KiB.
	Inline int64
	// QueueBound is how many entries may wait for the log before submissions are refused: until then they are accepted and
	// their receipts pending, also while the log cannot be signed; default 100,000.
	QueueBound int64
	// SignFor gives the time within which a document must be signed for, by urgency;
	// default 72 h, 24 h for urgent, 4 h for extra urgent.
	SignFor map[transport.Urgency]time.Duration
	// Calendar makes the limits of all but extra urgent documents working time. With one, SignFor defaults to 24 working
	// hours, 8 for urgent; extra urgent stays 4 h by the clock on the wall.
	Calendar calendar.Calendar
	// Reminders says when the hub urges by itself.
	Reminders Reminders
	// SenderLooks is the time within which a sender must look whether its recipients have the document; default 24 h.
	SenderLooks time.Duration
	// SupplementDelay is how long what comes after a deposit waits for company before the archive takes it in; default 1 h.
	SupplementDelay time.Duration
	// Copies is how many official copies a recipient may print where the sender does not say; default 1.
	Copies int
	// Tries is how often a delivery is tried; default 5. Backoff is the wait after the
	// first failure, doubled after each; default 1 s.
	Tries   int
	Backoff time.Duration
	// Shared: other hubs work on the same Store, so that a receipt may be built by another one.
	Shared bool
	// Uploads bounds what an office may have on its way in pieces.
	Uploads UploadLimits
}

// Parts are what a hub works with. All but Uploads, Archiver, Carrier and Log are required.
type Parts struct {
	Store Store
	// Uploads keeps how far uploads in pieces have come; nil: there are none.
	Uploads   Uploads
	Blobs     Blobs
	Directory Directory
	Auditor   Auditor
	Archiver  Archiver
	Carrier   Carrier
	// Policy gives the trust anchors for the certificates of offices.
	Policy func() cert.Policy
	Clock  Clock
	Rand   io.Reader
	Log    *slog.Logger
	// Wake is told that there are new entries for the log; optional.
	Wake func()
}

// Carrier brings a delivery into the recipient's box where that is not here. With
// none, all boxes are here and consigning is a change in the Store alone. Carry may be
// called again for the same delivery.
type Carrier interface {
	Carry(ctx context.Context, d transport.Delivery) error
}

// Caller is who asks. The HTTP edge has authenticated it and checked its roles.
type Caller struct {
	Account string
	Org     string
	Request string // request id
}

// Hub is the exchange centre. Its methods may be called from many goroutines.
type Hub struct {
	cfg   Config
	p     Parts
	jobs  chan struct{} // wakes the worker
	certs certCache
	// buffers are reused for the beginnings of submissions, pieces for the rest of large ones.
	buffers, pieces sync.Pool
	// underway are the uploads that this process is taking bytes of.
	underway underway

	mu       sync.Mutex
	waiters  map[string][]chan struct{} // by entry, closed when the receipt is stored
	watching watchers
	queue    queueState
}

// queueState remembers for a moment how long the queue of the log is.
type queueState struct {
	at      time.Time
	waiting int64
}

// New makes a hub.
func New(cfg Config, p Parts) (*Hub, error) {
	if !transport.ValidCode(cfg.Code) {
		return nil, errors.New("hub has no valid code")
	}
	if p.Store == nil || p.Blobs == nil || p.Directory == nil || p.Auditor == nil || p.Policy == nil || p.Clock == nil || p.Rand == nil {
		return nil, errors.New("hub lacks one of its parts")
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Wake == nil {
		p.Wake = func() {}
	}
	cfg.setDefaults()
	return &Hub{
		cfg: cfg, p: p, jobs: make(chan struct{}, 1), waiters: map[string][]chan struct{}{},
		pieces:   sync.Pool{New: func() any { b := make([]byte, pieceSize); return &b }},
		underway: underway{by: map[string]*taking{}},
	}, nil
}

func (c *Config) setDefaults() {
	if c.MaxEnvelope == 0 {
		c.MaxEnvelope = 1 << 30
	}
	if c.Inline == 0 {
		c.Inline = 64 << 10
	}
	if c.QueueBound == 0 {
		c.QueueBound = 100_000
	}
	c.Reminders.setDefaults()
	c.Uploads.setDefaults(c.MaxEnvelope)
	if c.SenderLooks == 0 {
		c.SenderLooks = 24 * time.Hour
	}
	if c.SupplementDelay == 0 {
		c.SupplementDelay = time.Hour
	}
	if c.Copies == 0 {
		c.Copies = 1
	}
	if c.SignFor == nil && !c.Calendar.IsZero() {
		c.SignFor = map[transport.Urgency]time.Duration{
			transport.Normal: 24 * time.Hour, transport.Urgent: 8 * time.Hour, transport.ExtraUrgent: 4 * time.Hour,
		}
	}
	if c.SignFor == nil {
		c.SignFor = map[transport.Urgency]time.Duration{
			transport.Normal: 72 * time.Hour, transport.Urgent: 24 * time.Hour, transport.ExtraUrgent: 4 * time.Hour,
		}
	}
	if c.Tries == 0 {
		c.Tries = 5
	}
	if c.Backoff == 0 {
		c.Backoff = time.Second
	}
}

// MaxEnvelope is the largest submission that this hub takes, in bytes.
func (h *Hub) MaxEnvelope() int64 { return h.cfg.MaxEnvelope }

// now is the hub's time as evidence states it.
func (h *Hub) now() time.Time { return h.p.Clock().UTC().Truncate(time.Millisecond) }

func (h *Hub) newID(at time.Time) (string, error) { return transport.NewID(at, h.p.Rand) }

// wakeWorker says that there are jobs.
func (h *Hub) wakeWorker() {
	select {
	case h.jobs <- struct{}{}:
	default: // it is awake already
	}
}

func (h *Hub) audit(c Caller, at time.Time, action, object, outcome, detail string) transport.AuditRecord {
	return transport.AuditRecord{
		At: at, Account: c.Account, Org: c.Org, Action: action, Object: object, Outcome: outcome, Detail: detail,
		Request: c.Request,
	}
}
