package forge

import (
	"bytes"
	"strings"
	"testing"
)

func TestNodesComeBackAsTheyWere(t *testing.T) {
	long := Octets(bytes.Repeat([]byte{1}, 70000))
	for _, n := range []*Node{
		Int(5), OID(1, 2, 840), Null(), Time("20261122000000Z"), Seq(), Seq(Int(1), SetOf(Octets([]byte("x")), Seq(Null()))), long,
		Seq(Octets(make([]byte, 200)), Octets(make([]byte, 300))),
	} {
		der := n.Bytes()
		back, err := Parse(der)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(back.Bytes(), der) || !bytes.Equal(back.Clone().Bytes(), der) {
			t.Errorf("%x comes back as %x", der, back.Bytes())
		}
		if _, err := Parse(append(der, 0)); err == nil {
			t.Errorf("%x with a byte after it parses", der)
		}
	}
}

func TestEdits(t *testing.T) {
	n := Seq(Int(1), Int(2), Int(3))
	n.Remove(1)
	n.Insert(0, Null())
	n.At(-1).Set(OID(1, 2, 3))
	if got, want := n.Bytes(), Seq(Null(), Int(1), OID(1, 2, 3)).Bytes(); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	set := SetOf(Int(9), Int(2))
	set.Sort()
	if got, want := set.Bytes(), SetOf(Int(2), Int(9)).Bytes(); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(error).Error(), "forge") {
			t.Errorf("Must on garbage: %v", r)
		}
	}()
	Must([]byte{0x30})
}
