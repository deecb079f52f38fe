package pdf

import (
	"bytes"
	"strconv"
	"strings"
)

// parser reads objects from text. base is the offset of src in the file, or -1 where src was decoded from a stream.
type parser struct {
	src    []byte
	pos    int
	base   int64
	values *int // how many values may still be made; shared by all parsers of a file
}

const (
	maxName   = 1024 // bytes of a name, decoded
	maxDigits = 64   // characters of a number
	dictCost  = 6    // values that a dictionary counts as, by the memory that it takes
)

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isRegular(c byte) bool { return !isSpace(c) && !isDelimiter(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// skip passes white space and comments.
func (p *parser) skip() {
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		switch {
		case isSpace(c):
			p.pos++
		case c == '%':
			for p.pos < len(p.src) && p.src[p.pos] != '\n' && p.src[p.pos] != '\r' {
				p.pos++
			}
		default:
			return
		}
	}
}

// keyword takes the regular characters w, which must end there.
func (p *parser) keyword(w string) bool {
	if !bytes.HasPrefix(p.src[p.pos:], []byte(w)) {
		return false
	}
	end := p.pos + len(w)
	if end < len(p.src) && isRegular(p.src[end]) {
		return false
	}
	p.pos = end
	return true
}

// digits takes an unsigned integer of at most max digits.
func (p *parser) digits(max int) (int64, bool) {
	start := p.pos
	for p.pos < len(p.src) && isDigit(p.src[p.pos]) && p.pos-start <= max {
		p.pos++
	}
	if p.pos == start || p.pos-start > max {
		p.pos = start
		return 0, false
	}
	n, err := strconv.ParseInt(string(p.src[start:p.pos]), 10, 64)
	if err != nil {
		p.pos = start
		return 0, false
	}
	return n, true
}

func (p *parser) at() string {
	if p.base < 0 {
		return "in an object stream at " + strconv.Itoa(p.pos)
	}
	return "at offset " + strconv.FormatInt(p.base+int64(p.pos), 10)
}

// object reads one value. It does not read streams, which are only found after "n g obj".
func (p *parser) object(depth int) (Object, error) {
	if depth > MaxDepth {
		return nil, limit("nesting deeper than %d %s", MaxDepth, p.at())
	}
	if err := p.charge(1); err != nil {
		return nil, err
	}
	p.skip()
	if p.pos >= len(p.src) {
		return nil, malformed("object expected %s, found the end", p.at())
	}
	switch c := p.src[p.pos]; {
	case c == '/':
		return p.name()
	case c == '(':
		return p.literal()
	case c == '<' && p.pos+1 < len(p.src) && p.src[p.pos+1] == '<':
		return p.dict(depth)
	case c == '<':
		return p.hex()
	case c == '[':
		return p.array(depth)
	case isDigit(c) || c == '+' || c == '-' || c == '.':
		return p.number()
	}
	return p.constant()
}

// charge takes n from the values that may still be made.
func (p *parser) charge(n int) error {
	if *p.values -= n; *p.values < 0 {
		return limit("more than %d values", MaxValues)
	}
	return nil
}

func (p *parser) constant() (Object, error) {
	switch {
	case p.keyword("true"):
		return true, nil
	case p.keyword("false"):
		return false, nil
	case p.keyword("null"):
		return nil, nil
	}
	return nil, malformed("object expected %s", p.at())
}

// number reads an integer, a real number or a reference.
func (p *parser) number() (Object, error) {
	start := p.pos
	for p.pos < len(p.src) && isRegular(p.src[p.pos]) {
		if p.pos++; p.pos-start > maxDigits {
			return nil, limit("number of more than %d characters %s", maxDigits, p.at())
		}
	}
	tok := string(p.src[start:p.pos])
	for i := range len(tok) {
		c := tok[i]
		if !isDigit(c) && c != '.' && (i > 0 || c != '+' && c != '-') {
			return nil, malformed("bad number %q %s", tok, p.at())
		}
	}
	if n, err := strconv.ParseInt(tok, 10, 64); err == nil {
		if isDigit(tok[0]) {
			if r, ok := p.reference(n); ok {
				return r, nil
			}
		}
		return n, nil
	}
	f, err := strconv.ParseFloat(tok, 64)
	if err != nil {
		return nil, malformed("bad number %q %s", tok, p.at())
	}
	return f, nil
}

// reference looks behind the integer n for "g R".
func (p *parser) reference(n int64) (Ref, bool) {
	back := p.pos
	p.skip()
	g, ok := p.digits(5)
	if ok && n > 0 && n <= maxNumber {
		p.skip()
		if p.pos < len(p.src) && p.keyword("R") {
			return Ref{int(n), int(g)}, true
		}
	}
	p.pos = back
	return Ref{}, false
}

func unhex(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func (p *parser) name() (Object, error) {
	p.pos++
	var out []byte
	for p.pos < len(p.src) && isRegular(p.src[p.pos]) {
		c := p.src[p.pos]
		p.pos++
		if c == '#' {
			if p.pos+2 > len(p.src) {
				return nil, malformed("bad escape in a name %s", p.at())
			}
			hi, ok1 := unhex(p.src[p.pos])
			lo, ok2 := unhex(p.src[p.pos+1])
			if !ok1 || !ok2 || hi|lo == 0 {
				return nil, malformed("bad escape in a name %s", p.at())
			}
			c = hi<<4 | lo
			p.pos += 2
		}
		if out = append(out, c); len(out) > maxName {
			return nil, limit("name longer than %d bytes %s", maxName, p.at())
		}
	}
	return Name(out), nil
}

func (p *parser) hex() (Object, error) {
	start := p.pos
	p.pos++
	end := bytes.IndexByte(p.src[p.pos:], '>')
	if end < 0 {
		return nil, malformed("hexadecimal string without end %s", p.at())
	}
	out := make([]byte, 0, (end+1)/2)
	half, high := false, byte(0)
	for _, c := range p.src[p.pos : p.pos+end] {
		if isSpace(c) {
			continue
		}
		v, ok := unhex(c)
		if !ok {
			return nil, malformed("bad digit in a hexadecimal string %s", p.at())
		}
		if half = !half; half {
			high = v << 4
			continue
		}
		out = append(out, high|v)
	}
	if half {
		out = append(out, high)
	}
	p.pos += end + 1
	return p.str(out, true, start), nil
}

func (p *parser) str(value []byte, hex bool, start int) String {
	if p.base < 0 {
		return String{Value: value, Hex: hex, Start: -1, End: -1}
	}
	return String{Value: value, Hex: hex, Start: p.base + int64(start), End: p.base + int64(p.pos)}
}

func (p *parser) literal() (Object, error) {
	start := p.pos
	p.pos++
	var out []byte
	for open := 1; ; {
		if p.pos >= len(p.src) {
			return nil, malformed("string without end %s", p.at())
		}
		c := p.src[p.pos]
		p.pos++
		switch c {
		case '\\':
			out = p.escape(out)
			continue
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return p.str(out, false, start), nil
			}
		case '\r':
			if p.pos < len(p.src) && p.src[p.pos] == '\n' {
				p.pos++
			}
			c = '\n'
		}
		out = append(out, c)
	}
}

// escape reads what follows a backslash in a literal string (ISO 32000-1, table 3).
func (p *parser) escape(out []byte) []byte {
	if p.pos >= len(p.src) {
		return out
	}
	c := p.src[p.pos]
	p.pos++
	if i := strings.IndexByte("nrtbf", c); i >= 0 {
		return append(out, "\n\r\t\b\f"[i])
	}
	switch {
	case c == '\r':
		if p.pos < len(p.src) && p.src[p.pos] == '\n' {
			p.pos++
		}
		return out
	case c == '\n':
		return out
	case c >= '0' && c <= '7':
		v := int(c - '0')
		for i := 0; i < 2 && p.pos < len(p.src) && p.src[p.pos] >= '0' && p.src[p.pos] <= '7'; i++ {
			v = v<<3 | int(p.src[p.pos]-'0')
			p.pos++
		}
		return append(out, byte(v))
	}
	return append(out, c)
}

func (p *parser) array(depth int) (Object, error) {
	p.pos++
	out := Array{}
	for {
		p.skip()
		if p.pos < len(p.src) && p.src[p.pos] == ']' {
			p.pos++
			return out, nil
		}
		v, err := p.object(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

func (p *parser) dict(depth int) (Object, error) {
	p.pos += 2
	if err := p.charge(dictCost); err != nil {
		return nil, err
	}
	out := Dict{}
	var nulls map[Name]bool
	for {
		p.skip()
		if bytes.HasPrefix(p.src[p.pos:], []byte(">>")) {
			p.pos += 2
			return out, nil
		}
		if p.pos >= len(p.src) || p.src[p.pos] != '/' {
			return nil, malformed("key expected in a dictionary %s", p.at())
		}
		k, err := p.name()
		if err != nil {
			return nil, err
		}
		key, _ := k.(Name)
		if _, twice := out[key]; twice || nulls[key] {
			return nil, malformed("key /%s twice in a dictionary %s", key, p.at())
		}
		v, err := p.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[key] = v
			continue
		}
		if nulls == nil {
			nulls = map[Name]bool{}
		}
		nulls[key] = true
	}
}
