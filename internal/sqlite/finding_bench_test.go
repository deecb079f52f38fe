package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"yinxin/archive"
	"yinxin/internal/sqlite"
)

// benchRecords is how many records are searched.
const benchRecords = 1_000_000

// BenchmarkSearch measures searches of 10^6 records as archivists make them: words of one and two characters that are common
// and rare, phrases, with filters and without, the first page of 50. p95-ms is the 95th percentile over all of them; the probe
// is the read of 50 records by their numbers, what any search has to do at the end.
func BenchmarkSearch(b *testing.B) {
	db := millionRecords(b)
	var took []float64
	queries := []archive.Query{
		{Text: "通知"},
		{Text: "会议"},
		{Text: "议"},
		{Text: "汛"},
		{Text: "防汛 会议"},
		{Text: "第271828次"},
		{Text: "档案室"},
		{Text: "通知", Kind: "批复"},
		{Title: "预算", Issuer: "ORG7"},
		{Kind: "函", Retention: "D10"},
		{Number: "某7办发〔2021〕77777号"},
		{Text: "会议", From: "2020-01-01", To: "2020-12-31"},
		{Text: "预算 安全", Office: "ORG11"},
		{Elements: map[string]string{"主送": "单位42"}},
	}
	var probe []float64
	for b.Loop() {
		for _, q := range queries {
			q.Limit = 50
			began := time.Now()
			got, err := db.FindRecords(b.Context(), q)
			took = append(took, float64(time.Since(began).Microseconds())/1000)
			if err != nil {
				b.Fatal(err)
			}
			began = time.Now()
			for range got {
				if _, err := db.Record(b.Context(), got[0].Record.ID); err != nil {
					b.Fatal(err)
				}
			}
			probe = append(probe, float64(time.Since(began).Microseconds())/1000)
		}
	}
	slices.Sort(took)
	slices.Sort(probe)
	b.ReportMetric(took[len(took)*95/100], "p95-ms")
	b.ReportMetric(took[len(took)/2], "p50-ms")
	b.ReportMetric(probe[len(probe)*95/100], "probe-p95-ms")
}

// millionRecords makes the records straight in the file, through the same terms as AddRecord.
func millionRecords(b *testing.B) *sqlite.DB {
	b.Helper()
	path := filepath.Join(b.TempDir(), "hub.db")
	db, err := sqlite.Open(b.Context(), path, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	began := time.Now()
	if err := sqlite.FillRecords(b.Context(), db, benchRecords, benchRecord); err != nil {
		b.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d records made in %s, %d MB", benchRecords, time.Since(began).Round(time.Second), st.Size()>>20)
	return db
}

// benchRecord is the record number i.
func benchRecord(i int) (archive.Entry, archive.Content) {
	kinds, topics := []string{"通知", "函", "批复", "报告"}, []string{"防汛工作", "预算编制", "安全生产", "教育督导", "档案管理", "公务接待", "干部培训"}
	kind, topic := kinds[i%len(kinds)], topics[i%len(topics)]
	year := 2015 + i%12
	r := archive.Record{
		ID: fmt.Sprintf("r%07d", i), ArchivalCode: fmt.Sprintf("Z109-WS·%d·D30-%07d", year, i), Exchange: fmt.Sprintf("x%07d", i),
		Issuer: fmt.Sprintf("ORG%d", i%50), IssuerName: fmt.Sprintf("第%d局", i%50), Kind: kind, Retention: []string{"Y", "D30", "D10"}[i%3],
		Number: fmt.Sprintf("某%d办发〔%d〕%d号", i%50, year, i), Title: fmt.Sprintf("关于召开%s第%d次会议的%s", topic, i, kind),
		IssuedOn: fmt.Sprintf("%d-%02d-%02d", year, 1+i%12, 1+i%28), Parties: []string{fmt.Sprintf("ORG%d", i%50)},
	}
	text := "各有关单位：经研究决定，现将有关事项通知如下，请认真贯彻执行。"
	if i%100_003 == 0 {
		text += "附设档案室一处。"
	}
	return archive.Entry{Record: r, Package: [32]byte{byte(i)}}, archive.Content{
		Text: text, Elements: map[string][]string{"主送": {fmt.Sprintf("单位%d", i%1000)}},
	}
}
