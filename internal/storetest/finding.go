package storetest

import (
	"fmt"
	"slices"
	"testing"

	"yinxin/archive"
)

// finding holds an index to what archivists look for: Chinese words of one, two and more characters, in titles, metadata and
// text, every element of the description, dates, offices, and pages of results.
func finding(t *testing.T, p Place) {
	s := p.Open(t, nil)
	ctx := t.Context()
	for i, r := range []struct {
		title, number, kind, issued, issuer string
		content                             archive.Content
	}{
		{"关于召开全县防汛工作会议的通知", "某办发〔2026〕7号", "通知", "2026-05-08", "YXZF", archive.Content{
			Elements: map[string][]string{"主送": {"印新县财政局", "印新县教育局"}, "签发人": {"李某"}},
			Text:     "各有关单位：经研究，定于5月12日召开会议。联系人：王某，邮箱 Wang@Example.CN，金额１２３４万元。",
		}},
		{"关于报送年度总结的通知", "某办发〔2025〕31号", "通知", "2025-12-01", "YXZF", archive.Content{Text: "请于月底前报送。会后另行议定。"}},
		{"关于同意设立档案室的批复", "某府批〔2026〕2号", "批复", "2026-06-01", "YXSZF", archive.Content{
			Elements: map[string][]string{"主送": {"印新县财政局"}}, Text: "同意你局设立档案室，㐂字与〇字照录。",
		}},
	} {
		must(t, s.AddRecord(ctx, archive.Entry{Record: archive.Record{
			ID: fmt.Sprintf("f%d", i), ArchivalCode: fmt.Sprintf("Z109-%d", i), Exchange: fmt.Sprintf("fx%d", i), Issuer: r.issuer, Kind: r.kind,
			Number: r.number, Title: r.title, IssuedOn: r.issued, Retention: "D30", DocumentSM3: fmt.Sprint("sm3-", i),
			Parties: []string{r.issuer, "P" + r.issuer}, DepositedAt: start,
		}, Package: [32]byte{byte(i)}}, r.content))
	}
	for _, tt := range []struct {
		name string
		q    archive.Query
		want []string
	}{
		{"two characters", archive.Query{Text: "通知"}, []string{"f1", "f0"}},
		{"two characters inside a longer word", archive.Query{Text: "会议"}, []string{"f0"}},
		{"characters that only stand apart", archive.Query{Text: "会通"}, nil},
		{"one character", archive.Query{Text: "汛"}, []string{"f0"}},
		{"one character at an end", archive.Query{Text: "知"}, []string{"f1", "f0"}},
		{"a rare character", archive.Query{Text: "㐂"}, []string{"f2"}},
		{"zero as a character", archive.Query{Text: "〇字"}, []string{"f2"}},
		{"a phrase", archive.Query{Text: "防汛工作会议"}, []string{"f0"}},
		{"a phrase in another order", archive.Query{Text: "工作防汛"}, nil},
		{"two words", archive.Query{Text: "通知 报送"}, []string{"f1"}},
		{"two words of which one is nowhere", archive.Query{Text: "通知 批复"}, nil},
		{"in the text alone", archive.Query{Text: "经研究"}, []string{"f0"}},
		{"in the metadata", archive.Query{Text: "教育局"}, []string{"f0"}},
		{"Latin in any case", archive.Query{Text: "WANG@example.cn"}, []string{"f0"}},
		{"full-width digits", archive.Query{Text: "1234万元"}, []string{"f0"}},
		{"a part of a number is none", archive.Query{Text: "123"}, nil},
		{"digits and characters", archive.Query{Text: "12日召开"}, []string{"f0"}},
		{"the number on the document", archive.Query{Text: "某办发〔2026〕7号"}, []string{"f0"}},
		{"nothing but punctuation", archive.Query{Text: "，。"}, []string{"f2", "f1", "f0"}},
		{"an operator is no operator", archive.Query{Text: `通知" OR "批复`}, nil},
		{"title", archive.Query{Title: "通知"}, []string{"f1", "f0"}},
		{"title alone", archive.Query{Title: "经研究"}, nil},
		{"title of one character", archive.Query{Title: "汛"}, []string{"f0"}},
		{"issuer", archive.Query{Issuer: "YXSZF"}, []string{"f2"}},
		{"kind and text", archive.Query{Kind: "通知", Text: "全县"}, []string{"f0"}},
		{"retention", archive.Query{Retention: "D10"}, nil},
		{"archival code", archive.Query{Code: "Z109-1"}, []string{"f1"}},
		{"digest", archive.Query{DocumentSM3: "sm3-2"}, []string{"f2"}},
		{"element", archive.Query{Elements: map[string]string{"主送": "印新县财政局"}}, []string{"f2", "f0"}},
		{"a part of an element", archive.Query{Elements: map[string]string{"主送": "财政局"}}, nil},
		{"two elements", archive.Query{Elements: map[string]string{"主送": "印新县财政局", "签发人": "李某"}}, []string{"f0"}},
		{"from", archive.Query{From: "2026-05-08"}, []string{"f2", "f0"}},
		{"from and to", archive.Query{From: "2025-12-02", To: "2026-05-31"}, []string{"f0"}},
		{"office", archive.Query{Text: "通知", Office: "PYXZF"}, []string{"f1", "f0"}},
		{"another office", archive.Query{Text: "通知", Office: "PYXSZF"}, nil},
		{"a page", archive.Query{Text: "通知", Limit: 1}, []string{"f1"}},
		{"the page after", archive.Query{Text: "通知", Limit: 1, After: "f1"}, []string{"f0"}},
		{"the page after the last", archive.Query{Text: "通知", Limit: 1, After: "f0"}, nil},
	} {
		got, err := s.FindRecords(ctx, tt.q)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var ids []string
		for _, e := range got {
			ids = append(ids, e.Record.ID)
		}
		if !slices.Equal(ids, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, ids, tt.want)
		}
	}
}
