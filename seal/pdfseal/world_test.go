package pdfseal_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/crypto/gm"
	"yinxin/document/pdf/pdftest"
	"yinxin/seal"
	"yinxin/seal/pdfseal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

// now is the time of every test.
var now = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// party is a key with its certificate.
type party struct {
	key  *gm.PrivateKey
	cert *cert.Certificate
}

// world is a root, a maker of seals, an office with a seal, and another office with another.
type world struct {
	root          *cert.Authority
	maker         party
	office, other party
	seal          *ses.Seal
	otherSeal     *ses.Seal
	encryption    party
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{}
	rootKey := must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	st := cert.Station{Signer: rootKey, Now: func() time.Time { return now.AddDate(-1, 0, 0) }}
	w.root = must[*cert.Authority](t)(cert.NewRoot(st, cert.Subject("Test Root", "Test"), cert.IssueOptions{}))
	makerKey := must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	w.maker = party{makerKey, must[*cert.Certificate](t)(w.root.IssueMaker(cert.Subject("Seal Maker", "Test"), makerKey.PublicKey(), cert.IssueOptions{}))}
	w.office, w.other = w.party(t, "Office A"), w.party(t, "Office B")
	key := must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	w.encryption = party{key, must[*cert.Certificate](t)(w.root.IssueEncryption(cert.Subject("Office A", "Test"), key.PublicKey(), cert.IssueOptions{}))}
	w.seal = w.makeSeal(t, "Seal of A", color.NRGBA{R: 220, A: 255}, w.office.cert)
	w.otherSeal = w.makeSeal(t, "Seal of B", color.NRGBA{R: 200, B: 40, A: 255}, w.other.cert)
	return w
}

func (w *world) party(t testing.TB, name string) party {
	t.Helper()
	key := must[*gm.PrivateKey](t)(gm.GenerateKey(nil))
	return party{key, must[*cert.Certificate](t)(w.root.IssueSigning(cert.Subject(name, "Test"), key.PublicKey(), cert.IssueOptions{}))}
}

func (w *world) makeSeal(t testing.TB, name string, ink color.NRGBA, signers ...*cert.Certificate) *ses.Seal {
	t.Helper()
	return must[*ses.Seal](t)(seal.Make(seal.MakeOptions{
		Maker: w.maker.key, MakerCert: w.maker.cert, Signers: signers, Name: name, ID: strings.ReplaceAll(name, " ", "-"),
		Picture: ses.Picture{Type: "PNG", Data: ring(ink), Width: 42, Height: 42},
		From:    now.AddDate(0, -1, 0), To: now.AddDate(1, 0, 0), Rand: rand.Reader,
	}))
}

// ring draws a ring with a dot.
func ring(ink color.NRGBA) []byte {
	const n = 120
	img := image.NewNRGBA(image.Rect(0, 0, n, n))
	for y := range n {
		for x := range n {
			d := math.Hypot(float64(x)-n/2, float64(y)-n/2)
			if d < 58 && d > 52 || d < 14 {
				img.SetNRGBA(x, y, ink)
			}
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}

func (w *world) options() seal.VerifyOptions {
	return seal.VerifyOptions{Policy: cert.Policy{Roots: []*cert.Certificate{w.root.Certificate}}, Now: now.Add(time.Hour)}
}

func (w *world) verify(data []byte) verdict.File { return pdfseal.Verify(data, w.options()) }

func (w *world) prepare(document []byte, page int, x, y float64) (*pdfseal.Prepared, error) {
	return pdfseal.Prepare(document, pdfseal.PrepareOptions{
		Seal: w.seal, SignerCert: w.office.cert, Time: now, Stamps: []seal.Stamp{{Page: page, X: x, Y: y}},
	})
}

func (w *world) sealed(t testing.TB, document []byte) []byte {
	t.Helper()
	p := must[*pdfseal.Prepared](t)(w.prepare(document, 0, 100, 200))
	return must[[]byte](t)(p.Sign(rand.Reader, w.office.key))
}

// sealedTwice has the other office's seal beside the first.
func (w *world) sealedTwice(t testing.TB, document []byte) []byte {
	t.Helper()
	p := must[*pdfseal.Prepared](t)(pdfseal.Prepare(w.sealed(t, document), pdfseal.PrepareOptions{
		Seal: w.otherSeal, SignerCert: w.other.cert, Time: now.Add(time.Minute), Stamps: []seal.Stamp{{X: 40, Y: 200}},
	}))
	return must[[]byte](t)(p.Sign(rand.Reader, w.other.key))
}

// crafted is a signature field written by hand, the way an attacker with a good key would. Where a field is empty the
// result is sound.
type crafted struct {
	w         *world
	base      []byte
	first     int            // the first free number; the field is first, the signature first+1
	field     string         // more keys of the field
	sig       string         // more keys of the signature dictionary
	subFilter string         // without slash
	pageKeys  string         // more keys of the page dictionary
	annots    string         // more references in /Annots, before the field
	fields    string         // references in /Fields before the field
	objects   map[int]string // more objects
	kids      string         // /Kids and /Count of the page tree
	ranges    func(start, end, size int) string
	contents  func(der []byte) string // the text of /Contents
	width     int                     // its room
	gap       string                  // text behind /Contents that the range leaves out as well
	attached  bool
	signer    *party
	after     string // bytes behind %%EOF before signing
}

func (c crafted) defaults() crafted {
	if c.subFilter == "" {
		c.subFilter = "adbe.pkcs7.detached"
	}
	if c.ranges == nil {
		c.ranges = func(start, end, size int) string { return fmt.Sprintf("[0 %d %d %d]", start, end, size-end) }
	}
	if c.width == 0 {
		c.width = 8002
	}
	if c.contents == nil {
		c.contents = func(der []byte) string {
			return "<" + hex.EncodeToString(der) + strings.Repeat("0", c.width-2-2*len(der)) + ">"
		}
	}
	if c.signer == nil {
		c.signer = &c.w.other
	}
	if c.kids == "" {
		c.kids = "/Kids [4 0 R] /Count 1"
	}
	return c
}

// build signs over the two ranges that the text of /ByteRange gives where it is sound, else over all but the value.
func (c crafted) build(t testing.TB) []byte {
	t.Helper()
	c = c.defaults()
	const room = 60
	n := c.first
	form := fmt.Sprintf("<< /Fields [%s %d 0 R] /SigFlags 3 >>", c.fields, n)
	objects := map[int]string{
		1: fmt.Sprintf("<< /Type /Catalog /Pages 2 0 R /AcroForm %s >>", form),
		4: fmt.Sprintf("<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> /Annots [%s %d 0 R] %s >>",
			c.annots, n, c.pageKeys),
		n: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Crafted%d) /V %d 0 R /P 4 0 R /F 132 %s >>", n, n+1, c.field),
		n + 1: fmt.Sprintf("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /%s %s /ByteRange %s /Contents %s%s >>",
			c.subFilter, c.sig, strings.Repeat("@", room), strings.Repeat("#", c.width), c.gap),
	}
	if !strings.Contains(c.field, "/Rect") {
		objects[n] = strings.Replace(objects[n], "/F 132", "/F 132 /Rect [0 0 0 0]", 1)
	}
	if m := regexp.MustCompile(`/AcroForm (\d+) 0 R`).FindSubmatch(c.base); m != nil {
		delete(objects, 1)
		objects[must[int](t)(strconv.Atoi(string(m[1])))] = form
	}
	maps.Copy(objects, c.objects)
	out := pdftest.Update(c.base, objects, pdftest.Table{Root: 1, Prev: pdftest.StartXref(c.base)})
	out = append(out, c.after...)
	start := bytes.LastIndex(out, []byte(strings.Repeat("#", c.width)))
	end := start + c.width + len(c.gap)
	at := bytes.LastIndex(out, []byte(strings.Repeat("@", room)))
	text := c.ranges(start, end, len(out))
	copy(out[at:], text+strings.Repeat(" ", room-len(text)))
	var r [4]int
	first, second := out[:start], out[end:]
	if k, err := fmt.Sscanf(text, "[%d %d %d %d]", &r[0], &r[1], &r[2], &r[3]); err == nil && k == 4 {
		first, second = out[r[0]:r[0]+r[1]], out[r[2]:r[2]+r[3]]
	}
	options := cms.SignOptions{Signer: c.signer.key, Certificate: c.signer.cert, Time: now, Rand: rand.Reader}
	sign := func() ([]byte, error) { return cms.SignDetached(gm.SM3(first, second), options) }
	if c.attached {
		sign = func() ([]byte, error) { return cms.Sign(append(bytes.Clone(first), second...), options) }
	}
	value := c.contents(must[[]byte](t)(sign()))
	copy(out[start:], value+strings.Repeat(" ", c.width-len(value)))
	return out
}
