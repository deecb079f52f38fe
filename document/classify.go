package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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

// FindClassification looks for a classification in text, line by line: a degree with a star (秘密★, ★机密10年) or with a
// term set off from it (机密（10年）, 机密·10年) anywhere; a degree in a line of its own as in the mark position of a page,
// with or without copy number, term and urgency (机密 十年, 绝密文件, 秘密。); a degree in brackets that opens a line; a
// label such as 密级: or 保密期限: with a value other than 无, or with a degree or term directly behind (密级为机密).
// Spaces and invisible characters between the characters, full-width forms and traditional characters do not hide a
// mark. The plain word inside a sentence is none. kind is ClassifiedMark or ClassifiedElement.
//
// Of a line of more than 8 KiB it sees together what stands within 1 KiB of a character that a mark or a label needs.
func FindClassification(text string) (kind string, found bool) { return part{}.find(text) }

// ClassifiedElementNamed reports whether a field of that name and value is a 密级 or 保密期限 element that says anything
// but 无 (非密, 不涉密, unclassified, nothing at all). It knows the Chinese names and the usual English ones.
func ClassifiedElementNamed(name, value string) bool {
	return isClassificationKey(name) && !isUnclassified(value)
}

// isUnclassified reports whether a value of a 密级 element says that there is none.
func isUnclassified(value string) bool {
	v := strings.ToLower(plainText(value))
	switch v {
	case "~", "否", "不", "非", "公开", "n/a", "no", "false", "none", "null", "unclassified", "public", "nonclassified",
		"notclassified", "non-classified", "notapplicable":
		return true
	}
	return noneValue.MatchString(v) || !hasLetter(v)
}

// isClassificationKey reports whether a name is one under which a 密级 or 保密期限 element may come.
func isClassificationKey(key string) bool {
	const longest = 120 // bytes; names are short, and looked at by the thousand
	if len(key) > longest {
		return false
	}
	if !mayBeKey(key) {
		return false
	}
	k := strings.ToLower(keySeparators.Replace(plainText(key)))
	switch k {
	case "classification", "classified", "classifieduntil", "classifiedfor", "secret", "confidentiality",
		"documentclassification", "docclassification", "confidentialitylevel", "confidentiallevel",
		"classificationlevel", "classifiedlevel", "miji", "mj", "bmqx", "bmjb", "mijijibie", "baomiqixian", "smdj":
		return true
	}
	return chineseKey.MatchString(k) || englishKey.MatchString(k)
}

// refuseClassifiedJSON looks through metadata of any origin before it is read into a Metadata.
func refuseClassifiedJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("parse metadata: %w", err)
	}
	return refuseClassifiedValue("metadata", v)
}

// CheckJSON looks through a decoded JSON value for classification elements and marks; where names it in the error, a
// ClassifiedError.
func CheckJSON(where string, v any) error { return refuseClassifiedValue(where, v) }

func refuseClassifiedValue(where string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if isClassificationKey(key) && !isUnclassified(scalarText(value)) {
				return &ClassifiedError{Where: where, Kind: ClassifiedElement}
			}
			if title, ok := value.(string); ok && key == "title" && titleMark.MatchString(plainText(title)) {
				return &ClassifiedError{Where: where, Kind: ClassifiedMark}
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
	return "?x"
}
