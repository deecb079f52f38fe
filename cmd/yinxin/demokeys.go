package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/keys/vaultkeys"
)

// demoKeys opens the store of a demo's keys, which are thrown away by discard: a file store of its own, or names of this
// run alone in a Vault.
func (e *env) demoKeys(ctx context.Context, work, store string) (_ keys.Store, discard func() error, err error) {
	if store == "" {
		return e.demoFileKeys(ctx, work)
	}
	address, ok := strings.CutPrefix(store, "vault:")
	if !ok {
		return nil, nil, usage("--keys %s: the demo takes vault:ADDR/MOUNT, or makes a store of its own", store)
	}
	vault, err := e.openVault(address)
	if err != nil {
		return nil, nil, err
	}
	run := make([]byte, 6)
	if _, err := e.rand.Read(run); err != nil {
		return nil, nil, errors.Join(err, vault.Close())
	}
	scope := keys.NewScope(vault, "demo-"+hex.EncodeToString(run)+"-", true)
	return scope, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime) // also of a demo that was interrupted
		defer cancel()
		left, err := scope.Discard(ctx)
		if len(left) > 0 {
			fmt.Fprintf(e.stderr, "%d keys, %s to %s, are disabled and stay: destroying them takes the quorum of that store\n",
				len(left), left[0], left[len(left)-1])
		}
		return errors.Join(err, vault.Close())
	}, nil
}

// discardTime bounds how long a demo takes to destroy its keys.
const discardTime = 30 * time.Second

func (e *env) demoFileKeys(ctx context.Context, work string) (keys.Store, func() error, error) {
	passphrase := make([]byte, 32)
	if _, err := e.rand.Read(passphrase); err != nil {
		return nil, nil, err
	}
	store, err := filekeys.Create(ctx, filepath.Join(work, "keys"), passphrase, filekeys.Options{Rand: e.rand, Now: e.now})
	if err != nil {
		return nil, nil, err
	}
	return store, store.Close, nil
}

// openVault opens the keys in a Vault, with the token that Vault's own command line would take.
func (e *env) openVault(text string) (*vaultkeys.Store, error) {
	address, mount, err := vaultkeys.ParseStore(text, e.getenv("VAULT_ADDR"))
	if err != nil {
		return nil, usage("--keys vault:%s: %v", text, err)
	}
	return vaultkeys.Open(vaultkeys.Config{Address: address, Mount: mount, Login: e.vaultLogin()})
}

// vaultLogin is how this program logs in to Vault: as the role that the environment names, else with the token that Vault's
// own command line would take. A SecretID lies in a file that is read anew at each login.
func (e *env) vaultLogin() vaultkeys.Login {
	if role := e.getenv("YINXIN_VAULT_ROLE_ID"); role != "" {
		path := e.getenv("YINXIN_VAULT_SECRET_ID_FILE")
		return vaultkeys.AppRole("approle", role, func() (string, error) {
			data, err := os.ReadFile(path)
			return strings.TrimSpace(string(data)), err
		})
	}
	if role := e.getenv("YINXIN_VAULT_CERT_ROLE"); role != "" { // with VAULT_CLIENT_CERT and VAULT_CLIENT_KEY
		return vaultkeys.Certificate("cert", role)
	}
	if token := e.getenv("VAULT_TOKEN"); token != "" {
		return vaultkeys.Token(token)
	}
	return vaultkeys.TokenFile(filepath.Join(e.getenv("HOME"), ".vault-token"))
}
