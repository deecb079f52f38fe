package layout

import (
	"math"
	"slices"
	"strings"

	"yinxin/document/fonts"
)

// maxTitleLines bounds the search for breaks; a longer title is broken greedily.
const maxTitleLines = 4

// titleLines breaks the title: as the author did, or at sense units into a trapezium or a diamond.
func (c *composer) titleLines(title string, given []string) ([][]glyph, error) {
	c.set.warnHalfWidth(title)
	st := plain(fonts.XiaoBiaoSong, size2)
	if len(given) > 0 {
		var out [][]glyph
		for _, t := range given {
			g, err := c.set.glyphs(t, st)
			if err != nil {
				return nil, err
			}
			for _, l := range breakLines(g, areaWidth, 0, 0) { // a line that is too long for the page is broken again
				out = append(out, trimBlanks(l.glyphs))
			}
		}
		return out, nil
	}
	g, err := c.set.glyphs(title, st)
	if err != nil {
		return nil, err
	}
	if totalWidth(g) <= titleMeasure {
		return [][]glyph{g}, nil
	}
	if ends := titleBreak(tokens(g), c.issuerNames()); ends != nil {
		return cutAt(tokens(g), ends), nil
	}
	c.set.warn("title_break", "the title of %d characters found no good break; give its lines", len(g))
	var out [][]glyph
	for _, l := range breakLines(g, titleMeasure, 0, 0) {
		out = append(out, trimBlanks(l.glyphs))
	}
	return out, nil
}

// titleBreak takes as few lines as the title's width asks for, or one more where that keeps its words whole.
func titleBreak(toks []token, offices []string) []int {
	const extraLine = 3.0 // what a line more has to save
	width := 0.0
	for _, t := range toks {
		width += t.width
	}
	least := int(math.Ceil(width / titleMeasure))
	best, bestCost := []int(nil), math.Inf(1)
	for n := least; n <= min(maxTitleLines, len(toks)); n++ {
		if best != nil && n > least+1 {
			break
		}
		ends, cost := bestBreak(toks, n, offices)
		if cost += extraLine * float64(n-least); ends != nil && cost < bestCost {
			best, bestCost = ends, cost
		}
	}
	return best
}

func cutAt(toks []token, ends []int) [][]glyph {
	var out [][]glyph
	from := 0
	for _, e := range append(ends, len(toks)) {
		out = append(out, trimBlanks(join(toks[from:e])))
		from = e
	}
	return out
}

// trimBlanks leaves out the blanks at both ends of a line, so that it is its characters that are centred.
func trimBlanks(g []glyph) []glyph {
	for len(g) > 1 && isBlank(g[0].char) {
		g = g[1:]
	}
	for len(g) > 1 && isBlank(g[len(g)-1].char) {
		g = g[:len(g)-1]
	}
	return g
}

func isBlank(r rune) bool { return r == ' ' || r == '\u3000' }

// bestBreak finds the n-1 places to break at with the least cost; nil when every way is illegal.
func bestBreak(toks []token, n int, offices []string) ([]int, float64) {
	sums := make([]float64, len(toks)+1)
	for i, t := range toks {
		sums[i+1] = sums[i] + t.width
	}
	text := make([]rune, 0, len(toks))
	for _, t := range toks {
		text = append(text, t.first())
	}
	quality := make([]float64, len(toks))
	for i := 1; i < len(toks); i++ {
		quality[i] = breakCost(toks, text, i, offices)
	}
	return cheapest(sums, n, titleMeasure, quality, func(ends []int) float64 { return shapeCost(sums, ends) })
}

// cheapest finds the n-1 places to break at with the least cost: that of each place, and of the shape that they make. sums
// are the widths up to each token; no line is wider than measure. It returns nil when every way is illegal.
func cheapest(sums []float64, n int, measure float64, quality []float64, shape func(ends []int) float64) ([]int, float64) {
	best, bestCost := []int(nil), math.Inf(1)
	ends := make([]int, 0, n-1)
	var search func(from int, cost float64)
	search = func(from int, cost float64) {
		if cost >= bestCost {
			return
		}
		if len(ends) == n-1 {
			if total := cost + shape(ends); total < bestCost {
				best, bestCost = append([]int(nil), ends...), total
			}
			return
		}
		for e := from + 1; e < len(quality) && sums[e]-sums[from] <= measure; e++ {
			ends = append(ends, e)
			search(e, cost+quality[e])
			ends = ends[:len(ends)-1]
		}
	}
	search(0, 0)
	return best, bestCost
}

// widthsOf are those of the lines that end at the given places.
func widthsOf(sums []float64, ends []int) (widths []float64, shortest, longest float64) {
	from := 0.0
	for _, e := range append(append([]int(nil), ends...), len(sums)-1) {
		widths = append(widths, sums[e]-from)
		from = sums[e]
	}
	return widths, slices.Min(widths), slices.Max(widths)
}

// shapeCost prefers a trapezium (lines grow or shrink) or a diamond (the middle is longest), not a block and not an
// hourglass, without very short lines.
func shapeCost(sums []float64, ends []int) float64 {
	widths, shortest, longest := widthsOf(sums, ends)
	if longest > titleMeasure || shortest < 2*size2 {
		return math.Inf(1)
	}
	cost := 0.0
	for i := 1; i < len(widths); i++ {
		if math.Abs(widths[i]-widths[i-1]) < 1.5*size2 {
			cost += 3 // a block
		}
	}
	for i := 1; i+1 < len(widths); i++ {
		if widths[i] < widths[i-1] && widths[i] < widths[i+1] {
			cost += 8 // an hourglass
		}
	}
	return cost + 10*math.Pow(1-shortest/longest, 2)
}

// functionWords never begin a line of a title; breakBefore are good places to begin one.
const functionWords = "的和与及或等了之中内外上下后前"

// breakCost says how bad it is to begin a line with token i. offices are the issuers' names, which titles begin with.
func breakCost(toks []token, text []rune, i int, offices []string) float64 {
	a, b := toks[i-1], toks[i]
	if !breakable(a, b) {
		return math.Inf(1)
	}
	rest := string(text[i:min(i+4, len(text))])
	switch {
	case isBlank(a.last()), isBlank(b.first()): // between the names of a joint document
		return 0
	case strings.HasPrefix(rest, "关于"), strings.HasPrefix(rest, "《"), strings.HasPrefix(rest, "转发"),
		strings.HasPrefix(rest, "印发"), strings.ContainsRune("、》”）", a.last()):
		return 0
	case strings.ContainsRune(functionWords, b.first()), i > 1 && string(text[i-2:i]) == "关于":
		return 20
	case a.last() == '的', a.last() == '和', a.last() == '与', a.last() == '及':
		return 1
	case inWord(string(text[i-1 : i+1])), inName(text, i, offices):
		return 12
	case a.last() == '年' && len(a.glyphs) > 1, a.last() == '月' && len(a.glyphs) > 1: // 2026年 and what of it
		return 9
	case len(text) > 2 && strings.HasPrefix(rest, string(text[:2])): // the place that the title begins with
		return 3
	}
	return 6
}

// inName reports whether the characters before and at i belong to an issuer's name, or are a pair that the title has more
// than once: a place, as a rule.
func inName(text []rune, i int, offices []string) bool {
	pair := string(text[i-1 : i+1])
	named := func(office string) bool { return strings.Contains(office, pair) }
	return chinese(text[i-1]) && chinese(text[i]) && (slices.ContainsFunc(offices, named) || strings.Count(string(text), pair) > 1)
}

// inWord reports whether two characters form a word that titles use much; without a dictionary this keeps the commonest
// words whole.
func inWord(pair string) bool {
	const words = " 关于 上半 半年 下半 月份 季度 通知 通报 报告 请示 批复 意见 决定 公告 通告 公报 决议 命令 议案 纪要 办公 公室 政府 人民 民政 工作 管理 实施 开展 试点 " +
		"电子 公文 交换 传输 档案 方案 办法 规定 条例 规划 计划 安排 会议 活动 项目 建设 发展 改革 服务 保障 安全 生产 监督 检查 调整 成立 " +
		"组织 领导 小组 委员 员会 机关 单位 部门 人员 干部 任免 表彰 先进 集体 个人 情况 问题 进一 一步 加强 做好 推进 完善 规范 落实 贯彻 执行 " +
		"转发 印发 年度 专项 资金 预算 财政 教育 卫生 交通 环境 保护 应急 防汛 数据 信息 系统 网络 平台 技术 标准 质量 重大 重点 有关 事项 若干 " +
		"申请 同意 征求 答复 复函 商请 协助 支持 提供 城市 农村 全市 全县 全省 市人 县人 省人 "
	return strings.Contains(words, " "+pair+" ")
}
