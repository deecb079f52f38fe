package archive

import (
	"archive/zip"
	"io"
	"io/fs"
	"strings"

	"yinxin/document/ofd"
	"yinxin/verdict"
)

// limits of a zipped package. An entry of up to 16 MiB may be anything: it costs little.
var limits = ofd.ZipLimits{File: 4<<30 - 1, Total: 4 << 30, Floor: 16 << 20}

// OpenZip opens a zipped package strictly: it is one in which any two readers find the same files, from the first byte to
// the last ([ofd.CheckZip]), every name is a safe path and no two are equal without regard to case. A refusal is a
// *verdict.ContainerError.
func OpenZip(r io.ReaderAt, size int64) (fs.FS, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		if refused := ofd.CheckZip(r, size, limits); refused != nil {
			return nil, refused // it says more than zip does
		}
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
	if err := ofd.CheckZip(r, size, limits); err != nil {
		return nil, err
	}
	return z, nil
}
