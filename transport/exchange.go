package transport

import (
	"encoding/hex"
	"fmt"
	"time"
)

// Digest is a 32-byte digest, SM3 or SHA-256 as the field says. Its text form is
// lower-case hex.
type Digest [32]byte

// String gives the digest in lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether the digest was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText gives the hex form; a digest that was never set is empty.
func (d Digest) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return []byte{}, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads the hex form.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Digest{}
		return nil
	}
	v, err := ParseDigest(string(text))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// ParseDigest reads 64 lower-case hex digits.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) || hex.EncodeToString(b) != s {
		return d, fmt.Errorf("digest %.80q is not 64 lower-case hex digits", s)
	}
	copy(d[:], b)
	return d, nil
}

// Role is what a recipient is addressed as.
type Role string

// The roles of a recipient.
const (
	To Role = "to" // 主送
	CC Role = "cc" // 抄送
	// ForArchive marks the archive as a recipient of the envelope. It gets no
	// delivery: it opens the envelope when the record is deposited.
	ForArchive Role = "archive"
)

// Urgency is how quickly a document has to be signed for (紧急程度).
type Urgency string

// The degrees of urgency, as in GB/T 9704 7.2.3.
const (
	Normal      Urgency = "normal"       // 平件
	Urgent      Urgency = "urgent"       // 加急
	ExtraUrgent Urgency = "extra_urgent" // 特急
)

// Exchange is one accepted submission: what the hub knows of it from the clear
// header and from digests.
type Exchange struct {
	// Sender is the organisation code of the sending office; with ID it is the key.
	Sender string
	// ID was chosen by the sender (a UUID) and stands in the signed manifests.
	ID string
	// Account is the account that submitted.
	Account string
	// Body is the SM3 of the submitted envelope, byte for byte, and Size its length.
	Body Digest
	Size int64
	// DocumentSM3 and DocumentSHA256 are the digests of the document as the signed
	// manifest states them.
	DocumentSM3    Digest
	DocumentSHA256 Digest
	Urgency        Urgency
	// AcceptedAt is the hub's time of acceptance, UTC.
	AcceptedAt time.Time
	// Entry is the evidence entry of the acceptance; its receipt is the sender's.
	Entry string
	// LastEntry is the SM3 of the newest entry's canonical bytes, LastTime its time:
	// the head of this exchange's chain of evidence.
	LastEntry Digest
	LastTime  time.Time
	// Deposited is the entry of the deposit, empty before it; Package is the SM3 of
	// the package that the archive keeps.
	Deposited string
	Package   Digest
	// Disposed is the entry of the disposal, empty before it; then envelope and package are gone and the evidence remains.
	Disposed string
	// Refers names the earlier exchange that this one reissues, corrects or annuls, if any.
	Refers Reference
	// Superseded names the later exchange that corrected or annulled this one, if any.
	Superseded Reference
	// Checked is when the sender first looked whether its recipients have the document; Unchecked is the mark that it
	// did not look within the limit while somebody did not have it.
	Checked   time.Time
	Unchecked bool
}

// Delivery is one recipient's part of an exchange.
type Delivery struct {
	// ID is made by the hub and says nothing.
	ID        string
	Sender    string
	Exchange  string
	Recipient string
	Role      Role
	State     State
	// Due is when the sign-for limit falls; zero before the delivery is available.
	Due time.Time
	// Overdue is the mark that the limit passed before the recipient acted.
	Overdue bool
	// Reminders counts how often the sender urged.
	Reminders int
	// Reason is the code of a return, refusal or failure, Comment its text.
	Reason  string
	Comment string
	// SignNumber is the recipient's own number of the sign-for (签收编号).
	SignNumber string
	// Statement is the SM3 of the newest signed statement that moved the delivery;
	// a repeat of the same statement is recognised by it.
	Statement Digest
	// Copies is how many official copies the recipient may print (允许打印份数); the sender signed for it.
	Copies int
	// WithdrawalRequested is the mark that the sender asked for the document back after the hand-over.
	WithdrawalRequested bool
	// Escalated is the mark that the supervisor was told.
	Escalated bool
	// ChangedAt is the hub's time of the last change.
	ChangedAt time.Time
}

// CopyKind says what a printed copy is.
type CopyKind string

// The kinds of printed copies.
const (
	// OfficialCopy has the red head and the seal, and counts against the allowance.
	OfficialCopy CopyKind = "official"
	// ReferenceCopy has neither (脱密打印): what is printed beyond the allowance.
	ReferenceCopy CopyKind = "reference"
)

// Copy is one copy that a recipient took for printing (份号). It is counted before it is rendered.
type Copy struct {
	Delivery string
	// Number runs from 1 within the delivery and is never used again.
	Number int
	Kind   CopyKind
	// Voided is set by a second event where the print failed; the first stays.
	Voided  bool
	Account string
	At      time.Time
}

// MaxCopies bounds the copies of one delivery: a copy number has six digits (GB/T 9704-2012 7.2.1).
const MaxCopies = 999_999

// NextCopy says what the next copy of a delivery is: official while fewer official copies than allowed are in being,
// and while the document was neither corrected nor annulled; else a reference copy. ok is false when no number is left.
func NextCopy(d Delivery, x Exchange, have []Copy) (next Copy, ok bool) {
	next = Copy{Delivery: d.ID, Number: 1, Kind: ReferenceCopy}
	official := 0
	for _, c := range have {
		next.Number = max(next.Number, c.Number+1)
		if c.Kind == OfficialCopy && !c.Voided {
			official++
		}
	}
	if official < d.Copies && x.Superseded == (Reference{}) {
		next.Kind = OfficialCopy
	}
	return next, next.Number <= MaxCopies
}

// ReturnReasons lists the codes with which a recipient may return a document.
func ReturnReasons() map[string]string {
	return map[string]string{
		"01": "not for this office",
		"02": "attachment missing or count differs",
		"03": "seal or signature invalid",
		"04": "layout or number wrong",
		"05": "duplicate",
		"06": "cannot be opened",
		"07": "classified content suspected",
		"99": "other",
	}
}

// Limits of what a party may write into an exchange.
const (
	// MaxCommentRunes bounds the text of a return and of a sign-for.
	MaxCommentRunes = 500
	// MaxRecipients bounds the deliveries of one exchange.
	MaxRecipients = 1000
)
