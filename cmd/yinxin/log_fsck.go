package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive/fsck"
	"yinxin/archive/tlog"
	"yinxin/archive/witness"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

func newLogFsckCmd(e *env) *cobra.Command {
	var f logFlags
	var seen []string
	cmd := &cobra.Command{
		Use: "fsck", Short: "verify a whole log from outside and name every file that is wrong", Args: exactly(0, "no arguments"),
		Long: "Reads every entry and every tile of a log, computes both trees anew, and holds all of it against the signed checkpoint. It\n" +
			"does not stop at the first damage: each file that is missing, cut, changed or stale is named, and each entry that is no\n" +
			"evidence or stands twice. --seen gives older signed checkpoints (from receipts, mirrors, witnesses) that the log must\n" +
			"extend. Of a folder, files that belong to no log are named too. Exit 1 when anything was found.",
		Example: "  yinxin log fsck --dir log/ --log log.vkey\n  yinxin log fsck --url http://127.0.0.1:8480/log --log log.vkey --seen witness.note",
		RunE: func(cmd *cobra.Command, _ []string) error {
			known, err := f.keys()
			if err != nil {
				return err
			}
			from, err := f.fetcher()
			if err != nil {
				return err
			}
			o := fsck.Options{Keys: known, Seen: map[string][]byte{}, Entry: judgeEntry}
			for _, path := range seen {
				if o.Seen[path], err = checkpointIn(path); err != nil {
					return err
				}
			}
			if f.dir != "" {
				if o.Paths, err = filesUnder(f.dir); err != nil {
					return err
				}
			}
			return e.fsck(cmd, from, o)
		},
	}
	f.add(cmd)
	cmd.Flags().StringArrayVar(&seen, "seen", nil, "a receipt or signed checkpoint that the log must extend (may be repeated)")
	return cmd
}

// judgeEntry says whether an entry is evidence in its one spelling.
func judgeEntry(_ uint64, entry []byte) (verdict.Reason, string) {
	if _, err := receipt.ParseEntry(entry); err != nil {
		return verdict.Malformed, err.Error()
	}
	return "", ""
}

// checkpointIn reads a signed checkpoint, alone or inside a receipt.
func checkpointIn(path string) ([]byte, error) {
	data, err := readInput(path)
	if err != nil {
		return nil, err
	}
	if _, err := tlog.ParseCheckpoint(data); err == nil {
		return data, nil
	}
	r, err := receipt.Parse(data)
	if err != nil {
		return nil, refuse("malformed", exitFailed, "%s: neither a receipt nor a signed checkpoint: %w", path, err)
	}
	return r.Checkpoint, nil
}

// filesUnder lists the files of a folder by their paths from it.
func filesUnder(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		paths = append(paths, filepath.ToSlash(rel))
		return err
	})
	return paths, err
}

func (e *env) fsck(cmd *cobra.Command, from tlog.Fetcher, o fsck.Options) error {
	r, err := fsck.Check(cmd.Context(), fsck.Files(from), o)
	if err != nil {
		return err
	}
	if jsonFlag(cmd) {
		err = e.printJSON(r)
	} else {
		for _, f := range r.Findings {
			printLine(e.stdout, "%s: %s: %s\n", f.Path, f.Reason, f.Detail)
		}
		_, err = fmt.Fprintf(e.stdout, "log %s, %d entries, root %s: %d files read, %d findings\n", r.Origin, r.Size, r.Root, r.Tiles, len(r.Findings))
	}
	if err == nil && len(r.Findings) > 0 {
		return exitStatus(exitFailed)
	}
	return err
}

func newLogCosignedCmd(e *env) *cobra.Command {
	var f logFlags
	var keys []string
	var maxAge time.Duration
	var out string
	cmd := &cobra.Command{
		Use: "cosigned WITNESS-URL", Short: "fetch the checkpoint that a witness has cosigned", Args: exactly(1, "the witness's address"),
		Long: "Asks a witness (see 'yinxind witness') for the newest checkpoint of the log that it has cosigned, and verifies the log's\n" +
			"signature, the witness's line and its age. 'yinxin log check-consistency' and 'log fsck --seen' then say whether the log\n" +
			"that is published extends it: a log that was rolled back, or is shown differently to others, is found so.",
		Example: "  yinxin log cosigned http://127.0.0.1:3162 --log log.vkey --witness witness.vkey --out witness.note\n" +
			"  yinxin log check-consistency witness.note --log log.vkey --url http://127.0.0.1:8480/log",
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := f.keys()
			if err != nil {
				return err
			}
			witnesses, err := readWitnessKeys(keys)
			if err != nil {
				return err
			}
			return e.cosigned(cmd, args[0], known, witnesses, maxAge, out)
		},
	}
	f.addKeys(cmd)
	cmd.Flags().StringArrayVar(&keys, "witness", nil, "the witness's key (vkey file)")
	cmd.Flags().DurationVar(&maxAge, "max-age", time.Hour, "the oldest cosignature that counts")
	cmd.Flags().StringVar(&out, "out", "witness.note", "file for the cosigned checkpoint")
	return cmd
}

// readWitnessKeys reads the keys of witnesses; at least one is needed.
func readWitnessKeys(paths []string) ([]*tlog.Cosignatory, error) {
	if len(paths) == 0 {
		return nil, usage("--witness is required: without the witness's key its word is worth nothing")
	}
	var known []*tlog.Cosignatory
	for _, path := range paths {
		data, err := readInput(path)
		if err != nil {
			return nil, err
		}
		key, err := tlog.ParseCosignatory(string(data))
		if err != nil {
			return nil, refuse("malformed", exitNotFound, "%s: %w", path, err)
		}
		known = append(known, key)
	}
	return known, nil
}

// cosignedNote is what log cosigned reports.
type cosignedNote struct {
	File    string    `json:"file"`
	Origin  string    `json:"origin"`
	Size    uint64    `json:"size"`
	Root    string    `json:"root"`
	Witness string    `json:"witness"`
	Time    time.Time `json:"time"`
}

func (e *env) cosigned(
	cmd *cobra.Command, address string, known []*tlog.Verifier, witnesses []*tlog.Cosignatory, maxAge time.Duration, out string,
) error {
	client := &witness.Client{URL: address, HTTP: &http.Client{Timeout: witness.Timeout}}
	note, err := client.Checkpoint(cmd.Context(), known[0].Name())
	if err != nil {
		return witnessFault(err)
	}
	c, err := tlog.OpenCheckpoint(note, tlog.Keys(known...)...)
	if err != nil {
		return err
	}
	lines, err := tlog.Cosignatures(note, witnesses...)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return refuse(string(verdict.WitnessMissing), exitFailed, "the checkpoint bears no line of the given witness")
	}
	newest := lines[0]
	if age := e.now().Sub(newest.Time); age > maxAge {
		return refuse(string(verdict.Stale), exitFailed, "the newest cosignature is %s old, at most %s is allowed", age.Round(time.Second), maxAge)
	}
	if err := writeFile(out, note); err != nil {
		return err
	}
	r := cosignedNote{File: out, Origin: c.Origin, Size: c.Size, Root: c.Root.String(), Witness: newest.Witness, Time: newest.Time}
	return e.result(jsonFlag(cmd), r, "%s\tlog %s, size %d, cosigned by %s at %s\n", out, r.Origin, r.Size, r.Witness, r.Time.Format(time.RFC3339))
}

// witnessFault gives an answer of a witness its exit code.
func witnessFault(err error) error {
	if p, ok := errors.AsType[*witness.RefusalError](err); ok {
		exit := exitRefused
		switch p.Status {
		case http.StatusNotFound:
			exit = exitNotFound
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable:
			exit = exitUnreachable
		}
		return refuse(p.Code, exit, "%w", err)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return refuse("unreachable", exitUnreachable, "%w", err)
}
