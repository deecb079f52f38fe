package tlog

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// MaxStatement is the size of the largest signed statement that is read, in bytes.
const MaxStatement = 1 << 20

// SignStatement signs what a log's operator states with the log's key, as a signed note: the kind on the first line, then
// the text. A kind holds a slash and a version, such as "yinxin.gap/1"; nothing that could be read as a checkpoint is signed.
func SignStatement(kind, text string, signer Signer) ([]byte, error) {
	whole := kind + "\n" + strings.TrimSuffix(text, "\n") + "\n"
	if err := checkStatement(kind, whole, signer.Name()); err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: whole}, signer)
	if err != nil {
		return nil, fmt.Errorf("sign statement %s: %w", kind, err)
	}
	return signed, nil
}

func checkStatement(kind, whole, origin string) error {
	if !validName(kind) || !strings.Contains(kind, "/") || kind == origin || len(whole) > MaxStatement {
		return fmt.Errorf("%w: statement of kind %q, %d bytes", ErrMalformed, kind, len(whole))
	}
	if _, err := parseText(whole); err == nil {
		return fmt.Errorf("%w: the statement could be read as a checkpoint", ErrMalformed)
	}
	return nil
}

// OpenStatement reads a signed statement of the kind and verifies it with the log keys that are known. Errors:
// [ErrMalformed]; [ErrWrongLog] when no known key has a line; [ErrSignature] when the line of a known key does not verify.
func OpenStatement(signed []byte, kind string, known ...*Verifier) (text string, by *Verifier, err error) {
	n, text, err := takeApart(signed, kind)
	if err != nil {
		return "", nil, err
	}
	for _, v := range known {
		switch lines := countLines(n.UnverifiedSigs, v); {
		case lines == 0:
			continue
		case lines > 1:
			return "", nil, fmt.Errorf("%w: %d signature lines of one key", ErrMalformed, lines)
		}
		if err := checkStatement(kind, n.Text, v.Name()); err != nil {
			return "", nil, err
		}
		if err := verifyLine(signed, v); err != nil {
			return "", nil, err
		}
		return text, v, nil
	}
	return "", nil, fmt.Errorf("%w: no known key has signed the statement", ErrWrongLog)
}

// statementText reads a statement without judging who signed it.
func statementText(signed []byte, kind string) (string, error) {
	_, text, err := takeApart(signed, kind)
	return text, err
}

func takeApart(signed []byte, kind string) (note.Note, string, error) {
	if len(signed) > MaxStatement {
		return note.Note{}, "", fmt.Errorf("%w: statement of %d bytes", ErrMalformed, len(signed))
	}
	_, err := note.Open(signed, note.VerifierList()) // knows no key: it only takes the note apart
	unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return note.Note{}, "", fmt.Errorf("%w: statement: %w", ErrMalformed, err)
	}
	text, found := strings.CutPrefix(unverified.Note.Text, kind+"\n")
	if !found {
		return note.Note{}, "", fmt.Errorf("%w: it is no statement of kind %s", ErrMalformed, kind)
	}
	return *unverified.Note, text, nil
}
