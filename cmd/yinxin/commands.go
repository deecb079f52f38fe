package main

import "github.com/spf13/cobra"

// offlineCommands need files alone.
func offlineCommands(e *env) []*cobra.Command {
	return []*cobra.Command{
		newDemoCmd(e), newComposeCmd(e), newVerifyCmd(e),
	}
}

// hubCommands need a hub and, all but login, a session.
func hubCommands(*env) []*cobra.Command { return nil }
