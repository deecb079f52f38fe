package config_test

import (
	"strings"
	"testing"
	"time"

	"yinxin/examples"
	"yinxin/internal/config"
	"yinxin/transport"
)

func TestExampleConfiguration(t *testing.T) {
	data, err := examples.Files.ReadFile("hub.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if c.Hub.Code != "HUB" || c.Database.Connections != 24 || c.Log.Anchor == "" || c.Seals.Ranks["county"] != 42 ||
		c.Exchange.SignFor[transport.Urgent] != 8*time.Hour || c.Limits.Office.Burst != 5000 || c.Limits.Uploads.Quota != 4096 {
		t.Errorf("the example reads as %+v", c)
	}
}

func TestConfigurationFaults(t *testing.T) {
	good := `hub: {code: H, authority: a}
listen: {address: "127.0.0.1:0"}
data: d
log: {origin: o/log}
keys: {folder: k, passphrase_file: p}
`
	if _, err := config.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"unknown key":        {good + "colour: red\n", "colour"},
		"twice":              {good + "---\n" + good, "more than one document"},
		"empty":              {"", "EOF"},
		"open to the world":  {strings.Replace(good, "127.0.0.1:0", "0.0.0.0:80", 1), "has no certificate"},
		"operations outside": {strings.Replace(good, `:0"`, `:0", operations: "0.0.0.0:1"`, 1), "listen.operations"},
		"half a certificate": {strings.Replace(good, `:0"`, `:0", certificate: c`, 1), "belong together"},
		"two key stores":     {strings.Replace(good, "folder: k", "folder: k, vault: {address: a, mount: m, token_file: t}", 1), "one of folder and vault"},
		"vault half told":    {strings.Replace(good, "folder: k, passphrase_file: p", "vault: {address: a}", 1), "keys.vault.mount is missing; keys.vault needs one of"},
		"two Vault logins":   {strings.Replace(good, "folder: k, passphrase_file: p", "vault: {address: a, mount: m, token_file: t, role_id: r, secret_id_file: s}", 1), "needs one of token_file, role_id"},
		"half an AppRole":    {strings.Replace(good, "folder: k, passphrase_file: p", "vault: {address: a, mount: m, role_id: r}", 1), "secret_id_file belong together"},
		"negative bound":     {strings.Replace(good, "origin: o/log", "origin: o/log, pending: -1", 1), "log.pending"},
		"all faults at once": {"data: ''\n", "hub.code \"\" is no code; hub.authority is missing; log.origin"},
		"a seal too large":   {good + "seals: {ranks: {state: 600}}\n", "seals.ranks: "},
		"no rank":            {good + "seals: {ranks: {}}\n", "seals.ranks is empty"},
		"a rank twice":       {good + "seals: {ranks: {a: 42, a: 45}}\n", "already defined"},
		"folder and bucket":  {good + "blobs: {folder: b, s3: {endpoint: 'https://h', bucket: b, access_key: a, secret_key_file: s}}\n", "blobs takes one of"},
		"half a bucket":      {good + "blobs: {s3: {endpoint: 'https://h', prefix: p}}\n", "does not end with a slash, or begins with one; blobs.s3.access_key is missing"},
		"a bucket in clear":  {good + "blobs: {s3: {endpoint: 'http://h:1', bucket: b, access_key: a, secret_key_file: s}}\n", "is not on loopback"},
		"a secret in a URL":  {good + "blobs: {s3: {endpoint: 'https://a:b@h', bucket: b, access_key: a, secret_key_file: s}}\n", "blobs.s3.endpoint is no URL"},
		"an urgency":         {good + "exchange: {sign_for: {soon: 1h}}\n", "no urgency \"soon\""},
		"no time":            {good + "exchange: {sign_for: {normal: -1h}}\n", "is not a time such as 24h"},
		"a limit missing":    {good + "exchange: {sign_for: {normal: 1h}}\n", "needs normal, urgent and extra_urgent"},
		"no scanner":         {good + "scan: {clamd: clamd}\n", "scan.clamd"},
		"half a rate":        {good + "limits: {office: {per_second: 5}}\n", "limits.office needs per_second and burst"},
		"a negative limit":   {good + "limits: {uploads: {open: -1}}\n", "negative or too large"},
		"archive, no fonds":  {strings.Replace(good, "code: H", "code: H, archive: X", 1), "hub.fonds"},
	} {
		if _, err := config.Parse([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	data, err := examples.Files.ReadFile("hub.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("hub: {code: [}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := config.Parse(data); err == nil && c.Validate() != nil {
			t.Error("a configuration that is not valid was taken")
		}
	})
}
