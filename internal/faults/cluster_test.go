package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"yinxin/archive/tlog"
	"yinxin/internal/embedded"
	"yinxin/transport/client"
)

const passphrase = "a passphrase of the fault experiments"

// Cluster is hubs of one database, each a process.
type Cluster struct {
	// Program is yinxind, Dir where configuration, keys, blobs and log lie.
	Program, Dir string
	// Database is the URL of a PostgreSQL database; empty: SQLite, and one hub alone.
	Database string
	// Stored is where the hub's data and anchor lie, on a disk of their own; empty: in Dir.
	Stored string
	// Extra is more of the configuration; LogFolder is where it puts the log, if it does.
	Extra, LogFolder string

	// Settle is how long the auditor waits for what was accepted to be delivered; 0: 20 s.
	Settle time.Duration

	config string
	token  string
	secret string // of clerk-a

	mu   sync.Mutex
	hubs []*hubProcess
}

// hubProcess is one hub; cmd is nil while it is dead.
type hubProcess struct {
	cmd   *exec.Cmd
	ended chan struct{}
	// client waits for receipts, hasty takes the answer that they are pending.
	client, hasty *client.Client
}

// hasty asks not to be kept waiting (RFC 7240).
type hasty struct{}

func (hasty) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Prefer", "respond-async")
	return http.DefaultTransport.RoundTrip(r)
}

// Init writes the configuration and runs `yinxind init`.
func (c *Cluster) Init(ctx context.Context) error {
	files := map[string]string{"passphrase": passphrase, "audit-key": "0123456789abcdef"}
	database := "{audit_key_file: " + filepath.Join(c.Dir, "audit-key") + "}"
	if c.Database != "" {
		files["database-url"] = c.Database
		database = fmt.Sprintf("{url_file: %s, audit_key_file: %s, connections: 12}", filepath.Join(c.Dir, "database-url"), filepath.Join(c.Dir, "audit-key"))
	}
	if c.Stored == "" {
		c.Stored = c.Dir
	}
	c.config = filepath.Join(c.Dir, "hub.yaml")
	log := "log: {origin: faults.example/log, anchor: " + c.Stored + "/anchor}\n"
	if strings.Contains(c.Extra, "log: ") {
		log = ""
	}
	files["hub.yaml"] = fmt.Sprintf(`hub: {code: HUB, archive: ARCHIVE, fonds: Z001, authority: faults}
listen: {address: "127.0.0.1:0"}
data: %[1]s/data
database: %[2]s
keys: {folder: %[3]s/keys, passphrase_file: %[3]s/passphrase, read_only: true}
`, c.Stored, database, c.Dir) + log + c.Extra
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(c.Dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("prepare the cluster: %w", err)
		}
	}
	out, err := exec.CommandContext(ctx, c.Program, "init", "--json", "--config", c.config, "--setup", filepath.Join(c.Dir, "setup.yaml")).Output()
	if err != nil {
		return fmt.Errorf("yinxind init: %w\n%s", err, stderrOf(err))
	}
	var made struct{ Accounts []embedded.Login }
	if err := json.Unmarshal(out, &made); err != nil {
		return fmt.Errorf("read what init made: %w", err)
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	for _, a := range made.Accounts {
		if a.Account != "clerk-a" {
			continue
		}
		s, err := c.hubs[0].client.Login(ctx, a.Account, a.Secret)
		if err != nil {
			return fmt.Errorf("log in: %w", err)
		}
		c.token, c.secret = s.Token, a.Secret
		return c.hubs[0].connect(c.hubs[0].client.Address(), c.token)
	}
	return errors.New("init made no clerk")
}

func stderrOf(err error) string {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(e.Stderr)
	}
	return ""
}

// Start adds a hub.
func (c *Cluster) Start(ctx context.Context) error {
	h := &hubProcess{}
	if err := c.run(ctx, h); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hubs = append(c.hubs, h)
	return nil
}

// run starts the process of a hub and waits until it says that it is ready.
func (c *Cluster) run(ctx context.Context, h *hubProcess) error {
	cmd := exec.CommandContext(ctx, c.Program, "serve", "--json", "--config", c.config)
	log, err := os.OpenFile(filepath.Join(c.Dir, "hub.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the hub's log: %w", err)
	}
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start a hub: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a hub: %w", err)
	}
	var ready struct{ Address string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed
		close(ended)
	}()
	if err != nil {
		_ = cmd.Process.Kill()
		<-ended
		return fmt.Errorf("hub does not come up (see hub.log): %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h.cmd, h.ended = cmd, ended
	return h.connect(ready.Address, c.token)
}

func (h *hubProcess) connect(address, token string) (err error) {
	if h.client, err = client.New(address, client.Options{Token: token, Tries: 1}); err != nil {
		return err
	}
	h.hasty, err = client.New(address, client.Options{Token: token, Tries: 1, HTTP: &http.Client{Transport: hasty{}}})
	return err
}

// Client is that of hub i.
func (c *Cluster) Client(i int) *client.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hubs[i%len(c.hubs)].client
}

// Hasty is the client of hub i that does not wait for receipts.
func (c *Cluster) Hasty(i int) *client.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hubs[i%len(c.hubs)].hasty
}

// Process is the number of the process of hub i.
func (c *Cluster) Process(i int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hubs[i].cmd.Process.Pid
}

// Get asks hub i for bytes as they are, past the checks of the client.
func (c *Cluster) Get(ctx context.Context, i int, path string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Client(i).Address()+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// Hubs counts them.
func (c *Cluster) Hubs() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.hubs)
}

// Kill kills hub i with SIGKILL and starts it again.
func (c *Cluster) Kill(ctx context.Context, i int) error {
	if err := c.Down(i); err != nil {
		return err
	}
	return c.Up(ctx, i)
}

// Down kills hub i with SIGKILL and waits until it has ended.
func (c *Cluster) Down(i int) error {
	c.mu.Lock()
	h := c.hubs[i]
	c.mu.Unlock()
	if err := h.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill hub %d: %w", i, err)
	}
	<-h.ended
	return nil
}

// patience is how long a hub may take to come up. A database or a lock that is just coming back may refuse the first try.
const patience = 20 * time.Second

// setProgram changes what hubs are started from now on.
func (c *Cluster) setProgram(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Program = path
}

// Try starts hub i, which is down, once.
func (c *Cluster) Try(ctx context.Context, i int) error {
	c.mu.Lock()
	h := c.hubs[i]
	c.mu.Unlock()
	return c.run(ctx, h)
}

// Up starts hub i, which is down.
func (c *Cluster) Up(ctx context.Context, i int) error {
	c.mu.Lock()
	h := c.hubs[i]
	c.mu.Unlock()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := c.run(ctx, h)
		if err == nil || time.Now().After(end) || ctx.Err() != nil {
			return err
		}
	}
}

// Run runs another command of the program with the cluster's configuration, and returns what it printed.
func (c *Cluster) Run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.Program, append(args, "--config", c.config)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("yinxind %s: %w\n%s", args[0], err, out)
	}
	return string(out), nil
}

// Stop ends all hubs.
func (c *Cluster) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hubs {
		_ = h.cmd.Process.Kill()
		<-h.ended
	}
	c.hubs = nil
}

// Log opens the files of the evidence log and its key.
func (c *Cluster) Log() (*tlog.Dir, *tlog.Verifier, error) {
	folder := filepath.Join(c.Stored, "data", "log")
	if c.LogFolder != "" {
		folder = c.LogFolder
	}
	dir, err := tlog.OpenDir(folder)
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(filepath.Join(c.Stored, "data", "log.vkey"))
	if err != nil {
		return nil, nil, fmt.Errorf("read the log's key: %w", err)
	}
	key, err := tlog.ParseVerifier(string(text[:len(text)-1]))
	return dir, key, err
}
