package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBillOfMaterials lists what this test binary itself is made of.
func TestBillOfMaterials(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tree := t.TempDir()
	for _, path := range packagedPrograms() {
		full := filepath.Join(tree, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(self, full); err != nil {
			t.Fatal(err)
		}
	}
	data, err := billOfMaterials(tree, "1.2.3", time.Unix(0, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	var b bom
	if err := json.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(b.Components, func(c bomComponent) bool { return c.Name == "github.com/google/go-cmp" })
	if i < 0 {
		t.Fatalf("no go-cmp in %s", data)
	}
	c := b.Components[i]
	if !strings.HasPrefix(c.PURL, "pkg:golang/github.com/google/go-cmp@v") || len(c.Properties) != 4 || !strings.HasPrefix(c.Properties[0].Value, "h1:") {
		t.Errorf("component %+v", c)
	}
	if b.Metadata.Component.Version != "1.2.3" || b.Metadata.Timestamp != "1970-01-01T00:00:00Z" {
		t.Errorf("metadata %+v", b.Metadata)
	}
	if err := os.Remove(filepath.Join(tree, packagedPrograms()["yinxind"])); err != nil {
		t.Fatal(err)
	}
	if _, err := billOfMaterials(tree, "1.2.3", time.Unix(0, 0)); err == nil {
		t.Error("a program that is not there has a bill")
	}
}

// TestPackagedFilesAreThere: what a package is filled with exists in the repository, and no place is taken twice.
func TestPackagedFilesAreThere(t *testing.T) {
	root, err := repositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range packagedFiles() {
		if seen[f.path] {
			t.Errorf("%s is packaged twice", f.path)
		}
		seen[f.path] = true
		if _, err := os.Stat(filepath.Join(root, f.source)); err != nil {
			t.Error(err)
		}
	}
}
