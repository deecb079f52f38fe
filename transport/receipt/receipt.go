package receipt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/transport"
)

// Schema names the format of a receipt file (.yxr).
const Schema = "yinxin.receipt/1"

// Bounds of a receipt, in bytes and certificates.
const (
	MaxReceipt      = 512 << 10
	MaxCertificates = 8
)

// Receipt is one self-contained piece of evidence.
type Receipt struct {
	Entry Entry
	// Index is the entry's place in the log, Proof the inclusion proof for Checkpoint.
	Index uint64
	Proof []tlog.Hash
	// Checkpoint is the signed checkpoint of the batch, byte for byte.
	Checkpoint []byte
	// Statement is the signed statement that the entry names, byte for byte; nil where it names none.
	Statement []byte
	// Certificates help to build the chain of the statement's signer; they are trusted for nothing.
	Certificates []*cert.Certificate
}

type wireReceipt struct {
	Schema       string          `json:"schema"`
	Entry        json.RawMessage `json:"entry"`
	Index        uint64          `json:"index"`
	Proof        []string        `json:"proof"`
	Checkpoint   string          `json:"checkpoint"`
	Statement    string          `json:"statement"`
	Certificates []string        `json:"certificates"`
}

// Compose builds the receipt of the leaf entry that was placed by a publication. It checks what it puts together, so that
// no receipt leaves that does not hold: the proof, and that the statement is the one that the entry names. The same input
// gives the same bytes.
func Compose(entry []byte, placed tlog.Placed, checkpoint, statement []byte, chain []*cert.Certificate) (*Receipt, error) {
	e, err := ParseEntry(entry)
	if err != nil {
		return nil, err
	}
	c, err := tlog.ParseCheckpoint(checkpoint)
	if err != nil {
		return nil, fmt.Errorf("compose receipt %s: %w", e.ID, err)
	}
	if err := tlog.VerifyInclusion(entry, placed.Index, placed.Proof, c); err != nil {
		return nil, fmt.Errorf("compose receipt %s: %w", e.ID, err)
	}
	r := &Receipt{
		Entry: e, Index: placed.Index, Proof: placed.Proof, Checkpoint: checkpoint, Statement: statement, Certificates: chain,
	}
	if err := r.checkStatement(); err != nil {
		return nil, fmt.Errorf("compose receipt %s: %w", e.ID, err)
	}
	return r, nil
}

// checkStatement compares the statement with the entry, not with any key.
func (r *Receipt) checkStatement() error {
	if len(r.Statement) == 0 {
		if !r.Entry.Statement.IsZero() {
			return fmt.Errorf("%w: the statement that the entry names is missing", ErrEntry)
		}
		return nil
	}
	s, err := ParseStatement(r.Statement)
	if err != nil {
		return err
	}
	if s.Digest() != r.Entry.Statement {
		return fmt.Errorf("%w: the entry names another statement", ErrEntry)
	}
	return s.Matches(r.Entry)
}

// Marshal gives the canonical bytes of the receipt, the content of a .yxr file.
func (r *Receipt) Marshal() ([]byte, error) {
	entry, err := r.Entry.Marshal()
	if err != nil {
		return nil, err
	}
	w := wireReceipt{
		Schema: Schema, Entry: entry, Index: r.Index, Proof: []string{}, Checkpoint: string(r.Checkpoint),
		Statement: base64.StdEncoding.EncodeToString(r.Statement), Certificates: []string{},
	}
	for _, h := range r.Proof {
		w.Proof = append(w.Proof, h.Base64())
	}
	for _, c := range r.Certificates {
		w.Certificates = append(w.Certificates, base64.StdEncoding.EncodeToString(c.Raw))
	}
	b, err := canonical(w)
	if err != nil {
		return nil, err
	}
	if b = append(b, '\n'); len(b) > MaxReceipt {
		return nil, fmt.Errorf("%w: receipt of %d bytes", ErrEntry, len(b))
	}
	return b, nil
}

// Parse reads a receipt; any other spelling of the same receipt is refused. Nothing is verified yet.
func Parse(b []byte) (*Receipt, error) {
	if len(b) > MaxReceipt {
		return nil, fmt.Errorf("%w: receipt of %d bytes", ErrEntry, len(b))
	}
	var w wireReceipt
	if err := strict(bytes.TrimSuffix(b, []byte("\n")), &w); err != nil {
		return nil, err
	}
	if w.Schema != Schema {
		return nil, fmt.Errorf("%w: schema %.40q", ErrEntry, w.Schema)
	}
	r, err := w.receipt()
	if err != nil {
		return nil, err
	}
	again, err := r.Marshal()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: receipt is not in its canonical form", ErrEntry)
	}
	return r, nil
}

func (w wireReceipt) receipt() (*Receipt, error) {
	e, err := ParseEntry(w.Entry)
	if err != nil {
		return nil, err
	}
	r := &Receipt{Entry: e, Index: w.Index, Checkpoint: []byte(w.Checkpoint)}
	if len(w.Proof) > tlog.MaxProof || len(w.Certificates) > MaxCertificates {
		return nil, fmt.Errorf("%w: %d hashes, %d certificates", ErrEntry, len(w.Proof), len(w.Certificates))
	}
	for _, s := range w.Proof {
		h, err := tlog.ParseHash(s)
		if err != nil {
			return nil, fmt.Errorf("%w: proof: %w", ErrEntry, err)
		}
		r.Proof = append(r.Proof, h)
	}
	if w.Statement == "" {
		r.Statement = nil
	} else if r.Statement, err = base64.StdEncoding.Strict().DecodeString(w.Statement); err != nil {
		return nil, fmt.Errorf("%w: statement is not base64", ErrEntry)
	}
	for _, s := range w.Certificates {
		der, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate is not base64", ErrEntry)
		}
		c, err := cert.Parse(der)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrEntry, err)
		}
		r.Certificates = append(r.Certificates, c)
	}
	return r, nil
}

// IsReceipt reports whether data begins as a receipt does.
func IsReceipt(data []byte) bool { return bytes.HasPrefix(data, []byte(`{"schema":"`+Schema+`"`)) }

// Document gives the digests that the receipt speaks of.
func (r *Receipt) Document() (sm3, sha256 transport.Digest) {
	return r.Entry.DocumentSM3, r.Entry.DocumentSHA256
}
