package web

import (
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/hub"
	"yinxin/transport/office"
	"yinxin/transport/receipt"
	"yinxin/verdict"
)

// deliveryPage is one document that came to the office.
type deliveryPage struct {
	hub.Received
	SenderName string
	// Volume is nil before the document is opened, and after the office gave it back.
	Volume *volume
	Pages  []pageView
	// CanOpen, CanSign and CanReturn say what the person may do now; Blocked says that the seal does not let it be signed for.
	CanOpen, CanSign, CanReturn, Blocked bool
	Timeline                             []step
	Reasons                              []string
	// Fault is the key of what is wrong with the form that was sent, Sent what was in it.
	Fault string
	Sent  map[string]string
}

// step is one entry of a timeline.
type step struct {
	hub.Evidence
	OfficeName string
}

func (c *call) timeline(all []hub.Evidence) []step {
	out := make([]step, 0, len(all))
	for _, e := range all {
		st := step{Evidence: e}
		if e.Recipient != "" {
			st.OfficeName = c.officeName(e.Recipient)
		}
		out = append(out, st)
	}
	return out
}

func (s *Server) delivery(c *call) error { return s.showDelivery(c, http.StatusOK, "", nil) }

func (s *Server) showDelivery(c *call, status int, fault string, sent map[string]string) error {
	r, err := s.c.Exchange.Delivery(c.Context(), c.caller(), c.variable("id"))
	if err != nil {
		return err
	}
	p := deliveryPage{
		Received: r, SenderName: c.officeName(r.Exchange.Sender), Timeline: c.timeline(r.Evidence), Reasons: returnReasons(), Fault: fault, Sent: sent,
	}
	clerk := c.person().Clerk
	p.CanOpen = clerk && allows(r.Delivery.State, transport.Open)
	p.CanReturn = clerk && allows(r.Delivery.State, transport.Return)
	if clerk && readable(r.Delivery.State) {
		if p.Volume, err = s.look(c, r); err != nil {
			return err
		}
		p.Pages = p.Volume.Pages("/inbox/" + r.Delivery.ID)
		signable := allows(r.Delivery.State, transport.Acknowledge)
		p.CanSign, p.Blocked = signable && p.Volume.Verdict == verdict.Passed, signable && p.Volume.Verdict != verdict.Passed
	}
	return c.show(status, "delivery", p)
}

// look takes the opened document from the shelf, with an audit record of its own, or opens it, which leaves one too.
func (s *Server) look(c *call, r hub.Received) (*volume, error) {
	key := deliveryKey(c, r)
	if v := s.shelf.get(key); v != nil {
		return v, c.note("delivery.view", r.Delivery.ID, transport.Allowed)
	}
	return c.shelve(key, s.c.Office.Reopen, r.Delivery.ID)
}

// returnReasons are the codes of a return in their order.
func returnReasons() []string {
	var out []string
	for code := range transport.ReturnReasons() {
		out = append(out, code)
	}
	slices.Sort(out)
	return out
}

// openDelivery takes the document over: from now on it counts as received.
func (s *Server) openDelivery(c *call) error {
	if err := c.form(); err != nil {
		return err
	}
	id := c.variable("id")
	err := c.opened(s.c.Office.Open, id, func(o *office.Opened, dir string) error {
		v, err := newVolume(o, dir, s.c.Faces)
		if err != nil {
			return err
		}
		r, err := s.c.Exchange.Delivery(c.Context(), c.caller(), id)
		if err == nil {
			s.shelf.put(deliveryKey(c, r), v)
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.redirect("/inbox/" + id)
}

func (s *Server) signFor(c *call) error {
	if err := c.form("number", "comment"); err != nil {
		return err
	}
	number, comment := c.value("number"), c.value("comment")
	if len([]rune(comment)) > transport.MaxCommentRunes || len(number) > receipt.MaxNumber {
		return s.showDelivery(c, http.StatusUnprocessableEntity, "fault.long", map[string]string{"number": number, "comment": comment})
	}
	id := c.variable("id")
	err := c.opened(s.c.Office.Reopen, id, func(o *office.Opened, _ string) error {
		_, err := s.c.Office.SignFor(c.Context(), c.person(), o, number, comment)
		return err
	})
	if err != nil {
		return err
	}
	s.counted.forget(c.account.Org)
	return c.redirect("/inbox/" + id + "?done=signed")
}

func (s *Server) giveBack(c *call) error {
	if err := c.form("reason", "text"); err != nil {
		return err
	}
	reason, text := c.value("reason"), c.value("text")
	sent := map[string]string{"reason": reason, "text": text}
	switch {
	case !slices.Contains(returnReasons(), reason) || text == "":
		return s.showDelivery(c, http.StatusUnprocessableEntity, "fault.reason", sent)
	case len([]rune(text)) > transport.MaxCommentRunes:
		return s.showDelivery(c, http.StatusUnprocessableEntity, "fault.long", sent)
	}
	id := c.variable("id")
	if _, err := s.c.Office.Return(c.Context(), c.person(), id, reason, text); err != nil {
		return err
	}
	s.counted.forget(c.account.Org)
	return c.redirect("/inbox/" + id + "?done=returned")
}

// deliveryPageImage draws one page. What was withdrawn or given back meanwhile is gone.
func (s *Server) deliveryPageImage(c *call) error {
	r, err := s.c.Exchange.Delivery(c.Context(), c.caller(), c.variable("id"))
	if err != nil {
		return err
	}
	if !readable(r.Delivery.State) {
		return api.NewProblem(api.NotFound, "")
	}
	v, err := c.shelve(deliveryKey(c, r), s.c.Office.Reopen, r.Delivery.ID)
	if err != nil {
		return err
	}
	return c.image(v)
}

// image sends a page of a volume.
func (c *call) image(v *volume) error {
	n, err := strconv.Atoi(c.variable("n"))
	if err != nil || n < 1 {
		return api.NewProblem(api.NotFound, "")
	}
	data, err := v.svg(n - 1)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "image/svg+xml")
	// Opened by itself, the drawing may do nothing at all; its one style is how a seal lies over the text.
	c.w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	_, _ = c.w.Write(data)
	return nil
}

// deliveryFile hands out one file of the envelope.
func (s *Server) deliveryFile(c *call) error {
	n, err := strconv.Atoi(c.variable("n"))
	if err != nil {
		return api.NewProblem(api.NotFound, "")
	}
	return c.opened(s.c.Office.Reopen, c.variable("id"), func(o *office.Opened, dir string) error {
		if n < 0 || n >= len(o.Files) {
			return api.NewProblem(api.NotFound, "")
		}
		f, err := os.Open(filepath.Join(dir, o.Files[n]))
		if err != nil {
			return err
		}
		defer f.Close()
		return c.attach(o.Files[n], "application/octet-stream", f)
	})
}

// attach sends a file to be saved. Its name is quoted as RFC 6266 has it, whatever it holds.
func (c *call) attach(name, kind string, r io.Reader) error {
	c.w.Header().Set("Content-Type", kind)
	c.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	c.w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if _, err := io.Copy(c.w, r); err != nil {
		panic(http.ErrAbortHandler) // a cut file must not look whole
	}
	return nil
}

// late reports whether the limit to sign for passed and the recipient has not acted.
func late(d transport.Delivery, now time.Time) bool {
	waiting := d.State == transport.Available || d.State == transport.Opened
	return waiting && (d.Overdue || !d.Due.IsZero() && d.Due.Before(now))
}

// receiptFile hands out the receipt of an entry.
func (s *Server) receiptFile(c *call) error {
	id := c.variable("id")
	body, err := s.c.Exchange.Receipt(c.Context(), c.caller(), id)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", api.TypeReceipt)
	c.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": id + ".yxr"}))
	_, _ = c.w.Write(body)
	return nil
}
