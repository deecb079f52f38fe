package filekeys

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strconv"
	"strings"

	"yinxin/crypto/gm"
	"yinxin/keys"
)

const (
	headName   = "head"
	headSchema = 1
	entriesDir = "entries"
	// maxPrevious is how many earlier heads a head names: so far may an anchor lag behind.
	maxPrevious = 64
)

// head is the list of live entries. A head in use is never changed, only replaced.
type head struct {
	Schema     int                  `json:"schema"`
	Generation uint64               `json:"generation"`
	Entries    map[string]liveEntry `json:"entries"`
	// Previous are the heads before this one, newest first.
	Previous []pastHead `json:"previous"`

	// mark names this head; it comes from the file.
	mark Mark
}

// liveEntry is where an entry lies and what its file is.
type liveEntry struct {
	Generation uint64 `json:"g"`
	SM3        string `json:"s"` // of the file, hexadecimal
}

// pastHead is a Mark without the store.
type pastHead struct {
	Generation uint64 `json:"g"`
	Digest     string `json:"s"`
}

// next gives a copy for a new generation, to be changed before use.
func (h *head) next(generation uint64) *head {
	n := &head{Schema: headSchema, Generation: generation, Entries: maps.Clone(h.Entries)}
	n.Previous = append(n.Previous, pastHead{h.mark.Generation, h.mark.Digest})
	n.Previous = append(n.Previous, h.Previous...)
	if len(n.Previous) > maxPrevious {
		n.Previous = n.Previous[:maxPrevious]
	}
	return n
}

// fileName is the name of an entry's file. Names of keys hold neither '~' nor '@'.
func fileName(path string, generation uint64) string {
	return strings.ReplaceAll(path, "/", "~") + "@" + strconv.FormatUint(generation, 10)
}

// fileGeneration gives the generation in a file name, or false for a foreign name.
func fileGeneration(name string) (uint64, bool) {
	_, digits, ok := strings.Cut(name, "@")
	if !ok {
		return 0, false
	}
	g, err := strconv.ParseUint(digits, 10, 64)
	return g, err == nil && g > 0
}

// checkPath refuses paths that could not be file names.
func checkPath(path string) error {
	parts := strings.Split(path, "/")
	if len(path) > 200 || len(parts) > 4 {
		return fmt.Errorf("%w: entry path %q", keys.ErrInvalid, path)
	}
	for _, part := range parts {
		if err := keys.CheckName(part); err != nil {
			return fmt.Errorf("%w: entry path %q", keys.ErrInvalid, path)
		}
	}
	return nil
}

func digestOf(data []byte) string {
	sum := gm.SM3(data)
	return hex.EncodeToString(sum[:])
}

// marshalHead seals a head and sets its mark.
func (s *sealer) marshalHead(h *head, rand io.Reader) ([]byte, error) {
	plain, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("seal head: %w", err)
	}
	if len(plain) > MaxHead {
		return nil, fmt.Errorf("%w: the store is full: its list of entries would have %d bytes", keys.ErrDenied, len(plain))
	}
	data, err := s.seal(s.head, rand, headName, h.Generation, plain)
	if err != nil {
		return nil, err
	}
	h.mark = Mark{Store: hex.EncodeToString(s.store), Generation: h.Generation, Digest: digestOf(data)}
	return data, nil
}

// parseHead opens a sealed head.
func (s *sealer) parseHead(data []byte) (*head, error) {
	plain, generation, err := s.open(s.head, headName, data)
	if err != nil {
		return nil, err
	}
	var h head
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return nil, damagedf("head: %s", err)
	}
	if h.Schema != headSchema {
		return nil, damagedf("head has schema %d, this program knows %d", h.Schema, headSchema)
	}
	if h.Generation != generation || h.Entries == nil {
		return nil, damagedf("head contradicts itself")
	}
	for path, e := range h.Entries {
		if checkPath(path) != nil || e.Generation < 1 || e.Generation > generation {
			return nil, damagedf("head names an impossible entry")
		}
	}
	h.mark = Mark{Store: hex.EncodeToString(s.store), Generation: generation, Digest: digestOf(data)}
	return &h, nil
}

// readHead reads DIR/head.
func (s *sealer) readHead(dir string) (*head, error) {
	data, err := readPrivate(filepath.Join(dir, headName), MaxHead+int64(sealedHead)+sealedTag)
	if err != nil {
		return nil, err
	}
	return s.parseHead(data)
}
