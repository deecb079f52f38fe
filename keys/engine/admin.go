package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
		MinUse: 1, MinDecrypt: 1, RotateEvery: int64(o.RotateEvery / time.Second), MessageOnly: o.MessageOnly, Destroyable: o.Destroyable, ApprovalRequired: o.ApprovalRequired,
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
	case o.RotateEvery != 0 && ((o.Purpose != keys.PurposeWrap && o.Purpose != keys.PurposeMAC) || o.RotateEvery < keys.MinRotate):
		return fmt.Errorf("%w: key %s: only wrap and mac keys rotate by themselves, at least every %s", keys.ErrInvalid, o.Name, keys.MinRotate)
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
		case p.State != keys.StateEnabled || p.Voided:
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
	return e.setState(ctx, ref, state, nil)
}

// setState changes a state; d is the proposal that was approved for it, if there is one.
func (e *Engine) setState(ctx context.Context, ref keys.Ref, state keys.State, d *decision) error {
	if !knownState(state) {
		return fmt.Errorf("%w: unknown state %q", keys.ErrInvalid, state)
	}
	_, err := e.change(ctx, ref.Name, func(p *policy) (before, after []Write, err error) {
		current := &p.State
		switch {
		case ref.Version < 0 || ref.Version > len(p.Versions):
			return nil, nil, fmt.Errorf("%w: key %s has no version %d", keys.ErrNotFound, ref.Name, ref.Version)
		case ref.Version != 0:
			current = &p.Versions[ref.Version-1].State
		}
		verb, err := p.transition(ref, *current, state)
		if errors.Is(err, errUnchanged) && d != nil {
			return nil, d.writes(), nil
		}
		if err == nil && verb != "" {
			err = e.singleHanded(ctx, verb, d != nil)
		}
		if err != nil {
			return nil, nil, err
		}
		*current = state
		if ref.Version == 0 {
			p.DestroyAfter = time.Time{}
		}
		switch state {
		case keys.StatePending:
			p.DestroyAfter = e.now().Add(keys.DeletionDelay).UTC().Truncate(time.Second)
		case keys.StateDestroyed:
			after = p.destroy(ref.Version)
		case keys.StateEnabled, keys.StateDisabled:
		}
		return nil, append(after, d.writes()...), nil
	})
	return err
}

// destroy marks a version (0: all) as destroyed and gives the removals of their secrets.
func (p *policy) destroy(version int) (after []Write) {
	for i := range p.Versions {
		if n := i + 1; version == 0 || version == n {
			p.Versions[i].State = keys.StateDestroyed
			after = append(after, Write{Path: versionPath(p.Name, n)})
		}
	}
	return after
}

// transition says whether a state may follow another, and which guarded verb that is, if any.
func (p *policy) transition(ref keys.Ref, from, to keys.State) (keys.Verb, error) {
	switch {
	case from == to:
		return "", errUnchanged
	case from == keys.StateDestroyed:
		return "", fmt.Errorf("%w: key %s is destroyed for ever", keys.ErrDenied, ref)
	case to == keys.StateEnabled && p.Voided:
		return "", fmt.Errorf("%w: seal key %s has been voided", keys.ErrDenied, ref)
	case to == keys.StateEnabled:
		return keys.VerbLoosen, nil
	case to == keys.StateDisabled:
		return "", nil
	case !p.Destroyable:
		return "", fmt.Errorf("%w: key %s was created as not destroyable", keys.ErrDenied, ref)
	case to == keys.StatePending && ref.Version != 0:
		return "", fmt.Errorf("%w: only a whole key is destroyed later, a version at once", keys.ErrInvalid)
	case to == keys.StateDestroyed && from == keys.StateEnabled:
		return "", fmt.Errorf("%w: key %s must be disabled before it is destroyed", keys.ErrConflict, ref)
	}
	return keys.VerbDestroy, nil
}

// Configure implements keys.Admin.
func (e *Engine) Configure(ctx context.Context, name string, change keys.Change) (keys.KeyInfo, error) {
	return e.configure(ctx, name, change, nil)
}

func (e *Engine) configure(ctx context.Context, name string, change keys.Change, d *decision) (keys.KeyInfo, error) {
	if err := checkLabels(change.Labels); err != nil {
		return keys.KeyInfo{}, err
	}
	k, err := e.change(ctx, name, func(p *policy) (before, after []Write, err error) {
		use, decrypt := p.MinUse, p.MinDecrypt
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
		if p.MinUse < use || p.MinDecrypt < decrypt {
			if err := e.singleHanded(ctx, keys.VerbLoosen, d != nil); err != nil {
				return nil, nil, err
			}
		}
		*p = *p.clone() // the caller keeps its map
		return nil, d.writes(), nil
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
