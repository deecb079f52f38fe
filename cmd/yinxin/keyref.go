package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/keys/keyfile"
)

// keyHelp explains KEY in the help of every command that takes one.
const keyHelp = "KEY is file:PATH (PKCS#8 PEM, encrypted or not) or store:NAME[?version=N], a key of the store that --keys names\n" +
	"(files:DIR; by default the embedded one under YINXIN_HOME). A passphrase is asked for on the terminal, or read from\n" +
	"--password-file or the file that YINXIN_PASSWORD_FILE names; it is never taken from the command line.\n" +
	"vault: and exec: keys, and stores other than files:, are not part of this build."

// keyFlags say where keys are and where their passphrase comes from.
type keyFlags struct{ store, passwordFile string }

func (f *keyFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.store, "keys", "", "the key store, files:DIR (default: keys under YINXIN_HOME)")
	cmd.Flags().StringVar(&f.passwordFile, "password-file", "", "read the passphrase from this file; - is standard input")
}

// storeDir is the folder of the store that --keys names.
func (f *keyFlags) storeDir(e *env) (string, error) {
	if f.store == "" {
		return e.at("keys"), nil
	}
	scheme, rest, found := strings.Cut(f.store, ":")
	switch {
	case f.store == "hub" || found && scheme == "vault":
		return "", usage("--keys %s: this build has no such store; it has files:DIR", f.store)
	case !found || scheme != "files" || rest == "":
		return "", usage("--keys %s: want files:DIR", f.store)
	}
	return rest, nil
}

// keyURI is a parsed KEY.
type keyURI struct {
	text string
	path string   // of file:
	ref  keys.Ref // of store:
}

// parseKey reads a KEY.
func parseKey(text string) (keyURI, error) {
	k := keyURI{text: text}
	scheme, rest, found := strings.Cut(text, ":")
	if !found {
		return k, usage("KEY %s: want file:PATH or store:NAME", text)
	}
	switch scheme {
	case "file":
		if k.path = rest; rest == "" {
			return k, usage("KEY %s: the path is missing", text)
		}
		return k, nil
	case "store":
		var err error
		k.ref, err = parseRef(rest)
		return k, err
	case "vault", "exec":
		return k, usage("KEY %s: this build has no %s: backend; it has file: and store:", text, scheme)
	}
	return k, usage("KEY %s: %s: is not known; want file:PATH or store:NAME", text, scheme)
}

// parseRef reads NAME[?version=N], with or without store: before it.
func parseRef(text string) (keys.Ref, error) {
	name, query, asked := strings.Cut(strings.TrimPrefix(text, "store:"), "?")
	ref := keys.Ref{Name: name}
	if err := keys.CheckName(name); err != nil {
		return ref, usage("key name %q: %v", name, err)
	}
	if !asked {
		return ref, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(values) != 1 || len(values["version"]) != 1 {
		return ref, usage("key %s: want NAME?version=N", text)
	}
	if ref.Version, err = strconv.Atoi(values.Get("version")); err != nil || ref.Version < 1 {
		return ref, usage("key %s: a version is a number from 1", text)
	}
	return ref, nil
}

// keyRing opens the keys that one command names: the store at most once, the passphrase from a file at most once.
type keyRing struct {
	e     *env
	flags keyFlags
	store *filekeys.Store
	// secret is what the password file held, once it was read.
	secret []byte
}

// keyRing begins with no key open; Close it.
func (e *env) keyRing(f keyFlags) *keyRing { return &keyRing{e: e, flags: f} }

// passphrase gives the passphrase of the thing that the prompt names.
func (r *keyRing) passphrase(ctx context.Context, what string) ([]byte, error) {
	if r.secret != nil {
		return r.secret, nil
	}
	path := r.passwordFile()
	text, err := r.e.readSecret(ctx, "Passphrase of "+what+": ", path)
	if err != nil {
		return nil, err
	}
	if path != "" {
		r.secret = []byte(text)
	}
	return []byte(text), nil
}

// passwordFile is where the passphrase lies, empty for the terminal.
func (r *keyRing) passwordFile() string {
	if r.flags.passwordFile != "" {
		return r.flags.passwordFile
	}
	return r.e.getenv("YINXIN_PASSWORD_FILE")
}

// open opens the store, for reading alone unless the command changes it.
func (r *keyRing) open(ctx context.Context, readOnly bool) (*filekeys.Store, error) {
	if r.store != nil {
		return r.store, nil
	}
	dir, err := r.flags.storeDir(r.e)
	if err != nil {
		return nil, err
	}
	if !filekeys.Exists(dir) {
		return nil, fmt.Errorf("%w in %s; 'yinxin keys create' makes one", filekeys.ErrNoStore, dir)
	}
	secret, err := r.passphrase(ctx, "the key store "+dir)
	if err != nil {
		return nil, err
	}
	o := filekeys.Options{Rand: r.e.rand, Now: r.e.now, ReadOnly: readOnly}
	if r.store, err = filekeys.Open(ctx, dir, secret, o); err != nil {
		return nil, fmt.Errorf("open key store %s: %w", dir, err)
	}
	return r.store, nil
}

// Close closes the store.
func (r *keyRing) Close() error {
	if r.store == nil {
		return nil
	}
	return r.store.Close()
}

// held is a key that a command may use, with the certificates that its store keeps for it, leaf first.
type held struct {
	signer    crypto.Signer
	decrypter crypto.Decrypter
	public    *ecdsa.PublicKey
	chain     []*cert.Certificate
}

// signer opens a key that signs for the purpose.
func (r *keyRing) signer(ctx context.Context, text string, purpose keys.Purpose) (held, error) {
	k, err := parseKey(text)
	if err != nil {
		return held{}, err
	}
	if k.path != "" {
		f, err := r.file(ctx, k.path, purpose)
		if err != nil {
			return held{}, err
		}
		return held{signer: f, public: f.KeyInfo().Public}, nil
	}
	store, err := r.open(ctx, true)
	if err != nil {
		return held{}, err
	}
	s, err := keys.Signer(ctx, store, k.ref, purpose)
	if err != nil {
		return held{}, err
	}
	h := held{signer: s}
	return h, h.describe(ctx, store, k.ref)
}

// decrypter opens a key that decrypts.
func (r *keyRing) decrypter(ctx context.Context, text string) (held, error) {
	k, err := parseKey(text)
	if err != nil {
		return held{}, err
	}
	if k.path != "" {
		f, err := r.file(ctx, k.path, keys.PurposeDecrypt)
		if err != nil {
			return held{}, err
		}
		return held{decrypter: f, public: f.KeyInfo().Public}, nil
	}
	store, err := r.open(ctx, true)
	if err != nil {
		return held{}, err
	}
	d, err := keys.Decrypter(ctx, store, k.ref)
	if err != nil {
		return held{}, err
	}
	h := held{decrypter: d}
	return h, h.describe(ctx, store, k.ref)
}

// file opens a key file, and says so when others could read it too.
func (r *keyRing) file(ctx context.Context, path string, purpose keys.Purpose) (*keyfile.Key, error) {
	k, err := keyfile.Open(path, purpose, func() ([]byte, error) { return r.passphrase(ctx, path) })
	if err != nil {
		return nil, err
	}
	if k.Exposed() {
		fmt.Fprintf(r.e.stderr, "warning: %s is not encrypted and others than its owner can read it\n", path)
	}
	return k, nil
}

// describe reads the public part of a stored key.
func (h *held) describe(ctx context.Context, store keys.Provider, ref keys.Ref) error {
	info, err := store.Public(ctx, ref)
	if err != nil {
		return err
	}
	h.public = info.Public
	for _, der := range info.Certificates {
		c, err := cert.Parse(der)
		if err != nil {
			return fmt.Errorf("certificate of key %s: %w", ref, err)
		}
		h.chain = append(h.chain, c)
	}
	return nil
}

// certificate finds the certificate of the key: in the file given with --cert, else in the store, else among others that
// may hold it. What lies beside it in file or store is its chain.
func (h *held) certificate(path string, others ...*cert.Certificate) (leaf *cert.Certificate, chain []*cert.Certificate, err error) {
	given := h.chain
	if path != "" {
		if given, err = readCertificates(path); err != nil {
			return nil, nil, err
		}
	}
	for _, c := range given {
		if leaf == nil && c.MatchesKey(h.public) == nil {
			leaf = c
			continue
		}
		chain = append(chain, c)
	}
	if leaf != nil {
		return leaf, chain, nil
	}
	if path != "" {
		return nil, nil, fmt.Errorf("%s: %w", path, cert.ErrKeyMismatch)
	}
	for _, c := range others {
		if c.MatchesKey(h.public) == nil {
			return c, nil, nil
		}
	}
	return nil, nil, usage("no certificate of the key is at hand; give it with --cert")
}

// closing closes c and keeps its error unless there is one already.
func closing(err *error, c interface{ Close() error }) {
	*err = errors.Join(*err, c.Close())
}
