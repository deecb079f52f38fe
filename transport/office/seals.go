package office

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/picture"
	"yinxin/seal/ses"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/verdict"
)

// maxSealText bounds name, lines and reasons, in characters.
const maxSealText = 200

// ErrNoReason says that a refusal needs a reason.
var ErrNoReason = errors.New("office: a refusal needs a reason")

// SealWish is what an office wants: an organisation's round seal. Rank takes the size from the table where Diameter is 0.
// SigningRequest, a PKCS#10 request of the key that will seal, is for an office that keeps its own keys.
type SealWish struct {
	Name, BottomLine, Number string
	Diameter                 float64
	Rank                     string
	Keeper, Reason           string
	SigningRequest           []byte
}

// ErrForeignName means that a seal was asked for in a name by which the office does not go.
var ErrForeignName = fmt.Errorf("%w: the office does not go by the name of the seal", ErrForbidden)

// RequestSeal asks for a new seal for the person's own office, in a name by which the directory knows it; in another name only
// a custodian asks ([ErrForeignName]). Nothing is made before a custodian, who is another person, decides.
func (r *Registrar) RequestSeal(ctx context.Context, who Person, wish SealWish) (seal.Request, error) {
	fail := func(err error) (seal.Request, error) {
		return seal.Request{}, fmt.Errorf("request seal of %s: %w", who.Office, err)
	}
	if !who.Clerk {
		return fail(ErrForbidden)
	}
	q := seal.Request{
		ID: r.NewID(), Office: who.Office, Requester: who.Account, CreatedAt: r.Clock().UTC().Truncate(time.Second), State: seal.Requested,
		Name: wish.Name, BottomLine: wish.BottomLine, Number: wish.Number, Diameter: wish.Diameter, Keeper: wish.Keeper, Reason: wish.Reason,
		SigningRequest: wish.SigningRequest,
	}
	if err := r.checkWish(ctx, &q, wish.Rank); err != nil {
		return fail(err)
	}
	if err := r.checkName(ctx, who, wish.Name); err != nil {
		return fail(err)
	}
	if err := r.note(ctx, who, "seal.request", q.ID); err != nil {
		return seal.Request{}, err
	}
	if err := r.Requests.AddSealRequest(ctx, q); err != nil {
		return fail(err)
	}
	return q, nil
}

// checkWish refuses what could not be made later: a name that cannot be drawn, a size outside of bounds, a keeper who is
// not of the office, a request for a certificate that is none.
func (r *Registrar) checkWish(ctx context.Context, q *seal.Request, rank string) error {
	for _, text := range []string{q.Name, q.BottomLine, q.Number, q.Reason} {
		if utf8.RuneCountInString(text) > maxSealText || strings.ContainsFunc(text, isControl) {
			return fmt.Errorf("%w: a text is longer than %d characters or holds control characters", seal.ErrMake, maxSealText)
		}
	}
	if rank != "" {
		if q.Diameter != 0 {
			return fmt.Errorf("%w: size by rank and in millimetres", seal.ErrMake)
		}
		size, err := r.SealRanks().Diameter(rank)
		if err != nil {
			return fmt.Errorf("%w: %w", seal.ErrMake, err)
		}
		q.Diameter = size
	}
	if q.Diameter == 0 {
		q.Diameter = picture.DefaultDiameter
	}
	if _, err := picture.Draw(pictureOf(*q), r.Faces); err != nil {
		return fmt.Errorf("%w: %w", seal.ErrMake, err)
	}
	if err := r.checkKeeper(ctx, q.Office, q.Keeper); err != nil {
		return err
	}
	return r.checkSigningRequest(ctx, q)
}

// checkName wants a name of the person's own office, for a seal speaks for whose name it bears.
func (r *Registrar) checkName(ctx context.Context, who Person, name string) error {
	if who.Custodian {
		return nil
	}
	o, err := r.Offices.Organisation(ctx, who.Office)
	if err != nil {
		return err
	}
	if !named(o, name) {
		return fmt.Errorf("%w: %s is %s", ErrForeignName, who.Office, o.Name)
	}
	return nil
}

// checkSigningRequest wants the request of the sealing key from an office that keeps its own keys, and from no other.
func (r *Registrar) checkSigningRequest(ctx context.Context, q *seal.Request) error {
	_, err := r.Keys.Public(ctx, keys.Ref{Name: keyName(q.Office, useSign)})
	hosted := err == nil
	if err != nil && !errors.Is(err, keys.ErrNotFound) {
		return err
	}
	switch {
	case hosted && len(q.SigningRequest) > 0:
		return fmt.Errorf("%w: the hub keeps this office's keys", ErrRequest)
	case !hosted && len(q.SigningRequest) == 0:
		return fmt.Errorf("a request of the sealing key (PKCS#10) is needed: %w", ErrNotHosted)
	case hosted:
		return nil
	}
	if _, err := cert.ParseRequest(q.SigningRequest); err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return nil
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// checkKeeper wants an account of the office.
func (r *Registrar) checkKeeper(ctx context.Context, office, keeper string) error {
	a, err := r.Accounts.Account(ctx, keeper)
	if errors.Is(err, directory.ErrNotFound) || err == nil && (a.Org != office || a.Status != directory.Active) {
		return fmt.Errorf("%w: %q is no account of the office", seal.ErrMake, keeper)
	}
	return err
}

// SealRanks is the table by which a request may name its size.
func (r *Registrar) SealRanks() picture.Ranks {
	if r.Ranks == nil {
		return picture.DefaultRanks()
	}
	return r.Ranks
}

func pictureOf(q seal.Request) picture.Organisation {
	return picture.Organisation{Name: q.Name, BottomLine: q.BottomLine, Number: q.Number, Diameter: q.Diameter}
}

// MakeRequested makes the seal that was asked for: the signing certificate where there is none, the picture, the maker's
// signature. It is not registered yet, so that somebody can look at it.
func (r *Registrar) MakeRequested(ctx context.Context, who Person, id string, term seal.Term) (seal.Request, error) {
	q, next, err := r.advance(ctx, who, id, seal.Made, "seal.make")
	if err != nil {
		return q, err
	}
	fail := func(err error) (seal.Request, error) { return q, fmt.Errorf("make seal for request %s: %w", id, err) }
	o, err := r.Offices.Organisation(ctx, q.Office)
	if err != nil {
		return fail(err)
	}
	var signer *cert.Certificate
	if len(q.SigningRequest) > 0 {
		signer, err = r.certifyOwn(o, &next)
	} else {
		next.Key = "store:" + keyName(q.Office, useSeal)
		signer, err = r.sealCertificate(ctx, o)
	}
	if err != nil {
		return fail(err)
	}
	if term, err = term.Within(r.Clock(), signer, r.MakerCert); err != nil {
		return fail(err)
	}
	rec, err := r.make(SealRequest{
		Office: q.Office, Name: q.Name, BottomLine: q.BottomLine, Number: q.Number, Diameter: q.Diameter, Keeper: q.Keeper,
		Term: term,
	}, signer)
	if err != nil {
		return fail(err)
	}
	next.SealID, next.ESL = rec.ID, rec.ESL
	if err := r.Requests.SaveSealRequest(ctx, next, q.State); err != nil {
		return fail(err)
	}
	return next, nil
}

// certifyOwn certifies the sealing key of an office that keeps its own keys.
func (r *Registrar) certifyOwn(o directory.Organisation, q *seal.Request) (*cert.Certificate, error) {
	req, err := cert.ParseRequest(q.SigningRequest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	c, err := r.CA.IssueSigning(r.subject(o), req.PublicKey, cert.IssueOptions{})
	if err != nil {
		return nil, err
	}
	q.Certificate = r.withChain(c)
	return c, nil
}

// DeclineRequest refuses a request, with a reason. A seal that was made for it stays unregistered for ever.
func (r *Registrar) DeclineRequest(ctx context.Context, who Person, id, reason string) (seal.Request, error) {
	if strings.TrimSpace(reason) == "" || utf8.RuneCountInString(reason) > transport.MaxCommentRunes {
		return seal.Request{}, fmt.Errorf("decline request %s: %w", id, ErrNoReason)
	}
	q, next, err := r.advance(ctx, who, id, seal.Declined, "seal.decline")
	if err != nil {
		return q, err
	}
	next.Comment = reason
	if err := r.Requests.SaveSealRequest(ctx, next, q.State); err != nil {
		return q, fmt.Errorf("decline request %s: %w", id, err)
	}
	return next, nil
}

// RegisterRequested enters the seal that was made for a request in the registry: from now on it can be used. The two
// writes are not one; if the second fails, calling it again completes it.
func (r *Registrar) RegisterRequested(ctx context.Context, who Person, id string) (seal.Record, error) {
	q, next, err := r.advance(ctx, who, id, seal.Registered, "seal.register")
	if err != nil {
		return seal.Record{}, err
	}
	fail := func(err error) (seal.Record, error) {
		return seal.Record{}, fmt.Errorf("register seal of request %s: %w", id, err)
	}
	made, err := ses.ParseSeal(q.ESL)
	if err != nil {
		return fail(err)
	}
	rec, err := r.Seals.Seal(ctx, q.SealID)
	if errors.Is(err, seal.ErrUnknownSeal) {
		rec, err = r.enter(ctx, who, made, seal.Record{Office: q.Office, Keeper: q.Keeper, Key: q.Key}, "registered, request "+q.ID)
	}
	if err != nil {
		return fail(err)
	}
	if err := r.Requests.SaveSealRequest(ctx, next, q.State); err != nil {
		return fail(err)
	}
	return rec, nil
}

// advance reads a request, takes it one step on, and notes that before anything is done.
func (r *Registrar) advance(ctx context.Context, who Person, id string, to seal.RequestState, action string) (q, next seal.Request, err error) {
	if q, err = r.Requests.SealRequest(ctx, id); err != nil {
		return q, q, err
	}
	if next, err = q.Advance(to, who.Account, r.Clock().UTC().Truncate(time.Second)); err != nil {
		return q, q, err
	}
	return q, next, r.note(ctx, who, action, id)
}

// enter writes a record of a seal, active from now on.
func (r *Registrar) enter(ctx context.Context, who Person, s *ses.Seal, rec seal.Record, reason string) (seal.Record, error) {
	p := s.Info.Property
	rec.ID, rec.Name, rec.Type, rec.From, rec.To = s.Info.SealID, p.Name, p.Type, p.From, p.To
	rec.ESL, rec.SM3 = s.Raw, gm.SM3(s.Raw)
	rec, err := rec.Append(seal.Change{To: seal.Active, At: r.Clock().UTC().Truncate(time.Second), By: who.Account, Reason: reason})
	if err != nil {
		return rec, err
	}
	return rec, r.Seals.AddSeal(ctx, rec)
}

// SealFile is a seal that was made elsewhere, to be registered for an office.
type SealFile struct {
	Office, Keeper string
	// Key names the key that seals, for people; it is not asked here.
	Key string
	ESL []byte
}

// RegisterSeal enters a seal that was made elsewhere. Its maker and its signers must pass by this hub's own rules, and the
// signers' certificates must name the office.
func (r *Registrar) RegisterSeal(ctx context.Context, who Person, f SealFile) (seal.Record, error) {
	fail := func(err error) (seal.Record, error) {
		return seal.Record{}, fmt.Errorf("register seal of %s: %w", f.Office, err)
	}
	s, err := ses.ParseSeal(f.ESL)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", seal.ErrMake, err))
	}
	if _, err := r.Offices.Organisation(ctx, f.Office); err != nil {
		return fail(err)
	}
	if err := r.checkKeeper(ctx, f.Office, f.Keeper); err != nil {
		return fail(err)
	}
	if err := r.judge(s, f.Office); err != nil {
		return fail(err)
	}
	if err := r.note(ctx, who, "seal.register", s.Info.SealID); err != nil {
		return seal.Record{}, err
	}
	if _, err := r.Seals.Seal(ctx, s.Info.SealID); err == nil {
		return fail(fmt.Errorf("seal %s: %w", s.Info.SealID, directory.ErrConflict))
	} else if !errors.Is(err, seal.ErrUnknownSeal) {
		return fail(err)
	}
	rec, err := r.enter(ctx, who, s, seal.Record{Office: f.Office, Keeper: f.Keeper, Key: f.Key}, "registered, made elsewhere")
	if err != nil {
		return fail(err)
	}
	return rec, nil
}

// judge refuses a seal that this hub's own verifier would not let pass.
func (r *Registrar) judge(s *ses.Seal, office string) error {
	if len(s.Info.Property.SignerCerts) == 0 {
		return fmt.Errorf("%w: it lists digests, and nobody could tell whose certificates they are", seal.ErrMake)
	}
	m := cert.Moment{Now: r.Clock()}
	var sig verdict.Signature
	maker := seal.JudgeSeal(&sig, s, m)
	certs := []*cert.Certificate{maker}
	for _, der := range s.Info.Property.SignerCerts {
		c, err := cert.Parse(der)
		if err != nil {
			return fmt.Errorf("%w: a certificate of its list cannot be read: %w", seal.ErrMake, err)
		}
		if c.Subject.SerialNumber != office {
			return fmt.Errorf("%w: it lists %s, which is not %s", seal.ErrMake, c.SubjectText(), office)
		}
		certs = append(certs, c)
	}
	for i, c := range certs {
		use := cert.UseSign
		if i == 0 {
			use = cert.UseMake
		}
		if c != nil {
			r.Policy.JudgeInto(&sig, c, use, m)
		}
	}
	sig.Judge(r.Policy.Setting())
	if sig.Verdict != verdict.Passed {
		return fmt.Errorf("%w: it does not pass: %s (%s)", seal.ErrMake, sig.Verdict, sig.Reason)
	}
	return nil
}

// Renewal says how a seal is renewed. Rotate adds a version to the sealing key first; without it the seal takes the newest
// version, which is certified if it is not yet.
type Renewal struct {
	Term   seal.Term
	Rotate bool
}

// RenewSeal makes a seal anew for the newest version of the office's sealing key, registers it and voids the old one. The
// documents that bear the old one stay as they are.
func (r *Registrar) RenewSeal(ctx context.Context, who Person, id string, how Renewal) (seal.Record, error) {
	fail := func(err error) (seal.Record, error) { return seal.Record{}, fmt.Errorf("renew seal %s: %w", id, err) }
	old, err := r.Seals.Seal(ctx, id)
	if err != nil {
		return fail(err)
	}
	now := r.Clock().UTC().Truncate(time.Millisecond)
	if _, err := old.Append(seal.Change{To: seal.Voided, At: now}); err != nil { // before anything is made
		return fail(err)
	}
	was, err := ses.ParseSeal(old.ESL)
	if err != nil {
		return fail(err)
	}
	if err := r.note(ctx, who, "seal.renew", id); err != nil {
		return seal.Record{}, err
	}
	signer, err := r.renewedCertificate(ctx, old.Office, how.Rotate)
	if err != nil {
		return fail(err)
	}
	term, err := how.Term.Within(now, signer, r.MakerCert)
	if err != nil {
		return fail(err)
	}
	made, err := seal.Renew(was, seal.RenewOptions{
		Maker: r.Maker, MakerCert: r.MakerCert, Signers: []*cert.Certificate{signer}, Created: now.Truncate(time.Second), From: term.From, To: term.To, Rand: r.Rand,
	})
	if err != nil {
		return fail(err)
	}
	return seal.Replace(ctx, r.Seals, seal.Replacement{Old: id, Seal: made, By: who.Account, At: now})
}

// renewedCertificate is that of the newest version of the office's sealing key.
func (r *Registrar) renewedCertificate(ctx context.Context, office string, rotate bool) (*cert.Certificate, error) {
	name := keyName(office, useSeal)
	o, err := r.Offices.Organisation(ctx, office)
	if err != nil {
		return nil, err
	}
	if rotate {
		_, err = r.Admin.Rotate(ctx, name, 0)
	}
	if errors.Is(err, keys.ErrNotFound) {
		return nil, ErrNotHosted
	}
	if err != nil {
		return nil, err
	}
	info, err := r.Admin.Describe(ctx, name)
	if errors.Is(err, keys.ErrNotFound) {
		return nil, ErrNotHosted
	}
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(info.Versions, func(v keys.VersionInfo) bool { return v.Version == info.Latest })
	if i >= 0 && !info.Versions[i].Certified {
		return r.certifyVersion(ctx, o, keys.Ref{Name: name, Version: info.Latest}, r.CA.IssueSigning)
	}
	public, err := r.Keys.Public(ctx, keys.Ref{Name: name, Version: info.Latest})
	if err != nil {
		return nil, err
	}
	id, err := identityOf(public)
	return id.cert, err
}
