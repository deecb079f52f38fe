package pdfseal

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/document/pdf"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// Verify judges every signature in a PDF file. A file that the strict reader refuses is rejected; one that no longer
// opens because something was put behind a signed revision is failed, modified_after_signing. A file without a
// signature is unsigned.
func Verify(data []byte, o seal.VerifyOptions) verdict.File {
	f, err := pdf.Open(data)
	var entries []*entry
	if err == nil {
		entries, err = collect(f)
	}
	switch {
	case err != nil && !mayHideSignature(err):
		return rejected(err)
	case err != nil || len(f.Tail()) > 0 && len(entries) == 0:
		if before, entries := signedPrefix(data); before != nil {
			return verifyOpened(before, entries, o, len(data))
		}
		if err != nil {
			return rejected(err)
		}
	}
	return verifyOpened(f, entries, o, len(data))
}

func rejected(err error) verdict.File {
	file := verdict.File{Type: "pdf"}
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		file.Reject(refused.Reason, "%s", refused.Detail)
		return file
	}
	file.Reject(verdict.Malformed, "%v", err)
	return file
}

// mayHideSignature says whether a refusal can come from bytes put behind a signed revision, and is not final by itself.
func mayHideSignature(err error) bool {
	refused, ok := errors.AsType[*verdict.ContainerError](err)
	return ok && (refused.Reason == verdict.Malformed || refused.Reason == verdict.XrefAmbiguous)
}

// maxPrefixes bounds how many earlier ends of a broken file are tried.
const maxPrefixes = 8

// signedPrefix looks for the longest beginning of a file that is a document with a signature: what was signed before
// something unreadable was put behind it.
func signedPrefix(data []byte) (*pdf.File, []*entry) {
	mark := []byte("%%EOF")
	end := len(data)
	for range maxPrefixes {
		at := bytes.LastIndex(data[:end], mark)
		if at < 0 {
			return nil, nil
		}
		stop := at + len(mark)
		if stop < len(data) && data[stop] == '\r' {
			stop++
		}
		if stop < len(data) && data[stop] == '\n' {
			stop++
		}
		if f, err := pdf.Open(data[:stop]); err == nil && len(f.Tail()) == 0 {
			if entries, err := collect(f); err == nil && len(entries) > 0 {
				return f, entries
			}
		}
		end = at
	}
	return nil, nil
}

// verifier judges the signatures of one file.
type verifier struct {
	file    *pdf.File
	entries []*entry
	options seal.VerifyOptions
	size    int64 // of the whole file; more than the opened part where that is a prefix
	// updates holds, for every revision but the first, why it is not just a further signature; empty if it is.
	updates []string
}

// verifyOpened judges an opened file. size is that of the whole file, of which a part may have been opened.
func verifyOpened(f *pdf.File, entries []*entry, o seal.VerifyOptions, size int) verdict.File {
	v := &verifier{file: f, entries: entries, options: o, size: int64(size)}
	out := verdict.File{Type: "pdf"}
	if err := v.leftovers(&out); err != nil {
		return rejected(err)
	}
	if err := v.warnStamps(&out); err != nil {
		return rejected(err)
	}
	if len(entries) == 0 {
		out.Verdict = verdict.Unsigned
		if n := len(f.Tail()); n > 0 {
			out.Warn(verdict.TrailingData, "%d bytes follow the document", n)
		}
		if o.JudgeSealed(&out); len(out.Checks) > 0 {
			out.Judge(o.Policy.Setting())
		}
		return out
	}
	if err := v.compareRevisions(); err != nil {
		return rejected(err)
	}
	out.Add(verdict.Pass(verdict.CheckContainer))
	for i := range entries {
		out.Signatures = append(out.Signatures, v.judge(i))
	}
	for _, lint := range []func(*pdf.View) error{lintObjects, lintUnreferenced} {
		if err := lint(f.Current()); err != nil {
			out.Warn(verdict.ActiveOrShadowContent, "%s", detail(err))
		}
	}
	if err := v.judgeOutside(&out); err != nil {
		return rejected(err)
	}
	o.JudgeSealed(&out)
	out.Judge(o.Policy.Setting())
	return out
}

// leftovers warns of signature dictionaries that no field leads to.
func (v *verifier) leftovers(out *verdict.File) error {
	count, first, err := v.unlisted()
	if count == 0 && err == nil && len(v.entries) == 0 {
		v.skipped(out)
	}
	if count == 0 || err != nil {
		return err
	}
	code := verdict.UnlistedSignature
	if len(v.entries) == 0 {
		code = verdict.LeftoverSignature
	}
	out.Warn(code, "%d signatures that no field names, the first is %s", count, first)
	return nil
}

// skipped warns of a signature in bytes that belong to no revision: a table that leads past the signed one hides it.
func (v *verifier) skipped(out *verdict.File) {
	data, mark := v.file.Bytes(), []byte("/ByteRange")
	if !bytes.Contains(data, mark) {
		return
	}
	stray, err := v.file.Stray()
	if err != nil {
		return
	}
	for _, s := range stray {
		if part := data[s.Start:s.End]; bytes.Contains(part, mark) && bytes.Contains(part, []byte("/Contents")) {
			out.Warn(verdict.LeftoverSignature, "bytes %d to %d belong to no revision and hold a signature", s.Start, s.End)
			return
		}
	}
}

// unlisted counts the signature dictionaries that no field leads to, and says where the first one is.
func (v *verifier) unlisted() (count int, first string, err error) {
	known := map[int64]bool{}
	for _, e := range v.entries {
		known[e.at] = true
	}
	for i := range v.file.Revisions() {
		view := v.file.At(i)
		for _, n := range view.Touched() {
			o, err := view.Object(n)
			if err != nil {
				return 0, "", err
			}
			pdf.Dicts(o, func(d pdf.Dict) {
				c, ok := d["Contents"].(pdf.String)
				if !ok || d["ByteRange"] == nil || known[c.Start] {
					return
				}
				if count++; count == 1 {
					first = fmt.Sprintf("object %d of revision %d", n, i+1)
				}
			})
		}
	}
	return count, first, nil
}

// compareRevisions finds out which revisions do more than add a signature to a signed document.
func (v *verifier) compareRevisions() error {
	n := len(v.file.Revisions())
	v.updates = make([]string, n)
	by := make([]*entry, n)
	for _, e := range v.entries {
		by[e.revision] = e
	}
	for i := v.entries[0].revision + 1; i < n; i++ {
		u := update{before: v.file.At(i - 1), after: v.file.At(i), by: by[i]}
		why, err := u.fault()
		if err != nil {
			return err
		}
		v.updates[i] = why
	}
	return nil
}

// judge judges one signature, on the document as it was when the signature appeared.
func (v *verifier) judge(i int) verdict.Signature {
	e := v.entries[i]
	sig := verdict.Signature{ID: v.id(i), Kind: "sign", Standard: "GB/T 35275-2017", Version: 1}
	s, sealErr := sealOf(e.view, e.sig)
	if e.sig[SealKey] != nil {
		sig.Kind = "seal"
	}
	if s != nil {
		sig.Seal = &verdict.SealRef{ID: s.Info.SealID, Name: s.Info.Property.Name}
	}
	r, checks, whole := v.checkRange(e)
	if whole {
		checks = append(checks, v.checkCoverage(e, r))
	}
	sig.Add(checks...)
	sig.Add(v.checkRevisions(i))
	if !whole {
		return sig
	}
	by := v.judgeValue(&sig, e, r)
	if sig.Kind == "seal" {
		v.judgeSeal(&sig, e, s, sealErr, by)
	}
	warnUnsealed(&sig, e)
	return sig
}

// id is the name of the field, or its position where the name is missing or not its own.
func (v *verifier) id(i int) string {
	name := v.entries[i].name
	for j, e := range v.entries {
		if j != i && e.name == name {
			name = ""
		}
	}
	if name == "" {
		return "#" + strconv.Itoa(i+1)
	}
	return name
}

// checkRange judges the signature dictionary's form. whole is false if it says too little to go on.
func (v *verifier) checkRange(e *entry) (r pdf.ByteRange, checks []verdict.Check, whole bool) {
	const name = verdict.CheckByteRange
	fail := func(n verdict.CheckName, reason verdict.Reason, format string, args ...any) (pdf.ByteRange, []verdict.Check, bool) {
		return r, []verdict.Check{verdict.Fail(n, reason, format, args...)}, false
	}
	c, ok := e.sig["Contents"].(pdf.String)
	if !ok || len(bytes.Trim(c.Value, "\x00")) == 0 {
		return fail(verdict.CheckSignature, verdict.SigMissing, "the signature dictionary holds no signature value")
	}
	if f := e.sig["SubFilter"]; f != SubFilter && f != subFilterCAdES {
		return fail(verdict.CheckSignature, verdict.SubFilter, "signature format %v is not allowed, %s is", f, SubFilter)
	}
	r, err := pdf.ParseByteRange(e.sig["ByteRange"], int64(len(v.file.Bytes())))
	if err != nil {
		return fail(name, verdict.ByteRangeMalformed, "%s", detail(err))
	}
	if e.shared {
		return fail(name, verdict.SigDictShared, "another field has this signature, or one was added in the same revision")
	}
	start, end := r.Gap()
	if !c.Hex || start != c.Start || end != c.End || c.End-c.Start != int64(2*len(c.Value)+2) || !digits(v.file.Bytes()[start+1:end-1]) {
		return fail(name, verdict.GapNotSignature, "the gap from %d to %d is not exactly the signature value, which stands at %d to %d",
			start, end, c.Start, c.End)
	}
	return r, []verdict.Check{verdict.Pass(name)}, true
}

// digits reports whether all of the text are hexadecimal digits: white space has a place in such strings, and readers differ in
// what an odd number of digits means.
func digits(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// detail is what an error says, without the words of a refused container where the file itself is not refused.
func detail(err error) string {
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		return refused.Detail
	}
	return err.Error()
}

// checkCoverage demands that the signature covers the revision that brought it, from the first byte to the last; the
// newest one the whole file.
func (v *verifier) checkCoverage(e *entry, r pdf.ByteRange) verdict.Check {
	const name = verdict.CheckCoverage
	rev := v.file.Revisions()[e.revision]
	newest := e.revision == len(v.file.Revisions())-1
	switch {
	case r[0] != 0:
		return verdict.Fail(name, verdict.Coverage, "the signature covers the file from byte %d on", r[0])
	case !rev.EndsAt(r.End()) || e.at < rev.Start:
		return verdict.Fail(name, verdict.Coverage, "the signature covers the file up to byte %d, its revision goes from %d to %d",
			r.End(), rev.Start, rev.End)
	case newest && r.End() != v.size && v.size-rev.End == int64(len(blank(v.file.Tail()))):
		return verdict.Fail(name, verdict.Coverage, "the signature covers the file up to byte %d of %d", r.End(), v.size)
	}
	return verdict.Pass(name)
}

// blank returns the tail if it is white space alone.
func blank(tail []byte) []byte {
	if len(bytes.Trim(tail, "\x00\t\n\f\r ")) > 0 {
		return nil
	}
	return tail
}

// checkRevisions demands that nothing but further signatures came after the signed revision.
func (v *verifier) checkRevisions(i int) verdict.Check {
	const name = verdict.CheckRevisions
	e := v.entries[i]
	modified := func(format string, args ...any) verdict.Check {
		return verdict.Fail(name, verdict.ModifiedAfterSigning, format, args...)
	}
	if e.changed != "" {
		return verdict.Fail(name, e.why, "%s", e.changed)
	}
	if end := v.file.Revisions()[len(v.file.Revisions())-1].End; v.size > end {
		if tail := v.file.Tail(); int64(len(blank(tail))) != v.size-end {
			return modified("%d bytes follow the newest revision", v.size-end)
		}
	}
	for n := e.revision + 1; n < len(v.updates); n++ {
		if v.updates[n] != "" {
			return modified("revision %d: %s", n+1, v.updates[n])
		}
	}
	return v.checkCertification(i)
}

// certification returns the DocMDP permission of a signature: 0 for none, 1 no changes, 2 forms, 3 comments.
func certification(e *entry) (int64, error) {
	list, err := e.view.Array(e.sig["Reference"])
	if err != nil {
		return 0, err
	}
	for _, o := range list {
		d, err := e.view.Dict(o)
		if err != nil {
			return 0, err
		}
		if d["TransformMethod"] != pdf.Name("DocMDP") {
			continue
		}
		params, err := e.view.Dict(d["TransformParams"])
		if err != nil {
			return 0, err
		}
		if p, ok := params["P"].(int64); ok {
			return p, nil
		}
		return 2, nil
	}
	return 0, nil
}

// checkCertification demands that a certification comes first, alone, and is obeyed (ISO 32000-1, 12.8.2.2).
func (v *verifier) checkCertification(i int) verdict.Check {
	const name = verdict.CheckRevisions
	for j, e := range v.entries {
		p, err := certification(e)
		switch {
		case err != nil:
			return verdict.Fail(name, verdict.Malformed, "the certification of signature %s cannot be read: %v", v.id(j), err)
		case p == 0:
		case j > 0 && (i == j || i == 0):
			return verdict.Fail(name, verdict.CertificationOrder, "signature %s certifies a document that was signed before", v.id(j))
		case j == i && p == 1 && len(v.updates) > e.revision+1:
			return verdict.Fail(name, verdict.ModifiedAfterSigning, "the signature certifies that nothing follows, and something does")
		}
	}
	return verdict.Pass(name)
}

// signatory is who signed, nil if the certificate is missing, and the time that the message claims, if it does.
type signatory struct {
	cert    *cert.Certificate
	claimed time.Time
}

// judgeValue judges the signature value and returns who signed.
func (v *verifier) judgeValue(sig *verdict.Signature, e *entry, r pdf.ByteRange) signatory {
	c, _ := e.sig["Contents"].(pdf.String)
	m, err := cms.ParseSigned(cms.TrimZeros(c.Value))
	if err != nil {
		reason := verdict.Malformed
		if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
			reason = refused.Reason
		}
		sig.Add(verdict.Fail(verdict.CheckSignature, reason, "the signature value cannot be read: %s", detail(err)))
		return signatory{}
	}
	if !m.Detached() {
		sig.Add(verdict.Fail(verdict.CheckSignature, verdict.SubFilter, "the detached signature has a content of its own"))
	}
	first, second := r.Parts(v.file.Bytes())
	// Whose seal it is rests on the certificate alone, so a seal names its certificate by digest.
	o := cms.JudgeOptions{Policy: v.options.Policy, Now: v.options.Now, RequireBinding: sig.Kind == "seal"}
	if !v.options.At.IsZero() {
		o.Now = v.options.At
	}
	if p := v.options.Proven; p != nil {
		o.At, o.TimeSource = p.At, p.Source
	}
	judged := tsp.JudgeSigned(m, gm.SM3(first, second), true, o)
	for _, j := range judged {
		sig.Add(j.Checks...)
		for k, w := range j.Warnings {
			sig.Warn(w, "%s", j.WarningDetails[k])
		}
	}
	sig.Standard, sig.Version, sig.Signer = judged[0].Standard, judged[0].Version, judged[0].Signer
	sig.Time, sig.TimeSource = judged[0].Time, judged[0].TimeSource
	claimed, _ := m.SigningTime(0)
	shown, _ := e.view.Resolve(e.sig["M"]) // what cannot be read, nobody shows
	if stated, ok := shown.(pdf.String); ok {
		seal.WarnTime(sig, "the signature dictionary", text(stated.Value), claimed)
	}
	return signatory{m.SignerCertificate(0), claimed}
}

// judgeSeal judges the seal in the signed bytes: its maker, its validity, its list of signers, and its picture.
func (v *verifier) judgeSeal(sig *verdict.Signature, e *entry, s *ses.Seal, err error, by signatory) {
	if s == nil {
		sig.Add(sealFault(err))
		return
	}
	signer, stated := by.cert, time.Time{}
	if sig.Time != nil {
		stated = *sig.Time
	}
	moment, _ := v.options.Moment(stated)
	moment.Proven = moment.Proven || sig.TimeSource == verdict.TimeFromTimestamp
	sig.Add(judgeAppearance(e.view, e.dict, s))
	judgePlacement(sig, e, s)
	maker := v.options.JudgeSeal(sig, s, moment, by.claimed)
	switch {
	case signer == nil:
		sig.Add(verdict.Unknown(verdict.CheckSignerListed, verdict.SignerCert, "the signer's certificate is not known"))
	case !s.Lists(signer.Raw):
		sig.Add(verdict.Fail(verdict.CheckSignerListed, verdict.SignerNotAuthorised, "%s is not in the list of seal %s",
			signer.SubjectText(), s.Info.SealID))
	default:
		sig.Add(verdict.Pass(verdict.CheckSignerListed))
	}
	if maker == nil {
		return
	}
	for _, c := range v.options.Policy.Judge(maker, cert.UseMake, moment) {
		if c.Detail != "" {
			c.Detail = "seal maker: " + c.Detail
		}
		sig.Add(c)
		if c.Reason == verdict.NoRevocationSource {
			sig.Warn(c.Reason, "%s", c.Detail)
		}
	}
}

// sealFault explains a seal that cannot be read.
func sealFault(err error) verdict.Check {
	reason := verdict.Malformed
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		reason = refused.Reason
	}
	return verdict.Fail(verdict.CheckSealMaker, reason, "the seal in the signature cannot be read: %s", detail(err))
}
