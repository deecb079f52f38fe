package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// storeReport is what keys check answers.
type storeReport struct {
	*filekeys.Report
	Status   string         `json:"status"`
	Warnings []keys.Warning `json:"warnings"`
}

func newKeysCheckCmd(e *env, f *keyFlags) *cobra.Command {
	var adopt bool
	cmd := &cobra.Command{
		Use: "check", Short: "look at the store as a whole, and take an anchor into use", Args: exactly(0, "no arguments"),
		Long: "Reads every entry of a file store, which no other command does, and says what the store itself would warn of: no quorum, no anchor,\n" +
			"unfinished changes. Exit 1 where an entry is damaged. An anchor is the file that YINXIN_KEYS_ANCHOR names, outside of the store's\n" +
			"folder; it notices that folder being put back as a whole. --adopt-anchor takes it into use for a store that had none, or whose\n" +
			"anchor was lost: look first whether the store is in the state that it should be in. An anchor that has a mark is never replaced.",
		Example: "  YINXIN_KEYS_ANCHOR=/var/lib/yinxin-anchor/keys yinxin keys check --adopt-anchor",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if adopt && e.getenv("YINXIN_KEYS_ANCHOR") == "" {
				return usage("--adopt-anchor: name the anchor's file in YINXIN_KEYS_ANCHOR")
			}
			ring := e.keyRing(*f)
			defer closing(&err, ring)
			ring.adopt = adopt
			store, err := ring.open(cmd.Context(), !adopt)
			if err != nil {
				return err
			}
			return e.checkStore(cmd, store)
		},
	}
	cmd.Flags().BoolVar(&adopt, "adopt-anchor", false, "take the anchor of YINXIN_KEYS_ANCHOR into use, which has no mark yet")
	return cmd
}

func (e *env) checkStore(cmd *cobra.Command, store keyStore) error {
	health := store.Health(cmd.Context())
	r := storeReport{Status: string(health.Status), Warnings: append([]keys.Warning{}, health.Warnings...)}
	if files, ok := store.(*filekeys.Store); ok {
		report, err := files.Check(cmd.Context())
		if err != nil {
			return err
		}
		r.Report = &report
	}
	if jsonFlag(cmd) {
		if err := e.printJSON(r); err != nil {
			return err
		}
	} else {
		e.printStoreReport(r, health.Detail)
	}
	if r.Report != nil && len(r.Damaged) > 0 {
		return exitStatus(exitFailed)
	}
	return nil
}

func (e *env) printStoreReport(r storeReport, detail string) {
	printLine(e.stdout, "%s  %s\n", r.Status, detail)
	if r.Report != nil {
		fmt.Fprintf(e.stdout, "store %s, generation %d, %d entries, %d damaged\n", r.Store, r.Generation, r.Entries, len(r.Damaged))
		for _, path := range slices.Sorted(maps.Keys(r.Damaged)) {
			printLine(e.stdout, "  damaged: %s: %s\n", path, r.Damaged[path])
		}
	}
	for _, w := range r.Warnings {
		printLine(e.stdout, "warning: %s (%s)\n", w.Text, w.Code)
	}
}

// warn says on standard error what a store warns of.
func (e *env) warn(ctx context.Context, store keyStore) {
	for _, w := range store.Health(ctx).Warnings {
		printLine(e.stderr, "warning: %s (%s)\n", w.Text, w.Code)
	}
}
