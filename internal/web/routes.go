package web

import (
	"net/http"

	"yinxin/transport/directory"
)

// id is the pattern of codes and ids in a path, page that of a page's drawing.
const (
	id   = `{id:[0-9A-Za-z][0-9A-Za-z._-]{0,63}}`
	page = `/pages/{n:[0-9]{1,4}}.svg`
)

// all is the list of pages. Each subject's handlers stand in the file of its name.
func (s *Server) all() []route {
	return append(s.common(), append(s.exchanging(), s.managing()...)...)
}

// common are the pages of everybody.
func (s *Server) common() []route {
	return []route{
		{http.MethodGet, "/static/{name:[0-9A-Za-z._-]{1,64}}", public, nil, s.asset},
		{http.MethodGet, "/sign-in", public, nil, s.signInPage},
		{http.MethodPost, "/sign-in", public, nil, s.signIn},
		{http.MethodPost, "/sign-out", signedIn, nil, s.signOut},
		{http.MethodPost, "/look", public, nil, s.setLook},
		{http.MethodGet, "/", signedIn, nil, s.home},
		{http.MethodGet, "/live", signedIn, nil, s.live},
		{http.MethodGet, "/verify", public, nil, s.verifyPage},
		{http.MethodGet, "/verify/program.wasm.gz", public, nil, s.verifyProgram},
		{http.MethodGet, "/verify/loader.js", public, nil, s.verifyLoader},
		{http.MethodGet, "/verify/verify.html", public, nil, s.verifyOffline},
	}
}

// exchanging are the pages of those who send, receive and approve.
func (s *Server) exchanging() []route {
	clerk := []directory.Role{directory.Clerk}
	staff := []directory.Role{directory.Clerk, directory.Approver, directory.SealKeeper}
	approver := []directory.Role{directory.Approver}
	return []route{
		{http.MethodGet, "/inbox", byRole, clerk, s.inbox},
		{http.MethodGet, "/inbox/" + id, byRole, clerk, s.delivery},
		{http.MethodGet, "/inbox/" + id + "/title", byRole, clerk, s.deliveryTitle},
		{http.MethodGet, "/inbox/" + id + page, byRole, clerk, s.deliveryPageImage},
		{http.MethodGet, "/inbox/" + id + "/files/{n:[0-9]{1,4}}", byRole, clerk, s.deliveryFile},
		{http.MethodPost, "/inbox/" + id + "/open", byRole, clerk, s.openDelivery},
		{http.MethodPost, "/inbox/" + id + "/sign-for", byRole, clerk, s.signFor},
		{http.MethodPost, "/inbox/" + id + "/return", byRole, clerk, s.giveBack},

		{http.MethodGet, "/outbox", byRole, clerk, s.outbox},
		{http.MethodGet, "/outbox/" + id, byRole, clerk, s.exchange},
		{http.MethodPost, "/outbox/" + id + "/remind", byRole, clerk, s.remind()},
		{http.MethodPost, "/outbox/" + id + "/withdraw", byRole, clerk, s.withdraw()},
		{http.MethodPost, "/outbox/" + id + "/acknowledge-return", byRole, clerk, s.acknowledgeReturn()},
		{http.MethodGet, "/receipts/" + id, byRole, clerk, s.receiptFile},

		{http.MethodGet, "/compose", byRole, clerk, s.compose},
		{http.MethodPost, "/compose", byRole, clerk, s.preview},
		{http.MethodGet, "/compose/" + id, byRole, clerk, s.showPreview},
		{http.MethodGet, "/compose/" + id + page, byRole, clerk, s.draftImage},
		{http.MethodPost, "/compose/" + id + "/ask", byRole, clerk, s.ask},

		{http.MethodGet, "/approvals", byRole, staff, s.approvals},
		{http.MethodGet, "/approvals/" + id, byRole, staff, s.approval},
		{http.MethodPost, "/approvals/" + id, byRole, approver, s.decide},
		{http.MethodGet, "/dispatches/" + id + "/title", byRole, staff, s.dispatchTitle},
		{http.MethodGet, "/dispatches/" + id + page, byRole, staff, s.dispatchImage},
	}
}

// managing are the pages of those who keep and manage.
func (s *Server) managing() []route {
	keepers := []directory.Role{directory.Clerk, directory.Approver, directory.SealKeeper, directory.Custodian}
	askers := []directory.Role{directory.Clerk, directory.SealKeeper}
	custodian := []directory.Role{directory.Custodian}
	readers := []directory.Role{directory.Clerk, directory.Archivist, directory.Supervisor}
	admin := []directory.Role{directory.Admin}
	list := []route{
		{http.MethodGet, "/seals", byRole, keepers, s.seals},
		{http.MethodPost, "/seals", byRole, custodian, s.makeSeal},
		{http.MethodGet, "/seals/" + id, byRole, keepers, s.seal},
		{http.MethodGet, "/seals/" + id + "/picture.png", byRole, keepers, s.sealPicture},
		{http.MethodPost, "/seals/" + id, byRole, custodian, s.changeSeal},
		{http.MethodPost, "/seals/" + id + "/renew", byRole, custodian, s.renewSeal},
		{http.MethodGet, "/seal-requests", byRole, keepers, s.sealRequests},
		{http.MethodPost, "/seal-requests", byRole, askers, s.askForSeal},
		{http.MethodGet, "/seal-requests/" + id, byRole, keepers, s.sealRequest},
		{http.MethodGet, "/seal-requests/" + id + "/picture.png", byRole, keepers, s.requestPicture},
		{http.MethodPost, "/seal-requests/" + id, byRole, custodian, s.decideRequest},

		{http.MethodGet, "/archive", byRole, readers, s.searchArchive},
		{http.MethodGet, "/archive/" + id, byRole, readers, s.record},
		{http.MethodGet, "/archive/" + id + page, byRole, readers, s.recordImage},
		{http.MethodGet, "/archive/" + id + "/package", byRole, readers, s.recordPackage},

		{http.MethodGet, "/offices", byRole, admin, s.offices},
		{http.MethodPost, "/offices", byRole, admin, s.addOffice},
		{http.MethodGet, "/people", byRole, admin, s.people},
		{http.MethodPost, "/people", byRole, admin, s.addPerson},
		{http.MethodPost, "/people/" + id + "/reset", byRole, admin, s.resetPerson},
		{http.MethodPost, "/people/" + id + "/status", byRole, admin, s.closePerson},
	}
	if s.c.Trail != nil {
		list = append(list, route{http.MethodGet, "/audit", byRole, []directory.Role{directory.Auditor}, s.trail})
	}
	if s.c.Keys != nil {
		list = append(list, route{http.MethodGet, "/keys", byRole, custodian, s.keysList})
	}
	return list
}

// Rule is the access rule of one page.
type Rule struct {
	Method, Path string
	// Public pages are for anybody; others want a session, and one of Roles where it lists any.
	Public bool
	Roles  []string
}

// Routes lists the rules of all pages, for documentation and for the test that holds every page to its rule.
func (s *Server) Routes() []Rule {
	var out []Rule
	for _, r := range s.routes {
		rule := Rule{Method: r.method, Path: r.path, Public: r.access == public}
		for _, role := range r.roles {
			rule.Roles = append(rule.Roles, string(role))
		}
		out = append(out, rule)
	}
	return out
}
