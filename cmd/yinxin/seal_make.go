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

// sealMakeFlags are the flags of seal make.
type sealMakeFlags struct {
	keys                                 keyFlags
	drawn                                drawnSeal
	term                                 termFlags
	name, kind, makerKey, makerCert, out string
	certs                                []string
	digests                              bool
	version                              int
}

func newSealMakeCmd(e *env) *cobra.Command {
	var f sealMakeFlags
	cmd := &cobra.Command{
		Use: "make", Short: "make a seal: the maker signs, --cert names who may use it", Args: exactly(0, "no arguments"),
		Long: "Makes a seal. The maker (制章者) signs it with a key of the purpose make; --cert names the signing certificates that may use it.\n" +
			"--picture auto draws it from the name: the round seal of an organisation, or a person's name (签名章); oval and square are drawn,\n" +
			"too; anything else is a PNG, JPEG or GIF file whose width --diameter gives. --version 1 is for systems that read no other.\n" + keyHelp,
		Example: "  yinxin seal make --name 'OFFICE A' --type org --picture auto --cert seal.pem \\\n" +
			"    --maker-key store:maker --maker-cert maker.pem --from 2026-11-21 --to 2028-11-21 --out jy.esl",
		RunE: func(cmd *cobra.Command, _ []string) error { return e.makeSeal(cmd, f) },
	}
	f.keys.add(cmd)
	cmd.Flags().StringVar(&f.name, "name", "", "the seal's name, as it stands on the arc")
	cmd.Flags().StringVar(&f.kind, "type", "org", "org or person")
	f.drawn.add(cmd)
	cmd.Flags().StringArrayVar(&f.certs, "cert", nil, "a certificate that may use the seal (may be repeated)")
	cmd.Flags().StringVar(&f.makerKey, "maker-key", "", "the maker's KEY")
	cmd.Flags().StringVar(&f.makerCert, "maker-cert", "", "the maker's certificate (default: the one kept with its key)")
	f.term.add(cmd)
	cmd.Flags().BoolVar(&f.digests, "digest-list", false, "write digests of the certificates instead of the certificates")
	cmd.Flags().IntVar(&f.version, "version", ses.Version4, "version of the structure: 4 (GB/T 38540) or 1 (GM/T 0031-2014)")
	cmd.Flags().StringVar(&f.out, "out", "", "write the seal here (.esl)")
	return cmd
}

func (f *sealMakeFlags) check() error {
	switch {
	case f.name == "" || len(f.certs) == 0 || f.makerKey == "" || f.out == "":
		return usage("--name, --cert, --maker-key and --out are required")
	case f.version != ses.Version4 && f.version != ses.Version1:
		return usage("--version %d: want 4 or 1", f.version)
	case f.kind != "org" && f.kind != "person":
		return usage("--type %s: want org or person", f.kind)
	}
	return f.drawn.check()
}

func (e *env) makeSeal(cmd *cobra.Command, f sealMakeFlags) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	o := seal.MakeOptions{
		Name: f.name, Type: ses.TypeOrganisation, DigestList: f.digests, Version: f.version,
		Created: e.now().UTC().Truncate(time.Second), Rand: e.rand,
	}
	if f.kind == "person" {
		o.Type = ses.TypePerson
	}
	for _, path := range f.certs {
		certs, err := readCertificates(path)
		if err != nil {
			return err
		}
		o.Signers = append(o.Signers, certs[0])
	}
	if o.Picture, err = e.sealPicture(f.drawn, f.name, f.kind == "person"); err != nil {
		return err
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
	made, err := seal.Make(o)
	if err != nil {
		return err
	}
	return e.writeSeal(cmd, f.out, made)
}

// writeSeal writes a seal that was made, and says what it is.
func (e *env) writeSeal(cmd *cobra.Command, out string, made *ses.Seal) error {
	if err := writeFile(out, made.Raw); err != nil {
		return err
	}
	if jsonFlag(cmd) {
		return e.printJSON(struct {
			File string `json:"file"`
			*sealView
		}{out, viewSeal(made)})
	}
	_, err := fmt.Fprintf(e.stdout, "%s\t%s (%s), until %s\n", out, made.Info.Property.Name, made.Info.SealID, made.Info.Property.To.Format(time.DateOnly))
	return err
}
