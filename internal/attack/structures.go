package attack

import "bytes"

// extensions are seals and signatures with an extension that nobody knows: O-18. One that is not critical may be passed over.
func (l *lab) extensions() {
	for id, t := range sorted(map[string]struct {
		seal            []byte
		verdict, reason string
	}{
		"extension-of-the-seal": {l.base.ExtendedSeal, Passed, "list_open"},
		"critical-in-the-seal":  {l.base.CriticalSeal, Failed, "seal_version"},
	}) {
		l.on("OFD", "O-18/"+id, "sealed by the signer with a seal that has an unknown extension", t.verdict, t.reason, func(p *pack) {
			l.swapSeal(p, t.seal)
			l.resign(p, l.base.Sign)
		})
	}
	oid := []byte{0x2A, 3, 4}
	for id, t := range sorted(map[string]struct {
		critical        byte
		verdict, reason string
	}{
		"extension-of-the-signature": {0, Passed, "list_open"}, "critical-in-the-signature": {0xFF, Failed, "seal_version"},
	}) {
		l.on("OFD", "O-18/"+id, "an unknown extension in what is signed", t.verdict, t.reason, func(p *pack) {
			onValue(p, func(n *node) {
				n.at(inTBS...).kids = append(n.at(inTBS...).kids, &node{tag: tagZero, kids: []*node{{tag: tagSeq, kids: []*node{{tag: tagSeq, kids: []*node{
					leaf(tagOID, oid), leaf(tagBoolean, []byte{t.critical}), leaf(tagOctets, []byte("?")),
				}}}}}})
			})
			l.resign(p, l.base.Sign)
		})
	}
}

// The types of signed data and of data, as GB/T 35275 and as PKCS#7 name them.
var (
	gbtTypes  = [2][]byte{{0x2A, 0x81, 0x1C, 0xCF, 0x55, 6, 1, 4, 2, 2}, {0x2A, 0x81, 0x1C, 0xCF, 0x55, 6, 1, 4, 2, 1}}
	pkcsTypes = [2][]byte{{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2}, {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1}}
)

// familyCases write the digital signature that closes a document with the types of PKCS#7, sound in all else: O-10.
func (l *lab) familyCases() {
	const value = "Doc_0/Signs/Sign_1/SignedValue.dat"
	for id, change := range sorted(map[string][2]bool{"both": {true, true}, "message": {true, false}, "content": {false, true}, "twin": {}}) {
		verdict, reason := Failed, "signature_type"
		if id == "twin" {
			verdict, reason = Passed, ""
		}
		l.on("Closed", "O-10/pkcs7-"+id, "the closing signature signed anew with the types of PKCS#7: "+id, verdict, reason, func(p *pack) {
			e := p.get(value)
			n, err := parseDER(e.data)
			if err != nil {
				p.err = err
				return
			}
			for i, wanted := range change {
				n.walk(func(n *node) {
					if wanted && n.tag == tagOID && bytes.Equal(n.body, gbtTypes[i]) {
						n.body = pkcsTypes[i]
					}
				})
			}
			set := attributes(n).clone()
			set.tag = tagSet
			if n.at(inSigner...).kids[signerValue].body, err = l.base.Sign(set.der()); err != nil {
				p.err = err
				return
			}
			e.data = n.der()
		})
	}
}
