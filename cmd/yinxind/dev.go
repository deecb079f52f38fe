package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/archive/tlog"
	"yinxin/archive/witness"
	"yinxin/examples"
	"yinxin/internal/durable"
	"yinxin/internal/embedded"
	"yinxin/keys/filekeys"
)

// devFlags are the flags of dev.
type devFlags struct {
	dir, listen, setup   string
	fonts                string
	witness, witnessVkey string
	verbose, json        bool
}

func newDevCmd(e *env) *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "run the whole system on loopback with invented offices (NOT for production)",
		Long: "Starts hub, office service, archive and evidence log in one process on loopback, with SQLite, a file key store and file\n" +
			"blobs. On the first start it makes the offices, people and seals of its setup and prints the accounts with their secrets,\n" +
			"which also lie in accounts.json in its folder; the address lies in the file address. Not for production: the key store's\n" +
			"passphrase lies beside the keys. With --json it prints one object with address and accounts.",
		Example: "  yinxind dev\n  yinxind dev --dir /tmp/hub --listen 127.0.0.1:0",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.json = wantsJSON(cmd)
			return e.dev(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.dir, "dir", "yinxin-dev", "folder of the system; kept between starts")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8480", "loopback address; port 0 takes a free one")
	cmd.Flags().StringVar(&f.setup, "setup", "", "YAML with offices, people and seals (default: the built-in example)")
	cmd.Flags().StringVar(&f.fonts, "fonts", "", "folder of TrueType faces for documents and seals, asked before the embedded ones")
	cmd.Flags().StringVar(&f.witness, "witness", "", "address of a witness to ask at the start: a log behind what it cosigned does not start")
	cmd.Flags().StringVar(&f.witnessVkey, "witness-key", "", "the witness's key (vkey file)")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "log every request")
	return cmd
}

func (e *env) dev(ctx context.Context, f devFlags) (err error) {
	if err := checkLoopback(f.listen); err != nil {
		return err
	}
	setup, err := readSetup(f.setup)
	if err != nil {
		return err
	}
	faces, err := e.faces(f.fonts)
	if err != nil {
		return err
	}
	store, err := e.openKeys(ctx, f.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := os.Remove(filepath.Join(f.dir, "address")); err != nil && !os.IsNotExist(err) {
		return err // nobody is to find the address of an earlier start
	}
	system, err := embedded.Open(ctx, embedded.Config{
		Dir: filepath.Join(f.dir, "hub"), Keys: store, Code: "HUB", Archive: setup.ArchiveCode(), Fonds: "Z001",
		Origin: "dev.yinxin/log", Authority: "yinxin dev root", Faces: faces, Clock: e.now, Rand: e.rand, Log: e.logger(f.verbose),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	if err := askWitness(ctx, f, system); err != nil {
		return err
	}
	made, err := system.Apply(ctx, setup)
	if err != nil {
		return err
	}
	all, err := logins(ctx, system, setup, f.dir, made)
	if err != nil {
		return err
	}
	if err := e.leave(f.dir, system, all); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String()
	if err := durable.WriteFile(filepath.Join(f.dir, "address"), []byte(url+"\n"), 0o644); err != nil {
		return errors.Join(err, l.Close())
	}
	if err := e.greet(url, all, f); err != nil {
		return errors.Join(err, l.Close())
	}
	return system.Serve(ctx, l, newDevVerifier(ctx, f.dir, e.logger(f.verbose)))
}

// askWitness holds the hub's log against what a witness has cosigned of it: after a restored folder the log is behind.
func askWitness(ctx context.Context, f devFlags, system *embedded.System) error {
	if (f.witness == "") != (f.witnessVkey == "") {
		return fmt.Errorf("%w: --witness and --witness-key go together", errUsage)
	}
	if f.witness == "" {
		return nil
	}
	text, err := os.ReadFile(f.witnessVkey)
	if err != nil {
		return err
	}
	key, err := tlog.ParseCosignatory(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", f.witnessVkey, err)
	}
	client := &witness.Client{URL: f.witness, HTTP: &http.Client{Timeout: witness.Timeout}}
	note, err := client.Checkpoint(ctx, system.LogKey.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the witness knows this log and has seen nothing of it yet
	}
	if err != nil {
		return err
	}
	return system.HoldAgainst(ctx, note, key)
}

// checkLoopback refuses to listen for anybody but this machine: dev speaks plain HTTP.
func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%w: --listen %s: %w", errUsage, address, err)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%w: --listen %s: dev listens on loopback only", errUsage, address)
	}
	return nil
}

func readSetup(path string) (*embedded.Setup, error) {
	data, err := examples.Files.ReadFile("exchange.yaml")
	if path != "" {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	setup, err := embedded.ParseSetup(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errSetup, path, err)
	}
	return setup, nil
}

// openKeys opens the key store beside its passphrase, which is what makes this not for production. The passphrase of a
// store that exists is never replaced.
func (e *env) openKeys(ctx context.Context, dir string) (*filekeys.Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	o := filekeys.Options{Rand: e.rand, Now: e.now}
	path, keysDir := filepath.Join(dir, "passphrase"), filepath.Join(dir, "keys")
	passphrase, err := os.ReadFile(path)
	if filekeys.Exists(keysDir) {
		if err != nil {
			return nil, fmt.Errorf("read the passphrase of %s: %w", keysDir, err)
		}
		return filekeys.Open(ctx, keysDir, passphrase, o)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		var secret [32]byte
		if _, err := io.ReadFull(e.rand, secret[:]); err != nil {
			return nil, err
		}
		passphrase = []byte(hex.EncodeToString(secret[:]))
		if err := durable.CreateExclusive(path, passphrase, 0o600); err != nil {
			return nil, err
		}
	}
	return filekeys.Create(ctx, keysDir, passphrase, o)
}

// accounts is the file with the secrets of a development hub.
func accounts(dir string) string { return filepath.Join(dir, "accounts.json") }

// logins completes what the setup made to all accounts of the setup. An account whose secret an earlier start, cut short,
// did not come to write down gets a new one.
func logins(ctx context.Context, system *embedded.System, setup *embedded.Setup, dir string, made []embedded.Login) ([]embedded.Login, error) {
	var known []embedded.Login
	data, err := os.ReadFile(accounts(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		if err := json.Unmarshal(data, &known); err != nil {
			return nil, fmt.Errorf("read %s: %w", accounts(dir), err)
		}
	}
	known = append(known, made...)
	for _, o := range setup.Offices {
		for _, a := range o.Accounts {
			if slices.ContainsFunc(known, func(l embedded.Login) bool { return l.Account == a.ID }) {
				continue
			}
			secret, err := system.Directory.SetSecret(ctx, a.ID, "")
			if err != nil {
				return nil, err
			}
			known = append(known, embedded.Login{Account: a.ID, Office: o.Code, Name: a.Name, Roles: a.Roles, Secret: secret})
		}
	}
	return known, nil
}

func (e *env) logger(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: level}))
}

// leave writes what a verifier and a tester need: root certificate, log key, accounts.
func (e *env) leave(dir string, system *embedded.System, logins []embedded.Login) error {
	if err := durable.WriteFile(filepath.Join(dir, "root.pem"), system.Root.PEM(), 0o644); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(dir, "log.vkey"), []byte(system.LogKey.String()+"\n"), 0o644); err != nil {
		return err
	}
	out, err := json.MarshalIndent(logins, "", " ") //nolint:gosec // the secrets are for the tester, in a file for the owner alone
	if err != nil {
		return err
	}
	return durable.WriteFile(accounts(dir), append(out, '\n'), 0o600)
}

// greeting is what dev prints for programs.
type greeting struct {
	Address  string           `json:"address"`
	Accounts []embedded.Login `json:"accounts"`
}

// greet prints where the hub is and who may log in.
func (e *env) greet(url string, logins []embedded.Login, f devFlags) error {
	fmt.Fprintln(e.stderr, "*** yinxind dev: NOT FOR PRODUCTION. Invented offices, plain HTTP on loopback, passphrase beside the keys. ***")
	if f.witness == "" {
		fmt.Fprintln(e.stderr, "*** No rollback anchor is configured: a restored copy of the folder would not be noticed. ***")
	}
	if f.json {
		return json.NewEncoder(e.stdout).Encode(greeting{url, logins})
	}
	for _, l := range logins {
		roles := make([]string, len(l.Roles))
		for i, r := range l.Roles {
			roles[i] = string(r)
		}
		fmt.Fprintf(e.stdout, "%-10s %-16s %-12s %s  %s\n", l.Office, l.Account, strings.Join(roles, ","), l.Secret, l.Name)
	}
	fmt.Fprintf(e.stderr, "Open %s in a browser and sign in with an account above: a clerk writes, the approver of the same office\n"+
		"approves, a clerk of another office receives and signs for. %s/verify judges files without an account.\n", url, url)
	_, err := fmt.Fprintf(e.stdout, "ready %s\n", url)
	return err
}
