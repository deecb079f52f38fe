package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/document/fonts"
	"yinxin/internal/verify"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/picture"
	"yinxin/seal/ses"
)

func newSealCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "seal", Short: "make seals, and seal documents with a key at hand",
		Long: "Makes electronic seals (shaped after GB/T 38540-2020, version 4) and puts them on OFD and PDF documents with keys at hand. A\n" +
			"sealing with a bare key is nobody's approval: it is reported as approval: none. Where a second person must approve, use the\n" +
			"office service (send, approve).",
		Example: "  yinxin seal make --name 'OFFICE A' --cert seal.pem --maker-key store:maker --maker-cert maker.pem --out jy.esl\n" +
			"  yinxin seal apply --seal jy.esl --key store:office.seal --on-date notice.ofd sealed.ofd",
	}
	cmd.AddCommand(newSealMakeCmd(e), newSealApplyCmd(e))
	return cmd
}

// sealMakeFlags are the flags of seal make.
type sealMakeFlags struct {
	keys                                                            keyFlags
	name, kind, picture, bottom, makerKey, makerCert, from, to, out string
	certs                                                           []string
	diameter                                                        float64
	digests                                                         bool
	version                                                         int
}

func newSealMakeCmd(e *env) *cobra.Command {
	var f sealMakeFlags
	cmd := &cobra.Command{
		Use: "make", Short: "make a seal: the maker signs, --cert names who may use it", Args: exactly(0, "no arguments"),
		Long: "Makes a seal. The maker (制章者) signs it with a key of the purpose make; --cert names the signing certificates that may use it.\n" +
			"--picture auto draws the round seal of an organisation from its name; else a PNG, JPEG or GIF whose width --diameter gives.\n" +
			"Only version 4 is written.\n" + keyHelp,
		Example: "  yinxin seal make --name 'OFFICE A' --type org --picture auto --cert seal.pem \\\n" +
			"    --maker-key store:maker --maker-cert maker.pem --from 2026-11-21 --to 2028-11-21 --out jy.esl",
		RunE: func(cmd *cobra.Command, _ []string) error { return e.makeSeal(cmd, f) },
	}
	f.keys.add(cmd)
	cmd.Flags().StringVar(&f.name, "name", "", "the seal's name, as it stands on the arc")
	cmd.Flags().StringVar(&f.kind, "type", "org", "org or person")
	cmd.Flags().StringVar(&f.picture, "picture", "auto", "auto, or a picture file")
	cmd.Flags().StringVar(&f.bottom, "bottom-line", "", "the line below the star, for instance 公文专用章 (with --picture auto)")
	cmd.Flags().Float64Var(&f.diameter, "diameter", picture.DefaultDiameter, "diameter, or width of a picture file, in mm")
	cmd.Flags().StringArrayVar(&f.certs, "cert", nil, "a certificate that may use the seal (may be repeated)")
	cmd.Flags().StringVar(&f.makerKey, "maker-key", "", "the maker's KEY")
	cmd.Flags().StringVar(&f.makerCert, "maker-cert", "", "the maker's certificate (default: the one kept with its key)")
	cmd.Flags().StringVar(&f.from, "from", "", "valid from (default: now)")
	cmd.Flags().StringVar(&f.to, "to", "", "valid to (default: as long as the certificates, at most two years)")
	cmd.Flags().BoolVar(&f.digests, "digest-list", false, "write digests of the certificates instead of the certificates")
	cmd.Flags().IntVar(&f.version, "version", ses.Version4, "version of the structure: 4")
	cmd.Flags().StringVar(&f.out, "out", "", "write the seal here (.esl)")
	return cmd
}

func (f *sealMakeFlags) check() error {
	switch {
	case f.name == "" || len(f.certs) == 0 || f.makerKey == "" || f.out == "":
		return usage("--name, --cert, --maker-key and --out are required")
	case f.version != ses.Version4:
		return usage("--version %d: this build writes version 4 only", f.version)
	case f.kind != "org" && f.kind != "person":
		return usage("--type %s: want org or person", f.kind)
	case f.kind == "person" && f.picture == "auto":
		return usage("--picture auto draws seals of organisations; give a personal seal's picture as a file")
	case f.diameter <= 0 || f.diameter > 1000:
		return usage("--diameter %g: want millimetres", f.diameter)
	}
	return nil
}

func (e *env) makeSeal(cmd *cobra.Command, f sealMakeFlags) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	o := seal.MakeOptions{Name: f.name, Type: ses.TypeOrganisation, DigestList: f.digests, Created: e.now().UTC().Truncate(time.Second), Rand: e.rand}
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
	if o.Picture, err = e.sealPicture(f); err != nil {
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
	if err := f.validity(&o); err != nil {
		return err
	}
	made, err := seal.Make(o)
	if err != nil {
		return err
	}
	if err := writeFile(f.out, made.Raw); err != nil {
		return err
	}
	if jsonFlag(cmd) {
		return e.printJSON(struct {
			File string `json:"file"`
			*sealView
		}{f.out, viewSeal(made)})
	}
	_, err = fmt.Fprintf(e.stdout, "%s\t%s (%s), until %s\n", f.out, made.Info.Property.Name, made.Info.SealID, made.Info.Property.To.Format(time.DateOnly))
	return err
}

// sealLife is how long a seal is valid by default, if its certificates are.
const sealLife = 2 * 365 * 24 * time.Hour

// validity fills in from when to when the seal is valid.
func (f *sealMakeFlags) validity(o *seal.MakeOptions) error {
	var err error
	if o.From, err = parseMoment("--from", f.from); err != nil {
		return err
	}
	if o.To, err = parseMoment("--to", f.to); err != nil {
		return err
	}
	if o.From.IsZero() {
		o.From = o.Created
	}
	if !o.To.IsZero() {
		return nil
	}
	o.To = o.From.Add(sealLife)
	for _, c := range append([]*cert.Certificate{o.MakerCert}, o.Signers...) {
		if c.NotAfter.Before(o.To) {
			o.To = c.NotAfter
		}
	}
	return nil
}

// sealPicture draws the picture or reads it from a file.
func (e *env) sealPicture(f sealMakeFlags) (ses.Picture, error) {
	if f.picture == "auto" {
		drawn, err := picture.Draw(picture.Organisation{Name: f.name, BottomLine: f.bottom, Diameter: f.diameter}, fonts.Embedded())
		if err != nil {
			return ses.Picture{}, err
		}
		png, err := drawn.PNG(picture.DefaultDPI)
		w, h := drawn.MM()
		return ses.Picture{Type: "PNG", Data: png, Width: w, Height: h}, err
	}
	if f.bottom != "" {
		return ses.Picture{}, usage("--bottom-line is for --picture auto")
	}
	data, err := readInput(f.picture)
	if err != nil {
		return ses.Picture{}, err
	}
	info, err := picture.Examine(data)
	if err != nil {
		return ses.Picture{}, fmt.Errorf("%s: %w", f.picture, err)
	}
	if !info.Transparent {
		fmt.Fprintf(e.stderr, "warning: %s is opaque: the seal will hide the text below it\n", f.picture)
	}
	height := f.diameter * float64(info.Height) / float64(info.Width)
	return ses.Picture{Type: info.Type, Data: data, Width: int(math.Round(f.diameter)), Height: max(1, int(math.Round(height)))}, nil
}

// applyFlags are the flags of seal apply.
type applyFlags struct {
	keys                             keyFlags
	seal, key, cert, at, across, tsa string
	onDate, lock                     bool
}

func newSealApplyCmd(e *env) *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use: "apply IN OUT", Short: "put a seal on an OFD or a PDF", Args: exactly(2, "IN and OUT"),
		Long: "Seals a document with a key at hand. --at gives page (from 1) and the picture's top left corner in mm from the page's; --on-date\n" +
			"finds the line with the date of an OFD (成文日期) and places the seal over it. Sealing a PDF adds one revision; a PDF knows\n" +
			"neither --on-date nor --lock. --lock covers the list of signatures, so that none can follow.\n" +
			"A document with a classification mark is refused (exit 5); of a PDF only its information dictionary is looked at.\n" +
			"Nobody approves a sealing with a bare key: the result says approval: none. Seals across page edges (--across) and\n" +
			"time-stamps (--tsa) are not part of this build.\n" + keyHelp,
		Example: "  yinxin seal apply --seal jy.esl --key store:office.seal --on-date notice.ofd sealed.ofd\n" +
			"  yinxin seal apply --seal jy.esl --key file:seal.key --at 2,120,180 notice.pdf sealed.pdf",
		RunE: func(cmd *cobra.Command, args []string) error { return e.applySeal(cmd, f, args[0], args[1]) },
	}
	f.keys.add(cmd)
	cmd.Flags().StringVar(&f.seal, "seal", "", "the seal (.esl)")
	cmd.Flags().StringVar(&f.key, "key", "", "the KEY that seals (purpose seal)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "its certificate (default: the one kept with it, or in the seal)")
	cmd.Flags().StringVar(&f.at, "at", "", "page,x,y: page from 1, mm to the picture's top left corner")
	cmd.Flags().BoolVar(&f.onDate, "on-date", false, "over the date of an OFD")
	cmd.Flags().BoolVar(&f.lock, "lock", false, "let no signature follow (OFD)")
	cmd.Flags().StringVar(&f.across, "across", "", "across page edges: not part of this build")
	cmd.Flags().StringVar(&f.tsa, "tsa", "", "time-stamp authority: not part of this build")
	return cmd
}

func (f *applyFlags) check() error {
	switch {
	case f.across != "":
		return usage("--across: seals across page edges (骑缝章) are not part of this build")
	case f.tsa != "":
		return usage("--tsa: time-stamps are not part of this build")
	case f.seal == "" || f.key == "":
		return usage("--seal and --key are required")
	case (f.at == "") == !f.onDate:
		return usage("want one of --at page,x,y and --on-date")
	}
	return nil
}

// sealed is what seal apply reports. Approval is always none: a bare key seals.
type sealed struct {
	File     string    `json:"file"`
	Type     string    `json:"type"`
	Seal     string    `json:"seal"`
	SealID   string    `json:"seal_id"`
	Signer   string    `json:"signer"`
	Time     time.Time `json:"time"`
	Page     int       `json:"page"`
	X        float64   `json:"x"`
	Y        float64   `json:"y"`
	Approval string    `json:"approval"`
}

func (e *env) applySeal(cmd *cobra.Command, f applyFlags, in, out string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	data, err := readInput(in)
	if err != nil {
		return err
	}
	esl, err := readInput(f.seal)
	if err != nil {
		return err
	}
	made, err := ses.ParseSeal(esl)
	if err != nil {
		return refuse("seal_invalid", exitNotFound, "%s is no seal that can be used: %w", f.seal, err)
	}
	kind := verify.Recognise(data)
	if err := checkUnclassified(kind, in, data); err != nil {
		return fmt.Errorf("seal %s: %w", in, err)
	}
	stamp, err := f.stamp(kind, data, made)
	if err != nil {
		return err
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	p, h, signer, err := e.prepareSeal(cmd.Context(), ring, f, sealing{kind: kind, data: data, seal: made, stamp: stamp})
	if err != nil {
		return fmt.Errorf("seal %s: %w", in, err)
	}
	result, err := p.Sign(e.rand, h.signer)
	if err != nil {
		return fmt.Errorf("seal %s: %w", in, err)
	}
	if err := writeFile(out, result); err != nil {
		return err
	}
	r := sealed{
		File: out, Type: string(kind), Seal: made.Info.Property.Name, SealID: made.Info.SealID, Signer: signer.cert.SubjectText(),
		Time: signer.at, Page: stamp.Page + 1, X: stamp.X, Y: stamp.Y, Approval: seal.ApprovalNone,
	}
	return e.result(jsonFlag(cmd), r, "%s\t%s (%s), page %d at %g,%g mm\napproval: %s\n", r.File, r.Seal, r.SealID, r.Page, r.X, r.Y, r.Approval)
}

// micrometres rounds millimetres to three places: what calculating with fractions leaves behind is no measure.
func micrometres(mm float64) float64 { return math.Round(mm*1000) / 1000 }

// sealing is what is to be sealed, with what and where.
type sealing struct {
	kind  verify.Kind
	data  []byte
	seal  *ses.Seal
	stamp seal.Stamp
}

// signing is who signs, and when.
type signing struct {
	cert *cert.Certificate
	at   time.Time
}

func (e *env) prepareSeal(ctx context.Context, ring *keyRing, f applyFlags, s sealing) (seal.Prepared, held, signing, error) {
	who := signing{at: e.now().UTC().Truncate(time.Second)}
	h, err := ring.signer(ctx, f.key, keys.PurposeSeal)
	if err != nil {
		return nil, h, who, err
	}
	var listed []*cert.Certificate
	for _, der := range s.seal.Info.Property.SignerCerts {
		if c, err := cert.Parse(der); err == nil {
			listed = append(listed, c)
		}
	}
	own, chain, err := h.certificate(f.cert, listed...)
	if err != nil {
		return nil, h, who, err
	}
	who.cert = own
	stamps := []seal.Stamp{s.stamp}
	if s.kind == verify.KindPDF {
		p, err := pdfseal.Prepare(s.data, pdfseal.PrepareOptions{Seal: s.seal, SignerCert: own, Chain: chain, Stamps: stamps, Time: who.at})
		return p, h, who, err
	}
	p, err := ofdseal.Prepare(s.data, ofdseal.PrepareOptions{Seal: s.seal, SignerCert: own, Stamps: stamps, Time: who.at, Lock: f.lock})
	return p, h, who, err
}

// stamp says where the seal goes. Its size is the seal's.
func (f *applyFlags) stamp(kind verify.Kind, data []byte, s *ses.Seal) (seal.Stamp, error) {
	pic := s.Info.Picture
	stamp := seal.Stamp{W: float64(pic.Width), H: float64(pic.Height)}
	switch kind {
	case verify.KindOFD:
	case verify.KindPDF:
		if f.onDate || f.lock {
			return stamp, usage("a PDF knows neither --on-date nor --lock; give the place with --at")
		}
	default:
		return stamp, refuse("unsupported_format", exitRefused, "only OFD and PDF can be sealed, this is %s", kind)
	}
	if f.onDate {
		centre, err := findDate(data)
		if err != nil {
			return stamp, err
		}
		stamp.Page, stamp.X, stamp.Y = centre.page, micrometres(centre.x-stamp.W/2), micrometres(centre.y-stamp.H/2)
		return stamp, nil
	}
	parts := strings.Split(f.at, ",")
	if len(parts) != 3 {
		return stamp, usage("--at %s: want page,x,y", f.at)
	}
	page, err := strconv.Atoi(parts[0])
	if err != nil || page < 1 {
		return stamp, usage("--at %s: pages count from 1", f.at)
	}
	stamp.Page = page - 1
	for i, to := range []*float64{&stamp.X, &stamp.Y} {
		if *to, err = strconv.ParseFloat(parts[i+1], 64); err != nil || math.IsNaN(*to) || math.IsInf(*to, 0) {
			return stamp, usage("--at %s: x and y are millimetres", f.at)
		}
	}
	return stamp, nil
}
