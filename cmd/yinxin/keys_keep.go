package main

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/engine"
)

// keeperCmds are the commands by which keys come in from a CA, and outlive a store.
func keeperCmds(e *env, f *keyFlags) []*cobra.Command {
	return []*cobra.Command{
		newKeysWrappingCmd(e, f), newKeysEnvelopedCmd(e, f), newKeysRecoveryCmd(e, f), newKeysBackupCmd(e, f), newKeysForwardCmd(e, f),
		newKeysRestoreCmd(e, f), newKeysRewrapCmd(e, f), newKeysRehearseCmd(e, f),
	}
}

func newKeysWrappingCmd(e *env, f *keyFlags) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "wrapping-key", Short: "write the public key that others encrypt keys to", Args: exactly(0, "no arguments"),
		Long:    "Writes the store's public wrapping key. A CA envelopes encryption pairs for it, and backups are forwarded to it.",
		Example: "  yinxin keys wrapping-key --out wrapping.pub",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--out is required")
			}
			return e.withStore(cmd.Context(), *f, false, func(s keyStore) error {
				pub, err := s.WrappingKey(cmd.Context())
				if err != nil {
					return err
				}
				if err := writeFile(out, publicPEM(pub)); err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), map[string]string{"public": out}, "%s\n", out)
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write it here, PEM")
	return cmd
}

func newKeysEnvelopedCmd(e *env, f *keyFlags) *cobra.Command {
	var with string
	cmd := &cobra.Command{
		Use: "import-enveloped NAME FILE", Short: "take in an encryption pair that a CA made (GB/T 35276)", Args: exactly(2, "a key's name and a file"),
		Long: "Takes an SM2EnvelopedKey, as a CA hands it out beside an encryption certificate, into the decrypt key NAME: a new key, or its\n" +
			"next version. --with names the sign key whose request the CA answered; without it the pair is for the wrapping key. The private\n" +
			"key is not seen outside the store. Then import the certificate (keys import-cert).",
		Example: "  yinxin keys import-enveloped office.decrypt enveloped.der --with office.sign",
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseRef(args[0])
			if err != nil {
				return err
			}
			var by keys.Ref
			if with != "" {
				if by, err = parseRef(with); err != nil {
					return err
				}
			}
			der, err := readInput(args[1])
			if err != nil {
				return err
			}
			return e.withStore(cmd.Context(), *f, false, func(s keyStore) error {
				made, err := s.ImportEnveloped(cmd.Context(), ref.Name, by, der)
				if err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), rowOf(made), "%s\t%s\tversion %d\n", made.Ref.Name, made.Purpose, made.Ref.Version)
			})
		},
	}
	cmd.Flags().StringVar(&with, "with", "", "the sign key that it was enveloped for, NAME[?version=N]")
	return cmd
}

func newKeysRecoveryCmd(e *env, f *keyFlags) *cobra.Command {
	var set string
	cmd := &cobra.Command{
		Use: "recovery", Short: "show or set the key that backups are sealed to", Args: exactly(0, "no arguments"),
		Long: "Whoever holds the private part of the recovery key can bring backups back: keep it offline, on a device, in a safe. --set takes\n" +
			"it; where a quorum is set it is proposed, the first one too (keys propose recovery). The fingerprint is for comparing with what its\n" +
			"holder sees (keys show).",
		Example: "  yinxin keys recovery --set recovery.pub",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.withStore(cmd.Context(), *f, set == "", func(s keyStore) error {
				if set != "" {
					pub, err := readPublicKey(set)
					if err != nil {
						return err
					}
					if err := s.SetRecoveryKey(cmd.Context(), pub); err != nil {
						return err
					}
				}
				pub, err := s.RecoveryKey(cmd.Context())
				if err != nil {
					return err
				}
				mark := keys.Fingerprint(gm.MarshalPublicKey(pub))
				if !jsonFlag(cmd) {
					fmt.Fprintf(e.stderr, "fingerprint %s\n", mark)
				}
				return e.result(jsonFlag(cmd), map[string]string{"public": string(publicPEM(pub)), "fingerprint": mark}, "%s", publicPEM(pub))
			})
		},
	}
	cmd.Flags().StringVar(&set, "set", "", "take the public key in this file, PEM")
	return cmd
}

func newKeysBackupCmd(e *env, f *keyFlags) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "backup NAME", Short: "back up a key, sealed to the recovery key", Args: exactly(1, "a key's name"),
		Long: "Writes a key with all its versions and certificates, encrypted so that only the holder of the recovery key can bring it into\n" +
			"another store (keys recovery, forward, restore). Where a quorum is set, that must have consented within a day\n" +
			"(keys propose backup). A folder of a file store can be copied as a whole as well.",
		Example: "  yinxin keys backup office.decrypt --out office.decrypt.backup",
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("--out is required")
			}
			return e.withStore(cmd.Context(), *f, true, func(s keyStore) error {
				data, err := s.Backup(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if err := writeFile(out, data); err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), map[string]any{"key": args[0], "backup": out, "size": len(data)}, "%s\t%d bytes\n", out, len(data))
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the backup here")
	return cmd
}

func newKeysForwardCmd(e *env, f *keyFlags) *cobra.Command {
	var key, to, out string
	cmd := &cobra.Command{
		Use: "forward BACKUP", Short: "re-encrypt a backup from the recovery key to a store", Args: exactly(1, "a backup"),
		Long: "What the holder of the recovery key does, offline: encrypts the session key of a backup to the wrapping key of the store that\n" +
			"will restore it. The keys inside are not seen.",
		Example: "  yinxin keys forward office.decrypt.backup --key file:recovery.key --to wrapping.pub --out office.decrypt.forwarded",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if key == "" || to == "" || out == "" {
				return usage("--key, --to and --out are required")
			}
			pub, err := readPublicKey(to)
			if err != nil {
				return err
			}
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			ring := e.keyRing(*f)
			defer closing(&err, ring)
			h, err := ring.decrypterFor(cmd.Context(), key, func(pub *ecdsa.PublicKey) bool { return engine.SealedTo(data, pub) })
			if err != nil {
				return err
			}
			forwarded, err := engine.Forward(e.rand, data, h.decrypter, pub)
			if err != nil {
				return err
			}
			if err := writeFile(out, forwarded); err != nil {
				return err
			}
			return e.result(jsonFlag(cmd), map[string]string{"backup": out}, "%s\n", out)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "the recovery key, file:PATH or exec:PROGRAM")
	cmd.Flags().StringVar(&to, "to", "", "the wrapping key of the store, PEM (keys wrapping-key)")
	cmd.Flags().StringVar(&out, "out", "", "write the forwarded backup here")
	return cmd
}

func newKeysRestoreCmd(e *env, f *keyFlags) *cobra.Command {
	return &cobra.Command{
		Use: "restore FORWARDED", Short: "bring a key back from a forwarded backup", Args: exactly(1, "a forwarded backup"),
		Long:    "Never replaces a key that is there. Where a quorum is set, it is proposed (keys propose restore).",
		Example: "  yinxin keys restore office.decrypt.forwarded",
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := readInput(args[0])
			if err != nil {
				return err
			}
			return e.withStore(cmd.Context(), *f, false, func(s keyStore) error {
				back, err := s.Restore(cmd.Context(), data)
				if err != nil {
					return err
				}
				return e.result(jsonFlag(cmd), rowOf(back), "%s\t%s\tversion %d\n", back.Ref.Name, back.Purpose, back.Ref.Version)
			})
		},
	}
}

// expiry is one certificate and how long it lasts.
type expiry struct {
	Name    string       `json:"name"`
	Version int          `json:"version"`
	Purpose keys.Purpose `json:"purpose"`
	Current bool         `json:"current"`
	Subject string       `json:"subject"`
	Until   time.Time    `json:"until"`
	Days    int          `json:"days"`
	// Level is expired, or the first of 7, 30 and 90 days that it lies within.
	Level string `json:"level"`
}

// Levels of an expiring certificate, in days.
const (
	urgentDays  = 7
	dueDays     = 30
	comingDays  = 90
	levelPassed = "expired"
)

func newKeysExpiringCmd(e *env, f *keyFlags) *cobra.Command {
	var within int
	var check bool
	cmd := &cobra.Command{
		Use: "expiring", Short: "list certificates that end within 90, 30 and 7 days", Args: exactly(0, "no arguments"),
		Long: "Lists the certificates of enabled versions that have expired or do so within --within days. --check exits with 1 where a\n" +
			"current version's certificate has 7 days or less, for use by a timer.",
		Example: "  yinxin keys expiring --check --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.withStore(cmd.Context(), *f, true, func(s keyStore) error {
				list, err := e.expiring(cmd.Context(), s, within)
				if err != nil {
					return err
				}
				if err := e.printExpiring(cmd, list); err != nil {
					return err
				}
				urgent := slices.ContainsFunc(list, func(x expiry) bool { return x.Current && x.Days <= urgentDays })
				if check && urgent {
					return exitStatus(exitFailed)
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&within, "within", comingDays, "how many days to look ahead")
	cmd.Flags().BoolVar(&check, "check", false, "exit with 1 where it is urgent")
	return cmd
}

func (e *env) printExpiring(cmd *cobra.Command, list []expiry) error {
	if jsonFlag(cmd) {
		return e.printJSON(list)
	}
	for _, x := range list {
		current := ""
		if !x.Current {
			current = ", not the current version"
		}
		if _, err := fmt.Fprintf(e.stdout, "%s\tversion %d\t%s\t%d days\tuntil %s%s\n", x.Name, x.Version, x.Level, x.Days,
			x.Until.Format(time.DateOnly), current); err != nil {
			return err
		}
	}
	return nil
}

// expiring lists the certificates that end within so many days, the first to end first.
func (e *env) expiring(ctx context.Context, s keyStore, within int) ([]expiry, error) {
	infos, err := s.List(ctx, "", 0)
	if err != nil {
		return nil, err
	}
	list := []expiry{}
	for _, info := range infos {
		for _, v := range info.Versions {
			if !v.Certified || v.State != keys.StateEnabled || info.State != keys.StateEnabled || info.Voided {
				continue
			}
			chain, err := s.Certificates(ctx, keys.Ref{Name: info.Name, Version: v.Version})
			if err != nil {
				return nil, err
			}
			leaf, err := cert.Parse(chain[0])
			if err != nil {
				return nil, fmt.Errorf("certificate of key %s: %w", info.Name, err)
			}
			days := int(math.Floor(leaf.NotAfter.Sub(e.now()).Hours() / 24))
			if days > within {
				continue
			}
			list = append(list, expiry{
				Name: info.Name, Version: v.Version, Purpose: info.Purpose, Current: v.Version == info.Current,
				Subject: leaf.SubjectText(), Until: leaf.NotAfter.UTC(), Days: days, Level: levelOf(days),
			})
		}
	}
	slices.SortStableFunc(list, func(a, b expiry) int { return a.Until.Compare(b.Until) })
	return list, nil
}

func levelOf(days int) string {
	switch {
	case days < 0:
		return levelPassed
	case days <= urgentDays:
		return fmt.Sprint(urgentDays)
	case days <= dueDays:
		return fmt.Sprint(dueDays)
	}
	return fmt.Sprint(comingDays)
}
