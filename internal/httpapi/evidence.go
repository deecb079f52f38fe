package httpapi

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

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
		q, err := recordQuery(c.URL.Query())
		if err != nil {
			return none, err
		}
		q.Office, q.Limit, q.After = office, min(p.Limit+1, api.MaxLimit), p.After
		if err := s.c.Auditor.Record(ctx, c.Audit("archive.search", "", transport.Allowed)); err != nil {
			return none, err
		}
		got, err := s.c.Archive.Find(ctx, q)
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

// recordQuery reads what is searched for.
func recordQuery(v url.Values) (archive.Query, error) {
	q := archive.Query{
		Text: v.Get("q"), Title: v.Get("title"), Number: v.Get("number"), Exchange: v.Get("exchange"), Code: v.Get("code"),
		Issuer: v.Get("issuer"), Kind: v.Get("kind"), Retention: v.Get("retention"), DocumentSM3: v.Get("document_sm3"),
		From: v.Get("from"), To: v.Get("to"),
	}
	for _, date := range []string{q.From, q.To} {
		if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
			return q, api.NewProblem(api.Validation, "from and to are dates, yyyy-mm-dd")
		}
	}
	for _, e := range v["element"] {
		name, value, found := strings.Cut(e, "=")
		if !found || name == "" || value == "" {
			return q, api.NewProblem(api.Validation, "element is NAME=VALUE")
		}
		if q.Elements == nil {
			q.Elements = map[string]string{}
		}
		q.Elements[name] = value
	}
	return q, nil
}

func wireRecord(r archive.Record) api.ArchiveRecord {
	w := api.ArchiveRecord{
		ID: r.ID, ArchivalCode: r.ArchivalCode, Exchange: r.Exchange, Issuer: r.Issuer, IssuerName: r.IssuerName,
		Kind: r.Kind, Retention: r.Retention, Number: r.Number, Title: r.Title, IssuedOn: r.IssuedOn, DocumentSM3: r.DocumentSM3, DepositedAt: r.DepositedAt,
	}
	if !r.DisposedAt.IsZero() {
		w.DisposedAt = &r.DisposedAt
	}
	return w
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
	e, body, err := s.c.Archive.Retrieve(c.Context(), c.Var("id"), office)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := s.c.Auditor.Record(c.Context(), c.Audit("archive.retrieve", e.Record.ID, transport.Allowed)); err != nil {
		return err
	}
	return sendFile(w, c, file{
		name: e.Record.ID + ".zip", kind: "application/zip", tag: `"sm3-` + e.Package.String() + `"`, content: body,
	})
}

// recordEvidence lists the entries of the log about a record's exchange, those behind the package too.
func (s *Server) recordEvidence() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Evidence], error) {
		none := api.List[api.Evidence]{}
		if s.c.Archive == nil {
			return none, api.NewProblem(api.NotFound, "this hub keeps no archive")
		}
		office, err := s.officeOf(c)
		if err != nil {
			return none, err
		}
		e, body, err := s.c.Archive.Retrieve(ctx, c.Var("id"), office)
		switch {
		case errors.Is(err, archive.ErrDisposed): // its evidence remains
		case err != nil:
			return none, err
		default:
			if err := body.Close(); err != nil {
				return none, err
			}
		}
		if err := s.c.Auditor.Record(ctx, c.Audit("archive.evidence", e.Record.ID, transport.Allowed)); err != nil {
			return none, err
		}
		all, err := s.c.Hub.EvidenceOf(ctx, c.Caller(), e.Record.Exchange)
		if err != nil {
			return none, err
		}
		for _, e := range all {
			none.Items = append(none.Items, wireEntry(e))
		}
		return none, nil
	})
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
