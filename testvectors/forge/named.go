package forge

import (
	"bytes"
	"slices"
)

// Spoilt is a value that was good, spoilt in one way that has a name.
type Spoilt struct {
	Name  string
	Bytes []byte
}

// order is n, the order of the SM2 base point (GB/T 32918.5-2017).
var order = []byte{
	0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23,
}

// Signatures spoils a signature SEQUENCE{INTEGER r, INTEGER s} in every named way.
func Signatures(der []byte) []Spoilt {
	with := func(change func(n *Node)) []byte {
		n := Must(der)
		change(n)
		return n.Bytes()
	}
	whole := Must(der)
	r, s := whole.At(0).Value, whole.At(1).Value
	zero := &Node{Tag: 0x02, Value: []byte{0}}
	n := &Node{Tag: 0x02, Value: append([]byte{0}, order...)}
	return []Spoilt{
		{"a bit of r", with(func(n *Node) { n.At(0).Value[len(r)-1] ^= 1 })},
		{"a bit of s", with(func(n *Node) { n.At(1).Value[len(s)-1] ^= 1 })},
		{"r and s exchanged", with(func(n *Node) { n.Kids[0], n.Kids[1] = n.Kids[1], n.Kids[0] })},
		{"r of zero", with(func(n *Node) { n.At(0).Set(zero) })},
		{"s of zero", with(func(n *Node) { n.At(1).Set(zero) })},
		{"r of n", with(func(m *Node) { m.At(0).Set(n) })},
		{"s of n", with(func(m *Node) { m.At(1).Set(n) })},
		{"r beyond n", with(func(m *Node) { m.At(0).Value = addOrder(r) })},
		{"s beyond n", with(func(m *Node) { m.At(1).Value = addOrder(s) })},
		{"negative r", with(func(n *Node) { n.At(0).Value = append([]byte{0xff}, n.At(0).Value...) })},
		{"padded r", with(func(n *Node) { n.At(0).Value = append([]byte{0}, n.At(0).Value...) })},
		{"padded s", with(func(n *Node) { n.At(1).Value = append([]byte{0}, n.At(1).Value...) })},
		{"a third integer", with(func(n *Node) { n.Insert(2, Int(1)) })},
		{"r alone", with(func(n *Node) { n.Remove(1) })},
		{"a set", with(func(n *Node) { n.Tag = 0x31 })},
		{"an octet string for r", with(func(n *Node) { n.At(0).Tag = 0x04 })},
		{"a byte after it", append(bytes.Clone(der), 0)},
		{"the last byte cut off", bytes.Clone(der[:len(der)-1])},
		{"length in the long form", slices.Concat([]byte{0x30, 0x81}, der[1:])},
		{"indefinite length", slices.Concat([]byte{0x30, 0x80}, der[2:], []byte{0, 0})},
		{"r and s without a frame", slices.Concat(fixed(r), fixed(s))},
		{"nothing", nil},
	}
}

// fixed gives an integer 32 bytes.
func fixed(v []byte) []byte {
	v = bytes.TrimLeft(v, "\x00")
	return append(make([]byte, 32-len(v)), v...)
}

// addOrder adds n to the value of an INTEGER.
func addOrder(v []byte) []byte {
	sum := append([]byte{0, 0}, fixed(v)...)
	carry := 0
	for i := range 32 {
		t := int(sum[len(sum)-1-i]) + int(order[31-i]) + carry
		sum[len(sum)-1-i], carry = byte(t), t>>8
	}
	sum[1] = byte(carry)
	for len(sum) > 1 && sum[0] == 0 && sum[1] < 0x80 {
		sum = sum[1:]
	}
	return sum
}

// Ciphertexts spoils an SM2 ciphertext SEQUENCE{INTEGER x, INTEGER y, OCTET STRING C3, OCTET STRING C2} (GB/T 35276).
func Ciphertexts(der []byte) []Spoilt {
	with := func(change func(n *Node)) []byte {
		n := Must(der)
		change(n)
		return n.Bytes()
	}
	flip := func(i int) []byte {
		return with(func(n *Node) { v := n.At(i).Value; v[len(v)-1] ^= 1 })
	}
	return []Spoilt{
		{"x off the curve", flip(0)},
		{"y off the curve", flip(1)},
		{"a bit of C3", flip(2)},
		{"a bit of C2", flip(3)},
		{"x and y exchanged", with(func(n *Node) { n.Kids[0], n.Kids[1] = n.Kids[1], n.Kids[0] })},
		{"C2 and C3 exchanged", with(func(n *Node) { n.Kids[2], n.Kids[3] = n.Kids[3], n.Kids[2] })},
		{"the point at infinity", with(func(n *Node) { n.At(0).Value, n.At(1).Value = []byte{0}, []byte{0} })},
		{"no C2", with(func(n *Node) { n.At(3).Value = nil })},
		{"C2 cut", with(func(n *Node) { n.At(3).Value = n.At(3).Value[1:] })},
		{"C2 longer", with(func(n *Node) { n.At(3).Value = append(n.At(3).Value, 0) })},
		{"C3 cut", with(func(n *Node) { n.At(2).Value = n.At(2).Value[1:] })},
		{"negative x", with(func(n *Node) { n.At(0).Value = append([]byte{0xff}, n.At(0).Value...) })},
		{"padded y", with(func(n *Node) { n.At(1).Value = append([]byte{0, 0}, n.At(1).Value...) })},
		{"a fifth member", with(func(n *Node) { n.Insert(4, Null()) })},
		{"a byte after it", append(bytes.Clone(der), 0)},
		{"the last byte cut off", bytes.Clone(der[:len(der)-1])},
		{"indefinite length", slices.Concat([]byte{0x30, 0x80}, der[headerLen(der):], []byte{0, 0})},
		{"nothing", nil},
	}
}

// headerLen is the length of tag and length octets.
func headerLen(der []byte) int {
	if der[1] < 0x80 {
		return 2
	}
	return 2 + int(der[1]&0x7f)
}

// Sealed spoils a ciphertext with its tag at the end.
func Sealed(sealed []byte, tag int) []Spoilt {
	flip := func(i int) []byte { b := bytes.Clone(sealed); b[i] ^= 0x80; return b }
	out := []Spoilt{
		{"a bit of the first byte", flip(0)},
		{"a bit of the tag", flip(len(sealed) - 1)},
		{"a bit of the tag's first byte", flip(len(sealed) - tag)},
		{"a byte cut off", bytes.Clone(sealed[:len(sealed)-1])},
		{"the tag cut off", bytes.Clone(sealed[:len(sealed)-tag])},
		{"a byte after it", append(bytes.Clone(sealed), 0)},
		{"a tag of zeros", append(bytes.Clone(sealed[:len(sealed)-tag]), make([]byte, tag)...)},
		{"less than a tag", bytes.Clone(sealed[:tag-1])},
		{"nothing", nil},
	}
	if len(sealed) > 32+tag {
		moved := bytes.Clone(sealed)
		copy(moved, sealed[16:32])
		copy(moved[16:], sealed[:16])
		out = append(out, Spoilt{"two blocks exchanged", moved})
	}
	return out
}
