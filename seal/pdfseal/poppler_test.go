package pdfseal_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cms"
	"yinxin/document/pdf/pdftest"
	"yinxin/seal"
	"yinxin/seal/pdfseal"
)

// poppler writes a file and runs one of poppler's programs on it.
func poppler(t *testing.T, program string, data []byte, args ...string) (string, string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("needs %s (Debian: poppler-utils)", program)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "sealed.pdf")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, append(args, file, filepath.Join(dir, "page"))...)
	if program == "pdfsig" {
		c = exec.Command(program, append(args, "-nocert", file)...)
	}
	c.Env = append(os.Environ(), "HOME="+dir, "TZ=UTC", "LC_ALL=C")
	out, err := c.CombinedOutput()
	if err != nil && program != "pdfsig" { // pdfsig answers 1 where it cannot judge SM2
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out), dir
}

// TestPopplerListsEverySignature: pdfsig, which shares no code with this module, finds every signature of a sealed file,
// its format and its time, and says of the last one that the whole document is signed. It cannot judge SM2 itself.
func TestPopplerListsEverySignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	document := pdftest.Document("hello", "world").Bytes()
	withProfile := func(p cms.Profile) []byte {
		prepared := must[*pdfseal.Prepared](t)(pdfseal.Prepare(document, pdfseal.PrepareOptions{
			Seal: w.seal, SignerCert: w.office.cert, Time: now, Stamps: []seal.Stamp{{X: 100, Y: 200}}, Profile: p,
		}))
		return must[[]byte](t)(prepared.Sign(rand.Reader, w.office.key))
	}
	twice := w.sealedTwice(t, document)
	closed := must[*pdfseal.Prepared](t)(pdfseal.Prepare(twice, pdfseal.PrepareOptions{SignerCert: w.office.cert, Time: now.Add(time.Hour)}))
	for name, tt := range map[string]struct {
		data []byte
		want int
	}{
		"one seal":              {w.sealed(t, document), 1},
		"profile rfc":           {withProfile(cms.ProfileRFC), 1},
		"two seals":             {twice, 2},
		"two and one signature": {must[[]byte](t)(closed.Sign(rand.Reader, w.office.key)), 3},
	} {
		out, _ := poppler(t, "pdfsig", tt.data)
		if n := strings.Count(out, "\nSignature #"); n != tt.want {
			t.Errorf("%s: %d signatures, want %d:\n%s", name, n, tt.want, out)
		}
		if n := strings.Count(out, "adbe.pkcs7.detached"); n != tt.want {
			t.Errorf("%s: %d of the format:\n%s", name, n, out)
		}
		last := out[max(0, strings.LastIndex(out, "\nSignature #")):]
		if !strings.Contains(last, "Total document signed") {
			t.Errorf("%s: the last signature does not cover the document:\n%s", name, out)
		}
		if n := strings.Count(out, "Not total document signed"); n != tt.want-1 {
			t.Errorf("%s: %d signatures of earlier revisions:\n%s", name, n, out)
		}
	}
	// The twin: a byte behind the last revision, and the last signature covers the document no more.
	out, _ := poppler(t, "pdfsig", append(w.sealed(t, document), "% more\n"...))
	if !strings.Contains(out, "Not total document signed") {
		t.Errorf("a comment behind the end goes unnoticed:\n%s", out)
	}
}

// TestPopplerDrawsTheSeal: pdftoppm draws the page, and the seal's red shows on it and nowhere on the unsealed one.
func TestPopplerDrawsTheSeal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	document := pdftest.Document("hello").Bytes()
	red := func(data []byte) int {
		_, dir := poppler(t, "pdftoppm", data, "-r", "40")
		pages, err := filepath.Glob(filepath.Join(dir, "page*.ppm"))
		if err != nil || len(pages) != 1 {
			t.Fatal(pages, err)
		}
		ppm, err := os.ReadFile(pages[0])
		if err != nil {
			t.Fatal(err)
		}
		var width, height, most int
		if _, err := fmt.Sscanf(string(ppm[:20]), "P6\n%d %d\n%d", &width, &height, &most); err != nil {
			t.Fatal(err)
		}
		n, pixels := 0, ppm[len(ppm)-3*width*height:]
		for i := 0; i < len(pixels); i += 3 {
			if pixels[i] > 150 && pixels[i+1] < 100 && pixels[i+2] < 100 {
				n++
			}
		}
		return n
	}
	if before, after := red(document), red(w.sealed(t, document)); before != 0 || after < 50 {
		t.Errorf("%d red pixels before sealing, %d after", before, after)
	}
}
