package web

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/internal/verify"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/verdict"
)

// archivePage is a search and what it found.
type archivePage struct {
	Text, Number string
	Searched     bool
	Rows         []recordRow
	Next         string
	Archivist    bool
}

type recordRow struct{ archive.Record }

// officeOf limits what the archive shows: an archivist of the keeping office sees every record, everybody else those that
// the own office is a party of.
func (s *Server) officeOf(c *call) (string, error) {
	o, err := s.c.Accounts.Organisation(c.Context(), c.account.Org)
	if err != nil {
		return "", err
	}
	if o.Archive && c.account.Has(directory.Archivist) {
		return "", nil
	}
	return c.account.Org, nil
}

func (s *Server) searchArchive(c *call) error {
	q := c.URL.Query()
	p := archivePage{Text: q.Get("q"), Number: q.Get("number"), Searched: q.Has("q"), Archivist: c.account.Has(directory.Archivist)}
	office, err := s.officeOf(c)
	if err != nil {
		return err
	}
	after := q.Get("after")
	if after != "" && !transport.ValidCode(after) {
		after = ""
	}
	got, err := s.c.Archive.Find(c.Context(), archive.Query{Text: p.Text, Number: p.Number, Office: office, Limit: pageSize + 1, After: after})
	if err != nil {
		return err
	}
	if len(got) > pageSize {
		got = got[:pageSize]
		p.Next = withQuery(q, "after", got[pageSize-1].ID)
	}
	for _, r := range got {
		p.Rows = append(p.Rows, recordRow{r})
	}
	return c.show(http.StatusOK, "archive", p)
}

// recordPage is one record: what it says, what lies in its package, and, when it was asked for, whether all of it holds.
type recordPage struct {
	archive.Record
	IssuerName string
	Files      []archive.FileEntry
	Size       int64
	Pages      []pageView
	// Verdict is nil until it is asked for.
	Verdict *verdict.File
}

// maxJudged bounds the package that is verified on the page, in bytes; a larger one is for the command line.
const maxJudged = 64 << 20

func (s *Server) record(c *call) error {
	office, err := s.officeOf(c)
	if err != nil {
		return err
	}
	rec, body, err := s.c.Archive.Retrieve(c.Context(), c.variable("id"), office)
	if err != nil {
		return err
	}
	defer body.Close()
	p := recordPage{Record: rec, Size: body.Size(), IssuerName: rec.IssuerName}
	if p.Files, err = contents(body); err != nil {
		return err
	}
	v, err := s.recordVolume(c, rec, body, p.Files)
	if err != nil {
		return err
	}
	p.Pages = v.Pages("/archive/" + rec.ID)
	if c.URL.Query().Get("verify") != "1" {
		return c.show(http.StatusOK, "record", p)
	}
	if body.Size() > maxJudged {
		return api.NewProblem(api.TooLarge, "")
	}
	if err := c.note("archive.verify", rec.ID, transport.Allowed); err != nil {
		return err
	}
	data, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	if err != nil {
		return err
	}
	f, err := verify.One(verify.Input{Name: rec.ArchivalCode, Data: data}, s.c.Judge())
	if err != nil {
		return err
	}
	p.Verdict = &f
	return c.show(http.StatusOK, "record", p)
}

// contents lists the files that a package's manifest names.
func contents(body blob.Reader) ([]archive.FileEntry, error) {
	z, err := archive.OpenZip(body, body.Size())
	if err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(z, archive.ManifestName)
	if err != nil {
		return nil, err
	}
	m, err := archive.ParseManifest(data)
	if err != nil {
		return nil, err
	}
	return m.Files, nil
}

// recordVolume is the document of a record, for looking at.
func (s *Server) recordVolume(c *call, rec archive.Record, body blob.Reader, files []archive.FileEntry) (*volume, error) {
	key := "record/" + rec.ID
	if err := c.note("archive.view", rec.ID, transport.Allowed); err != nil {
		return nil, err
	}
	if v := s.shelf.get(key); v != nil {
		return v, nil
	}
	z, err := archive.OpenZip(body, body.Size())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(files, func(f archive.FileEntry) bool { return f.Role == archive.RoleDocument })
	if i < 0 {
		return &volume{}, nil
	}
	data, err := fs.ReadFile(z, files[i].Path)
	if err != nil {
		return nil, err
	}
	v := &volume{Document: files[i].Path, drawn: map[int][]byte{}}
	if err := v.read(data, s.c.Faces); err != nil {
		return nil, err
	}
	s.shelf.put(key, v)
	return v, nil
}

// recordImage draws a page of a record's document.
func (s *Server) recordImage(c *call) error {
	office, err := s.officeOf(c)
	if err != nil {
		return err
	}
	rec, body, err := s.c.Archive.Retrieve(c.Context(), c.variable("id"), office)
	if err != nil {
		return err
	}
	defer body.Close()
	files, err := contents(body)
	if err != nil {
		return err
	}
	v, err := s.recordVolume(c, rec, body, files)
	if err != nil {
		return err
	}
	return c.image(v)
}

// recordPackage hands out the record package.
func (s *Server) recordPackage(c *call) (err error) {
	office, err := s.officeOf(c)
	if err != nil {
		return err
	}
	rec, body, err := s.c.Archive.Retrieve(c.Context(), c.variable("id"), office)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if err := c.note("archive.retrieve", rec.ID, transport.Allowed); err != nil {
		return err
	}
	return c.attach(rec.ArchivalCode+".zip", "application/zip", body)
}
