package verdict

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestReasonsAreClosedAndExplained(t *testing.T) {
	seen := map[Reason]bool{}
	for _, r := range Reasons() {
		if seen[r] {
			t.Errorf("%s stands twice", r)
		}
		seen[r] = true
		if !r.Known() || r.English() == "" || r.Chinese() == "" || strings.ToLower(string(r)) != string(r) {
			t.Errorf("%s: lacks its sub-indication or a sentence, or is not snake_case", r)
		}
	}
	if Reason("made_up").Known() {
		t.Error("a reason outside the list is known")
	}
}

func TestTheWorstCheckDecides(t *testing.T) {
	noSource := Unknown(CheckRevocation, NoRevocationSource, "CN=x")
	tests := []struct {
		name   string
		checks []Check
		set    Setting
		want   Status
		reason Reason
	}{
		{"all pass", []Check{Pass(CheckSignature)}, RevocationAuto, Passed, ""},
		{"failed over indeterminate", []Check{Unknown(CheckRevocation, RevocationUnknown, ""), Fail(CheckSignature, SigValue, "")}, RevocationAuto, Failed, SigValue},
		{"first of equals", []Check{Fail(CheckReferences, ReferenceDigest, "a"), Fail(CheckSignature, SigValue, "")}, RevocationAuto, Failed, ReferenceDigest},
		{"no source under auto", []Check{Pass(CheckSignature), noSource}, RevocationAuto, Passed, ""},
		{"no source under require", []Check{Pass(CheckSignature), noSource}, RevocationRequire, Indeterminate, NoRevocationSource},
		{"the exception is for revocation alone", []Check{Unknown(CheckTimestamp, NoRevocationSource, "")}, RevocationAuto, Indeterminate, NoRevocationSource},
		{"nothing checked is never passed", nil, RevocationAuto, Indeterminate, NothingChecked},
	}
	for _, tt := range tests {
		s := Signature{Checks: tt.checks}
		s.Judge(tt.set)
		if s.Verdict != tt.want || s.Reason != tt.reason {
			t.Errorf("%s: got %s (%s), want %s (%s)", tt.name, s.Verdict, s.Reason, tt.want, tt.reason)
		}
	}
}

func TestFileTakesTheWorstOfItsParts(t *testing.T) {
	f := File{File: "x.ofd", Type: "ofd", Signatures: []Signature{
		{ID: "1", Checks: []Check{Pass(CheckSignature)}},
		{ID: "2", Checks: []Check{Fail(CheckSignature, SigValue, "no")}},
	}}
	f.Signatures[0].Warn(TimeClaimed, "signer says so")
	f.Judge(RevocationAuto)
	if f.Verdict != Failed || f.Reason != SigValue || !f.Warned(TimeClaimed) {
		t.Errorf("got %s (%s), warnings %v", f.Verdict, f.Reason, f.Warnings)
	}
	empty := File{}
	empty.Judge(RevocationAuto)
	if empty.Verdict != Unsigned {
		t.Errorf("a file without anything to verify: got %s, want unsigned", empty.Verdict)
	}
	rejected := File{}
	rejected.Reject(DuplicateEntry, "OFD.xml")
	rejected.Judge(RevocationAuto)
	if rejected.Verdict != Rejected || rejected.Reason != DuplicateEntry {
		t.Errorf("rejected: got %s (%s)", rejected.Verdict, rejected.Reason)
	}
}

func TestReportExitCodes(t *testing.T) {
	tests := []struct {
		name  string
		files []Status
		want  int
	}{
		{"passed", []Status{Passed}, 0},
		{"one failed", []Status{Passed, Failed, Indeterminate}, 1},
		{"rejected", []Status{Rejected, Passed}, 1},
		{"indeterminate", []Status{Passed, Indeterminate}, 3},
		{"unsigned", []Status{Unsigned, Passed}, 3},
		{"no file", nil, 3},
	}
	for _, tt := range tests {
		files := make([]File, len(tt.files))
		for i, s := range tt.files {
			files[i].Verdict = s
		}
		if got := NewReport(RevocationAuto, files...).Verdict.ExitCode(); got != tt.want {
			t.Errorf("%s: exit %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestReportJSONHasListsNeverNull(t *testing.T) {
	r := NewReport(RevocationAuto, File{File: "a", Verdict: Unsigned, Signatures: []Signature{{ID: "1"}}})
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "null") {
		t.Errorf("null in %s", out)
	}
	for _, want := range []string{`"schema":"yinxin.verify/1"`, `"warnings":[]`, `"checks":[]`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s lacks %s", out, want)
		}
	}
}
