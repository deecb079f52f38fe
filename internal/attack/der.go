package attack

import (
	"bytes"
	"errors"
)

// node is one DER value. A constructed one has kids, a primitive one a body.
type node struct {
	tag  byte
	body []byte
	kids []*node
	// form spoils the encoding of the length.
	form lengthForm
}

type lengthForm int

const (
	shortest lengthForm = iota
	longer              // one octet more than needed
	indefinite
)

const (
	tagBoolean = 0x01
	tagInteger = 0x02
	tagBits    = 0x03
	tagOctets  = 0x04
	tagOID     = 0x06
	tagUTF8    = 0x0C
	tagIA5     = 0x16
	tagTime    = 0x18
	tagSeq     = 0x30
	tagSet     = 0x31
	tagZero    = 0xA0
	tagOne     = 0xA1
	constructd = 0x20
)

var errDER = errors.New("attack: the base is not DER")

// parseDER reads one value, which must be all of b.
func parseDER(b []byte) (*node, error) {
	n, rest, err := readDER(b)
	if err == nil && len(rest) > 0 {
		err = errDER
	}
	return n, err
}

func readDER(b []byte) (*node, []byte, error) {
	if len(b) < 2 {
		return nil, nil, errDER
	}
	size, head := int(b[1]), 2
	if size >= 0x80 {
		count := size & 0x7F
		if count == 0 || count > 4 || len(b) < 2+count {
			return nil, nil, errDER
		}
		size = 0
		for _, c := range b[2 : 2+count] {
			size = size<<8 | int(c)
		}
		head += count
	}
	if len(b)-head < size {
		return nil, nil, errDER
	}
	n := &node{tag: b[0]}
	content, rest := b[head:head+size], b[head+size:]
	if n.tag&constructd == 0 {
		n.body = bytes.Clone(content)
		return n, rest, nil
	}
	for len(content) > 0 {
		kid, more, err := readDER(content)
		if err != nil {
			return nil, nil, err
		}
		n.kids, content = append(n.kids, kid), more
	}
	return n, rest, nil
}

// der encodes the value.
func (n *node) der() []byte {
	body := n.body
	for _, k := range n.kids {
		body = append(body, k.der()...)
	}
	out := []byte{n.tag}
	size := len(body)
	switch {
	case n.form == indefinite:
		return append(append(append(out, 0x80), body...), 0, 0)
	case n.form == shortest && size < 0x80:
		return append(append(out, byte(size)), body...)
	}
	var octets []byte
	for s := size; s > 0; s >>= 8 {
		octets = append([]byte{byte(s)}, octets...)
	}
	if n.form == longer && size >= 0x80 || len(octets) == 0 {
		octets = append([]byte{0}, octets...)
	}
	return append(append(append(out, 0x80|byte(len(octets))), octets...), body...)
}

// clone copies the tree.
func (n *node) clone() *node {
	c := *n
	c.body = bytes.Clone(n.body)
	c.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		c.kids[i] = k.clone()
	}
	return &c
}

// at goes down the tree by positions; nil if there is no such place.
func (n *node) at(path ...int) *node {
	for _, i := range path {
		if n == nil || i >= len(n.kids) {
			return nil
		}
		n = n.kids[i]
	}
	return n
}

// walk calls do for every value, the outer before the inner.
func (n *node) walk(do func(*node)) {
	do(n)
	for _, k := range n.kids {
		k.walk(do)
	}
}

func leaf(tag byte, body []byte) *node { return &node{tag: tag, body: body} }

// bits is a BIT STRING of whole octets.
func bits(b []byte) *node { return leaf(tagBits, append([]byte{0}, b...)) }
