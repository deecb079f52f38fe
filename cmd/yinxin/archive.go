package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/archive"
	"yinxin/transport/api"
	"yinxin/transport/client"
)

func newArchiveCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{Use: "archive", Short: "find, fetch and check records, gather evidence, hand them over, keep and dispose of them (调阅、四性检测、举证、移交、保管)"}
	cmd.AddCommand(newArchiveSearchCmd(e), newArchiveGetCmd(e), newArchiveVerifyCmd(e), newArchiveCheckCmd(e),
		newArchiveEvidenceCmd(e), newArchiveExportCmd(e), newArchiveRenewCmd(e), newArchiveKeepingCmd(e), newArchiveDueCmd(e),
		newArchiveHoldCmd(e), newArchiveReleaseCmd(e), newArchiveDisposeCmd(e), newArchiveApproveCmd(e), newArchiveDeclineCmd(e),
		newArchiveDecisionsCmd(e))
	return cmd
}

func newArchiveSearchCmd(e *env) *cobra.Command {
	var l listFlags
	var q client.ArchiveQuery
	cmd := &cobra.Command{
		Use:   "search [TEXT]",
		Short: "find records by their text and by every element of their metadata",
		Long: "TEXT is looked for in title, metadata and the text of the document; words that are separated by spaces must all occur, and\n" +
			"one or two characters are enough (会议). Everything that is given must hold. --element asks for one more element of the\n" +
			"metadata by its name, with the whole of its value: 主送, 抄送, 签发人, 紧急程度, 行文方向, 主题词, 附件, 附注, 印发机关, 公开属性,\n" +
			"共享类别, 办理时限, 联合发文机关 and others. Newest first.",
		Example: "  yinxin archive search 通知\n  yinxin archive search '防汛 会议' --from 2026-01-01\n" +
			"  yinxin archive search --number '某办发〔2026〕7号'\n  yinxin archive search --element 主送=印新县财政局",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				q.Text = args[0]
			}
			q.Page = l.page()
			got, err := c.SearchArchive(cmd.Context(), q)
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, got, "")
			}
			for _, r := range got.Items {
				printLine(e.stdout, "%s  %s  %s  %s  %s\n", r.ID, r.ArchivalCode, r.Number, r.IssuedOn, r.Title)
			}
			return nil
		},
	}
	l.add(cmd)
	cmd.Flags().StringVar(&q.Number, "number", "", "the exact 发文字号")
	cmd.Flags().StringVar(&q.Title, "title", "", "a part of the title")
	cmd.Flags().StringVar(&q.Code, "code", "", "the exact 档号")
	cmd.Flags().StringVar(&q.Issuer, "issuer", "", "code of the issuing office")
	cmd.Flags().StringVar(&q.Kind, "kind", "", "文种, for instance 通知")
	cmd.Flags().StringVar(&q.Retention, "retention", "", "保管期限: Y, D30 or D10")
	cmd.Flags().StringVar(&q.Exchange, "exchange", "", "id of the exchange")
	cmd.Flags().StringVar(&q.DocumentSM3, "document-sm3", "", "digest of the sealed document (hex)")
	cmd.Flags().StringVar(&q.From, "from", "", "earliest 成文日期, yyyy-mm-dd")
	cmd.Flags().StringVar(&q.To, "to", "", "latest 成文日期, yyyy-mm-dd")
	cmd.Flags().StringArrayVar(&q.Elements, "element", nil, "NAME=VALUE of another element (may be repeated)")
	return cmd
}

func newArchiveGetCmd(e *env) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "get RECORD",
		Short: "fetch a record package",
		Long: "RECORD is an id, an archival code (档号) or a document number (发文字号). --out names a folder, which is made and must be empty, or a\n" +
			".zip file. 'yinxin verify' judges either.",
		Example: "  yinxin archive get '某办发〔2026〕7号' --out record/",
		Args:    exactly(1, "a record"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			return e.archiveGet(cmd.Context(), c, args[0], out, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&out, "out", "record", "folder or .zip file")
	return cmd
}

// maxAlike is how many records of one number are listed.
const maxAlike = 20

// resolveRecord finds a record by number where it is given as one.
func resolveRecord(ctx context.Context, c *client.Client, name string) (string, error) {
	if !strings.ContainsAny(name, "〔〕号") {
		return name, nil
	}
	got, err := c.SearchArchive(ctx, client.ArchiveQuery{Number: name, Page: client.Page{Limit: maxAlike}})
	if err != nil {
		return "", err
	}
	switch len(got.Items) {
	case 0:
		return "", refuse("not_found", exitNotFound, "no record of number %s", name)
	case 1:
		return got.Items[0].ID, nil
	}
	var rows strings.Builder
	for _, r := range got.Items {
		rows.WriteString("\n")
		printLine(&rows, "  %s  %s  %s  %s", r.ID, r.ArchivalCode, r.IssuedOn, r.Title)
	}
	return "", refuse("conflict", exitRefused, "several records of number %s; choose one by its id:%s", name, &rows)
}

func (e *env) archiveGet(ctx context.Context, c *client.Client, name, out string, asJSON bool) (err error) {
	id, err := resolveRecord(ctx, c, name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp("", "record-*.zip")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := c.ArchivePackage(ctx, id, f); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(out, ".zip") {
		if err := archive.Unpack(f, size, out); err != nil {
			return err
		}
		return e.result(asJSON, map[string]string{"record": id, "out": out}, "%s\n", out)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxInput))
	if err != nil {
		return err
	}
	if err := writeFile(out, data); err != nil {
		return err
	}
	return e.result(asJSON, map[string]string{"record": id, "out": out}, "%s\n", out)
}

func newArchiveVerifyCmd(e *env) *cobra.Command {
	cmd := newVerifyCmd(e)
	cmd.Use, cmd.Short = "verify PACKAGE...", "judge record packages, the same as 'yinxin verify'"
	return cmd
}

func newOrgCmd(e *env) *cobra.Command {
	cmd := &cobra.Command{Use: "org", Short: "offices and accounts"}
	cmd.AddCommand(newOrgListCmd(e), newOrgShowCmd(e), newOrgAddCmd(e), newOrgCertifyCmd(e), newOrgAccountCmd(e))
	return cmd
}

func newOrgListCmd(e *env) *cobra.Command {
	var l listFlags
	cmd := &cobra.Command{
		Use: "ls", Short: "list offices by code", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			got, err := c.Organisations(cmd.Context(), l.page())
			if err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, got, "")
			}
			for _, o := range got.Items {
				printLine(e.stdout, "%-12s %-8s %s\n", o.Code, o.Status, o.Name)
			}
			return nil
		},
	}
	l.add(cmd)
	return cmd
}

func newOrgAddCmd(e *env) *cobra.Command {
	var o api.Organisation
	cmd := &cobra.Command{
		Use:     "add CODE",
		Short:   "register an office whose keys the hub keeps: makes its keys and certificates",
		Example: "  yinxin org add OFFICE-C --name 'OFFICE NAME' --parent OFFICE-A",
		Args:    exactly(1, "a code"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			o.Code = args[0]
			made, err := c.Establish(cmd.Context(), o)
			if err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), made, "%s %s\n", made.Code, made.Name)
		},
	}
	cmd.Flags().StringVar(&o.Name, "name", "", "full name, as it stands on documents")
	cmd.Flags().StringArrayVar(&o.Aliases, "alias", nil, "a further name (may be repeated)")
	cmd.Flags().StringVar(&o.Parent, "parent", "", "code of the superior office")
	return cmd
}

func newOrgAccountCmd(e *env) *cobra.Command {
	var a api.Account
	cmd := &cobra.Command{
		Use:     "account ID",
		Short:   "make an account; its secret is shown once",
		Example: "  yinxin org account li --org OFFICE-C --name 李某 --role clerk",
		Args:    exactly(1, "an account id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			a.ID = args[0]
			made, err := c.AddAccount(cmd.Context(), a)
			if err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), made, "%s %s %s\n", made.ID, strings.Join(made.Roles, ","), made.Secret)
		},
	}
	cmd.Flags().StringVar(&a.Org, "org", "", "code of the office")
	cmd.Flags().StringVar(&a.Name, "name", "", "name of the person")
	cmd.Flags().StringArrayVar(&a.Roles, "role", nil, "clerk, approver, seal_keeper, archivist, custodian, supervisor, admin, security, auditor")
	return cmd
}
