package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"yinxin/archive/blob"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
)

// ErrDisposed says that the record was destroyed after its retention period; its tombstone and its evidence remain.
var ErrDisposed = errors.New("archive: the record was disposed of")

// retentionYears are the 保管期限 that end, in years (档案 of 机关: 30 and 10 years, or for ever).
var retentionYears = map[string]int{"D30": 30, "D10": 10}

// KeepUntil is the first day on which a record may be disposed of. Retention is counted in whole years from the year after
// the 成文日期 (D10 of 2026: 2027 to 2036, so from 2037-01-01). forEver is true of what is kept permanently, and of what
// states no date or a retention that is not known: it is never disposed of.
func (r Record) KeepUntil() (day time.Time, forEver bool) {
	years, ends := retentionYears[r.Retention]
	issued, err := time.Parse(time.DateOnly, r.IssuedOn)
	if !ends || err != nil {
		return time.Time{}, true
	}
	return time.Date(issued.Year()+1+years, time.January, 1, 0, 0, 0, 0, time.UTC), false
}

// shanghai is where the day begins by which retention is counted; it has had no summer time since 1991.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// MayBeDisposed reports whether the retention period has ended at a moment.
func (r Record) MayBeDisposed(at time.Time) bool {
	day, forEver := r.KeepUntil()
	today := at.In(shanghai).Format(time.DateOnly)
	return !forEver && today >= day.Format(time.DateOnly)
}

// Forgotten is what stays of a record in the index: ids, 档号, digests and who may see it; no title, number, name or date.
func (r Record) Forgotten(at time.Time) Record {
	return Record{
		ID: r.ID, ArchivalCode: r.ArchivalCode, Retention: r.Retention, Exchange: r.Exchange, Issuer: r.Issuer,
		DocumentSM3: r.DocumentSM3, Parties: r.Parties, DepositedAt: r.DepositedAt, DisposedAt: at.UTC().Truncate(time.Second),
	}
}

// maxDue bounds how many records one question for those that are due gives.
const maxDue = 200

// Due lists records whose retention period has ended at a moment, newest first, at most 200 of each 保管期限.
func (a *Archive) Due(ctx context.Context, at time.Time) ([]Record, error) {
	var due []Record
	for _, class := range []string{"D10", "D30"} {
		last := at.In(shanghai).Year() - 1 - retentionYears[class] // the youngest year of issue that has ended
		found, err := a.Index.FindRecords(ctx, Query{Retention: class, To: strconv.Itoa(last) + "-12-31", Kept: true, Limit: maxDue})
		if err != nil {
			return nil, fmt.Errorf("records that are due: %w", err)
		}
		for _, e := range found {
			if e.Record.MayBeDisposed(at) {
				due = append(due, e.Record)
			}
		}
	}
	return due, nil
}

// Destroy takes a record out of the index but for what its tombstone names, and removes its package and the further blobs
// named. What is gone already is no error, so that a try that died in between can be made again.
func (a *Archive) Destroy(ctx context.Context, id string, more ...blob.Ref) error {
	e, err := a.Index.Record(ctx, id)
	if err != nil {
		return fmt.Errorf("destroy record %s: %w", id, err)
	}
	if err := a.Index.ForgetRecord(ctx, e.Record.ID, a.Clock()); err != nil {
		return fmt.Errorf("destroy record %s: %w", id, err)
	}
	for _, ref := range append(more, e.Package) {
		if err := a.Blobs.Remove(ctx, ref); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("destroy record %s: %w", id, err)
		}
	}
	return nil
}

// KeepingSchema names a statement about the keeping of a record.
const KeepingSchema = "yinxin.keeping/1"

// KeepingAct is what a statement says was done.
type KeepingAct string

// The acts that the archive states.
const (
	ActHold     KeepingAct = "legal_hold"
	ActRelease  KeepingAct = "legal_hold_release"
	ActDisposal KeepingAct = "disposal"
)

// KeepingStatement says what became of a record: a hold, its release, or the disposal, of which it is the tombstone. It names
// no title and no party, so that it can outlive what it is about. docs/formats/package.md describes it.
type KeepingStatement struct {
	Schema       string     `json:"schema"`
	Act          KeepingAct `json:"act"`
	ID           string     `json:"id"` // of the decision
	Record       string     `json:"record"`
	ArchivalCode string     `json:"archival_code"`
	Retention    string     `json:"retention"`
	Exchange     string     `json:"exchange"`
	DocumentSM3  string     `json:"document_sm3"`
	PackageSM3   string     `json:"package_sm3"`
	// Basis is the case of a hold, or the appraisal of a disposal.
	Basis string `json:"basis"`
	// Decisions are who did what, in order.
	Decisions []Decision `json:"decisions"`
	// BackupsUntil is the day after which no backup holds the record any more, where it was stated.
	BackupsUntil string `json:"backups_until,omitempty"`
	// At is the archive's clock, UTC: of a disposal, when it was carried out.
	At time.Time `json:"at"`
}

// Decision is one person's part.
type Decision struct {
	Act     string    `json:"act"` // placed, released, proposed, approved
	Account string    `json:"account"`
	At      time.Time `json:"at"`
	Words   string    `json:"words,omitempty"`
}

// State signs a statement in the name of the archive, attached (GB/T 35275).
func (a *Archive) State(s KeepingStatement) ([]byte, error) {
	s.Schema, s.At = KeepingSchema, a.Clock().UTC().Truncate(time.Second)
	text, err := listText(s)
	if err != nil {
		return nil, fmt.Errorf("write statement: %w", err)
	}
	der, err := cms.Sign(text, cms.SignOptions{
		Signer: a.Signer, Certificate: a.Certificate, Chain: a.Chain, Time: s.At, Rand: a.Rand,
	})
	if err != nil {
		return nil, fmt.Errorf("sign statement: %w", err)
	}
	return der, nil
}

// ParseKeepingStatement reads a signed statement strictly, and gives who is said to have signed it. Believe nothing in it
// before its signature was judged.
func ParseKeepingStatement(der []byte) (*KeepingStatement, *cert.Certificate, error) {
	if len(der) > maxManifest {
		return nil, nil, fmt.Errorf("parse statement: %d bytes, at most %d", len(der), maxManifest)
	}
	signed, err := cms.ParseSigned(der)
	if err != nil {
		return nil, nil, fmt.Errorf("parse statement: %w", err)
	}
	if signed.Detached() || signed.Signers() != 1 {
		return nil, nil, errors.New("parse statement: not one signature around its content")
	}
	s := new(KeepingStatement)
	if err := decodeStrict(signed.Content(), s); err != nil {
		return nil, nil, fmt.Errorf("parse statement: %w", err)
	}
	again, err := listText(s)
	if err != nil || !bytes.Equal(again, signed.Content()) || s.Schema != KeepingSchema {
		return nil, nil, errors.New("parse statement: not in the one spelling of this format")
	}
	return s, signed.SignerCertificate(0), nil
}
