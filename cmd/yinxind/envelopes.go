package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"yinxin/archive/blob"
	"yinxin/crypto/gm"
	"yinxin/internal/check"
	"yinxin/internal/durable"
	"yinxin/transport/hub"
)

// envelopesFlags are the flags of envelopes.
type envelopesFlags struct {
	config, out string
	small       bool
}

func newEnvelopesCmd(e *env) *cobra.Command {
	var f envelopesFlags
	cmd := &cobra.Command{
		Use:   "envelopes",
		Short: "write the stored envelopes out as files, for a rehearsal",
		Long: "Writes the envelope of every exchange to EXCHANGE.yxe, closed as it is stored, so that `yinxin keys rehearse` can prove that\n" +
			"all of them still open. Small ones lie in the database and the others in the blob store; with --small only the former are\n" +
			"written, since a rehearsal reads the folder of a file blob store itself. Files that are there already are left, so that an\n" +
			"interrupted run goes on. Changes nothing else, needs no key, and may run while hubs are at work.",
		Example: "  yinxind envelopes --config /etc/yinxin/hub.yaml --small --out /srv/rehearsal\n" +
			"  yinxin keys rehearse /srv/rehearsal /var/lib/yinxin/blobs --open store:inbox-yxjy --report rehearsal.json",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.envelopes(cmd.Context(), f, wantsJSON(cmd)) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (YAML)")
	cmd.Flags().StringVar(&f.out, "out", "", "folder to write into")
	cmd.Flags().BoolVar(&f.small, "small", false, "only those that lie in the database")
	return cmd
}

// writer writes envelopes into a folder.
type writer struct {
	database check.Database
	blobs    blob.Store
	out      string
	small    bool

	written, there int
}

// listed is how many exchanges are read from the database at a time.
const listed = 500

func (e *env) envelopes(ctx context.Context, f envelopesFlags, asJSON bool) (err error) {
	if f.out == "" {
		return fmt.Errorf("%w: --out: name a folder", errUsage)
	}
	c, err := readConfig(f.config)
	if err != nil {
		return err
	}
	stores, err := openStores(ctx, c, reading)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stores.Database.Close()) }()
	database, ok := stores.Database.(check.Database)
	if !ok {
		return errors.New("the exchanges of this database cannot be listed")
	}
	if err := os.MkdirAll(f.out, 0o700); err != nil {
		return err
	}
	w := &writer{database: database, blobs: stores.Blobs, out: f.out, small: f.small}
	if err := w.all(ctx); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(map[string]int{"written": w.written, "there": w.there})
	}
	_, err = fmt.Fprintf(e.stdout, "%d envelopes written to %s, %d were there\n", w.written, f.out, w.there)
	return err
}

func (w *writer) all(ctx context.Context) error {
	for after := ""; ; {
		ids, err := w.database.ExchangeIDs(ctx, after, listed)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := w.one(ctx, id); err != nil {
				return fmt.Errorf("envelope of exchange %s: %w", id, err)
			}
		}
		after = ids[len(ids)-1]
	}
}

// one writes the envelope of an exchange, whole or not at all, after it has been held against its digest.
func (w *writer) one(ctx context.Context, id string) error {
	path := filepath.Join(w.out, id+".yxe")
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		w.there++
		return err
	}
	var e hub.Envelope
	err := w.database.View(ctx, func(r hub.Reader) (err error) {
		e, err = r.Envelope(id)
		return err
	})
	if err != nil || w.small && len(e.Inline) == 0 {
		return err
	}
	if len(e.Inline) > 0 {
		err = w.write(path, bytes.NewReader(e.Inline), e)
	} else {
		err = w.fromBlobs(ctx, path, e)
	}
	if err == nil {
		w.written++
	}
	return err
}

func (w *writer) fromBlobs(ctx context.Context, path string, e hub.Envelope) error {
	body, err := w.blobs.Open(ctx, blob.Ref(e.SM3))
	if err != nil {
		return err
	}
	return errors.Join(w.write(path, body, e), body.Close())
}

func (w *writer) write(path string, body io.Reader, e hub.Envelope) error {
	f, err := durable.Disk{}.CreateTemp(w.out, 0o600)
	if err != nil {
		return err
	}
	defer f.Abort()
	sum := gm.NewSM3()
	n, err := io.Copy(io.MultiWriter(f, sum), body)
	if err == nil && (n != e.Size || !bytes.Equal(sum.Sum(nil), e.SM3[:])) {
		err = blob.ErrCorrupt
	}
	if err != nil {
		return err
	}
	return f.CommitExclusive(path)
}
