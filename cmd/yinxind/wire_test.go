package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/document/fonts"
)

// TestSealsOfTheConfiguration: the table of ranks that the file gives is the one that requests for seals are measured by, and the
// faces of its fonts folder go before the embedded ones where seals are drawn and documents set.
func TestSealsOfTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase of tests\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kai, err := fonts.Embedded().Face(fonts.Kai)
	if err != nil {
		t.Fatal(err)
	}
	subset, err := kai.Subset([]rune("云溪"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "fonts"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"song.ttf": subset, "broken.ttf": []byte("x")} {
		if err := os.WriteFile(filepath.Join(dir, "fonts", name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "hub.yaml")
	text := `hub: {code: HUB, authority: tests}
listen: {address: "127.0.0.1:0"}
data: ` + dir + `/data
log: {origin: tests/log, anchor: ` + dir + `/anchor}
keys: {folder: ` + dir + `/keys, passphrase_file: ` + dir + `/passphrase}
seals: {ranks: {县级: 43}}
fonts: ` + dir + `/fonts
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := call(t, "init", "--config", path, "--admin", "wang"); code != 0 {
		t.Fatalf("init: exit %d, %s%s", code, out, errs)
	}
	c, err := readConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	e := &env{stdout: &stderr, stderr: &stderr, now: time.Now, rand: rand.Reader}
	store, err := e.openKeyStore(t.Context(), c.Keys, false)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	system, err := e.openSystem(t.Context(), c, store, false)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	defer system.Close()
	if got, err := system.Registrar.Ranks.Diameter("县级"); err != nil || got != 43 || len(system.Registrar.Ranks) != 1 {
		t.Errorf("%v, %v", system.Registrar.Ranks, err)
	}
	embedded, err := fonts.Embedded().Face(fonts.Song)
	if err != nil {
		t.Fatal(err)
	}
	for what, set := range map[string]*fonts.Set{"seals": system.Registrar.Faces, "documents": system.Office.Faces} {
		if f, ok := set.Resolve(fonts.Song, '云'); !ok || f.Family() == embedded.Family() {
			t.Errorf("%s are drawn with %v", what, f.Family())
		}
	}
	if !strings.Contains(stderr.String(), "broken.ttf is not used") {
		t.Errorf("a file that is no font: %s", stderr.String())
	}
	if _, err := e.faces(filepath.Join(dir, "nowhere")); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a folder that is not there: %v", err)
	}
}
