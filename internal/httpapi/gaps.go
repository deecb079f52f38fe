package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"yinxin/archive/tlog"
	"yinxin/transport/api"
	"yinxin/transport/hub"
)

// gapKeeper is a log that keeps statements of what it lost.
type gapKeeper interface {
	Gaps(ctx context.Context) ([][]byte, error)
}

// gaps gives the statements of the log, all of them or those that cover an index.
func (s *Server) gaps(ctx context.Context, covers func(tlog.Gap) bool) ([]api.LogGap, error) {
	keeper, ok := s.c.Log.(gapKeeper)
	if !ok {
		return nil, nil
	}
	all, err := keeper.Gaps(ctx)
	if err != nil {
		return nil, err
	}
	var out []api.LogGap
	for _, signed := range all {
		g, err := tlog.GapOf(signed)
		if err != nil {
			return nil, err
		}
		if covers(g) {
			out = append(out, api.LogGap{
				KeptSize: g.KeptSize, LostSize: g.LostSize, Reason: g.Reason, By: g.By, At: g.At, Statement: string(signed),
			})
		}
	}
	return out, nil
}

// logGaps answers whoever holds a receipt or a checkpoint of a lost part with the signed statement of it.
func (s *Server) logGaps(w http.ResponseWriter, c *Call) error {
	covers := func(tlog.Gap) bool { return true }
	if text := c.URL.Query().Get("index"); text != "" {
		index, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return api.NewProblem(api.Validation, "index is a number")
		}
		covers = func(g tlog.Gap) bool { return g.Covers(index) }
	}
	found, err := s.gaps(c.Context(), covers)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, api.List[api.LogGap]{Items: append([]api.LogGap{}, found...)})
	return nil
}

// orGap tells whoever asks for evidence that is not here that the log has lost some, where it has.
func (s *Server) orGap(ctx context.Context, err error) error {
	refused, ok := errors.AsType[*hub.Refusal](err)
	if !ok || refused.Code != api.NotFound {
		return err
	}
	found, gapErr := s.gaps(ctx, func(tlog.Gap) bool { return true })
	if gapErr != nil || len(found) == 0 {
		return err // what was asked for is not here, whatever the folder says
	}
	return api.NewProblem(api.NotFound, "there is no such evidence; this log was put back once and has stated what it lost: /log/gaps")
}
