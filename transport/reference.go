package transport

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ReferenceKind says how an exchange refers to an earlier one of the same sender.
type ReferenceKind string

// The kinds of references.
const (
	Reissues ReferenceKind = "reissue"    // 补发: the same document to more recipients
	Corrects ReferenceKind = "correction" // 更正: another document in its place
	Annuls   ReferenceKind = "annulment"  // 废止: a document that takes it out of force
)

// Reference names an earlier exchange. The zero value refers to nothing.
type Reference struct {
	Kind     ReferenceKind `json:"kind"`
	Exchange string        `json:"exchange"`
}

// Validate refuses half a reference and an unknown kind.
func (r Reference) Validate() error {
	if r == (Reference{}) {
		return nil
	}
	if _, known := ReferenceRuleFor(r.Kind); !known || !ValidID(r.Exchange) {
		return fmt.Errorf("reference of kind %.40q to %.80q is not one", string(r.Kind), r.Exchange)
	}
	return nil
}

// ReferenceRule is one row of the table of references.
type ReferenceRule struct {
	Kind ReferenceKind
	// Chinese is the word that offices use.
	Chinese string
	// Event is the evidence that the earlier exchange gets, in the transaction that accepts the later one.
	Event Event
	// SameDocument: the later exchange carries the same bytes; else it must carry others.
	SameDocument bool
	// Supersedes: the earlier document is marked, and no official copies of it are printed any more.
	Supersedes bool
}

// ReferenceRules returns the table of references.
func ReferenceRules() []ReferenceRule {
	return []ReferenceRule{
		{Kind: Reissues, Chinese: "补发", Event: Reissue, SameDocument: true},
		{Kind: Corrects, Chinese: "更正", Event: Correction, Supersedes: true},
		{Kind: Annuls, Chinese: "废止", Event: Annulment, Supersedes: true},
	}
}

// ReferenceRuleFor returns the row of a kind.
func ReferenceRuleFor(k ReferenceKind) (ReferenceRule, bool) {
	for _, r := range ReferenceRules() {
		if r.Kind == k {
			return r, true
		}
	}
	return ReferenceRule{}, false
}

// ErrReference is wrapped by every refusal of a reference.
var ErrReference = errors.New("reference is not allowed")

// CanRead reports whether the recipient of a delivery in state s has the document or may take it: who can read it must
// learn of its correction, and needs no reissue.
func (s State) CanRead() bool {
	switch s {
	case Available, Opened, Acknowledged, Archived:
		return true
	}
	return false
}

// pending reports whether the document is still on its way to the recipient.
func (s State) pending() bool { return s == Accepted || s == Routed }

// Holders are the deliveries of a family whose recipients have the document, or may take it: one for each recipient, the
// first. Who corrects or annuls the document addresses all of them.
func Holders(family []Delivery) []Delivery {
	var has []Delivery
	for _, d := range family {
		known := slices.ContainsFunc(has, func(h Delivery) bool { return h.Recipient == d.Recipient })
		if !known && (d.State.CanRead() || d.State.pending()) {
			has = append(has, d)
		}
	}
	return has
}

// CheckReference asks whether x, addressed to the given recipients, may refer to the earlier exchange old. family are the
// deliveries of old and of everything that reissued it. The error wraps ErrReference.
func CheckReference(x, old Exchange, family []Delivery, to []string) error {
	rule, known := ReferenceRuleFor(x.Refers.Kind)
	same := x.DocumentSM3 == old.DocumentSM3 && x.DocumentSHA256 == old.DocumentSHA256
	switch {
	case !known || x.Refers.Exchange != old.ID || x.Sender != old.Sender:
		return fmt.Errorf("%w: it names no exchange of this office", ErrReference)
	case old.Refers.Kind == Reissues:
		return fmt.Errorf("%w: it names a reissue; name the first exchange, %s", ErrReference, old.Refers.Exchange)
	case old.Superseded != (Reference{}):
		return fmt.Errorf("%w: exchange %s settled that document already (%s)", ErrReference, old.Superseded.Exchange, old.Superseded.Kind)
	case rule.SameDocument && !same:
		return fmt.Errorf("%w: a reissue carries the same document", ErrReference)
	case !rule.SameDocument && same:
		return fmt.Errorf("%w: the same document neither corrects nor annuls itself", ErrReference)
	}
	var faults []string
	for _, d := range family {
		has := d.State.CanRead() || d.State.pending()
		switch addressed := slices.Contains(to, d.Recipient); {
		case rule.SameDocument && addressed && has:
			faults = append(faults, d.Recipient)
		case rule.Supersedes && !addressed && has:
			faults = append(faults, d.Recipient)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	slices.Sort(faults)
	list := strings.Join(slices.Compact(faults), ", ")
	if rule.SameDocument {
		return fmt.Errorf("%w: the document was sent to %s already", ErrReference, list)
	}
	return fmt.Errorf("%w: it must go to everybody who has the document, %s too", ErrReference, list)
}
