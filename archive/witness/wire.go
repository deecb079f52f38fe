package witness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"yinxin/archive/tlog"
)

// A request to cosign is shaped after C2SP tlog-witness: the line "old SIZE", the hashes of the consistency proof in base64,
// one a line, those of the twin tree with "sha256 " before them, an empty line, and the signed checkpoint.
const (
	oldPrefix  = "old "
	twinPrefix = "sha256 "
	maxRequest = tlog.MaxCheckpoint + 2*tlog.MaxProof*64 + 64
)

// MarshalRequest writes a request to cosign.
func MarshalRequest(oldSize uint64, x tlog.Extension, signed []byte) []byte {
	var b bytes.Buffer
	b.WriteString(oldPrefix + strconv.FormatUint(oldSize, 10) + "\n")
	for _, h := range x.SM3 {
		b.WriteString(h.Base64() + "\n")
	}
	for _, h := range x.SHA256 {
		b.WriteString(twinPrefix + h.Base64() + "\n")
	}
	b.WriteString("\n")
	b.Write(signed)
	return b.Bytes()
}

// ParseRequest reads what [MarshalRequest] wrote, strictly. Errors wrap [tlog.ErrMalformed].
func ParseRequest(data []byte) (oldSize uint64, x tlog.Extension, signed []byte, err error) {
	head, signed, found := bytes.Cut(data, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	size, ok := strings.CutPrefix(lines[0], oldPrefix)
	if len(data) > maxRequest || !found || !ok || len(lines) > 2*tlog.MaxProof+1 {
		return 0, x, nil, fmt.Errorf("%w: request to cosign", tlog.ErrMalformed)
	}
	if oldSize, err = strconv.ParseUint(size, 10, 63); err != nil || strconv.FormatUint(oldSize, 10) != size {
		return 0, x, nil, fmt.Errorf("%w: old size", tlog.ErrMalformed)
	}
	for _, l := range lines[1:] {
		text, twin := strings.CutPrefix(l, twinPrefix)
		h, err := tlog.ParseHash(text)
		if err != nil || !twin && len(x.SHA256) > 0 {
			return 0, x, nil, fmt.Errorf("%w: proof of a request to cosign", tlog.ErrMalformed)
		}
		if twin {
			x.SHA256 = append(x.SHA256, h)
		} else {
			x.SM3 = append(x.SM3, h)
		}
	}
	return oldSize, x, signed, nil
}

// RefusalError is what a witness answers when it refuses (RFC 9457).
type RefusalError struct {
	Type   string `json:"type"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	// Size, with code old_size, is where the proof must begin.
	Size uint64 `json:"size,omitempty"`
	// Known, with code fork, is the checkpoint that the new one contradicts.
	Known string `json:"known,omitempty"`
}

func (p *RefusalError) Error() string { return "witness refuses: " + p.Code + ": " + p.Detail }

// Unwrap gives the error that the code stands for.
func (p *RefusalError) Unwrap() error {
	for _, row := range refusals {
		if row.code == p.Code {
			return row.err
		}
	}
	return nil
}

var refusals = []struct {
	err    error
	status int
	code   string
}{
	{ErrUnknownLog, http.StatusNotFound, "unknown_log"},
	{fs.ErrNotExist, http.StatusNotFound, "not_found"},
	{tlog.ErrMalformed, http.StatusBadRequest, "malformed"},
	{tlog.ErrSignature, http.StatusForbidden, "checkpoint_signature"},
	{tlog.ErrWrongLog, http.StatusForbidden, "wrong_log"},
	{tlog.ErrFork, http.StatusConflict, "fork"},
	{tlog.ErrStale, http.StatusConflict, "stale"},
	{tlog.ErrProof, http.StatusUnprocessableEntity, "proof"},
}

func (w *Witness) problem(err error, origin string) *RefusalError {
	p := &RefusalError{Status: http.StatusInternalServerError, Code: "internal"}
	if old, ok := errors.AsType[*OldSizeError](err); ok {
		p.Status, p.Code, p.Size, p.Detail = http.StatusConflict, "old_size", old.Known, old.Error()
	}
	for _, row := range refusals {
		if errors.Is(err, row.err) {
			p.Status, p.Code, p.Detail = row.status, row.code, err.Error()
			break
		}
	}
	if p.Code == "fork" {
		if known, err := w.Last(origin); err == nil {
			p.Known = string(known)
		}
	}
	p.Type = "/problems/" + p.Code
	return p
}

// Handler serves a witness: POST /add-checkpoint, GET /checkpoint?origin=, /key, /logs, /evidence and /evidence/NAME. report,
// if not nil, is told of every refusal.
func (w *Witness) Handler(report func(error)) http.Handler {
	mux := http.NewServeMux()
	serve := func(pattern string, act func(*http.Request) (body []byte, kind string, err error)) {
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			body, kind, err := act(r)
			status := http.StatusOK
			if err != nil {
				if report != nil {
					report(err)
				}
				origin, _, _ := strings.Cut(string(body), "\n")
				p := w.problem(err, origin)
				status, kind = p.Status, "application/problem+json"
				if body, err = json.Marshal(p); err != nil {
					status = http.StatusInternalServerError
				}
			}
			rw.Header().Set("Content-Type", kind)
			rw.Header().Set("X-Content-Type-Options", "nosniff")
			rw.WriteHeader(status)
			if _, err := rw.Write(body); err != nil && report != nil {
				report(err)
			}
		})
	}
	const plain = "text/plain; charset=utf-8"
	serve("POST /add-checkpoint", func(r *http.Request) ([]byte, string, error) {
		data, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
		if err != nil {
			return nil, "", err
		}
		old, x, signed, err := ParseRequest(data)
		if err != nil {
			return nil, "", err
		}
		cosigned, err := w.Add(r.Context(), old, x, signed)
		if err != nil {
			return signed, "", err
		}
		return cosigned, plain, nil
	})
	serve("GET /checkpoint", func(r *http.Request) ([]byte, string, error) {
		signed, err := w.Last(r.URL.Query().Get("origin"))
		return signed, plain, err
	})
	serve("GET /key", func(*http.Request) ([]byte, string, error) { return []byte(w.Key().String() + "\n"), plain, nil })
	serve("GET /logs", func(*http.Request) ([]byte, string, error) { return asJSON(w.Origins()) })
	serve("GET /evidence", func(*http.Request) ([]byte, string, error) {
		names, err := w.Evidence()
		if err != nil {
			return nil, "", err
		}
		return asJSON(append([]string{}, names...))
	})
	serve("GET /evidence/{name}", func(r *http.Request) ([]byte, string, error) {
		note, err := w.EvidenceNote(r.PathValue("name"))
		return note, plain, err
	})
	return mux
}

func asJSON(v any) ([]byte, string, error) {
	body, err := json.Marshal(v)
	return append(body, '\n'), "application/json", err
}

// Client speaks to a witness.
type Client struct {
	// URL is the witness's address.
	URL string
	// HTTP is needed; give it a timeout.
	HTTP *http.Client
}

// Timeout is a good bound for one request to a witness.
const Timeout = 15 * time.Second

// Checkpoint returns the newest checkpoint of a log that the witness has cosigned.
func (c *Client) Checkpoint(ctx context.Context, origin string) ([]byte, error) {
	return c.call(ctx, http.MethodGet, "checkpoint", url.Values{"origin": {origin}}, nil)
}

// Add asks for a cosignature and returns the checkpoint with the witness's line. Verify it with [tlog.Cosignatures].
func (c *Client) Add(ctx context.Context, oldSize uint64, x tlog.Extension, signed []byte) ([]byte, error) {
	return c.call(ctx, http.MethodPost, "add-checkpoint", nil, MarshalRequest(oldSize, x, signed))
}

// Feed gives a witness a log's checkpoint with the proof that it asks for, made from the log's own files.
func (c *Client) Feed(ctx context.Context, f tlog.Fetcher, signed []byte, oldSize uint64) ([]byte, error) {
	checkpoint, err := tlog.ParseCheckpoint(signed)
	if err != nil {
		return nil, err
	}
	for range 2 {
		x, err := tlog.ProveExtension(ctx, f, oldSize, checkpoint)
		if err != nil {
			return nil, err
		}
		cosigned, err := c.Add(ctx, oldSize, x, signed)
		p, refused := errors.AsType[*RefusalError](err)
		if !refused || p.Code != "old_size" || p.Size == oldSize {
			return cosigned, err
		}
		oldSize = p.Size
	}
	return nil, &OldSizeError{oldSize}
}

func (c *Client) call(ctx context.Context, method, path string, query url.Values, body []byte) (_ []byte, err error) {
	base, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("witness address: %w", err)
	}
	at := base.JoinPath(path)
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask witness: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 2*tlog.MaxCheckpoint))
	if err != nil {
		return nil, fmt.Errorf("ask witness: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return data, nil
	}
	p := &RefusalError{Status: resp.StatusCode, Code: "unreachable", Detail: resp.Status}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, &RefusalError{Status: resp.StatusCode, Code: "unreachable", Detail: resp.Status}
	}
	return nil, p
}
