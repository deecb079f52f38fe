package embedded

import (
	"context"
	"log/slog"
	"time"

	"yinxin/keys"
	"yinxin/transport/office"
)

// Rhythm of going on with approved dispatches that did not get through, as while the key service was away.
const (
	resumePause = 5 * time.Second // between looks, and after the first failure of a dispatch
	resumeMost  = time.Hour       // between tries of one dispatch, at most
	resumeBatch = 1000
	// sharedGrace is how long a dispatch is left to the hub that took its approval, where several share the stores.
	sharedGrace = time.Minute
)

// retries remembers when each dispatch is tried again.
type retries struct {
	of map[string]retry
}

type retry struct {
	next time.Time
	wait time.Duration
}

// due tells whether a dispatch is to be tried now.
func (r *retries) due(id string, now time.Time) bool { return !now.Before(r.of[id].next) }

// failed puts the next try off, each time for twice as long.
func (r *retries) failed(id string, now time.Time) {
	if r.of == nil {
		r.of = make(map[string]retry)
	}
	wait := min(max(2*r.of[id].wait, resumePause), resumeMost)
	r.of[id] = retry{now.Add(wait), wait}
}

// keep forgets all dispatches but these.
func (r *retries) keep(left []office.Dispatch) {
	still := make(map[string]retry, len(left))
	for _, d := range left {
		if was, ok := r.of[d.ID]; ok {
			still[d.ID] = was
		}
	}
	r.of = still
}

// runDispatches goes on with approved dispatches until ctx ends.
func (s *System) runDispatches(ctx context.Context, tries *retries) error {
	ticker := time.NewTicker(resumePause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if err := s.resumeDispatches(ctx, tries); err != nil && ctx.Err() == nil {
			s.config.Log.ErrorContext(ctx, "approved dispatches", slog.Any("error", err))
		}
	}
}

// resumeDispatches goes on with the approved dispatches that are due, while the key service is there.
func (s *System) resumeDispatches(ctx context.Context, tries *retries) error {
	unfinished, err := s.Database.UnfinishedDispatches(ctx, resumeBatch)
	if err != nil {
		return err
	}
	tries.keep(unfinished)
	if len(unfinished) == 0 || s.config.Keys.Health(ctx).Status != keys.HealthOK {
		return nil
	}
	for _, d := range unfinished {
		now := s.config.Clock()
		if !tries.due(d.ID, now) || s.shared() && now.Sub(d.DecidedAt) < sharedGrace {
			continue
		}
		if err := s.Office.Resume(ctx, d.Office, d.ID); err != nil && ctx.Err() == nil {
			tries.failed(d.ID, now)
			s.config.Log.ErrorContext(ctx, "dispatch could not be continued", slog.String("dispatch", d.ID), slog.Any("error", err))
		}
	}
	return nil
}
