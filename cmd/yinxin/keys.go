package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"yinxin/crypto/cert"
	"yinxin/internal/durable"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

func newKeysCmd(e *env) *cobra.Command {
	var f keyFlags
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "keys of a key store: life cycle, certificates, quorum, backup, rehearsal",
		Long: "Keeps the keys of the store that --keys names: files:DIR, by default the embedded one under YINXIN_HOME, or vault:ADDR/MOUNT\n" +
			"with the login of VAULT_TOKEN, ~/.vault-token, or YINXIN_VAULT_ROLE_ID and YINXIN_VAULT_SECRET_ID_FILE. The first create makes\n" +
			"a file store and asks for a new passphrase twice. A private key never leaves its store. docs/keys.md is the custodian's guide.",
		Example: "  yinxin keys create office.seal --purpose seal\n  yinxin keys csr office.seal --name 'OFFICE A' --code OFFICE-A --out seal.csr\n" +
			"  yinxin keys import-cert office.seal seal.pem root.pem\n  yinxin keys ls",
	}
	cmd.PersistentFlags().StringVar(&f.store, "keys", "", storeHelp)
	cmd.PersistentFlags().StringVar(&f.passwordFile, "password-file", "", "read the passphrase from this file; - is standard input")
	cmd.AddCommand(newKeysLsCmd(e, &f), newKeysCreateCmd(e, &f), newKeysShowCmd(e, &f), newKeysRotateCmd(e, &f),
		newKeysStateCmd(e, &f), newKeysCSRCmd(e, &f), newKeysImportCmd(e, &f), newKeysExpiringCmd(e, &f), newKeysCheckCmd(e, &f))
	cmd.AddCommand(councilCmds(e, &f)...)
	cmd.AddCommand(keeperCmds(e, &f)...)
	return cmd
}

// withStore opens the store for one command and closes it.
func (e *env) withStore(ctx context.Context, f keyFlags, readOnly bool, do func(keyStore) error) (err error) {
	ring := e.keyRing(f)
	defer closing(&err, ring)
	store, err := ring.open(ctx, readOnly)
	if err != nil {
		return err
	}
	return do(store)
}

func newKeysLsCmd(e *env, f *keyFlags) *cobra.Command {
	var after string
	var limit int
	cmd := &cobra.Command{
		Use: "ls", Short: "list the keys", Args: exactly(0, "no arguments"), Example: "  yinxin keys ls --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.withStore(cmd.Context(), *f, true, func(s keyStore) error {
				list, err := s.List(cmd.Context(), after, limit)
				if err != nil {
					return err
				}
				if jsonFlag(cmd) {
					return e.printJSON(list)
				}
				e.warn(cmd.Context(), s)
				return printKeys(e.stdout, list)
			})
		},
	}
	cmd.Flags().StringVar(&after, "after", "", "begin after this name")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many (0: all)")
	return cmd
}

func printKeys(w io.Writer, list []keys.KeyInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range list {
		certified := "no certificate"
		for _, v := range k.Versions {
			if v.Version == k.Current && v.Certified {
				certified = "certified"
			}
		}
		if k.Type != keys.TypeSM2 {
			certified = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\tversion %d of %d\t%s\n", k.Name, k.Purpose, k.Type, k.State, k.Current, k.Latest, certified)
	}
	return t.Flush()
}

func newKeysCreateCmd(e *env, f *keyFlags) *cobra.Command {
	var purpose string
	var labels map[string]string
	var o keys.CreateOptions
	cmd := &cobra.Command{
		Use: "create NAME...", Short: "make keys; the first create makes the store", Args: atLeastOne("name"),
		Long: "Makes keys with one purpose for their whole life: seal, sign, decrypt, wrap, checkpoint, timestamp, issue, make or mac.\n" +
			"Where there is no store yet it is made, under a new passphrase that is asked for twice on the terminal or read from\n" +
			"--password-file. Without the passphrase nothing in the store can be recovered.",
		Example: "  yinxin keys create office.sign --purpose sign --label office=OFFICE-A",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if purpose == "" {
				return usage("--purpose is required: %s", purposeList())
			}
			p := keys.Purpose(purpose)
			if p.Type() == "" {
				return usage("--purpose %s: want one of %s", purpose, purposeList())
			}
			wanted := make([]keys.CreateOptions, len(args))
			for i, name := range args {
				if err := keys.CheckName(name); err != nil {
					return usage("key name %q: %v", name, err)
				}
				o.Name, o.Purpose, o.Labels = name, p, labels
				wanted[i] = o
			}
			return e.createKeys(cmd, *f, wanted)
		},
	}
	cmd.Flags().StringVar(&purpose, "purpose", "", purposeList())
	cmd.Flags().StringToStringVar(&labels, "label", nil, "a note, name=value (may be repeated)")
	cmd.Flags().BoolVar(&o.Destroyable, "destroyable", false, "permit the state destroyed; fixed for the key's life")
	cmd.Flags().BoolVar(&o.ApprovalRequired, "approval-required", false, "a seal key signs only what another person approved; in Vault; fixed for life")
	cmd.Flags().DurationVar(&o.RotateEvery, "rotate-every", 0, "rotate by itself, such as 720h; wrap and mac keys, in Vault")
	return cmd
}

func purposeList() string {
	var names []string
	for _, p := range keys.Purposes() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// makeStore makes the store where there is none.
func (e *env) makeStore(ctx context.Context, f keyFlags) (err error) {
	ring := e.keyRing(f)
	defer closing(&err, ring)
	return ring.ensureStore(ctx)
}

func (e *env) createKeys(cmd *cobra.Command, f keyFlags, wanted []keys.CreateOptions) (err error) {
	ctx := cmd.Context()
	ring := e.keyRing(f)
	defer closing(&err, ring)
	if err := ring.ensureStore(ctx); err != nil {
		return err
	}
	store, err := ring.open(ctx, false)
	if err != nil {
		return err
	}
	made, err := store.Create(ctx, wanted...)
	if err != nil {
		return err
	}
	if jsonFlag(cmd) {
		rows := make([]keyRow, len(made))
		for i, k := range made {
			rows[i] = rowOf(k)
		}
		return e.printJSON(rows)
	}
	for _, k := range made {
		fmt.Fprintf(e.stdout, "%s\t%s\tversion %d\n", k.Ref.Name, k.Purpose, k.Ref.Version)
	}
	return nil
}

// keyRow is what commands that make or move a version report.
type keyRow struct {
	Name    string       `json:"name"`
	Version int          `json:"version"`
	Purpose keys.Purpose `json:"purpose"`
	State   keys.State   `json:"state"`
	// Public is the SM2 public key as PEM, empty for symmetric keys.
	Public string `json:"public,omitempty"`
}

func rowOf(k keys.PublicInfo) keyRow {
	row := keyRow{Name: k.Ref.Name, Version: k.Ref.Version, Purpose: k.Purpose, State: k.State}
	if k.Public != nil {
		row.Public = string(publicPEM(k.Public))
	}
	return row
}

// ensureStore makes the store where there is none, under a new passphrase.
func (r *keyRing) ensureStore(ctx context.Context) error {
	if strings.HasPrefix(r.flags.store, "vault:") {
		return nil
	}
	dir, err := r.flags.storeDir(r.e)
	if err != nil || filekeys.Exists(dir) {
		return err
	}
	secret, err := r.newPassphrase(ctx, "the new key store "+dir)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	store, err := filekeys.Create(ctx, dir, secret, r.e.fileOptions(false))
	if err != nil {
		return fmt.Errorf("make key store %s: %w", dir, err)
	}
	r.store = store
	fmt.Fprintf(r.e.stderr, "made the key store %s; back it up and keep its passphrase elsewhere\n", dir)
	return nil
}

// newPassphrase asks twice on a terminal; a file is read once.
func (r *keyRing) newPassphrase(ctx context.Context, what string) ([]byte, error) {
	first, err := r.passphrase(ctx, what)
	if err != nil || r.passwordFile() != "" {
		return first, err
	}
	if f, ok := r.e.stdin.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return first, nil
	}
	second, err := r.passphrase(ctx, what+", again")
	if err != nil {
		return nil, err
	}
	if string(first) != string(second) {
		return nil, refuse("passphrase_mismatch", exitRefused, "the two passphrases differ; nothing was made")
	}
	return first, nil
}

func newKeysShowCmd(e *env, f *keyFlags) *cobra.Command {
	var public string
	cmd := &cobra.Command{
		Use: "show NAME[?version=N]", Short: "show a key, or write its public key", Args: exactly(1, "a key's name"),
		Long: "Shows what is public about a key: purpose, versions, states, certificates. --public writes the public key as PEM, which is\n" +
			"what a CA needs for a decryption key, since such a key cannot sign a request.",
		Example: "  yinxin keys show office.decrypt --public office.pub",
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			return e.withStore(cmd.Context(), *f, true, func(s keyStore) error {
				info, err := s.Describe(cmd.Context(), ref.Name)
				if err != nil {
					return err
				}
				if public == "" {
					return e.showKey(cmd, s, info)
				}
				pub, err := keys.PublicKey(cmd.Context(), s, ref)
				if err != nil {
					return err
				}
				if err := writeFile(public, publicPEM(pub)); err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), map[string]string{"key": ref.Name, "public": public}, "%s\n", public)
			})
		},
	}
	cmd.Flags().StringVar(&public, "public", "", "write the public key here, PEM")
	return cmd
}

func (e *env) showKey(cmd *cobra.Command, s keyStore, info keys.KeyInfo) error {
	if jsonFlag(cmd) {
		return e.printJSON(info)
	}
	fmt.Fprintf(e.stdout, "%s  %s, %s, %s, version %d of %d\n", info.Name, info.Purpose, info.Type, info.State, info.Current, info.Latest)
	for name, value := range info.Labels {
		fmt.Fprintf(e.stdout, "  %s: %s\n", name, value)
	}
	for _, v := range info.Versions {
		fmt.Fprintf(e.stdout, "  version %d: %s, made %s\n", v.Version, v.State, v.Created.Format(time.RFC3339))
		if len(v.Public) > 0 {
			fmt.Fprintf(e.stdout, "    fingerprint %s\n", keys.Fingerprint(v.Public))
		}
		if !v.Certified {
			continue
		}
		chain, err := s.Certificates(cmd.Context(), keys.Ref{Name: info.Name, Version: v.Version})
		if err != nil {
			return err
		}
		for _, der := range chain {
			c, err := cert.Parse(der)
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "    %s, until %s\n", c.SubjectText(), c.NotAfter.Format(time.DateOnly))
		}
	}
	return nil
}

func newKeysRotateCmd(e *env, f *keyFlags) *cobra.Command {
	var expect int
	var dry bool
	cmd := &cobra.Command{
		Use: "rotate NAME", Short: "add a version to a key", Args: exactly(1, "a key's name"),
		Long: "Adds a version. Of a key with certificates the old version stays the current one until the new one is certified, so that\n" +
			"nothing is sealed or signed with a key that nobody can check. --dry-run only says what would happen and what comes next.\n" +
			"Then: keys csr, keys import-cert, and keys rehearse over what is stored.",
		Example: "  yinxin keys rotate office.sign && yinxin keys csr office.sign --name 'OFFICE A' --out sign.csr",
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			if dry {
				return e.planRotation(cmd, *f, ref.Name, expect)
			}
			return e.withStore(cmd.Context(), *f, false, func(s keyStore) error {
				made, err := s.Rotate(cmd.Context(), ref.Name, expect)
				if err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), rowOf(made), "%s\t%s\tversion %d\n", made.Ref.Name, made.Purpose, made.Ref.Version)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "change nothing; say what would happen")
	cmd.Flags().IntVar(&expect, "expect", 0, "only if the newest version is this one (0: whatever it is)")
	return cmd
}

func newKeysStateCmd(e *env, f *keyFlags) *cobra.Command {
	return &cobra.Command{
		Use: "state NAME[?version=N] enabled|disabled|pending_deletion|destroyed", Short: "enable, disable or destroy a key or a version",
		Long: "Without a version the whole key. Only what is disabled, in a key that was made destroyable, can be destroyed; that is final:\n" +
			"the private part is gone, the public part stays readable. A key in pending_deletion is destroyed after 30 days by a store that\n" +
			"runs all the time (Vault); disabled calls it off. Where a quorum is set, enabling and destroying are proposed (keys propose).",
		Example: "  yinxin keys state 'office.sign?version=1' disabled",
		Args:    exactly(2, "a key's name and a state"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			state := keys.State(args[1])
			switch state {
			case keys.StateEnabled, keys.StateDisabled, keys.StatePending, keys.StateDestroyed:
			default:
				return usage("state %s: want enabled, disabled, pending_deletion or destroyed", args[1])
			}
			return e.withStore(cmd.Context(), *f, false, func(s keyStore) error {
				if err := s.SetState(cmd.Context(), ref, state); err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), map[string]any{"name": ref.Name, "version": ref.Version, "state": state}, "%s\t%s\n", ref, state)
			})
		},
	}
}

func newKeysCSRCmd(e *env, f *keyFlags) *cobra.Command {
	var subject subjectFlags
	var out string
	cmd := &cobra.Command{
		Use: "csr NAME[?version=N]", Short: "make a certificate request (PKCS#10)", Args: exactly(1, "a key's name"),
		Long: "Makes a request for the newest version of a key, signed by that version. A decryption key cannot sign: hand its public key to\n" +
			"the CA instead (keys show NAME --public F).",
		Example: "  yinxin keys csr office.seal --name 'OFFICE A' --code OFFICE-A --out seal.csr",
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			name, err := subject.name()
			if err != nil {
				return err
			}
			if out == "" {
				return usage("--out is required")
			}
			return e.withStore(cmd.Context(), *f, true, func(s keyStore) error {
				info, err := s.Describe(cmd.Context(), ref.Name)
				if err != nil {
					return err
				}
				if !info.Purpose.Signs() {
					return usage("%s is a key to %s and cannot sign a request; use 'yinxin keys show %s --public F'", ref.Name, info.Purpose, ref.Name)
				}
				der, err := s.Request(cmd.Context(), ref, name)
				if err != nil {
					return err
				}
				if err := writeFile(out, cert.RequestPEM(der)); err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), map[string]string{"key": ref.Name, "request": out}, "%s\n", out)
			})
		},
	}
	subject.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the request here, PEM")
	return cmd
}

func newKeysImportCmd(e *env, f *keyFlags) *cobra.Command {
	return &cobra.Command{
		Use: "import-cert NAME[?version=N] CERT.pem...", Short: "store a certificate and its chain with its key",
		Long: "Stores the certificate of a key, and those that lead to its root, leaf first. Without a version it takes the one whose key\n" +
			"matches. A seal key seals only after this.",
		Example: "  yinxin keys import-cert office.seal seal.pem root.pem",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage("%s: want a key's name and at least one certificate", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			var chain [][]byte
			for _, path := range args[1:] {
				certs, err := readCertificates(path)
				if err != nil {
					return err
				}
				for _, c := range certs {
					chain = append(chain, c.Raw)
				}
			}
			return e.withStore(cmd.Context(), *f, false, func(s keyStore) error {
				stored, err := s.ImportCertificate(cmd.Context(), ref, chain)
				if errors.Is(err, keys.ErrInvalid) {
					return refuse("key_mismatch", exitRefused, "%w", err)
				}
				if err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), stored, "%s\tversion %d\n", stored.Name, stored.Version)
			})
		},
	}
}
