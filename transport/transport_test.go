package transport

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestStatesDocument holds docs/states.md to the code: it contains exactly what the
// machine prints.
func TestStatesDocument(t *testing.T) {
	doc, err := os.ReadFile("../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, part := range map[string]string{
		"diagram": "```mermaid\n" + Diagram() + "```\n", "table of states": StateTable(), "table of acts": Table(),
		"table of references": ReferenceTable(),
	} {
		if !strings.Contains(string(doc), "\n"+part) {
			t.Errorf("docs/states.md lacks the %s as the code has it:\n%s", name, part)
		}
	}
	if n := strings.Count(string(doc), " --> "); n != strings.Count(Diagram(), " --> ") {
		t.Errorf("docs/states.md draws %d arrows, the machine has %d", n, strings.Count(Diagram(), " --> "))
	}
}

func TestMachine(t *testing.T) {
	for _, s := range States() {
		if !s.Known() {
			t.Errorf("%s is not known", s)
		}
		if s.Chinese() == string(s) {
			t.Errorf("%s has no Chinese word", s)
		}
		moves := 0
		for _, r := range Rules() {
			_, to, err := Step(s, r.Act)
			if err != nil {
				var te *TransitionError
				if !errors.As(err, &te) || !errors.Is(err, ErrTransition) || to != s {
					t.Errorf("refusal of %s in %s: %v, state %s", r.Act, s, err, to)
				}
				continue
			}
			moves++
			if s.Final() && !r.Supplement {
				t.Errorf("%s is an end and allows %s", s, r.Act)
			}
		}
		if moves == 0 && !s.Final() {
			t.Errorf("%s is no end and allows nothing", s)
		}
		if s.Final() && s.Next() != ActorNobody {
			t.Errorf("%s is an end and waits for %s", s, s.Next())
		}
	}
	for _, r := range Rules() {
		if r.Event.Negative() && !r.Reason {
			t.Errorf("%s leaves %s without a reason", r.Act, r.Event)
		}
		if r.Statement && r.Actor != ActorSender && r.Actor != ActorRecipient {
			t.Errorf("%s has a statement of the %s", r.Act, r.Actor)
		}
		if len(r.From) == 0 != (r.Act == Submit) {
			t.Errorf("%s begins nowhere", r.Act)
		}
	}
	if State("lost").Known() || State("lost").Final() || Event("Nothing").Negative() {
		t.Error("an unknown state or event means something")
	}
	if _, _, err := Step(Available, "steal"); err == nil {
		t.Error("an unknown act is allowed")
	}
}

// TestEveryWalkEnds: from the start, whatever the order of acts, there is one end and
// nothing after it.
func TestEveryWalkEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Accepted
		visited := map[State]bool{}
		for range 40 {
			r := rapid.SampledFrom(Rules()).Draw(t, "act")
			_, to, err := Step(s, r.Act)
			if err != nil {
				continue
			}
			if s.Final() && (!r.Supplement || to != s) {
				t.Fatalf("%s after the end %s", r.Act, s)
			}
			if to != s && visited[to] {
				t.Fatalf("%s leads back to %s", r.Act, to)
			}
			visited[s], s = true, to
		}
	})
}

func TestIDs(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	a, err := NewID(at, bytes.NewReader(make([]byte, 10)))
	if err != nil {
		t.Fatal(err)
	}
	if want := "018bcfe5-687b-7000-8000-000000000000"; a != want {
		t.Errorf("id %s, want %s", a, want)
	}
	if _, err := NewID(at, bytes.NewReader(nil)); err == nil {
		t.Error("an id was made without randomness")
	}
	for text, want := range map[string]bool{
		a: true, strings.ToUpper(a): false, a[1:]: false, a + "0": false, strings.Replace(a, "-", "0", 1): false,
		"018bcfe5-687b-7000-8000-00000000000g": false, "": false,
	} {
		if ValidID(text) != want {
			t.Errorf("ValidID(%q) is %v", text, !want)
		}
	}
	for text, want := range map[string]bool{
		"A": true, "11010500X": true, "a.b_c-d": true, "..": false, "-x": false, "": false, "a/b": false, "国": false,
		strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a\n": false,
	} {
		if ValidCode(text) != want {
			t.Errorf("ValidCode(%q) is %v", text, !want)
		}
	}
}

func TestDigestText(t *testing.T) {
	d := Digest{0: 0xab, 31: 1}
	text, err := d.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var back Digest
	if err := back.UnmarshalText(text); err != nil || back != d {
		t.Errorf("%s read back as %s, %v", d, back, err)
	}
	if err := back.UnmarshalText(nil); err != nil || !back.IsZero() {
		t.Errorf("empty text: %s, %v", back, err)
	}
	for _, bad := range []string{"ab", strings.ToUpper(string(text)), string(text) + "00", strings.Replace(string(text), "a", "x", 1)} {
		if _, err := ParseDigest(bad); err == nil {
			t.Errorf("%q was taken for a digest", bad)
		}
	}
}

func FuzzParseDigest(f *testing.F) {
	f.Add(Digest{1}.String())
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDigest(s); err == nil && d.String() != s {
			t.Errorf("%q read as %s", s, d)
		}
	})
}
