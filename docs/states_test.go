package docs

import (
	"os"
	"strings"
	"testing"

	"yinxin/transport/office"
)

// TestDispatchStates holds the table of a dispatch's states in docs/states.md to the code.
func TestDispatchStates(t *testing.T) {
	text, err := os.ReadFile("states.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "## A dispatch, inside the sending office")
	if !found {
		t.Fatal("no section of dispatches")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) == 5 && !strings.Contains(line, "---") && !strings.Contains(line, "goes to") {
			rows = append(rows, strings.TrimSpace(cells[1])+": "+strings.TrimSpace(cells[3]))
		}
	}
	var want []string
	for _, s := range office.States() {
		to := "–"
		if next := s.Next(); len(next) > 0 {
			names := make([]string, 0, len(next))
			for _, n := range next {
				names = append(names, string(n))
			}
			to = strings.Join(names, ", ")
		}
		want = append(want, string(s)+": "+to)
	}
	if got, want := strings.Join(rows, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("docs/states.md says\n%s\nthe code says\n%s", got, want)
	}
}
