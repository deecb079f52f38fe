package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
)

func newSealsUsesCmd(e *env) *cobra.Command {
	var l listFlags
	var out, of string
	cmd := &cobra.Command{
		Use: "uses SEAL", Short: "show what a seal was used for (用印记录), newest first", Args: exactly(1, "a seal"),
		Long: "Lists every use of a seal: the document before and after by its SM3, the places, who operated it, who approved it, and the dispatch\n" +
			"that was approved. An office sees its own seals, custodians and auditors see all. Each use is an entry of the evidence log\n" +
			"(SealApplied): --out writes for each its statement, ID.json, and to the seal's own office its receipt, ID.yxr, whose entry\n" +
			"names the SM3 of the statement (object_sm3). --of finds the use by which a file was sealed, the OFD or its PDF, or the unsealed OFD.",
		Example: "  yinxin seals uses SEAL --out uses\n  yinxin seals uses SEAL --of document.pdf",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			got, err := usesOf(cmd.Context(), c, args[0], of, l.page())
			if err != nil {
				return err
			}
			if err := e.writeUses(cmd.Context(), c, got.Items, out); err != nil {
				return err
			}
			if jsonFlag(cmd) {
				return e.result(true, got, "")
			}
			for _, u := range got.Items {
				pdf := ""
				if u.Copy != "" {
					pdf = "  PDF " + u.Copy
				}
				printLine(e.stdout, "%s  by %s  approved by %s (%s)  document %s  sealed %s%s  %s\n", moment(u.At), u.Operator, orNobody(u.Approver),
					u.Approval, u.Document, u.Sealed, pdf, placesText(u.Places))
			}
			return nil
		},
	}
	l.add(cmd)
	cmd.Flags().StringVar(&of, "of", "", "the use of this file alone: an OFD or a PDF, sealed or not")
	cmd.Flags().StringVar(&out, "out", "", "write statements and receipts into this folder")
	return cmd
}

// usesOf gives a page of the uses of a seal, or of all of them the one of a file.
func usesOf(ctx context.Context, c *client.Client, id, file string, p client.Page) (api.List[api.SealUse], error) {
	if file == "" {
		return c.SealUses(ctx, id, p)
	}
	var found api.List[api.SealUse]
	sum, err := digestFile(file)
	if err != nil {
		return found, err
	}
	digest := hex.EncodeToString(sum[:])
	for p.Limit = api.MaxLimit; ; {
		got, err := c.SealUses(ctx, id, p)
		if err != nil {
			return found, err
		}
		for _, u := range got.Items {
			if digest == u.Sealed || digest == u.Copy || digest == u.Document {
				found.Items = append(found.Items, u)
			}
		}
		if got.Next == "" || got.Next == p.Cursor {
			break
		}
		p.Cursor = got.Next
	}
	if len(found.Items) == 0 {
		return found, refuse(string(api.NotFound), exitNotFound, "no use of seal %s names %s (SM3 %s)", id, file, digest)
	}
	return found, nil
}

// writeUses writes the statement of each use, and its receipt where it is the caller's.
func (e *env) writeUses(ctx context.Context, c *client.Client, uses []api.SealUse, dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, u := range uses {
		if !transport.ValidID(u.ID) {
			return fmt.Errorf("the hub names the use %.60q", u.ID)
		}
		if err := writeFile(filepath.Join(dir, u.ID+".json"), []byte(u.Statement)); err != nil {
			return err
		}
		body, err := waitReceipt(ctx, c, u.ID)
		if p, ok := errors.AsType[*api.Problem](err); ok && p.Code == api.NotFound { // another office's
			continue
		}
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, u.ID+".yxr"), body); err != nil {
			return err
		}
	}
	return nil
}

func orNobody(who string) string {
	if who == "" {
		return "nobody"
	}
	return who
}

func placesText(all []api.SealPlace) string {
	var b strings.Builder
	for i, p := range all {
		if i > 0 {
			b.WriteString("; ")
		}
		printLine(&b, "page %d at %g,%g mm", p.Page, p.X, p.Y)
	}
	return b.String()
}
