package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive/tlog"
	"yinxin/internal/durable"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

func newLogCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "the evidence log seen from outside: fetch, fsck, prove, check-consistency, cosigned",
		Long: "Looks at an evidence log from its public files alone, over HTTP or in a folder: the log of a hub lies under /log of its\n" +
			"address. Nothing that the log says is believed without the signature of the key given with --log.",
		Example: "  yinxin log fetch http://127.0.0.1:8480/log --log log.vkey --out log/\n" +
			"  yinxin log check-consistency receipts/*.yxr --log log.vkey --url http://127.0.0.1:8480/log",
	}
	cmd.AddCommand(newLogFetchCmd(e), newLogFsckCmd(e), newLogProveCmd(e), newLogCheckCmd(e), newLogCosignedCmd(e))
	return cmd
}

// logFlags say where a log lies and which key signs it.
type logFlags struct {
	url, dir string
	vkeys    []string
}

func (f *logFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.url, "url", "", "the log's address")
	cmd.Flags().StringVar(&f.dir, "dir", "", "the log's folder")
	f.addKeys(cmd)
}

func (f *logFlags) addKeys(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.vkeys, "log", nil, "the log's key (vkey file; may be repeated for past keys)")
}

// fetcher opens the log that the flags name.
func (f *logFlags) fetcher() (tlog.Fetcher, error) {
	switch {
	case (f.url == "") == (f.dir == ""):
		return nil, usage("want one of --url and --dir")
	case f.dir != "":
		return logFolder(f.dir)
	}
	return logAddress(f.url)
}

// keys reads the log's keys; at least one is needed.
func (f *logFlags) keys() ([]*tlog.Verifier, error) {
	if len(f.vkeys) == 0 {
		return nil, usage("--log is required: without the log's key nothing that it says can be believed")
	}
	return readLogKeys(f.vkeys)
}

// readLogKeys reads vkey files.
func readLogKeys(paths []string) ([]*tlog.Verifier, error) {
	var known []*tlog.Verifier
	for _, path := range paths {
		data, err := readInput(path)
		if err != nil {
			return nil, err
		}
		key, err := tlog.ParseVerifier(string(data))
		if err != nil {
			return nil, refuse("malformed", exitNotFound, "%s: %w", path, err)
		}
		known = append(known, key)
	}
	return known, nil
}

// logFolder reads a log's files from a folder that exists.
func logFolder(dir string) (tlog.Fetcher, error) {
	if st, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !st.IsDir() {
		return nil, refuse("not_found", exitNotFound, "%s is not a folder", dir)
	}
	return folderLog(dir), nil
}

// folderLog is a log in a folder, for reading alone.
type folderLog string

// Fetch implements tlog.Fetcher.
func (f folderLog) Fetch(_ context.Context, path string) ([]byte, error) {
	if !filepath.IsLocal(path) {
		return nil, fmt.Errorf("%w: path %q", tlog.ErrMalformed, path)
	}
	return readInput(filepath.Join(string(f), filepath.FromSlash(path)))
}

// logTimeout bounds one request.
const logTimeout = 30 * time.Second

func logAddress(address string) (tlog.Fetcher, error) {
	w, err := tlog.NewWeb(address, &http.Client{Timeout: logTimeout})
	if err != nil {
		return nil, usage("--url %s: want http://… or https://…", address)
	}
	return w, nil
}

// published reads the newest checkpoint and verifies it.
func published(ctx context.Context, f tlog.Fetcher, known []*tlog.Verifier) (tlog.Checkpoint, []byte, error) {
	note, err := f.Fetch(ctx, tlog.CheckpointPath)
	if errors.Is(err, fs.ErrNotExist) {
		return tlog.Checkpoint{}, nil, fmt.Errorf("there is no log, or it has published nothing yet: %w", err)
	}
	if err != nil {
		return tlog.Checkpoint{}, nil, fmt.Errorf("fetch the log's checkpoint: %w", err)
	}
	c, err := tlog.OpenCheckpoint(note, tlog.Keys(known...)...)
	if err != nil {
		return c, nil, fmt.Errorf("the log's checkpoint: %w", err)
	}
	return c, note, nil
}

func newLogFetchCmd(e *env) *cobra.Command {
	var f logFlags
	var out string
	cmd := &cobra.Command{
		Use: "fetch URL|DIR", Short: "copy a log, and check every file of the copy", Args: exactly(1, "the log's address or folder"),
		Long: "Copies the newest checkpoint with all tiles and entries into a folder, then reads the copy back as an auditor does: both\n" +
			"trees are computed anew and compared with the signed roots. Files that are there are kept; fetching again gets what is new,\n" +
			"so that a folder is a mirror of the log. A log that does not extend the mirror is stale or a fork: the mirror stays as it\n" +
			"is and the other signed note is written beside it, as evidence.",
		Example: "  yinxin log fetch http://127.0.0.1:8480/log --log log.vkey --out log/",
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("--out is required")
			}
			known, err := f.keys()
			if err != nil {
				return err
			}
			from, err := logAt(args[0])
			if err != nil {
				return err
			}
			return e.fetchLog(cmd, from, known, out)
		},
	}
	f.addKeys(cmd)
	cmd.Flags().StringVar(&out, "out", "", "folder for the copy")
	return cmd
}

// logAt opens a log by an argument that is an address or a folder.
func logAt(place string) (tlog.Fetcher, error) {
	if strings.Contains(place, "://") {
		return logAddress(place)
	}
	return logFolder(place)
}

// copiedLog is what log fetch reports.
type copiedLog struct {
	Folder string `json:"folder"`
	Origin string `json:"origin"`
	Size   uint64 `json:"size"`
	Root   string `json:"root"`
	Files  int    `json:"files"`
}

func (e *env) fetchLog(cmd *cobra.Command, from tlog.Fetcher, known []*tlog.Verifier, out string) error {
	ctx := cmd.Context()
	c, note, err := published(ctx, from, known)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := extendsMirror(ctx, from, known, out, c, note); err != nil {
		return err
	}
	copied := 0
	for _, t := range tlog.TilesOf(c.Size) {
		fetched, err := copyTile(ctx, from, t, out)
		if err != nil {
			return fmt.Errorf("fetch %s: %w", t.Path(), err)
		}
		if fetched {
			copied++
		}
	}
	if err := tlog.Audit(ctx, folderLog(out), c, nil); err != nil {
		return fmt.Errorf("the copy in %s: %w", out, err)
	}
	if err := writeFile(filepath.Join(out, tlog.CheckpointPath), note); err != nil { // last: it names what is there
		return err
	}
	r := copiedLog{Folder: out, Origin: c.Origin, Size: c.Size, Root: c.Root.String(), Files: copied + 1}
	return e.result(jsonFlag(cmd), r, "%s\tlog %s, %d entries, root %s, %d files copied, audited\n", r.Folder, r.Origin, r.Size, r.Root, r.Files)
}

// extendsMirror holds the log against the checkpoint of the copy that is in the folder, if any.
func extendsMirror(ctx context.Context, from tlog.Fetcher, known []*tlog.Verifier, out string, now tlog.Checkpoint, note []byte) error {
	mirrored, _, err := published(ctx, folderLog(out), known)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the copy in %s: %w", out, err)
	}
	err = tlog.CheckExtends(ctx, from, mirrored, now)
	if errors.Is(err, tlog.ErrFork) || errors.Is(err, tlog.ErrStale) {
		evidence := filepath.Join(out, fmt.Sprintf("contradicts-%d.note", now.Size))
		return errors.Join(fmt.Errorf("%w; the mirror's own checkpoint and %s prove it", err, evidence), writeFile(evidence, note))
	}
	return err
}

// copyTile copies a tile into the folder, and reports whether it had to: full ones never change.
func copyTile(ctx context.Context, from tlog.Fetcher, t tlog.Tile, out string) (bool, error) {
	path := filepath.Join(out, filepath.FromSlash(t.Path()))
	if _, err := os.Stat(path); err == nil && t.Width == tlog.TileWidth {
		return false, nil
	}
	data, err := tlog.FetchTile(ctx, from, t)
	if err != nil {
		return false, err
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	return true, writeFile(path, data)
}

func newLogProveCmd(e *env) *cobra.Command {
	var f logFlags
	cmd := &cobra.Command{
		Use: "prove INDEX", Short: "prove that an entry stands in the log", Args: exactly(1, "the entry's index, from 0"),
		Long: "Gives an entry of the log, its leaf hash and the hashes that lead from it to the signed root (RFC 6962, with SM3), checked\n" +
			"before they are shown. Every receipt holds such a proof already; this is for auditors.",
		Example: "  yinxin log prove 0 --dir log/ --log log.vkey --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			index, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return usage("INDEX %s: want a number from 0", args[0])
			}
			known, err := f.keys()
			if err != nil {
				return err
			}
			from, err := f.fetcher()
			if err != nil {
				return err
			}
			return e.proveEntry(cmd, from, known, index)
		},
	}
	f.add(cmd)
	return cmd
}

// provenEntry is what log prove reports.
type provenEntry struct {
	Origin     string   `json:"origin"`
	Size       uint64   `json:"size"`
	Root       string   `json:"root"`
	Index      uint64   `json:"index"`
	Leaf       string   `json:"leaf"`
	Proof      []string `json:"proof"`
	Entry      string   `json:"entry"` // base64
	Checkpoint string   `json:"checkpoint"`
}

func (e *env) proveEntry(cmd *cobra.Command, from tlog.Fetcher, known []*tlog.Verifier, index uint64) error {
	ctx := cmd.Context()
	c, note, err := published(ctx, from, known)
	if err != nil {
		return err
	}
	if index >= c.Size {
		return refuse("not_found", exitNotFound, "the log has %d entries, counted from 0; there is no entry %d", c.Size, index)
	}
	entry, err := tlog.ReadEntry(ctx, from, c, index)
	if err != nil {
		return err
	}
	leaf, proof, err := tlog.ProveInclusion(ctx, from, c, index)
	if err != nil {
		return err
	}
	if err := tlog.VerifyInclusion(entry, index, proof, c); err != nil {
		return err
	}
	r := provenEntry{
		Origin: c.Origin, Size: c.Size, Root: c.Root.Base64(), Index: index, Leaf: leaf.Base64(), Proof: []string{},
		Entry: base64.StdEncoding.EncodeToString(entry), Checkpoint: string(note),
	}
	for _, h := range proof {
		r.Proof = append(r.Proof, h.Base64())
	}
	if jsonFlag(cmd) {
		return e.printJSON(r)
	}
	fmt.Fprintf(e.stdout, "entry %d of log %s (size %d), proven\n%s\nleaf %s\n", index, c.Origin, c.Size, printable(entry), r.Leaf)
	for _, h := range r.Proof {
		fmt.Fprintf(e.stdout, "with %s\n", h)
	}
	_, err = fmt.Fprintf(e.stdout, "root %s\n", r.Root)
	return err
}

// printable keeps control characters of an entry away from the terminal.
func printable(entry []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '.'
		}
		return r
	}, string(entry))
}

func newLogCheckCmd(e *env) *cobra.Command {
	var f logFlags
	var evidence string
	cmd := &cobra.Command{
		Use: "check-consistency RECEIPT.yxr|NOTE...", Short: "say whether the log still extends what receipts saw", Args: atLeastOne("receipt"),
		Long: "Compares the checkpoint in each receipt, or a signed checkpoint as a mirror or a witness keeps it (see 'yinxin log\n" +
			"cosigned'), with the log as it is published now. A log that was rolled back is stale, one that\n" +
			"shows another history is a fork: exit 1. Of either, both signed notes are written into the folder of --evidence: those of a\n" +
			"fork prove to anybody that the log's key signed two histories. Where the log's operator has stated the gap (yinxind recover),\n" +
			"that is told; it explains, and the exit code stays 1.",
		Example: "  yinxin log check-consistency receipts/*.yxr --log log.vkey --url http://127.0.0.1:8480/log",
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := f.keys()
			if err != nil {
				return err
			}
			from, err := f.fetcher()
			if err != nil {
				return err
			}
			return e.checkConsistency(cmd, logCheck{from: from, known: known, evidence: evidence}, args)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&evidence, "evidence", ".", "folder for both notes of a fork or a rollback")
	return cmd
}

// logCheck is one log held against receipts.
type logCheck struct {
	from     tlog.Fetcher
	known    []*tlog.Verifier
	evidence string
	now      tlog.Checkpoint
	note     []byte
}

// consistency is what check-consistency reports of one receipt.
type consistency struct {
	File string `json:"file"`
	// Status is passed or failed; Reason stale, fork, wrong_log, checkpoint_signature, proof …
	Status  verdict.Status `json:"status"`
	Reason  verdict.Reason `json:"reason"`
	Detail  string         `json:"detail"`
	Size    uint64         `json:"size"`
	LogSize uint64         `json:"log_size"`
	// Gap is the operator's signed statement that what was seen is lost, where there is one.
	Gap *tlog.Gap `json:"gap,omitempty"`
	// Evidence are the two notes of a fork or a rollback.
	Evidence []string `json:"evidence,omitempty"`
}

func (e *env) checkConsistency(cmd *cobra.Command, check logCheck, paths []string) error {
	var err error
	if check.now, check.note, err = published(cmd.Context(), check.from, check.known); err != nil {
		return err
	}
	rows := []consistency{}
	worst := exitDone
	for _, path := range paths {
		row, err := check.one(cmd.Context(), path)
		if err != nil {
			return err
		}
		if row.Status != verdict.Passed {
			worst = exitFailed
		}
		rows = append(rows, row)
	}
	if jsonFlag(cmd) {
		err = e.printJSON(rows)
	} else {
		for _, r := range rows {
			fmt.Fprintf(e.stdout, "%s: %s%s", r.File, r.Status, because(r.Reason, r.Reason.English()))
			if r.Status == verdict.Passed {
				fmt.Fprintf(e.stdout, ", size %d, extended to %d", r.Size, r.LogSize)
			}
			if r.Gap != nil {
				fmt.Fprintf(e.stdout, ", stated by its operator: entries %d to %d are lost (%s, %s)", r.Gap.KeptSize, r.Gap.LostSize-1, r.Gap.By, r.Gap.Reason)
			}
			if len(r.Evidence) > 0 {
				fmt.Fprintf(e.stdout, ", evidence in %s", strings.Join(r.Evidence, " and "))
			}
			fmt.Fprintln(e.stdout)
		}
	}
	if err == nil && worst != exitDone {
		return exitStatus(worst)
	}
	return err
}

// one compares one receipt; the error is for what could not be read.
func (l *logCheck) one(ctx context.Context, path string) (consistency, error) {
	row := consistency{File: path, Status: verdict.Passed, LogSize: l.now.Size}
	data, err := readInput(path)
	if err != nil {
		return row, err
	}
	signed := data
	if _, err := tlog.ParseCheckpoint(data); err != nil {
		r, err := receipt.Parse(data)
		if err != nil {
			return row, refuse("malformed", exitFailed, "%s: neither a receipt nor a signed checkpoint: %w", path, err)
		}
		signed = r.Checkpoint
	}
	old, err := tlog.OpenCheckpoint(signed, tlog.Keys(l.known...)...)
	if err == nil {
		row.Size = old.Size
		err = tlog.CheckExtends(ctx, l.from, old, l.now)
	}
	if err == nil {
		return row, nil
	}
	reason, ok := tlog.ReasonOf(err)
	if !ok {
		return row, fmt.Errorf("%s: %w", path, err)
	}
	row.Status, row.Reason, row.Detail = verdict.Failed, reason, err.Error()
	if reason == verdict.Fork || reason == verdict.Stale {
		if row.Gap, err = l.gap(ctx, old); err != nil {
			return row, err
		}
		row.Evidence, err = l.keep(reason, path, signed)
		return row, err
	}
	return row, nil
}

// gap looks for a signed statement of the log's operator that what this checkpoint saw was lost. It explains; the log stays
// another one than the one that was seen.
func (l *logCheck) gap(ctx context.Context, old tlog.Checkpoint) (*tlog.Gap, error) {
	keeper, ok := l.from.(interface {
		Gaps(ctx context.Context) ([][]byte, error)
	})
	if !ok || old.Size == 0 {
		return nil, nil //nolint:nilnil // there is no statement
	}
	all, err := keeper.Gaps(ctx)
	if err != nil {
		return nil, err
	}
	for _, signed := range all {
		if g, err := tlog.OpenGap(signed, l.known...); err == nil && g.Covers(old.Size-1) {
			return &g, nil
		}
	}
	return nil, nil //nolint:nilnil // there is no statement
}

// keep writes both notes beside each other.
func (l *logCheck) keep(reason verdict.Reason, path string, old []byte) ([]string, error) {
	if err := durable.MkdirAll(l.evidence, 0o755); err != nil {
		return nil, err
	}
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	files := []string{
		filepath.Join(l.evidence, string(reason)+"-"+stem+"-seen.note"),
		filepath.Join(l.evidence, string(reason)+"-"+stem+"-log.note"),
	}
	return files, errors.Join(writeFile(files[0], old), writeFile(files[1], l.note))
}
