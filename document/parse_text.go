package document

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Text is what another source than a draft's YAML gives of a document, such as a word processor's file.
type Text struct {
	// Fields are elements of the draft that the source states, by the draft's keys.
	Fields []Field
	Body   []Paragraph
	// Annexes are the texts of the 附件, in the order of the 附件说明.
	Annexes []Annex
}

// IssuerCode is the key of a [Field] that states the issuer's code beside its name.
const IssuerCode = "issuer.code"

// Field is one element: a text, or a list of them.
type Field struct {
	// Key is one of a draft's, or IssuerCode.
	Key    string
	Values []string
	// List says that the values are a list even where there is one.
	List bool
}

// ParseText makes a document of a text, the fields that the text states, and the YAML of a draft without body. Where both
// state a field the YAML holds; meta may be empty. Faults are those of [Parse].
func ParseText(meta []byte, t Text) (*Document, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	if len(meta) > 0 {
		var err error
		if root, err = readYAML(meta); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	given := make(map[string]bool)
	for i := 0; i < len(root.Content) && root.Kind == yaml.MappingNode; i += 2 {
		given[root.Content[i].Value] = true
	}
	if given["body"] {
		return nil, &InvalidError{Faults: []Fault{{
			Field: "body", Code: "contradiction", Detail: "the text comes from the other file; take body out of the metadata",
		}}}
	}
	if root.Kind == yaml.MappingNode {
		for _, f := range withCode(t.Fields) {
			if !given[f.key] {
				given[f.key] = true
				root.Content = append(root.Content, scalar(f.key), f.node)
			}
		}
	}
	if err := refuseClassifiedYAML("draft", root, 0); err != nil {
		return nil, err
	}
	r := &reader{}
	d := r.document(root)
	d.Body, d.Annexes = t.Body, append(d.Annexes, t.Annexes...)
	return r.finish(d)
}

// keyNode is a field in its YAML form.
type keyNode struct {
	key  string
	node *yaml.Node
}

// withCode joins the issuer's name and code, which a draft holds under one key.
func withCode(fields []Field) []keyNode {
	var out []keyNode
	code := ""
	for _, f := range fields {
		if f.Key == IssuerCode {
			code = strings.Join(f.Values, "")
			continue
		}
		out = append(out, keyNode{f.Key, f.node()})
	}
	for i, f := range out {
		if f.key == "issuer" && code != "" {
			out[i].node = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("code"), scalar(code), scalar("name"), f.node}}
		}
	}
	return out
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func (f Field) node() *yaml.Node {
	if len(f.Values) == 1 && !f.List {
		return scalar(f.Values[0])
	}
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range f.Values {
		n.Content = append(n.Content, scalar(v))
	}
	return n
}

// finish validates a document and reports every fault in one InvalidError.
func (r *reader) finish(d *Document) (*Document, error) {
	d.Remarks = append(d.Remarks, r.remarks...)
	err := d.Validate()
	var invalid *InvalidError
	switch {
	case errors.As(err, &invalid):
		r.faults = mergeFaults(r.faults, invalid.Faults)
	case err != nil:
		return nil, err
	}
	if len(r.faults) > 0 {
		return nil, &InvalidError{Faults: r.faults}
	}
	return d, nil
}
