package statistics_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"yinxin/transport"
	"yinxin/transport/statistics"
)

// small is a report of one document that was signed for in time.
func small(t *testing.T) statistics.Report {
	t.Helper()
	var l log
	at := newYear.Add(time.Hour)
	story{
		sender: "A", recipient: "B", exchange: "1", sent: at, delivered: at, due: at.Add(time.Hour),
		ended: at.Add(time.Minute), end: transport.ConsignmentAcceptance,
	}.write(t, &l)
	return l.report(t, first, at.Add(2*time.Hour))
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	if err := statistics.WriteCSV(&b, small(t)); err != nil {
		t.Fatal(err)
	}
	want := "office,sent,refused,withdrawn,delivered,signed_for,returned,failed,reminders,marked,escalated,overdue_now," +
		"in_time,limits,in_time_rate,checked_in_time_rate,return_rate,reminders_each,to_sign_median_seconds,to_sign_p95_seconds\n" +
		"A,1,0,0,0,0,0,0,0,0,0,0,0,0,,,,,,\n" +
		"B,0,0,0,1,1,0,0,0,0,0,0,1,1,1,,0,0,60,60\n" +
		"total,1,0,0,1,1,0,0,0,0,0,0,1,1,1,,0,0,60,60\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// TestXLSX reads the workbook back as a zip of well-formed XML, and the cells of its sheet.
func TestXLSX(t *testing.T) {
	var b, again bytes.Buffer
	if err := errors.Join(statistics.WriteXLSX(&b, small(t)), statistics.WriteXLSX(&again, small(t))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the same report gives other bytes")
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var sheet struct {
		Rows []struct {
			Cells []struct {
				Text  string `xml:"is>t"`
				Value string `xml:"v"`
			} `xml:"c"`
		} `xml:"sheetData>row"`
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var into any = new(struct{})
		if strings.HasSuffix(f.Name, "sheet1.xml") {
			into = &sheet
		}
		if err := xml.Unmarshal(data, into); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if len(sheet.Rows) != 4 || sheet.Rows[0].Cells[1].Text != "发送" || sheet.Rows[2].Cells[0].Text != "B" || sheet.Rows[2].Cells[4].Value != "1" {
		t.Errorf("sheet %+v", sheet)
	}
}

func TestCompare(t *testing.T) {
	counted := small(t)
	for name, plant := range map[string]func(*statistics.Report){
		"total signed_for":   func(r *statistics.Report) { r.Total.SignedFor++ },
		"B to_sign":          func(r *statistics.Report) { *r.Offices[1].ToSign.Median-- },
		"B in_time":          func(r *statistics.Report) { r.Offices[1].InTime.Denominator++ },
		"an office invented": func(r *statistics.Report) { r.Offices = append(r.Offices, statistics.Figures{Office: "C", Sent: 1}) },
		"an office left out": func(r *statistics.Report) { r.Offices = r.Offices[1:] },
		"interconnection":    func(r *statistics.Report) { r.Interconnection.Numerator-- },
	} {
		claim := small(t)
		plant(&claim)
		got, err := statistics.Compare(claim, counted)
		if err != nil || len(got) == 0 {
			t.Errorf("%s: differences %+v, error %v", name, got, err)
		}
	}
	if got, err := statistics.Compare(small(t), counted); err != nil || len(got) != 0 {
		t.Errorf("the same figures: differences %+v, error %v", got, err)
	}
}
