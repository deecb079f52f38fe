// Package verdict holds the words in which yinxin answers "is it genuine?".
//
// A verification is a value, never a boolean and never an error: a [Report] of [File]s, each with [Check]s and
// [Signature]s, each check passed, failed or indeterminate with one [Reason] from a closed list. An error returned
// beside a report means only "could not look".
//
// The shape and the names are those of the report schema yinxin.verify/1. The package promises that the worst check
// decides, with one stated exception (see [Setting]), and that no reason outside the list leaves it. It does not
// verify anything itself, and it imports the standard library alone, so that every layer may speak it.
package verdict

import (
	"fmt"
	"slices"
	"time"
)

// Schema names the JSON shape of a [Report].
const Schema = "yinxin.verify/1"

// Status is the outcome of a check, a signature, a file or a whole report.
type Status string

// The five words of a verdict. Checks and signatures use the first three.
const (
	// Passed means that the check was made and holds.
	Passed Status = "passed"
	// Failed means that the check was made and does not hold.
	Failed Status = "failed"
	// Indeterminate means that it cannot be decided with what is at hand; it is never shown as passed.
	Indeterminate Status = "indeterminate"
	// Rejected is for files alone: the container was refused before anything was verified.
	Rejected Status = "rejected"
	// Unsigned is for files alone: there is nothing to verify.
	Unsigned Status = "unsigned"
)

// severity orders statuses; the highest decides. Exit codes follow it: 1 over 3 over 0.
func (s Status) severity() int {
	switch s {
	case Rejected:
		return 4
	case Failed:
		return 3
	case Indeterminate:
		return 2
	case Unsigned:
		return 1
	case Passed:
		return 0
	}
	return 3 // a word outside the list is never taken for a good one
}

// ExitCode is the exit code of a command whose verdict is s: 0 passed, 1 failed or rejected, 3 indeterminate or unsigned.
func (s Status) ExitCode() int {
	switch s {
	case Passed:
		return 0
	case Indeterminate, Unsigned:
		return 3
	case Failed, Rejected:
		return 1
	}
	return 1
}

// Setting says what an unavailable revocation state does to the verdict.
type Setting string

// The revocation settings. Under RevocationAuto a `revocation` check with the reason no_revocation_source stands in
// the report as indeterminate without lowering the verdict; under RevocationRequire it does lower it; under
// RevocationOff no revocation check is made.
const (
	RevocationAuto    Setting = "auto"
	RevocationRequire Setting = "require"
	RevocationOff     Setting = "off"
)

// CheckName names a check; the list is closed.
type CheckName string

// The checks of documents, signatures, receipts and packages.
const (
	CheckContainer        CheckName = "container"
	CheckCoverage         CheckName = "coverage"
	CheckReferences       CheckName = "references"
	CheckDataHash         CheckName = "data_hash"
	CheckSealMatch        CheckName = "seal_match"
	CheckSealMaker        CheckName = "seal_maker"
	CheckSignerListed     CheckName = "signer_listed"
	CheckSignature        CheckName = "signature"
	CheckSignedAttributes CheckName = "signed_attributes"
	CheckByteRange        CheckName = "byte_range"
	CheckRevisions        CheckName = "revisions"
	CheckSealValidity     CheckName = "seal_validity"
	CheckCertificateChain CheckName = "certificate_chain"
	CheckKeyUsage         CheckName = "key_usage"
	CheckRevocation       CheckName = "revocation"
	CheckTimestamp        CheckName = "timestamp"
	CheckPlacement        CheckName = "placement"
	CheckInclusion        CheckName = "inclusion"
	CheckCheckpoint       CheckName = "checkpoint"
	CheckReceiptBinding   CheckName = "receipt_binding"
	CheckWitness          CheckName = "witness"
	CheckManifest         CheckName = "manifest"
	CheckDigests          CheckName = "digests"
)

// Check is one question and its answer. Reason and SubIndication are empty when Status is Passed.
type Check struct {
	Name          CheckName `json:"name"`
	Status        Status    `json:"status"`
	Reason        Reason    `json:"reason"`
	SubIndication string    `json:"sub_indication"`
	Detail        string    `json:"detail"`
}

// Pass is a check that was made and holds.
func Pass(name CheckName) Check { return Check{Name: name, Status: Passed} }

// Fail is a check that was made and does not hold; the detail names the file, time or party concerned.
func Fail(name CheckName, r Reason, format string, args ...any) Check {
	return newCheck(name, Failed, r, format, args...)
}

// Unknown is a check that could not be decided.
func Unknown(name CheckName, r Reason, format string, args ...any) Check {
	return newCheck(name, Indeterminate, r, format, args...)
}

func newCheck(name CheckName, s Status, r Reason, format string, args ...any) Check {
	return Check{Name: name, Status: s, Reason: r, SubIndication: r.SubIndication(), Detail: fmt.Sprintf(format, args...)}
}

// lowers reports whether c counts towards the verdict under the setting.
func (c Check) lowers(set Setting) bool {
	return c.Name != CheckRevocation || c.Reason != NoRevocationSource || set == RevocationRequire
}

// worst returns the status that decides and the reason of the first check that has it.
func worst(checks []Check, set Setting) (Status, Reason) {
	status, reason := Passed, Reason("")
	for _, c := range checks {
		if c.lowers(set) && c.Status.severity() > status.severity() {
			status, reason = c.Status, c.Reason
		}
	}
	return status, reason
}

// Notes are findings that do not decide: codes for machines in Warnings, and beside each a line for people in
// WarningDetails (same order, same length).
type Notes struct {
	Warnings       []Reason `json:"warnings"`
	WarningDetails []string `json:"warning_details,omitempty"`
}

// Warn adds a finding that does not lower the verdict. The same code with the same detail is kept once.
func (n *Notes) Warn(code Reason, format string, args ...any) {
	detail := fmt.Sprintf(format, args...)
	if n.has(code, detail) {
		return
	}
	n.Warnings = append(n.Warnings, code)
	n.WarningDetails = append(n.WarningDetails, detail)
}

func (n *Notes) has(code Reason, detail string) bool {
	for i, w := range n.Warnings {
		if w == code && n.WarningDetails[i] == detail {
			return true
		}
	}
	return false
}

// Warned reports whether the code stands among the warnings.
func (n *Notes) Warned(code Reason) bool {
	return slices.Contains(n.Warnings, code)
}

func (n *Notes) merge(other Notes) {
	for i, w := range other.Warnings {
		n.Warn(w, "%s", other.WarningDetails[i])
	}
}

// SealRef says which seal a signature used.
type SealRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Where the time of a signature comes from.
const (
	// TimeFromSigner is the signer's claim, no proof.
	TimeFromSigner = "signer"
	// TimeFromTimestamp is proven by a time-stamp token.
	TimeFromTimestamp = "timestamp"
	// TimeFromLog is proven by a log checkpoint.
	TimeFromLog = "log"
)

// Signature is the verdict on one seal or one digital signature of a file.
type Signature struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind"` // "seal" or "sign"
	Standard   string     `json:"standard"`
	Version    int        `json:"version"`
	Signer     string     `json:"signer"`
	Maker      string     `json:"maker,omitempty"`
	Seal       *SealRef   `json:"seal,omitempty"`
	Time       *time.Time `json:"time,omitempty"`
	TimeSource string     `json:"time_source,omitempty"`
	Verdict    Status     `json:"verdict"`
	Reason     Reason     `json:"reason"`
	Checks     []Check    `json:"checks"`
	Notes
}

// At sets the time of the signature, in UTC, and where it comes from.
func (s *Signature) At(t time.Time, source string) {
	t = t.UTC()
	s.Time, s.TimeSource = &t, source
}

// Add appends checks.
func (s *Signature) Add(checks ...Check) { s.Checks = append(s.Checks, checks...) }

// Judge sets Verdict and Reason from the checks.
func (s *Signature) Judge(set Setting) {
	s.Verdict, s.Reason = worst(s.Checks, set)
	if len(s.Checks) == 0 {
		s.Verdict, s.Reason = Indeterminate, NothingChecked
	}
}

// File is the verdict on one file.
type File struct {
	File    string `json:"file"`
	Type    string `json:"type"` // "ofd", "pdf", "cms", "receipt", "envelope", "package", …
	Verdict Status `json:"verdict"`
	Reason  Reason `json:"reason"`
	// Attachment: the file only goes with an official document. It is judged for itself, and of a report of several files
	// it decides the verdict only by failing.
	Attachment bool `json:"attachment,omitempty"`
	// Receipt is what a receipt speaks of; nil of other files, and of a receipt that cannot be read.
	Receipt    *Receipt    `json:"receipt,omitempty"`
	Checks     []Check     `json:"checks"`
	Signatures []Signature `json:"signatures"`
	// Parts are the verdicts on files inside this one, for instance the receipts of a record package.
	Parts []File `json:"parts,omitempty"`
	Notes
}

// Receipt is what a receipt speaks of, by its entry in the log.
type Receipt struct {
	Event       string    `json:"event"`
	Exchange    string    `json:"exchange"`
	DocumentSM3 string    `json:"document_sm3"`
	Sender      string    `json:"sender,omitempty"`
	Recipient   string    `json:"recipient,omitempty"`
	Time        time.Time `json:"time"`
}

// Add appends checks that concern the file as a whole.
func (f *File) Add(checks ...Check) { f.Checks = append(f.Checks, checks...) }

// Reject says that the container is refused before anything is verified.
func (f *File) Reject(r Reason, format string, args ...any) {
	f.Verdict, f.Reason = Rejected, r
	f.Checks = append(f.Checks, Fail(CheckContainer, r, format, args...))
}

// Judge sets the verdict of every signature and of the file: rejected stays; a file without checks, signatures and
// parts is unsigned; else the worst decides. Warnings of signatures are lifted to the file.
func (f *File) Judge(set Setting) {
	if f.Verdict == Rejected {
		return
	}
	if f.Verdict == Unsigned && len(f.Signatures) == 0 {
		return
	}
	f.Verdict, f.Reason = worst(f.Checks, set)
	for i := range f.Signatures {
		s := &f.Signatures[i]
		s.Judge(set)
		f.take(s.Verdict, s.Reason)
		f.merge(s.Notes)
	}
	for i := range f.Parts {
		p := &f.Parts[i]
		f.take(p.Verdict, p.Reason)
		f.merge(p.Notes)
	}
	if len(f.Checks)+len(f.Signatures)+len(f.Parts) == 0 {
		f.Verdict, f.Reason = Unsigned, ""
	}
}

func (f *File) take(s Status, r Reason) {
	if s.severity() > f.Verdict.severity() {
		f.Verdict, f.Reason = s, r
	}
}

// Report is the answer of one verification run.
type Report struct {
	Schema     string  `json:"schema"`
	Verdict    Status  `json:"verdict"`
	Revocation Setting `json:"revocation"`
	// AsOf is the time as of which the caller asked for the verdict; nil: when the report was made.
	AsOf  *time.Time `json:"as_of,omitempty"`
	Files []File     `json:"files"`
}

// NewReport gathers judged files: the worst decides. No file at all is unsigned: nothing was verified. Of attachments
// only one whose signature failed decides.
func NewReport(set Setting, files ...File) *Report {
	r := &Report{Schema: Schema, Verdict: Unsigned, Revocation: set, Files: files}
	first := true
	for i, f := range files {
		r.Files[i].normalise()
		if f.Attachment && f.Verdict != Failed {
			continue
		}
		if first || f.Verdict.severity() > r.Verdict.severity() {
			r.Verdict = f.Verdict
		}
		first = false
	}
	return r
}

// normalise makes every list of the JSON a list, never null.
func (f *File) normalise() {
	f.Notes.normalise()
	if f.Checks == nil {
		f.Checks = []Check{}
	}
	if f.Signatures == nil {
		f.Signatures = []Signature{}
	}
	for i := range f.Signatures {
		f.Signatures[i].Notes.normalise()
		if f.Signatures[i].Checks == nil {
			f.Signatures[i].Checks = []Check{}
		}
	}
	for i := range f.Parts {
		f.Parts[i].normalise()
	}
}

func (n *Notes) normalise() {
	if n.Warnings == nil {
		n.Warnings = []Reason{}
	}
}

// ContainerError is returned by parsers of containers (zip, PDF, DER, envelope) that refuse a file as unsafe or
// malformed. A verifier turns it into a rejected file with the same reason.
type ContainerError struct {
	Reason Reason
	Detail string
}

// Refuse makes a *ContainerError.
func Refuse(r Reason, format string, args ...any) *ContainerError {
	return &ContainerError{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// Error gives the reason and the detail.
func (e *ContainerError) Error() string {
	return "container refused: " + string(e.Reason) + ": " + e.Detail
}
