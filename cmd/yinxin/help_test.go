package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelp: every command that does something says what and takes --json, and those that need no hub give an example.
func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	var walk func(c *cobra.Command, group string)
	walk = func(c *cobra.Command, group string) {
		for _, sub := range c.Commands() {
			walk(sub, group+sub.GroupID)
		}
		if !c.Runnable() || c.HasSubCommands() || c.Name() == "help" || c.HasParent() && c.Parent().Name() == "completion" {
			return
		}
		if c.Short == "" || c.InheritedFlags().Lookup("json") == nil {
			t.Errorf("%s: no short help, or no --json", c.CommandPath())
		}
		if group == "offline" && !strings.Contains(c.Example, c.CommandPath()) {
			t.Errorf("%s has no example of its own", c.CommandPath())
		}
		for _, flag := range []string{"password", "passphrase", "secret", "pin"} {
			if c.Flags().Lookup(flag) != nil {
				t.Errorf("%s takes a secret on the command line", c.CommandPath())
			}
		}
	}
	walk(newRootCmd(testEnv(&stdout, &stderr)), "")
}

// TestHelpExits0: asking for help is no fault.
func TestHelpExits0(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"verify", "--help"}, {"seal", "apply", "--help"}, {"help", "pack"}} {
		var stdout, stderr bytes.Buffer
		if code := run(context.Background(), args, testEnv(&stdout, &stderr)); code != exitDone || stdout.Len() == 0 || stderr.Len() > 0 {
			t.Errorf("%v: exit %d, %d bytes, stderr %q", args, code, stdout.Len(), stderr.String())
		}
	}
}
