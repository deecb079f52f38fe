package office

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Scanner looks for malware. archive/aspect's Clamd is one.
type Scanner interface {
	// Scan reads r to its end and returns the name of what it found, empty for nothing. What was not looked at is an error.
	Scan(ctx context.Context, r io.Reader) (found string, err error)
}

var (
	// ErrMalware: a scanner has found something in a document or in a file that comes with it.
	ErrMalware = errors.New("office: malware was found")
	// ErrScanner: the scanner could not look, and what was not looked at is not sealed. It may be back later.
	ErrScanner = errors.New("office: the malware scanner is away")
)

// scan looks at files before they are sealed. Without a scanner nobody looks.
func (s *Service) scan(ctx context.Context, files ...[]byte) error {
	if s.Scanner == nil {
		return nil
	}
	for _, f := range files {
		found, err := s.Scanner.Scan(ctx, bytes.NewReader(f))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrScanner, err)
		}
		if found != "" {
			return fmt.Errorf("%w: %.100q", ErrMalware, found)
		}
	}
	return nil
}

// scanDraft looks at what a clerk asks to be sealed: each file that came with it as it came, then both forms of the document.
func (s *Service) scanDraft(ctx context.Context, who Person, d *Draft) error {
	err := s.scan(ctx, append(d.attached, d.OFD, d.PDF)...)
	if errors.Is(err, ErrMalware) {
		err = errors.Join(err, s.NoteRefused(ctx, who, err))
	}
	return err
}

// scanAgain looks at an approved draft just before it is sealed and packed: a scanner may know more than it did when the seal
// was asked for.
func (s *Service) scanAgain(ctx context.Context, d Dispatch) error {
	if s.Scanner == nil {
		return nil
	}
	files, err := s.openDraft(ctx, d)
	if err != nil {
		return err
	}
	return s.scan(ctx, files.OFD, files.PDF)
}
