package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/internal/verify"
	"yinxin/keys"
	"yinxin/seal/pdfseal"
)

// signFlags are the flags of sign.
type signFlags struct {
	keys      keyFlags
	key, cert string
	detached  bool
}

func newSignCmd(e *env) *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use: "sign IN OUT", Short: "make a digital signature without a seal (GB/T 35275)", Args: exactly(2, "IN and OUT"),
		Long: "Signs a PDF inside the file, by one more revision. Any other file gets a detached signature, which verify finds beside the\n" +
			"file when it is called like it with .p7s behind; --detached does the same for a PDF or an OFD. A signature without a seal\n" +
			"inside an OFD is not part of this build.\n" + keyHelp,
		Example: "  yinxin sign --key store:office.sign minutes.txt minutes.txt.p7s\n  yinxin sign --key file:my.key --cert my.pem in.pdf out.pdf",
		RunE:    func(cmd *cobra.Command, args []string) error { return e.sign(cmd, f, args[0], args[1]) },
	}
	f.keys.add(cmd)
	cmd.Flags().StringVar(&f.key, "key", "", "the KEY that signs (purpose sign)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "its certificate (default: the one kept with it)")
	cmd.Flags().BoolVar(&f.detached, "detached", false, "a detached signature, whatever the file is")
	return cmd
}

// signedFile is what sign reports.
type signedFile struct {
	File   string `json:"file"`
	Type   string `json:"type"` // pdf, or cms for a detached signature
	Signer string `json:"signer"`
}

func (e *env) sign(cmd *cobra.Command, f signFlags, in, out string) (err error) {
	if f.key == "" {
		return usage("--key is required")
	}
	kind, err := kindOf(in)
	if err != nil {
		return err
	}
	if kind == verify.KindOFD && !f.detached {
		return refuse("unsupported_format", exitUsage, "%s: this build cannot sign inside an OFD without a seal; use 'seal apply', or --detached", in)
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	h, err := ring.signer(cmd.Context(), f.key, keys.PurposeSign)
	if err != nil {
		return err
	}
	own, chain, err := h.certificate(f.cert)
	if err != nil {
		return err
	}
	if err := own.CheckUse(cert.UseSign); err != nil {
		return err
	}
	result := signedFile{File: out, Type: string(verify.KindCMS), Signer: own.SubjectText()}
	o := cms.SignOptions{Signer: h.signer, Certificate: own, Chain: chain, Time: e.now().UTC(), Rand: e.rand}
	if kind == verify.KindPDF && !f.detached {
		result.Type = string(verify.KindPDF)
		err = e.signPDF(o, in, out)
	} else {
		err = signBeside(o, in, out)
	}
	if err != nil {
		return fmt.Errorf("sign %s: %w", in, err)
	}
	return e.result(jsonFlag(cmd), result, "%s\tsigned by %s\n", result.File, result.Signer)
}

// kindOf tells OFD and PDF from everything else. Only what begins like one of them is read whole.
func kindOf(path string) (verify.Kind, error) {
	head, err := headOf(path)
	if err != nil {
		return "", err
	}
	if !bytes.HasPrefix(head, []byte("PK")) && !bytes.HasPrefix(head, []byte("%PDF-")) {
		return verify.KindUnknown, nil
	}
	data, err := readInput(path)
	if err != nil {
		return "", err
	}
	return verify.Recognise(data), nil
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

func (e *env) signPDF(o cms.SignOptions, in, out string) error {
	data, err := readInput(in)
	if err != nil {
		return err
	}
	if err := checkUnclassified(verify.KindPDF, in, data); err != nil {
		return err
	}
	p, err := pdfseal.Prepare(data, pdfseal.PrepareOptions{SignerCert: o.Certificate, Chain: o.Chain, Time: o.Time})
	if err != nil {
		return err
	}
	signed, err := p.Sign(e.rand, o.Signer)
	if err != nil {
		return err
	}
	return writeFile(out, signed)
}

// signBeside signs the digest of a file of any size.
func signBeside(o cms.SignOptions, in, out string) error {
	if err := checkUnclassifiedFile(in); err != nil {
		return err
	}
	sum, err := digestFile(in)
	if err != nil {
		return err
	}
	der, err := cms.SignDetached(sum, o)
	if err != nil {
		return err
	}
	return writeFile(out, der)
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
