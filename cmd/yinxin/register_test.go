package main

import (
	"encoding/json"
	"fmt"
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
	find, err := recordsOf([]api.Seal{good})
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
		if _, err := recordsOf(list); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
