// Package testvectors holds the data that tests share, and one loader for it.
//
// It promises that every file is listed in SOURCES.md with its origin, licence and SM3 (a test holds it to that), and
// that tests need nothing outside the repository. It is imported by tests alone.
package testvectors

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
)

// files is the whole folder, so that a new set needs a folder and its rows in SOURCES.md and no change here.
//
//go:embed *
var files embed.FS

// FS returns the folder: sm2, sm3, sm4, ofd and the others.
func FS() fs.FS { return files }

// Read returns one file by its slash-separated path, such as "ofd/v4-open.ofd".
func Read(path string) ([]byte, error) {
	data, err := files.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read test vector: %w", err)
	}
	return data, nil
}

// Set is one JSON file of cases; T is the case type of the test that reads it.
type Set[T any] struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Notes   string `json:"notes"`
	Count   int    `json:"count"`
	Vectors []T    `json:"vectors"`
}

// Load reads a JSON set of cases and refuses one that is empty or whose count is not that of its cases, so that a test
// that walks it cannot pass by walking nothing.
func Load[T any](path string) (Set[T], error) {
	var set Set[T]
	data, err := Read(path)
	if err != nil {
		return set, err
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return set, fmt.Errorf("parse test vector %s: %w", path, err)
	}
	if len(set.Vectors) == 0 || set.Count != len(set.Vectors) {
		return set, fmt.Errorf("test vector %s: count %d, cases %d", path, set.Count, len(set.Vectors))
	}
	return set, nil
}

// Hex is a byte string that stands in JSON as lower-case hex.
type Hex []byte

// UnmarshalText decodes hex.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil {
		return err
	}
	*h = b
	return nil
}
