package web

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"yinxin/document/fonts"
	"yinxin/internal/verify"
	"yinxin/transport"
)

// Config is what the console shows and works with. Keys, Trail, Verifier and Log are optional: pages that need one that
// is not there do not exist.
type Config struct {
	Accounts  Accounts
	Exchange  Exchange
	Office    Office
	Registrar Registrar
	Seals     Seals
	Archive   Archive
	Auditor   Auditor
	Trail     Trail
	Keys      Keys
	Verifier  Verifier
	// Judge says what the hub's own verifications trust.
	Judge func() verify.Options
	// Roots are the trust anchors (PEM), LogKey the evidence log's verifier key: what /verify begins with.
	Roots  []byte
	LogKey string
	Faces  *fonts.Set
	// TempDir is where documents lie while they are opened; empty means the system's.
	TempDir string
	// Secure says that the console is reached over TLS: its cookies are then never sent without it.
	Secure bool
	// Zone is in which times are shown; nil means that of Beijing.
	Zone  *time.Location
	Clock func() time.Time
	Rand  io.Reader
	Log   *slog.Logger
}

// Server is the console.
type Server struct {
	c       Config
	router  *mux.Router
	cross   *http.CrossOriginProtection
	pages   map[language]*pageSet
	assets  map[string]asset
	routes  []route
	shelf   *shelf
	drafts  *drafts
	counted *counters
	opening chan struct{} // bounds the documents that are opened at once
}

// maxOpening bounds the documents that are opened at once: each takes memory and processor time.
const maxOpening = 4

// New makes the console.
func New(c Config) (*Server, error) {
	if c.Accounts == nil || c.Exchange == nil || c.Office == nil || c.Seals == nil || c.Archive == nil || c.Auditor == nil ||
		c.Registrar == nil || c.Judge == nil || c.Clock == nil || c.Rand == nil {
		return nil, errors.New("console lacks one of its parts")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Faces == nil {
		c.Faces = fonts.Embedded()
	}
	if c.Zone == nil {
		c.Zone = time.FixedZone("CST", 8*60*60)
	}
	s := &Server{
		c: c, cross: http.NewCrossOriginProtection(), opening: make(chan struct{}, maxOpening),
		shelf: newShelf(), drafts: newDrafts(c.Clock), counted: newCounters(c.Clock),
	}
	var err error
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = s.loadPages(); err != nil {
		return nil, err
	}
	s.routes = s.all()
	return s, s.mount()
}

// ServeHTTP serves the console.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

// newID makes an id for a request, a key or a draft.
func (s *Server) newID() (string, error) { return transport.NewID(s.c.Clock(), s.c.Rand) }
