package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// await waits for a file, for instance the address of a hub that is starting, and keeps its first line in a variable:
// await VARIABLE FILE.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await VARIABLE FILE")
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		data, err := os.ReadFile(ts.MkAbs(args[1]))
		if line, _, found := strings.Cut(string(data), "\n"); err == nil && found {
			ts.Setenv(args[0], line)
			return
		}
	}
	ts.Fatalf("%s did not appear within 30 s", args[1])
}

// keep runs a command with --json and keeps one value of its result in a variable:
// keep VARIABLE items.0.id yinxin inbox.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: keep VARIABLE PATH COMMAND [ARGUMENT...]")
	}
	ts.Check(ts.Exec(args[2], append(args[3:], "--json")...))
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for step := range strings.SplitSeq(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			n, err := strconv.Atoi(step)
			ts.Check(err)
			if n >= len(x) {
				ts.Fatalf("no %s in %v", args[1], v)
			}
			v = x[n]
		}
	}
	text, ok := v.(string)
	if !ok {
		ts.Fatalf("%s is %v, not a text", args[1], v)
	}
	ts.Setenv(args[0], text)
}

// as goes on as another person: it sets YINXIN_HOME to a folder of that account and logs in there with the secret that
// `yinxind dev` left: as ACCOUNT.
func as(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: as ACCOUNT")
	}
	var accounts []struct{ Account, Secret string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("dev/accounts.json")), &accounts))
	home := ts.MkAbs(filepath.Join("home", args[0]))
	ts.Setenv("YINXIN_HOME", home)
	if _, err := os.Stat(filepath.Join(home, "session.json")); err == nil {
		return
	}
	for _, a := range accounts {
		if a.Account != args[0] {
			continue
		}
		secret := ts.MkAbs("secret-" + args[0])
		ts.Check(os.WriteFile(secret, []byte(a.Secret+"\n"), 0o600))
		ts.Check(ts.Exec("yinxin", "login", ts.Getenv("HUB"), "--account", args[0], "--password-file", secret))
		return
	}
	ts.Fatalf("no account %s", args[0])
}

// awaitArchived waits until an exchange is archived: await-archived EXCHANGE.
func awaitArchived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await-archived EXCHANGE")
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		ts.Check(ts.Exec("yinxin", "track", args[0], "--json"))
		if strings.Contains(ts.ReadFile("stdout"), `"status":"archived"`) {
			return
		}
	}
	ts.Fatalf("exchange %s was not archived within 30 s", args[0])
}

// rehome lets every remembered login speak to the hub at its new address, as behind one name it would: rehome HOMES.
func rehome(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rehome HOMES")
	}
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*", "session.json"))
	ts.Check(err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		ts.Check(err)
		var s map[string]any
		ts.Check(json.Unmarshal(data, &s))
		s["address"] = ts.Getenv("HUB")
		data, err = json.Marshal(s)
		ts.Check(err)
		ts.Check(os.WriteFile(f, data, 0o600))
	}
}

// awaitInbox waits until something lies in the inbox: await-inbox.
func awaitInbox(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: await-inbox")
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		ts.Check(ts.Exec("yinxin", "inbox", "--json"))
		if strings.Contains(ts.ReadFile("stdout"), `"state":"available"`) {
			return
		}
	}
	ts.Fatalf("nothing came into the inbox within 30 s")
}
