package attack

import (
	"bytes"
	"fmt"
)

// Position of the public key in a certificate: tbs, then SubjectPublicKeyInfo, which follows version, serial number,
// algorithm, issuer, validity and subject.
var inPublicKey = []int{0, 6}

// certificateCases are C-10: a certificate is named by issuer and serial number, and by its key identifier, and neither says
// which certificate it is.
func certificateCases(l *lab) {
	b := l.base
	twin := func(n *node) *node {
		other, err := parseDER(l.base.OtherCert)
		if err != nil {
			l.fail("C-10", err)
			return &node{tag: tagSeq}
		}
		c := n.at(inCerts...).kids[0].clone()
		*c.at(inPublicKey...) = *other.at(inPublicKey...).clone()
		return c
	}
	l.message("C-10/twin-alone", "another key under the issuer, the serial number and the key identifier of the signer", "signer_cert", false, func(n *node) {
		n.at(inCerts...).kids = []*node{twin(n)}
	})
	l.message("C-10/twin-key-signs", "the same, signed with that key", "signer_cert", false, func(n *node) {
		n.at(inCerts...).kids = []*node{twin(n)}
		set := attributes(n).clone()
		set.tag = tagSet
		value, err := l.base.SignOther(set.der())
		if err != nil {
			l.fail("C-10/twin-key-signs", err)
		}
		n.at(inSigner...).kids[signerValue].body = value
	})
	l.message("C-10/unbound-twins", "two certificates of one issuer and serial number, and nothing signed that tells them apart", "signer_cert", true, func(n *node) {
		n.at(inCerts...).kids = append(n.at(inCerts...).kids, twin(n))
		list := attributes(n)
		var kept []*node
		for _, a := range list.kids {
			if !bytes.Equal(a.kids[0].body, signingCertificateV2) {
				kept = append(kept, a)
			}
		}
		if len(kept) == len(list.kids) {
			l.fail("C-10/unbound-twins", fmt.Errorf("%w: no signingCertificateV2", ErrNothingChanged))
		}
		list.kids = kept
	})
	if n, err := parseDER(b.Message); l.err == nil {
		if err == nil {
			err = l.unbind(n)
		}
		if err != nil {
			l.fail("C-10/unbound", err)
			return
		}
		l.emit(Case{
			ID: "C-10/unbound", Mutation: "a message that names its certificate by issuer and serial number alone, by the signer", File: "p7s", Twin: "Message",
			Verdict: Passed, Warning: "signer_unbound", Data: n.der(), Content: b.Content,
		}, b.Message)
	}
	l.sound("C-10/twin-beside", "none: the twin beside the signer's certificate, which the signed digest picks", func(n *node) {
		n.at(inCerts...).kids = append(n.at(inCerts...).kids, twin(n))
	})
	if l.err != nil {
		return
	}
	n, err := parseDER(b.Message)
	if err != nil {
		l.fail("C-10/key-identifier", err)
		return
	}
	s := n.at(inSigner...)
	s.kids[0].body = []byte{3}
	s.kids[1] = leaf(0x80, []byte("0123456789abcdefghij"))
	l.emit(Case{
		ID: "C-10/key-identifier", Mutation: "the signer named by a key identifier", File: "p7s", Twin: "Message",
		Verdict: Rejected, Reason: "malformed", Data: n.der(), Content: l.base.Content,
	}, b.Message)
}

// signingCertificateV2 is 1.2.840.113549.1.9.16.2.47.
var signingCertificateV2 = []byte{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 47}

// sound makes a case of a message that passes.
func (l *lab) sound(id, mutation string, change func(n *node)) {
	if l.err != nil {
		return
	}
	n, err := parseDER(l.base.Message)
	if err != nil {
		l.fail(id, err)
		return
	}
	change(n)
	l.emit(Case{ID: id, Mutation: mutation, File: "p7s", Twin: "Message", Verdict: Passed, Data: n.der(), Content: l.base.Content}, l.base.Message)
}
