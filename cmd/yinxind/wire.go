package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yinxin/archive/aspect"
	"yinxin/archive/blob"
	"yinxin/archive/blob/fileblob"
	"yinxin/archive/blob/s3blob"
	"yinxin/archive/tlog"
	"yinxin/document/fonts"
	"yinxin/internal/config"
	"yinxin/internal/durable"
	"yinxin/internal/embedded"
	"yinxin/internal/httpapi"
	"yinxin/internal/postgres"
	"yinxin/internal/sqlite"
	"yinxin/keys/filekeys"
	"yinxin/keys/vaultkeys"
	"yinxin/transport/calendar"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// keyStore is a store of keys that can be closed.
type keyStore interface {
	embedded.KeyStore
	Close() error
}

// readConfig reads the file that --config names.
func readConfig(path string) (*config.Config, error) {
	if path == "" {
		return nil, fmt.Errorf("%w: --config is missing", errUsage)
	}
	return config.Read(path)
}

// vaultLogin is how a hub logs in to Vault.
func vaultLogin(v *config.Vault) vaultkeys.Login {
	switch {
	case v.RoleID != "":
		return vaultkeys.AppRole("approle", v.RoleID, func() (string, error) { return config.SecretFile(v.SecretIDFile) })
	case v.CertificateRole != "":
		return vaultkeys.Certificate("cert", v.CertificateRole)
	}
	return vaultkeys.TokenFile(v.TokenFile)
}

// openKeyStore opens the key store of a configuration; create makes a folder that is not there.
func (e *env) openKeyStore(ctx context.Context, c config.Keys, create bool) (keyStore, error) {
	if v := c.Vault; v != nil {
		return vaultkeys.Open(vaultkeys.Config{Address: v.Address, Mount: v.Mount, Login: vaultLogin(v), CACert: v.CA})
	}
	passphrase, err := config.SecretFile(c.PassphraseFile)
	if err != nil {
		return nil, err
	}
	o := filekeys.Options{Rand: e.rand, Now: e.now, ReadOnly: c.ReadOnly && !create}
	if c.Anchor != "" {
		o.Anchor = filekeys.FileAnchor{Path: c.Anchor}
	}
	if create && !filekeys.Exists(c.Folder) {
		return filekeys.Create(ctx, c.Folder, []byte(passphrase), o)
	}
	store, err := filekeys.Open(ctx, c.Folder, []byte(passphrase), o)
	if err != nil {
		return nil, err
	}
	if err := intact(ctx, store); err != nil {
		return nil, errors.Join(fmt.Errorf("key store %s: %w", c.Folder, err), store.Close())
	}
	return store, nil
}

// intact reads every entry of a store before the hub starts: one that is damaged, was swapped or may be read by others would else show
// when its key is needed.
func intact(ctx context.Context, store *filekeys.Store) error {
	report, err := store.Check(ctx)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(report.Damaged)) {
		err = errors.Join(err, fmt.Errorf("%w: %s: %s", filekeys.ErrDamaged, path, report.Damaged[path]))
	}
	return err
}

// openKeysBeside opens the key store of a configuration for reading, also while a hub has it.
func (e *env) openKeysBeside(ctx context.Context, c config.Keys) (keyStore, error) {
	if c.Vault != nil {
		return e.openKeyStore(ctx, c, false)
	}
	passphrase, err := config.SecretFile(c.PassphraseFile)
	if err != nil {
		return nil, err
	}
	return filekeys.Open(ctx, c.Folder, []byte(passphrase), filekeys.Options{Rand: e.rand, Now: e.now, Beside: true})
}

// mode says what stores are opened for.
type mode bool

// The modes.
const (
	working mode = false
	reading mode = true // beside a hub at work, and without making anything that is missing
)

// openStores opens the places of a configuration.
func openStores(ctx context.Context, c *config.Config, m mode) (_ *embedded.Stores, err error) {
	if m == reading {
		err = mustExist(c)
	} else {
		err = os.MkdirAll(c.Data, 0o700)
	}
	if err != nil {
		return nil, err
	}
	s := new(embedded.Stores)
	if s.Blobs, err = openBlobs(ctx, c); err != nil {
		return nil, err
	}
	files, err := tlog.OpenDir(orInside(c.Log.Folder, c.Data, "log"))
	if err != nil {
		return nil, err
	}
	s.Files = files
	if c.Log.Anchor != "" {
		s.Published = func(signed []byte) error { return durable.WriteFile(c.Log.Anchor, signed, 0o644) }
	}
	return s, openDatabase(ctx, c, s, m)
}

// openBlobs opens the folder or the bucket of a configuration.
func openBlobs(ctx context.Context, c *config.Config) (blob.Store, error) {
	b := c.Blobs.S3
	if b == nil {
		return fileblob.Open(orInside(c.Blobs.Folder, c.Data, "blobs"))
	}
	secret, err := config.SecretFile(b.SecretKeyFile)
	if err != nil {
		return nil, err
	}
	var ca []byte
	if b.CA != "" {
		if ca, err = os.ReadFile(b.CA); err != nil {
			return nil, err
		}
	}
	return s3blob.Open(ctx, s3blob.Config{
		Endpoint: b.Endpoint, Bucket: b.Bucket, Prefix: b.Prefix, Region: b.Region, AccessKey: b.AccessKey, SecretKey: secret, CA: ca,
		Dir: filepath.Join(c.Data, "copies"), Copies: b.Copies << 20,
	})
}

// mustExist refuses folders that are not there: opening them would make them, empty.
func mustExist(c *config.Config) error {
	folders := []string{orInside(c.Log.Folder, c.Data, "log")}
	if c.Blobs.S3 == nil {
		folders = append(folders, orInside(c.Blobs.Folder, c.Data, "blobs"))
	}
	for _, dir := range folders {
		if _, err := os.Stat(dir); err != nil {
			return err
		}
	}
	return nil
}

func openDatabase(ctx context.Context, c *config.Config, s *embedded.Stores, m mode) error {
	var auditKey []byte
	if c.Database.AuditKeyFile != "" {
		text, err := config.SecretFile(c.Database.AuditKeyFile)
		if err != nil {
			return err
		}
		auditKey = []byte(text)
	}
	if c.Database.URLFile == "" {
		db, err := sqlite.Open(ctx, filepath.Join(c.Data, "hub.db"), sqlite.Options{AuditKey: auditKey, ReadOnly: m == reading})
		if err != nil {
			return err
		}
		s.Database = db
		return nil
	}
	url, err := config.SecretFile(c.Database.URLFile)
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, url, postgres.Options{AuditKey: auditKey, Connections: c.Database.Connections})
	if err != nil {
		return err
	}
	s.Database, s.Lead = db, db.Lead
	return nil
}

// orInside is a path, or its default inside the data folder.
func orInside(path, data, name string) string {
	if path != "" {
		return path
	}
	return filepath.Join(data, name)
}

// openSystem opens everything that a configuration names, and holds the log against its anchor.
func (e *env) openSystem(ctx context.Context, c *config.Config, store keyStore, verbose bool) (*embedded.System, error) {
	stores, err := openStores(ctx, c, working)
	if err != nil {
		return nil, err
	}
	system, err := e.openUnanchored(ctx, c, store, stores, verbose)
	if err != nil {
		return nil, err
	}
	if err := e.checkAnchor(ctx, c.Log.Anchor, system); err != nil {
		return nil, errors.Join(err, system.Close())
	}
	return system, nil
}

// faces opens the fonts folder of the configuration; without one the embedded faces serve (nil). A font that cannot be used is told
// on stderr.
func (e *env) faces(dir string) (*fonts.Set, error) {
	if dir == "" {
		return nil, nil //nolint:nilnil // no folder and no error: the embedded faces
	}
	f, err := fonts.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	for _, s := range f.Skipped {
		fmt.Fprintf(e.stderr, "yinxind: font %s is not used: %v\n", filepath.Join(dir, s.File), s.Err)
	}
	return f.Set, nil
}

// openUnanchored opens a system in its stores, which are closed with it, and leaves the anchor alone.
func (e *env) openUnanchored(ctx context.Context, c *config.Config, store keyStore, stores *embedded.Stores, verbose bool) (*embedded.System, error) {
	faces, err := e.faces(c.Fonts)
	if err != nil {
		return nil, errors.Join(err, stores.Database.Close())
	}
	times, err := calendarOf(c.Exchange.Calendar)
	if err != nil {
		return nil, errors.Join(err, stores.Database.Close())
	}
	system, err := embedded.Open(ctx, embedded.Config{
		Calendar: times, SignFor: c.Exchange.SignFor, Limits: limitsOf(c.Limits), Uploads: uploadsOf(c.Limits.Uploads),
		Scanner: scannerOf(c.Scan.Clamd),
		Dir:     c.Data, Stores: stores, Keys: store, Code: c.Hub.Code, Archive: c.Hub.Archive, Fonds: c.Hub.Fonds, Origin: c.Log.Origin,
		Authority: c.Hub.Authority, SealRanks: c.Seals.Ranks, Pending: c.Log.Pending, Faces: faces, Clock: e.now, Rand: e.rand, Log: e.logger(verbose),
	})
	if err != nil {
		return nil, errors.Join(err, stores.Database.Close())
	}
	return system, nil
}

// calendarOf reads a calendar; none where no file is named.
func calendarOf(path string) (calendar.Calendar, error) {
	if path == "" {
		return calendar.Calendar{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return calendar.Calendar{}, err
	}
	defer f.Close()
	times, err := calendar.Parse(f)
	if err != nil {
		return calendar.Calendar{}, fmt.Errorf("%w: exchange.calendar %s: %w", config.ErrInvalid, path, err)
	}
	return times, nil
}

// scannerOf speaks to clamd at HOST:PORT or at the path of its socket; nil where none is named.
func scannerOf(clamd string) office.Scanner {
	switch {
	case clamd == "":
		return nil
	case strings.HasPrefix(clamd, "/"):
		return aspect.Clamd{Network: "unix", Address: clamd}
	}
	return aspect.Clamd{Network: "tcp", Address: clamd}
}

// limitsOf and uploadsOf are limits as their packages know them.
func limitsOf(l config.Limits) httpapi.Limits {
	return httpapi.Limits{
		Office:  httpapi.Rate{PerSecond: l.Office.PerSecond, Burst: l.Office.Burst},
		Address: httpapi.Rate{PerSecond: l.Address.PerSecond, Burst: l.Address.Burst}, Places: l.Submissions,
	}
}

func uploadsOf(u config.Uploads) hub.UploadLimits {
	return hub.UploadLimits{Bytes: u.Quota << 20, Open: u.Open, Life: time.Duration(u.Hours) * time.Hour}
}

// checkAnchor refuses a log that is not the one that the anchor saw: a database that was restored, or another log.
func (e *env) checkAnchor(ctx context.Context, path string, system *embedded.System) error {
	if path == "" {
		fmt.Fprintln(e.stderr, "yinxind: no rollback anchor is configured (log.anchor): a restored database together with its log folder would not be noticed")
		return nil
	}
	signed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(e.stderr, "yinxind: the rollback anchor %s does not exist yet; it is written with the next checkpoint\n", path)
		return nil
	}
	if err != nil {
		return err
	}
	if err := system.CheckAnchor(ctx, signed); err != nil {
		return fmt.Errorf("anchor %s: %w", path, err)
	}
	return nil
}
