package cms_test

import (
	"encoding/asn1"
	"time"

	"yinxin/crypto/cert/certtest"
	"yinxin/crypto/gm"
	"yinxin/testvectors/forge"
	"yinxin/testvectors/forge/hand"
)

var now = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// whole is a good message of the form of GB/T 35275 by a party, written without the code under test.
func whole(a *certtest.Party, content []byte) *forge.Message {
	return forge.NewMessage(a.SigningCert.Raw, content, now, forger(a.SignKey))
}

func wholeSigner(a *certtest.Party, content []byte) *forge.Signer {
	return forge.NewSigner(a.SigningCert.Raw, content, now, forger(a.SignKey))
}

// forger has the key of a party, as its owner would.
func forger(key *gm.PrivateKey) forge.Tools { return hand.Tools(key.ExportScalar()) }

func signWith(key *gm.PrivateKey) func([]byte) []byte { return forger(key).Sign }

func digestOf(content []byte) []byte { return forge.DER(hand.Sum(content)) }

func seq(parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	return forge.TLV(0x30, body)
}

// bareOID is an object identifier that nobody knows.
var bareOID = asn1.ObjectIdentifier{1, 2, 3}
