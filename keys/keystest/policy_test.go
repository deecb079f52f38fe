package keystest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
)

// policyFile reads a policy as it is deployed, for the office a.
func policyFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "vault", name+".hcl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "OFFICE", "a")
}

// furnish makes the keys of a small exchange of the offices a and b, seals certified.
func furnish(t *testing.T, store keys.Store) {
	t.Helper()
	made := map[string]keys.PublicInfo{}
	for name, purpose := range map[string]keys.Purpose{
		"root": keys.PurposeIssue, "hub-log": keys.PurposeCheckpoint, "idx-names": keys.PurposeMAC, "seal-a": keys.PurposeSeal,
		"seal-b": keys.PurposeSeal, "office-a": keys.PurposeSign, "office-b": keys.PurposeSign, "inbox-a": keys.PurposeDecrypt,
		"inbox-b": keys.PurposeDecrypt, "archive-inbox": keys.PurposeDecrypt, "doc-keys": keys.PurposeWrap,
	} {
		infos, err := store.Create(t.Context(), keys.CreateOptions{Name: name, Purpose: purpose, ApprovalRequired: purpose == keys.PurposeSeal})
		if err != nil {
			t.Fatal(err)
		}
		made[name] = infos[0]
	}
	signer, err := keys.Signer(t.Context(), store, keys.Ref{Name: "root"}, keys.PurposeIssue)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := cert.NewRoot(cert.Station{Signer: signer}, cert.Subject("Test Root", "Tests"), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"seal-a", "seal-b"} {
		c, err := ca.IssueSigning(cert.Subject(name, "Tests"), made[name].Public, cert.IssueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.ImportCertificate(t.Context(), made[name].Ref, [][]byte{c.Raw}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPolicies: each policy under deploy/vault allows what it must and refuses the rest, on a real Vault. A call counts as
// allowed if it passes the policies, whatever the engine thinks of it.
func TestPolicies(t *testing.T) { //nolint:tparallel // the subtests share one server and its keys
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{})
	s.MountAt(t, "gm")
	s.Must(t, "POST", "sys/auth/userpass", map[string]any{"type": "userpass"})
	furnish(t, open(t, s, "gm", custodian(t, s, "gm")))
	sum := sha256.Sum256([]byte("any 32 bytes")) // stands for e
	digest := map[string]any{"digest": base64.StdEncoding.EncodeToString(sum[:])}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{digest, more} {
			maps.Copy(out, m)
		}
		return out
	}
	type call struct {
		method, path string
		in           any
	}
	tag := map[string]any{"input": "eA=="}
	approval := map[string]any{"approval": strings.Repeat("ab", 16)}
	seal := func(name string) call { return call{"PATCH", "gm/sign/" + name, with(approval)} }
	approve := func(name string) call { return call{"POST", "gm/approvals/" + name, digest} }
	decrypt := func(name string) call {
		return call{"PATCH", "gm/decrypt/" + name, map[string]any{"ciphertext": "eA=="}}
	}
	rotate := func(name string) call {
		return call{"POST", "gm/keys/" + name + "/rotate", map[string]any{"expect_latest": 99}}
	}
	read := func(name string) call { return call{"GET", "gm/keys/" + name, nil} }
	list := call{"GET", "gm/keys?list=true", nil}
	renew := call{"POST", "auth/token/renew-self", map[string]any{}}
	mounts := call{"GET", "sys/mounts", nil}
	for name, c := range map[string]struct{ may, not []call }{
		"hub": {
			[]call{seal("hub-log"), {"PATCH", "gm/hmac/idx-names", tag}, read("office-a"), {"GET", "gm/keys/seal-a/public/1", nil}, renew},
			[]call{seal("seal-a"), seal("office-a"), seal("root"), decrypt("inbox-a"), rotate("hub-log"), list, mounts, {"PATCH", "gm/hmac/other", tag}},
		},
		"office-service": {
			[]call{seal("office-a"), decrypt("inbox-a"), read("office-a"), read("inbox-a"), renew},
			[]call{seal("office-b"), decrypt("inbox-b"), seal("seal-a"), seal("hub-log"), read("office-b"), rotate("office-a"), list},
		},
		"office-operator": {
			[]call{seal("seal-a"), {"POST", "gm/sign/seal-a", map[string]any{"digest": digest["digest"], "approval": "x", "purpose": "seal", "key_version": 1}}, read("seal-a"), renew},
			[]call{
				seal("seal-b"), seal("office-a"), read("seal-b"), approve("seal-a"),
				{"PATCH", "gm/sign/seal-a", digest},
				rotate("seal-a"), list,
				{"PATCH", "gm/sign/seal-a", tag},
				{"PATCH", "gm/sign/seal-a", map[string]any{"batch_input": []any{digest}}},
				{"PATCH", "gm/sign/seal-a", with(map[string]any{"batch_input": []any{digest, digest}})},
				{"PATCH", "gm/sign/seal-a", with(map[string]any{"encoding": "raw"})},
				{"PATCH", "gm/sign/seal-a", with(map[string]any{"purpose": "sign"})},
				{"PATCH", "gm/sign/seal-a", map[string]any{"purpose": "seal"}},
			},
		},
		"approver": {
			[]call{approve("seal-a"), read("seal-a"), renew},
			[]call{approve("seal-b"), seal("seal-a"), rotate("seal-a"), decrypt("inbox-a"), list},
		},
		"seal-custodian": {
			[]call{rotate("seal-a"), read("seal-b"), list, {"POST", "gm/keys/seal-c", map[string]any{"purpose": "seal"}}},
			[]call{seal("seal-a"), rotate("office-a"), decrypt("inbox-a"), {"POST", "gm/keys/x", map[string]any{"purpose": "sign"}}, mounts},
		},
		"council": {
			[]call{list, read("seal-a"), {"GET", "gm/proposals?list=true", nil}, {"POST", "gm/proposals", map[string]any{"act": map[string]any{}}}, {"POST", "gm/proposals/" + strings.Repeat("ab", 16) + "/approve", digest}, {"GET", "gm/config/quorum", nil}, renew},
			[]call{
				rotate("office-a"), seal("office-a"), decrypt("inbox-a"), approve("seal-a"), mounts,
				{"POST", "gm/config/quorum", map[string]any{"needed": 1}},
				{"POST", "gm/backup/office-a", map[string]any{}},
				{"POST", "gm/restore", map[string]any{}},
				{"POST", "gm/keys/office-a/state", map[string]any{"state": "disabled"}},
			},
		},
		"key-custodian": {
			[]call{
				rotate("office-a"), read("seal-a"), list,
				{"POST", "gm/keys/new", map[string]any{"purpose": "sign"}},
				{"POST", "gm/backup/office-a", map[string]any{}},
				{"GET", "gm/wrapping_key", nil},
				{"POST", "gm/envelope/inbox-a/import", map[string]any{}},
				{"GET", "gm/proposals?list=true", nil},
			},
			[]call{
				{"PATCH", "gm/rewrap/doc-keys", map[string]any{}},
				{"POST", "gm/envelope/seal-x/import", map[string]any{}},
				{"POST", "gm/proposals", map[string]any{"act": map[string]any{}}},
				{"POST", "gm/proposals/" + strings.Repeat("ab", 16) + "/approve", digest},
				seal("office-a"), seal("seal-a"), decrypt("inbox-a"), rotate("seal-a"),
				{"PATCH", "gm/hmac/idx-names", tag},
				{"PATCH", "gm/datakey/plaintext/doc-keys", map[string]any{}},
				{"POST", "gm/keys", map[string]any{}},
				mounts,
			},
		},
		"archivist": {
			[]call{decrypt("archive-inbox"), {"PATCH", "gm/datakey/plaintext/doc-keys", map[string]any{}}, decrypt("doc-keys"), read("doc-keys")},
			[]call{seal("seal-a"), decrypt("inbox-a"), rotate("doc-keys"), seal("office-a"), list},
		},
		"auditor": {
			[]call{list, read("seal-a"), {"GET", "gm/keys/office-a/public/1", nil}, {"POST", "gm/verify/office-a", tag}, {"POST", "sys/audit-hash/file", map[string]any{"input": "x"}}, {"GET", "gm/info", nil}},
			[]call{seal("office-a"), decrypt("inbox-a"), rotate("office-a"), {"POST", "gm/keys/x", map[string]any{"purpose": "sign"}}, mounts},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.Policy(t, name, policyFile(t, name))
			_, token := s.Person(t, "person-"+name, "a", name)
			for _, one := range c.may {
				_, err := s.Ask(one.method, one.path, token, one.in)
				if denied(err) {
					t.Errorf("may not %s %s: %v", one.method, one.path, err)
				}
			}
			for _, one := range c.not {
				if _, err := s.Ask(one.method, one.path, token, one.in); !denied(err) {
					t.Errorf("may %s %s %v: %v", one.method, one.path, one.in, err)
				}
			}
		})
	}

	t.Run("two persons", func(t *testing.T) {
		_, li := s.Person(t, "li", "a", "office-operator")
		_, wang := s.Person(t, "wang", "a", "approver", "office-operator")
		operator, boss := openWith(t, s, "gm", vaultkeys.Token(li)), openWith(t, s, "gm", vaultkeys.Token(wang))
		info, err := operator.Public(t.Context(), keys.Ref{Name: "seal-a"})
		if err != nil {
			t.Fatal(err)
		}
		sealing := func(who keys.Provider, approval string) error {
			out, err := who.Sign(t.Context(), info.Ref, keys.PurposeSeal, []keys.SignItem{{Digest: sum[:], Approval: approval}})
			if err == nil {
				err = out[0].Err
			}
			if err == nil && !gm.VerifyDigest(info.Public, sum, out[0].Signature) {
				t.Error("the seal's signature does not verify")
			}
			return err
		}
		a, err := boss.Approve(t.Context(), "seal-a", sum[:])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := operator.Approve(t.Context(), "seal-a", sum[:]); !errors.Is(err, keys.ErrDenied) {
			t.Errorf("the operator approves: %v", err)
		}
		if err := sealing(boss, a.ID); !errors.Is(err, keys.ErrDenied) {
			t.Errorf("the approver seals: %v", err)
		}
		if err := sealing(operator, ""); !errors.Is(err, keys.ErrDenied) {
			t.Errorf("the operator seals alone: %v", err)
		}
		if err := sealing(operator, a.ID); err != nil {
			t.Errorf("the operator seals what was approved: %v", err)
		}
		if err := sealing(operator, a.ID); !errors.Is(err, keys.ErrDenied) {
			t.Errorf("one approval serves twice: %v", err)
		}
		everything := open(t, s, "gm", custodian(t, s, "gm")) // may call every path, but is no person
		if _, err := everything.Approve(t.Context(), "seal-a", sum[:]); !errors.Is(err, keys.ErrDenied) {
			t.Errorf("a token without an entity approves: %v", err)
		}
	})
}

// denied tells a refusal of the policies from one of the engine.
func denied(err error) bool {
	return vaulttest.Status(err) == 403 && !strings.Contains(err.Error(), "gm denied")
}
