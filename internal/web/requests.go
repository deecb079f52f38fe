package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"yinxin/seal"
	"yinxin/seal/picture"
	"yinxin/seal/ses"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/office"
)

// requestsPage lists requests for seals: an office's own, or all for a custodian.
type requestsPage struct {
	Rows      []requestRow
	Next      string
	Custodian bool
	// Asks: the reader may ask for a seal, kept by one of Keepers.
	Asks    bool
	Keepers []directory.Account
	Ranks   []rank
	Sent    map[string]string
	Fault   string
}

type rank struct {
	Name     string
	Diameter float64
}

type requestRow struct {
	seal.Request
	OfficeName, RequesterName, KeeperName, DecidedByName string
	// Mine: the reader asked for it, and decides nothing about it.
	Mine bool
}

func (c *call) requestRow(q seal.Request) requestRow {
	row := requestRow{
		Request: q, OfficeName: c.officeName(q.Office), RequesterName: c.personName(q.Requester), KeeperName: c.personName(q.Keeper),
		Mine: q.Requester == c.account.ID,
	}
	if q.DecidedBy != "" {
		row.DecidedByName = c.personName(q.DecidedBy)
	}
	return row
}

func (s *Server) sealRequests(c *call) error { return s.showRequests(c, http.StatusOK, "") }

func (s *Server) showRequests(c *call, status int, fault string) error {
	p := requestsPage{
		Custodian: c.account.Has(directory.Custodian), Asks: c.account.Has(directory.Clerk, directory.SealKeeper), Fault: fault,
		Sent: map[string]string{"keeper": c.account.ID},
	}
	for name, values := range c.PostForm {
		p.Sent[name] = values[0]
	}
	of := c.account.Org
	if p.Custodian {
		of = ""
	}
	got, err := s.c.Seals.SealRequests(c.Context(), of, cursor(c), pageSize+1)
	if err != nil {
		return err
	}
	if len(got) > pageSize {
		got = got[:pageSize]
		p.Next = withQuery(c.URL.Query(), "after", got[pageSize-1].ID)
	}
	for _, q := range got {
		p.Rows = append(p.Rows, c.requestRow(q))
	}
	if p.Asks {
		if p.Keepers, err = s.c.Accounts.Accounts(c.Context(), c.account.Org, "", 200); err != nil {
			return err
		}
		table := s.c.Registrar.SealRanks()
		for _, name := range table.Names() {
			p.Ranks = append(p.Ranks, rank{name, table[name]})
		}
	}
	return c.show(status, "requests", p)
}

// askForSeal asks for a new seal for the reader's own office.
func (s *Server) askForSeal(c *call) error {
	if err := c.form("name", "bottom_line", "number", "rank", "diameter", "keeper", "reason"); err != nil {
		return err
	}
	wish := office.SealWish{
		Name: c.value("name"), BottomLine: c.value("bottom_line"), Number: c.value("number"), Rank: c.value("rank"),
		Keeper: c.value("keeper"), Reason: c.value("reason"),
	}
	if text := c.value("diameter"); text != "" {
		var err error
		if wish.Diameter, err = strconv.ParseFloat(text, 64); err != nil {
			return s.showRequests(c, http.StatusUnprocessableEntity, "fault.size")
		}
	}
	switch {
	case wish.Name == "" || wish.Reason == "":
		return s.showRequests(c, http.StatusUnprocessableEntity, "fault.fields")
	case (wish.Rank == "") == (wish.Diameter == 0):
		return s.showRequests(c, http.StatusUnprocessableEntity, "fault.size")
	}
	q, err := s.c.Registrar.RequestSeal(c.Context(), c.person(), wish)
	switch {
	case errors.Is(err, office.ErrNotHosted):
		return s.showRequests(c, http.StatusUnprocessableEntity, "fault.ownkeys")
	case errors.Is(err, picture.ErrRank) || errors.Is(err, picture.ErrSize):
		return s.showRequests(c, http.StatusUnprocessableEntity, "fault.size")
	case errors.Is(err, seal.ErrMake):
		return s.showRequests(c, http.StatusUnprocessableEntity, "fault.make")
	case errors.Is(err, office.ErrForeignName):
		return s.showRequests(c, http.StatusForbidden, "fault.sealname")
	case err != nil:
		return err
	}
	return c.redirect("/seal-requests/" + q.ID + "?done=seal_requested")
}

// visibleRequest is a request of the reader's own office, or any for a custodian. Another office's does not exist.
func (s *Server) visibleRequest(c *call) (seal.Request, error) {
	q, err := s.c.Seals.SealRequest(c.Context(), c.variable("id"))
	if err == nil && q.Office != c.account.Org && !c.account.Has(directory.Custodian) {
		return q, api.NewProblem(api.NotFound, "")
	}
	return q, err
}

// requestPage is one request and, for a custodian, the next steps.
type requestPage struct {
	requestRow
	// OwnKeys: the office keeps its sealing key itself.
	OwnKeys bool
	// Picture: the seal is made, and can be looked at.
	Picture             bool
	Make, Register, End bool
	Fault               string
}

func (s *Server) sealRequest(c *call) error { return s.showRequest(c, http.StatusOK, "") }

func (s *Server) showRequest(c *call, status int, fault string) error {
	q, err := s.visibleRequest(c)
	if err != nil {
		return err
	}
	p := requestPage{requestRow: c.requestRow(q), OwnKeys: len(q.SigningRequest) > 0, Picture: len(q.ESL) > 0, Fault: fault}
	if c.account.Has(directory.Custodian) && !p.Mine {
		p.Make, p.Register = q.State == seal.Requested, q.State == seal.Made
		p.End = p.Make || p.Register
	}
	return c.show(status, "request", p)
}

// requestPicture shows the picture of a seal that was made and may not be registered yet.
func (s *Server) requestPicture(c *call) error {
	q, err := s.visibleRequest(c)
	if err != nil {
		return err
	}
	if len(q.ESL) == 0 {
		return api.NewProblem(api.NotFound, "")
	}
	return c.picture(q.ESL)
}

// picture answers with the picture that lies in a seal.
func (c *call) picture(esl []byte) error {
	made, err := ses.ParseSeal(esl)
	if err != nil {
		return err
	}
	if !strings.EqualFold(made.Info.Picture.Type, "png") {
		return api.NewProblem(api.UnsupportedFormat, "")
	}
	c.w.Header().Set("Content-Type", "image/png")
	_, _ = c.w.Write(made.Info.Picture.Data)
	return nil
}

// decideRequest takes the next step of a request: the seal is made, registered, or declined with a reason.
func (s *Server) decideRequest(c *call) error {
	if err := c.form("step", "reason"); err != nil {
		return err
	}
	if _, err := s.visibleRequest(c); err != nil {
		return err
	}
	id := c.variable("id")
	var err error
	switch c.value("step") {
	case "make":
		_, err = s.c.Registrar.MakeRequested(c.Context(), c.person(), id, seal.Term{})
	case "register":
		_, err = s.c.Registrar.RegisterRequested(c.Context(), c.person(), id)
	case "decline":
		reason := c.value("reason")
		if reason == "" || len([]rune(reason)) > transport.MaxCommentRunes {
			return s.showRequest(c, http.StatusUnprocessableEntity, "fault.decline")
		}
		_, err = s.c.Registrar.DeclineRequest(c.Context(), c.person(), id, reason)
	default:
		return api.NewProblem(api.Malformed, "")
	}
	if errors.Is(err, seal.ErrMake) {
		return s.showRequest(c, http.StatusUnprocessableEntity, "fault.make")
	}
	if err != nil {
		return err
	}
	return c.redirect("/seal-requests/" + id + "?done=request_" + c.value("step"))
}

// renewSeal makes a seal anew, for a new version of its key where that is asked for, and voids the old one.
func (s *Server) renewSeal(c *call) error {
	if err := c.form("rotate"); err != nil {
		return err
	}
	r, err := s.c.Registrar.RenewSeal(c.Context(), c.person(), c.variable("id"), office.Renewal{Rotate: c.value("rotate") == "yes"})
	if errors.Is(err, office.ErrNotHosted) || errors.Is(err, seal.ErrMake) {
		return s.showSeal(c, http.StatusUnprocessableEntity, "fault.renew")
	}
	if err != nil {
		return err
	}
	return c.redirect("/seals/" + r.ID + "?done=seal_renewed")
}
