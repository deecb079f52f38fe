package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
	"yinxin/internal/check"
	"yinxin/internal/config"
	"yinxin/internal/durable"
	"yinxin/internal/embedded"
	"yinxin/transport/hub"
)

// recoverFlags are the flags of recover.
type recoverFlags struct {
	config, reason, by string
	lost               uint64
	seen               []string
}

func newRecoverCmd(e *env) *cobra.Command {
	var f recoverFlags
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "go on after a rollback, with a signed and logged statement of what was lost",
		Long: "A hub whose log is behind its anchor, or behind the published files of the log, refuses to start: documents that were\n" +
			"acknowledged are missing. Where no newer backup is to be had, this command states the gap with the log's key, logs the\n" +
			"statement and lets the log go on. It tells how many entries are lost; to do it, that number is given with --lost. The\n" +
			"folder of the log and the anchor are kept beside the new ones. All hubs must be stopped. Witnesses will not cosign the log\n" +
			"until their operators have been shown the statement, and whoever holds a receipt of the lost part is answered with it\n" +
			"(/log/gaps).",
		Example: "  yinxind recover --config /etc/yinxin/hub.yaml          # says what is lost, and does nothing\n" +
			"  yinxind recover --config /etc/yinxin/hub.yaml --lost 42 --by wang --reason 'disk failed, restored the snapshot of 02:00'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.recover(cmd.Context(), f, wantsJSON(cmd)) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (YAML)")
	cmd.Flags().Uint64Var(&f.lost, "lost", 0, "how many entries are lost, as the command says without this flag")
	cmd.Flags().StringVar(&f.reason, "reason", "", "why the hub was put back")
	cmd.Flags().StringVar(&f.by, "by", "", "who decides to go on")
	cmd.Flags().StringArrayVar(&f.seen, "seen", nil, "a newer checkpoint of the log that somebody holds, as a witness; repeat for more")
	return cmd
}

// recovered is what recover prints.
type recovered struct {
	Statement string   `json:"statement"`
	Gap       tlog.Gap `json:"gap"`
	Entry     string   `json:"entry"`
	Size      uint64   `json:"log_size"`
	LostLog   string   `json:"lost_log"`
}

// maxGapText bounds --reason and --by, in bytes.
const maxGapText = 1024

func (e *env) recover(ctx context.Context, f recoverFlags, asJSON bool) error {
	c, err := readConfig(f.config)
	if err != nil {
		return err
	}
	gap, head, err := e.gap(ctx, c, f)
	if err != nil {
		return err
	}
	lost := gap.LostSize - gap.KeptSize
	if f.lost != lost {
		return fmt.Errorf("%w: %d entries are lost: the log has %d, and %d were published. If the hub is to go on without them, and no newer "+
			"backup is to be had: --lost %d --by WHO --reason WHY", errRefused, lost, gap.KeptSize, gap.LostSize, lost)
	}
	if f.reason == "" || f.by == "" || len(f.reason) > maxGapText || len(f.by) > maxGapText {
		return fmt.Errorf("%w: --reason and --by are needed, of at most %d bytes each", errUsage, maxGapText)
	}
	out, err := e.goOn(ctx, c, gap, head)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(out)
	}
	_, err = fmt.Fprintf(e.stdout, "%s\nlogged as entry %s; the log goes on at %d. What was there before lies in %s\n", out.Statement, out.Entry, out.Size, out.LostLog)
	return err
}

// gap finds what is lost: what the newest checkpoint that anybody holds says beyond the database.
func (e *env) gap(ctx context.Context, c *config.Config, f recoverFlags) (g tlog.Gap, head tlog.Head, err error) {
	h, done, err := e.inspected(ctx, c)
	if err != nil {
		return g, head, err
	}
	defer func() { err = errors.Join(err, done()) }()
	if head, err = h.Database.Published(ctx); err != nil {
		return g, head, err
	}
	kept := tlog.EmptyTree(h.LogKey.Name())
	if head.Size > 0 {
		if kept, err = tlog.OpenCheckpoint(head.Note, h.LogKey); err != nil {
			return g, head, fmt.Errorf("the database's checkpoint: %w", err)
		}
	}
	g = tlog.Gap{
		Origin: h.LogKey.Name(), Hub: c.Hub.Code, KeptSize: kept.Size, KeptRoot: kept.Root.String(), Reason: f.reason, By: f.by,
		At: e.now().UTC().Truncate(time.Second),
	}
	notes, err := newerNotes(ctx, h, f.seen)
	if err != nil {
		return g, head, err
	}
	for _, note := range notes {
		seen, err := tlog.OpenCheckpoint(note, h.LogKey)
		if err != nil {
			return g, head, fmt.Errorf("a checkpoint that is to be gone on from: %w", err)
		}
		if seen.Size > max(g.LostSize, kept.Size) {
			g.LostSize, g.LostCheckpoint = seen.Size, string(note)
		}
	}
	if g.LostSize == 0 {
		return g, head, fmt.Errorf("%w: nothing is lost: the database has published %d entries, and no checkpoint says more", errRefused, kept.Size)
	}
	return g, head, nil
}

// newerNotes are the checkpoints that may say more than the database: of the anchor, of the log's folder, of others.
func newerNotes(ctx context.Context, h check.Hub, paths []string) ([][]byte, error) {
	var notes [][]byte
	note, err := h.Log.Fetch(ctx, tlog.CheckpointPath)
	if err == nil {
		notes = append(notes, note)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if h.Anchor != nil {
		note, err := h.Anchor(ctx)
		if err == nil {
			notes = append(notes, note)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	for _, path := range paths {
		note, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		notes = append(notes, note)
	}
	return notes, nil
}

// goOn lays the lost log aside, states the gap and lets the log grow by the entry that says so.
func (e *env) goOn(ctx context.Context, c *config.Config, g tlog.Gap, head tlog.Head) (out *recovered, err error) {
	store, err := e.openKeyStore(ctx, c.Keys, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	signer, err := embedded.LogSigner(ctx, store, c.Log.Origin, e.rand)
	if err != nil {
		return nil, err
	}
	signed, err := g.Sign(signer)
	if err != nil {
		return nil, err
	}
	stores, err := openStores(ctx, c, working) // with SQLite nobody else is at work from here on
	if err != nil {
		return nil, err
	}
	stamp := ".lost-" + g.At.Format("20060102T150405Z")
	if err := layAside(ctx, c, stamp, g, head, signed); err != nil {
		return nil, errors.Join(err, stores.Database.Close())
	}
	system, err := e.openUnanchored(ctx, c, store, stores, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	entry, err := system.Hub.StateGap(ctx, hub.Caller{Account: "operator", Org: c.Hub.Code}, gm.SM3(signed))
	if err != nil {
		return nil, err
	}
	size, err := untilPublished(ctx, system, g.KeptSize, entry)
	return &recovered{Statement: string(signed), Gap: g, Entry: entry, Size: size, LostLog: orInside(c.Log.Folder, c.Data, "log") + stamp}, err
}

// layAside keeps log folder and anchor as they were, and makes a folder with the tree that the log goes on from.
func layAside(ctx context.Context, c *config.Config, stamp string, g tlog.Gap, head tlog.Head, signed []byte) error {
	folder := orInside(c.Log.Folder, c.Data, "log")
	if err := os.Rename(folder, folder+stamp); err != nil {
		return err
	}
	old, err := tlog.OpenDir(folder + stamp)
	if err != nil {
		return err
	}
	fresh, err := tlog.OpenDir(folder)
	if err != nil {
		return err
	}
	for _, tile := range tlog.TilesOf(head.Size) {
		data, err := tlog.FetchTile(ctx, old, tile)
		if err != nil {
			return fmt.Errorf("%s: %w", tile.Path(), err)
		}
		if err := fresh.Put(ctx, []tlog.File{{Path: tile.Path(), Data: data}}); err != nil {
			return err
		}
	}
	if err := copyGaps(ctx, old, fresh); err != nil {
		return err
	}
	if err := fresh.PutGap(g, signed); err != nil {
		return err
	}
	if head.Size > 0 {
		if err := fresh.SetCheckpoint(ctx, head.Note); err != nil {
			return err
		}
	}
	return keepAnchor(c.Log.Anchor, stamp)
}

// copyGaps takes earlier statements along.
func copyGaps(ctx context.Context, from, to *tlog.Dir) error {
	earlier, err := from.Gaps(ctx)
	if err != nil {
		return err
	}
	for _, signed := range earlier {
		g, err := tlog.GapOf(signed)
		if err == nil {
			err = to.PutGap(g, signed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keepAnchor copies the anchor beside itself; the next checkpoint replaces it.
func keepAnchor(path, stamp string) error {
	if path == "" {
		return nil
	}
	kept, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return durable.WriteFile(path+stamp, kept, 0o644)
}

// publishTime is how long the entry of a gap may take into the log.
const publishTime = time.Minute

// untilPublished runs the system until the log has grown and the entry has its receipt.
func untilPublished(ctx context.Context, system *embedded.System, size uint64, entry string) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	ended := make(chan error, 1)
	go func() { ended <- system.Run(ctx) }()
	var now tlog.Head
	err := fmt.Errorf("entry %s: %w", entry, hub.ErrPending)
	for errors.Is(err, hub.ErrPending) && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		if now, err = system.Database.Published(ctx); err == nil {
			err = system.Database.View(ctx, func(r hub.Reader) error {
				_, err := r.Receipt(entry)
				if errors.Is(err, hub.ErrNotFound) {
					return hub.ErrPending
				}
				return err
			})
		}
	}
	cancel()
	if err := errors.Join(err, <-ended); err != nil {
		return 0, err
	}
	if now.Size <= size {
		return 0, fmt.Errorf("the log has not grown beyond %d", size)
	}
	return now.Size, nil
}
