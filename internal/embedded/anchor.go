package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"yinxin/archive/tlog"
)

// HoldAgainst compares the system's own log with a checkpoint of it that a witness has cosigned: the anchor outside of this
// folder. A log that is shorter was rolled back ([tlog.ErrStale]), one that does not extend it shows another history
// ([tlog.ErrFork]): neither may go on.
func (s *System) HoldAgainst(ctx context.Context, note []byte, witness *tlog.Cosignatory) error {
	seen, err := tlog.OpenCheckpoint(note, tlog.Keys(s.LogKey)...)
	if err != nil {
		return fmt.Errorf("checkpoint of the witness: %w", err)
	}
	lines, err := tlog.Cosignatures(note, witness)
	if err != nil {
		return fmt.Errorf("checkpoint of the witness: %w", err)
	}
	if len(lines) == 0 {
		return fmt.Errorf("checkpoint of the witness: %w: no line of %s", tlog.ErrSignature, witness.Name())
	}
	now := tlog.EmptyTree(s.LogKey.Name())
	own, err := s.Log.Fetch(ctx, tlog.CheckpointPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		if now, err = tlog.OpenCheckpoint(own, tlog.Keys(s.LogKey)...); err != nil {
			return err
		}
	}
	if err := tlog.CheckExtends(ctx, s.Log, seen, now); err != nil {
		return fmt.Errorf("the witness %s has cosigned size %d at %s: %w", witness.Name(), seen.Size, lines[0].Time, err)
	}
	return nil
}

// CheckAnchor holds the log against a checkpoint of its own that was kept elsewhere. The error wraps [tlog.ErrRollback]
// where the log is shorter than the checkpoint, and tells of a fork where it is not its continuation.
func (s *System) CheckAnchor(ctx context.Context, signed []byte) error {
	kept, err := tlog.OpenCheckpoint(signed, s.LogKey)
	if err != nil {
		return fmt.Errorf("open the kept checkpoint: %w", err)
	}
	head, err := s.Database.Published(ctx)
	if err != nil {
		return fmt.Errorf("read published head: %w", err)
	}
	if head.Size < kept.Size {
		return fmt.Errorf("%w: the database has published %d entries, the kept checkpoint says %d", tlog.ErrRollback, head.Size, kept.Size)
	}
	if head.Size == 0 {
		return nil
	}
	now, err := tlog.OpenCheckpoint(head.Note, s.LogKey)
	if err != nil {
		return fmt.Errorf("open published checkpoint: %w", err)
	}
	return tlog.CheckExtends(ctx, s.Log, kept, now)
}
