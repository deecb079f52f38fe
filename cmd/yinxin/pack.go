package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/document/fonts"
	"yinxin/document/ofd"
	"yinxin/internal/durable"
	"yinxin/internal/pages"
	"yinxin/internal/verify"
	"yinxin/keys"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/transport"
	"yinxin/transport/envelope"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// packFlags are the flags of pack.
type packFlags struct {
	keys                                            keyFlags
	trust                                           judgeFlags
	to, cc                                          []string
	archive, own, key, cert, out, urgency, exchange string
	reissues, corrects, annuls                      string
	copies                                          int
}

func newPackCmd(e *env) *cobra.Command {
	var f packFlags
	cmd := &cobra.Command{
		Use: "pack IN...", Short: "sign files and encrypt them for recipients", Args: atLeastOne("file"),
		Long: "Packs files into one envelope (.yxe): encrypted once, with a part of its own for each recipient, which only the holder of the\n" +
			"certificate's key opens and which names that recipient alone. Recipients go by the office code in their certificates, or,\n" +
			"where a certificate names none, by a code made of its digest. --own gives the sender's own encryption certificate, so that\n" +
			"it can reopen what it sent. Files of any size stream.\n" +
			"The first .ofd is the official document. With --root its seals are checked and, where it has metadata and\n" +
			"so was laid out by GB/T 9704, its pages are measured; the signed report says so, and what does not pass is not packed. A document\n" +
			"of other software without metadata is not measured, and its report has no finding of the layout. A hub takes only such an envelope, with --own and, where the hub keeps an archive, --archive. A classified file is refused (exit 5).\n" + keyHelp,
		Example: "  yinxin pack --to jy-enc.pem --key store:office.sign report.xlsx --out report.yxe\n" +
			"  yinxin pack --to jy-enc.pem --cc cz-enc.pem --archive archive-enc.pem --own our-enc.pem --key store:office.sign \\\n" +
			"    --root root.pem document.ofd document.pdf --out exchange.yxe",
		RunE: func(cmd *cobra.Command, args []string) error { return e.pack(cmd, f, args) },
	}
	f.keys.add(cmd)
	f.trust.add(cmd)
	cmd.Flags().StringArrayVar(&f.to, "to", nil, "encryption certificate of a recipient, 主送 (may be repeated)")
	cmd.Flags().StringArrayVar(&f.cc, "cc", nil, "encryption certificate of a recipient, 抄送 (may be repeated)")
	cmd.Flags().StringVar(&f.archive, "archive", "", "encryption certificate of the hub's archive")
	cmd.Flags().StringVar(&f.own, "own", "", "the sender's own encryption certificate")
	cmd.Flags().StringVar(&f.key, "key", "", "the KEY that signs (purpose sign)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "its certificate (default: the one kept with it)")
	cmd.Flags().StringVar(&f.urgency, "urgency", string(transport.Normal), "normal, urgent or extra_urgent")
	cmd.Flags().StringVar(&f.exchange, "exchange", "", "the exchange id, a UUID (default: a new one)")
	cmd.Flags().StringVar(&f.reissues, "reissues", "", "this sends the document of an earlier exchange to more recipients (补发)")
	cmd.Flags().StringVar(&f.corrects, "corrects", "", "this corrects the document of an earlier exchange (更正)")
	cmd.Flags().StringVar(&f.annuls, "annuls", "", "this takes the document of an earlier exchange out of force (废止)")
	cmd.Flags().IntVar(&f.copies, "copies", 0, "official copies that each recipient may print (default: the hub's rule)")
	cmd.Flags().StringVar(&f.out, "out", "", "write the envelope here (.yxe)")
	return cmd
}

// refers is the earlier exchange that the flags name.
func (f *packFlags) refers() (r transport.Reference, err error) {
	for kind, exchange := range map[transport.ReferenceKind]string{
		transport.Reissues: f.reissues, transport.Corrects: f.corrects, transport.Annuls: f.annuls,
	} {
		switch {
		case exchange == "":
		case r != transport.Reference{}:
			return r, usage("--reissues, --corrects and --annuls exclude each other")
		case !transport.ValidID(exchange):
			return r, usage("%s is no exchange", exchange)
		default:
			r = transport.Reference{Kind: kind, Exchange: exchange}
		}
	}
	return r, checkCopies(f.copies)
}

func (f *packFlags) check() error {
	switch {
	case len(f.to)+len(f.cc) == 0:
		return usage("--to is required")
	case f.key == "" || f.out == "":
		return usage("--key and --out are required")
	case f.exchange != "" && !transport.ValidID(f.exchange):
		return usage("--exchange %s: want a UUID in lower case", f.exchange)
	}
	switch transport.Urgency(f.urgency) {
	case transport.Normal, transport.Urgent, transport.ExtraUrgent:
		return nil
	}
	return usage("--urgency %s: want normal, urgent or extra_urgent", f.urgency)
}

// packed is what pack reports.
type packed struct {
	File       string          `json:"file"`
	Exchange   string          `json:"exchange"`
	Sender     string          `json:"sender"`
	Recipients []addresseeView `json:"recipients"`
	Size       int64           `json:"size"`
	Files      int             `json:"files"`
}

func (e *env) pack(cmd *cobra.Command, f packFlags, inputs []string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	if err := apart(f.out, inputs...); err != nil {
		return err
	}
	o := envelope.PackOptions{Exchange: f.exchange, Urgency: transport.Urgency(f.urgency), Document: -1, Rand: e.rand}
	if o.Refers, err = f.refers(); err != nil {
		return err
	}
	if o.Exchange == "" {
		if o.Exchange, err = transport.NewID(e.now(), e.rand); err != nil {
			return err
		}
	}
	if err := f.parties(&o); err != nil {
		return err
	}
	for i := range o.Recipients {
		if o.Recipients[i].Role != transport.ForArchive {
			o.Recipients[i].Copies = f.copies
		}
	}
	if err := e.checkDocuments(f, inputs, &o); err != nil {
		return err
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	if err := e.packSigner(cmd.Context(), ring, f, &o); err != nil {
		return err
	}
	done, err := packTo(f.out, inputs, o)
	if err != nil {
		return fmt.Errorf("pack %s: %w", f.out, err)
	}
	r := packed{File: f.out, Exchange: o.Exchange, Sender: o.Sender, Size: done.Size, Files: len(done.Files), Recipients: []addresseeView{}}
	var names []string
	for _, p := range done.Parts {
		r.Recipients = append(r.Recipients, addresseeView{p.Recipient, string(p.Role)})
		names = append(names, fmt.Sprintf("%s (%s)", p.Recipient, p.Role))
	}
	return e.result(jsonFlag(cmd), r, "%s\t%d file(s), %d bytes, from %s for %s\n", r.File, r.Files, r.Size, r.Sender, strings.Join(names, ", "))
}

// parties reads the encryption certificates of everybody who gets a part.
func (f *packFlags) parties(o *envelope.PackOptions) error {
	add := func(role transport.Role, paths ...string) error {
		for _, path := range paths {
			c, err := encryptionCertificate(path)
			if err != nil {
				return err
			}
			o.Recipients = append(o.Recipients, envelope.Recipient{Code: envelope.PartyCode(c), Role: role, Certificate: c})
		}
		return nil
	}
	if err := errors.Join(add(transport.To, f.to...), add(transport.CC, f.cc...)); err != nil {
		return err
	}
	if f.archive != "" {
		if err := add(transport.ForArchive, f.archive); err != nil {
			return err
		}
	}
	if f.own == "" {
		return nil
	}
	var err error
	o.Own, err = encryptionCertificate(f.own)
	return err
}

// encryptionCertificate reads the certificate of a file that may encrypt; a file may hold both halves of a dual
// certificate, and the chain.
func encryptionCertificate(path string) (*cert.Certificate, error) {
	certs, err := readCertificates(path)
	if err != nil {
		return nil, err
	}
	for _, c := range certs {
		if c.CheckUse(cert.UseEncrypt) == nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", path, certs[0].CheckUse(cert.UseEncrypt))
}

func (e *env) packSigner(ctx context.Context, ring *keyRing, f packFlags, o *envelope.PackOptions) error {
	h, err := ring.signer(ctx, f.key, keys.PurposeSign)
	if err != nil {
		return err
	}
	own, chain, err := h.certificate(f.cert)
	if err != nil {
		return err
	}
	if err := e.checkOwn(own); err != nil {
		return err
	}
	o.Sender = envelope.PartyCode(own)
	o.Sign = cms.SignOptions{Signer: h.signer, Certificate: own, Chain: chain, Time: e.now().UTC(), Rand: e.rand}
	return nil
}

// checkDocuments refuses classified documents, and writes the report that a hub wants of the first OFD.
func (e *env) checkDocuments(f packFlags, inputs []string, o *envelope.PackOptions) error {
	for i, path := range inputs {
		if !strings.EqualFold(filepath.Ext(path), ".ofd") {
			if err := checkUnclassifiedFile(path); err != nil {
				return fmt.Errorf("pack %s: %w", path, err)
			}
			continue
		}
		data, err := readInput(path)
		if err != nil {
			return err
		}
		if err := checkUnclassified(verify.KindOFD, path, data); err != nil {
			return fmt.Errorf("pack %s: %w", path, err)
		}
		if o.Document >= 0 {
			continue
		}
		o.Document = i
		if o.Report, err = e.senderReport(f, data, i); err != nil {
			return fmt.Errorf("pack %s: %w", path, err)
		}
	}
	return nil
}

// senderReport checks the official document as a sender must. Without a root the seals are not judged, and the report
// says so.
func (e *env) senderReport(f packFlags, data []byte, place int) (envelope.Report, error) {
	if len(f.trust.roots) == 0 {
		fmt.Fprintln(e.stderr, "warning: no --root: the seals are not checked, and no hub will take this envelope")
		return envelope.Report{Tool: "yinxin-1", Findings: []envelope.Finding{
			{Check: envelope.FindingClassification, Verdict: verdict.Passed},
			{Check: envelope.FindingSeals, Verdict: verdict.Indeterminate, Reason: verdict.NoTrustAnchor},
		}}, nil
	}
	o, err := f.trust.options(e)
	if err != nil {
		return envelope.Report{}, err
	}
	uses, err := sealUses(data, place)
	if err != nil {
		return envelope.Report{}, err
	}
	judging := seal.VerifyOptions{Policy: o.Policy, Now: o.Moment(), Makers: o.Makers}
	return office.CheckReport(data, judging, pages.Measurer(fonts.Embedded()), uses)
}

// valueName ends the names of the entries that hold seal signatures.
const valueName = "SignedValue.dat"

// sealUses lists which seals the document bears and whose certificates sealed. Nobody's approval is known here.
func sealUses(data []byte, place int) ([]envelope.SealUse, error) {
	pkg, err := ofd.Open(data)
	if err != nil {
		return nil, err
	}
	uses := []envelope.SealUse{}
	for _, name := range pkg.Names() {
		value, ok := pkg.Entry(name)
		if !ok || !strings.HasSuffix(name, valueName) || !ses.LooksLikeSignature(value) || len(uses) == envelope.MaxSeals {
			continue
		}
		s, err := ses.ParseSignature(value)
		if err != nil {
			continue // the check of the seals says what is wrong with it
		}
		signer, err := cert.Parse(s.Cert)
		if err != nil {
			continue
		}
		uses = append(uses, envelope.SealUse{File: place, Seal: s.ToBeSigned.Seal.Info.SealID, Signer: transport.Digest(signer.SM3())})
	}
	return uses, nil
}

// packTo streams the files into an envelope that gets its name only when it is whole.
func packTo(out string, inputs []string, o envelope.PackOptions) (_ *envelope.Packed, err error) {
	for _, path := range inputs {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer closing(&err, f)
		o.Files = append(o.Files, envelope.Source{Name: filepath.Base(path), Content: f})
	}
	if sink(out) {
		var done *envelope.Packed
		err := pour(out, func(w io.Writer) (err error) {
			done, err = envelope.Pack(w, o)
			return err
		})
		return done, err
	}
	target, err := durable.Disk{}.CreateTemp(filepath.Dir(out), 0o644)
	if err != nil {
		return nil, err
	}
	defer target.Abort()
	done, err := envelope.Pack(target, o)
	if err != nil {
		return nil, err
	}
	return done, target.Commit(out)
}
