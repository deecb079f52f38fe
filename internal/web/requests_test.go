package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"yinxin/internal/web/webtest"
)

// wish is a request for a seal as the form sends it.
func wish(change ...string) url.Values {
	v := url.Values{
		"name": {"云溪市人民政府办公室"}, "bottom_line": {"合同专用章"}, "number": {""}, "rank": {"county"}, "diameter": {""},
		"keeper": {"yxzf-clerk"}, "reason": {"签订合同"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v
}

// asked sends a request and gives its id.
func (v *visitor) asked(form url.Values) string {
	v.t.Helper()
	a := v.post("/seal-requests", form)
	id, ok := strings.CutSuffix(strings.TrimPrefix(a.header.Get("Location"), "/seal-requests/"), "?done=seal_requested")
	if a.status != http.StatusSeeOther || !ok {
		v.t.Fatalf("ask: %d %s", a.status, a.text)
	}
	return id
}

// wants checks status and text of an answer.
func (a answer) wants(t *testing.T, what string, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: %d, want %d", what, a.status, status)
	}
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			t.Errorf("%s does not say %q:\n%s", what, text, a.text)
		}
	}
}

// TestSealRequests: an office asks, another person makes, looks, registers or declines; nobody else sees or does any of it.
func TestSealRequests(t *testing.T) {
	hub := webtest.Start(t, nil)
	login := func(account string) *visitor { return visit(t, hub.URL).signIn(account, hub.Secret(account)) }
	clerk, other, custodian := login("yxzf-clerk"), login("yxcz-clerk"), login("custodian")
	clerk.get("/seal-requests").wants(t, "the empty list", http.StatusOK, "没有申请", "县级 · 42 mm", `value="yxzf-clerk" selected`)
	for name, tt := range map[string]struct {
		form url.Values
		says string
	}{
		"no name":          {wish("name", ""), "请填写"},
		"no reason":        {wish("reason", " "), "请填写"},
		"no size":          {wish("rank", ""), "二者取一"},
		"two sizes":        {wish("diameter", "42"), "二者取一"},
		"no such rank":     {wish("rank", "village"), "二者取一"},
		"too large":        {wish("rank", "", "diameter", "400"), "二者取一"},
		"no number":        {wish("rank", "", "diameter", "big"), "二者取一"},
		"another's keeper": {wish("keeper", "yxcz-clerk"), "无法制章"},
	} {
		clerk.post("/seal-requests", tt.form).wants(t, name, http.StatusUnprocessableEntity, `role="alert"`, tt.says)
	}
	clerk.post("/seal-requests", wish("office", "YXCZ")).wants(t, "a field that nobody asked for", http.StatusBadRequest)

	id := clerk.asked(wish())
	clerk.get("/seal-requests/"+id).wants(t, "the own request", http.StatusOK, "待办理", "这是您本人的申请", "签订合同")
	for _, path := range []string{"/seal-requests/" + id, "/seal-requests/" + id + "/picture.png"} {
		other.get(path).wants(t, "another office: "+path, http.StatusNotFound)
	}
	if strings.Contains(other.get("/seal-requests").text, id) {
		t.Error("another office's list names the request")
	}
	clerk.post("/seal-requests/"+id, url.Values{"step": {"make"}}).wants(t, "a clerk makes", http.StatusForbidden)
	custodian.get("/seal-requests").wants(t, "the custodian's list", http.StatusOK, id, "云溪市人民政府办公室")
	custodian.get("/seal-requests/"+id+"/picture.png").wants(t, "the picture before it is made", http.StatusNotFound)
	custodian.post("/seal-requests/"+id, url.Values{"step": {"register"}}).wants(t, "a step is skipped", http.StatusConflict)
	custodian.post("/seal-requests/"+id, url.Values{"step": {"burn"}}).wants(t, "a step that is none", http.StatusBadRequest)
	custodian.post("/seal-requests/"+id, url.Values{"step": {"decline"}, "reason": {""}}).wants(t, "no reason", http.StatusUnprocessableEntity, "role=\"alert\"")

	custodian.post("/seal-requests/"+id, url.Values{"step": {"make"}}).wants(t, "make", http.StatusSeeOther)
	custodian.get("/seal-requests/"+id).wants(t, "the made seal", http.StatusOK, "已制章，未备案", `value="register"`)
	if a := clerk.get("/seal-requests/" + id + "/picture.png"); a.status != http.StatusOK || a.header.Get("Content-Type") != "image/png" {
		t.Errorf("its picture: %d %s", a.status, a.header.Get("Content-Type"))
	}
	custodian.post("/seal-requests/"+id, url.Values{"step": {"register"}}).wants(t, "register", http.StatusSeeOther)
	page := clerk.get("/seal-requests/" + id)
	page.wants(t, "the registered seal", http.StatusOK, "已备案")
	made := regexp.MustCompile(`href="/seals/([0-9a-f]+)"`).FindStringSubmatch(page.text)
	if made == nil {
		t.Fatal("no way to the seal")
	}
	clerk.get("/seals/"+made[1]).wants(t, "its page", http.StatusOK, "尚未使用")

	declined := clerk.asked(wish("bottom_line", "发票专用章"))
	custodian.post("/seal-requests/"+declined, url.Values{"step": {"decline"}, "reason": {"已有同名印章"}}).wants(t, "decline", http.StatusSeeOther)
	clerk.get("/seal-requests/"+declined).wants(t, "the declined request", http.StatusOK, "不予制章", "已有同名印章")
	custodian.post("/seal-requests/"+declined, url.Values{"step": {"make"}}).wants(t, "a declined request is made", http.StatusConflict)
}

// TestSealUsesAndRenewal: the page of a seal shows each use with its place and its receipt, and a custodian renews the seal.
func TestSealUsesAndRenewal(t *testing.T) {
	hub := webtest.Start(t, nil)
	login := func(account string) *visitor { return visit(t, hub.URL).signIn(account, hub.Secret(account)) }
	clerk, custodian := login("yxzf-clerk"), login("custodian")
	login("yxzf-approver").approve(clerk.draft("关于用印记录的通知", "正文。", "", nil))
	seal := regexp.MustCompile(`href="/seals/([0-9a-f]+)"`).FindStringSubmatch(clerk.get("/seals").text)[1]
	page := clerk.get("/seals/" + seal)
	page.wants(t, "the log of use", http.StatusOK, "拟稿人甲", "签发人乙", "第 1 页")
	receipt := regexp.MustCompile(`href="(/receipts/[^"]+)"`).FindStringSubmatch(page.text)
	if receipt == nil {
		t.Fatal("no receipt of the use")
	}
	waitFor(t, "the receipt of the use", func() bool {
		a := clerk.get(receipt[1])
		return a.status == http.StatusOK && strings.Contains(a.text, `"event":"SealApplied"`)
	})
	login("yxcz-clerk").get(receipt[1]).wants(t, "another office's receipt", http.StatusNotFound)

	renew := url.Values{"rotate": {"yes"}}
	clerk.post("/seals/"+seal+"/renew", renew).wants(t, "a clerk renews", http.StatusForbidden)
	a := custodian.post("/seals/"+seal+"/renew", renew)
	a.wants(t, "renew", http.StatusSeeOther)
	custodian.get("/seals/"+seal).wants(t, "the old seal", http.StatusOK, "已注销")
	custodian.get(a.header.Get("Location")).wants(t, "the new seal", http.StatusOK, "印章已换发", "有效")
	custodian.post("/seals/"+seal+"/renew", renew).wants(t, "a void seal is renewed", http.StatusConflict)
}
