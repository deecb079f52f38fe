package main

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/document/fonts"
	"yinxin/document/layout"
	"yinxin/document/ofd"
	"yinxin/document/pdf"
	"yinxin/internal/pages"
	"yinxin/internal/verify"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/ses"
	"yinxin/transport/envelope"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// content tells what bytes are and shows them.
func (v *inspection) content(data []byte) error {
	kind := verify.Recognise(data)
	v.Type = string(kind)
	switch kind {
	case verify.KindOFD:
		return v.ofd(bytes.NewReader(data), int64(len(data)))
	case verify.KindPDF:
		return v.pdf(data)
	case verify.KindSeal:
		s, err := ses.ParseSeal(data)
		if err != nil {
			return err
		}
		v.Seal = viewSeal(s)
	case verify.KindCertificate:
		certs, err := cert.ParseAny(data)
		if err != nil {
			return err
		}
		for _, c := range certs {
			v.Certificates = append(v.Certificates, viewCertificate(c))
		}
	case verify.KindReceipt:
		return v.receipt(data)
	case verify.KindPackage, verify.KindEvidence:
		return v.zipped(data)
	case verify.KindCMS:
		return v.message(data)
	case verify.KindEnvelope, verify.KindUnknown:
		v.other(data)
	}
	return nil
}

// other looks for what the verifier does not judge: requests, revocation lists, public keys.
func (v *inspection) other(data []byte) {
	block, _ := pem.Decode(data)
	if block == nil {
		return
	}
	switch {
	case block.Type == publicBlock:
		v.Type = "public_key"
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		v.Type = "private_key"
	default:
		v.derived(data)
	}
}

// documentView is an OFD or a PDF.
type documentView struct {
	Pages  int    `json:"pages"`
	Title  string `json:"title,omitempty"`
	Number string `json:"number,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Issuer string `json:"issuer,omitempty"`
	// Differs are the elements of which the metadata say something else than the pages print.
	Differs []layout.Difference `json:"differs,omitempty"`
	// Entries counts the files of an OFD, Revisions the revisions of a PDF.
	Entries    int             `json:"entries,omitempty"`
	Revisions  int             `json:"revisions,omitempty"`
	Signatures []signatureView `json:"signatures"`
}

// signatureView is a seal or a signature in a document, unjudged.
type signatureView struct {
	ID     string     `json:"id"`
	Kind   string     `json:"kind"`
	Signer string     `json:"signer"`
	Maker  string     `json:"maker,omitempty"`
	Seal   string     `json:"seal,omitempty"`
	SealID string     `json:"seal_id,omitempty"`
	Time   *time.Time `json:"time,omitempty"`
}

// unjudged takes from a report what the signatures say of themselves.
func unjudged(f verdict.File) []signatureView {
	views := []signatureView{}
	for _, s := range f.Signatures {
		v := signatureView{ID: s.ID, Kind: s.Kind, Signer: s.Signer, Maker: s.Maker, Time: s.Time}
		if s.Seal != nil {
			v.Seal, v.SealID = s.Seal.Name, s.Seal.ID
		}
		views = append(views, v)
	}
	return views
}

func (v *documentView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	printLine(w, "%s%d page(s)", indent, v.Pages)
	if v.Title != "" {
		printLine(w, ", %s", strings.TrimSpace(v.Number+" "+v.Title))
	}
	fmt.Fprintln(w)
	for _, d := range v.Differs {
		printLine(w, "%s%s differs: the metadata say %q, the pages print %q\n", indent, d.Element, d.Stated, d.Printed)
	}
	for _, s := range v.Signatures {
		name := s.Signer
		if s.Seal != "" {
			name = fmt.Sprintf("%s (%s), by %s, made by %s", s.Seal, s.SealID, s.Signer, s.Maker)
		}
		when := ""
		if s.Time != nil {
			when = ", claims " + s.Time.Format(time.RFC3339)
		}
		printLine(w, "%s%s %s: %s%s\n", indent, s.Kind, s.ID, name, when)
	}
}

// ofd shows an OFD of any size.
func (v *inspection) ofd(r io.ReaderAt, size int64) error {
	pkg, err := ofd.OpenReader(r, size)
	if err != nil {
		return err
	}
	if err := pkg.Check(); err != nil {
		return err
	}
	info := pkg.Info()
	v.Document = &documentView{
		Pages: len(pkg.Pages()), Title: info.Title, Entries: len(pkg.Names()),
		Signatures: unjudged(ofdseal.Verify(pkg, seal.VerifyOptions{})),
	}
	m, err := pkg.Metadata()
	if errors.Is(err, ofd.ErrNoMetadata) {
		return nil
	}
	if err != nil {
		return err
	}
	v.Document.Title, v.Document.Number, v.Document.Kind, v.Document.Issuer = m.Title, m.Number.String(), m.Kind.String(), m.Issuer.Name
	shown, err := pages.OpenPackage(pkg, fonts.Embedded())
	if err != nil {
		return err
	}
	read, err := shown.Read()
	if err != nil {
		return err
	}
	v.Document.Differs = layout.Differences(m, read)
	return nil
}

func (v *inspection) pdf(data []byte) error {
	f, err := pdf.Open(data)
	if err != nil {
		return err
	}
	pages, err := f.Current().Pages()
	if err != nil {
		return err
	}
	v.Document = &documentView{
		Pages: len(pages), Revisions: len(f.Revisions()), Signatures: unjudged(pdfseal.Verify(data, seal.VerifyOptions{})),
	}
	return nil
}

// sealView is a seal.
type sealView struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Version     int       `json:"version"`
	Type        int       `json:"type"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Created     time.Time `json:"created"`
	Maker       string    `json:"maker"`
	Signers     []string  `json:"signers"`
	PictureType string    `json:"picture_type"`
	WidthMM     int       `json:"width_mm"`
	HeightMM    int       `json:"height_mm"`
}

func viewSeal(s *ses.Seal) *sealView {
	p, pic := s.Info.Property, s.Info.Picture
	v := &sealView{
		ID: s.Info.SealID, Name: p.Name, Version: s.Version, Type: p.Type, From: p.From, To: p.To, Created: p.Created,
		Maker: subjectOf(s.MakerCert), Signers: []string{}, PictureType: pic.Type, WidthMM: pic.Width, HeightMM: pic.Height,
	}
	for _, der := range p.SignerCerts {
		v.Signers = append(v.Signers, subjectOf(der))
	}
	for _, d := range p.SignerCertDigests {
		v.Signers = append(v.Signers, "sm3:"+hex.EncodeToString(d.Value))
	}
	return v
}

func subjectOf(der []byte) string {
	c, err := cert.Parse(der)
	if err != nil {
		return "unreadable certificate"
	}
	return c.SubjectText()
}

func (v *sealView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	printLine(w, "%s%s (%s), version %d, %d x %d mm %s\n", indent, v.Name, v.ID, v.Version, v.WidthMM, v.HeightMM, v.PictureType)
	printLine(w, "%svalid %s to %s, made by %s\n", indent, v.From.Format(time.DateOnly), v.To.Format(time.DateOnly), v.Maker)
	for _, s := range v.Signers {
		printLine(w, "%smay be used by %s\n", indent, s)
	}
}

// messageView is a signed or enveloped message (GB/T 35275 or RFC 5652).
type messageView struct {
	Kind     string `json:"kind"` // signed or enveloped
	Profile  string `json:"profile,omitempty"`
	Detached bool   `json:"detached"`
	// Signers are the subjects, and Recipients the serial numbers or key identifiers, of the certificates that the message names.
	Signers    []string `json:"signers,omitempty"`
	Recipients []string `json:"recipients,omitempty"`
	// TimeStamps lie beside the signatures; the counts are of what lies inside about revocation.
	TimeStamps      []timeStampView `json:"time_stamps,omitempty"`
	RevocationLists int             `json:"revocation_lists,omitempty"`
	OCSPResponses   int             `json:"ocsp_responses,omitempty"`
}

func (v *inspection) message(data []byte) error {
	if v.derived(data) {
		return nil
	}
	if e, err := cms.ParseEnveloped(data); err == nil {
		v.Message = &messageView{Kind: "enveloped"}
		for _, r := range e.Recipients() {
			name := "serial " + r.Serial.Text(16)
			if r.Serial == nil {
				name = "key identifier " + hex.EncodeToString(r.KeyID)
			}
			v.Message.Recipients = append(v.Message.Recipients, name)
		}
		return nil
	}
	s, err := cms.ParseSigned(data)
	if err != nil {
		return err
	}
	v.Message = &messageView{Kind: "signed", Profile: s.Profile.String(), Detached: s.Detached()}
	for i := range s.Signers() {
		name := "a certificate that is not in the message"
		if c := s.SignerCertificate(i); c != nil {
			name = c.SubjectText()
		}
		if t, ok := s.SigningTime(i); ok {
			name += ", claims " + t.Format(time.RFC3339)
		}
		v.Message.Signers = append(v.Message.Signers, name)
	}
	v.Message.evidence(s)
	return nil
}

func (v *messageView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	printLine(w, "%s%s message", indent, v.Kind)
	if v.Detached {
		fmt.Fprint(w, ", detached")
	}
	fmt.Fprintln(w)
	for _, s := range v.Signers {
		printLine(w, "%ssigned by %s\n", indent, s)
	}
	for _, r := range v.Recipients {
		printLine(w, "%sfor the certificate with %s\n", indent, r)
	}
	for i := range v.TimeStamps {
		printLine(w, "%stime-stamp beside a signature\n", indent)
		v.TimeStamps[i].print(w, indent+"  ")
	}
	if n := v.RevocationLists + v.OCSPResponses; n > 0 {
		printLine(w, "%scarries %d revocation list(s) and %d OCSP answer(s)\n", indent, v.RevocationLists, v.OCSPResponses)
	}
}

// envelopeView is the outside of an envelope.
type envelopeView struct {
	Exchange    string          `json:"exchange"`
	Sender      string          `json:"sender"`
	Recipients  []addresseeView `json:"recipients"`
	Sent        time.Time       `json:"sent"`
	Urgency     string          `json:"urgency"`
	Files       []envelope.File `json:"files"`
	DocumentSM3 string          `json:"document_sm3,omitempty"`
	Payload     int64           `json:"payload_size"`
	Report      envelope.Report `json:"report"`
}

type addresseeView struct {
	Code string `json:"code"`
	Role string `json:"role"`
}

func (v *inspection) envelopeFile(path string) (err error) {
	v.Type = string(verify.KindEnvelope)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer closing(&err, f)
	parsed, err := envelope.Parse(f, v.Size)
	if err != nil {
		return fmt.Errorf("inspect %s: %w", path, err)
	}
	m := parsed.First()
	v.Envelope = &envelopeView{
		Exchange: m.Exchange, Sender: m.Sender, Sent: m.Sent, Urgency: string(m.Urgency), Files: m.Files, Payload: m.Payload.Size, Report: m.Report,
	}
	if !m.Document.SM3.IsZero() {
		v.Envelope.DocumentSM3 = m.Document.SM3.String()
	}
	for _, p := range parsed.Parts() {
		v.Envelope.Recipients = append(v.Envelope.Recipients, addresseeView{p.Recipient, string(p.Role)})
	}
	return nil
}

func (v *envelopeView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	printLine(w, "%sexchange %s, from %s, claims %s, %s\n", indent, v.Exchange, v.Sender, v.Sent.Format(time.RFC3339), v.Urgency)
	for _, r := range v.Recipients {
		printLine(w, "%sfor %s (%s)\n", indent, r.Code, r.Role)
	}
	for _, f := range v.Files {
		printLine(w, "%sfile of %d bytes, sm3 %s\n", indent, f.Size, f.SM3)
	}
	for _, f := range v.Report.Findings {
		printLine(w, "%sthe sender's report: %s %s\n", indent, f.Check, f.Verdict)
	}
}

// receiptView is a receipt.
type receiptView struct {
	ID          string    `json:"id"`
	Event       string    `json:"event"`
	Time        time.Time `json:"time"`
	Exchange    string    `json:"exchange"`
	Sender      string    `json:"sender"`
	Recipient   string    `json:"recipient,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Hub         string    `json:"hub"`
	DocumentSM3 string    `json:"document_sm3"`
	Log         string    `json:"log"`
	Index       uint64    `json:"index"`
	LogSize     uint64    `json:"log_size"`
	Statement   bool      `json:"statement"`
}

func (v *inspection) receipt(data []byte) error {
	r, err := receipt.Parse(data)
	if err != nil {
		return refuse("malformed", exitNotFound, "%w", err)
	}
	c, err := tlog.ParseCheckpoint(r.Checkpoint)
	if err != nil {
		return refuse("malformed", exitNotFound, "the checkpoint of the receipt: %w", err)
	}
	e := r.Entry
	v.Receipt = &receiptView{
		ID: e.ID, Event: string(e.Event), Time: e.Time, Exchange: e.Exchange, Sender: e.Sender, Recipient: e.Recipient, Reason: e.Reason,
		Hub: e.Hub, DocumentSM3: e.DocumentSM3.String(), Log: c.Origin, Index: r.Index, LogSize: c.Size, Statement: len(r.Statement) > 0,
	}
	return nil
}

func (v *receiptView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	printLine(w, "%s%s, %s, stated by %s\n", indent, v.Event, v.Time.Format(time.RFC3339), v.Hub)
	printLine(w, "%sexchange %s from %s", indent, v.Exchange, v.Sender)
	if v.Recipient != "" {
		printLine(w, " to %s", v.Recipient)
	}
	printLine(w, "\n%sdocument sm3 %s\n%sentry %d of log %s (size %d)\n", indent, v.DocumentSM3, indent, v.Index, v.Log, v.LogSize)
}

// packageView is a record package.
type packageView struct {
	Record archive.Record      `json:"record"`
	Files  []archive.FileEntry `json:"files"`
}

func (v *inspection) zipped(data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	size := v.Size
	err = v.folder(z)
	v.Size = size
	return err
}

func (v *inspection) manifest(data []byte) error {
	m, err := archive.ParseManifest(data)
	if err != nil {
		return err
	}
	v.Package = &packageView{Record: m.Record, Files: m.Files}
	return nil
}

func (v *packageView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	r := v.Record
	printLine(w, "%s%s  %s %s\n", indent, r.ArchivalCode, r.Number, r.Title)
	printLine(w, "%sexchange %s, issued by %s on %s, deposited %s\n", indent, r.Exchange, r.IssuerName, r.IssuedOn, r.DepositedAt.Format(time.RFC3339))
	for _, f := range v.Files {
		printLine(w, "%s%-12s %s (%d bytes)\n", indent, f.Role, f.Path, f.Size)
	}
}

// bundleView is a bundle of evidence.
type bundleView archive.Bundle

func (v *bundleView) print(w io.Writer, indent string) {
	if v == nil {
		return
	}
	printLine(w, "%srecord %s, exchange %s, made %s\n", indent, v.Record, v.Exchange, v.MadeAt.Format(time.RFC3339))
	printLine(w, "%sdocument sm3 %s\n%senvelope sm3 %s\n", indent, v.DocumentSM3, indent, v.EnvelopeSM3)
	for _, f := range v.Files {
		printLine(w, "%s%-12s %s (%d bytes)\n", indent, f.Role, f.Path, f.Size)
	}
}
