//go:build unix

package filekeys_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"yinxin/keys/filekeys"
)

// TestNoCoreFiles aborts a child that inherits the limit, and one that could leave a core file but for it.
func TestNoCoreFiles(t *testing.T) {
	if err := filekeys.NoCoreFiles(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := exec.Command("sh", "-c", "ulimit -c unlimited 2>/dev/null; ulimit -H -c; kill -ABRT $$")
	c.Dir = dir
	out, _ := c.Output() // it ends by the signal
	if string(out) != "0\n" {
		t.Errorf("a child may raise its limit to %q", out)
	}
	if found, err := filepath.Glob(filepath.Join(dir, "core*")); err != nil || len(found) > 0 {
		t.Errorf("core files %v, %v", found, err)
	}
}
