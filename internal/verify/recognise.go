package verify

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"

	"yinxin/archive"
	"yinxin/crypto/cert"
	"yinxin/document/ofd"
	"yinxin/seal/ses"
	"yinxin/transport/envelope"
	"yinxin/transport/receipt"
)

// Kind is what a file is, told from its content and never from its name.
type Kind string

// The kinds that yinxin knows.
const (
	KindOFD         Kind = "ofd"
	KindPDF         Kind = "pdf"
	KindPackage     Kind = "package"
	KindEvidence    Kind = "evidence"
	KindReceipt     Kind = "receipt"
	KindEnvelope    Kind = "envelope"
	KindCMS         Kind = "cms"
	KindCertificate Kind = "certificate"
	KindSeal        Kind = "seal"
	KindUnknown     Kind = "unknown"
)

// Recognise tells what bytes are.
func Recognise(data []byte) Kind {
	switch {
	case bytes.HasPrefix(data, []byte(zipMagic)):
		kind, _ := recogniseZip(bytes.NewReader(data), int64(len(data))) // memory reads without error
		return kind
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return KindPDF
	case receipt.IsReceipt(data):
		return KindReceipt
	case envelope.IsEnvelope(data):
		return KindEnvelope
	case bytes.HasPrefix(data, []byte("-----BEGIN CERTIFICATE-----")):
		return KindCertificate
	case len(data) > 0 && data[0] == derSequence:
		return recogniseDER(data)
	case looksLikeOFD(data):
		return KindOFD
	case looksLikePDF(data):
		return KindPDF
	}
	return KindUnknown
}

// RecogniseReader is [Recognise] of a file that need not fit into memory: a ZIP is told by its directory, anything else
// by its bytes. The error is one of reading.
func RecogniseReader(r io.ReaderAt, size int64) (Kind, error) {
	kind, told, err := recogniseLarge(r, size)
	if err != nil || told {
		return kind, err
	}
	data, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		return KindUnknown, err
	}
	return Recognise(data), nil
}

// recogniseLarge tells the kinds that are read as streams, and that a ZIP is none of them; of everything else it does not
// tell the kind.
func recogniseLarge(r io.ReaderAt, size int64) (kind Kind, told bool, err error) {
	head := make([]byte, len(zipMagic))
	n, err := io.ReadFull(io.NewSectionReader(r, 0, size), head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return KindUnknown, false, err
	}
	if string(head[:n]) != zipMagic {
		return KindUnknown, false, nil
	}
	kind, err = recogniseZip(r, size)
	return kind, err == nil, err
}

// zipMagic begins every ZIP with an entry.
const zipMagic = "PK\x03\x04"

// derSequence is the first octet of every DER structure that yinxin knows.
const derSequence = 0x30

// recogniseZip tells an OFD, which may be damaged, a record package and a bundle of evidence from every other ZIP, which is a file like
// any other.
func recogniseZip(r io.ReaderAt, size int64) (Kind, error) {
	if looks, err := ofd.LooksLike(r, size); err != nil || looks {
		return KindOFD, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return KindUnknown, nil //nolint:nilerr // a ZIP that cannot be read and does not say what it is
	}
	for _, f := range z.File {
		switch f.Name {
		case archive.BundleName:
			return KindEvidence, nil
		case archive.ManifestName:
			return KindPackage, nil
		}
	}
	return KindUnknown, nil
}

// looksLikeOFD finds an OFD behind foreign bytes, so that it is refused as one and not as an unknown file.
func looksLikeOFD(data []byte) bool {
	return bytes.Contains(data, []byte(zipMagic)) && bytes.Contains(data, []byte("OFD.xml"))
}

// looksLikePDF finds a PDF behind foreign bytes as lenient readers do, by its header near the beginning and its end near the end,
// so that it is refused as one and not as an unknown file.
func looksLikePDF(data []byte) bool {
	const near = 1024
	tail := data[max(0, len(data)-near):]
	return bytes.Contains(data[:min(near, len(data))], []byte("%PDF-")) && bytes.Contains(tail, []byte("startxref")) && bytes.Contains(tail, []byte("%%EOF"))
}

// recogniseDER tells a certificate, a seal and a signed message apart by the parsers that would read them.
func recogniseDER(data []byte) Kind {
	if _, err := cert.Parse(data); err == nil {
		return KindCertificate
	}
	if _, err := ses.ParseSeal(data); err == nil {
		return KindSeal
	}
	return KindCMS
}
