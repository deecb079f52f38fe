package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/internal/verify"
	"yinxin/keys"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// rehearseFlags are the flags of keys rehearse.
type rehearseFlags struct {
	open          []string
	every         int
	report        string
	journal       string
	signKey, cert string
	trust         verifyFlags
}

// rehearsal is the report of keys rehearse.
type rehearsal struct {
	Schema string `json:"schema"`
	// Verdict is passed only if every file that was looked at passed.
	Verdict string    `json:"verdict"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Store   string    `json:"store"`
	// Found is how many files there are, Looked how many of them were looked at; Every is 1 for all, N for every N-th.
	Found  int `json:"found"`
	Looked int `json:"looked"`
	Every  int `json:"every"`
	// Resumed is how many of them an earlier, interrupted run had looked at.
	Resumed int         `json:"resumed"`
	Passed  int         `json:"passed"`
	Failed  int         `json:"failed"`
	Files   []rehearsed `json:"files"`
}

// rehearsed is one file of a rehearsal.
type rehearsed struct {
	File string `json:"file"`
	SM3  string `json:"sm3"`
	Type string `json:"type"`
	// Status is passed, failed, or other for a file that holds nothing to rehearse.
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
	// Key is the version that opened an envelope.
	Key string `json:"key,omitempty"`
}

func newKeysRehearseCmd(e *env, f *keyFlags) *cobra.Command {
	var r rehearseFlags
	cmd := &cobra.Command{
		Use: "rehearse PATH...", Short: "prove that all that is stored still opens and verifies",
		Long: "Looks at every file below the paths, or at every N-th (--every N, which the report states): envelopes (.yxe) are opened with the\n" +
			"keys of --open, all enabled versions of a stored key, into nothing; documents, signatures, receipts and record packages are\n" +
			"verified. Do it after a rotation and before minima are raised or versions trimmed. --report writes the outcome, --sign-key signs\n" +
			"it beside (REPORT.p7s). With --journal an interrupted run goes on where it was. Exit 0 passed, 1 failed, 3 nothing to rehearse.",
		Example: "  yinxin keys rehearse /srv/yinxin/inbox --open store:office.decrypt --root root.pem --report rehearsal.json --sign-key store:office.sign",
		Args:    atLeastOne("path"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.every < 1 {
				return usage("--every: want 1 or more")
			}
			if r.signKey != "" && r.report == "" {
				return usage("--sign-key signs what --report writes; name that too")
			}
			return e.rehearse(cmd, *f, r, args)
		},
	}
	cmd.Flags().StringArrayVar(&r.open, "open", nil, "open envelopes with this KEY (may be repeated)")
	cmd.Flags().IntVar(&r.every, "every", 1, "look at every N-th file only")
	cmd.Flags().StringVar(&r.report, "report", "", "write the report here, JSON")
	cmd.Flags().StringVar(&r.journal, "journal", "", "note each file here, and skip what is noted there already")
	cmd.Flags().StringVar(&r.signKey, "sign-key", "", "sign the report with this KEY")
	cmd.Flags().StringVar(&r.cert, "cert", "", "certificate of --sign-key, if its store has none")
	r.trust.add(cmd)
	return cmd
}

func (e *env) rehearse(cmd *cobra.Command, f keyFlags, r rehearseFlags, paths []string) (err error) {
	o, err := r.trust.options(e)
	if err != nil {
		return err
	}
	ring := e.keyRing(f)
	defer closing(&err, ring)
	openers, err := ring.openers(cmd.Context(), r.open)
	if err != nil {
		return err
	}
	files, err := filesBelow(paths)
	if err != nil {
		return err
	}
	report := rehearsal{Schema: "yinxin.rehearsal/1", Started: e.now().UTC(), Store: f.store, Found: len(files), Every: r.every, Files: []rehearsed{}}
	journal, err := openJournal(r.journal, r.run(openers, paths))
	if err != nil {
		return err
	}
	defer closing(&err, journal)
	for i := 0; i < len(files); i += r.every {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		one, known, err := journal.look(files[i], func(sum string) rehearsed { return rehearseFile(files[i], sum, openers, o) })
		if err != nil {
			return err
		}
		report.add(one, known)
		if report.Looked%progressEvery == 0 {
			fmt.Fprintf(e.stderr, "rehearsed %d of %d, %d failed\n", report.Looked, (len(files)+r.every-1)/r.every, report.Failed)
		}
	}
	report.Ended = e.now().UTC()
	return e.endRehearsal(cmd, ring, r, report)
}

// run names what a journal belongs to: the same keys and versions, paths, sample and trust. With any other the files are looked
// at anew, in another journal.
func (r *rehearseFlags) run(openers []opener, paths []string) string {
	var parts []string
	for _, o := range openers {
		parts = append(parts, o.name)
	}
	text := fmt.Sprintf("%q %q %d %q %q %q %q %q %q", parts, paths, r.every, r.trust.roots, r.trust.crls, r.trust.logs, r.trust.revocation, r.trust.at, r.trust.makers)
	sum := gm.SM3([]byte(text))
	return hex.EncodeToString(sum[:])
}

// progressEvery is after how many files a rehearsal says where it is.
const progressEvery = 100

func (r *rehearsal) add(one rehearsed, known bool) {
	r.Looked++
	if known {
		r.Resumed++
	}
	switch one.Status {
	case string(verdict.Passed):
		r.Passed++
	case string(verdict.Failed):
		r.Failed++
	}
	r.Files = append(r.Files, one)
}

// endRehearsal judges, writes and signs the report.
func (e *env) endRehearsal(cmd *cobra.Command, ring *keyRing, r rehearseFlags, report rehearsal) error {
	exit := exitStatus(exitDone)
	switch {
	case report.Failed > 0:
		report.Verdict, exit = string(verdict.Failed), exitFailed
	case report.Passed == 0:
		report.Verdict, exit = string(verdict.Indeterminate), exitIndeterminate
	default:
		report.Verdict = string(verdict.Passed)
	}
	if r.report != "" {
		data, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return err
		}
		if err := writeFile(r.report, append(data, '\n')); err != nil {
			return err
		}
	}
	if r.signKey != "" {
		if err := e.signReport(cmd.Context(), ring, r); err != nil {
			return fmt.Errorf("sign %s: %w", r.report, err)
		}
	}
	if jsonFlag(cmd) {
		if err := e.printJSON(report); err != nil {
			return err
		}
	} else {
		for _, one := range report.Files {
			if one.Status == string(verdict.Failed) {
				printLine(e.stdout, "failed\t%s\t%s\n", plain(one.File), plain(one.Reason))
			}
		}
		fmt.Fprintf(e.stdout, "%s: %d of %d files looked at, %d passed, %d failed\n", report.Verdict, report.Looked, report.Found, report.Passed, report.Failed)
	}
	if exit != exitDone {
		return exit
	}
	return nil
}

func (e *env) signReport(ctx context.Context, ring *keyRing, r rehearseFlags) error {
	h, err := ring.signer(ctx, r.signKey, keys.PurposeSign)
	if err != nil {
		return err
	}
	own, chain, err := h.certificate(r.cert)
	if err != nil {
		return err
	}
	o := cms.SignOptions{Signer: h.signer, Certificate: own, Chain: chain, Time: e.now().UTC(), Rand: e.rand}
	return signBeside(o, nil, staples{}, r.report, r.report+".p7s")
}

// opener is one version of a key that may open envelopes.
type opener struct {
	name string
	key  crypto.Decrypter
}

// openers opens the keys of --open: of a stored key without a version every enabled one.
func (r *keyRing) openers(ctx context.Context, texts []string) ([]opener, error) {
	var out []opener
	for _, text := range texts {
		k, err := parseKey(text)
		if err != nil {
			return nil, err
		}
		names := []string{text}
		if k.ref.Name != "" && k.ref.Version == 0 {
			if names, err = r.versionsOf(ctx, k); err != nil {
				return nil, err
			}
		}
		for _, name := range names {
			h, err := r.decrypter(ctx, name)
			if err != nil {
				return nil, err
			}
			out = append(out, opener{name: name, key: h.decrypter})
		}
	}
	return out, nil
}

// versionsOf names the enabled versions of a stored key, the newest first.
func (r *keyRing) versionsOf(ctx context.Context, k keyURI) ([]string, error) {
	store, err := r.storeFor(ctx, k)
	if err != nil {
		return nil, err
	}
	info, err := store.Describe(ctx, k.ref.Name)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, v := range slices.Backward(info.Versions) {
		if v.State == keys.StateEnabled && v.Version >= info.MinDecrypt {
			names = append(names, fmt.Sprintf("%s?version=%d", k.text, v.Version))
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: no version of key %s may decrypt", keys.ErrDenied, k.ref.Name)
	}
	return names, nil
}

// filesBelow lists the files below the paths in one order. A record package in a folder counts as one.
func filesBelow(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && isPackage(path):
				files = append(files, path)
				return filepath.SkipDir
			case d.Type().IsRegular():
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

func rehearseFile(path, sum string, openers []opener, o verify.Options) rehearsed {
	one := rehearsed{File: path, SM3: sum}
	head, err := headOf(path)
	if err == nil && bytes.HasPrefix(head, []byte(envelope.Magic)) {
		one.Type = string(verify.KindEnvelope)
		one.rehearseEnvelope(openers, o)
		return one
	}
	file, err := judgePath(path, o)
	one.Type = file.Type
	switch {
	case err != nil:
		one.Status, one.Reason = string(verdict.Failed), err.Error()
	case file.Type == string(verify.KindUnknown) || file.Verdict == verdict.Unsigned:
		one.Status = "other"
	case file.Verdict == verdict.Passed:
		one.Status = string(verdict.Passed)
	default:
		one.Status, one.Reason = string(verdict.Failed), fmt.Sprintf("%s: %s", file.Verdict, file.Reason)
	}
	return one
}

// rehearseEnvelope opens an envelope with the first key that can, and throws away what it held.
func (one *rehearsed) rehearseEnvelope(openers []opener, o verify.Options) {
	one.Status, one.Reason = string(verdict.Failed), "no key was given to open it"
	for _, k := range openers {
		err := openIntoNothing(one.File, k, o)
		if err == nil {
			one.Status, one.Reason, one.Key = string(verdict.Passed), "", k.name
			return
		}
		one.Reason = err.Error()
	}
}

func openIntoNothing(path string, k opener, o verify.Options) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer closing(&err, f)
	st, err := f.Stat()
	if err != nil {
		return err
	}
	got, err := envelope.Open(f, st.Size(), envelope.OpenOptions{
		Key: k.key, Policy: o.Policy, At: o.At, Now: o.Now, Sink: nowhere{},
	})
	if err != nil {
		return err
	}
	if !got.Released() {
		return fmt.Errorf("%s: %s", got.Report.Verdict, got.Report.Reason)
	}
	return nil
}

// nowhere is an envelope.Sink that keeps nothing.
type nowhere struct{ io.Writer }

// Create implements envelope.Sink.
func (nowhere) Create(string, int64) (envelope.Pending, error) { return nowhere{io.Discard}, nil }

// Commit implements envelope.Pending.
func (nowhere) Commit() error { return nil }

// Abort implements envelope.Pending.
func (nowhere) Abort() {}

// journal remembers, in a file, what an interrupted rehearsal has looked at. A file that changed since is looked at again.
type journal struct {
	file *os.File
	seen map[string]rehearsed
}

// journalHead is the first line of a journal.
type journalHead struct {
	Rehearsal string `json:"rehearsal"`
}

func openJournal(path, run string) (*journal, error) {
	j := &journal{seen: map[string]rehearsed{}}
	if path == "" {
		return j, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j.file = f
	if err := j.read(run); err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), f.Close())
	}
	return j, nil
}

// read takes over the whole lines that are there, cuts off what a crash left behind them, and begins a new journal.
func (j *journal) read(run string) error {
	whole, begun := int64(0), false
	lines := bufio.NewReader(j.file)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := j.take(line, run, !begun); err != nil {
			return err
		}
		begun = true
		whole += int64(len(line))
	}
	if err := j.file.Truncate(whole); err != nil {
		return err
	}
	if _, err := j.file.Seek(whole, io.SeekStart); err != nil || begun {
		return err
	}
	return j.write(journalHead{Rehearsal: run})
}

// take reads one line.
func (j *journal) take(line []byte, run string, first bool) error {
	if first {
		var head journalHead
		if err := json.Unmarshal(line, &head); err != nil || head.Rehearsal == "" {
			return refuse("malformed", exitNotFound, "it is no journal of keys rehearse")
		}
		if head.Rehearsal != run {
			return refuse("conflict", exitRefused, "it belongs to a rehearsal with other keys, paths or trust; begin another one")
		}
		return nil
	}
	var one rehearsed
	if err := json.Unmarshal(line, &one); err != nil {
		return refuse("malformed", exitNotFound, "it is damaged: %w", err)
	}
	j.seen[one.File] = one
	return nil
}

func (j *journal) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}

// look gives what is known of a file that has not changed, or looks and notes it.
func (j *journal) look(path string, do func(sum string) rehearsed) (one rehearsed, known bool, err error) {
	sum := ""
	if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
		digest, err := digestFile(path)
		if err != nil {
			return one, false, err
		}
		sum = fmt.Sprintf("%x", digest)
	}
	if old, ok := j.seen[path]; ok && sum != "" && old.SM3 == sum && old.Status != string(verdict.Failed) {
		return old, true, nil
	}
	one = do(sum)
	if j.file == nil {
		return one, false, nil
	}
	return one, false, j.write(one)
}

// Close closes the journal, durably.
func (j *journal) Close() error {
	if j.file == nil {
		return nil
	}
	return errors.Join(j.file.Sync(), j.file.Close())
}

// wrappedLine is one wrapped data key in a file of keys rewrap.
type wrappedLine struct {
	// ID is the caller's own, such as a document id; AssociatedData is what the key is bound to.
	ID             string `json:"id"`
	Ciphertext     string `json:"ciphertext"`
	AssociatedData []byte `json:"associated_data,omitempty"`
}

func newKeysRewrapCmd(e *env, f *keyFlags) *cobra.Command {
	var in, out string
	cmd := &cobra.Command{
		Use: "rewrap NAME", Short: "move wrapped data keys to the newest version of a wrap key", Args: exactly(1, "a key's name"),
		Long: "Reads wrapped data keys from --in, one JSON object a line with id, ciphertext (vault:vN:BASE64) and associated_data (base64),\n" +
			"and writes them under the newest version to --out, in the same order, in batches. No data key is seen. Begun again after an\n" +
			"interruption it goes on behind the last whole batch; afterwards --out has as many lines as --in, and only then may it take its place.",
		Example: "  yinxin keys rewrap archive.wrap --in wrapped.jsonl --out moved.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if in == "" || out == "" || in == out {
				return usage("--in and --out are required, and differ")
			}
			return e.withStore(cmd.Context(), *f, true, func(s keyStore) error { return e.rewrap(cmd, s, args[0], in, out) })
		},
	}
	cmd.Flags().StringVar(&in, "in", "", "the wrapped data keys, JSON lines")
	cmd.Flags().StringVar(&out, "out", "", "write the moved ones here")
	return cmd
}

// isPackage tells a folder that is a record package.
func isPackage(dir string) bool {
	st, err := os.Stat(filepath.Join(dir, manifestName))
	return err == nil && st.Mode().IsRegular() && !strings.HasPrefix(filepath.Base(dir), ".")
}
