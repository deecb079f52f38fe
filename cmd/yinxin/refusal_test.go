package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const draftWithFile = `kind: 通知
issuer: {code: A, name: 甲市人民政府办公室}
number: 甲政办发〔2026〕7号
title: 甲市人民政府办公室关于试点工作的通知
issued_on: 2026-11-21
to: [{code: B, name: 甲市教育局}]
body: |
  现将有关事项通知如下。
attachments: [{title: 名单, file: list.txt}]
`

// TestRefusalsAreRecorded: a classified draft stays here, in its own text or in a file beside it, and the hub is told that it
// was refused, and nothing else.
func TestRefusalsAreRecorded(t *testing.T) {
	t.Parallel()
	const refusals, dispatches = "/api/v1/office/refusals", "/api/v1/office/dispatches"
	for name, tt := range map[string]struct {
		draft, file string
		exit        int
		want        []string
	}{
		"in the draft": {draftWithFile + "copy_note: 机密★1年\n", "甲", exitRefused, []string{refusals}},
		"in a file":    {draftWithFile, "秘密★2年\n", exitRefused, []string{refusals}},
		"none":         {draftWithFile, "甲、乙\n", exitDone, []string{dispatches}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.URL.Path)
				body, err := io.ReadAll(r.Body)
				if err != nil || r.URL.Path == refusals && bytes.ContainsAny(body, "机秘密甲") {
					t.Errorf("the refusal says %s, %v", body, err)
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"id":"d"}`)
			}))
			defer hub.Close()
			dir := t.TempDir()
			for name, text := range map[string]string{"draft.yaml": tt.draft, "list.txt": tt.file} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var stdout, stderr bytes.Buffer
			exit := run(t.Context(), []string{"send", filepath.Join(dir, "draft.yaml")}, loggedIn(t, &stdout, &stderr, hub.URL))
			if exit != tt.exit || !slices.Equal(asked, tt.want) {
				t.Errorf("exit %d, asked %v, want %d and %v\n%s", exit, asked, tt.exit, tt.want, stderr.String())
			}
		})
	}
}
