package ofd

import (
	"encoding/xml"
	"slices"
	"strings"
)

// RootOddity names the first thing in OFD.xml that another reader could take for a document, for what one is read from, or for
// another place to count from: empty if there is none. It is judged where no signature covers OFD.xml: readers that look for
// documents at any depth, or for names in any case, would show other ones than are judged here.
func (p *Package) RootOddity() string { return p.rootOdd }

// rootParts are the elements that may stand in the parts of OFD.xml that lead to documents.
var rootParts = map[string][]string{
	"OFD":        {"DocBody"},
	"DocBody":    {"DocInfo", "DocRoot", "Versions", "Signatures"},
	"DocRoot":    {},
	"Versions":   {"Version"},
	"Version":    {},
	"Signatures": {},
}

// rootOddity looks for what is not in an OFD.xml, below its root element.
func rootOddity(e *Element) string {
	if odd := attributeOddity(e); odd != "" {
		return odd
	}
	allowed, strict := rootParts[e.Name]
	for _, c := range e.Children {
		switch {
		case strict && (c.foreign || !slices.Contains(allowed, c.Name)), !strict && leads(c.Name):
			return "the element " + c.Name + " inside of " + e.Name
		case e.Name == "DocInfo" && strings.EqualFold(c.Name, "Cover") && c.Name != "Cover":
			return "the element " + c.Name
		}
		if odd := rootOddity(c); odd != "" {
			return odd
		}
	}
	return ""
}

// leads reports whether an element of the name leads to documents or signatures, in whatever case it is written.
func leads(name string) bool {
	for part := range rootParts {
		if strings.EqualFold(part, name) {
			return true
		}
	}
	return false
}

func attributeOddity(e *Element) string {
	for _, a := range e.attrs {
		if movesBase(a) {
			return "the attribute xml:base"
		}
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		switch e.Name {
		case "DocBody", "DocRoot", "Versions", "Signatures":
			return "the attribute " + a.Name.Local + " of " + e.Name
		case "Version":
			if strings.EqualFold(a.Name.Local, "BaseLoc") && a.Name.Local != "BaseLoc" {
				return "the attribute " + a.Name.Local
			}
		}
	}
	return ""
}

// movesBase reports whether the attribute is xml:base, from which some readers count locations.
func movesBase(a xml.Attr) bool {
	return a.Name.Space != "" && a.Name.Space != "xmlns" && a.Name.Local == "base"
}

// MovesBase reports whether the element has the attribute xml:base, from which some readers count the locations in it.
func (e *Element) MovesBase() bool { return slices.ContainsFunc(e.attrs, movesBase) }
