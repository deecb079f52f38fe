package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/keys"
)

func newCertCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "certificate requests, and a small CA for pilots and tests",
		Long: "A small CA for pilots and tests: a root, CAs below it, dual certificates (signing and encryption apart, GB/T 20518),\n" +
			"seal makers, time-stamp authorities, revocation lists and OCSP answers. Its key has the purpose issue. With --register\n" +
			"FILE it remembers what it issued: then 'revoke' marks certificates, 'crl' lists them under the next number, and 'ocsp'\n" +
			"answers for them. Each CA has a register of its own.\n" + keyHelp,
		Example: "  yinxin keys create ca --purpose issue\n  yinxin cert root --key store:ca --name 'Pilot root' --out root.pem\n" +
			"  yinxin cert issue --ca-key store:ca --ca-cert root.pem --register ca.json --csr seal.csr --use sign --out seal.pem\n" +
			"  yinxin cert revoke seal.pem --register ca.json --reason key_compromise\n" +
			"  yinxin cert crl --ca-key store:ca --ca-cert root.pem --register ca.json --out ca.crl",
	}
	cmd.AddCommand(newCertRootCmd(e), newCertRequestCmd(e), newCertIntermediateCmd(e), newCertIssueCmd(e), newCertListCmd(e), newCertRevokeCmd(e),
		newCertCRLCmd(e), newCertOCSPCmd(e), newCertOCSPRequestCmd(e), newCertShowCmd(e))
	return cmd
}

// lifeFlags bound the validity of what is issued.
type lifeFlags struct{ from, to string }

func (f *lifeFlags) add(cmd *cobra.Command, span string) {
	cmd.Flags().StringVar(&f.from, "from", "", "valid from (RFC 3339 or yyyy-mm-dd; default: now)")
	cmd.Flags().StringVar(&f.to, "to", "", "valid to (default: "+span+")")
}

func (f *lifeFlags) options() (cert.IssueOptions, error) {
	var o cert.IssueOptions
	var err error
	if o.NotBefore, err = parseMoment("--from", f.from); err != nil {
		return o, err
	}
	o.NotAfter, err = parseMoment("--to", f.to)
	return o, err
}

// parseMoment reads a time or a day, as --at of verify does; empty is the zero time.
func parseMoment(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && !t.IsZero() { // the zero time stands for none
			return t.UTC(), nil
		}
	}
	return time.Time{}, usage("%s %s: want RFC 3339, for instance 2026-11-21T08:00:00Z, or yyyy-mm-dd", flag, s)
}

func newCertRootCmd(e *env) *cobra.Command {
	var f keyFlags
	var subject subjectFlags
	var life lifeFlags
	var key, out string
	cmd := &cobra.Command{
		Use: "root", Short: "make a self-signed root certificate", Args: exactly(0, "no arguments"),
		Long:    "Makes the root certificate of a CA key (purpose issue).\n" + keyHelp,
		Example: "  yinxin cert root --key store:ca --name 'Pilot root' --out root.pem",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if key == "" || out == "" {
				return usage("--key and --out are required")
			}
			name, err := subject.name()
			if err != nil {
				return err
			}
			o, err := life.options()
			if err != nil {
				return err
			}
			ring := e.keyRing(f)
			defer closing(&err, ring)
			h, err := ring.signer(cmd.Context(), key, keys.PurposeIssue)
			if err != nil {
				return err
			}
			ca, err := cert.NewRoot(e.station(h.signer), name, o)
			if err != nil {
				return err
			}
			return e.issued(cmd, ca.Certificate, out)
		},
	}
	f.add(cmd)
	subject.add(cmd)
	life.add(cmd, "20 years")
	cmd.Flags().StringVar(&key, "key", "", "the CA's KEY")
	cmd.Flags().StringVar(&out, "out", "", "write the certificate here, PEM")
	return cmd
}

func (e *env) station(s crypto.Signer) cert.Station {
	return cert.Station{Signer: s, Now: e.now, Rand: e.rand}
}

// issued writes a certificate and says what it is.
func (e *env) issued(cmd *cobra.Command, c *cert.Certificate, out string) error {
	if err := writeFile(out, c.PEM()); err != nil {
		return err
	}
	if jsonFlag(cmd) {
		return e.printJSON(struct {
			File string `json:"file"`
			certificateView
		}{out, viewCertificate(c)})
	}
	_, err := fmt.Fprintf(e.stdout, "%s\t%s, until %s\n", out, c.SubjectText(), c.NotAfter.Format(time.DateOnly))
	return err
}

func newCertRequestCmd(e *env) *cobra.Command {
	var f keyFlags
	var subject subjectFlags
	var key, out string
	cmd := &cobra.Command{
		Use: "request", Short: "make a certificate request (PKCS#10) with a signing key", Args: exactly(0, "no arguments"),
		Long:    "Makes a request for any key that signs; for a key of a store 'yinxin keys csr' does the same for every purpose.\n" + keyHelp,
		Example: "  yinxin cert request --key file:office.key --name 'OFFICE A' --code OFFICE-A --out sign.csr",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if key == "" || out == "" {
				return usage("--key and --out are required")
			}
			name, err := subject.name()
			if err != nil {
				return err
			}
			ring := e.keyRing(f)
			defer closing(&err, ring)
			h, err := ring.signer(cmd.Context(), key, keys.PurposeSign)
			if err != nil {
				return err
			}
			der, err := cert.CreateRequest(h.signer, name, e.rand)
			if err != nil {
				return err
			}
			if err := writeFile(out, cert.RequestPEM(der)); err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), map[string]string{"request": out}, "%s\n", out)
		},
	}
	f.add(cmd)
	subject.add(cmd)
	cmd.Flags().StringVar(&key, "key", "", "the KEY to be certified")
	cmd.Flags().StringVar(&out, "out", "", "write the request here, PEM")
	return cmd
}

// issueFlags are the flags of cert issue.
type issueFlags struct {
	keys                                 keyFlags
	subject                              subjectFlags
	life                                 lifeFlags
	caKey, caCert, csr, public, use, out string
	register                             string
	crls, ocsp, permitted, excluded      []string
}

func newCertIssueCmd(e *env) *cobra.Command {
	var f issueFlags
	cmd := &cobra.Command{
		Use: "issue", Short: "issue a certificate", Args: exactly(0, "no arguments"),
		Long: "Issues a certificate for a request (--csr), whose signature is checked, or for a public key (--public), which whoever runs\n" +
			"the CA vouches for: a decryption key cannot sign a request. --use sign and encrypt are the two halves of a dual\n" +
			"certificate, make is a seal maker (制章者), timestamp a time-stamp authority, ocsp an OCSP responder of this CA, ca a CA\n" +
			"below this one. One key cannot get both halves, as far as the register tells.\n" +
			"Name and code given here replace those of the request.\n" + keyHelp,
		Example: "  yinxin cert issue --ca-key store:ca --ca-cert root.pem --csr seal.csr --use sign --out seal.pem\n" +
			"  yinxin cert issue --ca-key store:ca --ca-cert root.pem --public office.pub --use encrypt --name 'OFFICE A' --code OFFICE-A --out enc.pem",
		RunE: func(cmd *cobra.Command, _ []string) error { return e.issue(cmd, f) },
	}
	f.keys.add(cmd)
	f.subject.add(cmd)
	f.life.add(cmd, "3 years, at most the CA's own")
	f.authority(cmd)
	f.holding(cmd)
	cmd.Flags().StringVar(&f.use, "use", "", "sign, encrypt, make, timestamp, ocsp or ca")
	return cmd
}

// holding adds the flags that say who gets a certificate for which key, and what stands in it.
func (f *issueFlags) holding(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.csr, "csr", "", "the request, PEM or DER")
	cmd.Flags().StringVar(&f.public, "public", "", "the public key, PEM")
	cmd.Flags().StringArrayVar(&f.crls, "crl-url", nil, "name this revocation list in the certificate (may be repeated)")
	cmd.Flags().StringArrayVar(&f.ocsp, "ocsp-url", nil, "name this OCSP service in the certificate (may be repeated)")
}

// authority adds the flags that every act of a CA has.
func (f *issueFlags) authority(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.caKey, "ca-key", "", "the CA's KEY")
	cmd.Flags().StringVar(&f.caCert, "ca-cert", "", "the CA's certificate (default: the one kept with its key)")
	cmd.Flags().StringVar(&f.register, "register", "", "the CA's register (made if there is none)")
	cmd.Flags().StringVar(&f.out, "out", "", "write the result here, PEM")
}

func (e *env) issue(cmd *cobra.Command, f issueFlags) error {
	if f.caKey == "" || f.out == "" || f.use == "" {
		return usage("--ca-key, --use and --out are required")
	}
	if (f.csr == "") == (f.public == "") {
		return usage("want one of --csr and --public")
	}
	subject, pub, err := f.holder()
	if err != nil {
		return err
	}
	o, err := f.life.options()
	if err != nil {
		return err
	}
	o.CRLs, o.OCSP = f.crls, f.ocsp
	if err := errors.Join(constraints(&o.Permitted, "--permit", f.permitted), constraints(&o.Excluded, "--exclude", f.excluded)); err != nil {
		return err
	}
	return e.withAuthority(cmd.Context(), f, func(ca *cert.Authority) error {
		var issue func(pkix.Name, *ecdsa.PublicKey, cert.IssueOptions) (*cert.Certificate, error)
		switch f.use {
		case "sign":
			issue = ca.IssueSigning
		case "encrypt":
			issue = ca.IssueEncryption
		case "make":
			issue = ca.IssueMaker
		case "timestamp":
			issue = ca.IssueTimestamp
		case "ocsp":
			issue = ca.IssueOCSPResponder
		case "ca":
			issue = ca.IssueIntermediate
		default:
			return usage("--use %s: want sign, encrypt, make, timestamp, ocsp or ca", f.use)
		}
		made, err := issue(subject, pub, o)
		if err != nil {
			return err
		}
		// Remembered before it is handed out: what nobody knows of, nobody can revoke.
		if err := e.remember(cmd.Context(), f.register, ca.Certificate, made, f.use); err != nil {
			return err
		}
		return e.issued(cmd, made, f.out)
	})
}

// holder is who gets the certificate, and for which key.
func (f *issueFlags) holder() (pkix.Name, *ecdsa.PublicKey, error) {
	if f.public != "" {
		subject, err := f.subject.name()
		if err != nil {
			return subject, nil, err
		}
		pub, err := readPublicKey(f.public)
		return subject, pub, err
	}
	data, err := readInput(f.csr)
	if err != nil {
		return pkix.Name{}, nil, err
	}
	req, err := cert.ParseRequest(data)
	if err != nil {
		return pkix.Name{}, nil, fmt.Errorf("%s: %w", f.csr, err)
	}
	subject := req.Subject
	if f.subject.given() {
		if subject, err = f.subject.name(); err != nil {
			return subject, nil, err
		}
	}
	return subject, req.PublicKey, nil
}

// withAuthority opens the CA that the flags name.
func (e *env) withAuthority(ctx context.Context, f issueFlags, do func(*cert.Authority) error) (err error) {
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	h, err := ring.signer(ctx, f.caKey, keys.PurposeIssue)
	if err != nil {
		return err
	}
	own, _, err := h.certificate(f.caCert)
	if err != nil {
		return fmt.Errorf("the CA's certificate: %w", err)
	}
	ca, err := cert.OpenAuthority(e.station(h.signer), own)
	if err != nil {
		return err
	}
	return do(ca)
}

func newCertShowCmd(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show CERT.pem...", Short: "show certificates", Args: atLeastOne("certificate"),
		Example: "  yinxin cert show seal.pem --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			views := []certificateView{}
			for _, path := range args {
				certs, err := readCertificates(path)
				if err != nil {
					return err
				}
				for _, c := range certs {
					views = append(views, viewCertificate(c))
				}
			}
			if jsonFlag(cmd) {
				return e.printJSON(views)
			}
			for _, v := range views {
				v.print(e.stdout, "")
			}
			return nil
		},
	}
}
