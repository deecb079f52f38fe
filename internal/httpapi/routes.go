package httpapi

import (
	"net/http"
	"strings"

	"yinxin/transport/api"
	"yinxin/transport/directory"
)

// id is the pattern of codes and ids in a path.
const id = `[0-9A-Za-z][0-9A-Za-z._-]{0,63}`

// all is the list of routes. Each resource's handlers stand in the file of its name.
func (s *Server) all() []Route {
	const p = api.Prefix
	clerk := []directory.Role{directory.Clerk}
	admin := []directory.Role{directory.Admin}
	readers := []directory.Role{directory.Clerk, directory.Archivist, directory.Supervisor}
	return []Route{
		{Method: http.MethodPost, Path: p + "/sessions", Access: Public, Handle: s.openSession()},
		{Method: http.MethodGet, Path: p + "/sessions/current", Access: SignedIn, Handle: s.showSession()},
		{Method: http.MethodDelete, Path: p + "/sessions/current", Access: SignedIn, Handle: s.closeSession()},
		{Method: http.MethodGet, Path: p + "/sessions", Access: SignedIn, Handle: s.listSessions()},
		{Method: http.MethodDelete, Path: p + "/sessions/{id:[0-9a-f]{24}}", Access: SignedIn, Handle: s.revokeSession()},
		{
			Method: http.MethodDelete, Path: p + "/accounts/{id:" + id + "}/sessions", Access: ByRole,
			Roles: []directory.Role{directory.Admin, directory.Security}, Handle: s.revokeAccount(),
		},

		{Method: http.MethodGet, Path: p + "/organisations", Access: SignedIn, Handle: s.listOrganisations()},
		{Method: http.MethodGet, Path: p + "/organisations/{code:" + id + "}", Access: SignedIn, Handle: s.showOrganisation()},
		{Method: http.MethodPut, Path: p + "/organisations/{code:" + id + "}", Access: ByRole, Roles: admin, Handle: s.saveOrganisation()},
		{Method: http.MethodGet, Path: p + "/accounts", Access: ByRole, Roles: admin, Handle: s.listAccounts()},
		{Method: http.MethodPost, Path: p + "/accounts", Access: ByRole, Roles: admin, Handle: s.addAccount()},

		{Method: http.MethodPost, Path: p + "/exchanges", Access: ByRole, Roles: clerk, Key: true, Handle: s.submit},
		{Method: http.MethodGet, Path: p + "/exchanges", Access: ByRole, Roles: readers, Handle: s.listExchanges()},
		{Method: http.MethodGet, Path: p + "/exchanges/{id:" + id + "}", Access: ByRole, Roles: readers, Handle: s.track()},
		{Method: http.MethodGet, Path: p + "/exchanges/{id:" + id + "}/envelope", Access: ByRole, Roles: clerk, Handle: s.ownEnvelope},
		{Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/withdraw", Access: ByRole, Roles: clerk, Key: true, Handle: s.withdraw()},
		{Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/remind", Access: ByRole, Roles: clerk, Key: true, Handle: s.remind()},
		{
			Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/acknowledge-return", Access: ByRole, Roles: clerk, Key: true,
			Handle: s.acknowledgeReturn(),
		},

		{
			Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/request-withdrawal", Access: ByRole, Roles: clerk, Key: true,
			Handle: s.requestWithdrawal(),
		},
		{Method: http.MethodPost, Path: p + "/exchanges/{id:" + id + "}/check", Access: ByRole, Roles: clerk, Key: true, Handle: s.check()},

		{Method: http.MethodOptions, Path: p + "/uploads", Access: Public, Handle: s.uploadOptions},
		{Method: http.MethodPost, Path: p + "/uploads", Access: ByRole, Roles: clerk, Key: true, Handle: tus(s.beginUpload)},
		{Method: http.MethodHead, Path: p + "/uploads/{id:" + id + "}", Access: ByRole, Roles: clerk, Handle: tus(s.showUpload)},
		{Method: http.MethodPatch, Path: p + "/uploads/{id:" + id + "}", Access: ByRole, Roles: clerk, Handle: tus(s.appendUpload)},
		{Method: http.MethodDelete, Path: p + "/uploads/{id:" + id + "}", Access: ByRole, Roles: clerk, Handle: tus(s.dropUpload)},
		{Method: http.MethodPost, Path: p + "/uploads/{id:" + id + "}/submit", Access: ByRole, Roles: clerk, Key: true, Handle: s.submitUpload},

		{Method: http.MethodGet, Path: p + "/inbox", Access: ByRole, Roles: readers, Handle: s.inbox()},
		{Method: http.MethodGet, Path: p + "/deliveries/{id:" + id + "}", Access: ByRole, Roles: readers, Handle: s.showDelivery()},
		{Method: http.MethodPost, Path: p + "/deliveries/{id:" + id + "}/open", Access: ByRole, Roles: clerk, Key: true, Handle: s.open()},
		{Method: http.MethodGet, Path: p + "/deliveries/{id:" + id + "}/envelope", Access: ByRole, Roles: clerk, Handle: s.envelope},
		{
			Method: http.MethodPost, Path: p + "/deliveries/{id:" + id + "}/acknowledge", Access: ByRole, Roles: clerk, Key: true,
			Handle: s.acknowledge(),
		},
		{Method: http.MethodPost, Path: p + "/deliveries/{id:" + id + "}/return", Access: ByRole, Roles: clerk, Key: true, Handle: s.giveBack()},

		{Method: http.MethodGet, Path: p + "/deliveries/{id:" + id + "}/copies", Access: ByRole, Roles: readers, Handle: s.listCopies()},
		{Method: http.MethodPost, Path: p + "/deliveries/{id:" + id + "}/copies", Access: ByRole, Roles: clerk, Key: true, Handle: s.print()},
		{
			Method: http.MethodPost, Path: p + "/deliveries/{id:" + id + "}/copies/{number:[0-9]{1,6}}/void", Access: ByRole, Roles: clerk,
			Key: true, Handle: s.voidCopy(),
		},

		{Method: http.MethodGet, Path: p + "/events", Access: ByRole, Roles: readers, Handle: s.events},

		{Method: http.MethodGet, Path: p + "/receipts/{id:" + id + "}", Access: SignedIn, Handle: s.receipt},

		{Method: http.MethodGet, Path: p + "/archive", Access: ByRole, Roles: readers, Handle: s.searchArchive()},
		{Method: http.MethodGet, Path: p + "/archive/{id:[^/]{1,128}}", Access: ByRole, Roles: readers, Handle: s.archivePackage},
		{Method: http.MethodGet, Path: p + "/archive/{id:[^/]{1,128}}/evidence", Access: ByRole, Roles: readers, Handle: s.recordEvidence()},

		{Method: http.MethodGet, Path: p + "/log/key", Access: Public, Handle: s.logKey},
		{Method: http.MethodGet, Path: p + "/roots", Access: Public, Handle: s.roots},
		{Method: http.MethodGet, Path: "/log/checkpoint", Access: Public, Handle: s.logFile},
		{Method: http.MethodGet, Path: "/log/gaps", Access: Public, Handle: s.logGaps},
		{Method: http.MethodGet, Path: "/log/{file:(?:sha256/)?tile/[0-9A-Za-z/.]{1,120}}", Access: Public, Handle: s.logFile},
	}
}

// Template is a route's path as docs/openapi.yaml writes it: variables without their patterns.
func Template(path string) string {
	var b strings.Builder
	depth, skip := 0, false
	for _, c := range path {
		switch {
		case c == '{':
			if depth++; depth == 1 {
				b.WriteRune(c)
			}
		case c == '}':
			if depth--; depth == 0 {
				skip = false
				b.WriteRune(c)
			}
		case depth == 1 && c == ':':
			skip = true
		case !skip:
			b.WriteRune(c)
		}
	}
	return b.String()
}
