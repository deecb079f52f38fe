// Package receipt makes and judges evidence: the [Entry] that every state change of an exchange leaves in the log, and
// the [Receipt] that carries one entry with all that proves it.
//
// A receipt is the entry, its place in the log, the inclusion proof, the signed checkpoint and, where the event is a
// party's own act, that party's signed [Statement]. It is built once against its batch's checkpoint and never changed;
// later time-stamps and cosignatures travel beside it. It can be judged offline with the log's key and a root
// certificate alone. The bytes are fixed in docs/formats/receipt.md: an entry or a receipt that is spelled in any other
// way is refused.
//
// What is promised: a receipt cannot be moved to another document, exchange, party, event or time, since all of them are
// inside the leaf that the proof covers; "opened", "signed for" and "returned" count only with the recipient's own
// signature, whatever the hub says. What is not: that the checkpoint belongs to a log that still stands; that is
// [tlog.CheckExtends]. Entries hold codes and digests only, never titles or names, for a log cannot forget; a statement
// may hold a sentence of text, so the log has only its digest.
package receipt
