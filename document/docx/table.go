package docx

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSpan bounds how many columns a cell of the file may claim.
const maxSpan = 64

// table reads a table cell by cell. Text of merged cells stands in the first of them.
func (r *body) table(n *node) error {
	r.tables++
	place := fmt.Sprintf("table %d", r.tables)
	cells := &body{file: r.file, part: r.part, rels: r.rels, styles: r.styles, numbering: r.numbering, left: &omissions{}, places: r.places}
	b := block{place: place, rows: [][]string{}}
	widest := 0
	for _, tr := range rowsOf(n) {
		if tr.child("w:trPr").child("w:del") != nil {
			tr.told = true
			cells.left.add("tracked_change", place, "a deleted row stays out")
			continue
		}
		var row []string
		for _, tc := range cellsOf(tr) {
			text, err := cells.cell(tc, place)
			if err != nil {
				return err
			}
			props := tc.child("w:tcPr")
			if m := props.child("w:vMerge"); m != nil && m.attr("w:val") != "restart" {
				cells.left.add("merged_cells", place, "the text stands in the first cell, the others are empty")
			}
			row = append(row, text)
			if span, err := strconv.Atoi(props.val("w:gridSpan")); err == nil && span > 1 {
				cells.left.add("merged_cells", place, "the text stands in the first cell, the others are empty")
				row = append(row, make([]string, min(span, maxSpan)-1)...)
			}
		}
		if strings.Join(row, "") != "" {
			b.rows = append(b.rows, row)
			widest = max(widest, len(row))
		}
	}
	for i := range b.rows {
		if short := widest - len(b.rows[i]); short > 0 {
			b.rows[i] = append(b.rows[i], make([]string, short)...)
			cells.left.add("table_shape", place, "rows of different length are filled up with empty cells")
		}
	}
	b.tableOmissions = cells.left.all()
	r.blocks = append(r.blocks, b)
	return nil
}

// rowsOf and cellsOf look through the content controls that may stand between.
func rowsOf(n *node) []*node { return through(n, "w:tr") }

func cellsOf(n *node) []*node { return through(n, "w:tc") }

func through(n *node, name string) []*node {
	var out []*node
	for _, c := range n.children {
		switch c.name {
		case name:
			out = append(out, c)
		case "w:sdt":
			if content := c.child("w:sdtContent"); content != nil {
				out = append(out, through(content, name)...)
			}
		case "w:customXml", "w:ins":
			out = append(out, through(c, name)...)
		}
	}
	return out
}

// cell is the text of a cell on one line.
func (r *body) cell(n *node, place string) (string, error) {
	r.blocks = nil
	kept := *n
	kept.children = nil
	for _, c := range n.children {
		if c.name == "w:tbl" {
			c.told = true
			r.left.add("nested_table", place, "a table inside of a cell")
			continue
		}
		kept.children = append(kept.children, c)
	}
	if err := r.flow(&kept); err != nil {
		return "", err
	}
	var texts []string
	for _, b := range r.blocks {
		switch {
		case b.picture != nil:
			r.left.add("picture_in_table", place, "a picture inside of a cell")
			continue
		case b.rows != nil:
			r.left.add("nested_table", place, "a table inside of a cell")
			continue
		}
		texts = append(texts, b.mark+b.text)
	}
	for i := range r.left.list { // places inside of the table are those of the table
		r.left.list[i].Place = place
	}
	return strings.Join(texts, " "), nil
}
