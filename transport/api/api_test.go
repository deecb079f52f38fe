package api

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestMeanings(t *testing.T) {
	seen := map[Code]bool{}
	for _, m := range Meanings() {
		if seen[m.Code] {
			t.Errorf("%s stands twice", m.Code)
		}
		seen[m.Code] = true
		if m.Status < 400 || m.Status > 599 || m.Title == "" || m.TitleZH == "" {
			t.Errorf("%s: %+v", m.Code, m)
		}
		if MeaningOf(m.Code) != m {
			t.Errorf("%s means another thing when it is looked up", m.Code)
		}
	}
	if got := MeaningOf("invented").Code; got != Internal {
		t.Errorf("an unknown code means %s", got)
	}
}

func TestProblemIsRFC9457(t *testing.T) {
	p := NewProblem(Validation, "two fields", Fault{Pointer: "/name", Detail: "is empty"})
	p.Instance = "request"
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"/problems/validation","title":"Some fields are not valid","status":422,"detail":"two fields",` +
		`"instance":"request","code":"validation","errors":[{"pointer":"/name","detail":"is empty"}],"retryable":false}`
	if string(body) != want {
		t.Errorf("problem\n%s\nwant\n%s", body, want)
	}
	var back *Problem
	if err := error(p); !errors.As(err, &back) || back.Code != Validation || err.Error() == "" {
		t.Errorf("as an error: %v", err)
	}
}
