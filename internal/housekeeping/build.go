package main

import (
	"context"
	"os"
	"path/filepath"
)

// maxBinary is the size under which the stripped yinxin binary stays, in bytes.
const maxBinary = 60_000_000

// binaries builds the commands as they are released and looks at the client's size.
func (h *house) binaries(ctx context.Context) tally {
	dir := h.binDir()
	t := h.step(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", dir+"/", "./cmd/...")
	if t.failed > 0 {
		return t
	}
	info, err := os.Stat(filepath.Join(dir, "yinxin"))
	if err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	h.printf("yinxin: %.1f MB, limit %.0f MB\n", float64(info.Size())/1e6, maxBinary/1e6)
	if info.Size() >= maxBinary {
		t.failed++
		return t
	}
	t.passed++
	return t
}

func (h *house) binDir() string { return filepath.Join(h.cache, "bin") }

// pureGo builds everything without gmsm's assembly and runs the tests of crypto that way: what a processor without
// that assembly would run.
func (h *house) pureGo(ctx context.Context) tally {
	t := h.step(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-tags=purego", "./...")
	t.add(h.goTest(ctx, []string{"CGO_ENABLED=0"}, "-tags=purego", "./crypto/..."))
	return t
}
