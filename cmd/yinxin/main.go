// Command yinxin is what offices, recipients, archivists and custodians use, and what anybody verifies with.
//
// Everything that it does with files alone (compose, seal, sign, verify, pack, open, inspect, keys, cert, demo) needs no
// server, no configuration and no network. What it does against a hub starts with `yinxin login`. Results go to stdout,
// progress and faults to stderr; exit codes are those of the README. Secrets are never taken from the command line.
package main

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
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
}

func main() {
	os.Exit(realMain())
}

func realMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], systemEnv())
}

func systemEnv() *env {
	return &env{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, now: time.Now, rand: rand.Reader, home: homeDir(os.Getenv),
	}
}

// homeDir is YINXIN_HOME, else the folder yinxin under the user's configuration folder.
func homeDir(getenv func(string) string) string {
	if dir := getenv("YINXIN_HOME"); dir != "" {
		return dir
	}
	if dir, err := os.UserConfigDir(); err == nil {
		return dir + "/yinxin"
	}
	return ".yinxin"
}

// run executes one command and returns its exit code.
func run(ctx context.Context, args []string, e *env) int {
	root := newRootCmd(e)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return e.report(err, wantsJSON(args))
}
