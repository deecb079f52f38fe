package gmplugin_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/keys/gmplugin"
	"yinxin/keys/keystest"
	"yinxin/keys/vaultkeys"
)

// people is a Vault whose entities are those whose ID begins with entity-.
type people struct{ *logical.StaticSystemView }

// EntityInfo implements logical.SystemView.
func (people) EntityInfo(id string) (*logical.Entity, error) {
	name, ok := strings.CutPrefix(id, "entity-")
	if !ok {
		return nil, nil //nolint:nilnil // as Vault answers
	}
	return &logical.Entity{ID: id, Name: name, Disabled: name == "gone"}, nil
}

// mount makes a backend over storage, as Vault does when it mounts it.
func mount(t *testing.T, view logical.Storage) logical.Backend {
	t.Helper()
	config := logical.TestBackendConfig()
	config.StorageView = view
	system := logical.TestSystemView()
	system.PluginEnvironment = &logical.PluginEnvironment{VaultVersion: "1.21.2"}
	config.System = people{system}
	b, err := gmplugin.Factory(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Initialize(t.Context(), &logical.InitializationRequest{Storage: view}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Cleanup(t.Context()) })
	return b
}

// front answers HTTP as Vault would, with the backend mounted as gm/ and without rights.
type front struct {
	t       *testing.T
	backend logical.Backend
	view    logical.Storage
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/v1/auth/token/") {
		f.write(w, 200, map[string]any{"data": map[string]any{"ttl": 0, "renewable": false}})
		return
	}
	if r.URL.Path == "/v1/sys/health" {
		f.write(w, 200, map[string]any{"initialized": true, "sealed": false})
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/gm/")
	if !ok {
		f.write(w, 404, map[string]any{"errors": []string{"no handler for route"}})
		return
	}
	req := &logical.Request{Path: path, Storage: f.view, Data: map[string]any{}}
	if token := r.Header.Get("X-Vault-Token"); strings.HasPrefix(token, "entity-") {
		req.EntityID = token
	}
	switch r.Method {
	case http.MethodGet:
		req.Operation = logical.ReadOperation
		for k, v := range r.URL.Query() {
			req.Data[k] = v[0]
		}
		if req.Data["list"] == "true" {
			req.Operation = logical.ListOperation
			req.Path += "/"
			delete(req.Data, "list")
		}
	case http.MethodPatch:
		req.Operation = logical.PatchOperation
	default:
		req.Operation = logical.UpdateOperation
	}
	if req.Operation == logical.PatchOperation || req.Operation == logical.UpdateOperation {
		d := json.NewDecoder(r.Body)
		d.UseNumber()
		if err := d.Decode(&req.Data); err != nil && !errors.Is(err, io.EOF) {
			f.write(w, 400, map[string]any{"errors": []string{err.Error()}})
			return
		}
	}
	resp, err := f.backend.HandleRequest(r.Context(), req)
	status, shown := logical.RespondErrorCommon(req, resp, err)
	switch {
	case shown != nil:
		logical.AdjustErrorStatusCode(&status, err)
		f.write(w, status, map[string]any{"errors": []string{shown.Error()}})
	case status != 0:
		f.write(w, status, map[string]any{"errors": []string{}})
	case resp == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		f.write(w, 200, map[string]any{"data": resp.Data})
	}
}

func (f *front) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		f.t.Errorf("write answer: %v", err)
	}
}

// open makes a client of a backend over view.
func open(t *testing.T, view logical.Storage) *vaultkeys.Store {
	t.Helper()
	server := httptest.NewServer(&front{t: t, backend: mount(t, view), view: view})
	t.Cleanup(server.Close)
	s, err := vaultkeys.Open(vaultkeys.Config{Address: server.URL, Mount: "gm", Login: vaultkeys.Token("t")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	keystest.Run(t, func(t *testing.T) keystest.Backend { return open(t, new(logical.InmemStorage)) })
}

func TestReopen(t *testing.T) {
	t.Parallel()
	view := new(logical.InmemStorage)
	keystest.RunReopen(t, open(t, view), func(keystest.Backend) keystest.Backend { return open(t, view) })
}
