package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"yinxin/archive"
	"yinxin/crypto/gm"
)

// zipEntry is one file of a zip, as an attacker who rewrites it holds it.
type zipEntry struct {
	name string
	data []byte
}

func unzip(data []byte) ([]zipEntry, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	var entries []zipEntry
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, err
		}
		entries = append(entries, zipEntry{f.Name, content})
	}
	return entries, nil
}

func rezip(entries []zipEntry) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.Create(e.name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}

// listAnew makes the list of a bundle fit its files, which anybody can do: it is not signed.
func listAnew(entries []zipEntry, change func(list *archive.Bundle)) ([]byte, error) {
	at := slices.IndexFunc(entries, func(e zipEntry) bool { return e.name == archive.BundleName })
	if at < 0 {
		return nil, errors.New("no bundle of evidence")
	}
	list, err := archive.ParseBundle(entries[at].data)
	if err != nil {
		return nil, err
	}
	var files []archive.FileEntry
	for _, f := range list.Files {
		i := slices.IndexFunc(entries, func(e zipEntry) bool { return e.name == f.Path })
		if i < 0 {
			continue
		}
		sm3, sha := gm.SM3(entries[i].data), sha256.Sum256(entries[i].data)
		f.Size, f.SM3, f.SHA256 = int64(len(entries[i].data)), hex.EncodeToString(sm3[:]), hex.EncodeToString(sha[:])
		files = append(files, f)
	}
	list.Files = files
	change(list)
	if entries[at].data, err = json.MarshalIndent(list, "", " "); err != nil {
		return nil, err
	}
	return rezip(entries)
}

func nothing(*archive.Bundle) {}

// bundleWithout leaves out the files whose names begin as given, in the list too.
func bundleWithout(data []byte, prefix string) ([]byte, error) {
	entries, err := unzip(data)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(entries, func(e zipEntry) bool { return strings.HasPrefix(e.name, prefix) })
	return listAnew(kept, nothing)
}

// bundleWith puts another file in the place of one: PATH=FILE.
func bundleWith(data []byte, argument string) ([]byte, error) {
	name, file, _ := strings.Cut(argument, "=")
	other, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	entries, err := unzip(data)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(entries, func(e zipEntry) bool { return e.name == name })
	if at < 0 {
		return nil, fmt.Errorf("no %s", name)
	}
	entries[at].data = other
	return listAnew(entries, nothing)
}

// bundleList changes what the list says: KEY=VALUE.
func bundleList(data []byte, argument string) ([]byte, error) {
	key, value, _ := strings.Cut(argument, "=")
	entries, err := unzip(data)
	if err != nil {
		return nil, err
	}
	change, known := map[string]func(*archive.Bundle){
		"record":       func(list *archive.Bundle) { list.Record = value },
		"envelope_sm3": func(list *archive.Bundle) { list.EnvelopeSM3 = value },
	}[key]
	if !known {
		return nil, fmt.Errorf("no key %s", key)
	}
	return listAnew(entries, change)
}

// zipStray adds a file that no list names.
func zipStray(data []byte, name string) ([]byte, error) {
	entries, err := unzip(data)
	if err != nil {
		return nil, err
	}
	return rezip(append(entries, zipEntry{name, []byte("stray")}))
}

// repack writes the same files into another zip.
func repack(data []byte, _ string) ([]byte, error) {
	entries, err := unzip(data)
	if err != nil {
		return nil, err
	}
	return rezip(entries)
}
