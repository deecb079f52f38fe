package receipt

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/transport"
	"yinxin/verdict"
)

// Bounds of a statement: the signed message in bytes, its texts in characters.
const (
	MaxStatement = 64 << 10
	MaxNumber    = 64
	MaxText      = transport.MaxCommentRunes
)

// Statement is what a party signs with its office's own key when an event is its act: that it opened, signed for,
// returned or withdrew this document of this exchange. It names everything that makes it useless for any other.
type Statement struct {
	Event transport.Event
	// Time is the party's own clock, a claim; the time that counts is the entry's.
	Time           time.Time
	Exchange       string
	DocumentSM3    transport.Digest
	DocumentSHA256 transport.Digest
	Sender         string
	Recipient      string
	Reason         string
	// Number is the party's own number for the act, such as the 签收编号.
	Number string
	// Text is the party's own words, such as why a document is returned. It stays out of the log.
	Text string
	// Verdict is what the party's own verification of the document said; empty where it made none.
	Verdict verdict.Status
}

type wireStatement struct {
	V              int              `json:"v"`
	Event          transport.Event  `json:"event"`
	Time           string           `json:"time"`
	Exchange       string           `json:"exchange"`
	DocumentSM3    transport.Digest `json:"document_sm3"`
	DocumentSHA256 transport.Digest `json:"document_sha256"`
	Sender         string           `json:"sender"`
	Recipient      string           `json:"recipient"`
	Reason         string           `json:"reason"`
	Number         string           `json:"number"`
	Text           string           `json:"text"`
	Verdict        verdict.Status   `json:"verdict"`
}

// Validate reports what no statement may say.
func (s Statement) Validate() error {
	by, _ := StatementBy(s.Event)
	if by == NoParty {
		return fmt.Errorf("%w: %.40q is not a party's act", ErrEntry, string(s.Event))
	}
	for _, code := range [...]string{s.Exchange, s.Sender, s.Recipient} {
		if !transport.ValidCode(code) && (code != "" || s.Event != transport.SealApplied) {
			return fmt.Errorf("%w: %.80q is not a code", ErrEntry, code)
		}
	}
	if s.DocumentSM3.IsZero() || s.DocumentSHA256.IsZero() {
		return fmt.Errorf("%w: statement without the document's digests", ErrEntry)
	}
	if !plain(s.Number, MaxNumber) || !plain(s.Text, MaxText) {
		return fmt.Errorf("%w: number or text is too long or not plain text", ErrEntry)
	}
	switch s.Verdict {
	case "", verdict.Passed, verdict.Failed, verdict.Indeterminate, verdict.Rejected, verdict.Unsigned:
	default:
		return fmt.Errorf("%w: verdict %.40q", ErrEntry, string(s.Verdict))
	}
	if err := checkReason(s.Event, s.Reason); err != nil {
		return err
	}
	return checkTime(s.Time)
}

// plain: valid UTF-8 without control or line-separating characters, so that canonical JSON needs no escapes but \" and \\.
func plain(s string, limit int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= limit &&
		strings.IndexFunc(s, func(r rune) bool {
			return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
		}) < 0
}

// Marshal gives the canonical bytes of the statement, which are what the party signs.
func (s Statement) Marshal() ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return canonical(wireStatement{
		Version, s.Event, s.Time.UTC().Format(timeLayout), s.Exchange, s.DocumentSM3, s.DocumentSHA256,
		s.Sender, s.Recipient, s.Reason, s.Number, s.Text, s.Verdict,
	})
}

func parseStatement(b []byte) (Statement, error) {
	var w wireStatement
	if err := strict(b, &w); err != nil {
		return Statement{}, err
	}
	if w.V != Version {
		return Statement{}, fmt.Errorf("%w: statement version %d", ErrEntry, w.V)
	}
	at, err := time.Parse(timeLayout, w.Time)
	if err != nil {
		return Statement{}, fmt.Errorf("%w: time", ErrEntry)
	}
	s := Statement{
		w.Event, at, w.Exchange, w.DocumentSM3, w.DocumentSHA256, w.Sender, w.Recipient, w.Reason, w.Number, w.Text, w.Verdict,
	}
	again, err := s.Marshal()
	if err != nil {
		return Statement{}, err
	}
	if !bytes.Equal(again, b) {
		return Statement{}, fmt.Errorf("%w: statement is not in its canonical form", ErrEntry)
	}
	return s, nil
}

// Party is the code of the office whose act this is.
func (s Statement) Party() string {
	if by, _ := StatementBy(s.Event); by == Sender {
		return s.Sender
	}
	return s.Recipient
}

// Matches reports what in e this statement does not say. A statement belongs to exactly one event of one delivery.
func (s Statement) Matches(e Entry) error {
	for _, f := range [...]struct {
		name string
		same bool
	}{
		{"event", s.Event == e.Event},
		{"exchange", s.Exchange == e.Exchange},
		{"document", s.DocumentSM3 == e.DocumentSM3 && s.DocumentSHA256 == e.DocumentSHA256},
		{"sender", s.Sender == e.Sender},
		{"recipient", s.Recipient == e.Recipient},
		{"reason", s.Reason == e.Reason},
	} {
		if !f.same {
			return fmt.Errorf("%w: the statement is of another %s", ErrEntry, f.name)
		}
	}
	return nil
}

// Sign signs the statement with the office's key, attached (GB/T 35275). The certificate of the office, which names its
// code, goes with it.
func (s Statement) Sign(o cms.SignOptions) ([]byte, error) {
	content, err := s.Marshal()
	if err != nil {
		return nil, err
	}
	if code := transport.CodeOf(o.Certificate.Subject); code != s.Party() {
		return nil, fmt.Errorf("%w: the certificate of office %.80q cannot state the act of %s", ErrEntry, code, s.Party())
	}
	der, err := cms.Sign(content, o)
	if err != nil {
		return nil, fmt.Errorf("sign statement of %s: %w", s.Event, err)
	}
	if len(der) > MaxStatement {
		return nil, fmt.Errorf("%w: signed statement of %d bytes", ErrEntry, len(der))
	}
	return der, nil
}

// SignedStatement is a statement with its signature, read but not yet judged.
type SignedStatement struct {
	Statement
	// Raw is the signed message; an entry names its SM3.
	Raw []byte

	signed *cms.SignedData
}

// ParseStatement reads a signed statement. Believe nothing in it before [SignedStatement.Judge].
func ParseStatement(der []byte) (*SignedStatement, error) {
	if len(der) > MaxStatement {
		return nil, fmt.Errorf("%w: signed statement of %d bytes", ErrEntry, len(der))
	}
	signed, err := cms.ParseSigned(der)
	if err != nil {
		return nil, fmt.Errorf("%w: statement: %w", ErrEntry, err)
	}
	if signed.Detached() || signed.Signers() != 1 {
		return nil, fmt.Errorf("%w: statement with %d signers", ErrEntry, signed.Signers())
	}
	s, err := parseStatement(signed.Content())
	if err != nil {
		return nil, err
	}
	return &SignedStatement{Statement: s, Raw: bytes.Clone(der), signed: signed}, nil
}

// Digest is the SM3 of the signed message, as an entry names it.
func (s *SignedStatement) Digest() transport.Digest { return gm.SM3(s.Raw) }

// SignerCertificate is the signing certificate in the message, nil if there is none. Believe it only after
// [SignedStatement.Judge].
func (s *SignedStatement) SignerCertificate() *cert.Certificate { return s.signed.SignerCertificate(0) }

// Judge judges the signature, and that the certificate is the office's whose act it is: a hub that signs for a recipient
// is found out here, with the reason receipt_signer.
func (s *SignedStatement) Judge(o cms.JudgeOptions) verdict.Signature {
	o.RequireBinding = true
	v := s.signed.Judge(gm.SM3(s.signed.Content()), false, o)[0]
	v.Add(s.judgeParty())
	v.Judge(o.Policy.Setting())
	return v
}

func (s *SignedStatement) judgeParty() verdict.Check {
	const check = verdict.CheckReceiptBinding
	c := s.SignerCertificate()
	if c == nil {
		return verdict.Fail(check, verdict.ReceiptSigner, "the statement brings no signer's certificate")
	}
	switch code := transport.CodeOf(c.Subject); code {
	case s.Party():
		return verdict.Pass(check)
	case "":
		return verdict.Unknown(check, verdict.ReceiptSigner, "the certificate %s names no office code", c.SubjectText())
	default:
		return verdict.Fail(check, verdict.ReceiptSigner, "%s is the act of %s, signed by %s", s.Event, s.Party(), code)
	}
}
