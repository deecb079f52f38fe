package gmplugin_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"yinxin/keys/gmplugin"
)

// example is a path that a pattern matches.
func example(pattern string) string {
	for {
		start := strings.Index(pattern, "(?P<")
		if start < 0 {
			break
		}
		end, depth := start, 0
		for ; end < len(pattern); end++ {
			if pattern[end] == '(' {
				depth++
			} else if pattern[end] == ')' {
				if depth--; depth == 0 {
					break
				}
			}
		}
		pattern = pattern[:start] + "x" + pattern[end+1:]
	}
	return strings.NewReplacer("/?$", "", "$", "", "^", "").Replace(pattern)
}

// TestHelpIsComplete: every path of the engine, every operation and every field explains itself in vault path-help, each
// variable of a path is a field, and the engine's own help names every path.
func TestHelpIsComplete(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	paths := gmplugin.Paths(c.b)
	if len(paths) < 25 {
		t.Fatalf("%d paths", len(paths))
	}
	root := c.text(c.must(logical.HelpOperation, "", nil)["help"])
	if !strings.Contains(root, "## PATHS") {
		t.Errorf("help of the engine: %s", root)
	}
	for _, p := range paths {
		c.explains(p)
		if !strings.Contains(root, p.HelpSynopsis) {
			t.Errorf("the engine's help does not name %s", p.Pattern)
		}
		path := example(p.Pattern)
		help := c.text(c.must(logical.HelpOperation, path, nil)["help"])
		if !strings.Contains(help, p.HelpSynopsis) {
			t.Errorf("path-help of %s (%s) is that of another path:\n%s", path, p.Pattern, help)
		}
		for name, field := range p.Fields {
			if !strings.Contains(help, name) || !strings.Contains(strings.Join(strings.Fields(help), " "), strings.Join(strings.Fields(field.Description), " ")) {
				t.Errorf("path-help of %s does not explain %s", path, name)
			}
		}
	}
}

// explains holds one path to what path-help and the OpenAPI description show of it.
func (c caller) explains(p *framework.Path) {
	c.t.Helper()
	if p.HelpSynopsis == "" || p.HelpDescription == "" || !strings.HasSuffix(p.HelpSynopsis, ".") {
		c.t.Errorf("%s has no synopsis or no description", p.Pattern)
	}
	if p.DisplayAttrs == nil || p.DisplayAttrs.OperationPrefix != "gm" {
		c.t.Errorf("%s has no prefix in the OpenAPI document", p.Pattern)
	}
	if p.ExistenceCheck != nil {
		c.t.Errorf("%s has an existence check: each call would cost a read of the storage", p.Pattern)
	}
	for name, field := range p.Fields {
		if len(field.Description) < 8 || field.Type == framework.TypeInvalid {
			c.t.Errorf("%s: field %s explains nothing, or has no type", p.Pattern, name)
		}
	}
	for _, variable := range regexp.MustCompile(`\(\?P<(\w+)>`).FindAllStringSubmatch(p.Pattern, -1) {
		if p.Fields[variable[1]] == nil {
			c.t.Errorf("%s: the variable %s is no field", p.Pattern, variable[1])
		}
	}
	if len(p.Operations) == 0 {
		c.t.Errorf("%s has no operations", p.Pattern)
	}
	for op, handler := range p.Operations {
		if handler.Properties().Summary == "" {
			c.t.Errorf("%s: %s has no summary", p.Pattern, op)
		}
	}
	_, patch := p.Operations[logical.PatchOperation]
	if _, post := p.Operations[logical.UpdateOperation]; patch && !post {
		c.t.Errorf("%s takes PATCH and no POST", p.Pattern)
	}
}
