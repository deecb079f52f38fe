package document

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Number is the 发文字号: the office's registered short name (机关代字), the year, the serial, as in
// 某府办发〔2026〕7号. The 令号 of an order (第7号) has neither agency nor year. The zero Number is none.
type Number struct {
	Agency string
	Year   int
	Serial int
}

// ErrMalformedNumber is returned for a text that is no 发文字号.
var ErrMalformedNumber = errors.New("malformed document number")

// Bounds of a number's parts.
const (
	maxAgency = 20 // characters
	minYear   = 1900
	maxYear   = 2999
	maxSerial = 999999
)

var (
	numberPattern = regexp.MustCompile(`^([^〔〕]+)〔([0-9]{4})〕([1-9][0-9]{0,5})号$`)
	orderPattern  = regexp.MustCompile(`^第([1-9][0-9]{0,5})号$`)
)

// ParseNumber reads exactly the printed form: four digits of the year in 〔 〕 (U+3014, U+3015), the serial without 第 and
// without leading zeros, 号. Whatever it accepts, String prints back unchanged.
func ParseNumber(s string) (Number, error) {
	if m := orderPattern.FindStringSubmatch(s); m != nil {
		serial, _ := strconv.Atoi(m[1])
		return Number{Serial: serial}, nil
	}
	m := numberPattern.FindStringSubmatch(s)
	if m == nil || !utf8.ValidString(s) {
		return Number{}, fmt.Errorf("%w: %q, want the form 某政发〔2026〕7号", ErrMalformedNumber, clip(s))
	}
	year, _ := strconv.Atoi(m[2])
	serial, _ := strconv.Atoi(m[3])
	n := Number{Agency: m[1], Year: year, Serial: serial}
	if err := n.check(); err != nil {
		return Number{}, err
	}
	return n, nil
}

// ReadNumber reads what people type: like ParseNumber, but other brackets around the year, 第 and leading zeros before
// the serial, spaces and full-width digits are put right. converted says that something was, for a notice to the author.
func ReadNumber(s string) (n Number, converted bool, err error) {
	tidy := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case strings.ContainsRune("[［(（【﹝", r):
			return '〔'
		case strings.ContainsRune("]］)）】﹞", r):
			return '〕'
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		}
		return r
	}, s)
	if before, after, ok := strings.Cut(tidy, "〕"); ok {
		after = strings.TrimLeft(strings.TrimPrefix(after, "第"), "0")
		tidy = before + "〕" + after
	}
	n, err = ParseNumber(tidy)
	return n, err == nil && tidy != s, err
}

func (n Number) check() error {
	if n.Serial < 1 || n.Serial > maxSerial {
		return fmt.Errorf("%w: serial %d", ErrMalformedNumber, n.Serial)
	}
	if n.Agency == "" && n.Year == 0 {
		return nil
	}
	if n.Year < minYear || n.Year > maxYear {
		return fmt.Errorf("%w: year %d", ErrMalformedNumber, n.Year)
	}
	if count := utf8.RuneCountInString(n.Agency); count < 1 || count > maxAgency {
		return fmt.Errorf("%w: agency of %d characters, want 1 to %d", ErrMalformedNumber, count, maxAgency)
	}
	for _, r := range n.Agency {
		if !unicode.IsLetter(r) {
			return fmt.Errorf("%w: %q in the agency", ErrMalformedNumber, r)
		}
	}
	return nil
}

// IsZero reports whether n is no number at all.
func (n Number) IsZero() bool { return n == Number{} }

// String is the printed form, empty for none.
func (n Number) String() string {
	switch {
	case n.IsZero():
		return ""
	case n.Agency == "" && n.Year == 0:
		return fmt.Sprintf("第%d号", n.Serial)
	}
	return fmt.Sprintf("%s〔%04d〕%d号", n.Agency, n.Year, n.Serial)
}

// MarshalText writes the printed form.
func (n Number) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads what ParseNumber reads, and the empty text as none.
func (n *Number) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*n = Number{}
		return nil
	}
	p, err := ParseNumber(string(text))
	if err != nil {
		return err
	}
	*n = p
	return nil
}
