package seal

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func a4(n int) []Size {
	pages := make([]Size, n)
	for i := range pages {
		pages[i] = Size{210, 297}
	}
	return pages
}

func TestSeamRefuses(t *testing.T) {
	picture := Size{42, 42}
	good := Seam{Edge: Right}
	if _, err := good.Stamps(a4(2), picture); err != nil {
		t.Fatalf("the twin: %v", err)
	}
	for name, tt := range map[string]struct {
		seam    Seam
		pages   int
		picture Size
	}{
		"no edge":         {Seam{}, 2, picture},
		"another edge":    {Seam{Edge: "middle"}, 2, picture},
		"one page":        {good, 1, picture},
		"no page":         {good, 0, picture},
		"groups of one":   {Seam{Edge: Right, Group: 1}, 4, picture},
		"groups of pairs": {Seam{Edge: Right, Group: 3, Pairs: true}, 4, picture},
		"no picture":      {good, 2, Size{}},
		"negative margin": {Seam{Edge: Right, Margin: -1}, 2, picture},
		"slices too thin": {good, 43, picture},
	} {
		if _, err := tt.seam.Stamps(a4(tt.pages), tt.picture); !errors.Is(err, ErrSeam) {
			t.Errorf("%s: got %v, want ErrSeam", name, err)
		}
	}
	if _, err := ParseEdge("middle"); !errors.Is(err, ErrSeam) {
		t.Errorf("edge: %v", err)
	}
}

// TestSeamProperties: whatever the pages and the cut, each page of a group shows one slice, at the edge and inside the
// page, the slices of a group make up the picture once, and no group has one page.
func TestSeamProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "pages")
		pages := make([]Size, n)
		for i := range pages {
			pages[i] = rapid.SampledFrom([]Size{{210, 297}, {297, 210}, {148, 210}}).Draw(t, "size")
		}
		s := Seam{
			Edge:   rapid.SampledFrom([]Edge{Right, Left, Top, Bottom}).Draw(t, "edge"),
			Group:  rapid.SampledFrom([]int{0, 2, 3, 5, 7}).Draw(t, "group"),
			Margin: rapid.Float64Range(0, 3).Draw(t, "margin"),
		}
		picture := Size{42, 42}
		stamps, err := s.Stamps(pages, picture)
		if err != nil {
			t.Fatal(err)
		}
		if len(stamps) != n {
			t.Fatalf("%d stamps on %d pages", len(stamps), n)
		}
		shown := 0.0
		for i, st := range stamps {
			at, extent, size, edge := st.X+st.Clip.X, st.Clip.W, picture.W, pages[i].W
			if s.Edge == Top || s.Edge == Bottom {
				at, extent, size, edge = st.Y+st.Clip.Y, st.Clip.H, picture.H, pages[i].H
			}
			want := s.Margin
			if s.Edge == Right || s.Edge == Bottom {
				want = edge - s.Margin - extent
			}
			if st.Page != i || !near(at, want) || extent > size/2+1e-9 {
				t.Fatalf("stamp %d: %+v %+v", i, st, *st.Clip)
			}
			shown += extent / size
		}
		if groups := len(s.groups(n)); !near(shown, float64(groups)) {
			t.Fatalf("%g pictures in %d groups", shown, groups)
		}
	})
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
