package fonts_test

import (
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf16"

	"yinxin/document/fonts"
)

// renamed is a small TrueType file: a subset of an embedded face under a family name, with an fsType.
func renamed(t *testing.T, family string, fsType uint16, chars string) []byte {
	t.Helper()
	face, err := fonts.Embedded().Face(fonts.Song)
	if err != nil {
		t.Fatal(err)
	}
	data, err := face.Subset([]rune(chars))
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][]byte{"OS/2": make([]byte, 96)}
	binary.BigEndian.PutUint16(tables["OS/2"][8:], fsType)
	for i := range int(binary.BigEndian.Uint16(data[4:])) {
		e := data[12+16*i:]
		off, size := binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])
		if tag := string(e[:4]); tag != "OS/2" {
			tables[tag] = data[off : off+size]
		}
	}
	var text []byte
	for _, u := range utf16.Encode([]rune(family)) {
		text = binary.BigEndian.AppendUint16(text, u)
	}
	var name []byte
	for _, v := range []int{0, 1, 18, 3, 1, 0x804, 1, len(text), 0} {
		name = binary.BigEndian.AppendUint16(name, uint16(v))
	}
	tables["name"] = append(name, text...)
	tags := slices.Sorted(maps.Keys(tables))
	out := []byte{0, 1, 0, 0}
	out = binary.BigEndian.AppendUint16(out, uint16(len(tags)))
	out = append(out, make([]byte, 6)...)
	at := 12 + 16*len(tags)
	var body []byte
	for _, tag := range tags {
		out = append(append(out, tag...), 0, 0, 0, 0)
		out = binary.BigEndian.AppendUint32(out, uint32(at+len(body)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(tables[tag])))
		body = append(body, tables[tag]...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	return append(out, body...)
}

func mustFolder(t *testing.T, files map[string][]byte) *fonts.Folder {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := fonts.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const some = "国公文办公室云溪市"

func TestFolderFindsTypefaces(t *testing.T) {
	tests := []struct {
		name, file, family string
		role               fonts.Role
		standIn            bool
	}{
		{"licensed 仿宋", "a.ttf", "仿宋_GB2312", fonts.FangSong, false},
		{"licensed 小标宋", "a.ttf", "方正小标宋简体", fonts.XiaoBiaoSong, false},
		{"英文 name", "a.ttf", "SimHei", fonts.Hei, false},
		{"楷体", "a.ttf", "楷体_GB2312", fonts.Kai, false},
		{"宋体", "a.ttf", "SimSun", fonts.Song, false},
		{"free stand-in", "a.ttf", "FandolFang R", fonts.FangSong, true},
		{"by the file's name", "fangsong.ttf", "Some Other Face", fonts.FangSong, false},
	}
	for _, tt := range tests {
		f := mustFolder(t, map[string][]byte{tt.file: renamed(t, tt.family, 0, some)})
		if len(f.Found) != 1 || f.Found[0].Role != tt.role || f.Found[0].Family != tt.family || f.Found[0].StandIn != tt.standIn {
			t.Errorf("%s: found %+v, skipped %v", tt.name, f.Found, f.Skipped)
			continue
		}
		face, err := f.Set.Face(tt.role)
		if err != nil || face.Family() != tt.family || (face.Official() != face.Family()) != tt.standIn {
			t.Errorf("%s: face %v, %v", tt.name, face, err)
		}
		for role := fonts.XiaoBiaoSong; role <= fonts.Song; role++ {
			if _, err := f.Set.Face(role); err != nil {
				t.Errorf("%s: role %d has no face: %v", tt.name, role, err)
			}
		}
	}
}

func TestLicensedGoesBeforeFree(t *testing.T) {
	f := mustFolder(t, map[string][]byte{
		"a.ttf": renamed(t, "FandolFang R", 0, some), "b.ttf": renamed(t, "仿宋_GB2312", 0, some), "c.ttf": renamed(t, "FandolFang R", 0, some),
	})
	if face, err := f.Set.Face(fonts.FangSong); err != nil || face.Family() != "仿宋_GB2312" {
		t.Errorf("%v, %v", face, err)
	}
}

// TestFolderFaceLacksCharacters: what the office's face lacks comes from the embedded ones.
func TestFolderFaceLacksCharacters(t *testing.T) {
	f := mustFolder(t, map[string][]byte{"kai.ttf": renamed(t, "甲", 0, some), "fangsong.ttf": renamed(t, "乙", 0, some)})
	own, ok := f.Set.Resolve(fonts.FangSong, '国')
	if !ok || own.Family() != "乙" {
		t.Errorf("国 from %v, %v", own, ok)
	}
	other, ok := f.Set.Resolve(fonts.FangSong, '𬭎')
	if !ok || other.Family() == "乙" {
		t.Errorf("𬭎 from %v, %v", other, ok)
	}
}

// drawing gives a font a cmap (format 12) in which its first glyph is that of r, the only character.
func drawing(t *testing.T, font []byte, r rune) []byte {
	t.Helper()
	cmap := []byte{0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12, 0, 12, 0, 0, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 1}
	for _, v := range []uint32{uint32(r), uint32(r), 1} {
		cmap = binary.BigEndian.AppendUint32(cmap, v)
	}
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		e := font[12+16*i:]
		if off, size := binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:]); string(e[:4]) == "cmap" && int(size) >= len(cmap) {
			copy(font[off:], cmap)
			return font
		}
	}
	t.Fatal("the font has no cmap that is large enough")
	return nil
}

// TestRareCharactersFromOtherFaces: a face that serves no role, and a second one of a role, give what all others lack.
func TestRareCharactersFromOtherFaces(t *testing.T) {
	rare, second := drawing(t, renamed(t, "Rare Faces", 0, some), '龘'), drawing(t, renamed(t, "仿宋_GB18030", 0, some), '㐂')
	f := mustFolder(t, map[string][]byte{"a.ttf": renamed(t, "仿宋_GB2312", 0, some), "b.ttf": second, "c.ttf": rare})
	if len(f.Skipped) != 0 || len(f.Found) != 1 || len(f.Others) != 2 {
		t.Fatalf("found %v, others %v, skipped %v", f.Found, f.Others, f.Skipped)
	}
	for r, want := range map[rune]string{'国': "仿宋_GB2312", '㐂': "仿宋_GB18030", '龘': "Rare Faces"} {
		face, ok := f.Set.Resolve(fonts.FangSong, r)
		if !ok || face.Family() != want {
			t.Errorf("%c from %v, want %s", r, face, want)
		}
	}
	if face, ok := f.Set.Resolve(fonts.FangSong, '𠮷'); ok {
		t.Errorf("𠮷 from %s", face.Family())
	}
}

func TestFolderSkips(t *testing.T) {
	tests := []struct {
		name, file string
		data       []byte
		want       error
	}{
		{"embedding forbidden", "a.ttf", renamed(t, "仿宋_GB2312", 2, some), fonts.ErrEmbedding},
		{"subsetting forbidden", "a.ttf", renamed(t, "仿宋_GB2312", 0x100, some), fonts.ErrEmbedding},
		{"editable embedding", "a.ttf", renamed(t, "仿宋_GB2312", 8, some), nil},
		{"collection", "a.ttc", []byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x00"), fonts.ErrNotTrueType},
		{"cubic outlines", "a.otf", []byte("OTTO\x00\x01\x00\x00\x00\x00\x00\x00"), fonts.ErrNotTrueType},
		{"empty", "a.ttf", nil, fonts.ErrNotTrueType},
	}
	for _, tt := range tests {
		f := mustFolder(t, map[string][]byte{tt.file: tt.data, "README.txt": []byte("no font")})
		if tt.want == nil {
			if len(f.Skipped) != 0 || len(f.Found) != 1 {
				t.Errorf("%s: skipped %v", tt.name, f.Skipped)
			}
			continue
		}
		if len(f.Found) != 0 || len(f.Skipped) != 1 || !errors.Is(f.Skipped[0].Err, tt.want) {
			t.Errorf("%s: skipped %v, want %v", tt.name, f.Skipped, tt.want)
		}
	}
	if _, err := fonts.OpenFolder(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that does not exist: %v", err)
	}
}
