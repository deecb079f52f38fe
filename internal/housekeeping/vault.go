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

// The same of an OpenBao server, which tests of the engine run against too.
const (
	openBaoVariable = "YINXIN_TEST_OPENBAO"
	openBaoModule   = "keys/keystest/baoserver"
)

// s3Variable names the S3 server that tests of archive/blob/s3blob run against, s3Module the module that it is built from.
const (
	s3Variable = "YINXIN_TEST_S3"
	s3Module   = "archive/blob/blobtest/s3server"
)

// s3Server gets the S3 server of the tests: the one that the environment names, else one built from its module.
func (h *house) s3Server(ctx context.Context) tally {
	return h.serverNamed(ctx, "s3server", s3Variable, s3Module)
}

// openBaoServer gets the OpenBao server of the tests: the one that the environment names, else one built from its module.
func (h *house) openBaoServer(ctx context.Context) tally {
	return h.serverNamed(ctx, "openbao", openBaoVariable, openBaoModule)
}

// serverNamed is the server that a variable of the environment names, else one built from its module.
func (h *house) serverNamed(ctx context.Context, name, variable, module string) tally {
	path := os.Getenv(variable)
	if path == "" {
		return h.serverBuilt(ctx, name, module)
	}
	if _, err := os.Stat(path); err != nil {
		return tally{missing: []string{fmt.Sprintf("%s: %s: %v", name, variable, err)}}
	}
	return tally{passed: 1}
}

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
	return h.serverBuilt(ctx, "vault", vaultModule)
}

// serverBuilt builds a server from its module unless it is there.
func (h *house) serverBuilt(ctx context.Context, name, module string) tally {
	path, err := h.serverPath(module)
	if err != nil {
		return tally{missing: []string{fmt.Sprintf("%s: %v", name, err)}}
	}
	if _, err := os.Stat(path); err == nil {
		return tally{passed: 1}
	}
	h.printf("building the test server of %s\n", module)
	out, err := h.command(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-C", filepath.Join(h.root, module), "-mod=readonly",
		"-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", path, ".").CombinedOutput()
	if err != nil {
		h.printf("%s", indent(out))
		return tally{missing: []string{fmt.Sprintf("%s (%s): %v", name, module, err)}}
	}
	return tally{passed: 1}
}

// vaultPath says where the built Vault server lies.
func (h *house) vaultPath() (string, error) { return h.serverPath(vaultModule) }

// serverPath says where the server of a module lies. The folder's name changes with every file of the module and with Go.
func (h *house) serverPath(name string) (string, error) {
	sum := fnv.New64a()
	module := os.DirFS(filepath.Join(h.root, name))
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
		return "", fmt.Errorf("look at %s: %w", name, err)
	}
	program := filepath.Base(name)
	return filepath.Join(h.cache, fmt.Sprintf("%s-%s-%s-%016x", program, runtime.Version(), runtime.GOARCH, sum.Sum64()), program), nil
}

// vaultEnv tells tests of the servers that were built; an own choice of the caller stands.
func (h *house) vaultEnv() []string {
	var env []string
	if _, err := exec.LookPath("vault"); err != nil {
		env = h.serverEnv(vaultVariable, vaultModule)
	}
	env = append(env, h.serverEnv(openBaoVariable, openBaoModule)...)
	return append(env, h.serverEnv(s3Variable, s3Module)...)
}

func (h *house) serverEnv(variable, module string) []string {
	if os.Getenv(variable) != "" {
		return nil
	}
	path, err := h.serverPath(module)
	if err != nil {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	return []string{variable + "=" + path}
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
