package interop

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"yinxin/internal/attack/base"
)

// checkSeals runs SealCheck.java, which shares no code with this module.
func checkSeals(t *testing.T, root, file string) string {
	t.Helper()
	c := exec.Command("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", strings.Join(jars, ":"), "SealCheck.java", root, file)
	c.Stderr = t.Output()
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestBouncyCastleReadsSeals: the seals that this module puts on documents hold for a verifier of the JDK and Bouncy
// Castle alone, and a page changed afterwards does not.
func TestBouncyCastleReadsSeals(t *testing.T) {
	for _, tool := range []string{"java", "javac"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	for _, jar := range jars {
		if _, err := os.Stat(jar); err != nil {
			t.Skip("needs libbcpkix-java")
		}
	}
	w, err := base.New(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.Base()
	if err != nil {
		t.Fatal(err)
	}
	f := folder{t.TempDir()}
	root := f.put(t, "root.der", w.Root.Raw)
	for name, data := range map[string][]byte{"one.ofd": b.OFD, "closed.ofd": b.Closed, "seam.ofd": b.Seam} {
		if got := checkSeals(t, root, f.put(t, name, data)); got != "ok 1" {
			t.Errorf("%s: %s, want ok 1", name, got)
		}
	}
	if got := checkSeals(t, root, f.put(t, "changed.ofd", changed(t, b.OFD))); !strings.HasPrefix(got, "bad digest of /Doc_0/Pages") {
		t.Errorf("changed page: %s, want bad", got)
	}
	if got := checkSeals(t, root, f.put(t, "rogue.ofd", b.Rogue)); !strings.HasPrefix(got, "bad") {
		t.Errorf("another root: %s, want bad", got)
	}
}

// changed packs an OFD again with one character more on its first page.
func changed(t *testing.T, pkg []byte) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range r.File {
		rc, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		if e.Name == "Doc_0/Pages/Page_0/Content.xml" {
			data = bytes.Replace(data, []byte("</ofd:TextCode>"), []byte("甲</ofd:TextCode>"), 1)
		}
		w, err := z.Create(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
