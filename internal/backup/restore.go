package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"yinxin/archive/blob"
	"yinxin/archive/tlog"
	"yinxin/crypto/gm"
	"yinxin/transport"
)

// Target is where a snapshot is brought back to. Everything in it must be empty; who makes a Target sees to that.
type Target struct {
	Blobs blob.Store
	Log   tlog.Tiles
	// Load brings the rows back, from files that open gives; nil: they are read and compared, and loaded nowhere.
	Load func(ctx context.Context, m *Manifest, names []string, open func(name string) (io.ReadCloser, error)) error
	// Keys takes the files of the keys; nil: they are read and compared, and kept nowhere.
	Keys func(kind string, files []tlog.File) error
}

// Bounds of what is read.
const (
	maxKeyFile = 4 << 20
	maxLogFile = 32 << 20
	maxEntries = 1 << 24
)

// databasePrefix begins the names of files with rows.
const databasePrefix = "database/"

// Restore brings a snapshot back: keys, blobs, log, and at last the rows. Every byte is compared with the signed manifest
// before the part that it belongs to counts as done; a fault in it wraps ErrDamaged.
func Restore(ctx context.Context, dir string, m *Manifest, key crypto.Decrypter, t Target, progress func(what string, done, of uint64)) error {
	r := &restoring{dir: dir, m: m, key: key, t: t, progress: progress}
	for _, step := range []struct {
		name string
		run  func(ctx context.Context) error
	}{{"keys", r.keys}, {"blobs", r.blobs}, {"log", r.log}, {"database", r.database}} {
		progress(step.name, 0, 0)
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("restore %s of snapshot %s: %w", step.name, m.ID, err)
		}
	}
	return nil
}

type restoring struct {
	dir      string
	m        *Manifest
	key      crypto.Decrypter
	t        Target
	progress func(what string, done, of uint64)
}

// open gives the plain bytes of a file, whose end is an error if they are not those of the manifest.
func (r *restoring) open(name string) (io.ReadCloser, error) {
	for _, f := range r.m.Files {
		if f.Name != name {
			continue
		}
		if filepath.Base(f.Path) != f.Path {
			return nil, fmt.Errorf("%w: %s lies at %q", ErrDamaged, name, f.Path)
		}
		in, err := os.Open(filepath.Join(r.dir, snapshotsDir, r.m.ID, f.Path))
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s is missing", ErrDamaged, f.Path)
		}
		if err != nil {
			return nil, err
		}
		stored := &hashed{r: in, sum: gm.NewSM3()}
		plain, err := openSealed(stored, r.key)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", f.Path, damage(err)), in.Close())
		}
		return &compared{in: in, stored: stored, plain: &hashed{r: plain, sum: gm.NewSM3()}, want: f}, nil
	}
	return nil, fmt.Errorf("%w: it has no file %s", ErrDamaged, name)
}

// damage marks what makes an encrypted file unreadable, save a key that is not meant.
func damage(err error) error {
	if errors.Is(err, ErrNotForKey) || errors.Is(err, ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// hashed counts and hashes what is read.
type hashed struct {
	r   io.Reader
	sum hash.Hash
	n   int64
}

// Read implements io.Reader.
func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.n += int64(n)
	h.sum.Write(p[:n]) // a hash takes everything
	return n, err
}

// compared is a file whose end is compared with the manifest.
type compared struct {
	in            io.Closer
	stored, plain *hashed
	want          File
}

// Read implements io.Reader.
func (c *compared) Read(p []byte) (int, error) {
	n, err := c.plain.Read(p)
	if err == nil {
		return n, nil
	}
	if err != io.EOF { //nolint:errorlint // the end itself
		return n, fmt.Errorf("%s: %w", c.want.Path, damage(err))
	}
	var plain, stored transport.Digest
	c.plain.sum.Sum(plain[:0])
	c.stored.sum.Sum(stored[:0])
	if plain != c.want.SM3 || stored != c.want.Stored || c.plain.n != c.want.Size {
		return n, fmt.Errorf("%s: %w: it is not the file that the manifest names", c.want.Path, ErrDamaged)
	}
	return n, io.EOF
}

// Close implements io.Closer.
func (c *compared) Close() error { return c.in.Close() }

// drained reads a file to its end, so that it is compared.
func drained(r io.ReadCloser) error {
	_, err := io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

// each reads the files that were kept as one.
func (r *restoring) each(name string, limit int64, take func(f tlog.File) error) error {
	in, err := r.open(name)
	if err != nil {
		return err
	}
	all := tar.NewReader(in)
	for range maxEntries {
		head, err := all.Next()
		if errors.Is(err, io.EOF) {
			return drained(in)
		}
		if err == nil && (head.Size > limit || !filepath.IsLocal(filepath.FromSlash(head.Name))) {
			err = fmt.Errorf("%w: %s holds %q of %d bytes", ErrDamaged, name, head.Name, head.Size)
		}
		var data []byte
		if err == nil {
			data, err = io.ReadAll(all)
		}
		if err == nil {
			err = take(tlog.File{Path: head.Name, Data: data})
		}
		if err != nil {
			return errors.Join(err, in.Close())
		}
	}
	return errors.Join(fmt.Errorf("%w: %s holds too many files", ErrDamaged, name), in.Close())
}

func (r *restoring) keys(context.Context) error {
	if r.m.Keys == KeysElsewhere {
		return nil
	}
	var files []tlog.File
	err := r.each("keys.tar", maxKeyFile, func(f tlog.File) error {
		files = append(files, f)
		return nil
	})
	if err != nil || r.t.Keys == nil {
		return err
	}
	return r.t.Keys(r.m.Keys, files)
}

func (r *restoring) blobs(ctx context.Context) error {
	in, err := r.open("blobs.list")
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	n := uint64(0)
	for lines.Scan() {
		ref, err := blob.ParseRef(lines.Text())
		if err != nil {
			return fmt.Errorf("%w: blobs.list: %w", ErrDamaged, err)
		}
		if err := r.blob(ctx, ref); err != nil {
			return fmt.Errorf("blob %s: %w", ref, err)
		}
		n++
		r.progress("blobs", n, r.m.Blobs.Count)
	}
	if lines.Err() == nil && n != r.m.Blobs.Count {
		return fmt.Errorf("%w: %d blobs are listed, the manifest says %d", ErrDamaged, n, r.m.Blobs.Count)
	}
	return lines.Err()
}

func (r *restoring) blob(ctx context.Context, ref blob.Ref) error {
	f, err := os.Open(blobPath(r.dir, ref))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: it is missing", ErrDamaged)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	plain, err := openSealed(f, r.key)
	if err != nil {
		return damage(err)
	}
	_, err = r.t.Blobs.PutAs(ctx, ref, plain)
	if errors.Is(err, blob.ErrMismatch) || isStream(err) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// isStream reports whether an error is one of the encrypted stream itself.
func isStream(err error) bool { return err != nil && strings.Contains(err.Error(), "stream: ") }

func (r *restoring) log(ctx context.Context) error {
	var batch []tlog.File
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := r.t.Log.Put(ctx, batch)
		batch = nil
		return err
	}
	err := r.each("log.tar", maxLogFile, func(f tlog.File) error {
		if strings.HasPrefix(f.Path, gapsName) {
			return r.gap(f.Data)
		}
		if _, err := tlog.ParseTile(f.Path); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if batch = append(batch, f); len(batch) < logBatch {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

// gap brings back a statement of what the log lost earlier.
func (r *restoring) gap(signed []byte) error {
	g, err := tlog.GapOf(signed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	keeper, ok := r.t.Log.(interface {
		PutGap(g tlog.Gap, signed []byte) error
	})
	if !ok {
		return nil
	}
	return keeper.PutGap(g, signed)
}

// logBatch is how many files of the log are written at once.
const logBatch = 64

// database loads the rows; the checkpoint file comes after them, since it says what they have published.
func (r *restoring) database(ctx context.Context) error {
	var names []string
	for _, f := range r.m.Files {
		if name, ok := strings.CutPrefix(f.Name, databasePrefix); ok {
			names = append(names, name)
		}
	}
	if r.t.Load == nil {
		for _, name := range names {
			in, err := r.open(databasePrefix + name)
			if err == nil {
				err = drained(in)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := r.t.Load(ctx, r.m, names, func(name string) (io.ReadCloser, error) { return r.open(databasePrefix + name) })
	if err != nil || r.m.Size == 0 {
		return err
	}
	return r.t.Log.SetCheckpoint(ctx, bytes.Clone([]byte(r.m.Checkpoint)))
}
