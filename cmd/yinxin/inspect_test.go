package main

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
	"yinxin/crypto/tsp"
)

// TestInspectTimeStamps: what goes to a time-stamp authority and comes back says what it is, and a spoilt one does not.
func TestInspectTimeStamps(t *testing.T) {
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	pki := certtest.New(t, "root", at)
	key := certtest.Key(t)
	own, err := pki.IssueTimestamp(cert.Subject("Time", ""), key.PublicKey(), cert.IssueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	authority, err := tsp.NewAuthority(tsp.AuthorityOptions{Signer: key, Certificate: own, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	q, err := tsp.NewRequest(gm.SM3([]byte("data")), tsp.PilotPolicy, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := authority.Respond(q.Raw)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	refusal, _ := authority.Respond([]byte("no request"))
	tests := []struct {
		data  []byte
		kind  string
		shows string
	}{
		{q.Raw, "timestamp_request", "policy 2.999.3161.1"},
		{answer, "timestamp_response", "granted\n  claims 2026-11-21T08:00:00Z, by CN=Time"},
		{refusal, "timestamp_response", "not granted (status 2, badDataFormat)"},
		{r.Token, "timestamp", "claims 2026-11-21T08:00:00Z, by CN=Time"},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			v := inspection{File: "f"}
			if err := v.content(tt.data); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			v.print(&out)
			if v.Type != tt.kind || !strings.Contains(out.String(), tt.shows) {
				t.Errorf("%s, want %s:\n%s", v.Type, tt.kind, out.String())
			}
			v = inspection{File: "f"}
			if err := v.content(append(tt.data, 0)); err == nil {
				t.Errorf("with a byte after it: %s", v.Type)
			}
		})
	}
}
