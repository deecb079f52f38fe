package main

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive/blob"
	"yinxin/archive/blob/fileblob"
	"yinxin/archive/tlog"
	"yinxin/internal/backup"
	"yinxin/internal/check"
	"yinxin/internal/config"
	"yinxin/internal/durable"
	"yinxin/internal/postgres"
	"yinxin/internal/sqlite"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/keys/keyfile"
	"yinxin/verdict"
)

// restoreFlags are the flags of restore.
type restoreFlags struct {
	config, from, snapshot, key, passwordFile, logKey, scratch, temp string
	verifyOnly                                                       bool
}

func newRestoreCmd(e *env) *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "make a hub again from a snapshot, or rehearse it with --verify-only",
		Long: "Brings keys, blobs, evidence log and rows back to the empty places that the configuration names, compares every byte with\n" +
			"the signed manifest, and checks the result as yinxind check does. With --verify-only it does the same in a folder for the\n" +
			"time being and touches nothing of the hub; rows of PostgreSQL are then loaded only into an empty database that\n" +
			"--scratch names. Both print what would be lost (RPO) and how long it took (RTO).\n" +
			"A hub that is behind its anchor after that refuses to start.",
		Example: "  yinxind restore --verify-only --config /etc/yinxin/hub.yaml --from /mnt/backup --key file:recovery.key\n" +
			"  yinxind restore --config /etc/yinxin/hub.yaml --from /mnt/backup --key file:recovery.key --log-key log.vkey",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.restore(cmd.Context(), f, wantsJSON(cmd)) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (YAML)")
	cmd.Flags().StringVar(&f.from, "from", "", "folder of the backups")
	cmd.Flags().StringVar(&f.snapshot, "snapshot", "", "id of a snapshot (default: the newest)")
	cmd.Flags().StringVar(&f.key, "key", "", "key file of one who may restore, file:PATH")
	cmd.Flags().StringVar(&f.passwordFile, "password-file", "", "read the key file's passphrase from this file; - is standard input")
	cmd.Flags().StringVar(&f.logKey, "log-key", "", "the log's key (vkey file) that the manifest is judged by (default: log.vkey in the data folder)")
	cmd.Flags().BoolVar(&f.verifyOnly, "verify-only", false, "rehearse: restore into a folder for the time being, check it, and remove it")
	cmd.Flags().StringVar(&f.scratch, "scratch", "", "with --verify-only: file with the URL of an empty PostgreSQL database")
	cmd.Flags().StringVar(&f.temp, "temp", "", "with --verify-only: where that folder lies (default: the system's)")
	return cmd
}

// restored is what restore prints.
type restored struct {
	Schema     string    `json:"schema"`
	Snapshot   string    `json:"snapshot"`
	Moment     time.Time `json:"moment"`
	VerifyOnly bool      `json:"verify_only"`
	// Loaded says whether the rows were loaded into a database and checked there.
	Loaded  bool   `json:"loaded"`
	Entries uint64 `json:"log_size"`
	Blobs   uint64 `json:"blobs"`
	Keys    string `json:"keys"`
	// RPO is how old the snapshot is, and Lost how many log entries the anchor has seen beyond it; -1: there is no anchor.
	RPO  float64 `json:"rpo_seconds"`
	Lost int64   `json:"entries_lost"`
	// RTO is how long it took, from reading the manifest to the end of the check.
	RTO   float64       `json:"rto_seconds"`
	Check *check.Report `json:"check,omitempty"`
}

func (e *env) restore(ctx context.Context, f restoreFlags, asJSON bool) (err error) {
	began := e.now()
	c, err := readConfig(f.config)
	if err != nil {
		return err
	}
	if f.from == "" || f.key == "" {
		return fmt.Errorf("%w: --from and --key are needed", errUsage)
	}
	if !f.verifyOnly && (f.scratch != "" || f.temp != "") {
		return fmt.Errorf("%w: --scratch and --temp belong to --verify-only", errUsage)
	}
	key, err := openRecoveryKey(f)
	if err != nil {
		return err
	}
	logKey, err := manifestKey(f, c)
	if err != nil {
		return err
	}
	m, err := backup.Read(f.from, f.snapshot, logKey)
	if err != nil {
		return err
	}
	if m.Database != kindOf(c) || m.Origin != c.Log.Origin {
		return fmt.Errorf("%w: the snapshot is of %s on %s, the configuration of %s on %s", errRefused, m.Origin, m.Database, c.Log.Origin, kindOf(c))
	}
	out := &restored{
		Schema: "yinxin.restore/1", Snapshot: m.ID, Moment: m.Moment, VerifyOnly: f.verifyOnly, Entries: m.Size, Blobs: m.Blobs.Count,
		Keys: m.Keys, RPO: began.Sub(m.Moment).Seconds(), Lost: -1,
	}
	if kept, err := os.ReadFile(c.Log.Anchor); err == nil && c.Log.Anchor != "" {
		seen, err := tlog.OpenCheckpoint(kept, logKey)
		if err != nil {
			return fmt.Errorf("anchor %s: %w", c.Log.Anchor, err)
		}
		out.Lost = max(0, int64(seen.Size)-int64(m.Size))
	}
	if f.verifyOnly {
		err = e.rehearse(ctx, f, c, m, key, out)
	} else {
		err = e.bringBack(ctx, f, c, m, key, out)
	}
	if err != nil {
		return err
	}
	out.RTO = e.now().Sub(began).Seconds()
	return e.printRestored(out, asJSON)
}

// errRefused marks what a command refuses by the state of things.
var errRefused = errors.New("refused")

// openRecoveryKey opens the key file of one who may restore.
func openRecoveryKey(f restoreFlags) (crypto.Decrypter, error) {
	path, found := strings.CutPrefix(f.key, "file:")
	if !found || path == "" {
		return nil, fmt.Errorf("%w: --key %s: want file:PATH", errUsage, f.key)
	}
	return keyfile.Open(path, keys.PurposeDecrypt, func() ([]byte, error) {
		if f.passwordFile == "" {
			return nil, fmt.Errorf("%w: the key file is encrypted: --password-file is needed", errUsage)
		}
		return readPassphrase(f.passwordFile)
	})
}

// manifestKey is the log's key that a manifest is judged by.
func manifestKey(f restoreFlags, c *config.Config) (*tlog.Verifier, error) {
	path := f.logKey
	if path == "" {
		path = filepath.Join(c.Data, "log.vkey")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the log's key, which the manifest is judged by (--log-key): %w", err)
	}
	key, err := tlog.ParseVerifier(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// rehearse restores into a folder for the time being.
func (e *env) rehearse(ctx context.Context, f restoreFlags, c *config.Config, m *backup.Manifest, key crypto.Decrypter, out *restored) (err error) {
	dir, err := os.MkdirTemp(f.temp, "yinxin-rehearsal-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	there := *c
	there.Data, there.Blobs, there.Log.Folder, there.Log.Anchor = filepath.Join(dir, "data"), config.Blobs{}, "", ""
	there.Database.URLFile = f.scratch
	load := m.Database == kindSQLite || f.scratch != ""
	if m.Keys == backup.KeysFolder {
		there.Keys.Folder = filepath.Join(dir, "keys")
	}
	if err := e.fillPlaces(ctx, f, &there, m, key, load); err != nil || !load {
		return err
	}
	return e.checkRestored(ctx, &there, []byte(m.Checkpoint), out)
}

// bringBack restores into the places of the configuration.
func (e *env) bringBack(ctx context.Context, f restoreFlags, c *config.Config, m *backup.Manifest, key crypto.Decrypter, out *restored) error {
	if err := e.fillPlaces(ctx, f, c, m, key, true); err != nil {
		return err
	}
	return e.checkRestored(ctx, c, nil, out)
}

// fillPlaces brings a snapshot into places that must be empty.
func (e *env) fillPlaces(ctx context.Context, f restoreFlags, c *config.Config, m *backup.Manifest, key crypto.Decrypter, load bool) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	files, err := tlog.OpenDir(orInside(c.Log.Folder, c.Data, "log"))
	if err != nil {
		return err
	}
	if _, err := files.Fetch(ctx, tlog.CheckpointPath); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: the folder of the log is not empty", errRefused)
	}
	blobs, err := e.blobsFor(ctx, c)
	if err != nil {
		return err
	}
	target := backup.Target{Blobs: blobs, Log: files, Keys: func(kind string, files []tlog.File) error { return bringKeys(c, kind, files) }}
	if load {
		if target.Load, err = loader(ctx, c); err != nil {
			return err
		}
	}
	bar := e.newProgress("restore")
	defer bar.end()
	return backup.Restore(ctx, f.from, m, key, target, bar.tell)
}

// blobsFor opens the blobs of a configuration; those of a rehearsal lie in its folder.
func (e *env) blobsFor(ctx context.Context, c *config.Config) (blob.Store, error) {
	if c.Blobs == (config.Blobs{}) {
		return fileblob.Open(filepath.Join(c.Data, "blobs"))
	}
	return openBlobs(ctx, c)
}

// loader gives what loads rows into an empty database.
func loader(ctx context.Context, c *config.Config) (func(context.Context, *backup.Manifest, []string, func(string) (io.ReadCloser, error)) error, error) {
	if c.Database.URLFile == "" {
		path := filepath.Join(c.Data, "hub.db")
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%w: there is a database at %s", errRefused, path)
		}
		return func(_ context.Context, _ *backup.Manifest, names []string, open func(string) (io.ReadCloser, error)) error {
			if len(names) != 1 {
				return fmt.Errorf("%w: %d files of rows", backup.ErrDamaged, len(names))
			}
			in, err := open(names[0])
			if err != nil {
				return err
			}
			return errors.Join(sqlite.Load(path, in), in.Close())
		}, nil
	}
	url, err := config.SecretFile(c.Database.URLFile)
	if err != nil {
		return nil, err
	}
	if err := postgres.MustBeEmpty(ctx, url); err != nil {
		return nil, err
	}
	return func(ctx context.Context, m *backup.Manifest, names []string, open func(string) (io.ReadCloser, error)) error {
		return postgres.Load(ctx, url, m.Schema, names, open)
	}, nil
}

// bringKeys puts the files of the keys where they belong. Backups of Vault's engine are laid down for its custodians.
func bringKeys(c *config.Config, kind string, files []tlog.File) error {
	dir := filepath.Join(c.Data, "keys-backup")
	if kind == backup.KeysFolder {
		dir = c.Keys.Folder
		if dir == "" || filekeys.Exists(dir) {
			return fmt.Errorf("%w: there is a key store at %q, or none is configured", errRefused, dir)
		}
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := (durable.Disk{}).MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := durable.WriteFile(path, f.Data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// checkRestored checks what was restored; an anchor, where given, stands in for the hub's own.
func (e *env) checkRestored(ctx context.Context, c *config.Config, anchor []byte, out *restored) (err error) {
	h, done, err := e.inspected(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if len(anchor) > 0 {
		h.Anchor = func(context.Context) ([]byte, error) { return anchor, nil }
	}
	all, err := check.ParseShare("100%")
	if err != nil {
		return err
	}
	bar := e.newProgress("check")
	defer bar.end()
	out.Check, err = check.Run(ctx, h, check.Options{Read: all, Now: e.now, Rand: e.rand, Progress: bar.tell})
	out.Loaded = true
	return err
}

func (e *env) printRestored(r *restored, asJSON bool) error {
	verdictOf := verdict.Passed
	if r.Check != nil {
		verdictOf = r.Check.Verdict
	}
	if asJSON {
		if err := json.NewEncoder(e.stdout).Encode(r); err != nil {
			return err
		}
	} else {
		did := "restored"
		if r.VerifyOnly {
			did = "rehearsed"
		}
		fmt.Fprintf(e.stdout, "%s snapshot %s: %d log entries, %d blobs, keys: %s; every byte is that of the signed manifest\n", did, r.Snapshot, r.Entries, r.Blobs, r.Keys)
		if r.Check == nil {
			fmt.Fprintln(e.stdout, "the rows were read and compared, and not loaded into a database: --scratch names an empty one for that")
		} else if err := e.printCheck(r.Check); err != nil {
			return err
		}
		lost := "no anchor says how much was accepted since"
		if r.Lost >= 0 {
			lost = fmt.Sprintf("the anchor has seen %d entries beyond it", r.Lost)
		}
		fmt.Fprintf(e.stdout, "RPO %s: the snapshot is of %s; %s\nRTO %s\n", seconds(r.RPO), r.Moment.Format("2006-01-02 15:04:05Z"), lost, seconds(r.RTO))
	}
	if !r.VerifyOnly && r.Lost > 0 {
		fmt.Fprintf(e.stderr, "yinxind: %d entries that were published are not in this snapshot: the hub refuses to start\n", r.Lost)
	}
	if verdictOf != verdict.Passed {
		return judged{verdictOf}
	}
	return nil
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}
