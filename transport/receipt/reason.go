package receipt

import (
	"fmt"
	"slices"

	"yinxin/transport"
)

// Codes with which a hub refuses a submission or a relay. They are the same words as the hub's error codes.
const (
	Malformed          = "malformed"
	UnsupportedVersion = "unsupported_version"
	Unauthenticated    = "unauthenticated"
	Forbidden          = "forbidden"
	DuplicateConflict  = "duplicate_conflict"
	TooLarge           = "too_large"
	UnsupportedFormat  = "unsupported_format"
	ClassifiedContent  = "classified_content"
	InvalidAddressee   = "invalid_addressee"
	Validation         = "validation"
	SealInvalid        = "seal_invalid"
	SealIndeterminate  = "seal_indeterminate"
	SenderMismatch     = "sender_mismatch"
	EnvelopeInvalid    = "envelope_invalid"
	HopLimit           = "hop_limit"
	RateLimited        = "rate_limited"
	Dependency         = "dependency"
)

// Codes with which a hub says that something could not be done.
const (
	Unreachable     = "unreachable"      // the other end did not answer within the last try
	TimedOut        = "timed_out"        // the limit for trying passed
	RefusedByPeer   = "refused_by_peer"  // the other end answered with a refusal
	BlockedByPolicy = "blocked_by_rule"  // an emergency stop or a rule of the directory
	StorageFailed   = "storage_failed"   // the content could not be kept
	DeadlinePassed  = "deadline_passed"  // the sign-for limit passed
	SenderRequest   = "sender_request"   // the sender asked for it
	SenderCorrected = "sender_corrected" // a corrected document follows
)

// Codes with which the hub says when it urged a recipient.
const (
	BeforeLimit = "before_limit"
	AtLimit     = "at_limit"
	AfterLimit  = "after_limit"
)

// Party says whose signed statement an event needs.
type Party string

// The parties of an exchange. The archive and the hub sign no statements here: the hub speaks through the log.
const (
	NoParty   Party = ""
	Sender    Party = "sender"
	Recipient Party = "recipient"
)

// StatementBy says whose signed statement belongs to the event, and whether the event counts for nothing without it. It
// follows the state machine of package transport; the use of a seal, which comes before it, may carry the sender's.
func StatementBy(e transport.Event) (by Party, required bool) {
	if e == transport.SealApplied {
		return Sender, false
	}
	for _, r := range transport.Rules() {
		if r.Event != e || !r.Statement {
			continue
		}
		if r.Actor == transport.ActorSender {
			return Sender, true
		}
		return Recipient, true
	}
	return NoParty, false
}

// scope says whether an event concerns a whole exchange (no recipient is named) and whether it is known at all.
func scope(e transport.Event) (whole, known bool) {
	switch e {
	case transport.SealApplied, transport.SubmissionRejection, transport.Reissue, transport.Correction, transport.Annulment,
		transport.SenderCheck, transport.SenderCheckExpiry, transport.LogGap,
		transport.LegalHold, transport.LegalHoldRelease, transport.Disposal, transport.Supplement:
		return true, true
	case transport.ConsignmentNotification, transport.ConsignmentNotificationFailure, transport.ContentHandoverFailure:
		return false, true
	}
	for _, r := range transport.Rules() {
		if r.Event == e {
			return r.Whole, true
		}
	}
	return false, false
}

// Reasons lists the reason codes that an entry of this event may have. An empty list means that it has none.
func Reasons(e transport.Event) []string {
	refusals := []string{
		Malformed, UnsupportedVersion, Unauthenticated, Forbidden, DuplicateConflict, TooLarge, UnsupportedFormat,
		ClassifiedContent, InvalidAddressee, Validation, SealInvalid, SealIndeterminate, SenderMismatch,
		EnvelopeInvalid, HopLimit, RateLimited, Dependency,
	}
	failures := []string{Unreachable, TimedOut, RefusedByPeer, BlockedByPolicy, StorageFailed, Dependency, InvalidAddressee}
	switch e {
	case transport.SubmissionRejection:
		return refusals
	case transport.RelayRejection:
		return append(refusals, BlockedByPolicy, RefusedByPeer)
	case transport.RelayFailure, transport.ContentConsignmentFailure, transport.ConsignmentNotificationFailure,
		transport.ContentHandoverFailure:
		return failures
	case transport.ConsignmentRejection:
		codes := make([]string, 0, len(transport.ReturnReasons()))
		for code := range transport.ReturnReasons() {
			codes = append(codes, code)
		}
		slices.Sort(codes)
		return codes
	case transport.Withdrawal:
		return []string{SenderRequest, SenderCorrected}
	case transport.AcceptanceRejectionExpiry, transport.Escalation, transport.SenderCheckExpiry:
		return []string{DeadlinePassed}
	case transport.NotificationForAcceptance:
		return []string{BeforeLimit, AtLimit, AfterLimit}
	case transport.WithdrawalRequest:
		return []string{SenderRequest, SenderCorrected}
	case transport.CopyPrinted:
		return []string{string(transport.OfficialCopy), string(transport.ReferenceCopy)}
	}
	return nil
}

func checkReason(e transport.Event, code string) error {
	if code == "" {
		if e.Negative() {
			return fmt.Errorf("%w: %s without a reason", ErrEntry, e)
		}
		return nil
	}
	if !slices.Contains(Reasons(e), code) {
		return fmt.Errorf("%w: %.40q is not a reason of %s", ErrEntry, code, e)
	}
	return nil
}
