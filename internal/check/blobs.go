package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/internal/audit"
)

// use is who names a blob, and the size that the row says; -1 where it says none.
type use struct {
	size int64
	by   string
}

// want notes that a row names a blob.
func (c *check) want(ref blob.Ref, size int64, by string) {
	if was, ok := c.wanted[ref]; ok && was.size >= 0 {
		return
	}
	c.wanted[ref] = use{size, by}
}

// auditFault tells a broken audit from one that could not be read.
func auditFault(err error, i *Item) error {
	if _, ok := errors.AsType[*audit.BrokenError](err); ok {
		i.find(AuditBroken, fmt.Sprintf("row %d", i.Counts["rows"]+1), "%v", err)
		return nil
	}
	return err
}

// blobs looks for every blob that a row names, reads a share of them, and tells of those that no row names.
func (c *check) blobs(ctx context.Context, i *Item) error {
	if err := c.records(ctx); err != nil {
		return err
	}
	if err := c.dispatches(ctx, i); err != nil {
		return err
	}
	i.Counts["named"] = uint64(len(c.wanted))
	missing := maps.Clone(c.wanted)
	for after := (blob.Ref{}); ; {
		infos, err := c.h.Blobs.List(ctx, after, page)
		if err != nil {
			return err
		}
		for _, info := range infos {
			after = info.Ref
			if err := c.blob(ctx, info, i); err != nil {
				return err
			}
			delete(missing, info.Ref)
		}
		c.o.Progress("blobs", i.Counts["stored"], 0)
		if len(infos) < page {
			break
		}
	}
	for _, ref := range slices.SortedFunc(maps.Keys(missing), func(a, b blob.Ref) int { return cmp.Compare(a.String(), b.String()) }) {
		_, err := c.h.Blobs.Stat(ctx, ref) // it may have come while the store was listed
		switch {
		case errors.Is(err, blob.ErrNotFound):
			i.find(BlobMissing, missing[ref].by, "there is no blob %s", ref)
		case errors.Is(err, blob.ErrCorrupt):
			i.find(BlobDamaged, missing[ref].by, "%v", err)
		case err != nil:
			return err
		}
	}
	i.Detail = fmt.Sprintf("%d named by rows, %d stored, %d of them read whole (%d bytes); %d named by none",
		i.Counts["named"], i.Counts["stored"], i.Counts["read"], i.Counts["bytes_read"], i.Counts["orphans"])
	return nil
}

// blob judges one stored blob.
func (c *check) blob(ctx context.Context, info blob.Info, i *Item) error {
	i.Counts["stored"]++
	use, ok := c.wanted[info.Ref]
	if !ok {
		i.Counts["orphans"]++
		i.find(BlobOrphan, "blob "+info.Ref.String(), "%d bytes that no row names", info.Size)
		return nil
	}
	if use.size >= 0 && use.size != info.Size {
		i.find(BlobDamaged, use.by, "blob %s has %d bytes, the row says %d", info.Ref, info.Size, use.size)
		return nil
	}
	read, err := c.o.Read.takes(info.Ref, c.o.Rand)
	if err != nil || !read {
		return err
	}
	got, err := c.h.Blobs.Verify(ctx, info.Ref)
	switch {
	case errors.Is(err, blob.ErrCorrupt):
		i.find(BlobDamaged, use.by, "%v", err)
	case errors.Is(err, blob.ErrNotFound):
		i.find(BlobMissing, use.by, "%v", err)
	case err != nil:
		return err
	}
	i.Counts["read"]++
	i.Counts["bytes_read"] += uint64(max(got.Size, 0))
	return nil
}

// records notes the packages of the archive.
func (c *check) records(ctx context.Context) error {
	for after := ""; ; {
		records, err := c.h.Database.FindRecords(ctx, archive.Query{After: after, Limit: recordPage})
		if err != nil {
			return fmt.Errorf("list records: %w", err)
		}
		for _, e := range records {
			after = e.Record.ID
			if !e.Record.DisposedAt.IsZero() {
				continue
			}
			c.want(e.Package, -1, "the package of record "+e.Record.ID)
		}
		if len(records) < recordPage {
			return nil
		}
	}
}

// recordPage is the most records that one search gives.
const recordPage = 200

// dispatches notes the drafts and packed envelopes of offices.
func (c *check) dispatches(ctx context.Context, i *Item) error {
	c.hosting = map[string]bool{}
	for after := ""; ; {
		all, err := c.h.Database.DispatchesAfter(ctx, after, page)
		if err != nil {
			return fmt.Errorf("list dispatches: %w", err)
		}
		for _, d := range all {
			after = d.ID
			c.hosting[d.Office] = true
			for what, name := range map[string]string{"draft": d.Draft, "packed envelope": d.Envelope} {
				if name == "" {
					continue
				}
				by := fmt.Sprintf("the %s of dispatch %s", what, d.ID)
				ref, err := blob.ParseRef(name)
				if err != nil {
					i.find(BlobMissing, by, "%v", err)
					continue
				}
				c.want(ref, -1, by)
			}
		}
		if len(all) < page {
			return nil
		}
	}
}
