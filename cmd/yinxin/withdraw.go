package main

import (
	"context"

	"github.com/spf13/cobra"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/receipt"
)

func newWithdrawCmd(e *env) *cobra.Command {
	var text string
	var request bool
	var own ownKey
	cmd := &cobra.Command{
		Use:   "withdraw EXCHANGE RECIPIENT",
		Short: "take a document back from a recipient who has not opened it (撤回), or ask for it afterwards",
		Long: "Takes the document out of the recipient's box. What was opened is not taken away any more (invalid_transition): with --request the\n" +
			"office then asks for it back (请求退还), which is recorded with its signature; the recipient may return it or not.\n" +
			"With --key the statement is signed here.",
		Example: "  yinxin withdraw EXCHANGE OFFICE-A --text '附件有误，另行发文'\n  yinxin withdraw EXCHANGE OFFICE-A --request --text '附件有误，请退回'",
		Args:    exactly(2, "an exchange and a recipient"),
		RunE: func(cmd *cobra.Command, args []string) error {
			act := senderAct{receipt.Statement{Event: transport.Withdrawal, Text: text}, (*client.Client).WithdrawFrom, (*client.Client).Withdraw}
			if request {
				act = senderAct{receipt.Statement{Event: transport.WithdrawalRequest, Text: text}, (*client.Client).AskBack, (*client.Client).RequestWithdrawal}
			}
			return e.bySender(cmd.Context(), args, act, own, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&text, "text", "", "why, in a sentence")
	cmd.Flags().BoolVar(&request, "request", false, "ask for what was opened already")
	own.add(cmd)
	return cmd
}

func newAcknowledgeReturnCmd(e *env) *cobra.Command {
	var own ownKey
	cmd := &cobra.Command{
		Use:     "acknowledge-return EXCHANGE RECIPIENT",
		Short:   "state that the office saw that a recipient sent the document back (退回确认)",
		Long:    "Ends that recipient's part: the record of the exchange is deposited once every recipient has ended. With --key the statement is signed\nhere.",
		Example: "  yinxin acknowledge-return EXCHANGE OFFICE-A",
		Args:    exactly(2, "an exchange and a recipient"),
		RunE: func(cmd *cobra.Command, args []string) error {
			act := senderAct{receipt.Statement{Event: transport.ReturnAcknowledgement}, (*client.Client).ReturnSeen, (*client.Client).AcknowledgeReturn}
			return e.bySender(cmd.Context(), args, act, own, jsonFlag(cmd))
		},
	}
	own.add(cmd)
	return cmd
}

// senderAct is what a sender states about one recipient's part: through the hosted office, or signed with its own key.
type senderAct struct {
	states receipt.Statement
	hosted func(*client.Client, context.Context, string, api.SenderAct) (api.Delivery, error)
	own    func(c *client.Client, ctx context.Context, key, exchange, recipient string, statement []byte) (api.Moved, error)
}

// bySender states something about one recipient's part of what the office sent.
func (e *env) bySender(ctx context.Context, args []string, act senderAct, own ownKey, asJSON bool) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	var d api.Delivery
	if own.key != "" {
		do := func(ctx context.Context, key, exchange, recipient string, statement []byte) (api.Moved, error) {
			return act.own(c, ctx, key, exchange, recipient, statement)
		}
		d, err = e.actOnSent(ctx, args[0], args[1], own, act.states, do, c)
	} else {
		d, err = act.hosted(c, ctx, args[0], api.SenderAct{Recipient: args[1], Text: act.states.Text})
	}
	if err != nil {
		return err
	}
	return e.result(asJSON, d, "%s: %s\n", d.Recipient, stateText(d.State))
}
