package sqlite

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"yinxin/archive"
)

// FillRecords adds n records, many in one transaction.
func FillRecords(ctx context.Context, d *DB, n int, of func(int) (archive.Entry, archive.Content)) error {
	const page = 20_000
	for from := 0; from < n; from += page {
		err := d.update(ctx, func(t *tx) error {
			for i := from; i < min(from+page, n); i++ {
				if err := t.addRecord(of(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Settings tells how the writing connection works.
func Settings(t *testing.T, d *DB) string {
	t.Helper()
	var sync, keys int
	var mode string
	err := d.update(t.Context(), func(tx *tx) error {
		for text, into := range map[string]any{`PRAGMA synchronous`: &sync, `PRAGMA journal_mode`: &mode, `PRAGMA foreign_keys`: &keys} {
			rows, err := tx.w.query(text)
			if err != nil {
				return err
			}
			rows.Next()
			if err := rows.Scan(into); err != nil {
				return err
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("synchronous=%d journal_mode=%s foreign_keys=%d", sync, mode, keys)
}
