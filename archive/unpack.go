package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"yinxin/internal/durable"
)

// ErrNotEmpty says that a package would be unpacked among other files.
var ErrNotEmpty = errors.New("archive: the folder is not empty")

// Unpack writes a zipped package into dir, which is made and must be empty. Names that lead out of dir, special files and
// contents beyond the bounds of a package are refused before anything is written.
func Unpack(r io.ReaderAt, size int64, dir string) error {
	if _, err := OpenZip(r, size); err != nil {
		return fmt.Errorf("unpack package: %w", err)
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("unpack package: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("unpack package: %w", err)
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		return errors.Join(err, fmt.Errorf("unpack package into %s: %w", dir, ErrNotEmpty))
	}
	for _, f := range z.File {
		if err := unpackFile(f, dir); err != nil {
			return fmt.Errorf("unpack %s: %w", f.Name, err)
		}
	}
	return nil
}

func unpackFile(f *zip.File, dir string) (err error) {
	if !fs.ValidPath(f.Name) {
		return fs.ErrInvalid
	}
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	src, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := durable.Disk{}.CreateTemp(filepath.Dir(path), 0o644)
	if err != nil {
		return err
	}
	defer dst.Abort()
	if _, err := io.Copy(dst, io.LimitReader(src, maxFileSize+1)); err != nil {
		return err
	}
	return dst.CommitExclusive(path)
}
