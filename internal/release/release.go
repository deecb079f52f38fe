// Package release says which release a program is.
//
// It promises the same text from every command that was built together. It checks nothing: that a program is the one that
// was released is what its package's signature shows.
package release

import (
	"cmp"
	"runtime/debug"
)

// number is set by the linker when packages are built (-X yinxin/internal/release.number=1.2.3).
var number string //nolint:gochecknoglobals // the linker can set nothing else

// Version is the number of the release; of a program that is not from a package, what Go knows of the commit, else "devel".
func Version() string {
	if number != "" {
		return number
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return fromBuild(info)
}

func fromBuild(info *debug.BuildInfo) string {
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = "-" + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changed"
		}
	}
	version := info.Main.Version
	if version == "(devel)" || revision != "" {
		version = "devel"
	}
	return cmp.Or(version, "devel") + revision + changed
}
