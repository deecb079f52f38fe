package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// Create implements keys.Admin.
func (e *Engine) Create(ctx context.Context, options ...keys.CreateOptions) ([]keys.PublicInfo, error) {
	if len(options) == 0 || len(options) > keys.MaxBatch {
		return nil, fmt.Errorf("%w: create %d keys at once, 1 to %d are allowed", keys.ErrInvalid, len(options), keys.MaxBatch)
	}
	names := make([]string, len(options))
	for i, o := range options {
		if err := checkCreate(o); err != nil {
			return nil, err
		}
		names[i] = o.Name
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(names))); len(distinct) != len(names) {
		return nil, fmt.Errorf("%w: one name is given twice", keys.ErrInvalid)
	}
	defer e.lock(names...)()
	for _, name := range names {
		_, err := e.loadLocked(ctx, name)
		if err == nil {
			return nil, fmt.Errorf("%w: key %s exists", keys.ErrConflict, name)
		}
		if !errors.Is(err, keys.ErrNotFound) {
			return nil, err
		}
	}
	return e.createLocked(ctx, options)
}

// createLocked writes all versions before all policies: a policy never names a version that is not there.
func (e *Engine) createLocked(ctx context.Context, options []keys.CreateOptions) ([]keys.PublicInfo, error) {
	var versions, policies []Write
	created := make([]*key, len(options))
	for i, o := range options {
		v, write, err := e.generate(o.Name, 1, o.Purpose.Type())
		if err != nil {
			return nil, err
		}
		p := firstPolicy(o, v)
		if created[i], err = newKey(p, nil); err != nil {
			return nil, err
		}
		data, err := p.marshal()
		if err != nil {
			return nil, err
		}
		versions = append(versions, write)
		policies = append(policies, Write{Path: policyPath(o.Name), Value: data})
	}
	if err := e.apply(ctx, append(versions, policies...)); err != nil {
		return nil, fmt.Errorf("create key %s: %w", options[0].Name, err)
	}
	infos := make([]keys.PublicInfo, len(created))
	for i, k := range created {
		if err := e.remember(k); err != nil {
			return nil, err
		}
		infos[i] = k.publicInfo(1)
	}
	return infos, nil
}

func firstPolicy(o keys.CreateOptions, v policyVersion) *policy {
	p := &policy{
		Schema: schema, Name: o.Name, Type: o.Purpose.Type(), Purpose: o.Purpose, State: keys.StateEnabled,
		MinUse: 1, MinDecrypt: 1, MessageOnly: o.MessageOnly, Destroyable: o.Destroyable, ApprovalRequired: o.ApprovalRequired,
		Created: v.Created, Labels: o.Labels, Versions: []policyVersion{v},
	}
	if p.Type == keys.TypeSM2 {
		p.UID = o.UID
		if p.UID == "" {
			p.UID = gm.DefaultID
		}
	}
	return p.clone()
}

func checkCreate(o keys.CreateOptions) error {
	if err := keys.CheckName(o.Name); err != nil {
		return err
	}
	t := o.Purpose.Type()
	switch {
	case t == "":
		return fmt.Errorf("%w: key %s: unknown purpose %q", keys.ErrInvalid, o.Name, o.Purpose)
	case len(o.UID) > gm.MaxIDSize:
		return fmt.Errorf("%w: key %s: SM2 ID of %d bytes", keys.ErrInvalid, o.Name, len(o.UID))
	case o.UID != "" && !o.Purpose.Signs():
		return fmt.Errorf("%w: key %s: a key of purpose %s has no SM2 ID", keys.ErrInvalid, o.Name, o.Purpose)
	case o.ApprovalRequired && (o.Purpose != keys.PurposeSeal || o.MessageOnly):
		return fmt.Errorf("%w: key %s: only seal keys that take digests can require approval", keys.ErrInvalid, o.Name)
	case o.MessageOnly && !o.Purpose.Signs():
		return fmt.Errorf("%w: key %s: a key of purpose %s signs nothing", keys.ErrInvalid, o.Name, o.Purpose)
	}
	return checkLabels(o.Labels)
}

// Rotate implements keys.Admin.
func (e *Engine) Rotate(ctx context.Context, name string, expectLatest int) (keys.PublicInfo, error) {
	var n int
	k, err := e.change(ctx, name, func(p *policy) (before, after []Write, err error) {
		latest := len(p.Versions)
		switch {
		case expectLatest != 0 && expectLatest != latest:
			return nil, nil, fmt.Errorf("%w: the latest version of key %s is %d, not %d", keys.ErrConflict, name, latest, expectLatest)
		case p.State != keys.StateEnabled:
			return nil, nil, fmt.Errorf("%w: key %s is %s", keys.ErrDenied, name, p.State)
		case latest == MaxVersions:
			return nil, nil, fmt.Errorf("%w: key %s has %d versions, which is the most", keys.ErrDenied, name, latest)
		}
		n = latest + 1
		v, write, err := e.generate(name, n, p.Type)
		if err != nil {
			return nil, nil, err
		}
		p.Versions = append(p.Versions, v)
		return []Write{write}, nil, nil
	})
	if err != nil {
		return keys.PublicInfo{}, err
	}
	return k.publicInfo(n), nil
}

// change runs alter over a clone of the key's policy and saves the outcome. alter may give entries to be written before
// the policy and after it; errUnchanged ends it without a write.
func (e *Engine) change(
	ctx context.Context, name string, alter func(p *policy) (before, after []Write, err error),
) (*key, error) {
	if err := keys.CheckName(name); err != nil {
		return nil, err
	}
	defer e.lock(name)()
	k, err := e.loadLocked(ctx, name)
	if err != nil {
		return nil, err
	}
	p := k.policy.clone()
	before, after, err := alter(p)
	if errors.Is(err, errUnchanged) {
		return k, nil
	}
	if err != nil {
		return nil, err
	}
	return e.save(ctx, k, p, before, after)
}

// errUnchanged tells change that there is nothing to do.
var errUnchanged = errors.New("unchanged")

// SetState implements keys.Admin.
func (e *Engine) SetState(ctx context.Context, ref keys.Ref, state keys.State) error {
	if !knownState(state) {
		return fmt.Errorf("%w: unknown state %q", keys.ErrInvalid, state)
	}
	_, err := e.change(ctx, ref.Name, func(p *policy) (before, after []Write, err error) {
		current := &p.State
		affected := make([]int, 0, len(p.Versions))
		switch {
		case ref.Version == 0:
			for i := range p.Versions {
				affected = append(affected, i+1)
			}
		case ref.Version < 0 || ref.Version > len(p.Versions):
			return nil, nil, fmt.Errorf("%w: key %s has no version %d", keys.ErrNotFound, ref.Name, ref.Version)
		default:
			current = &p.Versions[ref.Version-1].State
			affected = append(affected, ref.Version)
		}
		if err := checkTransition(ref, *current, state, p.Destroyable); err != nil {
			return nil, nil, err
		}
		*current = state
		if state != keys.StateDestroyed {
			return nil, nil, nil
		}
		for _, n := range affected {
			p.Versions[n-1].State = keys.StateDestroyed
			after = append(after, Write{Path: versionPath(p.Name, n)})
		}
		return nil, after, nil
	})
	return err
}

// checkTransition says which state may follow which.
func checkTransition(ref keys.Ref, from, to keys.State, destroyable bool) error {
	switch {
	case from == to:
		return errUnchanged
	case from == keys.StateDestroyed:
		return fmt.Errorf("%w: key %s is destroyed for ever", keys.ErrDenied, ref)
	case to == keys.StateDestroyed && !destroyable:
		return fmt.Errorf("%w: key %s was created as not destroyable", keys.ErrDenied, ref)
	case to == keys.StateDestroyed && from != keys.StateDisabled:
		return fmt.Errorf("%w: key %s must be disabled before it is destroyed", keys.ErrConflict, ref)
	}
	return nil
}

// Configure implements keys.Admin.
func (e *Engine) Configure(ctx context.Context, name string, change keys.Change) (keys.KeyInfo, error) {
	if err := checkLabels(change.Labels); err != nil {
		return keys.KeyInfo{}, err
	}
	k, err := e.change(ctx, name, func(p *policy) (before, after []Write, err error) {
		if change.MinUse != nil {
			p.MinUse = *change.MinUse
		}
		if change.MinDecrypt != nil {
			p.MinDecrypt = *change.MinDecrypt
		}
		if change.Labels != nil {
			p.Labels = change.Labels
		}
		if p.MinDecrypt < 1 || p.MinUse < p.MinDecrypt || p.MinUse > len(p.Versions) {
			return nil, nil, fmt.Errorf("%w: key %s has versions 1 to %d; minima %d for use and %d for decryption do not fit",
				keys.ErrInvalid, name, len(p.Versions), p.MinUse, p.MinDecrypt)
		}
		*p = *p.clone() // the caller keeps its map
		return nil, nil, nil
	})
	if err != nil {
		return keys.KeyInfo{}, err
	}
	return k.policy.info(), nil
}

// Describe implements keys.Admin.
func (e *Engine) Describe(ctx context.Context, name string) (keys.KeyInfo, error) {
	k, err := e.load(ctx, name)
	if err != nil {
		return keys.KeyInfo{}, err
	}
	return k.policy.info(), nil
}

// List implements keys.Admin.
func (e *Engine) List(ctx context.Context, after string, limit int) ([]keys.KeyInfo, error) {
	if limit < 0 {
		return nil, fmt.Errorf("%w: limit %d", keys.ErrInvalid, limit)
	}
	if e.sealed() {
		return nil, keys.ErrSealed
	}
	paths, err := e.storage.List(ctx, policyPrefix)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", classify(err))
	}
	var infos []keys.KeyInfo
	for _, path := range paths {
		name := strings.TrimPrefix(path, policyPrefix)
		if name <= after {
			continue
		}
		info, err := e.Describe(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		if infos = append(infos, info); len(infos) == limit {
			break
		}
	}
	return infos, nil
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
