package ofdseal

import (
	"bytes"
	"encoding/xml"
	"slices"
	"sort"
	"strings"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

const rootEntry = "OFD.xml"

// checkCoverage asks of every entry that the documents reach, and of every signature file, whether s covers it. Left out
// may be: its own files (Signature.xml and SignedValue.dat cannot be covered by themselves, Seal.esl is held against the
// seal inside the signature, and a picture beside it too), the files of later signatures, OFD.xml (warning) and the list of signatures (see
// warnOpenLists).
func (v *verifier) checkCoverage(sig *verdict.Signature, s *signed) []verdict.Check {
	faults := findings{name: verdict.CheckCoverage}
	for _, n := range v.pkg.Graph() {
		switch {
		case n.Missing:
			if other := v.lookalike(s, n.Name); other != "" {
				faults.add(verdict.Uncovered, "/%s is missing, and readers may show /%s in its place, which is not covered", n.Name, other)
			}
		case s.covers[n.Name]:
		case n.Name == rootEntry && v.pkg.RootOddity() != "":
			faults.add(verdict.DocBodyUncovered, "/%s is not covered and holds %s, which readers can take for another document", n.Name, v.pkg.RootOddity())
		case n.Name == rootEntry:
			sig.Warn(verdict.PartialCoverage, "signature %s does not cover /%s", s.id, n.Name)
		case n.Body != s.body:
			faults.add(verdict.DocBodyUncovered, "/%s of another document in the package is not covered", n.Name)
		default:
			faults.add(verdict.Uncovered, "/%s belongs to the document (%s) and is not covered", n.Name, n.Kind)
		}
	}
	v.warnImage(sig, s)
	if v.imageOpen(s) {
		faults.add(verdict.Uncovered, "/%s, the picture that /%s names, is covered by no signature and is not that of the seal", s.d.image, s.d.name)
	}
	for _, other := range v.signed {
		if other == s || later(other, s) {
			continue
		}
		for _, name := range other.files() {
			if !s.covers[name] && !own(s, name) {
				faults.add(verdict.Uncovered, "/%s of the earlier signature %s is not covered", name, other.id)
			}
		}
	}
	if len(faults.checks) > 0 {
		return faults.done()
	}
	return []verdict.Check{verdict.Pass(verdict.CheckCoverage)}
}

// warnOpenLists warns about lists that no signature covers: signatures may be added to them, and the last ones removed
// without anybody noticing.
func (v *verifier) warnOpenLists() {
	for _, l := range v.lists {
		open := len(l.entries) > 0
		for _, s := range v.signed {
			open = open && !s.covers[l.name]
		}
		if open {
			v.file.Warn(verdict.ListOpen, "/%s is covered by no signature: more may follow, and the last ones could be removed unnoticed", l.name)
		}
	}
}

// later reports whether a was made after b: a covers b, or neither covers the other and a stands later in the list.
func later(a, b *signed) bool {
	switch {
	case a.covers[b.describe]:
		return true
	case b.covers[a.describe]:
		return false
	}
	return a.list != b.list || a.position > b.position
}

// imageOpen reports whether a description names a picture of the seal (ImageLoc) that anybody could have put there: no signature
// of the list covers it, and it is not the one in the seal.
func (v *verifier) imageOpen(s *signed) bool {
	if s.d.image == "" || !v.pkg.Has(s.d.image) {
		return false
	}
	for _, other := range v.signed {
		if other.list == s.list && other.covers[s.d.image] {
			return false
		}
	}
	data, _ := v.pkg.Entry(s.d.image)
	return s.picture == nil || !bytes.Equal(data, s.picture)
}

// warnImage tells that the picture which a description names is missing.
func (v *verifier) warnImage(sig *verdict.Signature, s *signed) {
	if s.d.image != "" && !v.pkg.Has(s.d.image) {
		sig.Warn(verdict.MissingEntry, "/%s, which /%s names, is not in the package", s.d.image, s.d.name)
	}
}

func own(s *signed, name string) bool {
	return slices.Contains(s.files(), name)
}

// lookalike is an entry that no location leads to and that bears the name of a missing one in another folder: readers that search
// for a file where it is not show that one. Empty if there is none that s leaves open.
func (v *verifier) lookalike(s *signed, missing string) string {
	if v.strays == nil {
		v.strays = map[string][]string{}
		for _, name := range v.pkg.Names() {
			if !v.pkg.Reaches(name) {
				v.strays[baseName(name)] = append(v.strays[baseName(name)], name)
			}
		}
	}
	for _, name := range v.strays[baseName(missing)] {
		if !s.covers[name] {
			return name
		}
	}
	return ""
}

func baseName(name string) string { return strings.ToLower(name[strings.LastIndexByte(name, '/')+1:]) }

// warnStamps warns of annotations of the kind Stamp, which readers draw as stamps: no seal is one.
func (v *verifier) warnStamps() {
	for _, n := range v.pkg.Graph() {
		if v.pkg.Stamped(n.Name) {
			v.file.Warn(verdict.Unsealed, "/%s draws a stamp as an annotation: it is no electronic seal", n.Name)
		}
	}
}

// reportStrays warns about entries that belong to no document and to no listed signature, and about missing ones.
func (v *verifier) reportStrays() {
	known := map[string]bool{}
	for _, l := range v.lists {
		known[l.name] = true
	}
	for _, s := range v.signed {
		for _, name := range s.files() {
			known[name] = true
		}
	}
	var strays []string
	folders := map[string]bool{}
	for _, name := range v.pkg.Names() {
		if known[name] || v.pkg.Reaches(name) {
			continue
		}
		strays = append(strays, name)
		if data, _ := v.pkg.Entry(name); isSignatureXML(name, data) {
			folders[folder(name)] = true
		}
	}
	code := verdict.UnlistedSignature
	if len(v.signed) == 0 {
		code = verdict.LeftoverSignature
	}
	for _, f := range sorted(folders) {
		v.file.Warn(code, "/%s holds signature files that no list names", f)
	}
	n := 0
	for _, name := range strays {
		if folders[folder(name)] {
			continue
		}
		if n++; n <= maxFindings {
			v.file.Warn(verdict.OrphanEntry, "/%s belongs to no document", name)
		}
	}
	for _, node := range v.pkg.Graph() {
		if node.Missing {
			v.file.Warn(verdict.MissingEntry, "/%s, which /%s names, is not in the package", node.Name, node.From)
		}
	}
}

func folder(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return ""
}

func sorted(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// isSignatureXML reports whether a stray file is a description or a list of signatures: an XML file with that root in
// an OFD namespace. A damaged one is told by its name.
func isSignatureXML(name string, data []byte) bool {
	if !strings.HasSuffix(strings.ToLower(name), ".xml") {
		return false
	}
	const enough = 4 << 10
	d := xml.NewDecoder(bytes.NewReader(data[:min(len(data), enough)]))
	for {
		tok, err := d.Token()
		if err != nil {
			base := name[strings.LastIndexByte(name, '/')+1:]
			return base == describeName || base == listName
		}
		if e, ok := tok.(xml.StartElement); ok {
			return strings.HasPrefix(e.Name.Space, "http://www.ofdspec.org") &&
				(e.Name.Local == "Signature" || e.Name.Local == "Signatures")
		}
	}
}

// pagesByID are the pages of a document by the identifier that stamps name.
func pagesByID(pages []ofd.Page) map[string]int {
	byID := make(map[string]int, len(pages))
	for i, p := range pages {
		byID[p.ID] = i
	}
	return byID
}
