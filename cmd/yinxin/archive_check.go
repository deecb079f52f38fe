package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/archive"
	"yinxin/archive/aspect"
	"yinxin/document/fonts"
	"yinxin/document/pdf"
	"yinxin/internal/pages"
	"yinxin/internal/verify"
	"yinxin/verdict"
)

// checkFlags are the flags of archive check.
type checkFlags struct {
	verifyFlags
	stage, clamd, register, attest, xml, pdf string
	scope                                    []string
}

func newArchiveCheckCmd(e *env) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use: "check PACKAGE...", Short: "check record packages in the four aspects (四性检测)", Args: atLeastOne("package"),
		Long: "Checks each package item by item for authenticity, integrity, usability and security, shaped after DA/T 70-2018. Several\n" +
			"packages are one batch: repeated and missing numbers are looked for among them, and --register compares their count and\n" +
			"bytes with the hand-over register ({\"records\": N, \"bytes\": N}). Items that need a person, or means that were not given, are\n" +
			"人工 and keep the result open (exit 3) until --attest brings a person's word on each: a JSON list of\n" +
			"{\"code\", \"person\", \"at\", \"passed\", \"note\"}. One item that failed fails the whole (exit 1).",
		Example: "  yinxin archive check record/ --root root.pem --log log.vkey --pdf report.pdf --xml report.xml\n" +
			"  yinxin archive check batch/*.zip --stage transfer --register register.json --clamd 127.0.0.1:3310 --root root.pem --log log.vkey",
		RunE: func(cmd *cobra.Command, args []string) error { return e.archiveCheck(cmd, f, args) },
	}
	f.judgeFlags.add(cmd)
	cmd.Flags().StringArrayVar(&f.logs, "log", nil, "judge receipts by this log key (vkey file; may be repeated)")
	cmd.Flags().StringVar(&f.stage, "stage", string(aspect.Deposit), "deposit (归档), transfer (移交接收) or keeping (长期保存)")
	cmd.Flags().StringVar(&f.clamd, "clamd", "", "ClamAV's clamd: HOST:PORT or the path of its socket")
	cmd.Flags().StringVar(&f.register, "register", "", "the hand-over register, JSON")
	cmd.Flags().StringVar(&f.attest, "attest", "", "what persons found of manual items, JSON")
	cmd.Flags().StringArrayVar(&f.scope, "scope", nil, "a 文种 that is archived here (may be repeated)")
	cmd.Flags().StringVar(&f.xml, "xml", "", "write the report as XML (one package)")
	cmd.Flags().StringVar(&f.pdf, "pdf", "", "write the report as a PDF to be printed (one package)")
	return cmd
}

// opened is a package that lies open.
type opened struct {
	path     string
	content  fs.FS
	manifest *archive.Manifest
	close    func() error
}

func (e *env) archiveCheck(cmd *cobra.Command, f checkFlags, paths []string) (err error) {
	if len(paths) > 1 && (f.xml != "" || f.pdf != "") {
		return usage("--xml and --pdf are for one package")
	}
	common, o, err := f.input(e)
	if err != nil {
		return err
	}
	var batch []opened
	defer func() {
		for _, p := range batch {
			err = errors.Join(err, p.close())
		}
	}()
	for _, path := range paths {
		p, err := openPackage(path)
		if err != nil {
			return err
		}
		batch = append(batch, p)
		for _, file := range p.manifest.Files {
			common.Bytes += file.Size
		}
		if len(paths) > 1 || common.Register != nil {
			common.Peers = append(common.Peers, p.manifest.Record)
		}
	}
	reports := []*aspect.Report{}
	for _, p := range batch {
		in := common
		in.Name, in.Content = p.path, p.content
		if in.Verdict, err = verify.One(verify.Input{Name: p.path, Content: p.content}, o); err != nil {
			return err
		}
		r, err := aspect.Check(cmd.Context(), in)
		if err != nil {
			return err
		}
		reports = append(reports, r)
	}
	if err := f.write(e, reports[0]); err != nil {
		return err
	}
	return e.printAspects(cmd, reports)
}

// input reads what the flags name.
func (f *checkFlags) input(e *env) (in aspect.Input, o verify.Options, err error) {
	if o, err = f.options(e); err != nil {
		return in, o, err
	}
	in = aspect.Input{Stage: aspect.Stage(f.stage), Now: o.Moment(), Scope: f.scope, Pages: drawPages}
	switch in.Stage {
	case aspect.Deposit, aspect.Transfer, aspect.Keeping:
	default:
		return in, o, usage("--stage %s: want deposit, transfer or keeping", f.stage)
	}
	if f.clamd != "" {
		scanner := aspect.Clamd{Network: "tcp", Address: f.clamd}
		if strings.HasPrefix(f.clamd, "/") {
			scanner.Network = "unix"
		}
		in.Scanner = scanner
	}
	if f.register != "" {
		in.Register = new(archive.Register)
		if err := readJSON(f.register, in.Register); err != nil {
			return in, o, err
		}
	}
	if f.attest != "" {
		err = readJSON(f.attest, &in.Attested)
	}
	return in, o, err
}

// readJSON reads a small file strictly.
func readJSON(path string, into any) error {
	data, err := readInput(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return refuse("malformed", exitNotFound, "%s: %w", path, err)
	}
	return nil
}

// drawPages draws every page of a document and counts them.
func drawPages(_ string, data []byte) (int, error) {
	d, err := pages.Open(data, fonts.Embedded())
	if err != nil {
		return 0, err
	}
	drawing := d.Drawing()
	for i := range drawing.Pages() {
		if err := drawing.SVG(io.Discard, i); err != nil {
			return i, fmt.Errorf("第 %d 页：%w", i+1, err)
		}
	}
	return drawing.Pages(), nil
}

// openPackage opens a folder or a zip.
func openPackage(path string) (p opened, err error) {
	p = opened{path: path, close: func() error { return nil }}
	st, err := os.Stat(path)
	if err != nil {
		return p, err
	}
	if st.IsDir() {
		p.content = os.DirFS(path)
	} else {
		file, err := openInput(path)
		if err != nil {
			return p, err
		}
		p.close = file.Close
		if p.content, err = archive.OpenZip(file, file.size); err != nil {
			return p, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
		}
	}
	raw, err := fs.ReadFile(p.content, archive.ManifestName)
	if err == nil {
		p.manifest, err = archive.ParseManifest(raw)
		if err != nil {
			err = refuse(string(verdict.Malformed), exitFailed, "%s: %w", path, err)
		}
	}
	if err != nil {
		return p, errors.Join(err, p.close())
	}
	return p, nil
}

// write leaves the report in the files that were asked for.
func (f *checkFlags) write(e *env, r *aspect.Report) error {
	if f.xml != "" {
		var b bytes.Buffer
		if err := r.WriteXML(&b); err != nil {
			return err
		}
		if err := writeFile(f.xml, b.Bytes()); err != nil {
			return err
		}
	}
	if f.pdf == "" {
		return nil
	}
	faces, err := e.faces("")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	o := pdf.ReportOptions{Language: verdict.Chinese, At: r.CheckedAt, Faces: faces}
	if err := pdf.WriteLines(&b, "四性检测报告", "检测时间", r.Text(), o); err != nil {
		return err
	}
	return writeFile(f.pdf, b.Bytes())
}

func (e *env) printAspects(cmd *cobra.Command, reports []*aspect.Report) error {
	worst := exitDone
	for _, r := range reports {
		switch {
		case r.Status == aspect.Failed:
			worst = exitFailed
		case r.Status == aspect.Open && worst == exitDone:
			worst = exitIndeterminate
		}
		if !jsonFlag(cmd) {
			if _, err := io.WriteString(e.stdout, r.Text()); err != nil {
				return err
			}
		}
	}
	if jsonFlag(cmd) {
		if err := e.printJSON(reports); err != nil {
			return err
		}
	}
	if worst != exitDone {
		return exitStatus(worst)
	}
	return nil
}
