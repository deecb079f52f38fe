package pdfseal_test

import (
	"fmt"
	"testing"

	"yinxin/document/pdf/pdftest"
	"yinxin/seal/pdfseal"
	"yinxin/verdict"
)

// TestShownWithoutASeal: whichever way a signature's own widget comes to show, or another time comes to stand beside it, is told;
// and an honest file has no such warning.
func TestShownWithoutASeal(t *testing.T) {
	t.Parallel()
	a := newAttacks(t)
	const rect = "/Rect [100 100 200 200] "
	drawn := pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", []byte("1 0 0 rg 0 0 1 1 re f"))
	objects := func(more map[int]string) map[int]string {
		more[21] = drawn
		return more
	}
	kid := map[int]string{20: "<< /Type /Annot /Subtype /Widget /Parent 10 0 R /P 4 0 R /F 4 " + rect + "/AP << /N 21 0 R >> >>"}
	far := map[int]string{ // /P names a page of which the rectangle lies outside; the page that shows it is another
		10: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (x) /V 11 0 R /P 6 0 R /F 132 " + rect + "/AP << /N 21 0 R >> >>",
		6:  "<< /Type /Page /Parent 2 0 R /MediaBox [900 900 950 950] /Resources << >> >>",
		2:  "<< /Type /Pages /Kids [4 0 R 6 0 R] /Count 2 /MediaBox [0 0 595 842] >>",
	}
	for name, tt := range map[string]struct {
		change func(*crafted)
		want   verdict.Reason
	}{
		"nothing shows": {func(*crafted) {}, ""},
		"annotated": {func(c *crafted) {
			c.annots = "20 0 R"
			c.objects = map[int]string{20: "<< /Type /Annot /Subtype /Highlight /Rect [1 1 9 9] >>"}
		}, ""},
		"no appearance": {func(c *crafted) { c.field = rect }, ""},
		"empty appearance": {func(c *crafted) {
			c.field = rect + "/AP << /N 21 0 R >>"
			c.objects = map[int]string{21: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", nil)}
		}, ""},
		"drawn": {func(c *crafted) { c.field = rect + "/AP << /N 21 0 R >>"; c.objects = objects(map[int]string{}) }, verdict.Unsealed},
		"turned rectangle": {func(c *crafted) {
			c.field = "/Rect [200 200 100 100] /AP << /N 21 0 R >>"
			c.objects = objects(map[int]string{})
		}, verdict.Unsealed},
		"drawn by a kid":    {func(c *crafted) { c.field = "/Kids [20 0 R]"; c.annots = "20 0 R"; c.objects = objects(kid) }, verdict.Unsealed},
		"on another page":   {func(c *crafted) { c.objects = objects(far) }, verdict.Unsealed},
		"time by reference": {func(c *crafted) { c.sig = "/M 20 0 R"; c.objects = map[int]string{20: "(D:20200101000000Z)"} }, verdict.TimeDiffers},
		"time in UTF-16":    {func(c *crafted) { c.sig = "/M <FEFF0044003A00320030003200300030003100300031>" }, verdict.TimeDiffers},
		"a zone of 99 hours": {func(c *crafted) {
			c.sig = fmt.Sprintf("/M (D:%s+99'00')", now.AddDate(0, 0, 4).Format("20060102150405"))
		}, verdict.TimeDiffers},
		"a time in UTC": {func(c *crafted) { c.sig = fmt.Sprintf("/M (D:%s)", now.UTC().Format("20060102150405Z")) }, ""},
		"in another zone": {func(c *crafted) {
			c.sig = fmt.Sprintf("/M (D:%s-05'00)", now.UTC().Add(-5*3600e9).Format("20060102150405"))
		}, ""},
		"a text without D:": {func(c *crafted) { c.sig = fmt.Sprintf("/M (%s)", now.UTC().Format("2006-01-02 15:04")) }, ""},
	} {
		f := pdfseal.Verify(a.only(tt.change), a.w.options())
		if f.Verdict != verdict.Passed {
			t.Errorf("%s: %s (%s): %+v", name, f.Verdict, f.Reason, f)
		}
		for _, r := range []verdict.Reason{verdict.Unsealed, verdict.TimeDiffers} {
			if f.Warned(r) != (r == tt.want) {
				t.Errorf("%s: warned of %s: %t; %v", name, r, f.Warned(r), f.WarningDetails)
			}
		}
	}
}
