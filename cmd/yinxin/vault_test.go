package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/keys"
	"yinxin/keys/gmwire"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
)

// vaultRun runs a command against a Vault with a token.
func vaultRun(t *testing.T, address, token string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	home := t.TempDir()
	set := map[string]string{"VAULT_TOKEN": token, "VAULT_ADDR": address, "HOME": home, "YINXIN_HOME": home}
	e := &env{
		stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(name string) string { return set[name] },
		now: time.Now, rand: rand.Reader, home: home,
	}
	return run(t.Context(), args, e), out.String(), errs.String()
}

// vaultDemo runs the demo with its keys in a Vault and gives exit code, standard output and error.
func vaultDemo(t *testing.T, address, mount, token string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	set := map[string]string{"VAULT_TOKEN": token, "HOME": t.TempDir(), "YINXIN_HOME": t.TempDir()}
	e := &env{
		stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(name string) string { return set[name] },
		now: time.Now, rand: rand.Reader, home: set["YINXIN_HOME"],
	}
	args := []string{"demo", "--out", filepath.Join(t.TempDir(), "out"), "--keys", "vault:" + address + "/" + mount}
	return run(t.Context(), args, e), out.String(), errs.String()
}

// TestDemoInVault: the whole path with every private key in a real Vault, under a token that may use this mount alone.
// Afterwards the run's keys are destroyed; their public parts stay.
func TestDemoInVault(t *testing.T) { //nolint:tparallel // the last subtest seals the server
	t.Parallel()
	s := vaulttest.Start(t, vaulttest.Options{})
	mount := s.Mount(t)
	s.Policy(t, "demo", `path "`+mount+`/*" { capabilities = ["create", "read", "update", "patch", "list"] }
path "`+mount+`/keys" { capabilities = ["update", "list"] }`)
	token := s.Token(t, "1h", "demo")
	code, stdout, stderr := vaultDemo(t, s.Address, mount, token)
	if code != exitDone || !strings.Contains(stdout, "everything passed") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	store, err := vaultkeys.Open(vaultkeys.Config{Address: s.Address, Mount: mount, Login: vaultkeys.Token(token)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	list, err := store.List(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	purposes := map[keys.Purpose]int{}
	for _, k := range list {
		purposes[k.Purpose]++
		if k.State != keys.StateDestroyed || !strings.HasPrefix(k.Name, "demo-") {
			t.Errorf("key %s of the demo is %s", k.Name, k.State)
		}
	}
	for _, p := range []keys.Purpose{keys.PurposeIssue, keys.PurposeMake, keys.PurposeCheckpoint, keys.PurposeSeal, keys.PurposeSign, keys.PurposeDecrypt} {
		if purposes[p] == 0 {
			t.Errorf("no key of purpose %s was in Vault", p)
		}
	}

	t.Run("quorum", func(t *testing.T) { demoUnderQuorum(t, s) })
	t.Run("custodians", func(t *testing.T) { custodiansInVault(t, s) })
	t.Run("refused", func(t *testing.T) {
		code, _, stderr := vaultDemo(t, s.Address, mount, "hvs.wrong")
		if code != exitRefused || strings.Contains(stderr, "hvs.wrong") {
			t.Errorf("with a wrong token: exit %d\n%s", code, stderr)
		}
	})
	t.Run("sealed", func(t *testing.T) {
		s.Seal(t)
		start := time.Now()
		code, _, stderr := vaultDemo(t, s.Address, mount, token)
		if code != exitUnreachable || !strings.Contains(stderr, "sealed") || time.Since(start) > 5*time.Second {
			t.Errorf("sealed: exit %d after %s\n%s", code, time.Since(start), stderr)
		}
	})
}

// demoUnderQuorum: where several must consent to destroying, the demo does its whole path, and leaves its keys disabled.
func demoUnderQuorum(t *testing.T, s *vaulttest.Server) {
	mount := s.Mount(t)
	store, err := vaultkeys.Open(vaultkeys.Config{Address: s.Address, Mount: mount, Login: vaultkeys.Token(s.Root)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rule := keys.Quorum{Needed: 2}
	for _, name := range []string{"first", "second", "third"} {
		id, _ := s.Must(t, "POST", "identity/entity", map[string]any{"name": name})["id"].(string)
		rule.Members = append(rule.Members, keys.Member{ID: id})
	}
	if err := store.SetQuorum(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	s.Policy(t, "demo-guarded", `path "`+mount+`/*" { capabilities = ["create", "read", "update", "patch", "list"] }
path "`+mount+`/keys" { capabilities = ["update", "list"] }`)
	code, stdout, stderr := vaultDemo(t, s.Address, mount, s.Token(t, "1h", "demo-guarded"))
	if code != exitDone || !strings.Contains(stdout, "everything passed") || !strings.Contains(stderr, "takes the quorum") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	list, err := store.List(t.Context(), "", 0)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, k := range list {
		if k.State != keys.StateDisabled {
			t.Errorf("key %s of the demo is %s", k.Name, k.State)
		}
	}
}

func TestDemoWithoutVault(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil { // nobody listens there now
		t.Fatal(err)
	}
	if code, _, stderr := vaultDemo(t, "http://"+l.Addr().String(), "gm", "t"); code != exitUnreachable {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	if code, _, stderr := vaultDemo(t, "", "", "t"); code != exitUsage {
		t.Errorf("no address: exit %d\n%s", code, stderr)
	}
}

// custodiansInVault: the commands of a custodian's guide over a real Vault. Three custodians and a key custodian have
// accounts of their own under the policies of deploy/vault; the root token sets up alone.
func custodiansInVault(t *testing.T, s *vaulttest.Server) {
	s.MountAt(t, "gm")
	s.Must(t, "POST", "sys/auth/userpass", map[string]any{"type": "userpass"})
	ids, tokens := map[string]string{}, map[string]string{}
	for name, policies := range map[string][]string{
		"kong": {"key-custodian"}, "li": {"council"}, "wang": {"council"}, "zhao": {"council"}, "qian": {"key-custodian", "council"},
	} {
		for _, p := range policies {
			text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "vault", p+".hcl"))
			if err != nil {
				t.Fatal(err)
			}
			s.Policy(t, p, string(text))
		}
		ids[name], tokens[name] = s.Person(t, name, "a", policies...)
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	as := func(who string, want int, args ...string) string {
		t.Helper()
		args = append(args, "--json")
		if args[0] == "keys" {
			args = append(args, "--keys", "vault:"+s.Address+"/gm")
		}
		code, stdout, stderr := vaultRun(t, s.Address, tokens[who], args...)
		if code != want || strings.Contains(stderr, tokens[who]) {
			t.Fatalf("%s: yinxin %s: exit %d, want %d\n%s%s", who, strings.Join(args, " "), code, want, stdout, stderr)
		}
		return stdout
	}
	as("kong", exitDone, "keys", "create", "office-a", "--purpose", "sign", "--destroyable")
	as("kong", exitDone, "keys", "create", "doc-keys", "--purpose", "wrap", "--rotate-every", "720h")
	as("kong", exitRefused, "keys", "create", "office-a", "--purpose", "sign")
	as("kong", exitDone, "keys", "csr", "office-a", "--name", "OFFICE A", "--code", "A", "--out", at("a.csr"))
	as("kong", exitDone, "keys", "quorum", "--needed", "2", "--member", ids["li"]+"=Li", "--member", ids["wang"], "--member", ids["zhao"])
	as("kong", exitDone, "keys", "rotate", "office-a", "--expect", "1")
	as("kong", exitRefused, "keys", "rotate", "office-a", "--expect", "1")
	as("kong", exitDone, "keys", "config", "office-a", "--min-use", "2", "--min-decrypt", "2")
	as("kong", exitRefused, "keys", "trim", "office-a", "--below", "2")
	as("qian", exitRefused, "keys", "propose", "trim", "office-a", "--below", "2") // may call the path, but is no member
	as("kong", exitRefused, "keys", "propose", "trim", "office-a", "--below", "2")
	var p keys.Proposal
	if err := json.Unmarshal([]byte(as("li", exitDone, "keys", "propose", "trim", "office-a", "--below", "2")), &p); err != nil {
		t.Fatal(err)
	}
	digest := hex.EncodeToString(p.Digest)
	as("li", exitRefused, "keys", "approve", p.ID, "--digest", digest)
	as("wang", exitDone, "keys", "approve", p.ID, "--digest", digest)
	if out := as("zhao", exitDone, "keys", "approve", p.ID, "--digest", digest); !strings.Contains(out, `"state":"done"`) {
		t.Errorf("after the last consent: %s", out)
	}
	if out := as("kong", exitDone, "keys", "show", "office-a"); !strings.Contains(out, `"state":"destroyed"`) {
		t.Errorf("after the trim: %s", out)
	}
	as("li", exitRefused, "keys", "state", "office-a", "disabled") // consents, and does nothing else
	as("kong", exitDone, "keys", "expiring")

	rewrapInVault(t, s, as, at)
	sealInVault(t, s)
}

// sealInVault: with a seal key that takes approvals an office's operator and its approver seal together, each logged in as
// oneself under the policies of deploy/vault, and neither alone.
func sealInVault(t *testing.T, s *vaulttest.Server) {
	t.Helper()
	tokens := map[string]string{}
	for name, policy := range map[string]string{"bao": "seal-custodian", "sun": "office-operator", "zhou": "approver"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "vault", policy+".hcl"))
		if err != nil {
			t.Fatal(err)
		}
		s.Policy(t, policy, string(text))
		_, tokens[name] = s.Person(t, name, "a", policy)
	}
	at := filepath.Join(t.TempDir(), "w")
	as := func(who string, want int, args ...string) (stdout, stderr string) {
		t.Helper()
		for i, a := range args {
			args[i] = strings.ReplaceAll(a, "W/", at+"/")
		}
		code, stdout, stderr := vaultRun(t, s.Address, tokens[who], args...)
		if code != want || strings.Contains(stderr, tokens[who]) {
			t.Fatalf("%s: yinxin %s: exit %d, want %d\n%s%s", who, strings.Join(args, " "), code, want, stdout, stderr)
		}
		return stdout, stderr
	}
	if err := (&worldBuilder{dir: at}).build(); err != nil {
		t.Fatal(err)
	}
	inVault := "--keys=vault:" + s.Address + "/gm"
	as("bao", exitDone, "keys", "create", "seal-a", "--purpose", "seal", "--approval-required", inVault)
	as("bao", exitDone, "keys", "csr", "seal-a", "--name", "云溪市人民政府办公室", "--code", "YXZF", "--out", "W/a.csr", inVault)
	as("bao", exitDone, "cert", "issue", "--ca-key", "file:W/ca.key", "--ca-cert", "W/root.pem", "--csr", "W/a.csr", "--use", "sign", "--out", "W/a.pem")
	as("bao", exitDone, "keys", "import-cert", "seal-a", "W/a.pem", "W/root.pem", inVault)
	as("bao", exitDone, "seal", "make", "--name", "云溪市人民政府办公室", "--cert", "W/a.pem", "--maker-key", "file:W/maker.key", "--maker-cert", "W/maker.pem", "--out", "W/a.esl")

	const key = "vault:seal-a"
	unsealed, out := "W/moved.ofd", "W/sealed.ofd"
	as("sun", exitRefused, "seal", "apply", "--seal", "W/a.esl", "--key", key, "--at", "1,100,100", unsealed, out) // the operator alone
	as("sun", exitDone, "seal", "prepare", "--seal", "W/a.esl", "--key", key, "--at", "1,100,100", unsealed, "W/plan")
	approve := []string{"keys", "approve-seal", "seal-a", "--prepared", "W/plan", "--document", unsealed, inVault, "--json"}
	as("sun", exitRefused, approve...) // who approves is another person, whom Vault knows
	as("bao", exitRefused, approve...)
	stdout, stderr := as("zhou", exitDone, approve...)
	var a sealApproval
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || a.ID == "" || !strings.Contains(stderr, "page 1 at 100,100 mm") {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	apply := []string{"seal", "apply", "--prepared", "W/plan", "--key", key, "--approval", a.ID, "--root", "W/root.pem", unsealed, out}
	as("zhou", exitRefused, apply...) // the approver alone
	as("bao", exitRefused, apply...)
	if _, err := os.Stat(filepath.Join(at, "sealed.ofd")); err == nil {
		t.Error("it was sealed by one person")
	}
	if stdout, _ := as("sun", exitDone, apply...); !strings.Contains(stdout, "approval: "+a.ID) || !strings.Contains(stdout, "read back: passed") {
		t.Errorf("sealed: %s", stdout)
	}
	as("sun", exitDone, "verify", out, "--root", "W/root.pem")
	as("sun", exitRefused, append(apply[:len(apply)-1:len(apply)-1], "W/again.ofd")...) // once
}

// rewrapInVault: wrapped data keys move to the new version, also where the first run was cut off.
func rewrapInVault(t *testing.T, s *vaulttest.Server, as func(who string, want int, args ...string) string, at func(string) string) {
	t.Helper()
	text := `path "gm/datakey/*" { capabilities = ["update", "patch"] }
path "gm/decrypt/*" { capabilities = ["update", "patch"] }`
	s.Policy(t, "data", text)
	store, err := vaultkeys.Open(vaultkeys.Config{Address: s.Address, Mount: "gm", Login: vaultkeys.Token(s.Token(t, "1h", "data"))})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var lines, plains [][]byte
	for range 2 {
		aad := make([][]byte, 200)
		for i := range aad {
			aad[i] = []byte{byte(i)}
		}
		made, err := store.DataKey(t.Context(), keys.Ref{Name: "doc-keys"}, aad)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made {
			line, err := json.Marshal(wrappedLine{ID: "d", Ciphertext: gmwire.Versioned(m.Wrapped.Version, m.Wrapped.Data), AssociatedData: m.Wrapped.AAD})
			if err != nil {
				t.Fatal(err)
			}
			lines, plains = append(lines, line), append(plains, m.Plain)
		}
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(at(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wrapped", append(bytes.Join(lines, []byte{'\n'}), '\n'))
	as("kong", exitDone, "keys", "rotate", "doc-keys")
	as("kong", exitRefused, "keys", "rewrap", "doc-keys", "--in", at("wrapped"), "--out", at("moved")) // a custodian uses no key
	s.Policy(t, "key-custodian", `path "gm/rewrap/*" { capabilities = ["update", "patch"] }`)
	as("kong", exitDone, "keys", "rewrap", "doc-keys", "--in", at("wrapped"), "--out", at("moved"))
	moved, err := os.ReadFile(at("moved"))
	if err != nil {
		t.Fatal(err)
	}
	write("moved", moved[:len(moved)/3]) // as a crash leaves it: in the middle of a line
	if out := as("kong", exitDone, "keys", "rewrap", "doc-keys", "--in", at("wrapped"), "--out", at("moved")); !strings.Contains(out, `"total":400`) || !strings.Contains(out, `"oldest_in_use":2`) || strings.Contains(out, `"resumed":0`) {
		t.Errorf("resumed: %s", out)
	}
	if moved, err = os.ReadFile(at("moved")); err != nil {
		t.Fatal(err)
	}
	got := bytes.Split(bytes.TrimSpace(moved), []byte{'\n'})
	if len(got) != len(lines) {
		t.Fatalf("%d lines of %d", len(got), len(lines))
	}
	for _, i := range []int{0, 133, 399} {
		var one wrappedLine
		if err := json.Unmarshal(got[i], &one); err != nil {
			t.Fatal(err)
		}
		n, data, err := gmwire.ParseVersioned(one.Ciphertext)
		if err != nil {
			t.Fatal(err)
		}
		out, err := store.Decrypt(t.Context(), "doc-keys", keys.PurposeWrap, []keys.Ciphertext{{Version: n, Data: data, AAD: one.AssociatedData}})
		if err != nil || !bytes.Equal(out[0].Plain, plains[i]) {
			t.Errorf("data key %d after the move: %v", i, err)
		}
	}
}
