package keystest_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"testing"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/keystest"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
)

func TestMain(m *testing.M) { os.Exit(vaulttest.Main(m)) }

// open makes a client of a mount.
func open(t *testing.T, s *vaulttest.Server, mount, token string) *vaultkeys.Store {
	t.Helper()
	store, err := vaultkeys.Open(vaultkeys.Config{Address: s.Address, Mount: mount, Login: vaultkeys.Token(token)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// allOf lets its bearer do everything in a mount, and nothing else.
func allOf(mount string) string {
	return `path "` + mount + `/*" { capabilities = ["create", "read", "update", "patch", "delete", "list"] }
path "` + mount + `/keys" { capabilities = ["update", "list"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
`
}

// custodian is a token that may do everything in a mount.
func custodian(t *testing.T, s *vaulttest.Server, mount string) string {
	t.Helper()
	s.Policy(t, "all-"+mount, allOf(mount))
	return s.Token(t, "1h", "all-"+mount)
}

// TestConformanceOnVault holds the engine on a real Vault to the same suite as memory, files and the plugin in process.
func TestConformanceOnVault(t *testing.T) {
	t.Parallel()
	s := vaulttest.Shared(t)
	keystest.Run(t, func(t *testing.T) keystest.Backend {
		mount := s.Mount(t)
		return open(t, s, mount, custodian(t, s, mount))
	})
}

// TestRestartOnVault: all is as before after the server has ended and come back.
func TestRestartOnVault(t *testing.T) {
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{Durable: true})
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	keystest.RunReopen(t, store, func(b keystest.Backend) keystest.Backend {
		s.Stop()
		s.Restart(t)
		if err := s.Unseal(); err != nil {
			t.Fatal(err)
		}
		return b
	})
}

// rootOf logs in as root, where policies are not what is tried.
func rootOf(s *vaulttest.Server) vaultkeys.Login { return vaultkeys.Token(s.Root) }

// TestAuditNamesDigests: what is signed together goes over the wire as one text, and each digest of it stands in the audit log as
// it is, findable.
func TestAuditNamesDigests(t *testing.T) {
	t.Parallel()
	s := vaulttest.Shared(t)
	mount := s.Mount(t)
	store := open(t, s, mount, custodian(t, s, mount))
	info := makeKey(t, store, "k", keys.PurposeSign)
	items := make([]keys.SignItem, 20)
	for i := range items {
		digest := gm.SM3([]byte{byte(i)})
		items[i].Digest = digest[:]
	}
	out, err := store.Sign(t.Context(), info.Ref, keys.PurposeSign, items)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(s.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out {
		if r.Err != nil || !gm.VerifyDigest(info.Public, gm.Digest(items[i].Digest), r.Signature) {
			t.Errorf("signature %d: %v", i, r.Err)
		}
		if !bytes.Contains(log, []byte(hex.EncodeToString(items[i].Digest))) {
			t.Errorf("the audit log does not name digest %d", i)
		}
	}
}
