package ses

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yinxin/testvectors"
	"yinxin/verdict"
)

// infoV1 is a seal of version 1 with everything in it.
func infoV1() SealInfo {
	i := info()
	i.Header.Version = Version1
	return i
}

func tbsV1(t testing.TB) ToBeSigned {
	t.Helper()
	return ToBeSigned{
		Version: Version1, Seal: mustSeal(t, infoV1()), Time: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC),
		DataHash: bytes.Repeat([]byte{7}, 32), PropertyInfo: "/Doc_0/Signs/Sign_0/Signature.xml", SignerCert: []byte("cert"),
	}
}

func mustSignatureV1(t testing.TB) *Signature {
	t.Helper()
	raw, err := tbsV1(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := MarshalSignature(raw, nil, []byte("value"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVersion1RoundTrip(t *testing.T) {
	s := mustSignatureV1(t)
	want, got := tbsV1(t), s.ToBeSigned
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Seal.Version != Version1 || string(s.Cert) != "cert" || !s.ToBeSigned.Seal.Lists([]byte("a certificate")) {
		t.Errorf("version %d, certificate %q", got.Seal.Version, s.Cert)
	}
	if again, err := got.Marshal(); err != nil || !bytes.Equal(again, s.RawToSign) {
		t.Errorf("toSign is not marshalled as it was read (%v)", err)
	}
}

// TestVersion1ReadsForeignForms: what other software writes, and what is refused beside it.
func TestVersion1ReadsForeignForms(t *testing.T) {
	good := mustSignatureV1(t).Raw
	const ours = "\x03\x15\x002026-11-21T08:00:00Z"
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		info    string
		at      time.Time
		assumed bool
	}{
		"our text":              {"2026-11-21T08:00:00Z", at, false},
		"a fraction":            {"2026-11-21T08:00:00.250Z", at.Add(250 * time.Millisecond), false},
		"a text without a zone": {"2026-11-21 16:00:00", at, true},
		"UTCTime":               {"\x17\x0d261121080000Z", at, false},
		"UTCTime, last century": {"\x17\x0d991121080000Z", time.Date(1999, 11, 21, 8, 0, 0, 0, time.UTC), false},
		"GeneralizedTime":       {"\x18\x0f20261121080000Z", at, false},
		"something else":        {"\x30\x03\x02\x01\x01", time.Time{}, false},
	} {
		var tbs ToBeSigned
		readTimeV1(&tbs, []byte(tt.info))
		if !tbs.Time.Equal(tt.at) || tbs.ZoneAssumed != tt.assumed || (tbs.TimeToken != nil) != tt.at.IsZero() {
			t.Errorf("%s: %v, assumed %v, token %x", name, tbs.Time, tbs.ZoneAssumed, tbs.TimeToken)
		}
	}
	replace := func(old, with string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the signature does not hold %x", old)
		}
		return bytes.Replace(good, []byte(old), []byte(with), 1)
	}
	for name, tt := range map[string]struct {
		der  []byte
		want verdict.Reason
	}{
		"as written":                  {good, ""},
		"header version 3":            {replace("ES\x02\x01\x01", "ES\x02\x01\x03"), ""},
		"list entry as text":          {replace("\x04\x0da certificate", "\x16\x0da certificate"), ""},
		"header version 4":            {replace("ES\x02\x01\x01", "ES\x02\x01\x04"), verdict.SealVersion},
		"version 4 of what is signed": {replace("\x02\x01\x01\x30\x81", "\x02\x01\x04\x30\x81"), verdict.SealVersion},
		"list entry of another type":  {replace("\x04\x0da certificate", "\x0c\x0da certificate"), verdict.SealVersion},
		"validity as GeneralizedTime": {replace("\x17\x0d260101190405Z", "\x18\x0d260101190405Z"), verdict.SealVersion},
		"time as text, not bits":      {replace(ours, "\x16\x15 2026-11-21T08:00:00Z"), verdict.SealVersion},
		"trailing byte":               {append(bytes.Clone(good), 0), verdict.TrailingData},
	} {
		_, err := ParseSignature(tt.der)
		var refused *verdict.ContainerError
		if tt.want == "" && err != nil || tt.want != "" && (!errors.As(err, &refused) || refused.Reason != tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

func TestVersion1Refuses(t *testing.T) {
	for name, change := range map[string]func(*SealInfo){
		"digests":                     func(i *SealInfo) { i.Property.SignerCerts, i.Property.SignerCertDigests = nil, []CertDigest{} },
		"a year that it cannot state": func(i *SealInfo) { i.Property.To = time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		i := infoV1()
		change(&i)
		if _, err := i.Marshal(); !errors.Is(err, ErrMarshal) {
			t.Errorf("%s: got %v, want ErrMarshal", name, err)
		}
	}
	tbs := tbsV1(t)
	raw, err := tbs.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := MarshalSignature(raw, nil, []byte("value"), []byte("token")); !errors.Is(err, ErrMarshal) {
		t.Errorf("a time-stamp: %v", err)
	}
	tbs.SignerCert = nil
	if _, err := tbs.Marshal(); !errors.Is(err, ErrMarshal) {
		t.Errorf("no certificate: %v", err)
	}
}

// TestVersion1Sample reads a signature of other software.
func TestVersion1Sample(t *testing.T) {
	der, err := testvectors.Read("ofd/keys/seal-v1-A.esl")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSeal(der)
	if err != nil {
		t.Fatal(err)
	}
	if p := s.Info.Property; p.Name != "V1 公章" || len(p.SignerCerts) != 1 || p.To.Year() != 2045 || s.Info.Picture.Width != 42 {
		t.Errorf("%+v", p)
	}
}
