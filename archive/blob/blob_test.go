package blob_test

import (
	"encoding/json"
	"strings"
	"testing"

	"yinxin/archive/blob"
)

func TestParseRef(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("0a", 32)
	r, err := blob.ParseRef(good)
	if err != nil || r.String() != good || r[0] != 10 {
		t.Errorf("%s: %v, %v", good, r, err)
	}
	for _, bad := range []string{"", good[1:], good + "0", strings.ToUpper(good), "g" + good[1:], " " + good[1:], "../" + good[3:]} {
		if _, err := blob.ParseRef(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	data, err := json.Marshal(map[string]blob.Ref{"r": r})
	if err != nil || string(data) != `{"r":"`+good+`"}` {
		t.Errorf("marshalled %s, %v", data, err)
	}
	var back map[string]blob.Ref
	if err := json.Unmarshal(data, &back); err != nil || back["r"] != r {
		t.Errorf("unmarshalled %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"r":"x"}`), &back); err == nil {
		t.Error("unmarshalled garbage")
	}
}

func FuzzParseRef(f *testing.F) {
	f.Add(strings.Repeat("0a", 32))
	f.Add("..")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := blob.ParseRef(s); err == nil && r.String() != s {
			t.Errorf("%q reads as %s", s, r)
		}
	})
}
