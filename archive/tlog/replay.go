package tlog

// Replay computes the roots of a growing log from its entries alone, one after another from the first. With it every
// checkpoint that was ever signed can be compared with its own prefix in one reading.
type Replay struct{ sm3, twin *growth }

// NewReplay begins with the empty log.
func NewReplay() (*Replay, error) {
	r := &Replay{sm3: &growth{tree: SM3Tree}, twin: &growth{tree: SHA256Tree}}
	for _, g := range []*growth{r.sm3, r.twin} {
		var err error
		if g.rng, err = g.factory().NewRange(0, 0, nil); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Append adds an entry.
func (r *Replay) Append(entry []byte) error {
	ignore := func(Tile, []Hash) {}
	if err := r.sm3.append(sm3Hasher{}.HashLeaf(entry), ignore, nil); err != nil {
		return err
	}
	return r.twin.append(sha256Hasher{}.HashLeaf(entry), ignore, nil)
}

// Size is how many entries were added.
func (r *Replay) Size() uint64 { return r.sm3.rng.End() }

// Holds reports whether the entries so far have the size and the roots of the checkpoint.
func (r *Replay) Holds(c Checkpoint) bool {
	return r.Size() == c.Size && r.sm3.root() == c.Root && r.twin.root() == c.TwinRoot
}
