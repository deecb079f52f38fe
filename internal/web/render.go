package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"yinxin/transport/directory"
)

//go:embed templates/*.html
var templates embed.FS

// pageSet are the pages of one language, by name.
type pageSet struct {
	texts catalogue
	pages map[string]*template.Template
}

// view is what every page is drawn from: what the frame needs, and the page's own Data.
type view struct {
	Lang    language
	Look    look
	Page    string // the page's name
	Here    string // its address, for forms that come back to it
	Account *directory.Account
	Office  string
	Nav     []navGroup
	Done    string // the text of what was just done, empty for nothing
	Data    any
}

// loadPages reads every page in every language: the frame, the parts that pages share, and the page.
func (s *Server) loadPages() (map[language]*pageSet, error) {
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	sets := map[language]*pageSet{}
	for _, l := range []language{chinese, english} {
		texts, err := loadCatalogue(l)
		if err != nil {
			return nil, err
		}
		set := &pageSet{texts: texts, pages: map[string]*template.Template{}}
		shared, err := template.New("frame").Funcs(s.functions(l, texts)).ParseFS(templates, "templates/_*.html")
		if err != nil {
			return nil, fmt.Errorf("read shared parts of pages: %w", err)
		}
		for _, file := range names {
			name := strings.TrimSuffix(path.Base(file), ".html")
			if strings.HasPrefix(name, "_") {
				continue
			}
			page, err := template.Must(shared.Clone()).ParseFS(templates, file)
			if err != nil {
				return nil, fmt.Errorf("read page %s: %w", name, err)
			}
			set.pages[name] = page
		}
		sets[l] = set
	}
	return sets, nil
}

// show draws a page whole before the first byte leaves, so that no page is cut off by an error.
func (c *call) show(status int, page string, data any) error {
	v := view{
		Lang: c.lang, Look: c.look, Page: page, Here: c.URL.RequestURI(), Data: data,
	}
	if c.Method != http.MethodGet {
		v.Here = "/"
	}
	if c.token != "" {
		v.Account, v.Office = &c.account, c.officeName(c.account.Org)
		v.Nav = c.navigation()
	}
	set := c.s.pages[c.lang]
	if done := "done." + c.URL.Query().Get("done"); done != "done." {
		v.Done = set.texts.word(done, "")
	}
	return c.draw(status, page, "frame", v)
}

// part draws a piece of a page, for htmx.
func (c *call) part(page, name string, data any) error {
	return c.draw(http.StatusOK, page, name, data)
}

func (c *call) draw(status int, page, name string, data any) error {
	t, ok := c.s.pages[c.lang].pages[page]
	if !ok {
		return fmt.Errorf("no page %s", page)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("draw page %s: %w", page, err)
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b.Bytes()) // whoever went away needs no answer
	return nil
}
