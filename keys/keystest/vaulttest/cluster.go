package vaulttest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// Join starts a second server of a cluster and waits until it stands by and has a vote.
func (s *Server) Join(t testing.TB) *Server {
	t.Helper()
	s.Must(t, "POST", "sys/storage/raft/autopilot/configuration", map[string]any{"server_stabilization_time": "100ms"})
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := s.options
	o.Config = map[string]any{"plugin_directory": filepath.Join(s.Dir, "plugins")}
	j := &Server{Root: s.Root, Dir: dir, program: s.program, options: o, unseal: s.unseal, log: new(lockedBuffer)}
	t.Cleanup(j.stop)
	if err := j.join(s.Address, o); err != nil {
		t.Fatalf("join: %v\n%s", err, j.Log())
	}
	for end := time.Now().Add(patience); s.voters(t) < 2; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server that joined gets no vote\n%s", s.Log())
		}
	}
	return j
}

// voters counts the servers of a cluster that have a vote.
func (s *Server) voters(t testing.TB) (n int) {
	t.Helper()
	config, _ := s.Must(t, "GET", "sys/storage/raft/configuration", nil)["config"].(map[string]any)
	servers, _ := config["servers"].([]any)
	for _, one := range servers {
		if server, ok := one.(map[string]any); ok && server["voter"] == true {
			n++
		}
	}
	return n
}

func (s *Server) join(leader string, o Options) error {
	if err := s.configure(o); err != nil {
		return err
	}
	if err := s.run(); err != nil {
		return err
	}
	if err := s.ask("POST", "sys/storage/raft/join", "", map[string]any{"leader_api_addr": leader}, nil); err != nil {
		return err
	}
	return s.StandBy()
}

// StandBy unseals a server of a cluster that another one leads, and waits until it stands by.
func (s *Server) StandBy() error {
	if err := s.ask("PUT", "sys/unseal", "", map[string]any{"key": s.unseal}, nil); err != nil {
		return fmt.Errorf("unseal: %w", err)
	}
	return s.becomes(http.StatusTooManyRequests)
}

// StepDown has the server hand its lead over, and waits until the other one has it.
func (s *Server) StepDown(t testing.TB, other *Server) {
	t.Helper()
	s.Must(t, "PUT", "sys/step-down", nil)
	if err := other.becomes(http.StatusOK); err != nil {
		t.Fatal(err)
	}
}
