package verify

import (
	"archive/zip"
	"bytes"

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
		return recogniseZip(data)
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

// derSequence is the first octet of every DER structure that yinxin knows.
const derSequence = 0x30

// recogniseZip tells a record package from an OFD. Whatever cannot be told is an OFD, whose reader then says why it is
// refused.
func recogniseZip(data []byte) Kind {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
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
