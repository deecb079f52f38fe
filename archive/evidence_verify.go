package archive

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/verdict"
)

// eventDeposit is the event whose receipt binds a package to the log.
const eventDeposit = "Deposit"

// maxProof bounds the file of consistency proofs, in bytes.
const maxProof = 4 << 20

// evidence are the parts of a bundle while it is judged.
type evidence struct {
	list     *Bundle
	packages []contents
	sums     []string // SM3 of the packages
	bounds   []Bound
	notes    [][]byte
	proofs   map[uint64][]tlog.Hash
}

// VerifyBundle judges a bundle of evidence given as a folder or an opened zip: its list and both digests of every file,
// stray files; the record package and every receipt as they would be judged alone; that the log took in this very package
// (the receipt of the deposit names its digest); that all receipts form one chain; and that the newest tree of the log,
// signed and perhaps cosigned, extends the tree of every receipt. Revocation data of the bundle counts like what the caller
// has, since its issuer signed it. The error is for what could not be read at all.
func VerifyBundle(content fs.FS, name string, o VerifyOptions) (verdict.File, error) {
	f := verdict.File{File: name, Type: "evidence"}
	raw, err := readBounded(content, BundleName, maxManifest)
	if damaged(err) {
		f.Reject(verdict.ZipLayout, "%s: %v", BundleName, err)
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("verify evidence %s: %w", name, err)
	}
	list, err := ParseBundle(raw)
	if err != nil {
		f.Reject(verdict.Malformed, "%v", err)
		return f, nil
	}
	f.Add(verdict.Pass(verdict.CheckContainer))
	if err := verifyFiles(&f, content, list.Files, BundleName); err != nil {
		return f, fmt.Errorf("verify evidence %s: %w", name, err)
	}
	v := &evidence{list: list, proofs: map[uint64][]tlog.Hash{}}
	if err := v.readParts(&f, content, o); err != nil {
		return f, fmt.Errorf("verify evidence %s: %w", name, err)
	}
	f.Add(v.bind()...)
	f.Add(v.judgeLog(o)...)
	f.Judge(o.Policy.Revocation)
	return f, nil
}

// Stapled reads the revocation data of a bundle; what cannot be read says nothing.
func Stapled(content fs.FS) (crls []*cert.RevocationList, ocsp []*cert.OCSPResponse) {
	raw, err := readBounded(content, BundleName, maxManifest)
	if err != nil {
		return nil, nil
	}
	list, err := ParseBundle(raw)
	if err != nil {
		return nil, nil
	}
	for _, e := range list.Files {
		if e.Role != RoleRevocation || e.Size > cert.MaxCRLSize {
			continue
		}
		data, err := readBounded(content, e.Path, cert.MaxCRLSize)
		if err != nil {
			continue
		}
		if l, err := cert.ParseCRL(data); err == nil {
			crls = append(crls, l)
		} else if r, err := cert.ParseOCSP(data); err == nil {
			ocsp = append(ocsp, r)
		}
	}
	return crls, ocsp
}

// readParts judges every part that can be judged alone, and keeps what they say of each other.
func (v *evidence) readParts(f *verdict.File, content fs.FS, o VerifyOptions) error {
	for _, packages := range []bool{false, true} { // the receipts first: they prove when the package existed
		for _, e := range v.list.Files {
			limit := mostOfBundle(e.Role)
			if (e.Role == RolePackage) != packages || limit == 0 {
				continue
			}
			if e.Size > limit {
				f.Add(verdict.Fail(verdict.CheckDigests, verdict.Limit, "%s: %d bytes, at most %d", e.Path, e.Size, limit))
				continue
			}
			data, err := readExactly(content, e)
			if errors.Is(err, fs.ErrNotExist) || damaged(err) {
				continue // reported among the digests
			}
			if err != nil {
				return err
			}
			if err := v.part(f, e, data, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostOfBundle is how much of a file of a role is read, in bytes; 0 where there is nothing to judge.
func mostOfBundle(r Role) int64 {
	switch r {
	case RolePackage:
		return maxFileSize
	case RoleEvidence, RoleCheckpoint:
		return maxManifest
	case RoleConsistency:
		return maxProof
	default:
		return 0
	}
}

// seen is when a package with this digest is known to have existed: its deposit, if a receipt of it passed.
func (v *evidence) seen(sm3 string) time.Time {
	for _, b := range v.bounds {
		if b.proven && b.Event == eventDeposit && b.Object == sm3 {
			return b.Time
		}
	}
	return time.Time{}
}

func (v *evidence) part(f *verdict.File, e FileEntry, data []byte, o VerifyOptions) error {
	switch e.Role {
	case RoleCheckpoint:
		v.notes = append(v.notes, data)
	case RoleConsistency:
		if err := v.readProofs(data); err != nil {
			f.Add(verdict.Fail(verdict.CheckCheckpoint, verdict.Malformed, "%s: %v", e.Path, err))
		}
	case RoleEvidence:
		part, b := o.Judge.Receipt(e.Path, data)
		b.proven = part.Verdict == verdict.Passed
		f.Parts, v.bounds = append(f.Parts, part), append(v.bounds, b)
	case RolePackage:
		part := verdict.File{File: e.Path, Type: "package"}
		z, err := OpenZip(bytes.NewReader(data), int64(len(data)))
		if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
			part.Reject(refused.Reason, "%s", refused.Detail)
			f.Parts = append(f.Parts, part)
			return nil
		}
		if err != nil {
			return err
		}
		o.Seen = v.seen(e.SM3)
		part, c, err := verifyPackage(z, e.Path, o)
		if errors.Is(err, fs.ErrNotExist) {
			part.Reject(verdict.MissingEntry, "%s", ManifestName)
		} else if err != nil {
			return err
		}
		f.Parts, v.packages, v.sums = append(f.Parts, part), append(v.packages, c), append(v.sums, e.SM3)
	}
	return nil
}

// readProofs reads the consistency proofs.
func (v *evidence) readProofs(data []byte) error {
	var all []Consistency
	if err := decodeStrict(data, &all); err != nil {
		return err
	}
	for _, p := range all {
		if len(p.Hashes) > tlog.MaxProof {
			return fmt.Errorf("a proof of %d hashes, at most %d", len(p.Hashes), tlog.MaxProof)
		}
		hashes := make([]tlog.Hash, len(p.Hashes))
		for i, text := range p.Hashes {
			if n, err := hex.Decode(hashes[i][:], []byte(text)); err != nil || n != len(hashes[i]) || len(text) != 2*n {
				return fmt.Errorf("hash %.70q", text)
			}
		}
		v.proofs[p.Size] = hashes
	}
	return nil
}

// bind: one package, of the record that the list names; receipts of its exchange; and the log's word that it was deposited.
func (v *evidence) bind() (bad []verdict.Check) {
	fail := func(reason verdict.Reason, format string, args ...any) {
		bad = append(bad, verdict.Fail(verdict.CheckReceiptBinding, reason, format, args...))
	}
	if len(v.packages) != 1 {
		fail(verdict.EvidenceMissing, "%d record packages in the bundle, want 1", len(v.packages))
		return bad
	}
	c, l := v.packages[0], v.list
	if c.record.ID != l.Record || c.record.Exchange != l.Exchange || c.record.DocumentSM3 != l.DocumentSM3 {
		fail(verdict.ReceiptBinding, "the package is of another record than the list of the bundle names")
	}
	known, deposited := map[string]bool{}, false
	for _, b := range append(c.bounds, v.bounds...) {
		known[b.Digest] = true
		if b.Event == eventAccepted && b.Object != l.EnvelopeSM3 {
			fail(verdict.ReceiptBinding, "the list names another envelope than the receipt of the acceptance")
		}
	}
	for _, b := range v.bounds {
		if b.Exchange != l.Exchange || b.DocumentSM3 != l.DocumentSM3 || b.Sender != c.record.Issuer {
			fail(verdict.ReceiptBinding, "receipt %s is of another exchange, document or sender", path.Base(b.ID))
		}
		if b.Previous != "" && !known[b.Previous] {
			fail(verdict.EvidenceMissing, "the entry before receipt %s is not in the bundle", b.ID)
		}
		if b.Event == eventDeposit {
			deposited = true
			if b.Object != v.sums[0] {
				fail(verdict.DiffersFromLog, "the log took in a package with SM3 %s", b.Object)
			}
		}
	}
	if !deposited {
		fail(verdict.EvidenceMissing, "no receipt of the deposit")
	}
	if len(bad) > 0 {
		return bad
	}
	return []verdict.Check{verdict.Pass(verdict.CheckReceiptBinding)}
}

// judgeLog: the newest checkpoint is the log's, extends that of every receipt, and is cosigned where witnesses are known.
func (v *evidence) judgeLog(o VerifyOptions) []verdict.Check {
	if len(v.notes) != 1 {
		return []verdict.Check{verdict.Fail(verdict.CheckCheckpoint, verdict.EvidenceMissing, "%d checkpoints in the bundle, want 1", len(v.notes))}
	}
	now, err := tlog.ParseCheckpoint(v.notes[0])
	if err != nil {
		return []verdict.Check{verdict.Fail(verdict.CheckCheckpoint, verdict.Malformed, "%v", err)}
	}
	if len(o.Logs) == 0 {
		return []verdict.Check{verdict.Unknown(verdict.CheckCheckpoint, verdict.NoLogKey, "the checkpoint is of log %s", now.Origin)}
	}
	if _, err := tlog.OpenCheckpoint(v.notes[0], tlog.Keys(o.Logs...)...); err != nil {
		return []verdict.Check{failedLog(err, "%v", err)}
	}
	checks := v.judgeExtends(now)
	if len(o.Witnesses) > 0 {
		checks = append(checks, v.judgeWitnesses(o.Witnesses))
	}
	return checks
}

// judgeExtends holds the newest tree against the tree of every receipt.
func (v *evidence) judgeExtends(now tlog.Checkpoint) (bad []verdict.Check) {
	bounds := v.bounds
	for _, c := range v.packages {
		bounds = append(bounds, c.bounds...)
	}
	for _, b := range bounds {
		then, err := tlog.ParseCheckpoint(b.Checkpoint)
		if err != nil {
			continue // the receipt's own verdict says so
		}
		if then.Origin != now.Origin {
			bad = append(bad, verdict.Fail(verdict.CheckCheckpoint, verdict.WrongLog, "receipt %s is of log %s", b.ID, then.Origin))
			continue
		}
		if err := tlog.VerifyConsistency(then, now, v.proofs[then.Size]); err != nil {
			bad = append(bad, failedLog(err, "receipt %s: %v", b.ID, err))
		}
	}
	if len(bad) > 0 {
		return bad
	}
	return []verdict.Check{verdict.Pass(verdict.CheckCheckpoint)}
}

func (v *evidence) judgeWitnesses(known []*tlog.Cosignatory) verdict.Check {
	lines, err := tlog.Cosignatures(v.notes[0], known...)
	if err != nil {
		return verdict.Fail(verdict.CheckWitness, verdict.CheckpointSignature, "%v", err)
	}
	if len(lines) == 0 {
		return verdict.Unknown(verdict.CheckWitness, verdict.WitnessMissing, "no line of a given witness under the checkpoint")
	}
	return verdict.Pass(verdict.CheckWitness)
}

func failedLog(err error, format string, args ...any) verdict.Check {
	reason, ok := tlog.ReasonOf(err)
	if !ok {
		reason = verdict.CheckpointSignature
	}
	return verdict.Fail(verdict.CheckCheckpoint, reason, format, args...)
}
