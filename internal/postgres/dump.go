package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"yinxin/internal/backup"
)

// ErrNotEmpty: the database to be restored to holds something already.
var ErrNotEmpty = errors.New("database is not empty")

// blobQuery lists what rows name in the blob store, in hexadecimal.
const blobQuery = `SELECT encode(envelope_sm3, 'hex') FROM exchanges WHERE envelope IS NULL AND disposed = ''
	UNION ALL SELECT encode(package, 'hex') FROM exchanges WHERE length(package) = 32 AND disposed = ''
	UNION ALL SELECT package FROM records WHERE NOT disposed
	UNION ALL SELECT convert_from(e.leaf, 'UTF8')::json ->> 'object_sm3' FROM entries e JOIN exchanges x ON x.id = e.exchange
		WHERE e.event = 'Supplement' AND x.disposed = ''
	UNION ALL SELECT dispatch ->> 'draft' FROM dispatches WHERE coalesce(dispatch ->> 'draft', '') <> ''
	UNION ALL SELECT dispatch ->> 'envelope' FROM dispatches WHERE coalesce(dispatch ->> 'envelope', '') <> ''`

// tableQuery lists the tables of the hub, those that others refer to first.
const tableQuery = `WITH RECURSIVE t AS (
		SELECT c.oid, c.relname::text AS name FROM pg_class c
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> 'goose_db_version'),
	depth AS (
		SELECT oid, 0 AS n FROM t
		UNION SELECT k.conrelid, d.n + 1 FROM depth d JOIN pg_constraint k ON k.confrelid = d.oid AND k.contype = 'f' AND k.conrelid <> d.oid)
	SELECT t.name FROM t JOIN depth USING (oid) GROUP BY t.name ORDER BY max(depth.n), t.name`

// suffix ends the names of a dump's files: one a table, in COPY's binary form.
const suffix = ".copy"

// connect opens a session of its own, without the bounds of those that serve a hub.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("database url cannot be read") // the library's words may repeat a password
	}
	cfg.RuntimeParams["application_name"] = "yinxind backup"
	cfg.RuntimeParams["timezone"] = "UTC"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	return conn, storageError(err)
}

// Dump implements backup.Database: every table is copied inside one read-only transaction that sees one moment.
func (d *DB) Dump(ctx context.Context, _ string, file func(name string, write func(w io.Writer) error) error) (out backup.Dumped, err error) {
	conn, err := connect(ctx, d.url)
	if err != nil {
		return out, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was changed
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return out, storageError(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was changed
	err = tx.QueryRow(ctx, `SELECT size, note, (SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied) FROM log_head`).
		Scan(&out.Head.Size, &out.Head.Note, &out.Schema)
	if err != nil {
		return out, fmt.Errorf("read the head: %w", storageError(err))
	}
	tables, err := column(ctx, tx, tableQuery)
	if err != nil {
		return out, fmt.Errorf("list tables: %w", err)
	}
	for _, table := range tables {
		err := file(table+suffix, func(w io.Writer) error {
			_, err := conn.PgConn().CopyTo(ctx, w, `COPY `+pgx.Identifier{table}.Sanitize()+` TO STDOUT (FORMAT binary)`)
			return storageError(err)
		})
		if err != nil {
			return out, fmt.Errorf("copy table %s: %w", table, err)
		}
	}
	out.Blobs, err = column(ctx, tx, blobQuery)
	return out, err
}

// column reads a query of one text column.
func column(ctx context.Context, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, text string,
) ([]string, error) {
	rows, err := q.Query(ctx, text)
	if err != nil {
		return nil, storageError(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return out, storageError(err)
}

// Load fills an empty database from a dump of the schema's version, and brings it up to date.
func Load(ctx context.Context, url string, schema int64, names []string, open func(name string) (io.ReadCloser, error)) error {
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what was done is committed
	if err := empty(ctx, conn); err != nil {
		return err
	}
	if err := migrateTo(ctx, url, schema); err != nil {
		return err
	}
	if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return fill(ctx, conn, tx, names, open) }); err != nil {
		return storageError(err)
	}
	_, _, err = Migrate(ctx, url)
	return err
}

// MustBeEmpty refuses a database that holds tables.
func MustBeEmpty(ctx context.Context, url string) error {
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was changed
	return empty(ctx, conn)
}

func empty(ctx context.Context, conn *pgx.Conn) error {
	var tables int
	err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v', 'm')`).Scan(&tables)
	if err != nil {
		return storageError(err)
	}
	if tables > 0 {
		return fmt.Errorf("%w: it has %d tables", ErrNotEmpty, tables)
	}
	return nil
}

// migrateTo makes the schema as it was when the dump was made.
func migrateTo(ctx context.Context, url string, schema int64) (err error) {
	newest, err := newestMigration()
	if err != nil {
		return err
	}
	if schema > newest {
		return fmt.Errorf("%w: the dump has version %d, this program knows %d", ErrSchema, schema, newest)
	}
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("database url cannot be read")
	}
	db := stdlib.OpenDB(*cfg)
	defer func() { err = errors.Join(err, db.Close()) }()
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, sub, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	_, err = p.UpTo(ctx, schema)
	return err
}

// fill copies the rows in. The triggers that guard single changes rest meanwhile; checks and references stand.
func fill(ctx context.Context, conn *pgx.Conn, tx pgx.Tx, names []string, open func(name string) (io.ReadCloser, error)) error {
	tables, err := column(ctx, tx, tableQuery)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if !slices.Contains(names, table+suffix) {
			return fmt.Errorf("%w: it has no table %s", backup.ErrDamaged, table)
		}
	}
	if len(names) != len(tables) {
		return fmt.Errorf("%w: it has %d tables, the schema %d", backup.ErrDamaged, len(names), len(tables))
	}
	for _, turn := range []string{"DISABLE", "ENABLE"} {
		for _, table := range tables {
			name := pgx.Identifier{table}.Sanitize()
			if _, err := tx.Exec(ctx, `ALTER TABLE `+name+` `+turn+` TRIGGER USER`); err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
		}
		if turn == "ENABLE" {
			break
		}
		for _, table := range slices.Backward(tables) { // what the schema itself has put there
			if _, err := tx.Exec(ctx, `DELETE FROM `+pgx.Identifier{table}.Sanitize()); err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
		}
		for _, table := range tables {
			if err := fillTable(ctx, conn, table, open); err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
		}
	}
	return followNumbers(ctx, tx, tables)
}

func fillTable(ctx context.Context, conn *pgx.Conn, table string, open func(name string) (io.ReadCloser, error)) error {
	in, err := open(table + suffix)
	if err != nil {
		return err
	}
	_, err = conn.PgConn().CopyFrom(ctx, in, `COPY `+pgx.Identifier{table}.Sanitize()+` FROM STDIN (FORMAT binary)`)
	return errors.Join(err, in.Close())
}

// followNumbers lets the counters of the tables go on behind the rows.
func followNumbers(ctx context.Context, tx pgx.Tx, tables []string) error {
	for _, table := range tables {
		columns, err := column(ctx, tx, `SELECT attname::text FROM pg_attribute WHERE attidentity <> '' AND attrelid = '`+
			strings.ReplaceAll(pgx.Identifier{table}.Sanitize(), "'", "''")+`'::regclass`)
		if err != nil {
			return err
		}
		for _, c := range columns {
			name, in := pgx.Identifier{c}.Sanitize(), pgx.Identifier{table}.Sanitize()
			_, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, $2), m) FROM (SELECT max(`+name+`) AS m FROM `+in+`) x WHERE m IS NOT NULL`, in, c)
			if err != nil {
				return fmt.Errorf("numbers of %s: %w", table, err)
			}
		}
	}
	return nil
}
