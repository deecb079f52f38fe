package httpapi

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
)

// officeOf limits what the archive shows: an archivist of the keeping office sees
// every record, everybody else the records that its office is a party of.
func (s *Server) officeOf(c *Call) (string, error) {
	o, err := s.c.Directory.Organisation(c.Context(), c.Account.Org)
	if err != nil {
		return "", err
	}
	if o.Archive && c.Account.Has(directory.Archivist) {
		return "", nil
	}
	return c.Account.Org, nil
}

func (s *Server) searchArchive() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.ArchiveRecord], error) {
		none := api.List[api.ArchiveRecord]{}
		if s.c.Archive == nil {
			return none, api.NewProblem(api.NotFound, "this hub keeps no archive")
		}
		p, err := pageOf(c)
		if err != nil {
			return none, err
		}
		office, err := s.officeOf(c)
		if err != nil {
			return none, err
		}
		q := c.URL.Query()
		got, err := s.c.Archive.Find(ctx, archive.Query{
			Text: q.Get("q"), Number: q.Get("number"), Title: q.Get("title"), Exchange: q.Get("exchange"), Office: office,
			Limit: min(p.Limit+1, api.MaxLimit), After: p.After,
		})
		if err != nil {
			return none, err
		}
		items := make([]api.ArchiveRecord, 0, len(got))
		for _, r := range got {
			items = append(items, wireRecord(r))
		}
		return list(items, min(p.Limit, api.MaxLimit-1), func(r api.ArchiveRecord) string { return r.ID }), nil
	})
}

func wireRecord(r archive.Record) api.ArchiveRecord {
	return api.ArchiveRecord{
		ID: r.ID, ArchivalCode: r.ArchivalCode, Exchange: r.Exchange, Issuer: r.Issuer, IssuerName: r.IssuerName,
		Number: r.Number, Title: r.Title, IssuedOn: r.IssuedOn, DocumentSM3: r.DocumentSM3, DepositedAt: r.DepositedAt,
	}
}

// archivePackage hands out the record package, a zip file.
func (s *Server) archivePackage(w http.ResponseWriter, c *Call) error {
	if s.c.Archive == nil {
		return api.NewProblem(api.NotFound, "this hub keeps no archive")
	}
	office, err := s.officeOf(c)
	if err != nil {
		return err
	}
	rec, body, err := s.c.Archive.Retrieve(c.Context(), c.Var("id"), office)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := s.c.Auditor.Record(c.Context(), c.Audit("archive.retrieve", rec.ID, transport.Allowed)); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(rec.ID)+`.zip"`)
	if _, err := io.Copy(w, body); err != nil {
		panic(http.ErrAbortHandler) // a cut file must not look whole
	}
	return nil
}

// logFile serves the checkpoint and the tiles of the evidence log.
func (s *Server) logFile(w http.ResponseWriter, c *Call) error {
	path := strings.TrimPrefix(c.URL.Path, "/log/")
	if s.c.Log == nil {
		return api.NewProblem(api.NotFound, "")
	}
	tile := path != tlog.CheckpointPath
	if tile {
		if _, err := tlog.ParseTile(path); err != nil {
			return api.NewProblem(api.NotFound, "")
		}
	}
	data, err := s.c.Log.Fetch(c.Context(), path)
	if errors.Is(err, fs.ErrNotExist) {
		return api.NewProblem(api.NotFound, "")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if tile {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, err = w.Write(data)
	return ignoreGone(err)
}

func (s *Server) logKey(w http.ResponseWriter, _ *Call) error { return text(w, []byte(s.c.LogKey)) }
func (s *Server) roots(w http.ResponseWriter, _ *Call) error  { return text(w, s.c.Roots) }

func text(w http.ResponseWriter, body []byte) error {
	if len(body) == 0 {
		return api.NewProblem(api.NotFound, "")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write(body)
	return ignoreGone(err)
}
