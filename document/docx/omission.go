package docx

import "fmt"

// Omission is something of the file that the document does not carry, or carries in another form.
type Omission struct {
	// Code is of a closed list: bullet, comment, embedded_object, emphasis, equation, floating_picture, footnote, header,
	// heading_level, hidden_text, line_break, link, macro, merged_cells, nested_table, number_added, page_break, picture_format,
	// picture_in_table, picture_missing, placeholder, repeated_element, ruby, script, symbol, table_shape, text_after_date, text_box,
	// tracked_change, unread_text, annex_without_title, more.
	Code string `json:"code"`
	// Place is where it stands: paragraph 3, table 1.
	Place string `json:"place"`
	// Detail says what became of it.
	Detail string `json:"detail"`
	// Count is how often it occurs at that place, or in the whole file for what is told once.
	Count int `json:"count"`
}

func (o Omission) String() string {
	s := fmt.Sprintf("%s: %s: %s", o.Code, o.Place, o.Detail)
	if o.Count > 1 {
		s += fmt.Sprintf(" (%d times)", o.Count)
	}
	return s
}

// omissions collects what is left out, a line a kind and place.
type omissions struct {
	list []Omission
	at   map[Omission]int
	more int
}

func (o *omissions) add(code, place, format string, args ...any) {
	x := Omission{Code: code, Place: place, Detail: fmt.Sprintf(format, args...)}
	o.count(x, x)
}

// once tells a kind of thing at its first place only.
func (o *omissions) once(code, place, detail string) {
	o.count(Omission{Code: code, Detail: detail}, Omission{Code: code, Place: place, Detail: detail})
}

func (o *omissions) count(key, x Omission) {
	if i, told := o.at[key]; told {
		o.list[i].Count++
		return
	}
	if len(o.list) >= maxOmissions {
		o.more++
		return
	}
	if o.at == nil {
		o.at = make(map[Omission]int)
	}
	x.Count = 1
	o.at[key] = len(o.list)
	o.list = append(o.list, x)
}

func (o *omissions) all() []Omission {
	if o.more > 0 {
		return append(o.list, Omission{Code: "more", Place: "the rest of the file", Detail: "not listed one by one", Count: o.more})
	}
	return o.list
}
