package faults

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// Acknowledged is a submission that a hub said it has accepted.
type Acknowledged struct {
	Exchange string
	Body     transport.Digest
	// Receipt is there where the hub waited for it.
	Receipt []byte
}

// Journal is what the clients know: every try, every acknowledgement, every refusal.
type Journal struct {
	mu           sync.Mutex
	Acknowledged []Acknowledged
	// Bodies are all envelopes that were ever sent, by exchange.
	Bodies map[string]transport.Digest
	Tries  int
	// Failures counts answers that were none, or asked to come again.
	Failures int
	// Refused are answers that must not happen: every submission is good.
	Refused []string
	// Broken are promises that the trouble itself saw broken, such as a hub that does not come back.
	Broken []string
	// Slowest is the longest that one submission took until it was acknowledged.
	Slowest time.Duration
}

// Sender packs and submits documents of office A.
type Sender struct {
	// Size of a document in bytes; 0: 2 KB, which travels in the database.
	Size int

	keys      *filekeys.Store
	sign      cms.SignOptions
	own       *cert.Certificate
	to, store *cert.Certificate
}

// NewSender opens the sender's keys and the directory.
func NewSender(ctx context.Context, c *Cluster) (*Sender, error) {
	store, err := filekeys.Open(ctx, filepath.Join(c.Dir, "keys"), []byte(passphrase), filekeys.Options{Rand: rand.Reader, Now: time.Now, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("open the sender's keys: %w", err)
	}
	s := &Sender{keys: store}
	certificates := map[string]**cert.Certificate{"A": &s.own, "C": &s.to, "ARCHIVE": &s.store}
	var signing *cert.Certificate
	for code, into := range certificates {
		o, err := c.Client(0).Organisation(ctx, code)
		if err != nil {
			return nil, fmt.Errorf("office %s: %w", code, err)
		}
		if *into, err = firstPEM(o.EncryptionCert); err != nil {
			return nil, err
		}
		if code != "A" {
			continue
		}
		if signing, err = firstPEM(o.SigningCert); err != nil {
			return nil, err
		}
	}
	info, err := store.Public(ctx, keys.Ref{Name: "office.a.sign"})
	if err != nil {
		return nil, fmt.Errorf("the sender's key: %w", err)
	}
	signer, err := keys.Signer(ctx, store, info.Ref, keys.PurposeSign)
	if err != nil {
		return nil, fmt.Errorf("the sender's key: %w", err)
	}
	s.sign = cms.SignOptions{Signer: signer, Certificate: signing, Rand: rand.Reader}
	return s, nil
}

func firstPEM(text string) (*cert.Certificate, error) {
	all, err := cert.ParsePEM([]byte(text))
	if err != nil || len(all) == 0 {
		return nil, fmt.Errorf("certificate of an office: %w", err)
	}
	return all[0], nil
}

// Close closes the keys.
func (s *Sender) Close() error { return s.keys.Close() }

// pack makes an envelope.
func (s *Sender) pack() (id string, body []byte, err error) {
	if id, err = transport.NewID(time.Now(), rand.Reader); err != nil {
		return "", nil, err
	}
	document := make([]byte, cmp.Or(s.Size, 2<<10))
	if _, err := rand.Read(document); err != nil {
		return "", nil, err
	}
	sign := s.sign
	sign.Time = time.Now()
	var out bytes.Buffer
	_, err = envelope.Pack(&out, envelope.PackOptions{
		Exchange: id, Sender: "A", Own: s.own, Sign: sign,
		Files: []envelope.Source{{Name: "document.ofd", Content: bytes.NewReader(document)}},
		Report: envelope.Report{Tool: "faults", Findings: []envelope.Finding{
			{Check: envelope.FindingClassification, Verdict: verdict.Passed}, {Check: envelope.FindingSeals, Verdict: verdict.Passed},
		}},
		Recipients: []envelope.Recipient{
			{Code: "C", Role: transport.To, Certificate: s.to}, {Code: "ARCHIVE", Role: transport.ForArchive, Certificate: s.store},
		},
	})
	return id, out.Bytes(), err
}

// Load submits from some clients until ctx ends. Each sends the same bytes under the same key, to
// any hub, until one acknowledges them.
func (s *Sender) Load(ctx context.Context, c *Cluster, clients int, j *Journal) error {
	var wg sync.WaitGroup
	failed := make(chan error, clients)
	for n := range clients {
		wg.Go(func() {
			for at := n; ctx.Err() == nil; at++ {
				id, body, err := s.pack()
				if err != nil {
					failed <- err
					return
				}
				j.sent(id, body)
				s.insist(ctx, c, at, id, body, j)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("pack: %w", err)
	default:
		return nil
	}
}

// insist sends one envelope until it is acknowledged: half of the tries do not wait for the receipt. It
// outlives ctx for a while, so that what is under way comes to an end.
func (s *Sender) insist(ctx context.Context, c *Cluster, hub int, id string, body []byte, j *Journal) {
	began := time.Now()
	end := began.Add(time.Minute)
	for ; time.Now().Before(end) && !j.broken(); hub++ {
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		client := c.Client(hub)
		if upTo(2) == 0 {
			client = c.Hasty(hub)
		}
		got, err := client.SubmitBytes(try, id, body)
		cancel()
		if err == nil {
			j.acknowledged(Acknowledged{Exchange: got.Exchange.ID, Body: gm.SM3(body), Receipt: got.Receipt}, time.Since(began))
			return
		}
		if !j.failed(err) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Count is how many submissions were acknowledged so far.
func (j *Journal) Count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.Acknowledged)
}

// Break notes a promise that was seen broken.
func (j *Journal) Break(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Broken = append(j.Broken, fmt.Sprintf(format, args...))
}

// broken says whether there is one.
func (j *Journal) broken() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.Broken) > 0
}

func (j *Journal) sent(id string, body []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.Bodies == nil {
		j.Bodies = map[string]transport.Digest{}
	}
	j.Bodies[id] = gm.SM3(body)
}

func (j *Journal) acknowledged(a Acknowledged, took time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Tries++
	j.Acknowledged = append(j.Acknowledged, a)
	j.Slowest = max(j.Slowest, took)
}

// failed notes an answer that is none, and reports whether to try again.
func (j *Journal) failed(err error) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Tries++
	if p, ok := asProblem(err); ok && !p.Retryable && p.Code != api.InProgress {
		j.Refused = append(j.Refused, fmt.Sprintf("%s: %s", p.Code, p.Detail))
		return false
	}
	j.Failures++
	return true
}
