package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/document/ofd"
	"yinxin/internal/verify"
	"yinxin/keys"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// signFlags are the flags of sign.
type signFlags struct {
	keys               keyFlags
	stamp              stampFlags
	key, cert, profile string
	staples            []string
	detached, lock     bool
}

func newSignCmd(e *env) *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use: "sign IN OUT", Short: "make a digital signature without a seal (GB/T 35275)", Args: exactly(2, "IN and OUT"),
		Long: "Signs an OFD (Type=Sign) or a PDF inside the file. Any other file gets a detached signature; verify is given that, and\n" +
			"finds the file beside it when OUT is IN with .p7s behind; --detached does the same for a PDF or an OFD.\n" +
			"The profile gbt writes the object identifiers of GB/T 35275; rfc writes those of RFC 5652, for readers such as OpenSSL\n" +
			"and Bouncy Castle (not in an OFD). --lock covers the list of signatures in an OFD, so that none can follow.\n" +
			"--tsa adds a time-stamp, which proves when the signature was made; it is judged by --root before anything is written.\n" + keyHelp,
		Example: "  yinxin sign --key store:office.sign minutes.txt minutes.txt.p7s\n" +
			"  yinxin sign --key file:my.key --cert my.pem in.ofd out.ofd\n" +
			"  yinxin sign --key file:my.key --cert my.pem --profile rfc --tsa http://127.0.0.1:3161 --root root.pem in.pdf out.pdf",
		RunE: func(cmd *cobra.Command, args []string) error { return e.sign(cmd, f, args[0], args[1]) },
	}
	f.keys.add(cmd)
	f.stamp.add(cmd)
	cmd.Flags().StringVar(&f.key, "key", "", "the KEY that signs (purpose sign)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "its certificate (default: the one kept with it)")
	profileFlag(cmd, &f.profile)
	cmd.Flags().StringArrayVar(&f.staples, "staple", nil, "put this revocation list or OCSP response into a signature beside a file, for later verifiers (may be repeated)")
	cmd.Flags().BoolVar(&f.detached, "detached", false, "a detached signature, whatever the file is")
	cmd.Flags().BoolVar(&f.lock, "lock", false, "close an OFD against further signatures")
	return cmd
}

// profileFlag adds the flag that chooses the object identifiers.
func profileFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "profile", cms.ProfileGBT.String(), "gbt or rfc")
}

func parseProfile(name string) (cms.Profile, error) {
	for _, p := range []cms.Profile{cms.ProfileGBT, cms.ProfileRFC} {
		if p.String() == name {
			return p, nil
		}
	}
	return cms.ProfileGBT, usage("--profile %s: want gbt or rfc", name)
}

// form is what the flags ask for, for a file of this kind.
func (f *signFlags) form(kind verify.Kind) (profile cms.Profile, err error) {
	if profile, err = parseProfile(f.profile); err != nil {
		return profile, err
	}
	inOFD := kind == verify.KindOFD && !f.detached
	switch {
	case inOFD && profile != cms.ProfileGBT:
		return profile, usage("--profile rfc: an OFD holds signatures in the form of GB/T 35275 alone; --detached makes one beside it")
	case f.lock && !inOFD:
		return profile, usage("--lock is for signatures inside an OFD")
	case len(f.staples) > 0 && !f.detached && kind != verify.KindUnknown:
		return profile, usage("--staple is for signatures beside a file; --detached makes one")
	}
	return profile, nil
}

// signedFile is what sign reports.
type signedFile struct {
	File   string `json:"file"`
	Type   string `json:"type"` // ofd, pdf, or cms for a detached signature
	Signer string `json:"signer"`
	// TimeStamped: a time-stamp of the authority that was asked for is beside the signature.
	TimeStamped bool `json:"time_stamped"`
}

func (e *env) sign(cmd *cobra.Command, f signFlags, in, out string) (err error) {
	if f.key == "" {
		return usage("--key is required")
	}
	kind, err := kindOf(in)
	if err != nil {
		return err
	}
	o := cms.SignOptions{Time: e.now().UTC(), Rand: e.rand}
	if o.Profile, err = f.form(kind); err != nil {
		return err
	}
	stamp, err := f.stamp.stamper(cmd.Context(), e)
	if err != nil {
		return err
	}
	kept, err := readStaples(f.staples)
	if err != nil {
		return err
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	h, err := ring.signer(cmd.Context(), f.key, keys.PurposeSign)
	if err != nil {
		return err
	}
	o.Signer = h.signer
	if o.Certificate, o.Chain, err = h.certificate(f.cert); err != nil {
		return err
	}
	if err := e.checkOwn(o.Certificate); err != nil {
		return err
	}
	result := signedFile{File: out, Type: string(verify.KindCMS), Signer: o.Certificate.SubjectText(), TimeStamped: stamp != nil}
	switch {
	case f.detached:
		err = signBeside(o, stamp, kept, in, out)
	case kind == verify.KindPDF:
		result.Type = string(kind)
		err = e.signPDF(o, stamp, in, out)
	case kind == verify.KindOFD:
		result.Type = string(kind)
		err = e.signOFD(o, stamp, f.lock, in, out)
	default:
		err = signBeside(o, stamp, kept, in, out)
	}
	if err != nil {
		return fmt.Errorf("sign %s: %w", in, err)
	}
	return e.result(jsonFlag(cmd), result, "%s\tsigned by %s\n", result.File, result.Signer)
}

// checkOwn refuses to sign by a certificate that every verifier will refuse: one for another use, or one that is not valid
// now.
func (e *env) checkOwn(c *cert.Certificate) error {
	switch now := e.now(); {
	case now.After(c.NotAfter):
		return refuse(string(verdict.CertExpired), exitRefused, "the certificate of %s expired on %s", c.SubjectText(), c.NotAfter.Format(time.RFC3339))
	case now.Before(c.NotBefore):
		return refuse(string(verdict.CertNotYetValid), exitRefused, "the certificate of %s is valid from %s", c.SubjectText(), c.NotBefore.Format(time.RFC3339))
	}
	return c.CheckUse(cert.UseSign)
}

// kindOf tells OFD and PDF from everything else. Of a PDF alone more than the beginning and the directory is read; a ZIP
// may be of any size.
func kindOf(path string) (kind verify.Kind, err error) {
	head, err := headOf(path)
	if err != nil {
		return "", err
	}
	zipped := bytes.HasPrefix(head, []byte("PK\x03\x04"))
	if !bytes.HasPrefix(head, []byte("PK")) && !bytes.HasPrefix(head, []byte("%PDF-")) {
		return verify.KindUnknown, nil
	}
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if zipped && st.Mode().IsRegular() {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer closing(&err, f)
		return verify.RecogniseReader(f, st.Size())
	}
	f, err := openInput(path)
	if err != nil {
		return "", err
	}
	defer closing(&err, f)
	return verify.RecogniseReader(f, f.size)
}

// headOf reads the first bytes of a file, enough to tell the large kinds apart.
func headOf(path string) (head []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer closing(&err, f)
	head = make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:n], err
}

// stamper gives a time-stamp token over the SM3 of a signature value.
type stamper func(sum [32]byte) ([]byte, error)

func (e *env) signPDF(o cms.SignOptions, stamp stamper, in, out string) error {
	data, err := readInput(in)
	if err != nil {
		return err
	}
	if err := checkUnclassified(verify.KindPDF, in, data); err != nil {
		return err
	}
	p, err := pdfseal.Prepare(data, pdfseal.PrepareOptions{
		SignerCert: o.Certificate, Chain: o.Chain, Time: o.Time, Profile: o.Profile, TimeStamp: stamp,
	})
	if err != nil {
		return err
	}
	signed, err := p.Sign(e.rand, o.Signer)
	if err != nil {
		return err
	}
	return writeFile(out, signed)
}

// signOFD adds a signature without a seal to the list of an OFD of any size.
func (e *env) signOFD(o cms.SignOptions, stamp stamper, lock bool, in, out string) (err error) {
	f, err := openInput(in)
	if err != nil {
		return err
	}
	defer closing(&err, f)
	pkg, err := ofd.OpenReader(f, f.size)
	if err != nil {
		return err
	}
	if err := office.CheckPackageUnclassified(in, pkg); err != nil {
		return err
	}
	p, err := ofdseal.PreparePackage(pkg, ofdseal.PrepareOptions{
		SignerCert: o.Certificate, Chain: o.Chain, Time: o.Time, Lock: lock, TimeStamp: stamp,
	})
	if err != nil {
		return err
	}
	return e.signInto(p, out, o.Signer, nil)
}

// signBeside signs the digest of a file of any size.
func signBeside(o cms.SignOptions, stamp stamper, kept staples, in, out string) error {
	if err := checkUnclassifiedFile(in); err != nil {
		return err
	}
	if err := apart(out, in); err != nil {
		return err
	}
	sum, err := digestFile(in)
	if err != nil {
		return err
	}
	der, err := cms.SignDetached(sum, o)
	if err == nil && stamp != nil {
		der, err = cms.Stamp(der, stamp)
	}
	if err == nil && len(kept.crls)+len(kept.ocsp) > 0 {
		der, err = cms.Staple(der, kept.crls, kept.ocsp)
	}
	if err != nil {
		return err
	}
	return writeFile(out, der)
}

// staples are revocation lists and OCSP responses to be kept with a signature.
type staples struct {
	crls []*cert.RevocationList
	ocsp []*cert.OCSPResponse
}

// readStaples reads files that hold the one or the other.
func readStaples(paths []string) (kept staples, err error) {
	if len(paths) > cms.MaxEvidence {
		return kept, usage("--staple: at most %d files", cms.MaxEvidence)
	}
	for _, path := range paths {
		data, err := readInput(path)
		if err != nil {
			return kept, err
		}
		if l, err := cert.ParseCRL(data); err == nil {
			kept.crls = append(kept.crls, l)
			continue
		}
		r, err := cert.ParseOCSP(data)
		if err != nil || r.Status != cert.OCSPSuccessful {
			return kept, refuse("malformed", exitNotFound, "%s holds neither a revocation list nor an answer of an OCSP service", path)
		}
		kept.ocsp = append(kept.ocsp, r)
	}
	return kept, nil
}

// digestFile is the SM3 of a file.
func digestFile(path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := gm.NewSM3()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [32]byte(h.Sum(nil)), nil
}
