package verdict

// Reason says why a check did not pass, or what a warning is about. The list is closed: [Reasons] gives it whole, and a
// test compares it with docs. Each reason maps to one sub-indication, those of ETSI EN 319 102-1 wherever one fits.
type Reason string

// The reasons, with what each means.
const (
	// NoTrustAnchor: no trusted root certificate was given.
	NoTrustAnchor Reason = "no_trust_anchor"
	// RevocationUnknown: a revocation source is named but could not be consulted.
	RevocationUnknown Reason = "revocation_unknown"
	// NoRevocationSource: no revocation source exists for this certificate.
	NoRevocationSource Reason = "no_revocation_source"
	// TimeClaimed: the time is only claimed by the signer.
	TimeClaimed Reason = "time_claimed"
	// TimeDiffers: beside the signature stands another time than the one that was signed.
	TimeDiffers Reason = "time_differs"
	// NoProofOfExistence: no proven time shows that the signature was made while the certificate was good.
	NoProofOfExistence Reason = "no_proof_of_existence"
	// Uncovered: a part of the document is covered by no signature.
	Uncovered Reason = "uncovered"
	// PartialCoverage: the entry file of the package is not covered.
	PartialCoverage Reason = "partial_coverage"
	// ListOpen: the list of signatures is open, more may follow.
	ListOpen Reason = "list_open"
	// OrphanEntry: the package holds an entry that belongs to nothing.
	OrphanEntry Reason = "orphan_entry"
	// UnlistedSignature: the package holds signature files that no list names.
	UnlistedSignature Reason = "unlisted_signature"
	// LeftoverSignature: an unsigned file still holds signature files.
	LeftoverSignature Reason = "leftover_signature"
	// WrongLog: the checkpoint is not from the expected log.
	WrongLog Reason = "wrong_log"
	// NoLogKey: no log key was given to judge the checkpoint by.
	NoLogKey Reason = "no_log_key"
	// NothingChecked: no check was made.
	NothingChecked Reason = "nothing_checked"
	// Malformed: the file cannot be read.
	Malformed Reason = "malformed"
	// UnsupportedVersion: the version is not supported.
	UnsupportedVersion Reason = "unsupported_version"
	// UnsupportedFormat: the format is not supported.
	UnsupportedFormat Reason = "unsupported_format"
	// SigMissing: the signature value is missing.
	SigMissing Reason = "sig_missing"
	// ByteRangeMalformed: the byte range is malformed.
	ByteRangeMalformed Reason = "byterange_malformed"
	// ModifiedAfterSigning: the document was changed after signing.
	ModifiedAfterSigning Reason = "modified_after_signing"
	// GapNotSignature: the gap in the byte range is not exactly the signature.
	GapNotSignature Reason = "gap_not_signature"
	// Coverage: the signature does not cover the whole revision.
	Coverage Reason = "coverage"
	// SigDictShared: two fields share one signature.
	SigDictShared Reason = "sig_dict_shared"
	// ActiveOrShadowContent: the document holds active or hidden content.
	ActiveOrShadowContent Reason = "active_or_shadow_content"
	// CertificationOrder: certification signatures are out of order.
	CertificationOrder Reason = "certification_order"
	// SigDictChanged: the signature dictionary was changed after signing.
	SigDictChanged Reason = "sigdict_changed"
	// SubFilter: the signature format is not allowed.
	SubFilter Reason = "subfilter"
	// Limit: a limit on size, depth or work was exceeded.
	Limit Reason = "limit"
	// TypeAmbiguous: the file can be read as more than one type.
	TypeAmbiguous Reason = "type_ambiguous"
	// XrefAmbiguous: the cross-reference tables disagree.
	XrefAmbiguous Reason = "xref_ambiguous"
	// EncryptedPDF: the PDF is encrypted.
	EncryptedPDF Reason = "encrypted_pdf"
	// LevelDegraded: the level of proof was reduced.
	LevelDegraded Reason = "level_degraded"
	// ReferenceDigest: a file differs from the digest that was signed.
	ReferenceDigest Reason = "reference_digest"
	// DocBodyUncovered: a further document in the package is not covered.
	DocBodyUncovered Reason = "docbody_uncovered"
	// MaxSignIDGap: a signature is missing from the list.
	MaxSignIDGap Reason = "maxsignid_gap"
	// SealListUnprotected: the list of seals is not protected.
	SealListUnprotected Reason = "seal_list_unprotected"
	// DiffersFromLog: the file differs from what the log recorded.
	DiffersFromLog Reason = "differs_from_log"
	// SignatureList: the list of signatures is inconsistent.
	SignatureList Reason = "signature_list"
	// SignatureType: the type of the signature does not fit its structure.
	SignatureType Reason = "signature_type"
	// PropertyInfo: the signature was made for another place.
	PropertyInfo Reason = "propertyinfo"
	// DataHash: the digest inside the signature differs from the signed description.
	DataHash Reason = "data_hash"
	// SealMismatch: the seal file differs from the seal inside the signature.
	SealMismatch Reason = "seal_mismatch"
	// SigValue: the signature value does not verify.
	SigValue Reason = "sig_value"
	// Unsealed: what shows may look like a seal, and no electronic seal stands behind it.
	Unsealed Reason = "unsealed"
	// SeamIncomplete: a part of a cross-page seal is missing.
	SeamIncomplete Reason = "seam_incomplete"
	// SignerNotAuthorised: the signer is not listed in the seal.
	SignerNotAuthorised Reason = "signer_not_authorised"
	// SealValidity: the seal was not in force at the sealing time.
	SealValidity Reason = "seal_validity"
	// SealStatus: the seal was suspended or voided at the sealing time.
	SealStatus Reason = "seal_status"
	// SealVersion: the version of the seal structure is not supported or contradicts its shape.
	SealVersion Reason = "seal_version"
	// WeakDigest: the digest method is not allowed.
	WeakDigest Reason = "weak_digest"
	// AlgMismatch: the algorithm does not fit.
	AlgMismatch Reason = "alg_mismatch"
	// ReferenceMalformed: a reference is malformed.
	ReferenceMalformed Reason = "reference_malformed"
	// SealMakerSignature: the maker's signature over the seal does not verify.
	SealMakerSignature Reason = "seal_maker_signature"
	// CertificateChain: the certificate leads to no trusted root.
	CertificateChain Reason = "certificate_chain"
	// CertExpired: the certificate had expired.
	CertExpired Reason = "cert_expired"
	// CertNotYetValid: the certificate was not yet valid.
	CertNotYetValid Reason = "cert_not_yet_valid"
	// KeyUsage: the certificate may not be used for this.
	KeyUsage Reason = "key_usage"
	// NameConstraints: a name constraint is violated.
	NameConstraints Reason = "name_constraints"
	// EKU: the extended key usage does not fit.
	EKU Reason = "eku"
	// Revoked: the certificate was revoked.
	Revoked Reason = "revoked"
	// DuplicateEntry: the package holds two entries of one name.
	DuplicateEntry Reason = "duplicate_entry"
	// AmbiguousName: two names in the package can be taken for each other.
	AmbiguousName Reason = "ambiguous_name"
	// Path: a path leads outside the package.
	Path Reason = "path"
	// EntryType: an entry is not a plain file.
	EntryType Reason = "entry_type"
	// NameEncoding: a name is not encoded as declared.
	NameEncoding Reason = "name_encoding"
	// ZipLayout: the package is cut or has foreign bytes.
	ZipLayout Reason = "zip_layout"
	// HeaderMismatch: the two directories of the package disagree.
	HeaderMismatch Reason = "header_mismatch"
	// Bomb: the package expands beyond its limits.
	Bomb Reason = "bomb"
	// SizeLie: an entry is not as long as it says.
	SizeLie Reason = "size_lie"
	// ZipFeature: the package uses a feature that is not allowed.
	ZipFeature Reason = "zip_feature"
	// Doctype: the XML holds a document type definition.
	Doctype Reason = "doctype"
	// XMLDuplicate: an XML attribute or element occurs twice.
	XMLDuplicate Reason = "xml_duplicate"
	// XMLTrailing: the XML goes on after its root.
	XMLTrailing Reason = "xml_trailing"
	// XMLMalformed: the XML cannot be read.
	XMLMalformed Reason = "xml_malformed"
	// Namespace: the XML namespace is wrong.
	Namespace Reason = "namespace"
	// Encoding: the text encoding is not UTF-8.
	Encoding Reason = "encoding"
	// XMLSplitValue: a value is split by a comment or CDATA.
	XMLSplitValue Reason = "xml_split_value"
	// Number: a number is out of range.
	Number Reason = "number"
	// MissingEntry: an entry that the document needs is missing.
	MissingEntry Reason = "missing_entry"
	// SignedAttrsRequired: signed attributes are required.
	SignedAttrsRequired Reason = "signed_attrs_required"
	// SignedAttrsIncomplete: a required signed attribute is missing or wrong.
	SignedAttrsIncomplete Reason = "signed_attrs_incomplete"
	// AttrDuplicate: a signed attribute occurs twice.
	AttrDuplicate Reason = "attr_duplicate"
	// NotDER: the encoding is not DER.
	NotDER Reason = "not_der"
	// TrailingData: bytes follow the end of the structure.
	TrailingData Reason = "trailing_data"
	// ContentAmbiguous: content is given both inside and outside.
	ContentAmbiguous Reason = "content_ambiguous"
	// NoSigner: the message has no signer.
	NoSigner Reason = "no_signer"
	// SignerDuplicate: the same signer occurs twice.
	SignerDuplicate Reason = "signer_duplicate"
	// SignerCert: the signer's certificate is missing or is another one.
	SignerCert Reason = "signer_cert"
	// SignerUnbound: the signature does not name its certificate by digest, so it fits every certificate of the same key.
	SignerUnbound Reason = "signer_unbound"
	// UntypedInput: the input has no type.
	UntypedInput Reason = "untyped_input"
	// RandFailure: the source of randomness failed.
	RandFailure Reason = "rand_failure"
	// SelfCheck: a result did not pass its own check.
	SelfCheck Reason = "self_check"
	// EnvelopeInvalid: the envelope cannot be opened or was changed.
	EnvelopeInvalid Reason = "envelope_invalid"
	// RecipientBinding: the envelope was made for another recipient or exchange.
	RecipientBinding Reason = "recipient_binding"
	// Truncated: the data ends too early.
	Truncated Reason = "truncated"
	// WeakKey: the key is weak.
	WeakKey Reason = "weak_key"
	// CounterSignature: the counter-signature belongs to another signature.
	CounterSignature Reason = "countersignature"
	// TimestampInvalid: the time-stamp is not a valid token.
	TimestampInvalid Reason = "timestamp_invalid"
	// TimestampImprint: the time-stamp belongs to other data.
	TimestampImprint Reason = "timestamp_imprint"
	// TimestampStatus: the time-stamp authority did not grant a time-stamp.
	TimestampStatus Reason = "timestamp_status"
	// TimestampAlgorithm: the time-stamp hashes by another algorithm than SM3.
	TimestampAlgorithm Reason = "timestamp_algorithm"
	// TimestampPolicy: the time-stamp was made under another policy than asked for or accepted.
	TimestampPolicy Reason = "timestamp_policy"
	// TimestampNonce: the time-stamp does not answer this request.
	TimestampNonce Reason = "timestamp_nonce"
	// TimestampSignature: the signature of the time-stamp does not verify.
	TimestampSignature Reason = "timestamp_signature"
	// TimestampSigner: the certificate of the time-stamp authority is missing, is another one, or is not for time-stamping.
	TimestampSigner Reason = "timestamp_signer"
	// TimestampChain: the certificate of the time-stamp authority is not to be trusted at the time that it states.
	TimestampChain Reason = "timestamp_chain"
	// TimestampTime: the time of the time-stamp cannot be true.
	TimestampTime Reason = "timestamp_time"
	// TimestampUnavailable: no time-stamp could be had.
	TimestampUnavailable Reason = "timestamp_unavailable"
	// TimestampUnsupported: this verifier cannot judge the time-stamp.
	TimestampUnsupported Reason = "timestamp_unsupported"
	// Fork: the log shows two histories.
	Fork Reason = "fork"
	// Stale: the published log does not extend this checkpoint.
	Stale Reason = "stale"
	// Proof: the proof does not lead to the root.
	Proof Reason = "proof"
	// CheckpointSignature: the checkpoint's signature does not verify.
	CheckpointSignature Reason = "checkpoint_signature"
	// ReceiptBinding: the receipt speaks of something else.
	ReceiptBinding Reason = "receipt_binding"
	// ReceiptSigner: the receipt was signed by the wrong party.
	ReceiptSigner Reason = "receipt_signer"
	// StatementInvalid: the party's own signed statement does not verify.
	StatementInvalid Reason = "statement_invalid"
	// WitnessMissing: no witness has cosigned.
	WitnessMissing Reason = "witness_missing"
	// Manifest: the manifest does not match the content.
	Manifest Reason = "manifest"
	// DigestMismatch: a file differs from its recorded digest.
	DigestMismatch Reason = "digest_mismatch"
	// EvidenceMissing: the chain of evidence has a gap.
	EvidenceMissing Reason = "evidence_missing"
	// Placement: the seal stands in an unusual or impossible place.
	Placement Reason = "placement"
	// OtherDocument: the receipt speaks of none of the documents that were given with it.
	OtherDocument Reason = "other_document"
	// SenderMismatch: the office that sends is not the one that issued the document.
	SenderMismatch Reason = "sender_mismatch"
	// SealUnregistered: the register of seals that was consulted does not hold the seal.
	SealUnregistered Reason = "seal_unregistered"
	// ClassifiedContent: the document bears a classification and may not be carried.
	ClassifiedContent Reason = "classified_content"
)

type sense struct {
	reason  Reason
	sub     string
	english string
	chinese string
}

// senses is the closed list. It is a table, not state: nothing writes to it.
var senses = [...]sense{
	{NoTrustAnchor, "NO_CERTIFICATE_CHAIN_FOUND", "no trusted root certificate was given", "未提供受信任的根证书"},
	{RevocationUnknown, "TRY_LATER", "a revocation source is named but could not be consulted", "证书指明了吊销信息来源，但未能查询"},
	{NoRevocationSource, "TRY_LATER", "no revocation source exists for this certificate", "该证书没有吊销信息来源"},
	{TimeClaimed, "NO_POE", "the time is only claimed by the signer", "时间仅由签名人声明，未经证明"},
	{TimeDiffers, "SIG_CONSTRAINTS_FAILURE", "beside the signature stands another time than the one that was signed", "签名旁所写的时间与所签的时间不符"},
	{NoProofOfExistence, "NO_POE", "no proven time shows that the signature was made while the certificate was good", "没有可信时间证明签名产生于证书有效期内"},
	{Uncovered, "HASH_FAILURE", "a part of the document is covered by no signature", "文件有部分内容未被任何签名覆盖"},
	{PartialCoverage, "SIGNED_DATA_NOT_FOUND", "the entry file of the package is not covered", "包的入口文件未被签名覆盖"},
	{ListOpen, "SIGNED_DATA_NOT_FOUND", "the list of signatures is open, more may follow", "签名列表未锁定，后续仍可加签"},
	{OrphanEntry, "SIGNED_DATA_NOT_FOUND", "the package holds an entry that belongs to nothing", "包内有不属于任何文档的文件"},
	{UnlistedSignature, "SIGNED_DATA_NOT_FOUND", "the package holds signature files that no list names", "包内有未列入签名列表的签名文件"},
	{LeftoverSignature, "SIGNED_DATA_NOT_FOUND", "an unsigned file still holds signature files", "未签名的文件内残留签名文件"},
	{WrongLog, "SIG_CRYPTO_FAILURE", "the checkpoint is not from the expected log", "检查点不属于指定的存证日志"},
	{NoLogKey, "NO_SIGNING_CERTIFICATE_FOUND", "no log key was given to judge the checkpoint by", "未提供存证日志的公钥"},
	{NothingChecked, "SIGNED_DATA_NOT_FOUND", "no check was made", "未进行任何检查"},
	{Malformed, "FORMAT_FAILURE", "the file cannot be read", "文件无法读取"},
	{UnsupportedVersion, "FORMAT_FAILURE", "the version is not supported", "版本不受支持"},
	{UnsupportedFormat, "FORMAT_FAILURE", "the format is not supported", "格式不受支持"},
	{SigMissing, "SIGNED_DATA_NOT_FOUND", "the signature value is missing", "缺少签名值"},
	{ByteRangeMalformed, "FORMAT_FAILURE", "the byte range is malformed", "签名字节范围不合规"},
	{ModifiedAfterSigning, "HASH_FAILURE", "the document was changed after signing", "文件在签名后被修改"},
	{GapNotSignature, "FORMAT_FAILURE", "the gap in the byte range is not exactly the signature", "字节范围的空隙不正好是签名值"},
	{Coverage, "HASH_FAILURE", "the signature does not cover the whole revision", "签名未覆盖整个版本"},
	{SigDictShared, "FORMAT_FAILURE", "two fields share one signature", "多个签名域共用同一签名"},
	{ActiveOrShadowContent, "FORMAT_FAILURE", "the document holds active or hidden content", "文件含有活动或隐藏内容"},
	{CertificationOrder, "FORMAT_FAILURE", "certification signatures are out of order", "认证签名次序不合规"},
	{SigDictChanged, "HASH_FAILURE", "the signature dictionary was changed after signing", "签名字典在签名后被修改"},
	{SubFilter, "FORMAT_FAILURE", "the signature format is not allowed", "签名格式不被允许"},
	{Limit, "FORMAT_FAILURE", "a limit on size, depth or work was exceeded", "超出大小、深度或工作量限制"},
	{TypeAmbiguous, "FORMAT_FAILURE", "the file can be read as more than one type", "文件类型有歧义"},
	{XrefAmbiguous, "FORMAT_FAILURE", "the cross-reference tables disagree", "交叉引用表相互矛盾"},
	{EncryptedPDF, "FORMAT_FAILURE", "the PDF is encrypted", "PDF 已加密"},
	{LevelDegraded, "SIG_CONSTRAINTS_FAILURE", "the level of proof was reduced", "签名的证明级别降低"},
	{ReferenceDigest, "HASH_FAILURE", "a file differs from the digest that was signed", "文件与签名时的摘要不一致"},
	{DocBodyUncovered, "HASH_FAILURE", "a further document in the package is not covered", "包内另有未被覆盖的文档"},
	{MaxSignIDGap, "HASH_FAILURE", "a signature is missing from the list", "签名列表缺少签名"},
	{SealListUnprotected, "SIGNED_DATA_NOT_FOUND", "the list of seals is not protected", "印章列表未受保护"},
	{DiffersFromLog, "HASH_FAILURE", "the file differs from what the log recorded", "文件与日志记录不一致"},
	{SignatureList, "FORMAT_FAILURE", "the list of signatures is inconsistent", "签名列表自相矛盾"},
	{SignatureType, "FORMAT_FAILURE", "the type of the signature does not fit its structure", "签名类型与结构不符"},
	{PropertyInfo, "SIG_CONSTRAINTS_FAILURE", "the signature was made for another place", "签名所指位置与所在位置不符"},
	{DataHash, "HASH_FAILURE", "the digest inside the signature differs from the signed description", "签名内的摘要与签名描述不一致"},
	{SealMismatch, "HASH_FAILURE", "the seal file differs from the seal inside the signature", "印章文件与签名内的印章不一致"},
	{SigValue, "SIG_CRYPTO_FAILURE", "the signature value does not verify", "签名值验证不通过"},
	{Unsealed, "SIGNED_DATA_NOT_FOUND", "what shows may look like a seal, and no electronic seal stands behind it", "所显示的图像没有电子印章支持，不是电子印章"},
	{SeamIncomplete, "SIG_CONSTRAINTS_FAILURE", "a part of a cross-page seal is missing, doubled or out of its place", "骑缝章有部分缺失、重复或位置次序不符"},
	{SignerNotAuthorised, "SIG_CONSTRAINTS_FAILURE", "the signer is not listed in the seal", "签章人不在印章的证书列表内"},
	{SealValidity, "SIG_CONSTRAINTS_FAILURE", "the seal was not in force at the sealing time", "签章时印章未处于有效状态"},
	{SealStatus, "SIG_CONSTRAINTS_FAILURE", "the seal was suspended or voided at the sealing time", "签章时印章已停用或注销"},
	{SealVersion, "FORMAT_FAILURE", "the version of the seal structure is not supported or contradicts its shape", "印章结构版本不受支持或与结构不符"},
	{WeakDigest, "CRYPTO_CONSTRAINTS_FAILURE", "the digest method is not allowed", "摘要算法不被允许"},
	{AlgMismatch, "CRYPTO_CONSTRAINTS_FAILURE", "the algorithm does not fit", "算法不匹配"},
	{ReferenceMalformed, "FORMAT_FAILURE", "a reference is malformed", "引用不合规"},
	{SealMakerSignature, "SIG_CRYPTO_FAILURE", "the maker's signature over the seal does not verify", "制章人对印章的签名验证不通过"},
	{CertificateChain, "NO_CERTIFICATE_CHAIN_FOUND", "the certificate leads to no trusted root", "证书链未到达受信任的根"},
	{CertExpired, "EXPIRED", "the certificate had expired", "证书已过期"},
	{CertNotYetValid, "NOT_YET_VALID", "the certificate was not yet valid", "证书尚未生效"},
	{KeyUsage, "SIG_CONSTRAINTS_FAILURE", "the certificate may not be used for this", "证书用途不符"},
	{NameConstraints, "CHAIN_CONSTRAINTS_FAILURE", "a name constraint is violated", "违反名称约束"},
	{EKU, "CHAIN_CONSTRAINTS_FAILURE", "the extended key usage does not fit", "扩展密钥用途不符"},
	{Revoked, "REVOKED", "the certificate was revoked", "证书已被吊销"},
	{DuplicateEntry, "FORMAT_FAILURE", "the package holds two entries of one name", "包内有同名文件"},
	{AmbiguousName, "FORMAT_FAILURE", "two names in the package can be taken for each other", "包内文件名有歧义"},
	{Path, "FORMAT_FAILURE", "a location leads out of the package, or in a circle", "路径越出包外或循环引用"},
	{EntryType, "FORMAT_FAILURE", "an entry is not a plain file", "包内有非普通文件"},
	{NameEncoding, "FORMAT_FAILURE", "a name is not encoded as declared", "文件名编码不合规"},
	{ZipLayout, "FORMAT_FAILURE", "the package is cut or has foreign bytes", "包被截断或含有多余字节"},
	{HeaderMismatch, "FORMAT_FAILURE", "the two directories of the package disagree", "包的目录信息相互矛盾"},
	{Bomb, "FORMAT_FAILURE", "the package expands beyond its limits", "包解压后超出限制"},
	{SizeLie, "FORMAT_FAILURE", "an entry is not as long as it says", "文件长度与声明不符"},
	{ZipFeature, "FORMAT_FAILURE", "the package uses a feature that is not allowed", "包使用了不被允许的特性"},
	{Doctype, "FORMAT_FAILURE", "the XML holds a document type definition", "XML 含有文档类型定义"},
	{XMLDuplicate, "FORMAT_FAILURE", "an XML attribute or element occurs twice", "XML 属性或元素重复"},
	{XMLTrailing, "FORMAT_FAILURE", "the XML goes on after its root", "XML 根元素之后有多余内容"},
	{XMLMalformed, "FORMAT_FAILURE", "the XML cannot be read", "XML 无法读取"},
	{Namespace, "FORMAT_FAILURE", "the XML namespace is wrong", "XML 命名空间不符"},
	{Encoding, "FORMAT_FAILURE", "the text encoding is not UTF-8", "文本编码不是 UTF-8"},
	{XMLSplitValue, "FORMAT_FAILURE", "a value is split by a comment or CDATA", "XML 值被注释或 CDATA 拆分"},
	{Number, "FORMAT_FAILURE", "a number is out of range", "数值不合规"},
	{MissingEntry, "HASH_FAILURE", "an entry that the document needs is missing", "缺少文档所需的文件"},
	{SignedAttrsRequired, "FORMAT_FAILURE", "signed attributes are required", "缺少签名属性"},
	{SignedAttrsIncomplete, "FORMAT_FAILURE", "a required signed attribute is missing or wrong", "签名属性缺失或错误"},
	{AttrDuplicate, "FORMAT_FAILURE", "a signed attribute occurs twice", "签名属性重复"},
	{NotDER, "FORMAT_FAILURE", "the encoding is not DER", "编码不是 DER"},
	{TrailingData, "FORMAT_FAILURE", "bytes follow the end of the structure", "结构之后有多余字节"},
	{ContentAmbiguous, "FORMAT_FAILURE", "content is given both inside and outside", "内外均有内容，含义不明"},
	{NoSigner, "SIGNED_DATA_NOT_FOUND", "the message has no signer", "没有签名人"},
	{SignerDuplicate, "FORMAT_FAILURE", "the same signer occurs twice", "签名人重复"},
	{SignerCert, "NO_SIGNING_CERTIFICATE_FOUND", "the signer's certificate is missing or is another one", "签名人证书缺失或不符"},
	{SignerUnbound, "SIG_CONSTRAINTS_FAILURE", "the signature does not name its certificate by digest", "签名未以摘要指明签名人证书"},
	{UntypedInput, "POLICY_PROCESSING_ERROR", "the input has no type", "输入缺少类型"},
	{RandFailure, "POLICY_PROCESSING_ERROR", "the source of randomness failed", "随机源失效"},
	{SelfCheck, "SIG_CRYPTO_FAILURE", "a result did not pass its own check", "结果未通过自检"},
	{EnvelopeInvalid, "SIG_CRYPTO_FAILURE", "the envelope cannot be opened or was changed", "信封无法打开或已被改动"},
	{RecipientBinding, "SIG_CONSTRAINTS_FAILURE", "the envelope was made for another recipient or exchange", "信封属于其他收件方或其他交换"},
	{Truncated, "FORMAT_FAILURE", "the data ends too early", "数据不完整"},
	{WeakKey, "CRYPTO_CONSTRAINTS_FAILURE", "the key is weak", "密钥强度不足"},
	{CounterSignature, "SIG_CONSTRAINTS_FAILURE", "the counter-signature belongs to another signature", "副署不属于该签名"},
	{TimestampInvalid, "FORMAT_FAILURE", "the time-stamp is not a valid token", "时间戳不是有效的令牌"},
	{TimestampImprint, "HASH_FAILURE", "the time-stamp belongs to other data", "时间戳不属于该数据"},
	{TimestampStatus, "POLICY_PROCESSING_ERROR", "the time-stamp authority did not grant a time-stamp", "时间戳服务机构未签发时间戳"},
	{TimestampAlgorithm, "CRYPTO_CONSTRAINTS_FAILURE", "the time-stamp hashes by another algorithm than SM3", "时间戳的摘要算法不是 SM3"},
	{TimestampPolicy, "SIG_CONSTRAINTS_FAILURE", "the time-stamp was made under another policy", "时间戳策略不符"},
	{TimestampNonce, "SIG_CONSTRAINTS_FAILURE", "the time-stamp does not answer this request", "时间戳不是对该请求的应答"},
	{TimestampSignature, "SIG_CRYPTO_FAILURE", "the signature of the time-stamp does not verify", "时间戳的签名验证不通过"},
	{TimestampSigner, "CHAIN_CONSTRAINTS_FAILURE", "the certificate of the time-stamp authority is missing, is another one or is not for time-stamping", "时间戳服务机构的证书缺失、不符或不可用于时间戳"},
	{TimestampChain, "NO_CERTIFICATE_CHAIN_FOUND", "the certificate of the time-stamp authority is not to be trusted at that time", "时间戳服务机构的证书在该时间不受信任"},
	{TimestampTime, "TIMESTAMP_ORDER_FAILURE", "the time of the time-stamp cannot be true", "时间戳的时间不可能成立"},
	{TimestampUnavailable, "TRY_LATER", "no time-stamp could be had", "无法取得时间戳"},
	{TimestampUnsupported, "POLICY_PROCESSING_ERROR", "this verifier cannot judge the time-stamp", "本验证器无法判断该时间戳"},
	{Fork, "SIG_CONSTRAINTS_FAILURE", "the log shows two histories", "日志出现分叉"},
	{Stale, "OUT_OF_BOUNDS_NO_POE", "the published log does not extend this checkpoint", "公布的日志未包含该检查点"},
	{Proof, "HASH_FAILURE", "the proof does not lead to the root", "证明不能得到日志根"},
	{CheckpointSignature, "SIG_CRYPTO_FAILURE", "the checkpoint's signature does not verify", "检查点签名验证不通过"},
	{ReceiptBinding, "SIG_CONSTRAINTS_FAILURE", "the receipt speaks of something else", "回执所指对象不符"},
	{ReceiptSigner, "SIG_CONSTRAINTS_FAILURE", "the receipt was signed by the wrong party", "回执签名方不符"},
	{StatementInvalid, "SIG_CRYPTO_FAILURE", "the party's own signed statement does not verify", "当事方的签名声明验证不通过"},
	{WitnessMissing, "NO_POE", "no witness has cosigned", "没有见证方共签"},
	{Manifest, "HASH_FAILURE", "the manifest does not match the content", "清单与内容不符"},
	{DigestMismatch, "HASH_FAILURE", "a file differs from its recorded digest", "文件与登记的摘要不一致"},
	{EvidenceMissing, "SIGNED_DATA_NOT_FOUND", "the chain of evidence has a gap", "证据链不完整"},
	{Placement, "SIG_CONSTRAINTS_FAILURE", "the seal stands in an unusual or impossible place", "印章位置异常"},
	{OtherDocument, "SIG_CONSTRAINTS_FAILURE", "the receipt speaks of none of the documents that were given with it", "回执所指公文不在一并查验的文件之中"},
	{SealUnregistered, "SIG_CONSTRAINTS_FAILURE", "the register of seals that was consulted does not hold the seal", "所查的印章名册中没有该印章"},
	{SenderMismatch, "SIG_CONSTRAINTS_FAILURE", "the office that sends is not the one that issued the document", "发送机关与发文机关不一致"},
	{ClassifiedContent, "POLICY_PROCESSING_ERROR", "the document bears a classification and may not be carried", "文件带有密级标志，不得传输"},
}

func (r Reason) sense() sense {
	for _, s := range senses {
		if s.reason == r {
			return s
		}
	}
	return sense{reason: r}
}

// Known reports whether r belongs to the closed list.
func (r Reason) Known() bool { return r.sense().sub != "" }

// SubIndication names the sub-indication of ETSI EN 319 102-1 that r maps to.
func (r Reason) SubIndication() string { return r.sense().sub }

// English is one sentence for people, without a full stop.
func (r Reason) English() string { return r.sense().english }

// Chinese is one sentence for people, without a full stop.
func (r Reason) Chinese() string { return r.sense().chinese }

// Reasons returns the closed list.
func Reasons() []Reason {
	all := make([]Reason, 0, len(senses))
	for _, s := range senses {
		all = append(all, s.reason)
	}
	return all
}
