package picture

import (
	"errors"
	"fmt"
	"slices"
)

// Ranks says how large the round seal of an office of a rank is, in millimetres. It belongs into configuration: who
// decides over seals decides over their size.
type Ranks map[string]float64

// ErrRank means that the table has no such rank.
var ErrRank = errors.New("picture: rank not in the table")

// DefaultRanks is the table that is used where configuration has none, as 国发〔1999〕25号 is remembered; check it before
// relying on it.
func DefaultRanks() Ranks {
	return Ranks{"state": 60, "province": 50, "prefecture": 45, "county": 42, "township": 42}
}

// Validate refuses a table with a size that cannot be drawn; the error wraps [ErrSize].
func (r Ranks) Validate() error {
	for _, name := range r.Names() {
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
