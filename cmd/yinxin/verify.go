package main

import (
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

// verifyFlags are the flags of verify.
type verifyFlags struct {
	judgeFlags
	logs          []string
	witnesses     []string
	lang          string
	register, pdf string
	hub           bool
}

func (f *verifyFlags) add(cmd *cobra.Command) {
	f.judgeFlags.add(cmd)
	cmd.Flags().StringArrayVar(&f.logs, "log", nil, "judge receipts by this log key (vkey file; may be repeated)")
	cmd.Flags().StringArrayVar(&f.witnesses, "witness", nil, "one of these witnesses (vkey file) must have cosigned the checkpoint of a bundle of evidence")
	cmd.Flags().StringVar(&f.lang, "lang", "", "print the whole report, every check in words: zh-CN or en")
}

// addReport adds the flags of verify alone: reports on paper, and registers of seals.
func (f *verifyFlags) addReport(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.pdf, "report", "", "print the whole report as a PDF into this file, in --lang (default: zh-CN)")
	cmd.Flags().StringVar(&f.register, "seals", "", "consult this register of seals, a file that 'yinxin seals ls --json' made")
	cmd.Flags().BoolVar(&f.hub, "hub", false, "consult the register of the hub of the last login; if it cannot be reached, that is told and the rest judged")
}

func newVerifyCmd(e *env) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "say whether documents, signatures, receipts, envelopes, record packages and bundles of evidence are genuine",
		Long: "Gives one verdict with reasons for OFD and PDF documents, .p7s signatures, .yxr receipts, the outside of .yxe envelopes,\n" +
			"record packages and bundles of evidence (folder or zip). Any other file is judged by the signature beside it, F by F.p7s. Needs no network and no configuration. Exit 0 passed, 1 failed or rejected,\n" +
			"3 indeterminate or unsigned; of several files the worst counts. Where a file cannot be read the others are judged all the\n" +
			"same: exit 1 if one of them failed, else 4. A register of seals (--seals, --hub) says whether a seal was in force when it\n" +
			"was used; without one a voided seal cannot be told from others.",
		Example: "  yinxin verify notice.ofd --root root.pem\n  yinxin verify receipts/*.yxr --root root.pem --log log.vkey --json",
		Args:    atLeastOne("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options(e)
			if err != nil {
				return err
			}
			how, err := f.form(jsonFlag(cmd))
			if err != nil {
				return err
			}
			if o.Seals, err = f.seals(cmd.Context(), e); err != nil {
				return err
			}
			report, unread := judgePaths(args, o)
			if f.pdf != "" && len(report.Files) > 0 {
				if err := e.printPDF(report, f.pdf, how.lang); err != nil {
					return err
				}
			}
			return e.printJudged(report, unread, how)
		},
	}
	f.add(cmd)
	f.addReport(cmd)
	return cmd
}

// options reads the files that the flags name.
func (f *verifyFlags) options(e *env) (verify.Options, error) {
	o, err := f.judgeFlags.options(e)
	if err != nil {
		return o, err
	}
	if o.Logs, err = readLogKeys(f.logs); err != nil || len(f.witnesses) == 0 {
		return o, err
	}
	o.Witnesses, err = readWitnessKeys(f.witnesses)
	return o, err
}

// form is how the report is to be printed.
func (f *verifyFlags) form(asJSON bool) (form, error) {
	if f.lang == "" {
		return form{asJSON: asJSON}, nil
	}
	if asJSON {
		return form{}, usage("--lang is for people and --json for programs: want one of them")
	}
	l, err := verdict.ParseLanguage(f.lang)
	if err != nil {
		return form{}, usage("--lang %s: want zh-CN or en", f.lang)
	}
	return form{lang: l}, nil
}

// readCertificates reads a PEM or DER file.
func readCertificates(path string) ([]*cert.Certificate, error) {
	data, err := readWithin(path, cert.MaxPEMSize)
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
	if err := verify.Relate(files, func(i int) ([32]byte, error) { return digestFile(files[i].File) }); err != nil {
		unread = append(unread, err)
	}
	return o.Report(files...), errors.Join(unread...)
}

// printJudged prints a report on the files that could be read. The others decide the exit code, but for a failed verdict.
func (e *env) printJudged(r *verdict.Report, unread error, how form) error {
	if unread == nil {
		return e.printReport(r, how)
	}
	if len(r.Files) == 0 {
		return unread
	}
	err := e.printReport(r, how)
	var status exitStatus
	if err != nil && !errors.As(err, &status) {
		return errors.Join(err, unread)
	}
	return &partial{exit: int(status), err: unread}
}

// judgePath judges a file by itself. One that is no kind of document is judged by the signature that lies beside it, as
// 'yinxin sign' leaves it, if there is one.
func judgePath(path string, o verify.Options) (verdict.File, error) {
	f, err := judgeFile(path, o)
	var refused *refusal
	if err == nil && f.Type != string(verify.KindUnknown) || err != nil && !(errors.As(err, &refused) && refused.code == tooLarge) {
		return f, err
	}
	beside := path + ".p7s"
	if st, absent := os.Stat(beside); absent != nil || !st.Mode().IsRegular() {
		return f, err
	}
	f, err = judgeFile(beside, o)
	f.File = path
	return f, err
}

func judgeFile(path string, o verify.Options) (_ verdict.File, err error) {
	in := verify.Input{Name: path}
	st, err := os.Stat(path)
	if err != nil {
		return verdict.File{}, err
	}
	if st.IsDir() {
		in.Content = os.DirFS(path)
		return verify.One(in, o)
	}
	content, beside := strings.CutSuffix(path, ".p7s") // the signed file lies beside its signature
	if st.Mode().IsRegular() && !beside {              // what can be looked at twice
		head, err := headOf(path)
		if err != nil {
			return verdict.File{}, err
		}
		if envelope.IsEnvelope(head) {
			return judgeEnvelope(path, o)
		}
	}
	file, err := openInput(path)
	if err != nil {
		return verdict.File{}, err
	}
	defer closing(&err, file)
	in.Reader, in.Size, in.Beside = file, file.size, beside
	if beside {
		sum, err := digestFile(content)
		if err == nil {
			in.Sum = &sum
		} else if !errors.Is(err, fs.ErrNotExist) {
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
	return envelope.VerifyOutside(path, f, st.Size(), envelope.VerifyOptions{Policy: o.Policy, Now: o.Moment()}), nil
}
