package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yinxin/internal/durable"
)

// errFault is what injected faults return: like a full disk.
var errFault = fmt.Errorf("injected: %w", syscall.ENOSPC)

// operation is one durable write over a directory that holds "file" with the old content.
type operation struct {
	name  string
	steps []durable.Step
	run   func(d durable.Disk, dir string) error
	// after are the contents that the directory may have: before the operation and after it, by name.
	before, after map[string]string
}

func operations() []operation {
	replaced := map[string]string{"file": "new"}
	kept := map[string]string{"file": "old"}
	write := []durable.Step{durable.StepCreate, durable.StepWrite, durable.StepSync, durable.StepRename, durable.StepSyncDir}
	return []operation{
		{
			"WriteFile", write,
			func(d durable.Disk, dir string) error {
				return d.WriteFile(filepath.Join(dir, "file"), []byte("new"), 0o600)
			},
			kept, replaced,
		},
		{
			"Commit", append([]durable.Step{durable.StepCreate, durable.StepWrite, durable.StepSync}, write[1:]...),
			func(d durable.Disk, dir string) error {
				f, err := d.CreateTemp(dir, 0o600)
				if err != nil {
					return err
				}
				defer f.Abort()
				if _, err := f.Write([]byte("n")); err != nil {
					return err
				}
				if err := f.Flush(); err != nil {
					return err
				}
				if _, err := f.Write([]byte("ew")); err != nil {
					return err
				}
				return f.Commit(filepath.Join(dir, "file"))
			},
			kept, replaced,
		},
		{
			"CreateExclusive",
			[]durable.Step{
				durable.StepCreate, durable.StepWrite, durable.StepSync, durable.StepLink, durable.StepSyncDir, durable.StepRemove,
			},
			func(d durable.Disk, dir string) error {
				return d.CreateExclusive(filepath.Join(dir, "other"), []byte("new"), 0o600)
			},
			kept,
			map[string]string{"file": "old", "other": "new"},
		},
		{
			"WriteFiles", write,
			func(d durable.Disk, dir string) error {
				return d.WriteFiles(dir, []durable.Entry{{Name: "file", Data: []byte("new")}}, 0o600)
			},
			kept, replaced,
		},
		{
			"Remove",
			[]durable.Step{durable.StepRemove, durable.StepSyncDir},
			func(d durable.Disk, dir string) error { return d.Remove(filepath.Join(dir, "file")) },
			kept,
			map[string]string{},
		},
		{
			"MkdirAll",
			[]durable.Step{durable.StepMkdir, durable.StepSyncDir, durable.StepMkdir, durable.StepSyncDir},
			func(d durable.Disk, dir string) error { return d.MkdirAll(filepath.Join(dir, "a", "b"), 0o700) },
			kept, kept,
		},
	}
}

// oldDir makes a directory with the old file.
func oldDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// contents reads the files of dir; temporary ones are counted.
func contents(t *testing.T, dir string) (files map[string]string, temps int) {
	t.Helper()
	files = map[string]string{}
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if n.IsDir() {
			continue
		}
		if strings.HasPrefix(n.Name(), durable.TempPrefix) {
			temps++
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, n.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[n.Name()] = string(data)
	}
	return files, temps
}

// TestSequences holds the code to the sequences of the package comment: in particular no rename before the fsync of the
// content, and no return before the fsync of the directory.
func TestSequences(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			dir := oldDir(t)
			var steps []durable.Step
			err := op.run(durable.Disk{Hook: func(s durable.Step, _ string, act func() error) error {
				steps = append(steps, s)
				return act()
			}}, dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(op.steps, steps); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			got, temps := contents(t, dir)
			if diff := cmp.Diff(op.after, got); diff != "" || temps != 0 {
				t.Errorf("%d temporary files; (-want +got):\n%s", temps, diff)
			}
		})
	}
}

// TestEveryStepFails makes each step fail, once without effect and once after it took effect: the operation must report
// it, leave whole content, and work when repeated.
func TestEveryStepFails(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		for at, step := range op.steps {
			for _, done := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d-%s/done=%t", op.name, at, step, done), func(t *testing.T) {
					t.Parallel()
					failStep(t, op, at, done)
				})
			}
		}
	}
}

func failStep(t *testing.T, op operation, at int, done bool) {
	t.Helper()
	dir := oldDir(t)
	n := -1
	err := op.run(durable.Disk{Hook: func(_ durable.Step, _ string, act func() error) error {
		if n++; n != at {
			return act()
		}
		if done {
			if err := act(); err != nil {
				return err
			}
		}
		return errFault
	}}, dir)
	// The removal of the second name in CreateExclusive comes after the promise has been kept.
	if promised := op.name == "CreateExclusive" && op.steps[at] == durable.StepRemove; !promised && !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v, want the injected one", err)
	}
	got, temps := contents(t, dir)
	if !cmp.Equal(got, op.before) && !cmp.Equal(got, op.after) {
		t.Errorf("the directory holds %v", got)
	}
	if temps != 0 && op.steps[at] != durable.StepRemove {
		t.Errorf("%d temporary files are left", temps)
	}
	err = op.run(durable.Disk{}, dir)
	applied := cmp.Equal(got, op.after) && !cmp.Equal(op.before, op.after)
	if err != nil && (!applied || (!errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist))) {
		t.Fatalf("repeat: %v", err)
	}
	if got, _ := contents(t, dir); !cmp.Equal(got, op.after) {
		t.Errorf("after the repeat the directory holds %v", got)
	}
}

// crash is the panic that stands for the end of the process.
type crash struct{}

// TestCrash ends the sequence at each step, before or after it: what is found afterwards is whole, and RemoveStale takes
// the rest away.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		if op.name == "WriteFiles" {
			continue // its writers are goroutines; the sequence is that of WriteFile
		}
		for at := range op.steps {
			for _, done := range []bool{false, true} {
				dir := oldDir(t)
				crashAt(t, op, dir, at, done)
				got, _ := contents(t, dir)
				if !cmp.Equal(got, op.before) && !cmp.Equal(got, op.after) {
					t.Errorf("%s at step %d: the directory holds %v", op.name, at, got)
				}
			}
		}
	}
}

func crashAt(t *testing.T, op operation, dir string, at int, done bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != (crash{}) {
			t.Fatalf("ended with %v", r)
		}
	}()
	n := -1
	err := op.run(durable.Disk{Hook: func(_ durable.Step, _ string, act func() error) error {
		if n++; n != at {
			return act()
		}
		if done {
			if err := act(); err != nil {
				t.Error(err)
			}
		}
		panic(crash{})
	}}, dir)
	t.Fatalf("did not crash: %v", err)
}

// TestRealFaults meets errors of the file system itself, such as every user gets, root included.
func TestRealFaults(t *testing.T) {
	t.Parallel()
	dir := oldDir(t)
	file := filepath.Join(dir, "file")
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(dir, strings.Repeat("x", 300))
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"directory is missing", durable.WriteFile(filepath.Join(dir, "no", "file"), nil, 0o600), fs.ErrNotExist},
		{"directory is a file", durable.WriteFile(filepath.Join(file, "x"), nil, 0o600), syscall.ENOTDIR},
		{"target is a directory", durable.WriteFile(filepath.Join(dir, "sub"), nil, 0o600), durable.ErrNotFile},
		{"name is too long", durable.WriteFile(long, nil, 0o600), syscall.ENAMETOOLONG},
		{"exclusive over a file", durable.CreateExclusive(file, []byte("x"), 0o600), fs.ErrExist},
		{"mkdir over a file", durable.MkdirAll(filepath.Join(file, "x"), 0o700), syscall.ENOTDIR},
		{"remove what is missing", durable.Remove(filepath.Join(dir, "no")), fs.ErrNotExist},
		{"sync what is missing", durable.SyncDir(filepath.Join(dir, "no")), fs.ErrNotExist},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, c.err, c.want)
		}
	}
	if err := durable.MkdirAll(file, 0o700); err == nil {
		t.Error("a file was taken for a directory")
	}
	if err := durable.WriteFiles(dir, []durable.Entry{{Name: "a/b"}}, 0o600); err == nil {
		t.Error("a name with a directory was taken")
	}
	got, temps := contents(t, dir)
	if diff := cmp.Diff(map[string]string{"file": "old"}, got); diff != "" || temps != 0 {
		t.Errorf("%d temporary files; (-want +got):\n%s", temps, diff)
	}
}

func TestModeIsExact(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	for _, mode := range []fs.FileMode{0o600, 0o666, 0o640} {
		if err := durable.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode %v, want %v (%v)", info.Mode().Perm(), mode, err)
		}
	}
}

func TestWriteFilesMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := map[string]string{}
	var entries []durable.Entry
	for i := range 300 { // more than one group
		name := fmt.Sprintf("f%03d", i)
		want[name] = strings.Repeat(name, i)
		entries = append(entries, durable.Entry{Name: name, Data: []byte(want[name])})
	}
	var mu sync.Mutex
	dirSyncs := 0
	d := durable.Disk{Hook: func(s durable.Step, _ string, act func() error) error {
		mu.Lock()
		if s == durable.StepSyncDir {
			dirSyncs++
		}
		mu.Unlock()
		return act()
	}}
	if err := d.WriteFiles(dir, entries, 0o600); err != nil {
		t.Fatal(err)
	}
	got, temps := contents(t, dir)
	if diff := cmp.Diff(want, got); diff != "" || temps != 0 {
		t.Errorf("%d temporary files; (-want +got):\n%s", temps, diff)
	}
	if dirSyncs != 1 {
		t.Errorf("%d syncs of the directory", dirSyncs)
	}
}

func TestCreateExclusiveHasOneWinner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	var wait sync.WaitGroup
	wins := make(chan string, 16)
	for i := range 16 {
		wait.Go(func() {
			content := fmt.Sprint(i)
			switch err := durable.CreateExclusive(path, []byte(content), 0o600); {
			case err == nil:
				wins <- content
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	close(wins)
	if len(wins) != 1 {
		t.Fatalf("%d winners", len(wins))
	}
	data, err := os.ReadFile(path)
	if want := <-wins; err != nil || string(data) != want {
		t.Errorf("content %q of the winner %q, %v", data, want, err)
	}
}

// TestReadersSeeWholeContent reads while a file is replaced over and over.
func TestReadersSeeWholeContent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	a, b := bytes.Repeat([]byte("a"), 100_000), bytes.Repeat([]byte("b"), 100_000)
	if err := durable.WriteFile(path, a, 0o600); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			data, err := os.ReadFile(path)
			if err != nil || (!bytes.Equal(data, a) && !bytes.Equal(data, b)) {
				t.Errorf("read %d bytes, mixed or not at all: %v", len(data), err)
				return
			}
		}
	})
	for i := range 20 {
		if err := durable.WriteFile(path, [][]byte{b, a}[i%2], 0o600); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wait.Wait()
}

func TestAbortAndFailedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fail := false
	d := durable.Disk{Hook: func(s durable.Step, _ string, act func() error) error {
		if fail && s == durable.StepWrite {
			fail = false
			return errFault
		}
		return act()
	}}
	f, err := d.CreateTemp(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	fail = true
	if _, err := f.Write([]byte("lost")); !errors.Is(err, errFault) {
		t.Errorf("write: %v", err)
	}
	if _, err := f.Write([]byte("kept")); !errors.Is(err, errFault) {
		t.Errorf("a file that lost bytes takes more: %v", err)
	}
	if err := f.Commit(filepath.Join(dir, "f")); !errors.Is(err, errFault) {
		t.Errorf("a file that lost bytes is committed: %v", err)
	}
	f.Abort()
	if err := f.Commit(filepath.Join(dir, "f")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("commit after the end: %v", err)
	}
	if got, temps := contents(t, dir); len(got) != 0 || temps != 0 {
		t.Errorf("left behind: %v and %d temporary files", got, temps)
	}
}
