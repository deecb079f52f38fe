package faults

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/internal/faults/disk"
	"yinxin/internal/postgres"
	"yinxin/internal/postgres/pgserver"
	"yinxin/internal/sqlite"
)

// long runs the experiments of `make faults`: longer, and each with its mutant.
var long = os.Getenv("YINXIN_FAULTS") == "long"

// experiment is one that runs on some build of the hub.
type experiment struct {
	hubs     int
	postgres bool
	// size of the documents; 0: small ones.
	size int
	// build, if set, is an instrumented copy to run on instead of the program itself.
	build *Mutant
	// prepare, if set, changes the cluster before it is made.
	prepare func(t *testing.T, w *world)
	// docs and fails are how much says something; 0: enoughDocs and enoughFails.
	docs, fails int
	// trouble makes it for as long as ctx lasts.
	// It counts how often.
	trouble func(ctx context.Context, t *testing.T, w *world, count *atomic.Int64)
	// after, if set, goes on when the load has ended and the hubs still run, and notes in the journal what it finds.
	after func(t *testing.T, w *world, s *Sender)
	// alone: what after finds is all; the auditor is not asked, since the state is damaged on purpose.
	alone bool
}

// world is what trouble can be made for.
type world struct {
	cluster *Cluster
	server  *pgserver.Server
	journal *Journal
	disks   map[string]*disk.Disk
	// direct is the database past a network that fails; empty: as the hubs reach it.
	direct string
}

const setup = `offices:
  - {code: ARCHIVE, name: 档案馆, archive: true}
  - {code: A, name: 甲, accounts: [{id: clerk-a, name: 甲, roles: [clerk]}]}
  - {code: C, name: 丙, accounts: [{id: clerk-c, name: 丙, roles: [clerk]}]}
`

func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// built is the unchanged program, built once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "yinxin-faults-")
	if err != nil {
		return "", err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	return Build(context.Background(), root, dir, nil)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if program, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// run carries out an experiment and returns what the auditor found.
func (x experiment) run(t *testing.T, m *Mutant) Findings {
	t.Helper()
	program, err := built()
	if m == nil {
		m = x.build
	}
	if m != nil {
		program, err = Build(t.Context(), repository(t), t.TempDir(), m)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := &world{cluster: &Cluster{Program: program, Dir: t.TempDir()}}
	if x.postgres {
		w.server, err = pgserver.New(t.Context(), "")
		if errors.Is(err, pgserver.ErrNotInstalled) {
			t.Skip("needs initdb (Debian: postgresql)")
		}
		must(t, err)
		t.Cleanup(func() { must(t, w.server.Remove()) })
		must(t, w.server.Create(t.Context(), "hub", ""))
		w.cluster.Database = w.server.URL("hub")
	}
	c := w.cluster
	if x.prepare != nil {
		x.prepare(t, w)
	}
	must(t, os.WriteFile(filepath.Join(c.Dir, "setup.yaml"), []byte(setup), 0o600))
	t.Cleanup(c.Stop)
	t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(c.Dir, "hub.log")); err == nil && t.Failed() {
			t.Logf("hub.log:\n%s", log[max(0, len(log)-4000):])
		}
	})
	must(t, c.Init(t.Context()))
	for c.Hubs() < x.hubs {
		must(t, c.Start(t.Context()))
	}
	s, err := NewSender(t.Context(), c)
	must(t, err)
	defer s.Close()
	s.Size = x.size
	for _, d := range w.disks {
		d.Sync() // what was set up stays: the experiment is about what comes now
	}
	w.journal = x.load(t, w, s)
	if x.after != nil && !w.journal.broken() {
		x.after(t, w, s)
	}
	if x.alone {
		return w.journal.Broken
	}
	return judge(t, w, w.journal)
}

// How much an experiment needs before it says something; a busy machine takes longer.
const (
	shortest    = 5 * time.Second
	longest     = 90 * time.Second
	enoughDocs  = 60
	enoughFails = 3
)

// load runs clients and trouble side by side until there was enough of both.
func (x experiment) load(t *testing.T, w *world, s *Sender) *Journal {
	t.Helper()
	factor := 1
	if long && x.trouble != nil {
		factor = 3
	}
	docs, fails := cmp.Or(x.docs, enoughDocs), cmp.Or(x.fails, enoughFails)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(factor)*longest)
	defer cancel()
	j, count := &Journal{}, &atomic.Int64{}
	w.journal = j
	var wg sync.WaitGroup
	if x.trouble == nil {
		count.Store(int64(fails * factor))
	} else {
		wg.Go(func() { x.trouble(ctx, t, w, count) })
	}
	wg.Go(func() {
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			enough := j.Count() >= docs*factor && count.Load() >= int64(fails*factor)
			if ctx.Err() != nil || enough && (x.docs > 0 || time.Since(began) > time.Duration(factor)*shortest) || j.broken() {
				cancel()
				return
			}
		}
	})
	if err := s.Load(ctx, w.cluster, 8, j); err != nil {
		t.Error(err)
	}
	wg.Wait()
	t.Logf("%d faults, %d acknowledged, %d tries, %d failures, slowest %s",
		count.Load(), len(j.Acknowledged), j.Tries, j.Failures, j.Slowest.Round(time.Millisecond))
	if !j.broken() && (len(j.Acknowledged) < docs || count.Load() < int64(fails)) {
		t.Fatal("too little load to show anything")
	}
	return j
}

// judge lets the auditor look.
func judge(t *testing.T, w *world, j *Journal) Findings {
	t.Helper()
	key := []byte("0123456789abcdef")
	var db interface {
		Database
		Close() error
	}
	if j.broken() {
		f, err := Judge(t.Context(), w.cluster, j, nil)
		must(t, err)
		return f
	}
	var err error
	if w.server != nil {
		db, err = postgres.Open(t.Context(), cmp.Or(w.direct, w.cluster.Database), postgres.Options{AuditKey: key, Connections: 4})
	} else {
		// SQLite is one process's own: a copy of the file is read while the hub is at rest.
		db, err = copied(t, filepath.Join(w.cluster.Stored, "data"), key)
	}
	must(t, err)
	defer db.Close()
	f, err := Judge(t.Context(), w.cluster, j, db)
	must(t, err)
	return f
}

func copied(t *testing.T, from string, key []byte) (*sqlite.DB, error) {
	t.Helper()
	time.Sleep(500 * time.Millisecond)
	to := t.TempDir()
	for _, name := range []string{"hub.db", "hub.db-wal"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, name), data, 0o600))
	}
	return sqlite.Open(t.Context(), filepath.Join(to, "hub.db"), sqlite.Options{AuditKey: key})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mutants are all that there are.
var mutants = []*Mutant{
	Early, Asynchronous, Normal, NoFolderSync, NameFirst, Heedless, NoAnchor, NoDigest, Instrument, SystemClock, NoWriterLock, NoDeadline,
	NoHeaderTimeout, Next, Drops,
}

// hold runs an experiment, and in the long form its mutants, which the auditor must catch.
func hold(t *testing.T, x experiment, mutants ...*Mutant) {
	t.Helper()
	found := x.run(t, nil)
	for _, f := range found {
		t.Error(f)
	}
	if long {
		holdMutants(t, x, mutants...)
	}
}

// holdMutants runs an experiment on mutants.
func holdMutants(t *testing.T, x experiment, mutants ...*Mutant) {
	t.Helper()
	for _, m := range mutants {
		t.Run("mutant "+m.Name, func(t *testing.T) {
			// Chance may spare a mutant once.
			for range 3 {
				found := x.run(t, m)
				if len(found) > 0 {
					t.Logf("caught: %s", strings.Join(found[:min(3, len(found))], "; "))
					return
				}
			}
			t.Error("the auditor did not catch the mutant")
		})
	}
}

// upTo is a chance value from 0 up to, and without, n.
func upTo(n time.Duration) time.Duration {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err)
	}
	return time.Duration(v.Int64())
}

// kills ends one hub after another, at random times, until ctx ends.
func kills(ctx context.Context, t *testing.T, w *world, count *atomic.Int64) {
	t.Helper()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(300*time.Millisecond + upTo(700*time.Millisecond)):
		}
		count.Add(1)
		if err := w.cluster.Kill(t.Context(), int(upTo(time.Duration(w.cluster.Hubs())))); err != nil {
			w.journal.Break("%v", err)
			return
		}
	}
}

// TestKilledHub is E-01: one hub on SQLite, killed again and again under load.
func TestKilledHub(t *testing.T) {
	hold(t, experiment{hubs: 1, trouble: kills}, Early)
}

// TestKilledHubs is E-02: three hubs on one database, any of them killed at any time.
func TestKilledHubs(t *testing.T) {
	hold(t, experiment{hubs: 3, postgres: true, trouble: kills}, Early, NoWriterLock)
}

// TestDatabaseCrash is E-04: PostgreSQL stopped as in a crash, and started again.
func TestDatabaseCrash(t *testing.T) {
	hold(t, experiment{hubs: 2, postgres: true, trouble: func(ctx context.Context, t *testing.T, w *world, count *atomic.Int64) {
		t.Helper()
		for ctx.Err() == nil {
			some := w.journal.Count() + 10 // between two crashes there is work
			for ctx.Err() == nil && w.journal.Count() < some {
				time.Sleep(20 * time.Millisecond)
			}
			select {
			case <-ctx.Done():
			case <-time.After(upTo(300 * time.Millisecond)):
				count.Add(1)
				if err := errors.Join(w.server.Stop(pgserver.Immediate), w.server.Start(t.Context())); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}}, Asynchronous)
}

// TestMutantsFit: a mutant that no longer fits the sources would be no mutant.
func TestMutantsFit(t *testing.T) {
	for _, m := range mutants {
		dir := t.TempDir()
		for _, e := range m.Edits {
			if e.Old == "" {
				must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(e.File)), 0o700))
				continue
			}
			data, err := os.ReadFile(filepath.Join(repository(t), e.File))
			must(t, err)
			must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(e.File)), 0o700))
			must(t, os.WriteFile(filepath.Join(dir, e.File), data, 0o600))
		}
		must(t, m.apply(dir))
	}
	wrong := &Mutant{Name: "rotten", Edits: []Edit{{File: "go.mod", Old: "no such text", New: ""}}}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n"), 0o600))
	if err := wrong.apply(dir); !errors.Is(err, ErrRotten) {
		t.Errorf("a mutant that does not fit: %v, want %v", err, ErrRotten)
	}
}
