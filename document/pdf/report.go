// Browsers verify and draw nothing into a PDF: what the writer brings along stays out of the verifier there.
//go:build !js

package pdf

import (
	"fmt"
	"io"
	"strings"
	"time"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/verdict"
)

// ReportOptions say how a verification report is printed. All are required.
type ReportOptions struct {
	Language verdict.Language
	// At is when the verdict was given; its day is the date of the file.
	At time.Time
	// Faces draws the characters; what none of its faces has is printed as a question mark.
	Faces *fonts.Set
}

// Measures of the printed report in millimetres.
const (
	reportLeft, reportRight  = 20.0, 190.0
	reportTop, reportBottom  = 25.0, 277.0
	reportTitle, reportText  = 6.0, 3.4
	reportLine, reportIndent = 5.2, 2.2
	reportFoot               = 287.0
)

// WriteReport prints a verification report as a PDF on A4: what [verdict.Report.Text] says, line by line, with a title,
// the time of the verdict and numbered pages. Lines that say that something failed are red. The same report, at the same
// time, gives the same bytes. It is a record for people and signed by nobody: what counts is the file that was judged.
func WriteReport(w io.Writer, r *verdict.Report, o ReportOptions) error {
	title, at := "电子公文验证报告", "验证时间"
	if o.Language == verdict.English {
		title, at = "Verification report", "Judged at"
	}
	return WriteLines(w, title, at, r.Text(o.Language), o)
}

// WriteLines prints any report as [WriteReport] prints that of a verification: title, the time under the word at, and the text
// line by line.
func WriteLines(w io.Writer, title, at, text string, o ReportOptions) error {
	p := reportPage{faces: o.Faces}
	page := "第 %d 页，共 %d 页"
	if o.Language == verdict.English {
		page = "page %d of %d"
	}
	p.y = reportTop
	p.line(fonts.Hei, reportTitle, 0, layout.Black(), title)
	p.y += reportLine
	p.line(fonts.Song, reportText, 0, layout.Black(), at+" "+o.At.UTC().Format(time.RFC3339))
	p.y += reportLine / 2
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		text := strings.TrimLeft(line, " ")
		color := layout.Black()
		if strings.HasPrefix(text, "[x]") {
			color = layout.Red()
		}
		p.line(fonts.Song, reportText, len(line)-len(text), color, text)
	}
	pages := &layout.Pages{Pages: append(p.done, p.page)}
	for i := range pages.Pages {
		foot := reportPage{faces: o.Faces, y: reportFoot}
		foot.line(fonts.Song, reportText, 0, layout.Black(), fmt.Sprintf(page, i+1, len(pages.Pages)))
		pages.Pages[i].Width, pages.Pages[i].Height = 210, 297
		pages.Pages[i].Runs = append(pages.Pages[i].Runs, foot.page.Runs...)
	}
	return Draw(w, pages, document.Metadata{Title: title, IssuedOn: document.DateOf(o.At.UTC())})
}

// reportPage sets lines, one below the other.
type reportPage struct {
	faces *fonts.Set
	done  []layout.Page
	page  layout.Page
	y     float64 // the baseline of the next line
}

// line sets a text, broken where it meets the right margin.
func (p *reportPage) line(role fonts.Role, size float64, indent int, color layout.Color, text string) {
	left := reportLeft + float64(indent)*reportIndent/2
	x := left
	p.feed()
	for _, c := range text {
		face, ok := p.faces.Resolve(role, c)
		if !ok {
			c = '?'
			if face, ok = p.faces.Resolve(role, c); !ok {
				continue
			}
		}
		advance, ok := face.Advance(c)
		if !ok {
			continue
		}
		if x += advance * size; x > reportRight {
			p.y += reportLine
			p.feed()
			left = reportLeft + float64(indent+2)*reportIndent/2 // what continues a line stands further in
			x = left + advance*size
		}
		p.put(layout.Run{
			X: x - advance*size, Y: p.y, Face: face, Size: size, Color: color, Text: string(c), Advances: []float64{advance * size},
		})
	}
	p.y += max(reportLine, 1.5*size)
}

// put appends a character to the run before it where it continues that run.
func (p *reportPage) put(r layout.Run) {
	if n := len(p.page.Runs); n > 0 {
		last := &p.page.Runs[n-1]
		const touching = 0.001
		if last.Face == r.Face && last.Y == r.Y && last.Size == r.Size && r.X-(last.X+last.Width()) < touching {
			last.Text += r.Text
			last.Advances = append(last.Advances, r.Advances...)
			return
		}
	}
	p.page.Runs = append(p.page.Runs, r)
}

// feed begins a page where the line does not fit on this one. The foot stands below it and is left alone.
func (p *reportPage) feed() {
	if p.y > reportBottom && p.y != reportFoot {
		p.done = append(p.done, p.page)
		p.page, p.y = layout.Page{}, reportTop
	}
}
