package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// vaultVariable names the server that tests of the Vault engine run against; see keys/keystest/vaulttest.
const vaultVariable = "YINXIN_TEST_VAULT"

// vaultModule is the module of the test server. It is built, never imported.
const vaultModule = "keys/keystest/vaultserver"

// vaultServer gets the Vault server of the tests: the one that the environment names, else `vault` of the PATH, else one
// built from vaultModule and kept by the hash of that folder.
func (h *house) vaultServer(ctx context.Context) tally {
	if path := os.Getenv(vaultVariable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return tally{missing: []string{fmt.Sprintf("vault: %s: %v", vaultVariable, err)}}
		}
		return tally{passed: 1}
	}
	if _, err := exec.LookPath("vault"); err == nil {
		return tally{passed: 1}
	}
	return h.vaultBuilt(ctx)
}

// vaultBuilt builds the server from the repository unless it is there.
func (h *house) vaultBuilt(ctx context.Context) tally {
	path, err := h.vaultPath()
	if err != nil {
		return tally{missing: []string{fmt.Sprintf("vault: %v", err)}}
	}
	if _, err := os.Stat(path); err == nil {
		return tally{passed: 1}
	}
	h.printf("building the Vault test server\n")
	out, err := h.command(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-C", filepath.Join(h.root, vaultModule), "-mod=readonly",
		"-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", path, ".").CombinedOutput()
	if err != nil {
		h.printf("%s", indent(out))
		return tally{missing: []string{fmt.Sprintf("vault (%s): %v", vaultModule, err)}}
	}
	return tally{passed: 1}
}

// vaultPath says where the built server lies. The folder's name changes with every file of the module and with Go.
func (h *house) vaultPath() (string, error) {
	sum := fnv.New64a()
	module := os.DirFS(filepath.Join(h.root, vaultModule))
	err := fs.WalkDir(module, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".md" {
			return err
		}
		data, err := fs.ReadFile(module, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", path, len(data))
		sum.Write(data)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", vaultModule, err)
	}
	return filepath.Join(h.cache, fmt.Sprintf("vaultserver-%s-%s-%016x", runtime.Version(), runtime.GOARCH, sum.Sum64()), "vaultserver"), nil
}

// vaultEnv tells tests of a server that was built; an own choice of the caller stands.
func (h *house) vaultEnv() []string {
	if os.Getenv(vaultVariable) != "" {
		return nil
	}
	if _, err := exec.LookPath("vault"); err == nil {
		return nil
	}
	path, err := h.vaultPath()
	if err != nil {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	return []string{vaultVariable + "=" + path}
}

// vaultDev runs the built server with the plugin mounted, until it is interrupted.
func (h *house) vaultDev(ctx context.Context) tally {
	server, err := h.vaultPath()
	if err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	plugin := filepath.Join(h.binDir(), "vault-plugin-gm")
	t := h.step(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", plugin, "./cmd/vault-plugin-gm")
	if t.failed > 0 {
		return t
	}
	c := h.command(ctx, nil, server, "dev", "-plugin", plugin)
	c.Stdout, c.Stderr = h.out, h.out
	if err := c.Run(); err != nil && ctx.Err() == nil {
		h.printf("vault-dev: %v\n", err)
		t.failed++
	}
	return t
}
