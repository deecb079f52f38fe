package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// whoFlags say which custodian acts over a file store, which cannot tell otherwise.
type whoFlags struct{ key, passwordFile string }

func (w *whoFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.key, "as", "", "over a file store: your own key, file:PATH or exec:PROGRAM, which signs the consent")
	cmd.Flags().StringVar(&w.passwordFile, "as-password-file", "", "read the passphrase of that key from this file")
}

// councilCmds are the commands of custodians who decide together.
func councilCmds(e *env, f *keyFlags) []*cobra.Command {
	return []*cobra.Command{
		newKeysQuorumCmd(e, f), newKeysProposeCmd(e, f), newKeysProposalsCmd(e, f), newKeysDecideCmd(e, f, true),
		newKeysDecideCmd(e, f, false), newKeysConfigCmd(e, f), newKeysTrimCmd(e, f), newKeysVoidCmd(e, f), newKeysApproveSealCmd(e, f),
	}
}

// asCustodian opens the store and says who acts: over files the holder of --as, in Vault whoever is logged in.
func (e *env) asCustodian(ctx context.Context, f keyFlags, w whoFlags, do func(context.Context, keyStore) error) (err error) {
	ring := e.keyRing(f)
	defer closing(&err, ring)
	store, err := ring.open(ctx, false)
	if err != nil {
		return err
	}
	if ctx, err = e.acting(ctx, store, w, ring); err != nil {
		return err
	}
	return do(ctx, store)
}

// acting says in a context which custodian acts on a store. The ring closes what that takes.
func (e *env) acting(ctx context.Context, store keyStore, w whoFlags, ring *keyRing) (context.Context, error) {
	_, files := store.(*filekeys.Store)
	switch {
	case !files && w.key != "":
		return nil, usage("--as: Vault knows who is logged in; it is for file stores")
	case !files:
		return ctx, nil
	case w.key == "":
		return nil, usage("--as is required: over a file store a custodian consents with a signature by the own key")
	}
	own := e.keyRing(keyFlags{passwordFile: w.passwordFile})
	ring.others = append(ring.others, own)
	h, err := own.signer(ctx, w.key, keys.PurposeSign)
	if err != nil {
		return nil, err
	}
	return filekeys.As(ctx, h.signer)
}

// ruleFlags describe a quorum.
type ruleFlags struct {
	needed  int
	members []string
	counts  bool
}

func (r *ruleFlags) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&r.needed, "needed", 0, "how many must consent")
	cmd.Flags().StringArrayVar(&r.members, "member", nil, "a custodian: a Vault entity's ID, or a PEM file with the person's public key or certificate; =NAME may follow (repeat)")
	cmd.Flags().BoolVar(&r.counts, "proposer-counts", false, "count the proposer's own consent")
}

func (r *ruleFlags) rule() (*keys.Quorum, error) {
	q := &keys.Quorum{Needed: r.needed, ProposerCounts: r.counts}
	for _, text := range r.members {
		id, name, _ := strings.Cut(text, "=")
		if _, err := os.Stat(id); err == nil {
			pub, err := memberKey(id)
			if err != nil {
				return nil, err
			}
			id = filekeys.MemberID(pub)
		}
		q.Members = append(q.Members, keys.Member{ID: id, Name: name})
	}
	return q, nil
}

// memberKey reads a person's public key, from the key's own file or from a certificate.
func memberKey(path string) (*ecdsa.PublicKey, error) {
	if pub, err := readPublicKey(path); err == nil {
		return pub, nil
	}
	certs, err := readCertificates(path)
	if err != nil {
		return nil, refuse("malformed", exitNotFound, "%s holds neither a public key nor a certificate", path)
	}
	return certs[0].PublicKey, nil
}

func newKeysQuorumCmd(e *env, f *keyFlags) *cobra.Command {
	var r ruleFlags
	cmd := &cobra.Command{
		Use: "quorum", Short: "show how many of which custodians must consent, or make the first rule", Args: exactly(0, "no arguments"),
		Long: "With --needed and --member it makes the first rule; every later one is proposed (keys propose quorum). A rule guards trim,\n" +
			"loosen, destroy, restore, void, backup, the recovery key and itself. In Vault members are entities, one a person; over a file store they are SM2 keys of\n" +
			"the persons' own, which keeps honest people from acting alone but not the holder of the store's passphrase.",
		Example: "  yinxin keys quorum --needed 2 --member li.pub=Li --member wang.pub=Wang --member zhao.pub=Zhao",
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := r.rule()
			if err != nil {
				return err
			}
			set := q.Needed != 0 || len(q.Members) > 0
			if set { // the first rule stands before the first key, also in a folder that is not there yet
				if err := e.makeStore(cmd.Context(), *f); err != nil {
					return err
				}
			}
			return e.withStore(cmd.Context(), *f, !set, func(s keyStore) error {
				if set {
					if err := s.SetQuorum(cmd.Context(), *q); err != nil {
						return err
					}
				}
				now, err := s.Quorum(cmd.Context())
				if err != nil {
					return err
				}
				if jsonFlag(cmd) {
					return e.printJSON(now)
				}
				if now.Needed == 0 {
					_, err = fmt.Fprintln(e.stdout, "no quorum is set: one custodian alone can destroy, loosen, restore, void and take a copy")
					return err
				}
				printLine(e.stdout, "%s\n", ruleText(now))
				for _, m := range now.Members {
					fmt.Fprintf(e.stdout, "  %s  %s\n", m.ID, plain(m.Name))
				}
				return nil
			})
		},
	}
	r.add(cmd)
	return cmd
}

// actFlags are the parameters of what is proposed.
type actFlags struct {
	below, minUse, minDecrypt int
	enable, later             bool
	rule                      ruleFlags
}

func newKeysProposeCmd(e *env, f *keyFlags) *cobra.Command {
	var a actFlags
	var w whoFlags
	cmd := &cobra.Command{
		Use:   "propose trim|loosen|destroy|void NAME[?version=N] | restore BACKUP | backup [NAME] | quorum | recovery PUB.pem",
		Short: "propose what needs the consent of several custodians",
		Long: "Writes a proposal down. It lives 24 hours; keys approve by enough other custodians does it, on the state of the key that it was\n" +
			"made on. trim --below N destroys the versions below N; loosen --enable, or --min-use and --min-decrypt; destroy, with --later\n" +
			"after 30 days; void ends a seal key; restore brings a forwarded backup back (keys forward); backup lets a key, or\n" +
			"every key that there is, be backed up for those 24 hours, as long as it does not change (keys backup); quorum makes another rule;\n" +
			"recovery names the recovery key.",
		Example: "  yinxin keys propose trim office.decrypt --below 3 --as file:li.key\n  yinxin keys propose destroy 'old.sign?version=1' --keys vault:$VAULT_ADDR/gm",
		Args:    atLeastOne("verb"),
		RunE: func(cmd *cobra.Command, args []string) error {
			act, err := a.act(cmd, args)
			if err != nil {
				return err
			}
			return e.asCustodian(cmd.Context(), *f, w, func(ctx context.Context, s keyStore) error {
				p, err := s.Propose(ctx, act)
				if err != nil {
					return err
				}
				return e.printProposal(cmd, p)
			})
		},
	}
	cmd.Flags().IntVar(&a.below, "below", 0, "trim: the lowest version that stays")
	cmd.Flags().IntVar(&a.minUse, "min-use", 0, "loosen: the lowest version that signs and wraps")
	cmd.Flags().IntVar(&a.minDecrypt, "min-decrypt", 0, "loosen: the lowest version that decrypts")
	cmd.Flags().BoolVar(&a.enable, "enable", false, "loosen: enable what is disabled")
	cmd.Flags().BoolVar(&a.later, "later", false, "destroy: after 30 days")
	a.rule.add(cmd)
	w.add(cmd)
	return cmd
}

// act reads what is proposed.
func (a *actFlags) act(cmd *cobra.Command, args []string) (keys.Act, error) {
	act := keys.Act{Verb: keys.Verb(args[0])}
	if args[0] == "recovery" {
		act.Verb = keys.VerbQuorum
	}
	wanted := 2
	if args[0] == string(keys.VerbQuorum) {
		wanted = 1
	}
	all := args[0] == string(keys.VerbBackup) && len(args) == 1 // every key
	if len(args) != wanted && !all {
		return act, usage("propose %s: want %d arguments, see --help", args[0], wanted)
	}
	var err error
	switch args[0] {
	case "quorum":
		act.Quorum, err = a.rule.rule()
		return act, err
	case "recovery":
		pub, err := readPublicKey(args[1])
		if err != nil {
			return act, err
		}
		act.Recovery = gm.MarshalPublicKey(pub)
		return act, nil
	case "restore":
		act.Backup, err = readInput(args[1])
		return act, err
	case "trim", "loosen", "destroy", "void", "backup":
	default:
		return act, usage("propose %s: want trim, loosen, destroy, restore, void, backup, quorum or recovery", args[0])
	}
	if all {
		return act, nil
	}
	ref, err := parseRef(args[1])
	if err != nil {
		return act, err
	}
	act.Key, act.Version = ref.Name, ref.Version
	switch act.Verb {
	case keys.VerbTrim:
		act.Version = a.below
	case keys.VerbDestroy:
		if act.State = keys.StateDestroyed; a.later {
			act.State = keys.StatePending
		}
	case keys.VerbLoosen:
		if a.enable {
			act.State = keys.StateEnabled
		}
		act.MinUse, act.MinDecrypt = changed(cmd, "min-use", a.minUse), changed(cmd, "min-decrypt", a.minDecrypt)
	case keys.VerbRestore, keys.VerbVoid, keys.VerbQuorum, keys.VerbBackup:
	}
	return act, nil
}

// changed gives the number of a flag that was set.
func changed(cmd *cobra.Command, flag string, n int) *int {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return &n
}

func newKeysProposalsCmd(e *env, f *keyFlags) *cobra.Command {
	var after string
	var limit int
	cmd := &cobra.Command{
		Use: "proposals [ID]", Short: "list proposals, or show one with all that a consent is about",
		Long: "Without an ID it lists. With one it shows all that a consent is about, as the store knows it: each member of another rule, those who\n" +
			"go (-), come (+) and stay (=), with the names that the store has for them; each key with the fingerprints of its versions (as keys show\n" +
			"has them), for restore those in the backup. The digest covers all of it.",
		Example: "  yinxin keys proposals --json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("%s: want one ID at most", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.withStore(cmd.Context(), *f, true, func(s keyStore) error {
				if len(args) == 1 {
					p, err := s.Proposal(cmd.Context(), args[0])
					if err != nil {
						return err
					}
					return e.printProposal(cmd, p)
				}
				list, err := s.Proposals(cmd.Context(), after, limit)
				if err != nil {
					return err
				}
				if jsonFlag(cmd) {
					return e.printJSON(list)
				}
				for _, p := range list {
					fmt.Fprintf(e.stdout, "%s  %s  %s %s  %s  until %s\n", p.ID, p.State, p.Act.Verb, actText(p.Act), consentText(p), moment(p.Expires))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&after, "after", "", "begin after this ID")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many (0: all)")
	return cmd
}

// consentText says how many consents count by the rule of today. Of an ended proposal it is those that others than the proposer
// gave, whatever the rule is today.
func consentText(p keys.Proposal) string {
	if p.State == keys.ProposalOpen {
		return fmt.Sprintf("%d of %d consents", p.Have, p.Needed)
	}
	given := slices.DeleteFunc(slices.Clone(p.Consents), func(c keys.Consent) bool { return c.Member == p.Proposer })
	return fmt.Sprintf("%d consents", len(given))
}

func newKeysDecideCmd(e *env, f *keyFlags, yes bool) *cobra.Command {
	var w whoFlags
	var digest string
	cmd := &cobra.Command{
		Use: "reject ID", Short: "end a proposal", Args: exactly(1, "a proposal's ID"),
		Long:    "Ends a proposal. Any custodian can; it stays on record.",
		Example: "  yinxin keys reject ID --as file:wang.key",
	}
	if yes {
		cmd.Use, cmd.Short = "approve ID", "consent to a proposal"
		cmd.Long = "Consents, as the custodian who is logged in or holds --as, to the proposal with that digest: look at it first with\n" +
			"'yinxin keys proposals ID'. The last consent that is needed does what was proposed. Who proposed does not approve."
		cmd.Example = "  yinxin keys approve ID --digest HEX --as file:wang.key"
		cmd.Flags().StringVar(&digest, "digest", "", "the digest of the proposal as you have looked at it")
	}
	w.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		seen, err := readDigest(digest)
		if yes && err != nil {
			return usage("--digest is required: look with 'yinxin keys proposals %s' and name what you saw", args[0])
		}
		return e.asCustodian(cmd.Context(), *f, w, func(ctx context.Context, s keyStore) error {
			var p keys.Proposal
			if yes {
				p, err = s.ApproveProposal(ctx, args[0], seen)
			} else {
				p, err = s.RejectProposal(ctx, args[0])
			}
			if err != nil {
				return err
			}
			return e.printProposal(cmd, p)
		})
	}
	return cmd
}

// readDigest reads a digest as people see it (hexadecimal) or as --json gives it (base64).
func readDigest(text string) ([]byte, error) {
	sum, err := hex.DecodeString(text)
	if err != nil {
		sum, err = base64.StdEncoding.DecodeString(text)
	}
	if err == nil && len(sum) != len(gm.Digest{}) {
		err = fmt.Errorf("a digest has %d bytes", len(gm.Digest{}))
	}
	return sum, err
}

func newKeysConfigCmd(e *env, f *keyFlags) *cobra.Command {
	var minUse, minDecrypt int
	var labels map[string]string
	cmd := &cobra.Command{
		Use: "config NAME", Short: "change minima and labels", Args: exactly(1, "a key's name"),
		Long:    "Raises what versions still serve. Lowering a minimum is proposed where a quorum is set (keys propose loosen).",
		Example: "  yinxin keys config office.wrap --min-use 3 --min-decrypt 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			change := keys.Change{MinUse: changed(cmd, "min-use", minUse), MinDecrypt: changed(cmd, "min-decrypt", minDecrypt), Labels: labels}
			return e.withStore(cmd.Context(), *f, false, func(s keyStore) error {
				info, err := s.Configure(cmd.Context(), ref.Name, change)
				if err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), info, "%s\tmin_use %d\tmin_decrypt %d\n", info.Name, info.MinUse, info.MinDecrypt)
			})
		},
	}
	cmd.Flags().IntVar(&minUse, "min-use", 0, "the lowest version that still signs and wraps")
	cmd.Flags().IntVar(&minDecrypt, "min-decrypt", 0, "the lowest version that still decrypts and unwraps")
	cmd.Flags().StringToStringVar(&labels, "label", nil, "replace all labels, name=value (may be repeated)")
	return cmd
}

func newKeysTrimCmd(e *env, f *keyFlags) *cobra.Command {
	var below int
	cmd := &cobra.Command{
		Use: "trim NAME", Short: "destroy the private parts of old versions", Args: exactly(1, "a key's name"),
		Long: "Destroys the versions below --below of a destroyable key; both minima must have passed them. Final; public parts and\n" +
			"certificates stay. Where a quorum is set, it is proposed (keys propose trim). Rehearse before (keys rehearse).",
		Example: "  yinxin keys trim office.decrypt --below 3",
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.final(cmd, *f, args[0], func(s keyStore, name string) error { return s.Trim(cmd.Context(), name, below) })
		},
	}
	cmd.Flags().IntVar(&below, "below", 0, "the lowest version that stays")
	return cmd
}

func newKeysVoidCmd(e *env, f *keyFlags) *cobra.Command {
	return &cobra.Command{
		Use: "void NAME", Short: "end a seal key for ever", Args: exactly(1, "a key's name"),
		Long:    "A voided seal key never seals again; what it sealed stays verifiable. Where a quorum is set, it is proposed (keys propose void).",
		Example: "  yinxin keys void office.seal",
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.final(cmd, *f, args[0], func(s keyStore, name string) error { return s.Void(cmd.Context(), name) })
		},
	}
}

// final does what cannot be undone and shows the key afterwards.
func (e *env) final(cmd *cobra.Command, f keyFlags, key string, do func(s keyStore, name string) error) error {
	ref, err := parseRef(key)
	if err != nil {
		return err
	}
	return e.withStore(cmd.Context(), f, false, func(s keyStore) error {
		if err := do(s, ref.Name); err != nil {
			return err
		}
		info, err := s.Describe(cmd.Context(), ref.Name)
		if err != nil {
			return err
		}
		return e.showKey(cmd, s, info)
	})
}

func newKeysApproveSealCmd(e *env, f *keyFlags) *cobra.Command {
	var digest, prepared, document string
	var who whoFlags
	cmd := &cobra.Command{
		Use: "approve-seal NAME", Short: "approve one signature by a seal key that needs it", Args: exactly(1, "a key's name"),
		Long: "Consents to one signature by somebody else, within 24 hours: in Vault as the entity that is logged in, over a file store as a\n" +
			"custodian of its quorum, whose own key (--as) signs the consent. With --prepared (what seal prepare wrote) and --document the digest\n" +
			"is computed anew from the document, and what would be sealed, where and when is shown: read the document before. --digest\n" +
			"consents to a digest as it stands, and whoever gives it must know of what it is.",
		Example: "  yinxin keys approve-seal seal-yxjy --prepared notice.plan --document notice.ofd --keys vault:$VAULT_ADDR/gm\n" +
			"  yinxin keys approve-seal seal-yxjy --digest HEX --keys vault:$VAULT_ADDR/gm",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (digest == "") == (prepared == "") || (document == "") != (prepared == "") {
				return usage("want --prepared with --document, or --digest")
			}
			out := sealApproval{}
			sum, err := readDigest(digest)
			if prepared != "" {
				sum, out.plan, err = e.approvePlan(prepared, document)
			} else if err != nil {
				err = usage("--digest is in hexadecimal or base64")
			}
			if err != nil {
				return err
			}
			return e.asCustodian(cmd.Context(), *f, who, func(ctx context.Context, s keyStore) error {
				return e.approveSeal(ctx, cmd, s, args[0], sum, out)
			})
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "the digest that may be signed once")
	cmd.Flags().StringVar(&prepared, "prepared", "", "the prepared sealing that is approved (seal prepare)")
	cmd.Flags().StringVar(&document, "document", "", "with --prepared: the unsealed document that was read")
	who.add(cmd)
	return cmd
}

// sealApproval is what keys approve-seal answers.
type sealApproval struct {
	keys.Approval
	Digest string `json:"digest"`
	plan   *plan
}

func (e *env) approveSeal(ctx context.Context, cmd *cobra.Command, s keyStore, name string, sum []byte, out sealApproval) (err error) {
	approver, ok := s.(keys.Approver)
	if !ok {
		return usage("this store takes no approvals")
	}
	if out.Approval, err = approver.Approve(ctx, name, sum); err != nil {
		return err
	}
	out.Digest = hex.EncodeToString(sum)
	if out.plan != nil {
		fmt.Fprintf(e.stderr, "approved: %s (%s)\n%s", out.plan.SealName, out.plan.SealID, out.plan.text())
	}
	return e.result(jsonFlag(cmd), out, "%s\tuntil %s\n", out.ID, moment(out.Expires))
}

// rotationPlan is what keys rotate --dry-run says.
type rotationPlan struct {
	Name    string       `json:"name"`
	Purpose keys.Purpose `json:"purpose"`
	Latest  int          `json:"latest"`
	Current int          `json:"current"`
	Next    int          `json:"next"`
	// Overlap tells that the current version stays current until the new one has a certificate.
	Overlap bool     `json:"overlap"`
	Steps   []string `json:"steps"`
}

// planRotation says what a rotation would do, and whether it would be refused.
func (e *env) planRotation(cmd *cobra.Command, f keyFlags, name string, expect int) error {
	return e.withStore(cmd.Context(), f, true, func(s keyStore) error {
		info, err := s.Describe(cmd.Context(), name)
		if err != nil {
			return err
		}
		switch {
		case expect != 0 && expect != info.Latest:
			return fmt.Errorf("%w: the latest version of key %s is %d, not %d", keys.ErrConflict, name, info.Latest, expect)
		case info.State != keys.StateEnabled || info.Voided:
			return fmt.Errorf("%w: key %s is %s", keys.ErrDenied, name, info.State)
		}
		plan := rotationPlan{Name: name, Purpose: info.Purpose, Latest: info.Latest, Current: info.Current, Next: info.Latest + 1}
		for _, v := range info.Versions {
			plan.Overlap = plan.Overlap || v.Certified && v.State == keys.StateEnabled
		}
		plan.Steps = stepsOf(info, plan)
		if jsonFlag(cmd) {
			return e.printJSON(plan)
		}
		return printSteps(e.stdout, plan)
	})
}

func printSteps(w io.Writer, plan rotationPlan) error {
	fmt.Fprintf(w, "%s: version %d would be added; nothing has been changed\n", plan.Name, plan.Next)
	for i, step := range plan.Steps {
		if _, err := fmt.Fprintf(w, "  %d. %s\n", i+1, step); err != nil {
			return err
		}
	}
	return nil
}

// stepsOf are the steps of a rotation.
func stepsOf(info keys.KeyInfo, plan rotationPlan) []string {
	steps := []string{fmt.Sprintf("yinxin keys rotate %s --expect %d", info.Name, info.Latest)}
	if info.Type == keys.TypeSM2 {
		request := fmt.Sprintf("yinxin keys csr '%s?version=%d' …, to the CA", info.Name, plan.Next)
		if !info.Purpose.Signs() {
			request = fmt.Sprintf("yinxin keys show '%s?version=%d' --public F, to the CA", info.Name, plan.Next)
		}
		steps = append(steps, request,
			fmt.Sprintf("yinxin keys import-cert %s CERT.pem …", info.Name))
		if plan.Overlap {
			steps = append(steps, fmt.Sprintf("until then version %d stays current", info.Current))
		}
	}
	switch info.Purpose {
	case keys.PurposeSeal:
		steps = append(steps, "have the seal made anew for the new certificate")
	case keys.PurposeWrap:
		steps = append(steps, fmt.Sprintf("yinxin keys rewrap %s --in WRAPPED.jsonl --out MOVED.jsonl", info.Name))
	case keys.PurposeSign, keys.PurposeDecrypt, keys.PurposeCheckpoint, keys.PurposeTimestamp, keys.PurposeIssue, keys.PurposeMake, keys.PurposeMAC:
	}
	return append(steps, "yinxin keys rehearse over all that is stored", "keys config --min-use and --min-decrypt when nothing old is left; keys trim last")
}
