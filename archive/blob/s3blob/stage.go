package s3blob

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/minio/minio-go/v7"

	"yinxin/archive/blob"
	"yinxin/internal/durable"
)

// stageFolder holds the pieces of staged content: BUCKET/PREFIXstaged/NAME/PIECE. Each Sync puts one piece under a name that
// nobody else uses, and the mark lists the pieces that count; so two that go on with the same content do each other no harm.
const stageFolder = "staged/"

// Bounds of a mark.
const (
	maxPieces    = 1 << 16
	pieceNameLen = 16
)

// pieceOf is one piece in a mark, NAME:SIZE.
type pieceOf struct {
	name string
	size int64
}

func parseMark(mark string) (ps []pieceOf, total int64, err error) {
	if mark == "" {
		return nil, 0, nil
	}
	for word := range strings.SplitSeq(mark, ",") {
		name, text, _ := strings.Cut(word, ":")
		size, err := strconv.ParseInt(text, 10, 64)
		if err != nil || size <= 0 || len(name) != pieceNameLen || len(ps) == maxPieces {
			return nil, 0, errors.New("mark of staged content cannot be read")
		}
		ps, total = append(ps, pieceOf{name, size}), total+size
	}
	return ps, total, nil
}

func markOf(ps []pieceOf) string {
	words := make([]string, 0, len(ps))
	for _, p := range ps {
		words = append(words, p.name+":"+strconv.FormatInt(p.size, 10))
	}
	return strings.Join(words, ",")
}

// staged is content on its way: a file of this process without a name, of which the bytes before base lie in the bucket alone
// until somebody reads them.
type staged struct {
	s    *Store
	ctx  context.Context //nolint:containedctx // of Stage: pieces are fetched when somebody reads
	name string
	f    *os.File

	mu      sync.Mutex
	base    int64 // what of the beginning is not in the file
	written int64
	pieces  []pieceOf
	synced  int64
}

// Stage implements blob.Stager.
func (s *Store) Stage(ctx context.Context, name, mark string, size int64) (blob.Staged, error) {
	if name != "" && !blob.StageName(name) {
		return nil, fmt.Errorf("stage content: %w", blob.ErrStageName)
	}
	pieces, total, err := parseMark(mark)
	if err != nil || total < size || total > size && size > 0 {
		return nil, fmt.Errorf("stage content: %w: the mark is of %d bytes, not %d", blob.ErrCorrupt, total, size)
	}
	if size == 0 {
		pieces = nil
	}
	f, err := os.CreateTemp(s.copies.dir, durable.TempPrefix+"*")
	if err != nil {
		return nil, fmt.Errorf("stage content: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("stage content: %w", err), f.Close())
	}
	return &staged{s: s, ctx: ctx, name: name, f: f, base: size, written: size, pieces: pieces, synced: size}, nil
}

// Write implements io.Writer.
func (t *staged) Write(p []byte) (int, error) {
	t.mu.Lock()
	at := t.written
	t.mu.Unlock()
	n, err := t.f.WriteAt(p, at)
	t.mu.Lock()
	t.written += int64(n)
	t.mu.Unlock()
	if errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("%w: %w", blob.ErrNoSpace, err)
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (t *staged) ReadAt(p []byte, off int64) (int, error) {
	if err := t.whole(); err != nil {
		return 0, err
	}
	return t.f.ReadAt(p, off)
}

// whole fetches what the file lacks.
func (t *staged) whole() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := int64(0)
	for _, p := range t.pieces {
		if at >= t.base {
			break
		}
		if err := t.fetch(p, at); err != nil {
			return fmt.Errorf("read staged content: %w", err)
		}
		at += p.size
	}
	t.base = 0
	return nil
}

func (t *staged) fetch(p pieceOf, at int64) error {
	body, _, _, err := t.s.client.GetObject(t.ctx, t.s.c.Bucket, t.s.stageKey(t.name)+p.name, minio.GetObjectOptions{})
	if err != nil {
		return classify(err)
	}
	n, err := io.Copy(io.NewOffsetWriter(t.f, at), io.LimitReader(body, p.size))
	if err = errors.Join(err, body.Close()); err == nil && n != p.size {
		err = fmt.Errorf("%w: a piece has %d bytes, not %d", blob.ErrCorrupt, n, p.size)
	}
	return err
}

// stageKey is the beginning of the names of the pieces of staged content.
func (s *Store) stageKey(name string) string { return s.c.Prefix + stageFolder + name + "/" }

// Sync implements blob.Staged: it puts what no piece has yet. Content without a name is not found again, and not sent.
func (t *staged) Sync(ctx context.Context, size int64) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.name == "" || size <= t.synced {
		return markOf(t.pieces), nil
	}
	if size > t.written {
		return "", errors.New("sync staged content: more than was written")
	}
	var random [pieceNameLen / 2]byte
	_, _ = rand.Read(random[:]) // documented never to fail; a name need only be unlikely to meet another
	p := pieceOf{hex.EncodeToString(random[:]), size - t.synced}
	from := t.synced
	t.mu.Unlock()
	_, err := t.s.client.Client.PutObject(ctx, t.s.c.Bucket, t.s.stageKey(t.name)+p.name,
		io.NewSectionReader(t.f, from, p.size), p.size, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	t.mu.Lock()
	if err != nil {
		return "", fmt.Errorf("sync staged content: %w", classify(err))
	}
	t.pieces, t.synced = append(t.pieces, p), size
	return markOf(t.pieces), nil
}

// Keep implements blob.Staged.
func (t *staged) Keep(ctx context.Context, info blob.Info) error {
	err := t.whole()
	if err == nil && t.written != info.Size {
		err = fmt.Errorf("%w: %d bytes are there, not %d", blob.ErrMismatch, t.written, info.Size)
	}
	if err == nil {
		err = t.s.send(ctx, info, t.f)
	}
	if err != nil {
		return fmt.Errorf("keep blob %s: %w", info.Ref, err)
	}
	return nil
}

// Close implements blob.Staged.
func (t *staged) Close() error { return t.f.Close() }

// Unstage implements blob.Stager.
func (s *Store) Unstage(ctx context.Context, name string) error {
	if !blob.StageName(name) {
		return fmt.Errorf("take staged content away: %w", blob.ErrStageName)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for object := range s.client.Client.ListObjects(ctx, s.c.Bucket, minio.ListObjectsOptions{Prefix: s.stageKey(name), Recursive: true}) {
		err := object.Err
		if err == nil {
			err = s.client.RemoveObject(ctx, s.c.Bucket, object.Key, minio.RemoveObjectOptions{})
		}
		if err != nil {
			return fmt.Errorf("take staged content away: %w", classify(err))
		}
	}
	return nil
}
