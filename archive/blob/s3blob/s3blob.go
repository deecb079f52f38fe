// Package s3blob keeps blobs in a bucket of an S3-compatible store.
//
// # Layout
//
//	BUCKET/PREFIX3f2a…    the blob whose SM3 is 3f2a…
//
// # What it promises
//
// A blob is hashed while it is taken in, into a file without a name, and then sent under its digest: in one piece, or in
// parts that are put together at the end, so that a name shows whole content or nothing. It is written once, by
// If-None-Match: where the name is taken, what lies there is read and compared, and replaced only if it is damaged. The
// store's ETag is believed nothing: Open and Verify read the whole and compare its SM3 with the name.
//
// Open takes a copy that it has checked into a folder of this process, and reads from that; pieces are checked again on
// every read (archive/blob/fileblob). The folder is bounded: the copies read least recently go.
//
// # What it does not promise
//
// Durability beyond that of the store: when it says that an object is there, Put believes it.
package s3blob

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
)

// Config of a store. Endpoint, Bucket, AccessKey, SecretKey and Dir are needed.
type Config struct {
	// Endpoint is the store's URL, without a path. Plain http is for loopback and for tests; who configures decides.
	Endpoint string
	Bucket   string
	// Prefix stands before every name, such as "hub/".
	Prefix string
	// Region is what requests are signed for; empty: us-east-1.
	Region    string
	AccessKey string
	SecretKey string
	// CA, where set, are the certificates (PEM) that the endpoint's is judged by.
	CA []byte
	// Dir is a folder for bodies on their way and checked copies; made if it is missing. Processes may share it.
	Dir string
	// Copies is how many bytes of checked copies are kept; zero means 1 GiB.
	Copies int64
	// Part is the size of the parts in which large blobs are sent, in bytes; zero means 64 MiB.
	Part int64
}

// Bounds of the client.
const (
	defaultCopies = 1 << 30
	defaultPart   = 64 << 20
	tries         = 4
	threads       = 4
	dialTimeout   = 5 * time.Second
	headerTimeout = 30 * time.Second
	idleTimeout   = 90 * time.Second
	idleConns     = 64
)

// Store is a blob.Store over one bucket.
type Store struct {
	c      Config
	client *minio.Core
	copies *copies
}

var _ blob.Store = (*Store)(nil)

// Open connects to the bucket, which must be there.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Copies <= 0 {
		c.Copies = defaultCopies
	}
	if c.Part <= 0 {
		c.Part = defaultPart
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	s := &Store{c: c}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("open blob store %s, bucket %s: %w", c.Endpoint, c.Bucket, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	at, err := url.Parse(s.c.Endpoint)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		return errors.New("the endpoint is no URL of http or https")
	}
	transport := &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout: idleTimeout, MaxIdleConns: idleConns, MaxIdleConnsPerHost: idleConns, DisableCompression: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if len(s.c.CA) > 0 {
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(s.c.CA) {
			return errors.New("the CA file holds no certificate")
		}
	}
	s.client, err = minio.NewCore(at.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(s.c.AccessKey, s.c.SecretKey, ""),
		Secure: at.Scheme == "https", Region: s.c.Region, Transport: transport, BucketLookup: minio.BucketLookupPath, MaxRetries: tries,
	})
	if err != nil {
		return err
	}
	there, err := s.client.BucketExists(ctx, s.c.Bucket)
	if err != nil {
		return classify(err)
	}
	if !there {
		return fmt.Errorf("%w: there is no such bucket", blob.ErrNotFound)
	}
	s.copies, err = openCopies(ctx, s.c.Dir, s.c.Copies)
	return err
}

// key is the name of a blob in the bucket.
func (s *Store) key(ref blob.Ref) string { return s.c.Prefix + ref.String() }

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, ref blob.Ref) (blob.Info, error) {
	o, err := s.client.StatObject(ctx, s.c.Bucket, s.key(ref), minio.StatObjectOptions{})
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat blob %s: %w", ref, classify(err))
	}
	return blob.Info{Ref: ref, Size: o.Size}, nil
}

// Verify implements blob.Store.
func (s *Store) Verify(ctx context.Context, ref blob.Ref) (blob.Info, error) {
	info, err := s.verify(ctx, ref)
	if err != nil {
		if errors.Is(err, blob.ErrCorrupt) || errors.Is(err, blob.ErrNotFound) {
			s.copies.forget(ref)
		}
		return blob.Info{}, fmt.Errorf("verify blob %s: %w", ref, err)
	}
	return info, nil
}

func (s *Store) verify(ctx context.Context, ref blob.Ref) (blob.Info, error) {
	body, err := s.fetch(ctx, ref)
	if err != nil {
		return blob.Info{}, err
	}
	defer body.Close()
	hash := gm.NewSM3()
	n, err := io.Copy(hash, body)
	if err != nil {
		return blob.Info{}, classify(err)
	}
	info := blob.Info{Size: n}
	hash.Sum(info.Ref[:0])
	if info.Ref != ref {
		return blob.Info{}, fmt.Errorf("%w: its content has the digest %s", blob.ErrCorrupt, info.Ref)
	}
	return info, nil
}

// fetch asks for the bytes as the store has them.
func (s *Store) fetch(ctx context.Context, ref blob.Ref) (io.ReadCloser, error) {
	body, _, _, err := s.client.GetObject(ctx, s.c.Bucket, s.key(ref), minio.GetObjectOptions{})
	if err != nil {
		return nil, classify(err)
	}
	return body, nil
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, ref blob.Ref) (blob.Reader, error) {
	r, err := s.copies.open(ctx, ref, func() (io.ReadCloser, error) { return s.fetch(ctx, ref) })
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", ref, err)
	}
	return r, nil
}

// Remove implements blob.Store.
func (s *Store) Remove(ctx context.Context, ref blob.Ref) error {
	if _, err := s.Stat(ctx, ref); err != nil { // a removal of nothing succeeds in S3
		return fmt.Errorf("remove blob: %w", err)
	}
	s.copies.forget(ref)
	if err := s.client.RemoveObject(ctx, s.c.Bucket, s.key(ref), minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove blob %s: %w", ref, classify(err))
	}
	return nil
}

// List implements blob.Store. Names that are no blob are passed over.
func (s *Store) List(ctx context.Context, after blob.Ref, limit int) ([]blob.Info, error) {
	ctx, stop := context.WithCancel(ctx) // ends the listing where enough was seen
	defer stop()
	o := minio.ListObjectsOptions{Prefix: s.c.Prefix, Recursive: true, StartAfter: s.key(after)}
	if after == (blob.Ref{}) {
		o.StartAfter = ""
	}
	var found []blob.Info
	for object := range s.client.Client.ListObjects(ctx, s.c.Bucket, o) {
		if object.Err != nil {
			return nil, fmt.Errorf("list blobs: %w", classify(object.Err))
		}
		if len(object.Key) < len(s.c.Prefix) {
			continue
		}
		ref, err := blob.ParseRef(object.Key[len(s.c.Prefix):])
		if err != nil || ref.String() <= after.String() {
			continue
		}
		if found = append(found, blob.Info{Ref: ref, Size: object.Size}); len(found) == limit {
			break
		}
	}
	return found, ctx.Err()
}

// ErrDenied: the store refuses the access key, its secret, or what it asks for.
var ErrDenied = errors.New("blob store refuses access")

// errTaken: there is an object of this name already.
var errTaken = errors.New("the name is taken")

// classify gives the errors of package blob. The store's words are kept; they hold no secret.
func classify(err error) error {
	response := minio.ToErrorResponse(err)
	switch {
	case response.Code == minio.NoSuchKey:
		return fmt.Errorf("%w (%s)", blob.ErrNotFound, response.Code)
	case response.Code == minio.NoSuchBucket:
		return fmt.Errorf("the bucket is gone: %w", err)
	case response.StatusCode == http.StatusPreconditionFailed, response.Code == minio.PreconditionFailed:
		return errTaken
	case response.StatusCode == http.StatusForbidden, response.Code == minio.AccessDenied:
		return fmt.Errorf("%w: %w", ErrDenied, err)
	case response.StatusCode == http.StatusInsufficientStorage, response.Code == "XMinioStorageFull", response.Code == "QuotaExceeded":
		return fmt.Errorf("%w: %w", blob.ErrNoSpace, err)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	}
	return err
}
