// Package audit keeps who did what, so that a later reader can see whether the
// rows are still those that were written.
//
// It promises that a row is written before the act is done or in the same
// transaction as the act, that an act whose row cannot be written is refused, and
// that each row is bound to the one before it, so that a deleted, changed, moved or
// inserted row is found and named. Rows cut off at the end are found only by
// somebody who holds a later hash; with a key the chain is an HMAC, and whoever
// can write the database but lacks the key cannot build another chain.
//
// It does not decide who may do what, and it stores nothing itself.
package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yinxin/crypto/gm"
	"yinxin/transport"
)

// MaxField bounds each text of a record, in bytes.
const MaxField = 256

// Chain binds rows to each other.
type Chain struct{ key []byte }

// NewChain makes a chain. With a key of 16 bytes or more the links are HMAC-SM3,
// without one plain SM3.
func NewChain(key []byte) (Chain, error) {
	if len(key) > 0 && len(key) < 16 {
		return Chain{}, errors.New("audit key is shorter than 16 bytes")
	}
	return Chain{key: append([]byte(nil), key...)}, nil
}

// LogValue hides the key.
func (Chain) LogValue() string { return "redacted" }

// Next gives the hash of row n (from 1) that follows the row with hash prev; the
// first row follows the Start of its lane.
func (c Chain) Next(prev [32]byte, n uint64, r transport.AuditRecord) [32]byte {
	b := make([]byte, 0, 256)
	b = append(b, "yinxin.audit/1\n"...)
	b = append(b, prev[:]...)
	b = binary.BigEndian.AppendUint64(b, n)
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixMilli()))
	for _, f := range fields(r) {
		// The length before each field keeps two rows with shifted borders apart.
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	if len(c.key) > 0 {
		return gm.HMACSM3(c.key, b)
	}
	return gm.SM3(b)
}

func fields(r transport.AuditRecord) [7]string {
	return [7]string{r.Account, r.Org, r.Action, r.Object, r.Outcome, r.Detail, r.Request}
}

// Row is a stored record with its number and link.
type Row struct {
	N      uint64
	Record transport.AuditRecord
	Hash   [32]byte
}

// BrokenError names the first row that is not the one that was written there.
type BrokenError struct {
	N    uint64
	What string
}

// Error names the row.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("audit chain breaks at row %d: %s", e.N, e.What)
}

// Start is what the first row of a lane follows: the zero hash for lane 0. A store with
// one writer has that lane alone; where many write at once, each has a lane of its own, and
// rows of one lane do not fit into another.
func Start(lane int32) (start [32]byte) {
	if lane == 0 {
		return start
	}
	return gm.SM3(binary.BigEndian.AppendUint32([]byte("yinxin.audit/1 lane\n"), uint32(lane)))
}

// Verify walks the rows of a lane in order, from its Start, and returns the number and hash
// of the last one. The error is a *BrokenError for the first bad row, or that of the iteration.
func (c Chain) Verify(start [32]byte, rows iter.Seq2[Row, error]) (uint64, [32]byte, error) {
	var n uint64
	head := start
	for row, err := range rows {
		if err != nil {
			return n, head, fmt.Errorf("read audit row after %d: %w", n, err)
		}
		n++
		if row.N != n {
			return n, head, &BrokenError{N: n, What: "is missing"}
		}
		want := c.Next(head, n, row.Record)
		if want != row.Hash {
			return n, head, &BrokenError{N: n, What: "was changed or follows another row"}
		}
		head = want
	}
	return n, head, nil
}

// Check refuses a record that could not be told apart later or could forge a line:
// no action or outcome, a field that is too long, not UTF-8 or holds controls.
func Check(r transport.AuditRecord) error {
	if r.Action == "" || r.Outcome == "" || r.At.IsZero() {
		return errors.New("audit record lacks its time, action or outcome")
	}
	for _, f := range fields(r) {
		if len(f) > MaxField || !utf8.ValidString(f) || strings.ContainsFunc(f, unicode.IsControl) {
			return fmt.Errorf("audit record of %q has a field that is too long or not printable", r.Action)
		}
	}
	return nil
}

// Clean makes text from outside fit for a field of a record: controls become
// spaces, and what is too long is cut.
func Clean(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) <= MaxField {
		return s
	}
	cut := MaxField
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// Store appends rows; one is durable when AppendAudit returns.
type Store interface {
	AppendAudit(ctx context.Context, r transport.AuditRecord) error
}

// Log writes records of acts that are no change in the store: logins, refusals,
// uses of keys. It is what hub and office are given as their Auditor.
type Log struct {
	store Store
	clock func() time.Time
}

// New makes a Log over a store.
func New(store Store, clock func() time.Time) *Log { return &Log{store: store, clock: clock} }

// Record writes a record with the present time. It is durable on return; after an
// error the act must not be done.
func (l *Log) Record(ctx context.Context, r transport.AuditRecord) error {
	r.At = l.clock().UTC().Truncate(time.Millisecond)
	if err := Check(r); err != nil {
		return err
	}
	if err := l.store.AppendAudit(ctx, r); err != nil {
		return fmt.Errorf("write audit record %s: %w", r.Action, err)
	}
	return nil
}
