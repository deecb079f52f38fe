package web

import (
	"log/slog"
	"strings"

	"yinxin/transport/directory"
)

// navGroup is a group of the menu.
type navGroup struct {
	Key   string
	Items []navItem
}

// navItem is one entry of the menu.
type navItem struct {
	Key, Address string
	Here         bool
	Count        int
	// Urgent says that the count stands for something that is overdue.
	Urgent bool
	roles  []directory.Role
}

// menu lists every entry with the roles that see it.
func (s *Server) menu(n counts) []navGroup {
	clerk := []directory.Role{directory.Clerk}
	staff := []directory.Role{directory.Clerk, directory.Approver, directory.SealKeeper}
	groups := []navGroup{
		{Key: "work", Items: []navItem{
			{Key: "home", Address: "/"},
			{Key: "inbox", Address: "/inbox", Count: n.Waiting, Urgent: n.Late > 0, roles: clerk},
			{Key: "outbox", Address: "/outbox", Count: n.Returned, Urgent: n.Returned > 0, roles: clerk},
			{Key: "compose", Address: "/compose", roles: clerk},
			{Key: "approvals", Address: "/approvals", Count: n.Pending, roles: staff},
		}},
		{Key: "keep", Items: []navItem{
			{Key: "seals", Address: "/seals", roles: append(staff, directory.Custodian)},
			{Key: "requests", Address: "/seal-requests", roles: append(staff, directory.Custodian)},
			{Key: "archive", Address: "/archive", roles: []directory.Role{directory.Clerk, directory.Archivist, directory.Supervisor}},
		}},
		{Key: "manage", Items: []navItem{
			{Key: "offices", Address: "/offices", roles: []directory.Role{directory.Admin}},
			{Key: "people", Address: "/people", roles: []directory.Role{directory.Admin}},
		}},
	}
	if s.c.Keys != nil {
		groups[2].Items = append(groups[2].Items, navItem{Key: "keys", Address: "/keys", roles: []directory.Role{directory.Custodian}})
	}
	if s.c.Trail != nil {
		groups[2].Items = append(groups[2].Items, navItem{Key: "audit", Address: "/audit", roles: []directory.Role{directory.Auditor}})
	}
	return groups
}

// navigation is the menu as the reader sees it.
func (c *call) navigation() []navGroup {
	n, err := c.count()
	if err != nil { // a page without numbers beside its menu is better than none
		c.s.c.Log.WarnContext(c.Context(), "counts", slog.String("request", c.id), slog.Any("error", err))
	}
	var out []navGroup
	for _, g := range c.s.menu(n) {
		var items []navItem
		for _, it := range g.Items {
			if len(it.roles) > 0 && !c.account.Has(it.roles...) {
				continue
			}
			it.Here = c.URL.Path == it.Address || it.Address != "/" && strings.HasPrefix(c.URL.Path, it.Address+"/")
			items = append(items, it)
		}
		if len(items) > 0 {
			out = append(out, navGroup{g.Key, items})
		}
	}
	return out
}
