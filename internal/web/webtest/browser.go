package webtest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe-core 4.14.1 (MPL-2.0, see axe-LICENSE.txt) finds what people with disabilities could not use.
//
//go:embed testdata/axe-4.14.1.min.js
var axe string

// patience is how long one step in the browser may take: the machine may be busy.
const patience = 2 * time.Minute

// Browser is one Chromium for a test.
type Browser struct {
	t   *testing.T
	ctx context.Context
}

// NewBrowser starts Chromium; the test is skipped where there is none.
func NewBrowser(t *testing.T) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("needs chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("headless", true), chromedp.Flag("lang", "zh-CN"), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("hide-scrollbars", true), chromedp.WSURLReadTimeout(patience), chromedp.WindowSize(1440, 900),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root has no user namespace to lose
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // without a deadline, which would end the browser
		t.Fatalf("start chromium: %v", err)
	}
	return &Browser{t: t, ctx: ctx}
}

// Tab is one window with cookies of its own.
type Tab struct {
	t   *testing.T
	ctx context.Context
	// Base is the only address that the tab may ask.
	Base string

	mu         sync.Mutex
	complaints []string
	// Expected are complaints that a test provokes: parts of their text.
	Expected []string
}

// Tab opens a window that may speak to base alone. Whatever the browser complains of fails the test at its end.
func (b *Browser) Tab(base string) *Tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(cancel)
	tab := &Tab{t: b.t, ctx: ctx, Base: base}
	err := chromedp.Listen(ctx, tab.listen)
	if err == nil {
		_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	}
	if err == nil {
		_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	}
	if err == nil {
		err = chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900))
	}
	if err != nil {
		b.t.Fatalf("open a window: %v", err)
	}
	b.t.Cleanup(tab.settle)
	return tab
}

func (tab *Tab) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tab.complain("exception: %s", describe(e))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, a := range e.Args {
				tab.complain("console: %s %s", a.Description, a.Value)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			tab.complain("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if tab.outside(e.Request.URL) {
			tab.complain("a request to %s", e.Request.URL)
		}
	}
}

// describe says what an exception was.
func describe(e *runtime.EventExceptionThrown) string {
	if x := e.ExceptionDetails.Exception; x != nil {
		return e.ExceptionDetails.Text + " " + x.Description
	}
	return e.ExceptionDetails.Text
}

// outside reports whether an address is another host's.
func (tab *Tab) outside(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	switch u.Scheme {
	case "data", "blob", "about":
		return false
	case "file":
		return !strings.HasPrefix(tab.Base, "file:")
	}
	return !strings.HasPrefix(address, tab.Base)
}

func (tab *Tab) complain(format string, args ...any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	for _, e := range tab.Expected {
		if strings.Contains(text, e) {
			return
		}
	}
	tab.complaints = append(tab.complaints, text)
}

// settle fails the test for every complaint.
func (tab *Tab) settle() {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, c := range tab.complaints {
		tab.t.Errorf("the browser complains: %s", c)
	}
}

// do runs actions within the patience of one step.
func (tab *Tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		where, _ := chromedp.Run(tab.ctx, chromedp.Location())
		text, _ := chromedp.Run(tab.ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText.slice(0, 1500) : ""`))
		tab.t.Fatalf("%s: %v\nat %s:\n%s", what, err, where, text)
	}
}

// Go opens a page by its path.
func (tab *Tab) Go(path string) {
	tab.t.Helper()
	tab.do("open "+path, chromedp.Navigate(tab.Base+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// SignIn signs an account in by the form, from the page that wants it.
func (tab *Tab) SignIn(account, secret string) {
	tab.t.Helper()
	tab.Go("/")
	tab.do("sign in "+account,
		chromedp.SendKeys(chromedp.CSS(`input[name=account]`), account),
		chromedp.SendKeys(chromedp.CSS(`input[name=secret]`), secret+"\r"),
		chromedp.WaitReady(chromedp.CSS(`body.inside main`)))
}

// Press clicks.
func (tab *Tab) Press(selectors ...string) {
	tab.t.Helper()
	for _, s := range selectors {
		tab.do("press "+s, chromedp.Click(chromedp.CSS(s), chromedp.NodeVisible))
	}
}

// Click clicks and waits until the page after it is there: the one that has the wanted element.
func (tab *Tab) Click(selector, wanted string) {
	tab.t.Helper()
	tab.Press(selector)
	tab.do("after "+selector+" wait for "+wanted, chromedp.WaitVisible(chromedp.CSS(wanted)))
}

// Wait waits for an element.
func (tab *Tab) Wait(wanted string) {
	tab.t.Helper()
	tab.do("wait for "+wanted, chromedp.WaitVisible(chromedp.CSS(wanted)))
}

// Upload chooses files for a field.
func (tab *Tab) Upload(selector string, files ...string) {
	tab.t.Helper()
	tab.do("choose files for "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), files))
}

// Fill writes into a field, or chooses in a list.
func (tab *Tab) Fill(selector, text string) {
	tab.t.Helper()
	tab.do("fill "+selector, chromedp.SetValue(chromedp.CSS(selector), text))
}

// Here is the path of the page that is shown.
func (tab *Tab) Here() string {
	tab.t.Helper()
	return tab.Eval(`location.pathname + location.search`)
}

// Text is what the page shows.
func (tab *Tab) Text() string {
	tab.t.Helper()
	return tab.Eval(`document.body.innerText`)
}

// Eval evaluates JavaScript that gives a text, as the browser's tools would.
func (tab *Tab) Eval(script string) string {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("evaluate %.80s: %v", script, err)
	}
	return text
}

// Wants fails the test where the page does not show the texts.
func (tab *Tab) Wants(texts ...string) {
	tab.t.Helper()
	shown := tab.Text()
	for _, want := range texts {
		if !strings.Contains(shown, want) {
			tab.t.Errorf("the page lacks %q:\n%s", want, shown)
		}
	}
}

// screenshots is where pictures of pages are kept, empty for nowhere.
const screenshots = "YINXIN_SCREENSHOTS"

// Look holds the page against axe-core in Chinese and in English, and keeps pictures of it where the environment says so.
func (tab *Tab) Look(name string) {
	tab.t.Helper()
	tab.Accessible(name)
	tab.Picture(name)
}

// Accessible holds the page against axe-core's rules for WCAG 2 A and AA.
func (tab *Tab) Accessible(name string) {
	tab.t.Helper()
	answer := tab.Eval(axe + `; axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"]})
		.then((r) => JSON.stringify(r.violations.map((v) => ({rule: v.id, help: v.help, at: v.nodes.map((n) => n.target.join(" ") + " " + n.failureSummary)}))))`)
	var found []struct {
		Rule, Help string
		At         []string
	}
	if err := json.Unmarshal([]byte(answer), &found); err != nil {
		tab.t.Fatalf("%s: axe answers %q: %v", name, answer, err)
	}
	for _, f := range found {
		tab.t.Errorf("%s: %s: %s\n  %s", name, f.Rule, f.Help, strings.Join(f.At, "\n  "))
	}
}

// Picture keeps a picture of the page, where YINXIN_SCREENSHOTS names a folder.
func (tab *Tab) Picture(name string) {
	tab.t.Helper()
	dir := os.Getenv(screenshots)
	if dir == "" {
		return
	}
	time.Sleep(300 * time.Millisecond) // pages of documents are drawn after the page itself
	png, err := chromedp.Run(tab.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tab.t.Fatalf("picture %s: %v", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// emulation are the parameters of Network.emulateNetworkConditions, which Debian's Chromium still wants in place of newer ones.
type emulation struct {
	Offline            bool    `json:"offline"`
	Latency            float64 `json:"latency"`
	DownloadThroughput float64 `json:"downloadThroughput"` //nolint:tagliatelle // the name is the protocol's
	UploadThroughput   float64 `json:"uploadThroughput"`   //nolint:tagliatelle // the name is the protocol's
}

// Offline cuts the window off from every network.
func (tab *Tab) Offline() {
	tab.t.Helper()
	cut := cdp.Command[emulation, cdp.Empty]{Method: "Network.emulateNetworkConditions"}
	if _, err := chromedp.Call(tab.ctx, cut, emulation{Offline: true, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
		tab.t.Fatalf("cut the network: %v", err)
	}
}
