package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"yinxin/archive"
	"yinxin/transport/api"
	"yinxin/transport/client"
)

func newArchiveExportCmd(e *env) *cobra.Command {
	var q client.ArchiveQuery
	var out string
	var all bool
	cmd := &cobra.Command{
		Use: "export [RECORD...]", Short: "write records into a folder to be handed over (移交)",
		Long: "Takes the records that are named (id, 档号 or 发文字号), or all that the flags select, and writes a batch: 说明文件.TXT,\n" +
			"文件目录.XML, 电子档案/YEAR/RETENTION/档号/ with each record package unpacked, 其他/ with the register. It is shaped after annex 2\n" +
			"of 电子档案移交与接收办法. --out names a folder, which is made and must be empty. Nothing is removed from the archive. What was\n" +
			"broken off has no 文件目录.XML: remove the folder and begin again.",
		Example: "  yinxin archive export --from 2026-01-01 --to 2026-12-31 --retention Y --out batch/\n" +
			"  yinxin archive check batch/电子档案/*/*/* --stage transfer --register batch/其他/电子档案移交与接收登记表.json --root root.pem --log log.vkey",
		RunE: func(cmd *cobra.Command, args []string) error {
			selects := q.From+q.To+q.Retention+q.Issuer+q.Kind != ""
			if (len(args) > 0 || all) == selects || len(args) > 0 && all {
				return usage("want records, or flags that select them, or --all")
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			return e.export(cmd, c, args, q, out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "batch", "folder")
	cmd.Flags().BoolVar(&all, "all", false, "every record")
	cmd.Flags().StringVar(&q.Issuer, "issuer", "", "code of the issuing office")
	cmd.Flags().StringVar(&q.Kind, "kind", "", "文种, for instance 通知")
	cmd.Flags().StringVar(&q.Retention, "retention", "", "保管期限: Y, D30 or D10")
	cmd.Flags().StringVar(&q.From, "from", "", "earliest 成文日期, yyyy-mm-dd")
	cmd.Flags().StringVar(&q.To, "to", "", "latest 成文日期, yyyy-mm-dd")
	return cmd
}

// exported is what archive export reports.
type exported struct {
	archive.Register
	Out string `json:"out"`
}

func (e *env) export(cmd *cobra.Command, c *client.Client, names []string, q client.ArchiveQuery, out string) error {
	batch, err := archive.NewTransfer(out)
	if err != nil {
		return err
	}
	n := 0
	add := func(id string) error {
		if n++; n%progressEvery == 0 {
			printLine(e.stderr, "%d\n", n)
		}
		return addRecord(cmd.Context(), c, batch, id)
	}
	for _, name := range names {
		id, err := resolveRecord(cmd.Context(), c, name)
		if err == nil {
			err = add(id)
		}
		if err != nil {
			return err
		}
	}
	if len(names) == 0 {
		if err := eachRecord(cmd.Context(), c, q, add); err != nil {
			return err
		}
	}
	if n == 0 {
		return refuse("not_found", exitNotFound, "no record is selected")
	}
	reg, err := batch.Close(e.now())
	if err != nil {
		return err
	}
	return e.result(jsonFlag(cmd), exported{reg, out}, "%s: %d records, %d bytes\n", out, reg.Records, reg.Bytes)
}

// eachRecord goes through all pages of a search.
func eachRecord(ctx context.Context, c *client.Client, q client.ArchiveQuery, do func(id string) error) error {
	q.Page.Limit = api.MaxLimit - 1
	for {
		got, err := c.SearchArchive(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range got.Items {
			if err := do(r.ID); err != nil {
				return err
			}
		}
		if got.Next == "" {
			return nil
		}
		q.Page.Cursor = got.Next
	}
}

// addRecord fetches a package through a file of its own, so that memory does not hold it.
func addRecord(ctx context.Context, c *client.Client, batch *archive.Transfer, id string) (err error) {
	f, err := os.CreateTemp("", "record-*.zip")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := c.ArchivePackage(ctx, id, f); err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = batch.Add(f, st.Size())
	return err
}
