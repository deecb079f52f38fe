package main

import (
	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/internal/verify"
	"yinxin/verdict"
)

// trustFlags say who is trusted and what is known of revocations, for every command that judges. Nothing is fetched.
type trustFlags struct {
	roots, chain, crls, ocsp []string
	revocation               string
}

func (f *trustFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.roots, "root", nil, "trust this root certificate (PEM or DER; may be repeated)")
	cmd.Flags().StringArrayVar(&f.chain, "chain", nil, "certificates of CAs below the root, trusted for nothing by themselves (may be repeated)")
	cmd.Flags().StringArrayVar(&f.crls, "crl", nil, "use this revocation list (may be repeated)")
	cmd.Flags().StringArrayVar(&f.ocsp, "ocsp", nil, "use this OCSP response (DER; may be repeated)")
	cmd.Flags().StringVar(&f.revocation, "revocation", string(verdict.RevocationAuto), "auto, require or off")
}

// policy reads the files that the flags name.
func (f *trustFlags) policy() (cert.Policy, error) {
	p := cert.Policy{Revocation: verdict.Setting(f.revocation)}
	switch p.Revocation {
	case verdict.RevocationAuto, verdict.RevocationRequire, verdict.RevocationOff:
	default:
		return p, usage("--revocation %s: want auto, require or off", f.revocation)
	}
	for _, list := range []struct {
		paths []string
		to    *[]*cert.Certificate
	}{{f.roots, &p.Roots}, {f.chain, &p.Intermediates}} {
		for _, path := range list.paths {
			certs, err := readCertificates(path)
			if err != nil {
				return p, err
			}
			*list.to = append(*list.to, certs...)
		}
	}
	for _, path := range f.crls {
		data, err := readWithin(path, 2*cert.MaxCRLSize) // as PEM
		if err != nil {
			return p, err
		}
		list, err := cert.ParseCRL(data)
		if err != nil {
			return p, refuse("malformed", exitNotFound, "%s: %w", path, err)
		}
		p.CRLs = append(p.CRLs, list)
	}
	for _, path := range f.ocsp {
		data, err := readWithin(path, cert.MaxOCSPResponse)
		if err != nil {
			return p, err
		}
		answer, err := cert.ParseOCSP(data)
		if err != nil {
			return p, refuse("malformed", exitNotFound, "%s: %w", path, err)
		}
		p.OCSP = append(p.OCSP, answer)
	}
	return p, nil
}

// judgeFlags are trustFlags with the time of judging and the makers whose seals count.
type judgeFlags struct {
	trustFlags
	at     string
	given  func() bool // at
	makers []string
}

func (f *judgeFlags) add(cmd *cobra.Command) {
	f.trustFlags.add(cmd)
	cmd.Flags().StringVar(&f.at, "at", "", "judge as if it were this time (RFC 3339 or yyyy-mm-dd)")
	f.given = func() bool { return cmd.Flags().Changed("at") }
	cmd.Flags().StringArrayVar(&f.makers, "maker", nil, "let seals of this maker alone count (certificate, PEM or DER; may be repeated)")
}

func (f *judgeFlags) options(e *env) (verify.Options, error) {
	policy, err := f.policy()
	if err != nil {
		return verify.Options{}, err
	}
	o := verify.Options{Policy: policy, Now: e.now()}
	for _, path := range f.makers {
		certs, err := readCertificates(path)
		if err != nil {
			return o, err
		}
		if err := certs[0].CheckUse(cert.UseMake); err != nil {
			return o, refuse("validation", exitRefused, "--maker %s: %w", path, err)
		}
		o.Makers = append(o.Makers, certs[0])
	}
	if f.at == "" && f.given != nil && f.given() { // an empty variable of a script must not mean now
		return o, usage("--at is empty: want RFC 3339, for instance 2026-11-21T08:00:00Z, or yyyy-mm-dd")
	}
	o.At, err = parseMoment("--at", f.at)
	return o, err
}
