package filekeys

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Copied is one file of a store, by its path in the store's folder.
type Copied struct {
	Path string
	Data []byte
}

// copyTries is how often Copy begins again when the store has changed meanwhile.
const copyTries = 10

// Copy reads the files of a store, also while another process has it: they are those of one moment. They are as encrypted
// as the store itself, and the passphrase opens a folder with them as it opens the store.
func Copy(dir string) ([]Copied, error) {
	if !Exists(dir) {
		return nil, fmt.Errorf("copy key store %s: %w", dir, ErrNoStore)
	}
	for range copyTries {
		files, whole, err := copyOnce(dir)
		if err != nil {
			return nil, fmt.Errorf("copy key store %s: %w", dir, err)
		}
		if whole {
			return files, nil
		}
	}
	return nil, fmt.Errorf("copy key store %s: it changed %d times meanwhile", dir, copyTries)
}

// copyOnce reads the head first and last: entries go only after a newer head is there.
func copyOnce(dir string) (files []Copied, whole bool, err error) {
	head, err := readPrivate(filepath.Join(dir, headName), MaxHead+int64(sealedHead)+sealedTag)
	if err != nil {
		return nil, false, err
	}
	header, err := readPrivate(filepath.Join(dir, headerName), maxHeader)
	if err != nil {
		return nil, false, err
	}
	files = []Copied{{headerName, header}, {headName, head}}
	entries, err := os.ReadDir(filepath.Join(dir, entriesDir))
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		if isTemp(e.Name()) {
			continue
		}
		data, err := readPrivate(filepath.Join(dir, entriesDir, e.Name()), maxEntry+int64(sealedHead)+sealedTag)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		files = append(files, Copied{entriesDir + "/" + e.Name(), data})
	}
	again, err := readPrivate(filepath.Join(dir, headName), MaxHead+int64(sealedHead)+sealedTag)
	return files, bytes.Equal(head, again), err
}
