// Package ofdseal puts seals on OFD documents and judges the seals and digital signatures that OFD documents bear
// (signature part of GB/T 33190, seals of GB/T 38540).
//
// It promises a strict verdict: every signature of every document in the package is judged, also after a failure; the
// digests are over the bytes that are shown; the walk over the document says what must be covered, and whatever a
// signature leaves out is a failure or a named warning; seals, signers and makers are held against each other byte by
// byte; a time-stamp proves the time of a seal only if the token holds in every respect. It promises that what it seals
// or signs passes that same verifier before it is released, and that sealing goes in two steps, so that an approval can
// name what will be signed.
//
// It does not promise to notice a later seal that was removed while the list of signatures is open: no verifier can,
// from the file alone; the evidence log can. It fetches nothing and trusts no root of its own.
package ofdseal

// Names of what a sealed package holds.
const (
	// signsFolder lies beside Document.xml.
	signsFolder   = "Signs"
	listName      = "Signatures.xml"
	describeName  = "Signature.xml"
	valueName     = "SignedValue.dat"
	sealName      = "Seal.esl"
	typeSeal      = "Seal"
	typeSign      = "Sign"
	kindSeal      = "seal"
	kindSign      = "sign"
	maxSignatures = 256
	maxReferences = 20_000
	maxStamps     = 20_000
	// maxFindings bounds the rows that one check writes about single files.
	maxFindings = 16
)
