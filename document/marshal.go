package document

import (
	"bytes"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Marshal writes a document as the YAML of a draft, which [Parse] reads as the same document again, whatever it came from.
// Pictures and attached files go by their names.
func Marshal(d *Document) ([]byte, error) {
	var w draftWriter
	w.identity(d)
	w.titleAndBody(d)
	w.metadata(d)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&w.root); err != nil {
		return nil, fmt.Errorf("marshal draft: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("marshal draft: %w", err)
	}
	return b.Bytes(), nil
}

// draftWriter fills a mapping in the order of its keys.
type draftWriter struct{ root mapping }

// mapping is an ordered mapping, in which an empty value takes no place.
type mapping []keyValue //nolint:recvcheck // filled by pointer, written by value as an element of a list

type keyValue struct {
	key   string
	value any
}

func (m *mapping) add(key string, value any) { *m = append(*m, keyValue{key, value}) }

func (m *mapping) text(key, value string) {
	if value != "" {
		m.add(key, value)
	}
}

func (m *mapping) texts(key string, values []string) {
	if len(values) > 0 {
		m.add(key, values)
	}
}

// MarshalYAML keeps the order.
func (m mapping) MarshalYAML() (any, error) {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, kv := range m {
		var key, value yaml.Node
		if err := key.Encode(kv.key); err != nil {
			return nil, err
		}
		if err := value.Encode(kv.value); err != nil {
			return nil, err
		}
		n.Content = append(n.Content, &key, &value)
	}
	return n, nil
}

func officeNode(o Office) any {
	if o.Code == "" {
		return o.Name
	}
	var m mapping
	m.add("code", o.Code)
	m.add("name", o.Name)
	return m
}

func (m *mapping) offices(key string, list []Office) {
	var out []any
	for _, o := range list {
		out = append(out, officeNode(o))
	}
	if len(out) > 0 {
		m.add(key, out)
	}
}

func (w *draftWriter) identity(d *Document) {
	m := &w.root
	m.text("id", d.ID)
	m.add("kind", d.Kind.String())
	m.text("form", string(d.Form))
	m.text("direction", d.Direction.String())
	m.text("urgency", d.Urgency.String())
	m.add("issuer", officeNode(d.Issuer))
	m.offices("joint_issuers", d.JointIssuers)
	m.text("red_head", d.RedHead)
	if d.Number != (Number{}) {
		m.add("number", d.Number.String())
	}
	m.text("copy_number", d.CopyNumber)
	m.texts("approvers", d.Approvers)
	m.text("approved_on", d.ApprovedOn.String())
	m.text("issued_on", d.IssuedOn.String())
	m.offices("to", d.To)
	m.offices("cc", d.CC)
	m.text("printed_by", d.PrintedBy)
	m.text("printed_on", d.PrintedOn.String())
	var related []any
	for _, r := range d.Related {
		related = append(related, mapping{{"type", r.Type}, {"id", r.ID}})
	}
	if len(related) > 0 {
		m.add("related", related)
	}
}

func (w *draftWriter) titleAndBody(d *Document) {
	m := &w.root
	if len(d.TitleLines) > 1 {
		m.add("title", d.TitleLines)
	} else {
		m.text("title", d.Title)
	}
	if len(d.Body) > 0 {
		m.add("body", paragraphNodes(d.Body))
	}
	var attachments []any
	for i, a := range d.Attachments {
		item := mapping{{"title", a.Title}}
		item.text("file", a.File)
		for _, x := range d.Annexes {
			if x.Number == i+1 {
				item.add("text", paragraphNodes(x.Body))
			}
		}
		attachments = append(attachments, item)
	}
	if len(attachments) > 0 {
		m.add("attachments", attachments)
	}
	m.text("note", d.Note)
	var people mapping
	for _, k := range attendanceKeys() {
		for _, a := range d.Attendance {
			if a.Label == k[1] {
				people.texts(k[0], a.Names)
			}
		}
	}
	if len(people) > 0 {
		m.add("attendance", people)
	}
	sign := mapping{{"form", string(d.Signature.Form)}}
	if d.Signature.SealDiameter > 0 {
		sign.add("seal_diameter", strconv.FormatFloat(d.Signature.SealDiameter, 'f', -1, 64))
	}
	sign.text("office_title", d.Signature.OfficeTitle)
	m.add("signature", sign)
}

func paragraphNodes(list []Paragraph) []any {
	out := []any{}
	for _, p := range list {
		switch {
		case p.Table != nil:
			t := mapping{}
			t.text("caption", p.Table.Caption)
			t.add("head", p.Table.Head)
			t.add("rows", p.Table.Rows)
			out = append(out, mapping{{"table", t}})
		case p.Picture != nil:
			pic := mapping{{"file", p.Picture.File}}
			pic.text("caption", p.Picture.Caption)
			if p.Picture.Width > 0 {
				pic.add("width", strconv.FormatFloat(p.Picture.Width, 'f', -1, 64))
			}
			out = append(out, mapping{{"picture", pic}})
		case NewParagraph(p.Text) != p: // its level is not that of its mark
			out = append(out, mapping{{"paragraph", p.Text}, {"level", strconv.Itoa(p.Level)}})
		default:
			out = append(out, p.Text)
		}
	}
	return out
}

func (w *draftWriter) metadata(d *Document) {
	m := &w.root
	m.texts("keywords", d.Keywords)
	m.text("language", d.Language)
	m.text("disclosure", d.Disclosure)
	m.text("disclosure_reason", d.DisclosureReason)
	m.text("sharing", d.Sharing)
	m.text("sharing_basis", d.SharingBasis)
	if d.PrintCopies > 0 {
		m.add("print_copies", strconv.Itoa(d.PrintCopies))
	}
	m.text("due_on", d.DueOn.String())
	m.text("retention", d.Retention)
}
