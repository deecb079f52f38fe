package fonts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"
)

// Bounds of a fonts folder.
const (
	maxFolder = 256 // files looked at
	maxOthers = 16  // faces kept for rare characters
	maxNames  = 512 // records of a name table
)

// ErrEmbedding is returned for a font whose maker forbids embedding or subsetting (OS/2 fsType).
var ErrEmbedding = errors.New("the font's maker forbids to embed a subset of it")

// known are the names under which the official typefaces are sold, by role, and the free ones that stand in for them.
var known = [Song + 1]struct{ official, standIn string }{
	XiaoBiaoSong: {"小标宋 xiaobiaosong fzxbs fzxiaobiaosong", ""},
	FangSong:     {"仿宋 fangsong stfangsong fzfs fzfangsong", "fandolfang"},
	Hei:          {"黑体 simhei stheiti fzhei fzht", "fandolhei"},
	Kai:          {"楷体 kaiti simkai stkaiti fzkt fzkai", "fandolkai"},
	Song:         {"宋体 simsun stsong fzshusong fzss", "fandolsong"},
}

// fileNames let an operator say what a file is for, whatever its own name: fangsong.ttf serves as 仿宋.
var fileNames = [Song + 1]string{XiaoBiaoSong: "xiaobiaosong", FangSong: "fangsong", Hei: "hei", Kai: "kai", Song: "song"}

// Found says what a fonts folder gave for one role.
type Found struct {
	Role   Role
	Family string
	File   string
	// StandIn says that the family stands in for the official typeface.
	StandIn bool
}

// Skipped is a file of a fonts folder that cannot be used, with the reason.
type Skipped struct {
	File string
	Err  error
}

// Folder is the result of looking through a fonts folder.
type Folder struct {
	Set   *Set
	Found []Found
	// Others are the families that serve no role, but the characters that no other face has.
	Others  []string
	Skipped []Skipped
}

// OpenFolder looks through a folder of TrueType files for the official typefaces: by the names that the files give
// themselves (仿宋_GB2312, 方正小标宋简体, FandolFang …), or by the file names xiaobiaosong.ttf, fangsong.ttf, hei.ttf, kai.ttf
// and song.ttf. A licensed face goes before a free stand-in, both before the embedded faces, which serve every role and
// character that is left. Any other TrueType file serves the rare characters that the faces of all roles lack, in the order
// of the files' names. A folder that does not exist is an error; a file that cannot be used is listed.
func OpenFolder(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("fonts folder: %w", err)
	}
	f := &Folder{Set: Embedded()}
	f.Set.spare = Embedded()
	var best [Song + 1]*candidate
	seen := 0
	for _, e := range entries {
		if e.IsDir() || !isFontFile(e.Name()) {
			continue
		}
		if seen++; seen > maxFolder {
			return nil, fmt.Errorf("fonts folder: more than %d fonts", maxFolder)
		}
		c, err := readCandidate(filepath.Join(dir, e.Name()))
		if err != nil {
			f.Skipped = append(f.Skipped, Skipped{e.Name(), err})
			continue
		}
		switch b := best[c.role]; {
		case c.other:
			f.addOther(c)
		case b == nil:
			best[c.role] = c
		case b.standIn && !c.standIn:
			best[c.role] = c
			f.addOther(b)
		default:
			f.addOther(c)
		}
	}
	for role, c := range best {
		if c == nil {
			continue
		}
		f.Found = append(f.Found, Found{Role(role), c.face.Family(), filepath.Base(c.file), c.standIn})
		f.Set.load[role] = sync.OnceValues(func() (*Face, error) { return c.face, nil })
	}
	return f, nil
}

// addOther keeps a face for rare characters. It is read again when one is met, as most documents have none.
func (f *Folder) addOther(c *candidate) {
	if len(f.Others) == maxOthers {
		f.Skipped = append(f.Skipped, Skipped{filepath.Base(c.file), fmt.Errorf("more than %d faces for rare characters", maxOthers)})
		return
	}
	role, family, file := c.role, c.face.Family(), c.file
	f.Others = append(f.Others, family)
	f.Set.others = append(f.Set.others, sync.OnceValues(func() (*Face, error) {
		again, err := readCandidate(file)
		if err != nil {
			return nil, err
		}
		if again.role != role || again.face.Family() != family {
			return nil, fmt.Errorf("%s is another font by now", file)
		}
		return again.face, nil
	}))
}

func isFontFile(name string) bool {
	return slices.Contains([]string{".ttf", ".otf", ".ttc"}, strings.ToLower(filepath.Ext(name)))
}

// candidate is a file that may serve a role.
type candidate struct {
	file    string
	role    Role
	face    *Face
	standIn bool
	// other says that the file serves no role.
	other bool
}

func readCandidate(file string) (*candidate, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxFont {
		return nil, fmt.Errorf("%d bytes, at most %d", info.Size(), MaxFont)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t, err := readTables(data)
	if err != nil {
		return nil, err
	}
	if err := t.mayEmbed(); err != nil {
		return nil, err
	}
	c := &candidate{file: file}
	names := t.familyNames()
	var ok bool
	if c.role, c.standIn, ok = roleOfNames(names); !ok {
		stem := strings.ToLower(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
		if i := slices.Index(fileNames[:], stem); i >= 0 {
			c.role = Role(i)
		} else {
			c.role, c.other = Song, true
		}
	}
	family := filepath.Base(file)
	if len(names) > 0 {
		family = names[0]
	}
	official := family
	if c.standIn {
		official = sources()[c.role].official
	}
	c.face, err = Parse(c.role, family, official, data)
	return c, err
}

// roleOfNames looks a font's own names up; the most particular come first, because 仿宋 and 小标宋 both hold 宋.
func roleOfNames(names []string) (role Role, standIn, ok bool) {
	for _, name := range names {
		key := strings.ToLower(strings.NewReplacer(" ", "", "-", "", "_", "").Replace(name))
		for r, k := range known {
			for w := range strings.FieldsSeq(k.standIn) {
				if strings.HasPrefix(key, w) {
					return Role(r), true, true
				}
			}
			for w := range strings.FieldsSeq(k.official) {
				if strings.Contains(key, w) {
					return Role(r), false, true
				}
			}
		}
	}
	return 0, false, false
}

// mayEmbed reads OS/2 fsType: restricted fonts, and those that may not be cut down, cannot go into a document.
func (t tables) mayEmbed() error {
	const restricted, whole, bitmaps = 0x0002, 0x0100, 0x0200
	os2 := t["OS/2"]
	if len(os2) < 10 {
		return nil
	}
	if kind := binary.BigEndian.Uint16(os2[8:]); kind&0xF == restricted || kind&(whole|bitmaps) != 0 {
		return fmt.Errorf("%w: fsType %#04x", ErrEmbedding, kind)
	}
	return nil
}

// familyNames are the family and full names of a font, the Chinese ones first: a document names its fonts as clerks do.
func (t tables) familyNames() []string {
	b := t["name"]
	if len(b) < 6 {
		return nil
	}
	count, storage := int(binary.BigEndian.Uint16(b[2:])), int(binary.BigEndian.Uint16(b[4:]))
	var chinese, other []string
	for i := range min(count, maxNames) {
		if len(b) < 6+12*(i+1) {
			break
		}
		rec := b[6+12*i:]
		field := func(k int) int { return int(binary.BigEndian.Uint16(rec[2*k:])) }
		from, size := storage+field(5), field(4)
		if id := field(3); id != 1 && id != 4 && id != 16 || field(0) != 3 && field(0) != 0 || from+size > len(b) {
			continue
		}
		text := utf16Text(b[from : from+size])
		if text == "" || slices.Contains(chinese, text) || slices.Contains(other, text) {
			continue
		}
		if field(2)&0x3FF == 0x04 && field(0) == 3 {
			chinese = append(chinese, text)
		} else {
			other = append(other, text)
		}
	}
	return append(chinese, other...)
}

func utf16Text(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, binary.BigEndian.Uint16(b[i:]))
	}
	return strings.TrimSpace(string(utf16.Decode(units)))
}
