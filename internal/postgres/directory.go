package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yinxin/transport/directory"
	"yinxin/transport/hub"
)

// officeLife is how long an office is remembered. Another hub may have changed it meanwhile.
const officeLife = time.Second

// knownOffice is a remembered one.
type knownOffice struct {
	directory.Organisation
	until time.Time
}

const organisationColumns = `code, name, aliases, parent, signing_cert, encryption_cert, archive, status, changed`

func scanOrganisation(s scanner) (o directory.Organisation, err error) {
	err = s.Scan(&o.Code, &o.Name, &o.Aliases, &o.Parent, &o.SigningCert, &o.EncryptionCert, &o.Archive, &o.Status, &o.Changed)
	o.Changed = o.Changed.UTC()
	return o, err
}

// known turns the hub's word for nothing into the directory's.
func known(err error) error {
	if errors.Is(err, hub.ErrNotFound) {
		return directory.ErrNotFound
	}
	return err
}

// Organisation implements directory.Store.
func (d *DB) Organisation(ctx context.Context, code string) (directory.Organisation, error) {
	d.cache.mu.Lock()
	o, ok := d.cache.known[code]
	epoch := d.cache.epoch
	d.cache.mu.Unlock()
	now := monotonic()
	if ok && now.Before(o.until) {
		return o.Organisation, nil
	}
	got, err := first(d.alone(ctx), scanOrganisation, `SELECT `+organisationColumns+` FROM organisations WHERE code = $1`, code)
	if err != nil {
		return directory.Organisation{}, known(err)
	}
	d.cache.mu.Lock()
	if d.cache.epoch == epoch { // nobody here saved an office since the read
		d.cache.known[code] = knownOffice{got, now.Add(officeLife)}
	}
	d.cache.mu.Unlock()
	return got, nil
}

// monotonic measures the life of remembered offices; it is no time that anything states.
func monotonic() time.Time {
	return time.Now() //nolint:forbidigo // the age of a cache entry, not a time that is stated
}

// Organisations implements directory.Store.
func (d *DB) Organisations(ctx context.Context, after string, limit int) ([]directory.Organisation, error) {
	return all(d.alone(ctx), scanOrganisation,
		`SELECT `+organisationColumns+` FROM organisations WHERE code > $1 ORDER BY code LIMIT $2`, after, limit)
}

// Namesakes implements directory.Store.
func (d *DB) Namesakes(ctx context.Context, code, name string) ([]directory.Organisation, error) {
	return all(d.alone(ctx), scanOrganisation,
		`SELECT `+organisationColumns+` FROM organisations WHERE lower(code) = lower($1) OR name = $2 ORDER BY code`, code, name)
}

// SaveOrganisation implements directory.Store.
func (d *DB) SaveOrganisation(ctx context.Context, o directory.Organisation) error {
	err := d.update(ctx, func(t *tx) error {
		return t.exec("organisation "+o.Code, `INSERT INTO organisations (`+organisationColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (code) DO UPDATE SET name = excluded.name, aliases = excluded.aliases, parent = excluded.parent,
			signing_cert = excluded.signing_cert, encryption_cert = excluded.encryption_cert, archive = excluded.archive,
			status = excluded.status, changed = excluded.changed`,
			o.Code, o.Name, append([]string{}, o.Aliases...), o.Parent, append([]byte{}, o.SigningCert...),
			append([]byte{}, o.EncryptionCert...), o.Archive, string(o.Status), o.Changed)
	})
	d.cache.mu.Lock()
	d.cache.epoch++
	delete(d.cache.known, o.Code)
	d.cache.mu.Unlock()
	if errors.Is(err, hub.ErrExists) {
		return fmt.Errorf("%w: %w", directory.ErrConflict, err)
	}
	return err
}

const accountColumns = `id, org, name, roles, status, secret, epoch`

func scanAccount(s scanner) (a directory.Account, err error) {
	err = s.Scan(&a.ID, &a.Org, &a.Name, &a.Roles, &a.Status, &a.Secret, &a.Epoch)
	return a, err
}

// Account implements directory.Store.
func (d *DB) Account(ctx context.Context, id string) (directory.Account, error) {
	a, err := first(d.alone(ctx), scanAccount, `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, id)
	return a, known(err)
}

// Accounts implements directory.Store.
func (d *DB) Accounts(ctx context.Context, org, after string, limit int) ([]directory.Account, error) {
	return all(d.alone(ctx), scanAccount, `SELECT `+accountColumns+` FROM accounts
		WHERE ($1 = '' OR org = $1) AND id > $2 ORDER BY id LIMIT $3`, org, after, limit)
}

// SaveAccount implements directory.Store.
func (d *DB) SaveAccount(ctx context.Context, a directory.Account) error {
	roles := make([]string, 0, len(a.Roles))
	for _, r := range a.Roles {
		roles = append(roles, string(r))
	}
	return d.update(ctx, func(t *tx) error {
		err := t.exec(fmt.Sprintf("account %s", a.ID), `INSERT INTO accounts (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (id) DO UPDATE SET org = excluded.org, name = excluded.name, roles = excluded.roles,
			status = excluded.status, secret = excluded.secret, epoch = excluded.epoch`,
			a.ID, a.Org, a.Name, roles, string(a.Status), a.Secret, a.Epoch)
		if err != nil {
			return err
		}
		return t.exec("sessions", `DELETE FROM sessions WHERE account = $1 AND epoch < $2`, a.ID, a.Epoch)
	})
}

const sessionColumns = `token_hash, account, epoch, expires, created, source, agent`

func scanSession(row scanner) (s directory.Session, err error) {
	var created *time.Time
	err = row.Scan(&s.TokenHash, &s.Account, &s.Epoch, &s.Expires, &created, &s.Source, &s.Agent)
	s.Expires, s.Created = s.Expires.UTC(), fromNull(created)
	return s, err
}

// Session implements directory.Store.
func (d *DB) Session(ctx context.Context, tokenHash string) (directory.Session, error) {
	s, err := first(d.alone(ctx), scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE token_hash = $1`, tokenHash)
	return s, known(err)
}

// Sessions implements directory.Store.
func (d *DB) Sessions(ctx context.Context, account string) ([]directory.Session, error) {
	return all(d.alone(ctx), scanSession,
		`SELECT `+sessionColumns+` FROM sessions WHERE account = $1 ORDER BY created DESC NULLS LAST, token_hash`, account)
}

// SaveSession implements directory.Store.
func (d *DB) SaveSession(ctx context.Context, s directory.Session) error {
	return d.update(ctx, func(t *tx) error {
		return t.exec("session", `INSERT INTO sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.TokenHash, s.Account, s.Epoch, s.Expires, orNull(s.Created), s.Source, s.Agent)
	})
}

// DeleteSession implements directory.Store.
func (d *DB) DeleteSession(ctx context.Context, tokenHash string) error {
	return d.update(ctx, func(t *tx) error {
		return t.exec("session", `DELETE FROM sessions WHERE token_hash = $1`, tokenHash)
	})
}
