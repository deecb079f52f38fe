// Package pdfseal seals and signs PDF files, and judges the signatures in them.
//
// A seal on a PDF is one signature field with a visible appearance, added by incremental update, SubFilter
// adbe.pkcs7.detached, whose /Contents is GB/T 35275 SignedData over the two stretches of the ByteRange. The whole
// seal (SESeal, the .esl) lies in the signed bytes, as the stream that the key [SealKey] of the signature dictionary
// names, so that a verifier can say which seal it is, who made it, whether it lists the signer, and whether the picture
// that shows is the seal's.
//
// Verification promises this: a signature passes only if it covers its whole revision save its own value, and nothing
// came after that revision but further signatures, each in a revision of its own that adds one signature field and
// changes nothing else. The appearance of a further one must be that of its seal, or none. Any other change, allowed by
// ISO 32000 or not, is modified_after_signing: filled forms, comments and document security stores too. It also refuses
// to seal what could look otherwise tomorrow: see [Lint].
//
// It does not judge what the pages show, it does not read time-stamps, and it does not fill signature fields that were
// prepared by others.
package pdfseal

import (
	"errors"

	"yinxin/document/pdf"
)

const (
	// ContentsSize is the room kept for the signature value in bytes; the hexadecimal text is twice as long.
	ContentsSize = 16 << 10
	// SealKey is the key of the signature dictionary that refers to a stream with the DER of the seal (SESeal). The
	// prefix XX marks it as a private name (ISO 32000-2, annex E).
	SealKey pdf.Name = "XXYinxinSeal"
	// SubFilter is what this package writes; ETSI.CAdES.detached is read too.
	SubFilter pdf.Name = "adbe.pkcs7.detached"

	subFilterCAdES pdf.Name = "ETSI.CAdES.detached"

	// MaxPixels is the largest number of pixels of a seal picture.
	MaxPixels = 9 << 20
	// MaxFields is the largest number of form fields that are looked through.
	MaxFields = 4096
)

var (
	// ErrPicture means that the seal's picture cannot be shown in a PDF: PNG, JPEG and GIF can.
	ErrPicture = errors.New("pdfseal: picture of the seal cannot be shown")
	// ErrStamp means that the place does not fit: no such page, not on the page, or not exactly one place. A signature
	// field shows at one place.
	ErrStamp = errors.New("pdfseal: the seal cannot be placed")
	// ErrSigner means that the certificate may not sign at that time, or not with that seal.
	ErrSigner = errors.New("pdfseal: not the right signer")
	// ErrBroken means that the document holds a signature that does not verify, or that forbids further ones.
	ErrBroken = errors.New("pdfseal: the document's earlier signatures do not allow another")
	// ErrTooLarge means that the signature value does not fit into ContentsSize.
	ErrTooLarge = errors.New("pdfseal: signature value larger than the room kept for it")
	// ErrSelfCheck means that the finished file did not verify; it is not released.
	ErrSelfCheck = errors.New("pdfseal: the finished file does not verify")
)
