package envelope_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"yinxin/crypto/cms"
	"yinxin/transport"
	"yinxin/transport/envelope"
	"yinxin/transport/partytest"
)

// packed is an envelope taken apart.
type packed struct {
	parts   []envelope.Part
	payload []byte
}

// packAs packs one small file from one office to another.
func packAs(w *world, from *partytest.Party, exchange string, to *partytest.Party) (packed, error) {
	var out bytes.Buffer
	p, err := envelope.Pack(&out, envelope.PackOptions{
		Exchange: exchange, Sender: from.Code, Sign: from.Sign(), Document: -1,
		Recipients: []envelope.Recipient{{Code: to.Code, Role: transport.To, Certificate: to.DecryptCert}},
		Files:      []envelope.Source{{Name: "a.txt", Content: strings.NewReader("small")}},
	})
	if err != nil {
		return packed{}, err
	}
	return packed{p.Parts, out.Bytes()[p.Payload.Offset : p.Payload.Offset+p.Payload.Size]}, nil
}

func signRaw(t testing.TB, content []byte, by *partytest.Party) []byte {
	t.Helper()
	der, err := cms.Sign(content, by.Sign())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// resign signs a manifest's content with another key.
func resign(t testing.TB, manifest []byte, by *partytest.Party) []byte {
	t.Helper()
	s, err := cms.ParseSigned(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return signRaw(t, s.Content(), by)
}

// flipSignature changes one bit of the signature value.
func flipSignature(t testing.TB, manifest []byte) []byte {
	t.Helper()
	s, err := cms.ParseSigned(manifest)
	if err != nil {
		t.Fatal(err)
	}
	value := s.SignatureValue(0)
	changed := bytes.Clone(value)
	changed[len(changed)-1] ^= 1
	return swap(t, manifest, value, changed)
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
