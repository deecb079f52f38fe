package keystest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/keystest/vaulttest"
	"yinxin/keys/vaultkeys"
)

// rival is the engine and Vault's built-in transit on one server, called in the same way with the same token.
type rival struct {
	server *vaulttest.Server
	token  string
	client *http.Client
	digest string
}

func newRival(b *testing.B) *rival {
	b.Helper()
	s := vaulttest.Start(b, vaulttest.Options{})
	s.MountAt(b, "gm")
	s.Must(b, "POST", "sys/mounts/transit", map[string]any{"type": "transit"})
	s.Policy(b, "both", `path "gm/*" { capabilities = ["read", "update", "patch"] }
path "transit/*" { capabilities = ["read", "update", "patch"] }
path "auth/token/lookup-self" { capabilities = ["read"] }`)
	sum := gm.SM3([]byte("e"))
	r := &rival{
		server: s, token: s.Token(b, "1h", "both"), digest: base64.StdEncoding.EncodeToString(sum[:]),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}},
	}
	s.Must(b, "POST", "gm/keys/k", map[string]any{"purpose": "sign"})
	s.Must(b, "POST", "transit/keys/k", map[string]any{"type": "ecdsa-p256"})
	return r
}

// sign makes one call of n signatures. short sends ours as one text, as the hub's client does with digests.
func (r *rival) sign(b *testing.B, ours, short bool, n int) {
	method, path, field := http.MethodPost, "transit/sign/k", "input"
	if ours {
		method, path, field = http.MethodPatch, "gm/sign/k", "digest"
	}
	one := map[string]any{field: r.digest}
	body := map[string]any{"prehashed": true, "hash_algorithm": "sha2-256"}
	if ours {
		body = map[string]any{"purpose": "sign"}
	}
	switch {
	case n == 1:
		body[field] = r.digest
	case ours && short:
		sum := gm.SM3([]byte("e"))
		body["digests"] = strings.Repeat(hex.EncodeToString(sum[:]), n)
	default:
		batch := make([]any, n)
		for i := range batch {
			batch[i] = one
		}
		body["batch_input"] = batch
	}
	text, err := json.Marshal(body)
	if err != nil {
		b.Error(err)
		return
	}
	req, err := http.NewRequestWithContext(b.Context(), method, r.server.Address+"/v1/"+path, bytes.NewReader(text))
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("X-Vault-Token", r.token)
	if ours {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(answer, []byte(`"error"`)) {
		b.Errorf("%s: status %d: %.200s", path, resp.StatusCode, answer)
	}
}

// rate is how many calls a second come back with so many under way at once.
func rate(connections, calls int, call func()) float64 {
	var next atomic.Int64
	var wait sync.WaitGroup
	start := time.Now()
	for range connections {
		wait.Go(func() {
			for next.Add(1) <= int64(calls) {
				call()
			}
		})
	}
	wait.Wait()
	return float64(calls) / time.Since(start).Seconds()
}

// rounds is how often both sides take turns in one measurement.
const rounds = 5

// BenchmarkVaultSign compares signatures through the engine with those through transit's ECDSA on the same server with the
// same token, in turns: single ones, batches of items, and of digests in the short form.
func BenchmarkVaultSign(b *testing.B) {
	r := newRival(b)
	for _, c := range []struct {
		name                     string
		connections, batch, call int
		short                    bool
	}{{"1", 1, 1, 200, false}, {"16", 16, 1, 800, false}, {"Batch64", 1, 64, 40, false}, {"Digests64", 1, 64, 40, true}} {
		b.Run(c.name, func(b *testing.B) {
			var ours, theirs float64
			for range b.N {
				for range rounds {
					theirs += rate(c.connections, c.call, func() { r.sign(b, false, false, c.batch) })
					ours += rate(c.connections, c.call, func() { r.sign(b, true, c.short, c.batch) })
				}
			}
			n := float64(b.N*rounds) / float64(c.batch)
			b.ReportMetric(ours/n, "signs/s")
			b.ReportMetric(theirs/n, "probe-signs/s")
			b.ReportMetric(ours/theirs, "ratio")
		})
	}
}

// BenchmarkVaultCoalescing compares 64 signers that share one client, whose calls travel together, with clients of one signer
// each, of the same kind and doing the same (each signature is verified where it arrives), whose calls travel alone: one of
// them, and 64.
func BenchmarkVaultCoalescing(b *testing.B) {
	r := newRival(b)
	client := func() *vaultkeys.Store {
		s, err := vaultkeys.Open(vaultkeys.Config{Address: r.server.Address, Mount: "gm", Login: vaultkeys.Token(r.token)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		return s
	}
	digest := gm.SM3([]byte("e"))
	sign := func(s *vaultkeys.Store) {
		out, err := s.Sign(context.Background(), keys.Ref{Name: "k", Version: 1}, keys.PurposeSign, []keys.SignItem{{Digest: digest[:]}})
		if err == nil {
			err = out[0].Err
		}
		if err != nil {
			b.Error(fmt.Errorf("sign: %w", err))
		}
	}
	together := client()
	for _, alone := range []int{1, 64} {
		free := make(chan *vaultkeys.Store, alone)
		for range alone {
			free <- client()
		}
		b.Run(fmt.Sprintf("Against%d", alone), func(b *testing.B) {
			var ours, theirs float64
			for range b.N {
				for range rounds {
					theirs += rate(alone, 10*max(alone, 20), func() {
						s := <-free
						sign(s)
						free <- s
					})
					ours += rate(64, 3000, func() { sign(together) })
				}
			}
			n := float64(b.N * rounds)
			b.ReportMetric(ours/n, "signs/s")
			b.ReportMetric(theirs/n, "probe-signs/s")
			b.ReportMetric(ours/theirs, "ratio")
		})
	}
}
