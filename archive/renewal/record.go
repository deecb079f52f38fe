package renewal

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/crypto/cms"
	"yinxin/crypto/tsp"
	"yinxin/verdict"
)

// Bounds on what is read and written.
const (
	MaxRecord  = 8 << 20 // bytes of a record
	MaxStamps  = 256     // time-stamps in all chains: a renewal a year for longer than any retention period
	MaxLists   = 64      // height of a tree
	MaxObjects = 4096    // objects of a group, and hashes of a list
)

// Stamp is an ArchiveTimeStamp (RFC 4998 4.1): a token, and how the hashes of a group lead to what it stamps.
type Stamp struct {
	Algorithm Algorithm
	// Lists is the reduced hash tree: hashes of the group first. Empty where the token stamps the one object's hash itself.
	Lists [][]Hash
	// Token is the time-stamp token in DER.
	Token []byte

	form form
}

// form is how the algorithm stood where a stamp was read. It is written again so, for later chains cover its bytes.
type form int

const (
	withNull form = iota // what this package writes
	withoutParameters
	impliedByToken // Bouncy Castle leaves it to the imprint of the token
)

// Record is an EvidenceRecord (RFC 4998 3.1) of one group. Its chains are in the order of time, as their stamps are.
type Record struct {
	Chains [][]Stamp
}

// New begins a record.
func New(first Stamp) *Record { return &Record{Chains: [][]Stamp{{first}}} }

// last is the newest stamp.
func (r *Record) last() Stamp {
	chain := r.Chains[len(r.Chains)-1]
	return chain[len(chain)-1]
}

// Algorithm is the one of the newest chain.
func (r *Record) Algorithm() Algorithm { return r.last().Algorithm }

// RenewalLeaf is what a new time-stamp has to cover to renew the last one (RFC 4998 5.2, Timestamp Renewal): the tree must
// be of the record's Algorithm.
func (r *Record) RenewalLeaf() Leaf { return Leaf{r.Algorithm().Sum(r.last().Token)} }

// Renew appends a stamp over RenewalLeaf.
func (r *Record) Renew(s Stamp) error {
	if s.Algorithm.Name != r.Algorithm().Name {
		return fmt.Errorf("renewal: a chain of %s goes on with %s, not %s", r.Algorithm().Name, r.Algorithm().Name, s.Algorithm.Name)
	}
	at := len(r.Chains) - 1
	r.Chains[at] = append(r.Chains[at], s)
	return nil
}

// RehashLeaf is what a new chain by another algorithm has to cover (RFC 4998 5.2, Hash-Tree Renewal): every object together
// with all chains so far. objects are the hashes of the group by the new algorithm.
func (r *Record) RehashLeaf(a Algorithm, objects []Hash) (Leaf, error) {
	return rehash(a, objects, r.Chains)
}

// rehash joins each hash with that of the chains: h(h(object) ‖ h(chains)).
func rehash(a Algorithm, objects []Hash, chains [][]Stamp) (Leaf, error) {
	if len(chains) == 0 {
		return objects, nil
	}
	der, err := marshalChains(chains)
	if err != nil {
		return nil, err
	}
	before := a.Sum(der)
	leaf := make(Leaf, len(objects))
	for i, h := range objects {
		leaf[i] = a.Sum(h[:], before[:])
	}
	return leaf, nil
}

// Rehash begins a new chain with a stamp over RehashLeaf.
func (r *Record) Rehash(s Stamp) { r.Chains = append(r.Chains, []Stamp{s}) }

// Tags of ArchiveTimeStamp; the module has implicit tags.
var (
	tagAlgorithm = cbasn1.Tag(0).ContextSpecific().Constructed()
	tagLists     = cbasn1.Tag(2).ContextSpecific().Constructed()
)

// Marshal writes the record.
func (r *Record) Marshal() ([]byte, error) {
	chains, err := marshalChains(r.Chains)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, a := range r.algorithms() {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addAlgorithm(b, a, withNull) })
			}
		})
		b.AddBytes(chains)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write evidence record: %w", err)
	}
	return der, nil
}

// algorithms are those of all stamps, each once.
func (r *Record) algorithms() []Algorithm {
	var all []Algorithm
	seen := map[string]bool{}
	for _, s := range r.stamps() {
		if !seen[s.Algorithm.Name] {
			seen[s.Algorithm.Name] = true
			all = append(all, s.Algorithm)
		}
	}
	return all
}

// addAlgorithm writes the inside of an AlgorithmIdentifier; parameters are NULL, as in the imprints of tokens.
func addAlgorithm(b *cryptobyte.Builder, a Algorithm, f form) {
	b.AddASN1ObjectIdentifier(a.OID)
	if f == withNull {
		b.AddASN1NULL()
	}
}

// marshalChains writes the ArchiveTimeStampSequence.
func marshalChains(chains [][]Stamp) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, chain := range chains {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, s := range chain {
					b.AddASN1(cbasn1.SEQUENCE, s.marshal)
				}
			})
		}
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write archive time-stamps: %w", err)
	}
	return der, nil
}

func (s *Stamp) marshal(b *cryptobyte.Builder) {
	if s.form != impliedByToken {
		b.AddASN1(tagAlgorithm, func(b *cryptobyte.Builder) { addAlgorithm(b, s.Algorithm, s.form) })
	}
	if len(s.Lists) > 0 {
		b.AddASN1(tagLists, func(b *cryptobyte.Builder) {
			for _, l := range s.Lists {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, h := range l {
						b.AddASN1OctetString(h[:])
					}
				})
			}
		})
	}
	b.AddBytes(s.Token)
}

func refuse(format string, args ...any) error {
	return verdict.Refuse(verdict.TimestampInvalid, format, args...)
}

// Parse reads a record. What is refused gives a *verdict.ContainerError: not_der, trailing_data, limit or
// timestamp_invalid. Tokens are read no further than needed to know where they end; Judge reads them.
func Parse(der []byte) (*Record, error) {
	if err := cms.CheckDER(der, MaxRecord); err != nil {
		return nil, err
	}
	in := cryptobyte.String(der)
	var body, algorithms, chains cryptobyte.String
	var version int64
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version != 1 {
		return nil, refuse("version of the evidence record")
	}
	if !body.ReadASN1(&algorithms, cbasn1.SEQUENCE) {
		return nil, refuse("algorithms of the evidence record")
	}
	if !body.ReadASN1(&chains, cbasn1.SEQUENCE) || !body.Empty() { // cryptoInfos and encryptionInfo would stand before
		return nil, refuse("chains of the evidence record")
	}
	r, err := parseChains(chains)
	if err != nil {
		return nil, err
	}
	if again, err := marshalChains(r.Chains); err != nil || !bytes.HasSuffix(der, again) {
		return nil, refuse("chains of the evidence record") // later chains cover what was read, to the byte
	}
	return r, r.checkAlgorithms(algorithms)
}

func parseChains(in cryptobyte.String) (*Record, error) {
	r, count := &Record{}, 0
	for !in.Empty() {
		var chain cryptobyte.String
		if !in.ReadASN1(&chain, cbasn1.SEQUENCE) || chain.Empty() {
			return nil, refuse("chain %d of the evidence record", len(r.Chains))
		}
		var stamps []Stamp
		for !chain.Empty() {
			if count++; count > MaxStamps {
				return nil, verdict.Refuse(verdict.Limit, "more than %d time-stamps", MaxStamps)
			}
			s, err := parseStamp(&chain)
			if err != nil {
				return nil, err
			}
			stamps = append(stamps, s)
		}
		r.Chains = append(r.Chains, stamps)
	}
	if len(r.Chains) == 0 {
		return nil, refuse("chains of the evidence record")
	}
	return r, nil
}

func parseStamp(in *cryptobyte.String) (Stamp, error) {
	var s Stamp
	var body, algorithm, lists, token cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return s, refuse("archive time-stamp")
	}
	named := body.PeekASN1Tag(tagAlgorithm)
	if named {
		body.ReadASN1(&algorithm, tagAlgorithm)
	}
	if body.PeekASN1Tag(tagLists) {
		var ok bool
		body.ReadASN1(&lists, tagLists)
		if s.Lists, ok = parseLists(lists); !ok {
			return s, refuse("hash tree of an archive time-stamp")
		}
	}
	if !body.ReadASN1Element(&token, cbasn1.SEQUENCE) || !body.Empty() {
		return s, refuse("token of an archive time-stamp")
	}
	s.Token = token
	if named {
		return s, s.readAlgorithm(algorithm)
	}
	return s, s.implyAlgorithm()
}

func (s *Stamp) readAlgorithm(in cryptobyte.String) error {
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&oid) {
		return refuse("algorithm of an archive time-stamp")
	}
	if in.Empty() {
		s.form = withoutParameters
	}
	if !plain(in) {
		return refuse("algorithm of an archive time-stamp")
	}
	return s.know(oid)
}

// implyAlgorithm takes the algorithm from the token, as RFC 4998 4.1 says where none is named.
func (s *Stamp) implyAlgorithm() error {
	t, err := tsp.ParseToken(s.Token)
	if err != nil {
		return err
	}
	s.form = impliedByToken
	return s.know(t.ImprintAlgorithm())
}

func (s *Stamp) know(oid asn1.ObjectIdentifier) error {
	var ok bool
	if s.Algorithm, ok = algorithmOf(oid); !ok {
		return verdict.Refuse(verdict.TimestampAlgorithm, "archive time-stamp by the algorithm %s", oid)
	}
	return nil
}

// plain reports whether the parameters of an algorithm are absent or NULL.
func plain(in cryptobyte.String) bool {
	var null cryptobyte.String
	return in.Empty() || in.ReadASN1(&null, cbasn1.NULL) && null.Empty() && in.Empty()
}

// parseLists reads a reduced hash tree.
func parseLists(in cryptobyte.String) ([][]Hash, bool) {
	var lists [][]Hash
	for !in.Empty() {
		var list cryptobyte.String
		if len(lists) == MaxLists || !in.ReadASN1(&list, cbasn1.SEQUENCE) {
			return nil, false
		}
		var hashes []Hash
		for !list.Empty() {
			var h cryptobyte.String
			if len(hashes) == MaxObjects || !list.ReadASN1(&h, cbasn1.OCTET_STRING) || len(h) != len(Hash{}) {
				return nil, false
			}
			hashes = append(hashes, Hash(h))
		}
		if len(hashes) == 0 || repeats(hashes) {
			return nil, false
		}
		lists = append(lists, hashes)
	}
	return lists, len(lists) > 0
}

// checkAlgorithms: the list names every algorithm that a stamp uses, as RFC 4998 3.2 wants.
func (r *Record) checkAlgorithms(in cryptobyte.String) error {
	listed := map[string]bool{}
	for !in.Empty() {
		var a cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !in.ReadASN1(&a, cbasn1.SEQUENCE) || !a.ReadASN1ObjectIdentifier(&oid) || !plain(a) || listed[oid.String()] {
			return refuse("algorithms of the evidence record")
		}
		listed[oid.String()] = true
	}
	for _, chain := range r.Chains {
		for _, s := range chain {
			if !listed[s.Algorithm.OID.String()] {
				return refuse("%s is used and not listed", s.Algorithm.Name)
			}
		}
	}
	return nil
}
