// Package tlog is the evidence log: an append-only Merkle tree of evidence entries, kept as static files, with one
// signed checkpoint a batch.
//
// The tree is that of RFC 6962 section 2.1 with SM3 in place of SHA-256 (both are 32 bytes, so the geometry is
// unchanged). A second tree with SHA-256 stands over the same leaves as a hedge; both roots are in the checkpoint. Files
// have the layout of C2SP tlog-tiles, checkpoints are C2SP signed notes with a signature type of our own (SM2 with SM3),
// so that nobody takes the log for an Ed25519 one. Byte-exact description: docs/formats/log.md.
//
// What the package promises, each with its test:
//
//   - Entries are append-only; an entry is never altered, only followed by another.
//   - Indexes are durable before a checkpoint is signed ([Queue.Assign]), so a crash and a second try sign the same root:
//     the log never shows two trees of one size.
//   - Tiles are durable before a checkpoint that covers them is published. Publication ([Queue.Publish]) is a
//     compare-and-swap on the tree size and the only act that makes the tree grow.
//   - A [Sequencer] that lost a compare-and-swap stops for good: another one is at work.
//   - A [Sequencer] refuses to start where the published files are ahead of the queue or show another tree of the same
//     size: a restored database does not append until an operator has reconciled it.
//   - A proof that was read from tiles is checked against the signed root before it leaves the package: damaged files
//     give an error, never a proof that does not hold.
//
// What it does not promise: that the log is shown alike to everybody (witnesses and receipts held by others show that,
// see [CheckExtends]), and that an entry is true. It knows neither keys nor databases: it takes a note.Signer and the
// interfaces [Queue] and [Tiles]. Entries must hold codes and digests only, for a log cannot forget.
package tlog
