package document

import (
	"errors"
	"fmt"
	"strings"
)

// Fault is one thing wrong with a draft.
type Fault struct {
	// Field is the path of the element, such as to[1].name.
	Field string `json:"field"`
	// Code is snake_case: missing, unknown, malformed, too_long, contradiction, …
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// InvalidError holds every fault of a draft.
type InvalidError struct{ Faults []Fault }

func (e *InvalidError) Error() string {
	parts := make([]string, 0, len(e.Faults))
	for _, f := range e.Faults {
		parts = append(parts, f.Field+": "+f.Detail)
	}
	return fmt.Sprintf("document has %d fault(s): %s", len(e.Faults), strings.Join(parts, "; "))
}

// ErrClassified is what every refusal of a classified document wraps; its code on every surface is classified_content.
var ErrClassified = errors.New("document bears a classification; yinxin carries unclassified documents only")

// ClassifiedError says where a classification was found, never what the document says.
type ClassifiedError struct {
	// Where is a field or place, such as "classification", "body" or "page 1".
	Where string
	// Kind is element (密级, 保密期限) or mark (秘密★ and its like).
	Kind string
}

func (e *ClassifiedError) Error() string {
	return fmt.Sprintf("classification %s in %s: %v", e.Kind, e.Where, ErrClassified)
}

// Unwrap makes errors.Is(err, ErrClassified) hold.
func (e *ClassifiedError) Unwrap() error { return ErrClassified }
