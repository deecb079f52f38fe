package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

// MaxDraft bounds the YAML that Parse reads, in bytes.
const MaxDraft = 4 << 20

// maxYAMLDepth bounds how deep a draft may nest; its own form needs four levels.
const maxYAMLDepth = 16

// ErrMalformed is wrapped where a draft is not the YAML of one at all.
var ErrMalformed = errors.New("draft cannot be read")

// Parse reads the YAML form of a draft and validates it. The error is a ClassifiedError alone, or an InvalidError with
// every fault, or says that the text is no YAML. Keys are those of Metadata, and title (a text, or the lines it is to be
// broken into), body (a text with a paragraph a line, or a list of paragraphs), attachments (titles, or title with file
// and text) and signature (form, seal_diameter). Offices are names, or code with name. A list of paragraphs may hold
// tables, pictures and numbered lists.
func Parse(data []byte) (*Document, error) {
	root, err := readYAML(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := refuseClassifiedYAML("draft", root, 0); err != nil {
		return nil, err
	}
	if !looksLikeDraft(root) {
		return nil, fmt.Errorf("parse draft: %w", ErrNotDraft)
	}
	r := &reader{}
	return r.finish(r.document(root))
}

// ErrNotDraft is returned for a YAML file of another purpose: it has none of the keys that every draft has.
var ErrNotDraft = errors.New("not a draft of a document: neither kind, title nor body")

func looksLikeDraft(root *yaml.Node) bool {
	if root.Kind != yaml.MappingNode || len(root.Content) == 0 {
		return true // a fault to be reported, not another file
	}
	for i := 0; i < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "kind", "title", "body":
			return true
		}
	}
	return false
}

// mergeFaults leaves out "missing" for a field that could not be read at all: one fault a field is enough.
func mergeFaults(read, validated []Fault) []Fault {
	seen := make(map[string]bool)
	for _, f := range read {
		seen[f.Field] = true
	}
	for _, f := range validated {
		if !seen[f.Field] {
			read = append(read, f)
		}
	}
	return read
}

func readYAML(data []byte) (*yaml.Node, error) {
	if len(data) > MaxDraft {
		return nil, fmt.Errorf("%d bytes, at most %d", len(data), MaxDraft)
	}
	if !utf8.Valid(data) { // before the decoder takes it for another encoding
		return nil, errors.New("not UTF-8; save the file as UTF-8")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		return nil, err
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document in the file")
	}
	if len(doc.Content) != 1 {
		return nil, errors.New("the file is empty")
	}
	return doc.Content[0], nil
}

// refuseClassifiedYAML looks at every key and every text before anything is made of them.
func refuseClassifiedYAML(where string, n *yaml.Node, depth int) error {
	if depth > maxYAMLDepth {
		return fmt.Errorf("parse draft: nested deeper than %d", maxYAMLDepth)
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if isClassificationKey(key.Value) && !nodeUnclassified(value) {
				return &ClassifiedError{Where: where, Kind: ClassifiedElement}
			}
			at := where
			if depth == 0 && isDraftKey(key.Value) { // only names of our own: the error carries nothing of the draft
				at = key.Value
			}
			if err := refuseClassifiedYAML(at, value, depth+1); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			if err := refuseClassifiedYAML(where, c, depth+1); err != nil {
				return err
			}
		}
	case yaml.ScalarNode:
		if kind, found := FindClassification(n.Value); found {
			return &ClassifiedError{Where: where, Kind: kind}
		}
	}
	return nil
}

func nodeUnclassified(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || isUnclassified(n.Value))
}

func isDraftKey(key string) bool {
	for _, f := range draftFields() {
		if f.key == key {
			return true
		}
	}
	return false
}

// reader turns YAML nodes into a Document and keeps going after a fault.
type reader struct {
	faults  []Fault
	remarks []Remark
}

func (r *reader) fault(n *yaml.Node, field, code, format string, args ...any) {
	detail := fmt.Sprintf(format, args...)
	if n != nil && n.Line > 0 {
		detail += fmt.Sprintf(" (line %d)", n.Line)
	}
	r.faults = append(r.faults, Fault{Field: field, Code: code, Detail: detail})
}

// draftField reads one top-level key into the document.
type draftField struct {
	key  string
	read func(r *reader, d *Document, n *yaml.Node)
}

func draftFields() []draftField {
	text := func(key string, at func(d *Document) *string) draftField {
		return draftField{key, func(r *reader, d *Document, n *yaml.Node) { *at(d) = r.text(n, key) }}
	}
	parsed := func(key string, at func(d *Document) interface{ UnmarshalText([]byte) error }) draftField {
		return draftField{key, func(r *reader, d *Document, n *yaml.Node) { r.parse(n, key, at(d)) }}
	}
	offices := func(key string, at func(d *Document) *[]Office) draftField {
		return draftField{key, func(r *reader, d *Document, n *yaml.Node) { *at(d) = r.offices(n, key) }}
	}
	type unmarshaler = interface{ UnmarshalText([]byte) error }
	return []draftField{
		text("id", func(d *Document) *string { return &d.ID }),
		{"related", (*reader).related},
		{"issuer", func(r *reader, d *Document, n *yaml.Node) { d.Issuer = r.office(n, "issuer") }},
		text("red_head", func(d *Document) *string { return &d.RedHead }),
		offices("joint_issuers", func(d *Document) *[]Office { return &d.JointIssuers }),
		parsed("kind", func(d *Document) unmarshaler { return &d.Kind }),
		parsed("direction", func(d *Document) unmarshaler { return &d.Direction }),
		parsed("urgency", func(d *Document) unmarshaler { return &d.Urgency }),
		{"classification", func(*reader, *Document, *yaml.Node) {}}, // looked at before; only 无 comes this far
		{"title", (*reader).title},
		{"number", (*reader).number},
		text("copy_number", func(d *Document) *string { return &d.CopyNumber }),
		{"approvers", func(r *reader, d *Document, n *yaml.Node) { d.Approvers = r.texts(n, "approvers") }},
		parsed("approved_on", func(d *Document) unmarshaler { return &d.ApprovedOn }),
		parsed("issued_on", func(d *Document) unmarshaler { return &d.IssuedOn }),
		text("printed_by", func(d *Document) *string { return &d.PrintedBy }),
		parsed("printed_on", func(d *Document) unmarshaler { return &d.PrintedOn }),
		offices("to", func(d *Document) *[]Office { return &d.To }),
		offices("cc", func(d *Document) *[]Office { return &d.CC }),
		{"body", func(r *reader, d *Document, n *yaml.Node) { d.Body = r.paragraphs(n, "body") }},
		{"attachments", (*reader).attachments},
		text("note", func(d *Document) *string { return &d.Note }),
		{"keywords", func(r *reader, d *Document, n *yaml.Node) { d.Keywords = r.texts(n, "keywords") }},
		text("language", func(d *Document) *string { return &d.Language }),
		text("disclosure", func(d *Document) *string { return &d.Disclosure }),
		text("disclosure_reason", func(d *Document) *string { return &d.DisclosureReason }),
		text("sharing", func(d *Document) *string { return &d.Sharing }),
		text("sharing_basis", func(d *Document) *string { return &d.SharingBasis }),
		{"print_copies", func(r *reader, d *Document, n *yaml.Node) { d.PrintCopies = r.number0(n, "print_copies") }},
		parsed("due_on", func(d *Document) unmarshaler { return &d.DueOn }),
		text("retention", func(d *Document) *string { return &d.Retention }),
		{"form", (*reader).form},
		{"attendance", (*reader).attendance},
		{"signature", (*reader).signature},
	}
}

func (r *reader) document(root *yaml.Node) *Document {
	d := &Document{}
	fields := make(map[string]func(*reader, *Document, *yaml.Node))
	for _, f := range draftFields() {
		fields[f.key] = f.read
	}
	r.mapping(root, "", func(key string, value *yaml.Node) bool {
		read, known := fields[key]
		if known {
			read(r, d, value)
		}
		return known
	})
	d.complete()
	return d
}

// complete fills in what follows from the rest.
func (d *Document) complete() {
	d.Classification, d.BodyFormat = Unclassified, "OFD"
	if d.Language == "" {
		d.Language = "zh-CN"
	}
	if d.RedHead == "" && d.Issuer.Name != "" {
		d.RedHead = d.PageForm().redHead(d.Issuer.Name)
	}
	d.Signature.complete(d.PageForm())
	if usual := d.Kind.Directions(); d.Direction == 0 && len(usual) > 0 {
		d.Direction = usual[0]
	}
	if d.ApprovedOn.IsZero() {
		d.ApprovedOn = d.IssuedOn // by rule the 成文日期 is the day of approval
	}
	d.ID = d.Identifier()
}

func (s *SignatureBlock) complete(form Form) {
	if s.Form == "" {
		s.Form = SignatureSeal
		if form == FormMinutes {
			s.Form = SignatureOmitted
		}
	}
	if s.SealDiameter == 0 {
		s.SealDiameter = DefaultSealDiameter
		if s.Form == SignatureStamp {
			s.SealDiameter = defaultStampSize
		}
	}
}

// mapping calls each for every key of n; each says whether it knows the key.
func (r *reader) mapping(n *yaml.Node, field string, each func(key string, value *yaml.Node) bool) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, orRoot(field), "malformed", "want keys with values")
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		at := strings.TrimPrefix(field+"."+clip(key), ".")
		switch {
		case n.Content[i].Kind != yaml.ScalarNode:
			r.fault(n.Content[i], orRoot(field), "malformed", "a key must be a plain word")
		case seen[key]:
			r.fault(n.Content[i], at, "duplicate", "the key occurs twice")
		case !each(key, n.Content[i+1]):
			r.fault(n.Content[i], at, "unknown", "no such key")
		}
		seen[key] = true
	}
}

func orRoot(field string) string {
	if field == "" {
		return "document"
	}
	return field
}

func (r *reader) text(n *yaml.Node, field string) string {
	if n.Kind != yaml.ScalarNode {
		r.fault(n, field, "malformed", "want a text")
		return ""
	}
	if n.Tag == "!!null" {
		return ""
	}
	return norm.NFC.String(strings.Trim(n.Value, " \t\r\n　"))
}

func (r *reader) texts(n *yaml.Node, field string) []string {
	if n.Kind == yaml.ScalarNode {
		if s := r.text(n, field); s != "" {
			return []string{s}
		}
		return nil
	}
	var out []string
	r.sequence(n, field, func(at string, item *yaml.Node) { out = append(out, r.text(item, at)) })
	return out
}

func (r *reader) sequence(n *yaml.Node, field string, each func(at string, item *yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		if n.Tag != "!!null" {
			r.fault(n, field, "malformed", "want a list")
		}
		return
	}
	for i, item := range n.Content {
		each(fmt.Sprintf("%s[%d]", field, i), item)
	}
}

func (r *reader) parse(n *yaml.Node, field string, into interface{ UnmarshalText([]byte) error }) {
	s := r.text(n, field)
	if err := into.UnmarshalText([]byte(s)); err != nil {
		r.fault(n, field, "malformed", "%v", err)
	}
}

func (r *reader) number0(n *yaml.Node, field string) int {
	v, err := strconv.Atoi(r.text(n, field))
	if err != nil || v < 0 {
		r.fault(n, field, "malformed", "want a whole number")
		return 0
	}
	return v
}
