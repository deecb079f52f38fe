package aspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yinxin/archive"
	"yinxin/document"
	"yinxin/verdict"
)

// subject is a package that lies open.
type subject struct {
	Input
	ctx      context.Context //nolint:containedctx // of the one call of Check
	manifest *archive.Manifest
	record   archive.Record
	metadata map[string]any // metadata/document.json; nil when it cannot be read
	fault    error          // why not
}

// Bounds of what is read whole.
const (
	maxManifest = 8 << 20
	maxFile     = 2 << 30
)

func open(ctx context.Context, in Input) (*subject, error) {
	s := &subject{Input: in, ctx: ctx}
	raw, err := s.read(archive.ManifestName, maxManifest)
	if err != nil {
		return nil, err
	}
	if s.manifest, err = archive.ParseManifest(raw); err != nil {
		return nil, err
	}
	s.record = s.manifest.Record
	for _, f := range s.files(archive.RoleMetadata) {
		data, err := s.read(f.Path, document.MaxMetadata)
		if err == nil {
			err = json.Unmarshal(data, &s.metadata)
		}
		s.fault = errors.Join(s.fault, err)
	}
	if len(s.files(archive.RoleMetadata)) == 0 {
		s.fault = errors.New("包内没有元数据文件")
	}
	return s, nil
}

func (s *subject) files(role archive.Role) []archive.FileEntry {
	return slices.DeleteFunc(slices.Clone(s.manifest.Files), func(f archive.FileEntry) bool { return f.Role != role })
}

func (s *subject) read(name string, limit int64) ([]byte, error) {
	f, err := s.Content.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, limit)
	}
	return data, nil
}

// item is one line of the list.
type item struct {
	code, name string
	check      func(*subject) (Status, string)
}

func (i item) aspect() Aspect {
	return map[byte]Aspect{'1': Authenticity, '2': Integrity, '3': Usability, '4': Security}[i.code[0]]
}

// byHand is an item that only a person can answer.
func byHand(why string) func(*subject) (Status, string) {
	return func(*subject) (Status, string) { return Manual, why }
}

// items is the list (DA/T 70-2018).
func items() []item {
	return []item{
		{"1-1", "固化信息有效性检测", checkVerdict},
		{"1-2", "元数据项数据长度检测", checkLengths},
		{"1-3", "元数据项数据类型、格式检测", checkFormats},
		{"1-4", "设定值域的元数据项值域符合度检测", checkValues},
		{"1-5", "元数据项数据值合理性检测", checkReason},
		{"1-6", "元数据项数据包含特殊字符检测", checkCharacters},
		{"1-7", "档号规范性检测", checkCode},
		{"1-8", "元数据项数据重复性检测", checkDoubles},
		{"1-9", "（项目名称未见）", byHand("标准文本未见，不能自动判定")},
		{"1-10", "内容数据的电子属性一致性检测", checkProperties},
		{"1-11", "元数据与内容关联一致性检测", checkRelation},
		{"1-12", "说明文件和目录文件规范性检测", checkOf(verdict.CheckContainer)},
		{"1-13", "信息包目录结构规范性检测", checkStructure},
		{"1-14", "信息包一致性检测", checkOf(verdict.CheckReceiptBinding)},
		{"2-1", "总件数相符性检测", checkCount},
		{"2-2", "总字节数相符性检测", checkBytes},
		{"2-3", "元数据项完整性检测", checkElements},
		{"2-4", "元数据必填著录项目检测", checkRequired},
		{"2-5", "过程信息完整性检测", checkProcess},
		{"2-6", "连续性元数据项检测", checkContinuity},
		{"2-7", "内容数据完整性检测", checkOf(verdict.CheckDigests)},
		{"2-8", "（项目名称未见）", byHand("标准文本未见，不能自动判定")},
		{"2-9", "归档范围检测", checkScope},
		{"2-10", "信息包元数据完整性检测", checkOf(verdict.CheckManifest)},
		{"2-11", "信息包内容数据完整性检测", checkOf(verdict.CheckCoverage)},
		{"3-1", "信息包元数据可读性检测", checkReadable},
		{"3-2", "目标数据库中的元数据可访问性检测", checkIndexed},
		{"3-3", "内容数据格式合规性检测", checkContentFormats},
		{"3-4", "内容数据的可读性检测", checkPages},
		{"3-5", "软硬件环境合规性检测", byHand("保管环境由人工检查")},
		{"3-6", "（项目名称未全见）", byHand("标准文本未见，不能自动判定")},
		{"3-7", "（项目名称未全见）", byHand("标准文本未见，不能自动判定")},
		{"3-8", "信息包内容数据格式合规性检测", checkNoForeign},
		{"4-1", "杀毒软件安装情况检测", checkScanner},
		{"4-2", "病毒检测", checkMalware},
		{"4-3", "载体多余文件检测", checkOf(verdict.CheckCoverage)},
		{"4-4", "载体读取速度检测", byHand("载体由人工检查")},
		{"4-5", "载体外观检测", byHand("载体由人工检查")},
		{"4-6", "光盘合格性检测", byHand("载体由人工检查")},
		{"4-7", "归档过程安全性检测", byHand("技术与管理措施由人工检查")},
	}
}

// verdictDetail joins what failed.
func verdictDetail(f verdict.File) string {
	return strings.TrimSpace(fmt.Sprintf("结论 %s %s", f.Verdict, f.Reason))
}

func checkVerdict(s *subject) (Status, string) {
	switch s.Verdict.Verdict {
	case verdict.Passed:
		return Passed, fmt.Sprintf("摘要、签名、印章与回执均验证通过（%d 个部分）", len(s.Verdict.Parts))
	case verdict.Indeterminate:
		return Manual, verdictDetail(s.Verdict) + "：不能确定，须人工判断"
	default:
		return Failed, verdictDetail(s.Verdict)
	}
}

// checkOf takes over a check of the verdict; one that was not made is a failure.
func checkOf(name verdict.CheckName) func(*subject) (Status, string) {
	return func(s *subject) (Status, string) {
		found := false
		for _, c := range s.Verdict.Checks {
			if c.Name != name {
				continue
			}
			found = true
			if c.Status != verdict.Passed {
				return Failed, strings.TrimSpace(fmt.Sprintf("%s %s", c.Reason, c.Detail))
			}
		}
		if !found {
			return Failed, "未能检测"
		}
		return Passed, "检查项 " + string(name)
	}
}

// field is one element of the description.
type field struct {
	name, value string
	max         int
	required    bool
}

func (s *subject) fields() []field {
	r := s.record
	return []field{
		{"标识", r.ID, 64, true},
		{"档号", r.ArchivalCode, 64, true},
		{"保管期限", r.Retention, 3, true},
		{"交换标识", r.Exchange, 64, true},
		{"责任者代码", r.Issuer, 64, true},
		{"责任者", r.IssuerName, 200, true},
		{"文种", r.Kind, 8, true},
		{"文件编号", r.Number, 100, true},
		{"题名", r.Title, 500, true},
		{"日期", r.IssuedOn, 10, true},
		{"摘要值", r.DocumentSM3, 64, true},
	}
}

func result(bad []string, good string) (Status, string) {
	if len(bad) > 0 {
		return Failed, strings.Join(bad, "；")
	}
	return Passed, good
}

func checkLengths(s *subject) (Status, string) {
	var bad []string
	for _, f := range s.fields() {
		if n := utf8.RuneCountInString(f.value); n > f.max {
			bad = append(bad, fmt.Sprintf("%s %d 字，至多 %d", f.name, n, f.max))
		}
	}
	return result(bad, fmt.Sprintf("%d 项", len(s.fields())))
}

var hex64 = regexp.MustCompile(`^[0-9a-f]{64}$`)

func checkFormats(s *subject) (Status, string) {
	var bad []string
	if _, err := time.Parse(time.DateOnly, s.record.IssuedOn); err != nil {
		bad = append(bad, "日期不是 yyyy-mm-dd")
	}
	if !hex64.MatchString(s.record.DocumentSM3) {
		bad = append(bad, "摘要值不是 64 位十六进制")
	}
	if _, err := document.ParseNumber(s.record.Number); err != nil {
		bad = append(bad, "文件编号不是发文字号")
	}
	if s.record.Pages < 1 {
		bad = append(bad, fmt.Sprintf("页数 %d", s.record.Pages))
	}
	return result(bad, "日期、摘要值、文件编号、页数")
}

func checkValues(s *subject) (Status, string) {
	var bad []string
	if !slices.Contains([]string{"Y", "D30", "D10"}, s.record.Retention) {
		bad = append(bad, "保管期限 "+s.record.Retention)
	}
	if _, err := document.ParseKind(s.record.Kind); err != nil {
		bad = append(bad, "文种 "+s.record.Kind)
	}
	if c, ok := s.metadata["classification"].(string); ok && c != document.Unclassified {
		bad = append(bad, "密级 "+c)
	}
	return result(bad, "保管期限、文种、密级")
}

func checkReason(s *subject) (Status, string) {
	var bad []string
	issued, err := time.Parse(time.DateOnly, s.record.IssuedOn)
	if err != nil || issued.After(s.record.DepositedAt) {
		bad = append(bad, "成文日期晚于归档时间")
	}
	if s.record.DepositedAt.After(s.Now) {
		bad = append(bad, "归档时间在将来")
	}
	if m := codePattern.FindStringSubmatch(s.record.ArchivalCode); m != nil && m[1] != s.record.IssuedOn[:min(4, len(s.record.IssuedOn))] {
		bad = append(bad, "档号年度与成文日期不符")
	}
	return result(bad, "成文日期、归档时间、档号年度")
}

func checkCharacters(s *subject) (Status, string) {
	var bad []string
	for _, f := range s.fields() {
		if i := strings.IndexFunc(f.value, special); i >= 0 {
			r, _ := utf8.DecodeRuneInString(f.value[i:])
			bad = append(bad, fmt.Sprintf("%s 含 U+%04X", f.name, r))
		}
	}
	return result(bad, fmt.Sprintf("%d 项", len(s.fields())))
}

// special: control, format (with the marks that turn the direction), private-use and unassigned characters.
func special(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

// codePattern is the 档号: fonds, class·year·retention(·office), item (DA/T 13-2022).
var codePattern = regexp.MustCompile(`^[A-Z][0-9]{3}-WS·([0-9]{4})·(Y|D30|D10)(?:·[^-·\s]+)?-([0-9]{3,7})$`)

func checkCode(s *subject) (Status, string) {
	m := codePattern.FindStringSubmatch(s.record.ArchivalCode)
	if m == nil {
		return Failed, "档号 " + s.record.ArchivalCode + " 不合规则"
	}
	if m[2] != s.record.Retention {
		return Failed, "档号的保管期限与元数据不符"
	}
	return Passed, s.record.ArchivalCode
}

func checkDoubles(s *subject) (Status, string) {
	if s.Peers == nil {
		return Manual, "未给出同批其他记录"
	}
	var bad []string
	for _, p := range s.Peers {
		switch r := s.record; {
		case p.ID == r.ID && p.ArchivalCode == r.ArchivalCode:
		case p.ArchivalCode == r.ArchivalCode:
			bad = append(bad, "档号与 "+p.ID+" 重复")
		case p.Number == r.Number && p.Issuer == r.Issuer && p.Title == r.Title:
			bad = append(bad, "文件编号与题名与 "+p.ArchivalCode+" 重复")
		}
	}
	return result(bad, fmt.Sprintf("与 %d 条记录比较", len(s.Peers)))
}

func checkProperties(s *subject) (Status, string) {
	var bad []string
	for _, f := range s.manifest.Files {
		st, err := fs.Stat(s.Content, f.Path)
		if err != nil || st.Size() != f.Size {
			bad = append(bad, f.Path+" 大小不符")
			continue
		}
		if want := magics[strings.ToLower(path.Ext(f.Path))]; want != "" && !s.begins(f.Path, want) {
			bad = append(bad, f.Path+" 格式与扩展名不符")
		}
	}
	return result(bad, fmt.Sprintf("%d 个文件的名称、大小、格式", len(s.manifest.Files)))
}

// magics are the first bytes of the formats that an archive takes.
var magics = map[string]string{".ofd": "PK\x03\x04", ".pdf": "%PDF-", ".png": "\x89PNG", ".jpg": "\xff\xd8\xff", ".jpeg": "\xff\xd8\xff"}

func (s *subject) begins(name, want string) bool {
	return bytes.HasPrefix(s.head(name), []byte(want))
}

func (s *subject) head(name string) []byte {
	f, err := s.Content.Open(name)
	if err != nil {
		return nil
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // a short file
	}
	if errors.Join(err, f.Close()) != nil {
		return nil
	}
	return head[:n]
}

func checkRelation(s *subject) (Status, string) {
	var bad []string
	for key, want := range map[string]string{"title": s.record.Title, "number": s.record.Number, "kind": s.record.Kind, "issued_on": s.record.IssuedOn} {
		if got, ok := s.metadata[key].(string); !ok || got != want {
			bad = append(bad, fmt.Sprintf("元数据 %s 与目录不符", key))
		}
	}
	slices.Sort(bad)
	if d := s.files(archive.RoleDocument); len(d) != 1 || d[0].SM3 != s.record.DocumentSM3 {
		bad = append(bad, "目录所指的文件不是记录的文件")
	}
	return result(bad, "题名、文件编号、文种、日期与文件内元数据一致")
}

// folders are where files of each role lie.
var folders = map[archive.Role]string{
	archive.RoleDocument: "document/", archive.RoleCopy: "document/", archive.RoleAttachment: "document/attachments/",
	archive.RoleMetadata: "metadata/", archive.RoleEnvelope: "metadata/", archive.RoleEvidence: "evidence/", archive.RoleCertificate: "certificates/",
}

func checkStructure(s *subject) (Status, string) {
	var bad []string
	for _, f := range s.manifest.Files {
		if at, known := folders[f.Role]; !known || !strings.HasPrefix(f.Path, at) {
			bad = append(bad, f.Path+" 不在其目录")
		}
	}
	return result(bad, fmt.Sprintf("%d 个文件各在其目录", len(s.manifest.Files)))
}

func checkCount(s *subject) (Status, string) {
	if s.Register == nil || s.Peers == nil {
		return Manual, "未给出移交登记表"
	}
	if s.Register.Records != len(s.Peers) {
		return Failed, fmt.Sprintf("登记 %d 件，实有 %d 件", s.Register.Records, len(s.Peers))
	}
	return Passed, fmt.Sprintf("%d 件", len(s.Peers))
}

func checkBytes(s *subject) (Status, string) {
	if s.Register == nil {
		return Manual, "未给出移交登记表"
	}
	if s.Register.Bytes != s.Bytes {
		return Failed, fmt.Sprintf("登记 %d 字节，实有 %d 字节", s.Register.Bytes, s.Bytes)
	}
	return Passed, fmt.Sprintf("%d 字节", s.Bytes)
}

func checkElements(s *subject) (Status, string) {
	var bad []string
	for _, key := range []string{"issuer", "kind", "title", "number", "issued_on", "to", "language", "classification", "body_format"} {
		if _, ok := s.metadata[key]; !ok {
			bad = append(bad, "缺 "+key)
		}
	}
	return result(bad, "元数据文件的必备元素")
}

func checkRequired(s *subject) (Status, string) {
	var bad []string
	for _, f := range s.fields() {
		if f.required && strings.TrimSpace(f.value) == "" {
			bad = append(bad, f.name+" 为空")
		}
	}
	return result(bad, fmt.Sprintf("%d 项", len(s.fields())))
}

func checkProcess(s *subject) (Status, string) {
	status, detail := checkOf(verdict.CheckReceiptBinding)(s)
	if status != Passed {
		return status, detail
	}
	if len(s.files(archive.RoleEnvelope)) == 0 {
		return Failed, "缺发送方签名的封装清单"
	}
	return Passed, fmt.Sprintf("%d 份回执首尾相接，封装清单在内", len(s.files(archive.RoleEvidence)))
}

func checkContinuity(s *subject) (Status, string) {
	if s.Peers == nil {
		return Manual, "未给出同批其他记录"
	}
	at := strings.LastIndex(s.record.ArchivalCode, "-")
	if at < 0 {
		return Failed, "档号没有件号"
	}
	class := s.record.ArchivalCode[:at+1]
	var numbers []int
	for _, p := range s.Peers {
		if tail, found := strings.CutPrefix(p.ArchivalCode, class); found {
			if n, err := strconv.Atoi(tail); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	for i := 1; i < len(numbers); i++ {
		if numbers[i] > numbers[i-1]+1 {
			return Failed, fmt.Sprintf("%s%d 与 %d 之间缺号", class, numbers[i-1], numbers[i])
		}
	}
	return Passed, fmt.Sprintf("%s 共 %d 件，件号连续", class, len(numbers))
}

func checkScope(s *subject) (Status, string) {
	if s.Scope == nil {
		return Manual, "未给出归档范围"
	}
	if !slices.Contains(s.Scope, s.record.Kind) {
		return Failed, "文种 " + s.record.Kind + " 不在归档范围"
	}
	return Passed, "文种 " + s.record.Kind + " 在归档范围"
}

func checkReadable(s *subject) (Status, string) {
	if s.fault != nil {
		return Failed, s.fault.Error()
	}
	return Passed, "元数据文件可解析"
}

func checkIndexed(s *subject) (Status, string) {
	if s.Indexed == nil {
		return Manual, "未连接目标数据库"
	}
	if err := s.Indexed(s.record.ArchivalCode); err != nil {
		return Failed, err.Error()
	}
	return Passed, "目标数据库可查得本档号"
}

// content are the files that people read.
func (s *subject) content() []archive.FileEntry {
	return slices.Concat(s.files(archive.RoleDocument), s.files(archive.RoleCopy), s.files(archive.RoleAttachment))
}

func checkContentFormats(s *subject) (Status, string) {
	var bad []string
	for _, f := range s.content() {
		switch ext := strings.ToLower(path.Ext(f.Path)); {
		case f.Role == archive.RoleDocument && ext != ".ofd":
			bad = append(bad, f.Path+" 不是 OFD")
		case magics[ext] == "" && !slices.Contains([]string{".txt", ".csv", ".xml", ".json", ".docx", ".xlsx", ".pptx"}, ext):
			bad = append(bad, f.Path+" 不是长期保存格式")
		}
	}
	return result(bad, fmt.Sprintf("%d 个内容文件", len(s.content())))
}

func checkPages(s *subject) (Status, string) {
	if s.Pages == nil {
		return Manual, "未配置版式阅读"
	}
	for _, f := range s.files(archive.RoleDocument) {
		data, err := s.read(f.Path, maxFile)
		if err != nil {
			return Failed, f.Path + " 不能读取"
		}
		n, err := s.Pages(f.Path, data)
		if err != nil {
			return Failed, fmt.Sprintf("%s：%v", f.Path, err)
		}
		if n != s.record.Pages {
			return Failed, fmt.Sprintf("%s 有 %d 页，记录为 %d 页", f.Path, n, s.record.Pages)
		}
	}
	return Passed, fmt.Sprintf("%d 页逐页打开", s.record.Pages)
}

// foreign are the beginnings of what is compressed or encrypted.
var foreign = []string{"\x1f\x8b", "7z\xbc\xaf\x27\x1c", "Rar!", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd", "age-encryption.org/", "YXE"}

func checkNoForeign(s *subject) (Status, string) {
	var bad []string
	for _, f := range s.manifest.Files {
		head := s.head(f.Path)
		ext := strings.ToLower(path.Ext(f.Path))
		zipped := bytes.HasPrefix(head, []byte("PK\x03\x04")) && !slices.Contains([]string{".ofd", ".docx", ".xlsx", ".pptx"}, ext)
		if zipped || slices.ContainsFunc(foreign, func(m string) bool { return bytes.HasPrefix(head, []byte(m)) }) {
			bad = append(bad, f.Path+" 压缩或加密")
		}
	}
	return result(bad, "无压缩、无加密、无专有格式")
}

func checkScanner(s *subject) (Status, string) {
	if s.Scanner == nil {
		return Manual, "未配置杀毒软件"
	}
	v, err := s.Scanner.Version(s.ctx)
	if err != nil {
		return Failed, "杀毒软件没有应答：" + err.Error()
	}
	return Passed, v
}

func checkMalware(s *subject) (Status, string) {
	if s.Scanner == nil {
		return Manual, "未配置杀毒软件"
	}
	var bad []string
	for _, f := range s.manifest.Files {
		src, err := s.Content.Open(f.Path)
		if err != nil {
			return Failed, f.Path + " 不能读取"
		}
		found, err := s.Scanner.Scan(s.ctx, src)
		if err := errors.Join(err, src.Close()); err != nil {
			return Failed, fmt.Sprintf("%s 未能检测：%v", f.Path, err)
		}
		if found != "" {
			bad = append(bad, f.Path+" 含 "+found)
		}
	}
	return result(bad, fmt.Sprintf("%d 个文件未发现病毒", len(s.manifest.Files)))
}
