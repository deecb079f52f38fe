package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/gm"
	"yinxin/seal"
	"yinxin/transport/api"
)

// registerMain writes a register of one seal, as 'yinxin seals ls --json' does: register SEAL.esl OUT.json STATUS.
func registerMain(args []string) int {
	if err := writeRegister(args[0], args[1], args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func writeRegister(esl, out, status string) error {
	s, err := readSeal(esl)
	if err != nil {
		return err
	}
	p := s.Info.Property
	item := api.Seal{
		ID: s.Info.SealID, Name: p.Name, Office: "YXZF", Status: status, From: p.From, To: p.To, SM3: fmt.Sprintf("%x", gm.SM3(s.Raw)),
		History: []api.SealChange{{To: string(seal.Active), At: p.From}},
	}
	if status != string(seal.Active) {
		item.History = append(item.History, api.SealChange{To: status, At: time.Now()})
	}
	data, err := json.Marshal(api.List[api.Seal]{Items: []api.Seal{item}})
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o600)
}

// A register that nobody can read in one way only is refused.
func TestRegisterIsStrict(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("0", 64)
	good := api.Seal{ID: "a", SM3: sum, History: []api.SealChange{{To: "active"}}}
	find, err := recordsOf(api.List[api.Seal]{Items: []api.Seal{good}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := find("a"); err != nil {
		t.Error(err)
	}
	if _, err := find("b"); err == nil {
		t.Error("a seal that is not registered was found")
	}
	late := good
	late.History = []api.SealChange{{To: "voided"}}
	short := good
	short.SM3 = sum[:60]
	for name, list := range map[string][]api.Seal{"twice": {good, good}, "voided before it was registered": {late}, "no SM3": {short}} {
		if _, err := recordsOf(api.List[api.Seal]{Items: list}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestRegisterIsListedWhole: 'seals ls' goes through all pages, unless one is asked for; that one says that there are more.
func TestRegisterIsListedWhole(t *testing.T) {
	t.Parallel()
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := api.List[api.Seal]{Items: []api.Seal{{ID: "a"}}, Next: "a"}
		if r.URL.Query().Get("cursor") == "a" {
			page = api.List[api.Seal]{Items: []api.Seal{{ID: "b"}}}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(page)
	}))
	defer hub.Close()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "a,b"},
		{[]string{"--limit", "1"}, "a, more a"},
		{[]string{"--after", "a"}, "b"},
	} {
		var stdout, stderr bytes.Buffer
		if exit := run(t.Context(), append([]string{"seals", "ls", "--json"}, tt.args...), loggedIn(t, &stdout, &stderr, hub.URL)); exit != exitDone {
			t.Fatalf("%v: exit %d, %s", tt.args, exit, &stderr)
		}
		var got api.List[api.Seal]
		if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, s := range got.Items {
			ids = append(ids, s.ID)
		}
		text := strings.Join(ids, ",")
		if got.Next != "" {
			text += ", more " + got.Next
		}
		if text != tt.want {
			t.Errorf("seals ls %v: %s, want %s", tt.args, text, tt.want)
		}
	}
}
