package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/transport/hub"
)

func uploads(t *testing.T, p Place) {
	s := p.Open(t, nil)
	ctx := t.Context()
	make := func(office, key string, length int64) hub.Upload {
		return hub.Upload{
			ID: newID(t), Office: office, Account: "clerk", Key: key, Length: length, State: []byte("state"), At: start,
			Expires: start.Add(time.Hour), Version: 1,
		}
	}
	u := make("A", "k", 100)
	got, err := s.AddUpload(ctx, u, 2, 150)
	must(t, err)
	if d := cmp.Diff(u, got); d != "" {
		t.Errorf("added: %s", d)
	}
	if again, err := s.AddUpload(ctx, make("A", "k", 100), 2, 150); err != nil || again.ID != u.ID {
		t.Errorf("the same key: %s, %v", again.ID, err)
	}
	if _, err := s.AddUpload(ctx, make("A", "l", 51), 2, 150); !errors.Is(err, hub.ErrQuota) {
		t.Errorf("longer than the quota: %v", err)
	}
	u.Received, u.State, u.Mark, u.Expires = 60, []byte("further"), "where", start.Add(2*time.Hour)
	must(t, s.SaveUpload(ctx, u))
	if err := s.SaveUpload(ctx, u); !errors.Is(err, hub.ErrStale) {
		t.Errorf("a second one with the same version: %v", err)
	}
	u.Version = 2
	if got, err := s.Upload(ctx, u.ID); err != nil || cmp.Diff(u, got) != "" {
		t.Errorf("saved: %s, %v", cmp.Diff(u, got), err)
	}
	far := u
	far.Received = 101
	if err := s.SaveUpload(ctx, far); err == nil {
		t.Error("more was received than there is")
	}
	u.Received, u.Outcome = 100, &hub.UploadOutcome{Exchange: "x"}
	must(t, s.SaveUpload(ctx, u))
	u.Version, u.Outcome = 3, &hub.UploadOutcome{Exchange: "y"}
	if err := s.SaveUpload(ctx, u); err == nil {
		t.Error("an outcome was changed")
	}
	// What is done counts for nothing; of many at once only as many fit as may.
	var in atomic.Int32
	var g sync.WaitGroup
	for i := range 8 {
		one := make("A", string(rune('m'+i)), 50)
		g.Go(func() {
			if _, err := s.AddUpload(ctx, one, 3, 125); err == nil {
				in.Add(1)
			} else if !errors.Is(err, hub.ErrQuota) {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if in.Load() != 2 {
		t.Errorf("%d uploads of 50 bytes fit into 125", in.Load())
	}
	old, err := s.ExpiredUploads(ctx, start.Add(90*time.Minute), 10)
	if err != nil || len(old) != 2 {
		t.Errorf("%d expired, %v", len(old), err)
	}
	for _, o := range old {
		must(t, s.RemoveUpload(ctx, o.ID))
		must(t, s.RemoveUpload(ctx, o.ID))
	}
	if _, err := s.Upload(ctx, old[0].ID); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("a removed upload: %v", err)
	}
}
