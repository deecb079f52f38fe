package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"yinxin/transport/api"
)

// Progress is told how many bytes of a whole the hub has, or is being sent.
type Progress func(sent, whole int64)

// Upload hands in an envelope in pieces, and goes on where it was cut off: after a lost connection, after the hub has died and
// come back, and by another process with the same key and the same bytes. The answer is that of Submit. Progress may be nil.
func (c *Client) Upload(ctx context.Context, key string, envelope io.ReaderAt, size int64, tell Progress) (api.Submission, error) {
	var none api.Submission
	if tell == nil {
		tell = func(int64, int64) {}
	}
	u := &upload{c: c, key: key, envelope: envelope, size: size, tell: tell}
	if err := u.begin(ctx); err != nil {
		return none, err
	}
	for try := 1; u.offset < size; try++ {
		before := u.offset
		err := u.send(ctx)
		if err == nil {
			continue
		}
		if !again(err) || ctx.Err() != nil {
			return none, err
		}
		if failed := u.look(ctx); failed != nil {
			return none, errors.Join(failed, err)
		}
		if u.offset > before {
			try = 0
		}
		if try >= c.o.Tries {
			return none, err
		}
		if err := c.rest(ctx, try); err != nil {
			return none, err
		}
	}
	resp, err := c.send(ctx, request{method: http.MethodPost, path: u.path + "/submit", key: key})
	if err != nil {
		return none, err
	}
	var out api.Submission
	return out, decode(resp, &out)
}

// again reports whether an upload may go on after an error.
func again(err error) bool {
	p, ok := errors.AsType[*api.Problem](err)
	return !ok || p.Retryable
}

type upload struct {
	c        *Client
	key      string
	envelope io.ReaderAt
	size     int64
	tell     Progress
	path     string
	offset   int64
}

func tusHeader(more ...string) http.Header {
	h := http.Header{api.HeaderTus: {"1.0.0"}}
	for i := 0; i+1 < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// begin begins the upload, or finds the one that was begun.
func (u *upload) begin(ctx context.Context) error {
	resp, err := u.c.send(ctx, request{
		method: http.MethodPost, path: api.Prefix + "/uploads", key: u.key,
		header: tusHeader(api.HeaderUploadLength, strconv.FormatInt(u.size, 10)),
	})
	if err != nil {
		return err
	}
	at, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || at.Path == "" {
		return errors.New("the hub does not say where the upload is")
	}
	u.path = at.Path
	return u.at(resp)
}

// at reads how far the upload has come.
func (u *upload) at(resp *http.Response) error {
	n, err := strconv.ParseInt(resp.Header.Get(api.HeaderUploadOffset), 10, 64)
	if err != nil || n < 0 || n > u.size {
		return fmt.Errorf("the hub has %.20q bytes of an upload of %d", resp.Header.Get(api.HeaderUploadOffset), u.size)
	}
	u.offset = n
	u.tell(n, u.size)
	return nil
}

// look asks how far the upload has come.
func (u *upload) look(ctx context.Context) error {
	resp, err := u.c.send(ctx, request{method: http.MethodHead, path: u.path, header: tusHeader(), twice: true})
	if err != nil {
		return err
	}
	return u.at(resp)
}

// send sends what is left.
func (u *upload) send(ctx context.Context) error {
	rest := u.size - u.offset
	resp, err := u.c.once(ctx, request{
		method: http.MethodPatch, path: u.path, size: rest,
		header: tusHeader(api.HeaderUploadOffset, strconv.FormatInt(u.offset, 10), "Content-Type", api.TypePiece),
		body: func() (io.ReadCloser, error) {
			return io.NopCloser(&told{Reader: io.NewSectionReader(u.envelope, u.offset, rest), at: u.offset, u: u}), nil
		},
	})
	if err != nil {
		return err
	}
	return u.at(resp)
}

// told tells of the bytes that are read.
type told struct {
	io.Reader
	at int64
	u  *upload
}

// Read implements io.Reader.
func (t *told) Read(b []byte) (int, error) {
	n, err := t.Reader.Read(b)
	t.at += int64(n)
	t.u.tell(t.at, t.u.size)
	return n, err
}
