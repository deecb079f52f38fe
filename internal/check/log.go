package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"yinxin/archive/fsck"
	"yinxin/archive/tlog"
	"yinxin/verdict"
)

// log computes both trees anew from the files and holds the published checkpoints against them.
func (c *check) log(ctx context.Context, i *Item) error {
	head, err := c.h.Database.Published(ctx)
	if err != nil {
		return fmt.Errorf("read the published head: %w", err)
	}
	c.head = head
	if head.Size == 0 {
		i.Detail = "nothing was published yet"
		return c.file(ctx, i)
	}
	tree, err := tlog.OpenCheckpoint(head.Note, c.h.LogKey)
	if err != nil || tree.Size != head.Size {
		i.find(LogCheckpoint, "the database's newest checkpoint", "size %d: %v", head.Size, err)
		return nil
	}
	c.tree = tree
	if err := c.file(ctx, i); err != nil {
		return err
	}
	c.o.Progress("log", 0, head.Size)
	o := fsck.Options{Keys: []*tlog.Verifier{c.h.LogKey}}
	if c.h.Paths != nil {
		if o.Paths, err = c.h.Paths(ctx); err != nil {
			return err
		}
	}
	report, err := fsck.Check(ctx, published{fsck.Files(c.h.Log), head.Note}, o)
	if err != nil {
		return err
	}
	for _, f := range report.Findings {
		if f.Reason == verdict.Uncovered {
			if _, err := tlog.ParseTile(f.Path); err != nil {
				i.find(LogStray, f.Path, "the log has no such file")
			}
			continue // a tile behind the published size: of a batch that is just being published, or never was
		}
		i.find(LogFile, f.Path, "%s: %s", f.Reason, f.Detail)
	}
	c.o.Progress("log", head.Size, head.Size)
	i.Counts["entries"], i.Counts["files"], i.Counts["bytes"] = report.Size, uint64(report.Tiles), uint64(report.Bytes)
	i.Detail = fmt.Sprintf("%d entries in %d files of %s, both trees computed anew, root %s", report.Size, report.Tiles, report.Origin, report.Root)
	return nil
}

// published is the log as the database has published it; its files may be further already.
type published struct {
	fsck.Fetcher
	note []byte
}

// Checkpoint implements fsck.Fetcher.
func (p published) Checkpoint(context.Context) ([]byte, error) { return p.note, nil }

// file compares the checkpoint that others are shown with the database.
func (c *check) file(ctx context.Context, i *Item) error {
	signed, err := c.h.Log.Fetch(ctx, tlog.CheckpointPath)
	if errors.Is(err, fs.ErrNotExist) {
		if c.head.Size > 0 {
			i.find(LogBehind, tlog.CheckpointPath, "there is no such file; the database has published %d entries", c.head.Size)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the checkpoint file: %w", err)
	}
	if bytes.Equal(signed, c.head.Note) {
		return nil
	}
	file, err := tlog.OpenCheckpoint(signed, c.h.LogKey)
	if err != nil {
		i.find(LogCheckpoint, tlog.CheckpointPath, "%v", err)
		return nil
	}
	ahead, err := c.ahead(ctx, file.Size)
	if err != nil {
		return err
	}
	switch {
	case ahead:
		i.find(LogRolledBack, tlog.CheckpointPath, "it says %d entries, the database %d", file.Size, c.head.Size)
	case file.Size < c.head.Size:
		i.find(LogBehind, tlog.CheckpointPath, "it says %d entries, the database %d", file.Size, c.head.Size)
	}
	return nil
}

// ahead reports whether a checkpoint of the size is beyond all that the database has published until now.
func (c *check) ahead(ctx context.Context, size uint64) (bool, error) {
	if size <= c.head.Size {
		return false, nil
	}
	now, err := c.h.Database.Published(ctx) // a hub at work may have gone on
	if err != nil {
		return false, fmt.Errorf("read the published head: %w", err)
	}
	return size > now.Size, nil
}

// anchor holds the log against the copy of its checkpoint that lies outside.
func (c *check) anchor(ctx context.Context, i *Item) error {
	if c.h.Anchor == nil {
		i.Detail = "none is configured"
		i.find(NoAnchor, "log.anchor", "a rollback of all parts at once cannot be noticed")
		return nil
	}
	signed, err := c.h.Anchor(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		if c.head.Size == 0 {
			i.Detail = "nothing was published yet, and so not anchored"
			return nil
		}
		i.find(AnchorMissing, "log.anchor", "there is no such file; the database has published %d entries", c.head.Size)
		return nil
	}
	if err != nil {
		i.find(AnchorUnreadable, "log.anchor", "%v", err)
		return nil
	}
	kept, err := tlog.OpenCheckpoint(signed, c.h.LogKey)
	if err != nil {
		i.find(AnchorUnreadable, "log.anchor", "%v", err)
		return nil
	}
	i.Counts["anchored"] = kept.Size
	i.Detail = fmt.Sprintf("it has seen %d entries, the database has published %d", kept.Size, c.head.Size)
	if kept.Size > c.head.Size {
		ahead, err := c.ahead(ctx, kept.Size)
		if ahead {
			i.find(RolledBack, "log.anchor", "the anchor has seen %d entries, the database has published %d", kept.Size, c.head.Size)
		}
		return err
	}
	if c.tree.Size == 0 {
		return nil // there is nothing to compare it with, or the log has its own finding
	}
	err = tlog.CheckExtends(ctx, c.h.Log, kept, c.tree)
	switch {
	case errors.Is(err, tlog.ErrFork):
		i.find(Forked, "log.anchor", "%v", err)
	case err != nil:
		i.find(AnchorUnreadable, "log.anchor", "its place in the log cannot be shown: %v", err)
	}
	return nil
}
