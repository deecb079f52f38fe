package web

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/transport/api"
)

// verifyPolicy lets the verifying page run the verifier, which is WebAssembly. It still may not evaluate text.
var verifyPolicy = strings.Replace(policy, "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", 1)

// verifyView is the page on which files are judged in the browser.
type verifyView struct {
	// Built says that the verifier was built in.
	Built bool
	// Compiling: it will be there in a minute.
	Compiling bool
	Size      int64
	Roots     []rootView
	Trust     trust
	Texts     map[string]string
}

// rootView is a trust anchor as a person compares it: by fingerprint.
type rootView struct {
	Subject     string
	From, To    string
	Fingerprint []string
}

// trust is what the page hands to the verifier. It is no secret.
type trust struct {
	Roots    string `json:"roots"`
	Log      string `json:"log"`
	Language string `json:"language"`
	Hub      string `json:"hub,omitempty"`
}

func (s *Server) verifyPage(c *call) error {
	v, err := s.verifyView(c)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Security-Policy", verifyPolicy)
	return c.show(http.StatusOK, "verify", v)
}

func (s *Server) verifyView(c *call) (verifyView, error) {
	v := verifyView{Trust: trust{Roots: string(s.c.Roots), Log: s.c.LogKey, Language: string(c.lang.verdict())}, Texts: map[string]string{}}
	certs, err := cert.ParsePEM(s.c.Roots)
	if err != nil {
		return v, err
	}
	for _, r := range certs {
		sum := r.SM3()
		v.Roots = append(v.Roots, rootView{
			Subject: r.Subject.CommonName, From: r.NotBefore.Format("2006-01-02"), To: r.NotAfter.Format("2006-01-02"),
			Fingerprint: digest(hex.EncodeToString(sum[:])),
		})
	}
	for key, text := range c.s.pages[c.lang].texts {
		if name, ok := strings.CutPrefix(key, "verify.js."); ok {
			v.Texts[name] = text
		}
	}
	if s.c.Verifier == nil {
		return v, nil
	}
	program, err := s.c.Verifier.Program()
	if errors.Is(err, fs.ErrNotExist) {
		v.Compiling = errors.Is(err, ErrCompiling)
		return v, nil
	}
	v.Built, v.Size = true, int64(len(program))
	return v, err
}

// missing turns a verifier that was not built in into a page that is not there.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return api.NewProblem(api.NotFound, "")
	}
	return err
}

func (s *Server) verifyProgram(c *call) error {
	if s.c.Verifier == nil {
		return api.NewProblem(api.NotFound, "")
	}
	data, err := s.c.Verifier.Program()
	if err != nil {
		return missing(err)
	}
	sum := gm.SM3(data)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	c.w.Header().Set("Content-Type", "application/gzip")
	c.w.Header().Set("Cache-Control", "public, no-cache")
	c.w.Header().Set("ETag", tag)
	if c.Header.Get("If-None-Match") == tag {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	c.w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = c.w.Write(data)
	return nil
}

func (s *Server) verifyLoader(c *call) error {
	if s.c.Verifier == nil {
		return api.NewProblem(api.NotFound, "")
	}
	data, err := s.c.Verifier.Loader()
	if err != nil {
		return missing(err)
	}
	c.w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	_, _ = c.w.Write(data)
	return nil
}

// offlineView is the same page as one file, which needs nothing beside it.
type offlineView struct {
	verifyView
	Lang   language
	Policy string
}

// source names a script or a style in a policy by its digest. Browsers know no SM3 there.
func source(data []byte) string {
	sum := sha512.Sum512(data)
	return "'sha512-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// verifyOffline hands out the page as one file: styles, scripts, roots and the verifier in it. Its policy names its
// scripts by digest and lets it fetch nothing at all.
func (s *Server) verifyOffline(c *call) error {
	v, err := s.verifyView(c)
	if err != nil {
		return err
	}
	if !v.Built {
		return api.NewProblem(api.NotFound, "")
	}
	program, err := s.c.Verifier.Program()
	if err != nil {
		return err
	}
	loader, err := s.c.Verifier.Loader()
	if err != nil {
		return err
	}
	data, err := json.Marshal(v.Trust)
	if err != nil {
		return err
	}
	style, script := s.assets["console.css"].data, s.assets["verify.js"].data
	o := offlineView{verifyView: v, Lang: c.lang}
	o.Policy = "default-src 'none'; img-src data:; style-src " + source(style) + "; script-src 'wasm-unsafe-eval' " + source(loader) + " " + source(script)
	var b bytes.Buffer
	if err := c.s.pages[c.lang].pages["offline"].ExecuteTemplate(&b, "offline", o); err != nil {
		return err
	}
	page := b.Bytes()
	for place, content := range map[string][]byte{ // put in as they are, byte for byte: their digests stand in the policy
		"@style@": style, "@loader@": loader, "@script@": script, "@trust@": data,
		"@program@": base85(program), "@size@": []byte(strconv.Itoa(len(program))),
	} {
		page = bytes.Replace(page, []byte(place), content, 1)
	}
	c.w.Header().Set("Content-Type", "application/octet-stream")
	c.w.Header().Set("Content-Disposition", `attachment; filename="verify.html"`)
	_, _ = c.w.Write(page)
	return nil
}
