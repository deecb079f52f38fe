package renewal

import "fmt"

// Leaf is the group of one record: the hashes of its objects, in any order.
type Leaf []Hash

// Tree lets one time-stamp cover many records. It is binary, so that no two readers of RFC 4998 differ about it.
type Tree struct {
	algorithm Algorithm
	leaves    []Leaf
	places    []int    // of each leaf in the lowest row
	rows      [][]Hash // from the leaves' nodes up to the root
}

// Grow makes the tree over leaves; each needs at least one hash, and none may hold one twice. Equal leaves, as records have
// that one token covers, share a place.
func Grow(a Algorithm, leaves ...Leaf) (*Tree, error) {
	if len(leaves) == 0 {
		return nil, fmt.Errorf("renewal: nothing to stamp")
	}
	t := &Tree{algorithm: a, leaves: leaves}
	var row []Hash
	places := map[Hash]int{}
	for i, l := range leaves {
		if len(l) == 0 || len(l) > MaxObjects || repeats(l) {
			return nil, fmt.Errorf("renewal: group %d: wants 1 to %d different objects", i, MaxObjects)
		}
		node := a.node(l)
		if _, known := places[node]; !known {
			places[node] = len(row)
			row = append(row, node)
		}
		t.places = append(t.places, places[node])
	}
	t.rows = append(t.rows, row)
	for len(row) > 1 {
		row = t.above(row)
		t.rows = append(t.rows, row)
	}
	return t, nil
}

// above pairs a row; an odd one at the end moves up as it is.
func (t *Tree) above(row []Hash) []Hash {
	next := make([]Hash, 0, (len(row)+1)/2)
	for i := 0; i < len(row); i += 2 {
		next = append(next, t.algorithm.node(row[i:min(i+2, len(row))]))
	}
	return next
}

// Root is what a time-stamp authority is to be asked to stamp.
func (t *Tree) Root() Hash { return t.rows[len(t.rows)-1][0] }

// Stamped is the archive time-stamp of leaf i, with a token over Root.
func (t *Tree) Stamped(i int, token []byte) Stamp {
	s := Stamp{Algorithm: t.algorithm, Token: token}
	if len(t.leaves[i]) > 1 {
		s.Lists = append(s.Lists, sorted(t.leaves[i]))
	}
	at := t.places[i]
	for _, row := range t.rows[:len(t.rows)-1] {
		if sibling := at ^ 1; sibling < len(row) {
			s.addSibling(row[at], row[sibling])
		}
		at /= 2
	}
	return s
}

// addSibling puts a sibling beside a node. The first list holds the node itself, too, where it is an object's own hash.
func (s *Stamp) addSibling(node, sibling Hash) {
	if len(s.Lists) == 0 {
		s.Lists = [][]Hash{sorted([]Hash{node, sibling})}
		return
	}
	s.Lists = append(s.Lists, []Hash{sibling})
}

// repeats reports whether a hash is there twice: two equal objects of a group would be covered by one hash.
func repeats(hashes []Hash) bool {
	seen := make(map[Hash]bool, len(hashes))
	for _, h := range hashes {
		if seen[h] {
			return true
		}
		seen[h] = true
	}
	return false
}
