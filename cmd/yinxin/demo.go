package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"yinxin/examples"
	"yinxin/internal/durable"
	"yinxin/internal/embedded"
)

func newDemoCmd(e *env) *cobra.Command {
	var out, store string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "run one document's whole path in one process",
		Long: "Sets up a sender, two recipients and an archive in a folder of its own, composes a document, has it approved, sealed, signed,\n" +
			"encrypted and submitted, delivers it, opens it, signs for it, archives it, retrieves it and verifies everything. Leaves\n" +
			"document.ofd, document.pdf, exchange.yxe, receipts/*.yxr, archive/, root.pem, log.vkey and report.json in the output folder.\n" +
			"Its offices are invented, its certificates name no revocation source and its keys are thrown away.\n" +
			"With --keys vault:ADDR/MOUNT every private key is made and used in the gm engine of that Vault, under names of this run\n" +
			"alone, and destroyed at the end. The token is VAULT_TOKEN, or the file .vault-token in the home folder.",
		Example: "  yinxin demo\n  yinxin demo --out somewhere --json",
		Args:    exactly(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return e.demo(cmd.Context(), out, store, jsonFlag(cmd)) },
	}
	cmd.Flags().StringVar(&store, "keys", "", "keep the keys in vault:ADDR/MOUNT (default: a file store that is thrown away)")
	cmd.Flags().StringVar(&out, "out", "yinxin-demo", "folder for what the path leaves behind; replaced if a demo made it")
	return cmd
}

// demoMark is the file by which a folder is known as made by demo, so that it may be replaced.
const demoMark = ".yinxin-demo"

func (e *env) demo(ctx context.Context, out, store string, asJSON bool) (err error) {
	start := time.Now()
	held, err := clearDemo(ctx, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	work, err := os.MkdirTemp("", "yinxin-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	sum, err := e.walk(ctx, work, out, store)
	if err != nil {
		return err
	}
	sum.Took = time.Since(start).Round(time.Millisecond).String()
	report, err := json.MarshalIndent(sum.Report, "", " ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(out, "report.json"), append(report, '\n')); err != nil {
		return err
	}
	return e.printSummary(sum, out, asJSON)
}

// clearDemo makes room: what an earlier demo left is removed, anything else stops the command, and so does a demo that is
// at work in the folder. The mark stays locked until it is released.
func clearDemo(ctx context.Context, out string) (*durable.Held, error) {
	entries, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(out, 0o755)
	}
	if err != nil {
		return nil, err
	}
	made := len(entries) == 0
	for _, f := range entries {
		made = made || f.Name() == demoMark
	}
	if !made {
		return nil, refuse("not_empty", exitRefused, "%s is not empty and was not made by demo; choose another folder with --out", out)
	}
	held, err := durable.Lock(ctx, filepath.Join(out, demoMark), true, 0)
	if errors.Is(err, durable.ErrLocked) {
		return nil, refuse("busy", exitRefused, "another demo is at work in %s; choose another folder with --out", out)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"document.ofd", "document.pdf", "exchange.yxe", "receipts", "archive", "root.pem", "log.vkey", "report.json"} {
		if err := os.RemoveAll(filepath.Join(out, name)); err != nil {
			return nil, errors.Join(err, held.Close())
		}
	}
	return held, nil
}

// walk opens a system in a throw-away folder and takes the whole path through it.
func (e *env) walk(ctx context.Context, work, out, keyStore string) (sum *embedded.Summary, err error) {
	setup, draft, err := demoFiles()
	if err != nil {
		return nil, err
	}
	store, discard, err := e.demoKeys(ctx, work, keyStore)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, discard()) }()
	system, err := embedded.Open(ctx, embedded.Config{
		Dir: filepath.Join(work, "hub"), Keys: store, Code: "HUB", Archive: setup.ArchiveCode(), Fonds: "Z001",
		Origin: "demo.yinxin/log", Authority: "yinxin demo root", Clock: e.now, Rand: e.rand,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	walk := &embedded.Walk{System: system, Setup: setup, Draft: draft, Attachments: exampleAttachments, Out: out, Step: e.step}
	return runWalk(ctx, system, walk)
}

// runWalk runs the system's own work beside the walk and stops it afterwards.
func runWalk(ctx context.Context, system *embedded.System, walk *embedded.Walk) (*embedded.Summary, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return system.Run(ctx) })
	sum, err := walk.Run(ctx)
	stop()
	return sum, errors.Join(err, g.Wait())
}

func (e *env) step(name string, took time.Duration) {
	fmt.Fprintf(e.stderr, "%8s  %s\n", took.Round(100*time.Microsecond), name)
}

func demoFiles() (*embedded.Setup, []byte, error) {
	data, err := examples.Files.ReadFile("exchange.yaml")
	if err != nil {
		return nil, nil, err
	}
	setup, err := embedded.ParseSetup(data)
	if err != nil {
		return nil, nil, err
	}
	draft, err := examples.Files.ReadFile(setup.Demo.Document)
	return setup, draft, err
}

// exampleAttachments reads the files that an example document names.
func exampleAttachments(name string) ([]byte, error) { return examples.Files.ReadFile(name) }

func (e *env) printSummary(sum *embedded.Summary, out string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(sum)
	}
	fmt.Fprintf(e.stdout, "%s %s\n", sum.Number, sum.Title)
	fmt.Fprintf(e.stdout, "exchange %s, record %s, signed for by %s\n", sum.Exchange, sum.Record, strings.Join(sum.Signed, ", "))
	fmt.Fprintf(e.stdout, "%d receipts, log %s with %d entries, everything %s in %s\n",
		sum.Receipts, sum.LogOrigin, sum.LogSize, sum.Verdict, sum.Took)
	fmt.Fprintf(e.stdout, "left in %s; check it with:\n", out)
	fmt.Fprintf(e.stdout, "  yinxin verify %s --root %s --log %s\n",
		strings.Join([]string{filepath.Join(out, "document.ofd"), filepath.Join(out, "document.pdf"), filepath.Join(out, "receipts", "*.yxr"), filepath.Join(out, "archive")}, " "),
		filepath.Join(out, "root.pem"), filepath.Join(out, "log.vkey"))
	return nil
}
