package tlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/internal/durable"
)

// GapKind names the statement of a gap, as the kind of a signed statement.
const GapKind = "yinxin.gap/1"

// gapsDir is the folder of the statements in that of the log.
const gapsDir = "gaps"

// Gap is what an operator states, with the log's key, when a log that was put back to an older state goes on: entries from
// Kept to Lost had been published and are not in it any more; what stands at their places now is something else.
// Checkpoints and receipts of sizes above Kept and up to Lost, signed before At, belong to the lost part.
type Gap struct {
	Origin string `json:"origin"`
	Hub    string `json:"hub"`
	// KeptSize and KeptRoot are the tree that the log goes on from.
	KeptSize uint64 `json:"kept_size"`
	KeptRoot string `json:"kept_root"`
	// LostSize is the size of the newest checkpoint that is known of the lost part, LostCheckpoint that checkpoint.
	LostSize       uint64    `json:"lost_size"`
	LostCheckpoint string    `json:"lost_checkpoint"`
	Reason         string    `json:"reason"`
	By             string    `json:"by"`
	At             time.Time `json:"at"`
}

// Covers reports whether an index, or the last entry of a checkpoint, belongs to the lost part.
func (g Gap) Covers(index uint64) bool { return g.KeptSize <= index && index < g.LostSize }

// Sign states the gap.
func (g Gap) Sign(signer Signer) ([]byte, error) {
	text, err := json.Marshal(g)
	if err != nil {
		return nil, err
	}
	return SignStatement(GapKind, string(text), signer)
}

// OpenGap reads a signed statement of a gap: the log's own, of checkpoints that it has signed itself.
func OpenGap(signed []byte, known ...*Verifier) (Gap, error) {
	_, by, err := OpenStatement(signed, GapKind, known...)
	if err != nil {
		return Gap{}, err
	}
	g, err := GapOf(signed)
	if err != nil {
		return Gap{}, err
	}
	lost, err := OpenCheckpoint([]byte(g.LostCheckpoint), by)
	if err != nil {
		return Gap{}, fmt.Errorf("the lost checkpoint of a gap: %w", err)
	}
	if g.Origin != by.Name() || lost.Size != g.LostSize || g.LostSize <= g.KeptSize {
		return Gap{}, fmt.Errorf("%w: gap of %s from %d to %d, its checkpoint says %d", ErrMalformed, g.Origin, g.KeptSize, g.LostSize, lost.Size)
	}
	return g, nil
}

// GapOf reads a statement without judging who signed it.
func GapOf(signed []byte) (Gap, error) {
	text, err := statementText(signed, GapKind)
	if err != nil {
		return Gap{}, err
	}
	var g Gap
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return Gap{}, fmt.Errorf("%w: gap: %w", ErrMalformed, err)
	}
	return g, nil
}

// PutGap keeps a signed statement beside the tiles, by the size that the log goes on from. One that is there is not replaced.
func (d *Dir) PutGap(g Gap, signed []byte) error {
	if err := d.disk.MkdirAll(d.at(gapsDir), dirMode); err != nil {
		return err
	}
	return durable.CreateExclusive(d.at(gapPath(g.KeptSize)), signed, fileMode)
}

// gapPath is where the statement of a log that went on from a size lies.
func gapPath(size uint64) string { return gapsDir + "/" + strconv.FormatUint(size, 10) }

// IsGapPath reports whether a path in a log's folder is that of a statement.
func IsGapPath(path string) bool {
	text, found := strings.CutPrefix(path, gapsDir+"/")
	n, err := strconv.ParseUint(text, 10, 63)
	return found && err == nil && gapPath(n) == path
}

// maxGaps bounds the statements of one log.
const maxGaps = 1000

// Gaps gives the signed statements of a log, in the order of the sizes; each is to be opened by who reads it.
func (d *Dir) Gaps(ctx context.Context) ([][]byte, error) {
	entries, err := os.ReadDir(d.at(gapsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list gaps: %w", err)
	}
	var sizes []uint64
	for _, e := range entries {
		if n, err := strconv.ParseUint(e.Name(), 10, 63); err == nil && IsGapPath(gapsDir+"/"+e.Name()) {
			sizes = append(sizes, n)
		}
	}
	slices.Sort(sizes)
	if len(sizes) > maxGaps {
		return nil, fmt.Errorf("%w: %d gaps", ErrMalformed, len(sizes))
	}
	all := make([][]byte, len(sizes))
	for i, n := range sizes {
		if all[i], err = os.ReadFile(d.at(gapPath(n))); err != nil {
			return nil, fmt.Errorf("read gap: %w", err)
		}
	}
	return all, ctx.Err()
}
