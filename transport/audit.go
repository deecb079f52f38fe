package transport

import "time"

// AuditRecord says who did what. It is written before the act is done, or in the
// same transaction; if it cannot be written, the act is refused. It never holds
// content, titles, secrets or tokens.
type AuditRecord struct {
	At      time.Time
	Account string // empty where nobody is logged in
	Org     string
	// Action is a dotted verb such as "exchange.submit"; Object the id it is done to.
	Action string
	Object string
	// Outcome is "allowed" or a refusal's code.
	Outcome string
	// Detail is a short fixed text or a digest, never free text from outside.
	Detail  string
	Request string // request id
}

// Allowed is the outcome of an act that was not refused.
const Allowed = "allowed"
