package web

import (
	"errors"
	"net/http"
	"strings"

	"yinxin/document/layout"
	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/office"
)

// approvalsPage lists what waits for an approver, and what was decided lately.
type approvalsPage struct {
	Pending, Decided []approvalRow
}

type approvalRow struct {
	office.Dispatch
	Volume    *volume
	Requester string // by name
	Mine      bool   // asked for by the reader, who therefore cannot decide it
}

func (s *Server) approvals(c *call) error {
	all, err := s.c.Office.List(c.Context(), c.person(), "", pageSize)
	if err != nil {
		return err
	}
	var p approvalsPage
	for _, d := range all {
		row := approvalRow{
			Dispatch: d, Volume: s.shelf.get(dispatchKey(c, d.ID)), Requester: c.personName(d.Requester), Mine: d.Requester == c.account.ID,
		}
		if d.State == office.Pending {
			p.Pending = append(p.Pending, row)
		} else if d.Approver != "" {
			p.Decided = append(p.Decided, row)
		}
	}
	return c.show(http.StatusOK, "approvals", p)
}

// personName is the real name of an account.
func (c *call) personName(id string) string {
	if a, err := c.s.c.Accounts.Account(c.Context(), id); err == nil {
		return a.Name
	}
	return id
}

// approvalPage is one document with the exact digest that the seal key is going to sign.
type approvalPage struct {
	approvalRow
	Pages     []pageView
	Seal      seal.Record
	To, CC    []string
	Measured  *layout.Report
	CanDecide bool
	// CanTakeBack: it is approved and not sealed yet.
	CanTakeBack bool
	Approved    string // who decided, by name
	Fault       string
}

func (s *Server) approval(c *call) error { return s.showApproval(c, http.StatusOK, "") }

func (s *Server) showApproval(c *call, status int, fault string) error {
	d, err := s.c.Office.Dispatch(c.Context(), c.person(), c.variable("id"))
	if err != nil {
		return err
	}
	p := approvalPage{Fault: fault, approvalRow: approvalRow{Dispatch: d, Requester: c.personName(d.Requester), Mine: d.Requester == c.account.ID}}
	if p.Volume, err = s.dispatchVolume(c, d); err != nil {
		return err
	}
	if p.Seal, err = s.c.Seals.Seal(c.Context(), d.Seal); err != nil {
		return err
	}
	p.Pages = p.Volume.Pages("/dispatches/" + d.ID)
	if d.Envelope == "" {
		planned(p.Pages, d.Stamps, p.Seal.Name)
	}
	for _, r := range d.Recipients {
		if r.Role == transport.To {
			p.To = append(p.To, c.officeName(r.Code))
		} else {
			p.CC = append(p.CC, c.officeName(r.Code))
		}
	}
	if d.Approver != "" {
		p.Approved = c.personName(d.Approver)
	}
	p.CanDecide = d.State == office.Pending && c.person().Approver && !p.Mine
	p.CanTakeBack = d.State == office.Approved && c.person().Approver && !p.Mine
	if d.State == office.Pending {
		if p.Measured, err = p.Volume.measure(); err != nil {
			return err
		}
	}
	return c.show(status, "approval", p)
}

// planned puts the places of seals that are asked for onto the pages.
func planned(pages []pageView, stamps []office.Stamp, name string) {
	for _, st := range stamps {
		if st.Page >= 0 && st.Page < len(pages) {
			p := &pages[st.Page]
			p.Seals = append(p.Seals, sealSpot{Name: name, X: st.X, Y: st.Y, W: st.W, H: st.H, Planned: true})
		}
	}
}

// measure compares the pages with GB/T 9704.
func (v *volume) measure() (*layout.Report, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, err := v.doc.Measure()
	return &r, err
}

func (s *Server) decide(c *call) error {
	if err := c.form("unsealed", "digest", "decision", "comment", "key_ofd", "key_pdf"); err != nil {
		return err
	}
	unsealed, errUnsealed := transport.ParseDigest(c.value("unsealed"))
	digest, err := transport.ParseDigest(c.value("digest"))
	decision := c.value("decision")
	if errUnsealed != nil || err != nil || decision != "approve" && decision != "decline" {
		return api.NewProblem(api.Malformed, "")
	}
	comment := c.value("comment")
	if len([]rune(comment)) > transport.MaxCommentRunes || decision == "decline" && comment == "" {
		return s.showApproval(c, http.StatusUnprocessableEntity, "fault.decline")
	}
	id := c.variable("id")
	d, err := s.c.Office.Decide(c.Context(), c.person(), id, office.Decision{
		Unsealed: unsealed, Digest: digest, Approve: decision == "approve", Comment: comment,
		KeyApprovals: c.keyApprovals(decision),
	})
	switch {
	case errors.Is(err, office.ErrDigestChanged):
		return s.showApproval(c, http.StatusPreconditionFailed, "fault.digest")
	case errors.Is(err, office.ErrKeyApproval):
		return s.showApproval(c, http.StatusPreconditionRequired, "fault.keyapproval")
	case err != nil && d.State == office.Failed:
		return s.showApproval(c, http.StatusConflict, "fault.unsealed")
	case err != nil:
		return err
	}
	s.counted.forget(c.account.Org)
	done := "approved"
	if d.State == office.Declined {
		done = "declined"
	}
	return c.redirect("/approvals/" + id + "?done=" + done)
}

// keyApprovals are the approvals of the key store that an approver hands on, where the form asks for them.
func (c *call) keyApprovals(decision string) []string {
	var ids []string
	for _, field := range []string{"key_ofd", "key_pdf"} {
		if id := strings.TrimSpace(c.value(field)); id != "" && decision == "approve" {
			ids = append(ids, id)
		}
	}
	return ids
}
