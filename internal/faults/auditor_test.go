package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"yinxin/archive/tlog"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

func asProblem(err error) (*api.Problem, bool) { return errors.AsType[*api.Problem](err) }

// Findings are the promises that were not kept. None means that all were.
type Findings []string

func (f *Findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// maxFindings bounds what is reported of one kind.
const maxFindings = 20

// Database is what the auditor reads past the hubs.
type Database interface {
	// Checkpoints are all that were ever published, in their order.
	Checkpoints(ctx context.Context) ([][]byte, error)
	VerifyAudit(ctx context.Context) (rows uint64, head [32]byte, err error)
}

// Judge is the auditor: it holds what the clients were told against the log, the hub and the
// database. It begins when the hubs have come to rest.
func Judge(ctx context.Context, c *Cluster, j *Journal, db Database) (Findings, error) {
	var f Findings
	for _, r := range j.Refused {
		f.add("a good submission was refused: %s", r)
	}
	if len(j.Broken) > 0 { // what is left cannot be asked, or need not be
		return append(f, j.Broken...), nil
	}
	files, key, err := c.Log()
	if err != nil {
		return nil, err
	}
	told := map[string]transport.Digest{}
	for _, a := range j.Acknowledged {
		told[a.Exchange] = a.Body
	}
	seen, err := f.log(ctx, files, key, told, max(c.Settle, 20*time.Second))
	if err != nil {
		return nil, err
	}
	f.journal(seen, j)
	if err := f.checkpoints(ctx, files, key, db); err != nil {
		return nil, err
	}
	if _, _, err := db.VerifyAudit(ctx); err != nil {
		f.add("audit: %v", err)
	}
	return f, f.hub(ctx, c.Client(0), key, j)
}

// log recomputes the whole log and returns the accepted envelopes by exchange. It waits until the
// log has all that was acknowledged, for a while.
func (f *Findings) log(
	ctx context.Context, files *tlog.Dir, key *tlog.Verifier, told map[string]transport.Digest, settle time.Duration,
) (map[string]transport.Digest, error) {
	for end := time.Now().Add(settle); ; time.Sleep(300 * time.Millisecond) {
		signed, err := files.Fetch(ctx, tlog.CheckpointPath)
		if err != nil {
			return nil, fmt.Errorf("read the published checkpoint: %w", err)
		}
		head, err := tlog.OpenCheckpoint(signed, key)
		if err != nil {
			return nil, fmt.Errorf("open the published checkpoint: %w", err)
		}
		accepted, effects := map[string]transport.Digest{}, map[string]int{}
		err = tlog.Audit(ctx, files, head, func(_ uint64, leaf []byte) error {
			e, err := receipt.ParseEntry(leaf)
			if err != nil {
				return err
			}
			effects[fmt.Sprintf("%s of %s for %s", e.Event, e.Exchange, e.Recipient)]++
			if e.Event == transport.SubmissionAcceptance {
				accepted[e.Exchange] = e.Object
			}
			return nil
		})
		if err != nil {
			f.add("log: %v", err)
			return accepted, nil
		}
		missing, open := 0, 0
		for x := range told {
			if _, ok := accepted[x]; !ok {
				missing++
			}
		}
		for x := range accepted {
			if effects[fmt.Sprintf("%s of %s for %s", transport.ContentConsignment, x, "C")] == 0 {
				open++
			}
		}
		if missing+open > 0 && time.Now().Before(end) {
			continue
		}
		if open > 0 {
			f.add("%d accepted exchanges did not reach their recipient", open)
		}
		for what, n := range effects {
			if n > 1 {
				f.add("%s took effect %d times", what, n)
			}
		}
		return accepted, nil
	}
}

// journal holds what the clients were told against the log.
func (f *Findings) journal(accepted map[string]transport.Digest, j *Journal) {
	lost := 0
	for _, a := range j.Acknowledged {
		body, ok := accepted[a.Exchange]
		if !ok {
			lost++
			continue
		}
		if body != a.Body {
			f.add("exchange %s has another envelope than was acknowledged", a.Exchange)
		}
	}
	if lost > 0 {
		f.add("%d of %d acknowledged exchanges are lost", lost, len(j.Acknowledged))
	}
	for x, body := range accepted {
		if j.Bodies[x] != body {
			f.add("exchange %s was accepted and never sent", x)
		}
	}
}

// checkpoints holds every checkpoint that was ever published to be a prefix of the last.
func (f *Findings) checkpoints(ctx context.Context, files *tlog.Dir, key *tlog.Verifier, db Database) error {
	all, err := db.Checkpoints(ctx)
	if err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	if len(all) == 0 {
		f.add("nothing was published")
		return nil
	}
	last, err := tlog.OpenCheckpoint(all[len(all)-1], key)
	if err != nil {
		f.add("newest checkpoint: %v", err)
		return nil
	}
	for _, signed := range all {
		c, err := tlog.OpenCheckpoint(signed, key)
		if err == nil {
			err = tlog.CheckExtends(ctx, files, c, last)
		}
		if err != nil {
			f.add("checkpoint of size %d: %v", c.Size, err)
		}
	}
	return nil
}

// hub asks for every acknowledged exchange and for its receipt.
func (f *Findings) hub(ctx context.Context, c *client.Client, key *tlog.Verifier, j *Journal) error {
	for _, a := range j.Acknowledged {
		if len(*f) > maxFindings {
			return nil
		}
		x, err := c.Track(ctx, a.Exchange)
		if p, ok := asProblem(err); ok && p.Status == 404 {
			f.add("the hub does not know exchange %s", a.Exchange)
			continue
		}
		if err != nil {
			return fmt.Errorf("track %s: %w", a.Exchange, err)
		}
		body, err := c.WaitReceipt(ctx, x.Evidence[0].ID)
		if err != nil {
			f.add("receipt of %s: %v", a.Exchange, err)
			continue
		}
		if a.Receipt != nil && !bytes.Equal(a.Receipt, body) {
			f.add("the receipt of %s is not the one that was handed out", a.Exchange)
		}
		v := receipt.VerifyBytes(body, receipt.VerifyOptions{
			Logs: []*tlog.Verifier{key}, Now: time.Now(), Expect: receipt.Expect{Exchange: a.Exchange, Event: transport.SubmissionAcceptance},
		})
		if v.Verdict != verdict.Passed {
			f.add("the receipt of %s does not verify: %s", a.Exchange, v.Reason)
		}
	}
	return nil
}
