package envelope

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/stream"
	"yinxin/transport"
	"yinxin/verdict"
)

// VerifyOptions say whom the caller trusts and as of when.
type VerifyOptions struct {
	Policy cert.Policy
	// At, where set, replaces the claimed signing time for judging certificates. Now is the time of judging.
	At  time.Time
	Now time.Time
}

// VerifyOutside parses and verifies the outside of an envelope file. What is refused as an envelope is rejected, as is a
// file that could not be read to its end.
func VerifyOutside(name string, r io.ReaderAt, size int64, o VerifyOptions) verdict.File {
	e, err := Parse(r, size)
	if err == nil {
		var f verdict.File
		if f, err = e.Verify(o); err == nil {
			f.File = name
			return f
		}
	}
	f := verdict.File{File: name, Type: "envelope"}
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		f.Reject(refused.Reason, "%s", refused.Detail)
		return f
	}
	f.Reject(verdict.Truncated, "%v", err)
	return f
}

// Verify checks the outside, without any key: each manifest's signature, that it was signed for the header beside it,
// that it is the stated sender's, that all manifests agree, and that the payload is the one they fix, byte for byte. It
// reads the payload once. The error means that the payload could not be read.
func (e *Envelope) Verify(o VerifyOptions) (verdict.File, error) {
	f := verdict.File{Type: "envelope"}
	f.Add(verdict.Pass(verdict.CheckContainer))
	for _, p := range e.parts {
		f.Signatures = append(f.Signatures, p.judge(o))
	}
	f.Add(e.judgeAgreement())
	payload, err := e.judgePayload(e.First().Payload)
	if err != nil {
		return f, err
	}
	f.Add(payload)
	f.Judge(o.Policy.Setting())
	return f, nil
}

// judge judges one part by itself. The signature is named after the recipient.
func (p part) judge(o VerifyOptions) verdict.Signature {
	s := p.signed.Judge(gm.SM3(p.signed.Content()), false, cms.JudgeOptions{Policy: o.Policy, At: o.At, Now: o.Now, RequireBinding: true})[0]
	s.ID = p.Recipient
	s.Add(p.judgeBinding(), JudgeSender(p.signed, p.manifest))
	s.Judge(o.Policy.Setting())
	return s
}

// judgeBinding: the manifest was signed for this header, so for this recipient, exchange and wrapped key.
func (p part) judgeBinding() verdict.Check {
	const check = verdict.CheckManifest
	switch {
	case p.header.Recipient != p.manifest.Recipient:
		return verdict.Fail(check, verdict.RecipientBinding, "the header is for %s, the manifest for %s", p.header.Recipient, p.manifest.Recipient)
	case p.header.Exchange != p.manifest.Exchange:
		return verdict.Fail(check, verdict.RecipientBinding, "the header is of exchange %s, the manifest of %s", p.header.Exchange, p.manifest.Exchange)
	case digestOf(p.Header) != p.manifest.Header:
		return verdict.Fail(check, verdict.RecipientBinding, "the manifest of %s was signed for another header", p.Recipient)
	}
	return verdict.Pass(check)
}

// JudgeSender checks that the certificate in a signed manifest is that of the office which the manifest states as sender.
func JudgeSender(signed *cms.SignedData, m Manifest) verdict.Check {
	const check = verdict.CheckSignerListed
	c := signed.SignerCertificate(0)
	if c == nil {
		return verdict.Fail(check, verdict.SignerCert, "the manifest brings no signer's certificate")
	}
	if PartyCode(c) == m.Sender {
		return verdict.Pass(check)
	}
	if transport.CodeOf(c.Subject) == "" {
		return verdict.Unknown(check, verdict.SignerCert, "the certificate %s names no office code", c.SubjectText())
	}
	return verdict.Fail(check, verdict.SignerCert, "the manifest states sender %s, the certificate is of %s",
		m.Sender, transport.CodeOf(c.Subject))
}

// PartyCode is the code of a certificate's holder: the office code that its subject names (see [transport.CodeOf]), or
// for a certificate without one, as in a parcel between two people who share no directory, "cert-" and the front of its SM3.
func PartyCode(c *cert.Certificate) string {
	if code := transport.CodeOf(c.Subject); code != "" {
		return code
	}
	return "cert-" + transport.Digest(c.SM3()).String()[:32]
}

// judgeAgreement: every manifest belongs to its header, all say the same but for whom they are, and the dispatch list fits.
func (e *Envelope) judgeAgreement() verdict.Check {
	const check = verdict.CheckManifest
	for _, p := range e.parts { // first, so that parts put together wrongly are called by their name
		if c := p.judgeBinding(); c.Status != verdict.Passed {
			return c
		}
	}
	first := common(e.parts[0].manifest)
	for _, p := range e.parts {
		if !reflect.DeepEqual(common(p.manifest), first) {
			return verdict.Fail(check, verdict.Manifest, "the manifests of %s and %s disagree", e.parts[0].Recipient, p.Recipient)
		}
		if p.Role != OwnCopy || len(e.parts) == 1 {
			continue
		}
		if len(p.manifest.Recipients) != len(e.parts)-1 {
			return verdict.Fail(check, verdict.Manifest, "the dispatch list has %d recipients, the envelope %d",
				len(p.manifest.Recipients), len(e.parts)-1)
		}
		for _, a := range p.manifest.Recipients {
			if q, ok := e.part(a.Code); !ok || q.Role != a.Role {
				return verdict.Fail(check, verdict.Manifest, "the dispatch list names %s as %s, the envelope does not", a.Code, a.Role)
			}
		}
	}
	return verdict.Pass(check)
}

// common is what all manifests of one envelope must share.
func common(m Manifest) Manifest {
	m.Recipient, m.Role, m.Header, m.Recipients, m.Copies = "", "", transport.Digest{}, nil, 0
	return m
}

// judgePayload reads the payload and compares it with what a manifest fixes.
func (e *Envelope) judgePayload(want PayloadInfo) (verdict.Check, error) {
	if check := e.judgePayloadSize(want); check.Status != verdict.Passed {
		return check, nil
	}
	outer := newAsync(sha256.New())
	root, plain, err := stream.RootOf(io.TeeReader(e.PayloadReader(), outer))
	sum := outer.sum()
	if err != nil {
		reason, ok := streamReason(err)
		if !ok {
			return verdict.Check{}, fmt.Errorf("read payload of %s: %w", e.Exchange(), err)
		}
		return verdict.Fail(verdict.CheckDigests, reason, "payload: %v", err), nil
	}
	return judgeOutside(PayloadInfo{e.size, plain, root, sum}, want), nil
}

// judgePayloadSize comes first, so that a cut payload is called by its name.
func (e *Envelope) judgePayloadSize(want PayloadInfo) verdict.Check {
	const check = verdict.CheckDigests
	switch {
	case e.size < want.Size:
		return verdict.Fail(check, verdict.Truncated, "the payload has %d bytes, the manifest says %d", e.size, want.Size)
	case e.size > want.Size:
		return verdict.Fail(check, verdict.EnvelopeInvalid, "the payload has %d bytes, the manifest says %d", e.size, want.Size)
	}
	return verdict.Pass(check)
}

// judgeOutside compares what a whole payload was found to be with what a manifest fixes.
func judgeOutside(found, want PayloadInfo) verdict.Check {
	const check = verdict.CheckDigests
	switch {
	case found.Root != want.Root:
		return verdict.Fail(check, verdict.EnvelopeInvalid, "the root over the chunk tags is not the signed one")
	case found.SHA256 != want.SHA256:
		return verdict.Fail(check, verdict.EnvelopeInvalid, "the payload is not the signed one")
	case found.PlainSize != want.PlainSize:
		return verdict.Fail(check, verdict.EnvelopeInvalid, "the payload holds %d bytes, the manifest says %d", found.PlainSize, want.PlainSize)
	}
	return verdict.Pass(check)
}

// streamReason maps what crypto/stream says of a stream; false means that it could not be read.
func streamReason(err error) (verdict.Reason, bool) {
	for _, m := range [...]struct {
		err    error
		reason verdict.Reason
	}{
		{stream.ErrTruncated, verdict.Truncated},
		{stream.ErrTrailingData, verdict.TrailingData},
		{stream.ErrTooLarge, verdict.Limit},
		{stream.ErrAuthentication, verdict.EnvelopeInvalid},
		{stream.ErrWrongKey, verdict.EnvelopeInvalid},
		{stream.ErrEmptyChunk, verdict.EnvelopeInvalid},
		{stream.ErrKeySize, verdict.EnvelopeInvalid},
	} {
		if errors.Is(err, m.err) {
			return m.reason, true
		}
	}
	return "", false
}
