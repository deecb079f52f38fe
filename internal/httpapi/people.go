package httpapi

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"yinxin/crypto/gm"
	"yinxin/internal/audit"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
)

func (s *Server) openSession() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.Login) (api.Session, error) {
		token, session, err := s.c.Directory.LogIn(ctx, directory.Attempt{
			Account: in.Account, Secret: in.Secret, Source: directory.SourceOf(c.RemoteAddr), Agent: c.UserAgent(),
		})
		outcome := transport.Allowed
		if err != nil {
			outcome = string(problemOf(err).Code)
		}
		rec := c.Audit("session.open", audit.Clean(in.Account), outcome)
		if auditErr := s.c.Auditor.Record(ctx, rec); auditErr != nil {
			if err == nil { // a login that nobody can see later does not count
				err = errors.Join(auditErr, s.c.Directory.Logout(ctx, token))
			}
			return api.Session{}, err
		}
		if err != nil {
			return api.Session{}, err
		}
		a, err := s.c.Directory.Account(ctx, session.Account)
		if err != nil {
			return api.Session{}, err
		}
		return api.Session{Token: token, Expires: session.Expires, Account: wireAccount(a)}, nil
	})
}

func (s *Server) showSession() Handler {
	return serveJSON(func(_ context.Context, c *Call, _ struct{}) (api.Account, error) {
		return wireAccount(c.Account), nil
	})
}

func (s *Server) closeSession() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (struct{}, error) {
		if err := s.c.Auditor.Record(ctx, c.Audit("session.close", c.Account.ID, transport.Allowed)); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.c.Directory.Logout(ctx, c.token)
	})
}

// listSessions shows the caller's own logins.
func (s *Server) listSessions() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.OpenLogin], error) {
		got, err := s.c.Directory.Sessions(ctx, c.Account.ID)
		items := make([]api.OpenLogin, 0, len(got))
		own := directory.SessionID(c.token)
		for _, o := range got {
			items = append(items, api.OpenLogin{
				ID: o.ID(), Created: o.Created, Expires: o.Expires, Source: o.Source, Agent: o.Agent, Current: o.ID() == own,
			})
		}
		return api.List[api.OpenLogin]{Items: items}, err
	})
}

// revokeSession ends one of the caller's own logins; another's is not there.
func (s *Server) revokeSession() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (struct{}, error) {
		if err := s.c.Auditor.Record(ctx, c.Audit("session.revoke", c.Var("id"), transport.Allowed)); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.c.Directory.Revoke(ctx, c.Account.ID, c.Var("id"))
	})
}

// revokeAccount ends every login of an account.
func (s *Server) revokeAccount() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (struct{}, error) {
		if err := s.c.Auditor.Record(ctx, c.Audit("account.revoke", c.Var("id"), transport.Allowed)); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.c.Directory.RevokeAll(ctx, c.Var("id"))
	})
}

func wireAccount(a directory.Account) api.Account {
	out := api.Account{ID: a.ID, Org: a.Org, Name: a.Name, Status: string(a.Status), Roles: []string{}}
	for _, r := range a.Roles {
		out.Roles = append(out.Roles, string(r))
	}
	return out
}

func (s *Server) listAccounts() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Account], error) {
		p, err := pageOf(c)
		if err != nil {
			return api.List[api.Account]{}, err
		}
		got, err := s.c.Directory.Accounts(ctx, c.URL.Query().Get("org"), p.After, p.Limit+1)
		if err != nil {
			return api.List[api.Account]{}, err
		}
		items := make([]api.Account, 0, len(got))
		for _, a := range got {
			items = append(items, wireAccount(a))
		}
		return list(items, p.Limit, func(a api.Account) string { return a.ID }), nil
	})
}

func (s *Server) addAccount() Handler {
	return serveStatus(http.StatusCreated, func(ctx context.Context, c *Call, in api.Account) (api.Account, error) {
		a := directory.Account{ID: in.ID, Org: in.Org, Name: in.Name, Status: directory.Status(in.Status)}
		for _, r := range in.Roles {
			a.Roles = append(a.Roles, directory.Role(r))
		}
		if err := s.c.Auditor.Record(ctx, c.Audit("account.add", audit.Clean(in.ID), transport.Allowed)); err != nil {
			return api.Account{}, err
		}
		secret, err := s.c.Directory.AddAccount(ctx, a, in.Secret)
		if err != nil {
			return api.Account{}, err
		}
		a, err = s.c.Directory.Account(ctx, a.ID)
		if err != nil {
			return api.Account{}, err
		}
		out := wireAccount(a)
		out.Secret = secret
		return out, nil
	})
}

func wireOrganisation(o directory.Organisation) api.Organisation {
	return api.Organisation{
		Code: o.Code, Name: o.Name, Aliases: o.Aliases, Parent: o.Parent, SigningCert: string(o.SigningCert),
		EncryptionCert: string(o.EncryptionCert), Archive: o.Archive, Status: string(o.Status),
	}
}

func (s *Server) listOrganisations() Handler {
	return serveJSON(func(ctx context.Context, c *Call, _ struct{}) (api.List[api.Organisation], error) {
		p, err := pageOf(c)
		if err != nil {
			return api.List[api.Organisation]{}, err
		}
		got, err := s.c.Directory.Organisations(ctx, p.After, p.Limit+1)
		if err != nil {
			return api.List[api.Organisation]{}, err
		}
		items := make([]api.Organisation, 0, len(got))
		for _, o := range got {
			items = append(items, wireOrganisation(o))
		}
		return list(items, p.Limit, func(o api.Organisation) string { return o.Code }), nil
	})
}

func (s *Server) showOrganisation() Handler {
	return func(w http.ResponseWriter, c *Call) error {
		o, err := s.c.Directory.Organisation(c.Context(), c.Var("code"))
		if err != nil {
			return err
		}
		w.Header().Set("ETag", entityTag(wireOrganisation(o)))
		writeJSON(w, http.StatusOK, wireOrganisation(o))
		return nil
	}
}

// saveOrganisation changes an office that the caller has seen (If-Match), or makes a
// new one (If-None-Match: *).
func (s *Server) saveOrganisation() Handler {
	return func(w http.ResponseWriter, c *Call) error {
		var in api.Organisation
		if err := readJSON(w, c, &in); err != nil {
			return err
		}
		if in.Code != c.Var("code") {
			return api.NewProblem(api.Validation, "", api.Fault{Pointer: "/code", Detail: "is not the code in the path"})
		}
		select { // the look and the change are one step
		case s.saving <- struct{}{}:
			defer func() { <-s.saving }()
		case <-c.Context().Done():
			return c.Context().Err()
		}
		if err := s.precondition(c); err != nil {
			return err
		}
		if err := s.c.Auditor.Record(c.Context(), c.Audit("organisation.save", in.Code, transport.Allowed)); err != nil {
			return err
		}
		o := directory.Organisation{
			Code: in.Code, Name: in.Name, Aliases: in.Aliases, Parent: in.Parent, SigningCert: []byte(in.SigningCert),
			EncryptionCert: []byte(in.EncryptionCert), Archive: in.Archive, Status: directory.Status(in.Status),
		}
		if err := s.c.Directory.SaveOrganisation(c.Context(), o); err != nil {
			return err
		}
		w.Header().Set("ETag", entityTag(wireOrganisation(o)))
		writeJSON(w, http.StatusOK, wireOrganisation(o))
		return nil
	}
}

func (s *Server) precondition(c *Call) error {
	match, none := c.Header.Get("If-Match"), c.Header.Get("If-None-Match")
	have, err := s.c.Directory.Organisation(c.Context(), c.Var("code"))
	missing := errors.Is(err, directory.ErrNotFound)
	switch {
	case err != nil && !missing:
		return err
	case match == "" && none == "":
		return api.NewProblem(api.PreconditionRequired, "send If-Match with the ETag, or If-None-Match: * for a new office")
	case none != "" && (none != "*" || !missing):
		return api.NewProblem(api.PreconditionFailed, "the office exists")
	case match != "" && (missing || subtle.ConstantTimeCompare([]byte(match), []byte(entityTag(wireOrganisation(have)))) != 1):
		return api.NewProblem(api.PreconditionFailed, "the office was changed meanwhile")
	}
	return nil
}

// entityTag is strong: the SM3 of the JSON.
func entityTag(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return bytesTag(body)
}

func bytesTag(body []byte) string {
	return `"sm3-` + transport.Digest(gm.SM3(body)).String() + `"`
}

// fileName keeps only what needs no quoting in a Content-Disposition.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
}
