package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Mutant is a change of the sources that breaks a promise.
type Mutant struct {
	Name string
	// Edits are made in order.
	Edits []Edit
}

// Edit replaces one piece of text of a file; the text must stand there exactly once, so that a
// mutant cannot rot unnoticed. Where Old is empty, it makes the file.
type Edit struct{ File, Old, New string }

// ErrRotten: the text that a mutant changes is no longer in the sources.
var ErrRotten = errors.New("mutant does not fit the sources")

// Build builds yinxind from the sources in root, or from a copy with the mutant's edits.
func Build(ctx context.Context, root, into string, m *Mutant) (string, error) {
	program := filepath.Join(into, "yinxind")
	if m != nil {
		mutated := filepath.Join(into, "sources")
		if err := copySources(root, mutated); err != nil {
			return "", fmt.Errorf("copy the sources: %w", err)
		}
		if err := m.apply(mutated); err != nil {
			return "", fmt.Errorf("mutant %s: %w", m.Name, err)
		}
		root = mutated
	}
	// With -trimpath a copy shares what was compiled for the original.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-o", program, "./cmd/yinxind")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build yinxind: %w\n%s", err, out)
	}
	return program, nil
}

func (m *Mutant) apply(root string) error {
	for _, e := range m.Edits {
		path := filepath.Join(root, filepath.FromSlash(e.File))
		if e.Old == "" {
			if err := os.WriteFile(path, []byte(e.New), 0o600); err != nil {
				return err
			}
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Count(string(data), e.Old) != 1 {
			return fmt.Errorf("%w: %s", ErrRotten, e.File)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(data), e.Old, e.New, 1)), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// copySources copies what is needed to build: everything but hidden folders and what building left.
func copySources(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(d.Name(), ".") || rel == "bin" || rel == "testvectors" || rel == "node_modules" {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
}

// Mutants, by the promise that they break. Each must be caught by an experiment.
var (
	// Early acknowledges before the commit: it answers at once and writes a moment later.
	Early = &Mutant{Name: "acknowledge before commit", Edits: []Edit{
		{
			File: "transport/hub/submit.go",
			Old:  "	err = h.p.Store.Update(ctx, func(t Tx) error {\n		if err := t.Audit(h.audit(c, at, \"exchange.submit\", x.ID, transport.Allowed, \"\")); err != nil {\n",
			New: "	later := func(write func(Tx) error) error {\n		go func() {\n			time.Sleep(100 * time.Millisecond)\n" +
				"			_ = h.p.Store.Update(context.WithoutCancel(ctx), write)\n		}()\n		return nil\n	}\n" +
				"	err = later(func(t Tx) error {\n		if err := t.Audit(h.audit(c, at, \"exchange.submit\", x.ID, transport.Allowed, \"\")); err != nil {\n",
		},
		{ // so that it can answer while nothing is written
			File: "transport/hub/receipts.go",
			Old:  "		if errors.Is(err, ErrNotFound) || err == nil && !h.maySee(c, e) {\n			return notFound()\n",
			New:  "		if errors.Is(err, ErrNotFound) || err == nil && !h.maySee(c, e) {\n			return ErrPending\n",
		},
	}}
	// Asynchronous lets the server acknowledge commits before they are on the disk.
	Asynchronous = &Mutant{Name: "synchronous_commit=off", Edits: []Edit{
		{
			File: "internal/postgres/postgres.go",
			Old:  `	if commit == "off" || fsync == "off" {`,
			New:  `	if false {`,
		},
		{
			File: "internal/postgres/postgres.go",
			Old:  `	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"`,
			New:  "	cfg.ConnConfig.RuntimeParams[\"timezone\"] = \"UTC\"\n	cfg.ConnConfig.RuntimeParams[\"synchronous_commit\"] = \"off\"",
		},
	}}
)
