package check

import (
	"bytes"
	"context"
	"fmt"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/transport/hub"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// entries holds every row of evidence against its place in the log, verifies its receipt, and compares every checkpoint
// that was ever signed with the entries that it covers.
func (c *check) entries(ctx context.Context, i *Item) error {
	signed, err := c.h.Database.Checkpoints(ctx)
	if err != nil {
		return fmt.Errorf("read the checkpoints: %w", err)
	}
	r, err := tlog.NewReplay()
	if err != nil {
		return err
	}
	walk := &walk{check: c, item: i, replay: r, signed: signed, judge: receipt.VerifyOptions{
		Logs: []*tlog.Verifier{c.h.LogKey}, Now: c.o.Now(),
		Policy: cert.Policy{Roots: []*cert.Certificate{c.h.Root}, Revocation: verdict.RevocationAuto, Cache: new(cert.Cache)},
	}}
	for from := uint64(0); from < c.tree.Size; from += tlog.TileWidth {
		if err := walk.bundle(ctx, from); err != nil {
			return err
		}
		c.o.Progress("entries", min(from+tlog.TileWidth, c.tree.Size), c.tree.Size)
	}
	if err := c.h.Database.View(ctx, func(r hub.Reader) error {
		waiting, err := r.Waiting()
		i.Counts["waiting"] = uint64(max(waiting, 0))
		return err
	}); err != nil {
		return fmt.Errorf("count waiting entries: %w", err)
	}
	if n := i.Counts["pending"]; n > 0 {
		i.find(ReceiptMissing, "the log", "%d entries are in the log and have no receipt yet", n)
	}
	if n := i.Counts["waiting"]; n > i.Counts["pending"] {
		i.find(LogPending, "the queue of the log", "%d entries have no place in the log yet", n-i.Counts["pending"])
	}
	i.Detail = fmt.Sprintf("%d rows compared with the log, %d receipts verified, %d checkpoints compared with what they cover",
		i.Counts["rows"], i.Counts["receipts"], i.Counts["checkpoints"])
	return nil
}

// walk goes through the log from its first entry.
type walk struct {
	*check
	item   *Item
	replay *tlog.Replay
	broken bool // a bundle could not be read: the prefixes behind it cannot be computed
	signed [][]byte
	judge  receipt.VerifyOptions
}

func (w *walk) bundle(ctx context.Context, from uint64) error {
	width := int(min(tlog.TileWidth, w.tree.Size-from))
	rows, err := w.h.Database.Logged(ctx, from, width)
	if err != nil {
		return fmt.Errorf("read entries from %d: %w", from, err)
	}
	byIndex := make(map[uint64]hub.Logged, len(rows))
	for _, r := range rows {
		byIndex[r.Index] = r
	}
	t := tlog.Tile{Tree: tlog.Entries, Index: from / tlog.TileWidth, Width: width}
	var leaves [][]byte
	data, err := tlog.FetchTile(ctx, w.h.Log, t)
	if err == nil {
		leaves, err = tlog.ParseBundle(data, width)
	}
	if err != nil {
		w.broken = true // the log's own item names the file
	}
	for n := range uint64(width) {
		row, ok := byIndex[from+n]
		if !ok {
			w.item.find(EntryMissing, fmt.Sprintf("entry %d", from+n), "the database has no row for it")
		} else {
			w.row(row)
		}
		if leaves == nil {
			continue
		}
		if ok && !bytes.Equal(leaves[n], row.Evidence.Leaf) {
			w.item.find(EntryDiffers, fmt.Sprintf("entry %d, %s", from+n, row.Evidence.ID), "the row has other bytes than the log")
		}
		if err := w.grow(leaves[n]); err != nil {
			return err
		}
	}
	return nil
}

// grow takes an entry into the replayed trees, and compares the checkpoints of that size.
func (w *walk) grow(leaf []byte) error {
	if w.broken {
		return nil
	}
	if err := w.replay.Append(leaf); err != nil {
		return err
	}
	for len(w.signed) > 0 {
		c, err := tlog.OpenCheckpoint(w.signed[0], w.h.LogKey)
		if err == nil && c.Size > w.replay.Size() {
			return nil
		}
		w.signed = w.signed[1:]
		w.item.Counts["checkpoints"]++
		switch {
		case err != nil:
			w.item.find(LogCheckpoint, fmt.Sprintf("a checkpoint at or behind size %d", w.replay.Size()), "%v", err)
		case !w.replay.Holds(c):
			w.item.find(LogCheckpoint, fmt.Sprintf("the checkpoint of size %d", c.Size), "its roots are not those of the entries before it")
		}
	}
	return nil
}

// row judges a row of evidence and its receipt by themselves.
func (w *walk) row(r hub.Logged) {
	w.item.Counts["rows"]++
	where := fmt.Sprintf("entry %d, %s", r.Index, r.Evidence.ID)
	e, err := told(r.Evidence)
	if err != nil {
		w.item.find(EntryDiffers, where, "%v", err)
		return
	}
	if len(r.Receipt) == 0 {
		w.item.Counts["pending"]++
		return // the number of those that wait is told at the end
	}
	w.item.Counts["receipts"]++
	got, err := receipt.Parse(r.Receipt)
	if err != nil {
		w.item.find(ReceiptWrong, where, "%v", err)
		return
	}
	if got.Index != r.Index || got.Entry != e {
		w.item.find(ReceiptWrong, where, "it speaks of entry %d, %s", got.Index, got.Entry.ID)
		return
	}
	if f := got.Verify(w.judge); f.Verdict == verdict.Failed || f.Verdict == verdict.Rejected {
		w.item.find(ReceiptWrong, where, "%s: %s", f.Verdict, f.Reason)
	}
}

// told reads an entry, and refuses one whose columns say something else than its bytes.
func told(e hub.Evidence) (receipt.Entry, error) {
	if gm.SM3(e.Leaf) != e.Digest {
		return receipt.Entry{}, fmt.Errorf("the digest of the row is not that of its bytes")
	}
	told, err := receipt.ParseEntry(e.Leaf)
	if err != nil {
		return told, err
	}
	switch {
	case told.ID != e.ID, told.Event != e.Event, !told.Time.Equal(e.Time), told.Recipient != e.Recipient:
		return told, fmt.Errorf("its columns say %s of %s at %s, its bytes %s of %s at %s", e.Event, e.ID, e.Time, told.Event, told.ID, told.Time)
	case len(e.Statement) > 0 && gm.SM3(e.Statement) != told.Statement:
		return told, fmt.Errorf("its signed statement is not the one that its bytes name")
	}
	return told, nil
}
