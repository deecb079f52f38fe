package filekeys

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// FuzzHeader feeds store.json: it never leads to a key derivation out of bounds.
func FuzzHeader(f *testing.F) {
	h := header{Format: headerFormat, Store: "000102030405060708090a0b0c0d0e0f", KDF: KDF{MinMemoryKiB, 1, 1}}
	h, err := h.wrapMaster(zeros{}, []byte("x"), make([]byte, masterSize))
	if err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(h)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":"yinxin.filekeys/1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > maxHeader {
			return
		}
		h, err := parseHeader(data)
		if err != nil {
			return
		}
		if err := h.KDF.check(); err != nil {
			t.Error(err)
		}
		if len(h.Salt) != saltSize || len(h.Master) != masterSize+sealedNonce+sealedTag {
			t.Error("lengths out of bounds")
		}
	})
}

// zeros is a random source for seeds.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// FuzzHead feeds a sealed head: only what was sealed with this store's keys opens, and it is consistent.
func FuzzHead(f *testing.F) {
	s, err := newSealer(make([]byte, idSize), make([]byte, masterSize))
	if err != nil {
		f.Fatal(err)
	}
	h := &head{Schema: headSchema, Generation: 2, Entries: map[string]liveEntry{"policy/k": {Generation: 1, SM3: "00"}}}
	good, err := s.marshalHead(h, zeros{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(sealedMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := s.parseHead(data)
		if err == nil && parsed.mark.Digest != digestOf(data) {
			t.Error("mark of another head")
		}
	})
}

// FuzzHeadPlain feeds what would stand inside the encryption, so that a fault of the writer cannot become a strange path.
func FuzzHeadPlain(f *testing.F) {
	s, err := newSealer(make([]byte, idSize), make([]byte, masterSize))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"schema":1,"generation":2,"entries":{"policy/k":{"g":1,"s":"00"}},"previous":[]}`))
	f.Add([]byte(`{"schema":1,"generation":2,"entries":{"../k":{"g":1,"s":"00"}},"previous":[]}`))
	f.Fuzz(func(t *testing.T, plain []byte) {
		data, err := s.seal(s.head, zeros{}, headName, 2, plain)
		if err != nil {
			t.Fatal(err)
		}
		h, err := s.parseHead(data)
		if err != nil {
			return
		}
		for path, e := range h.Entries {
			name := fileName(path, e.Generation)
			if filepath.Base(name) != name || e.Generation > h.Generation {
				t.Errorf("entry %q has the file name %q", path, name)
			}
		}
	})
}

// FuzzMark feeds an anchor's file.
func FuzzMark(f *testing.F) {
	f.Add([]byte(`{"store":"00","generation":1,"digest":"00"}`))
	f.Add([]byte(`{`))
	path := filepath.Join(f.TempDir(), "anchor")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := FileAnchor{Path: path}.Load(context.Background())
		if err != nil && m != (Mark{}) {
			t.Error("a mark beside an error")
		}
	})
}
