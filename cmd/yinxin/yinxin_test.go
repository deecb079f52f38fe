package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the commands of the scripts: yinxin; world, which makes keys, certificates and a seal; history, which
// makes logs; and mutate, which tampers with files as an attacker would. Each runs in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"yinxin":  func() { os.Exit(realMain()) },
		"mutate":  func() { os.Exit(mutateMain(os.Args[1:])) },
		"world":   func() { os.Exit(worldMain(os.Args[1:])) },
		"history": func() { os.Exit(historyMain()) },

		"register": func() { os.Exit(registerMain(os.Args[1:])) },
	})
}

// TestScripts runs the stories in testdata. A script that speaks of yinxind finds it in its PATH.
func TestScripts(t *testing.T) {
	t.Parallel()
	build := sync.OnceValues(func() (string, error) { return buildDaemon(t.TempDir()) })
	root := repository(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("YINXIN_HOME", filepath.Join(env.WorkDir, ".yinxin-home"))
			env.Setenv("EXAMPLES", filepath.Join(root, "examples"))
			env.Setenv("SAMPLES", filepath.Join(root, "testvectors", "ofd"))
			env.Setenv("NO_COLOR", "1")
			env.Setenv("GORACE", "halt_on_error=1") // a hub with a data race ends, and its story with it
			wants, err := speaksOf(env, "yinxind ")
			if err != nil || !wants {
				return err
			}
			dir, err := build()
			env.Setenv("PATH", dir+string(filepath.ListSeparator)+env.Getenv("PATH"))
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"await": await,
			"keep":  keep,
			"as":    as,
			"serve": serve,

			"await-archived": awaitArchived,
			"await-inbox":    awaitInbox,
			"rehome":         rehome,
		},
	})
}

// speaksOf reports whether the script that is about to run contains the word.
func speaksOf(env *testscript.Env, word string) (bool, error) {
	name := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
	for _, suffix := range []string{".txtar", ".txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+suffix))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		return strings.Contains(string(text), word), err
	}
	return false, fmt.Errorf("no script %s", name)
}

// buildDaemon builds yinxind into dir; with the race detector if the caller asks for it, as `make test` does.
func buildDaemon(dir string) (string, error) {
	args := []string{"build", "-o", filepath.Join(dir, "yinxind")}
	if os.Getenv("YINXIN_RACE_HUB") != "" {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "yinxin/cmd/yinxind")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build yinxind: %w\n%s", err, out)
	}
	return dir, nil
}

// repository is the folder of the module.
func repository(t *testing.T) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("no caller")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// exits runs a command and compares its exit code: exits 5 yinxin compose secret.yaml.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if status, ok := errors.AsType[*exec.ExitError](err); ok {
		got, err = status.ExitCode(), nil
	}
	ts.Check(err)
	if got != want {
		ts.Fatalf("%s exits %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}
