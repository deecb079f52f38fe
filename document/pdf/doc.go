// Package pdf reads the objects of a PDF file strictly and within bounds, tells its revisions apart to the byte, and
// appends incremental updates (ISO 32000-1, 7.5). It also draws laid-out pages into a new PDF (see Draw).
//
// The reader promises one reading: a file of which two readers could make two documents is refused. So the header
// stands at offset 0, every cross-reference entry leads to the object it names, a key stands once in a dictionary, a
// stream is as long as it says, and hybrid files (7.5.8.4) whose table and stream disagree are refused. It never
// repairs. It refuses encrypted files and files that are a ZIP package as well. Memory and work are bounded by the
// constants of this package, whatever the file says about itself.
//
// The reader does not interpret pages: no fonts, no text, no rendering. Only Flate is decoded, and only for
// cross-reference and object streams; [Decode] offers the same to callers. Nothing here judges signatures; that is
// the work of seal/pdfseal.
package pdf

import (
	"errors"

	"yinxin/verdict"
)

// Limits of the reader. A file beyond one of them is refused with the reason limit.
const (
	// MaxFileSize is the largest file that is read, in bytes.
	MaxFileSize = 256 << 20
	// MaxRevisions is the largest number of revisions in a file.
	MaxRevisions = 64
	// MaxObjects is the largest number of cross-reference entries in a file, all revisions together.
	MaxObjects = 300_000
	// MaxValues is the largest number of values (numbers, names, arrays, …) parsed from a file; a dictionary counts as
	// seven. It keeps the memory for what is parsed below 64 MB.
	MaxValues = 1_000_000
	// MaxDepth is the deepest nesting of arrays and dictionaries, and of trees of pages and fields.
	MaxDepth = 64
	// MaxDecoded is the number of bytes that all decoded streams of a file may have together.
	MaxDecoded = 32 << 20
	// MaxPages is the largest number of pages.
	MaxPages = 20_000
)

// ErrClosedForUpdates is returned where an update cannot be appended because bytes follow the newest revision: an
// update would turn what readers ignore into a part of the document.
var ErrClosedForUpdates = errors.New("pdf: bytes follow the newest revision")

func malformed(format string, args ...any) error {
	return verdict.Refuse(verdict.Malformed, format, args...)
}

func limit(format string, args ...any) error {
	return verdict.Refuse(verdict.Limit, format, args...)
}
