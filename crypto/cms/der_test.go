package cms_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"yinxin/crypto/cms"
	"yinxin/testvectors/boundtest"
	"yinxin/verdict"
)

// TestCheckDER: for each rule a form that DER allows and one that it does not.
func TestCheckDER(t *testing.T) {
	tests := []struct {
		name string
		hex  string
		want verdict.Reason
	}{
		{"sequence", "3003020105", ""},
		{"empty sequence", "3000", ""},
		{"nothing", "", verdict.NotDER},
		{"tag alone", "30", verdict.NotDER},
		{"trailing byte", "300000", verdict.TrailingData},
		{"runs past the end", "3005020105", verdict.NotDER},
		{"child runs past its parent", "3003020205", verdict.NotDER},
		{"indefinite length", "30800000", verdict.NotDER},
		{"indefinite length inside", "300424800000", verdict.NotDER},
		{"long length where short does", "30810402020100", verdict.NotDER},
		{"length with a leading zero", "3082000402020100", verdict.NotDER},
		{"length of five bytes", "30850000000000", verdict.NotDER},
		{"length of 2 GiB", "308480000000", verdict.NotDER},
		{"length of 4 GiB", "3084ffffffff", verdict.NotDER},
		{"tag of several bytes", "1f8101" + "00", verdict.NotDER},
		{"context tag of several bytes", "bf8101" + "00", verdict.NotDER},
		{"constructed octet string", "2403040100", verdict.NotDER},
		{"primitive sequence", "1000", verdict.NotDER},
		{"primitive set", "1100", verdict.NotDER},
		{"end of contents", "0000", verdict.NotDER},
		{"boolean true", "0101ff", ""},
		{"boolean false", "010100", ""},
		{"boolean 1", "010101", verdict.NotDER},
		{"boolean of two bytes", "0102ff00", verdict.NotDER},
		{"integer 0", "020100", ""},
		{"integer 128", "02020080", ""},
		{"integer -128", "020180", ""},
		{"integer without contents", "0200", verdict.NotDER},
		{"integer padded with zero", "02020001", verdict.NotDER},
		{"integer padded with ones", "0202ff80", verdict.NotDER},
		{"bit string with 7 unused bits", "03020780", ""},
		{"bit string with unused bits set", "03020781", verdict.NotDER},
		{"bit string with 8 unused bits", "03020800", verdict.NotDER},
		{"empty bit string", "030100", ""},
		{"empty bit string with unused bits", "030101", verdict.NotDER},
		{"bit string without contents", "0300", verdict.NotDER},
		{"null", "0500", ""},
		{"null with contents", "050100", verdict.NotDER},
		{"oid", "06042a864801", ""},
		{"oid cut inside a number", "06022a86", verdict.NotDER},
		{"oid with a leading 0x80", "06042a800101", verdict.NotDER},
		{"oid without contents", "0600", verdict.NotDER},
		{"time", "170d3236313132313038303030305a", ""},
		{"time with an offset", "17113236313132313038303030302b30383030", verdict.NotDER},
		{"set in order", "3106020101020102", ""},
		{"set with equals", "3106020101020101", ""},
		{"set out of order", "3106020102020101", verdict.NotDER},
		{"context constructed", "a003020101", ""},
		{"context primitive, any contents", "80020001", ""},
		{"context constructed with nonsense", "a0020001", verdict.NotDER},
		{"deep, within the bound", deep(cms.MaxDepth), ""},
		{"deep, beyond the bound", deep(cms.MaxDepth + 1), verdict.Limit},
		{"a hundred thousand deep", hex.EncodeToString(bytes.Repeat([]byte{0x30, 0x83, 0xf0, 0, 0}, 100_000)) + strings.Repeat("00", 0xf00000), verdict.NotDER},
		{"many elements, within the bound", manyNulls(cms.MaxElements - 1), ""},
		{"many elements, beyond the bound", manyNulls(cms.MaxElements), verdict.Limit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			der, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			err = cms.CheckDER(der, cms.MaxSize)
			if d := time.Since(start); d > time.Second {
				t.Errorf("took %s", d)
			}
			got := verdict.Reason("")
			if refused, ok := errors.AsType[*verdict.ContainerError](err); ok {
				got = refused.Reason
			}
			if got != tt.want || (err != nil) != (tt.want != "") {
				t.Errorf("%s: %v, want %q", tt.hex[:min(len(tt.hex), 40)], err, tt.want)
			}
		})
	}
	if err := cms.CheckDER(make([]byte, 11), 10); err == nil {
		t.Error("larger than asked for")
	}
}

// deep is n sequences around a null.
func deep(n int) string {
	der := asn1.NullBytes
	for range n {
		der = seq(der)
	}
	return hex.EncodeToString(der)
}

func manyNulls(n int) string {
	return hex.EncodeToString(seq(bytes.Repeat(asn1.NullBytes, n)))
}

func TestTrimZeros(t *testing.T) {
	der := seq(asn1.NullBytes)
	for _, tt := range []struct {
		name     string
		in, want []byte
	}{
		{"no padding", der, der},
		{"zeros", append(bytes.Clone(der), 0, 0, 0), der},
		{"other padding", append(bytes.Clone(der), 0, 0, 1), append(bytes.Clone(der), 0, 0, 1)},
		{"not DER", []byte{0x30}, []byte{0x30}},
		{"empty", nil, nil},
	} {
		if got := cms.TrimZeros(tt.in); !bytes.Equal(got, tt.want) {
			t.Errorf("%s: %x", tt.name, got)
		}
	}
}

// FuzzCheckDER: what is accepted is one value that encoding/asn1 reads too, with nothing after it.
func FuzzCheckDER(f *testing.F) {
	f.Add(seq(asn1.NullBytes))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Add([]byte{0x31, 0x06, 2, 1, 1, 2, 1, 2})
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, der []byte) {
		if cms.CheckDER(der, 1<<16) != nil {
			return
		}
		var v asn1.RawValue
		if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
			t.Fatalf("accepted %x, which encoding/asn1 refuses: %v", der, err)
		}
	}))
}
