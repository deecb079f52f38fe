package api

import (
	"encoding/json"
	"time"
)

// MaxDraft bounds the JSON of a draft with its attachments, in bytes.
const MaxDraft = 64 << 20

// NamedFile is a small file inside JSON.
type NamedFile struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// DispatchRequest asks the office service to compose a document and to have it sealed and sent. Draft is the YAML form.
type DispatchRequest struct {
	Draft       string      `json:"draft"`
	Attachments []NamedFile `json:"attachments,omitempty"`
	// Seal is the id of one of the office's seals; empty takes the only one in force.
	Seal string   `json:"seal,omitempty"`
	To   []string `json:"to"`
	CC   []string `json:"cc,omitempty"`
	// Refers makes the document a correction or an annulment of an earlier exchange.
	Refers *Reference `json:"refers,omitempty"`
	// Copies is how many official copies each recipient may print; 0 leaves it to the hub.
	Copies int `json:"copies,omitempty"`
}

// Reissuing asks the office service to send what was sent before to more recipients, as it was sealed then.
type Reissuing struct {
	To     []string `json:"to,omitempty"`
	CC     []string `json:"cc,omitempty"`
	Copies int      `json:"copies,omitempty"`
}

// Dispatch is a document on its way out of the office.
type Dispatch struct {
	ID         string     `json:"id"`
	State      string     `json:"state"`
	Exchange   string     `json:"exchange"`
	Requester  string     `json:"requester"`
	Seal       string     `json:"seal"`
	To         []string   `json:"to"`
	CC         []string   `json:"cc"`
	Urgency    string     `json:"urgency"`
	SealedAt   time.Time  `json:"sealed_at"`
	Unsealed   string     `json:"unsealed_sm3"`
	Digest     string     `json:"digest"`
	Approver   string     `json:"approver,omitempty"`
	Comment    string     `json:"comment,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	Title      string     `json:"title,omitempty"`
	Warnings   []string   `json:"warnings,omitempty"`
	DecidedAt  time.Time  `json:"decided_at,omitzero"`
	NextAction string     `json:"next_action"` // approve, wait, none
	Refers     *Reference `json:"refers,omitempty"`
	// Places are where the seal will stand, pages from 1. SealingKey is there where the sealing key wants approvals of its store.
	Places     []SealPlace `json:"places"`
	SealingKey *SealingKey `json:"sealing_key,omitempty"`
}

// SealingKey tells what a sealing key that signs only what was approved in its store will be asked to sign: OFD and PDF are the
// digests in hex, each of which wants an approval of its own there. Certificates are the key's and its issuers', DER.
type SealingKey struct {
	Name         string   `json:"name"`
	Version      int      `json:"version"`
	Certificates [][]byte `json:"certificates"`
	OFD          string   `json:"ofd"`
	PDF          string   `json:"pdf"`
}

// Decision is the approver's. The digests are the dispatch's own: they say what was looked at. An approval names both,
// the SM3 of the unsealed file and the digest that will be signed. KeyApprovals are the IDs of the approvals in the key store that
// the dispatch's sealing_key wants, in any order.
type Decision struct {
	Unsealed     string   `json:"unsealed_sm3,omitempty"`
	Digest       string   `json:"digest"`
	Approve      bool     `json:"approve"`
	Comment      string   `json:"comment,omitempty"`
	KeyApprovals []string `json:"key_approvals,omitempty"`
}

// OpenedDocument is a delivery after the office service opened it. Report is a yinxin.verify/1 object.
type OpenedDocument struct {
	Delivery Delivery        `json:"delivery"`
	Files    []NamedFile     `json:"files"`
	Report   json.RawMessage `json:"report"`
}

// SignFor asks the office service to sign for a delivery; Number is the office's own 签收编号.
type SignFor struct {
	Number  string `json:"number,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// GiveBack asks the office service to return a delivery, with a code of the list and a sentence.
type GiveBack struct {
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

// CertifyRequest asks for the certificates of an office that keeps its own keys: a PKCS#10 request of its signing key and
// the public key of its encryption pair, the 65 bytes of the uncompressed point.
type CertifyRequest struct {
	Organisation   Organisation `json:"organisation"`
	SigningRequest []byte       `json:"signing_request"`
	EncryptionKey  []byte       `json:"encryption_key"`
}

// SenderAct asks the office service to withdraw a document from one recipient, or to acknowledge that it came back.
type SenderAct struct {
	Recipient string `json:"recipient"`
	Text      string `json:"text,omitempty"`
}

// Refused reports a document that was refused before it reached the hub, so that the refusal is recorded. It carries the
// code and nothing of the content.
type Refused struct {
	Code Code `json:"code"`
}
