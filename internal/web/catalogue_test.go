package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"yinxin/keys"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/office"
)

// TestCatalogues: both languages have the same keys, none is empty, and placeholders agree.
func TestCatalogues(t *testing.T) {
	zh, err := loadCatalogue(chinese)
	if err != nil {
		t.Fatal(err)
	}
	en, err := loadCatalogue(english)
	if err != nil {
		t.Fatal(err)
	}
	places := regexp.MustCompile(`\{\d\}`)
	for _, key := range slices.Sorted(maps.Keys(zh)) {
		text, ok := en[key]
		if !ok || text == "" && !strings.HasSuffix(key, "separator") || zh[key] == "" {
			t.Errorf("%s: %q and %q", key, zh[key], text)
		}
		if a, b := places.FindAllString(zh[key], -1), places.FindAllString(text, -1); !slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))) {
			t.Errorf("%s: places %v and %v", key, a, b)
		}
	}
	for key := range en {
		if _, ok := zh[key]; !ok {
			t.Errorf("%s is in English alone", key)
		}
	}
}

// TestEveryTextExists: every key that a page or the code names has its text, and so has every word of a closed list.
func TestEveryTextExists(t *testing.T) {
	zh, err := loadCatalogue(chinese)
	if err != nil {
		t.Fatal(err)
	}
	want := func(where, key string) {
		if _, ok := zh[key]; !ok {
			t.Errorf("%s: no text for %s", where, key)
		}
	}
	used := regexp.MustCompile(`(?:\{\{|\()t "([a-z0-9_.]+)"`)
	pages, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		data, err := templates.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllSubmatch(data, -1) {
			want(p, string(m[1]))
		}
	}
	inCode := regexp.MustCompile(`"((?:fault|signin|compose\.fault|people\.fault)\.[a-z_.]+)"|done=([a-z_]+)"|senderAct\("([a-z]+)"`)
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inCode.FindAllSubmatch(data, -1) {
			switch {
			case len(m[1]) > 0:
				want(f, string(m[1]))
			case len(m[2]) > 0 && !bytes.HasSuffix(m[2], []byte("_")):
				want(f, "done."+string(m[2]))
			case len(m[3]) > 0:
				want(f, "done."+string(m[3]))
			}
		}
	}
	for _, s := range transport.States() {
		want("states", "state."+string(s))
	}
	for _, r := range transport.Rules() {
		want("events", "event."+string(r.Event))
	}
	for _, s := range office.States() {
		want("states of a dispatch", "dispatch."+string(s))
	}
	for _, r := range directory.Roles() {
		want("roles", "role."+string(r))
		want("roles", "can."+string(r))
	}
	for code := range transport.ReturnReasons() {
		want("reasons", "return."+code)
	}
	for _, p := range keys.Purposes() {
		want("purposes", "purpose."+string(p))
	}
	for _, m := range api.Meanings() {
		switch m.Code {
		case api.UnsupportedVersion, api.DuplicateConflict, api.PreconditionRequired, api.SignatureInvalid, api.EnvelopeInvalid:
			continue // of programs: no page can meet them
		}
		want("codes", "error."+string(m.Code))
	}
	for _, g := range (&Server{}).menu(counts{}) {
		want("menu", "nav.group."+g.Key)
		for _, it := range g.Items {
			want("menu", "nav."+it.Key)
		}
	}
}

// TestNothingInline: no page holds a style or a script of its own, nor a handler in an attribute, nor another host's address.
func TestNothingInline(t *testing.T) {
	pages, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	bad := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|javascript:|https?://|hx-on`)
	script := regexp.MustCompile(`(?i)<script(?:>|\s[^>]*>)[^<]`)
	for _, p := range pages {
		data, err := templates.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if m := bad.Find(data); m != nil {
			t.Errorf("%s holds %q", p, m)
		}
		if p == "templates/offline.html" { // its scripts are named by digest in its policy
			continue
		}
		for _, m := range script.FindAll(data, -1) {
			if !bytes.Contains(m, []byte("application/json")) {
				t.Errorf("%s holds %q", p, m)
			}
		}
	}
}

// TestVendored: htmx is the file of htmx.org 2.0.11 on npm, unchanged.
func TestVendored(t *testing.T) {
	data, err := static.ReadFile("static/htmx-2.0.11.min.js")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717" {
		t.Errorf("htmx has the SHA-256 %s", got)
	}
	if _, err := static.ReadFile("static/htmx-LICENSE.txt"); err != nil {
		t.Error(err)
	}
}
