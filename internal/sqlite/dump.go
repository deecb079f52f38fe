package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"yinxin/internal/backup"
	"yinxin/internal/durable"
)

// dumpName is the one file of a dump: a database file.
const dumpName = "hub.db"

// blobQuery lists what rows name in the blob store, in hexadecimal.
const blobQuery = `SELECT lower(hex(envelope_sm3)) FROM exchanges WHERE envelope IS NULL AND disposed = ''
	UNION ALL SELECT lower(hex(package)) FROM exchanges WHERE length(package) = 32 AND disposed = ''
	UNION ALL SELECT package FROM records WHERE disposed = 0
	UNION ALL SELECT CAST(e.leaf AS TEXT) ->> '$.object_sm3' FROM entries e JOIN exchanges x ON x.id = e.exchange
		WHERE e.event = 'Supplement' AND x.disposed = ''
	UNION ALL SELECT dispatch ->> '$.draft' FROM dispatches WHERE coalesce(dispatch ->> '$.draft', '') <> ''
	UNION ALL SELECT dispatch ->> '$.envelope' FROM dispatches WHERE coalesce(dispatch ->> '$.envelope', '') <> ''`

// Dump implements backup.Database: SQLite copies the file as one transaction sees it, while others write (VACUUM INTO).
func (d *DB) Dump(ctx context.Context, temp string, file func(name string, write func(w io.Writer) error) error) (out backup.Dumped, err error) {
	path := filepath.Join(temp, dumpName)
	own, err := pool(d.path, "", 1)
	if err != nil {
		return out, err
	}
	_, err = own.ExecContext(ctx, `VACUUM INTO ?`, path)
	if err := errors.Join(err, own.Close()); err != nil {
		return out, fmt.Errorf("copy the database: %w", storageError(err))
	}
	snapshot, err := Open(ctx, path, Options{ReadOnly: true})
	if err != nil {
		return out, err
	}
	out.Head, err = snapshot.Published(ctx)
	if err == nil {
		err = snapshot.view(ctx, func(r reader) (err error) {
			if out.Schema, err = first(r.q, scanCount, schemaQuery); err != nil {
				return err
			}
			out.Blobs, err = all(r.q, scanText, blobQuery)
			return err
		})
	}
	if err = errors.Join(err, snapshot.Close()); err != nil {
		return out, fmt.Errorf("read the copy: %w", err)
	}
	return out, file(dumpName, func(w io.Writer) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, f)
		return errors.Join(err, f.Close())
	})
}

// Load makes a database file from a dump. A file that is there is never replaced.
func Load(path string, from io.Reader) error {
	for _, p := range []string{path, path + "-wal"} {
		if _, err := os.Stat(p); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("load database: %s: %w", p, errors.Join(err, os.ErrExist))
		}
	}
	f, err := durable.Disk{}.CreateTemp(filepath.Dir(path), 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		f.Abort()
		return fmt.Errorf("load database: %w", err)
	}
	return f.CommitExclusive(path)
}
