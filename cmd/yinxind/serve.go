package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"yinxin/internal/config"
	"yinxin/internal/httpapi"
	"yinxin/internal/web/program"
)

func newServeCmd(e *env) *cobra.Command {
	var path string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run a hub by its configuration file",
		Long: "Runs hub, office service, archive and evidence log by one configuration file; examples/hub.yaml explains every key.\n" +
			"The database must have been prepared by `yinxind init` or `yinxind migrate`. Many hubs may share one PostgreSQL\n" +
			"database: one of them at a time integrates the evidence log, and another one takes over when it ends.\n" +
			"With --json it prints one object with its addresses when it is ready.",
		Example: "  yinxind serve --config /etc/yinxin/hub.yaml",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.serve(cmd.Context(), path, verbose, wantsJSON(cmd))
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file (YAML)")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "log every request")
	return cmd
}

func (e *env) serve(ctx context.Context, path string, verbose, asJSON bool) (err error) {
	c, err := readConfig(path)
	if err != nil {
		return err
	}
	store, err := e.openKeyStore(ctx, c.Keys, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if c.Keys.Vault == nil {
		for _, w := range store.Health(ctx).Warnings {
			e.logger(verbose).WarnContext(ctx, "key store", slog.String("code", w.Code), slog.String("warning", w.Text))
		}
	}
	system, err := e.openSystem(ctx, c, store, verbose)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	server, err := system.Server()
	if err != nil {
		return err
	}
	handler, err := system.Handler(program.Embedded())
	if err != nil {
		return err
	}
	public, scheme, err := e.listen(ctx, c.Listen, httpapi.Connections{All: c.Limits.Connections.All, PerAddress: c.Limits.Connections.Address})
	if err != nil {
		return err
	}
	ready := map[string]string{"address": scheme + "://" + public.Addr().String()}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return system.Run(ctx) })
	g.Go(func() error { return httpapi.Serve(ctx, public, handler, e.logger(verbose)) })
	if c.Listen.Operations != "" {
		operations, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen.Operations)
		if err != nil {
			return errors.Join(err, public.Close())
		}
		ready["operations"] = "http://" + operations.Addr().String()
		g.Go(func() error { return httpapi.Serve(ctx, operations, server.Operations(), e.logger(verbose)) })
	}
	if asJSON {
		err = json.NewEncoder(e.stdout).Encode(ready)
	} else {
		_, err = fmt.Fprintf(e.stdout, "ready %s\n", ready["address"])
	}
	return errors.Join(err, g.Wait())
}

// listen opens the public listener: TLS 1.3, or plain HTTP on loopback.
func (e *env) listen(ctx context.Context, c config.Listen, bound httpapi.Connections) (net.Listener, string, error) {
	var pair *certificate
	if c.Certificate != "" {
		pair = &certificate{certPath: c.Certificate, keyPath: c.Key, now: e.now}
		if _, err := pair.get(nil); err != nil {
			return nil, "", err
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Address)
	if err != nil {
		return nil, "", err
	}
	l = httpapi.Bounded(l, bound)
	if pair == nil {
		return l, "http", nil
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS13, GetCertificate: pair.get, NextProtos: []string{"h2", "http/1.1"},
	}), "https", nil
}

// certificate is read from its files again when they change, so that a renewed one needs no restart.
type certificate struct {
	certPath, keyPath string
	now               func() time.Time

	mu     sync.Mutex
	looked time.Time
	read   time.Time // the newer time of change of the two files
	pair   *tls.Certificate
}

// certificateLook is how often the files are looked at.
const certificateLook = 10 * time.Second

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.pair != nil && now.Sub(c.looked) < certificateLook {
		return c.pair, nil
	}
	c.looked = now
	changed, err := c.changed()
	if err == nil && (c.pair == nil || changed.After(c.read)) {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(c.certPath, c.keyPath); err == nil {
			c.pair, c.read = &pair, changed
		}
	}
	if c.pair == nil {
		return nil, fmt.Errorf("certificate of the listener: %w", err)
	}
	return c.pair, nil // the old one is good until the new ones can be read
}

func (c *certificate) changed() (time.Time, error) {
	one, err := os.Stat(c.certPath)
	if err != nil {
		return time.Time{}, err
	}
	two, err := os.Stat(c.keyPath)
	if err != nil {
		return time.Time{}, err
	}
	if two.ModTime().After(one.ModTime()) {
		return two.ModTime(), nil
	}
	return one.ModTime(), nil
}
