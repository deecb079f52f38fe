package document

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (r *reader) office(n *yaml.Node, field string) Office {
	if n.Kind == yaml.ScalarNode {
		return Office{Name: r.text(n, field)}
	}
	var o Office
	r.mapping(n, field, func(key string, value *yaml.Node) bool {
		switch key {
		case "code":
			o.Code = r.text(value, field+".code")
		case "name":
			o.Name = r.text(value, field+".name")
		default:
			return false
		}
		return true
	})
	return o
}

func (r *reader) offices(n *yaml.Node, field string) []Office {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return []Office{r.office(n, field)}
	}
	var out []Office
	r.sequence(n, field, func(at string, item *yaml.Node) { out = append(out, r.office(item, at)) })
	return out
}

func (r *reader) title(d *Document, n *yaml.Node) {
	lines := r.texts(n, "title")
	if n.Kind == yaml.ScalarNode {
		lines = strings.FieldsFunc(strings.Join(lines, ""), func(c rune) bool { return c == '\n' || c == '\r' })
	}
	for i := range lines {
		lines[i] = strings.Trim(lines[i], " \t　")
	}
	d.Title = strings.Join(lines, "")
	if len(lines) > 1 {
		d.TitleLines = lines
	}
}

func (r *reader) number(d *Document, n *yaml.Node) {
	s := r.text(n, "number")
	if s == "" {
		return
	}
	number, converted, err := ReadNumber(s)
	if err != nil {
		r.fault(n, "number", "malformed", "%v", err)
		return
	}
	d.Number = number
	if converted {
		r.remarks = append(r.remarks, Remark{"number_converted", "number", "written as " + number.String()})
	}
}

func (r *reader) related(d *Document, n *yaml.Node) {
	r.sequence(n, "related", func(at string, item *yaml.Node) {
		var rel Related
		r.mapping(item, at, func(key string, value *yaml.Node) bool {
			switch key {
			case "type":
				rel.Type = r.text(value, at+".type")
			case "id":
				rel.ID = r.text(value, at+".id")
			default:
				return false
			}
			return true
		})
		d.Related = append(d.Related, rel)
	})
}

func (r *reader) attachments(d *Document, n *yaml.Node) {
	r.sequence(n, "attachments", func(at string, item *yaml.Node) {
		var info AttachmentInfo
		var body []Paragraph
		if item.Kind == yaml.ScalarNode {
			info.Title = r.text(item, at)
		} else {
			r.mapping(item, at, func(key string, value *yaml.Node) bool {
				switch key {
				case "title":
					info.Title = r.text(value, at+".title")
				case "file":
					info.File = r.text(value, at+".file")
				case "text":
					body = r.paragraphs(value, at+".text")
				default:
					return false
				}
				return true
			})
		}
		d.Attachments = append(d.Attachments, info)
		if body != nil {
			d.Annexes = append(d.Annexes, Annex{Number: len(d.Attachments), Title: info.Title, Body: body})
		}
	})
}

func (r *reader) paragraphs(n *yaml.Node, field string) []Paragraph {
	if n.Kind == yaml.ScalarNode {
		return paragraphs(n.Value)
	}
	var out []Paragraph
	r.sequence(n, field, func(at string, item *yaml.Node) {
		if item.Kind == yaml.MappingNode {
			out = append(out, r.block(item, at)...)
			return
		}
		p := NewParagraph(r.text(item, at))
		if strings.ContainsAny(p.Text, "\n\r") {
			r.fault(item, at, "malformed", "a paragraph in a list has no line breaks")
		}
		out = append(out, p)
	})
	return out
}

// block reads a list item that is no plain text: a table, a picture, a numbered list or a paragraph with its level.
func (r *reader) block(n *yaml.Node, field string) []Paragraph {
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "picture":
			if len(n.Content) == 2 {
				return []Paragraph{r.picture(n.Content[1], field+".picture")}
			}
		case "list":
			return r.list(n, field)
		case "paragraph":
			return []Paragraph{r.levelled(n, field)}
		}
	}
	return []Paragraph{r.table(n, field)}
}

// levelled reads {paragraph: …, level: n}: a paragraph whose level is not that of its mark.
func (r *reader) levelled(n *yaml.Node, field string) Paragraph {
	var p Paragraph
	r.mapping(n, field, func(key string, value *yaml.Node) bool {
		switch key {
		case "paragraph":
			p.Text = NewParagraph(r.text(value, field+".paragraph")).Text
			if strings.ContainsAny(p.Text, "\n\r") {
				r.fault(value, field+".paragraph", "malformed", "a paragraph in a list has no line breaks")
			}
		case "level":
			if p.Level = r.number0(value, field+".level"); p.Level > maxLevel {
				r.fault(value, field+".level", "malformed", "want 0 to %d", maxLevel)
			}
		default:
			return false
		}
		return true
	})
	return p
}

func (r *reader) signature(d *Document, n *yaml.Node) {
	r.mapping(n, "signature", func(key string, value *yaml.Node) bool {
		switch key {
		case "form":
			d.Signature.Form = SignatureForm(r.text(value, "signature.form"))
		case "seal_diameter":
			mm, err := strconv.ParseFloat(r.text(value, "signature.seal_diameter"), 64)
			if err != nil {
				r.fault(value, "signature.seal_diameter", "malformed", "want millimetres")
				return true
			}
			if mm == 0 {
				r.fault(value, "signature.seal_diameter", "malformed", "want millimetres")
			}
			d.Signature.SealDiameter = mm
		case "office_title":
			d.Signature.OfficeTitle = r.text(value, "signature.office_title")
		default:
			return false
		}
		return true
	})
}

func (r *reader) form(d *Document, n *yaml.Node) {
	form, known := formNames[r.text(n, "form")]
	if !known {
		r.fault(n, "form", "unknown", "want common, letter, order or minutes")
	}
	d.Form = form
}

func (r *reader) attendance(d *Document, n *yaml.Node) {
	lists := make(map[string][]string)
	r.mapping(n, "attendance", func(key string, value *yaml.Node) bool {
		for _, k := range attendanceKeys() {
			if k[0] == key {
				lists[key] = r.texts(value, "attendance."+key)
				return true
			}
		}
		return false
	})
	for _, k := range attendanceKeys() {
		if len(lists[k[0]]) > 0 {
			d.Attendance = append(d.Attendance, Attendance{Label: k[1], Names: lists[k[0]]})
		}
	}
}
