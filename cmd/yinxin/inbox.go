package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// listFlags are those of every list.
type listFlags struct {
	limit pageSize
	after string
}

// pageSize is how many items a hub gives at once.
type pageSize int

func (p *pageSize) String() string { return strconv.Itoa(int(*p)) }

// Type is what --help calls it.
func (*pageSize) Type() string { return "int" }

// Set takes what a hub would take.
func (p *pageSize) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > api.MaxLimit {
		return fmt.Errorf("is not 1 to %d", api.MaxLimit)
	}
	*p = pageSize(n)
	return nil
}

func (l *listFlags) add(cmd *cobra.Command) {
	l.limit = api.DefaultLimit
	cmd.Flags().Var(&l.limit, "limit", fmt.Sprintf("at most so many (1 to %d)", api.MaxLimit))
	cmd.Flags().StringVar(&l.after, "after", "", "go on after this item")
}

func (l *listFlags) page() client.Page { return client.Page{Cursor: l.after, Limit: int(l.limit)} }

// stateText gives a state as code and in Chinese.
func stateText(s string) string { return s + " " + transport.State(s).Chinese() }

func newInboxCmd(e *env) *cobra.Command {
	var l listFlags
	var states []string
	cmd := &cobra.Command{
		Use: "inbox", Short: "list what was delivered to the office, newest first",
		Example: "  yinxin inbox --state available",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			got, err := c.Inbox(cmd.Context(), l.page(), states...)
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, got, "")
			}
			for _, d := range got.Items {
				due := ""
				if d.Due != nil {
					due = "  sign for by " + moment(*d.Due)
				}
				if d.WithdrawalRequested {
					due += "  请求退还 asked back"
				}
				if d.Superseded != nil {
					due += "  " + d.Superseded.Kind + " in exchange " + d.Superseded.Exchange
				}
				printLine(e.stdout, "%s  %-26s from %-10s %s  exchange %s%s\n", d.ID, stateText(d.State), d.Sender, d.Urgency, d.Exchange, due)
			}
			return nil
		},
	}
	l.add(cmd)
	cmd.Flags().StringArrayVar(&states, "state", nil, "only these states (may be repeated)")
	return cmd
}

func newFetchCmd(e *env) *cobra.Command {
	var out string
	var own ownKey
	cmd := &cobra.Command{
		Use:   "fetch DELIVERY",
		Short: "open a delivery: take it over, decrypt it, verify its seals",
		Long: "Has the hosted office take over the delivery (its signed statement fixes the receiving time), open the envelope with the office's\n" +
			"own key and judge every seal; writes the files. The exit code is that of the verdict on the document; an attachment counts\n" +
			"only where its signature failed. With --key, for offices that keep their own\n" +
			"keys, the statement is signed here and the envelope is saved as it is; 'yinxin open' opens it.",
		Example: "  yinxin fetch DELIVERY --out in/\n  yinxin fetch DELIVERY --key store:sign --out in/",
		Args:    exactly(1, "a delivery"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				out = args[0]
			}
			if own.key != "" {
				return e.fetchOwn(cmd.Context(), args[0], out, own, jsonFlag(cmd))
			}
			return e.fetch(cmd.Context(), args[0], out, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder for the files (default: one named after the delivery)")
	own.add(cmd)
	return cmd
}

func (e *env) fetch(ctx context.Context, id, out string, asJSON bool) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	got, err := c.OpenDocument(ctx, id)
	if err != nil {
		return err
	}
	quiet := *e
	if asJSON {
		quiet.stdout = e.stderr
	}
	if err := quiet.saveFiles(got.Files, out); err != nil {
		return err
	}
	report := new(verdict.Report)
	if err := json.Unmarshal(got.Report, report); err != nil {
		return fmt.Errorf("the hub's report cannot be read: %w", err)
	}
	return e.printReport(report, form{asJSON: asJSON})
}

func newSignForCmd(e *env) *cobra.Command {
	var number, comment string
	var own ownKey
	cmd := &cobra.Command{
		Use:     "sign-for DELIVERY",
		Short:   "sign for a delivery (签收) with the office's own key",
		Long:    "Has the hosted office check the document once more and state, with its own signature, that it accepts it. The document must have\nbeen opened, and its seal must pass; attachments need none. With --key the statement is signed here; verify the document before.",
		Example: "  yinxin sign-for DELIVERY --number 收2026-0041",
		Args:    exactly(1, "a delivery"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			var d api.Delivery
			if own.key != "" {
				st := receipt.Statement{Event: transport.ConsignmentAcceptance, Number: number, Text: comment}
				d, err = e.act(cmd.Context(), args[0], own, st, c.Acknowledge, c)
			} else {
				d, err = c.SignFor(cmd.Context(), args[0], api.SignFor{Number: number, Comment: comment})
			}
			if err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), d, "%s: %s\n", d.ID, stateText(d.State))
		},
	}
	cmd.Flags().StringVar(&number, "number", "", "the office's own number for it (签收编号)")
	cmd.Flags().StringVar(&comment, "comment", "", "a comment for the record")
	own.add(cmd)
	return cmd
}

func newReturnCmd(e *env) *cobra.Command {
	var reason, text string
	var own ownKey
	cmd := &cobra.Command{
		Use:   "return DELIVERY",
		Short: "send a delivery back (退回) with a reason",
		Long: "Codes: 01 not for this office · 02 attachment missing or count differs · 03 seal or signature invalid · 04 layout or number\n" +
			"wrong · 05 duplicate · 06 cannot be opened · 07 classified content suspected · 99 other.",
		Example: "  yinxin return DELIVERY --reason 01 --text '应送市审计局'",
		Args:    exactly(1, "a delivery"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkReturn(reason, text); err != nil {
				return err
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			var d api.Delivery
			if own.key != "" {
				st := receipt.Statement{Event: transport.ConsignmentRejection, Reason: reason, Text: text}
				d, err = e.act(cmd.Context(), args[0], own, st, c.Return, c)
			} else {
				d, err = c.GiveBack(cmd.Context(), args[0], api.GiveBack{Reason: reason, Text: text})
			}
			if err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), d, "%s: %s\n", d.ID, stateText(d.State))
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "code of the reason")
	cmd.Flags().StringVar(&text, "text", "", "the reason in a sentence")
	own.add(cmd)
	return cmd
}

// checkReturn wants a reason that is known and a sentence, before anything is signed.
func checkReturn(reason, text string) error {
	if reason == "" || strings.TrimSpace(text) == "" {
		return usage("--reason and --text are required: a code of 'yinxin return --help', and the reason in a sentence")
	}
	if _, known := transport.ReturnReasons()[reason]; !known {
		return usage("--reason %s: want one of %s", reason, strings.Join(slices.Sorted(maps.Keys(transport.ReturnReasons())), ", "))
	}
	return nil
}
