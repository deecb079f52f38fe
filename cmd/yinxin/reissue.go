package main

import (
	"context"

	"github.com/spf13/cobra"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
)

func newReissueCmd(e *env) *cobra.Command {
	var r api.Reissuing
	var key string
	cmd := &cobra.Command{
		Use:   "reissue EXCHANGE",
		Short: "send what was sent before to more recipients (补发)",
		Long: "Has the hosted office open its own copy and send the same document, as it was sealed then, to offices that did not get it. The\n" +
			"seal is not used again. The earlier exchange gets an entry about it. With --idempotency-key a repeat, from another process too,\n" +
			"goes on with the same dispatch. An office that keeps its own keys packs with 'yinxin pack --reissues EXCHANGE' and sends that.",
		Example: "  yinxin reissue EXCHANGE --to OFFICE-D --cc OFFICE-E",
		Args:    exactly(1, "an exchange"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(r.To)+len(r.CC) == 0 {
				return usage("--to or --cc is required")
			}
			if err := checkCopies(r.Copies); err != nil {
				return err
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			if key, err = keyOr(key, c); err != nil {
				return err
			}
			d, err := c.Reissue(cmd.Context(), key, args[0], r)
			if err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), d, "%s: %s, exchange %s\n", d.ID, d.State, d.Exchange)
		},
	}
	cmd.Flags().StringArrayVar(&r.To, "to", nil, "code of an office addressed as 主送 (may be repeated)")
	cmd.Flags().StringArrayVar(&r.CC, "cc", nil, "code of an office addressed as 抄送 (may be repeated)")
	cmd.Flags().IntVar(&r.Copies, "copies", 0, "official copies that each may print (default: the hub's rule)")
	cmd.Flags().StringVar(&key, "idempotency-key", "", "names the request; the same key is done once")
	return cmd
}

// keyOr gives the key of the caller, or a new one.
func keyOr(key string, c *client.Client) (string, error) {
	if key != "" {
		return key, nil
	}
	return c.NewKey()
}

func checkCopies(n int) error {
	if n < 0 || n > transport.MaxCopies {
		return usage("--copies %d: want 1 to %d", n, transport.MaxCopies)
	}
	return nil
}

func newCorrectCmd(e *env) *cobra.Command {
	var f sendFlags
	var annul bool
	cmd := &cobra.Command{
		Use:   "correct EXCHANGE DOC.yaml|DOC.docx",
		Short: "send a document that corrects (更正) or annuls (废止) an earlier one",
		Long: "Sends a new document that refers to an earlier exchange of the office, as 'yinxin send' does. It must go to everybody who has the\n" +
			"earlier document or may take it, by a reissue too; without --to and --cc it does. The earlier document\n" +
			"stays and is marked as soon as the new one is accepted. An office that keeps its own keys packs with\n" +
			"'yinxin pack --corrects EXCHANGE' or '--annuls EXCHANGE'.",
		Example: "  yinxin correct EXCHANGE correction.yaml\n  yinxin correct EXCHANGE annulment.yaml --annul",
		Args:    exactly(2, "an exchange and a draft"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !transport.ValidID(args[0]) {
				return usage("%s is no exchange", args[0])
			}
			data, err := readInput(args[1])
			if err != nil {
				return err
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			f.refers = &api.Reference{Kind: string(transport.Corrects), Exchange: args[0]}
			if annul {
				f.refers.Kind = string(transport.Annuls)
			}
			return e.sendDraft(cmd.Context(), c, args[1], data, f, jsonFlag(cmd))
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&annul, "annul", false, "the new document takes the earlier one out of force (废止)")
	return cmd
}

func newCopiesCmd(e *env) *cobra.Command {
	var take bool
	var void int
	var key string
	cmd := &cobra.Command{
		Use:   "copies DELIVERY",
		Short: "the numbered copies of a received document (份号): list, --take the next, --void a spoilt one",
		Long: "The sender says how many official copies a recipient may print. --take counts the next copy before it is printed: official while the\n" +
			"allowance lasts, then a reference copy (脱密打印: without red head and seal). A print that failed is voided with --void. All of it\n" +
			"leaves evidence.",
		Example: "  yinxin copies DELIVERY --take\n  yinxin copies DELIVERY --void 2",
		Args:    exactly(1, "a delivery"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if take && cmd.Flags().Changed("void") {
				return usage("--take or --void, not both")
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			if !take && !cmd.Flags().Changed("void") {
				return e.listCopies(cmd.Context(), c, args[0], jsonFlag(cmd))
			}
			if key, err = keyOr(key, c); err != nil {
				return err
			}
			var p api.Printed
			if take {
				p, err = c.Print(cmd.Context(), key, args[0])
			} else {
				p, err = c.VoidCopy(cmd.Context(), key, args[0], void)
			}
			if err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), p, "copy %06d: %s\n", p.Copy.Number, copyText(p.Copy))
		},
	}
	cmd.Flags().BoolVar(&take, "take", false, "count the next copy")
	cmd.Flags().IntVar(&void, "void", 0, "the copy of this number was spoilt")
	cmd.Flags().StringVar(&key, "idempotency-key", "", "names the request; the same key is done once")
	return cmd
}

func (e *env) listCopies(ctx context.Context, c *client.Client, delivery string, asJSON bool) error {
	got, err := c.Copies(ctx, delivery)
	if err != nil {
		return err
	}
	if asJSON {
		return e.result(true, got, "")
	}
	for _, k := range got.Items {
		printLine(e.stdout, "%06d  %s  %s  %s\n", k.Number, moment(k.At), copyText(k), k.Account)
	}
	return nil
}

func copyText(k api.Copy) string {
	if k.Voided {
		return "void"
	}
	return k.Kind
}
