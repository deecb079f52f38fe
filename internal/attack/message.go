package attack

import (
	"bytes"
	"fmt"
)

// Positions in a GB/T 35275 message: ContentInfo{type, [0] SignedData{version, digests, content, [0] certificates,
// signers}}.
var (
	inDigests = []int{1, 0, 1}
	inContent = []int{1, 0, 2}
	inCerts   = []int{1, 0, 3}
	inSigners = []int{1, 0, 4}
	inSigner  = []int{1, 0, 4, 0}
)

// Positions in a signer: version, identity, digest, [0] attributes, signature algorithm, value.
const (
	signerDigest = 2
	signerAttrs  = 3
	signerAlg    = 4
	signerValue  = 5
)

// message makes a case of a detached signature. With resign the signer signs the attributes anew.
func (l *lab) message(id, mutation, reason string, resign bool, change func(n *node)) {
	l.messageBy(id, mutation, reason, resign, l.base.Sign, change)
}

func (l *lab) messageBy(id, mutation, reason string, resign bool, sign func([]byte) ([]byte, error), change func(n *node)) {
	if l.err != nil {
		return
	}
	n, err := parseDER(l.base.Message)
	if err != nil {
		l.fail(id, err)
		return
	}
	change(n)
	if resign {
		set := n.at(inSigner...).kids[signerAttrs].clone()
		set.tag = tagSet
		value, err := sign(set.der())
		if err != nil {
			l.fail(id, err)
			return
		}
		n.at(inSigner...).kids[signerValue].body = value
	}
	l.emit(Case{
		ID: id, Mutation: mutation, File: "p7s", Twin: "Message", Verdict: Failed, Reason: reason, Data: n.der(), Content: l.base.Content,
	}, l.base.Message)
}

// attributes is the list of signed attributes; each is SEQUENCE{type, SET{value}}.
func attributes(n *node) *node { return n.at(inSigner...).kids[signerAttrs] }

// attribute finds an attribute by the last octet of its type in PKCS#9 (1.2.840.113549.1.9.x).
func attribute(n *node, last byte) (int, *node) {
	for i, a := range attributes(n).kids {
		oid := a.kids[0].body
		if len(oid) == 9 && oid[8] == last {
			return i, a
		}
	}
	return -1, nil
}

const (
	contentType   = 3
	messageDigest = 4
	signingTime   = 5
)

// messageCases are the rows C about signed messages.
func messageCases(l *lab) {
	b := l.base
	l.message("C-01/attributes-as-content", "the signed attributes passed off as the content", "signed_attrs_required", false, func(n *node) {
		s := n.at(inSigner...)
		s.kids = append(s.kids[:signerAttrs:signerAttrs], s.kids[signerAlg:]...)
	})
	for what, last := range sorted(map[string]byte{"content-type": contentType, "digest": messageDigest}) {
		l.message("C-02/no-"+what, "an attribute left out by the signer", "signed_attrs_incomplete", true, func(n *node) {
			i, _ := attribute(n, last)
			a := attributes(n)
			a.kids = append(a.kids[:i:i], a.kids[i+1:]...)
		})
	}
	l.message("C-02/other-type", "contentType is not that of the content", "signed_attrs_incomplete", true, func(n *node) {
		_, a := attribute(n, contentType)
		body := a.at(1, 0).body
		body[len(body)-1]++
	})
	l.message("C-02/digest-type", "messageDigest is no octet string", "signed_attrs_incomplete", true, func(n *node) {
		_, a := attribute(n, messageDigest)
		a.at(1, 0).tag = tagUTF8
	})
	for what, last := range sorted(map[string]byte{"content-type": contentType, "digest": messageDigest, "time": signingTime}) {
		l.message("C-03/twice-"+what, "an attribute twice", "attr_duplicate", true, func(n *node) {
			i, a := attribute(n, last)
			list := attributes(n)
			list.kids = append(list.kids[:i+1:i+1], append([]*node{a.clone()}, list.kids[i+1:]...)...)
		})
		l.message("C-03/two-values-"+what, "an attribute with two values", "attr_duplicate", true, func(n *node) {
			_, a := attribute(n, last)
			a.kids[1].kids = append(a.kids[1].kids, a.at(1, 0).clone())
		})
	}
	l.message("C-04/order", "attributes in another order, signed so", "not_der", true, func(n *node) {
		a := attributes(n)
		a.kids[0], a.kids[1] = a.kids[1], a.kids[0]
	})
	l.message("C-02/changed-digest", "messageDigest of another content", "data_hash", true, func(n *node) {
		_, a := attribute(n, messageDigest)
		a.at(1, 0).body = make([]byte, 32)
	})
	l.message("C-13/over-digest", "signed over the SM3 of the attributes", "sig_value", false, func(n *node) {
		set := attributes(n).clone()
		set.tag = tagSet
		sum := b.SM3(set.der())
		value, err := b.Sign(sum[:])
		if err != nil {
			l.fail("C-13/over-digest", err)
		}
		n.at(inSigner...).kids[signerValue].body = value
	})
	l.message("C-13/over-implicit", "signed over the attributes under their implicit tag", "sig_value", false, func(n *node) {
		value, err := b.Sign(attributes(n).der())
		if err != nil {
			l.fail("C-13/over-implicit", err)
		}
		n.at(inSigner...).kids[signerValue].body = value
	})
	l.messageBy("C-09/other-key", "signed with another key", "sig_value", true, b.SignOther, func(*node) {})
	l.message("C-09/no-certificate", "no certificate in the message", "signer_cert", false, func(n *node) { n.at(inCerts...).kids = nil })
	l.message("C-09/other-certificate", "the certificate of somebody else alone", "signer_cert", false, func(n *node) {
		c, err := parseDER(b.OtherCert)
		if err != nil {
			l.fail("C-09/other-certificate", err)
			return
		}
		n.at(inCerts...).kids = []*node{c}
	})
	l.message("C-11/digest", "digest SHA-256", "alg_mismatch", false, func(n *node) {
		n.at(inSigner...).kids[signerDigest].kids[0].body = []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}
	})
	l.message("C-11/digests", "another digest announced", "alg_mismatch", false, func(n *node) {
		n.at(inDigests...).kids[0].kids[0].body = []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}
	})
	l.message("C-11/ecdsa", "signature algorithm ECDSA", "alg_mismatch", false, func(n *node) {
		n.at(inSigner...).kids[signerAlg].kids[0].body = []byte{0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2}
	})
	l.message("C-11/rsa", "signature algorithm RSA", "alg_mismatch", false, func(n *node) {
		n.at(inSigner...).kids[signerAlg].kids[0].body = []byte{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1}
	})
	l.message("C-08/twice", "the same signer twice", "signer_duplicate", false, func(n *node) {
		s := n.at(inSigners...)
		s.kids = append(s.kids, s.kids[0].clone())
	})
	l.message("C-07/both", "a content inside a detached message", "content_ambiguous", false, func(n *node) {
		c := n.at(inContent...)
		c.kids = append(c.kids, &node{tag: tagZero, kids: []*node{leaf(tagOctets, []byte("another"))}})
	})
	if l.err == nil {
		l.emit(Case{
			ID: "C-07/attached", Mutation: "a message with a content of its own beside another file", File: "p7s", Twin: "Message",
			Verdict: Failed, Reason: "content_ambiguous", Data: bytes.Clone(b.Attached), Content: append(bytes.Clone(b.Content), '\n'),
		}, nil)
	}
	if l.err == nil {
		l.emit(Case{
			ID: "C-02/other-content", Mutation: "the signed file changed", File: "p7s", Twin: "Message", Verdict: Failed, Reason: "data_hash",
			Data: bytes.Clone(b.Message), Content: append(bytes.Clone(b.Content), '\n'),
		}, nil)
	}
	refusals(l)
}

// refusals are messages that are refused for their form.
func refusals(l *lab) {
	b := l.base
	whole := func(id, mutation, reason string, data []byte) {
		if l.err == nil {
			l.emit(Case{ID: id, Mutation: mutation, File: "p7s", Twin: "Message", Verdict: Rejected, Reason: reason, Data: data, Content: b.Content}, b.Message)
		}
	}
	tree, err := parseDER(b.Message)
	if err != nil {
		l.fail("C-06", err)
		return
	}
	none := tree.clone()
	none.at(inSigners...).kids = nil
	whole("C-08/none", "no signer", "no_signer", none.der())
	for what, tail := range sorted(map[string]string{"zero": "\x00", "value": "\x05\x00", "text": "x"}) {
		whole("C-05/message-"+what, "bytes after the message", "trailing_data", append(bytes.Clone(b.Message), tail...))
	}
	bag := tree.clone()
	c := bag.at(inCerts...)
	for len(c.kids) < 100 {
		c.kids = append(c.kids, c.kids[0].clone())
	}
	whole("C-09/bag", "a bag of 100 certificates", "signer_cert", bag.der())
	count := 0
	tree.walk(func(*node) { count++ })
	for i := range count {
		for _, form := range []lengthForm{longer, indefinite} {
			t, at := tree.clone(), 0
			usable := true
			t.walk(func(n *node) {
				if at == i {
					n.form = form
					usable = form == longer || n.tag&constructd != 0
				}
				at++
			})
			if usable {
				whole(fmt.Sprintf("C-06/message-%d-%03d", form, i), "the length of a value in another form", "not_der", t.der())
			}
		}
	}
	for _, part := range []int{1, 2, 4, 8} {
		whole(fmt.Sprintf("C-06/message-cut-%d", part), "the message cut off", "not_der", b.Message[:len(b.Message)-len(b.Message)/(2*part)])
	}
}
