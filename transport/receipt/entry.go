package receipt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"yinxin/crypto/gm"
	"yinxin/transport"
)

// Version is the version of entries and statements.
const Version = 1

// MaxEntry is the size of the largest entry, in bytes; far below what a log accepts.
const MaxEntry = 4 << 10

// timeLayout: UTC, milliseconds, always three digits.
const timeLayout = "2006-01-02T15:04:05.000Z"

// ErrEntry is wrapped by every refusal of an entry, a statement or a receipt that is malformed or says something that no
// such evidence may say.
var ErrEntry = errors.New("receipt: malformed evidence")

// Entry is the evidence of one event, and a leaf of the log. All times are the hub's.
type Entry struct {
	// ID names this piece of evidence; it is opaque.
	ID    string
	Event transport.Event
	// Time of the event by the hub's clock, kept to the millisecond.
	Time time.Time
	// Exchange is the id of the exchange; it may be empty for SealApplied, which comes before there is one, and for a
	// submission that was refused before its id could be read.
	Exchange string
	// DocumentSM3 and DocumentSHA256 are the digests of the document; both zero where no content may be named, as in
	// the refusal of a classified document.
	DocumentSM3    transport.Digest
	DocumentSHA256 transport.Digest
	// Object is the SM3 of what else the event is about: of the submitted envelope for a submission, of the package for
	// a deposit; zero where there is nothing.
	Object transport.Digest
	// Sender and Recipient are office codes. Recipient is empty for an event of the whole exchange.
	Sender    string
	Recipient string
	// Reason is a code of [Reasons] for the event; negative events always have one.
	Reason string
	// Due is when the limit to sign for falls, kept to the millisecond. Only ContentConsignment names it, and only where
	// there is a limit; so whether a document was signed for in time can be told from the log alone.
	Due time.Time
	// Copy is, of CopyPrinted and CopyVoided, the number of the copy; of ContentConsignment how many official copies the
	// sender allows; so that both can be held against each other from the log alone. Zero everywhere else.
	Copy int
	// Hub is the code of the hub that states this.
	Hub string
	// Previous is the SM3 of the entry before this one in the same exchange; zero for the first.
	Previous transport.Digest
	// Statement is the SM3 of the signed statement (CMS) of the party whose act the event is; zero where the hub alone
	// speaks. See [StatementBy].
	Statement transport.Digest
}

// wireEntry fixes names and order of the canonical form.
type wireEntry struct {
	V              int              `json:"v"`
	ID             string           `json:"id"`
	Event          transport.Event  `json:"event"`
	Time           string           `json:"time"`
	Exchange       string           `json:"exchange"`
	DocumentSM3    transport.Digest `json:"document_sm3"`
	DocumentSHA256 transport.Digest `json:"document_sha256"`
	Object         transport.Digest `json:"object_sm3"`
	Sender         string           `json:"sender"`
	Recipient      string           `json:"recipient"`
	Reason         string           `json:"reason"`
	Due            string           `json:"due"`
	Hub            string           `json:"hub"`
	Previous       transport.Digest `json:"previous"`
	Statement      transport.Digest `json:"statement"`
	Copy           int              `json:"copy,omitempty"`
}

// Validate reports what no entry may say: an unknown event, a code outside the grammar, a negative event without its
// reason, a party's act without that party's statement.
func (e Entry) Validate() error {
	if err := e.validateNames(); err != nil {
		return err
	}
	if e.DocumentSM3.IsZero() != e.DocumentSHA256.IsZero() {
		return fmt.Errorf("%w: one document digest without the other", ErrEntry)
	}
	if err := checkReason(e.Event, e.Reason); err != nil {
		return err
	}
	by, required := StatementBy(e.Event)
	if required && e.Statement.IsZero() {
		return fmt.Errorf("%w: %s without a statement of the %s", ErrEntry, e.Event, by)
	}
	if by == NoParty && !e.Statement.IsZero() {
		return fmt.Errorf("%w: %s with a statement", ErrEntry, e.Event)
	}
	if err := e.validateCopy(); err != nil {
		return err
	}
	return e.validateDue()
}

// validateCopy refuses a copy without its number and a number where there is no copy.
func (e Entry) validateCopy() error {
	switch e.Event {
	case transport.CopyPrinted, transport.CopyVoided:
		if e.Copy > 0 && e.Copy <= transport.MaxCopies && (e.Reason != "" || e.Event == transport.CopyVoided) {
			return nil
		}
	case transport.ContentConsignment:
		if e.Copy >= 0 && e.Copy <= transport.MaxCopies {
			return nil
		}
	default:
		if e.Copy == 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: %s of copy %d", ErrEntry, e.Event, e.Copy)
}

// validateDue refuses a limit that is not a consignment's.
func (e Entry) validateDue() error {
	if e.Due.IsZero() {
		return nil
	}
	if e.Event != transport.ContentConsignment {
		return fmt.Errorf("%w: %s with a limit to sign for", ErrEntry, e.Event)
	}
	return checkTime(e.Due)
}

func (e Entry) validateNames() error {
	whole, known := scope(e.Event)
	if !known {
		return fmt.Errorf("%w: unknown event %.40q", ErrEntry, string(e.Event))
	}
	for _, f := range [...]struct {
		name, value string
		empty       bool
	}{
		{"id", e.ID, false},
		{"exchange", e.Exchange, e.Event == transport.SealApplied || e.Event == transport.SubmissionRejection || e.Event == transport.LogGap},
		{"sender", e.Sender, false},
		{"recipient", e.Recipient, whole},
		{"hub", e.Hub, false},
	} {
		if !transport.ValidCode(f.value) && (f.value != "" || !f.empty) {
			return fmt.Errorf("%w: %s %.80q is not a code", ErrEntry, f.name, f.value)
		}
	}
	return checkTime(e.Time)
}

// Marshal gives the canonical bytes of the entry, which are the leaf of the log: one JSON object in the order of
// docs/formats/receipt.md, without white space.
func (e Entry) Marshal() ([]byte, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	b, err := canonical(wireEntry{
		Version, e.ID, e.Event, e.Time.UTC().Format(timeLayout), e.Exchange, e.DocumentSM3, e.DocumentSHA256, e.Object,
		e.Sender, e.Recipient, e.Reason, formatDue(e.Due), e.Hub, e.Previous, e.Statement, e.Copy,
	})
	if err == nil && len(b) > MaxEntry {
		err = fmt.Errorf("%w: entry of %d bytes", ErrEntry, len(b))
	}
	return b, err
}

// Digest is the SM3 of the canonical bytes, as the next entry of the exchange names it. It is zero for an invalid entry.
func (e Entry) Digest() transport.Digest {
	b, err := e.Marshal()
	if err != nil {
		return transport.Digest{}
	}
	return gm.SM3(b)
}

// ParseEntry reads canonical bytes; any other spelling of the same entry is refused.
func ParseEntry(b []byte) (Entry, error) {
	if len(b) > MaxEntry {
		return Entry{}, fmt.Errorf("%w: entry of %d bytes", ErrEntry, len(b))
	}
	var w wireEntry
	if err := strict(b, &w); err != nil {
		return Entry{}, err
	}
	if w.V != Version {
		return Entry{}, fmt.Errorf("%w: entry version %d", ErrEntry, w.V)
	}
	at, err := time.Parse(timeLayout, w.Time)
	if err != nil {
		return Entry{}, fmt.Errorf("%w: time", ErrEntry)
	}
	due, err := parseDue(w.Due)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{
		w.ID, w.Event, at, w.Exchange, w.DocumentSM3, w.DocumentSHA256, w.Object,
		w.Sender, w.Recipient, w.Reason, due, w.Copy, w.Hub, w.Previous, w.Statement,
	}
	again, err := e.Marshal()
	if err != nil {
		return Entry{}, err
	}
	if !bytes.Equal(again, b) {
		return Entry{}, fmt.Errorf("%w: entry is not in its canonical form", ErrEntry)
	}
	return e, nil
}

// formatDue writes a limit; none is the empty string.
func formatDue(due time.Time) string {
	if due.IsZero() {
		return ""
	}
	return due.UTC().Format(timeLayout)
}

func parseDue(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	due, err := time.Parse(timeLayout, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: limit to sign for", ErrEntry)
	}
	return due, nil
}

// checkTime keeps times to what the layout can write and read back.
func checkTime(t time.Time) error {
	if y := t.UTC().Year(); y < 2000 || y > 9999 {
		return fmt.Errorf("%w: time in the year %d", ErrEntry, y)
	}
	return nil
}

// canonical writes v as compact JSON without escaping HTML characters.
func canonical(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// strict reads exactly one JSON value with known fields only.
func strict(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%w: not the JSON of this format", ErrEntry)
	}
	if dec.InputOffset() != int64(len(b)) {
		return fmt.Errorf("%w: bytes after the end", ErrEntry)
	}
	return nil
}
