// Package docs holds the tests that keep the documents true.
package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"yinxin/examples"
)

// TestSealsCommands runs the commands of docs/seals.md as they stand there, in one folder, one after the other.
func TestSealsCommands(t *testing.T) {
	text, err := os.ReadFile("seals.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -e\n")
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		script.WriteString(block[1])
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "yinxin"), "yinxin/cmd/yinxin")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"notice.yaml", "schedule.csv"} {
		data, err := examples.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command("sh", "-c", script.String())
	run.Dir = dir
	run.Env = append(os.Environ(),
		"PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "HOME="+dir, "YINXIN_HOME="+filepath.Join(dir, "home"), "YINXIN_PASSWORD_FILE=")
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"sealed.ofd: passed", "locked.ofd: passed", "sealed2.ofd: passed", "approval: none", `"verdict":"passed"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands do not say %q:\n%s", want, out)
		}
	}
}
