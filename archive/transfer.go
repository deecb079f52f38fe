package archive

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"yinxin/internal/durable"
)

// The parts of a batch to be handed over, named as in annex 2 of 电子档案移交与接收办法 (2012).
const (
	TransferNotes    = "说明文件.TXT"
	TransferIndex    = "文件目录.XML"
	transferRecords  = "电子档案"
	transferOther    = "其他"
	TransferRegister = transferOther + "/电子档案移交与接收登记表.json"
)

// Transfer writes records into a folder to be handed over (移交): 说明文件.TXT, 文件目录.XML, 电子档案/year/retention/档号/ with
// the unpacked record package, and 其他/ with the register. It is shaped after annex 2 of 电子档案移交与接收办法; of its XML only
// the elements of an entry are known, so the names of the elements are those and no schema is claimed.
//
// What is written is what the packages hold, byte for byte; whether they are genuine is the verifier's to say. Without
// [Transfer.Close] the folder has no index and is no batch.
type Transfer struct {
	dir   string
	index transferIndex
	codes map[string]bool
	bytes int64
}

// transferIndex is 文件目录.XML.
type transferIndex struct {
	XMLName xml.Name        `xml:"文件目录"`
	Entries []transferEntry `xml:"文件"`
}

// transferEntry is a record in the index. 密级 is always 无: nothing classified is exchanged here.
type transferEntry struct {
	Number  int    `xml:"顺序号"`
	Code    string `xml:"档号"`
	Issuer  string `xml:"责任者"`
	Title   string `xml:"题名"`
	Date    string `xml:"日期"`
	Degree  string `xml:"密级"`
	Path    string `xml:"电子档案名称"`
	Remarks string `xml:"备注"`
}

// Register is what a hand-over says of a batch (GB/T 18894-2016 table A.1): how many records, and the bytes of the files that
// their manifests list. `yinxin archive check --register` compares with it.
type Register struct {
	Records int   `json:"records"`
	Bytes   int64 `json:"bytes"`
}

// NewTransfer begins a batch in dir, which is made and must be empty.
func NewTransfer(dir string) (*Transfer, error) {
	if err := os.MkdirAll(filepath.Join(dir, transferOther), 0o755); err != nil {
		return nil, fmt.Errorf("begin transfer: %w", err)
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("begin transfer: %w", err)
	}
	if len(there) > 1 {
		return nil, fmt.Errorf("begin transfer in %s: %w", dir, ErrNotEmpty)
	}
	return &Transfer{dir: dir, codes: map[string]bool{}}, nil
}

// Add unpacks a record package into the batch. A second record of one 档号 is refused.
func (t *Transfer) Add(r io.ReaderAt, size int64) (Record, error) {
	content, err := OpenZip(r, size)
	if err != nil {
		return Record{}, fmt.Errorf("add to transfer: %w", err)
	}
	raw, err := fs.ReadFile(content, ManifestName)
	if err != nil {
		return Record{}, fmt.Errorf("add to transfer: %w", err)
	}
	m, err := ParseManifest(raw)
	if err != nil {
		return Record{}, fmt.Errorf("add to transfer: %w", err)
	}
	rec := m.Record
	place, err := transferPlace(rec)
	if err != nil {
		return rec, fmt.Errorf("add %s to transfer: %w", rec.ID, err)
	}
	if t.codes[place] {
		return rec, fmt.Errorf("add %s to transfer: 档号 %s stands twice", rec.ID, rec.ArchivalCode)
	}
	if err := Unpack(r, size, filepath.Join(t.dir, filepath.FromSlash(place))); err != nil {
		return rec, fmt.Errorf("add %s to transfer: %w", rec.ID, err)
	}
	t.codes[place] = true
	for _, f := range m.Files {
		t.bytes += f.Size
	}
	t.index.Entries = append(t.index.Entries, transferEntry{
		Number: len(t.index.Entries) + 1, Code: rec.ArchivalCode, Issuer: rec.IssuerName, Title: rec.Title, Date: rec.IssuedOn,
		Degree: "无", Path: place, Remarks: rec.Number,
	})
	return rec, nil
}

// transferPlace is where a record lies: by year, retention and 档号.
func transferPlace(r Record) (string, error) {
	date, err := time.Parse(time.DateOnly, r.IssuedOn)
	if err != nil {
		return "", fmt.Errorf("成文日期 %.20q", r.IssuedOn)
	}
	for _, part := range []string{r.Retention, r.ArchivalCode} {
		if part == "" || path.Base(part) != part || !fs.ValidPath(part) || part == "." || strings.ContainsAny(part, "\\:\x00") {
			return "", fmt.Errorf("%.80q cannot be the name of a folder", part)
		}
	}
	return path.Join(transferRecords, date.Format("2006"), r.Retention, r.ArchivalCode), nil
}

// Close writes index, register and notes; made is the time of the batch.
func (t *Transfer) Close(made time.Time) (Register, error) {
	reg := Register{Records: len(t.index.Entries), Bytes: t.bytes}
	register, err := json.MarshalIndent(reg, "", " ")
	if err != nil {
		return reg, fmt.Errorf("close transfer: %w", err)
	}
	var index bytes.Buffer
	index.WriteString(xml.Header)
	e := xml.NewEncoder(&index)
	e.Indent("", " ")
	if err := e.Encode(t.index); err != nil {
		return reg, fmt.Errorf("close transfer: %w", err)
	}
	index.WriteString("\n")
	for _, f := range []struct {
		name string
		data []byte
	}{
		{TransferRegister, append(register, '\n')},
		{TransferNotes, t.notes(reg, made)},
		{TransferIndex, index.Bytes()}, // last: a batch with an index is whole
	} {
		err = errors.Join(err, durable.WriteFile(filepath.Join(t.dir, filepath.FromSlash(f.name)), f.data, 0o644))
	}
	if err != nil {
		return reg, fmt.Errorf("close transfer: %w", err)
	}
	return reg, nil
}

// notes is 说明文件.TXT: what lies here, in which formats, and how it is read and checked.
func (t *Transfer) notes(r Register, made time.Time) []byte {
	return fmt.Appendf(nil, "电子档案移交说明\r\n\r\n"+
		"制作时间：%s\r\n"+
		"件数：%d\r\n"+
		"字节数：%d（各件清单所列文件之和）\r\n"+
		"内容：%s 下按年度、保管期限、档号存放各件归档信息包（yinxin.package/1）；文件目录见 %s；登记表见 %s。\r\n"+
		"格式：版式文件为 OFD，副本为 PDF；元数据与清单为 JSON（UTF-8）；回执为 yxr；签名为 GB/T 35275。未加密，未使用私有压缩。\r\n"+
		"读取：任何 OFD、PDF 阅读软件。验证：yinxin verify 电子档案/*/*/* --root ROOT --log KEY；四性检测：yinxin archive check。\r\n",
		made.UTC().Format(time.RFC3339), r.Records, r.Bytes, transferRecords, TransferIndex, TransferRegister)
}
