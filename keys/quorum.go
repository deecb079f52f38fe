package keys

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf8"

	"yinxin/crypto/gm"
)

// Verb is a change that needs the consent of several custodians wherever a store has a Quorum.
type Verb string

// The guarded verbs.
const (
	// VerbTrim destroys the private parts of versions below a number.
	VerbTrim Verb = "trim"
	// VerbLoosen lowers a minimum or enables what was disabled. Tightening is free: it may be urgent.
	VerbLoosen Verb = "loosen"
	// VerbDestroy destroys a version or a key, at once or later (StatePending).
	VerbDestroy Verb = "destroy"
	// VerbRestore brings a key back from a sealed backup.
	VerbRestore Verb = "restore"
	// VerbVoid ends a seal key for ever: it never seals again, its public part stays.
	VerbVoid Verb = "void"
	// VerbQuorum changes the rule itself, or the recovery key.
	VerbQuorum Verb = "quorum"
	// VerbBackup lets a key, or each key that there is, be backed up to the recovery key, until the proposal's life is over and as
	// long as neither changes: whoever could choose both would have the key.
	VerbBackup Verb = "backup"
)

// Verbs lists the guarded verbs in the order of the documentation.
func Verbs() []Verb {
	return []Verb{VerbTrim, VerbLoosen, VerbDestroy, VerbRestore, VerbVoid, VerbQuorum, VerbBackup}
}

// Member is a custodian whose consent counts.
type Member struct {
	// ID is the lasting identity of one person: in Vault the ID of an entity, in a file store MemberID of the person's
	// SM2 public key.
	ID string `json:"id"`
	// Name is for people.
	Name string `json:"name,omitempty"`
}

// Quorum says how many of whom must consent to a guarded verb. The zero value is no rule.
type Quorum struct {
	// Needed is m, Members are the n.
	Needed  int      `json:"needed"`
	Members []Member `json:"members"`
	// ProposerCounts lets the proposer's own consent be one of the m. By default it is not.
	ProposerCounts bool `json:"proposer_counts,omitempty"`
}

// Bounds of a quorum.
const (
	MaxMembers  = 32
	maxMemberID = 160
)

// Check refuses a rule that nobody could meet, or that one person could.
func (q Quorum) Check() error {
	voters := len(q.Members)
	if !q.ProposerCounts {
		voters--
	}
	if q.Needed < 2 && q.ProposerCounts || q.Needed < 1 || q.Needed > voters || len(q.Members) > MaxMembers {
		return fmt.Errorf("%w: %d consents of %d members: at least two persons must decide, and enough must be there to consent",
			ErrInvalid, q.Needed, len(q.Members))
	}
	seen := make(map[string]bool, len(q.Members))
	for _, m := range q.Members {
		if m.ID == "" || len(m.ID) > maxMemberID || len(m.Name) > MaxLabel || !utf8.ValidString(m.ID+m.Name) || seen[m.ID] {
			return fmt.Errorf("%w: a member of the quorum has no ID, too long a one, or is named twice", ErrInvalid)
		}
		seen[m.ID] = true
	}
	return nil
}

// Has tells whether an ID is a member's.
func (q Quorum) Has(id string) bool {
	for _, m := range q.Members {
		if m.ID == id {
			return id != ""
		}
	}
	return false
}

// Act is what is proposed: a verb and its parameters. A parameter that the verb does not have is refused.
type Act struct {
	Verb Verb `json:"verb"`
	// Key and Version name what the verb is done to: for trim the lowest version that stays, for destroy and loosen 0 is the
	// whole key. For restore it is the key in the backup, which the store fills in; for backup none is every key.
	Key     string `json:"key,omitempty"`
	Version int    `json:"version,omitempty"`
	// State is what loosen and destroy set: enabled; destroyed, or pending_deletion for later.
	State State `json:"state,omitempty"`
	// MinUse and MinDecrypt are what loosen sets in place of a state.
	MinUse     *int `json:"min_use,omitempty"`
	MinDecrypt *int `json:"min_decrypt,omitempty"`
	// Backup is what restore reads.
	Backup []byte `json:"backup,omitempty"`
	// Quorum is the new rule, Recovery the new recovery key as an uncompressed point: verb quorum sets one of them.
	Quorum   *Quorum `json:"quorum,omitempty"`
	Recovery []byte  `json:"recovery,omitempty"`
}

// About is what the store itself knows of an act when it is proposed, so that those who are asked see what they consent to. It is
// part of the digest.
type About struct {
	// Rule is the rule that another one replaces, and Members are the members of that one under the names that the store has for
	// them (of an entity in Vault), whatever the proposal calls them; nil where the store knows no persons.
	Rule    *Quorum  `json:"rule,omitempty"`
	Members []Member `json:"members,omitempty"`
	// Recovery is the recovery key of that time, as an uncompressed point: what another one replaces, or what a backup is sealed to.
	Recovery []byte `json:"recovery,omitempty"`
	// Keys are the keys that the act is done to, as they are before it; for restore what is in the backup.
	Keys []KeyInfo `json:"keys,omitempty"`
}

// Fingerprint names a public key for people who compare: SM3 of its uncompressed point, in hexadecimal.
func Fingerprint(point []byte) string {
	sum := gm.SM3(point)
	return hex.EncodeToString(sum[:])
}

// Consent is one member's yes to a proposal.
type Consent struct {
	Member string    `json:"member"`
	Time   time.Time `json:"time"`
	// Signature over the proposal's digest proves it where the store cannot tell who calls; nil in Vault.
	Signature []byte `json:"signature,omitempty"`
}

// ProposalState is where a proposal stands.
type ProposalState string

// The states of a proposal. All but open are final.
const (
	ProposalOpen     ProposalState = "open"
	ProposalDone     ProposalState = "done"
	ProposalRejected ProposalState = "rejected"
	ProposalExpired  ProposalState = "expired"
)

// Proposal is an act that waits for consents, or what became of it.
type Proposal struct {
	ID  string `json:"id"`
	Act Act    `json:"act"`
	// Digest is SM3 over the canonical form of all that a consent is about. Whoever approves names it, so that nobody consents
	// to something else than was looked at.
	Digest   []byte `json:"digest"`
	Proposer string `json:"proposer"`
	// Basis is SM3 of the state that the act is to be done on; done on another one it is refused.
	Basis    []byte        `json:"basis"`
	Created  time.Time     `json:"created"`
	Expires  time.Time     `json:"expires"`
	About    About         `json:"about,omitzero"`
	State    ProposalState `json:"state"`
	Consents []Consent     `json:"consents"`
	// Needed is how many consents must be there, Have how many of those given count now.
	Needed int `json:"needed"`
	Have   int `json:"have"`
	// Ended is when it was done or rejected, and By whose call did that.
	Ended time.Time `json:"ended,omitzero"`
	By    string    `json:"by,omitempty"`
}

// Council is a store whose guarded verbs need several custodians. Who calls is known to the store (Vault's entity), or shown
// by the caller's signature (a file store).
type Council interface {
	// Trim destroys the private parts of the versions below a number, which both minima must have passed, of a destroyable
	// key. Void ends a seal key for ever. Both are ErrDenied where there is a rule: they are proposed then.
	Trim(ctx context.Context, name string, below int) error
	Void(ctx context.Context, name string) error
	// Quorum gives the rule; Needed is 0 where there is none yet.
	Quorum(ctx context.Context) (Quorum, error)
	// SetQuorum makes the first rule. Later ones are proposed (VerbQuorum): then it is ErrDenied.
	SetQuorum(ctx context.Context, q Quorum) error
	// Propose writes a proposal down. Only members propose.
	Propose(ctx context.Context, act Act) (Proposal, error)
	// ApproveProposal consents to the proposal with that digest; the last consent that was needed does the act in the same
	// call. Approving twice, by the proposer (unless it counts), after the end, or with another digest is refused.
	ApproveProposal(ctx context.Context, id string, digest []byte) (Proposal, error)
	// RejectProposal ends a proposal; any member can.
	RejectProposal(ctx context.Context, id string) (Proposal, error)
	// Proposal gives one, Proposals those after an ID, open and ended, at most limit (0: all).
	Proposal(ctx context.Context, id string) (Proposal, error)
	Proposals(ctx context.Context, after string, limit int) ([]Proposal, error)
}
