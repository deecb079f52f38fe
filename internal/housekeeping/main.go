package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(code)
}

// run carries out the plan named by args and returns the exit status: 0 all good, 1 something failed or could not be
// had, 2 usage.
func run(ctx context.Context, args []string, out io.Writer) int {
	h, err := newHouse(out, time.Now)
	if err != nil {
		fmt.Fprintln(out, "housekeeping:", err)
		return 1
	}
	plans := h.plans()
	if len(args) == 0 || plans[args[0]] == nil {
		names := make([]string, 0, len(plans))
		for name := range plans {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintln(out, "usage: housekeeping", strings.Join(names, "|"))
		return 2
	}
	return h.carryOut(ctx, plans[args[0]])
}

// plans maps each command to its parts, in the order in which they run: the quick and telling ones first.
func (h *house) plans() map[string][]part {
	check := []part{
		{"tools", h.buildTools},
		{"gofumpt", h.gofumpt},
		{"modules", h.modules},
		{"go vet", h.vet},
		{"golangci-lint", h.lint},
		{"repository", h.repository},
	}
	test := append(slices.Clone(check),
		part{"programs", h.programs},
		part{"Vault server", h.vaultServer},
		part{"OpenBao server", h.openBaoServer},
		part{"S3 server", h.s3Server},
		part{"verifier for browsers", h.wasm},
		part{"binaries", h.binaries},
		part{"tests, race, shuffled", h.race},
		part{"fuzz smoke", h.fuzzSmoke},
		part{"pure Go", h.pureGo},
		part{"services", h.units},
		part{"packages", h.packagesSmoke},
		part{"speed", h.speed},
	)
	return map[string][]part{
		"check":       check,
		"test":        test,
		"race":        {{"programs", h.programs}, {"Vault server", h.vaultServer}, {"OpenBao server", h.openBaoServer}, {"S3 server", h.s3Server}, {"verifier for browsers", h.wasm}, {"tests, race, shuffled", h.race}},
		"integration": {{"programs", h.programs}, {"Vault server", h.vaultServer}, {"S3 server", h.s3Server}, {"verifier for browsers", h.wasm}, {"integration", h.integration}},
		"vectors":     {{"programs", h.programs}, {"Vault server", h.vaultServer}, {"vectors", h.vectors}},
		"fuzz":        {{"fuzz", h.fuzzLong}},
		"lint":        {{"tools", h.buildTools}, {"golangci-lint", h.lint}},
		"fmt":         {{"tools", h.buildTools}, {"format", h.format}},
		"bench":       {{"benchmarks", h.bench}},
		"vault-dev":   {{"Vault server", h.vaultBuilt}, {"vault-dev", h.vaultDev}},
		"packages":    {{"programs", h.programs}, {"verifier for browsers", h.wasm}, {"services", h.units}, {"packages", h.packages}},
		"wasm":        {{"verifier for browsers", h.wasm}},
		"screenshots": {{"programs", h.programs}, {"verifier for browsers", h.wasm}, {"screenshots", h.screenshots}},
		"faults":      {{"programs", h.programs}, {"fault experiments", h.faults}},
		"speed":       {{"binaries", h.binaries}, {"speed", h.speed}},
	}
}

// house is where the work is done: the repository, the cache and the place to report to.
type house struct {
	root  string // the repository
	cache string // what was built stays here between runs
	out   io.Writer
	now   func() time.Time
}

// newHouse finds the repository upward from the working folder and makes the cache folder.
func newHouse(out io.Writer, now func() time.Time) (*house, error) {
	root, err := repositoryRoot()
	if err != nil {
		return nil, err
	}
	cache := os.Getenv("YINXIN_CACHE")
	if cache == "" {
		if user, err := os.UserCacheDir(); err == nil {
			cache = filepath.Join(user, "yinxin")
		}
	}
	if cache == "" || os.MkdirAll(cache, 0o755) != nil {
		cache = filepath.Join(root, ".cache")
		if err := os.MkdirAll(cache, 0o755); err != nil {
			return nil, fmt.Errorf("make the cache folder: %w", err)
		}
	}
	return &house{root: root, cache: cache, out: out, now: now}, nil
}

// repositoryRoot is the nearest folder upward that holds go.mod.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working folder: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", os.ErrNotExist
		}
	}
}
