// Package check holds the parts of a hub against each other: database, blobs, evidence log, keys and the anchor outside.
//
// It promises to change nothing, to go on behind what it finds, and to name each finding with its cause, its effect and
// the next step ([Fault]). The log is computed anew from its files (archive/fsck); every row of evidence is compared with
// its place in it, every receipt verified, every delivery led through the states that its entries tell; every blob that a
// row names is looked for, and read where the caller wants that; every key that the hub needs signs or opens something.
//
// It does not promise that an entry is true, nor that nobody rolled back all parts at once: the anchor says that, and
// where there is none the answer is indeterminate. A hub may be at work meanwhile: what came after the check began is
// left to the next one.
package check

import (
	"context"
	"fmt"
	"io"
	"time"

	"yinxin/archive"
	"yinxin/archive/blob"
	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/keys"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// Schema names the JSON shape of a [Report].
const Schema = "yinxin.check/1"

// Database is what a check reads.
type Database interface {
	View(ctx context.Context, fn func(hub.Reader) error) error
	// Published is the newest publication of the log, Checkpoints are all, oldest first.
	Published(ctx context.Context) (tlog.Head, error)
	Checkpoints(ctx context.Context) ([][]byte, error)
	// Logged lists entries in the order of the log, those from the given index on.
	Logged(ctx context.Context, from uint64, limit int) ([]hub.Logged, error)
	// ExchangeIDs and DispatchesAfter list oldest first, those after the given one.
	ExchangeIDs(ctx context.Context, after string, limit int) ([]string, error)
	DispatchesAfter(ctx context.Context, after string, limit int) ([]office.Dispatch, error)
	FindRecords(ctx context.Context, q archive.Query) ([]archive.Entry, error)
	Organisations(ctx context.Context, after string, limit int) ([]directory.Organisation, error)
	VerifyAudit(ctx context.Context) (rows uint64, head [32]byte, err error)
}

// Hub is what is checked.
type Hub struct {
	Database Database
	Blobs    blob.Store
	Log      tlog.Fetcher
	// Paths, where the files of the log can be listed, gives them all; nil where they cannot.
	Paths func(ctx context.Context) ([]string, error)
	Keys  keys.Provider
	// Needed are the hub's own keys; those of its hosted offices are found by the directory.
	Needed []office.NeededKey
	// Archive is the code of the office that keeps the records; empty where there is none.
	Archive string
	LogKey  *tlog.Verifier
	Root    *cert.Certificate
	// Anchor reads the copy of the newest checkpoint that is kept outside: an error that wraps fs.ErrNotExist where there is
	// none yet. Nil: none is configured.
	Anchor func(ctx context.Context) ([]byte, error)
}

// Options of a check.
type Options struct {
	// Read says which blobs are read whole and compared with their names; the zero value reads none.
	Read Share
	Now  func() time.Time
	Rand io.Reader
	// Progress, where set, is told what is being done, how much of it is done, and of how much (0: not known).
	Progress func(what string, done, of uint64)
}

// Report is what a check found.
type Report struct {
	Schema  string         `json:"schema"`
	Verdict verdict.Status `json:"verdict"`
	Began   time.Time      `json:"began"`
	Ended   time.Time      `json:"ended"`
	Read    string         `json:"read_data"`
	Items   []Item         `json:"items"`
}

// Item is one part of a check. Its status is the worst of its findings.
type Item struct {
	Name   string         `json:"name"`
	Status verdict.Status `json:"status"`
	// Detail says in words what was looked at.
	Detail string `json:"detail"`
	// Counts are what was looked at, in numbers.
	Counts   map[string]uint64 `json:"counts"`
	Findings []Finding         `json:"findings"`
	// More is how many findings were left out, beyond MaxFindings.
	More uint64 `json:"more,omitempty"`
}

// Finding is one thing that is not as it should be.
type Finding struct {
	Fault Fault `json:"fault"`
	// Where names the row, the file, the blob or the key.
	Where  string         `json:"where"`
	Status verdict.Status `json:"status"`
	Detail string         `json:"detail"`
	Cause  string         `json:"cause"`
	Effect string         `json:"effect"`
	Next   string         `json:"next"`
}

// MaxFindings bounds the findings of one item; the others are counted.
const MaxFindings = 100

// Run makes a check. The error is for what could not be looked at; what is wrong stands in the report.
func Run(ctx context.Context, h Hub, o Options) (*Report, error) {
	if o.Progress == nil {
		o.Progress = func(string, uint64, uint64) {}
	}
	c := &check{h: h, o: o, report: &Report{Schema: Schema, Verdict: verdict.Passed, Began: o.Now().UTC(), Read: o.Read.String()}}
	for _, part := range []struct {
		name string
		run  func(ctx context.Context, i *Item) error
	}{
		{"log", c.log},
		{"anchor", c.anchor},
		{"entries", c.entries},
		{"exchanges", c.exchanges},
		{"audit", c.audit},
		{"blobs", c.blobs},
		{"keys", c.keys},
	} {
		i := Item{Name: part.name, Status: verdict.Passed, Counts: map[string]uint64{}, Findings: []Finding{}}
		if err := part.run(ctx, &i); err != nil {
			return nil, fmt.Errorf("check %s: %w", part.name, err)
		}
		c.report.Items = append(c.report.Items, i)
		c.report.Verdict = worse(c.report.Verdict, i.Status)
	}
	c.report.Ended = o.Now().UTC()
	return c.report, nil
}

// check is one run.
type check struct {
	h      Hub
	o      Options
	report *Report
	// head is what the database had published when the check began, tree that checkpoint.
	head tlog.Head
	tree tlog.Checkpoint
	// wanted are the blobs that rows name, by whom.
	wanted map[blob.Ref]use
	// hosting are the offices that have dispatches here.
	hosting map[string]bool
}

// find adds a finding.
func (i *Item) find(f Fault, where, format string, args ...any) {
	e := faults[f]
	i.Status = worse(i.Status, e.status)
	if len(i.Findings) >= MaxFindings {
		i.More++
		return
	}
	i.Findings = append(i.Findings, Finding{
		Fault: f, Where: where, Status: e.status, Detail: fmt.Sprintf(format, args...), Cause: e.cause, Effect: e.effect, Next: e.next,
	})
}

// worse is the worse of two of the three words that a check uses.
func worse(a, b verdict.Status) verdict.Status {
	for _, s := range []verdict.Status{verdict.Failed, verdict.Indeterminate} {
		if a == s || b == s {
			return s
		}
	}
	return verdict.Passed
}

// page is how many rows are read at a time.
const page = 500
