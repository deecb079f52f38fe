// Package hubtest makes offices with real keys and certificates and signs what they
// send, for tests of the hub and of what stands around it. Tests alone import it.
package hubtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"testing"
	"time"

	"yinxin/archive/blob/fileblob"
	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/internal/audit"
	"yinxin/transport"
	"yinxin/transport/directory"
	"yinxin/transport/envelope"
	"yinxin/transport/hub"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// ArchiveCode is the office that keeps the records in every World.
const ArchiveCode = "ARCHIVE"

// HubCode names the hub in evidence, LogName its log.
const (
	HubCode = "HUB"
	LogName = "hub.example/log"
)

// Clock is a clock that stands until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now gives the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock on.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Office is one office with its keys.
type Office struct {
	Code           string
	SigningKey     *gm.PrivateKey
	SigningCert    *cert.Certificate
	EncryptionKey  *gm.PrivateKey
	EncryptionCert *cert.Certificate
}

// World is a CA and its offices: the senders A and B, the recipients C and D, and the archive.
type World struct {
	tb      testing.TB
	Clock   *Clock
	Root    *cert.Certificate
	ca      *cert.Authority
	offices map[string]*Office
	log     *gm.PrivateKey // of the evidence log, the same after a restart
}

// New makes a World.
func New(tb testing.TB) *World {
	tb.Helper()
	w := &World{tb: tb, Clock: &Clock{now: time.Now().UTC().Truncate(time.Millisecond)}, offices: map[string]*Office{}}
	st := cert.Station{Signer: w.key(), Now: w.Clock.Now, Rand: rand.Reader}
	root, err := cert.NewRoot(st, cert.Subject("Test Root", "Tests"), cert.IssueOptions{})
	w.must(err)
	w.ca, w.Root = root, root.Certificate
	w.log = w.key()
	for _, code := range []string{"A", "B", "C", "D", ArchiveCode} {
		w.Add(code)
	}
	return w
}

func (w *World) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

func (w *World) key() *gm.PrivateKey {
	w.tb.Helper()
	k, err := gm.GenerateKey(rand.Reader)
	w.must(err)
	return k
}

// Add makes an office with both certificates.
func (w *World) Add(code string) *Office {
	w.tb.Helper()
	o := &Office{Code: code, SigningKey: w.key(), EncryptionKey: w.key()}
	subject := cert.Subject("Office "+code, "Tests")
	subject.SerialNumber = code
	var err error
	o.SigningCert, err = w.ca.IssueSigning(subject, o.SigningKey.PublicKey(), cert.IssueOptions{})
	w.must(err)
	o.EncryptionCert, err = w.ca.IssueEncryption(subject, o.EncryptionKey.PublicKey(), cert.IssueOptions{})
	w.must(err)
	w.offices[code] = o
	return o
}

// Office returns an office of the World.
func (w *World) Office(code string) *Office { return w.offices[code] }

// Policy trusts the root of this World.
func (w *World) Policy() cert.Policy { return cert.Policy{Roots: []*cert.Certificate{w.Root}} }

// Register writes all offices into a directory.
func (w *World) Register(ctx context.Context, d *directory.Directory) {
	w.tb.Helper()
	for _, o := range w.offices {
		w.must(d.SaveOrganisation(ctx, directory.Organisation{
			Code: o.Code, Name: "Office " + o.Code, SigningCert: o.SigningCert.PEM(), EncryptionCert: o.EncryptionCert.PEM(),
			Archive: o.Code == ArchiveCode,
		}))
	}
}

// ID makes a fresh exchange id.
func (w *World) ID() string {
	w.tb.Helper()
	id, err := transport.NewID(w.Clock.Now(), rand.Reader)
	w.must(err)
	return id
}

// Pack packs a document of one sender for recipients (main ones; the archive always
// gets its part) with a clean report. edit may change the options.
func (w *World) Pack(id, sender string, document []byte, edit func(*envelope.PackOptions), recipients ...string) []byte {
	w.tb.Helper()
	from := w.offices[sender]
	o := envelope.PackOptions{
		Exchange: id, Sender: sender, Own: from.EncryptionCert,
		Sign:  w.Sign(sender),
		Files: []envelope.Source{{Name: "document.ofd", Content: bytes.NewReader(document)}},
		Report: envelope.Report{Tool: "hubtest", Findings: []envelope.Finding{
			{Check: envelope.FindingClassification, Verdict: verdict.Passed}, {Check: envelope.FindingSeals, Verdict: verdict.Passed},
		}},
	}
	for _, code := range recipients {
		o.Recipients = append(o.Recipients, envelope.Recipient{Code: code, Role: transport.To, Certificate: w.offices[code].EncryptionCert})
	}
	if !slices.Contains(recipients, ArchiveCode) {
		o.Recipients = append(o.Recipients, envelope.Recipient{
			Code: ArchiveCode, Role: transport.ForArchive, Certificate: w.offices[ArchiveCode].EncryptionCert,
		})
	}
	if edit != nil {
		edit(&o)
	}
	var out bytes.Buffer
	_, err := envelope.Pack(&out, o)
	w.must(err)
	return out.Bytes()
}

// Sign gives the options with which an office signs.
func (w *World) Sign(code string) cms.SignOptions {
	o := w.offices[code]
	return cms.SignOptions{Signer: o.SigningKey, Certificate: o.SigningCert, Time: w.Clock.Now(), Rand: rand.Reader}
}

// Statement signs a statement of an office about a delivery. edit may change it.
func (w *World) Statement(
	office string, event transport.Event, x transport.Exchange, recipient string, edit func(*receipt.Statement),
) []byte {
	w.tb.Helper()
	s := receipt.Statement{
		Event: event, Time: w.Clock.Now(), Exchange: x.ID, DocumentSM3: x.DocumentSM3, DocumentSHA256: x.DocumentSHA256,
		Sender: x.Sender, Recipient: recipient,
	}
	if event == transport.ConsignmentRejection {
		s.Reason, s.Text = "01", "not ours"
	}
	if edit != nil {
		edit(&s)
	}
	der, err := s.Sign(w.Sign(office))
	w.must(err)
	return der
}

// Store is what a hub is run on here.
type Store interface {
	hub.Store
	hub.Uploads
	directory.Store
	tlog.Queue
	audit.Store
}

// Running is a hub with its directory and its log.
type Running struct {
	*hub.Hub
	World     *World
	Store     Store
	Directory *directory.Directory
	Log       *tlog.Dir
	Key       *tlog.Verifier
	Auditor   *audit.Log
	sequencer *tlog.Sequencer
}

// Run starts a hub over a store, with blobs and log in a folder. edit may change
// configuration and parts before the start. Nothing runs in the background: Settle
// does the work.
func (w *World) Run(store Store, folder string, edit func(*hub.Config, *hub.Parts)) *Running {
	w.tb.Helper()
	ctx := context.Background()
	dir, err := directory.New(store, directory.Options{Clock: w.Clock.Now, Rand: rand.Reader})
	w.must(err)
	w.Register(ctx, dir)
	blobs, err := fileblob.Open(folder + "/blobs")
	w.must(err)
	cfg := hub.Config{Code: HubCode, Archive: ArchiveCode}
	parts := hub.Parts{
		Store: store, Uploads: store, Blobs: blobs, Directory: dir, Auditor: audit.New(store, w.Clock.Now), Policy: w.Policy,
		Clock: w.Clock.Now, Rand: rand.Reader, Archiver: Shelf{},
	}
	if edit != nil {
		edit(&cfg, &parts)
	}
	h, err := hub.New(cfg, parts)
	w.must(err)
	log, err := tlog.OpenDir(folder + "/log")
	w.must(err)
	key := w.log
	signer, err := tlog.NewSigner(LogName, key, rand.Reader)
	w.must(err)
	verifier, err := tlog.NewVerifier(LogName, key.PublicKey())
	w.must(err)
	seq, err := tlog.Open(ctx, tlog.Config{Queue: store, Tiles: log, Signer: signer})
	w.must(err)
	return &Running{
		Hub: h, World: w, Store: store, Directory: dir, Log: log, Key: verifier, sequencer: seq,
		Auditor: audit.New(store, w.Clock.Now),
	}
}

// Publish takes the log as far as there are entries, and builds the receipts.
func (r *Running) Publish(ctx context.Context) error {
	for {
		p, err := r.sequencer.Integrate(ctx)
		if err != nil {
			return err
		}
		if len(p.Leaves) == 0 {
			break
		}
	}
	_, err := r.BuildReceipts(ctx)
	return err
}

// Settle publishes and works until there is nothing to do now.
func (r *Running) Settle(ctx context.Context) error {
	for {
		if err := r.Publish(ctx); err != nil {
			return err
		}
		n, err := r.Work(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return r.Publish(ctx)
		}
	}
}

// Caller is a clerk of an office.
func Caller(office string) hub.Caller {
	return hub.Caller{Account: "clerk-" + office, Org: office, Request: "test"}
}

// Shelf is an archiver that keeps nothing: the digest is that of the exchange id.
type Shelf struct{}

// Deposit implements hub.Archiver.
func (Shelf) Deposit(ctx context.Context, r hub.Record) (transport.Digest, error) {
	var out bytes.Buffer
	if err := r.Envelope(ctx, &out); err != nil {
		return transport.Digest{}, err
	}
	return gm.SM3([]byte(r.Exchange.ID)), nil
}

// Supplement implements hub.Archiver: the digest is that of the receipts.
func (Shelf) Supplement(_ context.Context, r hub.Record) (transport.Digest, error) {
	return gm.SM3(bytes.Join(r.Receipts, nil)), nil
}

// Destroy implements hub.Archiver.
func (Shelf) Destroy(_ context.Context, k hub.Keeping) ([]byte, error) {
	return []byte("tombstone of " + k.Exchange), nil
}
