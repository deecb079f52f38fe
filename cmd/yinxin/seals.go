package main

import (
	"time"

	"github.com/spf13/cobra"

	"yinxin/transport/api"
)

func newSealsCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{Use: "seals", Short: "registered seals of the hub's offices"}
	cmd.AddCommand(newSealsListCmd(e), newSealsMakeCmd(e))
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

func newSealsListCmd(e *env) *cobra.Command {
	var office string
	cmd := &cobra.Command{
		Use: "ls", Short: "list seals", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			got, err := c.Seals(cmd.Context(), office)
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, got, "")
			}
			for _, s := range got.Items {
				e.printSeal(s)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&office, "office", "", "another office's, for custodians")
	return cmd
}

func newSealsMakeCmd(e *env) *cobra.Command {
	var m api.SealMaking
	var years int
	cmd := &cobra.Command{
		Use:     "make",
		Short:   "have an office's round seal made, certified and registered",
		Example: "  yinxin seals make --office OFFICE-C --name 'OFFICE NAME' --keeper li",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			m.From = e.now().UTC().Truncate(time.Second)
			m.To = m.From.AddDate(years, 0, 0)
			s, err := c.MakeSeal(cmd.Context(), m)
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, s, "")
			}
			e.printSeal(s)
			return nil
		},
	}
	cmd.Flags().StringVar(&m.Office, "office", "", "code of the office")
	cmd.Flags().StringVar(&m.Name, "name", "", "name on the seal")
	cmd.Flags().StringVar(&m.BottomLine, "bottom-line", "", "line below the star, for instance 公文专用章")
	cmd.Flags().Float64Var(&m.Diameter, "diameter", 42, "diameter in mm")
	cmd.Flags().StringVar(&m.Keeper, "keeper", "", "account that keeps the seal")
	cmd.Flags().IntVar(&years, "years", 2, "years in force, within the certificate's life")
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
			if jsonFlag(cmd) {
				return e.result(true, s, "")
			}
			e.printSeal(s)
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}
