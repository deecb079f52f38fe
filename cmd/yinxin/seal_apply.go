package main

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/document/ofd"
	"yinxin/internal/durable"
	"yinxin/internal/verify"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/ses"
	"yinxin/transport/office"
)

// applyFlags are the flags of seal apply.
type applyFlags struct {
	keys            keyFlags
	places          places
	stamp           stampFlags
	seal, key, cert string
	profile         string
	lock            bool
	// prepared is a sealing that was prepared before, approval the ID of its approval, who the custodian that seals with it.
	prepared, approval string
	who                whoFlags
}

func newSealApplyCmd(e *env) *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use: "apply IN OUT", Short: "put a seal on an OFD or a PDF", Args: exactly(2, "IN and OUT"),
		Long: "Seals a document with a key at hand. One sealing may show at several places of an OFD: --at gives page (from 1) and the\n" +
			"picture's top left corner in mm from the page's; --on-date finds the line with the date (成文日期) and presses it; --on-text\n" +
			"finds words; --across cuts the picture over the edges of the pages (骑缝章). For a joint issue each office seals in turn.\n" +
			"--lock covers the list of signatures, so that none can follow. --tsa embeds a time-stamp (RFC 3161) over the\n" +
			"signature value, judged by --root before anything is written.\n" +
			"With --root the sealed document is read back as verify --root will, with --crl and --ocsp, and is written only if the new seal\n" +
			"passes: a certificate that names a source of revocation needs its list (--crl), or --revocation off where none is at hand.\n" +
			"Without --root only what needs no trust is checked, and a revoked certificate is not noticed: the answer says so.\n" +
			"Sealing a PDF adds one revision with one place; --profile rfc writes it for readers that know only the identifiers of the RFCs.\n" +
			"A document with a classification mark is refused (exit 5); of a PDF its information dictionary and XMP are looked at.\n" +
			"Nobody approves a sealing with a bare key: the result says approval: none. What was prepared (seal prepare) and approved\n" +
			"(keys approve-seal) is sealed with --prepared and --approval, exactly as it was approved, by another person than approved it: in\n" +
			"Vault the one who is logged in, over a file store the custodian whose key is --as.\n" + keyHelp,
		Example: "  yinxin seal apply --seal jy.esl --key store:office.seal --on-date notice.ofd sealed.ofd\n" +
			"  yinxin seal apply --seal jy.esl --key store:office.seal --on-date --across right --lock notice.ofd sealed.ofd\n" +
			"  yinxin seal apply --seal jy.esl --key file:seal.key --at 2,120,180 notice.pdf sealed.pdf\n" +
			"  yinxin seal apply --prepared notice.plan --key vault:seal-jy --approval ID notice.ofd sealed.ofd",
		RunE: func(cmd *cobra.Command, args []string) error { return e.applySeal(cmd, f, args[0], args[1]) },
	}
	f.keys.add(cmd)
	f.places.add(cmd)
	f.stamp.add(cmd)
	f.addWhat(cmd)
	f.who.add(cmd)
	cmd.Flags().StringVar(&f.key, "key", "", "the KEY that seals (purpose seal)")
	cmd.Flags().StringVar(&f.prepared, "prepared", "", "seal as prepared in this file (seal prepare), which says what, where and when")
	cmd.Flags().StringVar(&f.approval, "approval", "", "the ID of another person's approval of what was prepared")
	return cmd
}

// addWhat adds the flags that say what is put on a document.
func (f *applyFlags) addWhat(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.seal, "seal", "", "the seal (.esl)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "its certificate (default: the one kept with it, or in the seal)")
	cmd.Flags().BoolVar(&f.lock, "lock", false, "let no signature follow (OFD)")
	profileFlag(cmd, &f.profile)
}

func (f *applyFlags) check() error {
	switch {
	case f.prepared != "" && (f.key == "" || f.approval == ""):
		return usage("--prepared goes with --key and --approval")
	case f.prepared != "" && (f.seal != "" || f.cert != "" || f.lock || f.places.check() == nil):
		return usage("--prepared says what, where and when: --seal, --cert, --lock and places go without it")
	case f.prepared != "":
		return f.checkTrust()
	case f.approval != "" || f.who.key != "":
		return usage("--approval and --as go with --prepared: an approval is for what was prepared")
	case f.seal == "" || f.key == "":
		return usage("--seal and --key are required")
	}
	if _, err := parseProfile(f.profile); err != nil {
		return err
	}
	if err := f.checkTrust(); err != nil {
		return err
	}
	return f.places.check()
}

// sealed is what seal apply reports. Approval is the ID of the approval in the key store, or none where a bare key seals.
type sealed struct {
	File      string    `json:"file"`
	Type      string    `json:"type"`
	Seal      string    `json:"seal"`
	SealID    string    `json:"seal_id"`
	Signer    string    `json:"signer"`
	Time      time.Time `json:"time"`
	Stamped   bool      `json:"time_stamped"`
	Locked    bool      `json:"locked"`
	Signature string    `json:"signature,omitempty"`
	// Page, X and Y are the first place, Stamps all of them.
	Page     int     `json:"page"`
	X        float64 `json:"x"`
	Y        float64 `json:"y"`
	Stamps   []place `json:"stamps"`
	Approval string  `json:"approval"`
	// Judged: passed when read back by the roots that were given. Without roots nobody has judged the certificates.
	Judged bool `json:"judged"`
}

// place is where a seal shows: page from 1, mm.
type place struct {
	Page int        `json:"page"`
	X    float64    `json:"x"`
	Y    float64    `json:"y"`
	Clip *seal.Clip `json:"clip,omitempty"`
}

func placesOf(stamps []seal.Stamp) []place {
	list := make([]place, 0, len(stamps))
	for _, s := range stamps {
		list = append(list, place{s.Page + 1, s.X, s.Y, s.Clip})
	}
	return list
}

// sealing is one sealing: with what, by whom, when.
type sealing struct {
	flags  applyFlags
	seal   *ses.Seal
	signer held
	cert   *cert.Certificate
	chain  []*cert.Certificate
	at     time.Time
	// stamps are the places where they are fixed already; else the flags say them.
	stamps []seal.Stamp
	// timeStamp gives a time-stamp for the signature value, nil where none is wanted.
	timeStamp func(sum [32]byte) ([]byte, error)
	result    sealed
}

func (s *sealing) size() seal.Size {
	return seal.Size{W: float64(s.seal.Info.Picture.Width), H: float64(s.seal.Info.Picture.Height)}
}

func (e *env) applySeal(cmd *cobra.Command, f applyFlags, in, out string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	if f.prepared != "" {
		return e.applyPlan(cmd, f, in, out)
	}
	s := &sealing{flags: f, at: e.now().UTC().Truncate(time.Second)}
	if s.seal, err = readSeal(f.seal); err != nil {
		return err
	}
	if err := checkMade(f.seal, s.seal, cert.Moment{Now: s.at}); err != nil {
		return err
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	if err := s.takeSigner(cmd.Context(), ring); err != nil {
		return err
	}
	return e.sealFile(cmd, s, in, out)
}

// sealFile seals a document and reports that.
func (e *env) sealFile(cmd *cobra.Command, s *sealing, in, out string) (err error) {
	file, err := openInput(in)
	if err != nil {
		return err
	}
	defer closing(&err, file)
	if s.timeStamp, err = s.flags.stamp.stamper(cmd.Context(), e); err != nil {
		return err
	}
	r, err := s.ready(in, file)
	if err != nil {
		return fmt.Errorf("seal %s: %w", in, err)
	}
	switch p := r.prepared.(type) {
	case *ofdseal.Prepared:
		err = e.sealOFD(s, p, out)
	case *pdfseal.Prepared:
		err = e.sealPDF(s, p, out)
	}
	if err != nil {
		return fmt.Errorf("seal %s: %w", in, err)
	}
	first := placesOf(r.stamps)[0]
	s.result.File, s.result.Type, s.result.Approval = out, string(r.kind), seal.ApprovalNone
	if s.flags.approval != "" {
		s.result.Approval = s.flags.approval
	}
	s.result.Seal, s.result.SealID = s.seal.Info.Property.Name, s.seal.Info.SealID
	s.result.Signer, s.result.Time = s.cert.SubjectText(), s.at
	s.result.Page, s.result.X, s.result.Y, s.result.Stamps = first.Page, first.X, first.Y, placesOf(r.stamps)
	s.result.Locked, s.result.Stamped = s.flags.lock, s.timeStamp != nil
	if jsonFlag(cmd) {
		return e.result(true, s.result, "")
	}
	return e.printSealed(s.result)
}

func (e *env) printSealed(r sealed) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\t%s (%s)\n%s", r.File, r.Seal, r.SealID, placeLines(r.Stamps))
	judged := "no, for want of a --root"
	if r.Judged {
		judged = "passed"
	}
	return e.result(false, r, "%sread back: %s\napproval: %s\n", text.String(), judged, r.Approval)
}

// placeLines shows places, one a line.
func placeLines(places []place) string {
	var text strings.Builder
	for _, p := range places {
		fmt.Fprintf(&text, "page %d at %g,%g mm", p.Page, p.X, p.Y)
		if p.Clip != nil {
			fmt.Fprintf(&text, ", its part %g,%g %g×%g", p.Clip.X, p.Clip.Y, p.Clip.W, p.Clip.H)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// takeSigner finds the key that seals, and its certificate.
func (s *sealing) takeSigner(ctx context.Context, ring *keyRing) error {
	var err error
	if s.signer, err = ring.signer(ctx, s.flags.key, keys.PurposeSeal); err != nil {
		return err
	}
	s.cert, s.chain, err = s.signer.certificate(s.flags.cert, s.listed()...)
	return err
}

// listed are the certificates that the seal names; one that lists digests names none.
func (s *sealing) listed() []*cert.Certificate {
	var listed []*cert.Certificate
	for _, der := range s.seal.Info.Property.SignerCerts {
		if c, err := cert.Parse(der); err == nil {
			listed = append(listed, c)
		}
	}
	return listed
}

// readiness is a document that is ready to be sealed.
type readiness struct {
	kind     verify.Kind
	prepared seal.Prepared
	stamps   []seal.Stamp
}

// ready fixes all but the signature.
func (s *sealing) ready(in string, file *inputFile) (r readiness, err error) {
	if r.kind, err = verify.RecogniseReader(file, file.size); err != nil {
		return r, err
	}
	switch r.kind {
	case verify.KindOFD:
		r.prepared, r.stamps, err = s.prepareOFD(in, file)
	case verify.KindPDF:
		r.prepared, r.stamps, err = s.preparePDF(in, file)
	default:
		err = refuse("unsupported_format", exitRefused, "only OFD and PDF can be sealed, this is %s", r.kind)
	}
	return r, err
}

// prepareOFD prepares a document of any size, which is read as it is needed.
func (s *sealing) prepareOFD(in string, file *inputFile) (seal.Prepared, []seal.Stamp, error) {
	pkg, err := ofd.OpenReader(file, file.size)
	if err != nil {
		return nil, nil, err
	}
	if err := office.CheckPackageUnclassified(in, pkg); err != nil {
		return nil, nil, err
	}
	o := ofdseal.PrepareOptions{
		Seal: s.seal, SignerCert: s.cert, Stamps: s.stamps, Time: s.at, Lock: s.flags.lock, TimeStamp: s.timeStamp,
	}
	if o.Stamps == nil {
		if o.Stamps, err = s.flags.places.onOFD(pkg, s.size()); err != nil {
			return nil, nil, err
		}
	}
	p, err := ofdseal.PreparePackage(pkg, o)
	if err != nil {
		return nil, nil, err
	}
	return p, p.Stamps(), nil
}

// sealOFD seals from file to file.
func (e *env) sealOFD(s *sealing, p *ofdseal.Prepared, out string) error {
	s.result.Signature = p.ID()
	return e.signInto(p, out, s.signer.signer, func(f *durable.File) error {
		size, err := f.Size()
		if err != nil {
			return err
		}
		return s.readBack(e, f, size)
	})
}

// signInto writes the signed OFD beside its place, and gives it its name when it was read back, by judge too.
func (e *env) signInto(p *ofdseal.Prepared, out string, key crypto.Signer, judge func(*durable.File) error) error {
	f, err := durable.Disk{}.CreateTemp(filepath.Dir(out), 0o644)
	if err != nil {
		return err
	}
	err = p.SignInto(f, e.rand, key)
	if err == nil && judge != nil {
		err = judge(f)
	}
	if err != nil {
		f.Abort()
		return err
	}
	return f.Commit(out)
}

func (s *sealing) preparePDF(in string, file *inputFile) (seal.Prepared, []seal.Stamp, error) {
	if s.flags.lock {
		return nil, nil, usage("--lock is for OFD")
	}
	stamps := s.stamps
	if stamps == nil {
		var err error
		if stamps, err = s.flags.places.onPDF(s.size()); err != nil {
			return nil, nil, err
		}
	}
	data := make([]byte, file.size)
	if _, err := io.ReadFull(io.NewSectionReader(file, 0, file.size), data); err != nil {
		return nil, nil, err
	}
	if err := checkUnclassified(verify.KindPDF, in, data); err != nil {
		return nil, nil, err
	}
	profile, err := parseProfile(s.flags.profile)
	if err != nil {
		return nil, nil, err
	}
	p, err := pdfseal.Prepare(data, pdfseal.PrepareOptions{
		Seal: s.seal, SignerCert: s.cert, Chain: s.chain, Stamps: stamps, Time: s.at, Profile: profile, TimeStamp: s.timeStamp,
	})
	return p, stamps, err
}

func (e *env) sealPDF(s *sealing, p *pdfseal.Prepared, out string) error {
	result, err := p.Sign(e.rand, s.signer.signer)
	if err != nil {
		return err
	}
	if err := s.readBack(e, bytes.NewReader(result), int64(len(result))); err != nil {
		return err
	}
	return writeFile(out, result)
}
