package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sqlWords begin a statement.
var sqlWords = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|DROP|ALTER|COPY|TRUNCATE|VACUUM)\b`)

// fixedSQL are the statements that are put together at run time, each with the reason why nothing from outside can be in it.
var fixedSQL = map[string]string{
	"internal/sqlite FindRecords":     "one of two clauses, both written there",
	"internal/postgres FindRecords":   "one of two clauses, both written there",
	"internal/postgres Dump":          "names of tables as the catalogue has them, quoted; COPY takes no arguments",
	"internal/postgres fill":          "names of tables as the catalogue has them, quoted; ALTER takes no arguments",
	"internal/postgres fillTable":     "names of tables as the catalogue has them, quoted; COPY takes no arguments",
	"internal/postgres followNumbers": "names of tables and columns as the catalogue has them, quoted",
}

// TestRepositorySQL is W-17: no statement is built of anything but constants, so that what comes from outside is an argument.
func TestRepositorySQL(t *testing.T) {
	h := repository(t)
	seen := 0
	used := map[string]bool{}
	for _, dir := range []string{"internal/sqlite", "internal/postgres"} {
		names, err := filepath.Glob(filepath.Join(h.root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		var all []*ast.File
		constants := map[string]bool{}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, f)
			constantsOf(f, constants)
		}
		for _, f := range all {
			n, built := builtSQL(f, constants)
			seen += n
			for _, b := range built {
				where := dir + " " + b.in
				if used[where] = true; fixedSQL[where] == "" {
					t.Errorf("%s: %s: a statement is built of what is no constant", set.Position(b.at), where)
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d statements were seen", seen)
	}
	for where := range fixedSQL {
		if !used[where] {
			t.Errorf("%s builds no statement any more", where)
		}
	}
}

// constantsOf adds the names of a file's constants.
func constantsOf(f *ast.File, into map[string]bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		d, ok := n.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST {
			return true
		}
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				for _, name := range v.Names {
					into[name.Name] = true
				}
			}
		}
		return true
	})
}

// built is a statement that is not constant, and the function that it stands in.
type built struct {
	at token.Pos
	in string
}

// builtSQL counts the statements of a file and finds those that are no constants: sums with something else, and formats.
func builtSQL(f *ast.File, constants map[string]bool) (seen int, found []built) {
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if isSQL(n) {
					seen++
				}
			case *ast.BinaryExpr:
				if begin := leftmost(n); n.Op == token.ADD && isSQL(begin) {
					seen++
					if !constant(n, constants) {
						found = append(found, built{n.Pos(), fn.Name.Name})
					}
					return false
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && strings.HasSuffix(s.Sel.Name, "printf") && len(n.Args) > 0 && isSQL(leftmost(n.Args[0])) {
					found = append(found, built{n.Pos(), fn.Name.Name})
				}
			}
			return true
		})
	}
	return seen, found
}

func leftmost(e ast.Expr) ast.Expr {
	for {
		b, ok := e.(*ast.BinaryExpr)
		if !ok {
			return e
		}
		e = b.X
	}
}

func isSQL(e ast.Expr) bool {
	l, ok := e.(*ast.BasicLit)
	return ok && l.Kind == token.STRING && sqlWords.MatchString(strings.Trim(l.Value, "`\""))
}

// constant reports whether an expression is made of literals and constants alone.
func constant(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return constants[e.Name]
	case *ast.ParenExpr:
		return constant(e.X, constants)
	case *ast.BinaryExpr:
		return constant(e.X, constants) && constant(e.Y, constants)
	}
	return false
}
