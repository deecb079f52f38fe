package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/internal/release"
)

// newRootCmd gathers the verbs, one file each.
func newRootCmd(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:           "yinxin",
		Short:         "印信: official documents, sealed, exchanged, proved and kept",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       release.Version(),
	}
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.PersistentFlags().Bool("json", false, "print the result, and any fault, as JSON")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
	root.AddGroup(
		&cobra.Group{ID: "offline", Title: "With files alone:"},
		&cobra.Group{ID: "hub", Title: "Against a hub:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("offline", offlineCommands(e)...)
	add("hub", hubCommands(e)...)
	refuseUnknown(root)
	root.SetHelpCommand(newHelpCmd(root))
	show := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
			e.wrong = usage("unknown command %q for %s", words[0], cmd.CommandPath())
			return
		}
		show(cmd, args)
	})
	return root
}

// newHelpCmd shows the help of a command, and refuses a word that is none.
func newHelpCmd(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "show what a command takes",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || cmd == nil || cmd.HasSubCommands() && len(rest) > 0 {
				return usage("help: unknown command %q", strings.Join(args, " "))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// refuseUnknown makes every command that only gathers others show its help, and refuse a word that it does not know: a
// misspelt verb must not look like one that was done.
func refuseUnknown(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		refuseUnknown(sub)
	}
	if !cmd.HasSubCommands() || cmd.Runnable() {
		return
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage("unknown command %q for %s", args[0], cmd.CommandPath())
		}
		return cmd.Help()
	}
}

// wantsJSON looks for --json before the flags are parsed, so that a usage fault too is reported as asked.
func wantsJSON(args []string) bool {
	return slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}

// jsonFlag reads the persistent flag.
func jsonFlag(cmd *cobra.Command) bool {
	on, err := cmd.Flags().GetBool("json")
	return err == nil && on
}

// exactly wants n arguments and names them when they are missing.
func exactly(n int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("%s: want %s, got %d argument(s)", cmd.CommandPath(), names, len(args))
		}
		return nil
	}
}

// atLeastOne wants one or more arguments.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage("%s: want at least one %s", cmd.CommandPath(), name)
		}
		return nil
	}
}
