package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"
)

// The members of a CycloneDX 1.6 document that are written here. Licences are not among them: Go does not record any.
type (
	bom struct {
		Format     string         `json:"bomFormat"`   //nolint:tagliatelle // the name in CycloneDX
		Version    string         `json:"specVersion"` //nolint:tagliatelle // the name in CycloneDX
		Serial     int            `json:"version"`
		Metadata   bomMetadata    `json:"metadata"`
		Components []bomComponent `json:"components"`
	}
	bomMetadata struct {
		Timestamp string       `json:"timestamp"`
		Component bomComponent `json:"component"`
	}
	bomComponent struct {
		Type       string        `json:"type"`
		Name       string        `json:"name"`
		Version    string        `json:"version"`
		PURL       string        `json:"purl,omitempty"`
		Properties []bomProperty `json:"properties,omitempty"`
	}
	bomProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// readBuilds asks the built programs below tree what they are made of (go version -m).
func readBuilds(tree string) (map[string]*debug.BuildInfo, error) {
	builds := map[string]*debug.BuildInfo{}
	for program, path := range packagedPrograms() {
		info, err := buildinfo.ReadFile(filepath.Join(tree, path))
		if err != nil {
			return nil, fmt.Errorf("read what %s is made of: %w", program, err)
		}
		builds[program] = info
	}
	return builds, nil
}

// billOfMaterials lists what programs are made of: each module once, with its digest of go.sum and the programs that hold it.
func billOfMaterials(builds map[string]*debug.BuildInfo, version string, at time.Time) ([]byte, error) {
	modules, holders := map[string]*debug.Module{}, map[string][]string{}
	compiler := ""
	for _, program := range slices.Sorted(maps.Keys(builds)) {
		compiler = builds[program].GoVersion
		for _, m := range builds[program].Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			purl := "pkg:golang/" + m.Path + "@" + m.Version
			modules[purl] = m
			holders[purl] = append(holders[purl], program)
		}
	}
	b := bom{
		Format: "CycloneDX", Version: "1.6", Serial: 1,
		Metadata: bomMetadata{
			Timestamp: at.Format(time.RFC3339),
			Component: bomComponent{Type: "application", Name: "yinxin", Version: version},
		},
		Components: []bomComponent{{Type: "library", Name: "std", Version: compiler, PURL: "pkg:golang/std@" + compiler}},
	}
	for _, purl := range slices.Sorted(maps.Keys(modules)) {
		m := modules[purl]
		c := bomComponent{Type: "library", Name: m.Path, Version: m.Version, PURL: purl, Properties: []bomProperty{{"go.sum", m.Sum}}}
		for _, program := range holders[purl] {
			c.Properties = append(c.Properties, bomProperty{"program", program})
		}
		b.Components = append(b.Components, c)
	}
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write bill of materials: %w", err)
	}
	return append(data, '\n'), nil
}
