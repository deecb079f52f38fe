package archive

import (
	"archive/zip"
	"encoding/binary"
	"io"
	"io/fs"
	"strings"

	"yinxin/verdict"
)

// Marks of a zip file (APPNOTE 4.3).
const (
	localHeader  = "PK\x03\x04"
	endOfCentral = "PK\x05\x06"
	endSize      = 22
)

// OpenZip opens a zipped package strictly: it begins with an entry and ends with its directory, every name is a safe path
// and no two are equal without regard to case. A refusal is a *verdict.ContainerError.
func OpenZip(r io.ReaderAt, size int64) (fs.FS, error) {
	if err := checkLayout(r, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, verdict.Refuse(verdict.ZipLayout, "%v", err)
	}
	if len(z.File) > maxFiles+2 {
		return nil, verdict.Refuse(verdict.Bomb, "%d entries, at most %d", len(z.File), maxFiles)
	}
	seen := make(map[string]bool, len(z.File))
	for _, f := range z.File {
		folded := strings.ToLower(f.Name)
		switch {
		case seen[folded]:
			return nil, verdict.Refuse(verdict.DuplicateEntry, "%s", f.Name)
		case !fs.ValidPath(f.Name) || strings.ContainsAny(f.Name, "\\:\x00"):
			return nil, verdict.Refuse(verdict.Path, "%q", f.Name)
		case !f.Mode().IsRegular():
			return nil, verdict.Refuse(verdict.EntryType, "%s", f.Name)
		case f.UncompressedSize64 > maxFileSize:
			return nil, verdict.Refuse(verdict.Bomb, "%s has %d bytes", f.Name, f.UncompressedSize64)
		}
		seen[folded] = true
	}
	return z, nil
}

// checkLayout refuses bytes before the first entry and after the directory, behind which another file could hide.
func checkLayout(r io.ReaderAt, size int64) error {
	var head [4]byte
	var end [endSize]byte
	if size < endSize {
		return verdict.Refuse(verdict.ZipLayout, "%d bytes are no package", size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil || string(head[:]) != localHeader {
		return verdict.Refuse(verdict.ZipLayout, "the file does not begin with an entry")
	}
	if _, err := r.ReadAt(end[:], size-endSize); err != nil || string(end[:4]) != endOfCentral || binary.LittleEndian.Uint16(end[20:]) != 0 {
		return verdict.Refuse(verdict.ZipLayout, "the file does not end with its directory")
	}
	length, offset := binary.LittleEndian.Uint32(end[12:]), binary.LittleEndian.Uint32(end[16:])
	if int64(offset)+int64(length) != size-endSize {
		return verdict.Refuse(verdict.ZipLayout, "the directory is not where it says")
	}
	return nil
}
