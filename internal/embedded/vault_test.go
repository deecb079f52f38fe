package embedded_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/examples"
	"yinxin/internal/embedded"
	"yinxin/internal/httpapi/apitest"
	"yinxin/keys"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/envelope"
	"yinxin/transport/office"
	"yinxin/verdict"
)

// wire is the network between a hub and its Vault: it can be cut, or swallow everything.
type wire struct {
	net.Listener
	to   string
	mode atomic.Int32
	mu   sync.Mutex
	open []net.Conn
}

// Modes of a wire.
const (
	whole int32 = iota
	cut
	silent
)

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to}
	t.Cleanup(func() { _ = l.Close(); w.set(cut) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.carry(c)
		}
	}()
	return w
}

// set changes how the wire is from now on; connections that are open end with it.
func (w *wire) set(mode int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mode.Store(mode)
	for _, c := range w.open {
		_ = c.Close()
	}
	w.open = nil
}

func (w *wire) carry(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.mode.Load() {
	case cut:
		_ = c.Close()
		return
	case silent:
		w.open = append(w.open, c)
		return
	}
	up, err := net.Dial("tcp", w.to)
	if err != nil {
		_ = c.Close()
		return
	}
	w.open = append(w.open, c, up)
	go func() { _, _ = io.Copy(up, c); _ = up.Close() }()
	go func() { _, _ = io.Copy(c, up); _ = c.Close() }()
}

// pendingBound is the bound of this test; a hub's own is far above it.
const pendingBound = 20

// vaultExchange is a system whose every private key is in a real Vault, behind a wire.
type vaultExchange struct {
	*web
	vault *vaulttest.Server
	wire  *wire
	store *vaultkeys.Store
	ready http.Handler
	// bodies are envelopes to submit.
	bodies [][]byte
}

func startInVault(t *testing.T) *vaultExchange {
	t.Helper()
	s := vaulttest.Start(t, vaulttest.Options{})
	s.MountAt(t, "gm")
	s.Must(t, "POST", "sys/auth/approle", map[string]any{"type": "approle"})
	s.Policy(t, "all", `path "gm/*" { capabilities = ["create", "read", "update", "patch", "list"] }
path "gm/keys" { capabilities = ["update", "list"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }`)
	s.Must(t, "POST", "auth/approle/role/hub", map[string]any{"token_policies": []string{"all"}, "token_no_default_policy": true})
	id, _ := s.Must(t, "GET", "auth/approle/role/hub/role-id", nil)["role_id"].(string)
	login := vaultkeys.AppRole("approle", id, func() (string, error) {
		data, err := s.Ask("POST", "auth/approle/role/hub/secret-id", s.Root, map[string]any{})
		secret, _ := data["secret_id"].(string)
		return secret, err
	})
	x := &vaultExchange{vault: s, wire: newWire(t, strings.TrimPrefix(s.Address, "http://"))}
	var err error
	x.store, err = vaultkeys.Open(vaultkeys.Config{
		Address: "http://" + x.wire.Addr().String(), Mount: "gm", Login: login, Timeout: 3 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.store.Close() })
	x.web = &web{exchange: &exchange{t: t, dir: t.TempDir()}}
	data, err := examples.Files.ReadFile("exchange.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if x.setup, err = embedded.ParseSetup(data); err != nil {
		t.Fatal(err)
	}
	x.System, err = embedded.Open(t.Context(), embedded.Config{
		Dir: x.dir, Keys: x.store, Code: "HUB", Archive: "ARCHIVE", Fonds: "Z001", Origin: "test.yinxin/log", Authority: "test root",
		Pending: pendingBound, Clock: time.Now, Rand: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Apply(t.Context(), x.setup); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, x.Close()); err != nil {
			t.Error(err)
		}
	})
	x.serve()
	return x
}

func (x *vaultExchange) serve() {
	x.t.Helper()
	server, err := x.Server()
	if err != nil {
		x.t.Fatal(err)
	}
	h := httptest.NewServer(apitest.Load(x.t).Hold(x.t, server))
	x.t.Cleanup(h.Close)
	x.url, x.ready = h.URL, server.Operations()
}

// pack makes an envelope of the sender as an office does that has its certificates at hand.
func (x *vaultExchange) pack(n int) []byte {
	x.t.Helper()
	ctx := x.t.Context()
	certificate := func(text []byte, err error) *cert.Certificate {
		if err != nil {
			x.t.Fatal(err)
		}
		chain, err := cert.ParsePEM(text)
		if err != nil {
			x.t.Fatal(err)
		}
		return chain[0]
	}
	encryption := func(code string) *cert.Certificate {
		o, err := x.Directory.Organisation(ctx, code)
		return certificate(o.EncryptionCert, err)
	}
	o, err := x.Directory.Organisation(ctx, "YXZF")
	signing := certificate(o.SigningCert, err)
	signer, err := keys.Signer(ctx, x.store, keys.Ref{Name: "office.yxzf.sign"}, keys.PurposeSign)
	if err != nil {
		x.t.Fatal(err)
	}
	id, err := transport.NewID(time.Now(), rand.Reader)
	if err != nil {
		x.t.Fatal(err)
	}
	var out bytes.Buffer
	_, err = envelope.Pack(&out, envelope.PackOptions{
		Exchange: id, Sender: "YXZF", Own: encryption("YXZF"),
		Sign:  cms.SignOptions{Signer: signer, Certificate: signing, Time: time.Now(), Rand: rand.Reader},
		Files: []envelope.Source{{Name: "document.ofd", Content: strings.NewReader(fmt.Sprint("document ", n))}},
		Report: envelope.Report{Tool: "test", Findings: []envelope.Finding{
			{Check: envelope.FindingClassification, Verdict: verdict.Passed}, {Check: envelope.FindingSeals, Verdict: verdict.Passed},
		}},
		Recipients: []envelope.Recipient{
			{Code: "YXJY", Role: transport.To, Certificate: encryption("YXJY")},
			{Code: "ARCHIVE", Role: transport.ForArchive, Certificate: encryption("ARCHIVE")},
		},
	})
	if err != nil {
		x.t.Fatal(err)
	}
	return out.Bytes()
}

// away fails unless an error is a 503 with a time to try again, which tells nothing of where the keys are.
func (x *vaultExchange) away(what string, err error) {
	x.t.Helper()
	p, ok := errors.AsType[*api.Problem](err)
	if !ok || p.Status != http.StatusServiceUnavailable || p.Code != api.Dependency || p.RetryAfter < 1 {
		x.t.Errorf("%s: %v, want 503 with Retry-After", what, err)
		return
	}
	if strings.Contains(p.Detail, "127.0.0.1") || strings.Contains(p.Detail, "office.") {
		x.t.Errorf("%s: the answer shows %q", what, p.Detail)
	}
}

func (x *vaultExchange) health() (int, api.Health) {
	x.t.Helper()
	w := httptest.NewRecorder()
	x.ready.ServeHTTP(w, httptest.NewRequestWithContext(x.t.Context(), http.MethodGet, "/readyz", nil))
	var h api.Health
	if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil {
		x.t.Fatal(err)
	}
	return w.Code, h
}

// TestHubWithoutItsVault: while the keys are away, cut off, sealed or over the rate that Vault allows, submissions are accepted with pending receipts up to the bound and then
// refused with 503; what needs a key is refused with 503 at once; and all of it goes on by itself when Vault is back.
func TestHubWithoutItsVault(t *testing.T) {
	x := startInVault(t)
	for n := range pendingBound + 1 {
		x.bodies = append(x.bodies, x.pack(1000+n))
	}
	sender, decider, reader := x.login("yxzf-clerk"), x.login("yxzf-approver"), x.login("yxjy-clerk")
	sealing := func(seal bool) {
		t.Helper()
		if seal {
			x.vault.Seal(t)
		} else if err := x.vault.Unseal(); err != nil {
			t.Fatal(err)
		}
	}
	limiting := func(limit bool) {
		t.Helper()
		if !limit {
			x.vault.Must(t, "DELETE", "sys/quotas/rate-limit/gm", nil)
			return
		}
		x.vault.Must(t, "POST", "sys/quotas/rate-limit/gm", map[string]any{"path": "gm", "rate": 1, "interval": "1h"})
		for used := error(nil); used == nil; { // the one call of this hour
			_, used = x.vault.Ask("GET", "gm/info", x.vault.Root, nil)
		}
	}
	for n, outage := range []struct {
		name   string
		set    func(bool)
		health string
	}{
		{"cut", func(off bool) { x.wire.set(map[bool]int32{true: cut}[off]) }, "keys: unreachable"},
		{"silent", func(off bool) { x.wire.set(map[bool]int32{true: silent}[off]) }, "keys: unreachable"},
		{"limited", limiting, ""}, // Vault itself is well
		{"sealed", sealing, "keys: sealed"},
	} {
		t.Run(outage.name, func(t *testing.T) {
			defer func(parent *testing.T) { x.t = parent }(x.t)
			x.t = t
			body, d, delivery := x.pack(n), x.ask(), x.arrive()
			outage.set(true)
			sub, err := sender.SubmitBytes(t.Context(), fmt.Sprint("k", n), body)
			if err != nil || sub.Receipt != nil {
				t.Fatalf("submission: %v, receipt of %d bytes; want accepted, pending", err, len(sub.Receipt))
			}
			x.refusedWithoutKeys(decider, reader, d, delivery)
			code, h := x.health()
			if code != http.StatusOK || outage.health != "" && !slices.Contains(h.Degraded, outage.health) {
				t.Errorf("readyz %d %v", code, h.Degraded)
			}
			if outage.name == "sealed" {
				x.upToTheBound(sender)
			}
			outage.set(false)
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			if receipt, err := sender.WaitReceipt(ctx, sub.Exchange.Entry); err != nil || len(receipt) == 0 {
				t.Errorf("receipt afterwards: %v", err)
			}
			x.approveAgain(decider, d)
			if _, err := reader.OpenDocument(t.Context(), delivery); err != nil {
				t.Errorf("open afterwards: %v", err)
			}
		})
	}
}

// arrive sends a document and waits until it can be opened.
func (x *vaultExchange) arrive() string {
	x.t.Helper()
	sent := x.send()
	var id string
	x.until("arrival", func() bool {
		for _, d := range x.track(sent).Deliveries {
			if d.Recipient == "YXJY" && d.State == transport.Available {
				id = d.ID
			}
		}
		return id != ""
	})
	return id
}

// refusedWithoutKeys: sealing and opening need a key now.
func (x *vaultExchange) refusedWithoutKeys(decider, reader *client.Client, d office.Dispatch, delivery string) {
	x.t.Helper()
	decision := api.Decision{Unsealed: d.Unsealed.String(), Digest: d.Digest.String(), Approve: true}
	_, err := decider.Decide(x.t.Context(), d.ID, decision)
	x.away("seal", err)
	for range 5 { // a Vault that does not answer is found out by the first ones
		_, err = reader.OpenDocument(x.t.Context(), delivery)
		x.away("open", err)
	}
	start := time.Now()
	_, err = reader.OpenDocument(x.t.Context(), delivery)
	x.away("open", err)
	if took := time.Since(start); took > 1500*time.Millisecond {
		x.t.Errorf("the answer that the keys are away took %s", took)
	}
}

// approveAgain: an approval that was refused for want of the keys is none; given anew, the document is sent.
func (x *vaultExchange) approveAgain(decider *client.Client, d office.Dispatch) {
	x.t.Helper()
	now, err := x.Office.Dispatch(x.t.Context(), drafter, d.ID)
	if err != nil || now.State != office.Pending {
		x.t.Errorf("after the refusal the dispatch is %s, %v; want pending", now.State, err)
	}
	decision := api.Decision{Unsealed: d.Unsealed.String(), Digest: d.Digest.String(), Approve: true}
	if _, err := decider.Decide(x.t.Context(), d.ID, decision); err != nil {
		x.t.Errorf("approval afterwards: %v", err)
	}
	x.until("the approved document is sent", func() bool {
		now, err := x.Office.Dispatch(x.t.Context(), drafter, d.ID)
		return err == nil && now.State == office.Sent
	})
}

// upToTheBound submits until the hub refuses.
func (x *vaultExchange) upToTheBound(sender *client.Client) {
	x.t.Helper()
	for n := range pendingBound + 1 {
		sub, err := sender.SubmitBytes(x.t.Context(), fmt.Sprint("bound", n), x.bodies[n])
		if err == nil {
			if sub.Receipt != nil {
				x.t.Error("a receipt without the log's key")
			}
			continue
		}
		x.away("submission over the bound", err)
		if waiting, _ := x.Hub.Waiting(x.t.Context()); waiting < pendingBound || n == 0 {
			x.t.Errorf("refused after %d submissions with %d entries waiting", n, waiting)
		}
		if code, h := x.health(); code != http.StatusServiceUnavailable || h.Ready {
			x.t.Errorf("readyz at the bound: %d %v", code, h)
		}
		return
	}
	x.t.Error("no bound")
}
