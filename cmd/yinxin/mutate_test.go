package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strconv"
	"strings"

	"yinxin/archive/tlog"
	"yinxin/archive/tlog/tlogtest"
	"yinxin/crypto/gm"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
	"yinxin/transport/receipt"
)

// mutateMain is the command mutate of the scripts: mutate KIND IN OUT [ARGUMENT]. Each kind is one attack on a finished
// file, and fails if it finds nothing to attack.
func mutateMain(args []string) int {
	if err := mutate(args); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		return 1
	}
	return 0
}

// mutation changes the bytes of a file; argument is a file or a number, where the kind wants one.
type mutation func(data []byte, argument string) ([]byte, error)

func mutations() map[string]mutation {
	return map[string]mutation{
		"ofd-page":       changedPage,
		"ofd-stamp":      movedStamp,
		"ofd-add-page":   addedPage,
		"ofd-seal":       transplant("Seal.esl"),
		"ofd-signature":  transplant("SignedValue.dat"),
		"pdf-page":       pdfPage,
		"pdf-append":     pdfAppend,
		"pdf-stamp":      inPlace(`/Rect \[[0-9]`, "/Rect [9"),
		"pdf-range":      inPlace(`/ByteRange \[0 `, "/ByteRange [1 "),
		"pdf-signature":  pdfSignature,
		"cut":            cut,
		"append":         func(data []byte, tail string) ([]byte, error) { return append(bytes.Clone(data), tail...), nil },
		"flip":           flip,
		"bundle-without": bundleWithout,
		"bundle-with":    bundleWith,
		"bundle-list":    bundleList,
		"zip-stray":      zipStray,
		"repack":         repack,
		"checkpoint":     checkpointOf,
		"signed-for":     inPlace(`"signed_for":2`, `"signed_for":3`),
	}
}

func mutate(args []string) error {
	if len(args) < 3 {
		return errors.New("want KIND IN OUT [ARGUMENT]")
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	argument := ""
	if len(args) > 3 {
		argument = args[3]
	}
	if args[0] == "second-log" {
		return secondLog(data, args[2], argument)
	}
	change, ok := mutations()[args[0]]
	if !ok {
		return fmt.Errorf("no mutation %s", args[0])
	}
	out, err := change(data, argument)
	if err != nil {
		return fmt.Errorf("%s %s: %w", args[0], args[1], err)
	}
	if bytes.Equal(out, data) {
		return fmt.Errorf("%s %s: nothing was changed", args[0], args[1])
	}
	return os.WriteFile(args[2], out, 0o644)
}

// replaceIn rewrites the entries of an OFD whose names end as given.
func replaceIn(data []byte, suffix string, change func(name string, old []byte) ([]byte, error)) ([]byte, error) {
	pkg, err := ofd.Open(data)
	if err != nil {
		return nil, err
	}
	var files []ofd.File
	for _, name := range pkg.Names() {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		old, _ := pkg.Entry(name)
		changed, err := change(name, old)
		if err != nil {
			return nil, err
		}
		files = append(files, ofd.File{Name: name, Data: changed})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no entry %s", suffix)
	}
	return pkg.Replace(files...)
}

// changedPage changes one character of the first page: a digit of its text.
func changedPage(data []byte, _ string) ([]byte, error) {
	return replaceIn(data, "Page_0/Content.xml", func(_ string, old []byte) ([]byte, error) {
		return bytes.Replace(old, []byte("2026"), []byte("2027"), 1), nil
	})
}

// movedStamp moves the stamp by a hundred millimetres.
func movedStamp(data []byte, _ string) ([]byte, error) {
	return replaceIn(data, "Signature.xml", func(_ string, old []byte) ([]byte, error) {
		return bytes.Replace(old, []byte(` Boundary="1`), []byte(` Boundary="`), 1), nil
	})
}

// addedPage shows the first page once more, at the end.
func addedPage(data []byte, _ string) ([]byte, error) {
	pkg, err := ofd.Open(data)
	if err != nil {
		return nil, err
	}
	page, ok := pkg.Entry("Doc_0/Pages/Page_0/Content.xml")
	if !ok {
		return nil, errors.New("no first page")
	}
	root, _ := pkg.Entry("Doc_0/Document.xml")
	more := []byte(`<ofd:Page ID="9999" BaseLoc="Pages/Page_99/Content.xml"/></ofd:Pages>`)
	return pkg.Replace(
		ofd.File{Name: "Doc_0/Document.xml", Data: bytes.Replace(root, []byte("</ofd:Pages>"), more, 1)},
		ofd.File{Name: "Doc_0/Pages/Page_99/Content.xml", Data: page},
	)
}

// transplant takes an entry from another OFD, which the argument names.
func transplant(suffix string) mutation {
	return func(data []byte, donor string) ([]byte, error) {
		other, err := os.ReadFile(donor)
		if err != nil {
			return nil, err
		}
		pkg, err := ofd.Open(other)
		if err != nil {
			return nil, err
		}
		return replaceIn(data, suffix, func(name string, _ []byte) ([]byte, error) {
			theirs, ok := pkg.Entry(name)
			if !ok {
				return nil, fmt.Errorf("%s has no entry %s", donor, name)
			}
			return theirs, nil
		})
	}
}

// inPlace changes the first place that the pattern finds, without moving anything.
func inPlace(pattern, by string) mutation {
	return func(data []byte, _ string) ([]byte, error) {
		at := regexp.MustCompile(pattern).FindIndex(data)
		if at == nil || at[1]-at[0] != len(by) {
			return nil, fmt.Errorf("no place like %s", pattern)
		}
		out := bytes.Clone(data)
		copy(out[at[0]:], by)
		return out, nil
	}
}

// pdfPage narrows the first page, in place: a signed byte changes, and the file stays readable.
func pdfPage(data []byte, _ string) ([]byte, error) {
	return inPlace(`/MediaBox \[0 0 5`, "/MediaBox [0 0 4")(data, "")
}

// pdfAppend changes the first page by an incremental update, as an editor would.
func pdfAppend(data []byte, _ string) ([]byte, error) {
	f, err := pdf.Open(data)
	if err != nil {
		return nil, err
	}
	pages, err := f.Current().Pages()
	if err != nil {
		return nil, err
	}
	u, err := f.Update()
	if err != nil {
		return nil, err
	}
	page, err := u.Get(pages[0].Ref)
	if err != nil {
		return nil, err
	}
	dict, ok := page.(pdf.Dict)
	if !ok {
		return nil, errors.New("the page is no dictionary")
	}
	changed := pdf.Dict{}
	maps.Copy(changed, dict)
	changed["Rotate"] = int64(90)
	u.Set(pages[0].Ref, changed)
	out, _, err := u.Append()
	return out, err
}

// contentsValue finds the signature value of a PDF.
var contentsValue = regexp.MustCompile(`/Contents <([0-9A-Fa-f]+)>`)

// pdfSignature puts in the signature value of another PDF, which the argument names.
func pdfSignature(data []byte, donor string) ([]byte, error) {
	other, err := os.ReadFile(donor)
	if err != nil {
		return nil, err
	}
	at, theirs := contentsValue.FindSubmatchIndex(data), contentsValue.FindSubmatch(other)
	if at == nil || theirs == nil || len(theirs[1]) != at[3]-at[2] {
		return nil, errors.New("no signature value of this size")
	}
	out := bytes.Clone(data)
	copy(out[at[2]:], theirs[1])
	return out, nil
}

// cut takes bytes off the end.
func cut(data []byte, count string) ([]byte, error) {
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > len(data) {
		return nil, fmt.Errorf("cannot cut %q of %d bytes", count, len(data))
	}
	return data[:len(data)-n], nil
}

// flip changes one bit of the byte at an offset; a negative one counts from the end.
func flip(data []byte, offset string) ([]byte, error) {
	n, err := strconv.Atoi(offset)
	if n < 0 {
		n += len(data)
	}
	if err != nil || n < 0 || n >= len(data) {
		return nil, fmt.Errorf("no byte %q of %d", offset, len(data))
	}
	out := bytes.Clone(data)
	out[n] ^= 1
	return out, nil
}

// secondLog puts the entry of a receipt into a new log with another key, and writes that log's receipt: everything in it
// is genuine, statement and certificates included, but for the log. The log takes the origin given, or that of the first
// one. Its key goes beside the receipt as .vkey.
func secondLog(data []byte, out, origin string) error {
	r, err := receipt.Parse(data)
	if err != nil {
		return err
	}
	first, err := tlog.ParseCheckpoint(r.Checkpoint)
	if err != nil {
		return err
	}
	if origin == "" {
		origin = first.Origin
	}
	entry, err := r.Entry.Marshal()
	if err != nil {
		return err
	}
	log, err := newTestLog(origin, out+".log")
	if err != nil {
		return err
	}
	p, err := log.add(entry)
	if err != nil {
		return err
	}
	made, err := receipt.Compose(entry, p.Leaves[0], p.Head.Note, r.Statement, r.Certificates)
	if err != nil {
		return err
	}
	body, err := made.Marshal()
	if err != nil {
		return err
	}
	key := []byte(log.key.String() + "\n")
	return errors.Join(os.WriteFile(out, body, 0o644), os.WriteFile(strings.TrimSuffix(out, ".yxr")+".vkey", key, 0o644))
}

// testLog is a log in a folder, with a key made for it.
type testLog struct {
	queue     *tlogtest.Memory
	sequencer *tlog.Sequencer
	signer    tlog.Signer
	key       *tlog.Verifier
	dir       string
}

func newTestLog(origin, dir string) (*testLog, error) {
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	l := &testLog{dir: dir}
	if l.signer, err = tlog.NewSigner(origin, key, rand.Reader); err != nil {
		return nil, err
	}
	if l.key, err = tlog.NewVerifier(origin, key.PublicKey()); err != nil {
		return nil, err
	}
	return l, l.open()
}

// open begins the log in its folder.
func (l *testLog) open() error {
	l.queue = tlogtest.NewMemory()
	tiles, err := tlog.OpenDir(l.dir)
	if err != nil {
		return err
	}
	l.sequencer, err = tlog.Open(context.Background(), tlog.Config{Queue: l.queue, Tiles: tiles, Signer: l.signer})
	return err
}

// add logs entries in one batch.
func (l *testLog) add(entries ...[]byte) (tlog.Publication, error) {
	for _, e := range entries {
		if err := l.queue.Add(context.Background(), e); err != nil {
			return tlog.Publication{}, err
		}
	}
	return l.sequencer.Integrate(context.Background())
}

// checkpointOf takes the signed note out of a receipt.
func checkpointOf(data []byte, _ string) ([]byte, error) {
	r, err := receipt.Parse(data)
	if err != nil {
		return nil, err
	}
	return r.Checkpoint, nil
}
