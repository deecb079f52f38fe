package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// answering is a hub that gives one answer to everything.
func answering(t *testing.T, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const twoRecords = `{"items":[
 {"id":"id-1","archival_code":"Z001-1","number":"某办发〔2026〕7号","issued_on":"2026-11-21","title":"甲"},
 {"id":"id-2","archival_code":"Z001-2","number":"某办发〔2026〕7号","issued_on":"2026-11-22","title":"乙\u001b[2J\nid-3  forged"}]}`

// TestArchiveSearchNamesIDs: what a record is fetched by stands in the list, and no title makes a line or steers the terminal.
func TestArchiveSearchNamesIDs(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	e := loggedIn(t, &stdout, &stderr, answering(t, twoRecords))
	if exit := run(t.Context(), []string{"archive", "search", "x"}, e); exit != exitDone {
		t.Fatalf("exit %d, %s", exit, stderr.String())
	}
	want := "id-1  Z001-1  某办发〔2026〕7号  2026-11-21  甲\n" +
		`id-2  Z001-2  某办发〔2026〕7号  2026-11-22  乙\u001b[2J\u000aid-3  forged` + "\n"
	if stdout.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", stdout.String(), want)
	}
}

// TestArchiveGetListsTheAlike: of several records of one number the choice is shown.
func TestArchiveGetListsTheAlike(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	e := loggedIn(t, &stdout, &stderr, answering(t, twoRecords))
	if exit := run(t.Context(), []string{"archive", "get", "某办发〔2026〕7号", "--out", t.TempDir()}, e); exit != exitRefused {
		t.Fatalf("exit %d, %s", exit, stderr.String())
	}
	for _, want := range []string{"\n  id-1  Z001-1  2026-11-21  甲\n", "\n  id-2  Z001-2  2026-11-22  乙", "[conflict]"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no %q in:\n%s", want, stderr.String())
		}
	}
}

// TestApproveListsTitles: who approves sees which document waits, and which was approved and is not sealed yet.
func TestApproveListsTitles(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		state := r.URL.Query().Get("state")
		fmt.Fprintf(w, `{"items":[{"id":"d-%.1s","state":%q,"requester":"li","to":["A"],"cc":["B"],"unsealed_sm3":"11ee","digest":"00ff","title":"关于测试的通知"}]}`, state, state)
	}))
	defer hub.Close()
	e := loggedIn(t, &stdout, &stderr, hub.URL)
	want := "d-p  pending  by li  to A,B  file 11ee  digest 00ff  关于测试的通知\nd-a  approved by li  to A,B  file 11ee  digest 00ff  关于测试的通知\n"
	if exit := run(t.Context(), []string{"approve"}, e); exit != exitDone || stdout.String() != want {
		t.Errorf("exit %d, %s%s", exit, stdout.String(), stderr.String())
	}
}

// TestMomentsNameTheirZone: a time without its zone says nothing on another machine.
func TestMomentsNameTheirZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	got, err := time.Parse("2006-01-02 15:04:05 -07:00", moment(at))
	if err != nil || !got.Equal(at) {
		t.Errorf("%s: %v", moment(at), err)
	}
}
