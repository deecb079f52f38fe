// Package ofd reads and writes OFD packages (shaped after GB/T 33190).
//
// It promises that [Open] gives a package one meaning: every byte of the ZIP container is accounted for, every name is
// unambiguous, every XML file that belongs to a document is read strictly, the numbers of its graphic objects included, and every location leads to an entry of the
// package. Whatever two readers could take differently is refused with a *verdict.ContainerError whose reason names the
// cause. Work and memory are bounded by the constants of this package, never by a number found in the file. The bytes
// that [Package.Entry] returns are the bytes that were read: digests, parsing and display share them.
//
// It does not judge signatures (seal/ofdseal does), does not draw (document/ofd/render), runs no action and follows no
// link out of the package.
package ofd
