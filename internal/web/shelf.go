package web

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/internal/pages"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// volume is an opened document as the console shows it.
type volume struct {
	Metadata document.Metadata
	Files    []volumeFile
	// Document is the name of the official document among the files.
	Document string
	Verdicts []verdict.File
	Verdict  verdict.Status

	mu    sync.Mutex // a pages.Document is not for two at once
	doc   *pages.Document
	drawn map[int][]byte
	bytes int64
}

// volumeFile is one file of an opened envelope.
type volumeFile struct {
	Name string
	Size int64
}

// Title is what lists call the document.
func (v *volume) Title() string { return v.Metadata.Title }

// svg draws page i, counted from 0, once.
func (v *volume) svg(i int) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if data, ok := v.drawn[i]; ok {
		return data, nil
	}
	if v.doc == nil {
		return nil, os.ErrNotExist
	}
	var b bytes.Buffer
	if err := v.doc.SVG(&b, i); err != nil {
		return nil, err
	}
	v.drawn[i] = b.Bytes()
	return b.Bytes(), nil
}

// Pages lists the pages with the places of their seals; address is where the drawings lie.
func (v *volume) Pages(address string) []pageView {
	if v.doc == nil {
		return nil
	}
	verdicts := map[string]verdict.Status{}
	for _, f := range v.Verdicts {
		if f.File == v.Document {
			for _, s := range f.Signatures {
				verdicts[s.ID] = s.Verdict
			}
		}
	}
	var out []pageView
	for i, p := range v.doc.Package.Pages() {
		view := pageView{Number: i + 1, Address: fmt.Sprintf("%s/pages/%d.svg", address, i+1), Width: p.Size.W, Height: p.Size.H}
		for _, s := range v.doc.Seals {
			if s.PageID != p.ID {
				continue
			}
			view.Seals = append(view.Seals, sealSpot{
				Signature: s.Signature, Name: s.Seal, Verdict: verdicts[s.Signature],
				X: s.Boundary.X, Y: s.Boundary.Y, W: s.Boundary.W, H: s.Boundary.H,
			})
		}
		out = append(out, view)
	}
	return out
}

// pageView is one page to be shown; lengths are in mm.
type pageView struct {
	Number        int
	Address       string
	Width, Height float64
	Seals         []sealSpot
}

// sealSpot is where a seal stands on a page.
type sealSpot struct {
	Signature, Name string
	Verdict         verdict.Status
	X, Y, W, H      float64
	// Planned is a seal that is asked for and not there yet.
	Planned bool
}

// CentreX, CentreY and Radius are the circle of a seal.
func (s sealSpot) CentreX() float64 { return s.X + s.W/2 }

// CentreY is the height of its centre.
func (s sealSpot) CentreY() float64 { return s.Y + s.H/2 }

// Radius is half of its width.
func (s sealSpot) Radius() float64 { return s.W / 2 }

// newVolume reads what an opened envelope left in a folder.
func newVolume(o *office.Opened, dir string, faces *fonts.Set) (*volume, error) {
	v := &volume{Metadata: o.Metadata, Document: o.Document, Verdicts: o.Verdicts, Verdict: o.Verdict(), drawn: map[int][]byte{}}
	for _, name := range o.Files {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		v.Files = append(v.Files, volumeFile{name, info.Size()})
	}
	if o.Document == "" {
		return v, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, o.Document))
	if err != nil {
		return nil, err
	}
	return v, v.read(data, faces)
}

// read opens the OFD itself for drawing.
func (v *volume) read(data []byte, faces *fonts.Set) error {
	doc, err := pages.Open(data, faces)
	if err != nil {
		return err
	}
	v.doc, v.bytes = doc, 4*int64(len(data)) // the package, and about as much again for what is drawn of it
	return nil
}

// draftVolume is a document that is not sealed yet.
func draftVolume(data []byte, faces *fonts.Set) (*volume, error) {
	v := &volume{Document: office.DocumentName, drawn: map[int][]byte{}}
	if err := v.read(data, faces); err != nil {
		return nil, err
	}
	m, err := v.doc.Package.Metadata()
	if err != nil {
		return nil, err
	}
	v.Metadata = m
	return v, nil
}

// maxShelf bounds the opened documents that are kept, in bytes.
const maxShelf = 256 << 20

// shelf keeps opened documents, the last used ones.
type shelf struct {
	mu    sync.Mutex
	items map[string]*list.Element
	order *list.List // of shelved, the last used first
	bytes int64
}

type shelved struct {
	key string
	v   *volume
}

func newShelf() *shelf { return &shelf{items: map[string]*list.Element{}, order: list.New()} }

func (s *shelf) get(key string) *volume {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.items[key]
	if !ok {
		return nil
	}
	s.order.MoveToFront(e)
	it, _ := e.Value.(shelved)
	return it.v
}

func (s *shelf) put(key string, v *volume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.items[key]; ok || v.bytes > maxShelf/4 {
		return
	}
	s.items[key] = s.order.PushFront(shelved{key, v})
	for s.bytes += v.bytes; s.bytes > maxShelf; {
		last := s.order.Back()
		it, _ := last.Value.(shelved)
		s.bytes -= it.v.bytes
		delete(s.items, it.key)
		s.order.Remove(last)
	}
}

// opener opens a delivery or a dispatch into a folder.
type opener func(ctx context.Context, who office.Person, id, dir string) (*office.Opened, error)

// opened opens a document into a folder that is gone afterwards, and hands both to do.
func (c *call) opened(open opener, id string, do func(o *office.Opened, dir string) error) (err error) {
	select {
	case c.s.opening <- struct{}{}:
		defer func() { <-c.s.opening }()
	case <-c.Context().Done():
		return c.Context().Err()
	}
	dir, err := os.MkdirTemp(c.s.c.TempDir, "console-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o, err := open(c.Context(), c.person(), id, dir)
	if err != nil {
		return err
	}
	return do(o, dir)
}

// shelve opens a document, unless it lies on the shelf. The caller has asked whether the office may see it.
func (c *call) shelve(key string, open opener, id string) (*volume, error) {
	if v := c.s.shelf.get(key); v != nil {
		return v, nil
	}
	var v *volume
	err := c.opened(open, id, func(o *office.Opened, dir string) (err error) {
		v, err = newVolume(o, dir, c.s.c.Faces)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.s.shelf.put(key, v)
	return v, nil
}
