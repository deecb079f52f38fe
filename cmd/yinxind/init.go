package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"yinxin/internal/config"
	"yinxin/internal/durable"
	"yinxin/internal/embedded"
	"yinxin/internal/postgres"
	"yinxin/transport/directory"
)

func newMigrateCmd(e *env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "bring the database's schema up to date",
		Long: "Brings the schema of the PostgreSQL database of a configuration up to date. Hubs of the version before go on working\n" +
			"with the newer schema, so that they can be replaced one after another. SQLite is brought up to date by each start.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(path)
			if err != nil {
				return err
			}
			before, after, err := migrate(cmd.Context(), c)
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return json.NewEncoder(e.stdout).Encode(map[string]int64{"before": before, "after": after})
			}
			_, err = fmt.Fprintf(e.stdout, "schema version %d, was %d\n", after, before)
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file (YAML)")
	return cmd
}

// migrate does nothing where there is no PostgreSQL.
func migrate(ctx context.Context, c *config.Config) (before, after int64, err error) {
	if c.Database.URLFile == "" {
		return 0, 0, nil
	}
	url, err := config.SecretFile(c.Database.URLFile)
	if err != nil {
		return 0, 0, err
	}
	return postgres.Migrate(ctx, url)
}

// initFlags are the flags of init.
type initFlags struct{ config, setup, admin, office string }

func newInitCmd(e *env) *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "make what a new hub needs: schema, keys, log origin, first administrator",
		Long: "Prepares a new hub: the database's schema, the keys of CA, seal maker and evidence log, and the first administrator, whose\n" +
			"secret is printed once. Root certificate and log key are left in the data folder (root.pem, log.vkey). What is there already\n" +
			"is left alone, so that an interrupted init can be repeated.",
		Example: "  yinxind init --config /etc/yinxin/hub.yaml --admin wang",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return e.init(cmd.Context(), f, wantsJSON(cmd)) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (YAML)")
	cmd.Flags().StringVar(&f.admin, "admin", "admin", "account of the first administrator")
	cmd.Flags().StringVar(&f.office, "office", "OPERATOR", "code of the operator's own office")
	cmd.Flags().StringVar(&f.setup, "setup", "", "YAML with offices, people and seals to begin with, as examples/exchange.yaml")
	return cmd
}

// made is what init prints.
type made struct {
	Root     string           `json:"root"`
	LogKey   string           `json:"log_key"`
	Accounts []embedded.Login `json:"accounts"`
}

func (e *env) init(ctx context.Context, f initFlags, asJSON bool) (err error) {
	c, err := readConfig(f.config)
	if err != nil {
		return err
	}
	setup := &embedded.Setup{}
	if f.setup != "" {
		if setup, err = readSetup(f.setup); err != nil {
			return err
		}
	}
	if _, _, err := migrate(ctx, c); err != nil {
		return err
	}
	store, err := e.openKeyStore(ctx, c.Keys, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	system, err := e.openSystem(ctx, c, store, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	setup.Offices = append(setup.Offices, embedded.SetupOffice{
		Code: f.office, Name: c.Hub.Authority,
		Accounts: []embedded.SetupAccount{{ID: f.admin, Name: f.admin, Roles: []directory.Role{directory.Admin}}},
	})
	logins, err := system.Apply(ctx, setup)
	if err != nil {
		return err
	}
	out := made{Root: filepath.Join(c.Data, "root.pem"), LogKey: system.LogKey.String(), Accounts: logins}
	if err := leavePublic(c.Data, system); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(out) // the secrets are shown once, to whoever makes the hub
	}
	fmt.Fprintf(e.stdout, "root certificate %s\nlog key %s\n", out.Root, out.LogKey)
	for _, l := range logins {
		fmt.Fprintf(e.stdout, "account %s of %s, secret %s (shown once)\n", l.Account, l.Office, l.Secret)
	}
	return nil
}

// leavePublic writes what a verifier needs.
func leavePublic(dir string, system *embedded.System) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(dir, "root.pem"), system.Root.PEM(), 0o644); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, "log.vkey"), []byte(system.LogKey.String()+"\n"), 0o644)
}
