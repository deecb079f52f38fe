package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/transport/api"
	"yinxin/transport/client"
)

func newTrackCmd(e *env) *cobra.Command {
	var l listFlags
	cmd := &cobra.Command{
		Use:   "track [EXCHANGE|DELIVERY]",
		Short: "show where a sent document stands at every recipient, with the evidence",
		Long:  "Without an argument lists what the office sent. A clerk's first look at an exchange is recorded: the sender has 24 hours to see\nwhether everybody got the document. A recipient names the delivery, and sees its own part.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return e.listExchanges(cmd.Context(), c, l, jsonFlag(cmd))
			}
			x, err := e.lookAt(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, x, "")
			}
			e.printExchange(x)
			return nil
		},
	}
	l.add(cmd)
	return cmd
}

// lookAt shows an exchange to its sender, and has a clerk's look recorded once somebody has received the document.
func (e *env) lookAt(ctx context.Context, c *client.Client, exchange string) (api.Exchange, error) {
	x, err := sentOrReceived(ctx, c, exchange)
	s, sessionErr := e.readSession()
	if err != nil || sessionErr != nil || x.CheckedAt != nil || x.ID != exchange || !slices.Contains(s.Roles, "clerk") {
		return x, errors.Join(err, sessionErr)
	}
	if _, err := c.Check(ctx, exchange); err != nil {
		return x, err
	}
	return c.Track(ctx, exchange)
}

// sentOrReceived is an exchange that the office sent, or what it may see of one that a delivery of its own belongs to: that
// delivery alone.
func sentOrReceived(ctx context.Context, c *client.Client, id string) (api.Exchange, error) {
	x, err := c.Track(ctx, id)
	if exit, _ := faultOf(err); err == nil || exit != exitNotFound {
		return x, err
	}
	d, received := c.Delivery(ctx, id)
	if received != nil {
		return x, err // what the first question was answered
	}
	return api.Exchange{
		ID: d.Exchange, Sender: d.Sender, Status: d.State, Urgency: d.Urgency, DocumentSM3: d.DocumentSM3, DocumentSHA256: d.DocumentSHA256,
		Refers: d.Refers, Superseded: d.Superseded, Deliveries: []api.Delivery{d},
	}, nil
}

func (e *env) listExchanges(ctx context.Context, c *client.Client, l listFlags, asJSON bool) error {
	got, err := c.Exchanges(ctx, l.page())
	if err != nil || asJSON {
		if err == nil {
			err = e.result(true, got, "")
		}
		return err
	}
	for _, x := range got.Items {
		printLine(e.stdout, "%s  %s  %s  to %s\n", x.ID, moment(x.AcceptedAt), x.Status, recipientsOf(x))
	}
	return nil
}

func recipientsOf(x api.Exchange) string {
	var out []string
	for _, d := range x.Deliveries {
		out = append(out, d.Recipient+" "+d.State)
	}
	return strings.Join(out, ", ")
}

func (e *env) printExchange(x api.Exchange) {
	accepted := "  from " + x.Sender // a recipient is not told when the hub accepted it
	if !x.AcceptedAt.IsZero() {
		accepted = "  accepted " + moment(x.AcceptedAt)
	}
	printLine(e.stdout, "exchange %s  %s%s\n", x.ID, x.Status, accepted)
	if x.Refers != nil {
		printLine(e.stdout, "  %s of exchange %s\n", x.Refers.Kind, x.Refers.Exchange)
	}
	if x.Superseded != nil {
		printLine(e.stdout, "  superseded: %s by exchange %s\n", x.Superseded.Kind, x.Superseded.Exchange)
	}
	for _, d := range x.Deliveries {
		late := ""
		if d.Overdue {
			late = "  逾期 overdue"
		}
		if d.WithdrawalRequested {
			late += "  请求退还 asked back"
		}
		reason := ""
		if d.Reason != "" {
			reason = "  reason " + d.Reason + " " + d.Comment
		}
		printLine(e.stdout, "  %-10s %-3s %s%s%s\n", d.Recipient, d.Role, stateText(d.State), late, reason)
	}
	for _, ev := range evidenceOf(x) {
		printLine(e.stdout, "  %s  %-24s %-10s %s\n", moment(ev.Time), ev.Event, ev.Recipient, ev.ID)
	}
}

// evidenceOf gathers the evidence of an exchange and of all its deliveries, oldest first.
func evidenceOf(x api.Exchange) []api.Evidence {
	all := slices.Clone(x.Evidence)
	for _, d := range x.Deliveries {
		all = append(all, d.Evidence...)
	}
	slices.SortStableFunc(all, func(a, b api.Evidence) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(all, func(a, b api.Evidence) bool { return a.ID == b.ID })
}

func newReceiptCmd(e *env) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "receipt EXCHANGE|DELIVERY",
		Short: "save the receipts (.yxr) of a sent document, or of a delivery",
		Long: "Saves one receipt for every piece of evidence of the exchange so far; each can be verified offline with 'yinxin verify'. A recipient\n" +
			"names the delivery, and gets the receipts of its own part.",
		Example: "  yinxin receipt EXCHANGE --out receipts/\n  yinxin receipt DELIVERY --out receipts/",
		Args:    exactly(1, "an exchange or a delivery"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.saveReceipts(cmd.Context(), args[0], out, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&out, "out", "receipts", "folder for the receipts")
	return cmd
}

func (e *env) saveReceipts(ctx context.Context, exchange, out string, asJSON bool) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	x, err := sentOrReceived(ctx, c, exchange)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	paths := []string{}
	for i, ev := range evidenceOf(x) {
		body, err := waitReceipt(ctx, c, ev.ID)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%02d-%s", i+1, ev.Event)
		if ev.Recipient != "" {
			name += "-" + strings.ToLower(ev.Recipient)
		}
		path := filepath.Join(out, name+".yxr")
		if err := writeFile(path, body); err != nil {
			return err
		}
		paths = append(paths, path)
	}
	return e.result(asJSON, paths, "%s\n", strings.Join(paths, "\n"))
}

func newRemindCmd(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "remind EXCHANGE RECIPIENT", Short: "urge a recipient to sign for a document (催办)", Args: exactly(2, "an exchange and a recipient"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			key, err := c.NewKey()
			if err != nil {
				return err
			}
			m, err := c.Remind(cmd.Context(), key, args[0], args[1])
			if err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), m, "%s: reminded %d time(s)\n", m.Delivery.Recipient, m.Delivery.Reminders)
		},
	}
}
