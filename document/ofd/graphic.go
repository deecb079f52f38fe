package ofd

import (
	"strconv"
	"strings"
	"unicode"

	"yinxin/verdict"
)

// The numbers of graphic objects are read here, once for everybody: what draws a page, what measures it and what seals or
// verifies it must not differ in which pages there are. A value that is no plain number is refused when the package is
// opened, in objects that are not shown too.

// readers says which attributes of graphic objects are numbers, and how each is written.
var readers = map[string]func(string) bool{
	"Boundary": isBox, "CTM": isMatrix, "StartPoint": isPoint, "EndPoint": isPoint,
	"DashPattern": areNumbers, "DeltaX": areAdvances, "DeltaY": areAdvances,
	"CodePosition": isNumber, "CodeCount": isOptional, "Position": isOptional,
	"Size": isNumber, "HScale": isNumber, "CharDirection": isNumber, "ReadDirection": isNumber, "X": isNumber, "Y": isNumber,
	"LineWidth": isNumber, "MiterLimit": isNumber, "DashOffset": isNumber, "Alpha": isNumber,
	"StartRadius": isNumber, "EndRadius": isNumber, "MapUnit": isNumber, "Eccentricity": isNumber, "Angle": isNumber,
	"Width": isNumber, "Height": isNumber, "XStep": isNumber, "YStep": isNumber,
}

// elementReaders says which elements of graphic objects are more than their attributes.
var elementReaders = map[string]func(*Element) bool{
	"AbbreviatedData": func(e *Element) bool { return isPath(e.Text) },
	"Glyphs":          func(e *Element) bool { return areGlyphs(e.Text) },
	"Pattern":         isPattern, "AxialShd": isShading, "RadialShd": isShading,
	"FillColor": isColor, "StrokeColor": isColor, "BorderColor": isColor, "BackColor": isColor, "Color": isColor,
}

// checkGraphics reads every number of the graphic objects in e and below.
func checkGraphics(name string, e *Element) error {
	if e == nil || e.foreign {
		return nil
	}
	for _, a := range e.attrs {
		read, known := readers[a.Name.Local]
		if !known || a.Name.Space != "" {
			continue
		}
		if !read(a.Value) {
			return verdict.Refuse(verdict.Number, "%s: %s=%q of a %s", name, a.Name.Local, clip(a.Value), e.Name)
		}
	}
	if read, known := elementReaders[e.Name]; known && !read(e) {
		return verdict.Refuse(verdict.Number, "%s: a %s that cannot be drawn: %q", name, e.Name, clip(e.Text))
	}
	for _, c := range e.Children {
		if err := checkGraphics(name, c); err != nil {
			return err
		}
	}
	return nil
}

func isNumber(s string) bool {
	_, err := parseNumber(s)
	return err == nil
}

func isOptional(s string) bool { return s == "" || isNumber(s) }

func isBox(s string) bool {
	_, err := ParseBox(s)
	return err == nil
}

func isMatrix(s string) bool { return s == "" || len(strings.Fields(s)) == 6 && areNumbers(s) }

func isPoint(s string) bool { return len(strings.Fields(s)) == 2 && areNumbers(s) }

func areNumbers(s string) bool {
	for f := range strings.FieldsSeq(s) {
		if !isNumber(f) {
			return false
		}
	}
	return true
}

// areAdvances reads a list of steps, in which "g k v" is k times v.
func areAdvances(s string) bool {
	f := strings.Fields(s)
	for i := 0; i < len(f); i++ {
		if f[i] == "g" {
			if i+2 >= len(f) || !isCount(f[i+1]) {
				return false
			}
			i += 2
		}
		if !isNumber(f[i]) {
			return false
		}
	}
	return true
}

func isCount(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0
}

// areGlyphs reads numbers of glyphs, of which a font has no more than two octets can count.
func areGlyphs(s string) bool {
	for f := range strings.FieldsSeq(s) {
		if _, err := strconv.ParseUint(f, 10, 16); err != nil {
			return false
		}
	}
	return true
}

// isColor reads the channels of a colour: numbers, or two hexadecimal digits behind a #.
func isColor(e *Element) bool {
	for f := range strings.FieldsSeq(e.Value("Value")) {
		if hex, ok := strings.CutPrefix(f, "#"); ok {
			if _, err := strconv.ParseUint(hex, 16, 8); err != nil {
				return false
			}
		} else if !isNumber(f) {
			return false
		}
	}
	return e.Value("Index") == "" || isNumber(e.Value("Index"))
}

// isPattern asks for a cell with a size.
func isPattern(e *Element) bool {
	for _, name := range []string{"Width", "Height"} {
		if v, err := parseNumber(e.Value(name)); err != nil || v <= 0 {
			return false
		}
	}
	return true
}

// isShading asks for two ends and some colours.
func isShading(e *Element) bool {
	const most = 256
	n := len(e.All("Segment"))
	return n > 0 && n <= most && isPoint(e.Value("StartPoint")) && isPoint(e.Value("EndPoint"))
}

// pathSteps are the steps of a path with the numbers that each takes (GB/T 33190-2016 9.1).
var pathSteps = map[string]int{"S": 2, "M": 2, "L": 2, "Q": 4, "B": 6, "A": 7, "C": 0}

// isPath reports whether s is a path: steps, each with its numbers.
func isPath(s string) bool {
	left := 0
	for _, f := range PathFields(s) {
		if left > 0 {
			if !isNumber(f) {
				return false
			}
			left--
			continue
		}
		n, known := pathSteps[f]
		if !known {
			return false
		}
		left = n
	}
	return left == 0
}

// PathFields cuts AbbreviatedData into steps and numbers. Other software also writes steps and numbers together, and commas
// between numbers.
func PathFields(s string) []string {
	fields := strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == ',' })
	out := make([]string, 0, len(fields))
	for _, f := range fields {
		for i := strings.IndexAny(f, "SMLQBAC"); i >= 0; i = strings.IndexAny(f, "SMLQBAC") {
			if i > 0 {
				out = append(out, f[:i])
			}
			out = append(out, f[i:i+1])
			f = f[i+1:]
		}
		if f != "" {
			out = append(out, f)
		}
	}
	return out
}
