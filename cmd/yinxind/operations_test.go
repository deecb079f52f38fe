package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/archive/blob"
	"yinxin/archive/blob/s3blob/s3test"
	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/examples"
	"yinxin/internal/backup"
	"yinxin/internal/check"
	"yinxin/internal/embedded"
	"yinxin/internal/postgres/pgtest"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/verdict"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// site is a hub of a configuration in a folder of its own.
type site struct {
	t           *testing.T
	dir, config string
	database    string // the lines of the configuration that say where rows and blobs lie
}

const sitePassphrase = "a passphrase of tests"

// newSite prepares the folder; what init would make is made by run.
func newSite(t *testing.T, places string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), database: places}
	s.configure()
	store, err := filekeys.Create(t.Context(), filepath.Join(s.dir, "keys"), []byte(sitePassphrase), filekeys.Options{
		KDF: filekeys.KDF{MemoryKiB: filekeys.MinMemoryKiB, Time: 1, Threads: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// configure writes the configuration for the folder.
func (s *site) configure() {
	s.t.Helper()
	s.config = filepath.Join(s.dir, "hub.yaml")
	text := strings.ReplaceAll(`hub: {code: HUB, archive: ARCHIVE, fonds: Z001, authority: tests}
listen: {address: "127.0.0.1:0"}
data: DIR/data
`+s.database+`log: {origin: tests/log, folder: DIR/log, anchor: DIR/anchor}
keys: {folder: DIR/keys, passphrase_file: DIR/passphrase}
`, "DIR", s.dir)
	for name, text := range map[string]string{"hub.yaml": text, "passphrase": sitePassphrase + "\n"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// copied is the same site, at rest, in another folder.
func (s *site) copied(t *testing.T) *site {
	t.Helper()
	c := &site{t: t, dir: filepath.Join(t.TempDir(), "copy"), database: s.database}
	if err := os.CopyFS(c.dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(c.dir, "keys"), func(path string, d os.DirEntry, err error) error {
		mode := os.FileMode(0o600)
		if d != nil && d.IsDir() {
			mode = 0o700
		}
		return errors.Join(err, os.Chmod(path, mode)) // a copy has wider modes, which the key store refuses
	})
	if err != nil {
		t.Fatal(err)
	}
	c.configure()
	return c
}

// work runs the hub while do is at work with it.
func (s *site) work(do func(system *embedded.System)) {
	t := s.t
	t.Helper()
	if code, _, errs := call(t, "migrate", "--config", s.config); code != 0 {
		t.Fatalf("migrate: exit %d, %s", code, errs)
	}
	c, err := readConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	var stderr lockedBuffer
	e := &env{stdout: &stderr, stderr: &stderr, now: time.Now, rand: rand.Reader}
	store, err := e.openKeyStore(t.Context(), c.Keys, false)
	if err != nil {
		t.Fatal(err)
	}
	system, err := e.openSystem(t.Context(), c, store, false)
	if err != nil {
		t.Fatal(errors.Join(err, store.Close()))
	}
	if err := leavePublic(c.Data, system); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- system.Run(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-ended, system.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	}()
	do(system)
}

// send takes one document the whole way, from its draft into the archive.
func send(t *testing.T, system *embedded.System) *embedded.Summary {
	t.Helper()
	setup, err := readSetup("")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := examples.Files.ReadFile("notice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := &embedded.Walk{
		System: system, Setup: setup, Draft: draft, Attachments: examples.Files.ReadFile, Out: t.TempDir(),
		Step: func(string, time.Duration) {},
	}
	sum, err := w.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sum.Verdict != verdict.Passed {
		t.Fatalf("the walk: %+v", sum)
	}
	return sum
}

// serve runs `yinxind serve` while do speaks with it.
func (s *site) serve(do func(c *client.Client)) {
	t := s.t
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var stderr lockedBuffer
	ended := make(chan int, 1)
	go func() {
		e := &env{stdout: in, stderr: &stderr, now: time.Now, rand: rand.Reader}
		ended <- run(ctx, []string{"serve", "--json", "--config", s.config}, e)
		in.Close()
	}()
	defer func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("serve: exit %d, %s", code, stderr.String())
		}
	}()
	var ready struct{ Address string }
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		t.Fatalf("serve: %v, %s", err, stderr.String())
	}
	c, err := client.New(ready.Address, client.Options{Tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	do(c)
}

// retrieved gets the record of a document out of the archive, and judges it.
func retrieved(t *testing.T, c *client.Client, secret string, sum *embedded.Summary) {
	t.Helper()
	s, err := c.Login(t.Context(), "archivist", secret)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = client.New(c.Address(), client.Options{Token: s.Token, Tries: 1}); err != nil {
		t.Fatal(err)
	}
	var record bytes.Buffer
	if err := c.ArchivePackage(t.Context(), sum.Record, &record); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(record.Bytes(), []byte("PK")) {
		t.Errorf("the record is %d bytes that are no package", record.Len())
	}
}

// checked runs `yinxind check --json`.
func (s *site) checked(t *testing.T, want int, more ...string) *check.Report {
	t.Helper()
	code, out, errs := call(t, append([]string{"check", "--json", "--config", s.config}, more...)...)
	report := new(check.Report)
	if err := json.Unmarshal([]byte(out), report); err != nil {
		t.Fatalf("check: exit %d, %v, %s", code, err, errs)
	}
	if code != want || report.Verdict.ExitCode() != want {
		t.Errorf("check: exit %d, verdict %s, want %d: %s%s", code, report.Verdict, want, out, errs)
	}
	return report
}

// found gives the findings of an item with a fault.
func found(r *check.Report, item string, fault check.Fault) (all []check.Finding) {
	for _, i := range r.Items {
		for _, f := range i.Findings {
			if i.Name == item && f.Fault == fault {
				all = append(all, f)
			}
		}
	}
	return all
}

// places are where a hub may keep rows and blobs.
func places() map[string]func(t *testing.T) string {
	return map[string]func(t *testing.T) string{
		"embedded": func(*testing.T) string { return "" },
		"postgres and S3": func(t *testing.T) string {
			bucket, dir := s3test.Start(t).Bucket(t), t.TempDir()
			for name, secret := range map[string]string{"url": pgtest.Empty(t), "secret": bucket.SecretKey} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(secret+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			return fmt.Sprintf("database: {url_file: %[1]s/url}\nblobs: {s3: {endpoint: '%[2]s', bucket: %[3]s, prefix: hub/, access_key: %[4]s, secret_key_file: %[1]s/secret}}\n",
				dir, bucket.Endpoint, bucket.Bucket, bucket.AccessKey)
		},
	}
}

// TestOperations is the life of a hub under its operator, on every kind of store.
func TestOperations(t *testing.T) {
	t.Parallel()
	for name, place := range places() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, place(t))
			var sum *embedded.Summary
			var secret string
			s.work(func(system *embedded.System) {
				sum = send(t, system)
				s.checked(t, 0, "--read-data", "50%") // beside the hub at work
				var err error
				if secret, err = system.Directory.SetSecret(t.Context(), "archivist", ""); err != nil {
					t.Fatal(err)
				}
			})
			s.serve(func(c *client.Client) { retrieved(t, c, secret, sum) })
			r := s.checked(t, 0, "--read-data", "100%")
			for _, item := range r.Items {
				t.Logf("%-10s %s %v", item.Name, item.Detail, item.Counts)
			}
			complies(t, s)
			s.rehearsable(t)
			backedUp(t, s, place)
			if name == "embedded" {
				t.Run("damage", func(t *testing.T) { damaged(t, s) })
			}
		})
	}
}

// damaged holds the check to find what is wrong, by its name, and nothing else to fail.
func damaged(t *testing.T, s *site) {
	for _, tt := range []struct {
		name, item string
		fault      check.Fault
		exit       int
		damage     func(c *site)
	}{
		{"a bit of the entries", "log", check.LogFile, 1, func(c *site) { c.flip("log/tile/entries/000.p") }},
		{"a bit of a tile", "log", check.LogFile, 1, func(c *site) { c.flip("log/tile/0/000.p") }},
		{"a stranger in the log", "log", check.LogStray, 0, func(c *site) {
			if err := os.WriteFile(filepath.Join(c.dir, "log", "tile", "note.txt"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"a receipt of another entry", "entries", check.ReceiptWrong, 1, func(c *site) {
			c.sql(`DROP TRIGGER receipts_fixed`, `UPDATE receipts SET body = (SELECT body FROM receipts WHERE n = 2) WHERE n = 1`)
		}},
		{"a receipt without its proof", "entries", check.ReceiptWrong, 1, func(c *site) {
			c.sql(`DROP TRIGGER receipts_fixed`, `UPDATE receipts SET body = substr(body, 1, length(body) - 9) WHERE n = 1`)
		}},
		{"a row of evidence", "entries", check.EntryDiffers, 1, func(c *site) {
			c.sql(`DROP TRIGGER entries_fixed`, `UPDATE entries SET recipient = 'YXCZ' WHERE n = 2`)
		}},
		{"a row of evidence with its digest", "entries", check.EntryDiffers, 1, func(c *site) {
			c.sql(`DROP TRIGGER entries_fixed`, `UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE n = 2),
				digest = (SELECT digest FROM entries WHERE n = 2) WHERE n = 3`)
		}},
		{"a row of evidence gone", "entries", check.EntryMissing, 1, func(c *site) {
			c.sql(`DROP TRIGGER entries_kept`, `DELETE FROM receipts WHERE n = 4`, `DELETE FROM entries WHERE n = 4`)
		}},
		{"a checkpoint of another name", "entries", check.LogCheckpoint, 1, func(c *site) {
			c.sql(`UPDATE checkpoints SET note = CAST(replace(CAST(note AS TEXT), 'tests/log', 'other/log') AS BLOB) WHERE size = (SELECT min(size) FROM checkpoints)`)
		}},
		{"the state of a delivery", "exchanges", check.StateDiffers, 1, func(c *site) {
			c.sql(`DROP TRIGGER deliveries_arrow`, `UPDATE deliveries SET state = 'opened' WHERE recipient = 'YXJY'`)
		}},
		{"the last entry of an exchange", "exchanges", check.ChainBroken, 1, func(c *site) {
			c.sql(`UPDATE exchanges SET last_entry = zeroblob(32)`)
		}},
		{"a row of the audit", "audit", check.AuditBroken, 1, func(c *site) {
			c.sql(`DROP TRIGGER audit_fixed`, `UPDATE audit SET account = 'nobody' WHERE n = 3`)
		}},
		{"a blob gone", "blobs", check.BlobMissing, 1, func(c *site) {
			if err := os.Remove(c.blob()); err != nil {
				t.Fatal(err)
			}
		}},
		{"a bit of a blob", "blobs", check.BlobDamaged, 1, func(c *site) { c.flipFile(c.blob()) }},
		{"a blob of nobody", "blobs", check.BlobOrphan, 0, func(c *site) {
			path := filepath.Join(c.dir, "data", "blobs", "aa", "aa"+strings.Repeat("0", 62))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}},
		{"a key disabled", "keys", check.KeyUnusable, 1, func(c *site) {
			c.keys(func(store *filekeys.Store) error {
				return store.SetState(t.Context(), keys.Ref{Name: "office.yxjy.decrypt"}, keys.StateDisabled)
			})
		}},
		{"a key of another store", "keys", check.KeyMismatch, 1, func(c *site) {
			c.sql(`UPDATE organisations SET signing_cert = (SELECT signing_cert FROM organisations WHERE code = 'YXJY') WHERE code = 'YXCZ'`)
		}},
		{"an older database", "anchor", check.RolledBack, 1, func(c *site) {
			c.sql(`DROP TRIGGER log_head_grows`,
				`UPDATE log_head SET size = (SELECT min(size) FROM checkpoints), note = (SELECT note FROM checkpoints ORDER BY size LIMIT 1)`)
		}},
		{"no anchor", "anchor", check.AnchorMissing, 3, func(c *site) {
			if err := os.Remove(filepath.Join(c.dir, "anchor")); err != nil {
				t.Fatal(err)
			}
		}},
		{"an anchor that is none", "anchor", check.AnchorUnreadable, 1, func(c *site) { c.flip("anchor") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := s.copied(t)
			tt.damage(c)
			r := c.checked(t, tt.exit, "--read-data", "100%")
			all := found(r, tt.item, tt.fault)
			if len(all) == 0 {
				t.Fatalf("not found: %+v", r.Items)
			}
			if f := all[0]; f.Where == "" || f.Detail == "" || f.Cause == "" || f.Effect == "" || f.Next == "" {
				t.Errorf("it does not say what to do: %+v", f)
			}
		})
	}
}

// sql changes the database of a site at rest, past all that guards it.
func (s *site) sql(statements ...string) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "data", "hub.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for _, q := range statements {
		if _, err := db.ExecContext(s.t.Context(), q); err != nil {
			s.t.Fatalf("%.200s: %v", q, err)
		}
	}
}

// flip changes a bit in the middle of the file whose path begins so.
func (s *site) flip(prefix string) {
	s.t.Helper()
	var path string
	err := filepath.WalkDir(s.dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(p, filepath.Join(s.dir, prefix)) {
			path = p
		}
		return err
	})
	if err != nil || path == "" {
		s.t.Fatalf("no file %s…: %v", prefix, err)
	}
	s.flipFile(path)
}

func (s *site) flipFile(path string) {
	s.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// blob is the file of some blob.
func (s *site) blob() string {
	s.t.Helper()
	all, err := filepath.Glob(filepath.Join(s.dir, "data", "blobs", "??", "*"))
	if err != nil || len(all) == 0 {
		s.t.Fatalf("no blobs: %v", err)
	}
	if _, err := blob.ParseRef(filepath.Base(all[0])); err != nil {
		s.t.Fatal(err)
	}
	return all[0]
}

// keys changes the key store of a site at rest.
func (s *site) keys(change func(*filekeys.Store) error) {
	s.t.Helper()
	store, err := filekeys.Open(s.t.Context(), filepath.Join(s.dir, "keys"), []byte(sitePassphrase), filekeys.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := errors.Join(change(store), store.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// TestCheckForPeople: what is printed names the parts, and what is wrong with its next step.
func TestCheckForPeople(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	if code, _, errs := call(t, "check", "--config", s.config); code != exitNotFound {
		t.Errorf("before init: exit %d, %s", code, errs)
	}
	for _, bad := range []string{"101%", "-1", "0/3", "4/3", "x", "NaN"} {
		if code, _, errs := call(t, "check", "--config", s.config, "--read-data", bad); code != exitUsage {
			t.Errorf("--read-data %s: exit %d, %s", bad, code, errs)
		}
	}
	if code, _, errs := call(t, "init", "--config", s.config); code != 0 {
		t.Fatalf("init: exit %d, %s", code, errs)
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, bytes.Replace(text, []byte(", anchor: "+s.dir+"/anchor"), nil, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := call(t, "check", "--config", s.config)
	if code != 3 || errs != "" {
		t.Errorf("a new hub without an anchor: exit %d, %s", code, errs)
	}
	for _, want := range []string{"passed        log", "indeterminate anchor", "[no_anchor]", "next:   set log.anchor", "passed        keys", "indeterminate, in "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// recovery is one who may restore: a key file and its certificate.
func recovery(t *testing.T) (key, certificate string) {
	t.Helper()
	dir := t.TempDir()
	pair, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := cert.NewRoot(cert.Station{Signer: pair, Now: time.Now, Rand: rand.Reader}, cert.Subject("recovery", ""), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := gm.MarshalPKCS8PEM(pair, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, certificate = filepath.Join(dir, "recovery.key"), filepath.Join(dir, "recovery.pem")
	if err := errors.Join(os.WriteFile(key, text, 0o600), os.WriteFile(certificate, ca.Certificate.PEM(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return "file:" + key, certificate
}

// told runs a command with --json and reads what it prints.
func told[T any](t *testing.T, want int, args ...string) *T {
	t.Helper()
	code, out, errs := call(t, append(args, "--json")...)
	v := new(T)
	if code != want || out != "" && json.Unmarshal([]byte(out), v) != nil {
		t.Fatalf("%v: exit %d, want %d: %s%s", args, code, want, out, errs)
	}
	return v
}

// backedUp takes snapshots at work and at rest, rehearses them, and makes the hub again elsewhere.
func backedUp(t *testing.T, s *site, place func(*testing.T) string) {
	t.Helper()
	key, certificate := recovery(t)
	out := filepath.Join(t.TempDir(), "backups")
	var first *backup.Manifest
	s.work(func(system *embedded.System) {
		first = told[backup.Manifest](t, 0, "backup", "--config", s.config, "--out", out, "--to", certificate)
		send(t, system)
	})
	second := told[backup.Manifest](t, 0, "backup", "--config", s.config, "--out", out, "--to", certificate)
	if first.Blobs.Added == 0 || second.Blobs.Added == 0 || second.Blobs.Count != first.Blobs.Count+second.Blobs.Added || second.Size <= first.Size {
		t.Errorf("the second snapshot copies what the first has: %+v, %+v", first.Blobs, second.Blobs)
	}
	for snapshot, lost := range map[string]int64{first.ID: int64(second.Size - first.Size), second.ID: 0} {
		r := told[restored](t, 0, "restore", "--verify-only", "--config", s.config, "--from", out, "--key", key, "--snapshot", snapshot)
		if r.Lost != lost || r.RPO <= 0 || r.RTO <= 0 || r.Loaded != (second.Database == kindSQLite) {
			t.Errorf("rehearsal of %s: %+v, want %d entries lost", snapshot, r, lost)
		}
	}
	if second.Database == kindPostgres {
		scratch := filepath.Join(t.TempDir(), "scratch")
		if err := os.WriteFile(scratch, []byte(pgtest.Empty(t)), 0o600); err != nil {
			t.Fatal(err)
		}
		r := told[restored](t, 0, "restore", "--verify-only", "--config", s.config, "--from", out, "--key", key, "--scratch", scratch)
		if !r.Loaded || r.Check == nil || r.Check.Verdict != verdict.Passed {
			t.Errorf("rehearsal with a scratch database: %+v", r)
		}
	}
	tampered(t, s, out, key)
	s.remade(t, place, out, key, first, second)
}

// tampered holds a rehearsal to refuse what is not as the manifest says, and who may not read it.
func tampered(t *testing.T, s *site, out, key string) {
	t.Helper()
	stranger, _ := recovery(t)
	for name, tt := range map[string]struct {
		key, file string
		code      string
	}{
		"a stranger's key":     {stranger, "", "not_for_key"},
		"a bit of the rows":    {key, "snapshots/*/database.*", "damaged"},
		"a bit of the log":     {key, "snapshots/*/log.tar.sealed", "damaged"},
		"a bit of the keys":    {key, "snapshots/*/keys.tar.sealed", "damaged"},
		"a bit of a blob":      {key, "blobs/??/*", "damaged"},
		"a bit of a manifest":  {key, "snapshots/*/manifest", ""},
		"a bit of a blob list": {key, "snapshots/*/blobs.list.sealed", "damaged"},
	} {
		dir := filepath.Join(t.TempDir(), "backups")
		if err := os.CopyFS(dir, os.DirFS(out)); err != nil {
			t.Fatal(err)
		}
		if tt.file != "" {
			all, err := filepath.Glob(filepath.Join(dir, tt.file))
			if err != nil || len(all) == 0 {
				t.Fatalf("%s: %v, %v", name, all, err)
			}
			for _, path := range all {
				s.flipFile(path)
			}
		}
		code, _, errs := call(t, "restore", "--verify-only", "--config", s.config, "--from", dir, "--key", tt.key, "--json")
		var p struct{ Code string }
		if err := json.Unmarshal([]byte(errs), &p); code == 0 || err != nil || tt.code != "" && p.Code != tt.code {
			t.Errorf("%s: exit %d, %s", name, code, errs)
		}
	}
}

// remade brings the newest snapshot back into an empty site, where it works on; and the older one, which is noticed.
func (s *site) remade(t *testing.T, place func(*testing.T) string, out, key string, first, second *backup.Manifest) {
	t.Helper()
	for _, m := range []*backup.Manifest{second, first} {
		fresh := &site{t: t, dir: t.TempDir(), database: place(t)}
		fresh.configure()
		anchor, err := os.ReadFile(filepath.Join(s.dir, "anchor"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(fresh.dir, "anchor"), anchor, 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{
			"restore", "--config", fresh.config, "--from", out, "--key", key, "--snapshot", m.ID,
			"--log-key", filepath.Join(s.dir, "data", "log.vkey"),
		}
		if m == second {
			r := told[restored](t, 0, args...)
			if r.Lost != 0 || r.Check.Verdict != verdict.Passed {
				t.Errorf("restored: %+v", r)
			}
			fresh.work(func(system *embedded.System) { send(t, system) }) // numbers, lanes and keys go on
			fresh.checked(t, 0, "--read-data", "100%")
			if code, _, errs := call(t, args...); code != exitRefused {
				t.Errorf("restored over a hub: exit %d, %s", code, errs)
			}
			continue
		}
		r := told[restored](t, 1, args...)
		if r.Lost != int64(second.Size-first.Size) || len(found(r.Check, "anchor", check.RolledBack)) != 1 {
			t.Errorf("an older snapshot restored: %+v", r)
		}
		if code, _, errs := call(t, "serve", "--config", fresh.config); code != exitRefused || !strings.Contains(errs, "rolled_back") {
			t.Errorf("serve after that: exit %d, %s", code, errs)
		}
		if s.database == "" {
			s.mixed(t, fresh, first.Size, second.Size)
		}
		fresh.goesOn(t, first.Size, second.Size)
	}
}

// mixed puts the database alone back, under the log's folder and blobs of later: that too is noticed, and gone on from.
func (s *site) mixed(t *testing.T, older *site, kept, lost uint64) {
	t.Helper()
	c := s.copied(t)
	data, err := os.ReadFile(filepath.Join(older.dir, "data", "hub.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "data", "hub.db"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(found(c.checked(t, 1), "log", check.LogRolledBack)) != 1 {
		t.Error("check does not see that the log's files are ahead")
	}
	c.goesOn(t, kept, lost)
}

// goesOn recovers a hub that was put back from size lost to size kept: by an explicit act alone, with a statement that
// answers whoever holds evidence of the lost part.
func (s *site) goesOn(t *testing.T, kept, lost uint64) {
	t.Helper()
	before, err := os.ReadFile(filepath.Join(s.dir, "anchor"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"recover", "--config", s.config, "--by", "wang", "--reason", "the disk failed"}
	for name, more := range map[string][]string{"nothing": nil, "another number": {"--lost", fmt.Sprint(lost - kept + 1)}} {
		code, _, errs := call(t, append(args, more...)...)
		if want := fmt.Sprintf("%d entries are lost", lost-kept); code != exitRefused || !strings.Contains(errs, want) {
			t.Errorf("recover with %s: exit %d, %s; want %q", name, code, errs, want)
		}
	}
	s.checked(t, 1) // nothing was done
	number := fmt.Sprint(lost - kept)
	if code, _, errs := call(t, "recover", "--config", s.config, "--lost", number); code != exitUsage {
		t.Errorf("nobody says why: exit %d, %s", code, errs)
	}
	r := told[recovered](t, 0, append(args, "--lost", number)...)
	vkey, err := os.ReadFile(filepath.Join(s.dir, "data", "log.vkey"))
	if errors.Is(err, os.ErrNotExist) {
		vkey, err = nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Gap.KeptSize != kept || r.Gap.LostSize != lost || r.Size <= kept || r.Entry == "" || r.Gap.LostCheckpoint != string(before) {
		t.Errorf("recovered: %+v", r)
	}
	if len(vkey) > 0 {
		key, err := tlog.ParseVerifier(string(vkey))
		if err != nil {
			t.Fatal(err)
		}
		if g, err := tlog.OpenGap([]byte(r.Statement), key); err != nil || g.KeptSize != kept {
			t.Errorf("the statement: %+v, %v", g, err)
		}
	}
	if aside, err := os.ReadFile(filepath.Join(s.dir, "anchor") + r.LostLog[strings.LastIndex(r.LostLog, ".lost-"):]); err != nil || !bytes.Equal(aside, before) {
		t.Errorf("the old anchor is not kept: %v", err)
	}
	s.checked(t, 0, "--read-data", "100%")
	if code, _, errs := call(t, append(args, "--lost", number)...); code != exitRefused || !strings.Contains(errs, "nothing is lost") {
		t.Errorf("recover once more: exit %d, %s", code, errs)
	}
	s.serve(func(c *client.Client) {
		web, err := tlog.NewWeb(c.Address()+"/log", http.DefaultClient)
		if err != nil {
			t.Fatal(err)
		}
		if all, err := web.Gaps(t.Context()); err != nil || len(all) != 1 || string(all[0]) != r.Statement {
			t.Errorf("the statements over HTTP: %q, %v", all, err)
		}
		for query, want := range map[string]int{"": 1, fmt.Sprintf("?index=%d", kept): 1, fmt.Sprintf("?index=%d", lost-1): 1, fmt.Sprintf("?index=%d", lost): 0} {
			resp, err := http.Get(c.Address() + "/log/gaps" + query)
			if err != nil {
				t.Fatal(err)
			}
			var list api.List[api.LogGap]
			err = errors.Join(json.NewDecoder(resp.Body).Decode(&list), resp.Body.Close())
			if err != nil || len(list.Items) != want || want == 1 && list.Items[0].Statement != r.Statement {
				t.Errorf("/log/gaps%s: %+v, %v; want %d", query, list, err, want)
			}
		}
	})
	s.work(func(system *embedded.System) { send(t, system) })
	s.checked(t, 0, "--read-data", "100%")
}

// complies: every clause is answered, what is not built is not claimed, and what is stored was looked at.
func complies(t *testing.T, s *site) {
	t.Helper()
	answers := told[check.Compliance](t, 1, "check", "--compliance", "--config", s.config)
	of := map[string]check.Clause{}
	for _, c := range answers.Clauses {
		of[c.Clause] = c
		if c.Demand == "" || c.Evidence == "" || c.Status != verdict.Passed && c.Deployer == "" {
			t.Errorf("an answer that helps nobody: %+v", c)
		}
	}
	for clause, want := range map[string]verdict.Status{
		"8.2 c": verdict.Indeterminate, "8.3 a-b": verdict.Failed, "8.4 a": verdict.Failed, "8.4 d": verdict.Passed, "8.4 e": verdict.Indeterminate,
		"8.4 g": verdict.Passed, "8.4 h": verdict.Passed, "products": verdict.Indeterminate,
	} {
		if of[clause].Status != want {
			t.Errorf("%s: %+v, want %s", clause, of[clause], want)
		}
	}
	if answers.Verdict != verdict.Failed || !strings.Contains(answers.Notice, "no certified cryptographic module") {
		t.Errorf("it claims %s: %s", answers.Verdict, answers.Notice)
	}
}
