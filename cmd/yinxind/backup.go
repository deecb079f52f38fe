package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/internal/backup"
	"yinxin/internal/check"
	"yinxin/internal/config"
	"yinxin/internal/embedded"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// backupFlags are the flags of backup.
type backupFlags struct {
	config, out string
	to          []string
	withoutKeys bool
}

func newBackupCmd(e *env) *cobra.Command {
	var f backupFlags
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "copy rows, blobs, evidence log and sealed keys of one moment into a folder",
		Long: "Takes a snapshot, also while hubs are at work. Everything is encrypted to the certificates of those who may restore, so\n" +
			"that the hub cannot read its own backups, and the manifest is signed with the log's key. Blobs that an earlier snapshot in\n" +
			"the folder has are not copied again. Keys in a folder are copied as they are, encrypted under their passphrase; of keys in\n" +
			"Vault the engine gives backups that only its recovery key opens.",
		Example: "  yinxind backup --config /etc/yinxin/hub.yaml --out /mnt/backup --to /etc/yinxin/recovery.pem",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return e.backup(cmd.Context(), f, wantsJSON(cmd)) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (YAML)")
	cmd.Flags().StringVar(&f.out, "out", "", "folder of the backups; snapshots are added to it")
	cmd.Flags().StringArrayVar(&f.to, "to", nil, "certificate (PEM) of one who may restore; repeat for more")
	cmd.Flags().BoolVar(&f.withoutKeys, "without-keys", false, "leave the keys out: they are backed up by other means")
	return cmd
}

func (e *env) backup(ctx context.Context, f backupFlags, asJSON bool) (err error) {
	if f.out == "" || len(f.to) == 0 {
		return fmt.Errorf("%w: --out and --to are needed", errUsage)
	}
	to, err := readersOf(f.to)
	if err != nil {
		return err
	}
	c, err := readConfig(f.config)
	if err != nil {
		return err
	}
	h, done, err := e.inspected(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	from, err := e.source(ctx, c, h)
	if err != nil {
		return err
	}
	if f.withoutKeys {
		from.Keys = nil
	}
	bar := e.newProgress("backup")
	m, err := backup.Take(ctx, f.out, from, backup.Options{To: to, Now: e.now, Rand: e.rand, Progress: bar.tell})
	bar.end()
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(m)
	}
	_, err = fmt.Fprintf(e.stdout, "snapshot %s of %s: %d log entries, %d blobs (%d new, %d bytes), keys: %s, in %s\n",
		m.ID, m.Moment.Format("2006-01-02 15:04:05Z"), m.Size, m.Blobs.Count, m.Blobs.Added, m.Blobs.AddedBytes, m.Keys, m.Ended.Sub(m.Began).Round(1e6))
	return err
}

// readersOf reads the certificates of those who may restore.
func readersOf(paths []string) ([]*ecdsa.PublicKey, error) {
	var to []*ecdsa.PublicKey
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		found, err := cert.ParseAny(text)
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("%w: --to %s holds no certificate: %w", errUsage, path, err)
		}
		to = append(to, found[0].PublicKey)
	}
	return to, nil
}

// source is a hub that was opened for reading, as what is backed up.
func (e *env) source(ctx context.Context, c *config.Config, h check.Hub) (backup.Hub, error) {
	from := backup.Hub{Code: c.Hub.Code, Kind: kindOf(c), Blobs: h.Blobs, Log: h.Log, LogKey: h.LogKey}
	var ok bool
	if from.Database, ok = h.Database.(backup.Database); !ok {
		return from, errors.New("this database cannot be backed up")
	}
	var err error
	if from.Signer, err = embedded.LogSigner(ctx, h.Keys, c.Log.Origin, e.rand); err != nil {
		return from, err
	}
	from.Keys = func(context.Context) (string, []tlog.File, error) { return folderKeys(c.Keys.Folder) }
	if c.Keys.Vault != nil {
		from.Keys = func(ctx context.Context) (string, []tlog.File, error) { return vaultBackups(ctx, h.Keys) }
	}
	return from, nil
}

// kindOf names the database of a configuration.
func kindOf(c *config.Config) string {
	if c.Database.URLFile == "" {
		return kindSQLite
	}
	return kindPostgres
}

// The kinds of databases, as snapshots name them. One is not restored as the other.
const (
	kindSQLite   = "sqlite"
	kindPostgres = "postgres"
)

// folderKeys copies the files of a key store.
func folderKeys(dir string) (string, []tlog.File, error) {
	copied, err := filekeys.Copy(dir)
	if err != nil {
		return "", nil, err
	}
	files := make([]tlog.File, len(copied))
	for i, f := range copied {
		files[i] = tlog.File{Path: f.Path, Data: f.Data}
	}
	return backup.KeysFolder, files, nil
}

// vaultBackups has Vault's engine back up every key, to its recovery key.
func vaultBackups(ctx context.Context, store keys.Provider) (string, []tlog.File, error) {
	keeper, ok := store.(interface {
		keys.Keeper
		keys.Admin
	})
	if !ok {
		return "", nil, errors.New("this key store gives no backups; --without-keys leaves them out")
	}
	all, err := keeper.List(ctx, "", 0)
	if err != nil {
		return "", nil, fmt.Errorf("list keys: %w", err)
	}
	var files []tlog.File
	for _, k := range all {
		if k.State == keys.StateDestroyed {
			continue
		}
		data, err := keeper.Backup(ctx, k.Name)
		if err != nil {
			return "", nil, fmt.Errorf("back up key %s (docs/keys.md says what it needs; --without-keys leaves the keys out): %w", k.Name, err)
		}
		files = append(files, tlog.File{Path: k.Name + ".backup", Data: data})
	}
	return backup.KeysVault, files, nil
}
