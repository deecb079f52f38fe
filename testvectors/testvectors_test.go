package testvectors

import (
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"testing"

	"yinxin/crypto/gm"
)

// row is a line of the table in SOURCES.md.
type row struct{ origin, licence, sm3 string }

// sources reads the table: | path | origin | licence | SM3 |.
func sources(t *testing.T) map[string]row {
	t.Helper()
	text, err := Read("SOURCES.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || !strings.Contains(cells[1], "/") {
			continue
		}
		name := strings.Trim(cells[1], " `")
		if _, twice := rows[name]; twice {
			t.Errorf("%s stands twice in SOURCES.md", name)
		}
		rows[name] = row{strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]), strings.Trim(cells[4], " `")}
	}
	return rows
}

// TestSources holds SOURCES.md to the files: every file in a folder has its row with origin, licence and digest, and
// every row its file.
func TestSources(t *testing.T) {
	rows := sources(t)
	err := fs.WalkDir(FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if ext := path.Ext(name); ext == ".go" || ext == ".java" { // programs of this project, no data
			return nil
		}
		if err != nil || d.IsDir() || path.Dir(name) == "." || path.Base(name) == "README.md" {
			return err
		}
		data, err := Read(name)
		if err != nil {
			return err
		}
		sum := gm.SM3(data)
		want := hex.EncodeToString(sum[:])
		r, ok := rows[name]
		delete(rows, name)
		if !ok || r.sm3 != want || r.origin == "" || r.licence == "" {
			t.Errorf("SOURCES.md lacks or differs on:\n| %s | %s | %s | %s |", name, r.origin, r.licence, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range rows {
		t.Errorf("SOURCES.md names %s, which is not there", name)
	}
}

func TestLoadRefuses(t *testing.T) {
	if _, err := Load[struct{}]("sm3/sm3-hash.json"); err != nil {
		t.Errorf("a good set: %v", err)
	}
	for _, name := range []string{"none.json", "SOURCES.md", "../go.mod"} {
		if _, err := Load[struct{}](name); err == nil {
			t.Errorf("%s loads", name)
		}
	}
}
