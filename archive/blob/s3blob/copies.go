package s3blob

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"yinxin/archive/blob"
	"yinxin/archive/blob/fileblob"
	"yinxin/internal/durable"
)

// copies are blobs that this process has read whole and found to be those of their names, in a folder of its own.
type copies struct {
	dir   string
	max   int64
	files *fileblob.Store
	lock  *durable.Held // says that the folder's process lives

	mu    sync.Mutex
	bytes int64
	order *list.List // of blob.Info, most recent first
	byRef map[blob.Ref]*list.Element
}

// lockName is the file by which a process holds its folder.
const lockName = "lock"

// openCopies makes a folder for this process, and takes away those of dead ones.
func openCopies(ctx context.Context, dir string, maxBytes int64) (*copies, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	olds, err := filepath.Glob(filepath.Join(dir, "copies-*"))
	if err != nil {
		return nil, err
	}
	for _, old := range olds {
		held, err := durable.Lock(ctx, filepath.Join(old, lockName), true, 0)
		if err != nil {
			continue // its process lives, or it is just going
		}
		if err := errors.Join(os.RemoveAll(old), held.Close()); err != nil {
			return nil, err
		}
	}
	c := &copies{max: maxBytes, order: list.New(), byRef: map[blob.Ref]*list.Element{}}
	if c.dir, err = os.MkdirTemp(dir, "copies-"); err != nil {
		return nil, err
	}
	if c.lock, err = durable.Lock(ctx, filepath.Join(c.dir, lockName), true, 0); err != nil {
		return nil, err
	}
	// What is kept here is thrown away with the process: it need not survive a cut of power.
	disk := durable.Disk{Hook: func(step durable.Step, _ string, act func() error) error {
		if step == durable.StepSync || step == durable.StepSyncDir {
			return nil
		}
		return act()
	}}
	c.files, err = fileblob.OpenOn(disk, filepath.Join(c.dir, "blobs"))
	return c, err
}

// open reads a copy, and fetches and checks it first where there is none.
func (c *copies) open(ctx context.Context, ref blob.Ref, fetch func() (io.ReadCloser, error)) (blob.Reader, error) {
	if c.touch(ref) {
		r, err := c.files.Open(ctx, ref)
		if err == nil {
			return r, nil
		}
		c.forget(ref) // it went meanwhile, or this disk has damaged it
	}
	body, err := fetch()
	if err != nil {
		return nil, err
	}
	info, err := c.files.PutAs(ctx, ref, body)
	err = errors.Join(err, body.Close())
	if errors.Is(err, blob.ErrMismatch) {
		return nil, fmt.Errorf("%w: %w", blob.ErrCorrupt, err)
	}
	if err != nil {
		return nil, err
	}
	r, err := c.files.Open(ctx, ref) // before others may push it out
	if err != nil {
		return nil, err
	}
	c.keep(info)
	return r, nil
}

// touch marks a copy as read just now; false where there is none.
func (c *copies) touch(ref blob.Ref) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byRef[ref]
	if ok {
		c.order.MoveToFront(e)
	}
	return ok
}

// keep enters a copy, and takes away those read least recently while there are too many bytes. Open readers go on.
func (c *copies) keep(info blob.Info) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byRef[info.Ref]; ok {
		return
	}
	c.byRef[info.Ref] = c.order.PushFront(info)
	c.bytes += info.Size
	for c.bytes > c.max && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

// forget takes a copy away.
func (c *copies) forget(ref blob.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byRef[ref]; ok {
		c.drop(e)
	}
}

func (c *copies) drop(e *list.Element) {
	info := e.Value.(blob.Info)
	c.order.Remove(e)
	delete(c.byRef, info.Ref)
	c.bytes -= info.Size
	_ = c.files.Remove(context.Background(), info.Ref) // a file that stays goes with the folder
}
