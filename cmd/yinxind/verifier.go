package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"yinxin/internal/web/program"
)

// devVerifier is the verifier for browsers of a development hub: the one that was built in, or one that is compiled from
// the source around it when somebody first asks for it. That is what lets `go run ./cmd/yinxind dev` show the verifying
// page from a fresh checkout; a hub that is built with make build never does it.
type devVerifier struct {
	program.Files
	start func()
	once  sync.Once
}

// Program gives the verifier, and begins to compile it where there is none; until then it is fs.ErrNotExist.
func (v *devVerifier) Program() ([]byte, error) {
	v.once.Do(v.start)
	return v.Files.Program()
}

// newDevVerifier makes it. What is compiled lies in the folder of the hub; ctx ends an unfinished compilation.
func newDevVerifier(ctx context.Context, dir string, log *slog.Logger) *devVerifier {
	if built := program.Embedded(); built.Ready() {
		return &devVerifier{Files: built, start: func() {}}
	}
	into := filepath.Join(dir, "verifier")
	return &devVerifier{Files: program.Folder(into), start: func() {
		go func() {
			if err := compileVerifier(ctx, into); err != nil {
				log.WarnContext(ctx, "no verifier for browsers", slog.Any("error", err))
			}
		}()
	}}
}

func compileVerifier(ctx context.Context, into string) error {
	if err := os.RemoveAll(into); err != nil { // of an earlier source
		return err
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	root, err := program.Root(here)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return errors.Join(errors.New("it is compiled with the go command"), err)
	}
	return program.Build(ctx, root, into)
}
