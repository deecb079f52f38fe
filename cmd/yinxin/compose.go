package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/document"
	"yinxin/document/docx"
	"yinxin/document/fonts"
	"yinxin/transport/office"
)

// maxInput bounds files that commands read whole, in bytes.
const maxInput = 1 << 30

func newComposeCmd(e *env) *cobra.Command {
	var t target
	var meta, fontsDir string
	cmd := &cobra.Command{
		Use:   "compose DOC...",
		Short: "lay official documents out as OFD and PDF",
		Long: "Lays official documents out in the red-head form shaped after GB/T 9704-2012 and writes the same pages as OFD and as PDF.\n" +
			"Without --out both lie beside the input. All faults of a document are reported at once; a document that bears a\n" +
			"classification is refused (exit 5), and one with a character that no face has. Of several files, one that is no draft at all is left out and named.\n\n" +
			"DOC is a draft in YAML, or a .docx from Word, WPS or LibreOffice: headings, paragraphs, numbered lists, tables and\n" +
			"pictures are carried over, and title, 主送, 附件说明, 署名, date and 附注 are taken where they stand in the text. What\n" +
			"the text does not say (文种, 发文字号 and so on) comes from a table of two columns at its beginning, or from the YAML\n" +
			"of --meta, or of NAME.meta.yaml beside NAME.docx; the YAML holds. What is not carried over is listed on stderr and\n" +
			"under omissions with --json, each with its place.",
		Example: "  yinxin compose examples/notice.yaml\n  yinxin compose notice.yaml --out notice.ofd --pdf notice.pdf\n" +
			"  yinxin compose notice.docx --meta notice.meta.yaml",
		Args: atLeastOne("document"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.check(len(args), meta); err != nil {
				return err
			}
			faces, err := e.faces(fontsDir)
			if err != nil {
				return err
			}
			return e.composeAll(args, meta, t, faces, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&t.ofd, "out", "", "write the OFD here (no PDF unless --pdf is given)")
	cmd.Flags().StringVar(&t.pdf, "pdf", "", "write the PDF here")
	cmd.Flags().StringVar(&t.dir, "out-dir", "", "write OFD and PDF into this folder")
	cmd.Flags().BoolVar(&t.archival, "archival", false, "write the OFD in the archival form OFD-A; it takes text attachments alone")
	cmd.Flags().BoolVar(&t.missing, "allow-missing-glyphs", false, "print 〓 for a character that no face has, rather than refuse the document (glyph_missing)")
	cmd.Flags().StringVar(&meta, "meta", "", "YAML with the elements that a .docx does not state (default: NAME.meta.yaml beside it)")
	fontsFlag(cmd, &fontsDir)
	return cmd
}

// target says where the results of compose go.
type target struct {
	ofd, pdf, dir string
	archival      bool
	// missing lets characters pass that no face has.
	missing bool
}

func (t target) compose(doc *document.Document, faces *fonts.Set, files office.Attachments) (*office.Draft, error) {
	return office.ComposeAs(doc, faces, files, office.Composing{Archival: t.archival, MissingGlyphs: t.missing})
}

// check reports flags that contradict each other.
func (t target) check(inputs int, meta string) error {
	switch one := t.ofd != "" || t.pdf != ""; {
	case inputs > 1 && one:
		return usage("--out and --pdf take one document; use --out-dir for several")
	case t.dir != "" && one:
		return usage("want --out-dir, or --out and --pdf, not both")
	case t.ofd != "" && t.ofd == t.pdf:
		return usage("--out and --pdf name the same file")
	case inputs > 1 && meta != "":
		return usage("--meta takes one document; put NAME.meta.yaml beside each NAME.docx")
	}
	return nil
}

// places gives the two paths for one input; an empty path is not written.
func (t target) places(input string) (ofd, pdf string) {
	if t.ofd != "" || t.pdf != "" {
		return t.ofd, t.pdf
	}
	stem := strings.TrimSuffix(input, filepath.Ext(input))
	if t.dir != "" {
		stem = filepath.Join(t.dir, filepath.Base(stem))
	}
	return stem + ".ofd", stem + ".pdf"
}

// composed is what compose reports of one document.
type composed struct {
	Input    string   `json:"input"`
	OFD      string   `json:"ofd,omitempty"`
	PDF      string   `json:"pdf,omitempty"`
	Pages    int      `json:"pages"`
	Warnings []string `json:"warnings"`
	// Omissions are what a .docx holds and the document does not.
	Omissions []docx.Omission `json:"omissions,omitempty"`
}

func (e *env) composeAll(inputs []string, meta string, t target, faces *fonts.Set, asJSON bool) error {
	results := []composed{}
	var errs []error
	for _, in := range inputs {
		if len(inputs) > 1 && strings.HasSuffix(in, metaSuffix) {
			fmt.Fprintf(e.stderr, "%s: left out: it goes with a .docx\n", in)
			continue
		}
		r, err := e.compose(in, meta, t, faces)
		if len(inputs) > 1 && errors.Is(err, document.ErrNotDraft) { // a folder of drafts may hold other files
			fmt.Fprintf(e.stderr, "%s: left out: %v\n", in, err)
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("compose %s: %w", in, err))
			continue
		}
		results = append(results, r)
		if !asJSON {
			e.printComposed(r)
		}
	}
	if asJSON {
		if err := json.NewEncoder(e.stdout).Encode(results); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

func (e *env) printComposed(r composed) {
	for _, w := range r.Warnings {
		fmt.Fprintf(e.stderr, "%s: %s\n", r.Input, w)
	}
	for _, o := range r.Omissions {
		fmt.Fprintf(e.stderr, "%s: not as in the file: %s\n", r.Input, o)
	}
	for _, p := range []string{r.OFD, r.PDF} {
		if p != "" {
			fmt.Fprintf(e.stdout, "%s\n", p)
		}
	}
}

func (e *env) compose(input, meta string, t target, faces *fonts.Set) (composed, error) {
	r := composed{Input: input, Warnings: []string{}}
	doc, left, err := readDraft(input, meta)
	if err != nil {
		return r, err
	}
	r.Omissions = left
	r.OFD, r.PDF = t.places(input)
	for _, out := range []string{r.OFD, r.PDF} {
		if err := apart(out, input, meta); err != nil {
			return r, err
		}
	}
	draft, err := t.compose(doc, faces, filesBeside(input))
	if err != nil {
		return r, err
	}
	r.Pages = draft.Pages
	r.Warnings = append(r.Warnings, draft.Warnings...)
	if t.dir != "" {
		if err := os.MkdirAll(t.dir, 0o755); err != nil {
			return r, err
		}
	}
	if err := writeFile(r.OFD, draft.OFD); err != nil {
		return r, err
	}
	return r, writeFile(r.PDF, draft.PDF)
}

// metaSuffix ends the name of the YAML that goes with a .docx.
const metaSuffix = ".meta.yaml"

// readDraft reads a draft in YAML, or a word processor's file with its metadata.
func readDraft(input, meta string) (*document.Document, []docx.Omission, error) {
	data, err := readInput(input)
	if err != nil {
		return nil, nil, err
	}
	return parseDraft(input, data, meta)
}

// parseDraft is readDraft of a file that was read already.
func parseDraft(input string, data []byte, meta string) (*document.Document, []docx.Omission, error) {
	if !isWordFile(input, data) {
		if meta != "" {
			return nil, nil, usage("--meta goes with a .docx; a draft in YAML holds all of the document")
		}
		doc, err := document.Parse(data)
		return doc, nil, err
	}
	draft, err := docx.Read(data)
	if err != nil {
		return nil, nil, err
	}
	beside := strings.TrimSuffix(input, filepath.Ext(input)) + metaSuffix
	var yaml []byte
	switch {
	case meta != "":
		yaml, err = readInput(meta)
	default:
		if yaml, err = readInput(beside); errors.Is(err, fs.ErrNotExist) {
			yaml, err = nil, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	doc, err := draft.Document(yaml)
	return doc, draft.Omissions, err
}

// isWordFile goes by the first bytes: a ZIP package, or the compound file of old formats and passwords, which docx.Read
// explains. No draft in YAML begins with them.
func isWordFile(name string, data []byte) bool {
	return bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("\xD0\xCF\x11\xE0")) ||
		strings.EqualFold(filepath.Ext(name), ".docx")
}

// filesBeside reads attachments from the folder of the draft; a path that leads out of it is refused.
func filesBeside(input string) office.Attachments {
	return func(name string) ([]byte, error) {
		if !filepath.IsLocal(name) {
			return nil, refuse("validation", exitFailed, "file %q leads out of the document's folder", name)
		}
		data, err := readInput(filepath.Join(filepath.Dir(input), name))
		if err != nil {
			return nil, err
		}
		if err := office.CheckUnclassified(name, data); errors.Is(err, document.ErrClassified) {
			return nil, err // before it leaves this machine
		}
		return data, nil
	}
}
