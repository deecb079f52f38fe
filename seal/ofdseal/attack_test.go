package ofdseal_test

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"yinxin/crypto/cert"
	"yinxin/crypto/gm"
	"yinxin/seal"
	"yinxin/seal/ofdseal"
	"yinxin/seal/ses"
	"yinxin/verdict"
)

const (
	page0     = "Doc_0/Pages/Page_0/Content.xml"
	document  = "Doc_0/Document.xml"
	listFile  = "Doc_0/Signs/Signatures.xml"
	describe0 = "Doc_0/Signs/Sign_0/Signature.xml"
	value0    = "Doc_0/Signs/Sign_0/SignedValue.dat"
	seal0     = "Doc_0/Signs/Sign_0/Seal.esl"
)

const emptyPage = `<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Content/></ofd:Page>`

// attack is one change to a sealed document and what the verdict must say of it. Its twin is the document unchanged, or
// what control makes of it.
type attack struct {
	id, name string
	mutate   func(t *testing.T, w *world, f *files)
	verdict  verdict.Status
	reason   verdict.Reason
	check    verdict.CheckName
	detail   string
}

func attacks() []attack {
	failed, rejected := verdict.Failed, verdict.Rejected
	return []attack{
		{
			"O-01", "page changed", func(t *testing.T, _ *world, f *files) { f.edit(t, page0, "12345.00", "92345.00") },
			failed, verdict.ReferenceDigest, verdict.CheckReferences, page0,
		},
		{"O-03", "page added", func(t *testing.T, _ *world, f *files) {
			f.edit(t, document, "</ofd:Pages>", `<ofd:Page ID="900" BaseLoc="Pages/Page_9/Content.xml"/></ofd:Pages>`)
			f.put("Doc_0/Pages/Page_9/Content.xml", emptyPage)
		}, failed, verdict.ReferenceDigest, verdict.CheckCoverage, "Page_9"},
		{"O-04", "annotations added", func(t *testing.T, _ *world, f *files) {
			f.edit(t, document, "<ofd:Attachments>", "<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations><ofd:Attachments>")
			f.put("Doc_0/Annots/Annotations.xml", `<ofd:Annotations xmlns:ofd="http://www.ofdspec.org/2016"/>`)
		}, failed, verdict.ReferenceDigest, verdict.CheckCoverage, "Annotations.xml"},
		{"O-05", "picture replaced", func(_ *testing.T, _ *world, f *files) {
			for _, n := range f.names {
				if strings.HasSuffix(n, ".png") {
					f.data[n] = "another picture"
				}
			}
		}, failed, verdict.ReferenceDigest, verdict.CheckReferences, ".png"},
		{"O-07", "second document", func(t *testing.T, _ *world, f *files) {
			f.edit(t, "OFD.xml", "</ofd:OFD>", "<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>")
			f.put("Doc_1/Document.xml", strings.NewReplacer(
				"<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>", "",
				"<ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>", "",
				"<ofd:Attachments>/Doc_0/Attachments.xml</ofd:Attachments>", "").Replace(f.data[document]))
			f.put("Doc_1/Pages/Page_0/Content.xml", emptyPage)
		}, failed, verdict.ReferenceDigest, verdict.CheckCoverage, "Doc_1/Document.xml"},
		{"O-09", "identifier doubled", func(t *testing.T, _ *world, f *files) {
			f.edit(t, listFile, "</ofd:Signatures>", `<ofd:Signature ID="1" BaseLoc="/Doc_0/Signs/Sign_1/Signature.xml"/></ofd:Signatures>`)
		}, failed, verdict.SignatureList, verdict.CheckCoverage, "twice"},
		{"O-09", "counter lowered", func(t *testing.T, _ *world, f *files) {
			f.edit(t, listFile, "<ofd:MaxSignId>2<", "<ofd:MaxSignId>0<")
		}, failed, verdict.SignatureList, verdict.CheckCoverage, "MaxSignId"},
		{"O-10", "seal listed as signature", func(t *testing.T, _ *world, f *files) {
			f.edit(t, listFile, `Type="Seal"`, `Type="Sign"`)
		}, failed, verdict.SignatureType, verdict.CheckSignature, "holds a seal"},
		{"O-10", "type in lower case", func(t *testing.T, _ *world, f *files) {
			f.edit(t, listFile, `Type="Seal"`, `Type="seal"`)
		}, failed, verdict.SignatureType, verdict.CheckSignature, `"seal"`},
		{"O-11", "signature of another document", func(t *testing.T, w *world, f *files) {
			other := mustUnpack(t, w.mustApply(t, mustRead(t, "u1.ofd")))
			for _, n := range []string{describe0, value0, seal0} {
				f.data[n] = other.data[n]
			}
		}, failed, verdict.ReferenceDigest, verdict.CheckReferences, page0},
		{"O-11", "signature moved to another place", func(t *testing.T, _ *world, f *files) {
			f.put("Doc_0/Signs/Sign_5/Signature.xml", f.data[describe0])
			f.remove(describe0)
			f.edit(t, listFile, "Sign_0", "Sign_5")
		}, failed, verdict.PropertyInfo, verdict.CheckDataHash, "Sign_0"},
		{"O-12", "seal file swapped", func(t *testing.T, w *world, f *files) {
			f.data[seal0] = string(w.mustSeal(t, w.signer).Raw)
		}, failed, verdict.SealMismatch, verdict.CheckSealMatch, seal0},
		{"O-12", "seal swapped everywhere", func(t *testing.T, w *world, f *files) {
			mustSwapSeal(t, f, w.mustSeal(t, w.signer), nil)
		}, failed, verdict.SigValue, verdict.CheckSignature, "does not verify"},
		{"O-13", "stamp moved", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, `Boundary="120 200`, `Boundary="20 20`)
		}, failed, verdict.SigValue, verdict.CheckDataHash, describe0},
		{"O-16", "signer not listed", func(t *testing.T, w *world, f *files) {
			mustSwapSeal(t, f, w.mustSeal(t, w.mustParty(t, "Other")), &w.signer)
		}, failed, verdict.SignerNotAuthorised, verdict.CheckSignerListed, "CN=Signer"},
		{"O-17", "seal not yet valid", func(t *testing.T, w *world, f *files) {
			o := w.sealOptions(w.signer)
			o.From, o.To = sealingTime.AddDate(0, 0, 2), sealingTime.AddDate(1, 0, 0)
			mustReseal(t, w, f, o)
		}, failed, verdict.SealValidity, verdict.CheckSealValidity, "sealing time"},
		{"O-17", "seal ended", func(t *testing.T, w *world, f *files) {
			o := w.sealOptions(w.signer)
			o.To = sealingTime.AddDate(0, 0, -1)
			mustReseal(t, w, f, o)
		}, failed, verdict.SealValidity, verdict.CheckSealValidity, "sealing time"},
		{"O-18", "version number of the signature", func(t *testing.T, _ *world, f *files) {
			// an INTEGER 4 before a SEQUENCE: the version of toSign, before the seal
			f.edit(t, value0, "\x02\x01\x04\x30", "\x02\x01\x01\x30")
		}, failed, verdict.SealVersion, verdict.CheckSignature, "version"},
		{
			"O-18", "bytes after the signature value", func(_ *testing.T, _ *world, f *files) { f.data[value0] += "\x00" },
			failed, verdict.TrailingData, verdict.CheckSignature, "after the signature",
		},
		{"O-19", "digest method MD5", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, gm.OIDSM3.String(), "MD5")
		}, failed, verdict.WeakDigest, verdict.CheckReferences, "MD5"},
		{"O-19", "digest method absent", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, ` CheckMethod="`+gm.OIDSM3.String()+`"`, "")
		}, failed, verdict.WeakDigest, verdict.CheckReferences, "not SM3"},
		{"O-19", "signature method", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, gm.OIDSM2WithSM3.String(), "1.2.840.113549.1.1.11")
		}, failed, verdict.SigValue, verdict.CheckSignature, "signature method"},
		{"O-20", "digest with white space", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, "<ofd:CheckValue>", "<ofd:CheckValue> ")
		}, failed, verdict.ReferenceMalformed, verdict.CheckReferences, "Base64"},
		{"O-20", "digest too short", func(t *testing.T, _ *world, f *files) {
			i := strings.Index(f.data[describe0], "<ofd:CheckValue>") + len("<ofd:CheckValue>")
			f.data[describe0] = f.data[describe0][:i] + base64.StdEncoding.EncodeToString(make([]byte, 31)) + f.data[describe0][i+44:]
		}, failed, verdict.ReferenceMalformed, verdict.CheckReferences, "32 bytes"},
		{"O-20", "file referenced twice", func(t *testing.T, _ *world, f *files) {
			d := f.data[describe0]
			i, j := strings.Index(d, "<ofd:Reference "), strings.Index(d, "</ofd:Reference>")+len("</ofd:Reference>")
			f.data[describe0] = d[:j] + d[i:j] + d[j:]
		}, failed, verdict.ReferenceMalformed, verdict.CheckReferences, "twice"},
		{"O-20", "two groups of references", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, "</ofd:References>", "</ofd:References><ofd:References/>")
		}, failed, verdict.ReferenceMalformed, verdict.CheckReferences, "2 References"},
		{"O-21", "maker's signature of another key", func(t *testing.T, w *world, f *files) {
			raw := w.seal.RawInfo
			value, err := gm.Sign(rand.Reader, w.signer.key, raw)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ses.MarshalSeal(raw, w.maker.cert.Raw, value)
			if err != nil {
				t.Fatal(err)
			}
			mustSwapSeal(t, f, s, &w.signer)
		}, failed, verdict.SealMakerSignature, verdict.CheckSealMaker, "CN=Maker"},
		{"O-22", "another root with the same names", func(t *testing.T, _ *world, f *files) {
			other := mustWorld(t)
			f2 := mustUnpack(t, other.mustApply(t, mustRead(t, "u2.ofd")))
			*f = *f2
		}, failed, verdict.CertificateChain, verdict.CheckCertificateChain, "none of the given roots"},
		{"C-12", "signed with the encryption certificate", func(t *testing.T, w *world, f *files) {
			key := mustKey(t)
			c, err := w.authority.IssueEncryption(cert.Subject("Signer", "Test"), key.PublicKey(), cert.IssueOptions{})
			if err != nil {
				t.Fatal(err)
			}
			info := w.seal.Info
			info.Property.SignerCerts = append(info.Property.SignerCerts, c.Raw)
			mustSwapSeal(t, f, w.mustMake(t, info), &party{key, c})
		}, failed, verdict.KeyUsage, verdict.CheckKeyUsage, "CN=Signer"},
		{
			"", "signature value removed", func(_ *testing.T, _ *world, f *files) { f.remove(value0) },
			failed, verdict.SigMissing, verdict.CheckSignature, describe0,
		},
		{
			"", "description removed", func(_ *testing.T, _ *world, f *files) { f.remove(describe0) },
			failed, verdict.MissingEntry, verdict.CheckReferences, describe0,
		},
		{
			"", "list removed", func(_ *testing.T, _ *world, f *files) { f.remove(listFile) },
			failed, verdict.SignatureList, verdict.CheckCoverage, listFile,
		},
		{"X-02", "list names its counter twice", func(t *testing.T, _ *world, f *files) {
			f.edit(t, listFile, "</ofd:Signatures>", "<ofd:MaxSignId>9</ofd:MaxSignId></ofd:Signatures>")
		}, rejected, verdict.XMLDuplicate, verdict.CheckContainer, "MaxSignId"},
		{"X-07", "digest split by a comment", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, "=</ofd:CheckValue>", "<!-- -->=</ofd:CheckValue>")
		}, rejected, verdict.XMLSplitValue, verdict.CheckContainer, describe0},
		{"X-07", "digest in CDATA", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, "<ofd:SignatureDateTime>", "<ofd:SignatureDateTime><![CDATA[]]>")
		}, rejected, verdict.XMLSplitValue, verdict.CheckContainer, "CDATA"},
		{"X-08", "description outside of the package", func(t *testing.T, _ *world, f *files) {
			f.edit(t, listFile, "/Doc_0/Signs/Sign_0/", "../../../")
		}, rejected, verdict.Path, verdict.CheckContainer, "../"},
		{"X-09", "boundary is no number", func(t *testing.T, _ *world, f *files) {
			f.edit(t, describe0, `Boundary="120`, `Boundary="NaN`)
		}, rejected, verdict.Number, verdict.CheckContainer, "NaN"},
	}
}

// mustMake signs any eSealInfo as the maker would, without the checks of seal.Make.
func (w *world) mustMake(t *testing.T, info ses.SealInfo) *ses.Seal {
	t.Helper()
	raw, err := info.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	value, err := gm.Sign(rand.Reader, w.maker.key, raw)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ses.MarshalSeal(raw, w.maker.cert.Raw, value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustSwapSeal puts another seal in and makes every digest agree; with a signer the whole is signed anew, as a forger
// with that key would, else the old signature value stays.
func mustSwapSeal(t *testing.T, f *files, s *ses.Seal, signer *party) {
	t.Helper()
	old, err := ses.ParseSignature([]byte(f.data[value0]))
	if err != nil {
		t.Fatal(err)
	}
	before, after := gm.SM3([]byte(f.data[seal0])), gm.SM3(s.Raw)
	f.edit(t, describe0, base64.StdEncoding.EncodeToString(before[:]), base64.StdEncoding.EncodeToString(after[:]))
	f.data[seal0] = string(s.Raw)
	tbs := old.ToBeSigned
	sum := gm.SM3([]byte(f.data[describe0]))
	tbs.Seal, tbs.DataHash = s, sum[:]
	raw, err := tbs.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	value, c := old.Value, old.Cert
	if signer != nil {
		if value, err = gm.Sign(rand.Reader, signer.key, raw); err != nil {
			t.Fatal(err)
		}
		c = signer.cert.Raw
	}
	sig, err := ses.MarshalSignature(raw, c, value, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.data[value0] = string(sig.Raw)
}

func mustReseal(t *testing.T, w *world, f *files, o seal.MakeOptions) {
	t.Helper()
	s, err := seal.Make(o)
	if err != nil {
		t.Fatal(err)
	}
	mustSwapSeal(t, f, s, &w.signer)
}

func TestAttacks(t *testing.T) {
	w := mustWorld(t)
	sealed := w.mustApply(t, mustRead(t, "u2.ofd"))
	// The twin of all: taken apart and put together again unchanged, it passes.
	twin := ofdseal.VerifyFile(mustUnpack(t, sealed).mustPack(t), w.options())
	if twin.Verdict != verdict.Passed {
		t.Fatalf("the twin: %s (%s) %+v", twin.Verdict, twin.Reason, faulty(twin))
	}
	for _, tt := range attacks() {
		t.Run(strings.ReplaceAll(tt.id+" "+tt.name, " ", "_"), func(t *testing.T) {
			f := mustUnpack(t, sealed)
			tt.mutate(t, w, f)
			got := ofdseal.VerifyFile(f.mustPack(t), w.options())
			if got.Verdict != tt.verdict || got.Reason != tt.reason {
				t.Errorf("got %s (%s), want %s (%s): %+v", got.Verdict, got.Reason, tt.verdict, tt.reason, faulty(got))
			}
			if !finds(got, tt.check, tt.verdict, tt.detail) {
				t.Errorf("no check %s that fails and says %q: %+v", tt.check, tt.detail, faulty(got))
			}
		})
	}
}

// TestSwapHelperAlonePasses is the twin of the attacks that sign anew: with the right seal and key the result passes.
func TestSwapHelperAlonePasses(t *testing.T) {
	w := mustWorld(t)
	f := mustUnpack(t, w.mustApply(t, mustRead(t, "u2.ofd")))
	mustSwapSeal(t, f, w.mustSeal(t, w.signer), &w.signer)
	if got := ofdseal.VerifyFile(f.mustPack(t), w.options()); got.Verdict != verdict.Passed {
		t.Errorf("got %s (%s): %+v", got.Verdict, got.Reason, faulty(got))
	}
}

func TestOnlyNamedMakersCount(t *testing.T) {
	w := mustWorld(t)
	sealed := w.mustApply(t, mustRead(t, "u2.ofd"))
	o := w.options()
	o.Makers = []*cert.Certificate{w.maker.cert}
	if got := ofdseal.VerifyFile(sealed, o); got.Verdict != verdict.Passed {
		t.Errorf("the maker: got %s (%s)", got.Verdict, got.Reason)
	}
	o.Makers = []*cert.Certificate{w.signer.cert}
	if got := ofdseal.VerifyFile(sealed, o); got.Verdict != verdict.Failed || got.Reason != verdict.SealValidity {
		t.Errorf("another: got %s (%s), want failed (seal_validity)", got.Verdict, got.Reason)
	}
}

// mustResign signs the description as it now stands, as the seal's own signer could.
func mustResign(t *testing.T, w *world, f *files) {
	t.Helper()
	mustSwapSeal(t, f, w.seal, &w.signer)
}

// dropReference removes the reference to a file from the description.
func (f *files) dropReference(t *testing.T, name string) {
	t.Helper()
	d := f.data[describe0]
	i := strings.Index(d, `<ofd:Reference FileRef="/`+name+`"`)
	if i < 0 {
		t.Fatalf("%s is not referenced", name)
	}
	j := i + strings.Index(d[i:], "</ofd:Reference>") + len("</ofd:Reference>")
	f.data[describe0] = d[:i] + d[j:]
}

// seam is a cross-page seal over seven pages.
func seam() []seal.Stamp {
	var stamps []seal.Stamp
	for i := range 7 {
		stamps = append(stamps, seal.Stamp{
			Page: i, X: 210 - 6*float64(i+1), Y: 120, Clip: &seal.Clip{X: 6 * float64(i), W: 6, H: 42},
		})
	}
	return stamps
}

// TestSignedOmissions: what the seal's own signer left out, or put in the wrong place, before signing.
func TestSignedOmissions(t *testing.T) {
	w := mustWorld(t)
	sealed := w.mustApply(t, mustRead(t, "u3.ofd"), func(o *ofdseal.PrepareOptions) { o.Stamps = seam() })
	tests := []struct {
		name    string
		mutate  func(t *testing.T, f *files)
		verdict verdict.Status
		reason  verdict.Reason
		check   verdict.CheckName
		warning verdict.Reason
	}{
		{name: "nothing", mutate: func(*testing.T, *files) {}, verdict: verdict.Passed, warning: verdict.ListOpen},
		{
			name:    "O-02 page not referenced",
			mutate:  func(t *testing.T, f *files) { f.dropReference(t, "Doc_0/Pages/Page_3/Content.xml") },
			verdict: verdict.Failed, reason: verdict.Uncovered, check: verdict.CheckCoverage,
		},
		{
			name:    "O-06 OFD.xml not referenced",
			mutate:  func(t *testing.T, f *files) { f.dropReference(t, "OFD.xml") },
			verdict: verdict.Passed, warning: verdict.PartialCoverage,
		},
		{
			name: "O-06 OFD.xml leads to another document",
			mutate: func(t *testing.T, f *files) {
				f.dropReference(t, "OFD.xml")
				f.put("Doc_0/Other.xml", f.data[document])
				f.edit(t, "OFD.xml", "Doc_0/Document.xml", "Doc_0/Other.xml")
			},
			verdict: verdict.Failed, reason: verdict.Uncovered, check: verdict.CheckCoverage,
		},
		{
			name: "O-07 second document beside an uncovered OFD.xml",
			mutate: func(t *testing.T, f *files) {
				f.dropReference(t, "OFD.xml")
				f.edit(t, "OFD.xml", "</ofd:OFD>", "<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>")
				f.put("Doc_1/Document.xml", strings.Replace(f.data[document], "<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>", "", 1))
			},
			verdict: verdict.Failed, reason: verdict.DocBodyUncovered, check: verdict.CheckCoverage,
		},
		{
			name: "O-15 part of the seam missing",
			mutate: func(t *testing.T, f *files) {
				d := f.data[describe0]
				i := strings.Index(d, `<ofd:StampAnnot ID="4"`)
				f.data[describe0] = d[:i] + d[i+strings.Index(d[i:], "/>")+2:]
			},
			verdict: verdict.Failed, reason: verdict.SeamIncomplete, check: verdict.CheckPlacement,
		},
		{
			name: "O-15 part of the seam on another page",
			mutate: func(t *testing.T, f *files) {
				f.edit(t, describe0, `PageRef="26"`, `PageRef="22"`)
			},
			verdict: verdict.Failed, reason: verdict.SeamIncomplete, check: verdict.CheckPlacement,
		},
		{
			name:    "stamp on a page that is not there",
			mutate:  func(t *testing.T, f *files) { f.edit(t, describe0, `PageRef="26"`, `PageRef="999"`) },
			verdict: verdict.Failed, reason: verdict.Placement, check: verdict.CheckPlacement,
		},
		{
			name:    "stamp beside its page",
			mutate:  func(t *testing.T, f *files) { f.edit(t, describe0, `Boundary="204 120`, `Boundary="804 120`) },
			verdict: verdict.Failed, reason: verdict.Placement, check: verdict.CheckPlacement,
		},
		{
			name: "stamp not in the size of its seal",
			mutate: func(t *testing.T, f *files) {
				f.data[describe0] = strings.ReplaceAll(f.data[describe0], " 42 42", " 42 50")
			},
			verdict: verdict.Failed, reason: verdict.SeamIncomplete, check: verdict.CheckPlacement, warning: verdict.Placement,
		},
		{
			name:    "odd spelling of the digest method",
			mutate:  func(t *testing.T, f *files) { f.edit(t, describe0, gm.OIDSM3.String(), gm.OIDSM3.String()+".2") },
			verdict: verdict.Passed,
		},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			f := mustUnpack(t, sealed)
			tt.mutate(t, f)
			mustResign(t, w, f)
			got := ofdseal.VerifyFile(f.mustPack(t), w.options())
			if got.Verdict != tt.verdict || got.Reason != tt.reason {
				t.Errorf("got %s (%s), want %s (%s): %+v", got.Verdict, got.Reason, tt.verdict, tt.reason, faulty(got))
			}
			if tt.check != "" && !finds(got, tt.check, tt.verdict, "") {
				t.Errorf("no check %s that fails: %+v", tt.check, faulty(got))
			}
			if tt.warning != "" && !got.Warned(tt.warning) {
				t.Errorf("no warning %s: %v", tt.warning, got.Warnings)
			}
		})
	}
}

// TestAbsenceIsBound: a file that the document names, and that was not there at sealing, cannot be added later.
func TestAbsenceIsBound(t *testing.T) {
	w := mustWorld(t)
	f := mustUnpack(t, mustRead(t, "u2.ofd"))
	f.edit(t, document, "<ofd:Attachments>", "<ofd:Annotations>Annots.xml</ofd:Annotations><ofd:Attachments>")
	g := mustUnpack(t, w.mustApply(t, f.mustPack(t)))
	if got := ofdseal.VerifyFile(g.mustPack(t), w.options()); got.Verdict != verdict.Passed || !got.Warned(verdict.MissingEntry) {
		t.Errorf("absent: got %s (%s), warnings %v", got.Verdict, got.Reason, got.Warnings)
	}
	g.put("Doc_0/Annots.xml", `<ofd:Annotations xmlns:ofd="http://www.ofdspec.org/2016"/>`)
	if got := ofdseal.VerifyFile(g.mustPack(t), w.options()); got.Verdict != verdict.Failed || got.Reason != verdict.Uncovered {
		t.Errorf("added: got %s (%s), want failed (uncovered)", got.Verdict, got.Reason)
	}
}

// TestTheLogKnowsRemovedSeals: O-08. From the file alone a last seal that was removed cleanly cannot be noticed; with the
// log's list of seals it is.
func TestTheLogKnowsRemovedSeals(t *testing.T) {
	w := mustWorld(t)
	once := w.mustApply(t, mustRead(t, "u2.ofd"))
	twice := w.mustApply(t, once)
	id := w.seal.Info.SealID
	for name, tt := range map[string]struct {
		data   []byte
		sealed []string
		want   verdict.Status
		reason verdict.Reason
	}{
		"as logged":            {twice, []string{id, id}, verdict.Passed, ""},
		"one removed":          {once, []string{id, id}, verdict.Failed, verdict.DiffersFromLog},
		"nothing known":        {once, nil, verdict.Passed, ""},
		"all removed":          {mustRead(t, "u2.ofd"), []string{id}, verdict.Failed, verdict.DiffersFromLog},
		"logged without seals": {mustRead(t, "u2.ofd"), []string{}, verdict.Unsigned, ""},
		"one added":            {twice, []string{id}, verdict.Failed, verdict.DiffersFromLog},
	} {
		o := w.options()
		o.Sealed = tt.sealed
		if f := ofdseal.VerifyFile(tt.data, o); f.Verdict != tt.want || f.Reason != tt.reason {
			t.Errorf("%s: %s (%s), want %s (%s)", name, f.Verdict, f.Reason, tt.want, tt.reason)
		}
	}
}
