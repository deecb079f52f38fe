package office

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"yinxin/archive/blob"
	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/crypto/stream"
	"yinxin/document"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/ses"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/envelope"
)

// SealAsk is what a clerk asks for: this draft, under this seal, to these recipients.
type SealAsk struct {
	Draft      *Draft
	Seal       string
	Recipients []Recipient
	Urgency    transport.Urgency
	// Refers makes the document a correction or an annulment of an earlier exchange. Without Recipients it then goes to
	// everybody who has the earlier one, with Copies for each.
	Refers transport.Reference
	Copies int
}

// draftFiles is what rests encrypted while a dispatch waits.
type draftFiles struct {
	OFD []byte `json:"ofd"`
	PDF []byte `json:"pdf"`
}

// maxDraft bounds the encrypted draft in bytes.
const maxDraft = 1 << 30

// Ask prepares the sealing of a draft and leaves it pending for an approver. Place and time of the seal are fixed here;
// the Digest of the answer is what the approver approves.
func (s *Service) Ask(ctx context.Context, who Person, ask SealAsk) (Dispatch, error) {
	if !who.Clerk {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", ErrForbidden)
	}
	if err := ask.Draft.checkUnclassified(); err != nil {
		return Dispatch{}, errors.Join(fmt.Errorf("ask for seal: %w", err), s.NoteRefused(ctx, who, err))
	}
	if err := s.scanDraft(ctx, who, ask.Draft); err != nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", err)
	}
	if err := s.measureDraft(ask.Draft); err != nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", err)
	}
	if err := s.checkIssuer(ctx, who.Office, ask.Draft.Metadata); err != nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", err)
	}
	var err error
	if ask.Recipients, err = s.checkReference(ctx, who, ask); err != nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", err)
	}
	if err := s.checkRecipients(ctx, who.Office, ask.Recipients); err != nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", err)
	}
	if ask.Draft.Spot == nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w: the document has no place for one", ErrNoPlace)
	}
	d := Dispatch{
		ID: s.NewID(), Office: who.Office, Requester: who.Account, Exchange: s.NewID(), Recipients: ask.Recipients,
		Urgency: ask.Urgency, Refers: ask.Refers, Seal: ask.Seal, SealedAt: s.Clock().UTC().Truncate(time.Second),
		Stamps:   []Stamp{spotStamp(ask.Draft.Spot.Page, ask.Draft.Spot.X, ask.Draft.Spot.Y, ask.Draft.Spot.Diameter)},
		Unsealed: gm.SM3(ask.Draft.OFD), State: Pending, CreatedAt: s.Clock().UTC(),
	}
	if err := s.note(ctx, who, "seal.ask", d.ID); err != nil {
		return Dispatch{}, err
	}
	p, err := s.prepare(ctx, d, draftFiles{ask.Draft.OFD, ask.Draft.PDF})
	if err == nil {
		err = p.record.InForce(s.Clock()) // a change within this second counts, too
	}
	if err != nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", err)
	}
	d.Digest = p.digest()
	if d.KeyUse, err = p.keyUse(); err != nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", err)
	}
	if d.Draft, d.DraftKey, err = s.keepDraft(ctx, d, draftFiles{ask.Draft.OFD, ask.Draft.PDF}); err != nil {
		return Dispatch{}, fmt.Errorf("keep draft: %w", err)
	}
	if err := s.Dispatches.AddDispatch(ctx, d); err != nil {
		return Dispatch{}, fmt.Errorf("ask for seal: %w", err)
	}
	return d, nil
}

// ErrSender says that a document names another issuing office (发文机关) than the one that wants to seal and send it.
var ErrSender = errors.New("office: the document names another issuing office")

// checkIssuer compares the document's 发文机关 with the office, by code where the document has one, and by name.
func (s *Service) checkIssuer(ctx context.Context, code string, m document.Metadata) error {
	o, err := s.Directory.Organisation(ctx, code)
	if err != nil {
		return err
	}
	if m.Issuer.Code != "" && m.Issuer.Code != code || !named(o, m.Issuer.Name) {
		return fmt.Errorf("%w: %s, not %s", ErrSender, m.Issuer.Name, o.Name)
	}
	return nil
}

// named reports whether an office goes by the name.
func named(o directory.Organisation, name string) bool {
	return name == o.Name || slices.Contains(o.Aliases, name)
}

// ErrNoPlace says that the document has no place for the seal.
var ErrNoPlace = errors.New("office: no place for the seal")

// ErrAddressee says that a recipient is not in the directory, closed, twice in the list, or without a certificate.
var ErrAddressee = errors.New("office: recipient cannot be addressed")

// spotStamp places a seal of the diameter with its centre on x, y; pages of a spot count from 0.
func spotStamp(page int, x, y, diameter float64) Stamp {
	return Stamp{Page: page, X: x - diameter/2, Y: y - diameter/2, W: diameter, H: diameter}
}

// checkRecipients reports the first recipient that cannot be sent to.
func (s *Service) checkRecipients(ctx context.Context, sender string, to []Recipient) error {
	if !slices.ContainsFunc(to, func(r Recipient) bool { return r.Role == transport.To }) {
		return fmt.Errorf("%w: nobody is addressed (主送)", ErrAddressee)
	}
	return s.checkAddressees(ctx, sender, to)
}

// checkAddressees is checkRecipients without the rule that somebody is addressed as 主送: a reissue may be copies alone.
func (s *Service) checkAddressees(ctx context.Context, sender string, to []Recipient) error {
	seen := map[string]bool{sender: true, s.Archive: true}
	for _, r := range to {
		if seen[r.Code] {
			return fmt.Errorf("%w: %s is the sender, the archive or twice in the list", ErrAddressee, r.Code)
		}
		seen[r.Code] = true
		o, err := s.Directory.Organisation(ctx, r.Code)
		if errors.Is(err, directory.ErrNotFound) || err == nil && (o.Status != directory.Active || len(o.EncryptionCert) == 0) {
			return fmt.Errorf("%w: %s is unknown, closed or has no certificate", ErrAddressee, r.Code)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// prepared are both forms of a document, ready to be sealed.
type prepared struct {
	ofd, pdf seal.Prepared
	record   seal.Record
	signer   crypto.Signer
	cert     *cert.Certificate
}

// digest covers both preparations; an approval names it.
func (p prepared) digest() transport.Digest {
	a, b := p.ofd.Digest(), p.pdf.Digest()
	return gm.SM3(a[:], b[:])
}

// prepare builds what the seal key will sign. It depends on nothing but the dispatch and the draft, so that doing it
// again after the approval gives the same digest.
func (s *Service) prepare(ctx context.Context, d Dispatch, files draftFiles) (prepared, error) {
	var p prepared
	rec, err := s.Seals.Seal(ctx, d.Seal)
	if err != nil {
		return p, err
	}
	if rec.Office != d.Office { // another office's seal does not exist for this one
		return p, fmt.Errorf("seal %s: %w", d.Seal, seal.ErrUnknownSeal)
	}
	if err := rec.InForce(d.SealedAt); err != nil {
		return p, err
	}
	made, err := ses.ParseSeal(rec.ESL)
	if err != nil {
		return p, fmt.Errorf("seal %s: %w", d.Seal, err)
	}
	id, err := s.sealSigner(ctx, d.Office, made)
	if err != nil {
		return p, err
	}
	if err := s.checkKey(id.signer); err != nil {
		return p, err
	}
	stamps := make([]seal.Stamp, len(d.Stamps))
	for i, st := range d.Stamps {
		stamps[i] = seal.Stamp{Page: st.Page, X: st.X, Y: st.Y, W: st.W, H: st.H}
	}
	p.record, p.signer, p.cert = rec, id.signer, id.cert
	p.ofd, err = ofdseal.Prepare(files.OFD, ofdseal.PrepareOptions{Seal: made, SignerCert: id.cert, Stamps: stamps, Time: d.SealedAt})
	if err != nil {
		return p, err
	}
	p.pdf, err = pdfseal.Prepare(files.PDF, pdfseal.PrepareOptions{
		Seal: made, SignerCert: id.cert, Chain: id.chain, Stamps: stamps, Time: d.SealedAt,
	})
	return p, err
}

// wrappedKey is the wrapped key of a draft as it is stored.
type wrappedKey struct {
	Version int    `json:"version"`
	Data    []byte `json:"data"`
	AAD     []byte `json:"aad"`
}

// keepDraft stores the draft encrypted under a key of its own, which the office's drafts key wraps.
func (s *Service) keepDraft(ctx context.Context, d Dispatch, files draftFiles) (ref string, wrapped []byte, err error) {
	plain, err := json.Marshal(files)
	if err != nil {
		return "", nil, err
	}
	dks, err := s.Keys.DataKey(ctx, keys.Ref{Name: keyName(d.Office, useDrafts)}, [][]byte{[]byte(d.ID)})
	if err == nil {
		err = dks[0].Err
	}
	if err != nil {
		return "", nil, err
	}
	var sealed bytes.Buffer
	w, err := stream.NewWriter(&sealed, dks[0].Plain, s.Rand)
	if err != nil {
		return "", nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return "", nil, err
	}
	if err := w.Close(); err != nil {
		return "", nil, err
	}
	info, err := s.Drafts.Put(ctx, &sealed)
	if err != nil {
		return "", nil, err
	}
	wrapped, err = json.Marshal(wrappedKey(dks[0].Wrapped))
	return info.Ref.String(), wrapped, err
}

// openDraft reads what keepDraft stored.
func (s *Service) openDraft(ctx context.Context, d Dispatch) (draftFiles, error) {
	var files draftFiles
	var wrapped wrappedKey
	if err := json.Unmarshal(d.DraftKey, &wrapped); err != nil {
		return files, fmt.Errorf("draft key of dispatch %s: %w", d.ID, err)
	}
	plain, err := s.Keys.Decrypt(ctx, keyName(d.Office, useDrafts), keys.PurposeWrap, []keys.Ciphertext{keys.Ciphertext(wrapped)})
	if err == nil {
		err = plain[0].Err
	}
	if err != nil {
		return files, fmt.Errorf("draft key of dispatch %s: %w", d.ID, err)
	}
	ref, err := blob.ParseRef(d.Draft)
	if err != nil {
		return files, err
	}
	sealed, err := blob.ReadAll(ctx, s.Drafts, ref, maxDraft)
	if err != nil {
		return files, err
	}
	r, err := stream.NewReader(bytes.NewReader(sealed), plain[0].Plain)
	if err != nil {
		return files, err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return files, fmt.Errorf("open draft of dispatch %s: %w", d.ID, err)
	}
	return files, json.Unmarshal(data, &files)
}

// Preview gives the unsealed files of a pending dispatch, for the approver to look at.
func (s *Service) Preview(ctx context.Context, who Person, id string) (ofdFile, pdfFile []byte, err error) {
	if !who.Clerk && !who.Approver {
		return nil, nil, fmt.Errorf("preview dispatch: %w", ErrForbidden)
	}
	d, err := s.Dispatches.Dispatch(ctx, who.Office, id)
	if err != nil {
		return nil, nil, fmt.Errorf("preview dispatch %s: %w", id, err)
	}
	if err := s.note(ctx, who, "dispatch.preview", id); err != nil {
		return nil, nil, err
	}
	files, err := s.openDraft(ctx, d)
	return files.OFD, files.PDF, err
}

// Decide records the approver's decision about a pending dispatch and, where it is an approval, goes on to seal, pack and
// submit. The digests must be the dispatch's own: they say what was looked at. Under a key that takes approvals the decision hands
// on those of the key's store; they are spent one by one, so a dispatch that is interrupted between, or whose approvals the store
// refuses, ends as Failed and is asked for again.
func (s *Service) Decide(ctx context.Context, who Person, id string, in Decision) (Dispatch, error) {
	d, err := s.Dispatches.Dispatch(ctx, who.Office, id)
	if err != nil {
		return d, fmt.Errorf("decide dispatch %s: %w", id, err)
	}
	decided, err := d.decide(who, in, s.Clock())
	if err != nil {
		return d, err
	}
	if decided.State == Approved { // what cannot be done is not approved: it must not be done later, when nobody expects it
		if _, _, err := s.permitted(ctx, decided); err != nil {
			return d, fmt.Errorf("decide dispatch %s: %w", id, err)
		}
	}
	if err := s.keepDecision(ctx, who, d, decided); err != nil || decided.State == Declined {
		return decided, err
	}
	return s.Continue(ctx, decided)
}

// keepDecision notes and saves a decision. An approval that this process is acting on cannot be taken back.
func (s *Service) keepDecision(ctx context.Context, who Person, was, decided Dispatch) error {
	if was.State == Approved {
		if _, busy := s.underway.LoadOrStore(was.ID, true); busy {
			return fmt.Errorf("decide dispatch %s, which is under way: %w", was.ID, ErrState)
		}
		defer s.underway.Delete(was.ID)
	}
	if err := s.note(ctx, who, "dispatch."+string(decided.State), was.ID); err != nil {
		return err
	}
	if err := s.Dispatches.SaveDispatch(ctx, decided, was.State); err != nil {
		return fmt.Errorf("decide dispatch %s: %w", was.ID, err)
	}
	return nil
}

// Dispatch returns one of the office's dispatches; List the newest.
func (s *Service) Dispatch(ctx context.Context, who Person, id string) (Dispatch, error) {
	return s.Dispatches.Dispatch(ctx, who.Office, id)
}

// List returns the office's dispatches, newest first.
func (s *Service) List(ctx context.Context, who Person, state State, limit int) ([]Dispatch, error) {
	return s.Dispatches.ListDispatches(ctx, who.Office, state, limit)
}

// Resume goes on with an approved dispatch from where it stands now. One that is done, or under way here, is left alone.
func (s *Service) Resume(ctx context.Context, office, id string) error {
	if _, busy := s.underway.LoadOrStore(id, true); busy {
		return nil
	}
	defer s.underway.Delete(id)
	d, err := s.Dispatches.Dispatch(ctx, office, id)
	if err != nil {
		return fmt.Errorf("resume dispatch %s: %w", id, err)
	}
	_, err = s.carry(ctx, d)
	return err
}

// Continue takes an approved dispatch through sealing, packing and submission, from wherever it stands. ErrState: it is under
// way already.
func (s *Service) Continue(ctx context.Context, d Dispatch) (Dispatch, error) {
	if _, busy := s.underway.LoadOrStore(d.ID, true); busy {
		return d, fmt.Errorf("dispatch %s is under way: %w", d.ID, ErrState)
	}
	defer s.underway.Delete(d.ID)
	return s.carry(ctx, d)
}

func (s *Service) carry(ctx context.Context, d Dispatch) (Dispatch, error) {
	var err error
	if d.State == Approved {
		if d, err = s.sealAndPack(ctx, d); err != nil {
			d, err = s.endUnsealed(ctx, d, err)
			return d, fmt.Errorf("seal and pack dispatch %s: %w", d.ID, err)
		}
	}
	if d.State == Packed {
		if d, err = s.submit(ctx, d); err != nil {
			return d, fmt.Errorf("submit dispatch %s: %w", d.ID, err)
		}
	}
	return d, nil
}

// endUnsealed ends a dispatch that cannot be sealed any more: kept, it would be sealed when the seal is resumed, with nobody
// asked. What may pass, such as a store of keys that is away, leaves it approved.
func (s *Service) endUnsealed(ctx context.Context, d Dispatch, cause error) (Dispatch, error) {
	for _, last := range []error{
		seal.ErrNotInForce, seal.ErrApproval, seal.ErrUnknownSeal, seal.ErrNotListed, ErrDigestChanged, ofdseal.ErrNotInForce, errSealFailed,
		ErrMalware, errKeyDenied, ErrKeyApproval, ErrNoKeyApproval, ErrNameless,
	} {
		if !errors.Is(cause, last) {
			continue
		}
		failed := d.fail(cause)
		who := Person{Account: d.Approver, Office: d.Office}
		err := recordOutcome(ctx, s.Audit, who, s.Clock(), "dispatch."+string(failed.State), d.ID, string(CodeOf(cause)))
		if err == nil {
			err = s.Dispatches.SaveDispatch(ctx, failed, Approved)
		}
		if err != nil {
			return d, errors.Join(cause, err)
		}
		return failed, cause
	}
	return d, cause
}

// sealed are both sealed forms of a document.
type sealed struct{ ofd, pdf []byte }

// permitted prepares again, and refuses anything but what was approved under a seal that is in force.
func (s *Service) permitted(ctx context.Context, d Dispatch) (p prepared, use seal.Use, err error) {
	files, err := s.openDraft(ctx, d)
	if err != nil {
		return p, use, err
	}
	if p, err = s.prepare(ctx, d, files); err != nil {
		return p, use, err
	}
	use = useOf(d, p, files)
	if use.ToBeSigned != d.Digest || use.Document != d.Unsealed {
		return p, use, ErrDigestChanged
	}
	if err := p.checkKeyUse(d); err != nil {
		return p, use, err
	}
	return p, use, d.approval().Permits(p.record, use, later(s.Clock(), d.DecidedAt)) // or suspended since the approval
}

// applySeal signs both forms of what is permitted, and records the use.
func (s *Service) applySeal(ctx context.Context, d Dispatch) (sealed, error) {
	var out sealed
	p, use, err := s.permitted(ctx, d)
	if err != nil {
		return out, err
	}
	if out.ofd, err = s.signForm(ctx, p, p.ofd, d); err != nil {
		return out, fmt.Errorf("seal OFD: %w", err)
	}
	if out.pdf, err = s.signForm(ctx, p, p.pdf, d); err != nil {
		return out, fmt.Errorf("seal PDF: %w", err)
	}
	digests := envelope.DigestsOf(out.ofd)
	use.Sealed, use.Copy = digests.SM3, gm.SM3(out.pdf)
	return out, s.recordUse(ctx, d, use, digests)
}

// approval is the decision on a dispatch as the rules of the seal see it.
func (d Dispatch) approval() seal.Approval {
	return seal.Approval{
		ID: d.ID, SealID: d.Seal, Document: d.Unsealed, ToBeSigned: d.Digest, Operator: d.Requester, Approver: d.Approver, At: d.DecidedAt,
	}
}

// useOf is the use of the seal that is about to be made.
func useOf(d Dispatch, p prepared, files draftFiles) seal.Use {
	u := seal.Use{
		SealID: d.Seal, Document: gm.SM3(files.OFD), ToBeSigned: p.digest(), Operator: d.Requester, Approver: d.Approver,
		ApprovalID: d.ID, At: d.SealedAt,
	}
	for _, st := range d.Stamps {
		u.Stamps = append(u.Stamps, seal.Stamp{Page: st.Page, X: st.X, Y: st.Y, W: st.W, H: st.H})
	}
	return u
}

// later is the later one of two times: of several hubs one may have a clock that is behind.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// recordUse enters the sealing in the seal's log and the evidence log. An approval is good for one use; the same use again, after an
// interruption, is the one that stands there.
func (s *Service) recordUse(ctx context.Context, d Dispatch, use seal.Use, digests envelope.Digests) error {
	uses, err := s.Seals.Uses(ctx, use.SealID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(uses, func(u seal.Use) bool { return u.ApprovalID == use.ApprovalID }) {
		return nil
	}
	return s.Hub.ApplySeal(ctx, Person{Account: d.Requester, Office: d.Office, Clerk: true}, use, digests)
}

// partyOf reads an office's encryption certificate from the directory.
func (s *Service) partyOf(ctx context.Context, code string) (*cert.Certificate, error) {
	o, err := s.Directory.Organisation(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("office %s: %w", code, err)
	}
	certs, err := cert.ParsePEM(o.EncryptionCert)
	if err != nil {
		return nil, fmt.Errorf("encryption certificate of %s: %w", code, err)
	}
	return certs[0], nil
}

// NoteRefused records that a document was refused, without a word of its content.
func (s *Service) NoteRefused(ctx context.Context, who Person, cause error) error {
	return recordOutcome(ctx, s.Audit, who, s.Clock(), "document.refuse", "", string(CodeOf(cause)))
}
