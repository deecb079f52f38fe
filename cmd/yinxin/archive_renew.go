package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive/renewal"
	"yinxin/crypto/cert"
	"yinxin/verdict"
)

// recordSuffix is what an evidence record is called after the package that it is about; RFC 4998 names no other.
const recordSuffix = ".ers"

type renewFlags struct {
	stamps  stampFlags
	check   bool
	within  time.Duration
	retired []string
}

func newArchiveRenewCmd(e *env) *cobra.Command {
	var f renewFlags
	cmd := &cobra.Command{
		Use: "renew PACKAGE...", Short: "keep the proof of time of record packages alive by time-stamps over time-stamps (RFC 4998)",
		Long: "Beside each PACKAGE (a folder or a file) stands its evidence record, PACKAGE.ers: time-stamps over the digests of all its\n" +
			"files. Where there is none, one is begun. Where the certificate of its newest time-stamp ends within --within, that\n" +
			"time-stamp is stamped itself; where it began with another hash algorithm than SM3, everything is hashed anew by SM3. One\n" +
			"time-stamp covers all packages of one call. A record that does not hold is reported and left as it is. --check asks nobody\n" +
			"for a time-stamp and changes nothing.",
		Example: "  yinxin archive renew batch/电子档案/*/*/* --tsa https://tsa.example/ --root root.pem\n" +
			"  yinxin archive renew record/ --check --root root.pem",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return e.renewRecords(cmd, &f, args) },
	}
	f.stamps.add(cmd)
	cmd.Flags().BoolVar(&f.check, "check", false, "only judge the records that are there")
	cmd.Flags().DurationVar(&f.within, "within", 90*24*time.Hour, "renew what would end within this time")
	cmd.Flags().StringArrayVar(&f.retired, "retired", nil, "ALGORITHM=yyyy-mm-dd: not to be relied on from that day on, for instance SHA-256=2030-01-01 (may be repeated)")
	return cmd
}

// provenRecord is what archive renew reports of a package.
type provenRecord struct {
	Package string         `json:"package"`
	Record  string         `json:"record"`
	Action  string         `json:"action"` // begun, renewed, rehashed, kept, missing or refused
	Verdict verdict.Status `json:"verdict,omitempty"`
	Reason  verdict.Reason `json:"reason,omitempty"`
	Detail  string         `json:"detail,omitempty"`
	// Since is the first time that is proven, Until when the newest certificate ends.
	Since  *time.Time `json:"since,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
	Stamps int        `json:"stamps"`

	record *renewal.Record
	leaf   renewal.Leaf
}

func (e *env) renewRecords(cmd *cobra.Command, f *renewFlags, paths []string) error {
	o, err := f.judgeOptions(e)
	if err != nil {
		return err
	}
	stamp, err := f.stamps.stamper(cmd.Context(), e)
	switch {
	case err != nil:
		return err
	case stamp == nil && !f.check:
		return usage("want --tsa, or --check")
	}
	records := make([]*provenRecord, len(paths))
	for i, path := range paths {
		if records[i], err = f.look(path, o); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if !f.check {
		if err := stampRecords(records, stamp, o); err != nil {
			return err
		}
	}
	return e.printProven(cmd, records)
}

func (f *renewFlags) judgeOptions(e *env) (renewal.JudgeOptions, error) {
	o := renewal.JudgeOptions{Now: e.now(), Retired: map[string]time.Time{}}
	if len(f.stamps.trust.roots) == 0 {
		return o, usage("want --root: a time-stamp that cannot be judged proves nothing")
	}
	var policy cert.Policy
	policy, err := f.stamps.trust.policy()
	if err != nil {
		return o, err
	}
	o.Policy = policy
	for _, text := range f.retired {
		name, day, ok := strings.Cut(text, "=")
		at, err := time.Parse(time.DateOnly, day)
		if !ok || err != nil || name != renewal.SM3.Name && name != renewal.SHA256.Name {
			return o, usage("--retired %s: want SM3=yyyy-mm-dd or SHA-256=yyyy-mm-dd", text)
		}
		o.Retired[name] = at
	}
	return o, nil
}

// look judges the record of a package and decides what is to be done.
func (f *renewFlags) look(path string, o renewal.JudgeOptions) (*provenRecord, error) {
	path = filepath.Clean(path)
	p := &provenRecord{Package: path, Record: path + recordSuffix, Action: "kept"}
	objects, err := packageObjects(path)
	if err != nil {
		return nil, err
	}
	der, err := readInput(p.Record)
	if errors.Is(err, fs.ErrNotExist) {
		if p.Action = "begun"; f.check {
			p.Action = "missing"
			return p, nil
		}
		p.leaf, err = renewal.HashObjects(renewal.SM3, objects)
		return p, err
	}
	if err != nil {
		return nil, err
	}
	if p.record, err = renewal.Parse(der); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Record, err)
	}
	if err := p.judge(objects, o); err != nil {
		return nil, err
	}
	return p, f.decide(p, objects, o.Now)
}

func (p *provenRecord) judge(objects []renewal.Object, o renewal.JudgeOptions) error {
	j, err := p.record.Judge(objects, o)
	if err != nil {
		return err
	}
	p.Verdict, p.Reason, p.Detail, p.Stamps = j.Check.Status, j.Check.Reason, j.Check.Detail, len(j.Stamps)
	if j.Check.Status == verdict.Passed {
		since, until := j.Time, j.Stamps[len(j.Stamps)-1].Until
		p.Since, p.Until = &since, &until
	}
	return nil
}

func (f *renewFlags) decide(p *provenRecord, objects []renewal.Object, now time.Time) error {
	switch {
	case p.Since == nil:
		p.Action = "refused"
	case f.check:
	case p.record.Algorithm().Name != renewal.SM3.Name:
		hashes, err := renewal.HashObjects(renewal.SM3, objects)
		if err != nil {
			return err
		}
		p.Action = "rehashed"
		p.leaf, err = p.record.RehashLeaf(renewal.SM3, hashes)
		return err
	case p.Until.Sub(now) < f.within:
		p.Action, p.leaf = "renewed", p.record.RenewalLeaf()
	}
	return nil
}

// stampRecords has one time-stamp made for all that need one, judges what came of it, and only then writes.
func stampRecords(records []*provenRecord, stamp func([32]byte) ([]byte, error), o renewal.JudgeOptions) error {
	var todo []*provenRecord
	var leaves []renewal.Leaf
	for _, p := range records {
		if p.leaf != nil {
			todo, leaves = append(todo, p), append(leaves, p.leaf)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	tree, err := renewal.Grow(renewal.SM3, leaves...)
	if err != nil {
		return refuse("validation", exitFailed, "%w", err)
	}
	token, err := stamp(tree.Root())
	if err != nil {
		return err
	}
	for i, p := range todo {
		if err := p.keep(tree.Stamped(i, token), o); err != nil {
			return fmt.Errorf("%s: %w", p.Record, err)
		}
	}
	return nil
}

func (p *provenRecord) keep(s renewal.Stamp, o renewal.JudgeOptions) error {
	switch p.Action {
	case "begun":
		p.record = renewal.New(s)
	case "renewed":
		if err := p.record.Renew(s); err != nil {
			return err
		}
	default:
		p.record.Rehash(s)
	}
	objects, err := packageObjects(p.Package)
	if err != nil {
		return err
	}
	if err := p.judge(objects, o); err != nil {
		return err
	}
	if p.Since == nil { // the old record stays
		return refuse(string(p.Reason), exitFailed, "the new record does not hold: %s", p.Detail)
	}
	der, err := p.record.Marshal()
	if err != nil {
		return err
	}
	return writeFile(p.Record, der)
}

// fileObject is a file of a package.
type fileObject string

func (f fileObject) Open() (io.ReadCloser, error) { return os.Open(string(f)) }

// packageObjects are all files of a folder, or the one file. Anything but files and folders is refused.
func packageObjects(path string) ([]renewal.Object, error) {
	var objects []renewal.Object
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case !d.Type().IsRegular():
			return refuse("validation", exitFailed, "%s is neither a file nor a folder", name)
		}
		objects = append(objects, fileObject(name))
		return nil
	})
	if err == nil && len(objects) == 0 {
		err = refuse("validation", exitFailed, "an empty folder")
	}
	return objects, err
}

func (e *env) printProven(cmd *cobra.Command, records []*provenRecord) error {
	worst := exitDone
	for _, p := range records {
		switch {
		case p.Action == "missing", p.Verdict == verdict.Indeterminate:
			if worst == exitDone {
				worst = exitIndeterminate
			}
		case p.Verdict != verdict.Passed:
			worst = exitFailed
		}
		if !jsonFlag(cmd) {
			e.printProof(p)
		}
	}
	if jsonFlag(cmd) {
		if err := e.printJSON(records); err != nil {
			return err
		}
	}
	if worst != exitDone {
		return exitStatus(worst)
	}
	return nil
}

func (e *env) printProof(p *provenRecord) {
	switch {
	case p.Since != nil:
		printLine(e.stdout, "%s  %s  there since %s, proven until %s by %d time-stamps\n", p.Package, p.Action, moment(*p.Since), moment(*p.Until), p.Stamps)
	case p.Action == "missing":
		printLine(e.stdout, "%s  %s  no %s\n", p.Package, p.Action, p.Record)
	default:
		printLine(e.stdout, "%s  %s  %s %s: %s\n", p.Package, p.Action, p.Verdict, p.Reason, p.Detail)
	}
}
