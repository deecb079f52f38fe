package faults

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// NoAnchor starts a hub without holding its log against what was kept outside of its data.
var NoAnchor = &Mutant{Name: "no comparison with the anchor", Edits: []Edit{{
	File: "cmd/yinxind/wire.go",
	Old:  "	if err := system.CheckAnchor(ctx, signed); err != nil {\n",
	New:  "	_ = signed\n	if err := error(nil); err != nil {\n",
}}}

// copyTree copies files; what stood in the new place is replaced.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.RemoveAll(to))
	st, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	must(t, err)
	if st.IsDir() {
		must(t, os.CopyFS(to, os.DirFS(from)))
		return
	}
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, data, 0o600))
}

// TestOldBackup is E-11: a hub is put back to an older copy of its rows, and then of its rows and its log together. It
// refuses to start until an operator has stated what is lost; then it goes on, and its check is clean. Where no anchor is kept outside of
// the data, the hub and its check say that going back cannot be noticed.
func TestOldBackup(t *testing.T) {
	x := experiment{hubs: 1, docs: 10, fails: 1, alone: true}
	x.after = func(t *testing.T, w *world, s *Sender) {
		t.Helper()
		c := w.cluster
		data, old := filepath.Join(c.Stored, "data"), t.TempDir()
		rows := []string{"hub.db", "hub.db-wal"}
		must(t, c.Down(0))
		for _, name := range append(rows, "log") {
			copyTree(t, filepath.Join(data, name), filepath.Join(old, name))
		}
		must(t, c.Up(t.Context(), 0))
		for range 3 {
			w.submit(t, s)
		}
		time.Sleep(300 * time.Millisecond) // until the last of them was published
		must(t, c.Down(0))
		for _, back := range [][]string{rows, {"log"}} { // the second time: as well
			for _, name := range back {
				copyTree(t, filepath.Join(old, name), filepath.Join(data, name))
			}
			_ = os.Remove(filepath.Join(data, "hub.db-shm"))
			if err := c.Try(t.Context(), 0); err == nil {
				w.journal.Break("a hub starts whose %s are older than what it has published", strings.Join(back, " and "))
				return
			}
		}
		w.goOn(t, s)
		w.unanchored(t)
	}
	hold(t, x, NoAnchor)
}

// submit sends one document and insists on it.
func (w *world) submit(t *testing.T, s *Sender) {
	t.Helper()
	id, body, err := s.pack()
	must(t, err)
	w.journal.sent(id, body)
	s.insist(t.Context(), w.cluster, 0, id, body, w.journal)
}

// goOn recovers a hub that was put back.
func (w *world) goOn(t *testing.T, s *Sender) {
	t.Helper()
	c := w.cluster
	out, err := c.Run(t.Context(), "recover")
	lost := regexp.MustCompile(`(\d+) entries are lost`).FindStringSubmatch(out)
	if err == nil || lost == nil {
		w.journal.Break("recover without an order: %v\n%s", err, out)
		return
	}
	if out, err := c.Run(t.Context(), "recover", "--lost", lost[1], "--by", "wang", "--reason", "an old copy"); err != nil {
		w.journal.Break("recover: %v\n%s", err, out)
		return
	}
	if err := c.Up(t.Context(), 0); err != nil {
		w.journal.Break("after recover: %v", err)
		return
	}
	before := w.journal.Count()
	w.submit(t, s)
	if w.journal.Count() != before+1 {
		w.journal.Break("after recover the hub accepts nothing")
	}
	if out, err := c.Run(t.Context(), "check"); err != nil {
		w.journal.Break("check after recover: %v\n%s", err, out)
	}
}

// unanchored takes the anchor out of the configuration.
func (w *world) unanchored(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(w.cluster.config)
	must(t, err)
	without := regexp.MustCompile(`, anchor: [^}]+`).ReplaceAll(text, nil)
	must(t, os.WriteFile(w.cluster.config, without, 0o600))
	out, err := w.cluster.Run(t.Context(), "check")
	if err == nil || !strings.Contains(out, "no_anchor") {
		w.journal.Break("check without an anchor: %v\n%s", err, out)
	}
	must(t, w.cluster.Kill(t.Context(), 0))
	log, err := os.ReadFile(filepath.Join(w.cluster.Dir, "hub.log"))
	must(t, err)
	if !strings.Contains(string(log), "no rollback anchor is configured") {
		w.journal.Break("a hub starts without an anchor and does not say so")
	}
}
