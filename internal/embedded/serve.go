package embedded

import (
	"context"
	"io"
	"net"
	"net/http"

	"golang.org/x/sync/errgroup"

	"yinxin/archive"
	"yinxin/internal/audit"
	"yinxin/internal/httpapi"
	"yinxin/internal/web"
	"yinxin/transport/api"
)

// recordsFace is the archive as the HTTP edge sees it.
type recordsFace struct{ *archive.Archive }

// Retrieve implements httpapi.Archive.
func (r recordsFace) Retrieve(ctx context.Context, idOrCode, office string) (archive.Entry, io.ReadSeekCloser, error) {
	return r.Archive.RetrieveEntry(ctx, idOrCode, office)
}

// Server makes the HTTP edge of the system.
func (s *System) Server() (*httpapi.Server, error) {
	offices := httpapi.OfficeService{Office: s.Office, Registrar: s.Registrar, Seals: s.Database}
	return httpapi.New(httpapi.Config{
		Hub: s.Hub, Directory: s.Directory, Auditor: audit.New(s.Database, s.config.Clock), Archive: recordsFace{s.Archive}, Keeper: s.Keeper(),
		Log: s.Log, LogKey: s.LogKey.String(), Roots: s.Root.PEM(), Ready: s.ready, Logger: s.config.Log,
		Rand: s.config.Rand, Clock: s.config.Clock, Limits: s.config.Limits,
		Extra: []func(*httpapi.Server) []httpapi.Route{offices.Routes},
	})
}

// Handler is the HTTP edge with the console beside it.
func (s *System) Handler(verifier web.Verifier) (http.Handler, error) {
	server, err := s.Server()
	if err != nil {
		return nil, err
	}
	console, err := s.Console(verifier)
	if err != nil {
		return nil, err
	}
	return edges(server, console), nil
}

// ready says whether the system can work, and names what is degraded. Without its keys it goes on until so many entries wait
// for the log that submissions are refused.
func (s *System) ready(ctx context.Context) api.Health {
	h := api.Health{Ready: true}
	if keyStore := s.config.Keys.Health(ctx); keyStore.Status != "ok" {
		h.Degraded = append(h.Degraded, "keys: "+string(keyStore.Status))
	}
	switch full, err := s.Hub.Full(ctx); {
	case err != nil:
		h.Ready = false
		h.Degraded = append(h.Degraded, "store")
	case full:
		h.Ready = false
		h.Degraded = append(h.Degraded, "log: too many entries wait")
	}
	return h
}

// Serve runs the system, its HTTP edge and its console on the listener until ctx ends. The verifier for browsers may be nil.
func (s *System) Serve(ctx context.Context, l net.Listener, verifier web.Verifier) error {
	handler, err := s.Handler(verifier)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Run(ctx) })
	g.Go(func() error { return httpapi.Serve(ctx, l, handler, s.config.Log) })
	return g.Wait()
}
