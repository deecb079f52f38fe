package docx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// ErrUnreadable is wrapped where a file is no document that can be read.
var ErrUnreadable = errors.New("not a readable .docx file")

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnreadable, fmt.Sprintf(format, args...))
}

// container is the ZIP package of the file.
type container struct {
	entries map[string]*zip.File
	names   []string
	total   int64 // bytes read so far
}

// oldFormat begins both a .doc of old and a file under a password: an OLE compound file.
const oldFormat = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"

func openContainer(data []byte) (*container, error) {
	switch {
	case len(data) > MaxFile:
		return nil, unreadable("%d bytes, at most %d", len(data), MaxFile)
	case bytes.HasPrefix(data, []byte(oldFormat)):
		return nil, unreadable("it is a .doc of the old format, or under a password; save it as .docx without one")
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, unreadable("%v", err)
	}
	if len(z.File) > maxEntries {
		return nil, unreadable("%d entries, at most %d", len(z.File), maxEntries)
	}
	c := &container{entries: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		name := strings.TrimPrefix(f.Name, "/")
		switch {
		case len(name) > maxName, strings.ContainsAny(name, "\\\x00"), name != "" && path.Clean(name) != strings.TrimSuffix(name, "/"),
			strings.HasPrefix(path.Clean(name), ".."):
			return nil, unreadable("an entry of the package has no plain name")
		case f.Flags&1 != 0:
			return nil, unreadable("it is under a password")
		}
		key := strings.ToLower(name) // names of parts do not differ by case (ISO/IEC 29500-2 6.2.2)
		if c.entries[key] != nil {
			return nil, unreadable("the package holds %q twice", name)
		}
		c.entries[key] = f
		c.names = append(c.names, name)
	}
	return c, nil
}

func (c *container) has(name string) bool { return c.entries[strings.ToLower(name)] != nil }

// read is a part's content; nil without an error where there is none.
func (c *container) read(name string, most int64) ([]byte, error) {
	f := c.entries[strings.ToLower(name)]
	if f == nil {
		return nil, nil
	}
	most = min(most, maxTotal-c.total)
	if f.UncompressedSize64 > ratioFloor && f.UncompressedSize64/maxRatio > f.CompressedSize64 {
		return nil, unreadable("%s expands more than %d times", name, maxRatio)
	}
	r, err := f.Open()
	if err != nil {
		return nil, unreadable("%s: %v", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, unreadable("%s: %v", name, err)
	}
	if int64(len(data)) > most {
		return nil, unreadable("%s has more than %d bytes", name, most)
	}
	c.total += int64(len(data))
	return data, nil
}

// xml reads a part as XML; nil where there is none.
func (c *container) xml(name string) (*node, error) {
	data, err := c.read(name, maxXML)
	if err != nil || data == nil {
		return nil, err
	}
	return parseXML(name, data)
}

// relation is one line of a relationship part.
type relation struct {
	kind, target string
	external     bool
}

// relations reads those of a part, or of the package where part is empty, by their ids. Targets are names of entries.
func (c *container) relations(part string) (map[string]relation, error) {
	name := "_rels/.rels"
	if part != "" {
		name = path.Join(path.Dir(part), "_rels", path.Base(part)+".rels")
	}
	root, err := c.xml(name)
	if err != nil || root == nil {
		return nil, err
	}
	out := make(map[string]relation)
	for _, r := range root.all("rel:Relationship") {
		kind := r.attr("Type")
		rel := relation{kind: kind[strings.LastIndex(kind, "/")+1:], target: r.attr("Target"), external: r.attr("TargetMode") == "External"}
		if !rel.external {
			if strings.HasPrefix(rel.target, "/") {
				rel.target = path.Clean(rel.target)[1:]
			} else {
				rel.target = path.Join(path.Dir(part), rel.target)
			}
		}
		out[r.attr("Id")] = rel
	}
	return out, nil
}

// target is the first part of a kind that another refers to; empty without one.
func target(rels map[string]relation, kind string) string {
	best := ""
	for _, r := range rels {
		if r.kind == kind && !r.external && (best == "" || r.target < best) {
			best = r.target
		}
	}
	return best
}
