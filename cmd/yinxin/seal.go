package main

import "github.com/spf13/cobra"

func newSealCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "seal", Short: "make seals, and seal documents with a key at hand",
		Long: "Makes electronic seals (shaped after GB/T 38540-2020 or GM/T 0031-2014) and puts them on OFD and PDF documents with keys at hand. A\n" +
			"sealing with a bare key is nobody's approval: it is reported as approval: none. Where a second person must approve,\n" +
			"prepare it first (seal prepare), or use the office service of a hub (send, approve).",
		Example: "  yinxin seal make --name 'OFFICE A' --cert seal.pem --maker-key store:maker --maker-cert maker.pem --out jy.esl\n" +
			"  yinxin seal apply --seal jy.esl --key store:office.seal --on-date notice.ofd sealed.ofd",
	}
	cmd.AddCommand(newSealMakeCmd(e), newSealPrepareCmd(e), newSealApplyCmd(e), newSealRenewCmd(e))
	return cmd
}
