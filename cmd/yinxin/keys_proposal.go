package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/keys"
)

func (e *env) printProposal(cmd *cobra.Command, p keys.Proposal) error {
	if jsonFlag(cmd) {
		return e.printJSON(p)
	}
	printLine(e.stdout, "proposal %s: %s %s\n  state     %s, %s, until %s\n  digest    %s\n  proposer  %s\n",
		p.ID, p.Act.Verb, actText(p.Act), p.State, consentText(p), moment(p.Expires), hex.EncodeToString(p.Digest), p.Proposer)
	for _, c := range p.Consents {
		if c.Member != p.Proposer {
			printLine(e.stdout, "  consent   %s at %s\n", c.Member, moment(c.Time))
		}
	}
	printAbout(e.stdout, p)
	return nil
}

// actText says in one line what an act does, for people.
func actText(a keys.Act) string {
	var b strings.Builder
	b.WriteString(a.Key)
	switch {
	case a.Verb == keys.VerbTrim:
		fmt.Fprintf(&b, " below version %d", a.Version)
	case a.Version != 0:
		fmt.Fprintf(&b, " version %d", a.Version)
	case a.Verb == keys.VerbBackup && a.Key == "":
		b.WriteString("every key")
	}
	if a.State != "" {
		fmt.Fprintf(&b, " → %s", a.State)
	}
	if a.MinUse != nil {
		fmt.Fprintf(&b, " min_use %d", *a.MinUse)
	}
	if a.MinDecrypt != nil {
		fmt.Fprintf(&b, " min_decrypt %d", *a.MinDecrypt)
	}
	if a.Quorum != nil {
		b.WriteString(ruleText(*a.Quorum))
	}
	if len(a.Recovery) > 0 {
		b.WriteString("recovery key " + keys.Fingerprint(a.Recovery))
	}
	return b.String()
}

// ruleText says how many of how many must consent.
func ruleText(q keys.Quorum) string {
	text := fmt.Sprintf("%d of %d must consent", q.Needed, len(q.Members))
	if q.ProposerCounts {
		text += ", the proposer counts"
	}
	return text
}

// printAbout shows all that a consent is about and that the first line does not say: each member, each key with the fingerprint of
// each version.
func printAbout(w io.Writer, p keys.Proposal) {
	if q := p.Act.Quorum; q != nil {
		printRuleChange(w, p.About, *q)
	}
	if p.Act.Verb == keys.VerbQuorum && len(p.Act.Recovery) > 0 {
		printLine(w, "  now       %s\n  then      %s\n", recoveryText(p.About.Recovery), recoveryText(p.Act.Recovery))
	}
	if p.Act.Verb == keys.VerbBackup {
		printLine(w, "  sealed to %s\n", recoveryText(p.About.Recovery))
	}
	what := "now"
	if p.Act.Verb == keys.VerbRestore {
		what = "in the backup"
	}
	for _, k := range p.About.Keys {
		printKey(w, what, k)
	}
}

func recoveryText(point []byte) string {
	if len(point) == 0 {
		return "no recovery key"
	}
	return "recovery key " + keys.Fingerprint(point)
}

// printRuleChange shows the rule that goes and the one that comes, and who of the members goes (-), comes (+) and stays (=).
func printRuleChange(w io.Writer, about keys.About, next keys.Quorum) {
	var now keys.Quorum
	if about.Rule != nil {
		now = *about.Rule
	}
	printLine(w, "  now       %s\n  then      %s\n", ruleText(now), ruleText(next))
	for _, m := range now.Members {
		if !next.Has(m.ID) {
			printLine(w, "    - %s  %s\n", m.ID, m.Name)
		}
	}
	for _, m := range next.Members {
		mark := "+"
		if now.Has(m.ID) {
			mark = "="
		}
		known := ""
		if i := slices.IndexFunc(about.Members, func(k keys.Member) bool { return k.ID == m.ID }); i >= 0 {
			known = fmt.Sprintf("  (in the store: %s)", about.Members[i].Name)
		}
		printLine(w, "    %s %s  %s%s\n", mark, m.ID, m.Name, known)
	}
}

// printKey shows a key that an act is done to.
func printKey(w io.Writer, what string, k keys.KeyInfo) {
	says := []string{fmt.Sprintf("%s, %s, %s, min_use %d, min_decrypt %d", k.Purpose, k.Type, k.State, k.MinUse, k.MinDecrypt)}
	for _, f := range []struct {
		set  bool
		text string
	}{
		{k.ApprovalRequired, "approval required"},
		{k.Purpose == keys.PurposeSeal && !k.ApprovalRequired, "no approval required"},
		{k.Destroyable, "destroyable"},
		{k.MessageOnly, "messages only"},
		{k.Voided, "voided"},
	} {
		if f.set {
			says = append(says, f.text)
		}
	}
	printLine(w, "  %s: %s  %s\n", what, k.Name, strings.Join(says, ", "))
	for _, v := range k.Versions {
		mark := "a symmetric key has none"
		if len(v.Public) > 0 {
			mark = keys.Fingerprint(v.Public)
		}
		certified := ""
		if v.Certified {
			certified = ", certified"
		}
		printLine(w, "    version %d: %s%s, made %s, fingerprint %s\n", v.Version, v.State, certified, moment(v.Created), mark)
	}
}
