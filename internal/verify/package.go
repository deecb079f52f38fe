package verify

import (
	"encoding/json"

	"yinxin/archive"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/transport"
	"yinxin/transport/envelope"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// packageJudge lends the verifier to the archive.
type packageJudge struct{ o Options }

func (j packageJudge) Document(name string, data []byte) verdict.File {
	f, err := One(Input{Name: name, Data: data}, j.o)
	if err != nil {
		f.Reject(verdict.Malformed, "%v", err)
	}
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
		Digest: e.Digest().String(), Checkpoint: r.Checkpoint,
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
func (packageJudge) Described(data []byte) archive.Record {
	pkg, err := ofd.Open(data)
	if err != nil {
		return archive.Record{}
	}
	return Describe(pkg)
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
	text, ok := pkg.Info().CustomValue(document.MetadataKey) // a document of another program has none
	if ok && len(text) <= document.MaxMetadata && json.Unmarshal([]byte(text), &says) == nil {
		r.IssuerName, r.Kind, r.Number, r.Title, r.IssuedOn = says.Issuer.Name, says.Kind, says.Number, says.Title, says.IssuedOn
	}
	return r
}

func (j packageJudge) Envelope(name string, data []byte) (verdict.File, archive.Entrusted) {
	f := signedFile(Input{Name: name, Data: data}, j.o)
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
	if m.Role == transport.ForArchive {
		sent.Archive = m.Recipient
	}
	return f, sent
}

func (packageJudge) Code(c *cert.Certificate) string { return transport.CodeOf(c.Subject) }
