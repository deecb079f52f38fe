package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/seal"
	"yinxin/transport/api"
)

func newSealsCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "seals", Short: "seals of the hub's offices: from the request to voiding",
		Long: "The register of seals of a hub. An office asks for a seal (request); the custodian has it made (make) and registers it (register):\n" +
			"from then on it can be used, with another person's approval each time. The custodian suspends, resumes, voids and renews it.\n" +
			"uses shows what it was used for. Nobody decides about a request of their own.",
		Example: "  yinxin seals request --name 'OFFICE NAME' --keeper li --reason '...'\n  yinxin seals make REQUEST\n  yinxin seals register REQUEST\n" +
			"  yinxin seals suspend SEAL --reason '...'",
	}
	cmd.AddCommand(newSealsListCmd(e), newSealsShowCmd(e), newSealsUsesCmd(e), newSealsRequestCmd(e), newSealsRequestsCmd(e),
		newSealsMakeCmd(e), newSealsDeclineCmd(e), newSealsRegisterCmd(e), newSealsRenewCmd(e))
	for _, c := range []struct{ verb, to, short string }{
		{"suspend", "suspended", "suspend a seal: it cannot be used until it is resumed"},
		{"resume", "active", "resume a suspended seal"},
		{"void", "voided", "void a seal for ever; documents sealed before stay valid"},
	} {
		cmd.AddCommand(newSealsChangeCmd(e, c.verb, c.to, c.short))
	}
	return cmd
}

func (e *env) printSeal(s api.Seal) {
	printLine(e.stdout, "%s  %-10s %-10s %s  %s to %s\n", s.ID, s.Office, s.Status, s.Name,
		s.From.Format(time.DateOnly), s.To.Format(time.DateOnly))
}

// printRegistered answers with one seal of the register.
func (e *env) printRegistered(asJSON bool, s api.Seal) error {
	if asJSON {
		return e.result(true, s, "")
	}
	e.printSeal(s)
	return nil
}

func newSealsListCmd(e *env) *cobra.Command {
	var office string
	var l listFlags
	cmd := &cobra.Command{
		Use: "ls", Short: "list seals", Args: exactly(0, "no arguments"),
		Long: "Lists the seals of the own office; for custodians those of all offices, or of --office. All of them, unless --limit or --after ask\n" +
			"for one page. With --json it is a register for verify --seals; a page says with next that there are more.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			var got api.List[api.Seal]
			if f := cmd.Flags(); f.Changed("limit") || f.Changed("after") {
				got, err = c.Seals(cmd.Context(), office, l.page())
			} else {
				got, err = c.AllSeals(cmd.Context(), office)
			}
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, got, "")
			}
			for _, s := range got.Items {
				e.printSeal(s)
			}
			if got.Next != "" {
				fmt.Fprintf(e.stderr, "more with --after %s\n", got.Next)
			}
			return nil
		},
	}
	l.add(cmd)
	cmd.Flags().StringVar(&office, "office", "", "those of one office, for custodians")
	return cmd
}

func newSealsShowCmd(e *env) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "show SEAL", Short: "show a seal and its history; --out saves the seal file", Args: exactly(1, "a seal"),
		Example: "  yinxin seals show SEAL --out office.esl",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			s, err := c.Seal(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if out != "" {
				if err := writeFile(out, s.ESL); err != nil {
					return err
				}
			}
			if jsonFlag(cmd) {
				return e.result(true, s, "")
			}
			e.printSeal(s)
			printLine(e.stdout, "kept by %s, SM3 %s\n", s.Keeper, s.SM3)
			for _, h := range s.History {
				printLine(e.stdout, "  %s  %-10s by %s  %s\n", moment(h.At), h.To, h.By, h.Reason)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the seal file here (.esl)")
	return cmd
}

func newSealsChangeCmd(e *env, verb, to, short string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: verb + " SEAL", Short: short, Args: exactly(1, "a seal"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			s, err := c.ChangeSeal(cmd.Context(), args[0], api.SealChange{To: to, Reason: reason})
			if err != nil {
				return err
			}
			return e.printRegistered(jsonFlag(cmd), s)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}

func newSealsRenewCmd(e *env) *cobra.Command {
	var t termFlags
	var rotate bool
	cmd := &cobra.Command{
		Use: "renew SEAL", Short: "make a seal anew for the newest sealing key; the old one is voided", Args: exactly(1, "a seal"),
		Long: "Makes a seal with the same name and picture that lists the newest version of the office's sealing key, registers it and voids the\n" +
			"old one. --rotate adds that version first; without it a version that was added before is certified and taken. Documents keep\n" +
			"the seal that they bear.",
		Example: "  yinxin seals renew SEAL --rotate",
		RunE: func(cmd *cobra.Command, args []string) error {
			term, err := t.term()
			if err != nil {
				return err
			}
			term.Rotate = rotate
			c, err := e.connect()
			if err != nil {
				return err
			}
			s, err := c.RenewSeal(cmd.Context(), args[0], term)
			if err != nil {
				return err
			}
			return e.printRegistered(jsonFlag(cmd), s)
		},
	}
	t.add(cmd)
	cmd.Flags().BoolVar(&rotate, "rotate", false, "add a version to the sealing key first")
	return cmd
}

// termFlags say from when to when a seal is in force.
type termFlags struct{ from, to string }

func (t *termFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.from, "from", "", "in force from (default: now)")
	cmd.Flags().StringVar(&t.to, "to", "", "in force to (default: two years, within its certificates)")
}

func (t *termFlags) term() (out api.SealTerm, err error) {
	if out.From, err = parseMoment("--from", t.from); err != nil {
		return out, err
	}
	out.To, err = parseMoment("--to", t.to)
	return out, err
}

// within is the term of a seal that is made here, held against its certificates.
func (t *termFlags) within(now time.Time, certs []*cert.Certificate) (seal.Term, error) {
	given, err := t.term()
	if err != nil {
		return seal.Term{}, err
	}
	term, err := seal.Term{From: given.From, To: given.To}.Within(now, certs...)
	if errors.Is(err, seal.ErrMake) {
		return term, usage("%s", err)
	}
	return term, err
}
