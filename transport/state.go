package transport

import "slices"

// State is where one delivery stands. The text is the same in Go, SQL, JSON and
// in docs/states.md.
type State string

// The states of a delivery, in the order in which the main path meets them.
const (
	// Accepted (已受理): the hub has the envelope durably and has said so. The hub acts next.
	Accepted State = "accepted"
	// Routed (已转发): the addressee was found and the delivery is on its way. The hub acts next.
	Routed State = "routed"
	// Available (已送达): it lies in the recipient's box. The recipient acts next.
	Available State = "available"
	// Opened (已读取): the content was handed over; this is the receiving time. The recipient acts next.
	Opened State = "opened"
	// Acknowledged (已签收): the recipient signed for it. The archive acts next.
	Acknowledged State = "acknowledged"
	// Archived (已归档): the record with this delivery was deposited. An end.
	Archived State = "archived"
	// Returned (已退回): the recipient sent it back with a reason. The sender acts next.
	Returned State = "returned"
	// ReturnAcknowledged (退回已确认): the sender saw the return. An end.
	ReturnAcknowledged State = "return_acknowledged"
	// Rejected (拒绝): the addressee cannot be served, by rule. An end.
	Rejected State = "rejected"
	// Withdrawn (已撤回): the sender took it back before it was signed for. An end.
	Withdrawn State = "withdrawn"
	// Failed (投递失败): delivery was tried and given up. An end.
	Failed State = "failed"
)

// States lists every state in the order of the main path, then the ends.
func States() []State {
	return []State{
		Accepted, Routed, Available, Opened, Acknowledged, Archived,
		Returned, ReturnAcknowledged, Rejected, Withdrawn, Failed,
	}
}

// Known reports whether s is a state of the list.
func (s State) Known() bool {
	return slices.Contains(States(), s)
}

// Final reports whether nothing may follow but later evidence that supplements
// the record.
func (s State) Final() bool {
	switch s {
	case Archived, ReturnAcknowledged, Rejected, Withdrawn, Failed:
		return true
	}
	return false
}

// Ended reports whether the recipient's part is over. When every delivery of an
// exchange has ended, the sender's record can be deposited.
func (s State) Ended() bool {
	return s == Acknowledged || s.Final()
}

// Actor is the party that acts.
type Actor string

// The actors of the machine. "sender" and "recipient" are the offices of the
// delivery at hand.
const (
	ActorHub       Actor = "hub"
	ActorSender    Actor = "sender"
	ActorRecipient Actor = "recipient"
	ActorArchive   Actor = "archive"
	ActorNobody    Actor = "nobody"
)

// Next names the party that acts next on a delivery in state s.
func (s State) Next() Actor {
	switch s {
	case Accepted, Routed:
		return ActorHub
	case Available, Opened:
		return ActorRecipient
	case Returned:
		return ActorSender
	case Acknowledged:
		return ActorArchive
	}
	return ActorNobody
}

// Chinese gives the word that offices use for the state.
func (s State) Chinese() string {
	switch s {
	case Accepted:
		return "已受理"
	case Routed:
		return "已转发"
	case Available:
		return "待签收"
	case Opened:
		return "已读取"
	case Acknowledged:
		return "已签收"
	case Archived:
		return "已归档"
	case Returned:
		return "已退回"
	case ReturnAcknowledged:
		return "退回已确认"
	case Rejected:
		return "拒绝"
	case Withdrawn:
		return "已撤回"
	case Failed:
		return "投递失败"
	}
	return string(s)
}
