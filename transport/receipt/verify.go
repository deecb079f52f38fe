package receipt

import (
	"errors"
	"time"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/transport"
	"yinxin/verdict"
)

// VerifyOptions say what a receipt is judged by.
type VerifyOptions struct {
	// Logs are the keys of the expected log, past ones too. Without any, the checkpoint is indeterminate (no_log_key).
	Logs []*tlog.Verifier
	// Policy is whom the caller trusts for the parties' certificates.
	Policy cert.Policy
	// At, where set, is the time at which certificates are judged if the log proves none. Now is the time of judging.
	At  time.Time
	Now time.Time
	// Expect, where set, is what the receipt has to speak of.
	Expect Expect
}

// Expect names the thing that a caller holds beside the receipt. Empty fields are not compared.
type Expect struct {
	Exchange    string
	Event       transport.Event
	Sender      string
	Recipient   string
	DocumentSM3 transport.Digest
}

// VerifyBytes judges the content of a receipt file as [Receipt.Verify] does. A file that cannot be read is rejected.
func VerifyBytes(data []byte, o VerifyOptions) verdict.File {
	r, err := Parse(data)
	if err != nil {
		f := verdict.File{Type: "receipt"}
		reason := verdict.Malformed
		if len(data) > MaxReceipt {
			reason = verdict.Limit
		}
		f.Reject(reason, "%v", err)
		return f
	}
	return r.Verify(o)
}

// Verify judges a receipt offline: checkpoint (the log's signature), inclusion (the entry stands in that log) and
// receipt_binding (the receipt speaks of what it should), and for a party's act that party's signature, at the time that
// the log proves where it does. The caller gives the report its file name.
func (r *Receipt) Verify(o VerifyOptions) verdict.File {
	f := verdict.File{Type: "receipt", Receipt: r.subject()}
	entry, err := r.Entry.Marshal()
	if err != nil {
		f.Reject(verdict.Malformed, "%v", err)
		return f
	}
	c, err := tlog.ParseCheckpoint(r.Checkpoint)
	if err != nil {
		f.Add(verdict.Fail(verdict.CheckCheckpoint, verdict.Malformed, "%v", err))
		f.Judge(o.Policy.Setting())
		return f
	}
	checkpoint := r.judgeCheckpoint(c, o)
	inclusion := verdict.Pass(verdict.CheckInclusion)
	if err := tlog.VerifyInclusion(entry, r.Index, r.Proof, c); err != nil {
		inclusion = verdict.Fail(verdict.CheckInclusion, verdict.Proof, "%v", err)
	}
	f.Add(checkpoint, inclusion, r.judgeBinding(o.Expect))
	proven := checkpoint.Status == verdict.Passed && inclusion.Status == verdict.Passed
	if len(r.Statement) > 0 {
		r.judgeStatement(&f, proven, o)
	}
	f.Judge(o.Policy.Setting())
	return f
}

// subject is what the receipt speaks of, for a report.
func (r *Receipt) subject() *verdict.Receipt {
	e := r.Entry
	s := &verdict.Receipt{Event: string(e.Event), Exchange: e.Exchange, Sender: e.Sender, Recipient: e.Recipient, Time: e.Time}
	if !e.DocumentSM3.IsZero() {
		s.DocumentSM3 = e.DocumentSM3.String()
	}
	return s
}

func (r *Receipt) judgeCheckpoint(c tlog.Checkpoint, o VerifyOptions) verdict.Check {
	if len(o.Logs) == 0 {
		return verdict.Unknown(verdict.CheckCheckpoint, verdict.NoLogKey, "the checkpoint is of log %s", c.Origin)
	}
	_, err := tlog.OpenCheckpoint(r.Checkpoint, tlog.Keys(o.Logs...)...)
	if err == nil {
		return verdict.Pass(verdict.CheckCheckpoint)
	}
	reason, ok := tlog.ReasonOf(err)
	if !ok {
		reason = verdict.CheckpointSignature
	}
	return verdict.Fail(verdict.CheckCheckpoint, reason, "%v", err)
}

// judgeBinding: the receipt hangs together, and speaks of what the caller holds.
func (r *Receipt) judgeBinding(x Expect) verdict.Check {
	const check = verdict.CheckReceiptBinding
	by, required := StatementBy(r.Entry.Event)
	if required && len(r.Statement) == 0 {
		return verdict.Fail(check, verdict.ReceiptSigner, "%s counts for nothing without the statement of the %s", r.Entry.Event, by)
	}
	if err := r.checkStatement(); err != nil {
		return verdict.Fail(check, verdict.ReceiptBinding, "%v", err)
	}
	e := r.Entry
	for _, f := range [...]struct {
		name, want, have string
	}{
		{"exchange", x.Exchange, e.Exchange},
		{"event", string(x.Event), string(e.Event)},
		{"sender", x.Sender, e.Sender},
		{"recipient", x.Recipient, e.Recipient},
	} {
		if f.want != "" && f.want != f.have {
			return verdict.Fail(check, verdict.ReceiptBinding, "its %s is %q, not %q", f.name, f.have, f.want)
		}
	}
	if !x.DocumentSM3.IsZero() && x.DocumentSM3 != e.DocumentSM3 {
		return verdict.Fail(check, verdict.ReceiptBinding, "it speaks of a document with SM3 %s", e.DocumentSM3)
	}
	return verdict.Pass(check)
}

func (r *Receipt) judgeStatement(f *verdict.File, proven bool, o VerifyOptions) {
	s, err := ParseStatement(r.Statement)
	if err != nil {
		reason := verdict.StatementInvalid
		if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
			reason = refused.Reason
		}
		f.Add(verdict.Fail(verdict.CheckSignature, reason, "%v", err))
		return
	}
	j := cms.JudgeOptions{Policy: o.Policy.With(r.Certificates...), At: o.At, Now: o.Now, Certificates: r.Certificates}
	if proven {
		j.At, j.TimeSource = r.Entry.Time, verdict.TimeFromLog
	}
	f.Signatures = append(f.Signatures, s.Judge(j))
}
