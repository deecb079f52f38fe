package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"yinxin/transport/directory"
	"yinxin/transport/hub"
)

const organisationColumns = `code, name, aliases, parent, signing_cert, encryption_cert, archive, status, changed`

func scanOrganisation(s scanner) (o directory.Organisation, err error) {
	var aliases string
	var changed int64
	if err := s.Scan(&o.Code, &o.Name, &aliases, &o.Parent, &o.SigningCert, &o.EncryptionCert, &o.Archive, &o.Status, &changed); err != nil {
		return o, err
	}
	o.Changed = fromMillis(changed)
	return o, json.Unmarshal([]byte(aliases), &o.Aliases)
}

// known turns the hub's word for nothing into the directory's.
func known(err error) error {
	if errors.Is(err, hub.ErrNotFound) {
		return directory.ErrNotFound
	}
	return err
}

// Organisation implements directory.Store. Offices are asked for with every
// submission and change seldom, so they are kept in memory.
func (d *DB) Organisation(ctx context.Context, code string) (directory.Organisation, error) {
	d.mu.RLock()
	o, ok := d.orgs[code]
	epoch := d.orgEpoch
	d.mu.RUnlock()
	if ok {
		return o, nil
	}
	err := d.view(ctx, func(r reader) (err error) {
		o, err = first(r.q, scanOrganisation, `SELECT `+organisationColumns+` FROM organisations WHERE code = ?`, code)
		return err
	})
	if err != nil {
		return directory.Organisation{}, known(err)
	}
	d.mu.Lock()
	if d.orgEpoch == epoch { // nobody saved an office since the read
		d.orgs[code] = o
	}
	d.mu.Unlock()
	return o, nil
}

// Organisations implements directory.Store.
func (d *DB) Organisations(ctx context.Context, after string, limit int) (out []directory.Organisation, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanOrganisation,
			`SELECT `+organisationColumns+` FROM organisations WHERE code > ? ORDER BY code LIMIT ?`, after, limit)
		return err
	})
	return out, err
}

// Namesakes implements directory.Store.
func (d *DB) Namesakes(ctx context.Context, code, name string) (out []directory.Organisation, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanOrganisation,
			`SELECT `+organisationColumns+` FROM organisations WHERE lower(code) = lower(?) OR name = ? ORDER BY code`, code, name)
		return err
	})
	return out, err
}

// SaveOrganisation implements directory.Store.
func (d *DB) SaveOrganisation(ctx context.Context, o directory.Organisation) error {
	aliases, err := json.Marshal(append([]string{}, o.Aliases...))
	if err != nil {
		return err
	}
	err = d.update(ctx, func(t *tx) error {
		return t.exec(`INSERT INTO organisations (`+organisationColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (code) DO UPDATE SET name = excluded.name, aliases = excluded.aliases, parent = excluded.parent,
			signing_cert = excluded.signing_cert, encryption_cert = excluded.encryption_cert, archive = excluded.archive,
			status = excluded.status, changed = excluded.changed`,
			o.Code, o.Name, string(aliases), o.Parent, bytesOrEmpty(o.SigningCert), bytesOrEmpty(o.EncryptionCert), o.Archive,
			string(o.Status), millis(o.Changed))
	})
	d.mu.Lock()
	d.orgEpoch++
	delete(d.orgs, o.Code)
	d.mu.Unlock()
	if taken(err) {
		return fmt.Errorf("%w: %w", directory.ErrConflict, err)
	}
	return err
}

func bytesOrEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

const accountColumns = `id, org, name, roles, status, secret, epoch`

func scanAccount(s scanner) (a directory.Account, err error) {
	var roles string
	if err := s.Scan(&a.ID, &a.Org, &a.Name, &roles, &a.Status, &a.Secret, &a.Epoch); err != nil {
		return a, err
	}
	return a, json.Unmarshal([]byte(roles), &a.Roles)
}

// Account implements directory.Store.
func (d *DB) Account(ctx context.Context, id string) (a directory.Account, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		a, err = first(r.q, scanAccount, `SELECT `+accountColumns+` FROM accounts WHERE id = ?`, id)
		return err
	})
	return a, known(err)
}

// Accounts implements directory.Store.
func (d *DB) Accounts(ctx context.Context, org, after string, limit int) (out []directory.Account, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanAccount, `SELECT `+accountColumns+` FROM accounts
			WHERE (?1 = '' OR org = ?1) AND id > ?2 ORDER BY id LIMIT ?3`, org, after, limit)
		return err
	})
	return out, err
}

// SaveAccount implements directory.Store.
func (d *DB) SaveAccount(ctx context.Context, a directory.Account) error {
	roles, err := json.Marshal(a.Roles)
	if err != nil {
		return err
	}
	return d.update(ctx, func(t *tx) error {
		err := t.exec(`INSERT INTO accounts (`+accountColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET org = excluded.org, name = excluded.name, roles = excluded.roles,
			status = excluded.status, secret = excluded.secret, epoch = excluded.epoch`,
			a.ID, a.Org, a.Name, string(roles), string(a.Status), a.Secret, a.Epoch)
		if err != nil {
			return fmt.Errorf("account %s: %w", a.ID, err)
		}
		return t.exec(`DELETE FROM sessions WHERE account = ? AND epoch < ?`, a.ID, a.Epoch)
	})
}

const sessionColumns = `token_hash, account, epoch, expires, created, source, agent`

func scanSession(row scanner) (s directory.Session, err error) {
	var expires, created int64
	err = row.Scan(&s.TokenHash, &s.Account, &s.Epoch, &expires, &created, &s.Source, &s.Agent)
	s.Expires, s.Created = fromMillis(expires), fromMillis(created)
	return s, err
}

// Session implements directory.Store.
func (d *DB) Session(ctx context.Context, tokenHash string) (s directory.Session, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		s, err = first(r.q, scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE token_hash = ?`, tokenHash)
		return err
	})
	return s, known(err)
}

// Sessions implements directory.Store.
func (d *DB) Sessions(ctx context.Context, account string) (out []directory.Session, err error) {
	err = d.view(ctx, func(r reader) (err error) {
		out, err = all(r.q, scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE account = ? ORDER BY created DESC, token_hash`, account)
		return err
	})
	return out, err
}

// SaveSession implements directory.Store.
func (d *DB) SaveSession(ctx context.Context, s directory.Session) error {
	return d.update(ctx, func(t *tx) error {
		return t.exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			s.TokenHash, s.Account, s.Epoch, millis(s.Expires), millis(s.Created), s.Source, s.Agent)
	})
}

// DeleteSession implements directory.Store.
func (d *DB) DeleteSession(ctx context.Context, tokenHash string) error {
	return d.update(ctx, func(t *tx) error {
		return t.exec(`DELETE FROM sessions WHERE token_hash = ?`, tokenHash)
	})
}
