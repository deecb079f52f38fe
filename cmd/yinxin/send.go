package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/gm"
	"yinxin/document"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/envelope"
)

// sendFlags are the flags of send.
type sendFlags struct {
	to, cc  []string
	seal    string
	receipt string
	copies  int
	// meta is the YAML that goes with a .docx.
	meta   string
	refers *api.Reference
}

// add are the flags of whatever sends a draft.
func (f *sendFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.to, "to", nil, "code of an office addressed as 主送 (may be repeated)")
	cmd.Flags().StringArrayVar(&f.cc, "cc", nil, "code of an office addressed as 抄送 (may be repeated)")
	cmd.Flags().StringVar(&f.seal, "seal", "", "id of the seal; may be left out where the office has one")
	cmd.Flags().StringVar(&f.meta, "meta", "", "YAML with the elements that a .docx does not state (default: NAME.meta.yaml beside it)")
	cmd.Flags().IntVar(&f.copies, "copies", 0, "official copies that each recipient may print (default: the hub's rule)")
}

func newSendCmd(e *env) *cobra.Command {
	var f sendFlags
	cmd := &cobra.Command{
		Use:   "send DOC.yaml|DOC.docx|F.yxe",
		Short: "send an official document through the hub",
		Long: "Of a draft in YAML, or a .docx as compose reads it: the hosted office composes it and asks for its seal; it leaves once\n" +
			"another person approved it ('yinxin approve'). What a .docx holds and the document does not is listed on stderr. Of a packed envelope (.yxe), for offices that keep their own keys: it is submitted as it is, and sending\n" +
			"the same file again gives the same exchange and the same receipt. A large one is sent in pieces: what was cut off goes on where\n" +
			"it ended, also when the command is called again.",
		Example: "  yinxin send examples/notice.yaml --to OFFICE-A --cc OFFICE-B\n  yinxin send notice.docx --meta notice.meta.yaml --to OFFICE-A\n  yinxin send exchange.yxe --receipt accepted.yxr",
		Args:    exactly(1, "a draft or an envelope"),
		RunE: func(cmd *cobra.Command, args []string) error {
			large, err := openLarge(args[0])
			if err != nil {
				return err
			}
			if large != nil {
				return e.sendLarge(cmd.Context(), large, f, jsonFlag(cmd))
			}
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			if bytes.HasPrefix(data, []byte(envelope.Magic)) {
				return e.sendEnvelope(cmd.Context(), c, args[0], data, f, jsonFlag(cmd))
			}
			return e.sendDraft(cmd.Context(), c, args[0], data, f, jsonFlag(cmd))
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.receipt, "receipt", "", "of an envelope: wait for the receipt and write it here")
	return cmd
}

// sendDraft checks the draft here first, so that a classified one does not leave this machine.
func (e *env) sendDraft(ctx context.Context, c *client.Client, path string, data []byte, f sendFlags, asJSON bool) error {
	if err := checkCopies(f.copies); err != nil {
		return err
	}
	doc, left, err := parseDraft(path, data, f.meta)
	if err != nil {
		return fmt.Errorf("send %s: %w", path, recorded(ctx, c, err))
	}
	for _, o := range left {
		fmt.Fprintf(e.stderr, "%s: not as in the file: %s\n", path, o)
	}
	if isWordFile(path, data) {
		if data, err = document.Marshal(doc); err != nil {
			return fmt.Errorf("send %s: %w", path, err)
		}
	}
	to, cc := f.to, f.cc
	if len(to)+len(cc) == 0 && f.refers == nil { // a correction goes to everybody who has the earlier document
		to, cc = codes(doc.To), codes(doc.CC)
	}
	req := api.DispatchRequest{Draft: string(data), Seal: f.seal, To: to, CC: cc, Refers: f.refers, Copies: f.copies}
	if req.Attachments, err = filesOf(doc, path); err != nil {
		return recorded(ctx, c, err)
	}
	d, err := c.AskForSeal(ctx, req)
	if err != nil {
		return err
	}
	for _, w := range d.Warnings {
		fmt.Fprintf(e.stderr, "%s: %s\n", path, w)
	}
	return e.result(asJSON, d, "%s\n  waits for approval by another person: yinxin approve %s\n  exchange %s\n", d.Title, d.ID, d.Exchange)
}

// filesOf are the files that a draft names: pictures that came with it, as in a .docx, and what lies beside it.
func filesOf(doc *document.Document, path string) ([]api.NamedFile, error) {
	own := make(map[string][]byte)
	texts := [][]document.Paragraph{doc.Body}
	for _, a := range doc.Annexes {
		texts = append(texts, a.Body)
	}
	for _, list := range texts {
		for _, p := range list {
			if p.Picture != nil && p.Picture.Data != nil {
				own[p.Picture.File] = p.Picture.Data
			}
		}
	}
	read := filesBeside(path)
	var out []api.NamedFile
	for _, name := range doc.Files() {
		content, came := own[name]
		if !came {
			var err error
			if content, err = read(name); err != nil {
				return nil, fmt.Errorf("file %s of the draft: %w", name, err)
			}
		}
		out = append(out, api.NamedFile{Name: name, Data: content})
	}
	return out, nil
}

// recorded has the hub record that a classified document was refused; the document stays here.
func recorded(ctx context.Context, c *client.Client, err error) error {
	if errors.Is(err, document.ErrClassified) {
		err = errors.Join(err, c.ReportRefused(ctx, api.Refused{Code: api.ClassifiedContent}))
	}
	return err
}

// codes are the addressees that the draft itself names by code.
func codes(offices []document.Office) []string {
	var out []string
	for _, o := range offices {
		if o.Code != "" {
			out = append(out, o.Code)
		}
	}
	return out
}

// sendEnvelope submits a packed envelope. The key is the digest of its bytes: a repeat, from another process too, is known.
func (e *env) sendEnvelope(ctx context.Context, c *client.Client, path string, data []byte, f sendFlags, asJSON bool) error {
	sum := gm.SM3(data)
	got, err := c.SubmitBytes(ctx, fmt.Sprintf("sm3-%x", sum), data)
	if err != nil {
		return fmt.Errorf("send %s: %w", path, err)
	}
	return e.sent(ctx, c, got, f, asJSON)
}

// sent waits for the receipt, where that is wanted, and tells what came of a submission.
func (e *env) sent(ctx context.Context, c *client.Client, got api.Submission, f sendFlags, asJSON bool) error {
	if f.receipt != "" {
		body, err := waitReceipt(ctx, c, got.Exchange.Entry)
		if err != nil {
			return err
		}
		if err := writeFile(f.receipt, body); err != nil {
			return err
		}
	}
	state := "accepted"
	if got.Repeated {
		state = "accepted before"
	}
	return e.result(asJSON, got, "%s: exchange %s, evidence %s\n", state, got.Exchange.ID, got.Exchange.Entry)
}

// receiptPatience is how long a command waits for a receipt to be built.
const receiptPatience = 30 * time.Second

func waitReceipt(ctx context.Context, c *client.Client, entry string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, receiptPatience)
	defer cancel()
	body, err := c.WaitReceipt(ctx, entry)
	if errors.Is(err, client.ErrPending) {
		return nil, refuse("receipt_pending", exitUnreachable, "the receipt of %s is not built yet; ask again", entry)
	}
	return body, err
}

func newApproveCmd(e *env) *cobra.Command {
	var decline, preview, comment string
	var approvals []string
	cmd := &cobra.Command{
		Use:   "approve [DISPATCH]",
		Short: "list what waits for approval, or approve the sealing of one document",
		Long: "Without an argument lists what waits. With one approves exactly the unsealed file and the digest that were listed: the hosted office then seals, encrypts,\n" +
			"signs and submits. Nobody approves what they asked for themselves. --preview writes the unsealed pages first and decides nothing.\n" +
			"--decline takes an approval back, too, as long as the document is not sealed; what waits for that is listed as well.\n" +
			"Where the sealing key signs only what is approved in its store (keys create --approval-required), the list names the key and two\n" +
			"digests, and --preview writes a .plan beside each file, once it has computed the same digests from what it wrote. Both are\n" +
			"approved there first (keys approve-seal), and the two IDs go with the approval here (--approval). Each serves once.",
		Example: "  yinxin approve\n  yinxin approve ID --preview look/\n  yinxin approve ID\n" +
			"  yinxin keys approve-seal office.yxzf.seal --prepared look/document.ofd.plan --document look/document.ofd --keys vault:$VAULT_ADDR/gm\n" +
			"  yinxin approve ID --approval OFD-APPROVAL --approval PDF-APPROVAL",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return e.listDispatches(cmd.Context(), c, jsonFlag(cmd))
			}
			if preview != "" {
				return e.previewDispatch(cmd.Context(), c, args[0], preview)
			}
			if decline != "" && len(approvals) > 0 {
				return usage("--approval goes with an approval, not with --decline")
			}
			in := api.Decision{Approve: decline == "", Comment: cmp.Or(decline, comment), KeyApprovals: approvals}
			return e.decide(cmd.Context(), c, args[0], in, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&preview, "preview", "", "write the unsealed OFD and PDF into this folder and decide nothing")
	cmd.Flags().StringVar(&decline, "decline", "", "decline, with this reason")
	cmd.Flags().StringVar(&comment, "comment", "", "a comment for the record")
	cmd.Flags().StringArrayVar(&approvals, "approval", nil, "the ID of an approval in the key store, one for each digest of the sealing key")
	return cmd
}

func (e *env) listDispatches(ctx context.Context, c *client.Client, asJSON bool) error {
	got, err := c.Dispatches(ctx, "pending", client.Page{})
	if err != nil {
		return err
	}
	approved, err := c.Dispatches(ctx, "approved", client.Page{})
	if err != nil {
		return err
	}
	got.Items = append(got.Items, approved.Items...)
	if asJSON {
		return e.result(true, got, "")
	}
	for _, d := range got.Items {
		printLine(e.stdout, "%s  %-8s by %s  to %s  file %s  digest %s  %s\n", d.ID, d.State, d.Requester, strings.Join(append(d.To, d.CC...), ","),
			d.Unsealed, d.Digest, d.Title)
		if k := d.SealingKey; k != nil && d.State == "pending" {
			printLine(e.stdout, "  key %s, version %d, wants approvals of  ofd %s  pdf %s\n", k.Name, k.Version, k.OFD, k.PDF)
		}
	}
	if len(got.Items) == 0 {
		fmt.Fprintln(e.stderr, "nothing waits for approval")
	}
	return nil
}

func (e *env) previewDispatch(ctx context.Context, c *client.Client, id, dir string) error {
	d, err := c.Dispatch(ctx, id)
	if err != nil {
		return err
	}
	files, err := c.Preview(ctx, id)
	if err != nil {
		return err
	}
	if err := e.saveFiles(files, dir); err != nil || d.SealingKey == nil || d.State != "pending" {
		return err
	}
	return e.savePlans(ctx, c, d, dir)
}

// saveFiles writes files that came from a hub under their plain names, replacing nothing.
func (e *env) saveFiles(files []api.NamedFile, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if !envelope.SafeName(f.Name) {
			return refuse("path", exitFailed, "the hub sent a file named %q", f.Name)
		}
		if _, err := os.Lstat(filepath.Join(dir, f.Name)); !errors.Is(err, fs.ErrNotExist) {
			return refuse("exists", exitRefused, "%s is there already", filepath.Join(dir, f.Name))
		}
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := writeFile(path, f.Data); err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, path)
	}
	return nil
}

func (e *env) decide(ctx context.Context, c *client.Client, id string, in api.Decision, asJSON bool) error {
	d, err := c.Dispatch(ctx, id)
	if err != nil {
		return err
	}
	in.Unsealed, in.Digest = d.Unsealed, d.Digest
	if d, err = c.Decide(ctx, id, in); err != nil {
		return err
	}
	return e.result(asJSON, d, "%s: %s, exchange %s\n", d.ID, d.State, d.Exchange)
}
