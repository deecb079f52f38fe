package vaulttest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// PluginProcesses gives the ids of the plugin processes that this server started.
func (s *Server) PluginProcesses(t testing.TB) []int {
	t.Helper()
	s.mu.Lock()
	parent := s.command.Process.Pid
	s.mu.Unlock()
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var ids []int
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		// pid (name) state ppid …; a name may hold blanks and brackets
		text := string(data)
		end := strings.LastIndexByte(text, ')')
		fields := strings.Fields(text[end+1:])
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) && fields[0] != "Z" {
			id, err := strconv.Atoi(strings.Fields(text)[0])
			if err == nil {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Signal sends a signal to the server itself.
func (s *Server) Signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.command.Process.Signal(signal); err != nil {
		t.Errorf("signal the server: %v", err)
	}
}

// SignalPlugin sends a signal to the plugin processes of this server and tells how many there were.
func (s *Server) SignalPlugin(t testing.TB, signal syscall.Signal) int {
	t.Helper()
	ids := s.PluginProcesses(t)
	for _, id := range ids {
		if err := syscall.Kill(id, signal); err != nil {
			t.Errorf("signal process %d: %v", id, err)
		}
	}
	return len(ids)
}

// Accessors gives the accessors of the tokens that carry a policy.
func (s *Server) Accessors(t testing.TB, policy string) []string {
	t.Helper()
	listed, _ := s.Must(t, "LIST", "auth/token/accessors", nil)["keys"].([]any)
	var found []string
	for _, one := range listed {
		accessor, _ := one.(string)
		data, err := s.Ask("POST", "auth/token/lookup-accessor", s.Root, map[string]any{"accessor": accessor})
		if err != nil {
			continue // it has just ended
		}
		policies, _ := data["policies"].([]any)
		for _, p := range policies {
			if p == policy {
				found = append(found, accessor)
			}
		}
	}
	return found
}

// sweep ends plugin processes that outlived their server: a server that is stopped while it starts one again may leave it.
func (s *Server) sweep() {
	found, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return
	}
	for _, path := range found {
		program, err := os.Readlink(path)
		if err != nil || !strings.HasPrefix(program, filepath.Join(s.Dir, "plugins")+"/") {
			continue
		}
		if id, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			_ = syscall.Kill(id, syscall.SIGKILL) // it may have just ended
		}
	}
}
