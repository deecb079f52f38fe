package examples_test

import (
	"bytes"
	"slices"
	"testing"

	"yinxin/document"
	"yinxin/examples"
)

// TestEveryKindHasATemplate: the fifteen kinds and a joint issue, each a sound draft under its English name.
func TestEveryKindHasATemplate(t *testing.T) {
	names := []string{"joint.yaml"}
	for _, k := range document.Kinds() {
		names = append(names, k.English()+".yaml")
	}
	var seen []string
	for _, name := range names {
		data, err := examples.Files.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		d, err := document.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.Kind.English()+".yaml" != name && name != "joint.yaml" {
			t.Errorf("%s holds a %s", name, d.Kind)
		}
		if slices.Contains(seen, d.ID) {
			t.Errorf("%s: the identifier %s occurs twice", name, d.ID)
		}
		seen = append(seen, d.ID)
		if !bytes.Contains(data, []byte("nvented for this project")) {
			t.Errorf("%s does not say that it is invented", name)
		}
	}
}
