package sqlite

import (
	"errors"
	"fmt"
	"testing"
)

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
