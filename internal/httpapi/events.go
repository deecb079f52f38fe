package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"yinxin/transport/api"
)

// How an event stream lives: a sign of life every now and then, and an end after which the client asks again with its login.
const (
	eventPulse = 15 * time.Second
	eventLife  = 15 * time.Minute
	eventWrite = 10 * time.Second
)

// events tells of changes that concern the caller's office, as server-sent events. The first event names nothing: look at
// everything, since what happened before the connection is not told. A login that ended ends the stream with its next
// sign of life.
func (s *Server) events(w http.ResponseWriter, c *Call) error {
	changes, leave := s.c.Hub.Watch(c.Caller())
	defer leave()
	stop, _ := c.Context().Value(stopping{}).(<-chan struct{})
	w.Header().Set("Content-Type", api.TypeEvents)
	w.Header().Set("X-Accel-Buffering", "no")
	if err := s.event(w, "change", api.Change{}); err != nil {
		return ignoreGone(err)
	}
	pulse, end := time.NewTicker(s.c.Pulse), time.NewTimer(eventLife)
	defer pulse.Stop()
	defer end.Stop()
	for {
		var err error
		select {
		case <-c.Context().Done():
			return nil
		case <-stop:
			return nil
		case <-end.C:
			return nil
		case ch := <-changes:
			err = s.event(w, "change", api.Change{Exchange: ch.Exchange, Delivery: ch.Delivery})
		case <-pulse.C:
			if _, gone := s.c.Directory.Authenticate(c.Context(), c.token); gone != nil {
				return nil // the login ended, and so does the stream
			}
			err = s.event(w, "", api.Change{})
		}
		if err != nil {
			return ignoreGone(err)
		}
	}
}

// event writes one event, or a comment as a sign of life where it has no name. A client that does not read is let go.
func (s *Server) event(w http.ResponseWriter, name string, v api.Change) error {
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Now().Add(eventWrite)) //nolint:forbidigo // a deadline of the connection is wall time
	text := ": alive\n\n"
	if name != "" {
		body, err := json.Marshal(v)
		if err != nil {
			return err
		}
		text = fmt.Sprintf("event: %s\ndata: %s\n\n", name, body)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return out.Flush()
}
