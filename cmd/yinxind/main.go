// Command yinxind runs a hub. So far it has two forms: `yinxind dev`, the whole system on loopback with the embedded
// default (SQLite, file key store, file blobs) and invented offices, for trying out and for tests, and `yinxind tsa`, a
// small time-stamp authority for tests and pilots. Neither is for production, and both say so.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// env is what a command may touch of the world around it.
type env struct {
	stdout, stderr io.Writer
	now            func() time.Time
	rand           io.Reader
}

func main() { os.Exit(realMain()) }

func realMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], &env{stdout: os.Stdout, stderr: os.Stderr, now: time.Now, rand: rand.Reader})
}

// errUsage marks a wrong call.
var errUsage = errors.New("usage")

// run executes one command and returns its exit code: 0 done, 2 usage, 70 anything else.
func run(ctx context.Context, args []string, e *env) int {
	root := &cobra.Command{Use: "yinxind", Short: "印信: the exchange hub", SilenceErrors: true, SilenceUsage: true}
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(newDevCmd(e), newTSACmd(e))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(e.stderr, "yinxind: %v\n", err)
	if errors.Is(err, errUsage) {
		return 2
	}
	return 70
}
