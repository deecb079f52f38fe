// Package backup keeps copies of a hub from which it can be made again: rows, blobs, the evidence log and the sealed keys.
//
// # Layout
//
//	DIR/blobs/3f/3f2a…            a blob, encrypted; kept once for all snapshots
//	DIR/snapshots/ID/manifest     what the snapshot holds, signed by the log's key; written last
//	DIR/snapshots/ID/NAME.sealed  rows, log and keys, encrypted
//
// # What it promises
//
// A snapshot is of one moment: the rows as one transaction saw them, the blobs that these rows name, and the log as far as
// these rows had published it. It may be taken while hubs are at work. Everything is encrypted to the public keys of those
// who may restore (docs/formats/backup.md): whoever runs the hub cannot read its backups. The manifest, signed with the
// log's key, names every file by its SM3, so that nothing can be exchanged, added or taken away unnoticed. A snapshot
// whose manifest is not there was cut short and is none.
//
// # What it does not promise
//
// That a snapshot is the newest: an older one put in its place verifies too. The anchor of the log tells, once restored.
// Names of blobs are the digests of their content, and can be seen in the folder.
package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"yinxin/archive/blob"
	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
	"yinxin/internal/durable"
)

// Dumped is what a database says of the moment that it has dumped.
type Dumped struct {
	Head   tlog.Head
	Schema int64
	// Blobs are the blobs that rows name, in hexadecimal, perhaps more than once.
	Blobs []string
}

// Database is what a backup reads. It gives file by file the rows of one moment.
type Database interface {
	Dump(ctx context.Context, temp string, file func(name string, write func(w io.Writer) error) error) (Dumped, error)
}

// Hub is what is backed up.
type Hub struct {
	Code     string
	Kind     string // of database: sqlite or postgres
	Database Database
	Blobs    blob.Store
	Log      tlog.Fetcher
	LogKey   *tlog.Verifier
	Signer   tlog.Signer
	// Keys gives the sealed backup of the keys, file by file, and what kind it is; nil: they are kept elsewhere.
	Keys func(ctx context.Context) (kind string, files []tlog.File, err error)
}

// Options of a backup.
type Options struct {
	// To are the public keys of those who may restore; at least one.
	To   []*ecdsa.PublicKey
	Now  func() time.Time
	Rand io.Reader
	// Progress, where set, is told what is being done, how much of it is done, and of how much (0: not known).
	Progress func(what string, done, of uint64)
}

// Take makes a snapshot in dir, which is made if it is missing.
func Take(ctx context.Context, dir string, h Hub, o Options) (*Manifest, error) {
	if o.Progress == nil {
		o.Progress = func(string, uint64, uint64) {}
	}
	t := &taking{dir: dir, h: h, o: o, m: &Manifest{Hub: h.Code, Origin: h.LogKey.Name(), LogKey: h.LogKey.String(), Database: h.Kind, Began: o.Now().UTC()}}
	if err := t.run(ctx); err != nil {
		return nil, fmt.Errorf("back up to %s: %w", dir, err)
	}
	return t.m, nil
}

type taking struct {
	dir  string
	h    Hub
	o    Options
	m    *Manifest
	into string // the folder of the snapshot
}

func (t *taking) run(ctx context.Context) error {
	if len(t.o.To) == 0 {
		return errors.New("nobody is named who may restore it")
	}
	var word [4]byte
	if _, err := io.ReadFull(t.o.Rand, word[:]); err != nil {
		return err
	}
	t.m.ID = t.m.Began.Format("20060102T150405Z") + "-" + hex.EncodeToString(word[:])
	t.into = filepath.Join(t.dir, snapshotsDir, t.m.ID)
	for _, dir := range []string{t.into, filepath.Join(t.dir, blobsDir)} {
		if err := (durable.Disk{}).MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	temp, err := os.MkdirTemp(t.into, durable.TempPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	dumped, err := t.h.Database.Dump(ctx, temp, func(name string, write func(io.Writer) error) error {
		t.o.Progress("database: "+name, 0, 0)
		return t.file("database/"+name, write)
	})
	if err != nil {
		return fmt.Errorf("dump the database: %w", err)
	}
	t.m.Schema, t.m.Size, t.m.Checkpoint = dumped.Schema, dumped.Head.Size, string(dumped.Head.Note)
	t.m.Moment = t.o.Now().UTC()
	if err := t.log(ctx, dumped.Head); err != nil {
		return fmt.Errorf("copy the log: %w", err)
	}
	if err := t.keys(ctx); err != nil {
		return fmt.Errorf("copy the keys: %w", err)
	}
	if err := t.blobs(ctx, dumped.Blobs); err != nil {
		return err
	}
	t.m.Ended = t.o.Now().UTC()
	return t.sign()
}

// file adds an encrypted file.
func (t *taking) file(name string, write func(io.Writer) error) error {
	path := strings.ReplaceAll(name, "/", ".") + ".sealed"
	f, err := (durable.Disk{}).CreateTemp(t.into, 0o600)
	if err != nil {
		return err
	}
	defer f.Abort()
	stored := gm.NewSM3()
	sealed, err := newSealing(io.MultiWriter(f, stored), t.o.To, t.o.Rand)
	if err != nil {
		return err
	}
	plain := &counted{w: sealed, sum: gm.NewSM3()}
	if err := errors.Join(write(plain), sealed.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	entry := File{Name: name, Path: path, Size: plain.n}
	plain.sum.Sum(entry.SM3[:0])
	stored.Sum(entry.Stored[:0])
	t.m.Files = append(t.m.Files, entry)
	return f.Commit(filepath.Join(t.into, path))
}

// archived adds files as one.
func (t *taking) archived(name string, each func(add func(tlog.File) error) error) error {
	return t.file(name, func(w io.Writer) error {
		all := tar.NewWriter(w)
		err := each(func(f tlog.File) error {
			head := &tar.Header{Name: f.Path, Mode: 0o600, Size: int64(len(f.Data)), Format: tar.FormatPAX}
			if err := all.WriteHeader(head); err != nil {
				return err
			}
			_, err := all.Write(f.Data)
			return err
		})
		return errors.Join(err, all.Close())
	})
}

// log copies the tiles of the published tree; what lies behind it belongs to a later moment.
func (t *taking) log(ctx context.Context, head tlog.Head) error {
	return t.archived("log.tar", func(add func(tlog.File) error) error {
		tiles := tlog.TilesOf(head.Size)
		for i, tile := range tiles {
			data, err := tlog.FetchTile(ctx, t.h.Log, tile)
			if err != nil {
				return fmt.Errorf("%s: %w", tile.Path(), err)
			}
			if err := add(tlog.File{Path: tile.Path(), Data: data}); err != nil {
				return err
			}
			t.o.Progress("log", uint64(i+1), uint64(len(tiles)))
		}
		return t.gaps(ctx, add)
	})
}

// gaps copies the statements of what the log lost earlier, where it has any.
func (t *taking) gaps(ctx context.Context, add func(tlog.File) error) error {
	keeper, ok := t.h.Log.(interface {
		Gaps(ctx context.Context) ([][]byte, error)
	})
	if !ok {
		return nil
	}
	all, err := keeper.Gaps(ctx)
	if err != nil {
		return err
	}
	for i, signed := range all {
		if err := add(tlog.File{Path: gapsName + strconv.Itoa(i), Data: signed}); err != nil {
			return err
		}
	}
	return nil
}

// gapsName begins the names of statements among the files of the log.
const gapsName = "gap-"

func (t *taking) keys(ctx context.Context) error {
	if t.h.Keys == nil {
		t.m.Keys = KeysElsewhere
		return nil
	}
	kind, files, err := t.h.Keys(ctx)
	if err != nil {
		return err
	}
	t.m.Keys = kind
	return t.archived("keys.tar", func(add func(tlog.File) error) error {
		for _, f := range files {
			if err := add(f); err != nil {
				return err
			}
		}
		return nil
	})
}

// blobs copies what is not there from an earlier snapshot, and lists all.
func (t *taking) blobs(ctx context.Context, names []string) error {
	all := map[blob.Ref]bool{}
	var list bytes.Buffer
	for i, name := range names {
		ref, err := blob.ParseRef(name)
		if err != nil {
			return fmt.Errorf("a row names the blob %q: %w", name, err)
		}
		if all[ref] {
			continue
		}
		all[ref] = true
		if err := t.blob(ctx, ref); err != nil {
			return fmt.Errorf("copy blob %s: %w", ref, err)
		}
		fmt.Fprintln(&list, ref)
		t.o.Progress("blobs", uint64(i+1), uint64(len(names)))
	}
	t.m.Blobs.Count = uint64(len(all))
	return t.file("blobs.list", func(w io.Writer) error {
		_, err := list.WriteTo(w)
		return err
	})
}

func (t *taking) blob(ctx context.Context, ref blob.Ref) error {
	path := blobPath(t.dir, ref)
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := (durable.Disk{}).MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	r, err := t.h.Blobs.Open(ctx, ref)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := (durable.Disk{}).CreateTemp(filepath.Dir(path), 0o600)
	if err != nil {
		return err
	}
	defer f.Abort()
	sealed, err := newSealing(f, t.o.To, t.o.Rand)
	if err != nil {
		return err
	}
	n, err := io.Copy(sealed, r)
	if err := errors.Join(err, sealed.Close()); err != nil {
		return err
	}
	t.m.Blobs.Added++
	t.m.Blobs.AddedBytes += uint64(max(n, 0))
	return f.Commit(path)
}

// sign writes the manifest, which makes the snapshot one.
func (t *taking) sign() error {
	text, err := json.Marshal(t.m)
	if err != nil {
		return err
	}
	signed, err := tlog.SignStatement(Schema, string(text), t.h.Signer)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(t.into, manifestName), signed, 0o600)
}

// counted counts and hashes what is written.
type counted struct {
	w   io.Writer
	sum interface {
		io.Writer
		Sum(b []byte) []byte
	}
	n int64
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.sum.Write(p[:n]) //nolint:errcheck // a hash takes everything
	return n, err
}
