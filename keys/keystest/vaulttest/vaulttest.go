// Package vaulttest runs a real Vault with the gm secrets engine for tests, as a child process: found, not linked.
//
// The server is the program that YINXIN_TEST_VAULT names, else `vault` of the PATH. `make test` builds one from
// keys/keystest/vaultserver and names it; a bare `go test` without any skips and says so. The plugin is built from this
// repository for each run of a test binary.
package vaulttest

import (
	"bytes"
	"crypto/sha256" // Vault's catalogue names plugins by it
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Environment names the variable that names a server to use.
const Environment = "YINXIN_TEST_VAULT"

// OpenBaoEnvironment names the variable that names an OpenBao server, which takes the same plugin.
const OpenBaoEnvironment = "YINXIN_TEST_OPENBAO"

// OpenBao gives the program of an OpenBao server, or skips the test.
func OpenBao(t testing.TB) string {
	t.Helper()
	path := os.Getenv(OpenBaoEnvironment)
	if path == "" {
		t.Skipf("needs an OpenBao server: `make test` builds one from keys/keystest/baoserver, or %s names one", OpenBaoEnvironment)
	}
	return path
}

// plugin is the name of the plugin's program and in Vault's catalogue.
const plugin = "vault-plugin-gm"

// Program gives the server's program, or skips the test.
func Program(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(Environment); path != "" {
		return path
	}
	path, err := exec.LookPath("vault")
	if err != nil {
		t.Skipf("needs vault: `make test` builds a server from keys/keystest/vaultserver, or %s names one", Environment)
	}
	return path
}

// Server is a running Vault, unsealed, with the plugin in its catalogue.
type Server struct {
	Address string
	// Root is the root token, for setting up alone.
	Root string
	// Dir holds configuration, plugins, storage and the audit log of the server.
	Dir string

	program string
	options Options
	unseal  string
	mu      sync.Mutex
	command *exec.Cmd
	stdin   io.Closer
	log     *lockedBuffer
	mounts  atomic.Int64
}

// SmallStorage skips the test where no file system can be mounted for one process.
func SmallStorage(t testing.TB) {
	t.Helper()
	if out, err := exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("needs unshare with the right to mount in a namespace of its own: %v %s", err, out)
	}
}

// Options of a server.
type Options struct {
	// Program is the server's; empty is that of Program.
	Program string
	// NoAudit leaves out the audit device, which OpenBao takes from its configuration alone.
	NoAudit bool
	// Durable keeps storage in a folder, so that the server can be restarted.
	Durable bool
	// Cluster keeps storage with raft, so that others can Join.
	Cluster bool
	// StorageSize, where set, keeps storage in a file system of that many bytes, which lives as long as the process.
	StorageSize int
	// CoreFiles lets the server and what it starts write core files into Dir, and makes Go programs do so when aborted.
	CoreFiles bool
	// Config is more configuration, added at the top level.
	Config map[string]any
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared gives the one server of the test binary; Main ends it.
func Shared(t testing.TB) *Server {
	t.Helper()
	program := Program(t)
	shared.once.Do(func() { shared.server, shared.err = launch(program, Options{}) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// Main runs the tests of a binary that uses Shared, for TestMain.
func Main(m *testing.M) int {
	defer func() {
		if shared.server != nil {
			shared.server.stop()
			os.RemoveAll(shared.server.Dir)
		}
	}()
	return m.Run()
}

// Start gives a server of the test's own.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Program == "" {
		o.Program = Program(t)
	}
	s, err := launch(o.Program, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		os.RemoveAll(s.Dir)
	})
	return s
}

// launch starts a server in a new folder, initialises and unseals it, and registers the plugin.
func launch(program string, o Options) (s *Server, err error) {
	dir, err := os.MkdirTemp("", "yinxin-vault-")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	s = &Server{Dir: dir, program: program, options: o, log: new(lockedBuffer)}
	defer func() {
		if err != nil {
			s.stop()
			err = fmt.Errorf("start Vault: %w\n%s", err, s.Log())
			os.RemoveAll(dir)
		}
	}()
	sum, err := putPlugin(filepath.Join(dir, "plugins"))
	if err != nil {
		return nil, err
	}
	if err := s.configure(o); err != nil {
		return nil, err
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	var keys struct {
		Keys []string `json:"keys_base64"`
		Root string   `json:"root_token"`
	}
	if err := s.ask("PUT", "sys/init", "", map[string]any{"secret_shares": 1, "secret_threshold": 1}, &keys); err != nil {
		return nil, err
	}
	s.Root, s.unseal = keys.Root, keys.Keys[0]
	if err := s.Unseal(); err != nil {
		return nil, err
	}
	if o.NoAudit {
		return s, s.Register(plugin, sum)
	}
	audit := map[string]any{"type": "file", "options": map[string]any{"file_path": s.AuditLog()}}
	if err := s.ask("PUT", "sys/audit/file", s.Root, audit, nil); err != nil {
		return nil, err
	}
	return s, s.Register(plugin, sum)
}

// pluginBuilt builds the plugin, once a test binary.
var pluginBuilt = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "yinxin-plugin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, plugin)
	c := exec.Command("go", "build", "-buildvcs=false", "-o", path, "yinxin/cmd/vault-plugin-gm")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the plugin: %w\n%s", err, out)
	}
	return os.ReadFile(path)
})

// putPlugin puts the plugin into dir, which it makes, and gives the SHA-256 of the file.
func putPlugin(dir string) (string, error) {
	program, err := pluginBuilt()
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	sum := sha256.Sum256(program)
	return hex.EncodeToString(sum[:]), os.WriteFile(filepath.Join(dir, plugin), program, 0o755)
}

// freePort is an address on loopback that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// configure writes the configuration, on a free port.
func (s *Server) configure(o Options) error {
	address, err := freePort()
	if err != nil {
		return err
	}
	s.Address = "http://" + address
	listener := map[string]any{"address": address, "tls_disable": true}
	config := map[string]any{
		"listener":         []any{map[string]any{"tcp": listener}},
		"storage":          map[string]any{"inmem": map[string]any{}},
		"plugin_directory": filepath.Join(s.Dir, "plugins"),
		"disable_mlock":    true, "api_addr": s.Address, "log_level": "info",
	}
	switch {
	case o.Cluster:
		cluster, err := freePort()
		if err != nil {
			return err
		}
		listener["cluster_address"], config["cluster_addr"] = cluster, "https://"+cluster
		config["storage"] = map[string]any{"raft": map[string]any{
			"path": s.dataDir(), "node_id": filepath.Base(s.Dir), "performance_multiplier": "1",
		}}
	case o.Durable || o.StorageSize > 0:
		config["storage"] = map[string]any{"file": map[string]any{"path": s.dataDir()}}
	}
	maps.Copy(config, o.Config)
	if err := os.MkdirAll(s.dataDir(), 0o700); err != nil {
		return err
	}
	data, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.Dir, "config.json"), data, 0o600)
}

// patience is how long a server may take to come up.
const patience = 30 * time.Second

// run starts the process and waits until it listens.
func (s *Server) run() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.commandLine()
	c := exec.Command(line[0], line[1:]...)
	c.Dir = s.Dir
	c.Env = append(os.Environ(), "VAULTSERVER_ENDS_WITH_STDIN=1") // our own server; a test that is killed leaves none behind
	if s.options.CoreFiles {
		c.Env = append(c.Env, "GOTRACEBACK=crash")
	}
	c.Stdout, c.Stderr = s.log, s.log
	stdin, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	s.command, s.stdin = c, stdin
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(s.Address + "/v1/sys/health") // it listens or refuses
		if err == nil {
			return resp.Body.Close()
		}
	}
	return errors.New("it does not listen")
}

// commandLine is how the server is started. What stands before it ends up as the same process.
func (s *Server) commandLine() []string {
	line := []string{s.program, "server", "-config", filepath.Join(s.Dir, "config.json")}
	if s.options.CoreFiles {
		line = append([]string{"sh", "-c", `ulimit -c unlimited && exec "$@"`, "sh"}, line...)
	}
	if size := s.options.StorageSize; size > 0 {
		mount := fmt.Sprintf(`mount -t tmpfs -o size=%d tmpfs "$0" && exec "$@"`, size)
		line = append([]string{"unshare", "-rm", "sh", "-c", mount, s.dataDir()}, line...)
	}
	return line
}

// dataDir is where durable storage lies.
func (s *Server) dataDir() string { return filepath.Join(s.Dir, "data") }

// stop ends the process.
func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.command == nil {
		return
	}
	defer s.sweep()
	_ = s.command.Process.Signal(os.Interrupt)
	_ = s.stdin.Close()
	done := make(chan struct{})
	go func() {
		_ = s.command.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = s.command.Process.Kill()
		<-done
	}
	s.command = nil
}

// Stop ends the server; Restart brings it back, sealed, where the storage is durable.
func (s *Server) Stop() { s.stop() }

// Restart starts a stopped server and leaves it sealed.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

// Unseal unseals the server and waits until it is active.
func (s *Server) Unseal() error {
	if err := s.ask("PUT", "sys/unseal", "", map[string]any{"key": s.unseal}, nil); err != nil {
		return err
	}
	return s.becomes(http.StatusOK)
}

// becomes waits until the server's health answers with a status.
func (s *Server) becomes(status int) error {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(s.Address + "/v1/sys/health") // it answers or refuses
		if err != nil {
			continue
		}
		if err := resp.Body.Close(); err != nil {
			return err
		}
		if resp.StatusCode == status {
			return nil
		}
	}
	return fmt.Errorf("its health does not become %d", status)
}

// Seal seals the server.
func (s *Server) Seal(t testing.TB) {
	t.Helper()
	s.Must(t, "PUT", "sys/seal", nil)
}

// Log is what the server has written so far.
func (s *Server) Log() string { return s.log.String() }

// AuditLog is the file of the audit device.
func (s *Server) AuditLog() string { return filepath.Join(s.Dir, "audit.log") }

// lockedBuffer is a buffer that a process writes while a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String gives what was written.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
