package main

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/internal/durable"
	"yinxin/internal/verify"
	"yinxin/transport/envelope"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// openFlags are the flags of open.
type openFlags struct {
	keys           keyFlags
	trust          judgeFlags
	key, cert, out string
	accept         bool
}

func newOpenCmd(e *env) *cobra.Command {
	var f openFlags
	cmd := &cobra.Command{
		Use: "open F.yxe", Short: "decrypt an envelope and verify its sender", Args: exactly(1, "an envelope"),
		Long: "Opens the part that is addressed to the key, whichever version of it where KEY names none. Files appear under their names, in the folder of --out, only after the sender's\n" +
			"signature and every digest hold; a file that exists is never replaced. An envelope for others is exit 5, not_addressed; one\n" +
			"that was cut off or changed is exit 1 with the reason.\n" +
			"Without --root nobody vouches for the sender: the verdict is indeterminate and nothing appears (exit 3), unless\n" +
			"--accept-indeterminate says that the files are wanted all the same. The seals of documents inside are judged afterwards\n" +
			"and shown; one that failed makes the exit code 1, and the files stay. Attachments are judged for themselves: most are unsigned,\n" +
			"which only is shown. Where a file bears a classification nothing stays (exit 5, classified_content). A sender who is not the\n" +
			"document's issuer is noted (sender_mismatch).\n" + keyHelp,
		Example: "  yinxin open --key store:office.decrypt --root root.pem exchange.yxe --out in/",
		RunE:    func(cmd *cobra.Command, args []string) error { return e.open(cmd, f, args[0]) },
	}
	f.keys.add(cmd)
	f.trust.add(cmd)
	cmd.Flags().StringVar(&f.key, "key", "", "the recipient's KEY (purpose decrypt)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "its encryption certificate (default: its part is found by the key)")
	cmd.Flags().StringVar(&f.out, "out", "", "folder for the files")
	cmd.Flags().BoolVar(&f.accept, "accept-indeterminate", false, "let the files appear although the verdict is indeterminate")
	return cmd
}

// openedEnvelope is what open reports.
type openedEnvelope struct {
	Exchange string         `json:"exchange"`
	Sender   string         `json:"sender"`
	Envelope verdict.File   `json:"envelope"`
	Files    []openedFile   `json:"files"`
	Released bool           `json:"released"`
	Verdicts []verdict.File `json:"documents"`
}

type openedFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	SM3  string `json:"sm3"`
}

func (e *env) open(cmd *cobra.Command, f openFlags, path string) (err error) {
	if f.key == "" || f.out == "" {
		return usage("--key and --out are required")
	}
	o, err := f.trust.options(e)
	if err != nil {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer closing(&err, in)
	st, err := in.Stat()
	if err != nil {
		return err
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	env, err := envelope.Parse(in, st.Size())
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	opts, err := f.opening(cmd.Context(), ring, env)
	if err != nil {
		return err
	}
	opts.Policy, opts.Now, opts.Sink, opts.AcceptIndeterminate = o.Policy, o.Moment(), envelope.Dir(f.out), f.accept
	made, err := makeFolder(f.out)
	if err != nil {
		return err
	}
	got, err := env.Open(opts)
	if err != nil || !got.Released() {
		err = errors.Join(err, unmakeFolder(f.out, made))
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	got.Report.File = path
	if err := refuseClassified(got, f.out, made); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return e.printOpened(got, f.out, o, jsonFlag(cmd))
}

// opening finds the key: of a stored key the version that the envelope is addressed to, or that the certificate of --cert names.
func (f openFlags) opening(ctx context.Context, ring *keyRing, env *envelope.Envelope) (o envelope.OpenOptions, err error) {
	wanted := env.Addressed
	if f.cert != "" {
		given, err := readCertificates(f.cert)
		if err != nil {
			return o, err
		}
		wanted = func(pub *ecdsa.PublicKey) bool { return given[0].MatchesKey(pub) == nil }
	}
	h, err := ring.decrypterFor(ctx, f.key, wanted)
	if err != nil {
		return o, err
	}
	o.Key = h.decrypter
	if f.cert != "" {
		o.Certificate, _, err = h.certificate(f.cert)
	}
	return o, err
}

// refuseClassified looks through what came out of an envelope, as every recipient does. Where one of the files bears a
// classification, none of them stays.
func refuseClassified(got *envelope.Opened, dir string, made bool) error {
	var found error
	for _, f := range got.Files {
		if found = office.CheckOpened(filepath.Join(dir, f.Name)); found != nil {
			break
		}
	}
	if found == nil {
		return nil
	}
	for _, f := range got.Files {
		found = errors.Join(found, os.Remove(filepath.Join(dir, f.Name)))
	}
	return errors.Join(found, unmakeFolder(dir, made))
}

// noteSender warns where the envelope's sender is not whom the document names as its issuer, as far as the sender's
// certificate tells: without the directory nobody knows its other names.
func noteSender(f *verdict.File, path string, sender *cert.Certificate) error {
	data, err := readInput(path)
	if err != nil {
		return err
	}
	var m document.Metadata
	if pkg, err := ofd.Open(data); err == nil { // else the verdict says what is wrong with it
		m, _ = pkg.Metadata()
	}
	if sender == nil || m.Issuer.Name == "" {
		return nil
	}
	if name := sender.Subject.CommonName; name != m.Issuer.Name && !slices.Contains(sender.Subject.Organization, m.Issuer.Name) {
		f.Warn(verdict.SenderMismatch, "%s sends a document of %s", name, m.Issuer.Name)
	}
	return nil
}

// makeFolder makes the folder for the files and reports whether it was not there.
func makeFolder(dir string) (made bool, err error) {
	if st, err := os.Stat(dir); err == nil && st.IsDir() {
		return false, nil
	}
	return true, durable.MkdirAll(dir, 0o700)
}

// unmakeFolder removes a folder that was made in vain.
func unmakeFolder(dir string, made bool) error {
	if !made {
		return nil
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (e *env) printOpened(got *envelope.Opened, dir string, o verify.Options, asJSON bool) error {
	r := openedEnvelope{
		Exchange: got.Manifest.Exchange, Sender: got.Manifest.Sender, Envelope: got.Report, Released: got.Released(),
		Files: []openedFile{}, Verdicts: []verdict.File{},
	}
	r.Envelope = verdict.NewReport(o.Policy.Revocation, r.Envelope).Files[0] // with lists that are never null
	official := ""
	if got.Document >= 0 {
		official = got.Files[got.Document].Name
	}
	for _, f := range got.Files {
		path := filepath.Join(dir, f.Name)
		r.Files = append(r.Files, openedFile{Path: path, Size: f.Size, SM3: f.SM3.String()})
		judged, ok, err := judgeOpened(path, o)
		if err != nil {
			return err
		}
		if ok {
			judged.File = f.Name
			judged.Attachment = envelope.IsAttachment(official, judged)
			judged.File = path
			if f.Name == official {
				if err := noteSender(&judged, path, got.Signer); err != nil {
					return err
				}
			}
			r.Verdicts = append(r.Verdicts, judged)
		}
	}
	exit := got.Report.Verdict.ExitCode()
	if r.Released { // whoever accepted an indeterminate verdict got what they asked for
		exit = exitDone
	}
	if verdict.NewReport(o.Policy.Revocation, r.Verdicts...).Verdict.ExitCode() == exitFailed {
		exit = exitFailed
	}
	if asJSON {
		if err := e.printJSON(r); err != nil {
			return err
		}
	} else {
		printFiles(e.stdout, append([]verdict.File{r.Envelope}, r.Verdicts...))
		for _, f := range r.Files {
			fmt.Fprintf(e.stdout, "%s\n", f.Path)
		}
		if !r.Released {
			fmt.Fprintln(e.stderr, "no file was written")
		}
	}
	if exit != exitDone {
		return exitStatus(exit)
	}
	return nil
}

// judgeOpened judges the seals of a document that came out of an envelope; other files are not judged.
func judgeOpened(path string, o verify.Options) (f verdict.File, ok bool, err error) {
	switch filepath.Ext(path) {
	case ".ofd", ".pdf":
	default:
		return f, false, nil
	}
	data, err := readInput(path)
	if err != nil {
		return f, false, err
	}
	report, err := verify.Files([]verify.Input{{Name: path, Data: data}}, o)
	if err != nil {
		return f, false, err
	}
	return report.Files[0], true, nil
}
