package filekeys_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// inspect opens the store and reads everything: the first error, or that of a damaged entry.
func inspect(t *testing.T, dir string) error {
	t.Helper()
	s, err := filekeys.Open(t.Context(), dir, passphrase(), filekeys.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer mustClose(t, s)
	r, err := s.Check(t.Context())
	if err != nil {
		return err
	}
	for path, what := range r.Damaged {
		return errors.Join(filekeys.ErrDamaged, errors.New(path+": "+what))
	}
	return nil
}

// TestEveryFileIsBound alters, cuts, lengthens, removes and exchanges each file of a store: always an error that says
// damaged, and the store undamaged passes.
func TestEveryFileIsBound(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	mustCreate(t, s, "k", "l")
	earlier := snapshot(t, dir)
	if _, err := s.Rotate(t.Context(), "k", 1); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	files := snapshot(t, dir)
	delete(files, "lock")
	if err := inspect(t, dir); err != nil {
		t.Fatalf("undamaged: %v", err)
	}
	expect := func(what, name string, data []byte) {
		t.Helper()
		changed := maps.Clone(files)
		if changed[name] = data; data == nil {
			delete(changed, name)
		}
		restore(t, dir, changed)
		want := filekeys.ErrDamaged
		if name == "store.json" && data == nil {
			want = filekeys.ErrNoStore
		}
		if err := inspect(t, dir); !errors.Is(err, want) {
			t.Errorf("%s %s: %v", name, what, err)
		}
	}
	for name, data := range files {
		for at := 0; at < len(data); at += max(1, len(data)/9) {
			flipped := append([]byte(nil), data...)
			flipped[at] ^= 0x10
			expect("with a flipped bit", name, flipped)
		}
		for _, n := range []int{0, 8, len(data) / 2, len(data) - 2} {
			expect("cut", name, data[:n])
		}
		expect("with a byte more", name, append(append([]byte(nil), data...), 0))
		expect("removed", name, nil)
		for other, d := range files {
			if other != name {
				expect("exchanged for "+other, name, d)
			}
		}
	}
	expect("of an earlier generation", "head", earlier["head"])
	for name, data := range earlier {
		if strings.HasPrefix(name, "entries/policy~k@") {
			expect("of an earlier generation", filepath.Join("entries", filepath.Base(oneEntryName(files, "entries/policy~k@"))), data)
		}
	}
	restore(t, dir, files)
	if err := inspect(t, dir); err != nil {
		t.Errorf("put right again: %v", err)
	}
}

func oneEntryName(files map[string][]byte, prefix string) string {
	for name := range files {
		if strings.HasPrefix(name, prefix) {
			return name
		}
	}
	return ""
}

// TestOtherStore puts an entry and a head of another store with the same passphrase into this one.
func TestOtherStore(t *testing.T) {
	t.Parallel()
	one, dir := create(t, filekeys.Options{})
	two, otherDir := create(t, filekeys.Options{})
	for _, s := range []*filekeys.Store{one, two} {
		mustCreate(t, s, "k")
		mustClose(t, s)
	}
	files, other := snapshot(t, dir), snapshot(t, otherDir)
	for name := range files {
		if name == "lock" || name == "store.json" {
			continue
		}
		mixed := snapshot(t, dir)
		mixed[name] = other[name]
		restore(t, dir, mixed)
		if err := inspect(t, dir); !errors.Is(err, filekeys.ErrDamaged) {
			t.Errorf("%s of another store: %v", name, err)
		}
		restore(t, dir, files)
	}
}

// TestOtherBranch takes an entry from another continuation of the same store: same path, same generation, authentic, and
// yet not what the head names.
func TestOtherBranch(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	mustCreate(t, s, "k")
	mustClose(t, s)
	common := snapshot(t, dir)
	rotate := func() map[string][]byte {
		t.Helper()
		restore(t, dir, common)
		s := open(t, dir, filekeys.Options{})
		if _, err := s.Rotate(t.Context(), "k", 1); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		return snapshot(t, dir)
	}
	one, two := rotate(), rotate()
	name := oneEntryName(one, "entries/version~k~2@")
	if two[name] == nil {
		t.Fatalf("the branches do not meet in %s", name)
	}
	if err := inspect(t, dir); err != nil {
		t.Fatalf("one branch alone: %v", err)
	}
	two[name] = one[name]
	restore(t, dir, two)
	if err := inspect(t, dir); !errors.Is(err, filekeys.ErrDamaged) {
		t.Errorf("an entry of another branch: %v", err)
	}
}

// TestHeaderBounds gives a header that fits its checksum but asks the key derivation for too much or too little.
func TestHeaderBounds(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	mustClose(t, s)
	path := filepath.Join(dir, "store.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, from, to string
		want           error
	}{
		{"unchanged", `"time": 1`, `"time": 1`, nil},
		{"64 GiB", `"memory_kib": 8192`, `"memory_kib": 67108864`, filekeys.ErrDamaged},
		{"4 KiB", `"memory_kib": 8192`, `"memory_kib": 4`, filekeys.ErrDamaged},
		{"a billion passes", `"time": 1`, `"time": 1000000000`, filekeys.ErrDamaged},
		{"no pass", `"time": 1`, `"time": 0`, filekeys.ErrDamaged},
		{"no thread", `"threads": 1`, `"threads": 0`, filekeys.ErrDamaged},
		{"another format", `filekeys/1`, `filekeys/2`, filekeys.ErrDamaged},
		{"other parameters", `"time": 1`, `"time": 2`, filekeys.ErrPassphrase},
	} {
		changed := strings.Replace(string(good), c.from, c.to, 1)
		if c.from != c.to && changed == string(good) {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		if err := os.WriteFile(path, rechecked(t, changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := inspect(t, dir); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// rechecked computes the checksum of a header anew, as an attacker would.
func rechecked(t *testing.T, text string) []byte {
	t.Helper()
	sum := filekeys.HeaderChecksum(t, []byte(text))
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	old := strings.Trim(string(fields["checksum"]), `"`)
	return []byte(strings.Replace(text, old, sum, 1))
}

// TestDamageStaysLocal damages one key: the others work on, and that one is refused rather than guessed.
func TestDamageStaysLocal(t *testing.T) {
	t.Parallel()
	s, dir := create(t, filekeys.Options{})
	mustCreate(t, s, "k", "l")
	mustClose(t, s)
	path := oneEntry(t, dir, "version~l~1@")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, filekeys.Options{})
	if err := sign(t, s, "k"); err != nil {
		t.Errorf("the other key: %v", err)
	}
	if err := sign(t, s, "l"); !errors.Is(err, filekeys.ErrDamaged) || !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("the damaged key: %v", err)
	}
	info, err := s.Public(t.Context(), keys.Ref{Name: "l"})
	if err != nil || gm.CheckPublicKey(info.Public) != nil {
		t.Errorf("its public key: %v", err)
	}
	r, err := s.Check(t.Context())
	if err != nil || len(r.Damaged) != 1 || r.Damaged["version/l/1"] == "" || r.Entries != 4 || r.Store != s.ID() {
		t.Errorf("check: %+v, %v", r, err)
	}
}
