package verify

import (
	"bytes"
	"encoding/json"
	"time"

	"yinxin/archive"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/transport"
	"yinxin/transport/envelope"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// packageJudge lends the verifier to the archive.
type packageJudge struct{ o Options }

// Document implements archive.Judge. A package is no document: else each level of packages in packages would cost many
// times the one above it.
func (j packageJudge) Document(name string, data []byte, seen time.Time) verdict.File {
	o := j.o.sealOptions()
	if !seen.IsZero() {
		o.Proven = &seal.ProvenTime{At: seen, Source: verdict.TimeFromLog}
	}
	f := verdict.File{Type: string(KindUnknown)}
	switch kind := Recognise(data); kind {
	case KindOFD:
		var err error
		if f, err = ofdseal.VerifyReader(bytes.NewReader(data), int64(len(data)), o); err != nil {
			f.Reject(verdict.Malformed, "%v", err)
		}
		f.Type = string(kind)
	case KindPDF:
		f = pdfseal.Verify(data, o)
		f.Type = string(kind)
	case KindPackage, KindEvidence, KindReceipt, KindEnvelope, KindCMS, KindCertificate, KindSeal, KindUnknown:
		f.Reject(verdict.UnsupportedFormat, "neither OFD nor PDF")
	}
	f.File = name
	return f
}

func (j packageJudge) Receipt(name string, data []byte) (verdict.File, archive.Bound) {
	r, err := receipt.Parse(data)
	if err != nil {
		return receiptFile(name, data, j.o), archive.Bound{ID: name}
	}
	e := r.Entry
	b := archive.Bound{
		ID: e.ID, Event: string(e.Event), Exchange: e.Exchange, DocumentSM3: e.DocumentSM3.String(), Sender: e.Sender, Recipient: e.Recipient,
		Digest: e.Digest().String(), Checkpoint: r.Checkpoint, Time: e.Time,
	}
	if !e.Object.IsZero() {
		b.Object = e.Object.String()
	}
	if !e.Previous.IsZero() {
		b.Previous = e.Previous.String()
	}
	f := r.Verify(j.o.receiptOptions())
	f.File = name
	return f, b
}

// Described implements archive.Judge. What cannot be read says nothing; that it cannot is the document's own verdict.
func (packageJudge) Described(data []byte) (archive.Record, []byte) {
	pkg, err := ofd.Open(data)
	if err != nil {
		return archive.Record{}, nil
	}
	return Describe(pkg), Metadata(pkg)
}

// Metadata is the text of what an OFD says of itself, nil where it says nothing or too much.
func Metadata(pkg *ofd.Package) []byte {
	text, ok := pkg.Info().CustomValue(document.MetadataKey) // a document of another program has none
	if !ok || len(text) > document.MaxMetadata {
		return nil
	}
	return []byte(text)
}

// Describe is what an OFD says of itself, as a record states it: issuer's name, kind, number, title, date and pages. It takes
// the words of the metadata as they stand, and needs no rules of documents for that: browsers load it.
func Describe(pkg *ofd.Package) archive.Record {
	r := archive.Record{Pages: len(pkg.Pages())}
	var says struct {
		Issuer              struct{ Name string }
		Kind, Number, Title string
		IssuedOn            string `json:"issued_on"`
	}
	if text := Metadata(pkg); text != nil && json.Unmarshal(text, &says) == nil {
		r.IssuerName, r.Kind, r.Number, r.Title, r.IssuedOn = says.Issuer.Name, says.Kind, says.Number, says.Title, says.IssuedOn
	}
	return r
}

func (j packageJudge) Envelope(name string, data []byte, seen time.Time) (verdict.File, archive.Entrusted) {
	f := signedFile(Input{Name: name, Data: data}, j.o, seen)
	signed, err := cms.ParseSigned(data)
	if err != nil {
		return f, archive.Entrusted{}
	}
	m, err := envelope.ParseManifest(signed.Content())
	if err != nil {
		f.Add(verdict.Fail(verdict.CheckManifest, verdict.Malformed, "%v", err))
		f.Judge(j.o.Policy.Revocation)
		return f, archive.Entrusted{}
	}
	f.Add(envelope.JudgeSender(signed, m))
	f.Judge(j.o.Policy.Revocation)
	sent := archive.Entrusted{Exchange: m.Exchange, DocumentSM3: m.Document.SM3.String(), Sender: m.Sender}
	for _, file := range m.Files {
		sent.Files = append(sent.Files, archive.FileDigests{Size: file.Size, SM3: file.SM3.String(), SHA256: file.SHA256.String()})
	}
	if m.Role == transport.ForArchive {
		sent.Archive = m.Recipient
	}
	return f, sent
}

func (packageJudge) Code(c *cert.Certificate) string { return transport.CodeOf(c.Subject) }
