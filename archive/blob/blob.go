// Package blob keeps bodies of documents and evidence under the name of their content.
//
// # What it promises
//
// A blob is named by the SM3 of its bytes (Ref). Put returns only when the blob is durable; before that, and after any
// failure, nothing is visible under its name. A blob never changes: the same bytes put twice are one blob. Open never
// gives a wrong byte: what it returns has been checked against the name in this process, piece by piece, each time it
// is read, and damage is an error (ErrCorrupt) in place of the bytes.
//
// # What it does not promise
//
// Secrecy: a blob is kept as it is given (envelopes come encrypted, record packages plain). Whoever can write to the
// store's folder can destroy blobs, though not alter them unnoticed. Nothing here knows which blobs are still needed;
// Remove is for the owners of that knowledge.
package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Ref is the name of a blob: the SM3 of its bytes (GB/T 32905).
type Ref [32]byte

// String is the 64 lower-case hexadecimal digits.
func (r Ref) String() string { return hex.EncodeToString(r[:]) }

// MarshalText is String.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseRef.
func (r *Ref) UnmarshalText(text []byte) error {
	parsed, err := ParseRef(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// ParseRef reads the form of String; upper case and other lengths are refused, so that a blob has one name.
func ParseRef(s string) (Ref, error) {
	var r Ref
	if len(s) != hex.EncodedLen(len(r)) {
		return Ref{}, fmt.Errorf("blob name of %d characters, not %d", len(s), hex.EncodedLen(len(r)))
	}
	if _, err := hex.Decode(r[:], []byte(s)); err != nil || r.String() != s {
		return Ref{}, errors.New("blob name is not lower-case hexadecimal")
	}
	return r, nil
}

// Errors of every store; test with errors.Is.
var (
	// ErrNotFound: no blob of this name.
	ErrNotFound = errors.New("blob not found")
	// ErrCorrupt: the stored bytes are not those of the name. They are not given out.
	ErrCorrupt = errors.New("blob is damaged")
	// ErrNoSpace: the store is full. Reads go on, and Put works again once there is space.
	ErrNoSpace = errors.New("blob store is full")
	// ErrMismatch: PutAs was given bytes of another name.
	ErrMismatch = errors.New("blob content does not have the expected digest")
	// ErrBusy: staged content is held by somebody else.
	ErrBusy = errors.New("staged content is in use")
)

// Info is what is known of a blob without reading it.
type Info struct {
	Ref  Ref
	Size int64
}

// Reader reads one blob. It is safe for concurrent ReadAt; Read and Seek share one position. Bytes that fail their check
// are never returned: the call gives ErrCorrupt.
type Reader interface {
	io.ReadSeekCloser
	io.ReaderAt
	// Size is the length in bytes.
	Size() int64
}

// Store keeps blobs. All methods are safe for concurrent use, between processes too.
type Store interface {
	// Put takes r to its end and stores the bytes. It returns after they are durable. An error of r is returned as it
	// is, wrapped, and stores nothing; so is the end of ctx.
	Put(ctx context.Context, r io.Reader) (Info, error)
	// PutAs is Put that stores nothing and returns ErrMismatch unless the bytes have the name want.
	PutAs(ctx context.Context, want Ref, r io.Reader) (Info, error)
	// Open gives a blob to be read. For a blob not yet checked in this process it reads and checks the whole before it
	// returns.
	Open(ctx context.Context, ref Ref) (Reader, error)
	// Stat tells whether a blob is there, and its size, without checking its bytes.
	Stat(ctx context.Context, ref Ref) (Info, error)
	// Verify reads the whole blob from storage, past every cache of this package, and compares it with its name.
	Verify(ctx context.Context, ref Ref) (Info, error)
	// List gives blobs in the order of their names, those after the given one, at most limit (above 0).
	List(ctx context.Context, after Ref, limit int) ([]Info, error)
	// Remove takes a blob away, durably. Readers that are open go on. A blob that is not there is ErrNotFound.
	Remove(ctx context.Context, ref Ref) error
	Stager
}

// Stager takes content that becomes a blob later: it comes in many pieces, or is looked at first. Staged content is no blob:
// List does not show it, and whoever stages it takes it away.
type Stager interface {
	// Stage gives the staged content called name (of StageName), cut to size bytes: those that Sync has promised with this mark.
	// A size of zero begins it. Fewer bytes than size are ErrCorrupt. Where somebody else holds it, in another process too,
	// this is ErrBusy, save in a store where everybody's pieces have names of their own. An empty name is content of this call
	// alone, of which nothing stays after Close.
	Stage(ctx context.Context, name, mark string, size int64) (Staged, error)
	// Unstage takes staged content away. Content that is not there is no error; content that somebody holds is ErrBusy.
	Unstage(ctx context.Context, name string) error
}

// Staged is content on its way. Write appends. ReadAt sees what was written. Only Sync may run beside Write.
type Staged interface {
	io.Writer
	io.ReaderAt
	// Sync makes the first size bytes, which were written, durable, and gives the mark with which Stage finds them.
	Sync(ctx context.Context, size int64) (mark string, err error)
	// Keep makes all that was written a blob, durably. info are its SM3 and its length, which the caller has taken while it
	// wrote; a store that keeps something else for it says so when it is read. After Keep nothing is written any more.
	Keep(ctx context.Context, info Info) error
	// Close lets go. What Sync promised stays.
	Close() error
}

// StageName reports whether a text may be the name of staged content: 1 to 64 of 0-9, a-z and hyphens.
func StageName(name string) bool {
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxStageName
}

const maxStageName = 64

// ErrStageName says that a name is none of StageName.
var ErrStageName = errors.New("name of staged content is not valid")

// ReadAll gives a whole blob of at most limit bytes.
func ReadAll(ctx context.Context, s Store, ref Ref, limit int64) ([]byte, error) {
	r, err := s.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	if r.Size() > limit {
		return nil, errors.Join(fmt.Errorf("read blob %s: %d bytes, more than %d", ref, r.Size(), limit), r.Close())
	}
	data := make([]byte, r.Size())
	_, err = io.ReadFull(r, data)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read blob %s: %w", ref, err)
	}
	return data, nil
}
