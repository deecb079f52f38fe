package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
)

// tool is a Go program that tools.mod pins.
type tool struct{ name, pkg string }

func goTools() []tool {
	return []tool{
		{"gofumpt", "mvdan.cc/gofumpt"},
		{"golangci-lint", "github.com/golangci/golangci-lint/v2/cmd/golangci-lint"},
	}
}

// program is a Debian program that some test uses as an independent reader, or that building needs. Where file is set,
// it is found by that file (or pattern of files) and not by a program of its name on the PATH.
type program struct{ name, debian, why, file string }

// installed reports whether the program, or the library's file, is there.
func (p program) installed() bool {
	if p.file != "" {
		found, err := filepath.Glob(p.file)
		return err == nil && len(found) > 0
	}
	_, err := exec.LookPath(p.name)
	return err == nil
}

func debianPrograms() []program {
	return []program{
		{"gcc", "gcc libc6-dev", "the race detector links with it", ""},
		{"openssl", "openssl", "an independent reader of SM2, certificates, keys and envelopes", ""},
		{"pdftotext", "poppler-utils", "an independent reader of the composed PDF", ""},
		{"systemd-analyze", "systemd", "judges how much the services may do", ""},
		{"dpkg-deb", "dpkg", "builds the packages", ""},
		{"initdb", "postgresql", "stores, hubs and faults are tested on a private PostgreSQL server", "/usr/lib/postgresql/*/bin/initdb"},
		{"chromium", "chromium fonts-noto-cjk", "a real browser, against which the console is tested", ""},
		{"javac", "openjdk-17-jdk-headless", "runs testvectors/interop/Interop.java", ""},
		{
			"libbcpkix-java", "libbcpkix-java libbcprov-java", "Bouncy Castle, an independent reader of certificates, CRLs, OCSP, signed data and time-stamps",
			"/usr/share/java/bcpkix.jar",
		},
	}
}

// buildTools builds the tools of tools.mod once; they are kept by the versions that tools.mod names and by Go's.
func (h *house) buildTools(ctx context.Context) tally {
	var t tally
	for _, tool := range goTools() {
		path := h.toolPath(tool.name)
		if _, err := os.Stat(path); err == nil {
			t.passed++
			continue
		}
		h.printf("building %s\n", tool.name)
		out, err := h.command(ctx, nil, "go", "build", "-modfile=tools.mod", "-buildvcs=false", "-trimpath", "-ldflags=-s -w",
			"-o", path, tool.pkg).CombinedOutput()
		if err != nil {
			h.printf("%s", indent(out))
			t.missing = append(t.missing, fmt.Sprintf("%s (%s): %v", tool.name, tool.pkg, err))
			continue
		}
		t.passed++
	}
	return t
}

// toolPath says where a built tool lies. The folder's name changes with tools.sum and with Go itself, so that a tool
// of another version is never used by mistake.
func (h *house) toolPath(name string) string {
	sum := fnv.New64a()
	for _, file := range []string{"tools.mod", "tools.sum"} {
		data, _ := os.ReadFile(filepath.Join(h.root, file)) // a missing file shows when the tool is built
		sum.Write(data)
	}
	return filepath.Join(h.cache, fmt.Sprintf("tools-%s-%s-%016x", runtime.Version(), runtime.GOARCH, sum.Sum64()), name)
}

// haveTool is the path of a built tool, or a tally that says it is missing.
func (h *house) haveTool(name string) (string, *tally) {
	path := h.toolPath(name)
	if _, err := os.Stat(path); err != nil {
		return "", &tally{missing: []string{name + ": not built, so its check did not run"}}
	}
	return path, nil
}

// programs looks for the Debian programs that tests name and, for root, installs those that are not there.
func (h *house) programs(ctx context.Context) tally {
	var t tally
	update := sync.OnceFunc(func() {
		h.command(ctx, aptEnv(), "apt-get", "update", "-q").Run() //nolint:errcheck // an old list may still do
	})
	for _, p := range debianPrograms() {
		err := h.install(ctx, p, update)
		if err != nil {
			t.missing = append(t.missing, fmt.Sprintf("%s (Debian: %s; %s): %v", p.name, p.debian, p.why, err))
			continue
		}
		t.passed++
	}
	return t
}

func aptEnv() []string { return []string{"DEBIAN_FRONTEND=noninteractive"} }

// install gets one program if it is missing: first with the package lists as they are, then with fresh ones.
func (h *house) install(ctx context.Context, p program, update func()) error {
	if p.installed() {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("not installed, and only root may install it")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("not installed, and there is no apt-get")
	}
	h.printf("installing %s\n", p.debian)
	args := slices.Concat([]string{"install", "-q", "-y", "--no-install-recommends"}, fields(p.debian))
	if _, err := h.command(ctx, aptEnv(), "apt-get", args...).CombinedOutput(); err == nil {
		return nil
	}
	update()
	out, err := h.command(ctx, aptEnv(), "apt-get", args...).CombinedOutput()
	if err != nil {
		h.printf("%s", indent(out))
		return fmt.Errorf("apt-get install: %w", err)
	}
	return nil
}
