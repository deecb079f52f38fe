package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/testvectors"
	"yinxin/verdict"
)

// sampleRow is a line of testvectors/ofd/manifest.jsonl.
type sampleRow struct {
	File       string `json:"file"`
	Signatures int    `json:"signatures"`
	Verdict    string `json:"verdict"`
}

// later are the samples that are judged when versions 1 and 5, signatures without a seal and locks have their own work.
func later(file string) bool {
	return strings.HasPrefix(file, "v1-") || strings.HasPrefix(file, "v5-") || strings.HasPrefix(file, "t-v1-") || strings.HasPrefix(file, "p7") ||
		file == "raw-sm2.ofd" || file == "t-p7-content.ofd" || strings.Contains(file, "-lock")
}

// wantOf is what a word of the manifest means in a report, by the README of the samples: the verdicts that are right, and
// a warning or a reason that must stand there.
func wantOf(row sampleRow) (right []verdict.Status, warning, reason verdict.Reason) {
	switch row.Verdict {
	case "PASS":
		return []verdict.Status{verdict.Passed}, "", ""
	case "PASS-PARTIAL":
		return []verdict.Status{verdict.Passed}, verdict.PartialCoverage, ""
	case "PASS-UNCOVERED":
		return []verdict.Status{verdict.Passed}, verdict.OrphanEntry, ""
	case "PASS-UNLISTED":
		return []verdict.Status{verdict.Passed}, verdict.UnlistedSignature, ""
	case "PASS-OR-FAIL":
		return []verdict.Status{verdict.Failed}, "", verdict.SealMakerSignature
	case "UNSIGNED":
		if row.File == "t-unlink.ofd" {
			return []verdict.Status{verdict.Unsigned}, verdict.LeftoverSignature, ""
		}
		return []verdict.Status{verdict.Unsigned}, "", ""
	case "FAIL-TRUST":
		return []verdict.Status{verdict.Failed}, "", verdict.CertificateChain
	case "FAIL-TIMESTAMP":
		return []verdict.Status{verdict.Failed}, "", verdict.TimestampInvalid
	case "FAIL":
		if slices.Contains([]string{"t-dup-last.ofd", "t-dup-first.ofd", "t-traversal.ofd", "t-truncated.ofd"}, row.File) {
			return []verdict.Status{verdict.Rejected}, "", ""
		}
		return []verdict.Status{verdict.Failed}, "", failReasons()[row.File]
	}
	return nil, "", ""
}

// failReasons is why each sample fails: a failure for another reason is a defect.
func failReasons() map[string]verdict.Reason {
	return map[string]verdict.Reason{
		"v4-notlisted.ofd": verdict.SignerNotAuthorised, "v4-digest-notlisted.ofd": verdict.SignerNotAuthorised,
		"v4-seal-expired.ofd": verdict.SealValidity, "v4-seal-future.ofd": verdict.SealValidity,
		"v4-cert-expired.ofd": verdict.CertExpired, "v4-badmaker.ofd": verdict.SealMakerSignature,
		"t-content.ofd": verdict.ReferenceDigest, "t-space.ofd": verdict.ReferenceDigest, "t-image.ofd": verdict.ReferenceDigest,
		"t-attach.ofd": verdict.ReferenceDigest, "t-meta.ofd": verdict.ReferenceDigest, "t-appendpage.ofd": verdict.ReferenceDigest,
		"t-list.ofd": verdict.ReferenceDigest, "t-delfile.ofd": verdict.MissingEntry, "t-two-drop1.ofd": verdict.MissingEntry,
		"t-dropref.ofd": verdict.Uncovered, "t-sealpic.ofd": verdict.SealMismatch, "t-sealpic-both.ofd": verdict.ReferenceDigest,
		"t-sealswap.ofd": verdict.ReferenceDigest, "t-sealswap-deep.ofd": verdict.SigValue, "t-stamp-moved.ofd": verdict.SigValue,
		"t-rehash.ofd": verdict.SigValue, "t-othersig.ofd": verdict.SigValue, "t-forge.ofd": verdict.SigValue,
		"t-sigvalue.ofd": verdict.SigValue, "t-time.ofd": verdict.SigValue, "t-reseal.ofd": verdict.SignerNotAuthorised,
		"t-typeswap.ofd": verdict.SignatureType, "t-checkmethod.ofd": verdict.WeakDigest,
	}
}

// TestSamples judges the packages that independent software made, through the command itself.
func TestSamples(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(repository(t), "testvectors", "ofd")
	manifest, err := testvectors.Read("ofd/manifest.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for line := range bytes.SplitSeq(bytes.TrimSpace(manifest), []byte("\n")) {
		var row sampleRow
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		if later(row.File) {
			continue
		}
		judged++
		t.Run(row.File, func(t *testing.T) { t.Parallel(); judgeSample(t, dir, row) })
	}
	if judged < 50 {
		t.Errorf("%d samples were judged", judged)
	}
}

func judgeSample(t *testing.T, dir string, row sampleRow) {
	right, warning, reason := wantOf(row)
	if right == nil {
		t.Fatalf("the word %s has no meaning here", row.Verdict)
	}
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{
		"verify", filepath.Join(dir, row.File), "--root", filepath.Join(dir, "keys", "root-cert.pem"), "--json",
	}, testEnv(&stdout, &stderr))
	var report verdict.Report
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout.String(), stderr.String())
	}
	f := report.Files[0]
	if report.Schema != verdict.Schema || !slices.Contains(right, report.Verdict) || f.Verdict != report.Verdict || code != report.Verdict.ExitCode() {
		t.Errorf("%s (%s) with exit %d, want %v: %+v", report.Verdict, f.Reason, code, right, f.Checks)
	}
	if reason != "" && f.Reason != reason {
		t.Errorf("reason %s, want %s", f.Reason, reason)
	}
	if (f.Verdict == verdict.Failed || f.Verdict == verdict.Rejected) != (f.Reason != "") {
		t.Errorf("%s with the reason %q", f.Verdict, f.Reason)
	}
	if warning != "" && !f.Warned(warning) {
		t.Errorf("warnings %v, want %s", f.Warnings, warning)
	}
	// What is cut or refused has none; a signature whose files were removed is not listed any more.
	if f.Verdict != verdict.Rejected && !strings.HasPrefix(row.File, "t-two-") && len(f.Signatures) != row.Signatures {
		t.Errorf("%d signatures, want %d", len(f.Signatures), row.Signatures)
	}
}

// testEnv is a world with a clock on the day after the samples were sealed and no terminal.
func testEnv(stdout, stderr *bytes.Buffer) *env {
	e := systemEnv()
	e.stdin, e.stdout, e.stderr = strings.NewReader(""), stdout, stderr
	e.now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	e.getenv = func(string) string { return "" }
	e.home = filepath.Join(os.TempDir(), "yinxin-no-home")
	return e
}

// TestFaultTable: every row of the table maps to itself, also behind wrapping, so that no row hides another.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	for _, row := range faultTable() {
		for _, err := range []error{row.err, errors.Join(errors.New("first"), row.err)} {
			if exit, code := faultOf(err); exit != row.exit || code != row.code {
				t.Errorf("%v: exit %d %s, want %d %s", row.err, exit, code, row.exit, row.code)
			}
		}
	}
	if exit, code := faultOf(errors.New("unknown")); exit != exitInternal || code != "internal" {
		t.Errorf("an unknown error: exit %d %s", exit, code)
	}
}
