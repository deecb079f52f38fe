package api

import "time"

// KeptRecord is what is to be said of the keeping of one record.
type KeptRecord struct {
	Record ArchiveRecord `json:"record"`
	// KeepUntil is the first day (yyyy-mm-dd) on which the record may be disposed of; empty where it is kept for ever.
	KeepUntil string    `json:"keep_until"`
	Decisions []Keeping `json:"decisions"`
	// Supplements are the SM3 of what the archive keeps beside the package, oldest first; they are fetched by number, from 1.
	Supplements []string `json:"supplements"`
}

// Keeping is a decision about a record: a legal hold (kind hold: held, released) or a disposal (kind disposal: proposed,
// approved, declined, destroyed).
type Keeping struct {
	ID           string     `json:"id"`
	Exchange     string     `json:"exchange"`
	Kind         string     `json:"kind"`
	State        string     `json:"state"`
	Basis        string     `json:"basis"`
	By           string     `json:"by"`
	At           time.Time  `json:"at"`
	BackupsUntil string     `json:"backups_until,omitempty"`
	DecidedBy    string     `json:"decided_by,omitempty"`
	DecidedAt    *time.Time `json:"decided_at,omitempty"`
	Why          string     `json:"why,omitempty"`
	// Statement and EndStatement are signed by the archive (CMS, attached); Entry and EndEntry are the entries of the log
	// that name their SM3. The end of a disposal is the tombstone.
	Entry        string `json:"entry,omitempty"`
	Statement    []byte `json:"statement,omitempty"`
	EndEntry     string `json:"end_entry,omitempty"`
	EndStatement []byte `json:"end_statement,omitempty"`
}

// KeepingBasis is why a hold is placed or released, or a disposal decided on.
type KeepingBasis struct {
	Basis string `json:"basis"`
}

// DisposalProposal is what an appraisal comes to.
type DisposalProposal struct {
	Basis string `json:"basis"`
	// BackupsUntil is the day (yyyy-mm-dd) after which no backup holds the record any more.
	BackupsUntil string `json:"backups_until,omitempty"`
}
