package web_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/internal/attack"
	"yinxin/internal/attack/base"
	"yinxin/internal/web/program"
	"yinxin/internal/web/webtest"
)

// verifier is the verifier for browsers: as the build left it, or compiled now.
func verifier(t *testing.T) program.Files {
	t.Helper()
	if built := program.Embedded(); built.Ready() {
		return built
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := program.Root(here)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := program.Build(t.Context(), root, dir); err != nil {
		t.Fatal(err)
	}
	return program.Folder(dir)
}

// corpus writes sound files and forged ones of the attack corpus into a folder, one of each family, with the root.
func corpus(t *testing.T) (dir string, root []byte, sound, forged []string) {
	t.Helper()
	world, err := base.New(time.Now().Add(-time.Hour).Truncate(time.Second), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := world.Base()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	seen := map[string]int{}
	err = attack.Cases(b, func(c attack.Case) error {
		row, _, _ := strings.Cut(c.ID, "/")
		good := c.Verdict == attack.Passed
		if good && !strings.HasPrefix(c.ID, "T-") || !good && seen[row] > 0 || len(c.Data) > 4<<20 {
			return nil
		}
		seen[row]++
		name := strings.NewReplacer("/", "_", " ", "_").Replace(c.ID) + "." + c.File
		if c.File == "p7s" {
			if err := os.WriteFile(filepath.Join(dir, strings.TrimSuffix(name, ".p7s")), c.Content, 0o600); err != nil {
				return err
			}
		}
		if good {
			sound = append(sound, filepath.Join(dir, name))
		} else {
			forged = append(forged, filepath.Join(dir, name))
		}
		return os.WriteFile(filepath.Join(dir, name), c.Data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir, world.Root.PEM(), sound, forged
}

// withContent adds to a list of files those that detached signatures of it are about.
func withContent(files []string) []string {
	var out []string
	for _, f := range files {
		out = append(out, f)
		if signed, ok := strings.CutSuffix(f, ".p7s"); ok {
			out = append(out, signed)
		}
	}
	return out
}

// verdicts hands files to the verifying page and reads what it answers, by file.
func verdicts(tab *webtest.Tab, files []string) map[string]string {
	tab.Upload("#files", files...)
	tab.Wait(".answer")
	out := map[string]string{}
	for line := range strings.Lines(tab.Eval(`[...document.querySelectorAll(".answer")].map((a) => a.querySelector("p.dim").innerText.split("（")[0] + " " + a.dataset.verdict).join("\n")`)) {
		name, word, _ := strings.Cut(strings.TrimSpace(line), " ")
		out[name] = word
	}
	return out
}

// TestVerifyPage judges sound and forged files in the browser: on the hub's page, and on the page as one file, opened from
// the disk with the network off. Sound files pass, none of the forged ones does.
func TestVerifyPage(t *testing.T) {
	b := webtest.NewBrowser(t)
	hub := webtest.Start(t, verifier(t))
	dir, root, sound, forged := corpus(t)
	if len(sound) < 5 || len(forged) < 40 {
		t.Fatalf("%d sound and %d forged files", len(sound), len(forged))
	}
	roots := filepath.Join(dir, "more.pem")
	if err := os.WriteFile(roots, root, 0o600); err != nil {
		t.Fatal(err)
	}
	judge := func(tab *webtest.Tab) {
		tab.Wait("body[data-ready]")
		tab.Upload("#more-roots", roots)
		for _, f := range sound {
			name := filepath.Base(f)
			if got := verdicts(tab, withContent([]string{f})); got[name] != attack.Passed {
				t.Errorf("%s, a sound file: %v", name, got)
			}
		}
		got := verdicts(tab, withContent(forged))
		for _, f := range forged {
			switch name := filepath.Base(f); got[name] {
			case attack.Passed:
				t.Errorf("%s, a forged file, passes", name)
			case "":
				t.Errorf("%s was not judged", name)
			}
		}
	}

	online := b.Tab(hub.URL)
	online.Go("/verify")
	online.Wait("body[data-ready]")
	online.Accessible("verify")
	judge(online)

	page := filepath.Join(dir, "verify.html")
	if err := os.WriteFile(page, hub.Get(t, "/verify/verify.html"), 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(page); err != nil || info.Size() >= 4_000_000 {
		t.Errorf("verify.html: %v, %v", info.Size(), err)
	}
	offline := b.Tab("file://" + page)
	offline.Offline()
	offline.Go("")
	judge(offline)
	offline.Accessible("verify-offline")

	one := b.Tab(hub.URL)
	one.Go("/verify")
	one.Wait("body[data-ready]")
	one.Upload("#more-roots", roots)
	verdicts(one, []string{sound[0]})
	one.Picture("verify")
	verdicts(one, []string{forged[0]})
	one.Wants("无效")
	one.Picture("verify-forged")
}
