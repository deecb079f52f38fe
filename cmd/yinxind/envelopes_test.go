package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/keys"
	"yinxin/keys/filekeys"
	"yinxin/transport/envelope"
)

// rehearsable: the envelopes of all exchanges are written out, those of the database too, once, and open with the key of their
// recipient.
func (s *site) rehearsable(t *testing.T) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "envelopes")
	files := s.envelopes(t, out, 0)
	if len(files) == 0 {
		t.Fatal("no envelope is written")
	}
	s.opened(t, files)
	if again := s.envelopes(t, out, 0); len(again) != 0 {
		t.Errorf("written twice: %q", again)
	}
	if small := s.envelopes(t, filepath.Join(t.TempDir(), "small"), 0, "--small"); len(small) != 0 {
		t.Errorf("no envelope lies in the database, and %q are written", small)
	}
	if s.database == "" {
		s.rehearsableRows(t, files[0])
	}
}

// rehearsableRows: where the envelope lies in the row, it is written from there; where the row holds another, it is not.
func (s *site) rehearsableRows(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	inRow := s.copied(t)
	inRow.sql(`DROP TRIGGER exchanges_disposed`, fmt.Sprintf(`UPDATE exchanges SET envelope = x'%x'`, data))
	if err := os.RemoveAll(filepath.Join(inRow.dir, "data", "blobs")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(inRow.dir, "data", "blobs"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := inRow.envelopes(t, filepath.Join(t.TempDir(), "small"), 0, "--small")
	if len(files) != 1 {
		t.Fatalf("of one envelope in the database %d are written", len(files))
	}
	inRow.opened(t, files)
	data[len(data)/2] ^= 1
	inRow.sql(fmt.Sprintf(`UPDATE exchanges SET envelope = x'%x'`, data))
	if files := inRow.envelopes(t, filepath.Join(t.TempDir(), "damaged"), 70); len(files) != 0 {
		t.Errorf("damaged envelopes are written: %q", files)
	}
}

// envelopes runs `yinxind envelopes` and gives the files that it has written.
func (s *site) envelopes(t *testing.T, out string, want int, more ...string) []string {
	t.Helper()
	code, text, errs := call(t, append([]string{"envelopes", "--json", "--config", s.config, "--out", out}, more...)...)
	if code != want {
		t.Fatalf("envelopes: exit %d, want %d: %s", code, want, errs)
	}
	var told struct{ Written int }
	if err := json.Unmarshal([]byte(text), &told); err != nil && want == 0 {
		t.Fatalf("%s: %v", text, err)
	}
	files, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if told.Written == 0 && want == 0 {
		return nil
	}
	if len(files) != told.Written {
		t.Errorf("%d files, told %d", len(files), told.Written)
	}
	return files
}

// nowhere is an envelope.Sink that keeps nothing.
type nowhere struct{ io.Writer }

// Create implements envelope.Sink.
func (nowhere) Create(string, int64) (envelope.Pending, error) { return nowhere{io.Discard}, nil }

// Commit implements envelope.Pending.
func (nowhere) Commit() error { return nil }

// Abort implements envelope.Pending.
func (nowhere) Abort() {}

// opened opens envelopes as their recipient.
func (s *site) opened(t *testing.T, files []string) {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(s.dir, "data", "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := cert.ParseAny(pem)
	if err != nil {
		t.Fatal(err)
	}
	s.keys(func(store *filekeys.Store) error {
		key, err := keys.Decrypter(t.Context(), store, keys.Ref{Name: "office.yxjy.decrypt"})
		if err != nil {
			return err
		}
		for _, path := range files {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			st, err := f.Stat()
			if err != nil {
				return err
			}
			got, err := envelope.Open(f, st.Size(), envelope.OpenOptions{Key: key, Policy: cert.Policy{Roots: roots}, Now: time.Now(), Sink: nowhere{}})
			if err != nil || !got.Released() {
				t.Errorf("%s does not open: %v %+v", path, err, got)
			}
		}
		return nil
	})
}
