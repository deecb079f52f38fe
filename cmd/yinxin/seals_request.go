package main

import (
	"time"

	"github.com/spf13/cobra"

	"yinxin/transport/api"
)

func newSealsRequestCmd(e *env) *cobra.Command {
	var q api.SealRequest
	var csr string
	cmd := &cobra.Command{
		Use: "request", Short: "ask for a new seal of the own office (申请)", Args: exactly(0, "no arguments"),
		Long: "Asks for a round seal. A custodian has it made, or declines. Its size is given in mm or by the rank of the office. An office\n" +
			"that keeps its own keys gives --csr, the request of the key that will seal (yinxin keys csr); the answer brings its certificate.",
		Example: "  yinxin seals request --name 'OFFICE NAME' --bottom-line 公文专用章 --rank county --keeper li --reason '机构更名'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Name == "" || q.Keeper == "" {
				return usage("--name and --keeper are required")
			}
			if q.Rank != "" && q.Diameter != 0 {
				return usage("want --rank or --diameter, not both")
			}
			if csr != "" {
				var err error
				if q.SigningRequest, err = readInput(csr); err != nil {
					return err
				}
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			got, err := c.RequestSeal(cmd.Context(), q)
			if err != nil {
				return err
			}
			return e.printRequest(jsonFlag(cmd), got)
		},
	}
	cmd.Flags().StringVar(&q.Name, "name", "", "name on the seal")
	cmd.Flags().StringVar(&q.BottomLine, "bottom-line", "", "line below the star, for instance 公文专用章")
	cmd.Flags().StringVar(&q.Number, "number", "", "the number along the inside")
	cmd.Flags().Float64Var(&q.Diameter, "diameter", 0, "diameter in mm (default 42)")
	cmd.Flags().StringVar(&q.Rank, "rank", "", "size by the rank of the office, by the hub's table (seals.ranks; built in: state, province, prefecture, county, township)")
	cmd.Flags().StringVar(&q.Keeper, "keeper", "", "account of the office that will keep the seal")
	cmd.Flags().StringVar(&q.Reason, "reason", "", "why the seal is wanted")
	cmd.Flags().StringVar(&csr, "csr", "", "request of the sealing key, for an office that keeps its own keys")
	return cmd
}

func (e *env) printRequest(asJSON bool, q api.SealRequest) error {
	if asJSON {
		return e.result(true, q, "")
	}
	seal := ""
	if q.Seal != "" {
		seal = "  seal " + q.Seal
	}
	if q.Comment != "" {
		seal += "  " + q.Comment
	}
	printLine(e.stdout, "%s  %-10s %-10s %s, %g mm, keeper %s, by %s%s\n", q.ID, q.Office, q.State, q.Name, q.Diameter, q.Keeper, q.Requester, seal)
	return nil
}

func newSealsRequestsCmd(e *env) *cobra.Command {
	var office, out string
	var l listFlags
	cmd := &cobra.Command{
		Use: "requests [REQUEST]", Short: "list requests for seals, newest first, or show one", Args: cobra.MaximumNArgs(1),
		Long: "Lists the requests of the own office; custodians see those of all. With a request --out saves the seal that was made for it, and\n" +
			"--json shows its certificate.",
		Example: "  yinxin seals requests\n  yinxin seals requests REQUEST --out office.esl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if out != "" && len(args) == 0 {
				return usage("--out wants a request")
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				q, err := c.SealRequest(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return e.saveRequested(jsonFlag(cmd), q, out)
			}
			got, err := c.SealRequests(cmd.Context(), office, l.page())
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, got, "")
			}
			for _, q := range got.Items {
				if err := e.printRequest(false, q); err != nil {
					return err
				}
			}
			return nil
		},
	}
	l.add(cmd)
	cmd.Flags().StringVar(&office, "office", "", "one office's, for custodians")
	cmd.Flags().StringVar(&out, "out", "", "write the seal file here (.esl), and the certificate of an own key beside it (.pem)")
	return cmd
}

// saveRequested writes what was made for a request.
func (e *env) saveRequested(asJSON bool, q api.SealRequest, out string) error {
	if out != "" {
		if len(q.ESL) == 0 {
			return refuse("not_found", exitNotFound, "no seal was made for request %s yet", q.ID)
		}
		if err := writeFile(out, q.ESL); err != nil {
			return err
		}
		if q.Certificate != "" {
			if err := writeFile(out+".pem", []byte(q.Certificate)); err != nil {
				return err
			}
		}
	}
	return e.printRequest(asJSON, q)
}

func newSealsMakeCmd(e *env) *cobra.Command {
	var m api.SealMaking
	var t termFlags
	var years int
	var out string
	cmd := &cobra.Command{
		Use:   "make [REQUEST]",
		Short: "have the seal made that was asked for (制章)",
		Long: "Has the seal of a request made: the sealing key and its certificate where there are none, the picture, the maker's signature. It\n" +
			"cannot be used before it is registered; --out saves it to be looked at. Without a request, --office, --name and --keeper make\n" +
			"an office's seal and register it at once.",
		Example: "  yinxin seals make REQUEST --out look.esl\n  yinxin seals make --office OFFICE-C --name 'OFFICE NAME' --keeper li",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkMaking(args, m, out); err != nil {
				return err
			}
			term, err := t.term()
			if err != nil {
				return err
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				q, err := c.MakeRequested(cmd.Context(), args[0], term)
				if err != nil {
					return err
				}
				return e.saveRequested(jsonFlag(cmd), q, out)
			}
			m.From, m.To = term.From, term.To
			if years > 0 && m.To.IsZero() {
				if m.From.IsZero() {
					m.From = e.now().UTC().Truncate(time.Second)
				}
				m.To = m.From.AddDate(years, 0, 0)
			}
			s, err := c.MakeSeal(cmd.Context(), m)
			if err != nil {
				return err
			}
			return e.printRegistered(jsonFlag(cmd), s)
		},
	}
	t.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the seal that was made for the request here (.esl)")
	cmd.Flags().StringVar(&m.Office, "office", "", "without a request: code of the office")
	cmd.Flags().StringVar(&m.Name, "name", "", "without a request: name on the seal")
	cmd.Flags().StringVar(&m.BottomLine, "bottom-line", "", "without a request: line below the star, for instance 公文专用章")
	cmd.Flags().Float64Var(&m.Diameter, "diameter", 42, "without a request: diameter in mm")
	cmd.Flags().StringVar(&m.Keeper, "keeper", "", "without a request: account that keeps the seal")
	cmd.Flags().IntVar(&years, "years", 0, "without a request: years in force (default: as --to)")
	return cmd
}

func checkMaking(args []string, m api.SealMaking, out string) error {
	described := m.Office != "" || m.Name != "" || m.Keeper != ""
	switch {
	case len(args) == 1 && described:
		return usage("a request says itself which seal to make")
	case len(args) == 0 && (m.Office == "" || m.Name == "" || m.Keeper == ""):
		return usage("want a request, or --office, --name and --keeper")
	case len(args) == 0 && out != "":
		return usage("--out wants a request")
	}
	return nil
}

func newSealsDeclineCmd(e *env) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "decline REQUEST", Short: "refuse a request for a seal", Args: exactly(1, "a request"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usage("--reason is required")
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			q, err := c.DeclineRequest(cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			return e.printRequest(jsonFlag(cmd), q)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever asked")
	return cmd
}

func newSealsRegisterCmd(e *env) *cobra.Command {
	var r api.SealRegistration
	var file string
	cmd := &cobra.Command{
		Use: "register [REQUEST]", Short: "register a seal (备案): from now on it can be used", Args: cobra.MaximumNArgs(1),
		Long: "Registers the seal that was made for a request. Without a request, --file registers a seal that was made elsewhere: its maker and\n" +
			"its signers must lead to this hub's roots, and the signers' certificates must name the office.",
		Example: "  yinxin seals register REQUEST\n  yinxin seals register --file office.esl --office OFFICE-C --keeper li",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (file != "") || file != "" && (r.Office == "" || r.Keeper == "") {
				return usage("want a request, or --file, --office and --keeper")
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				s, err := c.RegisterRequested(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return e.printRegistered(jsonFlag(cmd), s)
			}
			if r.ESL, err = readInput(file); err != nil {
				return err
			}
			s, err := c.RegisterSeal(cmd.Context(), r)
			if err != nil {
				return err
			}
			return e.printRegistered(jsonFlag(cmd), s)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "a seal that was made elsewhere (.esl)")
	cmd.Flags().StringVar(&r.Office, "office", "", "with --file: code of the office")
	cmd.Flags().StringVar(&r.Keeper, "keeper", "", "with --file: account of the office that keeps the seal")
	cmd.Flags().StringVar(&r.Key, "key", "", "with --file: name of the sealing key, for the record")
	return cmd
}
