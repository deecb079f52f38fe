package web_test

import (
	"strings"
	"testing"

	"yinxin/internal/web/webtest"
)

// body is the text of the story's document.
const body = `为规范公文传输秩序，减少纸质公文往返，经市政府同意，决定在部分单位开展电子公文交换试点工作。现将有关事项通知如下：
一、试点目标
到2027年3月底，试点单位之间的非涉密公文全部以电子方式发送和签收。
二、主要任务
（一）统一版式。试点单位制发的电子公文按照党政机关公文格式编排，加盖电子印章后方可发送。
（二）及时签收。收文单位应当在收到提示后1个工作日内签收。`

// TestStory is the day of a document in a real browser: a clerk writes it and asks for the seal, another person approves
// it, one recipient signs for it, the other sends it back, the sender sees both, and the archivist finds and verifies it.
// Every page of it is held against axe-core.
func TestStory(t *testing.T) {
	b := webtest.NewBrowser(t)
	hub := webtest.Start(t, nil)
	signed := func(account string) *webtest.Tab {
		tab := b.Tab(hub.URL)
		tab.SignIn(account, hub.Secret(account))
		return tab
	}

	earlier(t, hub)

	gate := b.Tab(hub.URL)
	gate.Go("/inbox")
	gate.Look("sign-in")

	clerk := signed("yxzf-clerk")
	clerk.Look("home-empty")
	clerk.Go("/compose")
	clerk.Fill(`input[name=number]`, "云溪政办发〔2026〕8号")
	clerk.Fill(`input[name=title]`, "云溪市人民政府办公室关于开展电子公文交换试点工作的通知")
	clerk.Fill(`textarea[name=body]`, body)
	clerk.Press(`input[name=to][value=YXJY]`, `input[name=cc][value=YXCZ]`)
	clerk.Look("compose")
	clerk.Click(`form.compose button.primary`, `form[action$="/ask"]`)
	clerk.Wants("项测量均符合", "用印位置")
	clerk.Look("preview")
	clerk.Click(`form[action$="/ask"] button`, `.done`)
	clerk.Wants("等待签发人审批", "这是您本人的申请")
	clerk.Look("approval-own")
	clerk.Go("/outbox")
	clerk.Wants("尚未发出", "待批")
	clerk.Look("outbox-pending")

	approver := signed("yxzf-approver")
	approver.Wants("件待您审批用印")
	approver.Click(`.card[href="/approvals"]`, `.list .doc a`)
	approver.Look("approvals")
	approver.Click(`.list .doc a`, `button[value=approve]`)
	approver.Look("approval")
	approver.Click(`button[value=approve]`, `.done`)
	approver.Wants("已批准", "有效")
	approver.Look("approved")

	recipient := signed("yxjy-clerk")
	recipient.Wants("未读公文", "云溪市人民政府办公室")
	recipient.Look("home")
	recipient.Click(`nav a[href="/inbox"]`, `.list .doc a`)
	recipient.Look("inbox")
	recipient.Click(`.list .doc a`, `form[action$="/open"]`)
	recipient.Wants("尚未打开")
	recipient.Look("delivery-unopened")
	recipient.Click(`form[action$="/open"] button`, `form[action$="/sign-for"]`)
	recipient.Wants("关于开展电子公文交换试点工作的通知", "有效", "document.ofd")
	recipient.Look("delivery")
	recipient.Fill(`input[name=number]`, "教收〔2026〕15号")
	recipient.Click(`form[action$="/sign-for"] button`, `.done`)
	recipient.Wants("已签收", "教收〔2026〕15号")
	recipient.Look("delivery-signed")
	recipient.Go("/inbox?tab=signed")
	recipient.Wants("关于开展电子公文交换试点工作的通知")
	recipient.Look("inbox-signed")

	other := signed("yxcz-clerk")
	other.Go("/inbox")
	other.Click(`.list .doc a`, `form[action$="/return"]`)
	other.Press(`aside details.panel > summary`)
	other.Fill(`select[name=reason]`, "04")
	other.Fill(`textarea[name=text]`, "文号与登记的不一致，请核对。")
	other.Click(`form[action$="/return"] button`, `.done`)
	other.Wants("已退回", "格式或文号有误")
	other.Look("delivery-returned")

	clerk.Go("/outbox?show=returned")
	clerk.Wants("1 / 2 已签收", "退回 1")
	clerk.Look("outbox")
	clerk.Click(`.list .doc a`, `form[action$="/acknowledge-return"]`)
	clerk.Look("exchange")
	clerk.Click(`form[action$="/acknowledge-return"] button`, `.done`)
	clerk.Wants("退回已确认")

	archivist := signed("archivist")
	find := func() bool {
		archivist.Go("/archive?q=" + "试点工作")
		return strings.Contains(archivist.Text(), "Z001-WS")
	}
	waitFor(t, "the record", find)
	archivist.Look("archive")
	archivist.Click(`.list a`, `a[href$="verify=1#judged"]`)
	archivist.Look("record")
	archivist.Click(`a[href$="verify=1#judged"]`, `#judged`)
	archivist.Wants("核验结论", "有效")
	archivist.Look("record-verified")

	clerk.Go("/seals")
	clerk.Look("seals")
	clerk.Click(`.seal-card`, `.seal-face`)
	clerk.Wants("拟稿人甲", "签发人乙")
	clerk.Look("seal")

	speaksEnglish(clerk, "/", "/inbox", "/outbox", "/compose", "/approvals", "/seals")
	speaksEnglish(recipient, recipient.Here(), "/inbox?tab=all")
	speaksEnglish(approver, approver.Here())
	speaksEnglish(archivist, "/archive", archivist.Here())
}

// speaksEnglish holds pages against axe-core once more, in English.
func speaksEnglish(tab *webtest.Tab, paths ...string) {
	tab.Click(`button[value=en]`, `html[lang=en]`)
	for _, p := range paths {
		tab.Go(p)
		tab.Wants("Sign out")
		tab.Accessible(p + " in English")
	}
}

// earlier fills the recipient's inbox with what came before: two documents that nobody opened and one that somebody read.
func earlier(t *testing.T, hub *webtest.Hub) {
	t.Helper()
	clerk := visit(t, hub.URL).signIn("yxzf-clerk", hub.Secret("yxzf-clerk"))
	approver := visit(t, hub.URL).signIn("yxzf-approver", hub.Secret("yxzf-approver"))
	recipient := visit(t, hub.URL).signIn("yxjy-clerk", hub.Secret("yxjy-clerk"))
	approver.approve(clerk.draft("云溪市人民政府办公室关于报送2026年工作总结的通知", body, "", nil))
	recipient.post("/inbox/"+recipient.delivery()+"/open", nil)
	clerk.urgency = "加急"
	approver.approve(clerk.draft("云溪市人民政府办公室关于做好寒潮天气防范应对工作的通知", body, "", nil))
	clerk.urgency = "特急"
	approver.approve(clerk.draft("云溪市人民政府办公室关于立即开展校园安全检查的紧急通知", body, "", nil))
	waitFor(t, "all three", func() bool { return strings.Count(recipient.get("/inbox").text, "<tr") == 4 })
}

// TestManaging looks at the pages of those who manage, in both languages.
func TestManaging(t *testing.T) {
	b := webtest.NewBrowser(t)
	hub := webtest.Start(t, nil)
	admin := b.Tab(hub.URL)
	admin.SignIn("admin", hub.Secret("admin"))
	admin.Look("home-admin")
	admin.Go("/offices")
	admin.Fill(`input[name=code]`, "YXWJ")
	admin.Fill(`input[name=name]`, "云溪市卫生健康委员会")
	admin.Fill(`input[name=parent]`, "YXZF")
	admin.Click(`form[action="/offices"] button`, `.done`)
	admin.Wants("云溪市卫生健康委员会", "签名、加密齐全")
	admin.Look("offices")
	admin.Go("/people")
	admin.Fill(`input[name=id]`, "yxwj-clerk")
	admin.Fill(`input[name=name]`, "收文员庚")
	admin.Fill(`form[action="/people"].stack select[name=office]`, "YXWJ")
	admin.Press(`input[name=role][value=clerk]`)
	admin.Click(`form[action="/people"].stack button`, `.secret`)
	admin.Look("people")

	clerk := b.Tab(hub.URL)
	clerk.SignIn("yxjy-clerk", hub.Secret("yxjy-clerk"))
	clerk.Go("/seal-requests")
	clerk.Fill(`input[name=name]`, "云溪市教育局")
	clerk.Fill(`input[name=bottom_line]`, "招生专用章")
	clerk.Fill(`select[name=rank]`, "county")
	clerk.Fill(`input[name=reason]`, "招生工作用印")
	clerk.Look("seal-requests")
	clerk.Click(`form[action="/seal-requests"] button`, `.done`)
	clerk.Wants("待办理", "这是您本人的申请")
	clerk.Look("seal-request-own")

	custodian := b.Tab(hub.URL)
	custodian.SignIn("custodian", hub.Secret("custodian"))
	custodian.Go("/seal-requests")
	custodian.Click(`.list .doc a`, `button[value=make]`)
	custodian.Look("seal-request")
	custodian.Click(`button[value=make]`, `.done`)
	custodian.Wants("已制章，未备案")
	custodian.Look("seal-request-made")
	custodian.Click(`button[value=register]`, `.r-registered`)
	custodian.Wants("已备案")
	speaksEnglish(clerk, "/seal-requests", clerk.Here())
	custodian.Go("/keys")
	custodian.Wants("密钥库正常", "office.yxzf.seal")
	custodian.Look("keys")
	custodian.Go("/seals?office=YXJY")
	custodian.Look("seals-custodian")
	custodian.Click(`.seal-card`, `input[name=reason]`)
	custodian.Fill(`input[name=reason]`, "印章保管人调动")
	custodian.Click(`button[value=suspended]`, `.done`)
	custodian.Wants("已停用", "印章保管人调动")
	custodian.Look("seal-suspended")

	auditor := b.Tab(hub.URL)
	auditor.SignIn("auditor", hub.Secret("auditor"))
	auditor.Go("/audit")
	auditor.Wants("审计链完整", "停用印章")
	auditor.Look("audit")

	speaksEnglish(admin, "/", "/offices", "/people")
	admin.Picture("people-en")
	speaksEnglish(custodian, "/keys", custodian.Here(), "/seals")
	speaksEnglish(auditor, "/audit")
}
