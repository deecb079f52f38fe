package main

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Tests named TestRepository… hold the files of the repository to one another; `make check` runs them.

// repository is the house of this checkout.
func repository(t *testing.T) *house {
	t.Helper()
	root, err := repositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	return &house{root: root, out: t.Output(), now: time.Now}
}

func (h *house) mustRead(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(h.root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (h *house) mustSources(t *testing.T, suffix string) []string {
	t.Helper()
	files, err := h.sources(t.Context(), suffix)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// machinePath finds paths of the machine of whoever wrote a file: home and work folders, and what lies beside the
// checkout. A path of the system (/usr, /etc, /var, /tmp alone) is nobody's.
func machinePath() *regexp.Regexp {
	return regexp.MustCompile(`(^|[\s"'(=:\x60])/(work|root|home|Users|workspace)/[A-Za-z0-9_.-]+|/tmp/(bash|house|go-build|claude)|\.\./shared/`)
}

func TestRepositoryNamesNoMachinePath(t *testing.T) {
	h := repository(t)
	for _, file := range h.mustSources(t, "") {
		data, err := os.ReadFile(filepath.Join(h.root, file))
		if err != nil {
			continue // a symbolic link or a file that has just gone
		}
		if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
			continue // no text
		}
		for i, line := range strings.Split(string(data), "\n") {
			if found := machinePath().FindString(line); found != "" {
				t.Errorf("%s:%d names a path of some machine: %q", file, i+1, strings.TrimSpace(found))
			}
		}
	}
}

func TestMachinePathFindsThemAndLeavesOthers(t *testing.T) {
	for _, bad := range []string{`see "/` + `root/x"`, "/" + "home/li/notes", "=/" + "work/main", "../" + "shared/samples"} {
		if !machinePath().MatchString(bad) {
			t.Errorf("%q passes", bad)
		}
	}
	for _, good := range []string{"/api/v1/work/1", "/etc/yinxin", "Pages/root/x", "docs/home.md", "os.TempDir()"} {
		if machinePath().MatchString(good) {
			t.Errorf("%q is refused", good)
		}
	}
}

func TestRepositoryTopLevelIsTheDesigns(t *testing.T) {
	h := repository(t)
	known := strings.Fields(`cmd crypto document seal transport archive keys verdict internal docs examples deploy testvectors
		go.mod go.sum tools.mod tools.sum README.md README.zh-CN.md Makefile CHANGELOG.md LICENSE SECURITY.md`)
	for _, file := range h.mustSources(t, "") {
		top, _, _ := strings.Cut(file, "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(known, top) {
			t.Errorf("%s: %s has no place at the top level", file, top)
		}
	}
}

func TestRepositoryMakefileDocumentsEveryTarget(t *testing.T) {
	text := repository(t).mustRead(t, "Makefile")
	targets := regexp.MustCompile(`(?m)^([a-z]+):(.*)$`).FindAllStringSubmatch(text, -1)
	var names []string
	for _, m := range targets {
		names = append(names, m[1])
		if !strings.Contains(m[2], "## ") {
			t.Errorf("target %s has no ## text", m[1])
		}
	}
	for want := range strings.FieldsSeq("help build demo dev test check race integration vectors fuzz bench lint fmt generate fonts") {
		if !slices.Contains(names, want) {
			t.Errorf("target %s is missing", want)
		}
	}
}

func TestRepositoryExplainsEveryDisabledLinter(t *testing.T) {
	_, list, found := strings.Cut(repository(t).mustRead(t, ".golangci.yml"), "\n  disable:\n")
	if !found {
		t.Fatal("no list of disabled linters")
	}
	list, _, _ = strings.Cut(list, "\n  settings:")
	for line := range strings.Lines(list) {
		if strings.HasPrefix(strings.TrimSpace(line), "- ") && !regexp.MustCompile(` # \S+ \S+`).MatchString(line) {
			t.Errorf("disabled without a reason: %s", strings.TrimSpace(line))
		}
	}
}

// Some modules must not move: later versions do not resolve, do not fit one another, or refuse valid signatures.
func TestRepositoryKeepsThePinnedModules(t *testing.T) {
	text := repository(t).mustRead(t, "go.mod")
	for module, version := range map[string]string{
		"github.com/emmansun/gmsm":                            "v0.44.1",
		"github.com/riverqueue/river":                         "v0.47.0",
		"github.com/hashicorp/vault/api":                      "v1.23.0",
		"github.com/hashicorp/vault/sdk":                      "v0.25.1",
		"github.com/cespare/webtest":                          "v0.3.0",
		"github.com/riverqueue/river/riverdriver/riversqlite": "v0.47.0",
		"github.com/riverqueue/river/riverdriver/riverpgxv5":  "v0.47.0",
	} {
		m := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(module) + ` (v\S+)`).FindStringSubmatch(text)
		if m != nil && m[1] != version {
			t.Errorf("%s is at %s, want %s", module, m[1], version)
		}
	}
	if regexp.MustCompile(`(?m)^replace|^\s+\S+ => `).MatchString(text) {
		t.Error("go.mod replaces a module")
	}
}

func TestRepositoryDocsLinkToWhatExists(t *testing.T) {
	h := repository(t)
	link := regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	for _, file := range h.mustSources(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(h.mustRead(t, file), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(h.root, path.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
}

// The two READMEs have the same content: the same headings in number and level, and the same commands.
func TestRepositoryREADMEsSayTheSame(t *testing.T) {
	h := repository(t)
	english, chinese := outline(h.mustRead(t, "README.md")), outline(h.mustRead(t, "README.zh-CN.md"))
	if !slices.Equal(english.levels, chinese.levels) {
		t.Errorf("levels of headings differ: README.md %v, README.zh-CN.md %v", english.levels, chinese.levels)
	}
	if !slices.Equal(english.commands, chinese.commands) {
		t.Errorf("commands differ:\nREADME.md       %q\nREADME.zh-CN.md %q", english.commands, chinese.commands)
	}
	if !slices.Contains(english.commands, "make test") || !slices.Contains(english.commands, "go run ./cmd/yinxin demo") {
		t.Errorf("README.md does not show the two commands: %q", english.commands)
	}
}

type readme struct {
	levels   []int
	commands []string
}

// outline reads the headings and the lines of code blocks, without the comments behind them.
func outline(text string) readme {
	var r readme
	code := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
			command, _, _ := strings.Cut(line, "#")
			if command = strings.TrimPrefix(strings.TrimSpace(command), "$ "); command != "" && !hasHan(command) {
				r.commands = append(r.commands, command)
			}
		case strings.HasPrefix(line, "#"):
			r.levels = append(r.levels, len(line)-len(strings.TrimLeft(line, "#")))
		}
	}
	return r
}

// hasHan says that a line of a code block is a translated drawing or output, not a command.
func hasHan(line string) bool {
	return regexp.MustCompile(`\p{Han}`).MatchString(line)
}

// TestRepositoryStandards holds docs/standards.md to the tree: the state is one of three words, packages exist, and each
// national standard that the source cites has a row.
func TestRepositoryStandards(t *testing.T) {
	h := repository(t)
	page := h.mustRead(t, "docs/standards.md")
	rows := 0
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 9 || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[1]) == "standard" {
			continue
		}
		rows++
		if state := strings.TrimSpace(cells[5]); !slices.Contains([]string{"Yes", "Partial", "No"}, state) {
			t.Errorf("%s: state %q", cells[1], state)
		}
		for pkg := range strings.SplitSeq(strings.TrimSpace(cells[6]), ", ") {
			found, _ := filepath.Glob(filepath.Join(h.root, pkg, "*.go"))
			if pkg != "–" && len(found) == 0 {
				t.Errorf("%s: no package %s", cells[1], pkg)
			}
			if pkg == "–" && strings.TrimSpace(cells[5]) == "Yes" {
				t.Errorf("%s: Yes, and nowhere", cells[1])
			}
		}
	}
	if rows < 40 {
		t.Errorf("%d rows", rows)
	}
	cited := regexp.MustCompile(`(GB|GM|DA)/T ?(\d+)`)
	for _, file := range h.mustSources(t, ".go") {
		for _, m := range cited.FindAllStringSubmatch(h.mustRead(t, file), -1) {
			if !strings.Contains(page, m[2]) {
				t.Errorf("%s cites %s, which docs/standards.md lacks", file, m[0])
			}
		}
	}
}
