package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"yinxin/crypto/cert"
	"yinxin/crypto/cms"
	"yinxin/seal"
	"yinxin/seal/ses"
	"yinxin/transport/api"
	"yinxin/transport/client"
	"yinxin/transport/office"
)

// savePlans writes beside each previewed file what its key will be asked to sign, for keys approve-seal. The digest is computed
// here, from the file as it was written: a hub that shows pages and has others approved is found out.
func (e *env) savePlans(ctx context.Context, c *client.Client, d api.Dispatch, dir string) error {
	s, err := e.hostedSealing(ctx, c, d)
	if err != nil {
		return err
	}
	for _, f := range []struct{ name, digest string }{{office.DocumentName, d.SealingKey.OFD}, {office.CopyName, d.SealingKey.PDF}} {
		path := filepath.Join(dir, f.name)
		p, err := s.planned(path)
		if err != nil {
			return fmt.Errorf("prepare sealing of %s: %w", path, err)
		}
		if p.Digest != f.digest {
			return refuse("digest_mismatch", exitFailed, "%s gives the digest %s, the hub asks to approve %s: approve nothing", path, p.Digest, f.digest)
		}
		data, err := json.MarshalIndent(p, "", "  ")
		if err != nil {
			return err
		}
		if err := writeFile(path+".plan", append(data, '\n')); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s.plan\tkey %s\tdigest %s\n", path, d.SealingKey.Name, p.Digest)
	}
	return nil
}

// hostedSealing is the sealing of a dispatch as the hosted office prepared it.
func (e *env) hostedSealing(ctx context.Context, c *client.Client, d api.Dispatch) (*sealing, error) {
	registered, err := c.Seal(ctx, d.Seal)
	if err != nil {
		return nil, err
	}
	s := &sealing{at: d.SealedAt, flags: applyFlags{profile: cms.ProfileGBT.String()}}
	if s.seal, err = ses.ParseSeal(registered.ESL); err != nil {
		return nil, fmt.Errorf("seal %s: %w", d.Seal, err)
	}
	for i, der := range d.SealingKey.Certificates {
		got, err := cert.Parse(der)
		switch {
		case err != nil:
			return nil, fmt.Errorf("certificate of key %s: %w", d.SealingKey.Name, err)
		case i == 0:
			s.cert = got
		default:
			s.chain = append(s.chain, got)
		}
	}
	if s.cert == nil || len(d.Places) == 0 {
		return nil, refuse("malformed", exitFailed, "the hub tells no certificate or no place of dispatch %s", d.ID)
	}
	for _, at := range d.Places {
		s.stamps = append(s.stamps, seal.Stamp{Page: at.Page - 1, X: at.X, Y: at.Y, W: at.W, H: at.H})
	}
	return s, nil
}
