package transport

import (
	"errors"
	"fmt"
	"slices"
)

// Act is something that a party does to a delivery.
type Act string

// The acts. Submit and Deposit concern the whole exchange, all others one delivery.
const (
	Submit            Act = "submit"             // 发送
	Route             Act = "route"              // 分发
	RefuseRoute       Act = "refuse_route"       // no such addressee, or it is closed
	FailRoute         Act = "fail_route"         // the next hub could not be reached
	Deliver           Act = "deliver"            // 投递
	FailDelivery      Act = "fail_delivery"      // given up after the last try
	Open              Act = "open"               // 读取: the content is handed over
	Acknowledge       Act = "acknowledge"        // 签收
	Return            Act = "return"             // 退回
	AcknowledgeReturn Act = "acknowledge_return" // 确认退回
	Withdraw          Act = "withdraw"           // 撤回
	Remind            Act = "remind"             // 催办
	MarkOverdue       Act = "mark_overdue"       // 逾期
	DepositRecord     Act = "deposit"            // 归档
	RequestWithdrawal Act = "request_withdrawal" // 请求退还: asked for after the hand-over
	Urge              Act = "urge"               // 自动催办: the hub's own reminder
	Escalate          Act = "escalate"           // 升级督办: told to the supervisor
	Print             Act = "print"              // 打印
	VoidCopy          Act = "void_copy"          // 作废一份
)

// Rule is one row of the state machine.
type Rule struct {
	Act Act
	// From lists the states in which the act is allowed. Empty: there is no
	// delivery yet.
	From []State
	// To is the state afterwards. Empty: the act leaves a mark and no new state.
	To State
	// Event is the evidence that the act leaves, in the same transaction.
	Event Event
	// Actor may do the act.
	Actor Actor
	// Statement demands a signature by the actor's own office key over the act,
	// which becomes part of the evidence entry.
	Statement bool
	// Reason demands a reason code.
	Reason bool
	// Whole marks an act on the whole exchange: one entry for all deliveries.
	Whole bool
	// Supplement marks an act that may also follow an end: its evidence supplements the record.
	Supplement bool
}

// Allows reports whether the act is allowed in state s.
func (r Rule) Allows(s State) bool { return slices.Contains(r.From, s) }

// Rules returns the state machine, one row an act, in the order of the main path.
// Callers may keep and change the returned slice.
func Rules() []Rule {
	return []Rule{
		{Act: Submit, To: Accepted, Event: SubmissionAcceptance, Actor: ActorSender, Whole: true},
		{Act: Route, From: []State{Accepted}, To: Routed, Event: RelayAcceptance, Actor: ActorHub},
		{Act: RefuseRoute, From: []State{Accepted}, To: Rejected, Event: RelayRejection, Actor: ActorHub, Reason: true},
		{Act: FailRoute, From: []State{Accepted}, To: Failed, Event: RelayFailure, Actor: ActorHub, Reason: true},
		{Act: Deliver, From: []State{Routed}, To: Available, Event: ContentConsignment, Actor: ActorHub},
		{Act: FailDelivery, From: []State{Routed}, To: Failed, Event: ContentConsignmentFailure, Actor: ActorHub, Reason: true},
		{Act: Open, From: []State{Available}, To: Opened, Event: ContentHandover, Actor: ActorRecipient, Statement: true},
		{Act: Acknowledge, From: []State{Opened}, To: Acknowledged, Event: ConsignmentAcceptance, Actor: ActorRecipient, Statement: true},
		{
			Act: Return, From: []State{Available, Opened}, To: Returned, Event: ConsignmentRejection,
			Actor: ActorRecipient, Statement: true, Reason: true,
		},
		{
			Act: AcknowledgeReturn, From: []State{Returned}, To: ReturnAcknowledged, Event: ReturnAcknowledgement,
			Actor: ActorSender, Statement: true,
		},
		{
			Act: Withdraw, From: []State{Accepted, Routed, Available}, To: Withdrawn, Event: Withdrawal,
			Actor: ActorSender, Statement: true,
		},
		{
			Act: RequestWithdrawal, From: []State{Opened, Acknowledged, Archived}, Event: WithdrawalRequest,
			Actor: ActorSender, Statement: true, Supplement: true,
		},
		{Act: Remind, From: []State{Available, Opened}, Event: NotificationForAcceptance, Actor: ActorSender},
		{Act: Urge, From: []State{Available, Opened}, Event: NotificationForAcceptance, Actor: ActorHub, Reason: true},
		{Act: MarkOverdue, From: []State{Available, Opened}, Event: AcceptanceRejectionExpiry, Actor: ActorHub},
		{Act: Escalate, From: []State{Available, Opened}, Event: Escalation, Actor: ActorHub, Reason: true},
		{Act: Print, From: []State{Acknowledged, Archived}, Event: CopyPrinted, Actor: ActorRecipient, Reason: true, Supplement: true},
		{Act: VoidCopy, From: []State{Acknowledged, Archived}, Event: CopyVoided, Actor: ActorRecipient, Supplement: true},
		{Act: DepositRecord, From: []State{Acknowledged}, To: Archived, Event: Deposit, Actor: ActorArchive, Whole: true},
	}
}

// RuleFor returns the row of an act.
func RuleFor(a Act) (Rule, bool) {
	for _, r := range Rules() {
		if r.Act == a {
			return r, true
		}
	}
	return Rule{}, false
}

// ErrTransition is wrapped by every refusal of the machine.
var ErrTransition = errors.New("transition is not allowed")

// TransitionError says which act was refused in which state.
type TransitionError struct {
	Act   Act
	State State
}

// Error names the act and the state.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("delivery in state %s does not allow %s", e.State, e.Act)
}

// Unwrap makes errors.Is(err, ErrTransition) true.
func (e *TransitionError) Unwrap() error { return ErrTransition }

// Step asks the machine whether a delivery in state s allows the act. It returns
// the row and the state afterwards, which is s itself where the act only leaves a
// mark, or a *TransitionError.
func Step(s State, a Act) (Rule, State, error) {
	r, ok := RuleFor(a)
	if !ok || !r.Allows(s) {
		return Rule{}, s, &TransitionError{Act: a, State: s}
	}
	if r.To == "" {
		return r, s, nil
	}
	return r, r.To, nil
}
