package document

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fault is one thing wrong with a draft.
type Fault struct {
	// Field is the path of the element, such as to[1].name.
	Field string `json:"field"`
	// Code is one of missing, unknown, malformed, duplicate, too_long, contradiction, glyph_missing.
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// InvalidError holds every fault of a draft, in the order of the document's elements.
type InvalidError struct{ Faults []Fault }

func (e *InvalidError) Error() string {
	parts := make([]string, 0, len(e.Faults))
	for _, f := range e.Faults {
		parts = append(parts, f.Field+": "+f.Detail)
	}
	return fmt.Sprintf("document has %d fault(s): %s", len(e.Faults), strings.Join(parts, "; "))
}

// Bounds of a draft; characters unless said otherwise.
const (
	maxName       = 80
	maxTitle      = 200
	maxParagraph  = 20000
	maxParagraphs = 5000
	maxList       = 500 // entries
	maxShort      = 200
)

var (
	codePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	copyPattern = regexp.MustCompile(`^[0-9]{6}$`)
	langPattern = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)
)

// checker collects faults, and the texts that it looked at.
type checker struct {
	faults []Fault
	texts  []FieldText
}

func (c *checker) add(field, code, format string, args ...any) {
	c.faults = append(c.faults, Fault{Field: field, Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (c *checker) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	return &InvalidError{Faults: c.faults}
}

// need faults an empty text.
func (c *checker) need(field, value, what string) {
	if value == "" {
		c.add(field, "missing", "%s is missing", what)
	}
}

// plain faults a text that is too long, not UTF-8, or holds control characters.
func (c *checker) plain(field, value string, most int) {
	c.texts = append(c.texts, FieldText{field, value})
	if n := utf8.RuneCountInString(value); n > most {
		c.add(field, "too_long", "%d characters, at most %d", n, most)
	}
	if !utf8.ValidString(value) {
		c.add(field, "malformed", "not UTF-8")
		return
	}
	for _, r := range value {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			c.add(field, "malformed", "holds the invisible character %U", r)
			return
		}
	}
}

func (c *checker) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		c.add(field, "unknown", "want one of %s", strings.Join(allowed, ", "))
	}
}

// Validate reports every fault of the draft in one InvalidError, or a ClassifiedError alone.
func (d *Document) Validate() error {
	if err := d.refuseClassified(); err != nil {
		return err
	}
	c := &checker{}
	d.checkAll(c)
	return c.err()
}

func (d *Document) checkAll(c *checker) {
	d.check(c)
	if len(d.Body) == 0 {
		c.add("body", "missing", "the text is missing")
	}
	checkParagraphs(c, "body", d.Body)
	for _, a := range d.Annexes {
		field := fmt.Sprintf("attachments[%d].text", a.Number-1)
		if a.Number < 1 || a.Number > len(d.Attachments) {
			c.add(field, "contradiction", "the annex is not in the list of attachments")
		}
		checkParagraphs(c, field, a.Body)
	}
	if n := len(d.pictures()); n > maxPictures {
		c.add("body", "too_long", "%d pictures, at most %d", n, maxPictures)
	}
	if len(d.TitleLines) > 0 && strings.Join(d.TitleLines, "") != d.Title {
		c.add("title", "contradiction", "the lines do not make up the title")
	}
	c.oneOf("form", string(d.Form), string(FormCommon), string(FormLetter), string(FormOrder), string(FormMinutes))
	d.checkAttendance(c)
	d.checkSignature(c)
}

func (d *Document) checkAttendance(c *checker) {
	for i, a := range d.Attendance {
		at := fmt.Sprintf("attendance[%d]", i)
		c.need(at, a.Label, "the label")
		c.oneOf(at, a.Label, "出席", "请假", "列席")
		if len(a.Names) == 0 || len(a.Names) > maxList {
			c.add(at, "malformed", "%d names, want 1 to %d", len(a.Names), maxList)
			continue
		}
		for _, name := range a.Names {
			c.need(at, name, "the name")
			c.plain(at, name, maxName)
		}
	}
}

func (d *Document) checkSignature(c *checker) {
	s := d.Signature
	c.oneOf("signature.form", string(s.Form), string(SignatureSeal), string(SignatureNone), string(SignatureStamp), string(SignatureOmitted))
	mm := s.SealDiameter
	if (s.Form == SignatureSeal || s.Form == SignatureStamp) && !(mm >= minSealDiameter && mm <= maxSealDiameter) {
		c.add("signature.seal_diameter", "malformed", "want %d to %d mm", minSealDiameter, maxSealDiameter)
	}
	if s.Form == SignatureStamp {
		c.need("signature.office_title", s.OfficeTitle, "the office title of the person who signs")
	}
	if s.Form == SignatureOmitted && d.PageForm() != FormMinutes {
		c.add("signature.form", "contradiction", "only minutes go without a signature")
	}
	c.plain("signature.office_title", s.OfficeTitle, maxName)
}

func (d *Document) refuseClassified() error {
	if err := d.Metadata.refuseClassified(); err != nil {
		return err
	}
	if kind, found := FindClassification(d.Text()); found {
		return &ClassifiedError{Where: "text", Kind: kind}
	}
	return nil
}

func (m *Metadata) refuseClassified() error {
	if !isUnclassified(m.Classification) {
		return &ClassifiedError{Where: "classification", Kind: ClassifiedElement}
	}
	data, err := MarshalMetadata(*m)
	if err != nil {
		return err
	}
	return refuseClassifiedJSON(data)
}

func checkParagraphs(c *checker, field string, list []Paragraph) {
	if len(list) > maxParagraphs {
		c.add(field, "too_long", "%d paragraphs, at most %d", len(list), maxParagraphs)
		return
	}
	for i, p := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		if p.Table != nil {
			p.Table.check(c, at+".table")
			continue
		}
		if p.Picture != nil {
			p.Picture.check(c, at+".picture")
			continue
		}
		c.need(at, p.Text, "the paragraph's text")
		c.plain(at, p.Text, maxParagraph)
	}
}

// Validate checks the metadata alone, as they are read back from a file: every fault in one InvalidError, or a
// ClassifiedError alone.
func (m *Metadata) Validate() error {
	if err := m.refuseClassified(); err != nil {
		return err
	}
	c := &checker{}
	m.check(c)
	return c.err()
}

func (m *Metadata) check(c *checker) {
	m.checkIdentity(c)
	m.checkNumber(c)
	m.checkDates(c)
	m.checkAddressing(c)
	m.checkAttachments(c)
	m.checkPolicy(c)
}

func (m *Metadata) checkIdentity(c *checker) {
	c.plain("id", m.ID, maxShort)
	for i, r := range m.Related {
		at := fmt.Sprintf("related[%d]", i)
		c.need(at+".type", r.Type, "the relation")
		c.oneOf(at+".type", r.Type, "reply", "forward", "correct", "void")
		c.need(at+".id", r.ID, "the identifier of the earlier document")
		c.plain(at+".id", r.ID, maxShort)
	}
	c.need("issuer.code", m.Issuer.Code, "the issuing office's code")
	c.office("issuer", m.Issuer)
	c.need("red_head", m.RedHead, "the red head")
	c.plain("red_head", m.RedHead, maxName)
	for i, o := range m.JointIssuers {
		c.office(fmt.Sprintf("joint_issuers[%d]", i), o)
	}
	if !m.Kind.Valid() {
		c.add("kind", "missing", "the kind (文种) is missing")
	}
	if m.Direction < Upward || m.Direction > Level {
		c.add("direction", "missing", "the direction (行文方向) is missing")
	}
	if m.Urgency < Normal || m.Urgency > ExtraUrgent {
		c.add("urgency", "unknown", "want 平件, 加急 or 特急")
	}
	c.need("title", m.Title, "the title")
	c.plain("title", m.Title, maxTitle)
}

func (c *checker) office(field string, o Office) {
	c.need(field+".name", o.Name, "the office's name")
	c.plain(field+".name", o.Name, maxName)
	if o.Code != "" && !codePattern.MatchString(o.Code) {
		c.add(field+".code", "malformed", "want letters, digits, dots and dashes")
	}
}

func (m *Metadata) checkNumber(c *checker) {
	switch {
	case m.Number.IsZero():
		c.add("number", "missing", "the document number (发文字号) is missing")
	case m.Number.check() != nil:
		c.add("number", "malformed", "%v", m.Number.check())
	case m.Number.Agency == "" && m.Kind.Valid() && m.Kind != Order && m.Kind != Minutes:
		c.add("number", "malformed", "a %s wants agency and year, as in 某政发〔2026〕7号", m.Kind)
	}
	if m.CopyNumber != "" && !copyPattern.MatchString(m.CopyNumber) {
		c.add("copy_number", "malformed", "want six digits")
	}
}

func (m *Metadata) checkDates(c *checker) {
	for _, d := range []struct {
		field string
		date  Date
	}{
		{"approved_on", m.ApprovedOn},
		{"issued_on", m.IssuedOn},
		{"printed_on", m.PrintedOn},
		{"due_on", m.DueOn},
	} {
		if !d.date.IsZero() && !d.date.exists() {
			c.add(d.field, "malformed", "no such day")
		}
	}
	if m.IssuedOn.IsZero() {
		c.add("issued_on", "missing", "the date of issue (成文日期) is missing")
	}
	if !m.PrintedOn.IsZero() && m.PrintedOn.Compare(m.IssuedOn) < 0 {
		c.add("printed_on", "contradiction", "printed before it was issued")
	}
	if !m.DueOn.IsZero() && m.DueOn.Compare(m.IssuedOn) < 0 {
		c.add("due_on", "contradiction", "due before it was issued")
	}
	if (m.PrintedBy == "") != m.PrintedOn.IsZero() {
		c.add("printed_by", "contradiction", "printing office and printing date go together")
	}
	c.plain("printed_by", m.PrintedBy, maxName)
	for i, name := range m.Approvers {
		at := fmt.Sprintf("approvers[%d]", i)
		c.need(at, name, "the approver's name")
		c.plain(at, name, maxName)
	}
	if m.Direction == Upward && len(m.Approvers) == 0 {
		c.add("approvers", "missing", "an upward document names who approved it (签发人)")
	}
}

// addressed reports whether a kind has addressees; the others are published, or go to those who took part.
func (m *Metadata) addressed() bool {
	switch m.Kind {
	case Resolution, Decision, Order, Communique, Proclamation, PublicNotice, Minutes:
		return false
	}
	return true
}

func (m *Metadata) checkAddressing(c *checker) {
	if len(m.To) == 0 && m.addressed() {
		c.add("to", "missing", "the addressee (主送) is missing")
	}
	seen := make(map[string]string)
	for _, list := range []struct {
		field   string
		offices []Office
	}{{"to", m.To}, {"cc", m.CC}} {
		if len(list.offices) > maxList {
			c.add(list.field, "too_long", "%d offices, at most %d", len(list.offices), maxList)
			continue
		}
		for i, o := range list.offices {
			at := fmt.Sprintf("%s[%d]", list.field, i)
			c.office(at, o)
			for _, key := range officeKeys(o) {
				if first, dup := seen[key]; dup {
					c.add(at, "duplicate", "the same office as %s", first)
					break
				}
				seen[key] = at
			}
		}
	}
}

// officeKeys compares names with NFKC, so that two spellings that look alike count as one office.
func officeKeys(o Office) []string {
	var keys []string
	if o.Code != "" {
		keys = append(keys, "code "+o.Code)
	}
	if o.Name != "" {
		keys = append(keys, "name "+norm.NFKC.String(o.Name))
	}
	return keys
}

func (m *Metadata) checkAttachments(c *checker) {
	if len(m.Attachments) > maxList {
		c.add("attachments", "too_long", "%d, at most %d", len(m.Attachments), maxList)
		return
	}
	files := make(map[string]bool)
	for i, a := range m.Attachments {
		at := fmt.Sprintf("attachments[%d]", i)
		c.need(at+".title", a.Title, "the attachment's title")
		c.plain(at+".title", a.Title, maxTitle)
		if a.Title != "" && strings.ContainsAny(lastRune(a.Title), "。，；、.,;") {
			c.add(at+".title", "malformed", "a line of the 附件说明 has no closing punctuation")
		}
		if a.File == "" {
			continue
		}
		c.plain(at+".file", a.File, maxShort)
		if path.Base(a.File) != a.File || strings.ContainsAny(a.File, `\/:*?"<>|`) || a.File == ".." || a.File == "." {
			c.add(at+".file", "malformed", "want a file name without folders")
		}
		if key := strings.ToLower(norm.NFKC.String(a.File)); files[key] {
			c.add(at+".file", "duplicate", "the name occurs twice")
		} else {
			files[key] = true
		}
	}
}

func lastRune(s string) string {
	_, n := utf8.DecodeLastRuneInString(s)
	return s[len(s)-n:]
}

func (m *Metadata) checkPolicy(c *checker) {
	c.plain("note", m.Note, maxTitle)
	for i, k := range m.Keywords {
		c.plain(fmt.Sprintf("keywords[%d]", i), k, maxName)
	}
	if !langPattern.MatchString(m.Language) {
		c.add("language", "malformed", "want a language tag such as zh-CN")
	}
	c.oneOf("disclosure", m.Disclosure, "主动公开", "依申请公开", "不予公开")
	if m.Disclosure == "不予公开" {
		c.need("disclosure_reason", m.DisclosureReason, "the reason for not disclosing")
	}
	c.oneOf("sharing", m.Sharing, "无条件共享", "有条件共享", "不予共享")
	if m.Sharing == "不予共享" || m.Sharing == "有条件共享" {
		c.need("sharing_basis", m.SharingBasis, "the basis for limiting sharing")
	}
	c.plain("disclosure_reason", m.DisclosureReason, maxShort)
	c.plain("sharing_basis", m.SharingBasis, maxShort)
	c.oneOf("retention", m.Retention, "Y", "D30", "D10")
}

// Advise tells the author what is unusual about a valid draft; nothing of it stops the document.
func (d *Document) Advise() []Remark {
	var out []Remark
	if usual := d.Kind.Directions(); d.Kind.Valid() && !slices.Contains(usual, d.Direction) {
		out = append(out, Remark{"direction_unusual", "direction", fmt.Sprintf("a %s usually goes %s", d.Kind, usual[0])})
	}
	if d.Kind == Request && len(d.CC) > 0 {
		out = append(out, Remark{"request_copied", "cc", "a 请示 is not copied to subordinates"})
	}
	if d.Kind == Request && len(d.To) > 1 {
		out = append(out, Remark{"request_addressees", "to", "a 请示 goes to one superior office"})
	}
	if d.ApprovedOn.Compare(d.IssuedOn) > 0 {
		out = append(out, Remark{"approved_after_issued", "approved_on", "approved after the date of issue"})
	}
	for field, value := range map[string]string{"disclosure": d.Disclosure, "sharing": d.Sharing} {
		if value == "" {
			out = append(out, Remark{"metadata_incomplete", field, "the archive will ask for it"})
		}
	}
	slices.SortStableFunc(out, func(a, b Remark) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// AsInvalid returns the faults in err, nil when it holds none.
func AsInvalid(err error) []Fault {
	if e, ok := errors.AsType[*InvalidError](err); ok {
		return e.Faults
	}
	return nil
}
