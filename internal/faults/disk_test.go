package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"yinxin/internal/faults/disk"
)

// Mutants of the files and of the embedded database.
var (
	// Normal lets SQLite acknowledge commits that are not on the disk yet.
	Normal = &Mutant{Name: "SQLite synchronous=NORMAL", Edits: []Edit{{
		File: "internal/sqlite/sqlite.go", Old: "_pragma=synchronous(FULL)", New: "_pragma=synchronous(NORMAL)",
	}}}
	// NoFolderSync leaves out the fsync that makes a name durable.
	NoFolderSync = &Mutant{Name: "no fsync of the folder", Edits: []Edit{{
		File: "internal/durable/durable.go",
		Old:  "		return errors.Join(f.Sync(), f.Close())\n",
		New:  "		return f.Close()\n",
	}}}
	// NameFirst gives a file its name while its bytes are not durable.
	NameFirst = &Mutant{Name: "rename before fsync", Edits: []Edit{{
		File: "internal/durable/durable.go",
		Old:  "	if err := f.disk.do(StepSync, f.f.Name(), f.f.Sync); err != nil {\n		f.Abort()\n",
		New:  "	if err := f.disk.do(StepSync, f.f.Name(), func() error { return nil }); err != nil {\n		f.Abort()\n",
	}}}
	// Heedless takes a write that failed for one that was done.
	Heedless = &Mutant{Name: "ignore a write error", Edits: []Edit{{
		File: "internal/durable/durable.go",
		Old:  "		n, err = f.f.Write(p)\n		return err\n",
		New:  "		if n, err = f.f.Write(p); err != nil {\n			n = len(p)\n		}\n		return nil\n",
	}}}
)

// mount puts a disk of the experiment's own under a folder of the cluster.
func (w *world) mount(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(w.cluster.Dir, name)
	must(t, os.Mkdir(dir, 0o700))
	d, err := disk.Mount(dir, func(n int) int { return int(upTo(time.Duration(n))) })
	if errors.Is(err, disk.ErrUnavailable) {
		t.Skipf("needs /dev/fuse, and root or fusermount3 (Debian: fuse3): %v", err)
	}
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	if w.disks == nil {
		w.disks = map[string]*disk.Disk{}
	}
	w.disks[name] = d
	return dir
}

// onDisk lays all that the hub stores on one disk.
func onDisk(t *testing.T, w *world) {
	t.Helper()
	w.cluster.Stored = w.mount(t, "disk")
}

// some waits until so many more submissions were acknowledged, or for a while.
func (w *world) some(ctx context.Context, more int) bool {
	want, end := w.journal.Count()+more, time.Now().Add(patience)
	for ctx.Err() == nil && w.journal.Count() < want && time.Now().Before(end) {
		time.Sleep(5 * time.Millisecond)
	}
	return w.journal.Count() >= want
}

// cut cuts the power and starts the hub again.
func (w *world) cut(t *testing.T, mode disk.Mode, why string) bool {
	t.Helper()
	must(t, w.cluster.Down(0))
	lost, err := w.disks["disk"].Cut(mode)
	if err != nil {
		t.Error(err) // of the experiment, not of the hub
		w.journal.Break("%v", err)
		return false
	}
	t.Logf("%s, %s: %d pages and names lost", why, mode, lost)
	if err := w.cluster.Up(t.Context(), 0); err != nil {
		w.journal.Break("after a cut of power, %s: %v", mode, err)
		return false
	}
	return true
}

// TestPowerLoss is E-05: the power of a hub on SQLite is cut under load, again and again. Pages and names that were not
// synced are dropped, or some of them written in any order, or written in part.
func TestPowerLoss(t *testing.T) {
	hold(t, experiment{hubs: 1, prepare: onDisk, docs: 24, trouble: func(ctx context.Context, t *testing.T, w *world, count *atomic.Int64) {
		t.Helper()
		for modes := []disk.Mode{disk.Dropped, disk.Reordered, disk.Torn}; ; count.Add(1) {
			w.some(ctx, 6)
			if ctx.Err() != nil {
				return
			}
			time.Sleep(upTo(50 * time.Millisecond))
			if !w.cut(t, modes[count.Load()%int64(len(modes))], fmt.Sprintf("cut %d", count.Load())) {
				return
			}
		}
	}}, Normal)
}

// lastCalls is among how many calls of the hub to its disk the one is chosen that fails.
const lastCalls = 120

// TestEveryCall is E-03: some call of the hub to its disk, in the middle of its work, kills it, with all that was not
// synced lost; or it fails, as on a broken or on a full disk. Each time the hub comes back, and its check is clean.
func TestEveryCall(t *testing.T) {
	x := experiment{hubs: 1, prepare: onDisk, size: 80 << 10, docs: 20, fails: 6}
	x.trouble = func(ctx context.Context, t *testing.T, w *world, count *atomic.Int64) {
		t.Helper()
		for {
			w.some(ctx, 2)
			if ctx.Err() != nil {
				return
			}
			n := count.Load()
			if !w.failOne(ctx, t, []syscall.Errno{0, syscall.EIO, syscall.ENOSPC}[n%3]) {
				return
			}
			if count.Add(1)%3 != 0 {
				continue
			}
			if out, err := w.cluster.Run(t.Context(), "check", "--read-data", "100%"); err != nil {
				w.journal.Break("check after fault %d: %v\n%s", n, err, out)
				return
			}
		}
	}
	hold(t, x, NoFolderSync, NameFirst)
}

// failOne lets one of the next calls fail and cuts the power; where errno is 0 the call itself never comes back.
func (w *world) failOne(ctx context.Context, t *testing.T, errno syscall.Errno) bool {
	t.Helper()
	d := w.disks["disk"]
	left, hit := atomic.Int64{}, make(chan string, 1)
	left.Store(int64(upTo(lastCalls)))
	d.SetFault(func(op disk.Op, name string) syscall.Errno {
		n := left.Add(-1)
		if n == 0 {
			hit <- fmt.Sprintf("%s of %s: %s", op, filepath.Base(name), errno.Error())
		}
		if errno == 0 && n <= 0 { // nothing is done any more: the machine is off
			return syscall.EIO
		}
		if n == 0 {
			return errno
		}
		return 0
	})
	var what string
	select {
	case what = <-hit:
	case <-time.After(patience):
		w.journal.Break("the hub does nothing on its disk")
		return false
	case <-ctx.Done():
		d.SetFault(nil)
		return false
	}
	if errno != 0 {
		time.Sleep(upTo(100 * time.Millisecond)) // it may go on with what it makes of the error
	}
	d.SetFault(nil)
	return w.cut(t, disk.Dropped, what)
}

// onDisks gives each thing that a hub stores a disk of its own.
func onDisks(t *testing.T, w *world) {
	t.Helper()
	w.cluster.Stored = w.mount(t, "database")
	blobs, log, anchor := w.mount(t, "blobs"), w.mount(t, "log"), w.mount(t, "anchor")
	w.cluster.Extra = fmt.Sprintf("blobs: {folder: %s/blobs}\nlog: {origin: faults.example/log, folder: %s/log, anchor: %s/anchor}\n", blobs, log, anchor)
	w.cluster.LogFolder = filepath.Join(log, "log")
}

// TestFullDisk is E-06: one disk after another is full: that of the database, which holds the audit too, that of the
// blobs, of the log, of the anchor. Meanwhile reads go on, and nothing is acknowledged that is not kept; when there is room again
// the hub goes on without a restart.
func TestFullDisk(t *testing.T) {
	x := experiment{hubs: 1, prepare: onDisks, size: 80 << 10, docs: 20, fails: 4}
	x.trouble = func(ctx context.Context, t *testing.T, w *world, count *atomic.Int64) {
		t.Helper()
		for {
			for _, place := range []string{"database", "blobs", "log", "anchor"} {
				if !w.some(ctx, 3) || ctx.Err() != nil {
					return
				}
				before := w.journal.Count()
				w.disks[place].Fill(64 << 10)
				time.Sleep(400*time.Millisecond + upTo(300*time.Millisecond))
				w.reads(ctx, t, place)
				w.disks[place].Fill(-1)
				t.Logf("%s full: %d were acknowledged meanwhile", place, w.journal.Count()-before)
				if !w.some(ctx, 2) && ctx.Err() == nil {
					w.journal.Break("with room on the disk of the %s again, the hub does not go on", place)
					return
				}
				count.Add(1)
			}
		}
	}
	x.after = func(t *testing.T, w *world, _ *Sender) {
		t.Helper()
		if out, err := w.cluster.Run(t.Context(), "check", "--read-data", "100%"); err != nil {
			w.journal.Break("check after full disks: %v\n%s", err, out)
		}
	}
	hold(t, x, Heedless)
}

// reads asks for what was acknowledged before.
func (w *world) reads(ctx context.Context, t *testing.T, place string) {
	t.Helper()
	w.journal.mu.Lock()
	known := w.journal.Acknowledged[0].Exchange
	w.journal.mu.Unlock()
	try, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := w.cluster.Client(0).Track(try, known); err != nil {
		w.journal.Break("with a full disk of the %s an exchange cannot be read: %v", place, err)
	}
}
