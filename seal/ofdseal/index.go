package ofdseal

import (
	"encoding/base64"
	"strconv"
	"strings"

	"yinxin/crypto/gm"
	"yinxin/document/ofd"
	"yinxin/verdict"
)

// list is a Signatures.xml.
type list struct {
	name    string
	entries []listEntry
	// maxSignID is the text of MaxSignId, empty if there is none.
	maxSignID string
	root      *ofd.Element
	// odd is the first thing in it that another reader could take for a signature or for its kind; empty if there is none.
	odd string
}

// listEntry is one Signature of the list.
type listEntry struct {
	id, kind, relative string
	// describe is the entry name of Signature.xml.
	describe string
}

// readList reads the list of signatures of a document. Refusals are *verdict.ContainerError.
func readList(pkg *ofd.Package, name string) (*list, error) {
	data, ok := pkg.Entry(name)
	if !ok {
		return nil, verdict.Refuse(verdict.MissingEntry, "%s, which OFD.xml names, is not in the package", name)
	}
	root, err := ofd.ParseXML(name, data, "Signatures")
	if err != nil {
		return nil, err
	}
	l := &list{name: name, root: root, maxSignID: root.ChildText("MaxSignId"), odd: oddity(root)}
	all := root.All("Signature")
	if len(all) > maxSignatures {
		return nil, verdict.Refuse(verdict.Limit, "%s lists %d signatures", name, len(all))
	}
	for _, e := range all {
		entry := listEntry{id: e.Value("ID"), kind: typeSeal, relative: e.Value("Relative")}
		if t, given := e.Attr("Type"); given {
			entry.kind = t
		}
		if entry.describe, err = ofd.Resolve(name, e.Value("BaseLoc")); err != nil {
			return nil, err
		}
		l.entries = append(l.entries, entry)
	}
	return l, nil
}

// oddity looks for what is in no list of signatures. The list is open, as a rule: whoever comes by may write into it, and
// readers that look for signatures at any depth, or for attributes in any case, would see other ones than are judged here.
func oddity(root *ofd.Element) string {
	if root.MovesBase() {
		return "the attribute xml:base"
	}
	for _, e := range root.Children {
		if e.MovesBase() {
			return "the attribute xml:base"
		}
		if e.Name != "MaxSignId" && e.Name != "Signature" {
			return "the element " + e.Name
		}
		if len(e.Children) > 0 {
			return "an element inside of " + e.Name
		}
		for _, name := range e.AttrNames() {
			for _, known := range []string{"ID", "Type", "BaseLoc", "Relative"} {
				if strings.EqualFold(name, known) && name != known {
					return "the attribute " + name
				}
			}
		}
	}
	return ""
}

// description is a Signature.xml.
type description struct {
	name string
	data []byte
	// value, seal and image are entry names; seal and image may be empty.
	value, seal, image string
	method             string
	// time is the text of SignatureDateTime, by which nothing is judged.
	time       string
	references *references
	stamps     []stampAnnot
}

// references are what a signature covers.
type references struct {
	method string
	// given says that the method stands in the file: its absence is never taken for SM3.
	given bool
	items []reference
	// groups is the number of References elements; other than one is a fault.
	groups int
}

type reference struct {
	file  string // entry name
	value string // Base64 as it stands
}

// stampAnnot is a StampAnnot.
type stampAnnot struct {
	id, page string
	boundary ofd.Box
	clip     *ofd.Box
}

// readDescription reads a Signature.xml. Refusals are *verdict.ContainerError.
func readDescription(name string, data []byte) (*description, error) {
	root, err := ofd.ParseXML(name, data, "Signature")
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(data), "<![CDATA[") {
		return nil, verdict.Refuse(verdict.XMLSplitValue, "%s holds a CDATA section", name)
	}
	d := &description{name: name, data: data}
	if v := root.Child("SignedValue"); v != nil {
		if d.value, err = ofd.Resolve(name, v.Text); err != nil {
			return nil, err
		}
	}
	info := root.Child("SignedInfo")
	d.method, d.time = info.ChildText("SignatureMethod"), info.ChildText("SignatureDateTime")
	if s := info.Child("Seal"); s != nil {
		if d.seal, err = ofd.Resolve(name, s.ChildText("BaseLoc")); err != nil {
			return nil, err
		}
		if s.Child("ImageLoc") != nil {
			if d.image, err = ofd.Resolve(name, s.ChildText("ImageLoc")); err != nil {
				return nil, err
			}
		}
	}
	if d.references, err = readReferences(name, info); err != nil {
		return nil, err
	}
	d.stamps, err = readStamps(name, info)
	return d, err
}

func readReferences(name string, info *ofd.Element) (*references, error) {
	groups := info.All("References")
	r := &references{groups: len(groups)}
	if len(groups) == 0 {
		return r, nil
	}
	r.method, r.given = groups[0].Attr("CheckMethod")
	all := groups[0].All("Reference")
	if len(all) > maxReferences {
		return nil, verdict.Refuse(verdict.Limit, "%s: %d references", name, len(all))
	}
	for _, e := range all {
		file, err := ofd.Resolve(name, e.Value("FileRef"))
		if err != nil {
			return nil, err
		}
		value := ""
		if c := e.Child("CheckValue"); c != nil {
			value = c.Text
		}
		r.items = append(r.items, reference{file: file, value: value})
	}
	return r, nil
}

func readStamps(name string, info *ofd.Element) ([]stampAnnot, error) {
	all := info.All("StampAnnot")
	if len(all) > maxStamps {
		return nil, verdict.Refuse(verdict.Limit, "%s: %d stamps", name, len(all))
	}
	var stamps []stampAnnot
	for _, e := range all {
		s := stampAnnot{id: e.Value("ID"), page: e.Value("PageRef")}
		var err error
		if s.boundary, err = ofd.ParseBox(e.Value("Boundary")); err != nil {
			return nil, err
		}
		if c, given := e.Attr("Clip"); given {
			b, err := ofd.ParseBox(c)
			if err != nil {
				return nil, err
			}
			s.clip = &b
		}
		stamps = append(stamps, s)
	}
	return stamps, nil
}

// digestValue decodes a CheckValue: canonical Base64 of 32 bytes, nothing around it.
func (r reference) digestValue() ([32]byte, bool) {
	var sum [32]byte
	b, err := base64.StdEncoding.Strict().DecodeString(r.value)
	if err != nil || len(b) != len(sum) || base64.StdEncoding.EncodeToString(b) != r.value {
		return sum, false
	}
	copy(sum[:], b)
	return sum, true
}

// isSM3 reports whether a CheckMethod names SM3; odd says that it does so in the spelling of one vendor
// (…401.2, the OID of HMAC-SM3), which is read and named.
func isSM3(method string) (ok, odd bool) {
	switch method {
	case gm.OIDSM3.String(), "SM3", "sm3":
		return true, false
	case gm.OIDSM3.String() + ".2":
		return true, true
	}
	return false, false
}

// isSM2Method reports whether a SignatureMethod names SM2 with SM3.
func isSM2Method(method string) bool {
	switch strings.ToUpper(method) {
	case gm.OIDSM2WithSM3.String(), "SM3WITHSM2", "SM2WITHSM3":
		return true
	}
	return false
}

// counter splits an identifier such as "s012" into prefix, number and width.
func counter(id string) (prefix string, n, width int, ok bool) {
	i := len(id)
	for i > 0 && id[i-1] >= '0' && id[i-1] <= '9' {
		i--
	}
	n, err := strconv.Atoi(id[i:])
	return id[:i], n, len(id) - i, err == nil
}
