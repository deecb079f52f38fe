package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// sources lists the repository's files whose names end in suffix, relative to the root, sorted: what git knows or
// would add; without git, whatever lies there outside the dot folders.
func (h *house) sources(ctx context.Context, suffix string) ([]string, error) {
	files, err := h.gitFiles(ctx)
	if err != nil {
		if files, err = h.walkFiles(); err != nil {
			return nil, err
		}
	}
	files = slices.DeleteFunc(files, func(f string) bool {
		if !strings.HasSuffix(f, suffix) {
			return true
		}
		_, err := os.Lstat(filepath.Join(h.root, f)) // deleted, but not yet in git
		return err != nil
	})
	slices.Sort(files)
	return slices.Compact(files), nil
}

// gitFiles trusts the folder whoever owns it: only names are read.
func (h *house) gitFiles(ctx context.Context) ([]string, error) {
	c := exec.CommandContext(ctx, "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	c.Dir = h.root
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	var files []string
	for name := range bytes.SplitSeq(out, []byte{0}) {
		if len(name) > 0 {
			files = append(files, string(name))
		}
	}
	return files, nil
}

func (h *house) walkFiles() ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(h.root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.Type().IsRegular():
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the repository: %w", err)
	}
	return files, nil
}

// testSources maps each package (as ./folder) to the text of all its test files.
func (h *house) testSources(ctx context.Context) map[string]string {
	files, err := h.sources(ctx, "_test.go")
	if err != nil {
		h.printf("%v\n", err)
		return nil
	}
	text := make(map[string]string)
	for _, file := range files {
		if strings.Contains(file, "testdata/") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(h.root, file))
		if err != nil {
			h.printf("%v\n", err)
			continue
		}
		text["./"+filepath.ToSlash(filepath.Dir(file))] += string(data)
	}
	return text
}

// functions lists, for each package, the names in its test files that expr finds in its first group.
func (h *house) functions(ctx context.Context, expr *regexp.Regexp) map[string][]string {
	found := make(map[string][]string)
	for pkg, text := range h.testSources(ctx) {
		for _, m := range expr.FindAllStringSubmatch(text, -1) {
			found[pkg] = append(found[pkg], m[1])
		}
		slices.Sort(found[pkg])
		if len(found[pkg]) == 0 {
			delete(found, pkg)
		}
	}
	return found
}

func fields(s string) []string { return strings.Fields(s) }
