package document

import (
	"errors"
	"fmt"
)

// Kind is the 文种 of a document: one of the fifteen of 党政机关公文处理工作条例 article 8. The zero Kind is none of them.
type Kind int

// The fifteen kinds, in the order of the article.
const (
	Resolution   Kind = iota + 1 // 决议
	Decision                     // 决定
	Order                        // 命令（令）
	Communique                   // 公报
	Proclamation                 // 公告
	PublicNotice                 // 通告
	Opinion                      // 意见
	Notice                       // 通知
	Circular                     // 通报
	Report                       // 报告
	Request                      // 请示
	Reply                        // 批复
	Proposal                     // 议案
	Letter                       // 函
	Minutes                      // 纪要
)

// ErrUnknownKind is returned for a text that names none of the fifteen kinds.
var ErrUnknownKind = errors.New("unknown kind of document")

type kindInfo struct {
	chinese, english string
	// directions are the usual ones of the kind; the first is taken where the draft names none.
	directions []Direction
}

var kinds = [...]kindInfo{
	Resolution:   {"决议", "resolution", []Direction{Downward}},
	Decision:     {"决定", "decision", []Direction{Downward}},
	Order:        {"命令", "order", []Direction{Downward}},
	Communique:   {"公报", "communique", []Direction{Downward}},
	Proclamation: {"公告", "proclamation", []Direction{Downward}},
	PublicNotice: {"通告", "public_notice", []Direction{Downward}},
	Opinion:      {"意见", "opinion", []Direction{Downward, Upward, Level}},
	Notice:       {"通知", "notice", []Direction{Downward}},
	Circular:     {"通报", "circular", []Direction{Downward}},
	Report:       {"报告", "report", []Direction{Upward}},
	Request:      {"请示", "request", []Direction{Upward}},
	Reply:        {"批复", "reply", []Direction{Downward}},
	Proposal:     {"议案", "proposal", []Direction{Upward, Level}},
	Letter:       {"函", "letter", []Direction{Level}},
	Minutes:      {"纪要", "minutes", []Direction{Downward, Level}},
}

// Kinds lists the fifteen kinds in the order of the article.
func Kinds() []Kind {
	all := make([]Kind, 0, len(kinds)-1)
	for k := Resolution; k <= Minutes; k++ {
		all = append(all, k)
	}
	return all
}

// ParseKind reads a Chinese name (通知; 令 and 命令（令） stand for 命令) or an English one (notice).
func ParseKind(s string) (Kind, error) {
	switch s {
	case "令", "命令（令）", "命令(令)":
		return Order, nil
	case "会议纪要":
		return Minutes, nil
	}
	for _, k := range Kinds() {
		if s == kinds[k].chinese || s == kinds[k].english {
			return k, nil
		}
	}
	return 0, fmt.Errorf("kind %q: %w", clip(s), ErrUnknownKind)
}

// Valid reports whether k is one of the fifteen.
func (k Kind) Valid() bool { return k >= Resolution && k <= Minutes }

// String is the Chinese name, empty for none.
func (k Kind) String() string {
	if !k.Valid() {
		return ""
	}
	return kinds[k].chinese
}

// English is the identifier used in commands and file names, such as public_notice.
func (k Kind) English() string {
	if !k.Valid() {
		return ""
	}
	return kinds[k].english
}

// Directions lists the usual directions of the kind, the commonest first.
func (k Kind) Directions() []Direction {
	if !k.Valid() {
		return nil
	}
	return append([]Direction(nil), kinds[k].directions...)
}

// MarshalText writes the Chinese name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what ParseKind reads, and the empty text as none.
func (k *Kind) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*k = 0
		return nil
	}
	p, err := ParseKind(string(text))
	if err != nil {
		return err
	}
	*k = p
	return nil
}

// Direction is the 行文方向: to a superior, to subordinates, or between equals.
type Direction int

// The three directions.
const (
	Upward   Direction = iota + 1 // 上行
	Downward                      // 下行
	Level                         // 平行
)

var directionNames = map[string]Direction{
	"": 0, "上行": Upward, "下行": Downward, "平行": Level, "upward": Upward, "downward": Downward, "level": Level,
}

// String is the Chinese name, empty for none.
func (d Direction) String() string {
	return [...]string{"", "上行", "下行", "平行"}[within(int(d), 3)]
}

// MarshalText writes the Chinese name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the Chinese or the English name.
func (d *Direction) UnmarshalText(text []byte) error {
	v, ok := directionNames[string(text)]
	if !ok {
		return fmt.Errorf("direction %q: want 上行, 下行 or 平行", clip(string(text)))
	}
	*d = v
	return nil
}

// Urgency is the 紧急程度. The zero value is Normal.
type Urgency int

// The three degrees.
const (
	Normal      Urgency = iota // 平件
	Urgent                     // 加急
	ExtraUrgent                // 特急
)

var urgencyNames = map[string]Urgency{
	"": Normal, "平件": Normal, "加急": Urgent, "特急": ExtraUrgent,
	"normal": Normal, "urgent": Urgent, "extra_urgent": ExtraUrgent,
}

// String is the Chinese name.
func (u Urgency) String() string { return [...]string{"平件", "加急", "特急"}[within(int(u), 2)] }

// MarshalText writes the Chinese name.
func (u Urgency) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads the Chinese or the English name.
func (u *Urgency) UnmarshalText(text []byte) error {
	v, ok := urgencyNames[string(text)]
	if !ok {
		return fmt.Errorf("urgency %q: want 平件, 加急 or 特急", clip(string(text)))
	}
	*u = v
	return nil
}

// within keeps an index inside a name table, so that a value from outside the constants prints as none.
func within(i, last int) int {
	if i < 0 || i > last {
		return 0
	}
	return i
}

// clip shortens input quoted in an error; a whole text does not belong there.
func clip(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}

// IsKindName reports whether s is the Chinese or the English name of a kind.
func IsKindName(s string) bool {
	_, err := ParseKind(s)
	return err == nil
}
