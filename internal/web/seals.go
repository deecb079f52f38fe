package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"yinxin/seal"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/office"
)

// sealsPage lists the seals of one office, or (no Office) of all.
type sealsPage struct {
	Office, OfficeName string
	Offices            []directoryName // a custodian may look at every office's
	Rows               []sealRow
	Custodian          bool
	Sent               map[string]string
	Fault              string
}

type sealRow struct {
	seal.Record
	Status seal.Status
	// Ends says in how many days the seal's validity ends.
	Ends int
}

func (s *Server) sealRow(r seal.Record) sealRow {
	status, _ := r.StatusAt(s.c.Clock())
	return sealRow{Record: r, Status: status, Ends: int(r.To.Sub(s.c.Clock()) / (24 * time.Hour))}
}

func (s *Server) seals(c *call) error { return s.showSeals(c, http.StatusOK, "") }

func (s *Server) showSeals(c *call, status int, fault string) error {
	p := sealsPage{Office: c.account.Org, Custodian: c.account.Has(directory.Custodian), Fault: fault, Sent: map[string]string{}}
	for name, values := range c.PostForm {
		p.Sent[name] = values[0]
	}
	if p.Custodian {
		all, err := s.c.Accounts.Organisations(c.Context(), "", 200)
		if err != nil {
			return err
		}
		for _, o := range all {
			p.Offices = append(p.Offices, directoryName{o.Code, o.Name})
		}
		if p.Office = c.URL.Query().Get("office"); !transport.ValidCode(p.Office) {
			p.Office = "" // every office's
		}
	}
	if p.Office != "" {
		p.OfficeName = c.officeName(p.Office)
	}
	got, err := s.c.Seals.SealsOf(c.Context(), p.Office)
	if err != nil {
		return err
	}
	for _, r := range got {
		p.Rows = append(p.Rows, s.sealRow(r))
	}
	return c.show(status, "seals", p)
}

// visibleSeal is a seal of the reader's own office, or any for a custodian. Another office's does not exist.
func (s *Server) visibleSeal(c *call) (seal.Record, error) {
	r, err := s.c.Seals.Seal(c.Context(), c.variable("id"))
	if err != nil {
		return r, err
	}
	if r.Office != c.account.Org && !c.account.Has(directory.Custodian) {
		return r, api.NewProblem(api.NotFound, "")
	}
	return r, nil
}

// sealPage is one seal with its history and what it was used for.
type sealPage struct {
	sealRow
	OfficeName string
	KeeperName string
	Uses       []useRow
	Changes    []changeRow
	Custodian  bool
	// Receipts: the reader may have the receipts of the uses.
	Receipts bool
	Next     []seal.Status
	Fault    string
}

type useRow struct {
	seal.Use
	OperatorName, ApproverName string
	// HasCopy: the PDF was sealed, too.
	HasCopy bool
}

type changeRow struct {
	seal.Change
	ByName string
}

func (s *Server) seal(c *call) error { return s.showSeal(c, http.StatusOK, "") }

func (s *Server) showSeal(c *call, status int, fault string) error {
	r, err := s.visibleSeal(c)
	if err != nil {
		return err
	}
	uses, err := s.c.Seals.Uses(c.Context(), r.ID)
	if err != nil {
		return err
	}
	p := sealPage{
		sealRow: s.sealRow(r), OfficeName: c.officeName(r.Office), KeeperName: c.personName(r.Keeper),
		Custodian: c.account.Has(directory.Custodian), Receipts: c.account.Has(directory.Clerk) && r.Office == c.account.Org, Fault: fault,
	}
	for _, u := range slices.Backward(uses) {
		row := useRow{Use: u, OperatorName: c.personName(u.Operator), HasCopy: u.Copy != [32]byte{}}
		if u.Approver != "" {
			row.ApproverName = c.personName(u.Approver)
		}
		p.Uses = append(p.Uses, row)
	}
	for _, ch := range slices.Backward(r.History) {
		p.Changes = append(p.Changes, changeRow{ch, c.personName(ch.By)})
	}
	switch p.Status {
	case seal.Active:
		p.Next = []seal.Status{seal.Suspended, seal.Voided}
	case seal.Suspended:
		p.Next = []seal.Status{seal.Active, seal.Voided}
	case seal.Voided:
	}
	return c.show(status, "seal", p)
}

// sealPicture shows the picture that lies in the seal.
func (s *Server) sealPicture(c *call) error {
	r, err := s.visibleSeal(c)
	if err != nil {
		return err
	}
	return c.picture(r.ESL)
}

func (s *Server) changeSeal(c *call) error {
	if err := c.form("to", "reason"); err != nil {
		return err
	}
	to, reason := seal.Status(c.value("to")), c.value("reason")
	if to != seal.Active && to != seal.Suspended && to != seal.Voided {
		return api.NewProblem(api.Malformed, "")
	}
	if reason == "" || len([]rune(reason)) > transport.MaxCommentRunes {
		return s.showSeal(c, http.StatusUnprocessableEntity, "fault.text")
	}
	id := c.variable("id")
	if _, err := s.c.Registrar.ChangeSeal(c.Context(), c.person(), id, to, reason); err != nil {
		return err
	}
	return c.redirect("/seals/" + id + "?done=seal_" + string(to))
}

func (s *Server) makeSeal(c *call) error {
	if err := c.form("office", "name", "bottom_line", "diameter", "keeper"); err != nil {
		return err
	}
	q := office.SealRequest{
		Office: c.value("office"), Name: c.value("name"), BottomLine: c.value("bottom_line"), Keeper: c.value("keeper"),
	}
	var err error
	if q.Diameter, err = strconv.ParseFloat(c.value("diameter"), 64); err != nil || q.Name == "" || !transport.ValidCode(q.Office) {
		return s.showSeals(c, http.StatusUnprocessableEntity, "fault.fields")
	}
	if a, err := s.c.Accounts.Account(c.Context(), q.Keeper); err != nil || a.Org != q.Office {
		return s.showSeals(c, http.StatusUnprocessableEntity, "fault.keeper")
	}
	r, err := s.c.Registrar.MakeSeal(c.Context(), c.person(), q)
	if errors.Is(err, seal.ErrMake) || errors.Is(err, office.ErrNotHosted) {
		return s.showSeals(c, http.StatusUnprocessableEntity, "fault.make")
	}
	if err != nil {
		return err
	}
	return c.redirect("/seals/" + r.ID + "?done=seal_made")
}
