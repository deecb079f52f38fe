package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"yinxin/crypto/cert"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// inspected is what the hub knows of a submission from its outside.
type inspected struct {
	exchange    string // also set, as a claim, when the inspection refuses
	urgency     transport.Urgency
	sm3, sha256 transport.Digest
	recipients  []addressee // those that get a delivery
	refers      transport.Reference
}

type addressee struct {
	code   string
	role   transport.Role
	copies int
}

// inspect makes the hub's checks: container, sender's identity, signatures, directory,
// the sender's signed report. It sees no plaintext. A refusal is a *Refusal.
func (h *Hub) inspect(ctx context.Context, c Caller, s *spooled) (inspected, error) {
	e, err := envelope.Parse(s, s.size)
	if err != nil {
		return inspected{}, containerRefusal(err)
	}
	in := inspected{exchange: e.Exchange()}
	if !transport.ValidID(in.exchange) {
		return in, invalid("exchange", "is not a UUID in lower case")
	}
	if e.Sender() != c.Org {
		return in, refuse(api.SenderMismatch, "the envelope is of %s, the login of %s", e.Sender(), c.Org)
	}
	if err := h.checkSender(ctx, c, e); err != nil {
		return in, err
	}
	m := e.First()
	if m.Document == (envelope.Digests{}) {
		return in, refuse(api.UnsupportedFormat, "the envelope names no official document")
	}
	if err := checkReport(m.Report); err != nil {
		return in, err
	}
	in.urgency, in.sm3, in.sha256, in.refers = m.Urgency, m.Document.SM3, m.Document.SHA256, m.Refers
	if in.recipients, err = h.checkRecipients(ctx, e); err != nil {
		return in, err
	}
	return in, h.checkReference(ctx, c, in)
}

func invalid(pointer, format string, args ...any) *Refusal {
	return &Refusal{Code: api.Validation, Faults: []api.Fault{{Pointer: pointer, Detail: fmt.Sprintf(format, args...)}}}
}

func containerRefusal(err error) error {
	var refused *verdict.ContainerError
	if !errors.As(err, &refused) {
		return err
	}
	if refused.Reason == verdict.UnsupportedVersion {
		return refuse(api.UnsupportedVersion, "%s", refused.Detail)
	}
	return refuse(api.Malformed, "%s: %s", refused.Reason, refused.Detail)
}

// checkSender judges every manifest and the payload. The one certificate that counts
// is that which the directory has for this office, whose chain was judged by itself:
// so a submission costs one signature check a manifest.
func (h *Hub) checkSender(ctx context.Context, c Caller, e *envelope.Envelope) error {
	own, err := h.signing(ctx, c.Org)
	if err != nil {
		return err
	}
	if own.Status != directory.Active {
		return refuse(api.Forbidden, "office %s is closed", c.Org)
	}
	if err := h.trusted(own); err != nil {
		return err
	}
	now := h.p.Clock()
	f, err := e.Verify(envelope.VerifyOptions{
		Policy: cert.Policy{Roots: []*cert.Certificate{own.cert}, Revocation: verdict.RevocationOff}, At: now, Now: now,
	})
	if err != nil {
		return fmt.Errorf("read submission: %w", err)
	}
	if f.Verdict == verdict.Passed {
		return nil
	}
	switch f.Reason {
	case verdict.CertificateChain, verdict.SignerCert:
		return refuse(api.SenderMismatch, "the envelope is not signed with the certificate of %s in the directory", c.Org)
	}
	return refuse(api.EnvelopeInvalid, "%s", cause(&f))
}

// cause is the detail of the check that decided a verdict.
func cause(f *verdict.File) string {
	checks := slices.Clone(f.Checks)
	for _, s := range f.Signatures {
		checks = append(checks, s.Checks...)
	}
	for _, c := range checks {
		if c.Reason == f.Reason && c.Detail != "" {
			return c.Detail
		}
	}
	return string(f.Reason)
}

// checkReport looks at what the sender's side found before packing and signed for.
func checkReport(r envelope.Report) error {
	for _, row := range []struct {
		check         string
		failed, other api.Code
		optional      bool // the check may not apply: a document without seals
	}{
		{envelope.FindingClassification, api.ClassifiedContent, api.Validation, false},
		{envelope.FindingLayout, api.Validation, api.Validation, true},
		{envelope.FindingSeals, api.SealInvalid, api.SealIndeterminate, true},
	} {
		f, ok := r.Finding(row.check)
		switch {
		case !ok && row.optional:
		case !ok:
			return invalid("report/"+row.check, "the sender's report lacks this check")
		case f.Verdict == verdict.Passed, f.Verdict == verdict.Unsigned && row.optional:
		case f.Verdict == verdict.Failed || f.Verdict == verdict.Rejected:
			return refuse(row.failed, "the sender's report says %s", orWord(string(f.Reason), string(f.Verdict)))
		default:
			return refuse(row.other, "the sender's report says %s", orWord(string(f.Reason), string(f.Verdict)))
		}
	}
	return nil
}

func orWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// checkRecipients holds each part against the directory and reports all faults at once.
func (h *Hub) checkRecipients(ctx context.Context, e *envelope.Envelope) ([]addressee, error) {
	bad := &Refusal{Code: api.InvalidAddressee}
	var to []addressee
	own, archived := false, !h.deposits()
	for _, p := range e.Parts() {
		archived = archived || p.Recipient == h.cfg.Archive
		switch p.Role {
		case envelope.OwnCopy:
			own = true
			continue
		case transport.ForArchive:
			if p.Recipient != h.cfg.Archive {
				bad.Faults = append(bad.Faults, api.Fault{Pointer: "recipients/" + p.Recipient, Detail: "is not the archive of this hub"})
			}
		case transport.To, transport.CC:
			if h.deposits() && p.Recipient == h.cfg.Archive {
				bad.Faults = append(bad.Faults, api.Fault{
					Pointer: "recipients/" + p.Recipient, Detail: "keeps the record of every exchange, and is addressed as the archive alone",
				})
			}
			m, _ := e.Manifest(p.Recipient)
			to = append(to, addressee{p.Recipient, p.Role, cmp.Or(m.Copies, h.cfg.Copies)})
		}
		header, _ := e.Header(p.Recipient)
		fault, err := h.checkRecipient(ctx, p.Recipient, header)
		if err != nil {
			return nil, err
		}
		if fault != "" {
			bad.Faults = append(bad.Faults, api.Fault{Pointer: "recipients/" + p.Recipient, Detail: fault})
		}
	}
	switch {
	case len(bad.Faults) > 0:
		return nil, bad
	case len(to) == 0:
		return nil, invalid("recipients", "there is none")
	case !own:
		return nil, invalid("recipients", "the sender's own copy with the dispatch list is missing")
	case !archived:
		return nil, invalid("recipients", "the archive %s is missing", h.cfg.Archive)
	}
	return to, nil
}

// checkRecipient says what is wrong with an addressee, in words, or nothing.
func (h *Hub) checkRecipient(ctx context.Context, code string, header envelope.Header) (string, error) {
	o, err := h.p.Directory.Organisation(ctx, code)
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return "is not in the directory", nil
	case err != nil:
		return "", fmt.Errorf("look up office %s: %w", code, err)
	case o.Status != directory.Active:
		return "is closed", nil
	case len(o.EncryptionCert) == 0:
		return "has no encryption certificate", nil
	}
	certs, err := h.certs.parse(o.EncryptionCert)
	if err != nil {
		return "", fmt.Errorf("read encryption certificate of %s: %w", code, err)
	}
	if transport.Digest(certs[0].SM3()) != header.Certificate {
		return "is encrypted for another certificate than that in the directory", nil
	}
	return "", nil
}

// isClosed reports whether a delivery to this office must be refused now.
func (h *Hub) isClosed(ctx context.Context, code string) (bool, error) {
	o, err := h.p.Directory.Organisation(ctx, code)
	if errors.Is(err, directory.ErrNotFound) {
		return true, nil
	}
	return o.Status != directory.Active, err
}

// openFor opens the envelope of an exchange for one recipient.
func (h *Hub) openFor(ctx context.Context, exchange, recipient string) (*Download, error) {
	b, err := h.body(ctx, exchange)
	if err != nil {
		return nil, err
	}
	e, err := envelope.Parse(b, b.Size())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("parse stored envelope of %s: %w", exchange, err), b.Close())
	}
	one, err := e.For(recipient)
	if errors.Is(err, envelope.ErrNotAddressed) {
		err = notFound()
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &Download{Single: one, body: b}, nil
}
