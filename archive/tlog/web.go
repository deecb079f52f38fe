// A browser fetches nothing: there, the verifier does without this file and all that net/http brings.
//go:build !js

package tlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
)

// ErrUnreachable says that a log's address gave no answer of use; trying again may help.
var ErrUnreachable = errors.New("tlog: log cannot be reached")

// Web is a log over HTTP: a hub's /log, or any web server over the log's folder. It is a [Fetcher].
type Web struct {
	base   *url.URL
	client *http.Client
}

// NewWeb reads a log at an http or https address. The client needs a timeout.
func NewWeb(address string, client *http.Client) (*Web, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("%w: log address %q: want http://… or https://…", ErrMalformed, address)
	}
	return &Web{base: base, client: client}, nil
}

// String is the log's address.
func (w *Web) String() string { return w.base.Redacted() }

// Fetch implements [Fetcher].
func (w *Web) Fetch(ctx context.Context, path string) (_ []byte, err error) {
	at := w.base.JoinPath(path)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", at.Redacted(), fs.ErrNotExist)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: %s answers %s", ErrUnreachable, at.Redacted(), resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", ErrMalformed, at.Redacted(), maxFile)
	}
	return data, nil
}

// Gaps gives the signed statements of what the log lost, as a hub serves them; a log that serves none has none.
func (w *Web) Gaps(ctx context.Context) ([][]byte, error) {
	data, err := w.Fetch(ctx, gapsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []struct {
			Statement string `json:"statement"`
		} `json:"items"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, nil //nolint:nilerr // a plain web server over the log's folder: it lists nothing that could be believed
	}
	if len(list.Items) > maxGaps {
		return nil, fmt.Errorf("%w: %d gaps at %s", ErrMalformed, len(list.Items), w)
	}
	all := make([][]byte, len(list.Items))
	for i, item := range list.Items {
		all[i] = []byte(item.Statement)
	}
	return all, nil
}
