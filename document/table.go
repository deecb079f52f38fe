package document

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Table is a table among the paragraphs of a text.
type Table struct {
	// Caption is printed above the table; may be empty.
	Caption string
	// Head are the titles of the columns, repeated on every page that the table takes.
	Head []string
	// Rows hold one text a column.
	Rows [][]string
}

// Bounds of a table.
const (
	maxColumns = 12
	maxRows    = 2000
	maxCell    = 400 // characters
)

func (t *Table) check(c *checker, at string) {
	c.plain(at+".caption", t.Caption, maxTitle)
	if n := len(t.Head); n < 1 || n > maxColumns {
		c.add(at+".head", "malformed", "%d columns, want 1 to %d", n, maxColumns)
		return
	}
	if n := len(t.Rows); n < 1 || n > maxRows {
		c.add(at+".rows", "malformed", "%d rows, want 1 to %d", n, maxRows)
		return
	}
	for i, row := range append([][]string{t.Head}, t.Rows...) {
		field := fmt.Sprintf("%s.rows[%d]", at, i-1)
		if i == 0 {
			field = at + ".head"
		}
		if len(row) != len(t.Head) {
			c.add(field, "malformed", "%d cells in a table of %d columns", len(row), len(t.Head))
		}
		for _, cell := range row {
			c.plain(field, cell, maxCell)
		}
	}
}

// table reads a list item that is a table: {table: {caption: …, head: […], rows: [[…]]}}.
func (r *reader) table(n *yaml.Node, field string) Paragraph {
	t := &Table{}
	r.mapping(n, field, func(key string, value *yaml.Node) bool {
		if key != "table" {
			return false
		}
		at := field + ".table"
		r.mapping(value, at, func(key string, value *yaml.Node) bool {
			switch key {
			case "caption":
				t.Caption = r.text(value, at+".caption")
			case "head":
				t.Head = r.texts(value, at+".head")
			case "rows":
				r.sequence(value, at+".rows", func(field string, row *yaml.Node) { t.Rows = append(t.Rows, r.cells(row, field)) })
			default:
				return false
			}
			return true
		})
		return true
	})
	return Paragraph{Table: t}
}

// cells reads a row; a cell's line breaks become spaces.
func (r *reader) cells(n *yaml.Node, field string) []string {
	var out []string
	r.sequence(n, field, func(at string, item *yaml.Node) {
		out = append(out, strings.Join(strings.Fields(r.text(item, at)), " "))
	})
	return out
}
