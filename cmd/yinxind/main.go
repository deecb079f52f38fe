// Command yinxind runs a hub. `yinxind serve` runs it by a configuration file, on PostgreSQL or SQLite, prepared by
// `yinxind init` and `yinxind migrate`. `yinxind dev` is the whole system on loopback with the embedded default (SQLite,
// file key store, file blobs) and invented offices, for trying out and for tests, and `yinxind tsa` a small time-stamp
// authority for tests and pilots; these two are not for production, and say so. `yinxind witness` watches evidence logs.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive/blob"
	"yinxin/archive/blob/s3blob"
	"yinxin/archive/tlog"
	"yinxin/archive/witness"
	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/internal/backup"
	"yinxin/internal/config"
	"yinxin/internal/durable"
	"yinxin/internal/postgres"
	"yinxin/internal/release"
	"yinxin/internal/sqlite"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/transport/hub"
)

// env is what a command may touch of the world around it.
type env struct {
	stdout, stderr io.Writer
	now            func() time.Time
	rand           io.Reader
}

func main() { os.Exit(realMain()) }

func realMain() int {
	if err := filekeys.NoCoreFiles(); err != nil {
		fmt.Fprintln(os.Stderr, "yinxind:", err)
		return exitInternal
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	return run(ctx, os.Args[1:], &env{stdout: os.Stdout, stderr: os.Stderr, now: time.Now, rand: rand.Reader})
}

// errUsage marks a wrong call, errSetup a setup file that is none.
var (
	errUsage = errors.New("usage")
	errSetup = errors.New("setup cannot be read")
)

// Exit codes, the same as those of yinxin.
const (
	exitUsage    = 2
	exitNotFound = 4
	exitRefused  = 5
	exitAway     = 6
	exitInternal = 70
)

// run executes one command and returns its exit code. To be stopped is what a daemon ends by: once ctx ended the code is 0.
func run(ctx context.Context, args []string, e *env) int {
	root := newRootCmd(e)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	stopped := ctx.Err() != nil
	if err == nil || stopped && errors.Is(err, context.Canceled) {
		return 0
	}
	if j, ok := errors.AsType[judged](err); ok {
		return j.status.ExitCode()
	}
	exit, code := faultOf(err)
	e.report(err, code, slices.Contains(args, "--json") || slices.Contains(args, "--json=true"))
	if stopped {
		return 0
	}
	return exit
}

func newRootCmd(e *env) *cobra.Command {
	root := &cobra.Command{
		Use: "yinxind", Short: "印信: the exchange hub", SilenceErrors: true, SilenceUsage: true,
		Version: release.Version(),
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%w: unknown command %q", errUsage, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.PersistentFlags().Bool("json", false, "print what a program needs to know as one JSON object, and any fault as one")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(newDevCmd(e), newServeCmd(e), newInitCmd(e), newMigrateCmd(e), newCheckCmd(e), newBackupCmd(e), newRestoreCmd(e), newRecoverCmd(e), newEnvelopesCmd(e),
		newTSACmd(e), newWitnessCmd(e))
	root.SetHelpCommand(&cobra.Command{
		Use: "help [COMMAND]", Short: "show what a command takes",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("%w: help: unknown command %q", errUsage, strings.Join(args, " "))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	})
	return root
}

// noArguments refuses what no command here takes.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: %s takes no arguments, got %q", errUsage, cmd.CommandPath(), args[0])
	}
	return nil
}

func wantsJSON(cmd *cobra.Command) bool {
	on, err := cmd.Flags().GetBool("json")
	return err == nil && on
}

// faultOf maps an error to its exit code and problem code.
func faultOf(err error) (exit int, code string) {
	for _, row := range []struct {
		err  error
		exit int
		code string
	}{
		{errUsage, exitUsage, "usage"},
		{errSetup, exitNotFound, "malformed"},
		{tlog.ErrMalformed, exitNotFound, "malformed"},
		{tlog.ErrStale, exitRefused, "rolled_back"},
		{tlog.ErrFork, exitRefused, "fork"},
		{tlog.ErrSignature, exitRefused, "checkpoint_signature"},
		{witness.ErrUnknownLog, exitRefused, "unknown_log"},
		{errRefused, exitRefused, "refused"},
		{postgres.ErrNotEmpty, exitRefused, "not_empty"},
		{backup.ErrNone, exitNotFound, "not_found"},
		{backup.ErrDamaged, exitNotFound, "damaged"},
		{backup.ErrNotForKey, exitRefused, "not_for_key"},
		{tlog.ErrWrongLog, exitRefused, "wrong_log"},
		{gm.ErrPassphrase, exitRefused, "wrong_passphrase"},
		{config.ErrInvalid, exitUsage, "configuration"},
		{postgres.ErrSchema, exitRefused, "schema"},
		{sqlite.ErrSchema, exitRefused, "schema"},
		{postgres.ErrNotDurable, exitRefused, "not_durable"},
		{tlog.ErrRollback, exitRefused, "rolled_back"},
		{hub.ErrStorage, exitAway, "unreachable"},
		{filekeys.ErrLocked, exitRefused, "in_use"},
		{durable.ErrLocked, exitRefused, "in_use"},
		{syscall.EADDRINUSE, exitRefused, "in_use"},
		{filekeys.ErrPassphrase, exitRefused, "wrong_passphrase"},
		{filekeys.ErrNoStore, exitNotFound, "not_found"},
		{filekeys.ErrDamaged, exitNotFound, "damaged"},
		{filekeys.ErrRolledBack, exitRefused, "rolled_back"},
		{s3blob.ErrDenied, exitRefused, "refused"},
		{blob.ErrNotFound, exitNotFound, "not_found"},
		{cert.ErrKeyMismatch, exitRefused, "key_mismatch"},
		{keys.ErrNotFound, exitNotFound, "not_found"},
		{keys.ErrDenied, exitRefused, "refused"},
		{fs.ErrNotExist, exitNotFound, "not_found"},
		{fs.ErrExist, exitRefused, "refused"},
		{fs.ErrPermission, exitRefused, "refused"},
		{syscall.ENOTDIR, exitRefused, "refused"},
		{syscall.EADDRNOTAVAIL, exitRefused, "refused"},
		{syscall.ENOSPC, exitRefused, "storage_full"},
	} {
		if errors.Is(err, row.err) {
			return row.exit, row.code
		}
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return exitAway, "unreachable"
	}
	return exitInternal, "internal"
}

// report prints a fault, for people or as a problem object (RFC 9457).
func (e *env) report(err error, code string, asJSON bool) {
	text := err.Error()
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		text = "the address is in use by another process, perhaps another hub; choose one with --listen: " + text
	case errors.Is(err, filekeys.ErrLocked), errors.Is(err, durable.ErrLocked):
		text = "the folder is in use by another process, perhaps another hub; stop it, or choose another folder with --dir: " + text
	}
	if !asJSON {
		fmt.Fprintf(e.stderr, "yinxind: %s [%s]\n", text, code)
		return
	}
	problem := map[string]string{"type": "/problems/" + code, "code": code, "detail": text}
	if err := json.NewEncoder(e.stderr).Encode(problem); err != nil {
		return // there is nowhere to tell of it
	}
}
