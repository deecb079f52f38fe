package office

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
)

// MaxText bounds how much of a text file CheckUnclassified reads, in bytes from its beginning.
const MaxText = 16 << 20

// maxNesting bounds how deep documents in documents are opened.
const maxNesting = 3

// CheckUnclassified refuses a file that bears a classification, in its name or in what can be read of it: all of an OFD
// with its attachments (ofd.Package.CheckUnclassified), the information dictionary and XMP of a PDF, and text of any
// kind (plain, CSV, Markdown, XML, JSON, HTML, RTF) in UTF-8, UTF-16 or GB 18030. The error is document.ErrClassified and
// carries no word of the file. An OFD or PDF that cannot be opened gives the error of its reader. Pictures, page content
// of PDF, and other binary files are not read. No setting changes any of this.
func CheckUnclassified(name string, data []byte) error { return checkFile(name, data, 0) }

// CheckPackageUnclassified is CheckUnclassified of an OFD that is opened already, and may be larger than memory.
func CheckPackageUnclassified(name string, pkg *ofd.Package) error {
	if err := checkName(name); err != nil {
		return err
	}
	return checkPackage(pkg, 0)
}

// checkUnclassified opens an OFD that bears no classification and has a page.
func checkUnclassified(data []byte) (*ofd.Package, error) {
	pkg, err := ofd.Open(data)
	if err != nil {
		return nil, err
	}
	if err := checkPackage(pkg, 0); err != nil {
		return nil, err
	}
	if len(pkg.Pages()) == 0 {
		return nil, &document.InvalidError{Faults: []document.Fault{{Field: "pages", Code: "missing", Detail: "the document has no page"}}}
	}
	return pkg, nil
}

// checkUnclassified checks both forms of a draft.
func (d *Draft) checkUnclassified() error {
	if _, err := checkUnclassified(d.OFD); err != nil {
		return err
	}
	return checkPDF(d.PDF)
}

// checkOpened refuses a classified file that came out of an envelope. What cannot be read is left to its verdict.
func checkOpened(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	bound := int64(MaxText)
	if lower := strings.ToLower(file); strings.HasSuffix(lower, ".ofd") || strings.HasSuffix(lower, ".pdf") {
		bound = ofd.MaxFile
	}
	data, err := io.ReadAll(io.LimitReader(f, bound))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := CheckUnclassified(filepath.Base(file), data); errors.Is(err, document.ErrClassified) {
		return err
	}
	return nil
}

func checkFile(name string, data []byte, depth int) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")) && bytes.Contains(data, []byte("OFD.xml")):
		pkg, err := ofd.Open(data)
		if err != nil {
			return nested(err, depth)
		}
		return checkPackage(pkg, depth)
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return nested(checkPDF(data), depth)
	}
	return checkTextFile(name, data)
}

// nested lets pass what is broken inside of another document: only what can be read can be refused.
func nested(err error, depth int) error {
	if depth > 0 && !errors.Is(err, document.ErrClassified) {
		return nil
	}
	return err
}

func checkPackage(pkg *ofd.Package, depth int) error {
	if _, err := pkg.Metadata(); err != nil && !errors.Is(err, ofd.ErrNoMetadata) {
		return err
	}
	return pkg.CheckUnclassified(func(name string, data []byte) error {
		if depth+1 > maxNesting {
			return nil
		}
		return checkFile(name, data, depth+1)
	})
}

// checkName looks at the name of a file: 机密.pdf, 密级.txt.
func checkName(name string) error {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return checkText("the name of a file", base)
}

func checkText(where, text string) error {
	if kind, found := document.FindClassification(text); found {
		return &document.ClassifiedError{Where: where, Kind: kind}
	}
	return nil
}

// checkPDF looks at what a PDF says of itself: its information dictionary and its XMP.
func checkPDF(data []byte) error {
	f, err := pdf.Open(data)
	if err != nil {
		return err
	}
	v := f.Current()
	if entry, there := v.Trailer()["Info"]; there {
		if err := checkInfo(v, entry); err != nil {
			return err
		}
	}
	catalog, err := v.Catalog()
	if err != nil {
		return err
	}
	o, err := v.Resolve(catalog["Metadata"])
	if err != nil {
		return err
	}
	stream, ok := o.(*pdf.Stream)
	if !ok {
		return nil
	}
	xmp, err := pdf.Decode(stream, MaxText)
	if err != nil {
		return nil //nolint:nilerr // a filter that is not read here, as that of a picture
	}
	return checkTextFile("metadata.xml", xmp)
}

func checkInfo(v *pdf.View, entry pdf.Object) error {
	info, err := v.Dict(entry)
	if err != nil {
		return err
	}
	for key, value := range info {
		s, err := v.Resolve(value)
		if err != nil {
			return err
		}
		text, ok := s.(pdf.String)
		if !ok {
			continue
		}
		const where = "the document information"
		if document.ClassifiedElementNamed(string(key), pdfText(text.Value)) {
			return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
		}
		if err := checkText(where, pdfText(text.Value)); err != nil {
			return err
		}
	}
	return nil
}

// pdfText reads a text string: UTF-16 behind a byte order mark, UTF-8 otherwise, which holds for plain ASCII too.
func pdfText(b []byte) string {
	if len(b) < 2 || b[0] != 0xFE || b[1] != 0xFF {
		return string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 2; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
}

// checkTextFile reads what is text, in every way that its kind can be read.
func checkTextFile(name string, data []byte) error {
	const where = "a text file"
	data = data[:min(len(data), MaxText)]
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	named := document.ClassifiedElementNamed(stem, "x")
	if named && len(data) > 64 {
		return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
	}
	for _, text := range readings(name, data) {
		if named && document.ClassifiedElementNamed(stem, text) {
			return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
		}
		if err := checkReading(where, text); err != nil {
			return err
		}
	}
	return nil
}

// textSuffixes are the files that are text whatever their bytes look like.
const textSuffixes = " .txt .csv .tsv .md .markdown .xml .json .yaml .yml .html .htm .xhtml .mht .rtf .log .ini .eml .svg .tex .sql "

// readings decodes text: UTF-8 where the bytes are that, else every encoding they may be in. Binary files give none.
func readings(name string, data []byte) []string {
	suffix := strings.Contains(textSuffixes, " "+strings.ToLower(path.Ext(name))+" ") && path.Ext(name) != ""
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return decoded(data, "utf16")
	case !suffix && looksBinary(data):
		return nil
	case utf8.Valid(trimPartial(data)) && bytes.IndexByte(data, 0) < 0:
		return []string{string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))}
	}
	return append(append(decoded(data, "gb18030"), decoded(data, "utf16")...), decoded(data, "utf16be")...)
}

// trimPartial cuts off a character that the bound cut in two.
func trimPartial(data []byte) []byte {
	if len(data) < MaxText {
		return data
	}
	for i := 1; i < utf8.UTFMax && i < len(data); i++ {
		if utf8.RuneStart(data[len(data)-i]) {
			return data[:len(data)-i]
		}
	}
	return data
}

// looksBinary reports control characters that no text has among the first bytes.
func looksBinary(data []byte) bool {
	const sample = 4 << 10
	return bytes.ContainsFunc(data[:min(len(data), sample)], func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\v' && r != 0x1b
	})
}

func decoded(data []byte, encoding string) []string {
	d := simplifiedchinese.GB18030.NewDecoder()
	switch encoding {
	case "utf16":
		d = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	case "utf16be":
		d = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	}
	out, err := d.Bytes(data)
	if err != nil {
		return nil
	}
	return []string{string(out)}
}

var tag = regexp.MustCompile(`<[^<>]*>`)

// checkReading looks at the text as it stands and as its format would show it.
func checkReading(where, text string) error {
	views := []string{text}
	head := strings.TrimSpace(text[:min(len(text), 512)])
	switch {
	case strings.HasPrefix(head, "{") || strings.HasPrefix(head, "["):
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			if err := document.CheckJSON(where, v); err != nil {
				return err
			}
		} // and as it stands: of two equal keys only one was read
	case strings.HasPrefix(head, `{\rtf`):
	case strings.HasPrefix(head, "<"):
		if err := checkMarkup(where, text); err != nil {
			return err
		}
	}
	if strings.HasPrefix(head, `{\rtf`) {
		views = append(views, rtfText(text))
	}
	if strings.Contains(text, "<") {
		views = append(views, html.UnescapeString(tag.ReplaceAllString(text, "\n")), html.UnescapeString(tag.ReplaceAllString(text, "")))
	}
	for _, view := range views {
		if err := checkText(where, view); err != nil {
			return err
		}
	}
	return checkTable(where, text)
}

// checkMarkup looks at the names of elements and attributes with their values, as far as the markup can be read.
func checkMarkup(where, text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded before
	refused := &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
	open, label := "", ""
	for {
		t, err := d.RawToken()
		if err != nil {
			return nil //nolint:nilerr // the end, or no further readable; the text itself is looked at anyway
		}
		switch t := t.(type) {
		case xml.StartElement:
			open, label = t.Name.Local, ""
			value := ""
			for _, a := range t.Attr {
				if document.ClassifiedElementNamed(a.Name.Local, a.Value) {
					return refused
				}
				switch strings.ToLower(a.Name.Local) {
				case "name", "key", "property":
					label = a.Value
				case "value", "content":
					value = a.Value
				}
				if err := checkText(where, a.Value); err != nil {
					return err
				}
			}
			if document.ClassifiedElementNamed(label, value) {
				return refused
			}
		case xml.CharData:
			text := string(t)
			if document.ClassifiedElementNamed(open, text) || document.ClassifiedElementNamed(label, text) {
				return refused
			}
		case xml.EndElement:
			open, label = "", ""
		}
	}
}

// checkTable reads comma, tab and semicolon separated values: a column headed 密级, or a cell 密级 beside its value.
func checkTable(where, text string) error {
	for _, comma := range []rune{',', '\t', ';', '|'} {
		if !strings.ContainsRune(text, comma) {
			continue
		}
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = comma, true, -1, true
		var header []string
		for {
			row, err := r.Read()
			if err != nil {
				break // the end, or no table from here on
			}
			if header != nil && classifiedRow(header, row) {
				return &document.ClassifiedError{Where: where, Kind: document.ClassifiedElement}
			}
			if header == nil {
				header = append([]string{}, row...)
			}
			for i := 1; i < len(row); i++ {
				if !document.ClassifiedElementNamed(row[i-1], "x") {
					continue
				}
				if err := checkText(where, row[i-1]+row[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// classifiedRow reports a value under a heading that is a 密级.
func classifiedRow(header, row []string) bool {
	if len(header) != len(row) {
		return false
	}
	for i := range header {
		const longestHeading = 36 // bytes: a heading, no sentence
		if len(header[i]) <= longestHeading && document.ClassifiedElementNamed(header[i], row[i]) {
			return true
		}
	}
	return false
}

var rtfToken = regexp.MustCompile(`\\'([0-9a-fA-F]{2})|\\u(-?[0-9]{1,6}) ?(?:\\'[0-9a-fA-F]{2}|\?)*|\\(par|line|cell|row|tab)[^a-zA-Z]|\\[a-zA-Z]+-?[0-9]* ?|\\[^a-zA-Z]|[{}\r\n]`)

// rtfText is the text of rich text: escapes in GB 18030 and Unicode decoded, control words left out.
func rtfText(text string) string {
	var out strings.Builder
	var pending []byte
	flush := func() {
		if len(pending) > 0 {
			s, _ := simplifiedchinese.GB18030.NewDecoder().Bytes(pending)
			out.Write(s)
			pending = nil
		}
	}
	last := 0
	for _, at := range rtfToken.FindAllStringSubmatchIndex(text, -1) {
		if at[0] > last {
			flush()
			out.WriteString(text[last:at[0]])
		}
		last = at[1]
		switch {
		case at[2] >= 0:
			b, _ := strconv.ParseUint(text[at[2]:at[3]], 16, 8)
			pending = append(pending, byte(b))
		case at[4] >= 0:
			flush()
			n, _ := strconv.Atoi(text[at[4]:at[5]])
			fmt.Fprintf(&out, "%c", rune(uint16(n)))
		case at[6] >= 0:
			flush()
			out.WriteByte('\n')
			last = at[7] // what ended the word is text, or the next escape
		}
	}
	flush()
	out.WriteString(text[last:])
	return out.String()
}
