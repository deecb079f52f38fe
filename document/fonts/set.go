package fonts

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"sync"
)

//go:embed data/*.ttf.gz data/OFL-noto.txt data/OFL-wenkai.txt
var embedded embed.FS

// source says which embedded file serves a role, under which name, and which official typeface it stands in for.
type source struct{ file, family, official string }

// sources is indexed by Role; SOURCES.md tells where the files come from.
func sources() [Song + 1]source {
	return [...]source{
		XiaoBiaoSong: {"biaosong", "Yinxin Biaosong", "小标宋"},
		FangSong:     {"kai", "Yinxin Kai", "仿宋"},
		Hei:          {"hei", "Yinxin Hei", "黑体"},
		Kai:          {"kai", "Yinxin Kai", "楷体"},
		Song:         {"song", "Yinxin Song", "宋体"},
	}
}

// Set is the faces of one process, each decompressed when it is first asked for. It is safe for concurrent use.
type Set struct {
	load [Song + 1]func() (*Face, error)
	// others are asked for characters that no face of a role draws, in order.
	others []func() (*Face, error)
	// spare is asked for characters that no face of the set draws; nil for none.
	spare *Set
}

// Embedded is the set of the faces built into the program. Keep it: a new set decompresses anew (about 30 ms a face).
func Embedded() *Set {
	s := &Set{}
	files := make(map[string]func() ([]byte, error))
	for role, src := range sources() {
		raw, ok := files[src.file]
		if !ok {
			raw = sync.OnceValues(func() ([]byte, error) { return unpack("data/" + src.file + ".ttf.gz") })
			files[src.file] = raw
		}
		s.load[role] = sync.OnceValues(func() (*Face, error) {
			data, err := raw()
			if err != nil {
				return nil, err
			}
			return Parse(Role(role), src.family, src.official, data)
		})
	}
	return s
}

func unpack(name string) ([]byte, error) {
	packed, err := embedded.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("embedded face: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("embedded face %s: %w", name, err)
	}
	var raw bytes.Buffer
	raw.Grow(2 * len(packed))
	if _, err := io.Copy(&raw, io.LimitReader(z, MaxFont)); err != nil {
		return nil, fmt.Errorf("embedded face %s: %w", name, err)
	}
	return raw.Bytes(), nil
}

// Face is the face for a role.
func (s *Set) Face(role Role) (*Face, error) {
	if role < 0 || int(role) >= len(s.load) {
		return nil, fmt.Errorf("face for role %d: no such role", role)
	}
	return s.load[role]()
}

// Load decompresses the faces for several roles at once, on as many processors as there are. A fault comes back from Face.
func (s *Set) Load(roles ...Role) {
	var wait sync.WaitGroup
	for _, role := range roles {
		wait.Go(func() { _, _ = s.Face(role) })
	}
	wait.Wait()
}

// fallbacks are the roles asked for a character that a role's own face lacks, in order.
func fallbacks() [4]Role { return [...]Role{Kai, Song, XiaoBiaoSong, Hei} }

// Resolve is the face that draws r for a role: its own, else the first that has r. False when none has.
func (s *Set) Resolve(role Role, r rune) (*Face, bool) {
	if f, err := s.Face(role); err == nil && f.Has(r) {
		return f, true
	}
	for _, other := range fallbacks() {
		if f, err := s.Face(other); err == nil && f.Has(r) {
			return f, true
		}
	}
	for _, load := range s.others {
		if f, err := load(); err == nil && f.Has(r) {
			return f, true
		}
	}
	if s.spare != nil {
		return s.spare.Resolve(role, r)
	}
	return nil, false
}

// Missing lists the characters of text that no face of the set draws, each once, in order of appearance. Line breaks and
// tabs are not counted.
func (s *Set) Missing(text string) []rune {
	var missing []rune
	seen := make(map[rune]bool)
	for _, r := range text {
		if seen[r] || r == '\n' || r == '\r' || r == '\t' {
			continue
		}
		seen[r] = true
		if _, ok := s.Resolve(FangSong, r); !ok {
			missing = append(missing, r)
		}
	}
	return missing
}

// Licences is the text of the licences that the embedded faces are under, for whoever hands the program on.
func Licences() (string, error) {
	var all bytes.Buffer
	for _, name := range []string{"data/OFL-noto.txt", "data/OFL-wenkai.txt"} {
		b, err := embedded.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("font licences: %w", err)
		}
		all.Write(b)
		all.WriteByte('\n')
	}
	return all.String(), nil
}
