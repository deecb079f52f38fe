package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// attackRows says which test holds each row of the catalogue of attacks on messages (C), certificates and time (T), ZIP
// containers (Z) and XML (X). Each of these tests has its positive twins: the same thing without the change, which passes.
const attackRows = `
C-01 crypto/cms TestForgeries TestBareDigest
C-02 crypto/cms TestForgeries TestOtherContent
C-03 crypto/cms TestForgeries
C-04 crypto/cms TestForgeries
C-05 crypto/cms TestRefusedForms TestTrimZeros
C-06 crypto/cms TestDERBombs TestCheckDER
C-07 crypto/cms TestSignAndJudge
C-08 crypto/cms TestTwoSigners TestForgeries TestRefusedForms
C-09 crypto/cms TestForgeries TestRefusedForms TestBinding
C-10 crypto/cms TestRecipientByKeyIdentifier TestForgeries
C-11 crypto/cms TestForgeries
C-11 crypto/cert TestParse
C-12 crypto/cms TestForgeries TestEncryptRefuses
C-12 crypto/cert TestCheckUse
C-13 crypto/gm TestDigestIsNotAMessage TestIDIsLiteral TestSM2SignatureCorruptions
C-14 crypto/gm TestSignerOpts
C-15 transport/hub TestSubmitAgain
C-16 crypto/gm TestNoncesDiffer TestRandomFailure
C-17 crypto/cms TestSignRefuses
C-17 keys/execkeys TestBadDevices
C-18 crypto/cms TestEnvelopeCorruptions TestOneTimeForEveryFailure
C-18 crypto/gm TestSM2CiphertextCorruptions
C-18 transport/envelope TestForgeriesHaveTheirReasons TestLyingManifests
C-19 transport/envelope TestSurreptitiousForwarding
C-20 crypto/stream TestCorruptions
C-20 crypto/gm TestSM4AEADCorruptions
C-20 transport/envelope TestForgeriesHaveTheirReasons
C-21 crypto/gm TestScalars TestZeroKey
C-21 crypto/cert TestCheckPair
C-22 crypto/cms TestRefusedForms
C-23 crypto/cms TestCounterSignatures
T-01 crypto/cert TestChain
T-02 crypto/cert TestNameConstraints TestNameConstraintsOfUnknownForm TestNamesWhereTheLibraryDoesNotLook
T-03 crypto/cert TestUsageOfIssuers TestCheckUse
T-04 crypto/tsp TestJudgeSigned
T-04 crypto/cert TestValidity
T-05 crypto/tsp TestJudgeSigned
T-05 crypto/cms TestMoments
T-06 crypto/tsp TestJudgeSigned TestRevokedAuthority
T-06 crypto/cert TestRevocation TestRevocationBackdated
T-07 cmd/yinxin TestScripts
T-07 crypto/cert TestOCSP TestOCSPForged TestRevocation TestLargeList
T-08 crypto/cert TestChainBounds TestManyResponses
T-08 crypto/tsp TestManyTokens
T-09 crypto/cert TestChain TestRevocationWithoutRoot
T-10 crypto/cert TestNothingFetches
T-11 crypto/tsp TestForgedTokens TestAuthorityRefuses TestParseResponse
T-12 crypto/tsp TestCopiedToken TestTokenBesideSignature
T-12 seal/ofdseal TestTimeStamp TestTimeStampOfSignature
T-12 seal/pdfseal TestTimeStamp
T-13 crypto/tsp TestClientRefuses TestClientRetries TestClientGrace
T-14 crypto/cert TestClockJumps
T-14 crypto/tsp TestAuthorityClock
Z-01 document/ofd TestZipAttacks
Z-02 document/ofd TestZipAttacks
Z-03 document/ofd TestZipAttacks
Z-04 document/ofd TestZipAttacks
Z-05 document/ofd TestZipAttacks
Z-06 document/ofd TestZipAttacks
Z-07 document/ofd TestZipAttacks
Z-08 document/ofd TestZipAttacks TestOverlappingEntries TestManyEntries
Z-09 document/ofd TestZipAttacks
Z-10 document/ofd TestZipAttacks TestOtherWriters
Z-11 document/ofd TestZipAttacks
X-01 document/ofd TestXMLAttacks
X-02 document/ofd TestXMLAttacks
X-03 document/ofd TestXMLAttacks
X-04 document/ofd TestXMLAttacks TestXMLThatIsFine
X-05 document/ofd TestXMLAttacks TestXMLThatIsFine
X-06 document/ofd TestXMLAttacks TestBombsEndEarly
X-07 document/ofd TestXMLAttacks
X-08 document/ofd TestXMLAttacks TestResolve
X-08 document/ofd/render TestHostilePages TestPatternsAreBounded
X-09 document/ofd TestXMLAttacks
X-09 document/ofd/render TestHostilePages
`

// TestRepositoryAttackRows holds the list to the tests that there are: no row is missing, and every test exists.
func TestRepositoryAttackRows(t *testing.T) {
	h := repository(t)
	rows := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(attackRows)) {
		words := strings.Fields(line)
		rows[words[0]] = true
		files, err := filepath.Glob(filepath.Join(h.root, words[1], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, f := range files {
			rel, err := filepath.Rel(h.root, f)
			if err != nil {
				t.Fatal(err)
			}
			text.WriteString(h.mustRead(t, rel))
		}
		for _, name := range words[2:] {
			if !regexp.MustCompile(`(?m)^func ` + name + `\(`).MatchString(text.String()) {
				t.Errorf("%s: %s has no %s", words[0], words[1], name)
			}
		}
	}
	for prefix, n := range map[string]int{"C": 23, "T": 14, "Z": 11, "X": 9} {
		for i := range n {
			if row := prefix + "-" + string(rune('0'+(i+1)/10)) + string(rune('0'+(i+1)%10)); !rows[row] {
				t.Errorf("row %s has no test", row)
			}
		}
	}
}

// TestRepositoryForgeriesShareNoCode holds the packages that make corruptions to their promise: they import nothing of
// the code under test.
func TestRepositoryForgeriesShareNoCode(t *testing.T) {
	h := repository(t)
	for _, file := range h.mustSources(t, ".go") {
		if !strings.HasPrefix(file, "testvectors/forge/") && !strings.HasPrefix(file, "testvectors/boundtest/") {
			continue
		}
		text := strings.ReplaceAll(h.mustRead(t, file), `"yinxin/testvectors/forge"`, "")
		if strings.Contains(text, `"yinxin/`) {
			t.Errorf("%s imports a package of this module", file)
		}
	}
}
