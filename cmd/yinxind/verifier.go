package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"

	"yinxin/internal/web"
	"yinxin/internal/web/program"
)

// devVerifier is the verifier for browsers of a development hub: the one that was built in, or one that is compiled from
// the source around it when somebody first asks for it. That is what lets `go run ./cmd/yinxind dev` show the verifying
// page from a fresh checkout; a hub that is built with make build never does it.
type devVerifier struct {
	program.Files
	start  func()
	once   sync.Once
	failed atomic.Bool
}

// Program gives the verifier, and begins to compile it where there is none: until then it is web.ErrCompiling, and
// fs.ErrNotExist where it cannot be compiled.
func (v *devVerifier) Program() ([]byte, error) {
	v.once.Do(v.start)
	data, err := v.Files.Program()
	if errors.Is(err, fs.ErrNotExist) && !v.failed.Load() {
		return nil, web.ErrCompiling
	}
	return data, err
}

// newDevVerifier makes it. What is compiled lies in the folder of the hub; ctx ends an unfinished compilation.
func newDevVerifier(ctx context.Context, dir string, log *slog.Logger) *devVerifier {
	if built := program.Embedded(); built.Ready() {
		return &devVerifier{Files: built, start: func() {}}
	}
	return compiledVerifier(ctx, filepath.Join(dir, "verifier"), log)
}

// compiledVerifier is compiled into a folder when it is first asked for.
func compiledVerifier(ctx context.Context, into string, log *slog.Logger) *devVerifier {
	v := &devVerifier{Files: program.Folder(into)}
	v.start = func() {
		told := func(err error) {
			if err != nil {
				v.failed.Store(true)
				log.WarnContext(ctx, "no verifier for browsers", slog.Any("error", err))
			}
		}
		root, err := verifierSource(into)
		if err != nil {
			told(err)
			return
		}
		go func() { told(program.Build(ctx, root, into)) }()
	}
	return v
}

// verifierSource finds the source around the hub that the verifier is compiled from, and clears what an earlier one gave.
func verifierSource(into string) (root string, err error) {
	if err := os.RemoveAll(into); err != nil {
		return "", err
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if root, err = program.Root(here); err != nil {
		return "", err
	}
	if _, err := exec.LookPath("go"); err != nil {
		return "", errors.Join(errors.New("it is compiled with the go command"), err)
	}
	return root, nil
}
