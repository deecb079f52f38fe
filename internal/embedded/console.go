package embedded

import (
	"net/http"
	"strings"

	"yinxin/archive/tlog"
	"yinxin/internal/audit"
	"yinxin/internal/verify"
	"yinxin/internal/web"
)

// Console makes the web console of the system. The verifier for browsers may be nil.
func (s *System) Console(verifier web.Verifier) (*web.Server, error) {
	return web.New(web.Config{
		Accounts: s.Directory, Exchange: s.Hub, Office: s.Office, Registrar: s.Registrar, Seals: s.Database, Archive: s.Archive,
		Auditor: audit.New(s.Database, s.config.Clock), Trail: s.Database, Keys: s.config.Keys, Verifier: verifier, Judge: s.judge,
		Roots: s.Root.PEM(), LogKey: s.LogKey.String(), Faces: s.Office.Faces, TempDir: s.tempDir(), Clock: s.config.Clock,
		Rand: s.config.Rand, Log: s.config.Log,
	})
}

// judge is what the system's own verifications trust: its CA and its log.
func (s *System) judge() verify.Options {
	return verify.Options{Policy: s.policy(), Logs: []*tlog.Verifier{s.LogKey}, Now: s.config.Clock()}
}

// edges joins the interface for programs and the console on one address.
func edges(programs, console http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/log/") {
			programs.ServeHTTP(w, r)
			return
		}
		console.ServeHTTP(w, r)
	})
}
