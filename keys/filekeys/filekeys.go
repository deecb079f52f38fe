package filekeys

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"yinxin/internal/durable"
	"yinxin/keys"
	"yinxin/keys/engine"
)

// Errors of opening and making a store, beside ErrPassphrase, ErrDamaged, ErrRolledBack, ErrAnchor and *InsecureError.
var (
	// ErrNoStore: the directory holds no store.
	ErrNoStore = errors.New("no key store")
	// ErrExists: the directory holds a store, or other things, already.
	ErrExists = errors.New("directory is not empty")
	// ErrLocked: another process has the store open.
	ErrLocked = errors.New("key store is in use by another process")
)

// WarnNewerEntries is the code of the warning that entry files are newer than the head.
const WarnNewerEntries = "newer_entries"

// Options of Create and Open. The zero value works.
type Options struct {
	// Rand gives keys and nonces, Now creation times; nil means crypto/rand and time.Now.
	Rand io.Reader
	Now  func() time.Time
	// KDF are the parameters for Create and ChangePassphrase; the zero value means DefaultKDF.
	KDF KDF
	// Anchor notices a rollback of the whole directory; nil means that there is none, which Health says.
	Anchor Anchor
	// AdoptAnchor lets Open take an Anchor into use that has no mark yet. Create always does.
	AdoptAnchor bool
	// ReadOnly shares the store with other readers; changes are keys.ErrDenied.
	ReadOnly bool
	// Beside opens the store for reading beside the process that has it: nothing is locked or changed. What that process
	// changes meanwhile is not seen, and an entry that it replaced may be gone: open anew then.
	Beside bool
	// Wait is how long to wait for the lock; zero tries once.
	Wait time.Duration
	// Disk makes the writes; the zero value is the real one.
	Disk durable.Disk
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	o.ReadOnly = o.ReadOnly || o.Beside
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.KDF == (KDF{}) {
		o.KDF = DefaultKDF()
	}
	return o
}

// Store is an open key store: a keys.Provider and keys.Admin. It is safe for concurrent use. Close it, or other
// processes stay locked out until this one ends.
type Store struct {
	*engine.Engine
	storage *storage
	lock    *durable.Held
	options Options
	id      string
	newer   []string
}

var (
	_ keys.Provider = (*Store)(nil)
	_ keys.Admin    = (*Store)(nil)
)

// Exists tells whether dir holds a store.
func Exists(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, headerName))
	return err == nil
}

// Create makes a new store in dir, which must be missing or empty, and opens it. passphrase is not kept; it must not be
// empty. The header is written last: until then dir holds no store.
func Create(ctx context.Context, dir string, passphrase []byte, o Options) (*Store, error) {
	s, err := create(ctx, dir, passphrase, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("create key store %s: %w", dir, err)
	}
	return s, nil
}

func create(ctx context.Context, dir string, passphrase []byte, o Options) (*Store, error) {
	if err := checkCreate(dir, passphrase, o); err != nil {
		return nil, err
	}
	if err := o.Disk.MkdirAll(filepath.Join(dir, entriesDir), 0o700); err != nil {
		return nil, err
	}
	lock, err := takeLock(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	s, err := createLocked(ctx, dir, passphrase, o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.lock = lock
	return s, nil
}

// checkCreate refuses what Create must not touch. What an interrupted Create left behind is no obstacle.
func checkCreate(dir string, passphrase []byte, o Options) error {
	if len(passphrase) == 0 {
		return errors.New("the passphrase is empty")
	}
	if err := o.KDF.check(); err != nil {
		return err
	}
	if o.ReadOnly {
		return errors.New("a new store cannot be read-only")
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, f := range files {
		if !slices.Contains([]string{"lock", headName, entriesDir}, f.Name()) && !isTemp(f.Name()) {
			return fmt.Errorf("%w: it holds %s", ErrExists, f.Name())
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, entriesDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: it holds entries of a store", ErrExists)
	}
	return nil
}

func isTemp(name string) bool {
	return len(name) > len(durable.TempPrefix) && name[:len(durable.TempPrefix)] == durable.TempPrefix
}

// createLocked writes the first head and then the header.
func createLocked(ctx context.Context, dir string, passphrase []byte, o Options) (*Store, error) {
	for _, d := range []string{dir, filepath.Join(dir, entriesDir)} {
		if err := checkDir(d); err != nil {
			return nil, err
		}
	}
	secret := make([]byte, idSize+masterSize)
	defer clear(secret)
	if _, err := io.ReadFull(o.Rand, secret); err != nil {
		return nil, err
	}
	id, master := slices.Clone(secret[:idSize]), secret[idSize:]
	h := header{Format: headerFormat, Store: hex.EncodeToString(id), Created: o.Now().UTC().Truncate(time.Second), KDF: o.KDF}
	h, err := h.wrapMaster(o.Rand, passphrase, master)
	if err != nil {
		return nil, err
	}
	sealer, err := newSealer(id, master)
	if err != nil {
		return nil, err
	}
	first := &head{Schema: headSchema, Generation: 1, Entries: map[string]liveEntry{}, Previous: []pastHead{}}
	data, err := sealer.marshalHead(first, o.Rand)
	if err != nil {
		return nil, err
	}
	if err := o.Disk.WriteFile(filepath.Join(dir, headName), data, 0o600); err != nil {
		return nil, err
	}
	o.AdoptAnchor = true
	s := newStore(dir, sealer, first, o)
	if err := s.checkAnchor(ctx, dir); err != nil {
		return nil, err
	}
	if err := h.write(o.Disk, dir, true); err != nil {
		return nil, err
	}
	return s, nil
}

// Open opens the store in dir. Its errors, by errors.Is or errors.As: ErrNoStore, ErrLocked, ErrPassphrase, ErrDamaged,
// ErrRolledBack, ErrAnchor, *InsecureError.
func Open(ctx context.Context, dir string, passphrase []byte, o Options) (*Store, error) {
	s, err := open(ctx, dir, passphrase, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open key store %s: %w", dir, err)
	}
	return s, nil
}

func open(ctx context.Context, dir string, passphrase []byte, o Options) (*Store, error) {
	if !Exists(dir) {
		return nil, ErrNoStore
	}
	for _, d := range []string{dir, filepath.Join(dir, entriesDir)} {
		if err := checkDir(d); errors.Is(err, fs.ErrNotExist) {
			return nil, damagedf("%s is missing", d)
		} else if err != nil {
			return nil, err
		}
	}
	if o.Beside {
		return openLocked(ctx, dir, passphrase, o)
	}
	lock, err := takeLock(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	s, err := openLocked(ctx, dir, passphrase, o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.lock = lock
	return s, nil
}

func openLocked(ctx context.Context, dir string, passphrase []byte, o Options) (*Store, error) {
	sealer, err := unlock(dir, passphrase)
	if err != nil {
		return nil, err
	}
	h, err := sealer.readHead(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, damagedf("the head is missing")
	}
	if err != nil {
		return nil, err
	}
	s := newStore(dir, sealer, h, o)
	if err := s.checkAnchor(ctx, dir); err != nil {
		return nil, err
	}
	if s.newer, err = s.storage.tidy(); err != nil {
		return nil, err
	}
	return s, nil
}

// unlock opens the header of dir with the passphrase.
func unlock(dir string, passphrase []byte) (*sealer, error) {
	h, err := readHeader(dir)
	if err != nil {
		return nil, err
	}
	master, err := h.openMaster(passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(master)
	id, err := hex.DecodeString(h.Store)
	if err != nil {
		return nil, damagedf("%s: store id", headerName)
	}
	return newSealer(id, master)
}

func newStore(dir string, sealer *sealer, h *head, o Options) *Store {
	st := &storage{
		dir: dir, disk: o.Disk, rand: o.Rand, sealer: sealer, anchor: o.Anchor, readOnly: o.ReadOnly,
		head: h, last: h.Generation,
	}
	return &Store{
		Engine:  engine.New(st, engine.Options{Rand: o.Rand, Now: o.Now, Proof: proof}),
		storage: st, options: o, id: h.mark.Store,
	}
}

// takeLock locks dir, exclusively unless it is only read.
func takeLock(ctx context.Context, dir string, o Options) (*durable.Held, error) {
	lock, err := durable.Lock(ctx, filepath.Join(dir, "lock"), !o.ReadOnly, o.Wait)
	if errors.Is(err, durable.ErrLocked) {
		return nil, fmt.Errorf("%w (%w)", ErrLocked, err)
	}
	return lock, err
}

// checkAnchor compares the head with the anchor and lets the anchor follow where it lags behind.
func (s *Store) checkAnchor(ctx context.Context, dir string) error {
	anchor := s.options.Anchor
	if anchor == nil {
		return nil
	}
	if f, ok := anchor.(FileAnchor); ok {
		if err := f.outside(dir); err != nil {
			return err
		}
	}
	mark, err := anchor.Load(ctx)
	switch {
	case errors.Is(err, keys.ErrNotFound) && s.options.AdoptAnchor:
		return anchor.Save(ctx, s.storage.head.mark)
	case errors.Is(err, keys.ErrNotFound):
		return fmt.Errorf("%w: it has no mark; adopt it if this store never had one", ErrAnchor)
	case err != nil:
		return err
	}
	behind, err := compare(s.storage.head, mark)
	if err != nil {
		return err
	}
	if behind && !s.options.ReadOnly {
		return anchor.Save(ctx, s.storage.head.mark)
	}
	return nil
}

// ID is the store's own random name, hexadecimal; it stands in anchors.
func (s *Store) ID() string { return s.id }

// Close forgets the keys and releases the lock; afterwards everything is keys.ErrSealed. A second Close does nothing.
func (s *Store) Close() error {
	s.Engine.Close()
	if !s.storage.close() || s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// Health implements keys.Provider. It warns where no anchor is configured, and where entry files are newer than the head.
func (s *Store) Health(ctx context.Context) keys.Health {
	h := s.Engine.Health(ctx)
	if h.Status != keys.HealthOK {
		return h
	}
	if s.options.Anchor == nil {
		h.Warnings = append(h.Warnings, keys.Warning{
			Code: keys.WarnNoAnchor,
			Text: "no anchor outside the folder is configured: a key store put back as a whole would not be noticed",
		})
	}
	if len(s.newer) > 0 {
		h.Warnings = append(h.Warnings, keys.Warning{
			Code: WarnNewerEntries,
			Text: fmt.Sprintf("%d entry files are newer than the head: a change did not finish, or the head was put back", len(s.newer)),
		})
	}
	return h
}

// Report is the outcome of Check.
type Report struct {
	Store      string `json:"store"`
	Generation uint64 `json:"generation"`
	Entries    int    `json:"entries"`
	// Anchored tells that a rollback of the whole directory would have been noticed at Open.
	Anchored bool `json:"anchored"`
	// Damaged maps the paths of damaged entries to what is wrong.
	Damaged map[string]string `json:"damaged,omitempty"`
	// Newer names files that are newer than the head.
	Newer []string `json:"newer,omitempty"`
}

// Check reads every live entry from disk and tells which are damaged. Its error means that it could not look.
func (s *Store) Check(ctx context.Context) (Report, error) {
	st := s.storage
	st.mu.RLock()
	defer st.mu.RUnlock()
	if st.closed {
		return Report{}, keys.ErrSealed
	}
	r := Report{
		Store: s.id, Generation: st.head.Generation, Entries: len(st.head.Entries),
		Anchored: st.anchor != nil, Damaged: map[string]string{}, Newer: s.newer,
	}
	for path, live := range st.head.Entries {
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
		plain, err := st.read(path, live)
		clear(plain)
		if err != nil {
			r.Damaged[path] = err.Error()
		}
	}
	return r, nil
}

// ChangePassphrase encrypts the master key of the store in dir under another passphrase. The store may not be open
// elsewhere. Copies of the old header keep opening with the old passphrase.
func ChangePassphrase(ctx context.Context, dir string, from, to []byte, o Options) error {
	o = o.withDefaults()
	o.ReadOnly = false
	if err := changePassphrase(ctx, dir, from, to, o); err != nil {
		return fmt.Errorf("change passphrase of key store %s: %w", dir, err)
	}
	return nil
}

func changePassphrase(ctx context.Context, dir string, from, to []byte, o Options) error {
	if len(to) == 0 {
		return errors.New("the new passphrase is empty")
	}
	if err := o.KDF.check(); err != nil {
		return err
	}
	if !Exists(dir) {
		return ErrNoStore
	}
	lock, err := takeLock(ctx, dir, o)
	if err != nil {
		return err
	}
	defer lock.Close() //nolint:errcheck // releasing a lock
	h, err := readHeader(dir)
	if err != nil {
		return err
	}
	master, err := h.openMaster(from)
	if err != nil {
		return err
	}
	defer clear(master)
	h.KDF = o.KDF
	if h, err = h.wrapMaster(o.Rand, to, master); err != nil {
		return err
	}
	return h.write(o.Disk, dir, false)
}
