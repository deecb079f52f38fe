package docs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"yinxin/examples"
)

// walk runs the lines of a document one after the other, in one folder, against one hub.
type walk struct {
	t       *testing.T
	dir     string
	hub     string
	secrets map[string]string
	// words are what earlier lines answered, by the words in capitals that stand for them.
	words map[string]string
}

// startHub runs yinxind dev in the folder until the test ends.
func startHub(t *testing.T, dir string) *walk {
	t.Helper()
	for _, program := range []string{"yinxin", "yinxind"} {
		args := []string{"build", "-o", filepath.Join(dir, "bin", program)}
		if program == "yinxind" && os.Getenv("YINXIN_RACE_HUB") != "" {
			args = append(args, "-race")
		}
		build := exec.Command("go", append(args, "yinxin/cmd/"+program)...)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, filepath.Join(dir, "bin", "yinxind"), "dev", "--dir", "yinxin-dev", "--listen", "127.0.0.1:0")
	c.Dir = dir
	c.Env = append(os.Environ(), "GORACE=halt_on_error=1") // a hub with a data race ends, and the walk with it
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = c.Wait() })
	w := &walk{t: t, dir: dir, secrets: map[string]string{}, words: map[string]string{}}
	for r := bufio.NewScanner(out); w.hub == "" && r.Scan(); {
		w.hub, _ = strings.CutPrefix(r.Text(), "ready ")
		if w.hub == r.Text() {
			w.hub = ""
		}
	}
	if w.hub == "" {
		t.Fatal("the hub did not start")
	}
	var accounts []struct{ Account, Secret string }
	data, err := os.ReadFile(filepath.Join(dir, "yinxin-dev", "accounts.json"))
	if err == nil {
		err = json.Unmarshal(data, &accounts)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		w.secrets[a.Account] = a.Secret
	}
	return w
}

var (
	capitals = regexp.MustCompile(`\b(REQUEST|SEAL|RENEWED|DISPATCH|DELIVERY)\b`)
	exitCode = regexp.MustCompile(`# exit ([0-9]+)`)
)

// run runs one line and remembers what it answered.
func (w *walk) run(line string) {
	w.t.Helper()
	want := 0
	if m := exitCode.FindStringSubmatch(line); m != nil {
		want, _ = strconv.Atoi(m[1])
	}
	command, _, _ := strings.Cut(line, "  #")
	command, _, _ = strings.Cut(command, " # ")
	command = capitals.ReplaceAllStringFunc(strings.TrimSpace(command), func(word string) string {
		if w.words[word] == "" {
			w.t.Fatalf("%s: nothing answered %s", line, word)
		}
		return w.words[word]
	})
	if rest, login := strings.CutPrefix(command, "yinxin login http://127.0.0.1:8480 --account "); login {
		command = "yinxin login " + w.hub + " --account " + rest + " --password-file -"
		w.words["account"] = rest
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		got, out := w.shell(command)
		if got != want {
			w.t.Fatalf("%s: exit %d, want %d\n%s", line, got, want, out)
		}
		if w.remember(command, out) || time.Now().After(deadline) {
			return
		}
	}
}

// shell runs a command with the secret of the account on its standard input.
func (w *walk) shell(command string) (int, string) {
	w.t.Helper()
	c := exec.Command("sh", "-c", command)
	c.Dir, c.Stdin = w.dir, strings.NewReader(w.secrets[w.words["account"]]+"\n")
	c.Env = append(os.Environ(), "PATH="+filepath.Join(w.dir, "bin")+":"+os.Getenv("PATH"), "HOME="+w.dir, "YINXIN_HOME="+filepath.Join(w.dir, "home"))
	out, err := c.CombinedOutput()
	if status, ok := errors.AsType[*exec.ExitError](err); ok {
		return status.ExitCode(), string(out)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return 0, string(out)
}

// remember takes from an answer what later lines speak of; false if it is not there yet.
func (w *walk) remember(command, out string) bool {
	first, _, _ := strings.Cut(out, " ")
	switch {
	case strings.Contains(command, "seals request "):
		w.words["REQUEST"] = first
	case strings.Contains(command, "seals make "):
		_, w.words["SEAL"], _ = strings.Cut(strings.TrimSpace(out), "  seal ")
	case strings.Contains(command, "seals renew "):
		w.words["RENEWED"] = first
	case strings.Contains(command, "yinxin send "):
		w.words["DISPATCH"] = strings.Trim(regexp.MustCompile(`[0-9a-f-]{36}`).FindString(out), ":")
	case strings.HasSuffix(command, "yinxin inbox"):
		w.words["DELIVERY"] = first
		return strings.Contains(out, "available")
	}
	return true
}

// TestSealsAgainstAHub runs the lines of docs/seals.md that speak to a hub as they stand there.
func TestSealsAgainstAHub(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("seals.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "## With a hub")
	block := regexp.MustCompile("(?s)```text\n(.*?)```").FindStringSubmatch(rest)
	if block == nil {
		t.Fatal("no lines")
	}
	dir := t.TempDir()
	for _, name := range []string{"notice.yaml", "schedule.csv"} {
		data, err := examples.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, lines := startHub(t, dir), 0
	for line := range strings.Lines(block[1]) {
		if line = strings.TrimSpace(line); line != "" {
			w.run(line)
			lines++
		}
	}
	if lines < 25 {
		t.Errorf("%d lines", lines)
	}
}
