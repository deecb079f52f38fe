package httpapi

import (
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"yinxin/transport"
	"yinxin/transport/api"
	"yinxin/transport/hub"
)

// Uploads in pieces speak tus 1.0: core, creation, expiration, termination and checksum with SM3. An upload that is complete
// is submitted by a request of its own, which is answered as a submission in one piece is. docs/divergences.md says where this
// departs from tus.

const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,expiration,checksum,termination"
	// checksumSM3 begins an Upload-Checksum.
	checksumSM3 = "sm3 "
)

// tus refuses a request of another version of the protocol.
func tus(next Handler) Handler {
	return func(w http.ResponseWriter, c *Call) error {
		w.Header().Set(api.HeaderTus, tusVersion)
		if c.Header.Get(api.HeaderTus) != tusVersion {
			w.Header().Set("Tus-Version", tusVersion)
			return api.NewProblem(api.PreconditionFailed, api.HeaderTus+" is not "+tusVersion)
		}
		return next(w, c)
	}
}

// uploadOptions says what this hub knows of tus.
func (s *Server) uploadOptions(w http.ResponseWriter, _ *Call) error {
	h := w.Header()
	h.Set(api.HeaderTus, tusVersion)
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Checksum-Algorithm", strings.TrimSpace(checksumSM3))
	h.Set("Tus-Max-Size", strconv.FormatInt(s.c.Hub.MaxEnvelope(), 10))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// beginUpload begins an upload, or finds the one that was begun with this key.
func (s *Server) beginUpload(w http.ResponseWriter, c *Call) error {
	length, err := number(c, api.HeaderUploadLength)
	if err != nil {
		return err
	}
	// A file name would be the title of a document, and titles do not pass in the clear.
	if c.Header.Get("Upload-Metadata") != "" {
		return api.NewProblem(api.Validation, "", api.Fault{Pointer: "Upload-Metadata", Detail: "is not taken: names of documents do not pass in the clear"})
	}
	u, err := s.c.Hub.BeginUpload(c.Context(), c.Caller(), c.Key, length)
	if err != nil {
		return err
	}
	w.Header().Set("Location", api.Prefix+"/uploads/"+u.ID)
	tellUpload(w, u)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// tellUpload says how far an upload has come.
func tellUpload(w http.ResponseWriter, u hub.Upload) {
	w.Header().Set(api.HeaderUploadOffset, strconv.FormatInt(u.Received, 10))
	w.Header().Set(api.HeaderUploadLength, strconv.FormatInt(u.Length, 10))
	w.Header().Set(api.HeaderUploadExpires, u.Expires.UTC().Format(http.TimeFormat))
}

// number reads a header field that is a number of bytes.
func number(c *Call, name string) (int64, error) {
	text := c.Header.Get(name)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text || len(c.Header.Values(name)) != 1 {
		return 0, api.NewProblem(api.Malformed, "", api.Fault{Pointer: name, Detail: "is not one number of bytes"})
	}
	return n, nil
}

func (s *Server) showUpload(w http.ResponseWriter, c *Call) error {
	u, err := s.c.Hub.Upload(c.Context(), c.Caller(), c.Var("id"))
	if err != nil {
		return err
	}
	tellUpload(w, u)
	return nil
}

func (s *Server) appendUpload(w http.ResponseWriter, c *Call) error {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != api.TypePiece {
		return api.NewProblem(api.UnsupportedFormat, "send "+api.TypePiece)
	}
	offset, err := number(c, api.HeaderUploadOffset)
	if err != nil {
		return err
	}
	sum, err := checksumOf(c)
	if err != nil {
		return err
	}
	leave, err := s.bulk.enter(c.Context(), c.Account.Org)
	if err != nil {
		return err
	}
	defer leave()
	stop := func() { _ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) }
	if body, ok := c.Body.(*pacedBody); ok {
		stop = body.stop
	}
	u, err := s.c.Hub.Append(c.Context(), c.Caller(), c.Var("id"), offset, sum, c.Body, stop)
	var refused *hub.Refusal
	if err != nil && errors.As(err, &refused) && u.ID != "" {
		tellUpload(w, u) // what came before the body was cut off is there
	}
	if err != nil {
		return err
	}
	tellUpload(w, u)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// checksumOf reads an Upload-Checksum; nil where there is none.
func checksumOf(c *Call) (*transport.Digest, error) {
	text := c.Header.Get(api.HeaderUploadChecksum)
	if text == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	words, ok := strings.CutPrefix(text, checksumSM3)
	raw, err := base64.StdEncoding.Strict().DecodeString(words)
	var sum transport.Digest
	if !ok || err != nil || len(raw) != len(sum) {
		return nil, api.NewProblem(api.Malformed, "", api.Fault{Pointer: api.HeaderUploadChecksum, Detail: "is not sm3 and 32 bytes in base64"})
	}
	copy(sum[:], raw)
	return &sum, nil
}

func (s *Server) dropUpload(w http.ResponseWriter, c *Call) error {
	if err := s.c.Hub.DropUpload(c.Context(), c.Caller(), c.Var("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// submitUpload submits what was uploaded, and answers as submit does.
func (s *Server) submitUpload(w http.ResponseWriter, c *Call) error {
	leave, err := s.bulk.enter(c.Context(), c.Account.Org)
	if err != nil {
		return err
	}
	sub, err := s.c.Hub.SubmitUpload(c.Context(), c.Caller(), c.Key, c.Var("id"))
	leave()
	if err != nil {
		return err
	}
	return s.submitted(w, c, sub)
}
