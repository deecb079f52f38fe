package main

import (
	"context"
	"strings"
)

// gofumpt shows how the Go files differ from what gofumpt would write.
func (h *house) gofumpt(ctx context.Context) tally {
	path, missing := h.haveTool("gofumpt")
	if missing != nil {
		return *missing
	}
	files, err := h.sources(ctx, ".go")
	if err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	out, err := h.command(ctx, nil, path, append([]string{"-d"}, files...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		h.printf("run `make fmt`:\n%s", indent(out))
		return tally{failed: 1}
	}
	return tally{passed: 1}
}

// format rewrites the Go files as gofumpt wants them.
func (h *house) format(ctx context.Context) tally {
	path, missing := h.haveTool("gofumpt")
	if missing != nil {
		return *missing
	}
	files, err := h.sources(ctx, ".go")
	if err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	return h.step(ctx, nil, path, append([]string{"-w"}, files...)...)
}

// modules checks that what was downloaded is what go.sum says, and that go.mod names what the code imports.
func (h *house) modules(ctx context.Context) tally {
	t := h.step(ctx, nil, "go", "mod", "verify")
	t.add(h.step(ctx, nil, "go", "mod", "tidy", "-diff"))
	return t
}

func (h *house) vet(ctx context.Context) tally {
	return h.step(ctx, nil, "go", "vet", "./...")
}

// lint runs golangci-lint with .golangci.yml; staticcheck is one of its linters.
func (h *house) lint(ctx context.Context) tally {
	path, missing := h.haveTool("golangci-lint")
	if missing != nil {
		return *missing
	}
	return h.step(ctx, []string{"GOLANGCI_LINT_CACHE=" + h.cache + "/golangci-lint"}, path, "run", "--timeout=30m", "--allow-parallel-runners", "./...")
}

// repository runs the tests that hold files to one another: docs to code, README to README, pins to go.mod, and no
// path of somebody's machine anywhere.
func (h *house) repository(ctx context.Context) tally {
	pkgs := []string{"./internal/housekeeping"}
	for pkg, source := range h.testSources(ctx) {
		if strings.Contains(source, "docs/") && strings.Contains(source, ".md") && pkg != pkgs[0] {
			pkgs = append(pkgs, pkg)
		}
	}
	return h.goTest(ctx, nil, append([]string{"-run=Docs|States|Repository|README"}, pkgs...)...)
}
