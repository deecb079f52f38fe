package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yinxin/crypto/gm"
	"yinxin/internal/audit"
	"yinxin/internal/postgres"
	"yinxin/internal/postgres/pgtest"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
)

var start = time.UnixMilli(1_800_000_000_000).UTC()

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, postgres.Options{Connections: 8})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newID(t *testing.T) string {
	t.Helper()
	id, err := transport.NewID(start, rand.Reader)
	must(t, err)
	return id
}

// insert accepts an exchange to some recipients.
func insert(t *testing.T, db *postgres.DB, recipients ...string) (transport.Exchange, []transport.Delivery) {
	t.Helper()
	x := transport.Exchange{
		ID: newID(t), Sender: "A", Account: "clerk", Body: transport.Digest{1}, Size: 1, DocumentSM3: transport.Digest{2},
		DocumentSHA256: transport.Digest{3}, Urgency: transport.Normal, AcceptedAt: start, LastTime: start, Entry: newID(t),
	}
	leaf := []byte(x.Entry)
	x.LastEntry = gm.SM3(leaf)
	var ds []transport.Delivery
	for _, r := range recipients {
		ds = append(ds, transport.Delivery{
			ID: newID(t), Sender: "A", Exchange: x.ID, Recipient: r, Role: transport.To, State: transport.Accepted, ChangedAt: start,
		})
	}
	must(t, db.Update(t.Context(), func(tx hub.Tx) error {
		return errors.Join(
			tx.Audit(transport.AuditRecord{At: start, Action: "a", Object: x.ID, Outcome: transport.Allowed}),
			tx.InsertExchange(x, hub.Envelope{SM3: x.Body, Size: 1, Inline: []byte("x")}, ds),
			tx.AppendEntry(hub.Evidence{ID: x.Entry, Exchange: x.ID, Sender: "A", Event: "SubmissionAcceptance", Time: start, Leaf: leaf, Digest: x.LastEntry}),
		)
	}))
	return x, ds
}

func raw(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	empty := pgtest.Empty(t)
	if _, err := postgres.Open(t.Context(), empty, postgres.Options{}); !errors.Is(err, postgres.ErrSchema) {
		t.Errorf("a database without a schema: %v, want %v", err, postgres.ErrSchema)
	}
	before, after, err := postgres.Migrate(t.Context(), empty)
	if err != nil || before != 0 || after == 0 {
		t.Fatalf("migrated from %d to %d, %v", before, after, err)
	}
	must(t, open(t, empty).Close())
	if before, again, err := postgres.Migrate(t.Context(), empty); err != nil || before != after || again != after {
		t.Errorf("a second migration from %d to %d, %v", before, again, err)
	}
	conn := raw(t, empty)
	var name string
	must(t, conn.QueryRow(t.Context(), `SELECT current_database()`).Scan(&name))
	if _, err := conn.Exec(t.Context(), `ALTER DATABASE `+pgx.Identifier{name}.Sanitize()+` SET synchronous_commit = off`); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), empty, postgres.Options{}); !errors.Is(err, postgres.ErrNotDurable) {
		t.Errorf("a server that acknowledges too early: %v, want %v", err, postgres.ErrNotDurable)
	}
	_, err = postgres.Open(t.Context(), "postgres://u:secret@127.0.0.1:1/x?sslmode=nonsense", postgres.Options{})
	if err == nil || errors.Is(err, postgres.ErrSchema) {
		t.Errorf("a url that cannot be read: %v", err)
	}
	if text := err.Error(); text != "database url cannot be read" {
		t.Errorf("the error repeats the url: %s", text)
	}
}

// TestEvidenceCannotBeEdited goes past the Go code: the schema itself refuses.
func TestEvidenceCannotBeEdited(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	db := open(t, url)
	insert(t, db, "C")
	_, err := db.Assign(t.Context(), 9)
	must(t, err)
	conn := raw(t, url)
	for _, stmt := range []string{
		`UPDATE entries SET leaf = 'x'`, `DELETE FROM entries`, `TRUNCATE entries CASCADE`, `UPDATE audit SET org = 'B'`, `DELETE FROM audit`,
		`TRUNCATE audit`, `UPDATE log_head SET size = 0`, `UPDATE places SET n = n + 1`, `DELETE FROM places`,
		`UPDATE places SET body = 'x'`, `INSERT INTO entries (k, id) VALUES (99, 'x')`, `UPDATE exchanges SET sender = 'B'`,
		`UPDATE exchanges SET last_time = last_time - interval '1 s'`, `UPDATE deliveries SET recipient = 'D'`,
		`UPDATE deliveries SET state = 'lost'`, `UPDATE deliveries SET state = 'acknowledged', statement = document_sm3 FROM exchanges`,
	} {
		if _, err := conn.Exec(t.Context(), stmt); err == nil {
			t.Errorf("the database took %q", stmt)
		}
	}
}

// TestAuditLanes: whoever switches the triggers off is found by the chain of the lane, and the
// chain of another lane does not fit.
func TestAuditLanes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	db := open(t, url)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			err := db.AppendAudit(t.Context(), transport.AuditRecord{At: start, Action: "a", Object: strconv.Itoa(i), Outcome: transport.Allowed})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rows, head, err := db.VerifyAudit(t.Context())
	if err != nil || rows != 40 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	if list, err := db.AuditRows(t.Context(), 0, 100); err != nil || len(list) != 40 || list[0].N == 0 || list[39].Record.Action != "a" {
		t.Errorf("listed %d rows, %v", len(list), err)
	}
	must(t, db.Close())
	other := open(t, url) // a later process continues the lanes
	must(t, other.AppendAudit(t.Context(), transport.AuditRecord{At: start, Action: "a", Outcome: transport.Allowed}))
	if rows, later, err := other.VerifyAudit(t.Context()); err != nil || rows != 41 || later == head {
		t.Fatalf("after another process: %d rows, %v", rows, err)
	}
	conn := raw(t, url)
	for name, stmt := range map[string]string{
		"edited":  `UPDATE audit SET org = 'B' WHERE n = 1`,
		"removed": `DELETE FROM audit WHERE n = 1`,
		"moved":   `UPDATE audit SET lane = lane + 1000`,
	} {
		tx, err := conn.Begin(t.Context())
		must(t, err)
		// Only an owner can do this; the chain is for just that case.
		_, err = tx.Exec(t.Context(), `ALTER TABLE audit DISABLE TRIGGER ALL`)
		must(t, err)
		_, err = tx.Exec(t.Context(), stmt)
		must(t, err)
		must(t, tx.Commit(t.Context()))
		var broken *audit.BrokenError
		if _, _, err := other.VerifyAudit(t.Context()); !errors.As(err, &broken) {
			t.Errorf("%s: %v, want a broken chain", name, err)
		}
	}
}

// TestLostLane: where another writer has continued the lane of a connection, the transaction goes
// through another one.
func TestLostLane(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	db, err := postgres.Open(t.Context(), url, postgres.Options{Connections: 1})
	must(t, err)
	defer db.Close()
	rec := transport.AuditRecord{At: start, Action: "a", Outcome: transport.Allowed}
	must(t, db.AppendAudit(t.Context(), rec))
	chain, err := audit.NewChain(nil)
	must(t, err)
	conn := raw(t, url)
	var lane int32
	var head []byte
	must(t, conn.QueryRow(t.Context(), `SELECT lane, hash FROM audit`).Scan(&lane, &head))
	next := chain.Next([32]byte(head), 2, rec)
	_, err = conn.Exec(t.Context(), `INSERT INTO audit (lane, n, at, account, org, action, object, outcome, detail, request, hash) SELECT lane, 2, at, account, org, action, object, outcome, detail, request, $1 FROM audit`, next[:])
	must(t, err)
	must(t, db.AppendAudit(t.Context(), rec))
	if rows, _, err := db.VerifyAudit(t.Context()); err != nil || rows != 3 {
		t.Errorf("%d rows, %v; want 3", rows, err)
	}
}

// TestManyHubs: hubs on one database give each entry one place, take each job once, and let acts on
// one exchange follow each other.
func TestManyHubs(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	hubs := []*postgres.DB{open(t, url), open(t, url), open(t, url)}
	const each = 30
	x, ds := insert(t, hubs[0], "C")
	var wg sync.WaitGroup
	var mu sync.Mutex
	claimed := map[int64]int{}
	for _, db := range hubs {
		for range each {
			wg.Go(func() {
				err := db.Update(t.Context(), func(tx hub.Tx) error {
					got, err := tx.Exchange(x.ID)
					if err != nil {
						return err
					}
					d, err := tx.Delivery(ds[0].ID)
					if err != nil {
						return err
					}
					// Whoever reads under the lock may write what follows from it.
					got.LastTime = got.LastTime.Add(time.Millisecond)
					d.Reminders++
					return errors.Join(tx.SaveExchange(got), tx.MoveDelivery(d, d.State),
						tx.Enqueue(hub.Job{Kind: hub.JobDeliver, Target: d.ID, RunAt: start}))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	must(t, hubs[1].View(t.Context(), func(r hub.Reader) error {
		d, err := r.Delivery(ds[0].ID)
		if d.Reminders != 3*each {
			t.Errorf("%d acts took effect, want %d", d.Reminders, 3*each)
		}
		return err
	}))
	for _, db := range hubs {
		wg.Go(func() {
			for n := 1; n > 0; {
				err := db.Update(t.Context(), func(tx hub.Tx) error {
					jobs, err := tx.ClaimJobs(start, start.Add(time.Minute), 7)
					mu.Lock()
					defer mu.Unlock()
					for _, j := range jobs {
						claimed[j.ID]++
					}
					n = len(jobs)
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if len(claimed) != 3*each {
		t.Errorf("%d jobs claimed, want %d", len(claimed), 3*each)
	}
	for id, n := range claimed {
		if n != 1 {
			t.Errorf("job %d was claimed %d times", id, n)
		}
	}
}

// TestPlacesAreGivenOnce: two sequencers that assign at once, while entries arrive, see one order.
func TestPlacesAreGivenOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	hubs := []*postgres.DB{open(t, url), open(t, url)}
	const n = 60
	var wg sync.WaitGroup
	seen := make([]map[uint64]string, len(hubs))
	for i, db := range hubs {
		seen[i] = map[uint64]string{}
		wg.Go(func() {
			for range n {
				insert(t, db, "C")
			}
		})
		wg.Go(func() {
			for len(seen[i]) < len(hubs)*n {
				leaves, err := db.Assign(t.Context(), 1000)
				if err != nil {
					t.Error(err)
					return
				}
				for at, l := range leaves {
					if l.Index != uint64(at) {
						t.Errorf("leaf %d has the index %d", at, l.Index)
						return
					}
					if had, ok := seen[i][l.Index]; ok && had != string(l.Entry) {
						t.Errorf("index %d changed its entry", l.Index)
						return
					}
					seen[i][l.Index] = string(l.Entry)
				}
			}
		})
	}
	wg.Wait()
	for at, entry := range seen[0] {
		if seen[1][at] != entry {
			t.Errorf("hubs see different entries at %d", at)
		}
	}
}

// TestOfficesOfOtherHubs: a change made through one hub reaches the other within the stated time.
func TestOfficesOfOtherHubs(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	one, two := open(t, url), open(t, url)
	o := directory.Organisation{Code: "A", Name: "a", Status: directory.Active, Changed: start}
	must(t, one.SaveOrganisation(t.Context(), o))
	if _, err := two.Organisation(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	o.Status = directory.Closed
	must(t, one.SaveOrganisation(t.Context(), o))
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		got, err := two.Organisation(t.Context(), "A")
		must(t, err)
		if got.Status == directory.Closed {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the other hub still takes the office for open")
		}
	}
}
