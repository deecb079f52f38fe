package document

import "strings"

// FieldText is a text of the draft with the path of its element, such as to[1].name.
type FieldText struct{ Field, Text string }

// PrintedTexts are the texts of the draft that its pages show, a field each; a red head that is made of the issuer's name
// is left out. d must be valid.
func (d *Document) PrintedTexts() []FieldText {
	c := &checker{}
	d.checkAll(c)
	var out []FieldText
	for _, t := range c.texts {
		own := t.Field == "red_head" && t.Text == d.PageForm().redHead(d.Issuer.Name)
		if t.Text != "" && !own && printed(t.Field) {
			out = append(out, t)
		}
	}
	return out
}

// printed reports whether a field stands on the pages; the others are metadata alone, or name files.
func printed(field string) bool {
	switch field, _, _ := strings.Cut(field, "["); field {
	case "id", "related", "keywords", "disclosure_reason", "sharing_basis":
		return false
	}
	return !strings.HasSuffix(field, ".file")
}
