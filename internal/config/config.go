// Package config reads the one file of `yinxind serve`.
//
// It promises that a file it takes is whole: no unknown key, nothing said twice, and all faults told at once. It opens
// nothing that the file names, and does not know whether a folder, a database or a Vault is there.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"yinxin/seal/picture"
	"yinxin/transport"
)

// Config is the one file of `yinxind serve`. examples/hub.yaml shows every key with its meaning, and a test reads it.
// Secrets never stand in it: keys that end in _file name files that hold them.
type Config struct {
	Hub      Hub      `yaml:"hub"`
	Listen   Listen   `yaml:"listen"`
	Data     string   `yaml:"data"`
	Database Database `yaml:"database"`
	Blobs    Blobs    `yaml:"blobs"`
	Log      Log      `yaml:"log"`
	Keys     Keys     `yaml:"keys"`
	Seals    Seals    `yaml:"seals"`
	// Fonts is a folder of TrueType faces that go before the embedded ones, for documents and seals; empty: none.
	Fonts    string   `yaml:"fonts"`
	Exchange Exchange `yaml:"exchange"`
	Limits   Limits   `yaml:"limits"`
	Scan     Scan     `yaml:"scan"`
}

// Exchange says how long recipients have, and what counts as time.
type Exchange struct {
	// Calendar is a file of office hours and holidays; left out, every hour counts.
	Calendar string `yaml:"calendar"`
	// SignFor are the limits to sign for a document by its urgency: normal, urgent, extra_urgent.
	SignFor map[transport.Urgency]time.Duration `yaml:"sign_for"`
}

// Limits bounds what one party may ask of this hub; what is left out or 0 takes the default.
type Limits struct {
	Office  Rate `yaml:"office"`
	Address Rate `yaml:"address"`
	// Submissions are worked on at once, at most.
	Submissions int         `yaml:"submissions"`
	Connections Connections `yaml:"connections"`
	Uploads     Uploads     `yaml:"uploads"`
}

// Rate is so many requests a second for long, and so many at once.
type Rate struct {
	PerSecond float64 `yaml:"per_second"`
	Burst     int     `yaml:"burst"`
}

// Connections bounds those that are open at once, together and from one address.
type Connections struct {
	All     int `yaml:"all"`
	Address int `yaml:"address"`
}

// Uploads bounds what one office has on its way in pieces.
type Uploads struct {
	Quota int64 `yaml:"quota"` // MiB together
	Open  int   `yaml:"open"`
	Hours int   `yaml:"hours"` // that an upload waits for its next piece
}

// Scan names who looks for malware before a document is sealed.
type Scan struct {
	// Clamd is where ClamAV's daemon listens, HOST:PORT or the path of its socket; left out, nobody looks.
	Clamd string `yaml:"clamd"`
}

func (c *Config) validateLimits(fault func(bad bool, format string, args ...any)) {
	for u, d := range c.Exchange.SignFor {
		fault(!slices.Contains([]transport.Urgency{transport.Normal, transport.Urgent, transport.ExtraUrgent}, u), "exchange.sign_for knows no urgency %q", u)
		fault(d <= 0, "exchange.sign_for of %s is not a time such as 24h", u)
	}
	fault(len(c.Exchange.SignFor) > 0 && len(c.Exchange.SignFor) < 3, "exchange.sign_for needs normal, urgent and extra_urgent")
	host, _, err := net.SplitHostPort(c.Scan.Clamd)
	fault(c.Scan.Clamd != "" && !strings.HasPrefix(c.Scan.Clamd, "/") && (err != nil || host == ""), "scan.clamd %q is neither HOST:PORT nor the path of a socket", c.Scan.Clamd)
	for name, r := range map[string]Rate{"office": c.Limits.Office, "address": c.Limits.Address} {
		fault((r.PerSecond == 0) != (r.Burst == 0) || r.PerSecond < 0 || r.Burst < 0, "limits.%s needs per_second and burst above 0", name)
	}
	l := c.Limits
	fault(l.Submissions < 0 || l.Connections.All < 0 || l.Connections.Address < 0 || l.Uploads.Quota < 0 || l.Uploads.Quota > 1<<30 ||
		l.Uploads.Open < 0 || l.Uploads.Hours < 0 || l.Uploads.Hours > 10_000, "limits has a number that is negative or too large")
}

// Hub names the hub.
type Hub struct {
	Code      string `yaml:"code"`
	Archive   string `yaml:"archive"`
	Fonds     string `yaml:"fonds"`
	Authority string `yaml:"authority"`
}

// Listen says where the hub is reached.
type Listen struct {
	Address     string `yaml:"address"`
	Operations  string `yaml:"operations"`
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Database names a PostgreSQL database, or leaves SQLite in the data folder.
type Database struct {
	URLFile      string `yaml:"url_file"`
	Connections  int    `yaml:"connections"`
	AuditKeyFile string `yaml:"audit_key_file"`
}

// Blobs names where large envelopes and record packages lie: a folder, or a bucket.
type Blobs struct {
	Folder string `yaml:"folder"`
	S3     *S3    `yaml:"s3"`
}

// S3 is a bucket of an S3-compatible store.
type S3 struct {
	Endpoint      string `yaml:"endpoint"`
	Bucket        string `yaml:"bucket"`
	Prefix        string `yaml:"prefix"`
	Region        string `yaml:"region"`
	AccessKey     string `yaml:"access_key"`
	SecretKeyFile string `yaml:"secret_key_file"`
	CA            string `yaml:"ca"`
	// Copies bounds the checked copies in the data folder, in MiB; 0 is 1024.
	Copies int64 `yaml:"copies"`
}

// validate tells what is wrong.
func (s *S3) validate(fault func(bad bool, format string, args ...any)) {
	at, err := url.Parse(s.Endpoint)
	good := err == nil && at.Host != "" && at.User == nil && at.RawQuery == "" && strings.Trim(at.Path, "/") == "" &&
		(at.Scheme == "https" || at.Scheme == "http")
	fault(!good, "blobs.s3.endpoint is no URL such as https://s3.example:9000")
	fault(good && at.Scheme == "http" && !onLoopback(net.JoinHostPort(at.Hostname(), "0")),
		"blobs.s3.endpoint speaks plain HTTP and is not on loopback")
	fault(s.Bucket == "", "blobs.s3.bucket is missing")
	fault(strings.HasPrefix(s.Prefix, "/") || s.Prefix != "" && !strings.HasSuffix(s.Prefix, "/"), "blobs.s3.prefix %q does not end with a slash, or begins with one", s.Prefix)
	fault(s.AccessKey == "", "blobs.s3.access_key is missing")
	fault(s.SecretKeyFile == "", "blobs.s3.secret_key_file is missing")
	fault(s.Copies < 0 || s.Copies > 1<<20, "blobs.s3.copies %d is not between 1 and %d", s.Copies, 1<<20)
}

// Log names the evidence log, its files and its anchor.
type Log struct {
	Origin string `yaml:"origin"`
	Folder string `yaml:"folder"`
	Anchor string `yaml:"anchor"`
	// Pending is how many entries may wait for the log before submissions are refused; 0 is 100,000.
	Pending int64 `yaml:"pending"`
}

// Keys names a key store: a folder of encrypted keys, or Vault.
type Keys struct {
	Folder         string `yaml:"folder"`
	PassphraseFile string `yaml:"passphrase_file"`
	ReadOnly       bool   `yaml:"read_only"`
	// Anchor is a file outside of the folder by which the store notices that folder being put back; none if empty.
	Anchor string `yaml:"anchor"`
	Vault  *Vault `yaml:"vault"`
}

// Vault is a Vault with the gm engine.
type Vault struct {
	Address string `yaml:"address"`
	Mount   string `yaml:"mount"`
	CA      string `yaml:"ca"`
	// One login: a token that somebody else makes and replaces in its file; a role of AppRole; a role of cert, with the
	// certificate and key of VAULT_CLIENT_CERT and VAULT_CLIENT_KEY.
	TokenFile       string `yaml:"token_file"`
	RoleID          string `yaml:"role_id"`
	SecretIDFile    string `yaml:"secret_id_file"`
	CertificateRole string `yaml:"certificate_role"`
}

// Seals says how large seals are, by the rank of their office; left out, the table of the program counts.
type Seals struct {
	Ranks picture.Ranks `yaml:"ranks"`
}

// maxConfig bounds the file.
const maxConfig = 1 << 20

// ErrInvalid marks a configuration that cannot be worked with.
var ErrInvalid = errors.New("configuration")

// Read reads and checks the file. A fault in it is [ErrInvalid].
func Read(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	c, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrInvalid, path, err)
	}
	return c, nil
}

// Parse reads and checks the text of a configuration, of 1 MiB at most.
func Parse(data []byte) (*Config, error) {
	if len(data) > maxConfig {
		return nil, fmt.Errorf("larger than %d bytes", maxConfig)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	c := new(Config)
	if err := dec.Decode(c); err != nil {
		return nil, err
	}
	if err := dec.Decode(new(Config)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return c, c.Validate()
}

// Validate reports every fault at once; nil if there is none.
func (c *Config) Validate() error {
	var faults []string
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	fault(!transport.ValidCode(c.Hub.Code), "hub.code %q is no code", c.Hub.Code)
	fault(c.Hub.Archive != "" && !transport.ValidCode(c.Hub.Archive), "hub.archive %q is no code", c.Hub.Archive)
	fault(c.Hub.Archive != "" && c.Hub.Fonds == "", "hub.fonds is missing, and there is an archive")
	fault(c.Hub.Authority == "", "hub.authority is missing")
	fault(c.Log.Origin == "" || strings.ContainsAny(c.Log.Origin, " +\n\t"), "log.origin %q is missing or has blanks or plus signs", c.Log.Origin)
	fault(c.Log.Pending < 0, "log.pending %d is negative", c.Log.Pending)
	fault(c.Data == "", "data is missing")
	fault(c.Database.Connections < 0 || c.Database.Connections > 1000, "database.connections %d is not between 1 and 1000", c.Database.Connections)
	fault(c.Blobs.Folder != "" && c.Blobs.S3 != nil, "blobs takes one of folder and s3")
	if c.Blobs.S3 != nil {
		c.Blobs.S3.validate(fault)
	}
	fault(c.Listen.Address == "", "listen.address is missing")
	fault((c.Listen.Certificate == "") != (c.Listen.Key == ""), "listen.certificate and listen.key belong together")
	fault(c.Listen.Address != "" && c.Listen.Certificate == "" && !onLoopback(c.Listen.Address),
		"listen.address %s is reached from outside and has no certificate: plain HTTP is for loopback alone", c.Listen.Address)
	fault(c.Listen.Operations != "" && !onLoopback(c.Listen.Operations), "listen.operations %s is not on loopback", c.Listen.Operations)
	both, none := c.Keys.Folder != "" && c.Keys.Vault != nil, c.Keys.Folder == "" && c.Keys.Vault == nil
	fault(both || none, "keys needs one of folder and vault")
	fault(c.Keys.Folder != "" && c.Keys.PassphraseFile == "", "keys.passphrase_file is missing")
	fault(c.Keys.Anchor != "" && c.Keys.Folder == "", "keys.anchor is for keys.folder")
	if v := c.Keys.Vault; v != nil {
		fault(v.Address == "", "keys.vault.address is missing")
		fault(v.Mount == "", "keys.vault.mount is missing")
		logins := 0
		for _, given := range []string{v.TokenFile, v.RoleID, v.CertificateRole} {
			if given != "" {
				logins++
			}
		}
		fault(logins != 1, "keys.vault needs one of token_file, role_id and certificate_role")
		fault((v.RoleID == "") != (v.SecretIDFile == ""), "keys.vault.role_id and keys.vault.secret_id_file belong together")
	}
	if err := c.Seals.Ranks.Validate(); err != nil {
		fault(true, "seals.ranks: %v", err)
	}
	fault(c.Seals.Ranks != nil && len(c.Seals.Ranks) == 0, "seals.ranks is empty")
	c.validateLimits(fault)
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return nil
}

func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// SecretFile reads a secret of one line.
func SecretFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return "", fmt.Errorf("%w: %s is empty", ErrInvalid, path)
	}
	return text, nil
}
