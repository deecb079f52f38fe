package main

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/crypto/tsp"
	"yinxin/keys"
	"yinxin/keys/filekeys"
)

// Bounds of the authority's HTTP server.
const (
	tsaHeaderTimeout = 5 * time.Second
	tsaTimeout       = 15 * time.Second
	tsaIdle          = time.Minute
	tsaHeaderBytes   = 16 << 10
	tsaShutdown      = 5 * time.Second
	maxPassphrase    = 4 << 10
)

// tsaFlags are the flags of tsa.
type tsaFlags struct {
	keys, key, passwordFile, listen, policy string
	certs                                   []string
	accuracy                                time.Duration
	verbose, json                           bool
}

func newTSACmd(e *env) *cobra.Command {
	var f tsaFlags
	cmd := &cobra.Command{
		Use:   "tsa",
		Short: "run a small time-stamp authority (RFC 3161 with SM2 and SM3) for tests and pilots",
		Long: "Answers time-stamp requests that are posted to its address. The key (purpose timestamp) and its certificate lie in a\n" +
			"file key store, opened for reading. It refuses to stamp when the machine's clock has run backwards, and it trusts that\n" +
			"clock in everything else: it is for tests and pilots, no qualified authority. Plain HTTP on loopback only; put a TLS\n" +
			"proxy in front of it for others.",
		Example: "  yinxin keys create tsa --purpose timestamp --keys files:tsa-keys --password-file pw\n" +
			"  yinxin keys csr tsa --keys files:tsa-keys --password-file pw --name TSA --out tsa.csr\n" +
			"  yinxin keys import-cert tsa tsa.pem --keys files:tsa-keys --password-file pw\n" +
			"  yinxind tsa --keys files:tsa-keys --key tsa --password-file pw",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.json = wantsJSON(cmd)
			return e.tsa(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.keys, "keys", "", "the key store, files:DIR")
	cmd.Flags().StringVar(&f.key, "key", "tsa", "name of the key")
	cmd.Flags().StringVar(&f.passwordFile, "password-file", "", "read the store's passphrase from this file; - is standard input")
	cmd.Flags().StringArrayVar(&f.certs, "cert", nil, "certificate of the key and its chain, PEM (default: those in the store)")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:3161", "loopback address; port 0 takes a free one")
	cmd.Flags().StringVar(&f.policy, "policy", tsp.PilotPolicy.String(), "OID of the policy named in every token")
	cmd.Flags().DurationVar(&f.accuracy, "accuracy", time.Second, "accuracy stated in every token; 0 states none")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "log more")
	return cmd
}

func (e *env) tsa(ctx context.Context, f tsaFlags) (err error) {
	if err := checkLoopback(f.listen); err != nil {
		return err
	}
	policy, err := parseOID(f.policy)
	if err != nil {
		return err
	}
	store, err := e.openTSAKeys(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	signer, err := keys.Signer(ctx, store, keys.Ref{Name: f.key}, keys.PurposeTimestamp)
	if err != nil {
		return err
	}
	own, chain, err := tsaCertificates(ctx, store, f, signer.Public())
	if err != nil {
		return err
	}
	authority, err := tsp.NewAuthority(tsp.AuthorityOptions{
		Signer: signer, Certificate: own, Chain: chain, Policy: policy, Accuracy: f.accuracy, Now: e.now, Rand: e.rand,
		Log: e.logger(f.verbose),
	})
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stderr, "yinxind tsa: for tests and pilots; its time is this machine's clock.")
	url := "http://" + l.Addr().String()
	if f.json {
		err = json.NewEncoder(e.stdout).Encode(map[string]string{"address": url})
	} else {
		_, err = fmt.Fprintf(e.stdout, "ready %s\n", url)
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return serveTSA(ctx, l, authority)
}

// serveTSA serves until ctx ends.
func serveTSA(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: tsaHeaderTimeout, ReadTimeout: tsaTimeout, WriteTimeout: tsaTimeout, IdleTimeout: tsaIdle,
		MaxHeaderBytes: tsaHeaderBytes, BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), tsaShutdown)
		defer cancel()
		done <- s.Shutdown(end)
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}

// openTSAKeys opens the store for reading.
func (e *env) openTSAKeys(ctx context.Context, f tsaFlags) (*filekeys.Store, error) {
	dir, found := strings.CutPrefix(f.keys, "files:")
	if !found || dir == "" {
		return nil, fmt.Errorf("%w: --keys %s: want files:DIR", errUsage, f.keys)
	}
	if f.passwordFile == "" {
		return nil, fmt.Errorf("%w: --password-file is needed", errUsage)
	}
	passphrase, err := readPassphrase(f.passwordFile)
	if err != nil {
		return nil, err
	}
	return filekeys.Open(ctx, dir, passphrase, filekeys.Options{Rand: e.rand, Now: e.now, ReadOnly: true})
}

// readPassphrase reads the first line of a file.
func readPassphrase(path string) ([]byte, error) {
	var in io.Reader = os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPassphrase))
	if err != nil {
		return nil, fmt.Errorf("read passphrase: %w", err)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// tsaCertificates finds the certificate of the key, in the files given or in the store; the others are its chain.
func tsaCertificates(ctx context.Context, store *filekeys.Store, f tsaFlags, public any) (own *cert.Certificate, chain []*cert.Certificate, err error) {
	var all []*cert.Certificate
	for _, path := range f.certs {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		some, err := cert.ParseAny(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, some...)
	}
	if len(f.certs) == 0 {
		ders, err := store.Certificates(ctx, keys.Ref{Name: f.key})
		if err != nil {
			return nil, nil, fmt.Errorf("certificate of key %s: %w", f.key, err)
		}
		for _, der := range ders {
			c, err := cert.Parse(der)
			if err != nil {
				return nil, nil, fmt.Errorf("certificate of key %s: %w", f.key, err)
			}
			all = append(all, c)
		}
	}
	for _, c := range all {
		if own == nil && c.MatchesKey(public) == nil {
			own = c
			continue
		}
		chain = append(chain, c)
	}
	if own == nil {
		return nil, nil, fmt.Errorf("key %s: %w", f.key, cert.ErrKeyMismatch)
	}
	return own, chain, nil
}

// parseOID reads "1.2.3".
func parseOID(text string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%w: --policy %s is no object identifier", errUsage, text)
		}
		oid = append(oid, n)
	}
	if der, err := asn1.Marshal(oid); err != nil || len(der) == 0 {
		return nil, fmt.Errorf("%w: --policy %s is no object identifier", errUsage, text)
	}
	return oid, nil
}
