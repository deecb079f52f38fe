package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/internal/verify"
	"yinxin/verdict"
)

// verifyFlags are the flags of verify, and of every command that judges on the way.
type verifyFlags struct {
	roots, crls, logs []string
	revocation, at    string
}

func (f *verifyFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.roots, "root", nil, "trust this root certificate (PEM; may be repeated)")
	cmd.Flags().StringArrayVar(&f.crls, "crl", nil, "use this revocation list (may be repeated)")
	cmd.Flags().StringArrayVar(&f.logs, "log", nil, "judge receipts by this log key (vkey file; may be repeated)")
	cmd.Flags().StringVar(&f.revocation, "revocation", string(verdict.RevocationAuto), "auto, require or off")
	cmd.Flags().StringVar(&f.at, "at", "", "judge as of this time (RFC 3339 or yyyy-mm-dd)")
}

func newVerifyCmd(e *env) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "say whether documents, signatures, receipts, envelopes and record packages are genuine",
		Long: "Gives one verdict with reasons for OFD and PDF documents, .p7s signatures, .yxr receipts, the outside of .yxe envelopes and\n" +
			"record packages (folder or zip). Needs no network and no configuration. Exit 0 passed, 1 failed or rejected,\n" +
			"3 indeterminate or unsigned; of several files the worst counts.",
		Example: "  yinxin verify notice.ofd --root root.pem\n  yinxin verify receipts/*.yxr --root root.pem --log log.vkey --json",
		Args:    atLeastOne("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options(e)
			if err != nil {
				return err
			}
			inputs, err := readInputs(args)
			if err != nil {
				return err
			}
			report, err := verify.Files(inputs, o)
			if err != nil {
				return err
			}
			return e.printReport(report, jsonFlag(cmd))
		},
	}
	f.add(cmd)
	return cmd
}

// options reads the files that the flags name.
func (f *verifyFlags) options(e *env) (verify.Options, error) {
	o := verify.Options{Now: e.now()}
	o.Policy.Revocation = verdict.Setting(f.revocation)
	switch o.Policy.Revocation {
	case verdict.RevocationAuto, verdict.RevocationRequire, verdict.RevocationOff:
	default:
		return o, usage("--revocation %s: want auto, require or off", f.revocation)
	}
	var err error
	if o.At, err = parseAt(f.at); err != nil {
		return o, err
	}
	for _, path := range f.roots {
		certs, err := readCertificates(path)
		if err != nil {
			return o, err
		}
		o.Policy.Roots = append(o.Policy.Roots, certs...)
	}
	for _, path := range f.crls {
		data, err := readInput(path)
		if err != nil {
			return o, err
		}
		list, err := cert.ParseCRL(data)
		if err != nil {
			return o, refuse("malformed", exitNotFound, "%s: %w", path, err)
		}
		o.Policy.CRLs = append(o.Policy.CRLs, list)
	}
	for _, path := range f.logs {
		data, err := readInput(path)
		if err != nil {
			return o, err
		}
		key, err := tlog.ParseVerifier(string(data))
		if err != nil {
			return o, refuse("malformed", exitNotFound, "%s: %w", path, err)
		}
		o.Logs = append(o.Logs, key)
	}
	return o, nil
}

func parseAt(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("--at %s: want RFC 3339, for instance 2026-11-21T08:00:00Z, or yyyy-mm-dd", s)
}

// readCertificates reads a PEM or DER file.
func readCertificates(path string) ([]*cert.Certificate, error) {
	data, err := readInput(path)
	if err != nil {
		return nil, err
	}
	if certs, err := cert.ParsePEM(data); err == nil {
		return certs, nil
	}
	c, err := cert.Parse(data)
	if err != nil {
		return nil, refuse("malformed", exitNotFound, "%s holds no SM2 certificate: %w", path, err)
	}
	return []*cert.Certificate{c}, nil
}

// readInputs reads files whole and hands folders on as they are. Beside a detached signature X.p7s lies X.
func readInputs(paths []string) ([]verify.Input, error) {
	inputs := make([]verify.Input, 0, len(paths))
	for _, p := range paths {
		st, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		in := verify.Input{Name: p}
		if st.IsDir() {
			in.Content = os.DirFS(p)
			inputs = append(inputs, in)
			continue
		}
		if in.Data, err = readInput(p); err != nil {
			return nil, err
		}
		if content, found := strings.CutSuffix(p, ".p7s"); found {
			if in.Signed, err = os.ReadFile(content); err != nil && !os.IsNotExist(err) {
				return nil, err
			}
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// printReport prints the verdict and returns its exit code as an error.
func (e *env) printReport(r *verdict.Report, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(e.stdout).Encode(r); err != nil {
			return err
		}
	} else {
		for _, f := range r.Files {
			printFile(e.stdout, f, "")
		}
	}
	if code := r.Verdict.ExitCode(); code != exitDone {
		return exitStatus(code)
	}
	return nil
}

// printFile prints the verdict on a file: one line, then what did not pass, then warnings.
func printFile(w io.Writer, f verdict.File, indent string) {
	fmt.Fprintf(w, "%s%s: %s%s\n", indent, f.File, f.Verdict, because(f.Reason))
	printChecks(w, f.Checks, indent+"  ")
	for _, s := range f.Signatures {
		printSignature(w, s, indent+"  ")
	}
	for _, p := range f.Parts {
		printFile(w, p, indent+"  ")
	}
	if indent == "" {
		for i, code := range f.Warnings {
			fmt.Fprintf(w, "  note %s: %s\n", code, f.WarningDetails[i])
		}
	}
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
	fmt.Fprintf(w, "%s%s %s: %s%s, %s%s\n", indent, s.Kind, s.ID, s.Verdict, because(s.Reason), name, when)
	printChecks(w, s.Checks, indent+"  ")
}

func printChecks(w io.Writer, checks []verdict.Check, indent string) {
	for _, c := range checks {
		if c.Status != verdict.Passed {
			fmt.Fprintf(w, "%s%s: %s%s %s\n", indent, c.Name, c.Status, because(c.Reason), c.Detail)
		}
	}
}

// because gives the reason as code and sentence.
func because(r verdict.Reason) string {
	if r == "" {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", r, r.English())
}
