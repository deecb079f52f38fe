package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"yinxin/document"
	"yinxin/internal/durable"
	"yinxin/transport/api"
)

// TestHubFaultsAreListed: each field that a hub did not take has a line of its own, and no control character of its words
// comes through.
func TestHubFaultsAreListed(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	e := testEnv(&stdout, &stderr)
	p := api.NewProblem(api.Validation, "", api.Fault{Pointer: "/title", Detail: "is missing"}, api.Fault{Pointer: "/to/0", Detail: "no\x1b[2J such\noffice"})
	if exit := e.report(fmt.Errorf("send a.yaml: %w", p), false); exit != exitFailed {
		t.Errorf("exit %d", exit)
	}
	want := "  /title: is missing\n  /to/0: no\\u001b[2J such\\u000aoffice\n" +
		"yinxin: send a.yaml: hub answered validation, 2 fault(s), listed above [validation]\n"
	if stderr.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", stderr.String(), want)
	}
}

// TestSeveralDraftsAreListed: of several faulty drafts each has its own faults and its own line.
func TestSeveralDraftsAreListed(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	e := testEnv(&stdout, &stderr)
	one := &document.InvalidError{Faults: []document.Fault{{Field: "title", Code: "missing", Detail: "the title is missing"}}}
	two := &document.InvalidError{Faults: []document.Fault{{Field: "number", Code: "missing", Detail: "the number is missing"}}}
	err := errors.Join(fmt.Errorf("compose a: %w", one), fmt.Errorf("compose b: %w", two), fmt.Errorf("compose c: %w", fs.ErrNotExist))
	e.report(err, false)
	for _, want := range []string{"  title: ", "  number: ", "yinxin: compose a: ", "yinxin: compose b: ", "compose c: file does not exist [not_found]\n"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no %q in:\n%s", want, stderr.String())
		}
	}
	if n := strings.Count(stderr.String(), "\n"); n != 5 {
		t.Errorf("%d lines:\n%s", n, stderr.String())
	}
}

// TestProblemsSayWhoFailed: a fault of this side has a title and a status that fit it, and never says that a hub failed.
func TestProblemsSayWhoFailed(t *testing.T) {
	t.Parallel()
	path := func(op, name string, errno syscall.Errno) error { return &fs.PathError{Op: op, Path: name, Err: errno} }
	for _, tt := range []struct {
		name   string
		err    error
		exit   int
		code   string
		status int
	}{
		{"usage", usage("wrong"), exitUsage, "usage", 400},
		{"internal", errors.New("odd"), exitInternal, "internal", 500},
		{"no draft", fmt.Errorf("a: %w", document.ErrMalformed), exitNotFound, "malformed", 400},
		{"no such file", path("open", "a", syscall.ENOENT), exitNotFound, "not_found", 404},
		{"may not be read", path("open", "a", syscall.EACCES), exitNotFound, "unreadable", 404},
		{"a folder", path("read", "a", syscall.EISDIR), exitNotFound, "unreadable", 404},
		{"below a file", path("open", "a/b", syscall.ENOTDIR), exitNotFound, "unreadable", 404},
		{"may not be written", path("open", "d/"+durable.TempPrefix+"1", syscall.EACCES), exitRefused, "refused", 403},
		{"may not be made", path("mkdir", "d", syscall.EACCES), exitRefused, "refused", 403},
		{"may not be renamed", &os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.EACCES}, exitRefused, "refused", 403},
		{"read-only", path("open", "a", syscall.EROFS), exitRefused, "refused", 403},
		{"full", path("write", "a", syscall.ENOSPC), exitRefused, "storage_full", 507},
		{"classified", &document.ClassifiedError{Where: "title"}, exitRefused, "classified_content", 422},
		{"login", refuse("unauthenticated", exitRefused, "log in"), exitRefused, "unauthenticated", 401},
		{"interrupted", fmt.Errorf("a: %w", context.Canceled), exitInterrupted, "interrupted", 503},
		{"too late", context.DeadlineExceeded, exitUnreachable, "unreachable", 503},
		{"reason of a verdict", refuse("key_usage", exitRefused, "a key"), exitRefused, "key_usage", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			exit, code := faultOf(tt.err)
			p := problemOf(tt.err, exit, code)
			if exit != tt.exit || code != tt.code || p.Status != tt.status || p.Title == "" || p.Title == code || strings.Contains(p.Title, "hub") {
				t.Errorf("exit %d, code %s, %+v", exit, code, p)
			}
		})
	}
}

// TestHubsOwnFault: where the hub itself failed, trying again is no advice; where a part of it is away it is.
func TestHubsOwnFault(t *testing.T) {
	t.Parallel()
	for code, want := range map[api.Code]int{
		api.Internal: exitInternal, api.Dependency: exitUnreachable, api.RateLimited: exitUnreachable, api.NotFound: exitNotFound,
		api.Forbidden: exitRefused, api.Validation: exitFailed,
	} {
		if exit, _ := faultOf(api.NewProblem(code, "")); exit != want {
			t.Errorf("%s: exit %d, want %d", code, exit, want)
		}
	}
	proxy := api.NewProblem(api.Internal, "answer 502 is not of a hub")
	proxy.Status = http.StatusBadGateway
	if exit, _ := faultOf(proxy); exit != exitUnreachable {
		t.Errorf("a proxy without its hub: exit %d", exit)
	}
}

// TestUnwrittenResultIsAFault: a result that nobody could read is not done; a verdict that failed keeps its code.
func TestUnwrittenResultIsAFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	draft, picture := filepath.Join(dir, "draft.yaml"), filepath.Join(dir, "bad.ofd")
	text := "kind: 通知\nissuer: {code: A, name: 某某市人民政府办公室}\nnumber: 某政办发〔2026〕1号\ntitle: 某某市人民政府办公室关于测试的通知\n" +
		"issued_on: 2026-11-21\nto: [某某市教育局]\nbody: 正文。\n"
	if err := errors.Join(os.WriteFile(draft, []byte(text), 0o600), os.WriteFile(picture, []byte("no document"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args       []string
		good, full int
	}{
		{[]string{"--help"}, exitDone, exitRefused},
		{[]string{"compose", draft}, exitDone, exitRefused},
		{[]string{"compose", draft, "--json"}, exitDone, exitRefused},
		{[]string{"verify", filepath.Join(dir, "draft.ofd")}, exitIndeterminate, exitRefused},
		{[]string{"verify", filepath.Join(dir, "draft.ofd"), "--json"}, exitIndeterminate, exitRefused},
		{[]string{"inspect", filepath.Join(dir, "draft.ofd"), "--json"}, exitDone, exitRefused},
		{[]string{"verify", picture}, exitFailed, exitFailed},
		{[]string{"verify", picture, "--json"}, exitFailed, exitFailed},
	} {
		var stdout, stderr bytes.Buffer
		if exit := run(t.Context(), tt.args, testEnv(&stdout, &stderr)); exit != tt.good {
			t.Errorf("%v: exit %d, want %d: %s", tt.args, exit, tt.good, stderr.String())
		}
		stderr.Reset()
		e := testEnv(&stdout, &stderr)
		e.stdout = fullDisk{}
		if exit := run(t.Context(), tt.args, e); exit != tt.full || tt.full == exitRefused && !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%v into a full disk: exit %d, want %d: %s", tt.args, exit, tt.full, stderr.String())
		}
	}
}

// TestVerifyJudgesWhatCanBeRead: a file that is missing hides no verdict on the others.
func TestVerifyJudgesWhatCanBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad, none := filepath.Join(dir, "bad.ofd"), filepath.Join(dir, "none.ofd")
	if err := os.WriteFile(bad, []byte("no document"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		files []string
		exit  int
	}{
		{[]string{bad, none}, exitFailed}, {[]string{none, bad}, exitFailed}, {[]string{none}, exitNotFound},
	} {
		for _, form := range [][]string{nil, {"--json"}} {
			var stdout, stderr bytes.Buffer
			exit := run(t.Context(), append(append([]string{"verify"}, tt.files...), form...), testEnv(&stdout, &stderr))
			if exit != tt.exit || !strings.Contains(stderr.String(), "none.ofd") {
				t.Errorf("%v: exit %d, want %d: %s", tt.files, exit, tt.exit, stderr.String())
			}
			if judged := len(tt.files) > 1; judged != strings.Contains(stdout.String(), "rejected") {
				t.Errorf("%v: %s", tt.files, stdout.String())
			}
		}
	}
}

// TestInterrupted: a command whose context ended says that it was interrupted.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	e := loggedIn(t, &stdout, &stderr, "http://127.0.0.1:1")
	if exit := run(ctx, []string{"inbox"}, e); exit != exitInterrupted || !strings.Contains(stderr.String(), "[interrupted]") {
		t.Errorf("exit %d, %s", exit, stderr.String())
	}
}

// loggedIn is a world with a login at an address.
func loggedIn(t *testing.T, stdout, stderr *bytes.Buffer, address string) *env {
	t.Helper()
	e := testEnv(stdout, stderr)
	e.home = t.TempDir()
	data, err := json.Marshal(session{Address: address, Account: "li", Token: "secret", Expires: e.now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.sessionPath(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestSessionsThatAreNone: what is no login is said so, with the code for it.
func TestSessionsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"empty object": "{}", "null": "null", "cut": `{"address":`, "empty": "", "list": "[]"} {
		var stdout, stderr bytes.Buffer
		e := testEnv(&stdout, &stderr)
		e.home = t.TempDir()
		if err := os.WriteFile(e.sessionPath(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if exit := run(t.Context(), []string{"inbox"}, e); exit != exitRefused || !strings.Contains(stderr.String(), "is no login") {
			t.Errorf("%s: exit %d, %s", name, exit, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	e := testEnv(&stdout, &stderr)
	e.home = t.TempDir()
	if err := os.Mkdir(e.sessionPath(), 0o700); err != nil {
		t.Fatal(err)
	}
	if exit := run(t.Context(), []string{"inbox"}, e); exit != exitRefused || !strings.Contains(stderr.String(), "is no login") {
		t.Errorf("a folder: exit %d, %s", exit, stderr.String())
	}
}

// TestSessionOfOthers: a login that others can read is used, with a warning.
func TestSessionOfOthers(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	e := loggedIn(t, &stdout, &stderr, "http://127.0.0.1:1")
	if _, err := e.readSession(); err != nil || stderr.Len() > 0 {
		t.Errorf("%v, %s", err, stderr.String())
	}
	if err := os.Chmod(e.sessionPath(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := e.readSession(); err != nil || !strings.Contains(stderr.String(), "others than you can read") {
		t.Errorf("%v, %s", err, stderr.String())
	}
}

// TestSecretsTravelProtected: over plain HTTP only to this machine, for login and for everything after it.
func TestSecretsTravelProtected(t *testing.T) {
	t.Parallel()
	for address, refused := range map[string]bool{
		"http://127.0.0.1:8480": false, "http://[::1]:8480": false, "http://localhost": false, "HTTP://LOCALHOST:1": false, "https://hub.example": false,
		"http://hub.example": true, "http://10.0.0.1:8480": true, "http://localhost.example": true, "http://127.0.0.1.example": true,
	} {
		if got := checkTransport(address) != nil; got != refused {
			t.Errorf("%s: refused %v", address, got)
		}
	}
	var stdout, stderr bytes.Buffer
	e := testEnv(&stdout, &stderr)
	e.home = t.TempDir()
	e.stdin = strings.NewReader("a secret\n")
	args := []string{"login", "http://hub.invalid", "--account", "li", "--password-file", "-"}
	if exit := run(t.Context(), args, e); exit != exitRefused || !strings.Contains(stderr.String(), "in the clear") {
		t.Errorf("exit %d, %s", exit, stderr.String())
	}
	e = loggedIn(t, &stdout, &stderr, "http://hub.invalid")
	if exit := run(t.Context(), []string{"inbox"}, e); exit != exitRefused || !strings.Contains(stderr.String(), "[insecure]") {
		t.Errorf("a remembered address: exit %d, %s", exit, stderr.String())
	}
}

// TestHomeless: without a home a person is told once where login and keys lie.
func TestHomeless(t *testing.T) {
	t.Parallel()
	if dir, named := homeDir(func(string) string { return "/somewhere" }); dir != "/somewhere" || !named {
		t.Errorf("%s, %v", dir, named)
	}
	var stdout, stderr bytes.Buffer
	e := testEnv(&stdout, &stderr)
	e.homeless = true
	run(t.Context(), []string{"inbox"}, e)
	if strings.Count(stderr.String(), "neither YINXIN_HOME nor HOME") != 1 || !strings.Contains(stderr.String(), e.home) {
		t.Errorf("it says %s", stderr.String())
	}
}
