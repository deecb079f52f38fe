package check

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/keys"
	"yinxin/transport/directory"
	"yinxin/transport/office"
)

// keys lets every key that is needed do what it is for.
func (c *check) keys(ctx context.Context, i *Item) error {
	needed := c.h.Needed
	for after := ""; ; {
		offices, err := c.h.Database.Organisations(ctx, after, page)
		if err != nil {
			return fmt.Errorf("list offices: %w", err)
		}
		for _, o := range offices {
			after = o.Code
			if c.hosts(ctx, o) {
				needed = append(needed, office.NeededKeys(o)...)
				i.Counts["offices"]++
			}
		}
		if len(offices) < page {
			break
		}
	}
	for n, k := range needed {
		if err := c.key(ctx, k, i); err != nil {
			return err
		}
		c.o.Progress("keys", uint64(n+1), uint64(len(needed)))
	}
	i.Counts["keys"] = uint64(len(needed))
	i.Detail = fmt.Sprintf("%d keys of the hub and of %d hosted offices: each is there, is the one that is certified, and does what it is for",
		len(needed), i.Counts["offices"])
	return nil
}

// hosts reports whether the keys of an office belong here: one of them is here, or it has written here, or it is the
// archive. A store that does not answer is told of by the hub's own keys.
func (c *check) hosts(ctx context.Context, o directory.Organisation) bool {
	if o.Status != directory.Active {
		return false
	}
	if c.hosting[o.Code] || o.Code == c.h.Archive {
		return true
	}
	for _, k := range office.NeededKeys(o) {
		if _, err := c.h.Keys.Public(ctx, keys.Ref{Name: k.Name}); err == nil {
			return true
		}
	}
	return false
}

// key judges one key. What a store answers is a finding and never an error.
func (c *check) key(ctx context.Context, k office.NeededKey, i *Item) error {
	where := "key " + k.Name
	info, err := c.h.Keys.Public(ctx, keys.Ref{Name: k.Name})
	switch {
	case errors.Is(err, keys.ErrNotFound):
		i.find(KeyMissing, where, "%v", err)
		return nil
	case err != nil:
		i.find(KeyUnusable, where, "%v", err)
		return nil
	case info.Purpose != k.Purpose:
		i.find(KeyMismatch, where, "its purpose is %s, not %s", info.Purpose, k.Purpose)
		return nil
	}
	if len(k.Certificate) > 0 {
		certified, err := cert.ParseAny(k.Certificate)
		if err != nil || len(certified) == 0 {
			i.find(KeyMismatch, where, "its certificate cannot be read: %v", err)
			return nil
		}
		if err := certified[0].MatchesKey(info.Public); err != nil {
			i.find(KeyMismatch, where, "%v: the directory has a certificate for another key", err)
			return nil
		}
	}
	var word [16]byte
	if _, err := io.ReadFull(c.o.Rand, word[:]); err != nil {
		return err
	}
	if err := c.use(ctx, k, info, []byte("yinxind check: a word that proves a key and nothing else, "+hex.EncodeToString(word[:]))); err != nil {
		i.find(KeyUnusable, where, "%v", err)
	}
	return nil
}

// use has a key sign, open or unwrap something.
func (c *check) use(ctx context.Context, k office.NeededKey, info keys.PublicInfo, word []byte) error {
	switch {
	case k.Purpose.Signs():
		results, err := c.h.Keys.Sign(ctx, info.Ref, k.Purpose, []keys.SignItem{{Message: gm.Message(word)}})
		if err != nil {
			return err
		}
		if err := results[0].Err; err != nil {
			return err
		}
		if !gm.VerifyID(info.Public, info.UID, gm.Message(word), results[0].Signature) {
			return errors.New("its signature does not verify under its own public key")
		}
		return nil
	case k.Purpose == keys.PurposeDecrypt:
		sealed, err := gm.Encrypt(c.o.Rand, info.Public, word)
		if err != nil {
			return err
		}
		return c.opens(ctx, k, keys.Ciphertext{Version: info.Ref.Version, Data: sealed}, word)
	case k.Purpose == keys.PurposeWrap:
		made, err := c.h.Keys.DataKey(ctx, info.Ref, [][]byte{word})
		if err != nil {
			return err
		}
		if err := made[0].Err; err != nil {
			return err
		}
		return c.opens(ctx, k, made[0].Wrapped, made[0].Plain)
	}
	return fmt.Errorf("no test is known for purpose %s", k.Purpose)
}

func (c *check) opens(ctx context.Context, k office.NeededKey, sealed keys.Ciphertext, want []byte) error {
	opened, err := c.h.Keys.Decrypt(ctx, k.Name, k.Purpose, []keys.Ciphertext{sealed})
	if err != nil {
		return err
	}
	if err := opened[0].Err; err != nil {
		return err
	}
	if !bytes.Equal(opened[0].Plain, want) {
		return errors.New("it opens to other bytes than were encrypted")
	}
	return nil
}
