package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/execkeys"
	"yinxin/keys/filekeys"
	"yinxin/keys/keyfile"
)

// keyHelp explains KEY in the help of every command that takes one.
const keyHelp = "KEY is file:PATH (PKCS#8 PEM, encrypted or not), store:NAME[?version=N], a key of the store that --keys names,\n" +
	"vault:NAME[?version=N], a key in the Vault of VAULT_ADDR, or exec:PROGRAM[?key=NAME], a program that holds the key of a device and\n" +
	"asks for its PIN itself. --keys is files:DIR (by default the embedded one under YINXIN_HOME) or vault:ADDR/MOUNT. A passphrase is\n" +
	"asked for on the terminal, or read from --password-file or the file that YINXIN_PASSWORD_FILE names; it is never taken from the\n" +
	"command line. The login to Vault is VAULT_TOKEN or ~/.vault-token, or YINXIN_VAULT_ROLE_ID with YINXIN_VAULT_SECRET_ID_FILE."

// storeHelp explains --keys.
const storeHelp = "the key store, files:DIR or vault:ADDR/MOUNT (default: keys under YINXIN_HOME)"

// keyFlags say where keys are and where their passphrase comes from.
type keyFlags struct{ store, passwordFile string }

func (f *keyFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.store, "keys", "", storeHelp)
	cmd.Flags().StringVar(&f.passwordFile, "password-file", "", "read the passphrase from this file; - is standard input")
}

// storeDir is the folder of the store that --keys names.
func (f *keyFlags) storeDir(e *env) (string, error) {
	if f.store == "" {
		return e.at("keys"), nil
	}
	scheme, rest, found := strings.Cut(f.store, ":")
	switch {
	case f.store == "hub":
		return "", usage("--keys hub: the hub's keys are in the Vault or folder that its configuration names; name that here")
	case !found || scheme != "files" || rest == "":
		return "", usage("--keys %s: want files:DIR or vault:ADDR/MOUNT", f.store)
	}
	return rest, nil
}

// keyURI is a parsed KEY.
type keyURI struct {
	text    string
	path    string   // of file:
	program string   // of exec:
	device  string   // of exec:, the program's name for the key
	vault   bool     // vault: and not store:
	ref     keys.Ref // of store: and vault:
}

// parseKey reads a KEY.
func parseKey(text string) (keyURI, error) {
	k := keyURI{text: text}
	scheme, rest, found := strings.Cut(text, ":")
	if !found {
		return k, usage("KEY %s: want file:PATH, store:NAME, vault:NAME or exec:PROGRAM", text)
	}
	switch scheme {
	case "file":
		if k.path = rest; rest == "" {
			return k, usage("KEY %s: the path is missing", text)
		}
		return k, nil
	case "store", "vault":
		var err error
		k.vault = scheme == "vault"
		k.ref, err = parseRef(rest)
		return k, err
	case "exec":
		return k, k.parseExec(rest)
	}
	return k, usage("KEY %s: %s: is not known; want file:PATH, store:NAME, vault:NAME or exec:PROGRAM", text, scheme)
}

// parseExec reads PROGRAM[?key=NAME].
func (k *keyURI) parseExec(text string) error {
	program, query, asked := strings.Cut(text, "?")
	if program == "" {
		return usage("KEY %s: the program is missing", k.text)
	}
	k.program = program
	if !asked {
		return nil
	}
	values, err := url.ParseQuery(query)
	if err != nil || len(values) != 1 || values.Get("key") == "" {
		return usage("KEY %s: want exec:PROGRAM?key=NAME", k.text)
	}
	k.device = values.Get("key")
	return nil
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

// keyStore is a store of keys as this program uses it, whatever it lies on.
type keyStore interface {
	keys.Store
	keys.Council
	keys.Keeper
	Close() error
}

// keyRing opens the keys that one command names: the store at most once, the passphrase from a file at most once.
type keyRing struct {
	e     *env
	flags keyFlags
	store keyStore
	// vault is where vault: keys are, if that is not the store.
	vault keyStore
	// others are programs of exec: keys.
	others []io.Closer
	// changes is set where using a key changes its store.
	changes bool
	// adopt takes an anchor into use that has no mark.
	adopt bool
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
func (r *keyRing) open(ctx context.Context, readOnly bool) (keyStore, error) {
	if r.store != nil {
		return r.store, nil
	}
	if address, ok := strings.CutPrefix(r.flags.store, "vault:"); ok {
		store, err := r.e.openVault(address)
		if err != nil {
			return nil, err
		}
		r.store = store
		return store, nil
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
	o := r.e.fileOptions(readOnly && !r.changes)
	o.AdoptAnchor = r.adopt
	store, err := filekeys.Open(ctx, dir, secret, o)
	if err != nil {
		return nil, fmt.Errorf("open key store %s: %w", dir, err)
	}
	r.store = store
	return store, nil
}

// fileOptions are those of every file store that a command opens. An anchor, named by YINXIN_KEYS_ANCHOR, lies outside the
// store's folder and notices that folder being put back as a whole.
func (e *env) fileOptions(readOnly bool) filekeys.Options {
	o := filekeys.Options{Rand: e.rand, Now: e.now, ReadOnly: readOnly}
	if path := e.getenv("YINXIN_KEYS_ANCHOR"); path != "" {
		o.Anchor = filekeys.FileAnchor{Path: path}
	}
	return o
}

// storeFor is the store of a store: or vault: key.
func (r *keyRing) storeFor(ctx context.Context, k keyURI) (keyStore, error) {
	if !k.vault || strings.HasPrefix(r.flags.store, "vault:") {
		return r.open(ctx, true)
	}
	if r.vault != nil {
		return r.vault, nil
	}
	mount := r.e.getenv("YINXIN_VAULT_MOUNT")
	if mount == "" {
		mount = "gm"
	}
	store, err := r.e.openVault(r.e.getenv("VAULT_ADDR") + "/" + mount)
	if err != nil {
		return nil, err
	}
	r.vault = store
	return store, nil
}

// device opens a key that a program holds.
func (r *keyRing) device(ctx context.Context, k keyURI, purpose keys.Purpose) (*execkeys.Key, error) {
	device, err := execkeys.Open(ctx, execkeys.Options{Program: k.program, Key: k.device, Purpose: purpose, Stderr: r.e.stderr})
	if err != nil {
		return nil, err
	}
	r.others = append(r.others, device)
	return device, nil
}

// Close closes the stores and ends the programs.
func (r *keyRing) Close() error {
	var err error
	for _, c := range r.others {
		err = errors.Join(err, c.Close())
	}
	for _, s := range []keyStore{r.store, r.vault} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	return err
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
	if k.program != "" {
		d, err := r.device(ctx, k, purpose)
		if err != nil {
			return held{}, err
		}
		h := held{signer: d}
		return h, h.take(k.text, d.KeyInfo())
	}
	store, err := r.storeFor(ctx, k)
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

// approvedSigner opens a seal key of a store to sign one digest with an approval. Over a file store a custodian signs for its
// use.
func (r *keyRing) approvedSigner(ctx context.Context, text string, digest gm.Digest, approval string, w whoFlags) (h held, err error) {
	k, err := parseKey(text)
	if err != nil {
		return held{}, err
	}
	if k.path != "" || k.program != "" {
		return held{}, usage("KEY %s: approvals are those of a key store; want store:NAME or vault:NAME", text)
	}
	r.changes = true // the approval is spent
	store, err := r.storeFor(ctx, k)
	if err != nil {
		return held{}, err
	}
	if ctx, err = r.e.acting(ctx, store, w, r); err != nil {
		return held{}, err
	}
	if h.signer, err = keys.ApprovedSigner(ctx, store, k.ref, digest, approval); err != nil {
		return held{}, err
	}
	return h, h.describe(ctx, store, k.ref)
}

// decrypter opens a key that decrypts.
func (r *keyRing) decrypter(ctx context.Context, text string) (held, error) {
	return r.decrypterFor(ctx, text, nil)
}

// decrypterFor is decrypter; of a stored key without a version it takes the one whose public key is wanted, else the current one.
func (r *keyRing) decrypterFor(ctx context.Context, text string, wanted func(*ecdsa.PublicKey) bool) (held, error) {
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
	if k.program != "" {
		d, err := r.device(ctx, k, keys.PurposeDecrypt)
		if err != nil {
			return held{}, err
		}
		h := held{decrypter: d}
		return h, h.take(k.text, d.KeyInfo())
	}
	store, err := r.storeFor(ctx, k)
	if err != nil {
		return held{}, err
	}
	d, err := keys.DecrypterFor(ctx, store, k.ref, wanted)
	if err != nil {
		return held{}, err
	}
	if found, ok := d.(keys.Describer); ok {
		k.ref = found.KeyInfo().Ref
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
	return h.take(ref.String(), info)
}

// take takes over a public part.
func (h *held) take(name string, info keys.PublicInfo) error {
	h.public = info.Public
	for _, der := range info.Certificates {
		c, err := cert.Parse(der)
		if err != nil {
			return fmt.Errorf("certificate of key %s: %w", name, err)
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
