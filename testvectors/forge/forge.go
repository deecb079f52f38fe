// Package forge spoils DER messages for tests. It takes a good message apart into a tree, lets a test alter any part, and
// puts it together again with right lengths, so that only what the test meant to spoil is spoilt.
//
// It imports the standard library alone, nothing of the code under test: hashing and signing are handed in by the test.
package forge

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"
)

// Node is one DER value: a primitive one with Value, or a constructed one with Kids.
type Node struct {
	Tag   byte
	Value []byte
	Kids  []*Node
}

// Parse reads one value with nothing after it.
func Parse(der []byte) (*Node, error) {
	var raw asn1.RawValue
	rest, err := asn1.Unmarshal(der, &raw)
	if err != nil {
		return nil, fmt.Errorf("forge: %w", err)
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("forge: %d bytes after the value", len(rest))
	}
	n := &Node{Tag: der[0]}
	if !raw.IsCompound {
		n.Value = bytes.Clone(raw.Bytes)
		return n, nil
	}
	for body := raw.Bytes; len(body) > 0; {
		var kid asn1.RawValue
		after, err := asn1.Unmarshal(body, &kid)
		if err != nil {
			return nil, fmt.Errorf("forge: %w", err)
		}
		k, err := Parse(body[:len(body)-len(after)])
		if err != nil {
			return nil, err
		}
		n.Kids = append(n.Kids, k)
		body = after
	}
	return n, nil
}

// Must is Parse for input that the test itself has made.
func Must(der []byte) *Node {
	n, err := Parse(der)
	if err != nil {
		panic(err) //nolint:forbidigo // a test that cannot read its own input ends
	}
	return n
}

// Bytes writes the value with minimal lengths. The order of sets is left as it stands.
func (n *Node) Bytes() []byte {
	body := n.Value
	if n.Tag&0x20 != 0 {
		body = nil
		for _, k := range n.Kids {
			body = append(body, k.Bytes()...)
		}
	}
	return TLV(n.Tag, body)
}

// TLV writes tag, length and body.
func TLV(tag byte, body []byte) []byte {
	out := []byte{tag}
	switch l := len(body); {
	case l < 0x80:
		out = append(out, byte(l))
	case l < 0x100:
		out = append(out, 0x81, byte(l))
	case l < 0x10000:
		out = append(out, 0x82, byte(l>>8), byte(l))
	default:
		out = append(out, 0x83, byte(l>>16), byte(l>>8), byte(l))
	}
	return append(out, body...)
}

// At follows indexes downward; a negative one counts from the end.
func (n *Node) At(path ...int) *Node {
	for _, i := range path {
		if i < 0 {
			i += len(n.Kids)
		}
		n = n.Kids[i]
	}
	return n
}

// Clone copies the whole tree.
func (n *Node) Clone() *Node {
	c := &Node{Tag: n.Tag, Value: bytes.Clone(n.Value)}
	for _, k := range n.Kids {
		c.Kids = append(c.Kids, k.Clone())
	}
	return c
}

// Set gives a node the contents of another.
func (n *Node) Set(o *Node) { *n = *o.Clone() }

// Remove takes out the kid at i.
func (n *Node) Remove(i int) { n.Kids = slices.Delete(n.Kids, i, i+1) }

// Insert puts kids in before i.
func (n *Node) Insert(i int, kids ...*Node) { n.Kids = slices.Insert(n.Kids, i, kids...) }

// Sort puts the kids in the order of a DER SET.
func (n *Node) Sort() {
	slices.SortFunc(n.Kids, func(a, b *Node) int { return bytes.Compare(a.Bytes(), b.Bytes()) })
}

// Seq and SetOf make constructed values.
func Seq(kids ...*Node) *Node { return &Node{Tag: 0x30, Kids: kids} }

// SetOf makes a SET OF.
func SetOf(kids ...*Node) *Node { return &Node{Tag: 0x31, Kids: kids} }

// Int, OID, Octets, Null and Time make primitive values.
func Int(v int64) *Node { return marshal(v) }

// OID makes an object identifier.
func OID(arcs ...int) *Node { return marshal(asn1.ObjectIdentifier(arcs)) }

// Octets makes an OCTET STRING.
func Octets(b []byte) *Node { return &Node{Tag: 0x04, Value: b} }

// Null makes a NULL.
func Null() *Node { return &Node{Tag: 0x05} }

// Time makes a GeneralizedTime of the text.
func Time(text string) *Node { return &Node{Tag: 0x18, Value: []byte(text)} }

func marshal(v any) *Node {
	der, err := asn1.Marshal(v)
	if err != nil {
		panic(err) //nolint:forbidigo // only integers and object identifiers come here
	}
	return Must(der)
}

// IsOID reports whether the node is that object identifier.
func (n *Node) IsOID(arcs ...int) bool { return bytes.Equal(n.Bytes(), OID(arcs...).Bytes()) }

// Tools are what a forger has: the algorithms, and perhaps somebody's key.
type Tools struct {
	// Sum hashes by SM3.
	Sum func([]byte) []byte
	// Sign signs a message by SM2 and returns DER.
	Sign func([]byte) []byte
}

// Signed is a signed message taken apart.
type Signed struct {
	Root  *Node
	tools Tools
}

// OpenSigned takes a signed message apart.
func OpenSigned(der []byte, tools Tools) *Signed { return &Signed{Must(der), tools} }

// Body is SignedData itself.
func (s *Signed) Body() *Node { return s.Root.At(1, 0) }

// Content is the OCTET STRING with the content.
func (s *Signed) Content() *Node { return s.Body().At(2, 1, 0) }

// Bag is the set of certificates.
func (s *Signed) Bag() *Node { return s.Body().At(3) }

// Signers is the SET of signers.
func (s *Signed) Signers() *Node { return s.Body().At(-1) }

// Signer is the i-th of them.
func (s *Signed) Signer(i int) *Node { return s.Signers().At(i) }

// Attributes are the signed attributes of the i-th signer, nil if there are none.
func (s *Signed) Attributes(i int) *Node {
	if a := s.Signer(i).At(3); a.Tag == 0xa0 {
		return a
	}
	return nil
}

// Attribute is the signed attribute of that type.
func (s *Signed) Attribute(i int, arcs ...int) *Node {
	for _, a := range s.Attributes(i).Kids {
		if a.At(0).IsOID(arcs...) {
			return a
		}
	}
	return nil
}

// Drop removes the signed attribute of that type.
func (s *Signed) Drop(i int, arcs ...int) {
	a := s.Attributes(i)
	a.Kids = slices.DeleteFunc(a.Kids, func(n *Node) bool { return n.At(0).IsOID(arcs...) })
}

// Value is the signature value of the i-th signer.
func (s *Signed) Value(i int) *Node {
	for _, n := range slices.Backward(s.Signer(i).Kids) {
		if n.Tag == 0x04 {
			return n
		}
	}
	return nil
}

// MessageDigest is the type of that attribute.
var MessageDigest = []int{1, 2, 840, 113549, 1, 9, 4}

// Rehash writes the digest of the content, as it stands now, into messageDigest.
func (s *Signed) Rehash(i int) {
	s.Attribute(i, MessageDigest...).At(1, 0).Value = s.tools.Sum(s.Content().Value)
}

// Resign sorts the signed attributes and signs them anew; without any it signs the content.
func (s *Signed) Resign(i int) {
	attrs := s.Attributes(i)
	if attrs == nil {
		s.Value(i).Value = s.tools.Sign(s.Content().Value)
		return
	}
	attrs.Sort()
	set := SetOf(attrs.Kids...)
	s.Value(i).Value = s.tools.Sign(set.Bytes())
}

// Bytes puts the message together.
func (s *Signed) Bytes() []byte { return s.Root.Bytes() }
