// Package witness watches evidence logs for those who hold their receipts: it cosigns a checkpoint only when it extends
// every checkpoint of that log that it cosigned before.
//
// It promises, per log: what it has cosigned is on the disk before the cosignature leaves it, so that a crash or a restart
// never lets it sign two histories; a tree must be proven in both hashes; two signed checkpoints that contradict each other
// are kept as evidence and never signed. It knows a log by its key alone and believes nothing else.
//
// It does not promise that an entry is true, nor that a log which it does not see goes on. A witness whose own folder is put
// back to an older state may sign again what it had signed, never anything that contradicts what is left there: keep it on
// another machine, in other hands.
package witness

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
	"yinxin/internal/durable"
)

// What a witness refuses. A checkpoint may also be refused with tlog's ErrMalformed, ErrSignature, ErrWrongLog, ErrProof,
// ErrFork and ErrStale.
var (
	// ErrUnknownLog: no key of this log is configured.
	ErrUnknownLog = errors.New("witness: unknown log")
)

// OldSizeError says that a proof begins at another size than the one that the witness has cosigned last.
type OldSizeError struct{ Known uint64 }

func (e *OldSizeError) Error() string {
	return fmt.Sprintf("witness: the proof must begin at size %d", e.Known)
}

// Config of a witness; all of it is needed.
type Config struct {
	// Dir holds the state; one process at a time.
	Dir string
	// Key signs.
	Key *tlog.Cosigner
	// Logs are the keys of the logs that are watched, past keys too.
	Logs  []*tlog.Verifier
	Clock func() time.Time
}

// Witness is an open witness. It is safe for concurrent use.
type Witness struct {
	c    Config
	held *durable.Held
	mu   sync.Mutex
	last map[string][]byte // the newest cosigned checkpoint of each log, with the witness's line
}

const (
	fileMode    = 0o644
	dirMode     = 0o755
	evidenceDir = "evidence"
	lockWait    = 2 * time.Second
)

// Open opens the witness's folder, or makes it. State that cannot be read or was not signed by this witness stops it: it
// would not know what it must not contradict.
func Open(ctx context.Context, c Config) (*Witness, error) {
	if err := durable.MkdirAll(filepath.Join(c.Dir, evidenceDir), dirMode); err != nil {
		return nil, fmt.Errorf("open witness: %w", err)
	}
	held, err := durable.Lock(ctx, filepath.Join(c.Dir, "lock"), true, lockWait)
	if err != nil {
		return nil, fmt.Errorf("open witness: %w", err)
	}
	w := &Witness{c: c, held: held, last: map[string][]byte{}}
	for _, origin := range w.Origins() {
		if err := w.load(origin); err != nil {
			return nil, errors.Join(fmt.Errorf("open witness: state of %s: %w", origin, err), held.Close())
		}
	}
	return w, nil
}

// Close lets another process open the folder.
func (w *Witness) Close() error { return w.held.Close() }

// Key is the witness's public key.
func (w *Witness) Key() *tlog.Cosignatory { return w.c.Key.Cosignatory }

// Origins lists the logs that are watched.
func (w *Witness) Origins() []string {
	var all []string
	for _, v := range w.c.Logs {
		if !slices.Contains(all, v.Name()) {
			all = append(all, v.Name())
		}
	}
	slices.Sort(all)
	return all
}

// stem names the files of a log: an origin may hold what a file name may not.
func stem(origin string) string {
	d := gm.SM3([]byte(origin))
	return hex.EncodeToString(d[:8])
}

func (w *Witness) path(origin string) string { return filepath.Join(w.c.Dir, stem(origin)+".note") }

func (w *Witness) load(origin string) error {
	signed, err := os.ReadFile(w.path(origin))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := tlog.OpenCheckpoint(signed, tlog.Keys(w.c.Logs...)...)
	if err != nil {
		return err
	}
	own, err := tlog.Cosignatures(signed, w.Key())
	if err != nil {
		return err
	}
	if c.Origin != origin || len(own) != 1 {
		return fmt.Errorf("%w: it does not bear this witness's line", tlog.ErrMalformed)
	}
	w.last[origin] = signed
	return nil
}

// Last returns the newest checkpoint of a log that the witness has cosigned, with its line; fs.ErrNotExist when there is
// none yet.
func (w *Witness) Last(origin string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if signed := w.last[origin]; signed != nil {
		return signed, nil
	}
	if !slices.Contains(w.Origins(), origin) {
		return nil, fmt.Errorf("%w: %s", ErrUnknownLog, origin)
	}
	return nil, fmt.Errorf("checkpoint of %s: %w", origin, fs.ErrNotExist)
}

// known is what the witness must not contradict.
func (w *Witness) known(origin string) (tlog.Checkpoint, []byte, error) {
	signed := w.last[origin]
	if signed == nil {
		return tlog.EmptyTree(origin), nil, nil
	}
	c, err := tlog.OpenCheckpoint(signed, tlog.Keys(w.c.Logs...)...)
	return c, signed, err
}

// Add cosigns a signed checkpoint that is proven to extend the last one cosigned, of oldSize, and returns the checkpoint
// with the witness's line. Of two checkpoints of one size with different roots both are kept as evidence.
func (w *Witness) Add(_ context.Context, oldSize uint64, x tlog.Extension, signed []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.open(signed)
	if err != nil {
		return nil, err
	}
	old, oldNote, err := w.known(c.Origin)
	if err != nil {
		return nil, err
	}
	if old.Size == c.Size && !old.SameTree(c) {
		return nil, errors.Join(fmt.Errorf("%w: two roots of size %d", tlog.ErrFork, c.Size), w.keep(c.Origin, oldNote, signed))
	}
	if old.Size != oldSize {
		return nil, &OldSizeError{old.Size}
	}
	if err := tlog.VerifyExtension(old, c, x); err != nil {
		return nil, err
	}
	line, err := w.c.Key.Cosign(c, w.c.Clock())
	if err != nil {
		return nil, err
	}
	// Only the log's own lines are taken over: what others add is theirs to serve.
	cosigned, err := tlog.WithLines(bare(signed, w.c.Logs), line)
	if err != nil {
		return nil, err
	}
	if err := durable.WriteFile(w.path(c.Origin), cosigned, fileMode); err != nil {
		return nil, fmt.Errorf("keep checkpoint of %s: %w", c.Origin, err)
	}
	w.last[c.Origin] = cosigned
	return cosigned, nil
}

func (w *Witness) open(signed []byte) (tlog.Checkpoint, error) {
	c, err := tlog.ParseCheckpoint(signed)
	if err != nil {
		return c, err
	}
	if !slices.Contains(w.Origins(), c.Origin) {
		return c, fmt.Errorf("%w: %s", ErrUnknownLog, c.Origin)
	}
	return tlog.OpenCheckpoint(signed, tlog.Keys(w.c.Logs...)...)
}

// bare is a signed checkpoint with the lines of the given log keys alone.
func bare(signed []byte, logs []*tlog.Verifier) []byte {
	at := bytes.LastIndex(signed, []byte("\n\n")) + 2
	out := bytes.Clone(signed[:at])
	for _, l := range tlog.SignatureLines(signed) {
		if slices.ContainsFunc(logs, func(v *tlog.Verifier) bool { return strings.HasPrefix(l, "— "+v.Name()+" ") }) {
			out = append(out, l+"\n"...)
		}
	}
	return out
}

// Look asks a log for its newest checkpoint, proves from its files that it extends the last one cosigned, and cosigns it.
// A log that shows another history is [tlog.ErrFork], one that went back is [tlog.ErrStale]; in both cases the two signed
// notes are kept.
func (w *Witness) Look(ctx context.Context, f tlog.Fetcher) ([]byte, error) {
	signed, err := f.Fetch(ctx, tlog.CheckpointPath)
	if err != nil {
		return nil, fmt.Errorf("fetch checkpoint: %w", err)
	}
	w.mu.Lock()
	c, err := w.open(signed)
	if err != nil {
		w.mu.Unlock()
		return nil, err
	}
	old, oldNote, err := w.known(c.Origin)
	w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if old.Size > 0 {
		err := tlog.CheckExtends(ctx, f, old, c)
		if errors.Is(err, tlog.ErrFork) || errors.Is(err, tlog.ErrStale) {
			return nil, errors.Join(err, w.keep(c.Origin, oldNote, signed))
		}
		if err != nil {
			return nil, err
		}
	}
	x, err := tlog.ProveExtension(ctx, f, old.Size, c)
	if err != nil {
		return nil, err
	}
	return w.Add(ctx, old.Size, x, signed)
}

// keep writes two notes that contradict each other. The names are made from their content: seen again, they are there.
func (w *Witness) keep(origin string, old, now []byte) error {
	d := gm.SM3(old, now)
	name := filepath.Join(w.c.Dir, evidenceDir, stem(origin)+"-"+hex.EncodeToString(d[:8]))
	var errs []error
	for suffix, note := range map[string][]byte{"-before.note": old, "-after.note": now} {
		if err := durable.WriteFile(name+suffix, note, fileMode); err != nil {
			errs = append(errs, fmt.Errorf("keep evidence: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Evidence lists the files of notes that contradict each other, two a case.
func (w *Witness) Evidence() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(w.c.Dir, evidenceDir))
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".note") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// EvidenceNote reads one of them.
func (w *Witness) EvidenceNote(name string) ([]byte, error) {
	names, err := w.Evidence()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("evidence %q: %w", name, fs.ErrNotExist)
	}
	return fs.ReadFile(os.DirFS(filepath.Join(w.c.Dir, evidenceDir)), name)
}
