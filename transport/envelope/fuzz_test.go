package envelope_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"yinxin/testvectors/boundtest"
	"yinxin/transport/envelope"
	"yinxin/verdict"
)

// perByte is how much reading, judging and opening may allocate for each byte of an envelope, beyond a block or two.
const perByte = 4000

// FuzzParse: whatever comes in, parsing is bounded, and what it gives reads back and can be verified without a panic.
func FuzzParse(f *testing.F) {
	w := newWorld(f)
	p, err := packAs(w, w.a, "ex-1", w.b)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(assemble(p.parts, p.payload))
	f.Add(assemble(append(p.parts, p.parts...), nil))
	f.Add([]byte(envelope.Magic))
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, data []byte) {
		e, err := envelope.Parse(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			var refused *verdict.ContainerError
			if !errors.As(err, &refused) || !refused.Reason.Known() {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		payload := e.Payload()
		if got := assemble(e.Parts(), data[payload.Offset:payload.Offset+payload.Size]); !bytes.Equal(got, data) {
			t.Fatal("the parts do not make the envelope")
		}
		if _, err := e.Verify(envelope.VerifyOptions{Policy: w.ca.Policy(), Now: now()}); err != nil {
			t.Fatal(err)
		}
		if o, err := e.Open(w.openOptions(w.b, &envelope.Memory{Limit: 1 << 20})); err == nil && o.Released() && o.Report.Verdict != verdict.Passed {
			t.Fatal("released without a passed verdict")
		}
	}))
}

func FuzzParseHeader(f *testing.F) {
	w := newWorld(f)
	p, err := packAs(w, w.a, "ex-1", w.b)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.parts[0].Header)
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, data []byte) {
		if h, err := envelope.ParseHeader(data); err == nil && len(h.WrappedKey) > len(data) {
			t.Fatal("a header larger than its bytes")
		}
	}))
}

func FuzzParseManifest(f *testing.F) {
	w := newWorld(f)
	data, _ := w.pack(f)
	m, _ := mustParse(f, data).Manifest("office-a")
	b, err := m.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(boundtest.Fuzz(perByte, func(t *testing.T, data []byte) {
		m, err := envelope.ParseManifest(data)
		if err != nil {
			return
		}
		if again, err := m.Marshal(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%q reads back as %q, %v", data, again, err)
		}
	}))
}

func FuzzSafeName(f *testing.F) {
	for _, s := range []string{"document.ofd", "..", "con.txt", "a/b", "a\u202eb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if envelope.SafeName(name) && (strings.ContainsAny(name, "/\\\x00") || name == "." || name == "..") {
			t.Fatalf("%q leads elsewhere", name)
		}
	})
}
