package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"yinxin/archive/tlog"
	"yinxin/transport/statistics"
	"yinxin/verdict"
)

// statsFlags are those of `yinxin stats`.
type statsFlags struct {
	vkeys             []string
	log               string
	from, until, asOf string
	offices           int
	csv, xlsx         string
	against           string
}

func newStatsCmd(e *env) *cobra.Command {
	var f statsFlags
	cmd := &cobra.Command{
		Use: "stats", Short: "count from the evidence log what offices sent, signed for, returned and were late with", Args: cobra.NoArgs,
		Long: "Reads the whole log from its public files, checks every entry against the signed checkpoint, and counts: no figure is\n" +
			"taken from the hub. With --against, figures that somebody published (the JSON of this command, or of the hub) are held\n" +
			"against the log: exit 1 where one differs. Findings are what does not fit in the evidence itself; exit 1 where the hub\n" +
			"wrote what it must not write.\n\n" +
			"in time 签收及时率   signed for within the limit, out of the limits that fell in the period\n" +
			"returned 退回率      returned, out of delivered\n" +
			"connected 互联互通率 offices with a document signed for, out of --offices (else of those that the log names)",
		Example: "  yinxin stats --from-log http://127.0.0.1:8480/log --log log.vkey --from 2026-01-01 --until 2027-01-01\n" +
			"  yinxin stats --from-log log/ --log log.vkey --against published.json",
		RunE: func(cmd *cobra.Command, _ []string) error { return e.stats(cmd, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.log, "from-log", "", "the log's address or folder")
	fl.StringArrayVar(&f.vkeys, "log", nil, "the log's key (vkey file; may be repeated for past keys)")
	fl.StringVar(&f.from, "from", "", "beginning of the period: 2026-01-01, or with time and zone (default: from the first entry)")
	fl.StringVar(&f.until, "until", "", "end of the period, not part of it (default: to the last entry)")
	fl.StringVar(&f.asOf, "as-of", "", "the moment up to which limits count as passed (default: now)")
	fl.IntVar(&f.offices, "offices", 0, "how many offices the directory has")
	fl.StringVar(&f.csv, "csv", "", "write the table into this file")
	fl.StringVar(&f.xlsx, "xlsx", "", "write the table into this workbook")
	fl.StringVar(&f.against, "against", "", "published figures (JSON) to be held against the log")
	return cmd
}

// countedLog is what stats prints as JSON.
type countedLog struct {
	statistics.Report
	// Differences from the published figures; absent without --against.
	Differences []statistics.Difference `json:"differences,omitempty"`
}

func (e *env) stats(cmd *cobra.Command, f statsFlags) error {
	if f.log == "" {
		return usage("--from-log is required: the address or folder of the log")
	}
	if f.offices < 0 {
		return usage("--offices %d: want a number from 0", f.offices)
	}
	period, asOf, err := f.times(e.now())
	if err != nil {
		return err
	}
	claim, err := readClaim(f.against)
	if err != nil {
		return err
	}
	counted := countedLog{}
	if counted.Report, err = e.countLog(cmd, f, period, asOf); err != nil {
		return err
	}
	if claim != nil {
		if counted.Differences, err = statistics.Compare(*claim, counted.Report); err != nil {
			return err
		}
	}
	if err := writeTables(f, counted.Report); err != nil {
		return err
	}
	if err := e.printStats(cmd, counted, claim != nil); err != nil {
		return err
	}
	if len(counted.Differences) > 0 || !counted.Sound() {
		return exitStatus(exitFailed)
	}
	return nil
}

// times reads the period and the moment of the report.
func (f statsFlags) times(now time.Time) (p statistics.Period, asOf time.Time, err error) {
	asOf = now
	for _, t := range [...]struct {
		flag, value string
		into        *time.Time
	}{{"--from", f.from, &p.From}, {"--until", f.until, &p.Until}, {"--as-of", f.asOf, &asOf}} {
		if t.value == "" {
			continue
		}
		if *t.into, err = parseMoment(t.flag, t.value); err != nil {
			return p, asOf, err
		}
	}
	if !p.Until.IsZero() && !p.Until.After(p.From) {
		return p, asOf, usage("--until %s is not after --from %s", f.until, f.from)
	}
	return p, asOf, nil
}

// readClaim reads published figures; none where the path is empty.
func readClaim(path string) (*statistics.Report, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // nothing was claimed
	}
	data, err := readInput(path)
	if err != nil {
		return nil, err
	}
	var claim statistics.Report
	if err := json.Unmarshal(data, &claim); err != nil || claim.Schema != statistics.Schema {
		return nil, refuse(string(verdict.Malformed), exitNotFound, "%s: no figures of the schema %s", path, statistics.Schema)
	}
	return &claim, nil
}

// countLog audits the log and counts its entries on the way.
func (e *env) countLog(cmd *cobra.Command, f statsFlags, p statistics.Period, asOf time.Time) (statistics.Report, error) {
	known, err := (&logFlags{vkeys: f.vkeys}).keys()
	if err != nil {
		return statistics.Report{}, err
	}
	from, err := logAt(f.log)
	if err != nil {
		return statistics.Report{}, err
	}
	c, _, err := published(cmd.Context(), from, known)
	if err != nil {
		return statistics.Report{}, err
	}
	tally := statistics.New(p)
	if err := tlog.Audit(cmd.Context(), from, c, func(_ uint64, leaf []byte) error { return tally.Add(leaf) }); err != nil {
		return statistics.Report{}, fmt.Errorf("read log %s: %w", c.Origin, err)
	}
	return tally.Report(statistics.Options{
		Log: c.Origin, Size: c.Size, Root: c.Root.String(), AsOf: asOf, Offices: f.offices,
	}), nil
}

func writeTables(f statsFlags, r statistics.Report) error {
	for _, t := range [...]struct {
		path  string
		write func(io.Writer, statistics.Report) error
	}{{f.csv, statistics.WriteCSV}, {f.xlsx, statistics.WriteXLSX}} {
		if t.path == "" {
			continue
		}
		var b bytes.Buffer
		if err := t.write(&b, r); err != nil {
			return err
		}
		if err := writeFile(t.path, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) printStats(cmd *cobra.Command, c countedLog, compared bool) error {
	if jsonFlag(cmd) {
		return e.printJSON(c)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "log %s, %d entries, as of %s\n", c.Log, c.Size, moment(c.AsOf))
	fmt.Fprintf(&b, "connected 互联互通率 %s\n\n", share(c.Interconnection))
	fmt.Fprintln(&b, "office        sent  delivered  signed for  returned  overdue  in time 签收及时率   median to sign  95th percentile")
	for _, f := range c.Offices {
		statsLine(&b, f.Office, f)
	}
	statsLine(&b, "合计 all", c.Total)
	for _, f := range c.Findings {
		fmt.Fprintf(&b, "finding %s: entry %d, exchange %s, %s to %s: %s\n", f.Kind, f.Index, f.Exchange, f.Sender, f.Recipient, f.Detail)
	}
	if c.MoreFindings > 0 {
		fmt.Fprintf(&b, "and %d more findings\n", c.MoreFindings)
	}
	for _, d := range c.Differences {
		office := d.Office
		if office == "" {
			office = "all"
		}
		fmt.Fprintf(&b, "differs: %s of %s: published %s, in the log %s\n", d.Figure, office, d.Claim, d.Log)
	}
	if compared && len(c.Differences) == 0 {
		fmt.Fprintln(&b, "the published figures are those of the log")
	}
	_, err := b.WriteTo(e.stdout)
	return err
}

func statsLine(w io.Writer, name string, f statistics.Figures) {
	fmt.Fprintf(w, "%-12s %5d %10d %11d %9d %8d  %-19s %14s %16s\n", name, f.Sent, f.Delivered, f.SignedFor, f.Returned, f.OverdueNow,
		share(f.InTime), span(f.ToSign.Median), span(f.ToSign.Percentile95))
}

// share shows a ratio with both of its counts.
func share(r statistics.Ratio) string {
	if r.Value == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f%% (%d/%d)", *r.Value*100, r.Numerator, r.Denominator)
}

// span shows seconds as a duration.
func span(seconds *float64) string {
	if seconds == nil {
		return "–"
	}
	return time.Duration(*seconds * float64(time.Second)).Round(time.Second).String()
}
