package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"yinxin/transport/api"
)

// How often counts are looked at, how often a silent connection says that it lives, and how long one lasts: then the
// browser comes back and is asked anew who it is.
const (
	livePause = 3 * time.Second
	liveBeat  = 15 * time.Second
	liveLife  = 10 * time.Minute
)

// live sends the counts beside the menu whenever they change (server-sent events). A page without scripts shows those of
// the moment when it was drawn.
func (s *Server) live(c *call) error {
	out := http.NewResponseController(c.w)
	if c.Header.Get("Accept") != "text/event-stream" {
		return api.NewProblem(api.UnsupportedFormat, "")
	}
	c.w.Header().Set("Content-Type", "text/event-stream")
	_ = out.SetWriteDeadline(time.Time{}) // it lasts as long as it lasts
	tick := time.NewTicker(livePause)
	defer tick.Stop()
	end := time.NewTimer(liveLife)
	defer end.Stop()
	var last counts
	for silent, first := time.Duration(0), true; ; silent, first = silent+livePause, false {
		if _, err := s.c.Accounts.Authenticate(c.Context(), c.token); err != nil {
			return nil // the session has ended, and nothing more is told
		}
		n, err := c.count()
		if err == nil && (first || n != last) {
			body, _ := json.Marshal(map[string]int{"inbox": n.Waiting, "late": n.Late, "outbox": n.Returned, "approvals": n.Pending}) //nolint:errchkjson // numbers
			if _, err := fmt.Fprintf(c.w, "event: counts\ndata: %s\n\n", body); err != nil {
				return nil
			}
			last, silent = n, 0
		} else if silent >= liveBeat {
			if _, err := fmt.Fprint(c.w, ": still here\n\n"); err != nil {
				return nil
			}
			silent = 0
		}
		if err := out.Flush(); err != nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-end.C:
			return nil
		case <-c.Context().Done():
			return nil
		}
	}
}
