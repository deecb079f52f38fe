// Package embedded wires a whole exchange in one process: a database, a store of keys, blobs, the hub, the office service,
// the archive and the evidence log. `yinxin demo` and `yinxind dev` are this package over SQLite, a file key store and file
// blobs; `yinxind serve` hands in the stores of its configuration.
//
// It promises to be nothing but wiring: what an administrator does one command at a time, [System.Apply] does from a list
// through the same code. It is one of the two places that know hub, office and archive at once.
//
// It does not promise protection from whoever controls the process: with a file key store the private keys of all hosted
// offices are in its memory.
package embedded

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/archive/blob/fileblob"
	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/document/fonts"
	"yinxin/internal/audit"
	"yinxin/internal/httpapi"
	"yinxin/internal/pages"
	"yinxin/internal/sqlite"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/seal"
	"yinxin/seal/picture"
	"yinxin/transport"
	"yinxin/transport/calendar"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// KeyStore is a store of keys with its administration.
type KeyStore interface {
	keys.Provider
	keys.Admin
}

// Database is what a system keeps its rows in: internal/sqlite, or internal/postgres for a hub that runs as a service.
type Database interface {
	hub.Store
	hub.Uploads
	directory.Store
	tlog.Queue
	audit.Store
	archive.Index
	seal.Registry
	seal.Requests
	office.Dispatches
	SealsOf(ctx context.Context, office string) ([]seal.Record, error)
	UnfinishedDispatches(ctx context.Context, limit int) ([]office.Dispatch, error)
	AuditRows(ctx context.Context, after uint64, limit int) ([]audit.Row, error)
	// DispatchOf is the dispatch that became an exchange; office.ErrNotFound where its sender packed it elsewhere.
	// ForgetDispatch takes draft and envelope out of it.
	DispatchOf(ctx context.Context, sender, exchange string) (office.Dispatch, error)
	ForgetDispatch(ctx context.Context, p office.Dispatch) error
	VerifyAudit(ctx context.Context) (rows uint64, head [32]byte, err error)
	Close() error
}

// Files is where the evidence log's static files lie.
type Files interface {
	tlog.Tiles
}

// Stores are the places of a system that runs as a service.
type Stores struct {
	Database Database
	Blobs    blob.Store
	Files    Files
	// Lead waits until no other hub integrates the log, and runs fn while that is so. Nil: this hub is alone.
	Lead func(ctx context.Context, fn func(context.Context) error) error
	// Published, where set, is told of every checkpoint, for an anchor outside of the stores.
	Published func(signed []byte) error
}

// Config of a system. Dir, Keys, Code, Archive and Origin are required.
type Config struct {
	// Dir holds temporary files and, where Stores is nil, database, blobs and log; made if it is missing.
	Dir string
	// Stores are the places of a service; they are closed with the system. Nil: SQLite and files in Dir.
	Stores *Stores
	// Keys holds every private key: CA, seal maker, log, offices, archive.
	Keys KeyStore
	// Code names the hub in evidence, Archive the office that keeps its records, Fonds is that archive's 全宗号.
	Code, Archive, Fonds string
	// Origin names the evidence log; see docs/formats/log.md.
	Origin string
	// Authority is the common name of the built-in CA.
	Authority string
	// Pending is how many entries may wait for the log before submissions are refused; 0 is hub.Config's own bound.
	Pending int64
	// Calendar and SignFor are the hub's; see hub.Config. Uploads and Limits bound what one party may ask.
	Calendar calendar.Calendar
	SignFor  map[transport.Urgency]time.Duration
	Uploads  hub.UploadLimits
	Limits   httpapi.Limits
	// Scanner looks for malware before hosted offices seal and pack; nil: nobody looks.
	Scanner office.Scanner
	// SupplementDelay is hub.Config's.
	SupplementDelay time.Duration
	// SealRanks are the sizes of round seals by the rank of their office, in mm; nil takes the table that is built in.
	SealRanks picture.Ranks
	// Faces set the documents and draw the seals; nil takes the embedded ones.
	Faces *fonts.Set
	Clock func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
}

// Names of the system's own keys.
const (
	keyCA    = "authority"
	keyMaker = "seal-maker"
	keyLog   = "evidence-log"
)

// System is a running exchange.
type System struct {
	Hub       *hub.Hub
	Office    *office.Service
	Registrar *office.Registrar
	Directory *directory.Directory
	Archive   *archive.Archive
	Database  Database
	Blobs     blob.Store
	// Log is the evidence log's files, LogKey what its checkpoints are judged by.
	Log    Files
	LogKey *tlog.Verifier
	Root   *cert.Certificate

	config Config
	// signatures remembers which certificates are truly signed by whom; they are the same few for every document.
	signatures cert.Cache
	log        tlog.Config
	sequencer  *tlog.Sequencer
	wake       chan struct{}
	closers    []io.Closer
}

// Open opens the system in its folder, and makes what is missing there: database, CA, seal maker and log keys.
func Open(ctx context.Context, c Config) (*System, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &System{config: c, wake: make(chan struct{}, 1)}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open system in %s: %w", c.Dir, err), s.Close())
	}
	return s, nil
}

func (s *System) open(ctx context.Context) error {
	if err := os.MkdirAll(s.config.Dir, 0o700); err != nil {
		return err
	}
	if err := s.openStores(ctx); err != nil {
		return err
	}
	return s.openServices(ctx)
}

func (s *System) openStores(ctx context.Context) error {
	if given := s.config.Stores; given != nil {
		s.Database, s.Blobs, s.Log = given.Database, given.Blobs, given.Files
		s.closers = append(s.closers, given.Database)
		return os.MkdirAll(s.tempDir(), 0o700)
	}
	db, err := sqlite.Open(ctx, filepath.Join(s.config.Dir, "hub.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	s.Database = db
	s.closers = append(s.closers, db)
	if err := s.clearTemp(); err != nil { // the database is locked, so nobody else is at work in it
		return err
	}
	if s.Blobs, err = fileblob.Open(filepath.Join(s.config.Dir, "blobs")); err != nil {
		return err
	}
	s.Log, err = tlog.OpenDir(filepath.Join(s.config.Dir, "log"))
	return err
}

// tempDir is where documents lie in the clear while they are opened or packed, and no longer.
func (s *System) tempDir() string { return filepath.Join(s.config.Dir, "tmp") }

// clearTemp removes what a process that died in the middle left in the clear.
func (s *System) clearTemp() error {
	if err := os.RemoveAll(s.tempDir()); err != nil {
		return fmt.Errorf("clear temporary files: %w", err)
	}
	return os.Mkdir(s.tempDir(), 0o700)
}

func (s *System) openServices(ctx context.Context) error {
	ca, maker, logKey, err := s.authority(ctx)
	if err != nil {
		return err
	}
	if err := s.openLog(ctx, logKey); err != nil {
		return err
	}
	c := s.config
	s.Directory, err = directory.New(s.Database, directory.Options{Clock: c.Clock, Rand: c.Rand})
	if err != nil {
		return err
	}
	auditor := audit.New(s.Database, c.Clock)
	faces := c.Faces
	if faces == nil {
		faces = fonts.Embedded()
	}
	s.Registrar = &office.Registrar{
		Keys: c.Keys, Admin: c.Keys, CA: ca, Chain: []*cert.Certificate{s.Root}, Maker: maker.signer, MakerCert: maker.cert,
		Offices: s.Directory, Reserved: []string{c.Code, c.Archive}, Accounts: s.Directory, Seals: s.Database, Requests: s.Database, Policy: s.policy(), Ranks: c.SealRanks,
		Faces: faces, Audit: auditor, Clock: c.Clock, Rand: c.Rand, NewID: s.newID,
	}
	_, nameless := c.Keys.(*filekeys.Store) // custodians of files sign for each use; a hub is none
	s.Office = &office.Service{
		Keys: c.Keys, Nameless: nameless, Directory: s.Directory, Seals: s.Database, Dispatches: s.Database, Audit: auditor, Drafts: s.Blobs,
		Faces: faces, Scanner: c.Scanner, Measure: pages.Measurer(faces), Policy: s.policy(), Archive: c.Archive, Clock: c.Clock, Rand: c.Rand, NewID: s.newID, TempDir: s.tempDir(),
	}
	s.Archive = &archive.Archive{
		Fonds: c.Fonds, Blobs: s.Blobs, Index: s.Database, Clock: c.Clock, Rand: c.Rand, NewID: s.newID, TempDir: s.tempDir(),
	}
	s.Hub, err = hub.New(hub.Config{Code: c.Code, Archive: c.Archive, Shared: s.shared(), QueueBound: c.Pending, Calendar: c.Calendar, SignFor: c.SignFor, Uploads: c.Uploads, SupplementDelay: c.SupplementDelay}, hub.Parts{
		Store: s.Database, Uploads: s.Database, Blobs: s.Blobs, Directory: s.Directory, Auditor: auditor, Archiver: &depositor{s},
		Policy: s.policy, Clock: c.Clock, Rand: c.Rand, Log: c.Log, Wake: s.wakeLog,
	})
	s.Office.Hub = localHub{s.Hub}
	return err
}

// policy is whom this system trusts: its own CA.
func (s *System) policy() cert.Policy {
	return cert.Policy{Roots: []*cert.Certificate{s.Root}, Revocation: verdict.RevocationAuto, Cache: &s.signatures}
}

func (s *System) newID() string {
	id, err := transport.NewID(s.config.Clock(), s.config.Rand)
	if err != nil { // the system's randomness does not fail; an empty id is refused by every store
		return ""
	}
	return id
}

// certified is one of the system's own keys with its certificate.
type certified struct {
	signer crypto.Signer
	cert   *cert.Certificate
}

// authority opens the CA, the seal maker and the log's key, and makes those that are missing.
func (s *System) authority(ctx context.Context) (*cert.Authority, certified, certified, error) {
	var none certified
	err := s.ensureKeys(ctx, map[string]keys.Purpose{
		keyCA: keys.PurposeIssue, keyMaker: keys.PurposeMake, keyLog: keys.PurposeCheckpoint,
	})
	if err != nil {
		return nil, none, none, err
	}
	station := cert.Station{Now: s.config.Clock, Rand: s.config.Rand}
	var ca *cert.Authority
	root, err := s.certifiedKey(ctx, keyCA, keys.PurposeIssue, func(signer crypto.Signer) (*cert.Certificate, error) {
		station.Signer = signer
		made, err := cert.NewRoot(station, cert.Subject(s.config.Authority, ""), cert.IssueOptions{})
		if err != nil {
			return nil, err
		}
		return made.Certificate, nil
	})
	if err != nil {
		return nil, none, none, err
	}
	station.Signer, s.Root = root.signer, root.cert
	if ca, err = cert.OpenAuthority(station, root.cert); err != nil {
		return nil, none, none, err
	}
	maker, err := s.issued(ctx, keyMaker, keys.PurposeMake, "Seal maker", ca.IssueMaker)
	if err != nil {
		return nil, none, none, err
	}
	logKey, err := s.issued(ctx, keyLog, keys.PurposeCheckpoint, "Evidence log", ca.IssueSigning)
	return ca, maker, logKey, err
}

func (s *System) ensureKeys(ctx context.Context, wanted map[string]keys.Purpose) error {
	var missing []keys.CreateOptions
	for name, purpose := range wanted {
		_, err := s.config.Keys.Public(ctx, keys.Ref{Name: name})
		if errors.Is(err, keys.ErrNotFound) {
			missing = append(missing, keys.CreateOptions{Name: name, Purpose: purpose})
			continue
		}
		if err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err := s.config.Keys.Create(ctx, missing...)
	return err
}

// issued is certifiedKey with a certificate of the CA.
func (s *System) issued(
	ctx context.Context, name string, purpose keys.Purpose, title string,
	issue func(pkix.Name, *ecdsa.PublicKey, cert.IssueOptions) (*cert.Certificate, error),
) (certified, error) {
	return s.certifiedKey(ctx, name, purpose, func(signer crypto.Signer) (*cert.Certificate, error) {
		pub, ok := signer.Public().(*ecdsa.PublicKey)
		if !ok {
			return nil, fmt.Errorf("key %s is not an SM2 key", name)
		}
		return issue(cert.Subject(title+" of "+s.config.Code, ""), pub, cert.IssueOptions{})
	})
}

// certifiedKey opens a key; where it has no certificate yet, make provides one and it is stored with the key.
func (s *System) certifiedKey(
	ctx context.Context, name string, purpose keys.Purpose, make func(crypto.Signer) (*cert.Certificate, error),
) (certified, error) {
	info, err := s.config.Keys.Public(ctx, keys.Ref{Name: name})
	if err != nil {
		return certified{}, fmt.Errorf("key %s: %w", name, err)
	}
	signer, err := keys.Signer(ctx, s.config.Keys, info.Ref, purpose)
	if err != nil {
		return certified{}, fmt.Errorf("key %s: %w", name, err)
	}
	if len(info.Certificates) > 0 {
		c, err := cert.Parse(info.Certificates[0])
		return certified{signer, c}, err
	}
	c, err := make(signer)
	if err != nil {
		return certified{}, fmt.Errorf("certify key %s: %w", name, err)
	}
	chain := [][]byte{c.Raw}
	if s.Root != nil {
		chain = append(chain, s.Root.Raw)
	}
	_, err = s.config.Keys.ImportCertificate(ctx, info.Ref, chain)
	return certified{signer, c}, err
}

func (s *System) openLog(ctx context.Context, key certified) error {
	signer, err := tlog.NewSigner(s.config.Origin, key.signer, s.config.Rand)
	if err != nil {
		return err
	}
	if s.LogKey, err = tlog.NewVerifier(s.config.Origin, key.cert.PublicKey); err != nil {
		return err
	}
	s.log = tlog.Config{Queue: s.Database, Tiles: s.Log, Signer: signer}
	look := s.log
	look.Passive = s.shared() // another hub may be at work
	s.sequencer, err = tlog.Open(ctx, look)
	return err
}

// shared reports whether other hubs work on the same database.
func (s *System) shared() bool { return s.config.Stores != nil && s.config.Stores.Lead != nil }

// wakeLog says that there are new entries.
func (s *System) wakeLog() {
	select {
	case s.wake <- struct{}{}:
	default: // the log is awake already
	}
}

// gather is how long the log waits for company after the first entry of a batch.
const gather = 5 * time.Millisecond

// Run does the work that nobody waits for: jobs of the hub, the log's batches and the receipts. It returns when ctx ends
// or when the log must not go on.
func (s *System) Run(ctx context.Context) error {
	if _, err := s.Hub.BuildReceipts(ctx); err != nil { // what an earlier process left
		return err
	}
	var tries retries
	if err := s.resumeDispatches(ctx, &tries); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Hub.Run(ctx) })
	g.Go(func() error { return s.runLog(ctx) })
	g.Go(func() error { return s.runDispatches(ctx, &tries) })
	g.Go(func() error { return s.Hub.RunSweep(ctx) })
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// sharedPause is how often the hub that leads looks for entries of the others.
const sharedPause = 10 * time.Millisecond

// runLog integrates entries: always, or while this hub leads.
func (s *System) runLog(ctx context.Context) error {
	report := func(p tlog.Publication, err error) { s.published(ctx, p, err) }
	if !s.shared() {
		return s.sequencer.Run(ctx, s.wake, tlog.Timing{Gather: gather, Pause: time.Second, Retry: time.Second}, report)
	}
	for {
		err := s.config.Stores.Lead(ctx, func(ctx context.Context) error {
			sequencer, err := tlog.Open(ctx, s.log) // the log has moved while another hub led
			if err != nil {
				return err
			}
			if _, err := s.Hub.BuildReceipts(ctx); err != nil { // of a leader that died in between
				return err
			}
			return sequencer.Run(ctx, s.wake, tlog.Timing{Gather: gather, Pause: sharedPause, Retry: 250 * time.Millisecond}, report)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.config.Log.WarnContext(ctx, "this hub stops leading the log", slog.Any("error", err))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(sharedPause):
		}
	}
}

// published tells the anchor of a batch and builds its receipts.
func (s *System) published(ctx context.Context, p tlog.Publication, err error) {
	if err == nil && s.config.Stores != nil && s.config.Stores.Published != nil {
		err = s.config.Stores.Published(p.Head.Note)
	}
	if err == nil {
		_, err = s.Hub.BuildReceipts(ctx)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		s.config.Log.ErrorContext(ctx, "log batch", slog.Any("error", err))
	}
}

// Close closes what Open opened, but not the key store.
func (s *System) Close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// archiveSigner completes the archive with its office's signing key, once that office exists.
func (s *System) archiveSigner(ctx context.Context) error {
	if s.Archive.Signer != nil {
		return nil
	}
	name := "office." + strings.ToLower(s.config.Archive) + ".sign"
	key, err := s.certifiedKey(ctx, name, keys.PurposeSign, func(crypto.Signer) (*cert.Certificate, error) {
		return nil, errors.New("the archive's key has no certificate")
	})
	if err != nil {
		return err
	}
	if transport.CodeOf(key.cert.Subject) != s.config.Archive {
		return fmt.Errorf("key %s is certified for %s, which is not the archive %s", name, key.cert.SubjectText(), s.config.Archive)
	}
	s.Archive.Signer, s.Archive.Certificate, s.Archive.Chain = key.signer, key.cert, []*cert.Certificate{s.Root}
	return nil
}
