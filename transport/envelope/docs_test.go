package envelope_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"yinxin/transport/envelope"
)

// TestDocument holds docs/formats/envelope.md to the code.
func TestDocument(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats", "envelope.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	w := newWorld(t)
	data, _ := w.pack(t)
	m, _ := mustParse(t, data).Manifest("office-a")
	manifest, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	header := mustParse(t, data).Parts()[0].Header
	for _, want := range []string{
		fmt.Sprintf("| %d | `%s` and a line feed |", len(envelope.Magic), strings.TrimSuffix(envelope.Magic, "\n")),
		fmt.Sprintf("number of parts, 1 to %d |", envelope.MaxParts),
		fmt.Sprintf("length n (at most %d), header", envelope.MaxHeader),
		fmt.Sprintf("length m (at most %d), manifest", envelope.MaxManifest),
		fmt.Sprintf("Manifests together have at most %d bytes.", envelope.MaxTrailer),
		fmt.Sprintf("1 to %d of `{\"size\"", envelope.MaxFiles),
		fmt.Sprintf("at most %d of `{\"check\"", envelope.MaxFindings),
		fmt.Sprintf("at most %d of `{\"file\"", envelope.MaxSeals),
		fmt.Sprintf("A name is 1 to %d bytes", envelope.MaxName),
		"`" + envelope.ManifestSchema + "`",
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("docs/formats/envelope.md lacks: %s", want)
		}
	}
	for _, text := range []string{string(header), string(manifest)} {
		for _, name := range regexp.MustCompile(`"([a-z0-9_]+)":`).FindAllStringSubmatch(text, -1) {
			if !strings.Contains(doc, "`"+name[1]+"`") && !strings.Contains(doc, `"`+name[1]+`"`) {
				t.Errorf("docs/formats/envelope.md does not name the member %s", name[1])
			}
		}
	}
}
