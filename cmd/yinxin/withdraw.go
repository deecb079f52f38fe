package main

import (
	"context"

	"github.com/spf13/cobra"

	"yinxin/transport/api"
	"yinxin/transport/client"
)

func newWithdrawCmd(e *env) *cobra.Command {
	var text string
	var request bool
	cmd := &cobra.Command{
		Use:   "withdraw EXCHANGE RECIPIENT",
		Short: "take a document back from a recipient who has not opened it (撤回), or ask for it afterwards",
		Long: "Takes the document out of the recipient's box. What was opened is not taken away any more (invalid_transition): with --request the\n" +
			"office then asks for it back (请求退还), which is recorded with its signature; the recipient may return it or not.",
		Example: "  yinxin withdraw EXCHANGE OFFICE-A --text '附件有误，另行发文'\n  yinxin withdraw EXCHANGE OFFICE-A --request --text '附件有误，请退回'",
		Args:    exactly(2, "an exchange and a recipient"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if request {
				return e.bySender(cmd.Context(), args, text, (*client.Client).AskBack, jsonFlag(cmd))
			}
			return e.bySender(cmd.Context(), args, text, (*client.Client).WithdrawFrom, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&text, "text", "", "why, in a sentence")
	cmd.Flags().BoolVar(&request, "request", false, "ask for what was opened already")
	return cmd
}

func newAcknowledgeReturnCmd(e *env) *cobra.Command {
	return &cobra.Command{
		Use:     "acknowledge-return EXCHANGE RECIPIENT",
		Short:   "state that the office saw that a recipient sent the document back (退回确认)",
		Long:    "Ends that recipient's part: the record of the exchange is deposited once every recipient has ended.",
		Example: "  yinxin acknowledge-return EXCHANGE OFFICE-A",
		Args:    exactly(2, "an exchange and a recipient"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.bySender(cmd.Context(), args, "", (*client.Client).ReturnSeen, jsonFlag(cmd))
		},
	}
}

// bySender has the hosted office state something about one recipient's part of what it sent.
func (e *env) bySender(
	ctx context.Context, args []string, text string,
	do func(*client.Client, context.Context, string, api.SenderAct) (api.Delivery, error), asJSON bool,
) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	d, err := do(c, ctx, args[0], api.SenderAct{Recipient: args[1], Text: text})
	if err != nil {
		return err
	}
	return e.result(asJSON, d, "%s: %s\n", d.Recipient, stateText(d.State))
}
