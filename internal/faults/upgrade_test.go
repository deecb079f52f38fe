package faults

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// Migrations of a version that does not exist yet: one adds, as migrations must, and one takes away what the version before
// still needs.
var (
	adds = Edit{File: "internal/postgres/migrations/9001_next.sql", New: `-- +goose Up
ALTER TABLE exchanges ADD COLUMN next_note text NOT NULL DEFAULT '';
CREATE TABLE next_things (id text PRIMARY KEY);
`}
	// Next is the version after this one.
	Next = &Mutant{Name: "the next version", Edits: []Edit{adds}}
	// Drops is one whose migration drops a column too early.
	Drops = &Mutant{Name: "a column dropped too early", Edits: []Edit{{
		File: "internal/postgres/migrations/9001_next.sql", New: "-- +goose Up\nALTER TABLE exchanges DROP COLUMN urgency CASCADE;\n",
	}}}
)

// TestRollingUpgrade is E-14: of two hubs on one database under load, the schema is brought to the next version, one hub after the
// other is replaced by that version, and then by the old one again.
//
// It needs builds of its own, which is why `make test` leaves it to `make faults`.
func TestRollingUpgrade(t *testing.T) {
	if !long {
		return
	}
	for _, next := range []*Mutant{Next, Drops} {
		program, err := Build(t.Context(), repository(t), t.TempDir(), next)
		must(t, err)
		x := experiment{hubs: 2, postgres: true, docs: 20, fails: 4, trouble: func(ctx context.Context, t *testing.T, w *world, count *atomic.Int64) {
			t.Helper()
			old := w.cluster.Program
			if out, err := (&Cluster{Program: program, config: w.cluster.config}).Run(t.Context(), "migrate"); err != nil {
				w.journal.Break("migrate: %v\n%s", err, out)
				return
			}
			for _, step := range []struct {
				hub     int
				program string
			}{{0, program}, {1, program}, {0, old}, {1, old}} {
				if !w.some(ctx, 3) {
					w.journal.Break("after %d of the steps of an upgrade nothing is acknowledged", count.Load())
					return
				}
				w.cluster.setProgram(step.program)
				if err := w.cluster.Kill(t.Context(), step.hub); err != nil {
					w.journal.Break("step %d of an upgrade: %v", count.Load(), err)
					return
				}
				count.Add(1)
			}
			w.some(ctx, 5)
			count.Add(100)
		}}
		if next == Next {
			hold(t, x)
			continue
		}
		t.Run("mutant "+next.Name, func(t *testing.T) {
			if found := x.run(t, nil); len(found) == 0 {
				t.Error("the auditor did not catch the mutant")
			} else {
				t.Logf("caught: %s", found[0])
			}
		})
	}
}

// TestNextMigrationIsTheNewest: the invented migration comes after all that there are.
func TestNextMigrationIsTheNewest(t *testing.T) {
	all, err := filepath.Glob(filepath.Join(repository(t), "internal", "postgres", "migrations", "*.sql"))
	must(t, err)
	for _, path := range all {
		if filepath.Base(path) >= filepath.Base(adds.File) {
			t.Errorf("%s", path)
		}
	}
	if _, err := os.Stat(filepath.Join(repository(t), adds.File)); err == nil {
		t.Error("there is a migration with the number of the invented one")
	}
}
