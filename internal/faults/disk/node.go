//go:build linux

package disk

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is an entry as the kernel knows it.
type node struct {
	fs.Inode

	d *Disk
	e *entry
}

// What the kernel may ask of a node.
var (
	_ fs.NodeLookuper   = (*node)(nil)
	_ fs.NodeGetattrer  = (*node)(nil)
	_ fs.NodeSetattrer  = (*node)(nil)
	_ fs.NodeReaddirer  = (*node)(nil)
	_ fs.NodeCreater    = (*node)(nil)
	_ fs.NodeMkdirer    = (*node)(nil)
	_ fs.NodeOpener     = (*node)(nil)
	_ fs.NodeReader     = (*node)(nil)
	_ fs.NodeWriter     = (*node)(nil)
	_ fs.NodeFsyncer    = (*node)(nil)
	_ fs.NodeUnlinker   = (*node)(nil)
	_ fs.NodeRmdirer    = (*node)(nil)
	_ fs.NodeRenamer    = (*node)(nil)
	_ fs.NodeLinker     = (*node)(nil)
	_ fs.NodeStatfser   = (*node)(nil)
	_ fs.NodeAllocater  = (*node)(nil)
	_ fs.FileHandle     = (*handle)(nil)
	_ fs.InodeEmbedder  = (*node)(nil)
	_ fuse.ReadResult   = fuse.ReadResultData(nil)
	_ fs.FileReleaser   = (*handle)(nil)
	_ fs.NodeGetxattrer = (*node)(nil)
)

// handle is an open file; all that matters stands in its entry.
type handle struct{}

// Release implements fs.FileReleaser.
func (*handle) Release(context.Context) syscall.Errno { return 0 }

// Getxattr says that there are none.
func (n *node) Getxattr(context.Context, string, []byte) (uint32, syscall.Errno) {
	return 0, syscall.ENODATA
}

func (n *node) attr(out *fuse.Attr) {
	out.Ino, out.Mode, out.Nlink = n.e.number, n.e.mode, uint32(max(1, n.e.links))
	out.Size = uint64(len(n.e.data))
	out.Blocks, out.Blksize = (out.Size+sectorSize-1)/sectorSize, pageSize
	out.Uid, out.Gid = uint32(syscall.Getuid()), uint32(syscall.Getgid())
}

// inode is what the kernel gets for an entry.
func (n *node) inode(ctx context.Context, e *entry, out *fuse.EntryOut) *fs.Inode {
	child := &node{d: n.d, e: e}
	child.attr(&out.Attr)
	return n.NewInode(ctx, child, fs.StableAttr{Mode: e.mode & syscall.S_IFMT, Ino: e.number})
}

// Lookup implements fs.NodeLookuper.
func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	e := n.e.children[name]
	if e == nil {
		return nil, syscall.ENOENT
	}
	return n.inode(ctx, e, out), 0
}

// Getattr implements fs.NodeGetattrer.
func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	n.attr(&out.Attr)
	return 0
}

// Setattr implements fs.NodeSetattrer.
func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	size, sized := in.GetSize()
	if sized {
		if errno := n.d.ask(OpWrite, n.Path(nil)); errno != 0 {
			return errno
		}
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if sized {
		if errno := n.d.resize(n.e, int64(size)); errno != 0 {
			return errno
		}
	}
	if mode, ok := in.GetMode(); ok {
		n.e.mode = n.e.mode&syscall.S_IFMT | mode&0o7777
	}
	n.attr(&out.Attr)
	return 0
}

// Readdir implements fs.NodeReaddirer.
func (n *node) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	all := make([]fuse.DirEntry, 0, len(n.e.children))
	for name, e := range n.e.children {
		all = append(all, fuse.DirEntry{Name: name, Mode: e.mode, Ino: e.number})
	}
	return fs.NewListDirStream(all), 0
}

// Create implements fs.NodeCreater.
func (n *node) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	child, errno := n.add(ctx, OpCreate, name, syscall.S_IFREG|mode&0o7777, out)
	if errno != 0 {
		return nil, nil, 0, errno
	}
	return child, &handle{}, 0, 0
}

// Mkdir implements fs.NodeMkdirer.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.add(ctx, OpMkdir, name, syscall.S_IFDIR|mode&0o7777, out)
}

func (n *node) add(ctx context.Context, op Op, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if errno := n.d.ask(op, name); errno != 0 {
		return nil, errno
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if n.d.capacity > 0 && n.d.used+pageSize > n.d.capacity { // a name takes room too
		return nil, syscall.ENOSPC
	}
	if n.e.children[name] != nil {
		return nil, syscall.EEXIST
	}
	e := n.d.newEntry(mode)
	n.e.children[name] = e
	return n.inode(ctx, e, out), 0
}

// Open implements fs.NodeOpener.
func (n *node) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return &handle{}, 0, 0
}

// Read implements fs.NodeReader.
func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if off >= int64(len(n.e.data)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:copy(dest, n.e.data[off:])]), 0
}

// Write implements fs.NodeWriter.
func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	if errno := n.d.ask(OpWrite, n.Path(nil)); errno != 0 {
		return 0, errno
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	end := off + int64(len(data))
	if end > int64(len(n.e.data)) {
		if errno := n.d.resize(n.e, end); errno != 0 {
			return 0, errno
		}
	}
	copy(n.e.data[off:end], data)
	for page := off / pageSize; page*pageSize < end; page++ {
		n.e.dirty[page] = true
	}
	return uint32(len(data)), 0
}

// Allocate implements fs.NodeAllocater, without flags.
func (n *node) Allocate(_ context.Context, _ fs.FileHandle, off, size uint64, mode uint32) syscall.Errno {
	if mode != 0 {
		return syscall.ENOTSUP
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if end := int64(off + size); end > int64(len(n.e.data)) {
		return n.d.resize(n.e, end)
	}
	return 0
}

// Fsync implements fs.NodeFsyncer, for files and for folders.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	op := OpSync
	if n.e.children != nil {
		op = OpSyncDir
	}
	if errno := n.d.ask(op, n.Path(nil)); errno != 0 {
		return errno
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	n.e.sync()
	return 0
}

// Unlink implements fs.NodeUnlinker.
func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	if errno := n.d.ask(OpUnlink, name); errno != 0 {
		return errno
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	e := n.e.children[name]
	if e == nil {
		return syscall.ENOENT
	}
	n.drop(name)
	return 0
}

// drop takes a name away, and with the last one the room.
func (n *node) drop(name string) {
	e := n.e.children[name]
	delete(n.e.children, name)
	if e == nil {
		return
	}
	if e.links--; e.links == 0 {
		n.d.used -= int64(len(e.data))
	}
}

// Rmdir implements fs.NodeRmdirer.
func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	if errno := n.d.ask(OpUnlink, name); errno != 0 {
		return errno
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	e := n.e.children[name]
	if e == nil {
		return syscall.ENOENT
	}
	if len(e.children) > 0 {
		return syscall.ENOTEMPTY
	}
	n.drop(name)
	return 0
}

// Rename implements fs.NodeRenamer.
func (n *node) Rename(_ context.Context, name string, to fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if errno := n.d.ask(OpRename, newName); errno != 0 {
		return errno
	}
	into, ok := to.(*node)
	if !ok || flags != 0 {
		return syscall.EINVAL
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	e := n.e.children[name]
	if e == nil {
		return syscall.ENOENT
	}
	if old := into.e.children[newName]; old != nil && old != e {
		if len(old.children) > 0 {
			return syscall.ENOTEMPTY
		}
		into.drop(newName)
	}
	delete(n.e.children, name)
	into.e.children[newName] = e
	return 0
}

// Link implements fs.NodeLinker.
func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if errno := n.d.ask(OpLink, name); errno != 0 {
		return nil, errno
	}
	from, ok := target.(*node)
	if !ok {
		return nil, syscall.EINVAL
	}
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if n.e.children[name] != nil {
		return nil, syscall.EEXIST
	}
	from.e.links++
	n.e.children[name] = from.e
	return n.inode(ctx, from.e, out), 0
}

// Statfs implements fs.NodeStatfser.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	capacity := n.d.capacity
	if capacity == 0 {
		capacity = n.d.used + 1<<40
	}
	out.Bsize, out.Frsize, out.NameLen = pageSize, pageSize, 255
	out.Blocks = uint64(capacity / pageSize)
	out.Bfree = uint64(max(0, capacity-n.d.used) / pageSize)
	out.Bavail, out.Files, out.Ffree = out.Bfree, 1<<20, 1<<20 // as many files as anybody wants
	return 0
}
