package engine

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

// schema is the version of the entries' form.
const schema = 1

// MaxVersions bounds the versions of a key, so that its policy stays far below the entry limits of any storage.
const MaxVersions = 1000

// Path prefixes of the entries.
const (
	policyPrefix  = "policy/"
	versionPrefix = "version/"
	certPrefix    = "cert/"
)

func policyPath(name string) string { return policyPrefix + name }

func versionPath(name string, n int) string {
	return versionPrefix + name + "/" + strconv.Itoa(n)
}

func certPath(name string, n int) string { return certPrefix + name + "/" + strconv.Itoa(n) }

// policy is the public entry of a key. A policy in the cache is never changed, only replaced by a changed clone.
type policy struct {
	Schema           int               `json:"schema"`
	Name             string            `json:"name"`
	Type             keys.Type         `json:"type"`
	Purpose          keys.Purpose      `json:"purpose"`
	UID              string            `json:"uid,omitempty"`
	State            keys.State        `json:"state"`
	MinUse           int               `json:"min_use"`
	MinDecrypt       int               `json:"min_decrypt"`
	MessageOnly      bool              `json:"message_only,omitempty"`
	Destroyable      bool              `json:"destroyable,omitempty"`
	ApprovalRequired bool              `json:"approval_required,omitempty"`
	Voided           bool              `json:"voided,omitempty"`
	DestroyAfter     time.Time         `json:"destroy_after,omitzero"`
	RotateEvery      int64             `json:"rotate_every,omitempty"` // seconds
	Created          time.Time         `json:"created"`
	Labels           map[string]string `json:"labels,omitempty"`
	Versions         []policyVersion   `json:"versions"` // version n at n-1
}

// policyVersion is the public part of one version.
type policyVersion struct {
	State     keys.State `json:"state"`
	Created   time.Time  `json:"created"`
	Public    []byte     `json:"public,omitempty"`
	Certified bool       `json:"certified,omitempty"`
}

// clone gives a copy that may be changed.
func (p *policy) clone() *policy {
	c := *p
	c.Labels = maps.Clone(p.Labels)
	c.Versions = slices.Clone(p.Versions)
	return &c
}

func (p *policy) marshal() ([]byte, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("marshal policy of key %s: %w", p.Name, err)
	}
	return data, nil
}

// errDamaged is the cause where an entry is not what the engine wrote.
var errDamaged = errors.New("entry is damaged")

func damaged(name, format string, args ...any) error {
	return &keys.UnavailableError{Err: fmt.Errorf("key %s: %w: %s", name, errDamaged, fmt.Sprintf(format, args...))}
}

// decodeStrict reads one JSON value without unknown fields or trailing data.
func decodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("trailing data")
	}
	return nil
}

// parsePolicy reads a policy and checks all that later code takes for granted.
func parsePolicy(data []byte, name string) (*policy, error) {
	var p policy
	if err := decodeStrict(data, &p); err != nil {
		return nil, damaged(name, "policy: %s", err)
	}
	switch {
	case p.Schema != schema:
		return nil, damaged(name, "policy has schema %d, this program knows %d", p.Schema, schema)
	case p.Name != name:
		return nil, damaged(name, "policy is that of key %q", p.Name)
	case p.Type == "" || p.Type != p.Purpose.Type():
		return nil, damaged(name, "type %q does not fit purpose %q", p.Type, p.Purpose)
	case len(p.Versions) == 0 || len(p.Versions) > MaxVersions:
		return nil, damaged(name, "%d versions", len(p.Versions))
	case p.MinDecrypt < 1 || p.MinUse < p.MinDecrypt || p.MinUse > len(p.Versions):
		return nil, damaged(name, "minima %d and %d of %d versions", p.MinUse, p.MinDecrypt, len(p.Versions))
	case !knownState(p.State) || p.RotateEvery < 0:
		return nil, damaged(name, "state %q", p.State)
	}
	for i, v := range p.Versions {
		if !knownState(v.State) {
			return nil, damaged(name, "state %q of version %d", v.State, i+1)
		}
	}
	return &p, nil
}

func knownState(s keys.State) bool {
	return s == keys.StateEnabled || s == keys.StateDisabled || s == keys.StatePending || s == keys.StateDestroyed
}

// current tells what version 0 means (keys.PublicInfo.Ref).
func (p *policy) current() int {
	newest, certified := 0, 0
	for i, v := range p.Versions {
		if v.State != keys.StateEnabled {
			continue
		}
		newest = i + 1
		if v.Certified {
			certified = i + 1
		}
	}
	switch {
	case certified != 0:
		return certified
	case newest != 0:
		return newest
	}
	return len(p.Versions)
}

// stateOf is the state of a version with that of its key taken into account.
func (p *policy) stateOf(n int) keys.State {
	own := p.Versions[n-1].State
	if own == keys.StateEnabled && p.State != keys.StateEnabled {
		return p.State
	}
	return own
}

// info gives the public view.
func (p *policy) info() keys.KeyInfo {
	k := keys.KeyInfo{
		Name: p.Name, Type: p.Type, Purpose: p.Purpose, UID: p.UID, State: p.State,
		Latest: len(p.Versions), Current: p.current(), MinUse: p.MinUse, MinDecrypt: p.MinDecrypt,
		MessageOnly: p.MessageOnly, Destroyable: p.Destroyable, ApprovalRequired: p.ApprovalRequired, Voided: p.Voided,
		DestroyAfter: p.DestroyAfter, RotateEvery: p.RotateEvery, Created: p.Created, Labels: maps.Clone(p.Labels),
	}
	for i, v := range p.Versions {
		k.Versions = append(k.Versions, keys.VersionInfo{
			Version: i + 1, State: v.State, Created: v.Created, Public: slices.Clone(v.Public), Certified: v.Certified,
		})
	}
	return k
}

// checkLabels refuses labels out of bounds.
func checkLabels(labels map[string]string) error {
	if len(labels) > keys.MaxLabels {
		return fmt.Errorf("%w: %d labels, at most %d", keys.ErrInvalid, len(labels), keys.MaxLabels)
	}
	for k, v := range labels {
		if k == "" || len(k) > keys.MaxLabel || len(v) > keys.MaxLabel || strings.ToValidUTF8(k+v, "") != k+v {
			return fmt.Errorf("%w: a label is empty, longer than %d bytes, or no text", keys.ErrInvalid, keys.MaxLabel)
		}
	}
	return nil
}

// publicKeys parses the points of a policy.
func (p *policy) publicKeys() ([]*ecdsa.PublicKey, error) {
	out := make([]*ecdsa.PublicKey, len(p.Versions))
	if p.Type != keys.TypeSM2 {
		return out, nil
	}
	for i, v := range p.Versions {
		pub, err := gm.ParsePublicKey(v.Public)
		if err != nil {
			return nil, damaged(p.Name, "public key of version %d: %s", i+1, err)
		}
		out[i] = pub
	}
	return out, nil
}
