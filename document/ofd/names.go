package ofd

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"yinxin/verdict"
)

// checkNames refuses names that two readers could take for different files, or that lead out of the package.
func checkNames(entries []entry) error {
	exact := make(map[string]bool, len(entries))
	folded := make(map[string]string, len(entries))
	for i := range entries {
		e := &entries[i]
		if err := checkName(e); err != nil {
			return err
		}
		if exact[e.name] {
			return verdict.Refuse(verdict.DuplicateEntry, "two entries are named %q", e.name)
		}
		exact[e.name] = true
		key := fold(strings.TrimSuffix(e.name, "/"))
		if other, ok := folded[key]; ok {
			return verdict.Refuse(verdict.AmbiguousName, "%q and %q can be taken for each other", other, e.name)
		}
		folded[key] = e.name
	}
	for i := range entries {
		if err := checkParents(&entries[i], folded); err != nil {
			return err
		}
	}
	return nil
}

// checkParents refuses a file that is also the folder of another entry, and a folder that is spelt in two ways, whether it
// has an entry of its own or not.
func checkParents(e *entry, folded map[string]string) error {
	name := strings.TrimSuffix(e.name, "/")
	for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name[:i], '/') {
		parent, key := name[:i]+"/", fold(name[:i])
		if other, ok := folded[key]; ok && other != parent {
			return verdict.Refuse(verdict.AmbiguousName, "%q lies in %q", e.name, other)
		}
		folded[key] = parent
	}
	return nil
}

// checkName checks one name by itself.
func checkName(e *entry) error {
	name := e.name
	if !utf8.ValidString(name) {
		return verdict.Refuse(verdict.NameEncoding, "%q is not UTF-8", name)
	}
	if e.flags&flagUTF8 == 0 && !isASCII(name) {
		return verdict.Refuse(verdict.NameEncoding, "%q is not ASCII and not marked as UTF-8", name)
	}
	if len(name) == 0 || len(name) > MaxName {
		return verdict.Refuse(verdict.Path, "a name of %d bytes", len(name))
	}
	if name[0] == '/' || strings.ContainsAny(name, "\x00:") {
		return verdict.Refuse(verdict.Path, "%q is not a plain relative name", name)
	}
	if strings.Contains(name, `\`) {
		return verdict.Refuse(verdict.AmbiguousName, "%q holds a backslash", name)
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		if err := checkPart(name, part); err != nil {
			return err
		}
	}
	return nil
}

func checkPart(name, part string) error {
	switch {
	case part == "..":
		return verdict.Refuse(verdict.Path, "%q leads out of the package", name)
	case part == "" || part == ".":
		return verdict.Refuse(verdict.AmbiguousName, "%q holds an empty part", name)
	case strings.HasSuffix(part, ".") || strings.TrimSpace(part) != part:
		return verdict.Refuse(verdict.AmbiguousName, "%q holds a part that ends with a dot or a space", name)
	case isDevice(part):
		return verdict.Refuse(verdict.Path, "%q is the name of a device", name)
	}
	for _, r := range part {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return verdict.Refuse(verdict.AmbiguousName, "%q holds an invisible character", name)
		}
	}
	return nil
}

// isDevice reports whether part names a device on some systems, with or without an extension.
func isDevice(part string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(part), ".")
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) &&
		base[3] >= '1' && base[3] <= '9'
}

// fold maps names that some file system or reader takes for equal to one key: case, full width, composition.
func fold(name string) string {
	if isASCII(name) {
		return strings.ToLower(name)
	}
	return norm.NFKC.String(strings.ToLower(strings.ToUpper(norm.NFKC.String(name))))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Resolve gives the entry name that loc means inside the file from (an entry name): relative to the folder of from, or
// from the root of the package with a leading slash. Nothing is decoded. A location that is empty or leads out of the
// package, or holds a backslash or a colon, is a *verdict.ContainerError with the reason path. GB/T 33190, ST_Loc.
func Resolve(from, loc string) (string, error) {
	folder := ""
	if i := strings.LastIndexByte(from, '/'); i >= 0 {
		folder = from[:i]
	}
	return ResolveIn(folder, loc)
}

// ResolveIn is [Resolve] with the folder given; the root is the empty folder.
func ResolveIn(folder, loc string) (string, error) {
	refuse := func() (string, error) {
		return "", verdict.Refuse(verdict.Path, "location %q does not lie in the package", loc)
	}
	loc = strings.TrimSpace(loc)
	if loc == "" || len(loc) > 4*MaxName || strings.ContainsAny(loc, "\\:\x00") {
		return refuse()
	}
	var parts []string
	if rest, absolute := strings.CutPrefix(loc, "/"); absolute {
		loc = rest
	} else if folder != "" {
		parts = strings.Split(folder, "/")
	}
	for part := range strings.SplitSeq(loc, "/") {
		switch part {
		case ".":
		case "":
			return refuse()
		case "..":
			if len(parts) == 0 {
				return refuse()
			}
			parts = parts[:len(parts)-1]
		default:
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return refuse()
	}
	return strings.Join(parts, "/"), nil
}
