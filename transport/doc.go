// Package transport is the vocabulary of an exchange of official documents and
// its state machine, written once as data and without any input or output.
//
// An Exchange is one submission of one document by one sender. It has one
// Delivery for each recipient, and each delivery goes through the states by
// itself: accepted, routed, available, opened, acknowledged, archived. The ends
// beside that path are rejected, withdrawn, failed and return_acknowledged (the
// last after returned, where the sender still has to look). Overdue is a mark on
// a delivery and never an end: a late sign-for is allowed and is shown as late.
//
// The table in machine.go is the only list of what may happen. The hub asks it
// before every change, the SQL schemas repeat its states in CHECK constraints,
// docs/states.md shows it, and a test compares all of them.
//
// # Invariants
//
// They bind every package that changes the state of a delivery; each has a test.
//
//  1. A state change, its evidence entry and its next job commit together or not
//     at all; `UPDATE … WHERE state = old` and CHECK constraints refuse what the
//     diagram forbids.
//  2. No call to a key service, the network or a file happens inside a transaction.
//  3. Entries are append-only: an entry is never altered, only followed by another
//     one. Every negative event carries a reason code.
//  4. Log indexes are durable before the checkpoint that covers them is signed, so
//     that a crash and a second try sign the same root.
//  5. Tiles are durable before a checkpoint that covers them is published;
//     publication is a compare-and-swap and the only act that makes the tree grow.
//  6. No receipt leaves before its checkpoint is published. A submitter waits for
//     the batch or is answered 202 with the exchange id, as is any repeat until the
//     receipt is built. "Accepted" is never said without a committed entry.
//  7. With the key service away, entries commit and wait: submissions are accepted
//     with a pending receipt up to a stated bound of the queue, then refused with
//     503 and Retry-After. Nothing is promised unsigned.
//  8. A database restored behind a published checkpoint does not append until an
//     operator has reconciled it.
//  9. Acceptance, routing, delivery and receipts work on the clear header and on
//     digests. What the hub knows about the content is the sender's signed report.
//     Time comes from the server's clock or a time stamp, never from a client.
//  10. Authorisation and audit come before the act; a failed audit write refuses it.
//
// What this package does not do: it knows nothing of storage, keys, HTTP or the
// wire format, and it does not decide who a caller is.
package transport
