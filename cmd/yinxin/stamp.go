package main

import (
	"context"
	"errors"
	"net/url"

	"github.com/spf13/cobra"

	"yinxin/crypto/tsp"
)

// stampFlags say which time-stamp authority to ask, and by whom its tokens are judged before they are used.
type stampFlags struct {
	trust trustFlags
	urls  []string
}

func (f *stampFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.urls, "tsa", nil, "put a time-stamp of this authority (URL, RFC 3161) beside the signature; needs --root; a second one is asked where the first fails")
	f.trust.add(cmd)
}

// stamper gives time-stamp tokens for signature values, nil where none are wanted. A token that does not hold, judged by
// the roots given, never leaves it.
func (f *stampFlags) stamper(ctx context.Context, e *env) (func(sum [32]byte) ([]byte, error), error) {
	if len(f.urls) == 0 {
		return nil, nil //nolint:nilnil // no stamper is an answer: the signature gets no time-stamp
	}
	if len(f.trust.roots) == 0 {
		return nil, usage("--tsa needs --root: a time-stamp that cannot be judged proves nothing")
	}
	for _, text := range f.urls {
		if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, usage("--tsa %s: want http://… or https://…", text)
		}
	}
	policy, err := f.trust.policy()
	if err != nil {
		return nil, err
	}
	c, err := tsp.NewClient(tsp.ClientOptions{URLs: f.urls, Trust: policy, Now: e.now, Rand: e.rand})
	if err != nil {
		return nil, err
	}
	return func(sum [32]byte) ([]byte, error) {
		t, err := c.Stamp(ctx, sum, e.now())
		if refused, ok := errors.AsType[*tsp.RefusedError](err); ok && ctx.Err() == nil {
			return nil, refuse(string(refused.Reason), exitRefused, "%w", err)
		}
		if err != nil {
			return nil, err
		}
		return t.Raw, nil
	}, nil
}
