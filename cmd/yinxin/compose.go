package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/document"
	"yinxin/document/fonts"
	"yinxin/internal/durable"
	"yinxin/transport/office"
)

// maxInput bounds files that commands read whole, in bytes.
const maxInput = 1 << 30

func newComposeCmd(e *env) *cobra.Command {
	var out, pdf, outDir, fontsDir string
	cmd := &cobra.Command{
		Use:   "compose DOC.yaml...",
		Short: "lay official documents out as OFD and PDF",
		Long: "Lays official documents out in the red-head form shaped after GB/T 9704-2012 and writes the same pages as OFD and as PDF.\n" +
			"Without --out both lie beside the input. All faults of a document are reported at once; a document that bears a\n" +
			"classification is refused (exit 5). Of several files, one that is no draft at all is left out and named.",
		Example: "  yinxin compose examples/notice.yaml\n  yinxin compose notice.yaml --out notice.ofd --pdf notice.pdf",
		Args:    atLeastOne("document"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 && (out != "" || pdf != "") {
				return usage("--out and --pdf take one document; use --out-dir for several")
			}
			if outDir != "" && (out != "" || pdf != "") {
				return usage("want --out-dir, or --out and --pdf, not both")
			}
			if out != "" && out == pdf {
				return usage("--out and --pdf name the same file")
			}
			faces, err := e.faces(fontsDir)
			if err != nil {
				return err
			}
			return e.composeAll(args, target{ofd: out, pdf: pdf, dir: outDir}, faces, jsonFlag(cmd))
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the OFD here (no PDF unless --pdf is given)")
	cmd.Flags().StringVar(&pdf, "pdf", "", "write the PDF here")
	cmd.Flags().StringVar(&outDir, "out-dir", "", "write OFD and PDF into this folder")
	fontsFlag(cmd, &fontsDir)
	return cmd
}

// target says where the results of compose go.
type target struct{ ofd, pdf, dir string }

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
}

func (e *env) composeAll(inputs []string, t target, faces *fonts.Set, asJSON bool) error {
	results := []composed{}
	var errs []error
	for _, in := range inputs {
		r, err := e.compose(in, t, faces)
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
	for _, p := range []string{r.OFD, r.PDF} {
		if p != "" {
			fmt.Fprintf(e.stdout, "%s\n", p)
		}
	}
}

func (e *env) compose(input string, t target, faces *fonts.Set) (composed, error) {
	r := composed{Input: input, Warnings: []string{}}
	data, err := readInput(input)
	if err != nil {
		return r, err
	}
	doc, err := document.Parse(data)
	if err != nil {
		return r, err
	}
	draft, err := office.Compose(doc, faces, filesBeside(input))
	if err != nil {
		return r, err
	}
	r.OFD, r.PDF = t.places(input)
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

// filesBeside reads attachments from the folder of the draft; a path that leads out of it is refused.
func filesBeside(input string) office.Attachments {
	return func(name string) ([]byte, error) {
		if !filepath.IsLocal(name) {
			return nil, refuse("validation", exitFailed, "attachment %q leads out of the document's folder", name)
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

// readInput reads a whole file of bounded size.
func readInput(path string) (data []byte, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return nil, refuse("not_found", exitNotFound, "%s is a folder", path)
	}
	tooLarge := refuse("too_large", exitRefused, "%s has more than %d bytes, which is all that is read", path, maxInput)
	if st.Size() > maxInput {
		return nil, tooLarge
	}
	if st.Mode().IsRegular() {
		return os.ReadFile(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer closing(&err, f)
	data, err = io.ReadAll(io.LimitReader(f, maxInput+1)) // a pipe or device tells no size, and may never end
	if err == nil && len(data) > maxInput {
		return nil, tooLarge
	}
	return data, err
}

// apart refuses a result that would take the place of what it is made from.
func apart(out string, inputs ...string) error {
	there, err := os.Stat(out)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to lose
	}
	for _, in := range inputs {
		if st, err := os.Stat(in); err == nil && os.SameFile(st, there) {
			return usage("%s is to be read and cannot be written over", in)
		}
	}
	return nil
}

// inputFile is an open input of known size.
type inputFile struct {
	*os.File
	size int64
}

// openInput opens a file that is read as a stream.
func openInput(path string) (*inputFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = refuse("not_found", exitNotFound, "%s is a folder", path)
	}
	if err == nil && st.Size() > maxInput {
		err = refuse("too_large", exitRefused, "%s has %d bytes, at most %d are read", path, st.Size(), maxInput)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &inputFile{f, st.Size()}, nil
}

// writeFile writes durably; an empty path means that nobody wants the file.
func writeFile(path string, data []byte) error {
	if path == "" {
		return nil
	}
	return durable.WriteFile(path, bytes.Clone(data), 0o644)
}
