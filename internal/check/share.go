package check

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"yinxin/archive/blob"
)

// Share says which blobs are read: none, a percentage by chance, or the n-th of t parts, so that t runs read all.
type Share struct {
	percent     float64
	part, parts uint64
}

// maxParts bounds the t of n/t.
const maxParts = 1 << 16

// ParseShare reads "5%" or "5" (by chance), "100%" (all) and "3/10" (the third of ten parts).
func ParseShare(text string) (Share, error) {
	if n, t, ok := strings.Cut(text, "/"); ok {
		part, err := strconv.ParseUint(n, 10, 32)
		parts, err2 := strconv.ParseUint(t, 10, 32)
		if err != nil || err2 != nil || part < 1 || part > parts || parts > maxParts {
			return Share{}, fmt.Errorf("%q is no part: want n/t with 1 ≤ n ≤ t ≤ %d", text, maxParts)
		}
		return Share{part: part, parts: parts}, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return Share{}, fmt.Errorf("%q is no percentage from 0%% to 100%%", text)
	}
	return Share{percent: percent}, nil
}

// String is what ParseShare reads.
func (s Share) String() string {
	if s.parts > 0 {
		return fmt.Sprintf("%d/%d", s.part, s.parts)
	}
	return strconv.FormatFloat(s.percent, 'g', -1, 64) + "%"
}

// takes decides by the name of a blob, or by chance.
func (s Share) takes(ref blob.Ref, rand io.Reader) (bool, error) {
	switch {
	case s.parts > 0:
		return binary.BigEndian.Uint64(ref[8:])%s.parts == s.part-1, nil
	case s.percent <= 0:
		return false, nil
	case s.percent >= 100:
		return true, nil
	}
	var b [8]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return false, fmt.Errorf("choose blobs: %w", err)
	}
	return float64(binary.BigEndian.Uint64(b[:])>>11)/(1<<53)*100 < s.percent, nil
}
