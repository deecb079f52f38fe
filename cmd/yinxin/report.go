package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"yinxin/verdict"
)

// form is how a report is printed: as JSON, as the whole report in a language, or, by default, briefly.
type form struct {
	asJSON bool
	lang   verdict.Language
}

// printReport prints the verdict and returns its exit code as an error.
func (e *env) printReport(r *verdict.Report, how form) error {
	code := r.Verdict.ExitCode()
	var err error
	switch {
	case how.asJSON:
		err = e.printJSON(r)
	case how.lang != "":
		err = r.WriteText(e.stdout, how.lang)
	default:
		printFiles(e.stdout, r.Files)
	}
	if err != nil && code != exitFailed {
		return err
	}
	if code != exitDone {
		return exitStatus(code)
	}
	return nil
}

// printFiles prints verdicts for people: of every file what does not pass, then each note once, then the count. What JSON
// holds beyond that (every check that was made) is left out here.
func printFiles(w io.Writer, files []verdict.File) {
	for _, f := range files {
		printFile(w, f, "")
	}
	printNotes(w, files)
	if len(files) > 1 {
		printLine(w, "%d files: %s\n", len(files), tally(files))
	}
}

// printFile prints the verdict on a file and what did not pass in it. Parts that passed are only counted.
func printFile(w io.Writer, f verdict.File, indent string) {
	kind := ""
	if f.Attachment {
		kind = " (attachment)"
	}
	printLine(w, "%s%s%s: %s%s\n", indent, f.File, kind, f.Verdict, because(f.Reason, f.ReasonText(verdict.English)))
	if r := f.Receipt; r != nil {
		printLine(w, "%s  %s %s of exchange %s, document %s\n", indent, r.Event, r.Time.Format(time.RFC3339), r.Exchange, orNone(r.DocumentSM3))
	}
	printChecks(w, f.Checks, indent+"  ")
	for _, s := range f.Signatures {
		printSignature(w, s, indent+"  ")
	}
	passed := 0
	for _, p := range f.Parts {
		if p.Verdict == verdict.Passed {
			passed++
			continue
		}
		printFile(w, p, indent+"  ")
	}
	if passed > 0 {
		printLine(w, "%s  %d %s inside it: passed\n", indent, passed, plural(passed, "file", "files"))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func printSignature(w io.Writer, s verdict.Signature, indent string) {
	name := s.Signer
	if s.Seal != nil {
		name = fmt.Sprintf("%s (%s), by %s", s.Seal.Name, s.Seal.ID, s.Signer)
	}
	when := ""
	if s.Time != nil {
		when = fmt.Sprintf(", %s (%s)", s.Time.Format(time.RFC3339), s.TimeSource)
	}
	printLine(w, "%s%s %s: %s%s, %s%s\n", indent, s.Kind, s.ID, s.Verdict, because(s.Reason, s.ReasonText(verdict.English)), name, when)
	printChecks(w, s.Checks, indent+"  ")
}

// printChecks prints the checks that did not pass. That no revocation source exists stands among the notes.
func printChecks(w io.Writer, checks []verdict.Check, indent string) {
	for _, c := range checks {
		if c.Status == verdict.Passed || c.Reason == verdict.NoRevocationSource {
			continue
		}
		printLine(w, "%s%s: %s%s %s\n", indent, c.Name, c.Status, because(c.Reason, c.ReasonText(verdict.English)), c.Detail)
	}
}

// note gathers what warnings of one code say, and in which files: whole sentences, or parties to whom the code applies.
type note struct {
	code                    verdict.Reason
	details, parties, files []string
}

// text is the note in words.
func (n *note) text() string {
	texts := n.details
	if len(n.parties) > 0 {
		texts = append(slices.Clip(texts), n.code.English()+": "+strings.Join(n.parties, "; "))
	}
	return strings.Join(texts, "; ")
}

// maxNoteFiles is how many files a note names.
const maxNoteFiles = 3

// printNotes prints each code once, with the parties or places that it concerns joined.
func printNotes(w io.Writer, files []verdict.File) {
	for _, n := range gatherNotes(files) {
		printLine(w, "note %s: %s", n.code, n.text())
		if len(files) > 1 {
			named := n.files[:min(len(n.files), maxNoteFiles)]
			printLine(w, " (in %s", strings.Join(named, ", "))
			if more := len(n.files) - len(named); more > 0 {
				printLine(w, " and %d more", more)
			}
			fmt.Fprint(w, ")")
		}
		fmt.Fprintln(w)
	}
}

func gatherNotes(files []verdict.File) []*note {
	var notes []*note
	for _, f := range files {
		for i, code := range f.Warnings {
			at := slices.IndexFunc(notes, func(n *note) bool { return n.code == code })
			if at < 0 {
				at = len(notes)
				notes = append(notes, &note{code: code})
			}
			n := notes[at]
			if party, ok := strings.CutSuffix(f.WarningDetails[i], ": no revocation source exists"); ok {
				n.parties = addOnce(n.parties, party)
			} else {
				n.details = addOnce(n.details, f.WarningDetails[i])
			}
			n.files = addOnce(n.files, f.File)
		}
	}
	return notes
}

func addOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// tally counts the verdicts, worst first.
func tally(files []verdict.File) string {
	count := map[verdict.Status]int{}
	for _, f := range files {
		count[f.Verdict]++
	}
	var parts []string
	for _, s := range []verdict.Status{verdict.Rejected, verdict.Failed, verdict.Indeterminate, verdict.Unsigned, verdict.Passed} {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

// because gives the reason as code and sentence.
func because(r verdict.Reason, sentence string) string {
	if r == "" {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", r, sentence)
}
