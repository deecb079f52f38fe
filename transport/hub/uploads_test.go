package hub_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/archive/blob"
	"yinxin/archive/blob/fileblob"
	"yinxin/archive/blob/s3blob"
	"yinxin/archive/blob/s3blob/s3test"
	"yinxin/crypto/gm"
	"yinxin/transport/api"
	"yinxin/transport/hub"
	"yinxin/transport/hub/hubtest"
)

// pair is two hubs on one database and one blob store: SQLite and files, or PostgreSQL and S3.
type pair struct {
	w        *hubtest.World
	one, two *hub.Hub
	blobs    blob.Store
	folder   string // of files; empty on S3
}

func startPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{folder: t.TempDir()}
	var err error
	if strings.HasPrefix(t.Name(), onPostgres) {
		p.folder = ""
		p.blobs, err = s3blob.Open(t.Context(), s3test.Start(t).Bucket(t))
	} else {
		p.blobs, err = fileblob.Open(p.folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	var c hub.Config
	var parts hub.Parts
	w, r := start(t, func(cfg *hub.Config, ps *hub.Parts) {
		ps.Blobs = p.blobs
		c, parts = *cfg, *ps
	})
	p.w, p.one = w, r.Hub
	if p.two, err = hub.New(c, parts); err != nil {
		t.Fatal(err)
	}
	return p
}

func begin(t *testing.T, h *hub.Hub, key string, body []byte) hub.Upload {
	t.Helper()
	u, err := h.BeginUpload(t.Context(), hubtest.Caller("A"), key, int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestUploadAcrossHubs: an upload that one hub takes is refused to another clearly or decided between them, goes on there
// from what is durable when the first one is gone, and is one exchange whoever submits it.
func TestUploadAcrossHubs(t *testing.T) {
	p := startPair(t)
	ctx, a := t.Context(), hubtest.Caller("A")
	body := p.w.Pack(p.w.ID(), "A", bytes.Repeat([]byte("0123456789"), 60<<10), nil, "C")
	half := int64(len(body) / 2)
	u := begin(t, p.one, "k", body)
	feed, pipe := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := p.one.Append(ctx, a, u.ID, 0, nil, feed, nil)
		ended <- err
	}()
	if _, err := pipe.Write(body[:half]); err != nil {
		t.Fatal(err)
	}
	at := half
	if p.folder != "" {
		_, err := p.two.Append(ctx, a, u.ID, 0, nil, bytes.NewReader(body), nil)
		wantRefusal(t, err, api.InProgress)
		_ = pipe.CloseWithError(errors.New("the hub was killed"))
		wantRefusal(t, <-ended, api.Malformed)
		p.scribble(t, u.ID) // what a killed hub wrote and did not promise
	} else {
		got, err := p.two.Append(ctx, a, u.ID, 0, nil, bytes.NewReader(body[:100_000]), nil)
		if at = 100_000; err != nil || got.Received != at {
			t.Fatalf("the other hub: %d, %v", got.Received, err)
		}
		_ = pipe.Close()
		wantRefusal(t, <-ended, api.InProgress)
	}
	now, err := p.two.Upload(ctx, a, u.ID)
	if err != nil || now.Received != at {
		t.Fatalf("%d bytes there, want %d: %v", now.Received, at, err)
	}
	if _, err := p.two.Append(ctx, a, u.ID, at, nil, bytes.NewReader(body[at:]), nil); err != nil {
		t.Fatal(err)
	}
	sub, err := p.two.SubmitUpload(ctx, a, "s", u.ID)
	if err != nil || [32]byte(sub.Exchange.Body) != gm.SM3(body) {
		t.Fatalf("submitted: %v", err)
	}
	if again, err := p.one.SubmitUpload(ctx, a, "s", u.ID); err != nil || !again.Repeated || again.Exchange.ID != sub.Exchange.ID {
		t.Errorf("submitted by the other hub: %+v, %v", again, err)
	}
	if _, err := p.blobs.Verify(ctx, blob.Ref(sub.Exchange.Body)); err != nil {
		t.Error(err)
	}
}

// scribble writes behind the end of a staged file.
func (p *pair) scribble(t *testing.T, id string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(p.folder, "incoming", "stage-"+id), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("what nobody was promised"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestUploadOutcomes: a hub that died after the envelope became a blob is no loss; bytes that are gone are asked for again; a
// refusal leaves no content and is answered the same again.
func TestUploadOutcomes(t *testing.T) {
	p := startPair(t)
	ctx, a := t.Context(), hubtest.Caller("A")
	body := p.w.Pack(p.w.ID(), "A", bytes.Repeat([]byte("x"), 100<<10), nil, "C")
	whole := func(key string, body []byte) hub.Upload {
		u := begin(t, p.one, key, body)
		u, err := p.one.Append(ctx, a, u.ID, 0, nil, bytes.NewReader(body), nil)
		if err != nil || u.Received != u.Length {
			t.Fatalf("append: %+v, %v", u, err)
		}
		return u
	}
	u := whole("k", body)
	st, err := p.blobs.Stage(ctx, u.ID, u.Mark, u.Length)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(st.Keep(ctx, blob.Info{Ref: blob.Ref(gm.SM3(body)), Size: u.Length}), st.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.two.SubmitUpload(ctx, a, "s", u.ID); err != nil {
		t.Errorf("after a hub died in the middle: %v", err)
	}
	other := p.w.Pack(p.w.ID(), "A", bytes.Repeat([]byte("y"), 100<<10), nil, "C")
	u = whole("l", other)
	if err := p.blobs.Unstage(ctx, u.ID); err != nil {
		t.Fatal(err)
	}
	if p.folder != "" {
		_, err = p.two.SubmitUpload(ctx, a, "t", u.ID)
		wantRefusal(t, err, api.OffsetMismatch)
		if now, err := p.two.Upload(ctx, a, u.ID); err != nil || now.Received != 0 {
			t.Errorf("bytes that are gone: %d, %v", now.Received, err)
		}
	}
	u = whole("m", bytes.Repeat([]byte("no envelope"), 10_000))
	_, err = p.one.SubmitUpload(ctx, a, "u", u.ID)
	first := wantRefusal(t, err, api.Malformed)
	_, err = p.two.SubmitUpload(ctx, a, "u", u.ID)
	if again := wantRefusal(t, err, api.Malformed); again.Entry != first.Entry || first.Entry == "" {
		t.Errorf("refused again: %+v, first %+v", again, first)
	}
	if files, _ := filepath.Glob(filepath.Join(p.folder, "incoming", "stage-"+u.ID)); p.folder != "" && len(files) != 0 {
		t.Error("a refused envelope is kept")
	}
	if err := p.one.DropUpload(context.WithoutCancel(ctx), hubtest.Caller("B"), u.ID); err == nil {
		t.Error("another office dropped an upload")
	}
}
