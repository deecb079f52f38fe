package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"yinxin/archive"
	"yinxin/document"
	"yinxin/document/ofd"
	"yinxin/internal/verify"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/envelope"
	"yinxin/transport/hub"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// depositor is the archive as the hub sees it: it opens the envelope as the archive's own recipient, checks the document
// again and keeps the record with all receipts.
type depositor struct{ s *System }

var _ hub.Archiver = (*depositor)(nil)

// Deposit implements hub.Archiver.
func (d *depositor) Deposit(ctx context.Context, r hub.Record) (transport.Digest, error) {
	if err := d.s.archiveSigner(ctx); err != nil {
		return transport.Digest{}, fmt.Errorf("deposit %s: %w", r.Exchange.ID, err)
	}
	dir, err := os.MkdirTemp(d.s.tempDir(), "deposit-")
	if err != nil {
		return transport.Digest{}, fmt.Errorf("deposit %s: %w", r.Exchange.ID, err)
	}
	kept, err := d.deposit(ctx, r, dir)
	if code, last := refusedForGood(err); last {
		err = fmt.Errorf("%w: %w: %w", hub.ErrNotDeposited, &hub.Refusal{Code: code}, err)
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		return transport.Digest{}, fmt.Errorf("deposit %s: %w", r.Exchange.ID, err)
	}
	return transport.Digest(kept.Package), nil
}

// refusedForGood says of a record that trying again changes nothing: its document is classified, or its envelope or the
// package inside is broken or forged.
func refusedForGood(err error) (api.Code, bool) {
	if errors.Is(err, document.ErrClassified) {
		return api.ClassifiedContent, true
	}
	if forged, ok := errors.AsType[*office.EnvelopeError](err); ok {
		return api.EnvelopeInvalid, forged.Report.Verdict == verdict.Failed || forged.Report.Verdict == verdict.Rejected
	}
	_, broken := errors.AsType[*verdict.ContainerError](err)
	return api.UnsupportedFormat, broken
}

func (d *depositor) deposit(ctx context.Context, r hub.Record, dir string) (archive.Entry, error) {
	opened, manifest, err := d.open(ctx, r, dir)
	if err != nil {
		return archive.Entry{}, err
	}
	switch v := opened.Verdict(); v {
	case verdict.Passed:
	case verdict.Failed, verdict.Rejected, verdict.Unsigned: // what is indeterminate may pass when a list is there
		return archive.Entry{}, fmt.Errorf("%w: the archive's own check of the document: %w (%s)", hub.ErrNotDeposited, office.ErrSeal, v)
	default:
		return archive.Entry{}, fmt.Errorf("the archive's own check of the document: %w (%s)", office.ErrSeal, v)
	}
	record, content, metadata, err := describe(r, opened, dir)
	if err != nil {
		return archive.Entry{}, err
	}
	files := append(d.files(r, opened, dir), archive.BytesFile("metadata/document.json", archive.RoleMetadata, metadata))
	files = append(files, archive.BytesFile("metadata/envelope.p7s", archive.RoleEnvelope, manifest))
	return d.s.Archive.Deposit(ctx, archive.Submission{Record: record, Files: files, Content: content})
}

// open fetches the archive's own envelope and opens it into dir/files. It also returns the manifest that the sender signed
// for the archive.
func (d *depositor) open(ctx context.Context, r hub.Record, dir string) (_ *office.Opened, manifest []byte, err error) {
	f, err := os.Create(filepath.Join(dir, "envelope.yxe"))
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := r.Envelope(ctx, f); err != nil {
		return nil, nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, nil, err
	}
	env, err := envelope.Parse(f, size)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range env.Parts() {
		if p.Recipient == d.s.config.Archive {
			manifest = p.Manifest
		}
	}
	opened, err := d.s.Office.OpenEnvelope(ctx, d.s.config.Archive, f, size, r.KnownSince, filepath.Join(dir, "files"))
	return opened, manifest, err
}

// describe fills the record from the document's own metadata and from the exchange, and gives what it is found by and the
// text of the metadata: that of the document to the byte, where it has any.
func describe(r hub.Record, opened *office.Opened, dir string) (rec archive.Record, content archive.Content, metadata []byte, err error) {
	content = archive.Content{Elements: elements(opened.Metadata)}
	data, err := os.ReadFile(filepath.Join(dir, "files", opened.Document))
	if err != nil {
		return rec, content, nil, err
	}
	pkg, err := ofd.Open(data)
	if err != nil {
		return rec, content, nil, err
	}
	if metadata = verify.Metadata(pkg); metadata == nil {
		if metadata, err = document.MarshalMetadata(opened.Metadata); err != nil {
			return rec, content, nil, err
		}
	}
	rec = verify.Describe(pkg)
	rec.Retention, rec.DocumentSM3 = opened.Metadata.Retention, r.Exchange.DocumentSM3.String()
	rec.Exchange, rec.Issuer = r.Exchange.ID, r.Exchange.Sender
	// The record holds the receipts of all recipients, which none of them may see: it is the sender's and the archive's.
	rec.Parties = []string{r.Exchange.Sender}
	var text strings.Builder
	for i := range rec.Pages {
		text.WriteString(pkg.PageText(i) + "\n")
	}
	content.Text = text.String()
	return rec, content, metadata, nil
}

// elements are the metadata that a record is found by beside its description, by their names in GB/T 9704.
func elements(m document.Metadata) map[string][]string {
	all := map[string][]string{
		"行文方向": {m.Direction.String()}, "紧急程度": {m.Urgency.String()}, "份号": {m.CopyNumber}, "签发人": m.Approvers,
		"签发日期": {m.ApprovedOn.String()}, "印发机关": {m.PrintedBy}, "印发日期": {m.PrintedOn.String()}, "附注": {m.Note},
		"主题词": m.Keywords, "语种": {m.Language}, "公开属性": {m.Disclosure}, "共享类别": {m.Sharing}, "办理时限": {m.DueOn.String()},
	}
	for name, offices := range map[string][]document.Office{"主送": m.To, "抄送": m.CC, "联合发文机关": m.JointIssuers} {
		for _, o := range offices {
			all[name] = append(all[name], o.Name)
		}
	}
	for _, a := range m.Attachments {
		all["附件"] = append(all["附件"], a.Title)
	}
	for name, values := range all {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
		if all[name] = values; len(values) == 0 {
			delete(all, name)
		}
	}
	return all
}

// files lists what goes into the package: the files of the envelope, the receipts, the root.
func (d *depositor) files(r hub.Record, opened *office.Opened, dir string) []archive.File {
	var files []archive.File
	for _, name := range opened.Files {
		path := filepath.Join(dir, "files", name)
		f := archive.File{Path: "document/attachments/" + name, Role: archive.RoleAttachment}
		switch {
		case name == opened.Document:
			f.Path, f.Role = "document/"+name, archive.RoleDocument
		case opened.Decides(name): // beside the document only a sealed copy does
			f.Path, f.Role = "document/"+name, archive.RoleCopy
		}
		f.Open = func() (io.ReadCloser, error) { return os.Open(path) }
		files = append(files, f)
	}
	return append(append(files, receipts(r, 1)...), archive.BytesFile("certificates/root.pem", archive.RoleCertificate, d.s.Root.PEM()))
}

// receipts are the receipts of a record as files, numbered from first on.
func receipts(r hub.Record, first int) (files []archive.File) {
	for i, body := range r.Receipts {
		e := r.Evidence[i]
		name := fmt.Sprintf("evidence/%02d-%s", i+first, e.Event)
		if e.Recipient != "" {
			name += "-" + strings.ToLower(e.Recipient)
		}
		files = append(files, archive.BytesFile(name+".yxr", archive.RoleEvidence, body))
	}
	return files
}

// Supplement implements hub.Archiver.
func (d *depositor) Supplement(ctx context.Context, r hub.Record) (transport.Digest, error) {
	if err := d.s.archiveSigner(ctx); err != nil {
		return transport.Digest{}, err
	}
	ref, err := d.s.Archive.Supplement(ctx, r.Exchange.ID, receipts(r, r.First))
	return transport.Digest(ref), err
}
