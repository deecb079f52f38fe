package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBillOfMaterials(t *testing.T) {
	compare := &debug.Module{Path: "example.org/cmp", Version: "v1.0.0", Sum: "h1:abc"}
	old := &debug.Module{Path: "example.org/old", Version: "v0.1.0", Replace: &debug.Module{Path: "example.org/new", Version: "v2.0.0", Sum: "h1:def"}}
	data, err := billOfMaterials(map[string]*debug.BuildInfo{
		"yinxin":  {GoVersion: "go1.26.8", Deps: []*debug.Module{compare, old}},
		"yinxind": {GoVersion: "go1.26.8", Deps: []*debug.Module{compare}},
	}, "1.2.3", time.Unix(0, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	var got bom
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := bom{
		Format: "CycloneDX", Version: "1.6", Serial: 1,
		Metadata: bomMetadata{"1970-01-01T00:00:00Z", bomComponent{Type: "application", Name: "yinxin", Version: "1.2.3"}},
		Components: []bomComponent{
			{Type: "library", Name: "std", Version: "go1.26.8", PURL: "pkg:golang/std@go1.26.8"},
			{
				Type: "library", Name: "example.org/cmp", Version: "v1.0.0", PURL: "pkg:golang/example.org/cmp@v1.0.0",
				Properties: []bomProperty{{"go.sum", "h1:abc"}, {"program", "yinxin"}, {"program", "yinxind"}},
			},
			{
				Type: "library", Name: "example.org/new", Version: "v2.0.0", PURL: "pkg:golang/example.org/new@v2.0.0",
				Properties: []bomProperty{{"go.sum", "h1:def"}, {"program", "yinxin"}},
			},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("bill (-want +got):\n%s", d)
	}
	if _, err := readBuilds(t.TempDir()); err == nil {
		t.Error("programs that are not there have a bill")
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
