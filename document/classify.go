package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// ErrClassified is what every refusal of a classified document wraps; its code on every surface is classified_content.
var ErrClassified = errors.New("document bears a classification; yinxin carries unclassified documents only")

// What gave a classification away.
const (
	ClassifiedElement = "element" // a 密级 or 保密期限 element or label
	ClassifiedMark    = "mark"    // 秘密★ and its like
)

// ClassifiedError says where a classification was found, never what the document says.
type ClassifiedError struct {
	// Where is a field or place, such as "classification", "body" or "page 1".
	Where string
	// Kind is ClassifiedElement or ClassifiedMark.
	Kind string
}

func (e *ClassifiedError) Error() string {
	return fmt.Sprintf("classification %s in %s: %v", e.Kind, e.Where, ErrClassified)
}

// Unwrap makes errors.Is(err, ErrClassified) hold.
func (e *ClassifiedError) Unwrap() error { return ErrClassified }

var (
	// A star beside a degree is a mark wherever it stands; nothing else in official prose looks like it.
	starMark = regexp.MustCompile(`(绝密|机密|秘密)级?[★☆✩✪✭✮✯✰⭐*]|[★☆⭐](绝密|机密|秘密)`)
	// A line of its own: copy number, degree, term, urgency, and nothing else.
	lineMark = regexp.MustCompile(`^[\[【(「]?([0-9]{6})?(绝密|机密|秘密)级?(长期|[0-9]{1,3}(年|个?月|天|日))?(特急|加急|平急|急件)?[\])】」]?$`)
	// A label with a value.
	labelMark = regexp.MustCompile(`(密级|保密期限|保密等级)(和保密期限)?[:=]([^,。;\s]*)`)
)

// FindClassification looks for a classification in text: a degree with a star (秘密★, 机密★10年) anywhere, a degree in a
// line of its own as in the mark position of a page, or a label 密级: or 保密期限: with a value other than 无. Spaces between
// the characters, full-width forms and traditional characters do not hide a mark. The plain word inside a sentence is
// none. kind is ClassifiedMark or ClassifiedElement.
func FindClassification(text string) (kind string, found bool) {
	for line := range strings.Lines(text) {
		plain := plainText(line)
		if starMark.MatchString(plain) || lineMark.MatchString(plain) {
			return ClassifiedMark, true
		}
		for _, m := range labelMark.FindAllStringSubmatch(plain, -1) {
			if !isUnclassified(m[3]) {
				return ClassifiedElement, true
			}
		}
	}
	if starMark.MatchString(plainText(text)) { // a mark whose characters were set one by one
		return ClassifiedMark, true
	}
	return "", false
}

// plainText folds compatibility forms and drops everything invisible, so that 秘　密 and 秘\u200b密 read as 秘密.
func plainText(s string) string {
	s = norm.NFKC.String(s)
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r), unicode.Is(unicode.Mn, r):
			return -1
		case r == '祕':
			return '秘'
		case r == '絕' || r == '絶':
			return '绝'
		case r == '機':
			return '机'
		case r == '級':
			return '级'
		}
		return r
	}, s)
}

// isUnclassified reports whether a value of a 密级 element says that there is none.
func isUnclassified(value string) bool {
	switch strings.ToLower(plainText(value)) {
	case "", "无", "無", "非密", "公开", "none", "null", "~", "unclassified", "/", "-", "—":
		return true
	}
	return false
}

// classificationKeys are the names under which a 密级 or 保密期限 element may come.
func isClassificationKey(key string) bool {
	k := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, plainText(key))
	switch k {
	case "classification", "classified", "classifieduntil", "classifiedfor", "secrecy", "secrecylevel", "secrecyperiod",
		"secret", "secretlevel", "securitylevel", "securityclass", "securityclassification", "confidentiality",
		"密级", "保密期限", "密级和保密期限", "保密等级", "秘密等级", "定密", "miji", "mj", "bmqx":
		return true
	}
	return false
}

// refuseClassifiedJSON looks through metadata of any origin before it is read into a Metadata.
func refuseClassifiedJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("parse metadata: %w", err)
	}
	return refuseClassifiedValue("metadata", v)
}

func refuseClassifiedValue(where string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if isClassificationKey(key) && !isUnclassified(scalarText(value)) {
				return &ClassifiedError{Where: where, Kind: ClassifiedElement}
			}
			if err := refuseClassifiedValue(where, value); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range v {
			if err := refuseClassifiedValue(where, value); err != nil {
				return err
			}
		}
	case string:
		if kind, found := FindClassification(v); found {
			return &ClassifiedError{Where: where, Kind: kind}
		}
	}
	return nil
}

// scalarText is the text of a JSON value; anything that is no scalar and not empty is no "无".
func scalarText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if !v {
			return ""
		}
	}
	return "?"
}
