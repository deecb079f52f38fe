package directory

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Attempt is a try to log in.
type Attempt struct {
	Account, Secret string
	// Source is where it comes from: the address of the connection, never what a header claims. Empty is one source.
	Source string
	// Agent is what the program says it is, for the list of sessions; it is cut and cleaned.
	Agent string
}

// Session is one login, stored under the SM3 of its token.
type Session struct {
	TokenHash string // hex SM3 of the token
	Account   string
	Epoch     int
	Expires   time.Time
	// Created, Source and Agent tell its owner which login it is.
	Created time.Time
	Source  string
	Agent   string
}

// sessionID is the length of a session's public name.
const sessionID = 24

// maxAgent bounds what a session remembers of the program, in bytes.
const maxAgent = 120

// ID names a session to its owner. It is the front of the hash, of which nobody makes a token.
func (s Session) ID() string { return s.TokenHash[:min(len(s.TokenHash), sessionID)] }

// SessionID is the ID of the session with this token.
func SessionID(token string) string { return Session{TokenHash: hashToken(token)}.ID() }

func cleanAgent(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, agent)
	if len(agent) > maxAgent {
		agent = strings.ToValidUTF8(agent[:maxAgent], "")
	}
	return agent
}

// SourceOf is where a connection comes from: an IPv4 address, or the network of an IPv6 one. What headers claim does not
// count: anybody can write them.
func SourceOf(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ""
	}
	return network.String()
}

// Sessions lists the logins of an account that are good now, newest first.
func (d *Directory) Sessions(ctx context.Context, account string) ([]Session, error) {
	a, err := d.store.Account(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("load account %s: %w", account, err)
	}
	all, err := d.store.Sessions(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("list sessions of %s: %w", account, err)
	}
	var good []Session
	for _, s := range all {
		if s.Epoch == a.Epoch && d.o.Clock().Before(s.Expires) {
			good = append(good, s)
		}
	}
	return good, nil
}

// Revoke ends one login of an account; ErrNotFound where the account has no such login.
func (d *Directory) Revoke(ctx context.Context, account, id string) error {
	all, err := d.Sessions(ctx, account)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.ID() != id {
			continue
		}
		if err := d.store.DeleteSession(ctx, s.TokenHash); err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("end session of %s: %w", account, err)
		}
		return nil
	}
	return fmt.Errorf("session %.40q of %s: %w", id, account, ErrNotFound)
}

// RevokeAll ends every login of an account, as after a lost device. The secret stays.
func (d *Directory) RevokeAll(ctx context.Context, account string) error {
	a, err := d.store.Account(ctx, account)
	if err != nil {
		return fmt.Errorf("load account %s: %w", account, err)
	}
	a.Epoch++
	if err := d.store.SaveAccount(ctx, a); err != nil {
		return fmt.Errorf("end sessions of %s: %w", account, err)
	}
	return nil
}
