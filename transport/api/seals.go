package api

import "time"

// SealMaking asks for an organisation's round seal; Diameter in mm. From and To as in [SealTerm].
type SealMaking struct {
	Office     string    `json:"office"`
	Name       string    `json:"name"`
	BottomLine string    `json:"bottom_line,omitempty"`
	Diameter   float64   `json:"diameter,omitempty"`
	Keeper     string    `json:"keeper"`
	From       time.Time `json:"from,omitzero"`
	To         time.Time `json:"to,omitzero"`
}

// Seal is a registered seal. ESL is the seal file, where one seal was asked for.
type Seal struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"`
	Office  string       `json:"office"`
	Keeper  string       `json:"keeper"`
	Status  string       `json:"status"`
	From    time.Time    `json:"from"`
	To      time.Time    `json:"to"`
	SM3     string       `json:"sm3"`
	History []SealChange `json:"history"`
	ESL     []byte       `json:"esl,omitempty"`
}

// SealChange is one step of a seal's history, and what a custodian asks for.
type SealChange struct {
	To     string    `json:"to"`
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// SealRequest is an office's request for a new seal, and what became of it: requested, made, registered or declined. Whoever
// asks fills in name, lines, size (diameter in mm, or rank), keeper and reason, and the PKCS#10 request of the sealing key
// where the office keeps its own keys. The rest is the hub's.
type SealRequest struct {
	Name           string    `json:"name"`
	BottomLine     string    `json:"bottom_line,omitempty"`
	Number         string    `json:"number,omitempty"`
	Diameter       float64   `json:"diameter,omitempty"`
	Rank           string    `json:"rank,omitempty"`
	Keeper         string    `json:"keeper"`
	Reason         string    `json:"reason,omitempty"`
	SigningRequest []byte    `json:"signing_request,omitempty"`
	ID             string    `json:"id,omitempty"`
	Office         string    `json:"office,omitempty"`
	Requester      string    `json:"requester,omitempty"`
	State          string    `json:"state,omitempty"`
	CreatedAt      time.Time `json:"created_at,omitzero"`
	DecidedBy      string    `json:"decided_by,omitempty"`
	DecidedAt      time.Time `json:"decided_at,omitzero"`
	Comment        string    `json:"comment,omitempty"`
	Seal           string    `json:"seal,omitempty"`
	// ESL is the seal file from made on, Certificate the sealing key's, with its issuers, for an office with its own keys.
	ESL         []byte `json:"esl,omitempty"`
	Certificate string `json:"certificate,omitempty"`
}

// SealTerm says from when to when a seal is to be in force; what is left out is two years from now, within the
// certificates. Rotate adds a version to the sealing key first, in a renewal.
type SealTerm struct {
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
	Rotate bool      `json:"rotate,omitempty"`
}

// SealRegistration enters a seal that was made elsewhere.
type SealRegistration struct {
	Office string `json:"office"`
	Keeper string `json:"keeper"`
	Key    string `json:"key,omitempty"`
	ESL    []byte `json:"esl"`
}

// SealUse is one sealing in a seal's log of use. ID is that of the entry of the evidence log (SealApplied), whose receipt the
// office gets; the entry's object_sm3 is the SM3 of Statement.
type SealUse struct {
	ID   string    `json:"id"`
	Seal string    `json:"seal"`
	At   time.Time `json:"at"`
	// Document is the SM3 of the file before, Sealed after sealing, Copy that of the sealed PDF where it was sealed in both forms,
	// ToBeSigned the digest that was approved.
	Document   string      `json:"document_sm3"`
	Sealed     string      `json:"sealed_sm3"`
	Copy       string      `json:"copy_sm3,omitempty"`
	ToBeSigned string      `json:"to_be_signed"`
	Places     []SealPlace `json:"places"`
	Operator   string      `json:"operator"`
	Approver   string      `json:"approver,omitempty"`
	// Approval names the dispatch that was approved, or is none.
	Approval string `json:"approval"`
	// Statement is the use in its canonical form.
	Statement string `json:"statement"`
}

// SealPlace is where a seal shows: page from 1, top left corner and size in mm.
type SealPlace struct {
	Page int     `json:"page"`
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	W    float64 `json:"w"`
	H    float64 `json:"h"`
}

// SealStanding is what the registry tells a verifier of a seal that a document bears: whose it is, and when it was in force.
type SealStanding struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"`
	Office  string       `json:"office"`
	SM3     string       `json:"sm3"`
	From    time.Time    `json:"from"`
	To      time.Time    `json:"to"`
	Status  string       `json:"status"`
	History []SealChange `json:"history"`
}
