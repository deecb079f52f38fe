//go:build linux

package disk

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// ErrUnavailable: this machine mounts no file systems of programs, for want of /dev/fuse or of the right to mount.
var ErrUnavailable = errors.New("file systems of programs cannot be mounted here")

const (
	pageSize   = 4096
	sectorSize = 512
)

// Mode is what a cut of power leaves of what was not synced.
type Mode string

// The modes.
const (
	Dropped   Mode = "dropped"   // nothing
	Reordered Mode = "reordered" // pages and names by chance, in no order
	Torn      Mode = "torn"      // pages by chance, each only up to some sector
)

// Op is a call that a fault can be put into.
type Op string

// The calls.
const (
	OpCreate  Op = "create"
	OpWrite   Op = "write"
	OpSync    Op = "fsync"
	OpSyncDir Op = "fsync of a folder"
	OpRename  Op = "rename"
	OpLink    Op = "link"
	OpUnlink  Op = "unlink"
	OpMkdir   Op = "mkdir"
)

// Fault is asked before each call; what it returns other than 0 is the result, and the call is not made.
type Fault func(op Op, name string) syscall.Errno

// Disk is a mounted file system.
type Disk struct {
	dir    string
	chance func(n int) int

	mu       sync.Mutex
	server   *fuse.Server
	root     *entry
	last     uint64
	used     int64
	capacity int64
	fault    Fault
}

// entry is a file or a folder, as it is and as it would be after a cut.
type entry struct {
	number uint64
	mode   uint32
	links  int // names that it has

	data, durable []byte
	dirty         map[int64]bool // pages that differ since the last sync

	children, lasting map[string]*entry // nil for a file
}

// Mount mounts an empty disk at a folder. Chance gives a number from 0 up to, and without, n.
func Mount(dir string, chance func(n int) int) (*Disk, error) {
	d := &Disk{dir: dir, chance: chance, last: 1}
	d.root = &entry{number: 1, mode: syscall.S_IFDIR | 0o700, children: map[string]*entry{}, lasting: map[string]*entry{}}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return d, d.mount()
}

func (d *Disk) mount() error {
	second := time.Second
	server, err := fs.Mount(d.dir, &node{d: d, e: d.root}, &fs.Options{
		EntryTimeout: &second, AttrTimeout: &second, RootStableAttr: &fs.StableAttr{Ino: 1, Mode: syscall.S_IFDIR},
		MountOptions: fuse.MountOptions{DirectMount: true, FsName: "yinxin-faults", Name: "yinxinfaults", DisableXAttrs: true},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	d.server = server
	return nil
}

// unmount waits for programs that were just killed to let go of their files.
func (d *Disk) unmount() error {
	var err error
	for range 200 {
		if err = d.server.Unmount(); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("unmount %s: %w", d.dir, err)
}

// Close unmounts the disk; what was on it is gone.
func (d *Disk) Close() error { return d.unmount() }

// SetFault sets what is asked before each call; nil: nothing fails.
func (d *Disk) SetFault(f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

// Fill leaves room for so many bytes more; less than 0: the disk has no bound.
func (d *Disk) Fill(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = 0
	if room >= 0 {
		d.capacity = max(1, d.used+room)
	}
}

// Sync makes everything durable, as sync(2) does.
func (d *Disk) Sync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.walk(d.root, func(e *entry) { e.sync() })
}

// walk visits what has a name now.
func (d *Disk) walk(e *entry, visit func(*entry)) {
	visit(e)
	for _, c := range e.children {
		d.walk(c, visit)
	}
}

// Cut cuts the power: what was not synced is lost, as mode says, and the disk is mounted anew. Programs that use it must
// have been killed. It returns how many pages and names were lost.
func (d *Disk) Cut(mode Mode) (lost int, err error) {
	if err := d.unmount(); err != nil {
		return 0, err
	}
	d.mu.Lock()
	lost = d.forget(d.root, mode, map[*entry]bool{})
	d.used = 0
	counted := map[*entry]bool{}
	d.walk(d.root, func(e *entry) {
		if !counted[e] {
			d.used += int64(len(e.data))
		}
		counted[e] = true
	})
	d.capacity, d.fault = 0, nil
	d.mu.Unlock()
	return lost, d.mount()
}

// forget makes an entry, and what lies below it, what the disk has of it.
func (d *Disk) forget(e *entry, mode Mode, done map[*entry]bool) (lost int) {
	if done[e] {
		return 0
	}
	done[e] = true
	e.links = 1 // told apart no further: a file keeps its data as long as it has a name
	if e.children == nil {
		return d.forgetPages(e, mode)
	}
	for name := range union(e.children, e.lasting) {
		now, then := e.children[name], e.lasting[name]
		if now == then {
			continue
		}
		if mode == Dropped || d.chance(2) == 0 {
			lost++
			continue
		}
		if now == nil {
			delete(e.lasting, name)
		} else {
			e.lasting[name] = now
		}
	}
	e.children = maps.Clone(e.lasting)
	for _, c := range e.children {
		lost += d.forget(c, mode, done)
	}
	return lost
}

func union(one, two map[string]*entry) map[string]bool {
	all := map[string]bool{}
	for name := range one {
		all[name] = true
	}
	for name := range two {
		all[name] = true
	}
	return all
}

func (d *Disk) forgetPages(e *entry, mode Mode) (lost int) {
	for page := range e.dirty {
		from, to := page*pageSize, min((page+1)*pageSize, int64(len(e.data)))
		if mode == Torn && from < to {
			to = min(to, from+int64(d.chance(pageSize/sectorSize+1))*sectorSize)
		}
		if mode == Dropped || from >= to || mode == Reordered && d.chance(2) == 0 {
			lost++
			continue
		}
		e.durable = resized(e.durable, max(int64(len(e.durable)), to))
		copy(e.durable[from:to], e.data[from:to])
	}
	e.data, e.dirty = append([]byte(nil), e.durable...), map[int64]bool{}
	return lost
}

// sync makes bytes, or names, durable.
func (e *entry) sync() {
	if e.children != nil {
		e.lasting = maps.Clone(e.children)
		return
	}
	e.durable = resized(e.durable, int64(len(e.data)))
	for page := range e.dirty {
		from, to := page*pageSize, min((page+1)*pageSize, int64(len(e.data)))
		if from < to {
			copy(e.durable[from:to], e.data[from:to])
		}
	}
	clear(e.dirty)
}

// resized cuts data, or lengthens it by zeros.
func resized(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size]
	}
	if size <= int64(cap(data)) {
		old := len(data)
		data = data[:size]
		clear(data[old:])
		return data
	}
	grown := make([]byte, size, size+size/2)
	copy(grown, data)
	return grown
}

// resize gives a file another length.
func (d *Disk) resize(e *entry, size int64) syscall.Errno {
	grows := size - int64(len(e.data))
	if grows > 0 && d.capacity > 0 && d.used+grows > d.capacity {
		return syscall.ENOSPC
	}
	first, last := min(size, int64(len(e.data))), max(size, int64(len(e.data)))
	for page := first / pageSize; page*pageSize < last; page++ {
		e.dirty[page] = true
	}
	d.used += grows
	e.data = resized(e.data, size)
	return 0
}

// ask asks for a fault. A fault may look at the disk from another goroutine, so it is asked without the lock.
func (d *Disk) ask(op Op, name string) syscall.Errno {
	d.mu.Lock()
	f := d.fault
	d.mu.Unlock()
	if f == nil {
		return 0
	}
	return f(op, name)
}

func (d *Disk) newEntry(mode uint32) *entry {
	d.last++
	e := &entry{number: d.last, mode: mode, links: 1}
	if mode&syscall.S_IFMT == syscall.S_IFDIR {
		e.children, e.lasting = map[string]*entry{}, map[string]*entry{}
		return e
	}
	e.dirty = map[int64]bool{}
	return e
}
