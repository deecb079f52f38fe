package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/archive/witness"
	"yinxin/crypto/cert"
	"yinxin/document/fonts"
	"yinxin/document/pdf"
	"yinxin/internal/verify"
	"yinxin/transport"
	"yinxin/transport/client"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// evidenceFlags are the flags of archive evidence.
type evidenceFlags struct {
	verifyFlags
	out, witness string
}

func newArchiveEvidenceCmd(e *env) *cobra.Command {
	var f evidenceFlags
	cmd := &cobra.Command{
		Use: "evidence RECORD", Short: "gather everything that bears on a record in a dispute into one bundle", Args: exactly(1, "a record"),
		Long: "RECORD is an id, an archival code (档号) or a document number (发文字号). The bundle is a zip file with the record package byte\n" +
			"for byte, the receipts behind it, the newest checkpoint of the evidence log with proofs that it extends the tree of every\n" +
			"receipt, the revocation data of --crl and --ocsp, and a report to be read. 'yinxin verify' judges it offline, and believes\n" +
			"nobody who put it together. Without --root and --log the report is made with what the hub states. With --witness-url the\n" +
			"checkpoint is the one that this witness cosigned (its key: --witness). The exit code is that of the verdict.",
		Example: "  yinxin archive evidence '某办发〔2026〕7号' --out dispute.zip --root root.pem --log log.vkey\n" +
			"  yinxin verify dispute.zip --root root.pem --log log.vkey",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			g, err := e.gather(cmd.Context(), c, args[0], &f)
			if err != nil {
				return err
			}
			return g.finish(e, cmd, f.out)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.out, "out", "evidence.zip", "the bundle")
	cmd.Flags().StringVar(&f.witness, "witness-url", "", "a witness of the log")
	return cmd
}

// gathering is a bundle while it is put together.
type gathering struct {
	o     verify.Options
	lang  verdict.Language
	list  archive.Bundle
	files []archive.File
	// inside are the entries whose receipts lie in the package; sizes are those of the trees that receipts were built against.
	inside map[string]bool
	sizes  map[uint64]bool
}

func (g *gathering) add(name string, role archive.Role, data []byte) {
	g.files = append(g.files, archive.BytesFile(name, role, data))
}

// gather fetches all parts of the bundle.
func (e *env) gather(ctx context.Context, c *client.Client, name string, f *evidenceFlags) (*gathering, error) {
	id, err := resolveRecord(ctx, c, name)
	if err != nil {
		return nil, err
	}
	g := &gathering{inside: map[string]bool{}, sizes: map[uint64]bool{}}
	if g.o, err = f.options(e); err != nil {
		return nil, err
	}
	if how, err := f.form(false); err != nil {
		return nil, err
	} else if g.lang = how.lang; g.lang == "" {
		g.lang = verdict.Chinese
	}
	g.list.MadeAt = e.now().UTC()
	for _, step := range []func(context.Context, *client.Client, string, *evidenceFlags) error{g.record, g.receipts, g.trust, g.log, g.revocation} {
		if err := step(ctx, c, id, f); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// record takes in the package and what it says.
func (g *gathering) record(ctx context.Context, c *client.Client, id string, _ *evidenceFlags) error {
	var zipped bytes.Buffer
	if err := c.ArchivePackage(ctx, id, &zipped); err != nil {
		return err
	}
	content, err := archive.OpenZip(bytes.NewReader(zipped.Bytes()), int64(zipped.Len()))
	if err != nil {
		return fmt.Errorf("package of %s: %w", id, err)
	}
	raw, err := fs.ReadFile(content, archive.ManifestName)
	if err != nil {
		return fmt.Errorf("package of %s: %w", id, err)
	}
	m, err := archive.ParseManifest(raw)
	if err != nil {
		return fmt.Errorf("package of %s: %w", id, err)
	}
	g.list.Record, g.list.Exchange, g.list.DocumentSM3 = m.Record.ID, m.Record.Exchange, m.Record.DocumentSM3
	g.add("record.zip", archive.RolePackage, zipped.Bytes())
	for _, entry := range m.Files {
		if entry.Role != archive.RoleEvidence {
			continue
		}
		data, err := fs.ReadFile(content, entry.Path)
		if err != nil {
			return fmt.Errorf("package of %s: %w", id, err)
		}
		if err := g.receipt(data); err != nil {
			return fmt.Errorf("package of %s: %s: %w", id, entry.Path, err)
		}
	}
	return nil
}

// receipt notes what a receipt is of.
func (g *gathering) receipt(data []byte) error {
	r, err := receipt.Parse(data)
	if err != nil {
		return err
	}
	then, err := tlog.ParseCheckpoint(r.Checkpoint)
	if err != nil {
		return err
	}
	g.inside[r.Entry.ID], g.sizes[then.Size] = true, true
	if r.Entry.Event == transport.SubmissionAcceptance {
		g.list.EnvelopeSM3 = r.Entry.Object.String()
	}
	return nil
}

// receipts takes in those that are not in the package.
func (g *gathering) receipts(ctx context.Context, c *client.Client, id string, _ *evidenceFlags) error {
	all, err := c.RecordEvidence(ctx, id)
	if err != nil {
		return err
	}
	for i, entry := range all.Items {
		if g.inside[entry.ID] {
			continue
		}
		data, err := c.WaitReceipt(ctx, entry.ID)
		if err != nil {
			return fmt.Errorf("receipt %s: %w", entry.ID, err)
		}
		if err := g.receipt(data); err != nil {
			return fmt.Errorf("receipt %s: %w", entry.ID, err)
		}
		g.add(fmt.Sprintf("receipts/%02d-%s.yxr", i+1, entry.Event), archive.RoleEvidence, data)
	}
	return nil
}

// trust takes in roots and log keys, for information; where none were given, those that the hub states.
func (g *gathering) trust(ctx context.Context, c *client.Client, _ string, f *evidenceFlags) error {
	if len(g.o.Policy.Roots) == 0 {
		pem, err := c.Roots(ctx)
		if err != nil {
			return err
		}
		if g.o.Policy.Roots, err = cert.ParsePEM(pem); err != nil {
			return fmt.Errorf("the hub's roots: %w", err)
		}
	}
	if len(g.o.Logs) == 0 {
		text, err := c.LogKey(ctx)
		if err != nil {
			return err
		}
		key, err := tlog.ParseVerifier(string(text))
		if err != nil {
			return fmt.Errorf("the hub's log key: %w", err)
		}
		g.o.Logs = append(g.o.Logs, key)
	}
	var roots bytes.Buffer
	for _, r := range g.o.Policy.Roots {
		roots.Write(r.PEM())
	}
	g.add("trust/root.pem", archive.RoleTrust, roots.Bytes())
	for i, key := range g.o.Logs {
		g.add(fmt.Sprintf("trust/log-%d.vkey", i+1), archive.RoleTrust, []byte(key.String()+"\n"))
	}
	for i, key := range g.o.Witnesses {
		g.add(fmt.Sprintf("trust/witness-%d.vkey", i+1), archive.RoleTrust, []byte(key.String()+"\n"))
	}
	if f.witness != "" && len(g.o.Witnesses) == 0 {
		return usage("--witness-url wants the witness's key with --witness")
	}
	return nil
}

// log takes in the newest checkpoint and proofs that it extends the trees of the receipts.
func (g *gathering) log(ctx context.Context, c *client.Client, _ string, f *evidenceFlags) error {
	now, note, err := published(ctx, c, g.o.Logs)
	if err != nil {
		return err
	}
	if f.witness != "" {
		if now, note, err = g.cosigned(ctx, f.witness); err != nil {
			return err
		}
	}
	proofs := make([]archive.Consistency, 0, len(g.sizes))
	for size := range g.sizes {
		_, hashes, err := tlog.ProveConsistency(ctx, c, size, now)
		if reason, found := tlog.ReasonOf(err); found {
			return refuse(string(reason), exitFailed, "prove that the log extends size %d: %w", size, err)
		}
		if err != nil {
			return fmt.Errorf("prove that the log extends size %d: %w", size, err)
		}
		p := archive.Consistency{Size: size, Hashes: make([]string, len(hashes))}
		for i, h := range hashes {
			p.Hashes[i] = h.String()
		}
		proofs = append(proofs, p)
	}
	slices.SortFunc(proofs, func(a, b archive.Consistency) int { return cmp.Compare(a.Size, b.Size) })
	text, err := json.MarshalIndent(proofs, "", " ")
	if err != nil {
		return err
	}
	g.add("log/checkpoint", archive.RoleCheckpoint, note)
	g.add("log/consistency.json", archive.RoleConsistency, text)
	return nil
}

// cosigned asks a witness for the newest tree that it has seen.
func (g *gathering) cosigned(ctx context.Context, address string) (tlog.Checkpoint, []byte, error) {
	w := &witness.Client{URL: address, HTTP: &http.Client{Timeout: witness.Timeout}}
	note, err := w.Checkpoint(ctx, g.o.Logs[0].Name())
	if err != nil {
		return tlog.Checkpoint{}, nil, witnessFault(err)
	}
	now, err := tlog.OpenCheckpoint(note, tlog.Keys(g.o.Logs...)...)
	if err != nil {
		return now, nil, fmt.Errorf("the witness's checkpoint: %w", err)
	}
	for size := range g.sizes {
		if size > now.Size {
			return now, nil, refuse(string(verdict.WitnessMissing), exitUnreachable,
				"the witness has cosigned %d entries, the record's receipts need %d: try again when it has seen more", now.Size, size)
		}
	}
	return now, note, nil
}

// revocation takes in the lists and responses as they are.
func (g *gathering) revocation(_ context.Context, _ *client.Client, _ string, f *evidenceFlags) error {
	for i, path := range slices.Concat(f.crls, f.ocsp) {
		data, err := readInput(path)
		if err != nil {
			return err
		}
		g.add(fmt.Sprintf("revocation/%02d%s", i+1, filepath.Ext(path)), archive.RoleRevocation, data)
	}
	return nil
}

// gathered is what archive evidence reports.
type gathered struct {
	Record  string         `json:"record"`
	Out     string         `json:"out"`
	Files   int            `json:"files"`
	Verdict verdict.Status `json:"verdict"`
	Reason  verdict.Reason `json:"reason"`
}

// finish judges the bundle, adds the report and writes it. What was judged is the bundle without its report.
func (g *gathering) finish(e *env, cmd *cobra.Command, out string) error {
	var bare bytes.Buffer
	if err := archive.WriteBundle(&bare, g.list, g.files); err != nil {
		return err
	}
	name := path.Base(filepath.ToSlash(out))
	report, err := verify.Files([]verify.Input{{Name: name, Data: bare.Bytes()}}, g.o)
	if err != nil {
		return err
	}
	if err := g.addReport(report); err != nil {
		return err
	}
	var whole bytes.Buffer
	if err := archive.WriteBundle(&whole, g.list, g.files); err != nil {
		return err
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, refuse("conflict", exitRefused, "%s exists", out))
	}
	if err := writeFile(out, whole.Bytes()); err != nil {
		return err
	}
	r := gathered{g.list.Record, out, len(g.files) + 1, report.Verdict, report.Files[0].Reason}
	if !jsonFlag(cmd) {
		printFiles(e.stdout, report.Files)
	}
	if err := e.result(jsonFlag(cmd), r, "%s\n", out); err != nil {
		return err
	}
	if code := report.Verdict.ExitCode(); code != exitDone {
		return exitStatus(code)
	}
	return nil
}

// addReport writes the report for programs, for people, and to be printed.
func (g *gathering) addReport(report *verdict.Report) error {
	asJSON, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return err
	}
	var text, printed bytes.Buffer
	if err := report.WriteText(&text, g.lang); err != nil {
		return err
	}
	o := pdf.ReportOptions{Language: g.lang, At: g.list.MadeAt, Faces: fonts.Embedded()}
	if err := pdf.WriteReport(&printed, report, o); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	g.add("report/report.json", archive.RoleReport, asJSON)
	g.add("report/report.txt", archive.RoleReport, text.Bytes())
	g.add("report/report.pdf", archive.RoleReport, printed.Bytes())
	return nil
}
