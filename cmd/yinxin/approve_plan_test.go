package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/internal/embedded"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/transport/api"
	"yinxin/transport/client"
)

// otherKeys is a store that is no file store to the hub: one in which it would be somebody.
type otherKeys struct{ *filekeys.Store }

// TestPreviewTellsWhatTheKeyWillSign: the digests that the hub wants approved in the key store come out of the previewed files, too;
// where they do not, nothing is to be approved.
func TestPreviewTellsWhatTheKeyWillSign(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	o := filekeys.Options{KDF: filekeys.KDF{MemoryKiB: filekeys.MinMemoryKiB, Time: 1, Threads: 1}}
	store, err := filekeys.Create(ctx, filepath.Join(dir, "keys"), []byte("a passphrase for tests"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	_, err = store.Create(ctx, keys.CreateOptions{
		Name: "office.yxzf.seal", Purpose: keys.PurposeSeal, ApprovalRequired: true, Labels: map[string]string{"office": "YXZF"},
	})
	if err != nil {
		t.Fatal(err)
	}
	system, err := embedded.Open(ctx, embedded.Config{
		Dir: filepath.Join(dir, "hub"), Keys: otherKeys{store}, Code: "HUB", Archive: "ARCHIVE", Fonds: "Z001",
		Origin: "test.yinxin/log", Authority: "test root", Clock: time.Now, Rand: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer system.Close()
	setup, draft, err := demoFiles()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := system.Apply(ctx, setup); err != nil {
		t.Fatal(err)
	}
	handler, err := system.Server()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	login := func(account string) *client.Client {
		secret, err := system.Directory.SetSecret(ctx, account, "")
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.New(server.URL, client.Options{Tries: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Login(ctx, account, secret); err != nil {
			t.Fatal(err)
		}
		return c
	}
	text := strings.Replace(string(draft), "    file: schedule.csv\n", "", 1)
	d, err := login("yxzf-clerk").AskForSeal(ctx, api.DispatchRequest{Draft: text, To: []string{"YXJY"}})
	if err != nil || d.SealingKey == nil {
		t.Fatalf("%+v, %v", d, err)
	}
	approver := login("yxzf-approver")
	e := &env{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, now: time.Now, rand: rand.Reader}
	look := filepath.Join(dir, "look")
	if err := e.previewDispatch(ctx, approver, d.ID, look); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"document.ofd": d.SealingKey.OFD, "document.pdf": d.SealingKey.PDF} {
		path := filepath.Join(look, name)
		sum, _, err := e.approvePlan(path+".plan", path) // what keys approve-seal --prepared computes
		if err != nil || hex.EncodeToString(sum) != want {
			t.Errorf("%s: digest %x, %v; the hub's is %s", name, sum, err, want)
		}
		if err := os.Remove(path + ".plan"); err != nil {
			t.Fatal(err)
		}
	}
	d.SealingKey.PDF = d.SealingKey.OFD
	var told *refusal
	if err := e.savePlans(ctx, approver, d, look); !errors.As(err, &told) || told.code != "digest_mismatch" {
		t.Errorf("a hub that wants something else approved: %v", err)
	}
}
