package check

import (
	"maps"
	"slices"

	"yinxin/verdict"
)

// Fault names a kind of finding; the list is closed ([Faults]).
type Fault string

// The faults.
const (
	LogFile          Fault = "log_file"
	LogCheckpoint    Fault = "log_checkpoint"
	LogStray         Fault = "log_stray"
	LogBehind        Fault = "log_behind"
	LogRolledBack    Fault = "log_rolled_back"
	LogPending       Fault = "log_pending"
	NoAnchor         Fault = "no_anchor"
	AnchorMissing    Fault = "anchor_missing"
	AnchorUnreadable Fault = "anchor_unreadable"
	RolledBack       Fault = "rolled_back"
	Forked           Fault = "forked"
	EntryDiffers     Fault = "entry_differs"
	EntryMissing     Fault = "entry_missing"
	ReceiptWrong     Fault = "receipt_wrong"
	ReceiptMissing   Fault = "receipt_missing"
	ChainBroken      Fault = "chain_broken"
	StateDiffers     Fault = "state_differs"
	AuditBroken      Fault = "audit_broken"
	BlobMissing      Fault = "blob_missing"
	BlobDamaged      Fault = "blob_damaged"
	BlobOrphan       Fault = "blob_orphan"
	KeyMissing       Fault = "key_missing"
	KeyUnusable      Fault = "key_unusable"
	KeyMismatch      Fault = "key_mismatch"
)

// Faults lists all faults by name.
func Faults() []Fault { return slices.Sorted(maps.Keys(faults)) }

// explanation is what an operator is told of a fault.
type explanation struct {
	status              verdict.Status
	cause, effect, next string
}

// Explain gives the words for a fault: its weight, its usual cause, its effect and the next step.
func (f Fault) Explain() (status verdict.Status, cause, effect, next string) {
	e := faults[f]
	return e.status, e.cause, e.effect, e.next
}

const (
	fromBackup    = "restore this file from a backup (docs/operations.md); the digests of the log say whether it is the right one"
	keepEvidence  = "stop the hub, keep a copy of everything as it is, and find out who could write there; docs/operations.md, «When check finds something»"
	restoreOrGoOn = "restore a newer backup, or go on with a signed statement of the gap: yinxind recover"
)

var faults = map[Fault]explanation{
	LogFile: {
		verdict.Failed, "a file of the log is missing, damaged or changed: a bad disk, or somebody wrote there",
		"others cannot verify the log; receipts that were handed out still verify by themselves", fromBackup,
	},
	LogCheckpoint: {
		verdict.Failed, "a checkpoint is not signed by the log's key, or does not fit its entries",
		"what the log says of itself cannot be believed", keepEvidence,
	},
	LogStray: {
		verdict.Passed, "somebody put a file into the log's folder", "the log is as it was, and others can read that file too", "look at it, and take it away",
	},
	LogBehind: {
		verdict.Passed, "the hub ended between publishing and writing the checkpoint file",
		"others see a slightly older log until the hub starts again", "start the hub: it repairs the file by itself",
	},
	LogRolledBack: {
		verdict.Failed, "the database is older than the published files of the log: it was restored, or its disk lost writes",
		"the hub refuses to start: it would sign a second history", restoreOrGoOn,
	},
	LogPending: {
		verdict.Passed, "entries wait for their place in the log: the hub is at work, or its key service is away",
		"their receipts are pending", "start the hub, and look at /readyz if the number does not fall",
	},
	NoAnchor: {
		verdict.Indeterminate, "log.anchor is not configured",
		"a database and log folder that were put back together to an older state would not be noticed",
		"set log.anchor to a file on another machine or disk, or let a witness watch the log",
	},
	AnchorMissing: {
		verdict.Indeterminate, "the anchor was never written, or its disk is not there",
		"whether the hub was put back to an older state cannot be told", "mount the place of the anchor; a new hub writes it with its first checkpoint",
	},
	AnchorUnreadable: {
		verdict.Failed, "the anchor is no checkpoint of this log, or cannot be read",
		"whether the hub was put back to an older state cannot be told", "find out who writes to the anchor's place; " + keepEvidence,
	},
	RolledBack: {
		verdict.Failed, "the hub is older than its anchor: it was restored, or its disk lost writes",
		"documents that were acknowledged are missing, and the hub refuses to start", restoreOrGoOn,
	},
	Forked: {
		verdict.Failed, "the log is not the continuation of the one that the anchor saw",
		"two histories were signed: receipts of one do not stand in the other", keepEvidence,
	},
	EntryDiffers: {
		verdict.Failed, "a row of evidence is not what stands in the log at its place",
		"the hub shows something else than it proved", keepEvidence,
	},
	EntryMissing: {
		verdict.Failed, "the log has an entry that the database has not: rows were lost, or the database was restored",
		"the hub does not know of something that it proved", restoreOrGoOn,
	},
	ReceiptWrong: {
		verdict.Failed, "a stored receipt does not verify, or speaks of another entry",
		"whoever fetches it gets evidence that fails", keepEvidence,
	},
	ReceiptMissing: {
		verdict.Passed, "the hub ended between publishing and building the receipt, or is just building it",
		"the receipt is pending", "start the hub: it builds what is missing",
	},
	ChainBroken: {
		verdict.Failed, "the entries of an exchange do not follow each other, or the exchange names another last one",
		"the history of this exchange cannot be shown whole", keepEvidence,
	},
	StateDiffers: {
		verdict.Failed, "the state of a delivery is not the one that its entries lead to",
		"the hub shows a state without evidence", keepEvidence,
	},
	AuditBroken: {
		verdict.Failed, "a row of the audit was changed, removed or inserted, or the audit key is another one",
		"who did what cannot be shown from that row on", "compare database.audit_key_file with the other hubs; " + keepEvidence,
	},
	BlobMissing: {
		verdict.Failed, "a blob that a row names is not in the store",
		"that envelope, draft or record cannot be handed out", "restore it from a backup (docs/operations.md): the bytes must have that name",
	},
	BlobDamaged: {
		verdict.Failed, "the stored bytes are not those of the name: bit rot, or somebody wrote there",
		"the hub refuses to hand the object out", "remove it, and restore it from a backup (docs/operations.md)",
	},
	BlobOrphan: {
		verdict.Passed, "a submission was refused or cut off after its bytes were stored, or one is on its way",
		"it takes space and nothing else", "nothing has to be done",
	},
	KeyMissing: {
		verdict.Failed, "the key store has no such key",
		"what needs this key fails: no receipts, no certificates, no opening or sealing for that office", "restore the key store, or that key: docs/keys.md",
	},
	KeyUnusable: {
		verdict.Failed, "the key is there and does not do what it is for: it is disabled, the store is sealed, or the hub's policy lacks the right",
		"what needs this key fails", "yinxin keys show NAME; for Vault compare the hub's policy with docs/keys.md",
	},
	KeyMismatch: {
		verdict.Failed, "the key is not the one that is certified: another key store, or a restored older one",
		"signatures would not verify, and the office cannot open what was sent to it", "restore the key store that belongs to this database",
	},
}
