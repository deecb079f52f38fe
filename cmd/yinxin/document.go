package main

import (
	"errors"
	"io"
	"os"

	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
	"yinxin/internal/verify"
	"yinxin/transport/office"
)

// checkUnclassified refuses a document that bears a classification, as every sender's side does. What is recognised as OFD
// or PDF and cannot be opened gives the error of its reader.
func checkUnclassified(kind verify.Kind, name string, data []byte) error {
	switch kind {
	case verify.KindOFD:
		if _, err := ofd.Open(data); err != nil {
			return err
		}
	case verify.KindPDF:
		if _, err := pdf.Open(data); err != nil {
			return err
		}
	}
	return office.CheckUnclassified(name, data)
}

// checkUnclassifiedFile is checkUnclassified for a file of any size and kind. Documents are read whole, and refused
// (too_large) where no reader takes them; other files are read as a stream.
func checkUnclassifiedFile(path string) error {
	kind, err := kindOf(path)
	if err != nil {
		return err
	}
	if kind == verify.KindOFD {
		return checkUnclassifiedOFD(path)
	}
	if kind == verify.KindPDF {
		data, err := readInput(path)
		if err != nil {
			return err
		}
		return checkUnclassified(kind, path, data)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, office.MaxText))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	var whole func() (io.ReadCloser, error)
	if len(data) == office.MaxText {
		whole = func() (io.ReadCloser, error) { return os.Open(path) }
	}
	if err := office.CheckLargeUnclassified(path, data, whole); errors.Is(err, document.ErrClassified) {
		return err
	}
	return nil // broken, and no document that yinxin knows
}

// checkUnclassifiedOFD is checkUnclassifiedFile of an OFD, whose attachments are not held in memory.
func checkUnclassifiedOFD(path string) (err error) {
	f, err := openInput(path)
	if err != nil {
		return err
	}
	defer closing(&err, f)
	pkg, err := ofd.OpenReader(f, f.size)
	if err != nil {
		return err
	}
	if err := pkg.Check(); err != nil {
		return err
	}
	return office.CheckPackageUnclassified(path, pkg)
}
