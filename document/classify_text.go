package document

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The parts of a mark, as they stand in normalised text.
const (
	// degree may have a dot, dash or star between its characters.
	degree = `[绝机秘][` + dots + stars + `]?密级?`
	dots   = `·•・‧∙.\-–—_|`
	// stars mark wherever they stand beside a degree; weakStars, which bullets, footnotes and Markdown use too, only
	// where a term follows or the degree begins the line.
	stars     = `★☆⋆⍟⚝⭐⭑⭒✡✦✧✩✪✫✬✭✮✯✰✴✵✶✷✸✹✺❂🌟🌠💫✨🔯🟀-🟏`
	weakStars = `*※⁂⁑⁎∗٭✱✲✳❉❊❋`
	// points are what may stand between, before and behind the parts in a line of its own.
	points = `[\[\]【】()〔〕〖〗「」『』《》〈〉<>{}'"“”‘’,.。、:;!?~/\\#=+` + dots + `―‐‑‒…` + stars + weakStars + `]*`
	number = `(?:[0-9]{1,3}|[零〇○一二两三四五六七八九十百壹贰叁肆伍陆柒捌玖拾佰廿卅]{1,5})`
	term   = `(?:长期|永久|` + number + `(?:年|个?月|天|日)|至?[0-9]{4}年(?:[0-9]{1,2}月)?(?:[0-9]{1,2}日)?)`
	bearer = `(?:文件|文电|公文|电报|材料|资料|信息|内容|事项|件|文)` //nolint:gosec // an expression for dates, no credentials
	urgent = `(?:特提|特急|加急|平急|急件)`
)

var (
	starMark = newPattern(degree + `[` + dots + `()\[\]]*[` + stars + `]|[` + stars + `][` + dots + `]*` + degree)
	// A weak star wants the term, or the degree at the beginning of the line and nothing behind.
	weakMark = newPattern(degree + `[` + weakStars + `]` + term +
		`|^[^\p{Han}]*` + degree + `[` + weakStars + `]+(?:` + urgent + `|$)`)
	// A term set off by brackets, a dot or a dash.
	termMark = newPattern(degree + `(?:[(\[【〔「《<{]` + term + `|[` + dots + `―‐‑‒~/:]+` + term + `(?:[^\p{Han}]|` + urgent + `|$))`)
	// A term behind a comma or nothing: only where no word precedes and none follows.
	bareTerm = newPattern(`(?:^|[^\p{Han}])` + degree + `[,;、]?` + term + `(?:[^\p{Han}]|` + urgent + `|$)`)
	// 【机密】 before a title, or the degree itself.
	bracketMark = newPattern(`^` + degree + points + `关于|^[\[【(〔「《<{](?:[0-9]{6})?` + degree + points + term + `?[\]】)〕」》>}]`)
	// titleMark is a degree in brackets that ends a title: …的通知（秘密）. In a text a line may end like that by chance.
	titleMark = newPattern(`[\[【(〔]` + degree + points + term + `?[\]】)〕]$`)
	// A line of its own.
	lineMark = newPattern(`^` + points + `(?:第?(?:份号|编号|No)?[.:]?[0-9]{1,8}[号份]?)?` + points + urgent + `?` + points +
		degree + bearer + `?` + points + `(?:` + term + `)?` + points + `(?:` + urgent + `|启用前|考试结束前)?` + points + `$`)
	// The end of a sentence that a line break cut off its beginning.
	sentenceEnd = newPattern(`^(?:绝密|机密|秘密)级?` + bearer + `?[。.,;、!?)】」》”]+$`)
	// 本件为机密.
	statement = newPattern(`[本此该](?:文件|公文|材料|资料|通知|报告|请示|函|件|文)(?:的?密级)?(?:为|是|属|属于|系|定为|列为|确定为|标为)` + degree)
	tokenMark = newPattern(`^` + points + `(?:[0-9]{6})?` + degree + points + term + points + urgent + `?` + points + `$`)

	degreeLabel = newPattern(`(?:` + levelNames + `)(?:标识|标志|和保密期限|及保密期限)?(?:为|是|系|定为|确定为|属|属于|[)\]】(\[【→>|―‐‑‒` + dots + `])?` + degree)
	termLabel   = newPattern(`(?:保密期限|保密期|解密期限|解密时间|解密日期)(?:为|是|定为|确定为|[)\]】(\[【→>|―‐‑‒` + dots + `])?` + term)
	valueLabel  = newPattern(`(?:` + levelNames + `|保密期限|保密期|解密期限|解密时间|解密日期|解密条件|定密结果)` +
		`(?:标识|标志|和保密期限|及保密期限)?[)\]】"'”]?[:=∶]`)
	englishLabel = newPattern(`(?i)(?:classification|securitylevel|secretlevel|secrecylevel|securityclass)[:=]["']?(?:topsecret|secret|confidential|` + degree + `)`)

	chineseKey = newPattern(`^(?:本文|文件|公文|文档|正文|信息|材料|国家秘密)?的?(?:密级|秘级|保密期限?|定密|涉密|涉密定级|(?:涉密|保密|秘密|机密|定密)(?:等级|级别|程度)|解密(?:时间|日期|期限|条件)|定密(?:依据|责任人|日期|时间|结果|机关|单位|授权))` +
		`(?:[和及与、,]?(?:保密期限?|知悉范围|紧急程度))*(?:标识|标志|代码|编码|名称|级别|等级|值|说明)?$`)
	englishKey = newPattern(`^(?:doc|document|file)?(?:secrecy|secret|security|confidential|classified)(?:level|grade|class|classification|period|term|degree|until|mark|rank)$|^secrecy$`)
	noneValue  = newPattern(`^["'(\[【]?(?:无|無|没有|未定密|无密级|非涉?密|不涉密|不涉及(?:国家)?秘密|不属于国家秘密|非国家秘密|未涉密|不定密|公开|unclassified|none|null)(?:级|件|文件|公文|信息|内容)?["')\]】]?[。.;,]?(?:$|[^\p{Han}]|密级|保密|定密|涉密|解密|紧急|份号)`)

	lineBreaks    = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")
	keySeparators = strings.NewReplacer("_", "", "-", "", ".", "", ":", "", "/", "", "(", "", ")", "", "*", "")
)

// levelNames are the labels of a degree.
const levelNames = `密级|秘级|保密等级|保密级别|涉密等级|涉密级别|涉密程度|秘密等级|秘密级别|机密等级|定密等级|定密级别|定密`

// judge gives what a line holds, empty if it is nothing: line as it stands, the same and the line before it folded.
func judge(line, plain, before string) string {
	if !mayClassify(plain) {
		return ""
	}
	degreed := hasDegree(plain)
	switch {
	case hasLabel(plain, degreed) || isLabelled(plain, before):
		return ClassifiedElement
	case degreed && (isMark(plain) || isMarkLine(plain, before) || isMarkName(plain) || hasMarkToken(line)):
		return ClassifiedMark
	}
	return ""
}

// hasDegree asks for what every mark holds: 绝密, 机密 or 秘密.
func hasDegree(plain string) bool {
	for i := 0; ; {
		n := strings.Index(plain[i:], "密")
		if n < 0 {
			return false
		}
		i += n
		if beginsDegree(plain[:i]) {
			return true
		}
		i += len("密")
	}
}

// beginsDegree asks whether 密 behind the text makes a degree.
func beginsDegree(plain string) bool {
	r, size := utf8.DecodeLastRuneInString(plain)
	if isDot(r) || isStar(r) {
		r, _ = utf8.DecodeLastRuneInString(plain[:len(plain)-size])
	}
	return r == '绝' || r == '机' || r == '秘'
}

// mayClassify is the quick look: every degree and label has one of these, the English ones a colon.
func mayClassify(plain string) bool {
	return strings.Contains(plain, "密") || strings.Contains(plain, "秘级") || strings.ContainsAny(plain, ":=") || hasTermEnd(plain)
}

// hasTermEnd reports what a term ends with: it may stand below its label.
func hasTermEnd(plain string) bool {
	const longest = 60
	return len(plain) <= longest && (strings.ContainsAny(plain, "年月天日") || strings.Contains(plain, "长期") || strings.Contains(plain, "永久"))
}

// isMark finds what is a mark wherever it stands in a line.
func isMark(plain string) bool {
	return starMark.MatchString(plain) || weakMark.MatchString(plain) || bareTerm.MatchString(plain) ||
		bracketMark.MatchString(plain) || outsideProse(termMark, plain) || outsideProse(statement, plain)
}

// fullLine is the number of characters from which a line may be the one before a line break inside a paragraph.
const fullLine = 18

// isMarkLine finds a mark in a line of its own. What only ends the sentence of a full line before it is none.
func isMarkLine(plain, before string) bool {
	if !lineMark.MatchString(plain) {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	return !(sentenceEnd.MatchString(plain) && utf8.RuneCountInString(before) >= fullLine && unicode.Is(unicode.Han, last))
}

// hasMarkToken finds degree and term as words of their own in a line that holds other words too.
func hasMarkToken(line string) bool {
	words := strings.Fields(norm.NFKC.String(line))
	for i := range words {
		word := plainText(words[i])
		if !strings.Contains(word, "密") {
			continue
		}
		if tokenMark.MatchString(word) || i+1 < len(words) && tokenMark.MatchString(word+plainText(words[i+1])) {
			return true
		}
	}
	return false
}

// isLabelled finds a degree or term in a line below its label.
func isLabelled(plain, before string) bool {
	if !strings.Contains(before, "密") && !strings.Contains(plain, "密") || !isClassificationKey(before) {
		return false
	}
	return outsideProse(degreeLabel, before+plain) || outsideProse(termLabel, before+plain)
}

// hasLabel finds a 密级 or 保密期限 with its value.
func hasLabel(plain string, degreed bool) bool {
	var labels [][]int
	if strings.ContainsAny(plain, ":=∶") {
		labels = valueLabel.FindAllStringIndex(plain, -1)
	}
	for i, at := range labels {
		value := plain[at[1]:]
		if i+1 < len(labels) {
			value = plain[at[1]:labels[i+1][0]]
		}
		if end := strings.IndexAny(value, ",。;"); end >= 0 {
			value = value[:end]
		}
		if !isUnclassified(value) {
			return true
		}
	}
	return degreed && outsideProse(degreeLabel, plain) ||
		(strings.Contains(plain, "密期") || strings.Contains(plain, "解密")) && outsideProse(termLabel, plain) ||
		hasEnglishLabel(plain) && englishLabel.MatchString(plain)
}

// englishLabels are the names in englishLabel.
var englishLabels = []string{"classification", "securitylevel", "secretlevel", "secrecylevel", "securityclass"}

// hasEnglishLabel asks for one of them before a colon.
func hasEnglishLabel(plain string) bool {
	for i := 0; ; i++ {
		n := strings.IndexAny(plain[i:], ":=")
		if n < 0 {
			return false
		}
		i += n
		for _, name := range englishLabels {
			if i >= len(name) && strings.EqualFold(plain[i-len(name):i], name) {
				return true
			}
		}
	}
}

// proseEndings are what follows a degree or a term when a sentence speaks about such documents and not of itself.
var proseEndings = []string{"的", "以上", "及以上", "以下", "及以下", "以内", "内", "后", "前", "届满", "期满", "、", "或", "和", "与", "及", "文件的", "事项"}

// outsideProse reports a match of re that no prose ending follows.
func outsideProse(re pattern, plain string) bool {
next:
	for _, at := range re.FindAllStringIndex(plain, -1) {
		rest := strings.TrimPrefix(plain[at[1]:], "级")
		for _, ending := range proseEndings {
			if strings.HasPrefix(rest, ending) {
				continue next
			}
		}
		return true
	}
	return false
}

// isMarkName finds a mark that is a whole file name but for its suffix: 机密.pdf.
func isMarkName(plain string) bool {
	const longest = 6
	i := strings.LastIndexByte(plain, '.')
	return i >= 0 && len(plain)-i <= longest && isPlainASCII(plain[i+1:]) && lineMark.MatchString(plain[:i]) && plain[i+1:] != ""
}

func isPlainASCII(s string) bool {
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return true
}

// mayBeKey is the quick look at a name: every key of a classification has one of these.
func mayBeKey(key string) bool {
	for _, r := range key {
		switch {
		case r < utf8.RuneSelf:
			if r|0x20 >= 'a' && r|0x20 <= 'z' {
				return true
			}
		case r == '密' || r == '宻' || r == '秘' || r == '祕' || r == '㊙' || !unicode.Is(unicode.Han, r) && !strings.ContainsRune("，。、；：“”（）《》", r):
			return true
		}
	}
	return false
}

// hasLetter reports whether a value says anything at all: blanks, lines and boxes to be filled in do not.
func hasLetter(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.So, r)
	})
}

// plainText folds compatibility forms and traditional characters and drops everything invisible, so that 秘　密 and
// 秘\u200b密 read as 秘密.
func plainText(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) { // nothing to fold
		return strings.Map(func(r rune) rune {
			if r <= ' ' || r == 0x7f {
				return -1
			}
			return r
		}, s)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case isInvisible(r):
			return -1
		case r == '祕':
			return '秘'
		case r == '絕' || r == '絶':
			return '绝'
		case r == '機' || r == '僟':
			return '机'
		case r == '級':
			return '级'
		case r == '宻':
			return '密'
		case r == '長':
			return '长'
		case r == '無':
			return '无'
		case r == '渉':
			return '涉'
		case r == '標':
			return '标'
		case r == '識':
			return '识'
		case r == '誌':
			return '志'
		case r == '別':
			return '别'
		case r == '貳':
			return '贰'
		case r == '為' || r == '爲':
			return '为'
		}
		return r
	}, norm.NFKC.String(strings.Map(func(r rune) rune {
		if isInvisible(r) { // before folding too: a filler between two characters must not keep them apart
			return -1
		}
		return r
	}, s)))
}

// isInvisible are the characters that show nothing or only decorate the one before: spaces, controls and format
// characters, all combining marks, fillers, the blank Braille pattern, variation selectors and private characters.
func isInvisible(r rune) bool {
	if r > ' ' && r < 0x7f || r >= 0x4e00 && r <= 0x9fff { // most of a text
		return false
	}
	switch r {
	case '\u2800', '\u3164', '\u115f', '\u1160', '\uffa0', utf8.RuneError:
		return true
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.C, unicode.M, unicode.Z, unicode.Other_Default_Ignorable_Code_Point)
}
