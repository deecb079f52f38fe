package postgres_test

import (
	"errors"
	"os"
	"testing"

	"yinxin/internal/postgres"
	"yinxin/internal/postgres/pgtest"
	"yinxin/internal/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// place is a database.
type place string

func (p place) Open(t *testing.T, next func() storetest.Fault) storetest.Store {
	t.Helper()
	o := postgres.Options{Connections: 8}
	if next != nil {
		o.Fault = func(at postgres.Point) error {
			f := next()
			if f == storetest.Lost && at == postgres.BeforeCommit || f == storetest.Kept && at == postgres.AfterCommit {
				return errors.New("injected")
			}
			return nil
		}
	}
	db, err := postgres.Open(t.Context(), string(p), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestStore(t *testing.T) {
	storetest.Exercise(t, func(t *testing.T) storetest.Place {
		t.Helper()
		return place(pgtest.Database(t))
	})
}
