package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"yinxin/archive"
	"yinxin/keys"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// fail answers with a problem object. What is not on the closed list is logged with
// the request id and answered as internal.
func (s *Server) fail(w http.ResponseWriter, c *Call, err error) {
	p := problemOf(err)
	if p.Code == api.Internal || p.Code == api.Dependency {
		s.c.Logger.ErrorContext(c.Context(), "request failed", slog.String("request", c.ID), slog.String("code", string(p.Code)), slog.Any("error", err))
	}
	p.Instance = c.ID
	w.Header().Del("ETag")
	w.Header().Set("Content-Type", api.TypeProblem)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="yinxin"`)
	}
	if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, p.RetryAfter)))
	}
	body, err := json.Marshal(p)
	if err != nil {
		return
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}

// problemOf is the one table from errors to problems.
func problemOf(err error) *api.Problem {
	var p *api.Problem
	var r *hub.Refusal
	var bad *directory.InvalidError
	switch {
	case errors.As(err, &p):
		q := *p
		return &q
	case errors.As(err, &r):
		return problemOfRefusal(r)
	case errors.As(err, &bad):
		faults := make([]api.Fault, 0, len(bad.Faults))
		for _, f := range bad.Faults {
			faults = append(faults, api.Fault{Pointer: "/" + f.Field, Detail: f.Text})
		}
		return api.NewProblem(api.Validation, "", faults...)
	case errors.Is(err, keys.ErrSealed), errors.Is(err, keys.ErrUnavailable):
		p := api.NewProblem(api.Dependency, "the key service is away") // where and how is the operator's to know
		p.RetryAfter = office.RetryAfter(err)
		return p
	}
	for _, row := range []struct {
		is   error
		code api.Code
	}{
		{directory.ErrUnauthenticated, api.Unauthenticated},
		{directory.ErrRateLimited, api.RateLimited},
		{directory.ErrNotFound, api.NotFound},
		{directory.ErrConflict, api.Conflict},
		{archive.ErrNotFound, api.NotFound},
		{archive.ErrDisposed, api.Disposed},
		{hub.ErrStorageFull, api.StorageFull},
		{hub.ErrStorage, api.Dependency},
		{hub.ErrUnknownOutcome, api.Dependency},
		{context.DeadlineExceeded, api.Timeout},
		{context.Canceled, api.Timeout}, // the client went away; were it silent, a proxy would see a 200
	} {
		if errors.Is(err, row.is) {
			return api.NewProblem(row.code, "")
		}
	}
	return api.NewProblem(api.Internal, "")
}

func problemOfRefusal(r *hub.Refusal) *api.Problem {
	p := api.NewProblem(r.Code, r.Detail, r.Faults...)
	if r.Conflict409 {
		p.Status = http.StatusConflict
	}
	p.Evidence = r.Entry
	return p
}
