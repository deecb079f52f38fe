package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/audit"
	"yinxin/internal/durable"
	"yinxin/internal/sqlite"
	"yinxin/internal/storetest"
	"yinxin/transport"
	"yinxin/transport/hub"
)

// place is a database file.
type place string

func (p place) Open(t *testing.T, next func() storetest.Fault) storetest.Store {
	t.Helper()
	o := sqlite.Options{}
	if next != nil {
		o.Fault = func(at sqlite.Point) error {
			f := next()
			if f == storetest.Lost && at == sqlite.BeforeCommit || f == storetest.Kept && at == sqlite.AfterCommit {
				return errors.New("injected")
			}
			return nil
		}
	}
	db, err := sqlite.Open(t.Context(), string(p), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestStore(t *testing.T) {
	storetest.Exercise(t, func(t *testing.T) storetest.Place {
		t.Helper()
		return place(filepath.Join(t.TempDir(), "hub.db"))
	})
}

func TestOneProcessAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	place(path).Open(t, nil)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if !errors.Is(err, durable.ErrLocked) {
		t.Errorf("a second opening: %v, want %v", err, durable.ErrLocked)
	}
}

// TestEvidenceCannotBeEdited goes past the Go code: the schema itself refuses.
func TestEvidenceCannotBeEdited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id, at := "018bcfe5-687b-7000-8000-000000000000", time.UnixMilli(1_800_000_000_000)
	err = db.Update(t.Context(), func(tx hub.Tx) error {
		for range 2 {
			if err := tx.Audit(transport.AuditRecord{At: at, Action: "a", Outcome: transport.Allowed}); err != nil {
				return err
			}
		}
		return tx.AppendEntry(hub.Evidence{ID: id, Sender: "A", Event: "SealApplied", Time: at, Leaf: []byte("x"), Digest: transport.Digest{1}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, stmt := range []string{
		`UPDATE entries SET leaf = x'00'`, `DELETE FROM entries`, `INSERT INTO entries (n, id, exchange, sender, event, at, digest, leaf)
			VALUES (9, '018bcfe5-687b-7000-8000-000000000001', '', 'A', 'e', 1, zeroblob(32), x'00')`,
		`UPDATE audit SET org = 'B'`, `DELETE FROM audit`, `UPDATE log_head SET size = 0`,
	} {
		if _, err := raw.ExecContext(t.Context(), stmt); err == nil {
			t.Errorf("the database took %q", stmt)
		}
	}
	// Whoever drops the triggers first is found by the chain.
	for _, stmt := range []string{`DROP TRIGGER audit_fixed`, `UPDATE audit SET org = 'B' WHERE n = 2`} {
		if _, err := raw.ExecContext(t.Context(), stmt); err != nil {
			t.Fatal(err)
		}
	}
	db, err = sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, _, err = db.VerifyAudit(t.Context())
	var broken *audit.BrokenError
	if !errors.As(err, &broken) || broken.N != 2 {
		t.Errorf("edited audit: %v, want row 2", err)
	}
}

func TestDurableSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	if got := sqlite.Settings(t, place(path).Open(t, nil).(*sqlite.DB)); got != "synchronous=2 journal_mode=wal foreign_keys=1" {
		t.Errorf("the writer works with %s", got)
	}
}

const killedEnv = "YINXIN_TEST_KILLED_DB"

// TestMain runs this program as the process that is going to be killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(killedEnv); path != "" {
		if err := writeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled names each row on stdout when, and only when, Update has returned.
func writeUntilKilled(path string) error {
	db, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	out := bufio.NewWriter(os.Stdout)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, i)
				err := db.Update(context.Background(), func(tx hub.Tx) error {
					at := time.UnixMilli(1_800_000_000_000)
					if err := tx.Audit(transport.AuditRecord{At: at, Action: "a", Object: key, Outcome: transport.Allowed}); err != nil {
						return err
					}
					return tx.SaveIdempotent(hub.Idempotent{Org: "A", Key: key, Request: transport.Digest{1}, Entry: "e", At: at})
				})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				mu.Lock()
				fmt.Fprintln(out, key)
				_ = out.Flush()
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return nil
}

// TestKilledProcess kills a writing process: what it acknowledged is there, and the
// audit chain holds.
func TestKilledProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	acknowledged := 0
	for round := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), killedEnv+"="+path)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var keys []string
		var kill *time.Timer
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			if kill == nil {
				kill = time.AfterFunc(time.Duration(100+70*round)*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
			keys = append(keys, lines.Text())
		}
		_ = cmd.Wait()
		if len(keys) > 0 && strings.Count(keys[len(keys)-1], "-") != 2 { // a line that was cut is no acknowledgement
			keys = keys[:len(keys)-1]
		}
		if len(keys) < 10 {
			t.Fatalf("only %d rows before the kill: %s", len(keys), stderr.String())
		}
		acknowledged += len(keys)
		db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = db.View(t.Context(), func(r hub.Reader) error {
			for _, k := range keys {
				if _, err := r.Idempotent("A", k); err != nil {
					return fmt.Errorf("acknowledged row %s: %w", k, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		rows, _, err := db.VerifyAudit(t.Context())
		if err != nil || rows < uint64(acknowledged) {
			t.Errorf("%d audit rows for %d acknowledged, %v", rows, acknowledged, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d acknowledged rows over 3 kills", acknowledged)
}
