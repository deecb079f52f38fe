package transport

import (
	"fmt"
	"strings"
)

// Diagram draws the machine as a mermaid state diagram. docs/states.md holds its
// output, and a test keeps them equal.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, r := range Rules() {
		if len(r.From) == 0 {
			fmt.Fprintf(&b, "    [*] --> %s: %s\n", r.To, r.Act)
		}
		for _, from := range r.From {
			to := r.To
			if to == "" {
				to = from
			}
			fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, r.Act)
		}
	}
	for _, s := range States() {
		if s.Final() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	return b.String()
}

// Table prints the machine as a Markdown table, one row an act.
func Table() string {
	var b strings.Builder
	b.WriteString("| act | from | to | evidence | by | signed statement | reason |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	for _, r := range Rules() {
		from := make([]string, 0, len(r.From))
		for _, s := range r.From {
			from = append(from, string(s))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Act, orDash(strings.Join(from, ", ")),
			orDash(string(r.To)), r.Event, r.Actor, yesOrDash(r.Statement), yesOrDash(r.Reason))
	}
	return b.String()
}

// ReferenceTable prints how a later exchange may refer to an earlier one.
func ReferenceTable() string {
	var b strings.Builder
	b.WriteString("| reference | 行为 | evidence at the earlier exchange | document | recipients |\n|---|---|---|---|---|\n")
	for _, r := range ReferenceRules() {
		document, recipients := "another", "everybody who has the earlier document or may take it"
		if r.SameDocument {
			document, recipients = "the same, byte for byte", "none of those who have it or may take it"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Kind, r.Chinese, r.Event, document, recipients)
	}
	return b.String()
}

// StateTable prints the states with the word offices use and who acts next.
func StateTable() string {
	var b strings.Builder
	b.WriteString("| state | 状态 | acts next | end |\n|---|---|---|---|\n")
	for _, s := range States() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s, s.Chinese(), s.Next(), yesOrDash(s.Final()))
	}
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func yesOrDash(v bool) string {
	if v {
		return "yes"
	}
	return "–"
}
