package gmwire

import (
	"errors"
	"slices"
)

// derSequence begins a signature in ASN.1; one of SM2 is shorter than 128 bytes, so that its length is one byte.
const derSequence = 0x30

// errSignatures are signatures that do not come apart into as many as were asked for.
var errSignatures = errors.New("the signatures are malformed")

// JoinSignatures puts signatures in ASN.1 one after the other: each tells its own length.
func JoinSignatures(signatures [][]byte) []byte { return slices.Concat(signatures...) }

// SplitSignatures takes n signatures apart, no more and no less. What stands in each is for its verification to judge.
func SplitSignatures(joined []byte, n int) ([][]byte, error) {
	out := make([][]byte, 0, max(0, min(n, len(joined))))
	for len(joined) > 0 {
		if len(out) == n || len(joined) < 2 || joined[0] != derSequence || joined[1] >= 0x80 || len(joined) < 2+int(joined[1]) {
			return nil, errSignatures
		}
		end := 2 + int(joined[1])
		out, joined = append(out, joined[:end:end]), joined[end:]
	}
	if len(out) != n {
		return nil, errSignatures
	}
	return out, nil
}
