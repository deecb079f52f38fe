package picture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Ranks says how large the round seal of an office of a rank is, in millimetres. It belongs into configuration: who
// decides over seals decides over their size.
type Ranks map[string]float64

// Bounds of a table: its file in bytes, how many ranks it has, and the length of their names in characters.
const (
	MaxRanksFile = 64 << 10
	maxRanks     = 100
	maxRankName  = 40
)

// ErrRanks means that a table cannot be used.
var ErrRanks = errors.New("picture: table of ranks")

// ErrRank means that the table has no such rank.
var ErrRank = errors.New("picture: rank not in the table")

// DefaultRanks is the table that is used where configuration has none, as 国发〔1999〕25号 is remembered; check it before
// relying on it.
func DefaultRanks() Ranks {
	return Ranks{"state": 60, "province": 50, "prefecture": 45, "county": 42, "township": 42}
}

// ParseRanks reads a table in YAML, one line a rank: its name, a colon, the diameter in millimetres. Refusals wrap
// [ErrRanks].
func ParseRanks(data []byte) (Ranks, error) {
	if len(data) > MaxRanksFile {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrRanks, MaxRanksFile)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var r Ranks
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRanks, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one document", ErrRanks)
	}
	if len(r) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrRanks)
	}
	return r, r.Validate()
}

// Validate refuses a table with names that nobody can give or a size that cannot be drawn; the error wraps [ErrRanks], or
// [ErrSize].
func (r Ranks) Validate() error {
	if len(r) > maxRanks {
		return fmt.Errorf("%w: %d ranks, at most %d", ErrRanks, len(r), maxRanks)
	}
	for _, name := range r.Names() {
		if name == "" || utf8.RuneCountInString(name) > maxRankName || strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsGraphic(c) || c == utf8.RuneError }) {
			return fmt.Errorf("%w: %.60q is no name", ErrRanks, name)
		}
		if d := r[name]; !(d >= minDiameter && d <= maxDiameter) {
			return fmt.Errorf("%w: rank %s: diameter %g mm", ErrSize, name, d)
		}
	}
	return nil
}

// Diameter is the size for a rank; the error wraps [ErrRank].
func (r Ranks) Diameter(rank string) (float64, error) {
	d, ok := r[rank]
	if !ok {
		return 0, fmt.Errorf("%w: %q, the table has %v", ErrRank, rank, r.Names())
	}
	return d, nil
}

// Names are the ranks, from the largest seal to the smallest.
func (r Ranks) Names() []string {
	names := make([]string, 0, len(r))
	for name := range r {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if r[a] != r[b] {
			if r[a] > r[b] {
				return -1
			}
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	})
	return names
}
