package ofdseal

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"yinxin/crypto/cert"
	"yinxin/document/ofd"
	"yinxin/seal"
	"yinxin/verdict"
)

// VerifyFile opens a package and judges it; a refused container is a rejected file.
func VerifyFile(data []byte, o seal.VerifyOptions) verdict.File {
	pkg, err := ofd.OpenBytes(data)
	f, err := verifyOpened(pkg, err, o)
	if err != nil { // memory can be read
		f.Reject(verdict.Malformed, "%v", err)
	}
	return f
}

// VerifyReader is VerifyFile of a package of any size, which is read as a stream, once. The error is one of reading.
func VerifyReader(r io.ReaderAt, size int64, o seal.VerifyOptions) (verdict.File, error) {
	pkg, err := ofd.OpenReader(r, size)
	return verifyOpened(pkg, err, o)
}

// verifyOpened judges a package unless opening it gave an error.
func verifyOpened(pkg *ofd.Package, err error, o seal.VerifyOptions) (verdict.File, error) {
	if err != nil {
		f := verdict.File{Type: "ofd"}
		return f, reject(&f, err)
	}
	return verify(pkg, o)
}

// Verify judges every signature of every document in the package.
func Verify(pkg *ofd.Package, o seal.VerifyOptions) verdict.File {
	f, err := verify(pkg, o)
	if err != nil {
		f.Reject(verdict.Malformed, "%v", err)
	}
	return f
}

// verify takes the digests of all files first, and so finds whatever is wrong with how they are packed.
func verify(pkg *ofd.Package, o seal.VerifyOptions) (verdict.File, error) {
	v := &verifier{pkg: pkg, options: o}
	v.file = verdict.File{Type: "ofd"}
	if err := pkg.Digest(); err != nil {
		return v.file, reject(&v.file, err)
	}
	return v.verify()
}

// verify judges what was digested before.
func (v *verifier) verify() (verdict.File, error) {
	if err := v.read(); err != nil {
		return v.file, reject(&v.file, err)
	}
	v.reportStrays()
	v.warnStamps()
	v.warnOpenLists()
	if len(v.signed) == 0 && len(v.file.Checks) == 0 && len(v.options.Sealed) == 0 {
		v.file.Verdict = verdict.Unsigned
		return v.file, nil
	}
	v.file.Add(verdict.Pass(verdict.CheckContainer))
	for i := range v.signed {
		v.file.Signatures = append(v.file.Signatures, v.judge(i))
	}
	v.judgeBases()
	v.options.JudgeSealed(&v.file)
	v.file.Judge(v.options.Policy.Setting())
	return v.file, nil
}

// reject gives the verdict on a refused package; any other error is one of reading, and given back.
func reject(f *verdict.File, err error) error {
	refused, ok := errors.AsType[*verdict.ContainerError](err)
	if !ok {
		return err
	}
	f.Reject(refused.Reason, "%s", refused.Detail)
	return nil
}

// signed is one listed signature with its parts.
type signed struct {
	listEntry
	body     int
	list     *list
	position int
	// d is nil when Signature.xml is missing.
	d *description
	// covers are the entries that its references name.
	covers map[string]bool
	// picture is that of the seal inside the signature, nil if there is none.
	picture []byte
}

// files are the signature's own files.
func (s *signed) files() []string {
	files := []string{s.describe}
	if s.d == nil {
		return files
	}
	for _, name := range []string{s.d.value, s.d.seal, s.d.image} {
		if name != "" {
			files = append(files, name)
		}
	}
	return files
}

type verifier struct {
	pkg     *ofd.Package
	options seal.VerifyOptions
	file    verdict.File
	signed  []*signed
	lists   []*list
	// strays are the entries that no location leads to, by their names without folders; nil before they are looked for.
	strays map[string][]string
}

// read reads all lists and descriptions.
func (v *verifier) read() error {
	for i, b := range v.pkg.Bodies() {
		if b.Signatures == "" {
			continue
		}
		if !v.pkg.Has(b.Signatures) {
			v.file.Add(verdict.Fail(verdict.CheckCoverage, verdict.SignatureList,
				"OFD.xml names the list of signatures %s, which is not in the package", b.Signatures))
			continue
		}
		l, err := readList(v.pkg, b.Signatures)
		if err != nil {
			return err
		}
		v.lists = append(v.lists, l)
		if l.odd != "" && len(l.entries) == 0 { // else every signature of it says so
			v.file.Add(verdict.Fail(verdict.CheckCoverage, verdict.SignatureList, oddList, l.name, l.odd))
		}
		for k, e := range l.entries {
			s := &signed{listEntry: e, body: i, list: l, position: k, covers: map[string]bool{}}
			if data, ok := v.pkg.Entry(e.describe); ok {
				if s.d, err = readDescription(e.describe, data); err != nil {
					return err
				}
				for _, r := range s.d.references.items {
					s.covers[r.file] = true
				}
			}
			v.signed = append(v.signed, s)
		}
	}
	return nil
}

// judge judges one signature. The order of the checks is the order of importance for the reason: first whether it is
// what it says, then whether it stands for this document, then whether it holds, then whether it was allowed.
func (v *verifier) judge(i int) verdict.Signature {
	s := v.signed[i]
	sig := verdict.Signature{ID: s.id, Kind: kindSeal, Standard: "GB/T 38540-2020"}
	if s.kind == typeSign {
		sig.Kind, sig.Standard = kindSign, "GB/T 35275-2017"
	}
	if s.d == nil {
		sig.Add(verdict.Fail(verdict.CheckReferences, verdict.MissingEntry,
			"%s, which %s lists, is not in the package", s.describe, s.list.name))
		return sig
	}
	value, ok := v.pkg.Entry(s.d.value)
	if s.d.value == "" || !ok {
		sig.Add(verdict.Fail(verdict.CheckSignature, verdict.SigMissing, "%s names no signature value in the package", s.describe))
		v.judgeDocument(&sig, s)
		return sig
	}
	switch s.kind {
	case typeSeal:
		v.judgeSeal(&sig, s, value)
	case typeSign:
		v.judgeSign(&sig, s, value)
	default:
		sig.Add(verdict.Fail(verdict.CheckSignature, verdict.SignatureType, "%s gives signature %s the type %q, neither Seal nor Sign",
			s.list.name, s.id, s.kind))
		v.judgeDocument(&sig, s)
	}
	return sig
}

// judgeDocument makes the checks that seals and digital signatures share: what is covered and whether it is unchanged.
func (v *verifier) judgeDocument(sig *verdict.Signature, s *signed) {
	sig.Add(v.checkReferences(s)...)
	sig.Add(v.checkCoverage(sig, s)...)
	sig.Add(checkList(s)...)
}

// checkReferences compares every digest.
func (v *verifier) checkReferences(s *signed) []verdict.Check {
	const name = verdict.CheckReferences
	r := s.d.references
	malformed := func(format string, args ...any) []verdict.Check {
		return []verdict.Check{verdict.Fail(name, verdict.ReferenceMalformed, s.d.name+": "+format, args...)}
	}
	if r.groups != 1 {
		return malformed("%d References elements", r.groups)
	}
	known, odd := isSM3(r.method)
	if !r.given || !known {
		return []verdict.Check{verdict.Fail(name, verdict.WeakDigest, "%s: the digest method is %q, not SM3", s.d.name, r.method)}
	}
	faults := findings{name: name}
	seen := map[string]bool{}
	for _, item := range r.items {
		if seen[item.file] {
			faults.add(verdict.ReferenceMalformed, "%s is referenced twice", item.file)
		}
		seen[item.file] = true
		want, ok := item.digestValue()
		if !ok {
			faults.add(verdict.ReferenceMalformed, "the digest given for %s is not 32 bytes in Base64", item.file)
			continue
		}
		got, ok := v.pkg.Sum(item.file)
		if !ok {
			faults.add(verdict.MissingEntry, "%s was signed and is not in the package", item.file)
		} else if got != want {
			faults.add(verdict.ReferenceDigest, "%s differs from what was signed", item.file)
		}
	}
	if len(faults.checks) > 0 {
		return faults.done()
	}
	pass := verdict.Pass(name)
	pass.Detail = fmt.Sprintf("%d files unchanged", len(r.items))
	if odd {
		pass.Detail += "; the digest method is written " + r.method
	}
	return []verdict.Check{pass}
}

// findings collects failures of one check, a bounded number of them.
type findings struct {
	name   verdict.CheckName
	checks []verdict.Check
	more   int
}

func (f *findings) add(r verdict.Reason, format string, args ...any) {
	if len(f.checks) == maxFindings {
		f.more++
		return
	}
	f.checks = append(f.checks, verdict.Fail(f.name, r, format, args...))
}

func (f *findings) done() []verdict.Check {
	if f.more > 0 {
		f.checks[len(f.checks)-1].Detail += fmt.Sprintf(" (and %d more)", f.more)
	}
	return f.checks
}

// oddList says what a list of signatures holds that is none.
const oddList = "%s holds %s, which no list of signatures has"

// checkList holds the list of signatures against itself.
func checkList(s *signed) []verdict.Check {
	faults := findings{name: verdict.CheckCoverage}
	if s.list.odd != "" {
		faults.add(verdict.SignatureList, oddList, s.list.name, s.list.odd)
	}
	if s.id == "" {
		faults.add(verdict.SignatureList, "%s lists a signature without an ID", s.list.name)
	}
	for k, other := range s.list.entries {
		if k == s.position {
			continue
		}
		if other.id == s.id {
			faults.add(verdict.SignatureList, "%s gives the ID %q twice", s.list.name, s.id)
		}
		if other.describe == s.describe {
			faults.add(verdict.SignatureList, "%s lists %s twice", s.list.name, s.describe)
		}
	}
	if _, last, _, ok := counter(s.list.maxSignID); ok {
		if _, n, _, ok := counter(s.id); ok && n > last {
			faults.add(verdict.SignatureList, "%s: MaxSignId %s is below the signature %s", s.list.name, s.list.maxSignID, s.id)
		}
	}
	return faults.done()
}

// judgeBases requires that the signature which another one builds on (Relative) holds too.
func (v *verifier) judgeBases() {
	set := v.options.Policy.Setting()
	for i := range v.file.Signatures {
		v.file.Signatures[i].Judge(set)
	}
	for i, s := range v.signed {
		if s.relative == "" {
			continue
		}
		sig := &v.file.Signatures[i]
		base := v.base(s)
		switch {
		case base < 0:
			sig.Add(verdict.Fail(verdict.CheckCoverage, verdict.SignatureList,
				"signature %s builds on signature %q, which is not listed", s.id, s.relative))
		case v.file.Signatures[base].Verdict == verdict.Failed:
			sig.Add(verdict.Fail(verdict.CheckCoverage, v.file.Signatures[base].Reason,
				"signature %s builds on signature %s, which does not hold", s.id, s.relative))
		case v.file.Signatures[base].Verdict != verdict.Passed:
			sig.Add(verdict.Unknown(verdict.CheckCoverage, v.file.Signatures[base].Reason,
				"signature %s builds on signature %s, which is undecided", s.id, s.relative))
		}
	}
}

func (v *verifier) base(s *signed) int {
	for k, other := range v.signed {
		if other != s && other.list == s.list && other.id == s.relative {
			return k
		}
	}
	return -1
}

// judgeChains judges the certificates of signer and maker at the signature's moment.
func (v *verifier) judgeChains(sig *verdict.Signature, signer, maker *cert.Certificate, m cert.Moment) {
	if signer != nil {
		v.options.Policy.JudgeInto(sig, signer, cert.UseSign, m)
	}
	if maker == nil {
		return
	}
	for _, c := range v.options.Policy.Judge(maker, cert.UseMake, m) {
		if c.Detail != "" {
			c.Detail = "seal maker: " + c.Detail
		}
		sig.Add(c)
		if c.Reason == verdict.NoRevocationSource {
			sig.Warn(c.Reason, "%s", c.Detail)
		}
	}
}

// isPath reports whether a property information has the form of a path; other text is free.
func isPath(s string) bool {
	return strings.HasPrefix(s, "/") || strings.HasSuffix(strings.ToLower(s), ".xml")
}
