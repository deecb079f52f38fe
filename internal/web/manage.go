package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"yinxin/crypto/cert"
	"yinxin/internal/audit"
	"yinxin/keys"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
)

// officesPage lists the offices of the exchange.
type officesPage struct {
	Rows   []directory.Organisation
	Next   string
	Sent   directory.Organisation
	Faults []api.Fault
}

func (s *Server) offices(c *call) error { return s.showOffices(c, http.StatusOK, officesPage{}) }

func (s *Server) showOffices(c *call, status int, p officesPage) error {
	got, err := s.c.Accounts.Organisations(c.Context(), cursor(c), pageSize+1)
	if err != nil {
		return err
	}
	if len(got) > pageSize {
		got = got[:pageSize]
		p.Next = withQuery(c.URL.Query(), "after", got[pageSize-1].Code)
	}
	p.Rows = got
	return c.show(status, "offices", p)
}

// cursor is where a list goes on, empty for its beginning.
func cursor(c *call) string {
	after := c.URL.Query().Get("after")
	if !transport.ValidCode(after) {
		return ""
	}
	return after
}

func (s *Server) addOffice(c *call) error {
	if err := c.form("code", "name", "parent"); err != nil {
		return err
	}
	o := directory.Organisation{Code: c.value("code"), Name: c.value("name"), Parent: c.value("parent")}
	check := o
	check.Status = directory.Active
	if err := check.Validate(); err != nil {
		return s.showOffices(c, http.StatusUnprocessableEntity, officesPage{Sent: o, Faults: problemOf(err).Errors})
	}
	_, err := s.c.Registrar.Establish(c.Context(), c.person(), o)
	if p := problemOf(err); err != nil && (p.Code == api.Conflict || p.Code == api.Validation || p.Code == api.NotFound) {
		if len(p.Errors) == 0 {
			p.Errors = []api.Fault{{Pointer: "code", Detail: c.text("offices.fault." + string(p.Code))}}
		}
		return s.showOffices(c, http.StatusUnprocessableEntity, officesPage{Sent: o, Faults: p.Errors})
	}
	if err != nil {
		return err
	}
	return c.redirect("/offices?done=office_added")
}

// peoplePage lists accounts.
type peoplePage struct {
	Rows    []personRow
	Next    string
	Office  string
	Offices []directoryName
	Roles   []directory.Role
	Sent    directory.Account
	Faults  []api.Fault
	// Account and Secret are a new login, shown this once.
	Account, Secret string
}

type personRow struct {
	directory.Account
	OfficeName string
}

func (s *Server) people(c *call) error { return s.showPeople(c, http.StatusOK, peoplePage{}) }

func (s *Server) showPeople(c *call, status int, p peoplePage) error {
	p.Office, p.Roles = c.URL.Query().Get("office"), directory.Roles()
	got, err := s.c.Accounts.Accounts(c.Context(), p.Office, cursor(c), pageSize+1)
	if err != nil {
		return err
	}
	if len(got) > pageSize {
		got = got[:pageSize]
		p.Next = withQuery(c.URL.Query(), "after", got[pageSize-1].ID)
	}
	for _, a := range got {
		p.Rows = append(p.Rows, personRow{a, c.officeName(a.Org)})
	}
	all, err := s.c.Accounts.Organisations(c.Context(), "", 200)
	if err != nil {
		return err
	}
	for _, o := range all {
		p.Offices = append(p.Offices, directoryName{o.Code, o.Name})
	}
	return c.show(status, "people", p)
}

func (s *Server) addPerson(c *call) error {
	if err := c.form("id", "name", "office", "role*"); err != nil {
		return err
	}
	a := directory.Account{ID: c.value("id"), Org: c.value("office"), Name: c.value("name")}
	for _, r := range c.PostForm["role"] {
		a.Roles = append(a.Roles, directory.Role(r))
	}
	if err := c.note("account.add", audit.Clean(a.ID), transport.Allowed); err != nil {
		return err
	}
	secret, err := s.c.Accounts.AddAccount(c.Context(), a, "")
	if p := problemOf(err); err != nil && (p.Code == api.Validation || errors.Is(err, directory.ErrConflict)) {
		if len(p.Errors) == 0 {
			p.Errors = []api.Fault{{Pointer: "id", Detail: c.text("people.fault.conflict")}}
		}
		return s.showPeople(c, http.StatusUnprocessableEntity, peoplePage{Sent: a, Faults: p.Errors})
	}
	if err != nil {
		return err
	}
	return s.showPeople(c, http.StatusOK, peoplePage{Account: a.ID, Secret: secret})
}

// resetPerson gives an account a new secret, which ends its sessions.
func (s *Server) resetPerson(c *call) error {
	if err := c.form(); err != nil {
		return err
	}
	id := c.variable("id")
	if err := c.note("account.reset", id, transport.Allowed); err != nil {
		return err
	}
	secret, err := s.c.Accounts.SetSecret(c.Context(), id, "")
	if err != nil {
		return err
	}
	return s.showPeople(c, http.StatusOK, peoplePage{Account: id, Secret: secret})
}

// closePerson closes an account or opens it again; nobody closes the own one.
func (s *Server) closePerson(c *call) error {
	if err := c.form("status"); err != nil {
		return err
	}
	id, status := c.variable("id"), directory.Status(c.value("status"))
	if id == c.account.ID || status != directory.Active && status != directory.Closed {
		return api.NewProblem(api.Malformed, "")
	}
	a, err := s.c.Accounts.Account(c.Context(), id)
	if err != nil {
		return err
	}
	if err := c.note("account."+string(status), id, transport.Allowed); err != nil {
		return err
	}
	if err := s.c.Accounts.SetAccount(c.Context(), id, a.Name, a.Roles, status); err != nil {
		return err
	}
	return c.redirect("/people?done=person_" + string(status))
}

// auditPage is a stretch of the audit, newest first, and, when it was asked for, whether its chain holds.
type auditPage struct {
	Rows            []auditRow
	Account, Action string
	Before          uint64
	Older           string
	Checked         bool
	Count           uint64
	Head            [32]byte
	Broken          string
}

type auditRow struct {
	audit.Row
	AccountName, OfficeName string
}

// auditStretch is how many rows of the audit a page looks through.
const auditStretch = 200

// trail shows the audit from its end.
func (s *Server) trail(c *call) error {
	q := c.URL.Query()
	p := auditPage{Account: q.Get("account"), Action: q.Get("action")}
	rows, head, err := s.c.Trail.VerifyAudit(c.Context())
	if broken, ok := errors.AsType[*audit.BrokenError](err); ok {
		p.Broken = broken.Error()
		rows = broken.N
	} else if err != nil {
		return err
	}
	p.Checked, p.Count, p.Head = true, rows, head
	end := rows
	if before, err := strconv.ParseUint(q.Get("before"), 10, 64); err == nil && before > 0 && before <= rows {
		end = before - 1
	}
	from := uint64(0)
	if end > auditStretch {
		from = end - auditStretch
	}
	got, err := s.c.Trail.AuditRows(c.Context(), from, int(end-from))
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(got) {
		if (p.Account == "" || r.Record.Account == p.Account) && (p.Action == "" || r.Record.Action == p.Action) {
			row := auditRow{Row: r}
			if r.Record.Account != "" {
				row.AccountName = c.personName(r.Record.Account)
			}
			if r.Record.Org != "" {
				row.OfficeName = c.officeName(r.Record.Org)
			}
			p.Rows = append(p.Rows, row)
		}
	}
	if from > 0 {
		p.Older = withQuery(q, "before", strconv.FormatUint(from+1, 10))
	}
	return c.show(http.StatusOK, "audit", p)
}

// keysPage lists the keys that the hub's store holds. Private parts are nowhere near it.
type keysPage struct {
	Rows   []keyRow
	Health keys.Health
	Next   string
}

type keyRow struct {
	keys.KeyInfo
	// Expires is when the certificate of the version in use ends; zero where it has none.
	Expires time.Time
	Days    int
	Subject string
}

func (s *Server) keysList(c *call) error {
	after := c.URL.Query().Get("after")
	if after != "" && keys.CheckName(after) != nil {
		after = ""
	}
	got, err := s.c.Keys.List(c.Context(), after, pageSize+1)
	if err != nil {
		return err
	}
	p := keysPage{Health: s.c.Keys.Health(c.Context())}
	if len(got) > pageSize {
		got = got[:pageSize]
		p.Next = withQuery(c.URL.Query(), "after", got[pageSize-1].Name)
	}
	for _, k := range got {
		row := keyRow{KeyInfo: k}
		chain, err := s.c.Keys.Certificates(c.Context(), keys.Ref{Name: k.Name})
		if err == nil && len(chain) > 0 {
			if leaf, err := cert.Parse(chain[0]); err == nil {
				row.Expires, row.Subject = leaf.NotAfter, leaf.Subject.CommonName
				row.Days = int(leaf.NotAfter.Sub(s.c.Clock()) / (24 * time.Hour))
			}
		}
		p.Rows = append(p.Rows, row)
	}
	return c.show(http.StatusOK, "keys", p)
}
