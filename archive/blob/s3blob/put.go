package s3blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/internal/durable"
)

// maxIdleReads is how often a reader may return nothing in a row.
const maxIdleReads = 100

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, r io.Reader) (blob.Info, error) {
	info, err := s.put(ctx, r, nil)
	if err != nil {
		return blob.Info{}, fmt.Errorf("put blob: %w", err)
	}
	return info, nil
}

// PutAs implements blob.Store.
func (s *Store) PutAs(ctx context.Context, want blob.Ref, r io.Reader) (blob.Info, error) {
	info, err := s.put(ctx, r, &want)
	if err != nil {
		return blob.Info{}, fmt.Errorf("put blob %s: %w", want, err)
	}
	return info, nil
}

// put names the bytes first, and sends them then: S3 cannot rename.
func (s *Store) put(ctx context.Context, r io.Reader, want *blob.Ref) (blob.Info, error) {
	f, err := os.CreateTemp(s.copies.dir, durable.TempPrefix+"*")
	if err != nil {
		return blob.Info{}, err
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil { // it is needed by nobody but this call, and goes with it
		return blob.Info{}, err
	}
	hash := gm.NewSM3()
	n, err := io.Copy(io.MultiWriter(f, hash), &source{ctx: ctx, r: r})
	if err != nil {
		return blob.Info{}, err
	}
	info := blob.Info{Size: n}
	hash.Sum(info.Ref[:0])
	if want != nil && info.Ref != *want {
		return blob.Info{}, fmt.Errorf("%w: it has %s", blob.ErrMismatch, info.Ref)
	}
	return info, s.send(ctx, info, f)
}

// send puts a named body into the bucket, unless a sound one is there.
func (s *Store) send(ctx context.Context, info blob.Info, f *os.File) error {
	_, err := s.Stat(ctx, info.Ref) // spares sending what is there; that nothing is replaced is the store's matter
	if errors.Is(err, blob.ErrNotFound) {
		err = s.upload(ctx, info, f, true)
		if err == nil || !errors.Is(err, errTaken) && !s.taken(ctx, info.Ref) {
			return err
		}
	} else if err != nil {
		return err
	}
	// The name is taken: by another Put, by a try of this one whose answer was lost, or by damage.
	_, err = s.verify(ctx, info.Ref)
	if !errors.Is(err, blob.ErrCorrupt) && !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	s.copies.forget(info.Ref)
	return s.upload(ctx, info, f, false)
}

// taken reports whether a name is taken after an upload failed without a clear answer: a store that refuses a body because of
// its name may hang up while that is still being sent.
func (s *Store) taken(ctx context.Context, ref blob.Ref) bool {
	_, err := s.Stat(ctx, ref)
	return err == nil
}

// upload sends a body, in parts if it is large. first: it must be the first of its name, else the error is errTaken.
func (s *Store) upload(ctx context.Context, info blob.Info, f *os.File, first bool) error {
	o := minio.PutObjectOptions{ContentType: "application/octet-stream"}
	if first {
		o.SetMatchETagExcept("*")
	}
	if info.Size > s.c.Part {
		return s.uploadParts(ctx, info, f, o)
	}
	o.DisableMultipart = true
	o.DisableContentSha256 = info.Size == 0 // else the frame around no bytes may be left over for the connection's next request
	sent, err := s.client.Client.PutObject(ctx, s.c.Bucket, s.key(info.Ref), io.NewSectionReader(f, 0, info.Size), info.Size, o)
	if err != nil {
		return classify(err)
	}
	if sent.Size != info.Size {
		return fmt.Errorf("%w: %d bytes were sent, the store took %d", blob.ErrCorrupt, info.Size, sent.Size)
	}
	return nil
}

// uploadParts sends parts side by side and puts them together. The library would do so too, but drops the condition.
func (s *Store) uploadParts(ctx context.Context, info blob.Info, f *os.File, o minio.PutObjectOptions) error {
	key := s.key(info.Ref)
	id, err := s.client.NewMultipartUpload(ctx, s.c.Bucket, key, minio.PutObjectOptions{ContentType: o.ContentType})
	if err != nil {
		return classify(err)
	}
	parts := make([]minio.CompletePart, (info.Size+s.c.Part-1)/s.c.Part)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	for i := range parts {
		g.Go(func() error {
			from := int64(i) * s.c.Part
			size := min(s.c.Part, info.Size-from)
			sent, err := s.client.PutObjectPart(gctx, s.c.Bucket, key, id, i+1, io.NewSectionReader(f, from, size), size, minio.PutObjectPartOptions{})
			parts[i] = minio.CompletePart{PartNumber: i + 1, ETag: sent.ETag}
			return err
		})
	}
	err = g.Wait()
	if err == nil {
		_, err = s.client.CompleteMultipartUpload(ctx, s.c.Bucket, key, id, parts, o)
	}
	if err == nil {
		return nil
	}
	// Parts that are not put together take space until they are given up, also where ctx has ended.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	_ = s.client.AbortMultipartUpload(end, s.c.Bucket, key, id) // a rule of the bucket takes away what stays
	return classify(err)
}

// abortTime is how long giving up parts may take.
const abortTime = 10 * time.Second

// source ends a copy when its context ends, or when its reader gives nothing for ever.
type source struct {
	ctx  context.Context //nolint:containedctx // lives as long as one Put
	r    io.Reader
	idle int
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	if s.idle++; n > 0 || err != nil {
		s.idle = 0
	}
	if s.idle > maxIdleReads {
		return 0, io.ErrNoProgress
	}
	return n, err
}
