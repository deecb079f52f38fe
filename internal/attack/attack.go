// Package attack makes the corpus of bad documents that yinxin's verifier must not be fooled by: sealed OFD and PDF files
// and signed messages, each changed in one way, each with the verdict and the reason that a careful verifier gives.
//
// It promises that every case comes from code, out of a [Base] of sound documents that somebody else made with keys of
// their own; that every case has a positive twin, the base that it was made from, which must pass; and that a mutation
// that finds nothing to change is an error and no case. The mutators work on bytes: this package imports nothing of seal
// or document, so that a fault there cannot hide here. It parses only what it wrote or what the base holds.
//
// It judges nothing. The runner in attackrun, and the test of this package, hold any verifier against it.
package attack

import (
	"bytes"
	"errors"
	"fmt"
)

// Base is what the cases are made from: sound files, and what the signer could do with the key that made them.
type Base struct {
	// OFD has pages, fonts, an attachment and one seal; its list of signatures is open.
	OFD []byte
	// Closed is OFD with a digital signature after it that covers the list.
	Closed []byte
	// Seam bears one seal across the edge of its pages.
	Seam []byte
	// Other is another document under the same seal, by the same signer.
	Other []byte
	// Rogue is the same document, sealed under another root with the same names.
	Rogue []byte
	// OtherSeal is another genuine seal that lists the signer; UnlistedSeal one that does not; EndedSeal and FutureSeal list
	// it and were not valid at the sealing time; ForgedSeal lists it and bears a maker's signature of another key;
	// OtherWaySeal is of version 4 and made as version 1 is; EncryptionSeal lists the signer's encryption certificate;
	// OfficeSeal is made by an office, whose certificate is under the root and not for making seals; ExtendedSeal lists the
	// signer and has an extension of its own, CriticalSeal the same extension as a critical one.
	OtherSeal, UnlistedSeal, EndedSeal, FutureSeal, ForgedSeal, OtherWaySeal, EncryptionSeal, OfficeSeal []byte
	ExtendedSeal, CriticalSeal                                                                           []byte
	// PDF is a sealed PDF; PDFTwice has another seal after the first.
	PDF, PDFTwice []byte
	// Message is a detached GB/T 35275 signature over Content, Attached one with the content inside.
	Message, Attached, Content []byte
	// Sign signs as the signer of OFD and Message; SignOther as somebody else of the same root, whose certificate is
	// OtherCert; SignEncryption with the key of the encryption certificate EncryptionCert.
	Sign, SignOther, SignEncryption func(tbs []byte) ([]byte, error)
	OtherCert, EncryptionCert       []byte
	// SignMessage makes a detached GB/T 35275 message about a content with that SM3, AttachedMessage one with a content
	// inside, both by the signer.
	SignMessage     func(sum [32]byte) ([]byte, error)
	AttachedMessage func(content []byte) ([]byte, error)
	// Stamp makes a time-stamp token over a digest, by an authority of the same root, and at the sealing time.
	Stamp func(sum [32]byte) ([]byte, error)
	// SM3 is the digest.
	SM3 func([]byte) [32]byte
}

// The verdicts of a verifier.
const (
	Passed        = "passed"
	Failed        = "failed"
	Indeterminate = "indeterminate"
	Rejected      = "rejected"
	Unsigned      = "unsigned"
)

// Limits of judging one case.
const (
	// MaxCPU is in milliseconds, MaxMemory in megabytes: all that may be allocated, which bounds what is held.
	MaxCPU    = 1000
	MaxMemory = 64
)

// Case is one bad file, and what is to be said of it. Its JSON is the sidecar of the file.
type Case struct {
	// ID is the row of the catalogue and the variant, such as "O-01/page-0".
	ID string `json:"id"`
	// Mutation says what was done.
	Mutation string `json:"mutation"`
	// File is the kind of file, and its suffix: "ofd", "pdf" or "p7s".
	File string `json:"file"`
	// Twin names the base that the case was made from.
	Twin    string `json:"twin"`
	Verdict string `json:"verdict"`
	// Reason is the primary reason; empty for a case that passes.
	Reason string `json:"reason,omitempty"`
	// Warning, if not empty, is among the warnings.
	Warning string `json:"warning,omitempty"`
	// Sealing is what whoever seals this file, which is not signed, does: "passed", or the reason for which it refuses.
	Sealing   string `json:"sealing,omitempty"`
	MaxCPU    int    `json:"max_cpu_ms"`
	MaxMemory int    `json:"max_rss_mb"`

	// Data is the file itself. Content is what a detached message signs.
	Data    []byte `json:"-"`
	Content []byte `json:"-"`
}

// ErrNothingChanged means that a mutation found nothing to change.
var ErrNothingChanged = errors.New("attack: the mutation changes nothing")

// Cases calls do for every case, in the order of the catalogue. It stops at the first error, that of do included.
func Cases(b Base, do func(Case) error) error {
	l := &lab{base: b, do: do, packs: map[string]*pack{}}
	for _, family := range []func(*lab){
		twins, documentCases, sealCases, listCases, seamCases, seamShapes, graphCases, rootCases, coverCases, derCases,
		zipCases, xmlCases, messageCases, certificateCases, pdfCases,
	} {
		if family(l); l.err != nil {
			return l.err
		}
	}
	return nil
}

// lab makes the cases and remembers the first error.
type lab struct {
	base Base
	do   func(Case) error
	err  error
	// packs are the bases taken apart.
	packs map[string]*pack
}

func (l *lab) fail(id string, err error) {
	if l.err == nil {
		l.err = fmt.Errorf("case %s: %w", id, err)
	}
}

// emit hands a case on.
func (l *lab) emit(c Case, twin []byte) {
	if l.err != nil {
		return
	}
	if c.ID[0] != 'T' && bytes.Equal(c.Data, twin) {
		l.fail(c.ID, ErrNothingChanged)
		return
	}
	if c.MaxCPU == 0 {
		c.MaxCPU, c.MaxMemory = MaxCPU, MaxMemory
	}
	if err := l.do(c); err != nil {
		l.fail(c.ID, err)
	}
}

// twins are the bases themselves.
func twins(l *lab) {
	b := l.base
	for _, t := range []struct {
		name, file string
		data       []byte
	}{
		{"OFD", "ofd", b.OFD},
		{"Closed", "ofd", b.Closed},
		{"Seam", "ofd", b.Seam},
		{"Other", "ofd", b.Other},
		{"PDF", "pdf", b.PDF},
		{"PDFTwice", "pdf", b.PDFTwice},
		{"Message", "p7s", b.Message},
	} {
		c := Case{ID: "T-" + t.name, Mutation: "none: the positive twin", File: t.file, Twin: t.name, Verdict: Passed, Data: t.data}
		if t.file == "p7s" {
			c.Content = b.Content
		}
		l.emit(c, nil)
	}
	// Taken apart and put together again by the code below, the sealed file is still sound.
	p, err := unpack(b.OFD)
	if err != nil {
		l.fail("T-OFD/repacked", err)
		return
	}
	l.emit(Case{
		ID: "T-OFD/repacked", Mutation: "packed again", File: "ofd", Twin: "OFD", Verdict: Passed, Data: p.pack(),
	}, nil)
}
