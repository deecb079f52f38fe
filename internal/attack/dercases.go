package attack

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// sorted goes through a table in the order of its keys, so that the corpus is the same every time.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// derCases spoil the encoding of the seal signature in every place: C-05, C-06, O-18.
func derCases(l *lab) {
	p, err := unpack(l.base.OFD)
	if err != nil {
		l.fail("C-06", err)
		return
	}
	value := p.get(value0).data
	with := func(id, mutation, reason string, data []byte) {
		l.on("OFD", id, mutation, Failed, reason, func(p *pack) {
			e := p.get(value0)
			e.data, e.stored = data, true
		})
	}
	tree, err := parseDER(value)
	if err != nil {
		l.fail("C-06", err)
		return
	}
	count := 0
	tree.walk(func(*node) { count++ })
	nth := func(i int, change func(n *node) bool) []byte {
		c, at, done := tree.clone(), 0, false
		c.walk(func(n *node) {
			if at == i {
				done = change(n)
			}
			at++
		})
		if !done {
			return nil
		}
		return c.der()
	}
	for i := range count {
		with(fmt.Sprintf("C-06/long-length-%02d", i), "the length of a value in one octet more than needed", "not_der",
			nth(i, func(n *node) bool { n.form = longer; return true }))
		if data := nth(i, func(n *node) bool { n.form = indefinite; return n.tag&constructd != 0 }); data != nil {
			with(fmt.Sprintf("C-06/indefinite-%02d", i), "a value of indefinite length", "not_der", data)
		}
		if data := nth(i, func(n *node) bool { n.body = append([]byte{0}, n.body...); return n.tag == tagInteger }); data != nil {
			with(fmt.Sprintf("C-06/long-integer-%02d", i), "an integer with a needless octet", "seal_version", data)
		}
		if data := nth(i, func(n *node) bool { n.body = append([]byte{0x80}, n.body...); return n.tag == tagOID }); data != nil {
			with(fmt.Sprintf("C-06/padded-oid-%02d", i), "an object identifier with a padded arc", "seal_version", data)
		}
		if data := nth(i, func(n *node) bool {
			if n.tag != tagBits || len(n.body) == 0 {
				return false
			}
			n.body[0] = 7
			return true
		}); data != nil {
			with(fmt.Sprintf("C-06/unused-bits-%02d", i), "a bit string that is not whole octets", "seal_version", data)
		}
		if data := nth(i, func(n *node) bool { was := n.tag; n.tag = tagSeq; return was == tagSet }); data != nil {
			with(fmt.Sprintf("C-06/tag-%02d", i), "a set that is a sequence", "seal_version", data)
		}
		if data := nth(i, func(n *node) bool { was := n.tag; n.tag = tagUTF8; return was == tagIA5 }); data != nil {
			with(fmt.Sprintf("O-18/string-%02d", i), "an IA5String that is a UTF8String", "seal_version", data)
		}
		if data := nth(i, func(n *node) bool { was := n.tag; n.tag = 0x17; return was == tagTime }); data != nil {
			with(fmt.Sprintf("O-18/time-%02d", i), "a GeneralizedTime that is a UTCTime", "seal_version", data)
		}
	}
	for _, cut := range []int{1, 2, 3, 7, len(value) / 4, len(value) / 2, len(value) - 1} {
		with(fmt.Sprintf("C-06/cut-%d", cut), "the signature value cut off", "not_der", value[:cut])
	}
	for what, tail := range sorted(map[string]string{"zero": "\x00", "zeros": "\x00\x00\x00\x00", "value": "\x05\x00", "text": "x"}) {
		with("C-05/"+what, "bytes after the signature value", "trailing_data", append(bytes.Clone(value), tail...))
	}
	deep := bytes.Repeat([]byte{0x30, 0x80}, 50_000)
	with("C-06/nested", "100,000 bytes of nesting", "not_der", deep)
	with("C-06/huge-length", "a length of two gigabytes", "not_der", []byte{0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF, 0x30})
	with("C-06/huge-tag", "a tag of many octets", "not_der", append([]byte{0x3F}, bytes.Repeat([]byte{0xFF}, 1000)...))
	with("C-06/nothing", "an empty signature value", "not_der", nil)
	with("C-06/text", "a signature value that is text", "not_der", []byte("this is a signature"))
	// The last 30 octets belong to s, whose first octets may be fewer than 32.
	for i := range 10 {
		data := bytes.Clone(value)
		data[len(data)-1-3*i] ^= 1
		with(fmt.Sprintf("O-13/value-bit-%d", i), "a bit of the signature flipped", "sig_value", data)
	}
}
