package web

import (
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"

	"yinxin/crypto/gm"
	"yinxin/transport/api"
)

//go:embed static
var static embed.FS

// asset is one file of the console's own: a style, a script, a picture.
type asset struct {
	data    []byte
	kind    string
	version string // begins its SM3; changes with the content
}

func loadAssets() (map[string]asset, error) {
	list := map[string]asset{}
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		data, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		kind := mime.TypeByExtension(path.Ext(e.Name()))
		switch path.Ext(e.Name()) { // what the system's table says is not known
		case ".js":
			kind = "text/javascript; charset=utf-8"
		case ".css":
			kind = "text/css; charset=utf-8"
		case ".svg":
			kind = "image/svg+xml"
		case ".txt":
			kind = "text/plain; charset=utf-8"
		}
		sum := gm.SM3(data)
		list[e.Name()] = asset{data: data, kind: kind, version: hex.EncodeToString(sum[:6])}
	}
	return list, nil
}

// assetPath is the address of an asset, new whenever its content is.
func (s *Server) assetPath(name string) string {
	return "/static/" + name + "?v=" + s.assets[name].version
}

// asset serves a file for ever: its address changes with its content.
func (s *Server) asset(c *call) error {
	a, ok := s.assets[c.variable("name")]
	if !ok {
		return api.NewProblem(api.NotFound, "")
	}
	c.w.Header().Set("Content-Type", a.kind)
	c.w.Header().Set("Cache-Control", "public, max-age=3600")
	if c.URL.Query().Get("v") == a.version {
		c.w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	c.w.Header().Set("ETag", `"`+a.version+`"`)
	if c.Header.Get("If-None-Match") == `"`+a.version+`"` {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	_, _ = c.w.Write(a.data)
	return nil
}
