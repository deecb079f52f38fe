package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"yinxin/archive"
	"yinxin/document"
	"yinxin/document/ofd/render"
	"yinxin/transport/api"
	"yinxin/transport/directory"
	"yinxin/transport/hub"
	"yinxin/transport/office"
)

// problemOf turns an error into what a person is told: a code of the closed list and, where the refusal names one, a
// detail. What is on no list is internal and says nothing.
func problemOf(err error) *api.Problem {
	if p, ok := errors.AsType[*api.Problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*hub.Refusal](err); ok {
		return api.NewProblem(r.Code, r.Detail, r.Faults...)
	}
	if bad, ok := errors.AsType[*directory.InvalidError](err); ok {
		p := api.NewProblem(api.Validation, "")
		for _, f := range bad.Faults {
			p.Errors = append(p.Errors, api.Fault{Pointer: f.Field, Detail: f.Text})
		}
		return p
	}
	if bad, ok := errors.AsType[*document.InvalidError](err); ok {
		p := api.NewProblem(api.Validation, "")
		for _, f := range bad.Faults {
			p.Errors = append(p.Errors, api.Fault{Pointer: f.Field, Detail: f.Detail})
		}
		return p
	}
	for _, row := range []struct {
		is   error
		code api.Code
	}{
		{directory.ErrUnauthenticated, api.Unauthenticated},
		{directory.ErrRateLimited, api.RateLimited},
		{archive.ErrNotFound, api.NotFound},
		{archive.ErrDisposed, api.Disposed},
		{render.ErrNoPage, api.NotFound},
		{hub.ErrStorageFull, api.StorageFull},
		{hub.ErrStorage, api.Dependency},
		{hub.ErrPending, api.InProgress},
		{context.DeadlineExceeded, api.Timeout},
		{context.Canceled, api.Timeout},
	} {
		if errors.Is(err, row.is) {
			return api.NewProblem(row.code, "")
		}
	}
	p := api.NewProblem(office.CodeOf(err), "")
	if p.Code == api.Dependency {
		p.RetryAfter = office.RetryAfter(err)
	}
	return p
}

// failure is what the page of an error shows.
type failure struct {
	Problem *api.Problem
	Request string
	// Sense is the sentence for the problem's code in the reader's language.
	Sense string
}

// fail answers with the page of an error, or with the way to sign in.
func (c *call) fail(err error) {
	p := problemOf(err)
	if p.Code == api.Internal || p.Code == api.Dependency {
		c.s.c.Log.ErrorContext(c.Context(), "page failed", slog.String("request", c.id), slog.String("code", string(p.Code)), slog.Any("error", err))
	}
	if p.Code == api.Unauthenticated && c.Method == http.MethodGet && !c.fragment() {
		http.Redirect(c.w, c.Request, "/sign-in?next="+url.QueryEscape(c.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
		c.w.Header().Set("Retry-After", strconv.Itoa(max(1, p.RetryAfter)))
	}
	meaning := api.MeaningOf(p.Code)
	f := failure{Problem: p, Request: c.id, Sense: meaning.TitleZH}
	if c.lang == english {
		f.Sense = meaning.Title
	}
	if err := c.show(p.Status, "error", f); err != nil { // our own page of an error can always be drawn
		http.Error(c.w, f.Sense, p.Status)
	}
}
