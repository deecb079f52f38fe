package cert_test

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/crypto/cert"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
	"yinxin/verdict"
)

// relist is a list of a CA with an edit of its DER, signed anew: TBSCertList is {version, algorithm, issuer, thisUpdate,
// nextUpdate, entries, extensions}.
func relist(t testing.TB, ca *holder, l *cert.RevocationList, edit func(tbs *forge.Node)) *cert.RevocationList {
	t.Helper()
	out, err := cert.ParseCRL(reissued(ca, l, edit))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func reissued(ca *holder, l *cert.RevocationList, edit func(tbs *forge.Node)) []byte {
	n := forge.Must(l.Raw)
	edit(n.At(0))
	n.At(2).Value = append([]byte{0}, hand.Tools(ca.key.ExportScalar()).Sign(n.At(0).Bytes())...)
	return n.Bytes()
}

// with adds extensions to a list.
func with(extensions ...pkix.Extension) func(*smx509.RevocationList) {
	return func(l *smx509.RevocationList) { l.ExtraExtensions = append(l.ExtraExtensions, extensions...) }
}

// madeAt is a list of a time, current at now, with extensions.
func madeAt(at time.Time, extensions ...pkix.Extension) func(*smx509.RevocationList) {
	return func(l *smx509.RevocationList) { l.ThisUpdate, l.ExtraExtensions = at, extensions }
}

// TestListScope is T-07 for lists that are not of all certificates of their issuer: critical or not, what they say of others
// is not taken for an answer, and what they leave out is none.
func TestListScope(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	other := custom(t, nil, "other CA", asCA)
	leaf := custom(t, root, "leaf", nil)
	day := 24 * time.Hour
	m := cert.Moment{At: now, Now: now}
	entry := func(reason int, extensions ...pkix.Extension) smx509.RevocationListEntry {
		return smx509.RevocationListEntry{SerialNumber: leaf.c.Serial, RevocationTime: now.Add(-day), ReasonCode: reason, ExtraExtensions: extensions}
	}
	extension := func(critical bool, value []byte, id ...int) pkix.Extension {
		return pkix.Extension{Id: id, Critical: critical, Value: value}
	}
	number := forge.Int(1).Bytes()
	delta := func(critical bool) pkix.Extension { return extension(critical, number, 2, 5, 29, 27) }
	point := func(critical bool, tag byte) pkix.Extension {
		return extension(critical, forge.TLV(0x30, forge.TLV(tag, []byte{0xff})), 2, 5, 29, 28)
	}
	indirect := extension(true, forge.TLV(0x30, forge.TLV(0xa4, other.c.RawSubject)), 2, 5, 29, 29)
	quiet := indirect
	quiet.Critical = false
	good := crlOf(t, root, nil)
	hold := crlOf(t, root, madeAt(now.Add(-3*day)), entry(cert.ReasonCertificateHold))
	tests := []struct {
		name   string
		crls   []*cert.RevocationList
		status verdict.Status
		reason verdict.Reason
	}{
		{"twin", lists(good), verdict.Passed, ""},
		{"another issuer's certificate of this serial number", lists(crlOf(t, root, with(point(true, 0x84)), entry(0, indirect))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"the same beside a good list", lists(crlOf(t, root, with(point(true, 0x84)), entry(0, indirect)), good), verdict.Passed, ""},
		{"the same, nothing critical", lists(crlOf(t, root, nil, entry(0, quiet)), good), verdict.Passed, ""},
		{"indirect, not critical", lists(crlOf(t, root, with(point(false, 0x84)))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"an entry with an unknown critical extension", lists(crlOf(t, root, nil, entry(0, extension(true, number, 1, 2, 3)))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"a list with an unknown critical extension", lists(crlOf(t, root, with(extension(true, number, 1, 2, 3)), entry(0))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"an unknown extension that is not critical", lists(crlOf(t, root, with(extension(false, number, 1, 2, 3)))), verdict.Passed, ""},
		{"delta", lists(crlOf(t, root, with(delta(true)))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"delta, not critical", lists(crlOf(t, root, with(delta(false)))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"for users alone, not critical", lists(crlOf(t, root, with(point(false, 0x81)))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"for CAs alone, not critical", lists(crlOf(t, root, with(point(false, 0x82)))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"for some reasons, not critical", lists(crlOf(t, root, with(point(false, 0x83)))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"a point that cannot be read", lists(crlOf(t, root, with(extension(false, number, 2, 5, 29, 28)))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"a delta that revokes", lists(good, crlOf(t, root, with(delta(true)), entry(cert.ReasonKeyCompromise))), verdict.Failed, verdict.Revoked},
		{"a list for users that revokes", lists(good, crlOf(t, root, with(point(true, 0x81)), entry(0))), verdict.Failed, verdict.Revoked},
		{"a delta that removes", lists(good, crlOf(t, root, with(delta(true)), entry(cert.ReasonRemoveFromCRL))), verdict.Passed, ""},
		{"on hold", lists(crlOf(t, root, nil, entry(cert.ReasonCertificateHold))), verdict.Failed, verdict.Revoked},
		{"on hold, later released", lists(hold, good), verdict.Passed, ""},
		{"released, later on hold", lists(crlOf(t, root, madeAt(now.Add(-4*day))), hold), verdict.Failed, verdict.Revoked},
		{"on hold, released by a delta", lists(hold, crlOf(t, root, madeAt(now.Add(-2*day), delta(true)), entry(cert.ReasonRemoveFromCRL))), verdict.Indeterminate, verdict.RevocationUnknown},
		{"on hold, to be released by a delta of tomorrow", lists(hold, crlOf(t, root, madeAt(now.Add(day), delta(true)), entry(cert.ReasonRemoveFromCRL))), verdict.Failed, verdict.Revoked},
		{"on hold, a newer list of users alone does not name it", lists(hold, crlOf(t, root, with(point(true, 0x81)))), verdict.Failed, verdict.Revoked},
		{"key lost, a newer list does not name it", lists(crlOf(t, root, madeAt(now.Add(-3*day)), entry(cert.ReasonKeyCompromise)), good), verdict.Failed, verdict.Revoked},
		{
			"the negative of the serial number", lists(relist(t, root, crlOf(t, root, nil, smx509.RevocationListEntry{SerialNumber: big.NewInt(5), RevocationTime: now.Add(-day)}), func(tbs *forge.Node) {
				tbs.At(5, 0, 0).Set(forge.Must(forge.DER(new(big.Int).Neg(leaf.c.Serial))))
			})), verdict.Passed, "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := cert.Policy{Roots: certs(root), CRLs: tt.crls}
			expect(t, p.Judge(leaf.c, cert.UseSign, m), verdict.CheckRevocation, tt.status, tt.reason)
		})
	}
}

// TestListedTwice: of two entries for one certificate the one that counts from earlier decides, wherever it stands.
func TestListedTwice(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	leaf := custom(t, root, "leaf", nil)
	early := smx509.RevocationListEntry{SerialNumber: leaf.c.Serial, RevocationTime: now.AddDate(0, 0, -20)}
	late := smx509.RevocationListEntry{SerialNumber: leaf.c.Serial, RevocationTime: now.AddDate(0, 0, -1)}
	between := smx509.RevocationListEntry{SerialNumber: big.NewInt(7), RevocationTime: now}
	for _, entries := range [][]smx509.RevocationListEntry{{early, between, late}, {late, between, early}} {
		p := cert.Policy{Roots: certs(root), CRLs: lists(crlOf(t, root, nil, entries...))}
		m := cert.Moment{At: now.AddDate(0, 0, -10), Proven: true, Now: now}
		expect(t, p.Judge(leaf.c, cert.UseSign, m), verdict.CheckRevocation, verdict.Failed, verdict.Revoked)
	}
}

// TestParseCRLRefuses: lists that the CA has signed and whose form is wrong. The twin is signed anew, too.
func TestParseCRLRefuses(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	l := crlOf(t, root, nil, smx509.RevocationListEntry{
		SerialNumber: big.NewInt(5), RevocationTime: now, ReasonCode: 1,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: forge.Time("20261101000000Z").Bytes()}},
	})
	for name, edit := range map[string]func(tbs *forge.Node){
		"":                                 func(*forge.Node) {},
		"version 1":                        func(n *forge.Node) { n.Remove(0) },
		"version 3":                        func(n *forge.Node) { n.At(0).Value[0] = 2 },
		"another algorithm inside":         func(n *forge.Node) { n.At(1, 0).Set(forge.OID(1, 2, 3)) },
		"a time without seconds":           func(n *forge.Node) { n.At(3).Value = []byte("2611200800Z") },
		"a time with a zone":               func(n *forge.Node) { n.At(3).Value = []byte("261120080000+0800") },
		"a day that is none":               func(n *forge.Node) { n.At(3).Value = []byte("261131080000Z") },
		"a time with a fraction":           func(n *forge.Node) { n.At(4).Set(forge.Time("20261231080000.5Z")) },
		"made in the year 1":               func(n *forge.Node) { n.At(3).Set(forge.Time("00010101000000Z")) },
		"current until the year 1":         func(n *forge.Node) { n.At(4).Set(forge.Time("00010101000000Z")) },
		"invalid from the year 1 on":       func(n *forge.Node) { n.At(5, 0, 2, 1, 1).Value = forge.Time("00010101000000Z").Bytes() },
		"an entry without a time":          func(n *forge.Node) { n.At(5, 0).Remove(1) },
		"an entry with bytes after it":     func(n *forge.Node) { n.At(5, 0).Insert(3, forge.Null()) },
		"a padded serial number":           func(n *forge.Node) { n.At(5, 0, 0).Value = []byte{0, 5} },
		"no serial number":                 func(n *forge.Node) { n.At(5, 0, 0).Value = nil },
		"reason 11":                        func(n *forge.Node) { v := n.At(5, 0, 2, 0, 1).Value; v[len(v)-1] = 11 },
		"two reasons":                      func(n *forge.Node) { e := n.At(5, 0, 2); e.Insert(0, e.At(0).Clone()) },
		"an invalidity date of no form":    func(n *forge.Node) { n.At(5, 0, 2, 1, 1).Value = []byte{0x17, 0} },
		"two numbers":                      func(n *forge.Node) { e := n.At(6, 0); e.Insert(0, e.At(-1).Clone()) },
		"extensions of an entry, but none": func(n *forge.Node) { n.At(5, 0, 2).Kids = nil },
		"more extensions than anybody needs": func(n *forge.Node) {
			for i := range 101 {
				n.At(6, 0).Insert(0, forge.Seq(forge.OID(1, 2, 3, i), forge.Octets(nil)))
			}
		},
		"something after the extensions": func(n *forge.Node) { n.Insert(7, forge.Null()) },
	} {
		der := reissued(root, l, edit)
		if _, err := cert.ParseCRL(der); (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		}
	}
	got := slices.Collect(relist(t, root, l, func(*forge.Node) {}).Entries())
	want := cert.Revoked{Serial: big.NewInt(5), At: now, Reason: 1, InvalidFrom: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	if len(got) != 1 || got[0].Serial.Cmp(want.Serial) != 0 || !got[0].At.Equal(want.At) || got[0].Reason != want.Reason || !got[0].InvalidFrom.Equal(want.InvalidFrom) {
		t.Errorf("entries %+v", got)
	}
}

// TestEveryByteOfAList: no byte of a list may change and the list still speak.
func TestEveryByteOfAList(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	leaf := custom(t, root, "leaf", nil)
	l := crlOf(t, root, nil, smx509.RevocationListEntry{SerialNumber: big.NewInt(5), RevocationTime: now})
	for i := range l.Raw {
		bad := bytes.Clone(l.Raw)
		bad[i] ^= 1 << (i % 8)
		b, err := cert.ParseCRL(bad)
		if err != nil {
			continue
		}
		p := cert.Policy{Roots: certs(root), CRLs: lists(b)}
		if k := find(t, p.Judge(leaf.c, cert.UseSign, cert.Moment{At: now, Now: now}), verdict.CheckRevocation); k.Status == verdict.Passed {
			t.Errorf("byte %d: a spoilt list speaks", i)
		}
	}
}

// TestSerialNumbersOfAnyLength: in a list that is not in order a serial number of one octet and one of hundreds are found, and
// those of its neighbours are not taken for them.
func TestSerialNumbersOfAnyLength(t *testing.T) {
	root := custom(t, nil, "root", asCA)
	long := new(big.Int).Lsh(big.NewInt(1), 2400)
	middle := new(big.Int).Lsh(big.NewInt(1), 8*130)
	listed := []*big.Int{long, big.NewInt(128), middle, big.NewInt(5), big.NewInt(1 << 40)}
	var entries []smx509.RevocationListEntry
	for _, n := range listed {
		entries = append(entries, smx509.RevocationListEntry{SerialNumber: n, RevocationTime: now.AddDate(0, 0, -1)})
	}
	p := cert.Policy{Roots: certs(root), CRLs: lists(crlOf(t, root, nil, entries...))}
	judge := func(n *big.Int) verdict.Status {
		leaf := custom(t, root, "leaf", func(c *smx509.Certificate) { c.SerialNumber = n })
		return find(t, p.Judge(leaf.c, cert.UseSign, cert.Moment{At: now, Now: now}), verdict.CheckRevocation).Status
	}
	for _, n := range listed {
		if got := judge(n); got != verdict.Failed {
			t.Errorf("%d bits, listed: %s", n.BitLen(), got)
		}
		if got := judge(new(big.Int).Add(n, big.NewInt(1))); got != verdict.Passed {
			t.Errorf("%d bits, not listed: %s", n.BitLen(), got)
		}
	}
}
