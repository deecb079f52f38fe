package web_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"yinxin/internal/web/webtest"
)

// TestLive: the counts come by themselves when a document arrives, and to nobody whose session has ended.
func TestLive(t *testing.T) {
	hub := webtest.Start(t, nil)
	clerk := visit(t, hub.URL).signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	approver := visit(t, hub.URL).signIn("yxzf-approver", hub.Secret("yxzf-approver"))
	recipient := visit(t, hub.URL).signIn("yxjy-clerk", hub.Secret("yxjy-clerk"))
	if a := recipient.get("/live"); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("without the type of events: %d", a.status)
	}
	if a := visit(t, hub.URL).do(http.MethodGet, "/live", nil, header("Accept", "text/event-stream"), header("HX-Request", "true")); a.status != http.StatusUnauthorized {
		t.Errorf("without a session: %d", a.status)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, hub.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := recipient.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		return ""
	}
	if got := next(); !strings.Contains(got, `"inbox":0`) {
		t.Fatalf("at first %q", got)
	}
	approver.approve(clerk.draft("关于数字更新的通知", "正文。", "", nil))
	if got := next(); !strings.Contains(got, `"inbox":1`) {
		t.Errorf("after a document came: %q", got)
	}
	if a := recipient.post("/sign-out", nil); a.status != http.StatusSeeOther {
		t.Fatalf("sign out: %d", a.status)
	}
	if got := next(); got != "" {
		t.Errorf("after signing out: %q", got)
	}
}

// TestPageWeight: a page with all that it loads, but the document itself, stays under 100 kB, compressed or not.
func TestPageWeight(t *testing.T) {
	hub := webtest.Start(t, nil)
	clerk := visit(t, hub.URL).signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	for _, path := range []string{"/", "/inbox", "/compose"} {
		page := clerk.get(path).text
		total := len(page)
		for _, m := range regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`).FindAllStringSubmatch(page, -1) {
			total += len(clerk.get(strings.ReplaceAll(m[1], "&amp;", "&")).text)
		}
		if total >= 100_000 {
			t.Errorf("%s weighs %d bytes", path, total)
		}
		t.Logf("%s weighs %d bytes", path, total)
	}
}

// TestWithoutVerifier: a program without the verifier in it says so, and has nothing to hand out.
func TestWithoutVerifier(t *testing.T) {
	hub := webtest.Start(t, nil)
	v := visit(t, hub.URL)
	if a := v.get("/verify"); a.status != http.StatusOK || !strings.Contains(a.text, "make build") {
		t.Errorf("/verify: %d", a.status)
	}
	for _, path := range []string{"/verify/program.wasm.gz", "/verify/loader.js", "/verify/verify.html"} {
		if a := v.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// TestProgram: what the build leaves is one gzip file of WebAssembly, and a policy that lets it run and nothing else.
func TestProgram(t *testing.T) {
	hub := webtest.Start(t, verifier(t))
	v := visit(t, hub.URL)
	a := v.get("/verify/program.wasm.gz")
	z, err := gzip.NewReader(strings.NewReader(a.text))
	if err != nil {
		t.Fatal(err)
	}
	magic := make([]byte, 4)
	if _, err := io.ReadFull(z, magic); err != nil || string(magic) != "\x00asm" {
		t.Errorf("it begins with %q, %v", magic, err)
	}
	if b := v.do(http.MethodGet, "/verify/program.wasm.gz", nil, header("If-None-Match", a.header.Get("ETag"))); b.status != http.StatusNotModified {
		t.Errorf("asked again: %d", b.status)
	}
	p := v.get("/verify").header.Get("Content-Security-Policy")
	if !strings.Contains(p, "script-src 'self' 'wasm-unsafe-eval';") || strings.Contains(strings.ReplaceAll(p, "'wasm-unsafe-eval'", ""), "unsafe") {
		t.Errorf("policy %q", p)
	}
}
