package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"yinxin/transport/api"
	"yinxin/transport/hub"
)

// ownEnvelope gives the sender's copy, a recipient's the one to its office.
func (s *Server) ownEnvelope(w http.ResponseWriter, c *Call) error {
	return sendEnvelope(w, c, s.c.Hub.OpenOwnEnvelope)
}

func (s *Server) envelope(w http.ResponseWriter, c *Call) error {
	return sendEnvelope(w, c, s.c.Hub.OpenEnvelope)
}

func sendEnvelope(w http.ResponseWriter, c *Call, open func(ctx context.Context, c hub.Caller, id string) (*hub.Download, error)) (err error) {
	d, err := open(c.Context(), c.Caller(), c.Var("id"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return sendFile(w, c, file{
		name: c.Var("id") + ".yxe", kind: api.TypeEnvelope, tag: `"sm3-` + d.Tag().String() + `"`,
		content: io.NewSectionReader(d, 0, d.Size()),
	})
}

// file is what a download gives.
type file struct {
	name, kind string
	// tag is a strong entity tag: another content never has it.
	tag     string
	content io.ReadSeeker
}

// sendFile answers with a file, a part of it (Range, If-Range) or that it is as it was (If-None-Match). A fault in the middle
// breaks the connection, so that no cut file looks whole.
func sendFile(w http.ResponseWriter, c *Call, f file) error {
	body := &faulty{ReadSeeker: f.content}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(f.name)+`"`)
	w.Header().Set("ETag", f.tag)
	out := &ranged{ResponseWriter: w}
	http.ServeContent(out, c.Request, "", time.Time{}, body)
	switch {
	case body.err != nil:
		panic(http.ErrAbortHandler)
	case out.behind:
		return api.NewProblem(api.RangeUnsatisfiable, "")
	}
	return nil
}

// ranged keeps back the answer to a range behind the end, which is a problem object here.
type ranged struct {
	http.ResponseWriter
	behind bool
}

// WriteHeader implements http.ResponseWriter.
func (r *ranged) WriteHeader(status int) {
	if r.behind = status == http.StatusRequestedRangeNotSatisfiable; !r.behind {
		r.ResponseWriter.WriteHeader(status)
	}
}

// Write implements io.Writer.
func (r *ranged) Write(b []byte) (int, error) {
	if r.behind {
		return len(b), nil
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (r *ranged) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// faulty remembers that reading failed, of which http.ServeContent says nothing.
type faulty struct {
	io.ReadSeeker
	err error
}

// Read implements io.Reader.
func (f *faulty) Read(b []byte) (int, error) {
	n, err := f.ReadSeeker.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}
