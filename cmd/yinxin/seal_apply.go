package main

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
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
			"Nobody approves a sealing with a bare key: the result says approval: none.\n" + keyHelp,
		Example: "  yinxin seal apply --seal jy.esl --key store:office.seal --on-date notice.ofd sealed.ofd\n" +
			"  yinxin seal apply --seal jy.esl --key store:office.seal --on-date --across right --lock notice.ofd sealed.ofd\n" +
			"  yinxin seal apply --seal jy.esl --key file:seal.key --at 2,120,180 notice.pdf sealed.pdf",
		RunE: func(cmd *cobra.Command, args []string) error { return e.applySeal(cmd, f, args[0], args[1]) },
	}
	f.keys.add(cmd)
	f.places.add(cmd)
	f.stamp.add(cmd)
	cmd.Flags().StringVar(&f.seal, "seal", "", "the seal (.esl)")
	cmd.Flags().StringVar(&f.key, "key", "", "the KEY that seals (purpose seal)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "its certificate (default: the one kept with it, or in the seal)")
	cmd.Flags().BoolVar(&f.lock, "lock", false, "let no signature follow (OFD)")
	profileFlag(cmd, &f.profile)
	return cmd
}

func (f *applyFlags) check() error {
	if f.seal == "" || f.key == "" {
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

// sealed is what seal apply reports. Approval is always none: a bare key seals.
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
	result sealed
}

func (s *sealing) size() seal.Size {
	return seal.Size{W: float64(s.seal.Info.Picture.Width), H: float64(s.seal.Info.Picture.Height)}
}

func (e *env) applySeal(cmd *cobra.Command, f applyFlags, in, out string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	s := &sealing{flags: f, at: e.now().UTC().Truncate(time.Second)}
	if s.seal, err = readSeal(f.seal); err != nil {
		return err
	}
	if err := checkMade(f.seal, s.seal, cert.Moment{Now: s.at}); err != nil {
		return err
	}
	file, err := openInput(in)
	if err != nil {
		return err
	}
	defer closing(&err, file)
	kind, err := verify.RecogniseReader(file, file.size)
	if err != nil {
		return err
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	if err := s.takeSigner(cmd.Context(), ring); err != nil {
		return err
	}
	switch kind {
	case verify.KindOFD:
		err = e.sealOFD(cmd.Context(), s, in, file, out)
	case verify.KindPDF:
		err = e.sealPDF(cmd.Context(), s, in, out)
	default:
		return refuse("unsupported_format", exitRefused, "only OFD and PDF can be sealed, this is %s", kind)
	}
	if err != nil {
		return fmt.Errorf("seal %s: %w", in, err)
	}
	first := s.result.Stamps[0]
	s.result.File, s.result.Type, s.result.Approval = out, string(kind), seal.ApprovalNone
	s.result.Seal, s.result.SealID = s.seal.Info.Property.Name, s.seal.Info.SealID
	s.result.Signer, s.result.Time = s.cert.SubjectText(), s.at
	s.result.Page, s.result.X, s.result.Y = first.Page, first.X, first.Y
	if jsonFlag(cmd) {
		return e.result(true, s.result, "")
	}
	return e.printSealed(s.result)
}

func (e *env) printSealed(r sealed) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\t%s (%s)\n", r.File, r.Seal, r.SealID)
	for _, p := range r.Stamps {
		fmt.Fprintf(&text, "page %d at %g,%g mm", p.Page, p.X, p.Y)
		if p.Clip != nil {
			fmt.Fprintf(&text, ", its part %g,%g %g×%g", p.Clip.X, p.Clip.Y, p.Clip.W, p.Clip.H)
		}
		text.WriteByte('\n')
	}
	judged := "no, for want of a --root"
	if r.Judged {
		judged = "passed"
	}
	return e.result(false, r, "%sread back: %s\napproval: %s\n", text.String(), judged, r.Approval)
}

// takeSigner finds the key that seals, and its certificate.
func (s *sealing) takeSigner(ctx context.Context, ring *keyRing) error {
	var err error
	if s.signer, err = ring.signer(ctx, s.flags.key, keys.PurposeSeal); err != nil {
		return err
	}
	var listed []*cert.Certificate
	for _, der := range s.seal.Info.Property.SignerCerts {
		if c, err := cert.Parse(der); err == nil {
			listed = append(listed, c)
		}
	}
	s.cert, s.chain, err = s.signer.certificate(s.flags.cert, listed...)
	return err
}

// sealOFD seals a document of any size, from file to file.
func (e *env) sealOFD(ctx context.Context, s *sealing, in string, file *inputFile, out string) error {
	pkg, err := ofd.OpenReader(file, file.size)
	if err != nil {
		return err
	}
	if err := office.CheckPackageUnclassified(in, pkg); err != nil {
		return err
	}
	o := ofdseal.PrepareOptions{Seal: s.seal, SignerCert: s.cert, Time: s.at, Lock: s.flags.lock}
	if o.Stamps, err = s.flags.places.onOFD(pkg, s.size()); err != nil {
		return err
	}
	if o.TimeStamp, err = s.flags.stamp.stamper(ctx, e); err != nil {
		return err
	}
	p, err := ofdseal.PreparePackage(pkg, o)
	if err != nil {
		return err
	}
	s.result.Stamps, s.result.Signature = placesOf(p.Stamps()), p.ID()
	s.result.Locked, s.result.Stamped = s.flags.lock, o.TimeStamp != nil
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

func (e *env) sealPDF(ctx context.Context, s *sealing, in, out string) error {
	if s.flags.lock {
		return usage("--lock is for OFD")
	}
	stamp, err := s.flags.stamp.stamper(ctx, e)
	if err != nil {
		return err
	}
	stamps, err := s.flags.places.onPDF(s.size())
	if err != nil {
		return err
	}
	data, err := readInput(in)
	if err != nil {
		return err
	}
	if err := checkUnclassified(verify.KindPDF, in, data); err != nil {
		return err
	}
	profile, err := parseProfile(s.flags.profile)
	if err != nil {
		return err
	}
	p, err := pdfseal.Prepare(data, pdfseal.PrepareOptions{
		Seal: s.seal, SignerCert: s.cert, Chain: s.chain, Stamps: stamps, Time: s.at, Profile: profile,
		TimeStamp: stamp,
	})
	if err != nil {
		return err
	}
	result, err := p.Sign(e.rand, s.signer.signer)
	if err != nil {
		return err
	}
	if err := s.readBack(e, bytes.NewReader(result), int64(len(result))); err != nil {
		return err
	}
	s.result.Stamps, s.result.Stamped = placesOf(stamps), stamp != nil
	return writeFile(out, result)
}
