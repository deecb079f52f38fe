package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Use is the record of one sealing. A bare file key seals without an approval; then ApprovalID is ApprovalNone.
type Use struct {
	// ID is that of the entry of the evidence log that holds the SM3 of its statement.
	ID     string `json:"id"`
	SealID string `json:"seal_id"`
	// Document is the SM3 before, Sealed after sealing, ToBeSigned the digest that was approved. Copy is the SM3 of the sealed PDF
	// where the document was sealed in both forms on the one approval.
	Document   [32]byte  `json:"document"`
	Sealed     [32]byte  `json:"sealed"`
	Copy       [32]byte  `json:"copy,omitzero"`
	ToBeSigned [32]byte  `json:"to_be_signed"`
	Stamps     []Stamp   `json:"stamps"`
	Operator   string    `json:"operator"`
	Approver   string    `json:"approver"`
	ApprovalID string    `json:"approval_id"`
	At         time.Time `json:"at"`
}

// ApprovalNone stands in the record of a sealing that nobody approved.
const ApprovalNone = "none"

// useStatement fixes names and order of a statement.
type useStatement struct {
	V          int        `json:"v"`
	Seal       string     `json:"seal"`
	Document   string     `json:"document_sm3"`
	Sealed     string     `json:"sealed_sm3"`
	Copy       string     `json:"copy_sm3,omitempty"`
	ToBeSigned string     `json:"to_be_signed"`
	Places     []usePlace `json:"places"`
	Operator   string     `json:"operator"`
	Approver   string     `json:"approver"`
	Approval   string     `json:"approval"`
	Time       string     `json:"time"`
}

type usePlace struct {
	Page int     `json:"page"` // from 1
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	W    float64 `json:"w"`
	H    float64 `json:"h"`
}

// Statement says in one canonical line which seal was used on what, where, by whom and on whose approval: what the
// evidence log holds the SM3 of, for it holds digests and codes alone (docs/formats/receipt.md).
func (u Use) Statement() ([]byte, error) {
	s := useStatement{
		V: 1, Seal: u.SealID, Document: hex.EncodeToString(u.Document[:]), Sealed: hex.EncodeToString(u.Sealed[:]),
		ToBeSigned: hex.EncodeToString(u.ToBeSigned[:]), Places: []usePlace{}, Operator: u.Operator, Approver: u.Approver,
		Approval: u.ApprovalID, Time: u.At.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
	if u.Copy != [32]byte{} {
		s.Copy = hex.EncodeToString(u.Copy[:])
	}
	for _, st := range u.Stamps {
		s.Places = append(s.Places, usePlace{Page: st.Page + 1, X: st.X, Y: st.Y, W: st.W, H: st.H})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil { // a place that is no number
		return nil, fmt.Errorf("state the use of seal %s: %w", u.SealID, err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
