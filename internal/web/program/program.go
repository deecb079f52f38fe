// Package program holds internal/verify compiled for browsers, and compiles it.
//
// It promises that the program and its loader are of one Go, and that the same source and the same Go give the same
// bytes. What is not built is fs.ErrNotExist, never an older one: the build puts both files beside this package, and
// nothing of them is committed.
package program

import (
	"bytes"
	"compress/gzip"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"yinxin/internal/durable"
)

// The files of a built verifier.
const (
	ProgramFile = "verify.wasm.gz"
	LoaderFile  = "loader.js"
)

//go:embed all:built
var built embed.FS

// Files is a built verifier in a folder. It serves what lies there at the moment.
type Files struct{ fs.FS }

// Embedded is the verifier that was built into this program.
func Embedded() Files {
	sub, err := fs.Sub(built, "built")
	if err != nil { // "built" is a valid name
		return Files{built}
	}
	return Files{sub}
}

// Folder is a verifier that Build puts into a folder.
func Folder(dir string) Files { return Files{os.DirFS(dir)} }

// Program gives the compiled verifier, gzip-compressed.
func (f Files) Program() ([]byte, error) { return fs.ReadFile(f.FS, ProgramFile) }

// Loader gives the JavaScript of Go that starts it.
func (f Files) Loader() ([]byte, error) { return fs.ReadFile(f.FS, LoaderFile) }

// Ready reports whether both are there.
func (f Files) Ready() bool {
	_, err := fs.Stat(f.FS, ProgramFile)
	_, other := fs.Stat(f.FS, LoaderFile)
	return err == nil && other == nil
}

// Root is the nearest folder upward from dir that holds the source of yinxin; fs.ErrNotExist where there is none.
func Root(dir string) (string, error) {
	for ; ; dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(data, []byte("module yinxin\n")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no source of yinxin here: %w", fs.ErrNotExist)
		}
	}
}

// notInlined are packages of the verifier whose functions are called rather than copied to where they are called: it makes the
// compressed program smaller by two hundredths, and none of them is where its time goes.
func notInlined() []string {
	return []string{"encoding/xml", "encoding/json", "yinxin/transport/...", "yinxin/archive/...", "yinxin/seal/...", "yinxin/document/pdf"}
}

// Build compiles the verifier from the source at root with the go command and puts it into dir. A build that was cut
// short leaves nothing that Ready would take for whole.
func Build(ctx context.Context, root, dir string) (err error) {
	work, err := os.MkdirTemp("", "yinxin-wasm-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	raw := filepath.Join(work, "verify.wasm")
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", raw}
	for _, pkg := range notInlined() {
		args = append(args, "-gcflags="+pkg+"=-l")
	}
	c := exec.CommandContext(ctx, "go", append(args, "./cmd/verify-wasm")...) //nolint:gosec // our own words and a folder of our own
	c.Dir = root
	c.Env = append(c.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build the verifier for browsers: %w: %.2000s", err, out)
	}
	loader, err := goLoader(ctx, root)
	if err != nil {
		return err
	}
	packed, err := compress(raw)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(dir, ProgramFile), packed, 0o644); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, LoaderFile), loader, 0o644)
}

// goLoader is the loader of the Go that compiles.
func goLoader(ctx context.Context, root string) ([]byte, error) {
	c := exec.CommandContext(ctx, "go", "env", "GOROOT")
	c.Dir = root
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("find Go: %w", err)
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "lib", "wasm", "wasm_exec.js"))
}

// compress packs a file as small as gzip can, with nothing of time or place in it.
func compress(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(raw); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
