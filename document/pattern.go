package document

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first asked for. Those of marks take milliseconds
// together, and most runs of a command ask for none of them.
type pattern struct {
	compiled func() *regexp.Regexp
}

func newPattern(expression string) pattern {
	return pattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })}
}

// MatchString is [regexp.Regexp.MatchString].
func (p pattern) MatchString(text string) bool { return p.compiled().MatchString(text) }

// FindAllStringIndex is [regexp.Regexp.FindAllStringIndex].
func (p pattern) FindAllStringIndex(text string, n int) [][]int {
	return p.compiled().FindAllStringIndex(text, n)
}
