// Package aspect checks a record package in the four aspects of electronic archives (四性检测, shaped after DA/T 70-2018):
// authenticity 真实性, integrity 完整性, usability 可用性, security 安全性.
//
// It promises that every item of the list is in the report, with what was looked at; that what a program cannot decide, or was
// not given the means to decide, is marked manual 人工 and keeps the whole open until a person has signed for it; and that no
// person's word outweighs an item that failed. It does not judge seals and receipts itself: it is given their verdict.
//
// The text of the standard was not at hand: codes and names of items are known from implementations, and three items, whose
// names are not known, are always manual.
package aspect

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"yinxin/archive"
	"yinxin/verdict"
)

// Schema names the report.
const Schema = "yinxin.aspects/1"

// Aspect is one of the four.
type Aspect string

// The aspects.
const (
	Authenticity Aspect = "authenticity" // 真实性
	Integrity    Aspect = "integrity"    // 完整性
	Usability    Aspect = "usability"    // 可用性
	Security     Aspect = "security"     // 安全性
)

// Chinese is the aspect's name in the standard.
func (a Aspect) Chinese() string {
	return map[Aspect]string{Authenticity: "真实性", Integrity: "完整性", Usability: "可用性", Security: "安全性"}[a]
}

// Stage is when a package is checked (检测环节).
type Stage string

// The stages.
const (
	Deposit  Stage = "deposit"  // 归档 GD
	Transfer Stage = "transfer" // 移交接收 YJ
	Keeping  Stage = "keeping"  // 长期保存 CQ
)

// Status is the result of an item or of the whole.
type Status string

// The results. Open is the whole's: an item waits for a person.
const (
	Passed Status = "passed"
	Failed Status = "failed"
	Manual Status = "manual" // 人工
	Open   Status = "open"   // 待人工确认
)

// Chinese is the word for the printed report.
func (s Status) Chinese() string {
	return map[Status]string{Passed: "通过", Failed: "不通过", Manual: "人工", Open: "待人工确认"}[s]
}

// Result is what was found of one item.
type Result struct {
	Code   string `json:"code" xml:"编码"`
	Aspect Aspect `json:"aspect" xml:"性质"`
	Name   string `json:"name" xml:"检测项目"`
	Status Status `json:"status" xml:"结果"`
	// Detail says what was looked at or what is wrong, Note who signed for a manual item.
	Detail string `json:"detail" xml:"说明"`
	Note   string `json:"note,omitempty" xml:"备注,omitempty"`
}

// Report is the result for one package.
type Report struct {
	XMLName      xml.Name  `json:"-" xml:"四性检测报告"`
	Schema       string    `json:"schema" xml:"schema,attr"`
	CheckedAt    time.Time `json:"checked_at" xml:"检测时间"`
	Stage        Stage     `json:"stage" xml:"检测环节"`
	Package      string    `json:"package" xml:"信息包"`
	Record       string    `json:"record" xml:"标识"`
	ArchivalCode string    `json:"archival_code" xml:"档号"`
	Status       Status    `json:"status" xml:"检测结果"`
	Items        []Result  `json:"items" xml:"检测项>检测项目记录"`
}

// Attestation is a person's word on a manual item.
type Attestation struct {
	Code   string    `json:"code"`
	Person string    `json:"person"`
	At     time.Time `json:"at"`
	Passed bool      `json:"passed"`
	Note   string    `json:"note,omitempty"`
}

// Scanner looks for malware.
type Scanner interface {
	// Version names engine and signatures.
	Version(ctx context.Context) (string, error)
	// Scan reads r to its end and returns the name of what it found, empty for nothing.
	Scan(ctx context.Context, r io.Reader) (found string, err error)
}

// Input is what is checked, and the means. Content, Verdict, Stage and Now are needed; what else is missing makes items manual.
type Input struct {
	Name    string
	Content fs.FS
	// Verdict is that of internal/verify on the same package.
	Verdict verdict.File
	Stage   Stage
	Now     time.Time
	// Pages opens a document, draws every page and counts them.
	Pages func(name string, data []byte) (int, error)
	// Peers are the other records of the batch; nil means that they are not known.
	Peers []archive.Record
	// Register with the bytes of the whole batch, Bytes.
	Register *archive.Register
	Bytes    int64
	// Scope are the 文种 that are archived here.
	Scope []string
	// Indexed asks the target database for the record.
	Indexed func(code string) error
	Scanner Scanner
	// Attested are the words of persons.
	Attested []Attestation
}

// ErrAttestation says that a person's word is not about a manual item, or bears no name or time.
var ErrAttestation = errors.New("aspect: attestation does not apply")

// Check runs every item. The error is for what could not be read at all.
func Check(ctx context.Context, in Input) (*Report, error) {
	s, err := open(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", in.Name, err)
	}
	r := &Report{
		Schema: Schema, CheckedAt: in.Now.UTC(), Stage: in.Stage, Package: in.Name, Record: s.record.ID, ArchivalCode: s.record.ArchivalCode,
	}
	for _, it := range items() {
		status, detail := it.check(s)
		r.Items = append(r.Items, Result{Code: it.code, Aspect: it.aspect(), Name: it.name, Status: status, Detail: detail})
	}
	for _, a := range in.Attested {
		if err := r.attest(a); err != nil {
			return nil, fmt.Errorf("check %s: %w", in.Name, err)
		}
	}
	r.Status = r.whole()
	return r, nil
}

// attest sets a person's word beside a manual item.
func (r *Report) attest(a Attestation) error {
	if strings.TrimSpace(a.Person) == "" || a.At.IsZero() {
		return fmt.Errorf("%w: item %s: a person and a time are needed", ErrAttestation, a.Code)
	}
	for i := range r.Items {
		it := &r.Items[i]
		if it.Code != a.Code {
			continue
		}
		if it.Status != Manual {
			return fmt.Errorf("%w: item %s is %s already", ErrAttestation, a.Code, it.Status)
		}
		it.Status = Passed
		if !a.Passed {
			it.Status = Failed
		}
		it.Note = strings.TrimSpace(fmt.Sprintf("人工确认：%s，%s。%s", a.Person, a.At.UTC().Format(time.RFC3339), a.Note))
		return nil
	}
	return fmt.Errorf("%w: there is no item %s", ErrAttestation, a.Code)
}

// whole is failed where one item is, else open where one waits for a person.
func (r *Report) whole() Status {
	status := Passed
	for _, it := range r.Items {
		switch it.Status {
		case Failed:
			return Failed
		case Manual:
			status = Open
		case Passed, Open:
		}
	}
	return status
}

// WriteXML writes the report as XML with the element names of the standard's report form.
func (r *Report) WriteXML(w io.Writer) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// Text is the report line by line; what failed begins with [x], what waits for a person with [?].
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  检测结果：%s\n", r.ArchivalCode, r.Package, r.Status.Chinese())
	marks := map[Status]string{Passed: "[ ]", Failed: "[x]", Manual: "[?]"}
	var last Aspect
	for _, it := range r.Items {
		if it.Aspect != last {
			fmt.Fprintf(&b, "%s\n", it.Aspect.Chinese())
			last = it.Aspect
		}
		fmt.Fprintf(&b, "  %s %s %s：%s。%s%s\n", marks[it.Status], it.Code, it.Name, it.Status.Chinese(), it.Detail, it.Note)
	}
	return b.String()
}
