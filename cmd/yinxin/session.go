package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"yinxin/internal/durable"
	"yinxin/transport/client"
)

// session is what login remembers, in a file that only its owner reads.
type session struct {
	Address string    `json:"address"`
	Account string    `json:"account"`
	Office  string    `json:"office"`
	Roles   []string  `json:"roles"`
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}

func (e *env) sessionPath() string { return e.at("session.json") }

// maxSession bounds the file, in bytes.
const maxSession = 64 << 10

// connect opens a client with the remembered login.
func (e *env) connect() (*client.Client, error) {
	s, err := e.readSession()
	if err != nil {
		return nil, err
	}
	if e.now().After(s.Expires) {
		return nil, refuse("unauthenticated", exitRefused, "the login of %s has expired; log in again", s.Account)
	}
	if err := checkTransport(s.Address); err != nil {
		return nil, err
	}
	return client.New(s.Address, client.Options{Token: s.Token, Rand: e.rand})
}

// readSession reads the remembered login. That others can read it is told, since whoever has it is logged in.
func (e *env) readSession() (s session, err error) {
	path := e.sessionPath()
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, refuse("unauthenticated", exitRefused, "not logged in; run 'yinxin login ADDRESS --account NAME' first")
	}
	if err != nil {
		return s, refuse("unauthenticated", exitRefused, "the login cannot be read: %w", err)
	}
	if !st.Mode().IsRegular() || st.Size() > maxSession {
		return s, refuse("unauthenticated", exitRefused, "%s is no login; remove it and log in again", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return s, refuse("unauthenticated", exitRefused, "the login cannot be read: %w", err)
	}
	if json.Unmarshal(data, &s) != nil || s.Address == "" || s.Token == "" {
		return s, refuse("unauthenticated", exitRefused, "%s is no login; log in again", path)
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
		printLine(e.stderr, "warning: others than you can read %s, and act as %s; 'chmod 600' it, and log out if anybody may have\n", path, s.Account)
	}
	return s, nil
}

// checkTransport refuses an address to which secrets would travel in the clear.
func checkTransport(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return usage("the hub's address cannot be read") // it may hold a password: not repeated
	}
	if u.Scheme != "http" {
		return nil
	}
	if host := u.Hostname(); !strings.EqualFold(host, "localhost") {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
			return refuse("insecure", exitRefused,
				"plain http to %s would carry the secret in the clear; use https (plain http is for this machine alone)", u.Host)
		}
	}
	return nil
}

func newLoginCmd(e *env) *cobra.Command {
	var account, secretFile string
	cmd := &cobra.Command{
		Use:   "login ADDRESS",
		Short: "log in at a hub",
		Long: "Logs in at a hub and remembers the session under the home folder (YINXIN_HOME). The secret is asked for on the terminal, or read\n" +
			"from --password-file (- for standard input); it is never taken from the command line. A hub on another machine is\n" +
			"spoken to over https only.",
		Example: "  yinxin login http://127.0.0.1:8480 --account clerk-a",
		Args:    exactly(1, "the hub's address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if account == "" {
				return usage("--account is required")
			}
			return e.login(cmd.Context(), args[0], account, secretFile, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "account name")
	cmd.Flags().StringVar(&secretFile, "password-file", "", "read the secret from this file; - is standard input")
	return cmd
}

func (e *env) login(ctx context.Context, address, account, secretFile string, asJSON bool) error {
	c, err := client.New(address, client.Options{Rand: e.rand})
	if err != nil {
		return usage("%v", err)
	}
	if err := checkTransport(address); err != nil {
		return err
	}
	secret, err := e.readSecret(ctx, "Secret of "+account+": ", secretFile)
	if err != nil {
		return err
	}
	got, err := c.Login(ctx, account, secret)
	if err != nil {
		return err
	}
	s := session{
		Address: address, Account: got.Account.ID, Office: got.Account.Org, Roles: got.Account.Roles, Token: got.Token, Expires: got.Expires,
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(e.home, 0o700); err != nil {
		return err
	}
	if err := durable.WriteFile(e.sessionPath(), data, 0o600); err != nil {
		return err
	}
	return e.result(asJSON, got.Account, "logged in as %s (%s) of %s, until %s\n",
		s.Account, strings.Join(s.Roles, ", "), s.Office, moment(s.Expires))
}

// maxSecret bounds a secret, in bytes.
const maxSecret = 4096

// readSecret reads one line from a file, from standard input (-), or from the terminal without echo.
func (e *env) readSecret(ctx context.Context, prompt, path string) (string, error) {
	var data []byte
	var err error
	switch path {
	case "":
		f, ok := e.stdin.(*os.File)
		if !ok || !term.IsTerminal(int(f.Fd())) {
			return "", usage("no terminal to ask on; use --password-file")
		}
		fmt.Fprint(e.stderr, plain(prompt))
		data, err = readPassword(ctx, int(f.Fd()))
		fmt.Fprintln(e.stderr)
	case "-":
		data, err = io.ReadAll(io.LimitReader(e.stdin, maxSecret))
	default:
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" || len(secret) > maxSecret {
		return "", usage("the secret is empty or longer than %d bytes", maxSecret)
	}
	return secret, nil
}

// readPassword reads a line without echo, until ctx ends; then the terminal echoes again.
func readPassword(ctx context.Context, terminal int) ([]byte, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return nil, err
	}
	type answer struct {
		line []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(terminal)
		read <- answer{line, err}
	}()
	select {
	case a := <-read:
		return a.line, a.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(terminal, before))
	}
}

func newLogoutCmd(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "end the session", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if err := c.Logout(cmd.Context()); err != nil {
				return err
			}
			return os.Remove(e.sessionPath())
		},
	}
}

func newSessionsCmd(e *env) *cobra.Command {
	var revoke, account string
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "list the open logins of the own account, or end one",
		Long: "Lists where and since when the account is logged in. --revoke ends one of these logins at once; --account, for system and security\n" +
			"administrators, ends all logins of another account.",
		Example: "  yinxin sessions\n  yinxin sessions --revoke ID\n  yinxin sessions --account clerk-a",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if revoke != "" && account != "" {
				return usage("--revoke or --account, not both")
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			switch {
			case revoke != "":
				return c.RevokeSession(cmd.Context(), revoke)
			case account != "":
				return c.RevokeAccount(cmd.Context(), account)
			}
			got, err := c.Sessions(cmd.Context())
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, got, "")
			}
			for _, s := range got.Items {
				here := ""
				if s.Current {
					here = "  this one"
				}
				printLine(e.stdout, "%s  since %s  until %s  from %s  %s%s\n", s.ID, moment(s.Created), moment(s.Expires), s.Source, s.Agent, here)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&revoke, "revoke", "", "end the login of this id")
	cmd.Flags().StringVar(&account, "account", "", "end all logins of this account")
	return cmd
}

// result prints v as JSON, or a line for people.
func (e *env) result(asJSON bool, v any, format string, args ...any) error {
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(v)
	}
	_, err := fmt.Fprintf(e.stdout, format, args...)
	return err
}
