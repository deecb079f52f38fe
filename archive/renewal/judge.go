package renewal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/tsp"
	"yinxin/verdict"
)

// Object is something that a record covers: it is read once for each algorithm.
type Object interface {
	Open() (io.ReadCloser, error)
}

// HashObjects hashes objects, streaming.
func HashObjects(a Algorithm, objects []Object) ([]Hash, error) {
	hashes := make([]Hash, len(objects))
	for i, o := range objects {
		r, err := o.Open()
		if err != nil {
			return nil, fmt.Errorf("open object %d: %w", i, err)
		}
		h := a.New()
		_, err = io.Copy(h, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("read object %d: %w", i, err)
		}
		hashes[i] = Hash(h.Sum(nil))
	}
	return hashes, nil
}

// JudgeOptions say whom to believe.
type JudgeOptions struct {
	// Policy is whom the caller trusts to state the time, Certificates may hold what tokens lack.
	Policy       cert.Policy
	Certificates []*cert.Certificate
	// Retired says of an algorithm, by name, since when it must not be relied on any more.
	Retired map[string]time.Time
	// Now is the time of judging.
	Now time.Time
}

// Judgement is the answer about a record. Check has the name timestamp; only if it passed is Time proven: the objects were
// there, as they are now, at that time.
type Judgement struct {
	Check verdict.Check
	Time  time.Time
	// Stamps are the tokens in the order of time, as far as they were judged.
	Stamps []StampJudgement
}

// StampJudgement is the answer about one time-stamp of a record.
type StampJudgement struct {
	Algorithm string
	Time      time.Time
	Authority string
	// Until is when the authority's certificate ends, zero where it is not in the token: the record must be renewed before,
	// if this is the last stamp.
	Until time.Time
	Check verdict.Check
}

func fail(reason verdict.Reason, format string, args ...any) verdict.Check {
	return verdict.Fail(verdict.CheckTimestamp, reason, format, args...)
}

// Judge judges whether the record proves that exactly these objects existed. The error says that an object could not be
// read.
func (r *Record) Judge(objects []Object, o JudgeOptions) (Judgement, error) {
	var j Judgement
	tokens, check := r.readTokens()
	if check.Status == verdict.Passed {
		check = r.judgeOrder(tokens, o)
	}
	if check.Status != verdict.Passed {
		j.Check = check
		return j, nil
	}
	roots, check, err := r.judgeCover(objects)
	if err != nil || check.Status != verdict.Passed {
		j.Check = check
		return j, err
	}
	j.Stamps = r.judgeTokens(tokens, roots, o)
	for i, s := range j.Stamps {
		if s.Check.Status != verdict.Passed {
			j.Check = s.Check
			j.Check.Detail = fmt.Sprintf("time-stamp %d of %d: %s", i+1, len(j.Stamps), s.Check.Detail)
			return j, nil
		}
	}
	j.Check, j.Time = verdict.Pass(verdict.CheckTimestamp), j.Stamps[0].Time
	return j, nil
}

// stamps are those of all chains, in order.
func (r *Record) stamps() []Stamp { return slices.Concat(r.Chains...) }

func (r *Record) readTokens() ([]*tsp.Token, verdict.Check) {
	var tokens []*tsp.Token
	for i, s := range r.stamps() {
		t, err := tsp.ParseToken(s.Token)
		if err != nil {
			return nil, fail(verdict.TimestampInvalid, "time-stamp %d: %v", i+1, err)
		}
		tokens = append(tokens, t)
	}
	return tokens, verdict.Pass(verdict.CheckTimestamp)
}

// judgeOrder: times rise, a chain keeps to one algorithm, and that one was good until the next chain began.
func (r *Record) judgeOrder(tokens []*tsp.Token, o JudgeOptions) verdict.Check {
	for i := 1; i < len(tokens); i++ {
		if !tokens[i].Time.After(tokens[i-1].Time) {
			return fail(verdict.TimestampTime, "time-stamp %d is not later than the one before it", i+1)
		}
	}
	at := 0
	for i, chain := range r.Chains {
		name := chain[0].Algorithm.Name
		for _, s := range chain {
			if s.Algorithm.Name != name {
				return fail(verdict.TimestampAlgorithm, "chain %d mixes %s and %s", i+1, name, s.Algorithm.Name)
			}
		}
		at += len(chain)
		until := o.Now
		if at < len(tokens) {
			until = tokens[at].Time
		}
		if retired, ok := o.Retired[name]; ok && !until.Before(retired) {
			return fail(verdict.TimestampAlgorithm, "%s was retired at %s, before chain %d was renewed", name, retired.UTC().Format(time.RFC3339), i+1)
		}
	}
	return verdict.Pass(verdict.CheckTimestamp)
}

// judgeCover leads the objects, and each token, to what the next token must stamp.
func (r *Record) judgeCover(objects []Object) ([]Hash, verdict.Check, error) {
	var roots []Hash
	for i, chain := range r.Chains {
		a := chain[0].Algorithm
		hashes, err := HashObjects(a, objects)
		if err != nil {
			return nil, verdict.Check{}, err
		}
		leaf, err := rehash(a, hashes, r.Chains[:i])
		if err != nil {
			return nil, verdict.Check{}, err
		}
		for k, s := range chain {
			if k > 0 {
				leaf = Leaf{a.Sum(chain[k-1].Token)}
			}
			root, ok := s.root(leaf)
			if !ok {
				return nil, fail(verdict.TimestampImprint, "time-stamp %d is not about exactly these objects", len(roots)+1), nil
			}
			roots = append(roots, root)
		}
	}
	return roots, verdict.Pass(verdict.CheckTimestamp), nil
}

// root is what a stamp's token must stamp if it covers exactly the leaf (RFC 4998 4.3).
func (s *Stamp) root(leaf Leaf) (Hash, bool) {
	if len(leaf) == 0 || repeats(leaf) {
		return Hash{}, false
	}
	if len(s.Lists) == 0 {
		return leaf[0], len(leaf) == 1
	}
	first := s.Lists[0]
	for _, h := range leaf {
		if !slices.Contains(first, h) {
			return Hash{}, false
		}
	}
	if len(leaf) > 1 && len(first) != len(leaf) { // one of a group alone may stand beside its sibling in the tree
		return Hash{}, false
	}
	node := s.Algorithm.node(first)
	for _, list := range s.Lists[1:] {
		node = s.Algorithm.node(append(slices.Clone(list), node))
	}
	return node, true
}

// judgeTokens judges from the newest to the oldest, for each is vouched for by the next.
func (r *Record) judgeTokens(tokens []*tsp.Token, roots []Hash, o JudgeOptions) []StampJudgement {
	stamps := r.stamps()
	out := make([]StampJudgement, len(tokens))
	var seen time.Time
	for i := len(tokens) - 1; i >= 0; i-- {
		t := tokens[i]
		got := t.Judge(roots[i], tsp.JudgeOptions{
			Policy: o.Policy, Certificates: o.Certificates, Imprint: stamps[i].Algorithm.OID, Seen: seen, Now: o.Now,
		})
		out[i] = StampJudgement{Algorithm: stamps[i].Algorithm.Name, Time: t.Time, Authority: got.Authority, Check: got.Check}
		if c := t.Signer(); c != nil {
			out[i].Until = c.NotAfter
		}
		seen = t.Time
	}
	return out
}
