package fonts

import "errors"

// Set is the faces of one process, each loaded when it is first asked for. It is safe for concurrent use.
type Set struct{}

// Embedded is the set of the faces built into the program. Keep it: a new set decompresses anew.
func Embedded() *Set { return &Set{} }

// Face is the face for a role.
func (s *Set) Face(role Role) (*Face, error) { return nil, errors.New("not yet built") }

// Resolve is the face that draws r: the role's own, else the first that has it. False when none has.
func (s *Set) Resolve(role Role, r rune) (*Face, bool) { return nil, false }
