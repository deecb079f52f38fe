package document

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MetadataKey is the name of the OFD CustomData that holds the whole Metadata as JSON.
const MetadataKey = "yinxin.metadata/1"

// Office names an organisation: its code in the directory and the name printed on documents.
type Office struct {
	// Code is the organisation's code in the directory. May be empty for an addressee outside of it.
	Code string `json:"code,omitempty"`
	Name string `json:"name"`
}

// Related ties a document to an earlier one (来文关联).
type Related struct {
	// Type is reply, forward, correct or void.
	Type string `json:"type"`
	// ID is the 标识 of the earlier document.
	ID string `json:"id"`
}

// AttachmentInfo is one line of the 附件说明, and the file behind it where there is one.
type AttachmentInfo struct {
	// Title as the 附件说明 prints it, without number and closing punctuation.
	Title string `json:"title"`
	// File is the name of the file that travels inside the OFD, empty for an annex that is only printed.
	File string `json:"file,omitempty"`
	// Size in bytes, SM3 in hex and Format (the file name's suffix) are filled in when the OFD is written.
	Size   int64  `json:"size,omitempty"`
	SM3    string `json:"sm3,omitempty"`
	Format string `json:"format,omitempty"`
}

// Metadata are the elements that describe a document (元数据), shaped after GB/T 33480-2016. Keys are snake_case in YAML
// and JSON alike.
type Metadata struct {
	// ID is the document's own 标识, never reused; left empty by a draft, see Document.Identify.
	ID      string    `json:"id,omitempty"`
	Related []Related `json:"related,omitempty"`

	Issuer       Office   `json:"issuer"`                  // 发文机关
	RedHead      string   `json:"red_head"`                // 发文机关标志; name + 文件 where the draft gives none
	JointIssuers []Office `json:"joint_issuers,omitempty"` // 联合发文机关, in order, without the host

	Kind      Kind      `json:"kind"`      // 文种
	Direction Direction `json:"direction"` // 行文方向
	Urgency   Urgency   `json:"urgency"`   // 紧急程度
	// Classification is the 密级: always 无. Anything else is refused before a Metadata exists.
	Classification string `json:"classification"`

	Title      string `json:"title"`                 // 标题, on one line
	Number     Number `json:"number"`                // 发文字号
	CopyNumber string `json:"copy_number,omitempty"` // 份号, six digits

	Approvers  []string `json:"approvers,omitempty"` // 签发人
	ApprovedOn Date     `json:"approved_on,omitzero"`
	IssuedOn   Date     `json:"issued_on"` // 成文日期
	PrintedBy  string   `json:"printed_by,omitempty"`
	PrintedOn  Date     `json:"printed_on,omitzero"`

	To []Office `json:"to"`           // 主送
	CC []Office `json:"cc,omitempty"` // 抄送

	Attachments []AttachmentInfo `json:"attachments,omitempty"` // 附件说明
	Note        string           `json:"note,omitempty"`        // 附注, without its parentheses
	Keywords    []string         `json:"keywords,omitempty"`
	Language    string           `json:"language"`        // 语种, BCP 47; zh-CN by default
	Pages       int              `json:"pages,omitempty"` // 页数, filled in when the OFD is written
	BodyFormat  string           `json:"body_format"`     // 正文格式: OFD

	Disclosure       string `json:"disclosure,omitempty"` // 公开属性: 主动公开, 依申请公开 or 不予公开
	DisclosureReason string `json:"disclosure_reason,omitempty"`
	Sharing          string `json:"sharing,omitempty"` // 共享类别
	SharingBasis     string `json:"sharing_basis,omitempty"`
	PrintCopies      int    `json:"print_copies,omitempty"` // 允许打印份数
	DueOn            Date   `json:"due_on,omitzero"`        // 办理时限
	Retention        string `json:"retention,omitempty"`    // 保管期限: Y, D30 or D10
}

// Unclassified is the only value that Metadata.Classification may have.
const Unclassified = "无"

// MarshalMetadata writes m as the JSON that travels in an OFD: fixed field order, no indentation.
func MarshalMetadata(m Metadata) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("marshal metadata: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// MaxMetadata bounds the JSON that ParseMetadata reads, in bytes.
const MaxMetadata = 1 << 20

// ParseMetadata reads the JSON that MarshalMetadata writes, from a file that others may have made. Unknown keys are
// kept out but no fault, so that a later version's file can be read; a classification other than 无 is refused with a
// ClassifiedError. The result is not otherwise validated: see Metadata.Validate.
func ParseMetadata(data []byte) (Metadata, error) {
	if len(data) > MaxMetadata {
		return Metadata{}, fmt.Errorf("parse metadata: %d bytes, at most %d", len(data), MaxMetadata)
	}
	if err := refuseClassifiedJSON(data); err != nil {
		return Metadata{}, err
	}
	var m Metadata
	if err := json.Unmarshal(data, &m); err != nil {
		return Metadata{}, fmt.Errorf("parse metadata: %w", err)
	}
	return m, nil
}
