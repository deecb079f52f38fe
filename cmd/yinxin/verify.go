package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/internal/verify"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// verifyFlags are the flags of verify, and of every command that judges on the way.
type verifyFlags struct {
	roots, crls, logs []string
	revocation, at    string
}

func (f *verifyFlags) add(cmd *cobra.Command) {
	f.addTrust(cmd)
	cmd.Flags().StringArrayVar(&f.logs, "log", nil, "judge receipts by this log key (vkey file; may be repeated)")
}

// addTrust adds the flags that say who is trusted, for commands that judge no receipts.
func (f *verifyFlags) addTrust(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.roots, "root", nil, "trust this root certificate (PEM; may be repeated)")
	cmd.Flags().StringArrayVar(&f.crls, "crl", nil, "use this revocation list (may be repeated)")
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
			"3 indeterminate or unsigned; of several files the worst counts. Where a file cannot be read the others are judged all the\n" +
			"same: exit 1 if one of them failed, else 4.",
		Example: "  yinxin verify notice.ofd --root root.pem\n  yinxin verify receipts/*.yxr --root root.pem --log log.vkey --json",
		Args:    atLeastOne("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options(e)
			if err != nil {
				return err
			}
			report, unread := judgePaths(args, o)
			return e.printJudged(report, unread, jsonFlag(cmd))
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
	if o.At, err = parseMoment("--at", f.at); err != nil {
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
	o.Logs, err = readLogKeys(f.logs)
	return o, err
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

// judgePaths judges files and folders one after the other, so that memory holds one at a time. What cannot be read is left
// out of the report and joined in the error.
func judgePaths(paths []string, o verify.Options) (*verdict.Report, error) {
	files := make([]verdict.File, 0, len(paths))
	var unread []error
	for _, p := range paths {
		f, err := judgePath(p, o)
		if err != nil {
			unread = append(unread, err)
			continue
		}
		files = append(files, f)
	}
	return verdict.NewReport(o.Policy.Revocation, files...), errors.Join(unread...)
}

// printJudged prints a report on the files that could be read. The others decide the exit code, but for a failed verdict.
func (e *env) printJudged(r *verdict.Report, unread error, asJSON bool) error {
	if unread == nil {
		return e.printReport(r, asJSON)
	}
	if len(r.Files) == 0 {
		return unread
	}
	err := e.printReport(r, asJSON)
	var status exitStatus
	if err != nil && !errors.As(err, &status) {
		return errors.Join(err, unread)
	}
	return &partial{exit: int(status), err: unread}
}

func judgePath(path string, o verify.Options) (verdict.File, error) {
	in := verify.Input{Name: path}
	if st, err := os.Stat(path); err != nil {
		return verdict.File{}, err
	} else if st.IsDir() {
		in.Content = os.DirFS(path)
		return verify.One(in, o)
	}
	head, err := headOf(path)
	if err != nil {
		return verdict.File{}, err
	}
	if bytes.HasPrefix(head, []byte(envelope.Magic)) {
		return judgeEnvelope(path, o)
	}
	if in.Data, err = readInput(path); err != nil {
		return verdict.File{}, err
	}
	if content, found := strings.CutSuffix(path, ".p7s"); found { // the signed file lies beside its signature
		if in.Signed, err = os.ReadFile(content); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return verdict.File{}, err
		}
	}
	return verify.One(in, o)
}

// judgeEnvelope judges the outside of an envelope of any size without holding it in memory.
func judgeEnvelope(path string, o verify.Options) (_ verdict.File, err error) {
	f, err := os.Open(path)
	if err != nil {
		return verdict.File{}, err
	}
	defer closing(&err, f)
	st, err := f.Stat()
	if err != nil {
		return verdict.File{}, err
	}
	return envelope.VerifyOutside(path, f, st.Size(), envelope.VerifyOptions{Policy: o.Policy, At: o.At, Now: o.Now}), nil
}
