package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"yinxin/archive/tlog"
	"yinxin/archive/witness"
	"yinxin/internal/durable"
	"yinxin/keys"
)

// witnessFlags are the flags of witness.
type witnessFlags struct {
	store             tsaFlags // the key store's flags
	dir, name, listen string
	logs, follow      []string
	interval          time.Duration
	verbose, json     bool
}

func newWitnessCmd(e *env) *cobra.Command {
	var f witnessFlags
	cmd := &cobra.Command{
		Use:   "witness",
		Short: "watch evidence logs and cosign their checkpoints",
		Long: "Cosigns a checkpoint only when it is proven to extend every checkpoint of that log that this witness cosigned before; of two\n" +
			"that contradict each other it keeps both signed notes, says so on standard error, and signs neither. It looks at the logs\n" +
			"of --follow every --interval, and takes checkpoints that are posted to it. It has one folder of state and one key of its\n" +
			"own (purpose checkpoint); run it on another machine, in other hands than the hub. Its public key is written to\n" +
			"witness.vkey in the folder. Plain HTTP on loopback; put a TLS proxy in front of it for others.",
		Example: "  yinxin keys create witness --purpose checkpoint --keys files:witness-keys --password-file pw\n" +
			"  yinxind witness --dir witness --name witness.example --keys files:witness-keys --password-file pw \\\n" +
			"      --log log.vkey --follow http://127.0.0.1:8480/log",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.json = wantsJSON(cmd)
			return e.witness(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.dir, "dir", "yinxin-witness", "folder of the state")
	cmd.Flags().StringVar(&f.name, "name", "", "the witness's name, as it stands on its signature lines")
	cmd.Flags().StringVar(&f.store.keys, "keys", "", "the key store, files:DIR")
	cmd.Flags().StringVar(&f.store.key, "key", "witness", "name of the key")
	cmd.Flags().StringVar(&f.store.passwordFile, "password-file", "", "read the store's passphrase from this file; - is standard input")
	cmd.Flags().StringArrayVar(&f.logs, "log", nil, "key of a log that is watched (vkey file; may be repeated)")
	cmd.Flags().StringArrayVar(&f.follow, "follow", nil, "address of a log to look at (may be repeated)")
	cmd.Flags().DurationVar(&f.interval, "interval", 30*time.Second, "how often the logs are looked at")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:3162", "loopback address; port 0 takes a free one")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "log more")
	return cmd
}

func (e *env) witness(ctx context.Context, f witnessFlags) (err error) {
	if err := checkLoopback(f.listen); err != nil {
		return err
	}
	if f.name == "" || len(f.logs) == 0 || f.interval <= 0 {
		return fmt.Errorf("%w: --name, --log and an --interval above 0 are needed", errUsage)
	}
	known, err := logKeys(f.logs)
	if err != nil {
		return err
	}
	followed, err := followedLogs(f.follow)
	if err != nil {
		return err
	}
	store, err := e.openTSAKeys(ctx, f.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	handle, err := keys.Signer(ctx, store, keys.Ref{Name: f.store.key}, keys.PurposeCheckpoint)
	if err != nil {
		return err
	}
	key, err := tlog.NewCosigner(f.name, handle, e.rand)
	if err != nil {
		return fmt.Errorf("%w: --name: %w", errUsage, err)
	}
	w, err := witness.Open(ctx, witness.Config{Dir: f.dir, Key: key, Logs: known, Clock: e.now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := durable.WriteFile(filepath.Join(f.dir, "witness.vkey"), []byte(w.Key().String()+"\n"), 0o644); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return err
	}
	if err := e.ready("http://"+l.Addr().String(), f.json); err != nil {
		return errors.Join(err, l.Close())
	}
	log := e.logger(f.verbose)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return serveTSA(ctx, l, w.Handler(func(err error) { log.WarnContext(ctx, "refused", slog.Any("reason", err)) }))
	})
	g.Go(func() error { return watch(ctx, w, followed, f.interval, log) })
	return g.Wait()
}

// ready says where a server listens.
func (e *env) ready(url string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(map[string]string{"address": url})
	}
	_, err := fmt.Fprintf(e.stdout, "ready %s\n", url)
	return err
}

// logKeys reads the keys of logs.
func logKeys(paths []string) ([]*tlog.Verifier, error) {
	var known []*tlog.Verifier
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		v, err := tlog.ParseVerifier(string(text))
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errSetup, path, err)
		}
		known = append(known, v)
	}
	return known, nil
}

// watch looks at every log, again and again, until ctx ends. A log that shows two histories is said aloud each time.
func watch(ctx context.Context, w *witness.Witness, logs []*tlog.Web, every time.Duration, log *slog.Logger) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		for _, f := range logs {
			look(ctx, w, f, log)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func look(ctx context.Context, w *witness.Witness, f *tlog.Web, log *slog.Logger) {
	signed, err := w.Look(ctx, f)
	at := slog.String("log", f.String())
	switch {
	case errors.Is(err, tlog.ErrFork), errors.Is(err, tlog.ErrStale):
		log.ErrorContext(ctx, "THE LOG CONTRADICTS ITSELF; both notes are kept in evidence", at, slog.Any("reason", err))
	case err != nil && ctx.Err() == nil:
		log.WarnContext(ctx, "log could not be cosigned", at, slog.Any("reason", err))
	case err == nil:
		if c, err := tlog.ParseCheckpoint(signed); err == nil {
			log.DebugContext(ctx, "cosigned", at, slog.Uint64("size", c.Size))
		}
	}
}

func followedLogs(addresses []string) ([]*tlog.Web, error) {
	var all []*tlog.Web
	for _, a := range addresses {
		w, err := tlog.NewWeb(a, &http.Client{Timeout: witness.Timeout})
		if err != nil {
			return nil, fmt.Errorf("%w: --follow: %w", errUsage, err)
		}
		all = append(all, w)
	}
	return all, nil
}
