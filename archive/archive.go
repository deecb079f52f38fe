// Package archive keeps the record of a document that went through the exchange, finds it again and shows that it is
// what was sent and received.
//
// It promises three things. A record package is plain: the documents lie in it unencrypted, with their seals and
// receipts byte for byte as they were (DA/T 70 asks for no private compression and no encryption). Every file of a
// package is bound by SM3 and SHA-256 in a manifest that the archive signs, and every receipt in it speaks of this
// document and this exchange. Nothing is rewritten: what comes later stands beside it.
//
// A record is kept for its retention period, longer under a legal hold, and then destroyed by the decision of two persons; a
// signed tombstone and the log's evidence stay (keeping.go).
//
// It does not judge seals or receipts itself: a [Judge] does, so that this package stays below the verifier and knows
// nothing of the exchange. It does not encrypt at rest or write other package forms; archive/renewal
// keeps proofs of time alive.
package archive

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"yinxin/archive/blob"
	"yinxin/crypto/cert"
)

// ErrNotFound says that no such record exists, or that it belongs to somebody else.
var ErrNotFound = errors.New("archive: record not found")

// Record describes one deposited document.
type Record struct {
	// ID is opaque and never reused.
	ID string `json:"id"`
	// ArchivalCode is the 档号 (DA/T 13): fonds, class·year·retention, item number.
	ArchivalCode string `json:"archival_code"`
	// Retention is the 保管期限: Y (permanent), D30 or D10.
	Retention string `json:"retention"`
	// Exchange is the id under which the document was exchanged.
	Exchange string `json:"exchange"`
	// Issuer is the code of the issuing office, IssuerName its name on the document.
	Issuer     string `json:"issuer"`
	IssuerName string `json:"issuer_name"`
	// Kind is the 文种, Number the 发文字号, Title the 标题, IssuedOn the 成文日期 (yyyy-mm-dd).
	Kind     string `json:"kind"`
	Number   string `json:"number"`
	Title    string `json:"title"`
	IssuedOn string `json:"issued_on"`
	// DocumentSM3 is the digest (hex) of the sealed document, the one that every receipt names.
	DocumentSM3 string `json:"document_sm3"`
	// Pages counts the pages of the document.
	Pages int `json:"pages"`
	// Parties are the codes of the offices that may find this record beside the archivists: sender and recipients.
	Parties []string `json:"parties"`
	// DepositedAt is the archive's clock at the deposit, UTC.
	DepositedAt time.Time `json:"deposited_at"`
	// DisposedAt is when the record was destroyed; zero while it is kept, and so in every manifest.
	DisposedAt time.Time `json:"disposed_at,omitzero"`
}

// Submission is what the archive is given for one document (归档信息包): the description, the files, and what it is found by.
type Submission struct {
	Record  Record
	Files   []File
	Content Content
}

// Query selects records: all that is given must hold. Empty fields select all.
type Query struct {
	// Text is looked for in the whole of a record, Title in its title: words that are separated by spaces must all occur,
	// each as it stands, however short.
	Text, Title string
	// These are asked for as a whole.
	Number, Exchange, Code, Issuer, Kind, Retention, DocumentSM3 string
	// Elements are metadata by name, each with the whole of one value.
	Elements map[string]string
	// From and To bound the 成文日期, yyyy-mm-dd, both inclusive.
	From, To string
	// Office limits the result to records that the office is a party of; empty means no limit (archivists).
	Office string
	// Kept leaves out what was disposed of.
	Kept bool
	// Limit is at most 200; After is the ID of the last record of the page before.
	Limit int
	After string
}

// Entry is a record with the place of its package.
type Entry struct {
	Record  Record
	Package blob.Ref
}

// Index finds records. Implementations are durable when a call returns.
type Index interface {
	// NextItem counts the records of a class within one fonds ("WS·2026·D30") up by one; a number is never given twice.
	NextItem(ctx context.Context, fonds, class string) (int, error)
	// AddRecord stores an entry and what it is found by; a second entry for the same exchange is refused with the first
	// entry's ID.
	AddRecord(ctx context.Context, e Entry, c Content) error
	// FindRecords returns entries, newest first; see TermQuery for how a text is found.
	FindRecords(ctx context.Context, q Query) ([]Entry, error)
	// Record returns one entry by ID or archival code; ErrNotFound when there is none.
	Record(ctx context.Context, idOrCode string) (Entry, error)
	// ForgetRecord leaves of a record what [Record.Forgotten] says, and nothing that it could be found by beside that. It is
	// idempotent.
	ForgetRecord(ctx context.Context, id string, at time.Time) error
}

// Archive deposits and retrieves records.
type Archive struct {
	// Fonds is the 全宗号, for example Z109.
	Fonds string
	Blobs blob.Store
	Index Index
	// Signer and Certificate sign manifests; Chain leads to the root.
	Signer      crypto.Signer
	Certificate *cert.Certificate
	Chain       []*cert.Certificate
	Clock       func() time.Time
	Rand        io.Reader
	// NewID makes record ids.
	NewID func() string
	// TempDir is where packages are built before they are stored; empty means the system's.
	TempDir string
}

// Deposit gives the record its archival code, writes and signs its package, stores it durably and indexes it. A record
// of an exchange that was deposited before is returned as it stands: depositing is idempotent per exchange.
func (a *Archive) Deposit(ctx context.Context, s Submission) (Entry, error) {
	have, err := a.Index.FindRecords(ctx, Query{Exchange: s.Record.Exchange, Limit: 1})
	if err != nil {
		return Entry{}, fmt.Errorf("deposit %s: %w", s.Record.Exchange, err)
	}
	if len(have) > 0 {
		return have[0], nil
	}
	r, err := a.describe(ctx, s.Record)
	if err != nil {
		return Entry{}, fmt.Errorf("deposit %s: %w", s.Record.Exchange, err)
	}
	ref, err := a.store(ctx, r, s.Files)
	if err != nil {
		return Entry{}, fmt.Errorf("deposit %s: %w", s.Record.Exchange, err)
	}
	e := Entry{Record: r, Package: ref}
	if err := a.Index.AddRecord(ctx, e, s.Content); err != nil {
		return Entry{}, fmt.Errorf("deposit %s: %w", s.Record.Exchange, err)
	}
	return e, nil
}

// describe completes the record: id, code, time.
func (a *Archive) describe(ctx context.Context, r Record) (Record, error) {
	if r.Retention == "" {
		r.Retention = "D30"
	}
	year := a.Clock().UTC().Format("2006")
	if len(r.IssuedOn) >= 4 {
		year = r.IssuedOn[:4]
	}
	class := fmt.Sprintf("WS·%s·%s", year, r.Retention)
	n, err := a.Index.NextItem(ctx, a.Fonds, class)
	if err != nil {
		return Record{}, err
	}
	r.ID = a.NewID()
	r.ArchivalCode = fmt.Sprintf("%s-%s-%04d", a.Fonds, class, n)
	r.DepositedAt = a.Clock().UTC().Truncate(time.Second)
	return r, nil
}

func (a *Archive) store(ctx context.Context, r Record, files []File) (ref blob.Ref, err error) {
	return a.keep(ctx, func(w io.Writer) error { return WriteZip(w, r, files, a.writing()) })
}

// Supplement keeps receipts that came after the deposit of an exchange's record and returns the name of the blob that they
// lie in. Which blobs those are is the log's to know: its entry names each.
func (a *Archive) Supplement(ctx context.Context, exchange string, files []File) (blob.Ref, error) {
	have, err := a.Index.FindRecords(ctx, Query{Exchange: exchange, Limit: 1})
	if err == nil && len(have) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return blob.Ref{}, fmt.Errorf("supplement %s: %w", exchange, err)
	}
	r := have[0].Record
	if !r.DisposedAt.IsZero() {
		return blob.Ref{}, fmt.Errorf("supplement %s: %w", exchange, ErrDisposed)
	}
	ref, err := a.keep(ctx, func(w io.Writer) error {
		return WriteSupplement(w, r, a.Clock().UTC().Truncate(time.Second), files, a.writing())
	})
	if err != nil {
		return ref, fmt.Errorf("supplement %s: %w", exchange, err)
	}
	return ref, nil
}

func (a *Archive) writing() WriteOptions {
	return WriteOptions{Signer: a.Signer, Certificate: a.Certificate, Chain: a.Chain, Rand: a.Rand}
}

// keep stores what write writes, by way of a temporary file.
func (a *Archive) keep(ctx context.Context, write func(io.Writer) error) (ref blob.Ref, err error) {
	f, err := os.CreateTemp(a.TempDir, "package-*.zip")
	if err != nil {
		return ref, err
	}
	defer func() {
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}()
	if err := write(f); err != nil {
		return ref, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return ref, err
	}
	info, err := a.Blobs.Put(ctx, f)
	return info.Ref, err
}

// Retrieve opens the package of a record (调阅), a zip file. office limits access to the parties of the record; empty
// means an archivist. Another office's record is not found.
func (a *Archive) Retrieve(ctx context.Context, idOrCode, office string) (Record, blob.Reader, error) {
	e, r, err := a.RetrieveEntry(ctx, idOrCode, office)
	return e.Record, r, err
}

// RetrieveEntry is Retrieve with the name of the package.
func (a *Archive) RetrieveEntry(ctx context.Context, idOrCode, office string) (Entry, blob.Reader, error) {
	e, err := a.Index.Record(ctx, idOrCode)
	if err != nil {
		return Entry{}, nil, fmt.Errorf("retrieve %s: %w", idOrCode, err)
	}
	if office != "" && !e.Record.concerns(office) {
		return Entry{}, nil, fmt.Errorf("retrieve %s: %w", idOrCode, ErrNotFound)
	}
	if !e.Record.DisposedAt.IsZero() {
		return e, nil, fmt.Errorf("retrieve %s: %w", idOrCode, ErrDisposed)
	}
	rc, err := a.Blobs.Open(ctx, e.Package)
	if err != nil {
		return Entry{}, nil, fmt.Errorf("retrieve %s: %w", idOrCode, err)
	}
	return e, rc, nil
}

// Find returns the records that the query selects and the office may see.
func (a *Archive) Find(ctx context.Context, q Query) ([]Record, error) {
	if q.Limit <= 0 || q.Limit > 200 {
		q.Limit = 50
	}
	entries, err := a.Index.FindRecords(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("search records: %w", err)
	}
	records := make([]Record, len(entries))
	for i, e := range entries {
		records[i] = e.Record
	}
	return records, nil
}

func (r Record) concerns(office string) bool {
	return r.Issuer == office || slices.Contains(r.Parties, office)
}
