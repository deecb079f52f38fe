package docx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"yinxin/document"
)

// refuseClassified looks at every word of the file, those that are not carried over as well: a 密级 stands in headers and
// text boxes, in the file's properties, in the description of a picture or in the data of an office system (customXml).
// folder is that of the text document, whose parts must be readable; others are looked through as they are where they are no
// XML that can be read.
func (c *container) refuseClassified(folder string) error {
	for _, name := range c.names {
		lower := strings.ToLower(name)
		if strings.Contains(otherText, " "+path.Ext(lower)+" ") {
			if err := c.refuseClassifiedText(name); err != nil {
				return err
			}
			continue
		}
		if path.Ext(lower) != ".xml" {
			continue
		}
		data, err := c.read(name, maxXML)
		if err != nil {
			return err
		}
		own := strings.HasPrefix(lower, strings.ToLower(folder))
		kind, err := classification(name, data, own)
		if err != nil {
			return err
		}
		if kind != "" {
			return &document.ClassifiedError{Where: "the file", Kind: kind}
		}
	}
	return nil
}

// otherText are the endings of parts in other formats (altChunk), which are looked through as plain text.
const otherText = " .htm .html .xhtml .mht .txt .rtf "

func (c *container) refuseClassifiedText(name string) error {
	data, err := c.read(name, maxXML)
	if err != nil {
		return err
	}
	kind, found, err := document.FindClassificationIn(bytes.NewReader(utf8Of(data)))
	if err != nil {
		return err
	}
	if found {
		return &document.ClassifiedError{Where: "the file", Kind: kind}
	}
	return nil
}

// classification is what one part bears; empty if it bears none. own parts are those of the text document.
func classification(name string, data []byte, own bool) (string, error) {
	if !own {
		data = utf8Of(data)
		kind, err := statedClassification(data, own)
		if err != nil {
			kind, _ = document.FindClassification(string(data))
		}
		return kind, nil
	}
	root, err := parseXML(name, data)
	if err != nil {
		return "", err
	}
	var words strings.Builder
	root.plainText(&words)
	if kind, found := document.FindClassification(words.String()); found {
		return kind, nil
	}
	return statedClassification(data, own)
}

// utf8Of makes UTF-8 of what says by its first bytes that it is UTF-16, as office systems write their data too.
func utf8Of(data []byte) []byte {
	text, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), data)
	if err != nil {
		return data
	}
	return text
}

// told are the attributes that hold words for readers, by their local names.
const told = " descr title alt "

// element is one that is open: its name, the name of the property that it states, and its own words with those of its
// children.
type element struct {
	name, property string
	words          strings.Builder
}

// statedClassification looks through properties, descriptions and the data of office systems. Element names count outside of
// the text document only, where no standard gives them another sense. The error says that the part is no XML that can be read.
func statedClassification(data []byte, own bool) (string, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // see utf8Of; other bytes are no UTF-8, which is an error
	var open []*element
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		kind := ""
		switch t := token.(type) {
		case xml.StartElement:
			if len(open) > maxDepth {
				return "", unreadable("deeper than %d elements", maxDepth)
			}
			e := &element{name: t.Name.Local}
			open = append(open, e)
			kind = e.attributes(t.Attr)
		case xml.CharData:
			if len(open) > 0 && !own {
				open[len(open)-1].words.Write(t)
			}
		case xml.EndElement:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if kind = last.states(); len(open) > 0 {
				if above := open[len(open)-1]; above.property != "" {
					above.words.WriteString(last.words.String())
				}
			}
		}
		if kind != "" {
			return kind, nil
		}
	}
}

// attributes looks at what the attributes tell readers, and at variables (docVar), whose value is an attribute.
func (e *element) attributes(all []xml.Attr) (kind string) {
	value := ""
	for _, a := range all {
		switch name := a.Name.Local; {
		case strings.Contains(told, " "+name+" "):
			if kind, found := document.FindClassification(a.Value); found {
				return kind
			}
		case name == "name" && (e.name == "property" || e.name == "docVar"):
			e.property = a.Value
		case name == "val" && e.name == "docVar":
			value = a.Value
		}
	}
	if value == "" {
		return ""
	}
	if document.ClassifiedElementNamed(e.property, value) {
		return document.ClassifiedElement
	}
	kind, _ = document.FindClassification(value)
	return kind
}

// notDegrees are elements of the standard parts whose names are like those of a degree: DocSecurity says how the file is
// locked.
const notDegrees = " DocSecurity "

// states looks at an element when all its words are known.
func (e *element) states() string {
	words := e.words.String()
	if words == "" {
		return ""
	}
	named := !strings.Contains(notDegrees, " "+e.name+" ") && document.ClassifiedElementNamed(e.name, words)
	if named || e.property != "" && document.ClassifiedElementNamed(e.property, words) {
		return document.ClassifiedElement
	}
	kind, _ := document.FindClassification(words)
	return kind
}
