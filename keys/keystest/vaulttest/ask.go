package vaulttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Register puts the plugin into the catalogue under a name with a checksum.
func (s *Server) Register(name, sum string) error {
	return s.ask("PUT", "sys/plugins/catalog/secret/"+name, s.Root, map[string]any{"sha256": sum, "command": plugin}, nil)
}

// Mount mounts the engine at a path of its own.
func (s *Server) Mount(t testing.TB) string {
	t.Helper()
	path := fmt.Sprintf("gm-%d", s.mounts.Add(1))
	s.MountAt(t, path)
	return path
}

// MountAt mounts the engine at path as deploy/vault/README.md does: its audit log shows digests as they are.
func (s *Server) MountAt(t testing.TB, path string) {
	t.Helper()
	config := map[string]any{"audit_non_hmac_request_keys": []string{"digest", "digests"}}
	s.Must(t, "POST", "sys/mounts/"+path, map[string]any{"type": plugin, "config": config})
}

// Token makes a token with policies and a life; it does not carry the default policy.
func (s *Server) Token(t testing.TB, ttl string, policies ...string) string {
	t.Helper()
	in := map[string]any{"policies": policies, "no_default_policy": true, "ttl": ttl, "renewable": true}
	return s.MustToken(t, "POST", "auth/token/create-orphan", s.Root, in)
}

// MustToken asks for a login and gives its token.
func (s *Server) MustToken(t testing.TB, method, path, token string, in any) string {
	t.Helper()
	var out struct {
		Auth struct {
			Token string `json:"client_token"`
		} `json:"auth"`
	}
	if err := s.ask(method, path, token, in, &out); err != nil {
		t.Fatal(err)
	}
	return out.Auth.Token
}

// MustWrap asks as root for an answer that is wrapped, and gives the wrapping token.
func (s *Server) MustWrap(t testing.TB, method, path string, in any) string {
	t.Helper()
	var out struct {
		Wrap struct {
			Token string `json:"token"`
		} `json:"wrap_info"`
	}
	if err := s.askWrapped(method, path, s.Root, "60s", in, &out); err != nil {
		t.Fatal(err)
	}
	return out.Wrap.Token
}

// Person makes a userpass account with an entity of its own, as people have one, and gives the entity and a login.
// userpass must be mounted.
func (s *Server) Person(t testing.TB, name, office string, policies ...string) (id, token string) {
	t.Helper()
	password := "canary-" + name
	user := map[string]any{"password": password, "token_policies": policies, "token_no_default_policy": true}
	s.Must(t, "POST", "auth/userpass/users/"+name, user)
	entity := s.Must(t, "POST", "identity/entity", map[string]any{"name": name, "metadata": map[string]string{"office": office}})
	mount, ok := s.Must(t, "GET", "sys/auth", nil)["userpass/"].(map[string]any)
	if !ok {
		t.Fatal("userpass is not mounted")
	}
	id, _ = entity["id"].(string)
	s.Must(t, "POST", "identity/entity-alias", map[string]any{"name": name, "canonical_id": id, "mount_accessor": mount["accessor"]})
	return id, s.MustToken(t, "POST", "auth/userpass/login/"+name, "", map[string]any{"password": password})
}

// Policy writes a policy.
func (s *Server) Policy(t testing.TB, name, text string) {
	t.Helper()
	s.Must(t, "PUT", "sys/policies/acl/"+name, map[string]any{"policy": text})
}

// Must asks as root and gives the data of the answer.
func (s *Server) Must(t testing.TB, method, path string, in any) map[string]any {
	t.Helper()
	data, err := s.Ask(method, path, s.Root, in)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Ask asks with a token and gives the data of the answer. A refusal is a *StatusError.
func (s *Server) Ask(method, path, token string, in any) (map[string]any, error) {
	var out struct {
		Data map[string]any `json:"data"`
	}
	err := s.ask(method, path, token, in, &out)
	return out.Data, err
}

// StatusError is an answer that refuses.
type StatusError struct {
	Status int
	Text   string
}

// Error implements error.
func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Text) }

// Status gives the status of an answer: 200 where there is no error, 0 where there was no answer.
func Status(err error) int {
	var e *StatusError
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &e):
		return e.Status
	}
	return 0
}

func (s *Server) ask(method, path, token string, in, out any) error {
	return s.askWrapped(method, path, token, "", in, out)
}

// askWrapped has the answer wrapped for a time, where one is given.
func (s *Server) askWrapped(method, path, token, wrapTTL string, in, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.Address+"/v1/"+path, &body)
	if err != nil {
		return err
	}
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if token != "" {
		req.Header.Set("X-Vault-Token", token)
	}
	if wrapTTL != "" {
		req.Header.Set("X-Vault-Wrap-Ttl", wrapTTL)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %w", method, path, &StatusError{resp.StatusCode, strings.TrimSpace(string(answer))})
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}
