package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/internal/check"
	"yinxin/internal/config"
	"yinxin/internal/embedded"
	"yinxin/verdict"
)

// checkFlags are the flags of check.
type checkFlags struct {
	config, read string
	compliance   bool
}

func newCheckCmd(e *env) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "hold database, blobs, evidence log, keys and anchor against each other",
		Long: "Changes nothing, and may run while hubs are at work. It computes the evidence log anew from its files, compares every\n" +
			"row of evidence with it, verifies every receipt and checkpoint, leads every delivery through its entries, verifies the\n" +
			"audit, looks for every blob that a row names, and has every key that is needed do what it is for. What it finds is\n" +
			"named with cause, effect and next step. Blobs that no row names are told and are no fault.\n" +
			"Exit 0: passed. 1: something is wrong. 3: it cannot be told, as where no rollback anchor is configured.",
		Example: "  yinxind check --config /etc/yinxin/hub.yaml\n" +
			"  yinxind check --config /etc/yinxin/hub.yaml --read-data 5%     # reads every twentieth blob, by chance\n" +
			"  yinxind check --config /etc/yinxin/hub.yaml --read-data 3/30   # the third of thirty parts: all in a month",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.check(cmd.Context(), f, wantsJSON(cmd)) },
	}
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file (YAML)")
	cmd.Flags().StringVar(&f.read, "read-data", "0%", "which blobs are read whole: a percentage by chance, or n/t, the n-th of t parts")
	cmd.Flags().BoolVar(&f.compliance, "compliance", false, "answer the clauses of GB/T 39786-2021, level 3, instead: by probes, or by what the deployer must do")
	return cmd
}

// judged ends a command with the exit code of a verdict; it has been told already.
type judged struct{ status verdict.Status }

// Error implements error.
func (j judged) Error() string { return "the verdict is " + string(j.status) }

func (e *env) check(ctx context.Context, f checkFlags, asJSON bool) (err error) {
	share, err := check.ParseShare(f.read)
	if err != nil {
		return fmt.Errorf("%w: --read-data: %w", errUsage, err)
	}
	c, err := readConfig(f.config)
	if err != nil {
		return err
	}
	h, done, err := e.inspected(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	bar := e.newProgress("check")
	report, err := check.Run(ctx, h, check.Options{Read: share, Now: e.now, Rand: e.rand, Progress: bar.tell})
	bar.end()
	if err != nil {
		return err
	}
	if f.compliance {
		return e.comply(ctx, c, h, report, asJSON)
	}
	if asJSON {
		err = json.NewEncoder(e.stdout).Encode(report)
	} else {
		err = e.printCheck(report)
	}
	if err == nil && report.Verdict != verdict.Passed {
		return judged{report.Verdict}
	}
	return err
}

// comply answers the clauses; those that are demanded decide the exit code.
func (e *env) comply(ctx context.Context, c *config.Config, h check.Hub, report *check.Report, asJSON bool) error {
	answers, err := check.Comply(ctx, h, report, check.Deployment{
		TLS: c.Listen.Certificate != "", AuditKey: c.Database.AuditKeyFile != "", Vault: c.Keys.Vault != nil,
	}, e.now())
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(e.stdout).Encode(answers)
	} else {
		fmt.Fprintln(e.stdout, answers.Notice)
		for _, a := range answers.Clauses {
			fmt.Fprintf(e.stdout, "%-13s %s %-14s %s\n      evidence: %s\n", a.Status, a.Level, a.Clause, a.Demand, a.Evidence)
			if a.Deployer != "" {
				fmt.Fprintf(e.stdout, "      deployer: %s\n", a.Deployer)
			}
		}
		_, err = fmt.Fprintf(e.stdout, "%s, by what is demanded (应)\n", answers.Verdict)
	}
	if err == nil && answers.Verdict != verdict.Passed {
		return judged{answers.Verdict}
	}
	return err
}

// inspected opens the parts of a hub for reading, beside hubs that are at work.
func (e *env) inspected(ctx context.Context, c *config.Config) (h check.Hub, done func() error, err error) {
	store, err := e.openKeysBeside(ctx, c.Keys)
	if err != nil {
		return h, nil, err
	}
	stores, err := openStores(ctx, c, reading)
	if err != nil {
		return h, nil, errors.Join(err, store.Close())
	}
	done = func() error { return errors.Join(stores.Database.Close(), store.Close()) }
	h = check.Hub{
		Blobs: stores.Blobs, Log: stores.Files, Keys: store, Needed: embedded.NeededKeys(ctx, store), Archive: c.Hub.Archive,
	}
	var ok bool
	if h.Database, ok = stores.Database.(check.Database); !ok {
		return h, nil, errors.Join(errors.New("this database cannot be checked"), done())
	}
	if h.Root, h.LogKey, err = e.authority(ctx, c, store); err != nil {
		return h, nil, errors.Join(err, done())
	}
	if listed, ok := stores.Files.(interface {
		Paths(ctx context.Context) ([]string, error)
	}); ok {
		h.Paths = listed.Paths
	}
	if c.Log.Anchor != "" {
		h.Anchor = func(context.Context) ([]byte, error) { return os.ReadFile(c.Log.Anchor) }
	}
	return h, done, nil
}

// authority gives the root and the log's key: from the key store or, where that has lost them, from the files that init left.
func (e *env) authority(ctx context.Context, c *config.Config, store keyStore) (*cert.Certificate, *tlog.Verifier, error) {
	root, logKey, err := embedded.Authority(ctx, store, c.Log.Origin)
	if err == nil {
		return root, logKey, nil
	}
	pem, errRoot := os.ReadFile(filepath.Join(c.Data, "root.pem"))
	text, errKey := os.ReadFile(filepath.Join(c.Data, "log.vkey"))
	if errRoot != nil || errKey != nil {
		return nil, nil, err
	}
	all, errRoot := cert.ParseAny(pem)
	logKey, errKey = tlog.ParseVerifier(string(text))
	if errRoot != nil || errKey != nil || len(all) == 0 {
		return nil, nil, errors.Join(err, errRoot, errKey)
	}
	fmt.Fprintf(e.stderr, "yinxind: %v; root and log key are taken from %s\n", err, c.Data)
	return all[0], logKey, nil
}

// shownFindings is how many findings of one kind are printed for people; --json has them all.
const shownFindings = 10

func (e *env) printCheck(r *check.Report) error {
	for _, i := range r.Items {
		if _, err := fmt.Fprintf(e.stdout, "%-13s %-10s %s\n", i.Status, i.Name, i.Detail); err != nil {
			return err
		}
		for _, fault := range check.Faults() {
			e.printFindings(i, fault)
		}
		if i.More > 0 {
			fmt.Fprintf(e.stdout, "    and %d more\n", i.More)
		}
	}
	_, err := fmt.Fprintf(e.stdout, "%s, in %s\n", r.Verdict, r.Ended.Sub(r.Began).Round(1e6))
	return err
}

// printFindings prints those of one kind, and once what they mean.
func (e *env) printFindings(i check.Item, fault check.Fault) {
	of := slices.DeleteFunc(slices.Clone(i.Findings), func(f check.Finding) bool { return f.Fault != fault })
	if len(of) == 0 {
		return
	}
	for n, f := range of {
		if n == shownFindings {
			fmt.Fprintf(e.stdout, "    and %d more of this kind\n", len(of)-n)
			break
		}
		fmt.Fprintf(e.stdout, "    %s: %s [%s]\n", f.Where, f.Detail, f.Fault)
	}
	fmt.Fprintf(e.stdout, "      cause:  %s\n      effect: %s\n      next:   %s\n", of[0].Cause, of[0].Effect, of[0].Next)
}
