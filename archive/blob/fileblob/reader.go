package fileblob

import (
	"container/list"
	"context"
	"crypto/sha256" // the second digest: checks pieces in memory only, four times as fast as SM3; the name stays SM3
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
)

// maxCachedPieces bounds the digests kept in memory for all blobs together: 2^18 × 32 bytes = 8 MiB, which stands for
// 16 GiB of blobs.
const maxCachedPieces = 1 << 18

// digests are the SHA-256 of the pieces of one blob whose whole has been compared with its name.
type digests struct {
	size   int64
	pieces [][sha256.Size]byte
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, ref blob.Ref) (blob.Reader, error) {
	f, size, err := s.openFile(ref)
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", ref, err)
	}
	known := s.pieces.get(ref)
	if known == nil || known.size != size {
		known, err = scan(ctx, f, size, ref)
		if err != nil {
			s.pieces.forget(ref)
			return nil, errors.Join(fmt.Errorf("open blob %s: %w", ref, err), f.Close())
		}
		s.pieces.put(ref, known)
	}
	checked := &checkedFile{f: f, ref: ref, known: known, last: -1}
	return &reader{checked: checked, SectionReader: io.NewSectionReader(checked, 0, size)}, nil
}

// scan reads a whole file, compares it with the name and gives the digests of its pieces.
func scan(ctx context.Context, f *os.File, size int64, ref blob.Ref) (*digests, error) {
	whole := gm.NewSM3()
	d := &digests{size: size, pieces: make([][sha256.Size]byte, 0, (size+PieceSize-1)/PieceSize)}
	buf := make([]byte, PieceSize)
	for off := int64(0); off < size; off += PieceSize {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		piece := buf[:min(PieceSize, size-off)]
		if err := readFull(f, piece, off); err != nil {
			return nil, err
		}
		whole.Write(piece)
		d.pieces = append(d.pieces, sha256.Sum256(piece))
	}
	var sum blob.Ref
	whole.Sum(sum[:0])
	if sum != ref {
		return nil, fmt.Errorf("%w: its content has the digest %s", blob.ErrCorrupt, sum)
	}
	return d, nil
}

// readFull reads exactly len(p) bytes; an early end is damage.
func readFull(f *os.File, p []byte, off int64) error {
	n, err := f.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file ends at byte %d", blob.ErrCorrupt, off+int64(n))
	}
	return err
}

// checkedFile gives out only bytes of pieces that have been compared with known.
type checkedFile struct {
	f     *os.File
	ref   blob.Ref
	known *digests

	mu   sync.Mutex
	last int64 // the piece in buf, or -1
	buf  [PieceSize]byte
}

// ReadAt implements io.ReaderAt. Bytes of pieces that came before a damaged one may have been delivered; those of the
// damaged one never are.
func (c *checkedFile) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read blob %s: negative offset", c.ref)
	}
	n := 0
	for n < len(p) && off < c.known.size {
		got, err := c.copyPiece(p[n:], off)
		if err != nil {
			return n, fmt.Errorf("read blob %s: %w", c.ref, err)
		}
		n, off = n+got, off+int64(got)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// copyPiece fills p from the piece at off, which it reads and checks unless it is the one read last.
func (c *checkedFile) copyPiece(p []byte, off int64) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := off / PieceSize
	piece := c.buf[:min(PieceSize, c.known.size-i*PieceSize)]
	if i != c.last {
		c.last = -1
		if err := readFull(c.f, piece, i*PieceSize); err != nil {
			return 0, err
		}
		if sha256.Sum256(piece) != c.known.pieces[i] {
			return 0, fmt.Errorf("%w: piece %d has changed since it was checked", blob.ErrCorrupt, i)
		}
		c.last = i
	}
	return copy(p, piece[off-i*PieceSize:]), nil
}

// reader is the blob.Reader of this store.
type reader struct {
	*io.SectionReader
	checked *checkedFile
}

// Close releases the file.
func (r *reader) Close() error { return r.checked.f.Close() }

// pieceCache keeps digests of recently read blobs, the oldest leaving first, bounded by their pieces.
type pieceCache struct {
	mu     sync.Mutex
	max    int
	pieces int
	order  *list.List // of cached, most recent first
	byRef  map[blob.Ref]*list.Element
}

type cached struct {
	ref blob.Ref
	d   *digests
}

func newPieceCache(maxPieces int) pieceCache {
	return pieceCache{max: maxPieces, order: list.New(), byRef: make(map[blob.Ref]*list.Element)}
}

func (c *pieceCache) get(ref blob.Ref) *digests {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byRef[ref]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(cached).d
}

func (c *pieceCache) put(ref blob.Ref, d *digests) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(ref)
	// A blob counts at least one, so that empty ones are bounded too.
	c.byRef[ref] = c.order.PushFront(cached{ref, d})
	c.pieces += len(d.pieces) + 1
	for c.pieces > c.max && c.order.Len() > 1 {
		c.drop(c.order.Back().Value.(cached).ref)
	}
}

func (c *pieceCache) forget(ref blob.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(ref)
}

func (c *pieceCache) drop(ref blob.Ref) {
	if e, ok := c.byRef[ref]; ok {
		c.pieces -= len(e.Value.(cached).d.pieces) + 1
		c.order.Remove(e)
		delete(c.byRef, ref)
	}
}
