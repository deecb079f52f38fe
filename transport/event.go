package transport

// Event names one kind of evidence. The ERDS events are spelled exactly as in
// ETSI EN 319 522-3 table 2, so that the standard's URI is one concatenation;
// the rest are our own and say so.
type Event string

// Events of the standard that the hub writes.
const (
	SubmissionAcceptance           Event = "SubmissionAcceptance"
	SubmissionRejection            Event = "SubmissionRejection"
	RelayAcceptance                Event = "RelayAcceptance"
	RelayRejection                 Event = "RelayRejection"
	RelayFailure                   Event = "RelayFailure"
	ContentConsignment             Event = "ContentConsignment"
	ContentConsignmentFailure      Event = "ContentConsignmentFailure"
	ConsignmentNotification        Event = "ConsignmentNotification"
	ConsignmentNotificationFailure Event = "ConsignmentNotificationFailure"
	NotificationForAcceptance      Event = "NotificationForAcceptance"
	ConsignmentAcceptance          Event = "ConsignmentAcceptance"
	ConsignmentRejection           Event = "ConsignmentRejection"
	AcceptanceRejectionExpiry      Event = "AcceptanceRejectionExpiry"
	ContentHandover                Event = "ContentHandover"
	ContentHandoverFailure         Event = "ContentHandoverFailure"
)

// Events of our own.
const (
	// SealApplied: a seal of the office was used on the document (用印).
	SealApplied Event = "SealApplied"
	// Withdrawal: the sender withdrew the delivery (撤回).
	Withdrawal Event = "Withdrawal"
	// ReturnAcknowledgement: the sender saw the return (退回已确认).
	ReturnAcknowledgement Event = "ReturnAcknowledgement"
	// Deposit: the record was deposited in the archive (归档).
	Deposit Event = "Deposit"
	// WithdrawalRequest: after the hand-over the sender asked for the document back (请求退还). It forces nothing.
	WithdrawalRequest Event = "WithdrawalRequest"
	// Escalation: the limit passed long ago and the supervisor is told (升级督办).
	Escalation Event = "Escalation"
	// CopyPrinted and CopyVoided: the recipient took a numbered copy for printing, or says that one was spoilt.
	CopyPrinted Event = "CopyPrinted"
	CopyVoided  Event = "CopyVoided"
	// Reissue, Correction and Annulment: a later exchange of the sender refers to this one (补发, 更正, 废止).
	Reissue    Event = "Reissue"
	Correction Event = "Correction"
	Annulment  Event = "Annulment"
	// SenderCheck: the sender looked whether its recipients have the document; SenderCheckExpiry: it did not in time.
	SenderCheck       Event = "SenderCheck"
	SenderCheckExpiry Event = "SenderCheckExpiry"
	// LegalHold and LegalHoldRelease: the archive must keep the record whatever its retention period says, and need no more
	// (冻结, 解冻). Disposal: the record was destroyed after its retention period (销毁). Each names a statement of the archive.
	LegalHold        Event = "LegalHold"
	LegalHoldRelease Event = "LegalHoldRelease"
	Disposal         Event = "Disposal"
	// Supplement: the archive keeps what came after the deposit (补充归档).
	Supplement Event = "Supplement"
	// LogGap: the log was put back to an older state, and goes on with a signed statement of what was lost (日志缺口).
	LogGap Event = "LogGap"
)

// Negative reports whether the event says that something did not happen or was
// refused. Such an event always carries a reason code.
func (e Event) Negative() bool {
	switch e {
	case SubmissionRejection, RelayRejection, RelayFailure, ContentConsignmentFailure,
		ConsignmentNotificationFailure, ConsignmentRejection, ContentHandoverFailure:
		return true
	}
	return false
}
