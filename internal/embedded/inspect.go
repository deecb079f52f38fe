package embedded

import (
	"context"
	"fmt"
	"io"

	"yinxin/archive/tlog"
	"yinxin/crypto/cert"
	"yinxin/keys"
	"yinxin/transport/office"
)

// NeededKeys are the system's own keys, with the certificates that the key store has for them.
func NeededKeys(ctx context.Context, store keys.Provider) []office.NeededKey {
	needed := []office.NeededKey{
		{Name: keyCA, Purpose: keys.PurposeIssue}, {Name: keyMaker, Purpose: keys.PurposeMake}, {Name: keyLog, Purpose: keys.PurposeCheckpoint},
	}
	for i, k := range needed {
		info, err := store.Public(ctx, keys.Ref{Name: k.Name})
		if err != nil || len(info.Certificates) == 0 {
			continue // whoever asks for the key itself is told why
		}
		if c, err := cert.Parse(info.Certificates[0]); err == nil {
			needed[i].Certificate = c.PEM()
		}
	}
	return needed
}

// Authority reads from a key store what a system is judged by: the root of its CA and the key of its log. It makes nothing.
func Authority(ctx context.Context, store keys.Provider, origin string) (*cert.Certificate, *tlog.Verifier, error) {
	var found [2]*cert.Certificate
	for i, name := range []string{keyCA, keyLog} {
		info, err := store.Public(ctx, keys.Ref{Name: name})
		if err != nil {
			return nil, nil, fmt.Errorf("key %s: %w", name, err)
		}
		if len(info.Certificates) == 0 {
			return nil, nil, fmt.Errorf("key %s has no certificate: %w", name, keys.ErrNotFound)
		}
		if found[i], err = cert.Parse(info.Certificates[0]); err != nil {
			return nil, nil, fmt.Errorf("certificate of key %s: %w", name, err)
		}
	}
	log, err := tlog.NewVerifier(origin, found[1].PublicKey)
	return found[0], log, err
}

// LogSigner is the log's key as it signs statements of the operator.
func LogSigner(ctx context.Context, store keys.Provider, origin string, rand io.Reader) (tlog.Signer, error) {
	info, err := store.Public(ctx, keys.Ref{Name: keyLog})
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", keyLog, err)
	}
	handle, err := keys.Signer(ctx, store, info.Ref, keys.PurposeCheckpoint)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", keyLog, err)
	}
	return tlog.NewSigner(origin, handle, rand)
}
