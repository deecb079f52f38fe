package web_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"yinxin/internal/web/webtest"
)

// visitor speaks to the console as a program would, with a browser's cookies.
type visitor struct {
	t      *testing.T
	base   string
	client *http.Client
	// urgency is that of the documents it writes.
	urgency string
}

func visit(t *testing.T, base string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, base, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, "平件"}
}

// answer is the status, the header and the text of a response.
type answer struct {
	status int
	header http.Header
	text   string
}

func (v *visitor) do(method, path string, form url.Values, change ...func(*http.Request)) answer {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range change {
		c(req)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

func (v *visitor) get(path string) answer { v.t.Helper(); return v.do(http.MethodGet, path, nil) }

func (v *visitor) post(path string, form url.Values) answer {
	v.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return v.do(http.MethodPost, path, form)
}

func (v *visitor) signIn(account, secret string) *visitor {
	v.t.Helper()
	a := v.post("/sign-in", url.Values{"account": {account}, "secret": {secret}, "next": {"/"}})
	if a.status != http.StatusSeeOther {
		v.t.Fatalf("sign in %s: %d %s", account, a.status, a.text)
	}
	return v
}

func (v *visitor) session() string {
	u, _ := url.Parse(v.base)
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == "yinxin" {
			return c.Value
		}
	}
	return ""
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// draft writes a document to one recipient and returns the id of its dispatch.
func (v *visitor) draft(title, text, note string, files map[string]string) string {
	v.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	seal := regexp.MustCompile(`name="seal" value="([^"]+)"`).FindStringSubmatch(v.get("/compose").text)
	if seal == nil {
		v.t.Fatal("no seal to choose")
	}
	for name, value := range map[string]string{
		"kind": "通知", "urgency": v.urgency, "number": "云溪政办发〔2026〕9号", "issued_on": "2026-11-21", "title": title, "body": text, "note": note,
		"to": "YXJY", "seal": seal[1],
	} {
		if err := w.WriteField(name, value); err != nil {
			v.t.Fatal(err)
		}
	}
	for name, content := range files {
		f, err := w.CreateFormFile("files", name)
		if err != nil {
			v.t.Fatal(err)
		}
		if _, err := io.WriteString(f, content); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		v.t.Fatal(err)
	}
	a := v.do(http.MethodPost, "/compose", nil, func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(&b), int64(b.Len())
		r.Header.Set("Content-Type", w.FormDataContentType())
	})
	if a.status != http.StatusSeeOther {
		v.t.Fatalf("compose: %d %s", a.status, a.text)
	}
	a = v.post(a.header.Get("Location")+"/ask", nil)
	id, ok := strings.CutSuffix(strings.TrimPrefix(a.header.Get("Location"), "/approvals/"), "?done=asked")
	if !ok {
		v.t.Fatalf("ask: %d %s", a.status, a.text)
	}
	return id
}

// approve approves a dispatch and returns the exchange.
func (v *visitor) approve(id string) string {
	v.t.Helper()
	digest := regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`).FindStringSubmatch(v.get("/approvals/" + id).text)
	if digest == nil {
		v.t.Fatal("no digest to approve")
	}
	unsealed := regexp.MustCompile(`name="unsealed" value="([0-9a-f]{64})"`).FindStringSubmatch(v.get("/approvals/" + id).text)
	if unsealed == nil {
		v.t.Fatal("no unsealed file to approve")
	}
	if a := v.post("/approvals/"+id, url.Values{"unsealed": {unsealed[1]}, "digest": {digest[1]}, "decision": {"approve"}, "comment": {""}}); a.status != http.StatusSeeOther {
		v.t.Fatalf("approve: %d %s", a.status, a.text)
	}
	x := regexp.MustCompile(`href="/outbox/([0-9a-f-]+)"`).FindStringSubmatch(v.get("/approvals/" + id).text)
	if x == nil {
		v.t.Fatal("it was not sent")
	}
	return x[1]
}

// delivery waits for the newest delivery in the box.
func (v *visitor) delivery() string {
	v.t.Helper()
	var id []string
	waitFor(v.t, "a delivery", func() bool {
		id = regexp.MustCompile(`<a href="/inbox/([0-9A-Za-z-]+)"`).FindStringSubmatch(v.get("/inbox").text)
		return id != nil
	})
	return id[1]
}

// TestEveryPageIsClosed: without a session nothing but the public pages answers; with one, a page of another role does not.
func TestEveryPageIsClosed(t *testing.T) {
	hub := webtest.Start(t, nil)
	stranger := visit(t, hub.URL)
	clerk := visit(t, hub.URL).signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	admin := visit(t, hub.URL).signIn("admin", hub.Secret("admin"))
	archivist := visit(t, hub.URL).signIn("archivist", hub.Secret("archivist"))
	approver := visit(t, hub.URL).signIn("yxzf-approver", hub.Secret("yxzf-approver"))
	for _, r := range hub.Console(t).Routes() {
		path := regexp.MustCompile(`\{id:.*?\}\}|\{id:[^}]*\{0,63\}\}`).ReplaceAllString(r.Path, "x")
		path = regexp.MustCompile(`\{n:[^}]*\{1,4\}\}`).ReplaceAllString(path, "1")
		path = regexp.MustCompile(`\{name:[^}]*\{1,64\}\}`).ReplaceAllString(path, "console.css")
		if strings.Contains(path, "{") {
			t.Fatalf("path %s", path)
		}
		form := url.Values(nil)
		if r.Method == http.MethodPost {
			form = url.Values{}
		}
		a := stranger.do(r.Method, path, form)
		switch {
		case r.Public:
			if a.status == http.StatusForbidden || a.status == http.StatusUnauthorized && path != "/sign-in" {
				t.Errorf("%s %s is public and answers %d", r.Method, path, a.status)
			}
			continue
		case r.Method == http.MethodGet && (a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in?next=")):
			t.Errorf("%s %s without a session: %d to %s", r.Method, path, a.status, a.header.Get("Location"))
		case r.Method == http.MethodPost && a.status != http.StatusUnauthorized:
			t.Errorf("%s %s without a session: %d", r.Method, path, a.status)
		}
		for role, v := range map[string]*visitor{"clerk": clerk, "admin": admin, "archivist": archivist, "approver": approver} {
			if len(r.Roles) == 0 || slices.Contains(r.Roles, role) {
				continue
			}
			if a := v.do(r.Method, path, form); a.status != http.StatusForbidden {
				t.Errorf("%s %s as %s: %d", r.Method, path, role, a.status)
			}
		}
	}
}

// TestNothingOfOthers: what belongs to another office is answered like what does not exist, whatever is tried with it (IDOR).
func TestNothingOfOthers(t *testing.T) {
	hub := webtest.Start(t, nil)
	clerk := visit(t, hub.URL).signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	approver := visit(t, hub.URL).signIn("yxzf-approver", hub.Secret("yxzf-approver"))
	recipient := visit(t, hub.URL).signIn("yxjy-clerk", hub.Secret("yxjy-clerk"))
	other := visit(t, hub.URL).signIn("yxcz-clerk", hub.Secret("yxcz-clerk"))
	otherApprover := visit(t, hub.URL).signIn("yxcz-approver", hub.Secret("yxcz-approver"))
	waiting := clerk.draft("关于等待审批的通知", "正文。", "", nil)
	dispatch := clerk.draft("关于越权测试的通知", "正文。", "", nil)
	exchange := approver.approve(dispatch)
	delivery := recipient.delivery()
	if a := recipient.post("/inbox/"+delivery+"/open", nil); a.status != http.StatusSeeOther {
		t.Fatalf("open: %d %s", a.status, a.text)
	}
	page := recipient.get("/inbox/" + delivery)
	receipt := regexp.MustCompile(`href="/receipts/([^"]+)"`).FindStringSubmatch(page.text)
	waitFor(t, "a receipt", func() bool {
		page = recipient.get("/inbox/" + delivery)
		receipt = regexp.MustCompile(`href="/receipts/([^"]+)"`).FindStringSubmatch(page.text)
		return receipt != nil
	})
	seal := regexp.MustCompile(`href="/seals/([^"]+)"`).FindStringSubmatch(clerk.get("/seals").text)[1]
	digest := strings.Repeat("0", 64)
	for _, try := range []struct {
		who    *visitor
		method string
		path   string
		form   url.Values
	}{
		{other, "GET", "/inbox/" + delivery, nil},
		{other, "GET", "/inbox/" + delivery + "/title", nil},
		{other, "GET", "/inbox/" + delivery + "/pages/1.svg", nil},
		{other, "GET", "/inbox/" + delivery + "/files/0", nil},
		{other, "POST", "/inbox/" + delivery + "/open", url.Values{}},
		{other, "POST", "/inbox/" + delivery + "/sign-for", url.Values{"number": {"1"}, "comment": {""}}},
		{other, "POST", "/inbox/" + delivery + "/return", url.Values{"reason": {"01"}, "text": {"x"}}},
		{clerk, "GET", "/inbox/" + delivery, nil}, // the sender is not the recipient
		{clerk, "POST", "/inbox/" + delivery + "/sign-for", url.Values{"number": {"1"}, "comment": {""}}},
		{other, "GET", "/outbox/" + exchange, nil},
		{recipient, "GET", "/outbox/" + exchange, nil},
		{other, "POST", "/outbox/" + exchange + "/remind", url.Values{"recipient": {"YXJY"}}},
		{other, "POST", "/outbox/" + exchange + "/withdraw", url.Values{"recipient": {"YXJY"}, "text": {"x"}}},
		{recipient, "POST", "/outbox/" + exchange + "/withdraw", url.Values{"recipient": {"YXJY"}, "text": {"x"}}},
		{other, "POST", "/outbox/" + exchange + "/acknowledge-return", url.Values{"recipient": {"YXJY"}}},
		{other, "GET", "/receipts/" + receipt[1], nil},
		{other, "GET", "/approvals/" + waiting, nil},
		{otherApprover, "POST", "/approvals/" + waiting, url.Values{"unsealed": {digest}, "digest": {digest}, "decision": {"approve"}, "comment": {""}}},
		{other, "GET", "/dispatches/" + waiting + "/title", nil},
		{other, "GET", "/dispatches/" + waiting + "/pages/1.svg", nil},
		{other, "GET", "/seals/" + seal, nil},
		{other, "GET", "/seals/" + seal + "/picture.png", nil},
	} {
		if a := try.who.do(try.method, try.path, try.form); a.status != http.StatusNotFound {
			t.Errorf("%s %s: %d", try.method, try.path, a.status)
		}
	}
	// and its own party still has it
	for who, path := range map[*visitor]string{recipient: "/inbox/" + delivery + "/pages/1.svg", clerk: "/outbox/" + exchange, approver: "/approvals/" + waiting} {
		if a := who.get(path); a.status != http.StatusOK {
			t.Errorf("%s for its own office: %d", path, a.status)
		}
	}
	if a := recipient.get("/receipts/" + receipt[1]); a.status != http.StatusOK {
		t.Errorf("the own receipt: %d", a.status)
	}
}

// TestSession is W-11: fixation, cross-site requests, tokens in an address, and sessions after they ended.
func TestSession(t *testing.T) {
	hub := webtest.Start(t, nil)
	v := visit(t, hub.URL)
	u, _ := url.Parse(hub.URL)
	planted := "planted-by-somebody-else-0123456789abcdef0123456789"
	v.client.Jar.SetCookies(u, []*http.Cookie{{Name: "yinxin", Value: planted, Path: "/"}})
	v.signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	first := v.session()
	if first == planted || len(first) < 40 {
		t.Errorf("the session after signing in is %q", first)
	}
	as := func(token string) int {
		w := visit(t, hub.URL)
		w.client.Jar.SetCookies(u, []*http.Cookie{{Name: "yinxin", Value: token, Path: "/"}})
		return w.get("/inbox").status
	}
	if as(planted) != http.StatusSeeOther || as(first) != http.StatusOK {
		t.Error("the planted token is good, or the real one is not")
	}
	for _, q := range []string{"?yinxin=", "?token=", "?session="} {
		if a := visit(t, hub.URL).get("/inbox" + q + first); a.status != http.StatusSeeOther {
			t.Errorf("a token in the address %s: %d", q, a.status)
		}
	}
	if a := visit(t, hub.URL).do("GET", "/inbox", nil, header("Authorization", "Bearer "+first)); a.status != http.StatusSeeOther {
		t.Errorf("a token for programs: %d", a.status)
	}
	for name, change := range map[string][]func(*http.Request){
		"another site":   {header("Sec-Fetch-Site", "cross-site")},
		"a sister site":  {header("Sec-Fetch-Site", "same-site")},
		"another origin": {header("Origin", "https://evil.example")},
		"no origin":      {header("Origin", "null")},
	} {
		if a := v.do("POST", "/sign-out", url.Values{}, change...); a.status != http.StatusForbidden {
			t.Errorf("a form from %s: %d", name, a.status)
		}
	}
	if v.get("/inbox").status != http.StatusOK {
		t.Fatal("a form of another site signed the clerk out")
	}
	v.signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	second := v.session()
	if second == first || as(first) != http.StatusSeeOther {
		t.Error("signing in again does not end the session that was open")
	}
	if a := v.do("POST", "/sign-out", url.Values{}, header("Sec-Fetch-Site", "same-origin")); a.status != http.StatusSeeOther || as(second) != http.StatusSeeOther {
		t.Errorf("signing out: %d, and the token is still good", a.status)
	}
	v.signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	stolen := v.session()
	if _, err := hub.Directory.SetSecret(t.Context(), "yxzf-clerk", ""); err != nil {
		t.Fatal(err)
	}
	if as(stolen) != http.StatusSeeOther {
		t.Error("a session outlives the change of its secret")
	}
	cookie := visit(t, hub.URL).do("POST", "/sign-in", url.Values{"account": {"admin"}, "secret": {hub.Secret("admin")}, "next": {"//evil.example/"}})
	if set := cookie.header.Get("Set-Cookie"); !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict") {
		t.Errorf("cookie %q", set)
	}
	if to := cookie.header.Get("Location"); to != "/" {
		t.Errorf("signing in leads to %q", to)
	}
}

// TestRequestsAreTakenAsTheyAre is W-03: fields nobody asked for, other verbs, and other ways to write a path.
func TestRequestsAreTakenAsTheyAre(t *testing.T) {
	hub := webtest.Start(t, nil)
	v := visit(t, hub.URL).signIn("admin", hub.Secret("admin"))
	for name, form := range map[string]url.Values{
		"a field more":  {"id": {"x1"}, "name": {"某"}, "office": {"YXJY"}, "role": {"clerk"}, "status": {"active"}},
		"a secret":      {"id": {"x1"}, "name": {"某"}, "office": {"YXJY"}, "role": {"clerk"}, "secret": {"a secret of their own"}},
		"a field twice": {"id": {"x1", "x2"}, "name": {"某"}, "office": {"YXJY"}, "role": {"clerk"}},
	} {
		if a := v.post("/people", form); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	if _, err := hub.Directory.Account(t.Context(), "x1"); err == nil {
		t.Error("an account was made all the same")
	}
	if a := v.post("/people", url.Values{"id": {"x3"}, "name": {"某"}, "office": {"YXJY"}, "role": {"seal_keeper", "approver"}}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("two roles that exclude each other: %d", a.status)
	}
	if a := v.do("GET", "/people/auditor/reset", nil, header("X-Http-Method-Override", "POST")); a.status != http.StatusMethodNotAllowed {
		t.Errorf("a GET that calls itself POST: %d", a.status)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE"} {
		if a := v.do(method, "/people", nil); a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s /people: %d", method, a.status)
		}
	}
	for _, path := range []string{"//people", "/./people", "/people/", "/people;x=1", "/%2e%2e/people", "/static/../people", "/people%2f", "/static/..%2fcatalogue.go", "/inbox/..%2f..%2fpeople"} {
		if a := v.get(path); a.status != http.StatusNotFound && a.status != http.StatusBadRequest && a.status != http.StatusForbidden {
			t.Errorf("GET %s: %d to %q", path, a.status, a.header.Get("Location"))
		}
	}
	a := v.do("GET", "/", nil, header("X-Forwarded-Host", "evil.example"), header("X-Forwarded-Proto", "https"), header("X-Forwarded-For", "127.0.0.1"))
	if strings.Contains(a.text, "evil.example") {
		t.Error("a page takes over a header that anybody can send")
	}
	if p := a.header.Get("Content-Security-Policy"); strings.Contains(p, "unsafe") || !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "frame-ancestors 'none'") {
		t.Errorf("policy %q", p)
	}
}

// xss are texts that a page must show as they are.
func xss() []string {
	return []string{
		`<script>window.xss=1</script>`, `"><img src=x onerror=window.xss=1>`, `'-window.xss=1-'`, `</title><script>window.xss=1</script>`,
		`javascript:window.xss=1`, `{{.Account.Secret}}`, `<svg/onload=window.xss=1>`, "`${window.xss=1}`", `</textarea><script>window.xss=1</script>`,
	}
}

// TestTextsAreShownAsTheyAre sends the corpus through every field, and opens the pages that show it in a real browser,
// which fails the test for anything that runs or is blocked. Names of files are W-06.
func TestTextsAreShownAsTheyAre(t *testing.T) {
	b := webtest.NewBrowser(t)
	hub := webtest.Start(t, nil)
	clerk := visit(t, hub.URL).signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	approver := visit(t, hub.URL).signIn("yxzf-approver", hub.Secret("yxzf-approver"))
	recipient := visit(t, hub.URL).signIn("yxjy-clerk", hub.Secret("yxjy-clerk"))
	all := strings.Join(xss(), " ")
	dispatch := clerk.draft("关于"+xss()[0]+xss()[1]+"的通知", all, xss()[6], map[string]string{"报告（一）' & 二.txt": "x"})
	exchange := approver.approve(dispatch)
	delivery := recipient.delivery()
	recipient.post("/inbox/"+delivery+"/open", nil)
	if a := recipient.post("/inbox/"+delivery+"/return", url.Values{"reason": {"99"}, "text": {all}}); a.status != http.StatusSeeOther {
		t.Fatalf("return: %d %s", a.status, a.text)
	}
	custodian := visit(t, hub.URL).signIn("custodian", hub.Secret("custodian"))
	seal := regexp.MustCompile(`href="/seals/([^"]+)"`).FindStringSubmatch(custodian.get("/seals?office=YXCZ").text)[1]
	custodian.get("/seals").wants(t, "every office's seals", http.StatusOK, `href="/seals/`+seal+`"`)
	custodian.post("/seals/"+seal, url.Values{"to": {"suspended"}, "reason": {all}})
	admin := visit(t, hub.URL).signIn("admin", hub.Secret("admin"))
	admin.post("/offices", url.Values{"code": {"XSS"}, "name": {all}, "parent": {""}})
	for _, page := range []struct {
		account string
		paths   []string
	}{
		{"yxzf-clerk", []string{"/outbox/" + exchange, "/outbox", "/approvals/" + dispatch, "/compose", "/archive?q=" + url.QueryEscape(all), "/inbox?sender=" + url.QueryEscape(all), "/inbox?tab=" + url.QueryEscape(all)}},
		{"yxjy-clerk", []string{"/inbox/" + delivery, "/inbox?tab=returned"}},
		{"custodian", []string{"/seals/" + seal, "/seals?office=" + url.QueryEscape(all)}},
		{"admin", []string{"/offices", "/people"}},
		{"auditor", []string{"/audit?account=" + url.QueryEscape(all)}},
	} {
		tab := b.Tab(hub.URL)
		tab.SignIn(page.account, hub.Secret(page.account))
		for _, p := range page.paths {
			tab.Go(p)
			if got := tab.Eval(`String(window.xss)`); got != "undefined" {
				t.Errorf("%s runs a text", p)
			}
		}
	}
	gate := visit(t, hub.URL)
	for _, text := range xss() {
		if a := gate.post("/sign-in", url.Values{"account": {text}, "secret": {"x"}, "next": {text}}); strings.Contains(a.text, text) && strings.ContainsAny(text, "<\"") {
			t.Errorf("the sign-in page shows %s raw", text)
		}
	}
}

// TestFileNames is W-06: whatever a file in an envelope is called, its name cannot end the header it is put into.
func TestFileNames(t *testing.T) {
	hub := webtest.Start(t, nil)
	clerk := visit(t, hub.URL).signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	approver := visit(t, hub.URL).signIn("yxzf-approver", hub.Secret("yxzf-approver"))
	recipient := visit(t, hub.URL).signIn("yxjy-clerk", hub.Secret("yxjy-clerk"))
	approver.approve(clerk.draft("关于文件名的通知", "正文。", "", map[string]string{"../../etc/名单.txt": "x"}))
	delivery := recipient.delivery()
	recipient.post("/inbox/"+delivery+"/open", nil)
	a := recipient.get("/inbox/" + delivery + "/files/0")
	if d := a.header.Get("Content-Disposition"); a.status != http.StatusOK || !strings.HasPrefix(d, "attachment;") || strings.ContainsAny(d, "\r\n/") {
		t.Errorf("%d, Content-Disposition %q", a.status, d)
	}
	if a.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("a file is handed out with %v", a.header)
	}
	for _, n := range []string{"99", "-1", "..%2f0", "0000"} {
		if a := recipient.get("/inbox/" + delivery + "/files/" + n); n != "0000" && a.status != http.StatusNotFound {
			t.Errorf("file %s: %d", n, a.status)
		}
	}
}
