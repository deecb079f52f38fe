package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/internal/durable"
)

// TestDemoLeavesAFolderAloneInWhichAnotherIsAtWork: what the other one leaves there stays as it is.
func TestDemoLeavesAFolderAloneInWhichAnotherIsAtWork(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	held, err := durable.Lock(t.Context(), filepath.Join(out, demoMark), true, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	left := filepath.Join(out, "document.ofd")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{"demo", "--out", out}, testEnv(&stdout, &stderr))
	if code != exitRefused || !strings.Contains(stderr.String(), "[busy]") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
	if _, err := os.Stat(left); err != nil {
		t.Error(err)
	}
}
