package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yinxin/keys"
)

// Upkeep does what time asks for: it adds versions to keys that rotate by themselves, destroys keys whose StatePending is
// over, and removes approvals that have expired. It is safe at any time; one key that fails does not keep it from the others.
func (e *Engine) Upkeep(ctx context.Context) error {
	infos, err := e.List(ctx, "", 0)
	if err != nil {
		return fmt.Errorf("upkeep of keys: %w", err)
	}
	var all error
	for _, info := range infos {
		if err := e.upkeepOf(ctx, info); err != nil {
			all = errors.Join(all, fmt.Errorf("upkeep of key %s: %w", info.Name, err))
		}
	}
	return all
}

func (e *Engine) upkeepOf(ctx context.Context, info keys.KeyInfo) error {
	now := e.now()
	newest := info.Versions[len(info.Versions)-1]
	every := time.Duration(info.RotateEvery) * time.Second
	switch {
	case info.State == keys.StatePending && !now.Before(info.DestroyAfter):
		return e.destroyDue(ctx, info.Name)
	case info.State == keys.StateEnabled && every > 0 && now.Sub(newest.Created) >= every:
		_, err := e.Rotate(ctx, info.Name, info.Latest)
		if errors.Is(err, keys.ErrConflict) { // somebody has just rotated it
			return nil
		}
		return err
	case info.ApprovalRequired:
		return e.dropExpired(ctx, info.Name)
	}
	return nil
}

// destroyDue destroys a key whose time has come. The consent to it was given when the time was set.
func (e *Engine) destroyDue(ctx context.Context, name string) error {
	_, err := e.change(ctx, name, func(p *policy) (before, after []Write, err error) {
		if p.State != keys.StatePending || e.now().Before(p.DestroyAfter) {
			return nil, nil, errUnchanged
		}
		p.State, p.DestroyAfter = keys.StateDestroyed, time.Time{}
		return nil, p.destroy(0), nil
	})
	return err
}

// dropExpired removes the approvals of a key that nobody can use any more.
func (e *Engine) dropExpired(ctx context.Context, name string) error {
	paths, err := e.storage.List(ctx, approvalPath(name, ""))
	if err != nil {
		return classify(err)
	}
	for _, path := range paths {
		data, err := e.storage.Get(ctx, path)
		if errors.Is(err, keys.ErrNotFound) {
			continue // it has just been used
		}
		if err != nil {
			return classify(err)
		}
		var a approvalEntry
		if decodeStrict(data, &a) != nil || e.now().Before(a.Expires) {
			continue
		}
		if err := e.storage.Delete(ctx, path); err != nil {
			return classify(err)
		}
	}
	return nil
}

// Tidy removes secrets of destroyed versions that a crash left behind in a storage without Applier. It is safe at any
// time and tells how many keys it looked at.
func (e *Engine) Tidy(ctx context.Context) (int, error) {
	infos, err := e.List(ctx, "", 0)
	if err != nil {
		return 0, fmt.Errorf("tidy keys: %w", err)
	}
	for _, info := range infos {
		for _, v := range info.Versions {
			if v.State != keys.StateDestroyed {
				continue
			}
			if err := e.storage.Delete(ctx, versionPath(info.Name, v.Version)); err != nil {
				return 0, fmt.Errorf("tidy key %s: %w", info.Name, classify(err))
			}
		}
	}
	return len(infos), nil
}
