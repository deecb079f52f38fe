package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/testvectors/boundtest"
)

// shelf is a storage in memory, for tests inside the package.
type shelf struct {
	mu      sync.Mutex
	entries map[string][]byte
}

func (s *shelf) Get(_ context.Context, path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.entries[path]
	if !ok {
		return nil, keys.ErrNotFound
	}
	return bytes.Clone(data), nil
}

func (s *shelf) Put(_ context.Context, path string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[string][]byte{}
	}
	s.entries[path] = bytes.Clone(value)
	return nil
}

func (s *shelf) Delete(_ context.Context, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, path)
	return nil
}

func (s *shelf) List(_ context.Context, prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var paths []string
	for path := range s.entries {
		if strings.HasPrefix(path, prefix) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// backedUp makes a key of two versions, the first certified, and gives its sealed backup, forwarded to a new engine.
func backedUp(tb testing.TB) (from, to *Engine, sealed []byte) {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Helper()
			tb.Fatal(err)
		}
	}
	ctx := context.Background()
	from, to = New(new(shelf), Options{}), New(new(shelf), Options{})
	infos, err := from.Create(ctx, keys.CreateOptions{Name: "root", Purpose: keys.PurposeIssue}, keys.CreateOptions{Name: "k", Purpose: keys.PurposeSign})
	must(err)
	signer, err := keys.Signer(ctx, from, infos[0].Ref, keys.PurposeIssue)
	must(err)
	ca, err := cert.NewRoot(cert.Station{Signer: signer}, cert.Subject("Root", "Tests"), cert.IssueOptions{})
	must(err)
	leaf, err := ca.IssueSigning(cert.Subject("k", "Tests"), infos[1].Public, cert.IssueOptions{})
	must(err)
	_, err = from.ImportCertificate(ctx, infos[1].Ref, [][]byte{leaf.Raw})
	must(err)
	_, err = from.Rotate(ctx, "k", 1)
	must(err)
	recovery, err := gm.GenerateKey(nil)
	must(err)
	must(from.SetRecoveryKey(ctx, recovery.PublicKey()))
	sealed, err = from.Backup(ctx, "k")
	must(err)
	wrapping, err := to.WrappingKey(ctx)
	must(err)
	sealed, err = Forward(nil, sealed, recovery, wrapping)
	must(err)
	return from, to, sealed
}

// TestBackupContent: a backup that was made by hand for a store's wrapping key, which is public, brings in no entry that the engine
// would not have written itself.
func TestBackupContent(t *testing.T) {
	t.Parallel()
	from, to, sealed := backedUp(t)
	plain, err := from.content(t.Context(), "k", anyKey)
	if err != nil {
		t.Fatal(err)
	}
	other, err := from.content(t.Context(), "root", anyKey)
	if err != nil {
		t.Fatal(err)
	}
	var right, foreign backupContent
	if err := errors.Join(json.Unmarshal(plain, &right), json.Unmarshal(other, &foreign)); err != nil {
		t.Fatal(err)
	}
	chain := func(edit func(*chainEntry)) []byte {
		var entry chainEntry
		if err := json.Unmarshal(right.Chains[1], &entry); err != nil {
			t.Fatal(err)
		}
		edit(&entry)
		data, err := json.Marshal(entry)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, edit := range map[string]func(c *backupContent){
		"no policy":            func(c *backupContent) { c.Policy = nil },
		"another key's policy": func(c *backupContent) { c.Policy = foreign.Policy },
		"no version":           func(c *backupContent) { delete(c.Versions, 2) },
		"a version twice":      func(c *backupContent) { c.Versions[2] = c.Versions[1] },
		"another key's secret": func(c *backupContent) { c.Versions[1] = foreign.Versions[1] },
		"no chain":             func(c *backupContent) { c.Chains = nil },
		"an empty chain":       func(c *backupContent) { c.Chains[1] = chain(func(e *chainEntry) { e.Chain = nil }) },
		"a chain of no schema": func(c *backupContent) { c.Chains[1] = chain(func(e *chainEntry) { e.Schema = 0 }) },
		"no certificate in it": func(c *backupContent) { c.Chains[1] = chain(func(e *chainEntry) { e.Chain[0] = []byte("x") }) },
		"too long a chain": func(c *backupContent) {
			c.Chains[1] = chain(func(e *chainEntry) { e.Chain = slices.Repeat(e.Chain, MaxChain+1) })
		},
		"another version's chain": func(c *backupContent) { c.Chains[1] = chain(func(e *chainEntry) { e.Version = 2 }) },
	} {
		c := backupContent{Policy: right.Policy, Versions: maps.Clone(right.Versions), Chains: maps.Clone(right.Chains)}
		edit(&c)
		if _, _, err := c.check("k"); !errors.Is(err, keys.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := right.check("k"); err != nil {
		t.Errorf("the right one: %v", err)
	}
	if _, err := to.Restore(t.Context(), sealed); err != nil {
		t.Errorf("restore: %v", err)
	}
}

// FuzzBackup: whatever is given for a sealed backup, the answer is of the closed set of errors, and only the true one makes a key.
func FuzzBackup(f *testing.F) {
	_, to, sealed := backedUp(f)
	f.Add(sealed)
	f.Add(bytes.Replace(sealed, []byte(`"name":"k"`), []byte(`"name":"j"`), 1))
	f.Add([]byte(`{"format":"yinxin-key-backup/1","name":"k"}`))
	f.Add([]byte("{}"))
	f.Fuzz(boundtest.Fuzz(1000, func(t *testing.T, data []byte) {
		name, outside := BackupName(data)
		info, err := to.Restore(t.Context(), data)
		if err != nil {
			if !keys.Classified(err) || (outside != nil && !errors.Is(err, keys.ErrInvalid)) {
				t.Errorf("%v, and of its outside %v", err, outside)
			}
			return
		}
		if info.Ref.Name != "k" || name != "k" {
			t.Errorf("restored %s from a backup of %q", info.Ref, name)
		}
		to.Invalidate("k")
		for _, path := range []string{policyPath("k"), versionPath("k", 1), versionPath("k", 2), certPath("k", 1)} {
			if err := to.storage.Delete(t.Context(), path); err != nil {
				t.Fatal(err)
			}
		}
	}))
}

// FuzzBackupContent: whatever lies inside a backup, what check accepts is a key that works.
func FuzzBackupContent(f *testing.F) {
	from, _, _ := backedUp(f)
	plain, err := from.content(context.Background(), "k", anyKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add([]byte(`{"policy":"e30=","versions":{"1":""},"chains":{}}`))
	f.Fuzz(boundtest.Fuzz(1000, func(t *testing.T, data []byte) {
		var c backupContent
		if decodeStrict(data, &c) != nil {
			return
		}
		k, writes, err := c.check("k")
		if err != nil {
			if !errors.Is(err, keys.ErrInvalid) {
				t.Errorf("%v", err)
			}
			return
		}
		if k.policy.Name != "k" || len(k.public) != len(k.policy.Versions) || len(writes) > 2*MaxVersions {
			t.Errorf("taken: %d versions, %d writes", len(k.policy.Versions), len(writes))
		}
	}))
}

// anyKey lets every key be backed up.
func anyKey(*policy) error { return nil }
