package seal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cert"
	"yinxin/verdict"
)

// TestEachCauseIsNamed: reports name the cause of this seal in both languages, and not that of another seal with the same
// reason code.
func TestEachCauseIsNamed(t *testing.T) {
	_, maker, signer, _ := mustParties(t)
	s := mustMake(t, makeOptions(maker, signer))
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	with := func(changes ...Change) VerifyOptions {
		r := recordOf(s)
		r.History = append(r.History, changes...)
		return VerifyOptions{Records: func(string) (Record, error) { return r, nil }}
	}
	other := recordOf(s)
	other.SM3[0]++
	away := errors.New("away")
	records := func(r Record, err error) VerifyOptions {
		return VerifyOptions{Records: func(string) (Record, error) { return r, err }}
	}
	none := records(Record{}, ErrUnknownSeal)
	none.Registered = true
	tests := []struct {
		name, chinese, english string
		options                VerifyOptions
		at                     time.Time
	}{
		{"out of its validity", "未处于有效状态〔seal_validity〕 有效期为", "was not in force at the sealing time [seal_validity] is valid from", VerifyOptions{}, noon.AddDate(2, 0, 0)},
		{"suspended", "未处于有效状态〔seal_validity〕 时已停用", "was not in force at the sealing time [seal_validity] was suspended at", with(Change{To: Suspended, At: hour(1)}), hour(3)},
		{"voided", "未处于有效状态〔seal_validity〕 时已注销", "was not in force at the sealing time [seal_validity] was voided at", with(Change{To: Voided, At: hour(1)}), hour(3)},
		{"unregistered", "未处于有效状态〔seal_validity〕 不在印章名册中", "was not in force at the sealing time [seal_validity] is not in the register", none, hour(3)},
		{"not among the makers", "无制章权〔seal_validity〕 不在有制章权者之列", "may not make seals [seal_validity] is not among those", VerifyOptions{Makers: []*cert.Certificate{signer.cert}}, hour(3)},
		{"other bytes", "另一枚印章〔seal_mismatch〕 与此印章内容不同", "holds another seal under this identity [seal_mismatch] registered with other bytes", records(other, nil), hour(3)},
		{"register away", "未能查询印章名册〔revocation_unknown〕", "could not be asked [revocation_unknown]", records(Record{}, away), hour(3)},
		{"suspended since", "处于有效状态期间〔no_proof_of_existence〕 已变为 停用", "while the seal was in force [no_proof_of_existence] has been suspended", with(Change{To: Suspended, At: hour(4)}), hour(3)},
	}
	for _, tt := range tests {
		var sig verdict.Signature
		tt.options.JudgeSeal(&sig, s, cert.Moment{At: tt.at, Now: noon.AddDate(3, 0, 0)}, tt.at)
		f := verdict.File{File: "x.ofd", Type: "ofd", Signatures: []verdict.Signature{sig}}
		f.Judge(verdict.RevocationAuto)
		r := verdict.Report{Files: []verdict.File{f}, Verdict: f.Verdict}
		for l, want := range map[verdict.Language]string{verdict.Chinese: tt.chinese, verdict.English: tt.english} {
			text := r.Text(l)
			for part := range strings.SplitSeq(strings.NewReplacer("〕 ", "〕|", "] ", "]|").Replace(want), "|") {
				if n := strings.Count(text, part); n == 0 || strings.HasSuffix(part, "]") && n != 3 || strings.HasSuffix(part, "〕") && n != 3 {
					t.Errorf("%s: %q stands %d times in\n%s", tt.name, part, n, text)
				}
			}
		}
	}
}
