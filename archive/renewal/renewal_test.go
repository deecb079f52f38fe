package renewal_test

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/archive/renewal"
	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/verdict"
)

var start = time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)

// text is an object that lies in memory.
type text string

func (s text) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte(s))), nil }

func objects(all ...string) []renewal.Object {
	var out []renewal.Object
	for _, s := range all {
		out = append(out, text(s))
	}
	return out
}

// drill is an archive over decades: its clock, and authorities whose certificates live for ten minutes.
type drill struct {
	t    testing.TB
	pki  *certtest.PKI
	now  time.Time
	key  *gm.PrivateKey
	cert *cert.Certificate
}

func newDrill(t testing.TB) *drill {
	d := &drill{t: t, pki: certtest.New(t, "Root", start), now: start}
	d.authority()
	return d
}

// authority begins a new authority with a key of its own.
func (d *drill) authority() {
	d.t.Helper()
	d.key = certtest.Key(d.t)
	c, err := d.pki.IssueTimestamp(cert.Subject(fmt.Sprint("TSA at ", d.now.Format("15:04")), "Test"), d.key.PublicKey(),
		cert.IssueOptions{NotBefore: d.now, NotAfter: d.now.Add(10 * time.Minute)})
	if err != nil {
		d.t.Fatal(err)
	}
	d.cert = c
}

// stamp makes a token by hand, for the small authority stamps SM3 alone.
func (d *drill) stamp(a renewal.Algorithm, root renewal.Hash) []byte {
	d.t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(tsp.PilotPolicy)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(a.OID); b.AddASN1NULL() })
			b.AddASN1OctetString(root[:])
		})
		b.AddASN1BigInt(big.NewInt(d.now.Unix()))
		b.AddASN1GeneralizedTime(d.now)
	})
	info, err := b.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	token, err := cms.Sign(info, cms.SignOptions{
		Signer: d.key, Certificate: d.cert, Time: d.now, Profile: cms.ProfileRFC, Rand: rand.Reader,
		ContentType: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}, Use: cert.UseTimestamp,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return token
}

func (d *drill) grow(a renewal.Algorithm, leaves ...renewal.Leaf) (*renewal.Tree, []byte) {
	d.t.Helper()
	tree, err := renewal.Grow(a, leaves...)
	if err != nil {
		d.t.Fatal(err)
	}
	return tree, d.stamp(a, tree.Root())
}

func hashes(t testing.TB, a renewal.Algorithm, o []renewal.Object) renewal.Leaf {
	t.Helper()
	h, err := renewal.HashObjects(a, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// begin makes a record of one group beside others.
func (d *drill) begin(a renewal.Algorithm, o []renewal.Object, beside ...renewal.Leaf) *renewal.Record {
	d.t.Helper()
	tree, token := d.grow(a, append([]renewal.Leaf{hashes(d.t, a, o)}, beside...)...)
	return renewal.New(tree.Stamped(0, token))
}

func (d *drill) renew(r *renewal.Record) {
	d.t.Helper()
	tree, token := d.grow(r.Algorithm(), r.RenewalLeaf(), renewal.Leaf{{1}}, renewal.Leaf{{2}})
	if err := r.Renew(tree.Stamped(0, token)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *drill) rehash(r *renewal.Record, a renewal.Algorithm, o []renewal.Object) {
	d.t.Helper()
	leaf, err := r.RehashLeaf(a, hashes(d.t, a, o))
	if err != nil {
		d.t.Fatal(err)
	}
	tree, token := d.grow(a, renewal.Leaf{{1}, {2}}, leaf)
	r.Rehash(tree.Stamped(1, token))
}

// judge judges a record as somebody else reads it.
func (d *drill) judge(r *renewal.Record, o []renewal.Object, retired map[string]time.Time) renewal.Judgement {
	d.t.Helper()
	der, err := r.Marshal()
	if err != nil {
		d.t.Fatal(err)
	}
	read, err := renewal.Parse(der)
	if err != nil {
		d.t.Fatal(err)
	}
	again, err := read.Marshal()
	if err != nil || !bytes.Equal(again, der) {
		d.t.Fatalf("written again, a record is another: %v", err)
	}
	j, err := read.Judge(o, renewal.JudgeOptions{Policy: d.pki.Policy(), Retired: retired, Now: d.now})
	if err != nil {
		d.t.Fatal(err)
	}
	return j
}

func (d *drill) expect(j renewal.Judgement, status verdict.Status, reason verdict.Reason) {
	d.t.Helper()
	if j.Check.Status != status || j.Check.Reason != reason || j.Check.Name != verdict.CheckTimestamp {
		d.t.Errorf("%s %s (%s), want %s %s", j.Check.Status, j.Check.Reason, j.Check.Detail, status, reason)
	}
}

// TestRecordsOutliveAuthoritiesAndAlgorithms: certificates of ten minutes, renewed before they end; SHA-256 retired after the
// record went over to SM3; and the first time still stands hours later.
func TestRecordsOutliveAuthoritiesAndAlgorithms(t *testing.T) {
	d := newDrill(t)
	o := objects("document", "metadata", "receipt")
	r := d.begin(renewal.SHA256, o, renewal.Leaf{{7}}, renewal.Leaf{{8}, {9}}, renewal.Leaf{{10}}, renewal.Leaf{{11}})
	d.expect(d.judge(r, o, nil), verdict.Passed, "")
	for range 3 {
		d.now = d.now.Add(8 * time.Minute)
		d.authority()
		d.renew(r)
	}
	d.expect(d.judge(r, o, nil), verdict.Passed, "")
	d.now = d.now.Add(8 * time.Minute)
	d.authority()
	d.rehash(r, renewal.SM3, o)
	retired := map[string]time.Time{"SHA-256": d.now.Add(time.Minute)}
	d.now = d.now.Add(8 * time.Minute)
	d.authority()
	d.renew(r)
	j := d.judge(r, o, retired)
	d.expect(j, verdict.Passed, "")
	if !j.Time.Equal(start) || len(j.Stamps) != 6 || !j.Stamps[5].Until.Equal(d.now.Add(10*time.Minute)) {
		t.Errorf("proven %s by %d stamps until %s", j.Time, len(j.Stamps), j.Stamps[len(j.Stamps)-1].Until)
	}
	d.expect(d.judge(r, objects("receipt", "document", "metadata"), retired), verdict.Passed, "") // the order is no matter

	d.expect(d.judge(r, objects("document", "metadata", "receipt2"), retired), verdict.Failed, verdict.TimestampImprint)
	d.expect(d.judge(r, objects("document", "metadata"), retired), verdict.Failed, verdict.TimestampImprint)
	d.expect(d.judge(r, append(objects("more"), o...), retired), verdict.Failed, verdict.TimestampImprint)
	d.expect(d.judge(r, o, map[string]time.Time{"SHA-256": start.Add(time.Minute)}), verdict.Failed, verdict.TimestampAlgorithm)
	d.expect(d.judge(r, o, map[string]time.Time{"SM3": d.now}), verdict.Failed, verdict.TimestampAlgorithm)
	d.now = d.now.Add(11 * time.Minute)
	d.expect(d.judge(r, o, retired), verdict.Indeterminate, verdict.NoProofOfExistence)
}

// TestBrokenRenewals: each way to break the chain of proof.
func TestBrokenRenewals(t *testing.T) {
	o := objects("document", "metadata")
	good := func(t *testing.T) (*drill, *renewal.Record) {
		d := newDrill(t)
		r := d.begin(renewal.SM3, o)
		for range 2 {
			d.now = d.now.Add(8 * time.Minute)
			d.authority()
			d.renew(r)
		}
		return d, r
	}
	for _, c := range []struct {
		name   string
		spoil  func(d *drill, r *renewal.Record)
		status verdict.Status
		reason verdict.Reason
	}{
		{"nothing", func(*drill, *renewal.Record) {}, verdict.Passed, ""},
		{"renewed after the end", func(d *drill, r *renewal.Record) {
			d.now = d.now.Add(20 * time.Minute)
			d.authority()
			d.renew(r)
		}, verdict.Indeterminate, verdict.NoProofOfExistence},
		{"a skipped stamp", func(_ *drill, r *renewal.Record) {
			r.Chains[0] = append(r.Chains[0][:1], r.Chains[0][2:]...)
		}, verdict.Failed, verdict.TimestampImprint},
		{"stamps exchanged", func(_ *drill, r *renewal.Record) {
			c := r.Chains[0]
			c[1], c[2] = c[2], c[1]
		}, verdict.Failed, verdict.TimestampTime},
		{"times do not rise", func(d *drill, r *renewal.Record) {
			d.now = d.now.Add(-time.Minute)
			d.authority()
			d.renew(r)
			d.now = d.now.Add(2 * time.Minute)
		}, verdict.Failed, verdict.TimestampTime},
		{"two algorithms in one chain", func(d *drill, r *renewal.Record) {
			d.now = d.now.Add(time.Minute)
			tree, token := d.grow(renewal.SHA256, renewal.Leaf{renewal.SHA256.Sum(r.Chains[0][2].Token)})
			r.Chains[0] = append(r.Chains[0], tree.Stamped(0, token))
		}, verdict.Failed, verdict.TimestampAlgorithm},
		{"a new chain that forgets the old ones", func(d *drill, r *renewal.Record) {
			d.now = d.now.Add(time.Minute)
			r.Rehash(d.begin(renewal.SHA256, o).Chains[0][0])
		}, verdict.Failed, verdict.TimestampImprint},
		{"a chain that was covered is cut", func(d *drill, r *renewal.Record) {
			d.now = d.now.Add(time.Minute)
			d.rehash(r, renewal.SHA256, o)
			r.Chains[0] = r.Chains[0][:2]
		}, verdict.Failed, verdict.TimestampImprint},
		{"another group's list", func(d *drill, r *renewal.Record) {
			r.Chains[0][0].Lists[0] = append(r.Chains[0][0].Lists[0], renewal.Hash{9})
		}, verdict.Failed, verdict.TimestampImprint},
		{"a token of other data", func(d *drill, r *renewal.Record) {
			d.now = d.now.Add(time.Minute)
			r.Chains[0] = append(r.Chains[0], renewal.Stamp{Algorithm: renewal.SM3, Token: d.stamp(renewal.SM3, renewal.Hash{1})})
		}, verdict.Failed, verdict.TimestampImprint},
		{"a last token of nobody", func(d *drill, r *renewal.Record) {
			d.now = d.now.Add(time.Minute)
			trusted := d.pki
			d.pki = certtest.New(d.t, "Other", start)
			d.authority()
			d.renew(r)
			d.pki = trusted
		}, verdict.Failed, verdict.TimestampChain},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, r := good(t)
			c.spoil(d, r)
			d.expect(d.judge(r, o, nil), c.status, c.reason)
		})
	}
}

// TestTreesOfAnySize: every leaf of every size leads to the root, as one object and as a group.
func TestTreesOfAnySize(t *testing.T) {
	d := newDrill(t)
	for n := 1; n <= 9; n++ {
		var groups [][]renewal.Object
		var leaves []renewal.Leaf
		for i := range n {
			group := objects(fmt.Sprint("a", i))
			if i%2 == 1 {
				group = objects(fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c", i))
			}
			groups, leaves = append(groups, group), append(leaves, hashes(t, renewal.SM3, group))
		}
		tree, token := d.grow(renewal.SM3, leaves...)
		for i, group := range groups {
			r := renewal.New(tree.Stamped(i, token))
			d.expect(d.judge(r, group, nil), verdict.Passed, "")
			if n > 1 {
				d.expect(d.judge(r, groups[(i+1)%n], nil), verdict.Failed, verdict.TimestampImprint)
			}
		}
	}
	same := hashes(t, renewal.SM3, objects("same"))
	tree, token := d.grow(renewal.SM3, same, renewal.Leaf{{1}}, same)
	for i := range 3 {
		if r := renewal.New(tree.Stamped(i, token)); i != 1 {
			d.expect(d.judge(r, objects("same"), nil), verdict.Passed, "")
		}
	}
	for _, bad := range [][]renewal.Leaf{nil, {{}}, {{{1}, {1}}}} {
		if _, err := renewal.Grow(renewal.SM3, bad...); err == nil {
			t.Errorf("a tree over %v", bad)
		}
	}
}

// TestParseRefuses: what is not understood is not passed over.
func TestParseRefuses(t *testing.T) {
	d := newDrill(t)
	der, err := d.begin(renewal.SM3, objects("x", "y"), renewal.Leaf{{1}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	oid := func(arc byte) []byte { return []byte{0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, arc} }
	for name, bad := range map[string][]byte{
		"empty":             {},
		"trailing":          append(bytes.Clone(der), 0),
		"cut":               der[:len(der)-1],
		"version 2":         bytes.Replace(der, []byte{2, 1, 1}, []byte{2, 1, 2}, 1),
		"unlisted":          bytes.Replace(der, oid(0x11), oid(0x12), 1),
		"unknown algorithm": bytes.ReplaceAll(der, oid(0x11), oid(0x12)),
	} {
		if _, err := renewal.Parse(bad); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	d := newDrill(f)
	r := d.begin(renewal.SM3, objects("x", "y"), renewal.Leaf{{1}}, renewal.Leaf{{2}})
	if der, err := r.Marshal(); err == nil {
		f.Add(der)
	}
	f.Add([]byte{0x30, 0x03, 0x02, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := renewal.Parse(der)
		if err != nil {
			return
		}
		if _, err := r.Marshal(); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
		if j, err := r.Judge(objects("x", "y"), renewal.JudgeOptions{Now: start}); err != nil || j.Check.Status == verdict.Passed {
			t.Errorf("passed without anybody trusted: %v", err)
		}
	})
}
