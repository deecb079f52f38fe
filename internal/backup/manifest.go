package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"yinxin/archive/blob"
	"yinxin/archive/tlog"
	"yinxin/transport"
)

// Schema names the manifest, as the kind of a signed statement.
const Schema = "yinxin.backup/1"

const (
	snapshotsDir = "snapshots"
	blobsDir     = "blobs"
	manifestName = "manifest"
)

// What a snapshot may hold of the keys.
const (
	KeysFolder    = "folder"    // the files of a key store, encrypted under its passphrase
	KeysVault     = "vault"     // backups of Vault's engine, each encrypted to its recovery key
	KeysElsewhere = "elsewhere" // nothing: they are backed up by other means
)

// ErrNone: there is no such snapshot.
var ErrNone = errors.New("no snapshot")

// ErrDamaged: a snapshot is not what its manifest says.
var ErrDamaged = errors.New("snapshot is damaged")

// File is one encrypted file of a snapshot.
type File struct {
	Name   string           `json:"name"`
	Path   string           `json:"path"`
	Size   int64            `json:"size"`
	SM3    transport.Digest `json:"sm3"`
	Stored transport.Digest `json:"stored_sm3"`
}

// Counted says how many blobs a snapshot names, and how many of them it was the first to name.
type Counted struct {
	Count      uint64 `json:"count"`
	Added      uint64 `json:"added"`
	AddedBytes uint64 `json:"added_bytes"`
}

// Manifest is what a snapshot holds.
type Manifest struct {
	ID     string `json:"id"`
	Hub    string `json:"hub"`
	Origin string `json:"origin"`
	LogKey string `json:"log_key"`
	// Moment is when the rows had been read: what was accepted later is not in the snapshot.
	Began    time.Time `json:"began"`
	Moment   time.Time `json:"moment"`
	Ended    time.Time `json:"ended"`
	Database string    `json:"database"`
	Schema   int64     `json:"schema"`
	// Size and Checkpoint are the log as the rows had published it.
	Size       uint64  `json:"log_size"`
	Checkpoint string  `json:"checkpoint"`
	Keys       string  `json:"keys"`
	Blobs      Counted `json:"blobs"`
	Files      []File  `json:"files"`
}

// Snapshots lists the complete snapshots of a folder, oldest first.
func Snapshots(dir string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(dir, snapshotsDir, "*", manifestName))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i, path := range found {
		ids[i] = filepath.Base(filepath.Dir(path))
	}
	slices.Sort(ids)
	return ids, nil
}

// Read reads the manifest of a snapshot, the newest if id is empty, and verifies its signature by the log's key.
func Read(dir, id string, key *tlog.Verifier) (*Manifest, error) {
	if id == "" {
		ids, err := Snapshots(dir)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return nil, fmt.Errorf("%w in %s", ErrNone, dir)
		}
		id = ids[len(ids)-1]
	}
	if filepath.Base(id) != id {
		return nil, fmt.Errorf("%w %q", ErrNone, id)
	}
	signed, err := os.ReadFile(filepath.Join(dir, snapshotsDir, id, manifestName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w %s in %s", ErrNone, id, dir)
	}
	if err != nil {
		return nil, err
	}
	text, _, err := tlog.OpenStatement(signed, Schema, key)
	if err != nil {
		return nil, fmt.Errorf("manifest of snapshot %s: %w", id, err)
	}
	m := new(Manifest)
	if err := json.Unmarshal([]byte(text), m); err != nil {
		return nil, fmt.Errorf("manifest of snapshot %s: %w: %w", id, ErrDamaged, err)
	}
	if m.ID != id || m.LogKey != key.String() {
		return nil, fmt.Errorf("manifest of snapshot %s: %w: it is that of %s", id, ErrDamaged, m.ID)
	}
	return m, nil
}

func blobPath(dir string, ref blob.Ref) string {
	return filepath.Join(dir, blobsDir, ref.String()[:2], ref.String())
}
