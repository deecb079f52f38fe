// Command yinxin is what offices, recipients, archivists and custodians use, and what anybody verifies with.
//
// Everything that it does with files alone (compose, seal, sign, verify, pack, open, inspect, keys, cert, demo) needs no
// server, no configuration and no network. What it does against a hub starts with `yinxin login`. Results go to stdout,
// progress and faults to stderr; exit codes are those of the README, and 130 of a command that was interrupted. Secrets are never taken from the command line.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"yinxin/keys/filekeys"
)

// env is everything a command may touch of the world around it.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	rand           io.Reader
	// home is where yinxin keeps what it must remember: the login, the embedded key store.
	home string
	// homeless says that the environment names no home: the folder lies below the present one, which a person is told once.
	homeless bool
	// wrong is a call for the help of a command that there is not.
	wrong error
}

func main() {
	os.Exit(realMain())
}

// grace is how long a command may take to end after an interrupt; a second interrupt ends it at once.
const grace = 5 * time.Second

func realMain() int {
	if err := filekeys.NoCoreFiles(); err != nil {
		fmt.Fprintln(os.Stderr, "yinxin:", err)
		return exitInternal
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	done := make(chan int, 1)
	go func() { done <- run(ctx, os.Args[1:], systemEnv()) }()
	select {
	case code := <-done:
		return code
	case <-ctx.Done():
	}
	stop()
	select {
	case code := <-done:
		return code
	case <-time.After(grace): // what is written appears under its name only when it is whole
		fmt.Fprintln(os.Stderr, "yinxin: interrupted")
		return exitInterrupted
	}
}

func systemEnv() *env {
	home, named := homeDir(os.Getenv)
	return &env{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, now: time.Now, rand: rand.Reader, home: home, homeless: !named,
	}
}

// homeDir is YINXIN_HOME, else the folder yinxin under the user's configuration folder, else, where the environment names
// neither, one in the present folder.
func homeDir(getenv func(string) string) (dir string, named bool) {
	if dir := getenv("YINXIN_HOME"); dir != "" {
		return dir, true
	}
	if dir, err := os.UserConfigDir(); err == nil {
		return filepath.Join(dir, "yinxin"), true
	}
	return ".yinxin", false
}

// at is a path in the home folder. Where that folder is nobody's choice, it says once which one it is.
func (e *env) at(name string) string {
	if e.homeless {
		e.homeless = false
		dir, err := filepath.Abs(e.home)
		if err != nil {
			dir = e.home
		}
		printLine(e.stderr, "note: neither YINXIN_HOME nor HOME is set; login and keys lie in %s\n", dir)
	}
	return filepath.Join(e.home, name)
}

// run executes one command and returns its exit code. A result that could not be written is a fault of its own, unless the
// exit code tells of a worse one.
func run(ctx context.Context, args []string, e *env) int {
	out, faults := &screen{w: e.stdout}, &screen{w: e.stderr}
	here := *e
	here.stdout, here.stderr = out, faults
	root := newRootCmd(&here)
	root.SetArgs(args)
	err := errors.Join(root.ExecuteContext(ctx), here.wrong)
	if exit, code := faultOf(err); err != nil && ctx.Err() != nil && (exit == exitInternal || code == "unreachable") {
		err = refuse("interrupted", exitInterrupted, "interrupted: %w", err)
	}
	exit := here.report(err, wantsJSON(args))
	if err := out.close(); err != nil && (exit == exitDone || exit == exitIndeterminate) {
		exit = here.report(err, wantsJSON(args))
	}
	_ = faults.close() // there is nowhere to tell of it
	return exit
}
