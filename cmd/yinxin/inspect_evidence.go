package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/tsp"
)

// maxShown is how many entries of a revocation list are printed for people; JSON has maxRevoked.
const maxShown = 20

// derived recognises what goes between an office and those who certify for it, PEM or DER; it reports whether it is such.
func (v *inspection) derived(data []byte) bool {
	if r, err := cert.ParseRequest(data); err == nil {
		v.Type, v.Request = "request", &requestView{Subject: nameText(r)}
		return true
	}
	if l, err := cert.ParseCRL(data); err == nil {
		v.Type, v.CRL = "crl", viewCRL(l)
		return true
	}
	if r, err := cert.ParseOCSP(data); err == nil {
		v.Type, v.OCSP = "ocsp_response", viewOCSP(r)
		return true
	}
	if q, err := cert.ParseOCSPRequest(data); err == nil {
		view := &ocspView{Asked: []string{}, Nonce: hex.EncodeToString(q.Nonce)}
		for _, serial := range q.Serials() {
			view.Asked = append(view.Asked, serial.Text(16))
		}
		v.Type, v.OCSP = "ocsp_request", view
		return true
	}
	return v.stamped(data)
}

// stamped recognises time-stamp tokens, and the requests for and answers with them.
func (v *inspection) stamped(data []byte) bool {
	if t, err := tsp.ParseToken(data); err == nil {
		v.Type, v.TimeStamp = "timestamp", viewToken(t)
		return true
	}
	if r, err := tsp.ParseResponse(data); err == nil {
		v.Type, v.TimeStamp = "timestamp_response", &timeStampView{}
		if t, err := tsp.ParseToken(r.Token); err == nil {
			v.TimeStamp = viewToken(t)
		}
		v.TimeStamp.Status = statusText(r)
		return true
	}
	if q, err := tsp.ParseRequest(data); err == nil {
		v.Type, v.TimeStamp = "timestamp_request", &timeStampView{}
		if sum, ok := q.Sum(); ok {
			v.TimeStamp.StampedSM3 = hex.EncodeToString(sum[:])
		}
		if q.Policy != nil {
			v.TimeStamp.Policy = q.Policy.String()
		}
		if q.Nonce != nil {
			v.TimeStamp.Nonce = q.Nonce.Text(16)
		}
		return true
	}
	return false
}

func statusText(r *tsp.Response) string {
	switch r.Status {
	case tsp.Granted:
		return "granted"
	case tsp.GrantedWithMods:
		return "granted with modifications"
	case tsp.Rejection, tsp.Waiting, tsp.RevocationWarning, tsp.RevocationNotification:
	}
	return fmt.Sprintf("not granted (status %d, %s): %s", int(r.Status), r.Failure, r.Text)
}

// requestView is a certificate request whose own signature holds.
type requestView struct {
	Subject string `json:"subject"`
}

func nameText(r *cert.Request) string {
	text := "CN=" + r.Subject.CommonName
	if len(r.Subject.Organization) > 0 {
		text += ",O=" + r.Subject.Organization[0]
	}
	if r.Subject.SerialNumber != "" {
		text += ",serialNumber=" + r.Subject.SerialNumber
	}
	return text
}

func (v *requestView) print(w io.Writer, indent string) {
	if v != nil {
		printLine(w, "%sfor %s\n", indent, v.Subject)
	}
}

// crlView is a revocation list.
type crlView struct {
	Issuer     string    `json:"issuer"`
	Number     string    `json:"number,omitempty"`
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	Entries    int       `json:"entries"`
	// Revoked are the first maxRevoked of the entries.
	Revoked []revokedView `json:"revoked"`
}

// maxRevoked bounds the entries that are shown of a list, to programs too: a list of 20 MB would come to hundreds.
const maxRevoked = 10_000

// revokedView is one certificate that a list or an answer states as revoked.
type revokedView struct {
	Serial      string     `json:"serial"`
	At          time.Time  `json:"at"`
	Reason      string     `json:"reason"`
	InvalidFrom *time.Time `json:"invalid_from,omitempty"`
}

func viewCRL(l *cert.RevocationList) *crlView {
	v := &crlView{Issuer: l.IssuerText(), ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate, Entries: l.Len(), Revoked: []revokedView{}}
	if l.Number != nil {
		v.Number = l.Number.String()
	}
	for e := range l.Entries() {
		if len(v.Revoked) == maxRevoked {
			break
		}
		r := revokedView{Serial: e.Serial.Text(16), At: e.At, Reason: reasonWord(e.Reason)}
		if !e.InvalidFrom.IsZero() {
			r.InvalidFrom = &e.InvalidFrom
		}
		v.Revoked = append(v.Revoked, r)
	}
	return v
}

func (v *crlView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	printLine(w, "%sof %s\n", indent, v.Issuer)
	printLine(w, "%snumber %s, of %s, next %s, %d revoked\n", indent, orNone(v.Number), v.ThisUpdate.Format(time.RFC3339), whenOrNone(v.NextUpdate), v.Entries)
	for i, r := range v.Revoked {
		if i == maxShown {
			printLine(w, "%sand %d more\n", indent, v.Entries-i)
			return
		}
		r.print(w, indent)
	}
}

func (r revokedView) print(w io.Writer, indent string) {
	printLine(w, "%s%s revoked %s, %s", indent, r.Serial, r.At.Format(time.RFC3339), r.Reason)
	if r.InvalidFrom != nil {
		printLine(w, ", invalid from %s", r.InvalidFrom.Format(time.RFC3339))
	}
	fmt.Fprintln(w)
}

func whenOrNone(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.Format(time.RFC3339)
}

// ocspView is a question to an OCSP service, or its answer.
type ocspView struct {
	// Asked are the serial numbers asked about.
	Asked []string `json:"asked,omitempty"`
	// Status is that of an answer as a whole: 0 is one with answers.
	Status     *int         `json:"status,omitempty"`
	ProducedAt *time.Time   `json:"produced_at,omitempty"`
	Answers    []answerView `json:"answers,omitempty"`
	Nonce      string       `json:"nonce,omitempty"`
}

type answerView struct {
	Serial     string       `json:"serial"`
	State      string       `json:"state"`
	Revoked    *revokedView `json:"revoked,omitempty"`
	ThisUpdate time.Time    `json:"this_update"`
	NextUpdate *time.Time   `json:"next_update,omitempty"`
}

func viewOCSP(r *cert.OCSPResponse) *ocspView {
	v := &ocspView{Status: &r.Status, Nonce: hex.EncodeToString(r.Nonce)}
	if r.Status != cert.OCSPSuccessful {
		return v
	}
	v.ProducedAt = &r.ProducedAt
	for _, s := range r.States() {
		a := answerView{Serial: s.Serial.Text(16), State: s.State, ThisUpdate: s.ThisUpdate}
		if !s.NextUpdate.IsZero() {
			a.NextUpdate = &s.NextUpdate
		}
		if !s.RevokedAt.IsZero() {
			a.Revoked = &revokedView{Serial: a.Serial, At: s.RevokedAt, Reason: reasonWord(s.Reason)}
		}
		v.Answers = append(v.Answers, a)
	}
	return v
}

func (v *ocspView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	for _, serial := range v.Asked {
		printLine(w, "%sabout the certificate with serial %s\n", indent, serial)
	}
	if v.Status != nil && v.ProducedAt == nil {
		printLine(w, "%sno answer: status %d\n", indent, *v.Status)
	}
	if v.ProducedAt != nil {
		printLine(w, "%sof %s\n", indent, v.ProducedAt.Format(time.RFC3339))
	}
	for _, a := range v.Answers {
		next := time.Time{}
		if a.NextUpdate != nil {
			next = *a.NextUpdate
		}
		printLine(w, "%s%s %s, speaks from %s, next %s\n", indent, a.Serial, a.State, a.ThisUpdate.Format(time.RFC3339), whenOrNone(next))
		if a.Revoked != nil {
			a.Revoked.print(w, indent+"  ")
		}
	}
}

// timeStampView is a time-stamp token, or what is sent for one and comes back.
type timeStampView struct {
	// Status is that of an answer.
	Status     string     `json:"status,omitempty"`
	Time       *time.Time `json:"time,omitempty"`
	Accuracy   string     `json:"accuracy,omitempty"`
	Authority  string     `json:"authority,omitempty"`
	Policy     string     `json:"policy,omitempty"`
	Serial     string     `json:"serial,omitempty"`
	Nonce      string     `json:"nonce,omitempty"`
	StampedSM3 string     `json:"stamped_sm3,omitempty"`
}

func viewToken(t *tsp.Token) *timeStampView {
	v := &timeStampView{Time: &t.Time, Policy: t.Policy.String(), Serial: t.Serial.Text(16), Authority: "a certificate that is not in the token"}
	if c := t.Signer(); c != nil {
		v.Authority = c.SubjectText()
	}
	if t.Accuracy > 0 {
		v.Accuracy = t.Accuracy.String()
	}
	if t.Nonce != nil {
		v.Nonce = t.Nonce.Text(16)
	}
	if sum, ok := t.Sum(); ok {
		v.StampedSM3 = hex.EncodeToString(sum[:])
	}
	return v
}

func (v *timeStampView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	if v.Status != "" {
		printLine(w, "%s%s\n", indent, v.Status)
	}
	if v.Time != nil {
		printLine(w, "%sclaims %s, by %s\n", indent, v.Time.Format(time.RFC3339), v.Authority)
	}
	printLine(w, "%sover SM3 %s, policy %s\n", indent, orNone(v.StampedSM3), orNone(v.Policy))
}

// evidence lists the time-stamps beside the signatures of a message, and counts what it carries about revocation.
func (v *messageView) evidence(s *cms.SignedData) {
	for i := range s.Signers() {
		for _, der := range s.Timestamps(i) {
			t, err := tsp.ParseToken(der)
			if err != nil {
				v.TimeStamps = append(v.TimeStamps, timeStampView{Status: "unreadable"})
				continue
			}
			v.TimeStamps = append(v.TimeStamps, *viewToken(t))
		}
	}
	lists, answers := s.Evidence()
	v.RevocationLists, v.OCSPResponses = len(lists), len(answers)
}
