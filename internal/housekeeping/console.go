package main

import (
	"context"
	"os"
	"path/filepath"

	browser "yinxin/internal/web/program"
)

// maxVerifier is the size of verify.html, in bytes, that it stays under: the compressed verifier in base 85 and the page
// around it.
const maxVerifier = 4_000_000

// wasm compiles the verifier for browsers into its place in the source, and looks at the size of the page that carries it.
func (h *house) wasm(ctx context.Context) tally {
	dir := filepath.Join(h.root, "internal", "web", "program", "built")
	if err := browser.Build(ctx, h.root, dir); err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	info, err := os.Stat(filepath.Join(dir, browser.ProgramFile))
	if err != nil {
		h.printf("%v\n", err)
		return tally{failed: 1}
	}
	page := info.Size()*5/4 + 80_000
	h.printf("verify.wasm.gz: %.2f MB, verify.html about %.2f MB, limit %.2f MB\n", float64(info.Size())/1e6, float64(page)/1e6, maxVerifier/1e6)
	if page >= maxVerifier {
		return tally{failed: 1}
	}
	return tally{passed: 1}
}

// shown are the pictures of the console that the README and docs/console.md show, of all that the tests take.
func shown() []string { return []string{"inbox", "delivery", "approval", "verify"} }

// screenshots runs the stories in the browser with their pictures kept, and copies those that are shown to docs/pictures.
func (h *house) screenshots(ctx context.Context) tally {
	dir := filepath.Join(h.root, ".cache", "screenshots")
	t := h.goTest(ctx, []string{"YINXIN_SCREENSHOTS=" + dir}, "-run=^Test(Story|Managing|VerifyPage)$", "./internal/web")
	if t.failed > 0 || len(t.missing) > 0 {
		return t
	}
	for _, name := range shown() {
		data, err := os.ReadFile(filepath.Join(dir, name+".png"))
		if err == nil {
			err = os.WriteFile(filepath.Join(h.root, "docs", "pictures", "console-"+name+".png"), data, 0o644)
		}
		if err != nil {
			h.printf("%v\n", err)
			t.failed++
		}
	}
	h.printf("all pages: %s\n", dir)
	return t
}
