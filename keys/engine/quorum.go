package engine

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// ProposalLife is how long a proposal may gather consents.
const ProposalLife = 24 * time.Hour

// Bounds of proposals.
const (
	// MaxOpenProposals bounds the proposals that wait.
	MaxOpenProposals = 64
	// MaxProposal bounds the entry of a proposal, below what one entry of any storage holds.
	MaxProposal = 512 << 10
)

// Paths of what concerns the store as a whole.
const (
	quorumPath     = "config/quorum"
	recoveryPath   = "config/recovery"
	proposalPrefix = "proposal/"
)

// Vote signs the digest of a proposal for the caller, where the store asks for a proof (Options.Proof).
type Vote func(digest []byte) ([]byte, error)

type voteKey struct{}

// WithVote gives in a context what proves the caller's consent.
func WithVote(ctx context.Context, v Vote) context.Context {
	return context.WithValue(ctx, voteKey{}, v)
}

// quorumEntry is the stored rule.
type quorumEntry struct {
	Schema int         `json:"schema"`
	Rule   keys.Quorum `json:"rule"`
}

// proposalEntry is a stored proposal.
type proposalEntry struct {
	Schema   int           `json:"schema"`
	Proposal keys.Proposal `json:"proposal"`
}

// Quorum implements keys.Council.
func (e *Engine) Quorum(ctx context.Context) (keys.Quorum, error) {
	if e.sealed() {
		return keys.Quorum{}, keys.ErrSealed
	}
	data, err := e.storage.Get(ctx, quorumPath)
	if errors.Is(err, keys.ErrNotFound) {
		return keys.Quorum{}, nil
	}
	if err != nil {
		return keys.Quorum{}, fmt.Errorf("quorum: %w", classify(err))
	}
	var entry quorumEntry
	if err := decodeStrict(data, &entry); err != nil || entry.Schema != schema || entry.Rule.Check() != nil {
		return keys.Quorum{}, damaged("", "the rule of the quorum does not parse") // closed, not open
	}
	return entry.Rule, nil
}

// SetQuorum implements keys.Council.
func (e *Engine) SetQuorum(ctx context.Context, q keys.Quorum) error {
	if err := e.checkRule(q); err != nil {
		return err
	}
	known, err := e.namesOf(q)
	if err != nil {
		return err
	}
	q.Members = slices.Clone(q.Members)
	for i, m := range known {
		if q.Members[i].Name == "" {
			q.Members[i].Name = m.Name
		}
	}
	e.voting.Lock()
	defer e.voting.Unlock()
	if err := e.singleHanded(ctx, keys.VerbQuorum, false); err != nil {
		return err
	}
	write, err := quorumWrite(q)
	if err != nil {
		return err
	}
	if err := e.apply(ctx, []Write{write}); err != nil {
		return fmt.Errorf("set quorum: %w", err)
	}
	return nil
}

// checkRule refuses a rule whose members could never be told apart here.
func (e *Engine) checkRule(q keys.Quorum) error {
	if err := q.Check(); err != nil {
		return err
	}
	for _, m := range q.Members {
		if e.proof == nil {
			continue
		}
		if err := e.proof(m.ID, nil, nil); errors.Is(err, keys.ErrInvalid) {
			return err
		}
	}
	return nil
}

func quorumWrite(q keys.Quorum) (Write, error) {
	data, err := json.Marshal(quorumEntry{Schema: schema, Rule: q})
	if err != nil {
		return Write{}, fmt.Errorf("set quorum: %w", err)
	}
	return Write{Path: quorumPath, Value: data}, nil
}

// singleHanded refuses a guarded verb outside a proposal where the store has a quorum. decided tells that a proposal has
// been approved for it.
func (e *Engine) singleHanded(ctx context.Context, verb keys.Verb, decided bool) error {
	if decided {
		return nil
	}
	rule, err := e.Quorum(ctx)
	if err != nil {
		return err
	}
	if rule.Needed > 0 {
		return fmt.Errorf("%w: %s needs the consent of %d of %d custodians: propose it", keys.ErrDenied, verb, rule.Needed, len(rule.Members))
	}
	return nil
}

// Propose implements keys.Council.
func (e *Engine) Propose(ctx context.Context, act keys.Act) (keys.Proposal, error) {
	p, err := e.propose(ctx, act)
	if err != nil {
		return keys.Proposal{}, fmt.Errorf("propose %s: %w", act.Verb, err)
	}
	return p, nil
}

func (e *Engine) propose(ctx context.Context, act keys.Act) (keys.Proposal, error) {
	var none keys.Proposal
	if err := e.checkAct(act); err != nil {
		return none, err
	}
	e.voting.Lock()
	defer e.voting.Unlock()
	rule, caller, err := e.member(ctx)
	if err != nil {
		return none, err
	}
	about, err := e.about(ctx, &act)
	if err != nil {
		return none, err
	}
	basis, err := e.basis(ctx, act)
	if err != nil {
		return none, err
	}
	if err := e.checkOpen(ctx); err != nil {
		return none, err
	}
	random := make([]byte, approvalIDSize)
	if _, err := io.ReadFull(e.rand, random); err != nil {
		return none, classify(err)
	}
	now := e.now().UTC().Truncate(time.Second)
	p := keys.Proposal{
		ID: hex.EncodeToString(random), Act: act, Proposer: caller, Basis: basis, Created: now, Expires: now.Add(ProposalLife), About: about,
		State: keys.ProposalOpen, Consents: []keys.Consent{},
	}
	if p.Digest, err = ProposalDigest(p); err != nil {
		return none, err
	}
	proven, err := e.prove(ctx, caller, p.Digest)
	if err != nil {
		return none, err
	}
	p.Consents = append(p.Consents, keys.Consent{Member: caller, Time: now, Signature: proven})
	write, err := proposalWrite(p)
	if err != nil {
		return none, err
	}
	if len(write.Value) > MaxProposal {
		return none, fmt.Errorf("%w: a proposal of %d bytes, at most %d", keys.ErrInvalid, len(write.Value), MaxProposal)
	}
	if err := e.apply(ctx, []Write{write}); err != nil {
		return none, err
	}
	return e.counted(p, rule), nil
}

// checkAct refuses an act that could never be done.
func (e *Engine) checkAct(act keys.Act) error {
	bad := func(what string) error { return fmt.Errorf("%w: %s %s", keys.ErrInvalid, act.Verb, what) }
	if !slices.Contains(keys.Verbs(), act.Verb) {
		return fmt.Errorf("%w: no guarded verb %q", keys.ErrInvalid, act.Verb)
	}
	if field := foreign(act); field != "" {
		return bad("has no " + field)
	}
	if act.Key != "" || !slices.Contains([]keys.Verb{keys.VerbQuorum, keys.VerbRestore, keys.VerbBackup}, act.Verb) {
		if err := keys.CheckName(act.Key); err != nil {
			return err
		}
	}
	switch act.Verb {
	case keys.VerbTrim:
		if act.Version < 1 {
			return bad("names the lowest version that stays")
		}
	case keys.VerbLoosen:
		if (act.State != "") == (act.MinUse != nil || act.MinDecrypt != nil) || (act.State != "" && act.State != keys.StateEnabled) {
			return bad("either enables or sets minima")
		}
	case keys.VerbDestroy:
		if act.State != keys.StateDestroyed && act.State != keys.StatePending {
			return bad("sets the state destroyed or pending_deletion")
		}
	case keys.VerbRestore:
		if len(act.Backup) == 0 {
			return bad("needs the backup")
		}
	case keys.VerbQuorum:
		if (act.Quorum == nil) == (len(act.Recovery) == 0) {
			return bad("sets either a rule or a recovery key")
		}
		if act.Quorum != nil {
			return e.checkRule(*act.Quorum)
		}
		_, err := parseRecovery(act.Recovery)
		return err
	case keys.VerbVoid, keys.VerbBackup:
	}
	return nil
}

// foreign names a parameter of an act that its verb does not have; "" where there is none. One that was let through would be shown
// to nobody, or promise what is not done.
func foreign(a keys.Act) string {
	minima := a.MinUse != nil || a.MinDecrypt != nil
	for _, f := range []struct {
		name  string
		set   bool
		verbs []keys.Verb
	}{
		{"key", a.Key != "", []keys.Verb{keys.VerbTrim, keys.VerbLoosen, keys.VerbDestroy, keys.VerbVoid, keys.VerbRestore, keys.VerbBackup}},
		{"version", a.Version != 0, []keys.Verb{keys.VerbTrim, keys.VerbLoosen, keys.VerbDestroy}},
		{"version beside minima", a.Version != 0 && minima, nil},
		{"negative version", a.Version < 0, nil},
		{"state", a.State != "", []keys.Verb{keys.VerbLoosen, keys.VerbDestroy}},
		{"minima", minima, []keys.Verb{keys.VerbLoosen}},
		{"backup", a.Backup != nil, []keys.Verb{keys.VerbRestore}},
		{"rule", a.Quorum != nil, []keys.Verb{keys.VerbQuorum}},
		{"recovery key", a.Recovery != nil, []keys.Verb{keys.VerbQuorum}},
	} {
		if f.set && !slices.Contains(f.verbs, a.Verb) {
			return f.name
		}
	}
	return ""
}

// member gives the rule and the caller, who must be a member.
func (e *Engine) member(ctx context.Context) (keys.Quorum, string, error) {
	rule, err := e.Quorum(ctx)
	caller := callerOf(ctx)
	switch {
	case err != nil:
		return rule, "", err
	case rule.Needed == 0:
		return rule, "", fmt.Errorf("%w: the store has no quorum: nothing is proposed there", keys.ErrConflict)
	case caller == "":
		return rule, "", fmt.Errorf("%w: custodians are persons; this caller has no identity", keys.ErrDenied)
	case !rule.Has(caller):
		return rule, "", fmt.Errorf("%w: this caller is no custodian of the store", keys.ErrDenied)
	}
	return rule, caller, nil
}

// prove gives the caller's proof of a consent, nil where the store knows its callers.
func (e *Engine) prove(ctx context.Context, caller string, digest []byte) ([]byte, error) {
	if e.proof == nil {
		return nil, nil
	}
	vote, _ := ctx.Value(voteKey{}).(Vote)
	if vote == nil {
		return nil, fmt.Errorf("%w: a custodian of this store consents with a signature", keys.ErrDenied)
	}
	sig, err := vote(slices.Clone(digest))
	if err != nil {
		return nil, err
	}
	return sig, e.proof(caller, digest, sig)
}

// canonical is what a consent is about, in its one form: JSON with these fields in this order, without blanks.
type canonical struct {
	ID       string     `json:"id"`
	Act      keys.Act   `json:"act"`
	Basis    []byte     `json:"basis"`
	Proposer string     `json:"proposer"`
	Expires  time.Time  `json:"expires"`
	About    keys.About `json:"about,omitzero"`
}

// ProposalDigest computes the digest of a proposal: SM3 over "yinxin proposal v1", a line feed and the canonical form.
func ProposalDigest(p keys.Proposal) ([]byte, error) {
	data, err := json.Marshal(canonical{ID: p.ID, Act: p.Act, Basis: p.Basis, Proposer: p.Proposer, Expires: p.Expires, About: p.About})
	if err != nil {
		return nil, fmt.Errorf("canonical form of the proposal: %w", err)
	}
	sum := gm.SM3([]byte("yinxin proposal v1\n"), data)
	return sum[:], nil
}

// basis is the digest of the state that an act is done on.
func (e *Engine) basis(ctx context.Context, act keys.Act) ([]byte, error) {
	path := policyPath(act.Key)
	switch {
	case act.Verb == keys.VerbQuorum && act.Quorum != nil:
		path = quorumPath
	case act.Verb == keys.VerbQuorum, act.Verb == keys.VerbBackup:
		path = recoveryPath
	case act.Verb == keys.VerbRestore:
		return nil, nil // it never replaces anything
	}
	data, err := e.storage.Get(ctx, path)
	if errors.Is(err, keys.ErrNotFound) && act.Verb == keys.VerbQuorum {
		return nil, nil
	}
	if errors.Is(err, keys.ErrNotFound) {
		return nil, fmt.Errorf("key %s: %w", act.Key, err)
	}
	if err != nil {
		return nil, classify(err)
	}
	sum := gm.SM3(data)
	return sum[:], nil
}

func proposalPath(id string) string { return proposalPrefix + id }

func proposalWrite(p keys.Proposal) (Write, error) {
	p.Needed, p.Have = 0, 0 // counted anew at each look
	data, err := json.Marshal(proposalEntry{Schema: schema, Proposal: p})
	if err != nil {
		return Write{}, fmt.Errorf("proposal %s: %w", p.ID, err)
	}
	return Write{Path: proposalPath(p.ID), Value: data}, nil
}

// readProposal reads one proposal and holds it to its digest.
func (e *Engine) readProposal(ctx context.Context, id string) (keys.Proposal, error) {
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != approvalIDSize || strings.ToLower(id) != id {
		return keys.Proposal{}, fmt.Errorf("%w: that is no proposal's ID", keys.ErrInvalid)
	}
	if e.sealed() {
		return keys.Proposal{}, keys.ErrSealed
	}
	data, err := e.storage.Get(ctx, proposalPath(id))
	if err != nil {
		return keys.Proposal{}, fmt.Errorf("proposal %s: %w", id, classify(err))
	}
	var entry proposalEntry
	if err := decodeStrict(data, &entry); err != nil || entry.Schema != schema || entry.Proposal.ID != id {
		return keys.Proposal{}, damaged(entry.Proposal.Act.Key, "proposal %s does not parse", id)
	}
	p := entry.Proposal
	if p.State == keys.ProposalOpen {
		digest, err := ProposalDigest(p)
		if err != nil || !slices.Equal(digest, p.Digest) {
			return keys.Proposal{}, damaged(p.Act.Key, "proposal %s is not what its digest says", id)
		}
		if !e.now().Before(p.Expires) {
			p.State = keys.ProposalExpired
		}
	}
	return p, nil
}

// counted fills in how many consents are needed and there. A consent counts while its giver is a member, and once.
func (e *Engine) counted(p keys.Proposal, rule keys.Quorum) keys.Proposal {
	p.Needed, p.Have = rule.Needed, 0
	seen := make(map[string]bool)
	for _, c := range p.Consents {
		if seen[c.Member] || !rule.Has(c.Member) || (c.Member == p.Proposer && !rule.ProposerCounts) {
			continue
		}
		if e.proof != nil && e.proof(c.Member, p.Digest, c.Signature) != nil {
			continue
		}
		seen[c.Member] = true
		p.Have++
	}
	return p
}

// checkOpen refuses more proposals than the store keeps open.
func (e *Engine) checkOpen(ctx context.Context) error {
	all, err := e.proposals(ctx, "", 0)
	if err != nil {
		return err
	}
	open := 0
	for _, p := range all {
		if p.State == keys.ProposalOpen {
			open++
		}
	}
	if open >= MaxOpenProposals {
		return fmt.Errorf("%w: %d proposals are open, which is the most; reject some", keys.ErrConflict, open)
	}
	return nil
}

// Proposal implements keys.Council.
func (e *Engine) Proposal(ctx context.Context, id string) (keys.Proposal, error) {
	p, err := e.readProposal(ctx, id)
	if err != nil {
		return keys.Proposal{}, err
	}
	rule, err := e.Quorum(ctx)
	if err != nil {
		return keys.Proposal{}, err
	}
	return e.counted(p, rule), nil
}

// Proposals implements keys.Council.
func (e *Engine) Proposals(ctx context.Context, after string, limit int) ([]keys.Proposal, error) {
	if limit < 0 {
		return nil, fmt.Errorf("%w: limit %d", keys.ErrInvalid, limit)
	}
	return e.proposals(ctx, after, limit)
}

func (e *Engine) proposals(ctx context.Context, after string, limit int) ([]keys.Proposal, error) {
	rule, err := e.Quorum(ctx)
	if err != nil {
		return nil, err
	}
	paths, err := e.storage.List(ctx, proposalPrefix)
	if err != nil {
		return nil, fmt.Errorf("list proposals: %w", classify(err))
	}
	var out []keys.Proposal
	for _, path := range paths {
		id := strings.TrimPrefix(path, proposalPrefix)
		if id <= after {
			continue
		}
		p, err := e.readProposal(ctx, id)
		if err != nil {
			return nil, err
		}
		if out = append(out, e.counted(p, rule)); len(out) == limit {
			break
		}
	}
	return out, nil
}
