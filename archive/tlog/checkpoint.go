package tlog

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// MaxCheckpoint is the size of the largest signed checkpoint that is read, in bytes, and maxLines the number of lines in
// its text and of its signatures each.
const (
	MaxCheckpoint = 64 << 10
	maxLines      = 100
)

// twinPrefix begins the extension line that holds the root of the SHA-256 tree.
const twinPrefix = "sha256 "

// Checkpoint is what a log says of itself: its size and its roots. It is worth something only with a signature; see
// [OpenCheckpoint].
type Checkpoint struct {
	Origin     string   // names the log; equals the name of its key
	Size       uint64   // number of entries
	Root       Hash     // of the SM3 tree
	TwinRoot   Hash     // of the SHA-256 tree over the same leaves
	Extensions []string // further lines, kept as they are; none today
}

// Text is what is signed: origin, size, root and the extension lines, each with a newline.
func (c Checkpoint) Text() string {
	var b strings.Builder
	b.WriteString(c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + c.Root.Base64() + "\n")
	b.WriteString(twinPrefix + c.TwinRoot.Base64() + "\n")
	for _, e := range c.Extensions {
		b.WriteString(e + "\n")
	}
	return b.String()
}

// SameTree reports whether c and d speak of one size and the same roots.
func (c Checkpoint) SameTree(d Checkpoint) bool {
	return c.Size == d.Size && c.Root == d.Root && c.TwinRoot == d.TwinRoot
}

// ParseCheckpoint reads a signed checkpoint without looking at its signatures. The text must be spelled exactly as
// [Checkpoint.Text] writes it and at least one signature line must follow. Trust nothing in it before [OpenCheckpoint].
func ParseCheckpoint(signed []byte) (Checkpoint, error) {
	c, _, err := parseSigned(signed)
	return c, err
}

func parseSigned(signed []byte) (Checkpoint, []note.Signature, error) {
	if len(signed) > MaxCheckpoint {
		return Checkpoint{}, nil, fmt.Errorf("%w: checkpoint of %d bytes", ErrMalformed, len(signed))
	}
	_, err := note.Open(signed, note.VerifierList()) // knows no key: it only takes the note apart
	unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return Checkpoint{}, nil, fmt.Errorf("%w: checkpoint: %w", ErrMalformed, err)
	}
	c, err := parseText(unverified.Note.Text)
	return c, unverified.Note.UnverifiedSigs, err
}

func parseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 || len(lines) > maxLines || lines[len(lines)-1] != "" {
		return Checkpoint{}, fmt.Errorf("%w: checkpoint of %d lines", ErrMalformed, len(lines))
	}
	lines = lines[:len(lines)-1]
	c := Checkpoint{Origin: lines[0]}
	if !validName(c.Origin) {
		return Checkpoint{}, fmt.Errorf("%w: origin", ErrMalformed)
	}
	var err error
	if c.Size, err = parseSize(lines[1]); err != nil {
		return Checkpoint{}, err
	}
	if c.Root, err = ParseHash(lines[2]); err != nil {
		return Checkpoint{}, err
	}
	twin, ok := strings.CutPrefix(lines[3], twinPrefix)
	if !ok {
		return Checkpoint{}, fmt.Errorf("%w: the fourth line is not the SHA-256 root", ErrMalformed)
	}
	if c.TwinRoot, err = ParseHash(twin); err != nil {
		return Checkpoint{}, err
	}
	for _, e := range lines[4:] {
		if e == "" || strings.HasPrefix(e, twinPrefix) || strings.ContainsFunc(e, isBreak) {
			return Checkpoint{}, fmt.Errorf("%w: extension line", ErrMalformed)
		}
		c.Extensions = append(c.Extensions, e)
	}
	return c, nil
}

// isBreak: what some reader may take for the end of a line.
func isBreak(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) }

// OpenCheckpoint reads a signed checkpoint and verifies it with the log keys that are known. A key counts for the origin
// that it names; lines of other keys (witnesses, decoys) are ignored. Errors: [ErrMalformed]; [ErrWrongLog] when no known
// key of the checkpoint's origin has a line; [ErrSignature] when the line of a known key does not verify.
func OpenCheckpoint(signed []byte, known ...note.Verifier) (Checkpoint, error) {
	c, sigs, err := parseSigned(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	verified := false
	for _, v := range known {
		if v.Name() != c.Origin {
			continue
		}
		switch n := countLines(sigs, v); {
		case n == 0:
			continue
		case n > 1:
			return Checkpoint{}, fmt.Errorf("%w: %d signature lines of one key", ErrMalformed, n)
		}
		if err := verifyLine(signed, v); err != nil {
			return Checkpoint{}, err
		}
		verified = true
	}
	if !verified {
		return Checkpoint{}, fmt.Errorf("%w: origin %s", ErrWrongLog, c.Origin)
	}
	return c, nil
}

func countLines(sigs []note.Signature, v note.Verifier) int {
	n := 0
	for _, s := range sigs {
		if s.Name == v.Name() && s.Hash == v.KeyHash() {
			n++
		}
	}
	return n
}

func verifyLine(signed []byte, v note.Verifier) error {
	_, err := note.Open(signed, note.VerifierList(v))
	if _, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return fmt.Errorf("%w: key %s+%08x", ErrSignature, v.Name(), v.KeyHash())
	}
	if err != nil {
		return fmt.Errorf("%w: checkpoint: %w", ErrMalformed, err)
	}
	return nil
}

// SignCheckpoint signs c. The first signer is the log's own and must bear its origin as name; witnesses may follow.
func SignCheckpoint(c Checkpoint, signers ...note.Signer) ([]byte, error) {
	if len(signers) == 0 || signers[0].Name() != c.Origin {
		return nil, fmt.Errorf("%w: the log's key does not bear its origin", ErrMalformed)
	}
	if _, err := parseText(c.Text()); err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint of size %d: %w", c.Size, err)
	}
	return signed, nil
}

// SignatureLines gives the signature lines of a signed checkpoint, for a reader who wants to show them.
func SignatureLines(signed []byte) []string {
	at := bytes.LastIndex(signed, []byte("\n\n"))
	if at < 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(signed[at+2:]), "\n"), "\n")
}
