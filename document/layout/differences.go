package layout

import (
	"strings"

	"yinxin/document"
)

// Difference is an element of which a file's metadata say something else than its pages print.
type Difference struct {
	// Element is the key of the metadata: title, number, issued_on, to, cc, urgency, copy_number, attachments or note.
	Element string `json:"element"`
	Stated  string `json:"stated"`
	Printed string `json:"printed"`
}

// Differences compares metadata with what [Read] took off the pages. Blanks do not count, and what a form does not print
// is not compared.
func Differences(stated document.Metadata, read *document.Document) []Difference {
	var out []Difference
	compare := func(element, a, b string) {
		if squeezed(a) != squeezed(b) {
			out = append(out, Difference{Element: element, Stated: a, Printed: b})
		}
	}
	if read.Form != document.FormOrder {
		compare("title", stated.Title, read.Title)
		compare("to", officeList(stated.To), officeList(read.To))
	}
	compare("number", stated.Number.String(), read.Number.String())
	compare("issued_on", stated.IssuedOn.String(), read.IssuedOn.String())
	compare("cc", officeList(stated.CC), officeList(read.CC))
	compare("urgency", stated.Urgency.String(), read.Urgency.String())
	compare("copy_number", stated.CopyNumber, read.CopyNumber)
	compare("attachments", attachmentTitles(stated.Attachments), attachmentTitles(read.Attachments))
	compare("note", stated.Note, read.Note)
	return out
}

func squeezed(s string) string { return strings.Join(strings.FieldsFunc(s, blank), "") }

func attachmentTitles(list []document.AttachmentInfo) string {
	var titles []string
	for _, a := range list {
		titles = append(titles, a.Title)
	}
	return strings.Join(titles, "；")
}
