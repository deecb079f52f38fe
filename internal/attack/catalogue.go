package attack

// Elsewhere are the rows of the catalogue that no file can show to a verifier of files, each with the reason and with what
// holds the row instead. Every other row of P, O, Z, X and C has cases here.
var Elsewhere = map[string]string{
	"C-14": "an interface: what is signed has a tag and a type; keys, transport/office",
	"C-15": "an interface: two signatures of one document are one document by office, content and idempotency key; transport/hub",
	"C-16": "a signer: equal and failing random numbers; crypto/gm",
	"C-17": "a signer: a fault while signing, found before the signature is given out; crypto/gm, crypto/cms",
	"C-18": "envelopes are opened, not verified; transport/envelope, crypto/cms",
	"C-19": "envelopes: re-wrapped to another office; transport/envelope",
	"C-20": "envelopes: chunks cut off, moved, repeated; crypto/stream",
	"C-21": "keys are imported, not found in files; crypto/gm, keys",
	"C-22": "unsigned attributes nested deep need a message built from inside out; crypto/cms (bounds of CheckDER)",
	"C-23": "counter-signatures are not written by anything here; crypto/cms judges them by its own vectors",
}
