package tlog_test

import (
	"slices"
	"testing"

	"yinxin/archive/tlog"
)

func TestTilesOf(t *testing.T) {
	t.Parallel()
	paths := func(size uint64) []string {
		var all []string
		for _, tile := range tlog.TilesOf(size) {
			all = append(all, tile.Path())
		}
		return all
	}
	for _, tt := range []struct {
		size uint64
		want []string
	}{
		{0, nil},
		{1, []string{"tile/0/000.p/1", "sha256/tile/0/000.p/1", "tile/entries/000.p/1"}},
		{256, []string{"tile/0/000", "sha256/tile/0/000", "tile/1/000.p/1", "sha256/tile/1/000.p/1", "tile/entries/000"}},
		{257, []string{
			"tile/0/000", "tile/0/001.p/1", "sha256/tile/0/000", "sha256/tile/0/001.p/1", "tile/1/000.p/1", "sha256/tile/1/000.p/1",
			"tile/entries/000", "tile/entries/001.p/1",
		}},
	} {
		if got := paths(tt.size); !slices.Equal(got, tt.want) {
			t.Errorf("size %d: %v, want %v", tt.size, got, tt.want)
		}
	}
	if n := len(paths(70_000)); n != 2*(274+2+1)+274 {
		t.Errorf("70000 entries have %d tiles", n)
	}
}
