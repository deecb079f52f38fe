package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/internal/durable"
)

const (
	// defaultCRLLife is how long a revocation list speaks by default.
	defaultCRLLife = 30 * 24 * time.Hour
	// registerWait is how long a command waits for another that writes the same register.
	registerWait = 10 * time.Second
)

// withRegister reads the register, lets do change it, and writes it back if do has no fault. Two commands never write at
// the same time. A register that there is not yet begins with begin; nil means that it must be there.
func withRegister(ctx context.Context, path string, begin *cert.Certificate, do func(*cert.Register) error) (err error) {
	lock, err := durable.Lock(ctx, path+".lock", true, registerWait)
	if err != nil {
		return err
	}
	defer closing(&err, lock)
	r, err := readRegister(path)
	if errors.Is(err, fs.ErrNotExist) && begin != nil {
		r, err = cert.NewRegister(begin), nil
	}
	if err != nil {
		return err
	}
	if begin != nil {
		if err := r.Check(begin); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := do(r); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	text, err := r.Marshal()
	if err != nil {
		return err
	}
	return durable.WriteFile(path, text, 0o644)
}

func readRegister(path string) (*cert.Register, error) {
	data, err := readInput(path)
	if err != nil {
		return nil, err
	}
	r, err := cert.ParseRegister(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// remember puts a certificate into the register, where there is one.
func (e *env) remember(ctx context.Context, path string, authority, made *cert.Certificate, use string) error {
	if path == "" {
		return nil
	}
	return withRegister(ctx, path, authority, func(r *cert.Register) error { return r.Add(made, use) })
}

func newCertIntermediateCmd(e *env) *cobra.Command {
	f := issueFlags{use: "ca"}
	cmd := &cobra.Command{
		Use: "intermediate", Short: "issue the certificate of a CA below this one", Args: exactly(0, "no arguments"),
		Long: "Issues the certificate of a CA that may certify parties and no further CAs. --permit and --exclude bound the names that\n" +
			"it may certify: dns:DOMAIN, email:DOMAIN or uri:DOMAIN, critical. Where any is given, certificates with a mail address in\n" +
			"their subject do not pass below it.\n" + keyHelp,
		Example: "  yinxin cert intermediate --ca-key store:ca --ca-cert root.pem --register ca.json --csr sub.csr --permit dns:gov.example --out sub.pem",
		RunE:    func(cmd *cobra.Command, _ []string) error { return e.issue(cmd, f) },
	}
	f.keys.add(cmd)
	f.subject.add(cmd)
	f.life.add(cmd, "10 years, at most the CA's own")
	f.authority(cmd)
	f.holding(cmd)
	cmd.Flags().StringArrayVar(&f.permitted, "permit", nil, "names may lie below this alone: dns: and a domain, email: or uri: and a host or, with a dot before it, a domain (may be repeated)")
	cmd.Flags().StringArrayVar(&f.excluded, "exclude", nil, "no name may lie below this (may be repeated)")
	return cmd
}

// constraints reads --permit and --exclude.
func constraints(to *cert.Names, flag string, texts []string) error {
	for _, text := range texts {
		kind, domain, _ := strings.Cut(text, ":")
		if domain == "" || strings.ContainsAny(domain, " /:") {
			return usage("%s %s: want dns:DOMAIN, email:DOMAIN or uri:DOMAIN", flag, text)
		}
		switch kind {
		case "dns":
			to.DNS = append(to.DNS, domain)
		case "email":
			to.Email = append(to.Email, domain)
		case "uri":
			to.URI = append(to.URI, domain)
		default:
			return usage("%s %s: want dns:DOMAIN, email:DOMAIN or uri:DOMAIN", flag, text)
		}
	}
	return nil
}

// issuedView is a line of the register.
type issuedView struct {
	Serial    string     `json:"serial"`
	Subject   string     `json:"subject"`
	Use       string     `json:"use"`
	NotAfter  time.Time  `json:"not_after"`
	State     string     `json:"state"` // good, expired, revoked or held
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Reason    string     `json:"reason,omitempty"`
}

func (e *env) viewIssued(i cert.Issued) issuedView {
	v := issuedView{Serial: i.Serial.Text(16), Subject: i.Subject, Use: i.Use, NotAfter: i.NotAfter, State: "good"}
	switch {
	case i.Revoked != nil:
		v.State, v.Reason, v.RevokedAt = "revoked", reasonWord(i.Revoked.Reason), &i.Revoked.At
		if i.Revoked.Reason == cert.ReasonCertificateHold {
			v.State = "held"
		}
	case e.now().After(i.NotAfter):
		v.State = "expired"
	}
	return v
}

func newCertListCmd(e *env) *cobra.Command {
	var register string
	cmd := &cobra.Command{
		Use: "list", Short: "list what a CA has issued", Args: exactly(0, "no arguments"),
		Example: "  yinxin cert list --register ca.json --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if register == "" {
				return usage("--register is required")
			}
			r, err := readRegister(register)
			if err != nil {
				return err
			}
			views := []issuedView{}
			for _, i := range r.Issued {
				views = append(views, e.viewIssued(i))
			}
			if jsonFlag(cmd) {
				return e.printJSON(views)
			}
			for _, v := range views {
				printLine(e.stdout, "%s\t%s\t%s\t%s\tuntil %s\n", v.Serial, v.State, v.Use, v.Subject, v.NotAfter.Format(time.DateOnly))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&register, "register", "", "the CA's register")
	return cmd
}

func newCertRevokeCmd(e *env) *cobra.Command {
	var register, at, from, reason string
	cmd := &cobra.Command{
		Use: "revoke CERT.pem|SERIAL", Short: "revoke a certificate", Args: exactly(1, "a certificate or its serial number"),
		Long: "Marks a certificate as revoked in the register; the next list ('cert crl') and OCSP answers say so. --reason is " + reasonWords + ".\n" +
			"A revocation is for good; certificate_hold alone may become another. --invalid-from says since when the key is not to be\n" +
			"trusted, mostly for key_compromise and ca_compromise: what was signed after that fails even where its time is proven.",
		Example: "  yinxin cert revoke seal.pem --register ca.json --reason key_compromise --invalid-from 2026-11-20",
		RunE: func(cmd *cobra.Command, args []string) error {
			if register == "" {
				return usage("--register is required")
			}
			v, err := e.parseRevoked(strings.Join([]string{args[0], at, reason}, ","))
			if err != nil {
				return err
			}
			if v.InvalidFrom, err = parseMoment("--invalid-from", from); err != nil {
				return err
			}
			if v.At.After(e.now()) {
				return usage("--at %s lies in the future", at)
			}
			var done cert.Issued
			err = withRegister(cmd.Context(), register, nil, func(r *cert.Register) (err error) {
				done, err = r.Revoke(v)
				return err
			})
			if err != nil {
				return err
			}
			view := e.viewIssued(done)
			return e.result(jsonFlag(cmd), view, "%s\t%s\t%s\n", view.Serial, view.State, view.Subject)
		},
	}
	cmd.Flags().StringVar(&register, "register", "", "the CA's register")
	cmd.Flags().StringVar(&reason, "reason", "unspecified", reasonWords)
	cmd.Flags().StringVar(&at, "at", "", "revoked from this time (default: now)")
	cmd.Flags().StringVar(&from, "invalid-from", "", "the key is not to be trusted from this time on")
	return cmd
}

func newCertCRLCmd(e *env) *cobra.Command {
	var f issueFlags
	var revoked []string
	var number int64
	var next string
	cmd := &cobra.Command{
		Use: "crl", Short: "issue a revocation list", Args: exactly(0, "no arguments"),
		Long: "Issues a revocation list of what the register says, under the next number. Without --register it names what --revoke names\n" +
			"and nothing else, so repeat what earlier lists named; then --number must grow from list to list. --revoke is CERT.pem or a\n" +
			"serial number in hex, then optionally ,TIME and ,REASON: " + reasonWords + ".\n" + keyHelp,
		Example: "  yinxin cert crl --ca-key store:ca --ca-cert root.pem --register ca.json --out ca.crl\n" +
			"  yinxin cert crl --ca-key store:ca --ca-cert root.pem --number 2 --revoke seal.pem,2026-11-21,key_compromise --out ca.crl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.caKey == "" || f.out == "" {
				return usage("--ca-key and --out are required")
			}
			if f.register == "" && number < 1 {
				return usage("want --register, or --number from 1")
			}
			if f.register != "" && (number != 0 || len(revoked) > 0) {
				return usage("the register gives number and entries; --number and --revoke go without it")
			}
			until, err := parseMoment("--next", next)
			if err != nil {
				return err
			}
			if until.IsZero() {
				until = e.now().UTC().Add(defaultCRLLife)
			}
			if !until.After(e.now()) {
				return usage("--next %s lies in the past", next)
			}
			var list []cert.Revoked
			for _, text := range revoked {
				r, err := e.parseRevoked(text)
				if err != nil {
					return err
				}
				list = append(list, r)
			}
			return e.issueCRL(cmd, f, number, until, list)
		},
	}
	f.keys.add(cmd)
	f.authority(cmd)
	cmd.Flags().StringArrayVar(&revoked, "revoke", nil, "a revoked certificate (may be repeated)")
	cmd.Flags().Int64Var(&number, "number", 0, "the list's number")
	cmd.Flags().StringVar(&next, "next", "", "when the next list is due (default: in 30 days)")
	return cmd
}

func (e *env) issueCRL(cmd *cobra.Command, f issueFlags, number int64, until time.Time, list []cert.Revoked) error {
	return e.withAuthority(cmd.Context(), f, func(ca *cert.Authority) error {
		var crl *cert.RevocationList
		make := func() (err error) {
			crl, err = ca.IssueCRL(big.NewInt(number), until, list)
			return err
		}
		var err error
		if f.register == "" {
			err = make()
		} else { // the number is spent before the list is seen, so that no two lists bear it
			err = withRegister(cmd.Context(), f.register, ca.Certificate, func(r *cert.Register) error {
				r.Number++
				number, list = r.Number, r.Revoked(e.now())
				return make()
			})
		}
		if err != nil {
			return err
		}
		if err := writeFile(f.out, crl.PEM()); err != nil {
			return err
		}
		result := map[string]any{"file": f.out, "number": number, "revoked": len(list), "this_update": crl.ThisUpdate, "next_update": crl.NextUpdate}
		return e.result(jsonFlag(cmd), result, "%s\tnumber %d, %d revoked, until %s\n", f.out, number, len(list), crl.NextUpdate.Format(time.DateOnly))
	})
}

// reasonTable are the reasons of a revocation (RFC 5280 5.3.1).
var reasonTable = []struct {
	word string
	code int
}{
	{"unspecified", cert.ReasonUnspecified},
	{"key_compromise", cert.ReasonKeyCompromise},
	{"ca_compromise", cert.ReasonCACompromise},
	{"affiliation_changed", cert.ReasonAffiliationChanged},
	{"superseded", cert.ReasonSuperseded},
	{"cessation_of_operation", cert.ReasonCessationOfOperation},
	{"certificate_hold", cert.ReasonCertificateHold},
	{"privilege_withdrawn", cert.ReasonPrivilegeWithdrawn},
}

const reasonWords = "unspecified, key_compromise, ca_compromise, affiliation_changed, superseded, cessation_of_operation,\n" +
	"certificate_hold or privilege_withdrawn"

// reasonCode reads the reason of a revocation.
func reasonCode(s string) (int, bool) {
	for _, r := range reasonTable {
		if r.word == s || s == "" && r.code == cert.ReasonUnspecified {
			return r.code, true
		}
	}
	return 0, false
}

func reasonWord(code int) string {
	for _, r := range reasonTable {
		if r.code == code {
			return r.word
		}
	}
	return fmt.Sprintf("reason %d", code)
}

// parseRevoked reads CERT.pem|SERIAL[,TIME[,REASON]].
func (e *env) parseRevoked(text string) (cert.Revoked, error) {
	parts := strings.SplitN(text, ",", 3)
	r := cert.Revoked{At: e.now().UTC()}
	_, missing := os.Stat(parts[0])
	if n, ok := new(big.Int).SetString(parts[0], 16); ok && n.Sign() > 0 && missing != nil {
		r.Serial = n
	} else {
		certs, err := readCertificates(parts[0])
		if err != nil {
			return r, err
		}
		r.Serial = certs[0].Serial
	}
	if len(parts) > 1 && parts[1] != "" {
		var err error
		if r.At, err = parseMoment("time of revocation", parts[1]); err != nil {
			return r, err
		}
	}
	if len(parts) > 2 {
		var ok bool
		if r.Reason, ok = reasonCode(parts[2]); !ok {
			return r, usage("reason %q of a revocation: want %s", parts[2], reasonWords)
		}
	}
	return r, nil
}
