package main

import (
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/keys"
)

// ocspFlags are the flags of cert ocsp.
type ocspFlags struct {
	keys                                             keyFlags
	key, cert, caCert, register, request, about, out string
	validity                                         time.Duration
}

func newCertOCSPCmd(e *env) *cobra.Command {
	var f ocspFlags
	cmd := &cobra.Command{
		Use: "ocsp", Short: "answer an OCSP request from the CA's register", Args: exactly(0, "no arguments"),
		Long: "Makes an OCSP response (RFC 6960, with SM2 and SM3) for a request, or for a certificate where nobody has asked, to be kept\n" +
			"beside a document and given to 'verify --ocsp'. The key is the CA's own, or that of a responder that the CA has certified\n" +
			"with --use ocsp. Certificates are named by SM3; a request that names them by SHA-1 gets the answer unknown.\n" + keyHelp,
		Example: "  yinxin cert ocsp --key store:ca --ca-cert root.pem --register ca.json --for seal.pem --out seal.ocsp",
		RunE:    func(cmd *cobra.Command, _ []string) error { return e.ocsp(cmd, f) },
	}
	f.keys.add(cmd)
	cmd.Flags().StringVar(&f.key, "key", "", "the KEY that answers (purpose issue of the CA, or sign of a responder)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "the responder's certificate (default: the CA's)")
	cmd.Flags().StringVar(&f.caCert, "ca-cert", "", "the CA's certificate")
	cmd.Flags().StringVar(&f.register, "register", "", "the CA's register")
	cmd.Flags().StringVar(&f.request, "request", "", "the request, DER")
	cmd.Flags().StringVar(&f.about, "for", "", "answer about this certificate, unasked")
	cmd.Flags().DurationVar(&f.validity, "validity", time.Hour, "how long the answer speaks")
	cmd.Flags().StringVar(&f.out, "out", "", "write the response here, DER")
	return cmd
}

func (e *env) ocsp(cmd *cobra.Command, f ocspFlags) (err error) {
	switch {
	case f.key == "" || f.caCert == "" || f.register == "" || f.out == "":
		return usage("--key, --ca-cert, --register and --out are required")
	case (f.request == "") == (f.about == ""):
		return usage("want one of --request and --for")
	case f.validity <= 0:
		return usage("--validity %s: want a time span above zero", f.validity)
	}
	issuer, err := readCertificate(f.caCert)
	if err != nil {
		return err
	}
	own, purpose := issuer, keys.PurposeIssue
	if f.cert != "" {
		if own, err = readCertificate(f.cert); err != nil {
			return err
		}
	}
	if !own.Equal(issuer) {
		purpose = keys.PurposeSign
	}
	register, err := readRegister(f.register)
	if err != nil {
		return err
	}
	if err := register.Check(issuer); err != nil {
		return err
	}
	request, err := f.asked(e, issuer)
	if err != nil {
		return err
	}
	ring := e.keyRing(f.keys)
	defer closing(&err, ring)
	h, err := ring.signer(cmd.Context(), f.key, purpose)
	if err != nil {
		return err
	}
	if err := own.MatchesKey(h.public); err != nil {
		return err
	}
	r := cert.Responder{Station: e.station(h.signer), Issuer: issuer, Certificate: own, State: register.State, Validity: f.validity}
	answer, err := r.Respond(request)
	if err != nil {
		return err
	}
	if err := writeFile(f.out, answer); err != nil {
		return err
	}
	return e.result(jsonFlag(cmd), map[string]string{"response": f.out}, "%s\n", f.out)
}

// asked is the request in DER.
func (f *ocspFlags) asked(e *env, issuer *cert.Certificate) ([]byte, error) {
	if f.request != "" {
		return readInput(f.request)
	}
	about, err := readCertificate(f.about)
	if err != nil {
		return nil, err
	}
	q, err := cert.NewOCSPRequest(about, issuer, e.rand)
	if err != nil {
		return nil, err
	}
	return q.Raw, nil
}

// readCertificate reads the first certificate of a file.
func readCertificate(path string) (*cert.Certificate, error) {
	certs, err := readCertificates(path)
	if err != nil {
		return nil, err
	}
	return certs[0], nil
}

func newCertOCSPRequestCmd(e *env) *cobra.Command {
	var caCert, out string
	cmd := &cobra.Command{
		Use: "ocsp-request CERT.pem", Short: "make an OCSP request about a certificate", Args: exactly(1, "a certificate"),
		Long: "Writes a request that any program can post to an OCSP service; yinxin itself never fetches what a certificate names. The\n" +
			"response goes to 'verify --ocsp'.",
		Example: "  yinxin cert ocsp-request seal.pem --ca-cert root.pem --out q.der\n" +
			"  curl --data-binary @q.der -H 'Content-Type: application/ocsp-request' URL -o seal.ocsp",
		RunE: func(cmd *cobra.Command, args []string) error {
			if caCert == "" || out == "" {
				return usage("--ca-cert and --out are required")
			}
			issuer, err := readCertificate(caCert)
			if err != nil {
				return err
			}
			f := ocspFlags{about: args[0]}
			request, err := f.asked(e, issuer)
			if err != nil {
				return err
			}
			if err := writeFile(out, request); err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), map[string]string{"request": out}, "%s\n", out)
		},
	}
	cmd.Flags().StringVar(&caCert, "ca-cert", "", "the certificate of its issuer")
	cmd.Flags().StringVar(&out, "out", "", "write the request here, DER")
	return cmd
}
