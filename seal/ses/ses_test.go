package ses

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/crypto/gm"
	"yinxin/testvectors"
	"yinxin/verdict"
)

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	data, err := testvectors.Read("ofd/keys/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParseTheSampleSeals(t *testing.T) {
	names, err := fs.Glob(testvectors.FS(), "ofd/keys/*.esl")
	if err != nil || len(names) == 0 {
		t.Fatal("no sample seals", err)
	}
	for _, name := range names {
		der, err := testvectors.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseSeal(der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if old := strings.Contains(name, "v1"); old != (s.Version == Version1) {
			t.Errorf("%s: version %d", name, s.Version)
		}
		raw, err := s.Info.Marshal()
		if err != nil || !bytes.Equal(raw, s.RawInfo) {
			t.Errorf("%s: eSealInfo is not marshalled as it was read (%v)", name, err)
		}
		again, err := MarshalSeal(raw, s.MakerCert, s.Value)
		if err != nil || !bytes.Equal(again.Raw, der) {
			t.Errorf("%s: the seal is not marshalled as it was read (%v)", name, err)
		}
	}
}

func TestSealFields(t *testing.T) {
	s, err := ParseSeal(mustRead(t, "seal-v4-A.esl"))
	if err != nil {
		t.Fatal(err)
	}
	day := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	s.Info.Picture.Data, s.Info.Property.SignerCerts = nil, nil
	want := SealInfo{
		Header: Header{ID: "ES", Version: 4, Vendor: "ORACLE"}, SealID: "0bef915807b64ae0b44be6034b53121a",
		Property: Property{Type: 1, Name: "重庆测试贸易合同专用章", Created: day(2021), From: day(2021), To: day(2048)},
		Picture:  Picture{Type: "PNG", Width: 40, Height: 40},
	}
	if diff := cmp.Diff(want, s.Info); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// info is a seal with everything in it.
func info() SealInfo {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 8*3600))
	return SealInfo{
		Header: Header{ID: "ES", Version: 4, Vendor: "YINXIN"}, SealID: "id",
		Property: Property{Type: 2, Name: "人名", SignerCerts: [][]byte{[]byte("a certificate")}, Created: at, From: at, To: at.AddDate(1, 0, 0)},
		Picture:  Picture{Type: "PNG", Data: []byte("picture"), Width: 20, Height: 10},
		Extensions: []Extension{
			{ID: gm.OIDSM3, Critical: false, Value: []byte("x")},
			{ID: gm.OIDSM3, Critical: true, Value: []byte("y")},
		},
	}
}

func mustSeal(t testing.TB, i SealInfo) *Seal {
	t.Helper()
	raw, err := i.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := MarshalSeal(raw, []byte("maker"), []byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSignature(t testing.TB, extensions []Extension, timeStamp []byte) *Signature {
	t.Helper()
	tbs := ToBeSigned{
		Version: 4, Seal: mustSeal(t, info()), Time: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC),
		DataHash: bytes.Repeat([]byte{7}, 32), PropertyInfo: "/Doc_0/Signs/Sign_0/Signature.xml", Extensions: extensions,
	}
	raw, err := tbs.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := MarshalSignature(raw, []byte("cert"), []byte("value"), timeStamp)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	digests := info()
	digests.Property.SignerCerts = nil
	digests.Property.SignerCertDigests = []CertDigest{{Type: gm.OIDSM3.String(), Value: []byte("digest")}}
	for name, want := range map[string]SealInfo{"certificates": info(), "digests": digests} {
		got := mustSeal(t, want).Info
		want.Property.Created, want.Property.From, want.Property.To = want.Property.Created.UTC(), want.Property.From.UTC(), want.Property.To.UTC()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	s := mustSignature(t, info().Extensions, []byte("token"))
	if diff := cmp.Diff(info().Extensions, s.ToBeSigned.Extensions); diff != "" || string(s.TimeStamp) != "token" {
		t.Errorf("signature %q (-want +got):\n%s", s.TimeStamp, diff)
	}
	if s := mustSignature(t, nil, nil); s.TimeStamp != nil || s.ToBeSigned.Extensions != nil {
		t.Error("what was left out came back")
	}
}

// TestFalseIsWritten: a critical of FALSE stands in the file, as in the field.
func TestFalseIsWritten(t *testing.T) {
	if !bytes.Contains(mustSeal(t, info()).RawInfo, []byte{1, 1, 0, 4, 1, 'x'}) {
		t.Error("critical FALSE is left out")
	}
}

func TestParseRefuses(t *testing.T) {
	good := mustSignature(t, info().Extensions, []byte("token")).Raw
	if _, err := ParseSignature(good); err != nil {
		t.Fatalf("the twin: %v", err)
	}
	replace := func(old, with string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the signature does not hold %x", old)
		}
		return bytes.Replace(good, []byte(old), []byte(with), 1)
	}
	indefinite := append([]byte{0x30, 0x80}, append(bytes.Clone(good[4:]), 0, 0)...)
	longForm := append([]byte{0x30, 0x83, 0}, good[2:]...)
	tests := []struct {
		name string
		der  []byte
		want verdict.Reason
	}{
		{"nothing", nil, verdict.NotDER},
		{"text", []byte("not DER"), verdict.NotDER},
		{"cut", good[:len(good)-1], verdict.NotDER},
		{"trailing zero", append(bytes.Clone(good), 0), verdict.TrailingData},
		{"indefinite length", indefinite, verdict.NotDER},
		{"long length", longForm, verdict.NotDER},
		{"nested too deep", nested(40), verdict.NotDER},
		{"version of the signature", replace("\x02\x01\x04\x30", "\x02\x01\x05\x30"), verdict.SealVersion},
		{"version of the seal", replace("ES\x02\x01\x04", "ES\x02\x01\x02"), verdict.SealVersion},
		{"header", replace("\x16\x02ES", "\x16\x02EX"), verdict.SealVersion},
		{"vendor as UTF8String", replace("\x16\x06YINXIN", "\x0c\x06YINXIN"), verdict.SealVersion},
		{"vendor not ASCII", replace("YINXIN", "YINXI\xe4"), verdict.SealVersion},
		{"seal time as UTCTime", replace("\x18\x0f20261121080000Z", "\x17\x0f20261121080000Z"), verdict.SealVersion},
		{"time without a zone", replace("20261121080000Z", "202611210800000"), verdict.SealVersion},
		{"time that is none", replace("20261121080000Z", "20261321080000Z"), verdict.SealVersion},
		{"bits left over", replace("\x03\x21\x00\x07", "\x03\x21\x01\x07"), verdict.SealVersion},
		{"boolean of another value", replace("\x01\x01\xff", "\x01\x01\x01"), verdict.SealVersion},
		{"list type", replace("\x02\x01\x01\x30\x0f\x04\x0d", "\x02\x01\x03\x30\x0f\x04\x0d"), verdict.SealVersion},
	}
	for _, tt := range tests {
		_, err := ParseSignature(tt.der)
		var refused *verdict.ContainerError
		if !errors.As(err, &refused) || refused.Reason != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func nested(depth int) []byte {
	var der []byte
	for range depth {
		der = append([]byte{0x30, byte(len(der))}, der...)
	}
	return der
}

func TestMarshalRefuses(t *testing.T) {
	for name, change := range map[string]func(*SealInfo){
		"no list":      func(i *SealInfo) { i.Property.SignerCerts = nil },
		"two lists":    func(i *SealInfo) { i.Property.SignerCertDigests = []CertDigest{} },
		"vendor":       func(i *SealInfo) { i.Header.Vendor = "印信" },
		"seal id":      func(i *SealInfo) { i.SealID = "章" },
		"version":      func(i *SealInfo) { i.Header.Version = 6 },
		"name":         func(i *SealInfo) { i.Property.Name = "\xff" },
		"picture type": func(i *SealInfo) { i.Picture.Type = "图" },
	} {
		i := info()
		change(&i)
		if _, err := i.Marshal(); !errors.Is(err, ErrMarshal) {
			t.Errorf("%s: got %v, want ErrMarshal", name, err)
		}
	}
	if _, err := (ToBeSigned{Version: 4}).Marshal(); !errors.Is(err, ErrMarshal) {
		t.Errorf("nothing to sign: %v", err)
	}
}

func TestLists(t *testing.T) {
	s := mustSeal(t, info())
	if !s.Lists([]byte("a certificate")) || s.Lists([]byte("another")) {
		t.Error("certificates")
	}
	i := info()
	sum := gm.SM3([]byte("a certificate"))
	i.Property.SignerCerts = nil
	i.Property.SignerCertDigests = []CertDigest{{Type: "SM3", Value: sum[:]}, {Type: "MD5", Value: []byte("x")}}
	s = mustSeal(t, i)
	if !s.Lists([]byte("a certificate")) || s.Lists([]byte("another")) {
		t.Error("digests")
	}
	s.Info.Property.SignerCertDigests[0].Type = "SHA-1"
	if s.Lists([]byte("a certificate")) {
		t.Error("a digest under another name counts")
	}
}

func TestLooksLikeSignature(t *testing.T) {
	if !LooksLikeSignature(mustSignature(t, nil, nil).Raw) {
		t.Error("a seal signature is not recognised")
	}
	bare := []byte{0x30, 6, 2, 1, 1, 2, 1, 1}
	if LooksLikeSignature(bare) || LooksLikeSignature(mustRead(t, "seal-v4-A.esl")) || LooksLikeSignature(nil) {
		t.Error("something else is taken for a seal signature")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(mustSignature(f, info().Extensions, []byte("token")).Raw)
	f.Add(mustSignature(f, nil, nil).Raw)
	f.Add(mustSeal(f, info()).Raw)
	f.Add(mustSignatureV1(f).Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		if len(der) > 1<<16 {
			return
		}
		if s, err := ParseSignature(der); err == nil {
			if !bytes.Equal(s.Raw, der) || !bytes.Contains(der, s.RawToSign) || !bytes.Contains(der, s.ToBeSigned.Seal.Raw) {
				t.Error("the raw bytes are not those of the input")
			}
		}
		if s, err := ParseSeal(der); err == nil {
			if !bytes.Equal(s.Raw, der) || !bytes.Contains(der, s.RawInfo) {
				t.Error("the raw bytes are not those of the input")
			}
			// Written again it means the same; the bytes may differ in the spelling of times alone.
			raw, err := s.Info.Marshal()
			if err != nil {
				return
			}
			again, err := MarshalSeal(raw, s.MakerCert, s.Value)
			if err != nil {
				t.Fatalf("written again, it is refused: %v", err)
			}
			if again.Info.SealID != s.Info.SealID || again.Info.Property.Name != s.Info.Property.Name {
				t.Error("written again, it is another seal")
			}
		}
	})
}
