package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// serve starts a server that prints "ready ADDRESS", keeps the address in a variable, and ends it with the script:
// serve VARIABLE COMMAND [ARGUMENT...].
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serve VARIABLE COMMAND [ARGUMENT...]")
	}
	path := args[1]
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if full := dir + string(os.PathSeparator) + args[1]; strings.Contains(dir, string(os.PathSeparator)) {
			if _, err := os.Stat(full); err == nil {
				path = full
				break
			}
		}
	}
	c := exec.Command(path, args[2:]...)
	c.Dir = ts.MkAbs(".")
	out, err := c.StdoutPipe()
	ts.Check(err)
	c.Stderr = os.Stderr
	ts.Check(c.Start())
	ts.Defer(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, found := strings.CutPrefix(lines.Text(), "ready "); found {
			ts.Setenv(args[0], address)
			return
		}
	}
	ts.Fatalf("%s ended without being ready", args[1])
}
