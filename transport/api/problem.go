// Package api holds what a hub and its clients say to each other over HTTP: the
// wire types, the paths and the closed list of problem codes.
//
// It promises that a code means the same on both sides and has one HTTP status.
// It contains no behaviour beyond that, and no type of it carries the content of a
// document.
package api

import (
	"fmt"
	"net/http"
)

// Code names a problem. The list is closed; the meaning of each is in the table of
// Meanings.
type Code string

// The problem codes.
const (
	Malformed            Code = "malformed"
	UnsupportedVersion   Code = "unsupported_version"
	Unauthenticated      Code = "unauthenticated"
	Forbidden            Code = "forbidden"
	NotFound             Code = "not_found"
	Disposed             Code = "disposed"
	MethodNotAllowed     Code = "method_not_allowed"
	InvalidTransition    Code = "invalid_transition"
	InProgress           Code = "in_progress"
	Conflict             Code = "conflict"
	DuplicateConflict    Code = "duplicate_conflict"
	PreconditionRequired Code = "precondition_required"
	PreconditionFailed   Code = "precondition_failed"
	TooLarge             Code = "too_large"
	UnsupportedFormat    Code = "unsupported_format"
	ClassifiedContent    Code = "classified_content"
	Malware              Code = "malware"
	InvalidAddressee     Code = "invalid_addressee"
	Validation           Code = "validation"
	SealInvalid          Code = "seal_invalid"
	SealIndeterminate    Code = "seal_indeterminate"
	SenderMismatch       Code = "sender_mismatch"
	SignatureInvalid     Code = "signature_invalid"
	EnvelopeInvalid      Code = "envelope_invalid"
	RateLimited          Code = "rate_limited"
	Dependency           Code = "dependency"
	StorageFull          Code = "storage_full"
	RangeUnsatisfiable   Code = "range_not_satisfiable"
	OffsetMismatch       Code = "offset_mismatch"
	ChecksumMismatch     Code = "checksum_mismatch"
	Timeout              Code = "timeout"
	Internal             Code = "internal"
)

// StatusChecksumMismatch is the status that tus 1.0 has for bytes without the promised checksum; HTTP itself has none.
const StatusChecksumMismatch = 460

// Meaning is what a code stands for.
type Meaning struct {
	Code Code
	// Status is the HTTP status. DuplicateConflict alone has a second one: 409 for
	// the exchange id, 422 for the idempotency key.
	Status    int
	Title     string // English
	TitleZH   string
	Retryable bool
}

// Meanings lists every code.
func Meanings() []Meaning {
	return []Meaning{
		{Malformed, http.StatusBadRequest, "The request cannot be read", "请求无法读取", false},
		{UnsupportedVersion, http.StatusBadRequest, "The interface version is not supported", "接口版本不支持", false},
		{Unauthenticated, http.StatusUnauthorized, "Log in first", "请先登录", false},
		{Forbidden, http.StatusForbidden, "This account may not do that", "没有权限", false},
		{NotFound, http.StatusNotFound, "There is no such thing", "未找到", false},
		{Disposed, http.StatusGone, "The record was disposed of", "档案已销毁", false},
		{MethodNotAllowed, http.StatusMethodNotAllowed, "The method is not allowed here", "方法不允许", false},
		{InvalidTransition, http.StatusConflict, "The state does not allow that", "当前状态不允许此操作", false},
		{InProgress, http.StatusConflict, "The same request is still running", "相同请求正在处理", true},
		{Conflict, http.StatusConflict, "It exists already", "已存在", false},
		{DuplicateConflict, http.StatusUnprocessableEntity, "The same id was used for other bytes", "同一编号的内容不同", false},
		{PreconditionRequired, http.StatusPreconditionRequired, "A precondition is required", "缺少前提条件", true},
		{PreconditionFailed, http.StatusPreconditionFailed, "The precondition does not hold", "前提条件不符", true},
		{TooLarge, http.StatusRequestEntityTooLarge, "Too large", "超过大小限制", false},
		{UnsupportedFormat, http.StatusUnsupportedMediaType, "The format is not accepted", "格式不支持", false},
		{ClassifiedContent, http.StatusUnprocessableEntity, "Classified documents are not carried", "涉密公文不得在本系统传输", false},
		{Malware, http.StatusUnprocessableEntity, "Malware was found", "发现恶意代码", false},
		{InvalidAddressee, http.StatusUnprocessableEntity, "The addressee is unknown or closed", "收文机关不存在或已停用", false},
		{Validation, http.StatusUnprocessableEntity, "Some fields are not valid", "字段校验未通过", false},
		{SealInvalid, http.StatusUnprocessableEntity, "The seal is not valid", "印章无效", false},
		{SealIndeterminate, http.StatusUnprocessableEntity, "The seal could not be judged", "印章无法确定", true},
		{SenderMismatch, http.StatusUnprocessableEntity, "Envelope, certificate and sender disagree", "发送方不一致", false},
		{SignatureInvalid, http.StatusUnprocessableEntity, "The signature does not hold", "签名无效", false},
		{EnvelopeInvalid, http.StatusUnprocessableEntity, "The envelope does not hold together", "信封校验未通过", false},
		{RateLimited, http.StatusTooManyRequests, "Too many requests", "请求过于频繁", true},
		{Dependency, http.StatusServiceUnavailable, "A part of the hub is away", "依赖服务不可用", true},
		{StorageFull, http.StatusInsufficientStorage, "The hub has no room", "存储空间不足", true},
		{RangeUnsatisfiable, http.StatusRequestedRangeNotSatisfiable, "The range lies behind the end", "请求范围超出文件", false},
		{OffsetMismatch, http.StatusConflict, "The upload is at another offset", "上传位置不一致", true},
		{ChecksumMismatch, StatusChecksumMismatch, "The bytes do not have the promised checksum", "上传内容校验不符", true},
		{Timeout, http.StatusRequestTimeout, "The request took too long", "请求超时", true},
		{Internal, http.StatusInternalServerError, "The hub failed", "内部错误", true},
	}
}

// MeaningOf returns the meaning of a code; an unknown code means Internal.
func MeaningOf(c Code) Meaning {
	for _, m := range Meanings() {
		if m.Code == c {
			return m
		}
	}
	return MeaningOf(Internal)
}

// Fault is one field of a request that is not good.
type Fault struct {
	// Pointer is a JSON pointer (RFC 6901) into the request, or the name of a
	// header field or parameter.
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// Problem is an RFC 9457 problem object. It is an error, so that a client can hand
// it on as it came.
type Problem struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail,omitempty"`
	Instance  string  `json:"instance,omitempty"`
	Code      Code    `json:"code"`
	Errors    []Fault `json:"errors,omitempty"`
	Retryable bool    `json:"retryable"`
	// Evidence is the entry that records the refusal, where one was written; its
	// receipt is at receipts/{id}.
	Evidence string `json:"evidence,omitempty"`
	// RetryAfter is the number of seconds after which to try again, from the header
	// field of that name; not part of the JSON object.
	RetryAfter int `json:"-"`
}

// NewProblem makes the problem object of a code.
func NewProblem(c Code, detail string, faults ...Fault) *Problem {
	m := MeaningOf(c)
	return &Problem{
		Type: "/problems/" + string(m.Code), Title: m.Title, Status: m.Status, Detail: detail,
		Code: m.Code, Errors: faults, Retryable: m.Retryable,
	}
}

// Error gives code and detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("hub answered %s", p.Code)
	}
	return fmt.Sprintf("hub answered %s: %s", p.Code, p.Detail)
}
