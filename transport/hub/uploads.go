package hub

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync"
	"time"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/transport/api"
)

// An upload is an envelope that comes in pieces: begun with its length, sent from the offset that the hub names, submitted
// when it is complete. Its bytes are staged in the blob store; how far they have come, with the state of their SM3, is a row.
// The row is written only after the bytes are durable, so that it promises nothing that a killed hub would lack, and it is
// written with its version, so that of two that go on with one upload only one gets its way.

// Upload is how far an upload has come.
type Upload struct {
	ID      string
	Office  string
	Account string
	// Key is the idempotency key of its beginning, by which it is found again.
	Key string
	// Length is that of the whole, Received how much of it is durable, in bytes.
	Length, Received int64
	// State is the state of the SM3 over what was received, Mark the store's own word for where that lies.
	State []byte
	Mark  string
	// Outcome, once it was submitted, is what came of it.
	Outcome *UploadOutcome
	At      time.Time
	Expires time.Time
	// Version counts the writes of this row.
	Version int64
}

// UploadOutcome is what came of an upload: an exchange, or a refusal.
type UploadOutcome struct {
	Exchange string   `json:"exchange,omitempty"`
	Code     api.Code `json:"code,omitempty"`
	Detail   string   `json:"detail,omitempty"`
	Entry    string   `json:"entry,omitempty"`
	Conflict bool     `json:"conflict,omitempty"`
}

// ErrQuota: an office has as much on its way as it may.
var ErrQuota = errors.New("too many unfinished uploads")

// Uploads keeps uploads. Every method is durable on return, and one transaction.
type Uploads interface {
	// AddUpload enters an upload, or gives the one that the office has begun with this key. ErrQuota: the unfinished uploads
	// of the office would be more than open, or longer together than bytes.
	AddUpload(ctx context.Context, u Upload, open int, bytes int64) (Upload, error)
	// Upload gives one; ErrNotFound where there is none.
	Upload(ctx context.Context, id string) (Upload, error)
	// SaveUpload writes what has changed of an upload that has still this version, and counts it on. ErrStale: it has not.
	SaveUpload(ctx context.Context, u Upload) error
	// ExpiredUploads lists uploads whose time is over, the oldest first.
	ExpiredUploads(ctx context.Context, now time.Time, limit int) ([]Upload, error)
	// RemoveUpload takes a row away; none is no error.
	RemoveUpload(ctx context.Context, id string) error
}

// UploadLimits bounds the uploads of one office. Zero values take the defaults.
type UploadLimits struct {
	// Bytes bounds the lengths of its unfinished uploads together; default four times the largest envelope.
	Bytes int64
	// Open is how many may be unfinished; default 64.
	Open int
	// Life is how long an upload waits for its next piece, and its outcome to be asked for again; default 24 h.
	Life time.Duration
}

func (l *UploadLimits) setDefaults(envelope int64) {
	if l.Bytes == 0 {
		l.Bytes = 4 * envelope
	}
	if l.Open == 0 {
		l.Open = 64
	}
	if l.Life == 0 {
		l.Life = 24 * time.Hour
	}
}

// checkpoint is after how many bytes an upload that goes on is made durable, in bytes.
const checkpoint = 64 << 20

// BeginUpload begins an upload of so many bytes, or gives the one that the office has begun with this key.
func (h *Hub) BeginUpload(ctx context.Context, c Caller, key string, length int64) (Upload, error) {
	if h.p.Uploads == nil {
		return Upload{}, notFound()
	}
	if length <= 0 {
		return Upload{}, invalid(api.HeaderUploadLength, "is not the length of an envelope")
	}
	if length > h.cfg.MaxEnvelope {
		return Upload{}, h.tooLarge()
	}
	if err := h.room(ctx); err != nil {
		return Upload{}, err
	}
	at := h.now()
	id, err := h.newID(at)
	if err != nil {
		return Upload{}, err
	}
	if err := h.p.Auditor.Record(ctx, h.audit(c, at, "upload.begin", id, transport.Allowed, "")); err != nil {
		return Upload{}, fmt.Errorf("audit an upload: %w", err)
	}
	state, err := stateOf(gm.NewSM3())
	if err != nil {
		return Upload{}, err
	}
	u, err := h.p.Uploads.AddUpload(ctx, Upload{
		ID: id, Office: c.Org, Account: c.Account, Key: key, Length: length, State: state, At: at, Expires: at.Add(h.cfg.Uploads.Life), Version: 1,
	}, h.cfg.Uploads.Open, h.cfg.Uploads.Bytes)
	if errors.Is(err, ErrQuota) {
		return Upload{}, refuse(api.RateLimited, "the office has as many unfinished uploads as it may: %d, or %d bytes together",
			h.cfg.Uploads.Open, h.cfg.Uploads.Bytes)
	}
	if err != nil {
		return Upload{}, fmt.Errorf("begin upload: %w", err)
	}
	if u.Length != length {
		return Upload{}, refuse(api.DuplicateConflict, "the idempotency key was used for an upload of another length")
	}
	return u, nil
}

// ownUpload gives an upload of the caller's office.
func (h *Hub) ownUpload(ctx context.Context, c Caller, id string) (Upload, error) {
	if h.p.Uploads == nil {
		return Upload{}, notFound()
	}
	u, err := h.p.Uploads.Upload(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && u.Office != c.Org {
		return Upload{}, notFound()
	}
	if err != nil {
		return Upload{}, fmt.Errorf("find upload %s: %w", id, err)
	}
	return u, nil
}

// Upload says how far an upload has come. A connection that this process still takes its bytes from is let go first: whoever
// asks has given it up.
func (h *Hub) Upload(ctx context.Context, c Caller, id string) (Upload, error) {
	if _, err := h.ownUpload(ctx, c, id); err != nil {
		return Upload{}, err
	}
	done, err := h.underway.hold(ctx, id, nil)
	if err != nil {
		return Upload{}, err
	}
	done()
	return h.ownUpload(ctx, c, id)
}

// Append takes bytes of an upload from offset on, until body ends. What arrived of a body that is cut off stays, unless a
// checksum was promised, which is the SM3 of these bytes. stop makes a reading of body that waits end.
func (h *Hub) Append(ctx context.Context, c Caller, id string, offset int64, checksum *transport.Digest, body io.Reader, stop func()) (Upload, error) {
	if _, err := h.ownUpload(ctx, c, id); err != nil {
		return Upload{}, err
	}
	done, err := h.underway.hold(ctx, id, stop)
	if err != nil {
		return Upload{}, err
	}
	defer done()
	u, err := h.ownUpload(ctx, c, id)
	if err != nil {
		return Upload{}, err
	}
	if u.Outcome != nil {
		return u, refuse(api.InvalidTransition, "the upload was submitted")
	}
	if u.Received != offset {
		return u, refuse(api.OffsetMismatch, "%d bytes are there", u.Received)
	}
	// What has arrived is made durable although its sender went away.
	return h.append(context.WithoutCancel(ctx), u, checksum, body)
}

func (h *Hub) append(ctx context.Context, u Upload, checksum *transport.Digest, body io.Reader) (_ Upload, err error) {
	st, err := h.p.Blobs.Stage(ctx, u.ID, u.Mark, u.Received)
	switch {
	case errors.Is(err, blob.ErrBusy):
		return u, refuse(api.InProgress, "another hub still takes bytes of this upload")
	case errors.Is(err, blob.ErrCorrupt):
		return u, h.beginAgain(ctx, u)
	case err != nil:
		return u, storeError(err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	sum, err := resumed(u.State)
	if err != nil {
		return u, err
	}
	t := &appending{h: h, ctx: ctx, u: u, staged: st, sum: sum, length: u.Length, from: u.Received, since: u.Received}
	var to io.Writer = sum
	each := t.hashed
	promised := gm.NewSM3()
	if checksum != nil {
		to, each = io.MultiWriter(sum, promised), nil
	}
	n, err := h.take(st, to, io.LimitReader(body, u.Length-u.Received+1), each)
	if failed := t.wait(); failed != nil {
		return t.u, failed
	}
	switch {
	case u.Received+n > u.Length:
		return t.u, refuse(api.TooLarge, "the upload was begun with %d bytes", u.Length)
	case checksum != nil && err != nil:
		return t.u, err
	case checksum != nil && transport.Digest(promised.Sum(nil)) != *checksum:
		return t.u, refuse(api.ChecksumMismatch, "the bytes that arrived do not have the promised SM3; they are not kept")
	}
	if failed := t.save(u.Received + n); failed != nil {
		return t.u, failed
	}
	return t.u, err
}

// beginAgain sets an upload whose bytes are gone back to its beginning.
func (h *Hub) beginAgain(ctx context.Context, u Upload) error {
	state, err := stateOf(gm.NewSM3())
	if err != nil {
		return err
	}
	had := u.Received
	u.Received, u.Mark, u.State = 0, "", state
	if err := h.p.Uploads.SaveUpload(ctx, u); err != nil {
		return uploadStale(err)
	}
	h.p.Log.WarnContext(ctx, "staged bytes of an upload are gone", slog.String("upload", u.ID), slog.Int64("bytes", had))
	return refuse(api.OffsetMismatch, "0 bytes are there")
}

func uploadStale(err error) error {
	if errors.Is(err, ErrStale) || errors.Is(err, ErrNotFound) {
		return refuse(api.InProgress, "another request has gone on with this upload")
	}
	return fmt.Errorf("save upload: %w", err)
}

// appending is an upload that goes on.
type appending struct {
	h           *Hub
	ctx         context.Context //nolint:containedctx // lives as long as one Append
	u           Upload
	staged      blob.Staged
	sum         hash.Hash
	length      int64
	from, since int64

	saving sync.WaitGroup
	failed error // of the saving that has ended; read after wait
}

// hashed makes what was taken durable now and then, beside the taking.
func (t *appending) hashed(n int64) {
	at := t.from + n
	if at-t.since < checkpoint || at > t.length {
		return
	}
	state, err := stateOf(t.sum)
	t.saving.Wait() // one at a time: a store that is slower than the sender holds it up
	if err != nil || t.failed != nil {
		t.failed = errors.Join(t.failed, err)
		return
	}
	t.since = at
	t.saving.Go(func() { t.failed = t.write(at, state) })
}

func (t *appending) wait() error {
	t.saving.Wait()
	return t.failed
}

// save is the last step: all that was taken becomes durable.
func (t *appending) save(at int64) error {
	if at == t.u.Received {
		return nil
	}
	state, err := stateOf(t.sum)
	if err != nil {
		return err
	}
	return t.write(at, state)
}

func (t *appending) write(at int64, state []byte) error {
	mark, err := t.staged.Sync(t.ctx, at)
	if err != nil {
		return storeError(err)
	}
	next := t.u
	next.Received, next.State, next.Mark = at, state, mark
	next.Expires = t.h.now().Add(t.h.cfg.Uploads.Life)
	if err := t.h.p.Uploads.SaveUpload(t.ctx, next); err != nil {
		return uploadStale(err)
	}
	next.Version++
	t.u = next
	return nil
}

// DropUpload gives an upload up.
func (h *Hub) DropUpload(ctx context.Context, c Caller, id string) error {
	if _, err := h.ownUpload(ctx, c, id); err != nil {
		return err
	}
	done, err := h.underway.hold(ctx, id, nil)
	if err != nil {
		return err
	}
	defer done()
	if err := h.p.Auditor.Record(ctx, h.audit(c, h.now(), "upload.drop", id, transport.Allowed, "")); err != nil {
		return fmt.Errorf("audit an upload: %w", err)
	}
	return h.forget(ctx, id)
}

// forget takes an upload away, bytes first.
func (h *Hub) forget(ctx context.Context, id string) error {
	err := h.p.Blobs.Unstage(ctx, id)
	if errors.Is(err, blob.ErrBusy) {
		return refuse(api.InProgress, "another hub still takes bytes of this upload")
	}
	if err == nil {
		err = h.p.Uploads.RemoveUpload(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("take upload %s away: %w", id, err)
	}
	return nil
}

// SubmitUpload is Submit of an upload that is complete. Its outcome is kept for a while, so that the same call again is
// answered the same.
func (h *Hub) SubmitUpload(ctx context.Context, c Caller, key, id string) (Submission, error) {
	if _, err := h.ownUpload(ctx, c, id); err != nil {
		return Submission{}, err
	}
	done, err := h.underway.hold(ctx, id, nil)
	if err != nil {
		return Submission{}, err
	}
	defer done()
	u, err := h.ownUpload(ctx, c, id)
	switch {
	case err != nil:
		return Submission{}, err
	case u.Outcome != nil:
		return h.recall(ctx, c, *u.Outcome)
	case u.Received != u.Length:
		return Submission{}, refuse(api.InvalidTransition, "%d of %d bytes are there", u.Received, u.Length)
	}
	if err := h.room(ctx); err != nil {
		return Submission{}, err
	}
	s, err := h.complete(ctx, u)
	if err != nil {
		return Submission{}, err
	}
	sub, err := h.submit(ctx, c, key, s)
	s.drop()
	h.settle(ctx, u, sub, err)
	return sub, err
}

// complete opens a complete upload. Bytes that are staged no more have become a blob before an earlier try ended.
func (h *Hub) complete(ctx context.Context, u Upload) (*spooled, error) {
	sum, err := resumed(u.State)
	if err != nil {
		return nil, err
	}
	digest := transport.Digest(sum.Sum(nil))
	st, err := h.p.Blobs.Stage(ctx, u.ID, u.Mark, u.Length)
	switch {
	case err == nil:
		return &spooled{ReaderAt: st, size: u.Length, sum: digest, staged: st}, nil
	case errors.Is(err, blob.ErrBusy):
		return nil, refuse(api.InProgress, "another hub submits this upload")
	case !errors.Is(err, blob.ErrCorrupt):
		return nil, storeError(err)
	}
	b, err := h.p.Blobs.Open(ctx, blob.Ref(digest))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, h.beginAgain(ctx, u)
	}
	if err != nil {
		return nil, fmt.Errorf("open upload %s: %w", u.ID, err)
	}
	return &spooled{ReaderAt: b, size: u.Length, sum: digest, staged: kept{b}}, nil
}

// kept is staged content that is a blob already.
type kept struct{ blob.Reader }

// Write implements blob.Staged.
func (kept) Write([]byte) (int, error) { return 0, blob.ErrMismatch }

// Sync implements blob.Staged.
func (kept) Sync(context.Context, int64) (string, error) { return "", nil }

// Keep implements blob.Staged.
func (kept) Keep(context.Context, blob.Info) error { return nil }

// settle notes what came of an upload and takes its bytes away. A failure that may pass leaves it as it is.
func (h *Hub) settle(ctx context.Context, u Upload, sub Submission, err error) {
	refusal, refused := errors.AsType[*Refusal](err)
	if err != nil && (!refused || api.MeaningOf(refusal.Code).Retryable) {
		return
	}
	u.Outcome = &UploadOutcome{Exchange: sub.Exchange.ID}
	if refused {
		u.Outcome = &UploadOutcome{Code: refusal.Code, Detail: refusal.Detail, Entry: refusal.Entry, Conflict: refusal.Conflict409}
	}
	u.Expires = h.now().Add(h.cfg.Uploads.Life)
	ctx = context.WithoutCancel(ctx)
	failed := h.p.Uploads.SaveUpload(ctx, u)
	if failed == nil {
		failed = h.p.Blobs.Unstage(ctx, u.ID)
	}
	if failed != nil { // the submission stands; the sweep takes away what stays
		h.p.Log.WarnContext(ctx, "an upload was submitted and is not cleared", slog.String("upload", u.ID), slog.Any("error", failed))
	}
}

// recall answers with an earlier outcome.
func (h *Hub) recall(ctx context.Context, c Caller, o UploadOutcome) (Submission, error) {
	if o.Code != "" {
		return Submission{}, &Refusal{Code: o.Code, Detail: o.Detail, Entry: o.Entry, Conflict409: o.Conflict}
	}
	t, err := h.Track(ctx, c, o.Exchange)
	return Submission{Exchange: t.Exchange, Deliveries: t.Deliveries, Repeated: true}, err
}

// sweepEvery is how often uploads whose time is over are looked for, sweepMost how many are taken away in one go.
const (
	sweepEvery = time.Minute
	sweepMost  = 100
)

// RunSweep takes away uploads whose time is over, until ctx ends. Many hubs may do so.
func (h *Hub) RunSweep(ctx context.Context) error {
	if h.p.Uploads == nil {
		return nil
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := h.Sweep(ctx); err != nil && ctx.Err() == nil {
			h.p.Log.ErrorContext(ctx, "sweep uploads", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Sweep takes away uploads whose time is over, and tells how many.
func (h *Hub) Sweep(ctx context.Context) (int, error) {
	old, err := h.p.Uploads.ExpiredUploads(ctx, h.now(), sweepMost)
	if err != nil {
		return 0, fmt.Errorf("list expired uploads: %w", err)
	}
	n := 0
	for _, u := range old {
		err := h.forget(ctx, u.ID)
		if r, ok := errors.AsType[*Refusal](err); ok && r.Code == api.InProgress {
			continue // it has just gone on
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// stateOf is the state of a hash, by which it goes on in another process.
func stateOf(h hash.Hash) ([]byte, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("the state of SM3 cannot be kept")
	}
	return m.MarshalBinary()
}

func resumed(state []byte) (hash.Hash, error) {
	h := gm.NewSM3()
	m, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, errors.New("the state of SM3 cannot be kept")
	}
	if err := m.UnmarshalBinary(state); err != nil {
		return nil, fmt.Errorf("state of an upload: %w", err)
	}
	return h, nil
}

// MarshalOutcome is an outcome as a text; empty for none.
func MarshalOutcome(o *UploadOutcome) (string, error) {
	if o == nil {
		return "", nil
	}
	text, err := json.Marshal(o)
	return string(text), err
}

// ParseOutcome reads what MarshalOutcome writes.
func ParseOutcome(text string) (*UploadOutcome, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	o := new(UploadOutcome)
	return o, json.Unmarshal([]byte(text), o)
}

// underway knows the uploads that this process is at work on.
type underway struct {
	mu sync.Mutex
	by map[string]*taking
}

type taking struct {
	stop func()
	done chan struct{}
}

// holdWait is how long a request waits for another one on the same upload to let go.
const holdWait = 5 * time.Second

// hold makes this the one request on an upload. An earlier one is told to stop, and waited for: its client has come back.
func (u *underway) hold(ctx context.Context, id string, stop func()) (done func(), err error) {
	patience := time.NewTimer(holdWait)
	defer patience.Stop()
	for {
		u.mu.Lock()
		before := u.by[id]
		if before == nil {
			mine := &taking{stop: stop, done: make(chan struct{})}
			u.by[id] = mine
			u.mu.Unlock()
			return func() {
				u.mu.Lock()
				delete(u.by, id)
				u.mu.Unlock()
				close(mine.done)
			}, nil
		}
		u.mu.Unlock()
		if before.stop != nil {
			before.stop()
		}
		select {
		case <-before.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-patience.C:
			return nil, refuse(api.InProgress, "another request is at work on this upload")
		}
	}
}
