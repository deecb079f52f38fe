package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"yinxin/internal/audit"
	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/directory"
)

// cookieName is the session's cookie. With TLS the prefix __Host- makes browsers refuse one that another host or a plain
// connection set.
func (s *Server) cookieName() string {
	if s.c.Secure {
		return "__Host-yinxin"
	}
	return "yinxin"
}

// sessionToken is the token that a request brings, empty for none. It comes in the cookie alone, never in an address.
func (s *Server) sessionToken(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

func (c *call) setSession(token string, expires time.Time) {
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // Secure wherever there is TLS; loopback has none
		Name: c.s.cookieName(), Value: token, Path: "/", Expires: expires, Secure: c.s.c.Secure, HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
	})
}

// signInForm is what the sign-in page shows.
type signInForm struct {
	Account, Next string
	// Fault is the key of what is wrong, empty at first.
	Fault string
}

func (s *Server) signInPage(c *call) error {
	if c.token != "" {
		return c.redirect("/")
	}
	return c.show(http.StatusOK, "sign-in", signInForm{Next: localPath(c.URL.Query().Get("next"))})
}

// localPath lets through a path of this console and nothing that leads elsewhere.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// signIn opens a session. The token is always a new one, and a session that was open in this browser ends: nobody can be
// made to go on in a session that somebody else prepared.
func (s *Server) signIn(c *call) error {
	if err := c.form("account", "secret", "next"); err != nil {
		return err
	}
	account := c.value("account")
	token, session, err := s.c.Accounts.LogIn(c.Context(), directory.Attempt{
		Account: account, Secret: c.PostForm.Get("secret"), Source: directory.SourceOf(c.RemoteAddr), Agent: c.UserAgent(),
	})
	outcome := transport.Allowed
	if err != nil {
		outcome = string(problemOf(err).Code)
	}
	c.account = directory.Account{}
	if noted := c.note("session.open", audit.Clean(account), outcome); noted != nil {
		if err == nil { // a sign-in that nobody can see later does not count
			noted = errors.Join(noted, s.c.Accounts.Logout(c.Context(), token))
		}
		return noted
	}
	form := signInForm{Account: account, Next: localPath(c.value("next"))}
	switch {
	case errors.Is(err, directory.ErrUnauthenticated):
		form.Fault = "signin.wrong"
		return c.show(http.StatusUnauthorized, "sign-in", form)
	case errors.Is(err, directory.ErrRateLimited):
		form.Fault = "signin.wait"
		c.w.Header().Set("Retry-After", "60")
		return c.show(http.StatusTooManyRequests, "sign-in", form)
	case err != nil:
		return err
	}
	if c.token != "" {
		if err := s.c.Accounts.Logout(c.Context(), c.token); err != nil {
			return err
		}
	}
	c.setSession(token, session.Expires)
	return c.redirect(form.Next)
}

func (s *Server) signOut(c *call) error {
	if err := c.form(); err != nil {
		return err
	}
	if err := c.note("session.close", c.account.ID, transport.Allowed); err != nil {
		return err
	}
	if err := s.c.Accounts.Logout(c.Context(), c.token); err != nil {
		return err
	}
	c.setSession("", time.Unix(1, 0))
	c.w.Header().Set("Clear-Site-Data", `"cache"`)
	return c.redirect("/sign-in")
}

// look is how a person wants pages to look; it lies in a cookie and is no secret.
type look struct {
	// Theme is "light", "dark" or empty for the system's; Size is "large" or empty.
	Theme, Size string
}

const lookCookie = "yinxin-look"

// lookOf reads the cookie; anything unknown is the default.
func lookOf(r *http.Request) look {
	var l look
	c, err := r.Cookie(lookCookie)
	if err != nil {
		return l
	}
	for word := range strings.SplitSeq(c.Value, ".") {
		switch word {
		case "light", "dark":
			l.Theme = word
		case "large":
			l.Size = word
		}
	}
	return l
}

// setLook changes language, theme and size and goes back to where the person was.
func (s *Server) setLook(c *call) error {
	if err := c.form("language", "theme", "size", "back"); err != nil {
		return err
	}
	l := c.look
	keep := func(name, value string) {
		http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // Secure wherever there is TLS; loopback has none
			Name: name, Value: value, Path: "/", MaxAge: int(365 * 24 * time.Hour / time.Second), Secure: s.c.Secure,
			HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
	}
	if lang := c.value("language"); lang != "" {
		if lang != string(chinese) && lang != string(english) {
			return api.NewProblem(api.Malformed, "")
		}
		keep(languageCookie, lang)
	}
	if c.PostForm.Has("theme") {
		l.Theme = c.value("theme")
	}
	if c.PostForm.Has("size") {
		l.Size = c.value("size")
	}
	keep(lookCookie, l.Theme+"."+l.Size)
	return c.redirect(localPath(c.value("back")))
}
