package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"yinxin/crypto/gm"
	"yinxin/internal/durable"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/receipt"
)

func newArchiveKeepingCmd(e *env) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "keeping RECORD", Short: "show until when a record is kept, and what was decided about it", Args: exactly(1, "a record"),
		Long: "RECORD is an id or an archival code (档号). Shows the retention period, legal holds, disposals and supplements. --out writes\n" +
			"the archive's signed statements (of a disposal: the tombstone), the receipts that name them, and the supplements with the\n" +
			"receipts that came after the deposit; 'yinxin verify' judges each. Each statement is held against its receipt.",
		Example: "  yinxin archive keeping 'Z001-WS·2010·D10-0001' --out keeping/\n  yinxin verify keeping/* --root root.pem --log log.vkey",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			return e.showKeeping(cmd.Context(), c, args[0], out, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder to write statements, receipts and supplements into")
	return cmd
}

func (e *env) showKeeping(ctx context.Context, c *client.Client, name, out string, asJSON bool) error {
	kept, err := c.KeptRecord(ctx, name)
	if err != nil {
		return err
	}
	if out != "" {
		if err := saveKeeping(ctx, c, kept, out); err != nil {
			return err
		}
	}
	if asJSON {
		return e.result(true, kept, "")
	}
	r := kept.Record
	printLine(e.stdout, "%s  %s  %s  kept until %s\n", r.ID, r.ArchivalCode, cmp.Or(r.Title, "(disposed of)"), cmp.Or(kept.KeepUntil, "for ever"))
	for _, k := range kept.Decisions {
		e.printDecision(k)
	}
	for i, sum := range kept.Supplements {
		printLine(e.stdout, "supplement %d  %s\n", i+1, sum)
	}
	return nil
}

func (e *env) printDecision(k api.Keeping) {
	printLine(e.stdout, "%s  %s %s  by %s at %s: %s\n", k.ID, k.Kind, k.State, k.By, moment(k.At), k.Basis)
	if k.DecidedBy != "" {
		printLine(e.stdout, "  %s at %s: %s\n", k.DecidedBy, moment(*k.DecidedAt), k.Why)
	}
}

// saveKeeping writes statements with their receipts, and supplements. A statement that the log's entry does not name is not
// written: it would prove nothing.
func saveKeeping(ctx context.Context, c *client.Client, kept api.KeptRecord, out string) error {
	if err := durable.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, k := range kept.Decisions {
		for _, s := range []struct {
			name, entry string
			statement   []byte
		}{{k.Kind + "-" + k.ID, k.Entry, k.Statement}, {k.Kind + "-" + k.ID + "-end", k.EndEntry, k.EndStatement}} {
			if s.entry == "" {
				continue
			}
			body, err := c.WaitReceipt(ctx, s.entry)
			if err != nil {
				return fmt.Errorf("receipt %s: %w", s.entry, err)
			}
			r, err := receipt.Parse(body)
			if err != nil {
				return fmt.Errorf("receipt %s: %w", s.entry, err)
			}
			if r.Entry.Object != gm.SM3(s.statement) {
				return refuse("receipt_binding", exitFailed, "the receipt %s names another statement than that of %s", s.entry, k.ID)
			}
			if err := writeFile(filepath.Join(out, s.name+".yxr"), body); err != nil {
				return err
			}
			if err := writeFile(filepath.Join(out, s.name+".p7m"), s.statement); err != nil {
				return err
			}
		}
	}
	if kept.Record.DisposedAt != nil {
		return nil
	}
	for i := range kept.Supplements {
		var body bytes.Buffer
		if err := c.Supplement(ctx, kept.Record.ID, i+1, &body); err != nil {
			return fmt.Errorf("supplement %d: %w", i+1, err)
		}
		if err := writeFile(filepath.Join(out, fmt.Sprintf("supplement-%02d.zip", i+1)), body.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// decisionCmd makes a command that decides something for a reason.
func (e *env) decisionCmd(use, what, short, long string, wants string, act func(ctx context.Context, c *client.Client, id, basis string) (api.Keeping, error)) *cobra.Command {
	var basis string
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: exactly(1, what),
		Example: "  yinxin archive " + use + " --basis 'TEXT'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if basis == "" && wants != "" {
				return usage("want --basis: %s", wants)
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			k, err := act(cmd.Context(), c, args[0], basis)
			if err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), k, "%s %s\n", k.ID, k.State)
		},
	}
	cmd.Flags().StringVar(&basis, "basis", "", cmp.Or(wants, "why, one line"))
	return cmd
}

func newArchiveHoldCmd(e *env) *cobra.Command {
	return e.decisionCmd("hold RECORD", "a record", "keep a record whatever its retention period says (冻结)",
		"An archivist of the keeping office places a legal hold: until it is released, nobody can have the record disposed of. It is\n"+
			"signed by the archive and logged.", "the case that it is for",
		func(ctx context.Context, c *client.Client, id, basis string) (api.Keeping, error) {
			return c.Hold(ctx, id, basis)
		})
}

func newArchiveReleaseCmd(e *env) *cobra.Command {
	return e.decisionCmd("release HOLD", "the id of a hold", "end a legal hold (解冻)",
		"Another person than who placed it, an archivist or an approver of the keeping office.", "why the record need not be held any more",
		func(ctx context.Context, c *client.Client, id, basis string) (api.Keeping, error) {
			return c.ReleaseHold(ctx, id, basis)
		})
}

func newArchiveDisposeCmd(e *env) *cobra.Command {
	var backups string
	cmd := e.decisionCmd("dispose RECORD", "a record", "propose that a record is destroyed after its retention period (销毁鉴定)",
		"An archivist of the keeping office proposes what an appraisal came to; an approver of the same office, another person, decides\n"+
			"('archive approve', 'archive decline'). Refused before the retention period ends and while there is a legal hold. What is\n"+
			"destroyed: the package, its supplements, the description and full text in the index, the envelope, and the sender's draft where\n"+
			"this hub hosts it. What stays: id, 档号, digests, the evidence in the log, and a tombstone that the archive signs.",
		"the appraisal that it rests on",
		func(ctx context.Context, c *client.Client, id, basis string) (api.Keeping, error) {
			return c.ProposeDisposal(ctx, id, api.DisposalProposal{Basis: basis, BackupsUntil: backups})
		})
	cmd.Flags().StringVar(&backups, "backups-until", "", "day (yyyy-mm-dd) after which no backup holds the record any more; it stands in the tombstone")
	return cmd
}

func newArchiveApproveCmd(e *env) *cobra.Command {
	return e.decisionCmd("approve DISPOSAL", "the id of a proposal", "approve the disposal of a record; it cannot be undone",
		"An approver of the keeping office, another person than who proposed it. The hub destroys the record at once.", "",
		func(ctx context.Context, c *client.Client, id, basis string) (api.Keeping, error) {
			return c.ApproveDisposal(ctx, id, basis)
		})
}

func newArchiveDeclineCmd(e *env) *cobra.Command {
	return e.decisionCmd("decline DISPOSAL", "the id of a proposal", "decline the disposal of a record", "An approver of the keeping office.",
		"why the record is kept",
		func(ctx context.Context, c *client.Client, id, basis string) (api.Keeping, error) {
			return c.DeclineDisposal(ctx, id, basis)
		})
}

func newArchiveDueCmd(e *env) *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "due", Short: "list records whose retention period has ended (到期鉴定)", Args: exactly(0, "no arguments"),
		Long:    "At most 200 of each 保管期限, the newest first. Records under a legal hold are listed too.",
		Example: "  yinxin archive due\n  yinxin archive due --at 2037-01-01 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			got, err := c.DueRecords(cmd.Context(), at)
			if err != nil || jsonFlag(cmd) {
				return e.resultOr(err, got)
			}
			for _, r := range got.Items {
				printLine(e.stdout, "%s  %s  %s  %s  %s\n", r.ID, r.ArchivalCode, r.Number, r.IssuedOn, r.Title)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "the day to look from, yyyy-mm-dd (default: today)")
	return cmd
}

// resultOr prints a result as JSON unless there is an error.
func (e *env) resultOr(err error, v any) error {
	if err != nil {
		return err
	}
	return e.result(true, v, "")
}

func newArchiveDecisionsCmd(e *env) *cobra.Command {
	var l listFlags
	var kind, state string
	cmd := &cobra.Command{
		Use: "decisions", Short: "list legal holds or disposals of all records, newest first", Args: exactly(0, "no arguments"),
		Example: "  yinxin archive decisions --state proposed\n  yinxin archive decisions --kind hold --state held",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			got, err := c.Keepings(cmd.Context(), kind, state, l.page())
			if err != nil || jsonFlag(cmd) {
				return e.resultOr(err, got)
			}
			for _, k := range got.Items {
				e.printDecision(k)
			}
			return nil
		},
	}
	l.add(cmd)
	cmd.Flags().StringVar(&kind, "kind", "disposal", "hold or disposal")
	cmd.Flags().StringVar(&state, "state", "", "held, released; proposed, approved, declined, destroyed")
	return cmd
}
