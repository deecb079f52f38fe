// Package document is the model of an official document (公文): its metadata, its text, its annexes, and the rules a
// draft must satisfy before anything is laid out, stored or sent.
//
// It promises three things. [Parse] reads the YAML form strictly: an unknown key is a fault, never ignored. Validation
// reports every fault at once, in one [InvalidError]. A document that bears a classification (密级, 保密期限, or a mark
// such as 秘密★) is refused with [ClassifiedError] before anything else is looked at; no setting overrides that, and the
// error never carries a word of the document.
//
// It does not know pages, fonts, files or signatures: package document/layout sets the text, document/ofd and
// document/pdf write it, package seal seals it. The metadata elements are shaped after GB/T 33480-2016, whose element
// table could not be read; the form is shaped after GB/T 9704-2012.
package document
