package tlog

import (
	"errors"

	"yinxin/verdict"
)

// What can be wrong with a log or with something that claims to come from it. [ReasonOf] gives the word for a report.
var (
	// ErrMalformed: a checkpoint, key, path or hash cannot be read.
	ErrMalformed = errors.New("tlog: malformed")
	// ErrWrongLog: the checkpoint is of another origin, or no known key of that origin has signed it.
	ErrWrongLog = errors.New("tlog: checkpoint of another log")
	// ErrSignature: the line of a known key is there and does not verify.
	ErrSignature = errors.New("tlog: checkpoint signature does not verify")
	// ErrProof: a proof does not lead to the root, or is of the wrong length, index or size.
	ErrProof = errors.New("tlog: proof does not lead to the root")
	// ErrFork: two checkpoints of one log show two histories. Both notes are evidence and must be kept.
	ErrFork = errors.New("tlog: the log shows two histories")
	// ErrStale: the published log is shorter than the checkpoint in hand, so it does not extend it.
	ErrStale = errors.New("tlog: the published log does not extend the checkpoint")
	// ErrTile: a stored tile or bundle is cut, damaged or not the one that the root covers.
	ErrTile = errors.New("tlog: tile does not belong to the signed tree")
	// ErrTileConflict: a tile exists already with other bytes. Nothing was overwritten.
	ErrTileConflict = errors.New("tlog: tile exists with other content")
	// ErrConflict: the compare-and-swap of a publication found another size than expected: a second sequencer is at work.
	// A [Queue] returns it only when it is certain that nothing was published.
	ErrConflict = errors.New("tlog: published size is not the expected one")
	// ErrStopped: the sequencer lost a compare-and-swap earlier and does nothing more.
	ErrStopped = errors.New("tlog: sequencer has stopped")
	// ErrRollback: the queue is behind the published files, as after restoring an old database. An operator must
	// reconcile before anything is appended.
	ErrRollback = errors.New("tlog: queue is behind the published log")
	// ErrEntry: an entry is empty or larger than [MaxEntry], or the queue's indexes have a gap.
	ErrEntry = errors.New("tlog: entry cannot be logged")
)

// ReasonOf gives the reason of the verdict list that err stands for, and false when err is none of this package's
// verdicts (then the log could not be looked at).
func ReasonOf(err error) (verdict.Reason, bool) {
	for _, m := range [...]struct {
		err    error
		reason verdict.Reason
	}{
		{ErrMalformed, verdict.Malformed},
		{ErrWrongLog, verdict.WrongLog},
		{ErrSignature, verdict.CheckpointSignature},
		{ErrProof, verdict.Proof},
		{ErrFork, verdict.Fork},
		{ErrStale, verdict.Stale},
		{ErrTile, verdict.Proof},
	} {
		if errors.Is(err, m.err) {
			return m.reason, true
		}
	}
	return "", false
}
