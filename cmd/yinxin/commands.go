package main

import "github.com/spf13/cobra"

// offlineCommands need files alone.
func offlineCommands(e *env) []*cobra.Command {
	return []*cobra.Command{
		newDemoCmd(e), newComposeCmd(e), newLintCmd(e), newRenderCmd(e), newVerifyCmd(e), newInspectCmd(e),
		newSealCmd(e), newSignCmd(e), newPackCmd(e), newOpenCmd(e), newKeysCmd(e), newCertCmd(e), newLogCmd(e), newStatsCmd(e),
	}
}

// hubCommands need a hub and, all but login, a session.
func hubCommands(e *env) []*cobra.Command {
	return []*cobra.Command{
		newLoginCmd(e), newLogoutCmd(e), newSessionsCmd(e), newSendCmd(e), newApproveCmd(e), newInboxCmd(e), newFetchCmd(e), newSignForCmd(e),
		newReturnCmd(e), newWithdrawCmd(e), newAcknowledgeReturnCmd(e), newRemindCmd(e),
		newReissueCmd(e), newCorrectCmd(e), newCopiesCmd(e), newTrackCmd(e), newReceiptCmd(e), newArchiveCmd(e), newSealsCmd(e), newOrgCmd(e),
	}
}
