package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"yinxin/verdict"
)

// detailMakers are the functions, here and there, whose first text is the detail of a check, a warning or a refusal.
var detailMakers = map[string]bool{
	"Fail": true, "Unknown": true, "Refuse": true, "Warn": true, "Reject": true, "fail": true, "refuse": true, "malformed": true,
	"notDER": true, "invalid": true, "unknownRevocation": true, "silent": true, "modified": true, "differ": true, "shadow": true,
	"layout": true, "add": true,
}

// formatVerb is one value of a format.
var formatVerb = regexp.MustCompile(`%[#+0-9.]*[a-z]`)

// TestRepositoryDetailsHaveChinese: what packages that judge say in English, verdict.DetailText says in Chinese.
func TestRepositoryDetailsHaveChinese(t *testing.T) {
	h := repository(t)
	seen := 0
	for _, file := range h.mustSources(t, ".go") {
		text := h.mustRead(t, file)
		if strings.HasSuffix(file, "_test.go") || !strings.Contains(text, `"yinxin/verdict"`) || !judges(file) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(h.root, file), text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !detailMakers[calledName(call)] {
				return true
			}
			format, ok := firstText(call)
			if !ok || len(strings.Fields(formatVerb.ReplaceAllString(format, ""))) < 2 {
				return true // no words of its own
			}
			seen++
			if detail := sampleOf(format); verdict.DetailText(detail, verdict.Chinese) == detail {
				t.Errorf("%s: no Chinese in verdict/details.zh.txt for\n%s", file, format)
			}
			return true
		})
	}
	if seen < 250 {
		t.Errorf("%d details, where are the others?", seen)
	}
}

// judges: packages whose details come into a verdict. A hub's refusals and a command's errors are none.
func judges(file string) bool {
	for _, other := range []string{"cmd/", "transport/hub/", "document/layout/", "document/ofd/render/"} {
		if strings.HasPrefix(file, other) {
			return false
		}
	}
	return true
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// firstText is the first argument that is a text, its pieces put together.
func firstText(call *ast.CallExpr) (string, bool) {
	for _, a := range call.Args {
		if s, ok := textOf(a); ok {
			return s, true
		}
	}
	return "", false
}

func textOf(e ast.Expr) (string, bool) {
	switch x := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(x.Value)
		return s, err == nil && x.Kind == token.STRING
	case *ast.BinaryExpr:
		a, okA := textOf(x.X)
		b, okB := textOf(x.Y)
		return a + b, okA && okB
	}
	return "", false
}

// sampleOf fills a format.
func sampleOf(format string) string {
	format = formatVerb.ReplaceAllStringFunc(format, func(verb string) string {
		if strings.HasSuffix(verb, "d") {
			return "7"
		}
		return "X"
	})
	return strings.ReplaceAll(format, "%%", "%")
}
