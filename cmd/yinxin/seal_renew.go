package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/ses"
)

// sealRenewFlags are the flags of seal renew.
type sealRenewFlags struct {
	keys                     keyFlags
	term                     termFlags
	makerKey, makerCert, out string
	certs                    []string
}

func newSealRenewCmd(e *env) *cobra.Command {
	var f sealRenewFlags
	cmd := &cobra.Command{
		Use: "renew OLD.esl", Short: "make a seal anew after its key was rotated", Args: exactly(1, "the old seal"),
		Long: "Makes a seal with the name, picture and kind of list of an old one, a new identity, and --cert as its users. Documents keep\n" +
			"the seal that they bear; with a hub, register the new one and void the old one (seals renew).\n" + keyHelp,
		Example: "  yinxin seal renew jy.esl --cert seal2.pem --maker-key store:maker --out jy2.esl",
		RunE:    func(cmd *cobra.Command, args []string) error { return e.renewSeal(cmd, f, args[0]) },
	}
	f.keys.add(cmd)
	cmd.Flags().StringArrayVar(&f.certs, "cert", nil, "a certificate that may use the seal (may be repeated)")
	cmd.Flags().StringVar(&f.makerKey, "maker-key", "", "the maker's KEY")
	cmd.Flags().StringVar(&f.makerCert, "maker-cert", "", "the maker's certificate (default: the one kept with its key)")
	f.term.add(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "write the new seal here (.esl)")
	return cmd
}

func (e *env) renewSeal(cmd *cobra.Command, f sealRenewFlags, path string) (err error) {
	if len(f.certs) == 0 || f.makerKey == "" || f.out == "" {
		return usage("--cert, --maker-key and --out are required")
	}
	old, err := readSeal(path)
	if err != nil {
		return err
	}
	o := seal.RenewOptions{Created: e.now().UTC().Truncate(time.Second), Rand: e.rand}
	for _, c := range f.certs {
		certs, err := readCertificates(c)
		if err != nil {
			return err
		}
		o.Signers = append(o.Signers, certs[0])
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	maker, err := ring.signer(cmd.Context(), f.makerKey, keys.PurposeMake)
	if err != nil {
		return err
	}
	o.Maker = maker.signer
	if o.MakerCert, _, err = maker.certificate(f.makerCert); err != nil {
		return fmt.Errorf("the maker's certificate: %w", err)
	}
	term, err := f.term.within(o.Created, append([]*cert.Certificate{o.MakerCert}, o.Signers...))
	if err != nil {
		return err
	}
	o.From, o.To = term.From, term.To
	made, err := seal.Renew(old, o)
	if err != nil {
		return err
	}
	return e.writeSeal(cmd, f.out, made)
}

// readSeal reads a seal file.
func readSeal(path string) (*ses.Seal, error) {
	esl, err := readInput(path)
	if err != nil {
		return nil, err
	}
	s, err := ses.ParseSeal(esl)
	if err != nil {
		return nil, refuse("seal_invalid", exitNotFound, "%s is no seal that can be used: %w", path, err)
	}
	return s, nil
}
