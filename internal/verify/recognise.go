package verify

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"

	"yinxin/archive"
	"yinxin/crypto/cert"
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
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return recogniseZip(bytes.NewReader(data), int64(len(data)))
	case bytes.HasPrefix(data, []byte("%PDF-")):
		return KindPDF
	case receipt.IsReceipt(data):
		return KindReceipt
	case bytes.HasPrefix(data, []byte(envelope.Magic)):
		return KindEnvelope
	case bytes.HasPrefix(data, []byte("-----BEGIN CERTIFICATE-----")):
		return KindCertificate
	case len(data) > 0 && data[0] == derSequence:
		return recogniseDER(data)
	case looksLikeOFD(data):
		return KindOFD
	}
	return KindUnknown
}

// RecogniseReader is [Recognise] of a file that need not fit into memory: a ZIP is told by its directory, anything else
// by its bytes. The error is one of reading.
func RecogniseReader(r io.ReaderAt, size int64) (Kind, error) {
	kind, err := recogniseLarge(r, size)
	if err != nil || kind != KindUnknown {
		return kind, err
	}
	data, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		return KindUnknown, err
	}
	return Recognise(data), nil
}

// recogniseLarge tells the kinds that are read as streams; everything else is unknown to it.
func recogniseLarge(r io.ReaderAt, size int64) (Kind, error) {
	head := make([]byte, len("PK\x03\x04"))
	n, err := io.ReadFull(io.NewSectionReader(r, 0, size), head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return KindUnknown, err
	}
	if string(head[:n]) != "PK\x03\x04" {
		return KindUnknown, nil
	}
	return recogniseZip(r, size), nil
}

// derSequence is the first octet of every DER structure that yinxin knows.
const derSequence = 0x30

// recogniseZip tells a record package from an OFD. Whatever cannot be told is an OFD, whose reader then says why it is
// refused.
func recogniseZip(r io.ReaderAt, size int64) Kind {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return KindOFD
	}
	kind := KindOFD
	for _, f := range z.File {
		switch f.Name {
		case "OFD.xml":
			return KindOFD
		case archive.ManifestName:
			kind = KindPackage
		}
	}
	return kind
}

// looksLikeOFD finds an OFD behind foreign bytes, so that it is refused as one and not as an unknown file.
func looksLikeOFD(data []byte) bool {
	return bytes.Contains(data, []byte("PK\x03\x04")) && bytes.Contains(data, []byte("OFD.xml"))
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
