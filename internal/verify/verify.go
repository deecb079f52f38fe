// Package verify recognises what a file is and gives the verdict on it: OFD, PDF, detached signature, receipt, envelope
// (its outside), record package, bundle of evidence. It is the one verifier of yinxin: the command line, the hub's page and the browser
// call it with the same options and get the same report.
//
// It promises to do no I/O of its own: content comes as bytes or as an [fs.FS], trust comes in the options, nothing is
// fetched. It does not decide what is trusted, and it never opens an envelope.
package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"yinxin/archive"
	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/pdfseal"
	"yinxin/transport/envelope"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// Options are what the verifier is told to trust.
type Options struct {
	// Policy holds roots, revocation lists and the revocation setting.
	Policy cert.Policy
	// Logs are the keys of the evidence logs that receipts may come from.
	Logs []*tlog.Verifier
	// Witnesses are the keys of witnesses, one of which must have cosigned the checkpoint of a bundle of evidence; nil asks
	// for none.
	Witnesses []*tlog.Cosignatory
	// Seals, if not nil, looks a seal up in a register by its identity, as seal.VerifyOptions.Records.
	Seals func(id string) (seal.Record, error)
	// Makers, if not nil, are the only ones whose seals count, as seal.VerifyOptions.Makers.
	Makers []*cert.Certificate
	// At, when not zero, is the moment for which the verdict is asked: everything is judged as if it were At.
	At time.Time
	// Now is the verifier's clock.
	Now time.Time
}

// Moment is the time of judging: At where one is asked for, else Now.
func (o Options) Moment() time.Time {
	if !o.At.IsZero() {
		return o.At
	}
	return o.Now
}

// Trusting makes options of what is handed over as text: roots (PEM) and, unless empty, the key of an evidence log.
func Trusting(roots []byte, log string) (Options, error) {
	o := Options{Policy: cert.Policy{Revocation: verdict.RevocationAuto}}
	var err error
	if o.Policy.Roots, err = cert.ParsePEM(roots); err != nil {
		return o, fmt.Errorf("read the roots: %w", err)
	}
	if log == "" {
		return o, nil
	}
	key, err := tlog.ParseVerifier(log)
	if err != nil {
		return o, fmt.Errorf("read the log's key: %w", err)
	}
	o.Logs = []*tlog.Verifier{key}
	return o, nil
}

// Input is one file: its name in the report and its content. Content is for a folder, Data or Reader with Size for
// everything else: what a Reader gives, which must not change meanwhile, is read as a stream where its format allows. Of
// a detached signature (.p7s), Signed is the content that was signed, or Sum its SM3 where it is too large to be held: then
// the input must be a signature, for whoever verifies contract.txt.p7s wants to know about contract.txt. Beside says that
// it must be one although that content is not at hand.
type Input struct {
	Name    string
	Data    []byte
	Reader  io.ReaderAt
	Size    int64
	Content fs.FS
	Signed  []byte
	Sum     *[32]byte
	Beside  bool
}

// sum is the SM3 of the signed content beside a signature, nil if there is none.
func (in Input) sum() *[32]byte {
	if in.Sum != nil || in.Signed == nil {
		return in.Sum
	}
	sum := gm.SM3(in.Signed)
	return &sum
}

// read gives all bytes of the input.
func (in Input) read() ([]byte, error) {
	if in.Reader == nil {
		return in.Data, nil
	}
	data, err := io.ReadAll(io.NewSectionReader(in.Reader, 0, in.Size))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", in.Name, err)
	}
	return data, nil
}

// Files judges every input and gathers the report.
func Files(inputs []Input, o Options) (*verdict.Report, error) {
	files := make([]verdict.File, 0, len(inputs))
	for _, in := range inputs {
		f, err := One(in, o)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	err := Relate(files, func(i int) ([32]byte, error) {
		data, err := inputs[i].read()
		return gm.SM3(data), err
	})
	return o.Report(files...), err
}

// Report gathers judged files into the report, which states how they were judged.
func (o Options) Report(files ...verdict.File) *verdict.Report {
	r := verdict.NewReport(o.Policy.Setting(), files...)
	if !o.At.IsZero() {
		at := o.At.UTC()
		r.AsOf = &at
	}
	return r
}

// One judges one input.
func One(in Input, o Options) (verdict.File, error) {
	if in.Content != nil {
		return packageOf(in.Content, in.Name, o)
	}
	if in.Reader == nil {
		in.Reader, in.Size = bytes.NewReader(in.Data), int64(len(in.Data))
	}
	beside := in.Beside || in.sum() != nil
	switch kind, told, err := recogniseLarge(in.Reader, in.Size); {
	case err != nil:
		return verdict.File{}, fmt.Errorf("read %s: %w", in.Name, err)
	case told && beside:
		return noSignature(in.Name, kind), nil
	case told && kind == KindUnknown:
		return unknownFile(in.Name), nil
	case kind == KindOFD:
		return ofdFile(in, o)
	case kind == KindPackage, kind == KindEvidence:
		return zippedPackage(in, kind, o)
	}
	data, err := in.read()
	if err != nil {
		return verdict.File{}, err
	}
	if kind := Recognise(data); kind != KindCMS && beside {
		return noSignature(in.Name, kind), nil
	}
	return whole(in, data, o)
}

// noSignature refuses what lies beside a content in place of a signature over it: a good document there says nothing
// about the content.
func noSignature(name string, kind Kind) verdict.File {
	f := verdict.File{File: name, Type: string(kind)}
	f.Reject(verdict.UnsupportedFormat, "not a signature over the file beside it, but of type %s", kind)
	return f
}

// zippedPackage judges a record package or a bundle of evidence in one file.
func zippedPackage(in Input, kind Kind, o Options) (verdict.File, error) {
	z, err := archive.OpenZip(in.Reader, in.Size)
	if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
		f := verdict.File{File: in.Name, Type: string(kind)}
		f.Reject(refused.Reason, "%s", refused.Detail)
		return f, nil
	}
	if err != nil {
		return verdict.File{}, err
	}
	return packageOf(z, in.Name, o)
}

// whole judges what is read whole.
func whole(in Input, data []byte, o Options) (verdict.File, error) {
	switch Recognise(data) {
	case KindOFD: // behind foreign bytes
		in.Reader, in.Size = bytes.NewReader(data), int64(len(data))
		return ofdFile(in, o)
	case KindPDF:
		f := pdfseal.Verify(data, o.sealOptions())
		f.File, f.Type = in.Name, "pdf"
		return f, nil
	case KindReceipt:
		return receiptFile(in.Name, data, o), nil
	case KindEnvelope:
		return envelope.VerifyOutside(in.Name, bytes.NewReader(data), int64(len(data)), envelope.VerifyOptions{Policy: o.Policy, Now: o.Moment()}), nil
	case KindCMS:
		in.Data = data
		return signedFile(in, o, time.Time{}), nil
	case KindPackage, KindEvidence, KindCertificate, KindSeal, KindUnknown:
	}
	return unknownFile(in.Name), nil
}

// unknownFile refuses what holds nothing to verify.
func unknownFile(name string) verdict.File {
	f := verdict.File{File: name, Type: string(KindUnknown)}
	f.Reject(verdict.UnsupportedFormat, "not an OFD, PDF, signature, receipt, envelope, record package or bundle of evidence")
	return f
}

func (o Options) sealOptions() seal.VerifyOptions {
	return seal.VerifyOptions{Policy: o.Policy, Now: o.Moment(), Records: o.Seals, Makers: o.Makers}
}

func ofdFile(in Input, o Options) (verdict.File, error) {
	f, err := ofdseal.VerifyReader(in.Reader, in.Size, o.sealOptions())
	f.File, f.Type = in.Name, "ofd"
	if err != nil {
		return f, fmt.Errorf("read %s: %w", in.Name, err)
	}
	return f, nil
}

func receiptFile(name string, data []byte, o Options) verdict.File {
	f := receipt.VerifyBytes(data, o.receiptOptions())
	f.File = name
	return f
}

func (o Options) receiptOptions() receipt.VerifyOptions {
	return receipt.VerifyOptions{Logs: o.Logs, Policy: o.Policy, Now: o.Moment()}
}

// signedFile judges a GB/T 35275 message, which existed at the time seen by the log's word; zero where nothing proves it.
func signedFile(in Input, o Options, seen time.Time) verdict.File {
	f := verdict.File{File: in.Name, Type: "cms"}
	signed, err := cms.ParseSigned(in.Data)
	if err != nil {
		if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
			f.Reject(refused.Reason, "%s", refused.Detail)
			return f
		}
		f.Reject(verdict.NotDER, "%v", err)
		return f
	}
	// A content inside and a file beside it are two answers to what was signed: judged as detached, that is a finding.
	sum := in.sum()
	detached := signed.Detached() || sum != nil
	if !detached {
		inside := signed.Sum()
		sum = &inside
	}
	if sum == nil {
		f.Add(verdict.Unknown(verdict.CheckDataHash, verdict.MissingEntry, "the signed file is not beside the signature"))
		f.Judge(o.Policy.Revocation)
		return f
	}
	f.Add(verdict.Pass(verdict.CheckContainer))
	j := cms.JudgeOptions{Policy: o.Policy, Now: o.Moment()}
	if !seen.IsZero() {
		j.At, j.TimeSource = seen, verdict.TimeFromLog
	}
	f.Signatures = tsp.JudgeSigned(signed, *sum, detached, j)
	f.Judge(o.Policy.Revocation)
	return f
}

func packageOf(content fs.FS, name string, o Options) (verdict.File, error) {
	if archive.IsBundle(content) {
		o.Policy = o.Policy.WithEvidence(archive.Stapled(content))
		return archive.VerifyBundle(content, name, archive.VerifyOptions{
			Policy: o.Policy, Now: o.Moment(), Judge: packageJudge{o}, Logs: o.Logs, Witnesses: o.Witnesses,
		})
	}
	if !archive.IsPackage(content) {
		return verdict.File{}, fmt.Errorf("verify %s: no record package (%s is missing): %w", name, archive.ManifestName, fs.ErrNotExist)
	}
	return archive.Verify(content, name, archive.VerifyOptions{Policy: o.Policy, Now: o.Moment(), Judge: packageJudge{o}})
}
