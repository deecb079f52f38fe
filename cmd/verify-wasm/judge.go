//go:build js

package main

import (
	"encoding/json"
	"strings"
	"time"

	"yinxin/internal/verify"
	"yinxin/verdict"
)

// file is one file that a person handed to the page.
type file struct {
	name string
	data []byte
}

// trust is what the page says is trusted.
type trust struct {
	Roots    string `json:"roots"`
	Log      string `json:"log"`
	Language string `json:"language"`
}

// answer is what the page shows. Report is for machines, Files say the same in words.
type answer struct {
	Error  string          `json:"error,omitempty"`
	Report *verdict.Report `json:"report,omitempty"`
	Files  []fileWords     `json:"files"`
}

type fileWords struct {
	File       string           `json:"file"`
	Type       string           `json:"type"`
	Verdict    verdict.Status   `json:"verdict"`
	Headline   string           `json:"headline"`
	Reason     string           `json:"reason,omitempty"`
	Advice     string           `json:"advice,omitempty"`
	Checks     []checkWords     `json:"checks"`
	Signatures []signatureWords `json:"signatures"`
	Warnings   []warningWords   `json:"warnings"`
	Parts      []fileWords      `json:"parts,omitempty"`
}

type checkWords struct {
	Name   string         `json:"name"`
	Status verdict.Status `json:"status"`
	Word   string         `json:"word"`
	Reason string         `json:"reason,omitempty"`
	Detail string         `json:"detail,omitempty"`
}

type signatureWords struct {
	Kind     string         `json:"kind"`
	Seal     string         `json:"seal,omitempty"`
	Signer   string         `json:"signer"`
	Verdict  verdict.Status `json:"verdict"`
	Word     string         `json:"word"`
	Reason   string         `json:"reason,omitempty"`
	Time     string         `json:"time"`
	Checks   []checkWords   `json:"checks"`
	Warnings []warningWords `json:"warnings"`
}

type warningWords struct {
	Text   string `json:"text"`
	Detail string `json:"detail,omitempty"`
}

// failed is an answer that says why there is none.
func failed(why string) string {
	out, _ := json.Marshal(answer{Error: why}) //nolint:errchkjson // a text
	return string(out)
}

// judge gives the verdict on the files. A .p7s is judged with the file of the same name without that suffix.
func judge(files []file, wanted []byte, now time.Time) string {
	var t trust
	if err := json.Unmarshal(wanted, &t); err != nil {
		return failed("the page's roots cannot be read: " + err.Error())
	}
	o, err := verify.Trusting([]byte(t.Roots), t.Log)
	if err != nil {
		return failed(err.Error())
	}
	o.Now = now
	report, err := verify.Files(inputs(files), o)
	if err != nil {
		return failed(err.Error())
	}
	l, err := verdict.ParseLanguage(t.Language)
	if err != nil {
		l = verdict.Chinese
	}
	a := answer{Report: report}
	for _, f := range report.Files {
		a.Files = append(a.Files, inWords(f, l))
	}
	out, err := json.Marshal(a)
	if err != nil {
		return failed(err.Error())
	}
	return string(out)
}

// inputs pairs detached signatures with what they sign; a file that is only there to be paired is not judged itself.
func inputs(files []file) []verify.Input {
	content := map[string][]byte{}
	for _, f := range files {
		content[f.name] = f.data
	}
	paired := map[string]bool{}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.name, ".p7s"); ok && content[name] != nil {
			paired[name] = true
		}
	}
	var in []verify.Input
	for _, f := range files {
		if paired[f.name] {
			continue
		}
		i := verify.Input{Name: f.name, Data: f.data}
		if name, ok := strings.CutSuffix(f.name, ".p7s"); ok {
			i.Signed, i.Beside = content[name], true
		}
		in = append(in, i)
	}
	return in
}

// headlines are the one line of a verdict, advice what to do with it.
var headlines = map[verdict.Language]map[verdict.Status][2]string{
	verdict.Chinese: {
		verdict.Passed:        {"有效", ""},
		verdict.Failed:        {"无效", "请勿采信。请向发文机关核实，并保留此文件。"},
		verdict.Rejected:      {"拒绝受理", "文件结构不安全或已损坏，未作验证。请向发文机关重新索取。"},
		verdict.Indeterminate: {"无法确定", "现有材料不足以下结论，请看下面的理由；补充根证书或吊销信息后可再验。"},
		verdict.Unsigned:      {"未签名", "文件中没有印章或签名，无从验证。"},
	},
	verdict.English: {
		verdict.Passed:        {"Genuine", ""},
		verdict.Failed:        {"Not genuine", "Do not rely on it. Ask the issuing office, and keep this file."},
		verdict.Rejected:      {"Refused", "The file is unsafe or damaged and was not verified. Ask the issuing office for another copy."},
		verdict.Indeterminate: {"Cannot be decided", "What is at hand does not suffice; see the reason. Add roots or revocation data and verify again."},
		verdict.Unsigned:      {"Not signed", "There is no seal or signature to verify."},
	},
}

func inWords(f verdict.File, l verdict.Language) fileWords {
	head := headlines[l][f.Verdict]
	w := fileWords{
		File: f.File, Type: f.Type, Verdict: f.Verdict, Headline: head[0], Advice: head[1], Checks: checksOf(f.Checks, l),
		Warnings: warningsOf(f.Notes, l), Signatures: []signatureWords{},
	}
	w.Reason = f.ReasonText(l)
	for _, s := range f.Signatures {
		w.Signatures = append(w.Signatures, signatureOf(s, l))
	}
	for _, p := range f.Parts {
		w.Parts = append(w.Parts, inWords(p, l))
	}
	return w
}

func signatureOf(s verdict.Signature, l verdict.Language) signatureWords {
	w := signatureWords{
		Kind: verdict.KindText(s.Kind, l), Signer: s.Signer, Verdict: s.Verdict, Word: s.Verdict.Text(l),
		Checks: checksOf(s.Checks, l), Warnings: warningsOf(s.Notes, l),
	}
	if s.Seal != nil {
		w.Seal = s.Seal.Name
	}
	w.Reason = s.ReasonText(l)
	if s.Time != nil {
		w.Time = s.Time.UTC().Format("2006-01-02 15:04 UTC") + " · " + verdict.TimeSourceText(s.TimeSource, l)
	}
	return w
}

func checksOf(list []verdict.Check, l verdict.Language) []checkWords {
	out := []checkWords{}
	for _, c := range list {
		out = append(out, checkWords{
			Name: c.Name.Text(l), Status: c.Status, Word: c.Status.Text(l), Reason: c.ReasonText(l), Detail: verdict.DetailText(c.Detail, l),
		})
	}
	return out
}

func warningsOf(n verdict.Notes, l verdict.Language) []warningWords {
	out := []warningWords{}
	for i, r := range n.Warnings {
		w := warningWords{Text: r.Text(l)}
		if i < len(n.WarningDetails) {
			w.Detail = verdict.DetailText(n.WarningDetails[i], l)
		}
		out = append(out, w)
	}
	return out
}
